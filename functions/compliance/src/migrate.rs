//! `compliance migrate`: a step of its own, before the new version serves.

use std::process::ExitCode;

use shared_domain::Settings;
use shared_store::{Store, StoreConfig};
use tracing::info;

pub(crate) async fn migrate(settings: &Settings) -> anyhow::Result<ExitCode> {
    Store::migrate(store_config(settings)?).await?;
    info!("the database has this version's schema");
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn store_config(settings: &Settings) -> anyhow::Result<StoreConfig> {
    let reader = settings.reader();
    let config = StoreConfig::read(&reader);
    reader.finish()?;
    Ok(config)
}
