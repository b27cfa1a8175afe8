//! The bucket through B2's native API: asked for once, shared by all checks of it.

use std::time::Duration;

use shared_objects::native::{Bucket, Native, NativeConfig, NativeError};

use super::finding::Finding;
use super::site::Site;

/// For the key and the bucket together; less than a check has.
const PATIENCE: Duration = Duration::from_secs(8);

/// The bucket and the way to it.
#[derive(Debug)]
pub(crate) struct Known {
    pub(super) native: Native,
    pub(super) bucket: Bucket,
}

/// The bucket; why there is none is the finding of whoever asked.
pub(super) async fn known(site: &Site) -> Result<&Known, Finding> {
    let asked = site.known.get_or_init(|| async {
        let asking = tokio::time::timeout(PATIENCE, open(site)).await;
        asking.unwrap_or_else(|_| {
            Err(judged(&NativeError::Unreachable(
                "no answer in time".to_owned(),
            )))
        })
    });
    asked.await.as_ref().map_err(Clone::clone)
}

/// Reads the bucket afresh.
pub(super) async fn open(site: &Site) -> Result<Known, Finding> {
    let config = site.read(|reader| {
        let name = reader.text("BACKBLAZE_BUCKET_NAME");
        NativeConfig::read(reader).map(|config| (config, name))
    })?;
    let Some((config, name)) = config else {
        return Err(Finding::not_checked(
            "правила видны только через API Backblaze, а хранилище другое",
            "the rules show only through Backblaze's API, and storage is another house's",
        ));
    };
    let native = Native::connect(config).map_err(|error| judged(&error))?;
    match native.bucket(&name).await {
        Ok(Some(bucket)) => Ok(Known { native, bucket }),
        Ok(None) => Err(Finding::fail(
            format!("ключ не видит бакета {name}: проверьте BACKBLAZE_BUCKET_NAME"),
            format!("the key shows no bucket {name}: check BACKBLAZE_BUCKET_NAME"),
        )),
        Err(error) => Err(judged(&error)),
    }
}

/// What a failed call means for the check that made it.
pub(super) fn judged(error: &NativeError) -> Finding {
    let en = error.to_string();
    match error {
        NativeError::Lacks(capability) => Finding::not_checked(
            format!(
                "у ключа нет права {capability}: задайте B2_ADMIN_KEY_ID и B2_ADMIN_KEY на время \
                 проверки"
            ),
            format!("{en}: set B2_ADMIN_KEY_ID and B2_ADMIN_KEY while this is run"),
        ),
        NativeError::BadKey => Finding::fail(
            "B2 не знает этого ключа: проверьте B2_ADMIN_KEY_ID и B2_ADMIN_KEY, без них \
             BACKBLAZE_APPLICATION_KEY_ID и BACKBLAZE_APPLICATION_KEY",
            format!(
                "{en}: check B2_ADMIN_KEY_ID and B2_ADMIN_KEY or, without them, \
                 BACKBLAZE_APPLICATION_KEY_ID and BACKBLAZE_APPLICATION_KEY"
            ),
        ),
        NativeError::Cap(code) => Finding::not_checked(
            format!("исчерпан лимит счёта B2 ({code}): поднимите его в консоли, Caps & Alerts"),
            format!("{en}: raise it in the console, Caps & Alerts"),
        ),
        NativeError::Address => Finding::fail(
            "адрес API Backblaze не https: проверьте B2_API_URL",
            format!("{en}: check B2_API_URL"),
        ),
        error if error.may_pass() => Finding::not_checked(
            format!("B2 сейчас не отвечает как надо ({en})"),
            format!("{en}: try again"),
        ),
        _ => Finding::not_checked(format!("B2 отказывает ({en})"), en),
    }
}
