//! The command lines: fixed options, our own address, nothing a user has written.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ffmpeg_sidecar::command::FfmpegCommand;

use crate::config::MediaConfig;
use crate::error::MediaError;
use crate::sniff::Container;

/// 8K UHD, the most pixels that a picture may have.
pub(crate) const MAX_PIXELS: u64 = 35_389_440;
const FORMATS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi";
/// Decoders, by ffmpeg's own names. Everything else, rare decoders above all, stays shut. Subtitles
/// and covers are never decoded, but ffprobe gives up on a file whose decoders it cannot open.
const DECODERS: &str = "h264,hevc,vp8,vp9,av1,libdav1d,mpeg4,mjpeg,prores,aac,mp3float,mp3,mp2float,mp2,opus,libopus,vorbis,ac3,eac3,flac,alac,pcm_s16le,pcm_s16be,pcm_u8,pcm_s24le,pcm_s24be,pcm_s32le,pcm_f32le,subrip,srt,ass,ssa,text,webvtt,mov_text,dvdsub,pgssub,png";
/// Codecs as ffprobe names them.
const PICTURE_CODECS: [&str; 8] = [
    "h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mjpeg", "prores",
];
const SOUND_CODECS: [&str; 9] = [
    "aac", "mp3", "mp2", "opus", "vorbis", "ac3", "eac3", "flac", "alac",
];

pub(crate) fn picture_is_supported(codec: &str) -> bool {
    PICTURE_CODECS.contains(&codec)
}

pub(crate) fn sound_is_supported(codec: &str) -> bool {
    SOUND_CODECS.contains(&codec)
        || (codec.starts_with("pcm_") && DECODERS.split(',').any(|name| name == codec))
}

/// Where the programs are.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    ffmpeg: PathBuf,
    ffprobe: PathBuf,
    setpriv: Option<PathBuf>,
}

impl Programs {
    pub(crate) fn find(config: &MediaConfig) -> Result<Self, MediaError> {
        let look = |given: Option<&PathBuf>, name| match given {
            Some(path) => path.is_file().then(|| path.clone()),
            None => search(&config.search, name),
        };
        let missing = |program, setting| MediaError::Missing { program, setting };
        let ffmpeg = look(config.ffmpeg.as_ref(), "ffmpeg")
            .ok_or_else(|| missing("ffmpeg", "FFMPEG_PATH"))?;
        let ffprobe = look(config.ffprobe.as_ref(), "ffprobe")
            .ok_or_else(|| missing("ffprobe", "FFPROBE_PATH"))?;
        let setpriv = search("/usr/bin:/bin", "setpriv").filter(|_| cfg!(target_os = "linux"));
        if setpriv.is_none() {
            tracing::warn!(
                "setpriv (util-linux) was not found: an ffmpeg may outlive a killed worker"
            );
        }
        Ok(Self {
            ffmpeg,
            ffprobe,
            setpriv,
        })
    }

    pub(crate) fn ffmpeg(&self) -> FfmpegCommand {
        let mut command = FfmpegCommand::new_with_path(&self.ffmpeg);
        if self.setpriv.is_some() {
            // The sidecar puts options of its own behind the first word, where setpriv's belong.
            *command.as_inner_mut() = self.command(&self.ffmpeg);
        }
        command
    }

    pub(crate) fn ffprobe(&self) -> Command {
        self.command(&self.ffprobe)
    }

    /// The folder that the sandbox has to leave readable.
    pub(crate) fn folder(&self) -> PathBuf {
        let real = self
            .ffmpeg
            .canonicalize()
            .unwrap_or_else(|_| self.ffmpeg.clone());
        real.parent()
            .map_or_else(|| PathBuf::from("/usr/bin"), Path::to_path_buf)
    }

    /// `setpriv` asks the kernel to kill the program when its parent dies, then becomes it.
    fn command(&self, program: &Path) -> Command {
        let mut command = match &self.setpriv {
            None => Command::new(program),
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command
                    .args(["--pdeathsig", "KILL", "--no-new-privs", "--"])
                    .arg(program);
                command
            }
        };
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

fn search(path: &str, name: &str) -> Option<PathBuf> {
    path.split(':')
        .filter(|folder| folder.starts_with('/'))
        .map(|folder| Path::new(folder).join(name))
        .find(|program| program.is_file())
}

/// Options that stand before every input, then the input.
pub(crate) fn input(container: Container, url: &str, before: &[OsString]) -> Vec<OsString> {
    let fixed = [
        "-protocol_whitelist",
        "http,tcp",
        "-format_whitelist",
        FORMATS,
        "-codec_whitelist",
        DECODERS,
        "-max_streams",
        "64",
        "-probesize",
        "20000000",
        "-analyzeduration",
        "20000000",
        "-max_pixels",
        "35389440",
        // Microseconds; the range server itself asks storage again meanwhile.
        "-rw_timeout",
        "180000000",
        "-f",
        container.demuxer(),
    ];
    let mut args: Vec<OsString> = fixed.iter().map(OsString::from).collect();
    args.extend_from_slice(before);
    args.push("-i".into());
    args.push(url.into());
    args
}

/// Options once per command.
pub(crate) const GLOBAL: [&str; 4] = ["-hide_banner", "-max_alloc", "200000000", "-v"];
