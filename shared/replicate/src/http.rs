//! The one way to build an HTTP client.

use std::time::Duration;

/// A client that follows no redirects (a redirect may lead a token or a fetch elsewhere) and gives up
/// after `timeout` for the whole exchange.
pub fn http_client(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .user_agent(concat!("compliance-agent/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(timeout.min(Duration::from_secs(10)))
        .pool_idle_timeout(Duration::from_secs(30))
        .timeout(timeout)
        .build()
}
