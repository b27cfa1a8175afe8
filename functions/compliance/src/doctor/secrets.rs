//! Secrets: whether they lie in a file, and that none of them is ever printed.

use percent_encoding::percent_decode_str;
use shared_domain::Settings;
use shared_runtime::env_file;
use url::Url;

use super::finding::Finding;
use super::site::Site;

/// Settings that are secret as a whole.
const WHOLE: &[&str] = &[
    "SECRET_KEY",
    "BACKBLAZE_APPLICATION_KEY",
    "B2_ADMIN_KEY",
    "B2_NOTIFICATION_SECRET",
    "REPLICATE_API_TOKEN",
    "REPLICATE_WEBHOOK_SECRET",
    "EMAIL_HOST_PASSWORD",
    "CLOUDFLARE_API_TOKEN",
    "POSTGRES_PASSWORD",
    "PLAYBACK_SECRET",
];
/// Addresses that hold a password.
const ADDRESSES: &[&str] = &["DATABASE_URL", "REDIS_URL"];
/// Shorter values are everyday words, and would be struck out of sentences.
const SHORTEST: usize = 6;

pub(super) fn not_in_files(site: &Site) -> Finding {
    let file = match env_file(&site.folder.join(".env")) {
        Ok(file) => file,
        Err(error) => {
            return Finding::not_checked(
                format!("файл .env не прочитать ({error})"),
                format!("the file .env cannot be looked into ({error})"),
            );
        }
    };
    let addresses = ADDRESSES.iter().filter(|name| {
        let address = file.find(name);
        address.is_some_and(|address| !passwords(address).is_empty())
    });
    let whole = WHOLE.iter().filter(|name| file.find(name).is_some());
    let names: Vec<&str> = whole.chain(addresses).copied().collect();
    if names.is_empty() {
        return Finding::ok(
            "в рабочей папке нет .env с секретами",
            "no .env with secrets lies in the working directory",
        );
    }
    let names = names.join(", ");
    Finding::fail(
        format!("в файле .env лежат секреты ({names}): перенесите их в секреты платформы"),
        format!("the file .env holds secrets ({names}): move them to the platform's own secrets"),
    )
}

/// The password of an address, as it is written and as it is meant.
fn passwords(address: &str) -> Vec<String> {
    let url = Url::parse(address).ok();
    let Some(written) = url.as_ref().and_then(Url::password) else {
        return Vec::new();
    };
    let meant = percent_decode_str(written).decode_utf8_lossy().into_owned();
    vec![written.to_owned(), meant]
}

/// Strikes every secret of the settings out of what others have said. The sentences themselves name none;
/// an answer of a server might.
#[derive(Debug)]
pub(super) struct Censor(Vec<String>);

impl Censor {
    pub(super) fn new(settings: &Settings) -> Self {
        let whole = WHOLE.iter().filter_map(|name| settings.find(name));
        // Several webhook secrets are one setting.
        let parts = whole.flat_map(|value| {
            let parts = value.split(',').map(str::trim).map(str::to_owned);
            parts.chain([value.to_owned()])
        });
        let addresses = ADDRESSES.iter().filter_map(|name| settings.find(name));
        let mut secrets: Vec<String> = parts.chain(addresses.flat_map(passwords)).collect();
        secrets.retain(|secret| secret.chars().count() >= SHORTEST);
        // The longest first: one may be the beginning of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(secrets)
    }

    /// The text on one line, without secrets and without anything that a terminal would obey.
    pub(super) fn clean(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for secret in &self.0 {
            clean = clean.replace(secret.as_str(), "…");
        }
        let visible = clean.split_whitespace().collect::<Vec<_>>().join(" ");
        visible.chars().filter(|c| !c.is_control()).collect()
    }
}
