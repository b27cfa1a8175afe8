//! Every accepted container, and what a probe says of it.

use super::Stage;
use crate::{Container, Piece};

const PICTURE: &str = "-f lavfi -i testsrc=s=320x180:r=25:d=3";
const SOUND: &str = "-f lavfi -i sine=300:d=3";
const H264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";
const VP8: &str = "-c:v libvpx -deadline realtime -cpu-used 8";

/// Name, picture and sound as ffmpeg is told, then what a probe says.
const CASES: [(&str, &str, &str, Container, &str, &str); 6] = [
    ("a.mp4", H264, "-c:a aac", Container::Mp4, "h264", "aac"),
    (
        "b.mov",
        H264,
        "-c:a pcm_s16le",
        Container::Mov,
        "h264",
        "pcm_s16le",
    ),
    ("c.mkv", H264, "-c:a flac", Container::Mkv, "h264", "flac"),
    (
        "d.webm",
        VP8,
        "-c:a libopus",
        Container::Webm,
        "vp8",
        "opus",
    ),
    (
        "e.avi",
        "-c:v mpeg4",
        "-c:a libmp3lame",
        Container::Avi,
        "mpeg4",
        "mp3",
    ),
    // Its packets say only when they are to be decoded.
    (
        "f.avi",
        "-c:v libx264 -preset ultrafast -bf 2",
        "-c:a libmp3lame",
        Container::Avi,
        "h264",
        "mp3",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_container_is_probed_and_extracted() {
    let mut stage = Stage::new();
    for (name, picture, sound, container, video, audio) in CASES {
        let path = stage.make(name, &format!("{PICTURE} {SOUND} {picture} {sound}"));
        let outcome = stage
            .run(&path)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let probe = &outcome.probe;
        assert_eq!(probe.container, container, "{name}");
        assert_eq!(
            (probe.width, probe.height, probe.fps),
            (320, 180, (25, 1)),
            "{name}"
        );
        assert_eq!(probe.video_codec, video);
        assert_eq!(probe.audio_codec.as_deref(), Some(audio));
        assert!(
            (2900..3150).contains(&probe.duration_ms),
            "{name}: {}",
            probe.duration_ms
        );
        assert!(!outcome.extraction.damaged, "{name}");
        assert!(outcome.extraction.candidates >= 13, "{name}");
        assert_eq!(outcome.extraction.audio.len(), 1, "{name}");
        let chunk = &outcome.extraction.audio[0];
        // Times of decoding are two pictures early.
        assert!(chunk.start_ms.abs() <= 80, "{name}: {chunk:?}");
        assert!((2900..3150).contains(&chunk.end_ms), "{name}: {chunk:?}");
        outcome.assert_tiled();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_video_yields_frames_strip_and_no_sound() {
    let mut stage = Stage::new();
    let path = stage.make("silent.mp4", &format!("{PICTURE} {H264}"));
    let outcome = stage.run(&path).await.unwrap();
    assert!(!outcome.probe.has_audio);
    assert!(outcome.extraction.audio.is_empty());
    assert!(!outcome.extraction.frames.is_empty());
    assert!(
        outcome
            .pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Strip { .. }))
    );
    assert!(
        !outcome
            .pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Waveform { .. }))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_and_tiny_sizes_are_extracted() {
    let mut stage = Stage::new();
    for (name, size) in [
        ("odd.mkv", "321x179"),
        ("tiny.mkv", "16x6"),
        ("tall.mkv", "34x1500"),
    ] {
        let args = format!("-f lavfi -i testsrc=s={size}:r=10:d=1 -c:v libx264 -pix_fmt yuv444p");
        let path = stage.make(name, &args);
        let outcome = stage
            .run(&path)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let frame = &outcome.extraction.frames[0];
        assert_eq!((frame.width % 2, frame.height % 2), (0, 0));
        assert!(frame.width.max(frame.height) <= 1280);
        outcome.assert_tiled();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn turned_and_stretched_pictures_are_shown_upright() {
    let mut stage = Stage::new();
    // The upper half is white; turned a quarter clockwise, the right half is.
    let plain = stage.make_with(
        "plain.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "color=black:s=320x180:d=1,drawbox=h=ih/2:c=white:t=fill",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p",
        ],
    );
    let plain = plain.to_str().unwrap().to_owned();
    for (turn, rotation) in [("90", 90), ("270", 270), ("180", 180)] {
        // ffmpeg 5.1 writes the display matrix from this tag, whose sense is the opposite.
        let args = format!("-i {plain} -c copy -metadata:s:v rotate={turn}");
        let turned = stage.make("turned.mp4", &args);
        let outcome = stage.run(&turned).await.unwrap();
        let upright = if rotation == 180 {
            (320, 180)
        } else {
            (180, 320)
        };
        assert!(matches!(outcome.probe.rotation, 90 | 180 | 270));
        assert_eq!((outcome.probe.width, outcome.probe.height), upright);
        let frame = &outcome.extraction.frames[0];
        assert_eq!((frame.width, frame.height), upright);
        let reference = Stage::autorotated(&turned);
        let ours = stage.gray(&outcome.jpeg(&frame.sha256));
        let difference: u64 = ours
            .iter()
            .zip(&reference)
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum();
        assert!(difference / 64 < 40, "{turn}: {ours:?} {reference:?}");
    }

    let wide = stage.make("wide.mp4", &format!("{PICTURE} -vf setsar=2 {H264}"));
    let probe = stage.probe(&wide).await.unwrap();
    assert_eq!((probe.width, probe.height), (640, 180));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timecode_language_and_exact_rate_are_told() {
    let mut stage = Stage::new();
    let args = format!(
        "-f lavfi -i testsrc=s=320x180:r=30000/1001:d=2 {SOUND} {H264} -c:a aac -t 2 \
         -timecode 01:00:00;00 -metadata:s:a language=rus"
    );
    let path = stage.make("tc.mov", &args);
    let probe = stage.probe(&path).await.unwrap();
    assert_eq!(probe.start_timecode.as_deref(), Some("01:00:00;00"));
    assert_eq!(probe.audio_language.as_deref(), Some("rus"));
    assert_eq!(probe.fps, (30000, 1001));
    let text = serde_json::to_string(&probe).unwrap();
    assert_eq!(serde_json::from_str::<crate::Probe>(&text).unwrap(), probe);
}
