//! `compliance send-test-email ADDR`: is mail set up?

use std::process::ExitCode;

use anyhow::Context;
use send_email::{Post, PostConfig};
use shared_domain::{Ids, Settings, SystemIds};

use crate::serve::system_language;

#[expect(clippy::print_stdout, reason = "the result is the command's output")]
pub(crate) async fn send_test(settings: &Settings, address: &str) -> anyhow::Result<ExitCode> {
    let to = address
        .parse()
        .with_context(|| format!("{address} is not a mail address"))?;
    let reader = settings.reader();
    let config = PostConfig::read(&reader);
    reader.finish()?;
    let lang = system_language();
    let sent = Post::connect(config)?
        .send_test(&to, SystemIds.next(), lang)
        .await?;
    println!("{}", sent.sentence(lang));
    Ok(ExitCode::SUCCESS)
}
