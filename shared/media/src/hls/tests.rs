//! Real clips, cut into segments.

use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{Made, Segment, Stream};
use crate::serve::{LARGEST_PUT, Put};
use crate::tests::Stage;
use crate::{MediaError, Source};

const MOVING: &str = "-f lavfi -i testsrc2=s=320x180:r=25:d=20";
const TONE: &str = "-f lavfi -i sine=frequency=440:duration=20";
const H264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";

impl Stage {
    async fn segments(&mut self, path: &Path) -> Result<(Stream, Vec<Bytes>), MediaError> {
        let source = self.source(path).await;
        self.segments_of(&source).await
    }

    async fn segments_of(&self, source: &Source) -> Result<(Stream, Vec<Bytes>), MediaError> {
        let probe = self.media.probe(source).await?;
        let (sender, mut receiver) = mpsc::channel(1);
        let collect = async {
            let mut all: Vec<Bytes> = Vec::new();
            while let Some(Segment { index, bytes }) = receiver.recv().await {
                let place = usize::try_from(index).unwrap();
                all.resize(all.len().max(place + 1), Bytes::new());
                all[place] = bytes;
            }
            all
        };
        let segment = self.media.segment(source, &probe, sender);
        let (stream, all) = tokio::join!(segment, collect);
        Ok((stream?, all))
    }

