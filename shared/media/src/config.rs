//! Settings of this crate; names as in the settings table.

use std::path::PathBuf;

use shared_domain::Reader;

/// Where ffmpeg is, where job folders go and what is too long.
#[derive(Debug, Clone)]
pub struct MediaConfig {
    /// `TEMP_DIR`: private job folders are made here; the system's folder when unset.
    pub temp_dir: Option<PathBuf>,
    /// `FRAME_EXTRACTION_FPS`: the most that a scene which keeps moving is kept, per second.
    pub frame_fps: f64,
    /// `MAX_VIDEO_DURATION`, seconds.
    pub max_duration_s: u64,
    /// `FFMPEG_PATH`; found on `PATH` when unset.
    pub ffmpeg: Option<PathBuf>,
    /// `FFPROBE_PATH`; found on `PATH` when unset.
    pub ffprobe: Option<PathBuf>,
    /// `PATH`, searched for both programs.
    pub search: String,
}

impl MediaConfig {
    /// Reads the settings; faults are noted with the reader.
    pub fn read(reader: &Reader<'_>) -> Self {
        let frame_fps = reader.parse_or("FRAME_EXTRACTION_FPS", 1.0);
        if !(0.001..=60.0).contains(&frame_fps) {
            reader.problem("FRAME_EXTRACTION_FPS", "must lie between 0.001 and 60");
        }
        let max_duration_s = reader.parse_or("MAX_VIDEO_DURATION", 7200);
        if max_duration_s == 0 {
            reader.problem("MAX_VIDEO_DURATION", "must be at least 1 second");
        }
        Self {
            temp_dir: reader.find("TEMP_DIR").map(PathBuf::from),
            frame_fps,
            max_duration_s,
            ffmpeg: reader.find("FFMPEG_PATH").map(PathBuf::from),
            ffprobe: reader.find("FFPROBE_PATH").map(PathBuf::from),
            search: reader.text_or("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin"),
        }
    }
}
