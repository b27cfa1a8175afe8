//! Secrets of the embedded parts: made at the first start, kept in `DATA_DIR/secrets.json` for the
//! owner's eyes only, so that signed URLs and sessions survive a restart.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use base64::Engine;
use serde::{Deserialize, Serialize};

/// What the embedded parts share among themselves.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Secrets {
    pub(crate) storage_key_id: String,
    pub(crate) storage_key: String,
    /// 32 characters, as B2 wants it.
    pub(crate) notification: String,
    pub(crate) provider_token: String,
    /// `whsec_` and base64.
    pub(crate) webhook: String,
}

impl Secrets {
    /// Reads the file, or makes it.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("secrets.json");
        if path.is_file() {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("{} cannot be read", path.display()))?;
            return serde_json::from_str(&text).with_context(|| {
                format!(
                    "{} is damaged: remove it, and sign in again",
                    path.display()
                )
            });
        }
        let secrets = Self::fresh()?;
        let half = folder.join(".secrets.json.part");
        let mut file = fs::OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&half)?;
        file.write_all(&serde_json::to_vec_pretty(&secrets)?)?;
        file.sync_all()?;
        fs::rename(&half, &path)?;
        Ok(secrets)
    }

    fn fresh() -> anyhow::Result<Self> {
        let base64 = base64::engine::general_purpose::STANDARD;
        Ok(Self {
            storage_key_id: "local".into(),
            storage_key: token()?,
            notification: token()?[..32].to_owned(),
            provider_token: format!("r8_{}", &token()?[..37]),
            webhook: format!("whsec_{}", base64.encode(&token()?[..32])),
        })
    }
}

/// 256 random bits in hex, from the system's source of randomness.
pub(crate) fn token() -> anyhow::Result<String> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).context("the system gives no randomness")?;
    Ok(hex::encode(random))
}
