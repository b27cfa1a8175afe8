//! Two proxies speak this protocol, and they differ in who ends a call's log.

use std::io::Write;
use std::str::FromStr;

use shared_domain::Settings;

/// Ends the log of a call, on both streams.
const MARKER: &[u8] = b"XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX\n";

/// `FN_END_MARKER`: who ends a call's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum EndMarker {
    /// We do where the proxy is DigitalOcean's.
    #[default]
    Auto,
    /// We do.
    Always,
    /// The proxy does.
    Never,
}

impl FromStr for EndMarker {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            other => Err(format!("{other:?} is none of auto, always, never")),
        }
    }
}

/// How this proxy wants to be spoken to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manners {
    /// It waits for word that we are ready, without limit.
    pub(crate) acknowledges: bool,
    /// It waits for our marker after each call.
    pub(crate) marks_the_end: bool,
}

impl Manners {
    /// Apache's proxy writes the marker itself and hands its children no `PATH`; DigitalOcean's
    /// does neither, and where logs are forwarded it holds each answer back until it has read the
    /// marker on both streams.
    pub(crate) fn read(settings: &Settings, marker: EndMarker) -> Self {
        let is_set = |name| settings.find(name).is_some();
        let forwards = is_set("LOG_DESTINATIONS");
        let digital_ocean = is_set("PATH") && is_set("__OW_PROXY_VERSION");
        Self {
            acknowledges: is_set("__OW_WAIT_FOR_ACK"),
            marks_the_end: match marker {
                EndMarker::Auto => forwards || digital_ocean,
                EndMarker::Always => true,
                EndMarker::Never => false,
            },
        }
    }
}

/// Writes the marker behind everything that was logged before.
pub(super) fn end_of_log() -> std::io::Result<()> {
    let (mut out, mut log) = (std::io::stdout().lock(), std::io::stderr().lock());
    out.write_all(MARKER)?;
    out.flush()?;
    log.write_all(MARKER)?;
    log.flush()
}
