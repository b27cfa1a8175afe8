//! The frames of the evidence: their addresses, and the small copies that a page brings with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::stream::{self, StreamExt};
use image::ImageReader;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use shared_domain::VideoId;
use shared_objects::{Objects, keys};
use shared_policy::Evaluation;
use tracing::warn;

/// Frames in one page; a page with more would no longer open quickly.
const MOST: usize = 200;
/// Longer side of a copy in pixels.
const SIDE: u32 = 480;
/// A frame is a JPEG of at most 1280 pixels.
const LIMIT: u64 = 8 << 20;
/// Frames that are fetched at once.
const AT_ONCE: usize = 4;

/// Where a program fetches each frame of the evidence, below the origin of the API, by object key.
pub(crate) fn addresses(video_id: VideoId, evaluation: &Evaluation) -> BTreeMap<String, String> {
    evaluation
        .triggers
        .iter()
        .flat_map(|trigger| &trigger.evidence)
        .filter_map(|evidence| {
            let name = keys::frame_name(video_id, &evidence.object_key)?;
            let address = format!("/api/videos/{video_id}/frames/{name}");
            Some((evidence.object_key.clone(), address))
        })
        .collect()
}

/// Data URIs of the most telling frame of each risk, by object key.
///
/// A frame that cannot be read is left out: a report without one picture is still a report.
pub(crate) async fn pictures(
    objects: &Objects,
    evaluation: &Evaluation,
) -> BTreeMap<String, String> {
    let keys: BTreeSet<String> = evaluation
        .triggers
        .iter()
        .filter_map(|trigger| trigger.evidence.get(trigger.best))
        .map(|evidence| evidence.object_key.clone())
        .filter(|key| {
            Path::new(key)
                .extension()
                .is_some_and(|ending| ending == "jpg")
        })
        .take(MOST)
        .collect();
    stream::iter(keys)
        .map(|key| async move {
            let uri = picture(objects, &key).await?;
            Some((key, uri))
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(|found| async { found })
        .collect()
        .await
}

async fn picture(objects: &Objects, key: &str) -> Option<String> {
    let jpeg = match objects.get(key, LIMIT).await {
        Ok(jpeg) => jpeg,
        Err(error) => {
            warn!(%error, "a frame of the evidence cannot be read");
            return None;
        }
    };
    let small = small(&jpeg)?;
    Some(format!("data:image/jpeg;base64,{}", STANDARD.encode(small)))
}

fn small(jpeg: &[u8]) -> Option<Vec<u8>> {
    let reader = ImageReader::with_format(std::io::Cursor::new(jpeg), image::ImageFormat::Jpeg);
    let picture = reader
        .decode()
        .ok()?
        .resize(SIDE, SIDE, FilterType::Triangle);
    let mut small = Vec::new();
    JpegEncoder::new_with_quality(&mut small, 80)
        .encode_image(&picture)
        .ok()?;
    Some(small)
}