    /// Writes the copy down as a player would load it and asks ffprobe what it is.
    fn look_at(&self, stream: &Stream, segments: &[Bytes]) -> Value {
        for (index, bytes) in segments.iter().enumerate() {
            std::fs::write(self.path(&format!("{index}.ts")), bytes).unwrap();
        }
        let list = self.path("list.m3u8");
        std::fs::write(&list, stream.playlist(|index| format!("{index}.ts"))).unwrap();
        let output = Command::new("ffprobe")
            .args(["-v", "error", "-count_packets", "-print_format", "json"])
            .args(["-show_streams", "-show_format"])
            .arg(&list)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "{said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn codecs(facts: &Value) -> Vec<&str> {
    let streams = facts["streams"].as_array().unwrap();
    let mut names: Vec<_> = streams
        .iter()
        .filter_map(|stream| stream["codec_name"].as_str())
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn what_a_browser_plays_is_copied_in_pieces_of_a_few_seconds() {
    let mut stage = Stage::new();
    let args = format!("{MOVING} {TONE} {H264} -g 50 -c:a aac -shortest");
    let path = stage.make("clip.mp4", &args);
    let (stream, segments) = stage.segments(&path).await.unwrap();
    assert!(stream.copied);
    assert_eq!((stream.seconds.len(), segments.len()), (5, 5));
    assert!(stream.seconds.iter().all(|s| (3.5..4.5).contains(s)));
    let facts = stage.look_at(&stream, &segments);
    assert_eq!(codecs(&facts), ["aac", "h264"]);
    let video = &facts["streams"][0];
    assert_eq!(video["nb_read_packets"], "500", "no picture is lost");
}

#[tokio::test]
async fn what_no_browser_plays_is_encoded_anew_and_small() {
    let mut stage = Stage::new();
    for (name, args) in [
        ("old.avi", "-c:v mpeg4 -q:v 3 -c:a mp3"),
        (
            "ten-bits.mkv",
            "-c:v libx264 -preset ultrafast -pix_fmt yuv420p10le -c:a flac",
        ),
    ] {
        let path = stage.make(name, &format!("{MOVING} {TONE} {args} -shortest"));
        let (stream, segments) = stage.segments(&path).await.unwrap();
        assert!(!stream.copied, "{name}");
        let total: f64 = stream.seconds.iter().sum();
        assert!((19.5..20.5).contains(&total), "{name}: {total} s");
        assert!(stream.seconds.iter().all(|s| *s < 4.5), "{name}");
        let facts = stage.look_at(&stream, &segments);
        assert_eq!(codecs(&facts), ["aac", "h264"], "{name}");
        assert_eq!(facts["streams"][0]["pix_fmt"], "yuv420p", "{name}");
    }
}

#[tokio::test]
async fn a_picture_that_lies_on_its_side_is_turned() {
    let mut stage = Stage::new();
    let lying = stage.make("lying.mp4", &format!("{MOVING} {H264}"));
    let turned = stage.path("turned.mp4");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-display_rotation", "90", "-i"])
        .arg(&lying)
        .args(["-c", "copy"])
        .arg(&turned)
        .output()
        .unwrap();
    // Older programs know the tag only.
    if !made.status.success() {
        let lying = lying.to_str().unwrap();
        let args = ["-i", lying, "-c", "copy", "-metadata:s:v", "rotate=90"];
        stage.make_with("turned.mp4", &args);
    }
    let (stream, segments) = stage.segments(&turned).await.unwrap();
    assert!(!stream.copied);
    let facts = stage.look_at(&stream, &segments);
    let video = &facts["streams"][0];
    assert_eq!(
        (&video["width"], &video["height"]),
        (&180.into(), &320.into())
    );
}

#[tokio::test]
async fn key_frames_too_far_apart_are_no_reason_to_hold_a_whole_film() {
    let mut stage = Stage::new();
    let noise = "-f lavfi -i testsrc2=s=640x360:r=25:d=9,noise=alls=80:allf=t";
    let rate =
        "-b:v 18M -minrate 18M -maxrate 18M -bufsize 2M -g 9999 -keyint_min 9999 -sc_threshold 0";
    let path = stage.make("far.mp4", &format!("{noise} {H264} {rate}"));
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(size > LARGEST_PUT as u64, "{size} bytes are no test");
    let (stream, segments) = stage.segments(&path).await.unwrap();
    assert!(!stream.copied);
    assert!(stream.seconds.len() >= 2 && segments.iter().all(|s| s.len() < LARGEST_PUT));
}

#[tokio::test]
async fn nothing_lies_on_the_disk_while_segments_wait() {
    let mut stage = Stage::new();
    let path = stage.make("clip.mp4", &format!("{MOVING} {H264} -g 50"));
    let source = stage.source(&path).await;
    let probe = stage.media.probe(&source).await.unwrap();
    let (sender, mut receiver) = mpsc::channel(1);
    let mut making = std::pin::pin!(stage.media.segment(&source, &probe, sender));
    let first = tokio::select! {
        _ = &mut making => None,
        segment = receiver.recv() => segment,
    };
    assert!(first.is_some());
    for job in std::fs::read_dir(stage.path("jobs")).unwrap() {
        let files = std::fs::read_dir(job.unwrap().path()).unwrap();
        let files: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, [""; 0]);
    }
}

#[tokio::test]
async fn names_of_a_program_that_was_taken_over_lead_nowhere() {
    let (sender, mut receiver) = mpsc::channel(8);
    for name in [
        "../x.ts",
        "00001.mp4",
        "x.ts",
        "-1.ts",
        "99999.ts",
        "",
        "index.m3u8.ts",
    ] {
        let mut made = Made::new(&sender, 7_200_000);
        let bytes = Some(Bytes::from_static(b"x"));
        let put = Put {
            name: name.into(),
            bytes,
            room: None,
        };
        assert!(
            matches!(made.take(put).await, Err(MediaError::Refused(_))),
            "{name}"
        );
    }
    let mut made = Made::new(&sender, 7_200_000);
    let broken = Put {
        name: "00000.ts".into(),
        bytes: None,
        room: None,
    };
    assert!(made.take(broken).await.is_err());
    assert!(receiver.try_recv().is_err(), "nothing was handed on");
}

#[test]
fn a_playlist_holds_times_and_our_own_names_alone() {
    let list = b"#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"http://evil.example/\"\n#EXTINF:4.5,\nhttp://evil.example/a.ts\n#EXTINF:nan,\n#EXTINF:2.000000,\n00001.ts\n";
    let stream = Stream {
        seconds: super::times(list),
        copied: true,
    };
    let text = stream.playlist(|index| format!("{index:05}.ts"));
    let wanted = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:4.500000,\n00000.ts\n#EXTINF:2.000000,\n00001.ts\n#EXT-X-ENDLIST\n";
    assert_eq!(text, wanted);
}
