//! Named pipes in the job folder: the second and third output of one ffmpeg process.
//!
//! Opening a named pipe blocks until the other side comes, which never happens when ffmpeg dies
//! early. So both sides are opened here, and the writing side is held until ffmpeg has gone.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc;

use rustix::fs::{CWD, Mode, OFlags};

/// A longer line than any that is expected is cut, not remembered.
const LINE: usize = 1024;

/// The reading side, and the writing side to drop after ffmpeg has ended.
#[derive(Debug)]
pub(crate) struct Pipe {
    pub(crate) reader: File,
    pub(crate) holder: File,
}

pub(crate) fn named(path: &Path) -> io::Result<Pipe> {
    make(path)?;
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let reader = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    let holder = OpenOptions::new().write(true).open(path)?;
    rustix::fs::fcntl_setfl(&reader, OFlags::empty())?;
    Ok(Pipe { reader, holder })
}

#[cfg(target_os = "linux")]
fn make(path: &Path) -> io::Result<()> {
    use rustix::fs::{FileType, mknodat};
    Ok(mknodat(
        CWD,
        path,
        FileType::Fifo,
        Mode::RUSR | Mode::WUSR,
        0,
    )?)
}

#[cfg(not(target_os = "linux"))]
fn make(path: &Path) -> io::Result<()> {
    // rustix has no mkfifo for Apple's systems; the program belongs to POSIX.
    let status = std::process::Command::new("mkfifo")
        .arg("-m")
        .arg("600")
        .arg(path)
        .status()?;
    let _ = (CWD, Mode::empty());
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other("mkfifo failed"))
    }
}

/// A line of `metadata=mode=print`: when a frame is shown, in the filter's time base.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Shown {
    pub(crate) pts: i64,
    pub(crate) score: f64,
}

/// Reads such lines until the pipe closes.
pub(crate) fn read_times(pipe: impl Read, out: &mpsc::Sender<Shown>) {
    let mut lines = BufReader::new(pipe);
    let mut pts = None;
    while let Some(line) = bounded_line(&mut lines) {
        if line.starts_with("frame:") {
            pts = field(&line, "pts:").and_then(|text| text.parse().ok());
        } else if let (Some((_, value)), Some(pts)) = (line.split_once('='), pts.take()) {
            let shown = Shown {
                pts,
                score: value.trim().parse().unwrap_or(0.0),
            };
            if out.send(shown).is_err() {
                return;
            }
        }
    }
}

fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.split_whitespace()
        .find_map(|word| word.strip_prefix(name))
}

/// The next line, at most `LINE` bytes of it; `None` at the end.
pub(crate) fn bounded_line(lines: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    loop {
        let buffer = lines.fill_buf().ok()?;
        if buffer.is_empty() {
            return (!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let taken = end.unwrap_or(buffer.len());
        line.extend_from_slice(&buffer[..taken.min(LINE.saturating_sub(line.len()))]);
        lines.consume(taken + usize::from(end.is_some()));
        if end.is_some() {
            return Some(String::from_utf8_lossy(&line).into_owned());
        }
    }
}
