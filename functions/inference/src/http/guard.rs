//! Where this service may connect to: it fetches and calls back URLs that a caller names.

use url::Url;

/// URL prefixes that are allowed.
#[derive(Debug, Clone)]
pub(super) struct Guard(Vec<Url>);

impl Guard {
    pub(super) fn new(prefixes: Vec<Url>) -> Self {
        Self(prefixes)
    }

    /// The URL, if it lies under one of the prefixes: same scheme, host and port, path below. The
    /// parser has already resolved `..` and unusual spellings of hosts.
    pub(super) fn parse(&self, text: &str) -> Option<Url> {
        let url: Url = text.parse().ok()?;
        let is_plain = url.username().is_empty() && url.password().is_none();
        let is_under = |prefix: &Url| {
            let folder = prefix.path().trim_end_matches('/');
            let rest = url.path().strip_prefix(folder);
            url.origin() == prefix.origin()
                && url.origin().is_tuple()
                && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        (is_plain && self.0.iter().any(is_under)).then_some(url)
    }
}
