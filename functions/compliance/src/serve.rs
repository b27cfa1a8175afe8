//! `compliance serve`.

use std::process::ExitCode;

use shared_domain::{Lang, Settings};
use shared_runtime::hosts::stop_signal;
use shared_store::Store;
use tracing::info;

use crate::admin;
use crate::args::Serve;
use crate::embedded::Embedded;
use crate::ports::Ports;

pub(crate) async fn serve(settings: Settings, args: &Serve) -> anyhow::Result<ExitCode> {
    let embedded = Embedded::start(settings, Ports::from(args.port)).await?;
    let admin = first_admin(&embedded.shared.store).await?;
    announce(&embedded.address(), admin.as_ref());
    let ended = tokio::select! {
        () = stop_signal(&embedded.stop) => Ok(ExitCode::SUCCESS),
        error = embedded.failed() => Err(error),
    };
    info!("stopping; a second Ctrl-C stops at once");
    tokio::select! {
        () = embedded.shut_down() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    ended
}

/// Makes the first account; its password is shown once and stored only as a hash.
async fn first_admin(store: &Store) -> anyhow::Result<Option<(String, String)>> {
    if store.has_users().await? {
        return Ok(None);
    }
    let email = "admin@localhost".to_owned();
    let password = admin::add(store, &email).await?;
    Ok(Some((email, password)))
}

/// The language of the terminal.
#[expect(
    clippy::disallowed_methods,
    reason = "the terminal's language is no setting of ours"
)]
pub(crate) fn system_language() -> Lang {
    let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let locale = names
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    locale.unwrap_or_default().parse().unwrap_or_default()
}

#[expect(
    clippy::print_stdout,
    reason = "the address and the first login are the command's output"
)]
fn announce(address: &str, admin: Option<&(String, String)>) {
    println!("AI Compliance Agent is ready: {address}");
    if let Some((email, password)) = admin {
        println!("First login (shown once): {email}  {password}");
    }
}
