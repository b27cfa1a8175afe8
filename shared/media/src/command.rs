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
/// Decoders of what is analysed, by ffmpeg's own names. Everything else stays shut.
const DECODERS: &str = "h264,hevc,vp8,vp9,av1,libdav1d,mpeg4,mjpeg,prores,aac,mp3float,mp3,mp2float,mp2,opus,libopus,vorbis,ac3,eac3,flac,alac,pcm_s8,pcm_u8,pcm_s16le,pcm_s16be,pcm_u16le,pcm_u16be,pcm_s24le,pcm_s24be,pcm_u24le,pcm_u24be,pcm_s32le,pcm_s32be,pcm_u32le,pcm_u32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_alaw,pcm_mulaw";
/// What may lie beside it: other sound tracks, subtitles, captions, covers. Nothing of it is analysed,
/// but ffprobe gives up on a whole file when it cannot open one stream's decoder.
const BESIDE: &str = "dca,truehd,mlp,mp1float,mp1,wmav1,wmav2,wmapro,adpcm_ima_qt,adpcm_ima_wav,adpcm_ms,amrnb,amrwb,gsm,gsm_ms,speex,libspeex,qdm2,qdmc,mace3,mace6,subrip,srt,ass,ssa,text,webvtt,mov_text,dvdsub,dvbsub,pgssub,xsub,cc_dec,libzvbi_teletextdec,png,bmp,gif,tiff,webp";
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

    /// Every program that the sandbox has to let run, where it really lies.
    pub(crate) fn all(&self) -> Vec<PathBuf> {
        let programs = [
            Some(&self.ffmpeg),
            Some(&self.ffprobe),
            self.setpriv.as_ref(),
        ];
        let real = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
        programs.into_iter().flatten().map(real).collect()
    }

    /// Each program by its name, asked only for its version.
    pub(crate) fn versions(&self) -> [(&'static str, Command); 2] {
        [("ffmpeg", &self.ffmpeg), ("ffprobe", &self.ffprobe)].map(|(name, path)| {
            let mut command = self.command(path);
            command.arg("-version").stdin(Stdio::null());
            (name, command)
        })
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
    of_input(container, url, before, DECODERS)
}

/// As `input`, for a program that only looks what there is.
pub(crate) fn probed(container: Container, url: &str) -> Vec<OsString> {
    of_input(container, url, &[], &format!("{DECODERS},{BESIDE}"))
}

fn of_input(container: Container, url: &str, before: &[OsString], decoders: &str) -> Vec<OsString> {
    let fixed = [
        "-protocol_whitelist",
        "http,tcp",
        "-format_whitelist",
        FORMATS,
        "-codec_whitelist",
        decoders,
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
