//! What ffprobe prints, and what is made of it.

use std::collections::HashMap;

use serde::Deserialize;
use shared_domain::Refusal;

use super::Probe;
use super::packets::Measured;
use crate::command::{picture_is_supported, sound_is_supported};
use crate::sniff::Container;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Facts {
    #[serde(default)]
    pub(super) streams: Vec<Stream>,
    #[serde(default)]
    pub(super) format: Format,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Format {
    pub(super) duration: Option<String>,
    pub(super) start_time: Option<String>,
    tags: HashMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Stream {
    pub(super) index: u32,
    codec_type: String,
    codec_name: Option<String>,
    codec_tag_string: String,
    pix_fmt: Option<String>,
    pub(super) width: u32,
    pub(super) height: u32,
    sample_aspect_ratio: Option<String>,
    avg_frame_rate: String,
    r_frame_rate: String,
    disposition: HashMap<String, i32>,
    tags: HashMap<String, String>,
    side_data_list: Vec<SideData>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SideData {
    rotation: Option<f64>,
}

/// The streams that are analysed.
#[derive(Debug)]
pub(super) struct Chosen<'a> {
    pub(super) video: &'a Stream,
    pub(super) audio: Option<&'a Stream>,
    audio_tracks: usize,
}

impl Stream {
    fn is(&self, kind: &str) -> bool {
        self.codec_type == kind
    }

    fn has(&self, disposition: &str) -> bool {
        self.disposition
            .get(disposition)
            .is_some_and(|value| *value != 0)
    }

    /// What to call the codec in front of a person.
    fn codec(&self) -> String {
        self.codec_name
            .clone()
            .filter(|name| name != "unknown" && name != "none")
            .unwrap_or_else(|| self.codec_tag_string.clone())
    }

    /// Degrees clockwise, in quarter turns.
    fn rotation(&self) -> u32 {
        let counter_clockwise = self.side_data_list.iter().find_map(|data| data.rotation);
        let tag = || {
            self.tags
                .get("rotate")
                .and_then(|text| text.parse::<f64>().ok())
        };
        let clockwise = counter_clockwise
            .map(|angle| -angle)
            .or_else(tag)
            .unwrap_or(0.0);
        match (clockwise.rem_euclid(360.0) / 90.0).round() {
            1.0 => 90,
            2.0 => 180,
            3.0 => 270,
            _ => 0,
        }
    }

    fn fps(&self) -> (u32, u32) {
        let parse = |text: &str| {
            let (above, below) = text.split_once('/')?;
            let (above, below) = (above.parse().ok()?, below.parse().ok()?);
            (above > 0 && below > 0).then_some((above, below))
        };
        parse(&self.avg_frame_rate)
            .or_else(|| parse(&self.r_frame_rate))
            .unwrap_or((25, 1))
    }

    /// Square pixels, after rotation.
    fn displayed(&self) -> (u32, u32) {
        let aspect = self.sample_aspect_ratio.as_deref().and_then(|text| {
            let (across, down) = text.split_once(':')?;
            let (across, down): (f64, f64) = (across.parse().ok()?, down.parse().ok()?);
            (across > 0.0 && down > 0.0).then_some(across / down)
        });
        let wide = f64::from(self.width) * aspect.unwrap_or(1.0).clamp(0.1, 10.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float is cast to the nearest number that fits"
        )]
        let width = wide.round().max(1.0) as u32;
        match self.rotation() {
            90 | 270 => (self.height, width),
            _ => (width, self.height),
        }
    }
}

impl Facts {
    /// The streams that a player would choose, or why there is none.
    pub(super) fn choose(&self) -> Result<Chosen<'_>, Refusal> {
        let pictures: Vec<_> = self
            .streams
            .iter()
            .filter(|stream| stream.is("video") && !stream.has("attached_pic"))
            .collect();
        let sounds: Vec<_> = self
            .streams
            .iter()
            .filter(|stream| stream.is("audio"))
            .collect();
        let first = |streams: &[&'_ Stream]| {
            streams
                .iter()
                .find(|s| s.has("default"))
                .or(streams.first())
                .map(|s| s.index)
        };
        let by_index = |index| self.streams.iter().find(|s| Some(s.index) == index);
        let Some(video) = by_index(first(&pictures)) else {
            return Err(if sounds.is_empty() {
                Refusal::NoStreams
            } else {
                Refusal::NoPicture
            });
        };
        if video.codec_tag_string == "encv" {
            return Err(Refusal::Encrypted);
        }
        if !picture_is_supported(&video.codec()) {
            return Err(Refusal::UnsupportedCodec {
                codec: video.codec(),
            });
        }
        let audio = by_index(first(&sounds));
        if let Some(audio) = audio.filter(|audio| !sound_is_supported(&audio.codec())) {
            return Err(Refusal::UnsupportedCodec {
                codec: audio.codec(),
            });
        }
        Ok(Chosen {
            video,
            audio,
            audio_tracks: sounds.len(),
        })
    }

    pub(super) fn start_ms(&self) -> i64 {
        seconds(self.format.start_time.as_deref()).unwrap_or(0)
    }

    pub(super) fn declared_ms(&self) -> Option<i64> {
        seconds(self.format.duration.as_deref())
    }

    fn timecode(&self) -> Option<String> {
        let mut tags = self
            .streams
            .iter()
            .map(|stream| &stream.tags)
            .chain([&self.format.tags]);
        let text = tags.find_map(|tags| tags.get("timecode"))?;
        let digits = |c: char| c.is_ascii_digit() || matches!(c, ':' | ';' | '.');
        (text.len() <= 16 && text.chars().all(digits)).then(|| text.clone())
    }

    pub(super) fn describe(
        &self,
        container: Container,
        chosen: &Chosen<'_>,
        measured: &Measured,
        size: u64,
    ) -> Probe {
        let (width, height) = chosen.video.displayed();
        let duration_ms = (measured.end - measured.zero).max(1);
        let language = chosen.audio.and_then(|audio| audio.tags.get("language"));
        Probe {
            container,
            duration_ms,
            last_frame_ms: (measured.last - measured.zero).max(0),
            width,
            height,
            fps: chosen.video.fps(),
            rotation: chosen.video.rotation(),
            video_codec: chosen.video.codec(),
            pixel_format: chosen.video.pix_fmt.clone(),
            audio_codec: chosen.audio.map(Stream::codec),
            has_audio: chosen.audio.is_some(),
            audio_tracks: u32::try_from(chosen.audio_tracks).unwrap_or(u32::MAX),
            audio_language: language
                .filter(|code| code.len() <= 8 && *code != "und")
                .cloned(),
            start_timecode: self.timecode(),
            bit_rate: size.saturating_mul(8000) / duration_ms.unsigned_abs(),
            video_index: chosen.video.index,
            audio_index: chosen.audio.map(|audio| audio.index),
            zero_ms: measured.zero - self.start_ms(),
            sound_end_ms: measured.sound_end.map(|end| end - measured.zero),
        }
    }
}

/// Decimal seconds as milliseconds.
pub(super) fn seconds(text: Option<&str>) -> Option<i64> {
    let value: f64 = text?.trim().parse().ok()?;
    // Beyond a century it is nonsense, and the arithmetic that follows must not overflow.
    #[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
    (value.abs() < 3.2e9).then(|| (value * 1000.0).round() as i64)
}
