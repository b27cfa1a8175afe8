//! The files of a report: JSON for programs, a page in each language for people.

use std::collections::BTreeMap;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use shared_domain::{Lang, ReportId};
use shared_objects::keys;
use shared_policy::Report;
use shared_store::Video;

use crate::{Error, ReportFinalize};

/// Where the files are.
pub(crate) struct Written {
    pub(crate) json_key: String,
    /// The page in the owner's language.
    pub(crate) html_key: String,
    /// SHA-256 over the JSON file.
    pub(crate) seal: String,
}

impl ReportFinalize {
    pub(crate) async fn write(
        &self,
        id: ReportId,
        video: &Video,
        report: &Report,
        frames: &BTreeMap<String, String>,
    ) -> Result<Written, Error> {
        let json = report
            .to_json()
            .map_err(|error| Error::Write(error.into()))?;
        let seal = hex::encode(Sha256::digest(&json));
        let json_key = keys::report(video.video_id, id, "json");
        self.objects
            .put(&json_key, Bytes::from(json), "application/json")
            .await?;
        for lang in [Lang::Ru, Lang::En] {
            let page = report.to_html(lang, frames);
            let page = page.map_err(|error| Error::Write(error.into()))?;
            let key = keys::report(video.video_id, id, &page_format(lang));
            self.objects
                .put(&key, Bytes::from(page), "text/html; charset=utf-8")
                .await?;
        }
        let html_key = keys::report(video.video_id, id, &page_format(video.language));
        Ok(Written {
            json_key,
            html_key,
            seal,
        })
    }
}

fn page_format(lang: Lang) -> String {
    format!("{}.html", lang.as_str())
}
