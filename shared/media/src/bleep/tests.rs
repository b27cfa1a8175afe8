//! Real ffmpeg on generated clips: what is heard, what is seen, sample by sample.

use std::path::{Path, PathBuf};
use std::process::Command;

use shared_domain::Span;

use super::{Bleep, Cover};
use crate::tests::Stage;
use crate::{MediaError, Source};

const SPANS: [Span; 2] = [
    Span {
        start_ms: 1_013,
        end_ms: 1_377,
    },
    Span {
        start_ms: 2_500,
        end_ms: 2_641,
    },
];
/// Samples of a fade at 48 kHz.
const FADE: usize = 384;

fn run(program: &str, args: &[&str], path: &Path) -> Vec<u8> {
    let mut words: Vec<&str> = args.to_vec();
    let place = words.iter().position(|word| *word == "FILE").unwrap();
    words[place] = path.to_str().unwrap();
    let output = Command::new(program).args(&words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    output.stdout
}

/// The packets of the picture as they lie in the file.
fn picture(path: &Path) -> String {
    let args = "-v error -i FILE -map 0:v:0 -c copy -f hash -hash sha256 -";
    let args: Vec<&str> = args.split(' ').collect();
    String::from_utf8(run("ffmpeg", &args, path)).unwrap()
}

/// Samples of the first channel, 24 bits in 32.
fn sound(path: &Path) -> Vec<i32> {
    let args = "-v error -i FILE -map 0:a:0 -af pan=mono|c0=c0 -c:a pcm_s32le -f s32le -";
    let args: Vec<&str> = args.split(' ').collect();
    let bytes = run("ffmpeg", &args, path);
    let sample = |four: &[u8]| i32::from_le_bytes(four.try_into().unwrap());
    bytes.chunks_exact(4).map(sample).collect()
}

fn facts(path: &Path) -> String {
    let entries = "format=nb_streams:stream=codec_name,channels,sample_rate:stream_tags=timecode";
    let args = format!("-v error -show_entries {entries} -of default=nk=1:nw=1 FILE");
    let args: Vec<&str> = args.split(' ').collect();
    String::from_utf8(run("ffprobe", &args, path)).unwrap()
}

async fn bleeped(stage: &Stage, path: &Path, cover: Cover) -> (PathBuf, PathBuf) {
    let source = Source::of_file(path).unwrap();
    let probe = stage.media.probe(&source).await.unwrap();
    let (sound, copy) = (stage.path("bleeped.wav"), stage.path("bleeped"));
    let bleep = Bleep {
        spans: SPANS.to_vec(),
        cover,
    };
    let to = (sound.as_path(), copy.as_path());
    stage
        .media
        .bleep(&source, &probe, &bleep, to)
        .await
        .unwrap();
    (sound, copy)
}

const CLIP: &str = "-f lavfi -i testsrc2=s=320x180:r=25:d=4 \
                    -f lavfi -i aevalsrc='0.4*sin(2*PI*317*t)|0.3*sin(2*PI*211*t)':s=48000:d=4 \
                    -c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 2";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_words_are_covered_to_the_sample_and_nothing_else_is_changed() {
    let stage = Stage::new();
    let clip = stage.make(
        "clip.mov",
        &format!("{CLIP} -c:a pcm_s16le -timecode 10:00:00:00"),
    );
    let (wav, copy) = bleeped(&stage, &clip, Cover::Silence).await;
    let before = sound(&clip);
    for file in [wav, copy.clone()] {
        let after = sound(&file);
        assert_eq!(before.len(), after.len(), "{}", file.display());
        let mut from = 0;
        for span in SPANS {
            let place = |ms: i64| usize::try_from(ms * 48).unwrap();
            let (start, end) = (place(span.start_ms), place(span.end_ms));
            assert_eq!(before[from..start - FADE], after[from..start - FADE]);
            assert!(after[start..end].iter().all(|sample| *sample == 0));
            from = end + FADE;
        }
        assert_eq!(before[from..], after[from..]);
    }
    assert_eq!(picture(&clip), picture(&copy));
    let told = facts(&copy);
    assert!(
        told.contains("h264") && told.contains("pcm_s16le"),
        "{told}"
    );
    assert!(
        told.contains("10:00:00:00"),
        "the start timecode stays: {told}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_container_gets_its_own_picture_back_and_a_tone_at_the_words() {
    let stage = Stage::new();
    let webm = CLIP.replace(
        "libx264 -preset ultrafast -pix_fmt yuv420p -bf 2",
        "libvpx -b:v 300k",
    );
    let clips = [
        ("clip.mp4", format!("{CLIP} -c:a aac"), "aac"),
        ("lossless.mp4", format!("{CLIP} -c:a alac"), "alac"),
        ("clip.mkv", format!("{CLIP} -c:a flac"), "flac"),
        (
            "clip.avi",
            format!("{} -c:a libmp3lame", CLIP.replace("-bf 2", "-bf 0")),
            "mp3",
        ),
        ("clip.webm", format!("{webm} -c:a libopus"), "opus"),
    ];
    for (name, args, codec) in clips {
        let clip = stage.make(name, &args);
        let (wav, copy) = bleeped(&stage, &clip, Cover::Tone).await;
        assert_eq!(picture(&clip), picture(&copy), "{name}");
        let told = facts(&copy);
        assert!(told.contains(codec), "{name}: {told}");
        for file in [wav, copy] {
            let heard = sound(&file);
            for span in SPANS {
                // The middle of the word, away from what a codec smears at its edges.
                let place = |ms: i64| usize::try_from(ms * 48).unwrap();
                let word = &heard[place(span.start_ms + 30)..place(span.end_ms - 30)];
                let waves = word
                    .windows(2)
                    .filter(|two| two[0] < 0 && two[1] >= 0)
                    .count();
                let expected = word.len() / 48;
                let near = waves.abs_diff(expected) <= 2;
                assert!(near, "{name}: {waves} of {expected} in {}", file.display());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_video_has_nothing_to_cover() {
    let stage = Stage::new();
    let clip = stage.make("silent.mp4", "-f lavfi -i testsrc2=s=320x180:r=25:d=1");
    let source = Source::of_file(&clip).unwrap();
    let probe = stage.media.probe(&source).await.unwrap();
    let bleep = Bleep {
        spans: SPANS.to_vec(),
        cover: Cover::Tone,
    };
    let (sound, copy) = (stage.path("sound.wav"), stage.path("copy.mp4"));
    let ended = stage
        .media
        .bleep(&source, &probe, &bleep, (&sound, &copy))
        .await;
    assert!(matches!(ended, Err(MediaError::NoSound)), "{ended:?}");
    assert!(!sound.exists() && !copy.exists());
}
