//! Files that decode only in part: what was not seen or heard is said.

use shared_domain::{Refusal, Span};

use super::Stage;

const PICTURE: &str = "-f lavfi -i testsrc2=s=320x180:r=25:d=30";
const SOUND: &str = "-f lavfi -i sine=300:d=30";
const H264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25";

/// Fills a part of the media data with zeros.
fn zero(path: &std::path::Path, from: f64, to: f64) {
    let mut bytes = std::fs::read(path).unwrap();
    let start = bytes.windows(4).position(|four| four == b"mdat").unwrap() + 4;
    let size = u32::from_be_bytes(bytes[start - 8..start - 4].try_into().unwrap()) as usize - 8;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a small file"
    )]
    let place = |share: f64| start + (size as f64 * share) as usize;
    bytes[place(from)..place(to)].fill(0);
    std::fs::write(path, bytes).unwrap();
}

fn assert_near(what: &str, gaps: &[Span], from_ms: i64, to_ms: i64) {
    let length: i64 = gaps.iter().map(|gap| gap.length_ms()).sum();
    let near = |a: i64, b: i64| (a - b).abs() < 2500;
    assert!(
        !gaps.is_empty()
            && near(gaps[0].start_ms, from_ms)
            && near(gaps[gaps.len() - 1].end_ms, to_ms)
            && near(length, to_ms - from_ms),
        "{what}: {gaps:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hole_in_the_data_is_a_gap_in_picture_and_sound() {
    let mut stage = Stage::new();
    for (name, from, to) in [("middle.mp4", 0.25, 0.75), ("head.mp4", 0.0, 0.5)] {
        let path = stage.make(name, &format!("{PICTURE} {SOUND} {H264} -c:a aac"));
        zero(&path, from, to);
        let outcome = stage.run(&path).await.unwrap();
        outcome.assert_tiled();
        assert!(outcome.extraction.damaged, "{name}");
        let gaps = &outcome.extraction.gaps;
        #[expect(clippy::cast_possible_truncation, reason = "seconds of a clip")]
        let (from_ms, to_ms) = ((from * 30_000.0) as i64, (to * 30_000.0) as i64);
        assert_near(name, &gaps.picture, from_ms, to_ms);
        assert_near(name, &gaps.sound, from_ms, to_ms);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_file_has_no_gaps_however_slow_its_pictures_are() {
    let mut stage = Stage::new();
    let slow = "-f lavfi -i testsrc=s=64x64:r=1/5:d=30";
    let path = stage.make("slow.mp4", &format!("{slow} {SOUND} {H264} -c:a aac"));
    let outcome = stage.run(&path).await.unwrap();
    assert!(!outcome.extraction.damaged);
    assert_eq!(outcome.extraction.gaps, crate::Lost::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_that_does_not_decode_is_one_gap_from_end_to_end() {
    let mut stage = Stage::new();
    let args = format!("{PICTURE} {SOUND} -c:v mpeg4 -c:a libmp3lame -t 8");
    let path = stage.make("dead.avi", &args);
    let mut bytes = std::fs::read(&path).unwrap();
    let mut at = bytes.windows(4).position(|four| four == b"movi").unwrap() + 4;
    while let Some(head) = bytes.get(at..at + 8) {
        let size = u32::from_le_bytes(head[4..].try_into().unwrap()) as usize;
        if !matches!(&head[..4], b"00dc" | b"01wb") {
            break;
        }
        if &head[..4] == b"01wb" {
            bytes[at + 8..at + 8 + size].fill(0);
        }
        at += 8 + size + size % 2;
    }
    std::fs::write(&path, bytes).unwrap();
    let outcome = stage.run(&path).await.unwrap();
    let extraction = &outcome.extraction;
    assert!(extraction.audio.is_empty() && extraction.silences.is_empty());
    let all = Span {
        start_ms: 0,
        end_ms: extraction.duration_ms,
    };
    assert_eq!(extraction.gaps.sound, [all]);
    assert!(extraction.gaps.picture.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn footage_whose_clock_jumps_back_is_a_gap_and_not_hidden() {
    let mut stage = Stage::new();
    let args = "-f lavfi -i testsrc2=s=160x90:r=25:d=20 -f lavfi -i sine=300:d=20 \
                -c:v mjpeg -c:a flac -cluster_time_limit 1000";
    let path = stage.make("back.mkv", args);
    let mut bytes = std::fs::read(&path).unwrap();
    let mut moved = 0;
    for at in 0..bytes.len() - 16 {
        if bytes[at..at + 4] != [0x1F, 0x43, 0xB6, 0x75] {
            continue;
        }
        let time = (at + 5..at + 14).find(|at| bytes[*at..at + 2] == [0xE7, 0x82]);
        let Some(time) = time.map(|at| at + 2) else {
            continue;
        };
        let was = u16::from_be_bytes([bytes[time], bytes[time + 1]]);
        if (10_000..15_000).contains(&was) {
            bytes[time..time + 2].copy_from_slice(&(was - 6000).to_be_bytes());
            moved += 1;
        }
    }
    assert!(moved >= 4, "{moved}");
    std::fs::write(&path, bytes).unwrap();
    let outcome = stage.run(&path).await.unwrap();
    outcome.assert_tiled();
    let gaps = &outcome.extraction.gaps;
    for (track, gaps) in [("picture", &gaps.picture), ("sound", &gaps.sound)] {
        assert!(
            gaps.iter()
                .any(|gap| gap.start_ms < 5500 && gap.end_ms > 8500),
            "{track}: {gaps:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_file_of_fragments_is_no_bomb() {
    let mut stage = Stage::new();
    let args = "-f lavfi -i testsrc=s=32x32:r=25:d=100 -c:v libx264 -preset ultrafast -g 1 \
                -pix_fmt yuv420p -movflags empty_moov+frag_every_frame+default_base_moof";
    let path = stage.make("fragments.mp4", args);
    let bytes = std::fs::read(&path).unwrap();
    let boxes = bytes.windows(4).filter(|four| *four == b"moof").count();
    assert!(boxes > 2100, "{boxes}");
    let probe = stage.probe(&path).await.unwrap();
    assert!((99_000..=100_100).contains(&probe.duration_ms));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tracks_beside_the_chosen_ones_are_no_reason_to_refuse() {
    let mut stage = Stage::new();
    let tones = "-f lavfi -i testsrc=s=64x64:d=2 -f lavfi -i sine=300:d=2 -f lavfi -i sine=500:d=2";
    let maps = "-map 0 -map 1 -map 2 -strict -2";
    for (name, sound) in [
        ("dts.mkv", "-c:a:0 aac -c:a:1 dca"),
        ("truehd.mkv", "-c:a:0 aac -c:a:1 truehd"),
        ("wma.mkv", "-c:a:0 aac -c:a:1 wmav2"),
    ] {
        let path = stage.make(name, &format!("{tones} {maps} {H264} {sound}"));
        let outcome = stage.run(&path).await;
        let outcome = outcome.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(outcome.probe.audio_codec.as_deref(), Some("aac"), "{name}");
        assert!(!outcome.extraction.damaged, "{name}");
    }
    let path = stage.make("only.mkv", &format!("{tones} {maps} {H264} -c:a dca"));
    let codec = "dts".to_owned();
    assert_eq!(
        stage.refusal(&path).await,
        Refusal::UnsupportedCodec { codec }
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_sound_of_every_width_is_heard() {
    let mut stage = Stage::new();
    for (ending, codecs) in [
        (
            "mov",
            "s16be s24le s32le s32be f32le f32be f64le s8 alaw mulaw",
        ),
        ("mkv", "u8 s24le s32le f32le f64le"),
        ("avi", "s24le s32le f32le"),
    ] {
        for codec in codecs.split(' ') {
            let picture = "-f lavfi -i testsrc=s=64x64:d=1 -f lavfi -i sine=300:d=1 -c:v mpeg4";
            let name = format!("{codec}.{ending}");
            let path = stage.make(&name, &format!("{picture} -c:a pcm_{codec}"));
            let outcome = stage.run(&path).await;
            let outcome = outcome.unwrap_or_else(|error| panic!("{name}: {error:?}"));
            assert_eq!(outcome.extraction.audio.len(), 1, "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checksum_is_that_of_the_stored_bytes() {
    use sha2::{Digest, Sha256};
    let mut stage = Stage::new();
    let path = stage.path("bytes");
    let bytes: Vec<u8> = (0..3_000_001_u32).map(|n| n.to_le_bytes()[0]).collect();
    std::fs::write(&path, &bytes).unwrap();
    let source = stage.source(&path).await;
    let found = stage.media.sha256(&source).await.unwrap();
    assert_eq!(found, hex::encode(Sha256::digest(&bytes)));
}
