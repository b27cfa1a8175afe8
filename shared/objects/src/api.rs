//! Plain HTTP to services that are asked with a token: how a client is built, where a token may go.

use std::time::Duration;

use reqwest::Client;
use url::{Host, Url};

/// Follows no redirect, which would lead a token elsewhere. A proxy of the environment is for the way
/// out: it could not reach this machine, and it would be told the tokens.
pub(crate) fn client(timeout: Duration, machine: bool) -> Result<Client, reqwest::Error> {
    let builder = Client::builder()
        .user_agent(concat!("compliance-agent/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(timeout)
        .timeout(timeout);
    match machine {
        true => builder.no_proxy().build(),
        false => builder.build(),
    }
}

pub(crate) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether what is secret may be sent there.
pub(crate) fn is_safe(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| match url.scheme() {
        "https" => url.has_host(),
        "http" => is_this_machine(&url),
        _ => false,
    })
}
