//! What the end of ffmpeg or ffprobe says of the file.

use std::io;
use std::process::ExitStatus;

use shared_domain::Refusal;

use crate::error::MediaError;
use crate::sandbox::{Complaints, signal};

const ILL: i32 = 4;
const ABRT: i32 = 6;
const BUS: i32 = 7;
const FPE: i32 = 8;
const SEGV: i32 = 11;
const SYS: i32 = 31;
/// SIGXCPU: the limit of processor time.
const XCPU: i32 = 24;
/// SIGXFSZ: the limit of a file's size.
const XFSZ: i32 = 25;

/// Whether a signal means that the program itself broke down.
pub(crate) fn is_crash(signal: i32) -> bool {
    matches!(signal, ILL | ABRT | BUS | FPE | SEGV | SYS)
}

/// Whether a signal means that a limit was reached.
pub(crate) fn is_limit(signal: i32) -> bool {
    matches!(signal, XCPU | XFSZ)
}

/// `setpriv`, a shell or the loader could not start the program.
const NOT_STARTED: [i32; 2] = [126, 127];

/// Whose fault it is that a program did not do its work.
pub(crate) fn of_failure(
    program: &'static str,
    status: ExitStatus,
    complaints: &Complaints,
) -> MediaError {
    match signal(status) {
        Some(number) if is_crash(number) => Refusal::CrashesDecoder.into(),
        Some(number) if is_limit(number) => Refusal::TooExpensive.into(),
        Some(signal) => MediaError::Died { program, signal },
        None if status
            .code()
            .is_some_and(|code| NOT_STARTED.contains(&code)) =>
        {
            let said = complaints.tail();
            io::Error::other(format!("{program} could not be started: {said}")).into()
        }
        None => of_file(complaints).into(),
    }
}

/// Names the file's fault.
fn of_file(complaints: &Complaints) -> Refusal {
    if let Some(codec) = complaints.between("Codec (", ") not on whitelist") {
        return Refusal::UnsupportedCodec {
            codec: codec.chars().take(32).collect(),
        };
    }
    let memory = [
        "Cannot allocate memory",
        "Could not allocate",
        "Error allocating",
    ];
    if memory.iter().any(|text| complaints.mention(text)) {
        Refusal::TooExpensive
    } else if complaints.mention("exceeds specified max pixel")
        || (complaints.mention("Picture size") && complaints.mention("is invalid"))
    {
        Refusal::TooManyPixels
    } else if complaints.mention("ncrypt") {
        Refusal::Encrypted
    } else {
        Refusal::Damaged
    }
}
