//! Files that lie, and what is said of them.

use shared_domain::Refusal;

use super::Stage;
use crate::MediaError;

const H264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_are_no_video_are_named_as_what_they_are() {
    let mut stage = Stage::new();
    let texts: [(&str, &[u8], Refusal); 5] = [
        ("empty.mp4", b"", Refusal::Empty),
        (
            "text.mp4",
            b"just some text that was renamed",
            Refusal::NotAVideo,
        ),
        (
            "hls.mp4",
            b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
            Refusal::NotAVideo,
        ),
        (
            "concat.mp4",
            b"ffconcat version 1.0\nfile other.mp4\n",
            Refusal::NotAVideo,
        ),
        (
            "stub.mp4",
            b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2\0\0\0\x08free",
            Refusal::Damaged,
        ),
    ];
    for (name, bytes, refusal) in texts {
        let path = stage.path(name);
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(stage.refusal(&path).await, refusal, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_without_picture_is_refused() {
    let mut stage = Stage::new();
    let path = stage.make("audio.mp4", "-f lavfi -i sine=300:d=2 -c:a aac");
    assert_eq!(stage.refusal(&path).await, Refusal::NoPicture);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unusual_codec_is_named() {
    let mut stage = Stage::new();
    let path = stage.make("huff.mkv", "-f lavfi -i testsrc=s=64x64:d=1 -c:v huffyuv");
    assert_eq!(
        stage.refusal(&path).await,
        Refusal::UnsupportedCodec {
            codec: "huffyuv".into()
        }
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subtitles_and_covers_are_no_reason_to_refuse() {
    let mut stage = Stage::new();
    let subtitles = stage.path("words.srt");
    std::fs::write(&subtitles, "1\n00:00:00,100 --> 00:00:01,000\nhello\n").unwrap();
    let words = subtitles.to_str().unwrap().to_owned();
    let cover = stage.make("cover.png", "-f lavfi -i color=red:s=32x32 -frames:v 1");
    let cover = cover.to_str().unwrap().to_owned();
    let picture = "-f lavfi -i testsrc=s=64x64:d=2";
    let mkv = format!("{picture} -i {words} {H264} -c:s srt");
    let mp4 = format!(
        "{picture} -i {words} -i {cover} -map 0 -map 1 -map 2 {H264} -c:s mov_text -c:v:1 png \
         -disposition:v:1 attached_pic"
    );
    for (name, args) in [("words.mkv", mkv), ("cover.mp4", mp4)] {
        let path = stage.make(name, &args);
        let outcome = stage
            .run(&path)
            .await
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(outcome.probe.video_codec, "h264");
        outcome.assert_tiled();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_truncated_file_is_damaged_wherever_its_index_is() {
    let mut stage = Stage::new();
    let source = "-f lavfi -i testsrc2=s=320x180:r=25:d=30 -f lavfi -i sine=300:d=30";
    for (name, options) in [
        ("head.mp4", "-movflags +faststart"),
        ("tail.mp4", ""),
        ("cut.mkv", ""),
        ("cut.avi", ""),
    ] {
        let path = stage.make(name, &format!("{source} {H264} -c:a aac {options}"));
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert_eq!(stage.refusal(&path).await, Refusal::Damaged, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_video_over_the_limit_is_refused_with_its_measured_length() {
    let mut stage = Stage::with(&[("MAX_VIDEO_DURATION", "5")]);
    let path = stage.make(
        "long.mp4",
        &format!("-f lavfi -i testsrc=s=64x64:r=5:d=9 {H264}"),
    );
    assert_eq!(
        stage.refusal(&path).await,
        Refusal::TooLong {
            seconds: 9,
            limit: 5
        }
    );

    // The headers say four seconds; the packets say more.
    let mut bytes = std::fs::read(&path).unwrap();
    for kind in [b"mvhd", b"mdhd", b"tkhd"] {
        let at = bytes.windows(4).position(|four| four == kind).unwrap();
        let (field, scale) = if kind == b"tkhd" {
            (at + 24, 1000)
        } else {
            (
                at + 20,
                u32::from_be_bytes(bytes[at + 16..at + 20].try_into().unwrap()),
            )
        };
        bytes[field..field + 4].copy_from_slice(&(scale * 4).to_be_bytes());
    }
    let edit_list = bytes.windows(4).position(|four| four == b"elst").unwrap();
    bytes[edit_list..edit_list + 4].copy_from_slice(b"free");
    let lying = stage.path("lying.mp4");
    std::fs::write(&lying, bytes).unwrap();
    match stage.refusal(&lying).await {
        Refusal::TooLong {
            seconds: 6..=9,
            limit: 5,
        } => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_kept_elsewhere_and_reference_movies_are_refused() {
    let mut stage = Stage::new();
    let path = stage.make(
        "whole.mov",
        &format!("-f lavfi -i testsrc=s=64x64:d=1 {H264}"),
    );
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(4).position(|four| four == b"dref").unwrap();
    // The flags of the one entry no longer say "this file", and its length takes in bytes of the
    // next box, which pass for a name.
    let entry = at + 12;
    bytes[entry + 8..entry + 12].copy_from_slice(&[0, 0, 0, 0]);
    bytes[entry..entry + 4].copy_from_slice(&20_u32.to_be_bytes());
    bytes[at - 4..at].copy_from_slice(&36_u32.to_be_bytes());
    // The box around them grows too.
    let dinf = bytes.windows(4).position(|four| four == b"dinf").unwrap();
    bytes[dinf - 4..dinf].copy_from_slice(&44_u32.to_be_bytes());
    let moved = stage.path("elsewhere.mov");
    std::fs::write(&moved, &bytes).unwrap();
    assert_eq!(stage.refusal(&moved).await, Refusal::NoStreams);

    let reference = stage.path("reference.mov");
    let mut movie = b"\0\0\0\x14ftypqt  \0\0\0\0qt  \0\0\0\x18moov\0\0\0\x10rmra".to_vec();
    movie.extend_from_slice(b"\0\0\0\x08rmda");
    std::fs::write(&reference, movie).unwrap();
    assert_eq!(stage.refusal(&reference).await, Refusal::NoStreams);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encrypted_file_is_refused_as_such() {
    let mut stage = Stage::new();
    let args = format!(
        "-f lavfi -i testsrc=s=64x64:d=2 {H264} -encryption_scheme cenc-aes-ctr \
         -encryption_key 00112233445566778899aabbccddeeff \
         -encryption_kid 112233445566778899aabbccddeeff00"
    );
    let path = stage.make("drm.mp4", &args);
    assert_eq!(stage.refusal(&path).await, Refusal::Encrypted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_pixels_are_refused() {
    let mut stage = Stage::new();
    let args = "-f lavfi -i color=s=8000x5000:r=1:d=1 -c:v mjpeg -strict -1";
    let path = stage.make("big.mkv", args);
    assert_eq!(stage.refusal(&path).await, Refusal::TooManyPixels);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_a_day_apart_are_too_long() {
    let mut stage = Stage::new();
    let path = stage.make_with(
        "apart.mkv",
        &[
            "-f",
            "lavfi",
            "-i",
            "testsrc=s=64x64:r=1:d=2",
            "-vf",
            "setpts=N*100800/TB",
            "-fps_mode",
            "passthrough",
            "-c:v",
            "libx264",
        ],
    );
    match stage.refusal(&path).await {
        Refusal::TooLong {
            seconds: 100_000..,
            limit: 7200,
        } => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn storage_faults_are_not_blamed_on_the_file() {
    let mut stage = Stage::new();
    let path = stage.make(
        "fine.mp4",
        &format!("-f lavfi -i testsrc=s=64x64:d=1 {H264}"),
    );
    let mut source = stage.source(&path).await;
    source.size += 1;
    let error = stage.media.probe(&source).await.unwrap_err();
    assert!(matches!(error, MediaError::Changed { .. }), "{error:?}");

    source.size -= 1;
    source.etag = Some("\"second\"".into());
    let error = stage.media.probe(&source).await.unwrap_err();
    assert!(matches!(error, MediaError::Replaced), "{error:?}");
    source.etag = Some("first".into());
    stage.media.probe(&source).await.unwrap();
    source.url.push_str("-not-there");
    let error = stage.media.probe(&source).await.unwrap_err();
    assert!(matches!(error, MediaError::Forbidden(404)), "{error:?}");
    assert!(error.is_transient());
}
