//! The command line of the decode pass.

use std::ffi::OsString;
use std::path::Path;

use ffmpeg_sidecar::command::FfmpegCommand;

use crate::command::{self, GLOBAL};
use crate::media::Session;
use crate::probe::Probe;
use crate::sampling::CUT;

/// Names of pipes; the program's working folder holds them, so no path needs escaping.
pub(super) const TIMES: &str = "times";
pub(super) const SOUND: &str = "sound";
pub(super) const SOUND_TIMES: &str = "sound-times";
/// Samples that share one time.
pub(super) const SOUND_FRAME: usize = 1600;

const LONGEST_SIDE: f64 = 1280.0;

/// Even sides of the pictures that are looked at, as displayed.
pub(crate) fn size(probe: &Probe) -> (usize, usize) {
    let (width, height) = (f64::from(probe.width), f64::from(probe.height));
    let factor = (LONGEST_SIDE / width.max(height)).min(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float is cast to the nearest number that fits"
    )]
    let even = |side: f64| ((side * factor / 2.0).round().max(1.0) as usize) * 2;
    (even(width), even(height))
}

/// The most pictures in a second that are looked at: each frame opens a shot, at a usual rate.
const MOST_PER_SECOND: u64 = 62;

/// Pictures five times a second, after each cut, and where the file's clock jumps back; turned and
/// scaled only once chosen. Sound at 16 kHz; the times of both. Scene detection sees every frame, so
/// that a cut is exact. Behind the times everything is numbered anew: of times that repeat or go
/// back ffmpeg complains at its output, which would pass for damage.
pub(super) fn ffmpeg(
    session: &Session,
    probe: &Probe,
    (width, height): (usize, usize),
    folder: &Path,
) -> FfmpegCommand {
    let limit_s = session.max_duration_ms() / 1000 + 3;
    let before: Vec<OsString> = ["-threads", "2", "-noautorotate", "-t", &limit_s.to_string()]
        .map(OsString::from)
        .into();
    let (scale, turn) = match probe.rotation {
        90 => ((height, width), "transpose=clock,"),
        180 => ((width, height), "hflip,vflip,"),
        270 => ((height, width), "transpose=cclock,"),
        _ => ((width, height), ""),
    };
    let video_filter = format!(
        "select='isnan(prev_selected_t)+gte(t-prev_selected_t,0.199)\
         +lt(t,prev_selected_t-0.199)+gt(scene,{CUT})',\
         scale={}:{}:flags=bicubic:out_range=pc:out_color_matrix=bt601,format=yuv420p,{turn}\
         settb=1/1000,metadata=mode=print:key=lavfi.scene_score:file={TIMES}:direct=1,setpts=N",
        scale.0, scale.1
    );
    let mut command = session.programs.ffmpeg();
    command.as_inner_mut().current_dir(folder);
    command
        .args(["-nostdin", "-y", "-filter_threads", "1"])
        .args(GLOBAL)
        .arg("level+warning");
    command.args(command::input(
        probe.container,
        &session.loopback.url,
        &before,
    ));
    command.args([
        "-map",
        &format!("0:{}", probe.video_index),
        "-vf",
        &video_filter,
    ]);
    command.args([
        "-fps_mode",
        "passthrough",
        "-enc_time_base",
        "1/1000",
        "-frames:v",
        &(limit_s.unsigned_abs() * MOST_PER_SECOND).to_string(),
    ]);
    command.args(["-threads", "1", "-f", "rawvideo", "pipe:1"]);
    if let Some(index) = probe.audio_index {
        let sound_filter = format!(
            "aresample=16000,aformat=sample_fmts=s16:channel_layouts=mono,\
             asetnsamples=n={SOUND_FRAME}:p=0,ametadata=mode=add:key=k:value=1,\
             ametadata=mode=print:key=k:file={SOUND_TIMES}:direct=1,asetpts=N"
        );
        command.args(["-map", &format!("0:{index}"), "-af", &sound_filter]);
        command.args(["-threads", "1", "-f", "s16le", SOUND]);
    }
    command
}
