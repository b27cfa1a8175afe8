//! Every object key is built here, and only from our own ids.
//!
//! Names that people chose never reach a key: all that survives of them is an extension of one to
//! five lower-case letters and digits.

use shared_domain::{Lang, ProjectId, ReportId, VideoId};

/// The prefix under which clients upload.
pub const RAW_PREFIX: &str = "videos/raw/";

/// The extension of a name whose own says nothing usable.
const UNKNOWN: &str = "bin";

/// The uploaded file: `videos/raw/{project}/{video}.{ext}`.
pub fn raw(project_id: ProjectId, video_id: VideoId, ext: &str) -> String {
    format!("{RAW_PREFIX}{project_id}/{video_id}.{}", extension(ext))
}

/// Everything derived from a video: the prefix to list or to erase.
pub fn video_prefix(video_id: VideoId) -> String {
    format!("videos/{video_id}/")
}

/// One frame, named by its time, so that a repeated extraction overwrites instead of adding.
pub fn frame(video_id: VideoId, at_ms: u64) -> String {
    format!("videos/{video_id}/frames/{at_ms:09}.jpg")
}

/// The frame of a video that has this file name; `None` for any name that [`frame`] would not give.
pub fn frame_named(video_id: VideoId, name: &str) -> Option<String> {
    let at_ms = name.strip_suffix(".jpg")?.parse().ok()?;
    let key = frame(video_id, at_ms);
    (key.rsplit('/').next() == Some(name)).then_some(key)
}

/// The file name of a frame's key; `None` for the key of anything else.
pub fn frame_name(video_id: VideoId, key: &str) -> Option<&str> {
    let name = key.rsplit('/').next()?;
    (frame_named(video_id, name)? == key).then_some(name)
}

/// One chunk of 16 kHz sound.
pub fn audio(video_id: VideoId, index: u32) -> String {
    format!("videos/{video_id}/audio/{index:05}.wav")
}

/// The strip of thumbnails.
pub fn strip(video_id: VideoId) -> String {
    format!("videos/{video_id}/strip.jpg")
}

/// The playlist for review; written last, so that where it lies every segment does.
pub fn playlist(video_id: VideoId) -> String {
    format!("{}index.m3u8", segments_prefix(video_id))
}

/// One segment of the review copy, named by its place in the playlist.
pub fn segment(video_id: VideoId, index: u32) -> String {
    format!("{}{}", segments_prefix(video_id), segment_name(index))
}

/// What the playlist calls a segment.
pub fn segment_name(index: u32) -> String {
    format!("{index:05}.ts")
}

/// The playlist and its segments.
pub fn segments_prefix(video_id: VideoId) -> String {
    format!("videos/{video_id}/hls/")
}

/// The segment of a video that a playlist calls so; `None` for any name that [`segment`] would not give.
pub fn segment_named(video_id: VideoId, name: &str) -> Option<String> {
    let index = name.strip_suffix(".ts")?.parse().ok()?;
    (segment_name(index) == name).then(|| segment(video_id, index))
}

/// The peaks of the sound track.
pub fn waveform(video_id: VideoId) -> String {
    format!("videos/{video_id}/waveform.json")
}

/// What the pictures look like, for comparing versions.
pub fn likeness(video_id: VideoId) -> String {
    format!("videos/{video_id}/likeness.json")
}

/// One file of a report: `json`, `ru.html`, …
pub fn report(video_id: VideoId, report_id: ReportId, format: &str) -> String {
    let plain = format.split('.').all(|part| extension(part) == part);
    let format = if plain { format } else { UNKNOWN };
    format!("videos/{video_id}/reports/{report_id}.{format}")
}

/// The page of a report in a language, beside the page that the record names.
pub fn page_in(html_key: &str, lang: Lang) -> String {
    let stem = html_key.strip_suffix(".html").unwrap_or(html_key);
    let stem = [Lang::Ru, Lang::En]
        .into_iter()
        .find_map(|known| stem.strip_suffix(known.as_str())?.strip_suffix('.'))
        .unwrap_or(stem);
    format!("{stem}.{}.html", lang.as_str())
}

/// Whose upload a key is; `None` for any key that [`raw`] would not have built.
pub fn video_of_raw_key(key: &str) -> Option<(ProjectId, VideoId)> {
    let (project, file) = key.strip_prefix(RAW_PREFIX)?.split_once('/')?;
    let (video, ext) = file.split_once('.')?;
    let project: ProjectId = project.parse().ok()?;
    let video: VideoId = video.parse().ok()?;
    // An id has many spellings (braces, capitals, no hyphens) and only one of them is ours.
    (raw(project, video, ext) == key).then_some((project, video))
}

/// The extension of a name given by a client, fit for [`raw`].
pub fn extension_of(original_name: &str) -> String {
    original_name
        .rsplit_once('.')
        .map_or_else(|| UNKNOWN.to_owned(), |(_, ext)| extension(ext))
}

fn extension(ext: &str) -> String {
    let plain = matches!(ext.len(), 1..=5) && ext.bytes().all(|b| b.is_ascii_alphanumeric());
    if plain {
        ext.to_ascii_lowercase()
    } else {
        UNKNOWN.to_owned()
    }
}
