//! The bucket on the S3 side, as the running service meets it.

use std::time::Duration;

use shared_objects::{Objects, ObjectsConfig, ObjectsError};

use super::finding::Finding;
use super::site::Site;

pub(super) async fn bucket(site: &Site) -> Finding {
    let config = site.read(|reader| {
        let config = ObjectsConfig::read(reader);
        // A person waits: what fails is told at once.
        ObjectsConfig {
            max_retries: 1,
            backoff: Duration::from_millis(200),
            ..config
        }
    });
    let config = match config {
        Ok(config) => config,
        Err(finding) => return finding,
    };
    let name = config.bucket.clone();
    match Objects::connect(&config).ping().await {
        Ok(()) => Finding::ok(
            format!("бакет {name} есть, ключ подходит"),
            format!("the bucket {name} is there and takes the key"),
        ),
        Err(error) => judged(&name, &error),
    }
}

fn judged(name: &str, error: &ObjectsError) -> Finding {
    match error {
        ObjectsError::NotFound { .. } => Finding::fail(
            format!(
                "бакета {name} нет: проверьте BACKBLAZE_BUCKET_NAME и регион в BACKBLAZE_ENDPOINT_URL"
            ),
            format!(
                "there is no bucket {name}: check BACKBLAZE_BUCKET_NAME and the region in \
                 BACKBLAZE_ENDPOINT_URL"
            ),
        ),
        error if error.is_denied() => Finding::fail(
            format!(
                "хранилище не принимает ключ для бакета {name}: проверьте BACKBLAZE_APPLICATION_KEY_ID \
                 и BACKBLAZE_APPLICATION_KEY, права ключа (listBuckets), часы и лимиты счёта"
            ),
            format!(
                "storage does not take the key for the bucket {name}: check \
                 BACKBLAZE_APPLICATION_KEY_ID and BACKBLAZE_APPLICATION_KEY, what the key may do \
                 (listBuckets), the clock and the account's caps"
            ),
        ),
        error if error.is_transient() => Finding::not_checked(
            "хранилище не отвечает: проверьте BACKBLAZE_ENDPOINT_URL и выход в сеть",
            "storage does not answer: check BACKBLAZE_ENDPOINT_URL and the way out to the network",
        ),
        error => Finding::fail(format!("хранилище отказывает ({error})"), error.to_string()),
    }
}
