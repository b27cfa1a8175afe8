//! Where this process runs: said by `FN_HOST`, or found out from what only one platform sets.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::str::FromStr;

use http::Uri;
use shared_domain::{Reader, Settings};

/// Which host speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    /// AWS Lambda's runtime API.
    Lambda,
    /// `OpenWhisk`'s protocol over descriptors.
    ActionLoop,
    /// A port.
    Http,
    /// The queue.
    Worker,
    /// One event, then the end.
    Once,
}

/// `FN_HOST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Whatever the environment shows.
    Auto,
    /// This one.
    Host(Host),
}

impl FromStr for Wish {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::Host(match text {
            "auto" => return Ok(Self::Auto),
            "lambda" => Host::Lambda,
            "actionloop" => Host::ActionLoop,
            "http" => Host::Http,
            "worker" => Host::Worker,
            "once" => Host::Once,
            other => {
                return Err(format!(
                    "{other:?} is no host; hosts are auto, lambda, actionloop, http, worker, once"
                ));
            }
        }))
    }
}

impl Wish {
    /// The first sign counts. A queue worker has no sign of its own: it is only ever named.
    pub(crate) fn host(self, settings: &Settings, has_result_pipe: impl FnOnce() -> bool) -> Host {
        let is_set = |name| settings.find(name).is_some();
        match self {
            Self::Host(host) => host,
            Self::Auto if is_set("AWS_LAMBDA_RUNTIME_API") => Host::Lambda,
            Self::Auto if is_set("__OW_PROXY_VERSION") && has_result_pipe() => Host::ActionLoop,
            Self::Auto if is_set("PORT") => Host::Http,
            Self::Auto => Host::Once,
        }
    }
}

/// The client of Lambda's runtime API panics over these instead of saying what is missing.
pub(crate) fn check_lambda(reader: &Reader<'_>) {
    let text = |name| reader.text(name);
    let address = text("AWS_LAMBDA_RUNTIME_API");
    let has_host = |uri: Uri| uri.authority().is_some();
    if !address.is_empty() && !address.parse().is_ok_and(has_host) {
        reader.problem("AWS_LAMBDA_RUNTIME_API", "is no address of a host");
    }
    text("AWS_LAMBDA_FUNCTION_NAME");
    text("AWS_LAMBDA_FUNCTION_VERSION");
    let memory = text("AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
    if !memory.is_empty() && memory.parse::<i32>().is_err() {
        reader.problem("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "is no number");
    }
}

/// Whether descriptor 3 is an open pipe that can be written to.
pub(crate) fn has_result_pipe() -> bool {
    let is_pipe = fs::metadata("/dev/fd/3").is_ok_and(|file| file.file_type().is_fifo());
    is_pipe && fdinfo(3).is_none_or(|info| is_writable(&info))
}

/// What Linux tells of a descriptor; other systems tell nothing.
fn fdinfo(descriptor: u32) -> Option<String> {
    let mut text = String::new();
    let path = format!("/proc/self/fdinfo/{descriptor}");
    File::open(path).ok()?.read_to_string(&mut text).ok()?;
    Some(text)
}

/// The last two bits of the octal flags are the access mode: 0 is reading only.
pub(crate) fn is_writable(fdinfo: &str) -> bool {
    let flags = fdinfo.lines().find_map(|line| line.strip_prefix("flags:"));
    flags
        .and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok())
        .is_none_or(|flags| flags & 0b11 != 0)
}
