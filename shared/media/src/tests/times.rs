//! What is kept, and when it is said to be shown.

#![expect(clippy::cast_possible_wrap, reason = "small numbers of a test")]

use shared_domain::Likeness;

use super::{Kept, Outcome, Stage};
use crate::Piece;

const H264: [&str; 6] = [
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-pix_fmt",
    "yuv420p",
];

fn make(stage: &Stage, name: &str, graph: &str, overlay: &str) -> std::path::PathBuf {
    let mut args = vec!["-f", "lavfi", "-i", graph];
    if !overlay.is_empty() {
        args.extend(["-vf", overlay]);
    }
    args.extend(H264);
    stage.make_with(name, &args)
}

/// Kept stretches that lie within a period, give or take the tolerance.
fn within(outcome: &Outcome, from_ms: i64, to_ms: i64) -> Vec<Kept> {
    let mut kept = outcome.kept();
    kept.retain(|kept| kept.start_ms >= from_ms - 20 && kept.end_ms <= to_ms + 320);
    kept.sort_by_key(|kept| kept.start_ms);
    kept
}

fn assert_found(name: &str, outcome: &Outcome, from_ms: i64, to_ms: i64) {
    outcome.assert_tiled();
    let shown = within(outcome, from_ms, to_ms);
    assert!(!shown.is_empty(), "{name}: {:?}", outcome.starts());
    let (start, end) = (shown[0].start_ms, shown[shown.len() - 1].end_ms);
    assert!(
        (start - from_ms).abs() <= 300,
        "{name}: starts {start}, {:?}",
        outcome.starts()
    );
    assert!(
        (end - to_ms).abs() <= 300,
        "{name}: ends {end}, {:?}",
        outcome.starts()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_shown_for_half_a_second_is_kept_at_its_time() {
    let mut stage = Stage::new();
    for (name, base) in [
        ("still.mp4", "color=gray:s=640x360:r=30:d=6"),
        ("moving.mp4", "testsrc2=s=640x360:r=30:d=6"),
    ] {
        let card = "drawbox=c=white:t=fill:enable='between(t,2.36,2.86)',\
                    drawtext=text='ADVERT':fontsize=90:x=120:y=120:enable='between(t,2.36,2.86)'";
        let path = make(&stage, name, base, card);
        let outcome = stage.run(&path).await.unwrap();
        assert_found(name, &outcome, 2367, 2867);
        assert!(
            outcome.starts().contains(&2367),
            "{name}: {:?}",
            outcome.starts()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_caption_over_moving_pictures_is_kept_at_its_time() {
    let mut stage = Stage::new();
    for (name, base) in [
        ("test.mp4", "testsrc2=s=1280x720:r=25:d=7"),
        (
            "life.mp4",
            "mandelbrot=s=640x360:r=25,trim=duration=7,scale=1280:720",
        ),
        (
            "grain.mp4",
            "testsrc2=s=1280x720:r=25:d=7,noise=alls=10:allf=t",
        ),
    ] {
        let caption = "drawtext=text='18+ Buy':fontsize=26:fontcolor=white:borderw=2:x=90:y=650:\
                       enable='between(t,4.19,4.7)'";
        let path = make(&stage, name, base, caption);
        let outcome = stage.run(&path).await.unwrap();
        assert_found(name, &outcome, 4200, 4720);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_still_picture_is_kept_every_ten_seconds_and_stored_once() {
    let mut stage = Stage::new();
    let path = make(&stage, "still.mp4", "color=blue:s=320x180:r=25:d=25", "");
    let outcome = stage.run(&path).await.unwrap();
    outcome.assert_tiled();
    assert_eq!(outcome.extraction.frames.len(), 1);
    assert_eq!(
        outcome.extraction.candidates - outcome.extraction.dropped,
        3
    );
    assert!(outcome.extraction.candidates >= 120);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_shot_is_kept_at_its_first_frame() {
    let mut stage = Stage::new();
    let shots = "color=black:s=320x180:r=25:d=6,\
                 drawbox=c=red:t=fill:enable='lt(t,1.39)',\
                 drawbox=c=white:t=fill:enable='between(t,1.39,1.79)',\
                 drawbox=c=blue:t=fill:enable='between(t,1.79,3.99)',\
                 drawbox=c=yellow:t=fill:enable='gte(t,3.99)'";
    let path = make(&stage, "shots.mp4", shots, "");
    let outcome = stage.run(&path).await.unwrap();
    for cut in [0, 1400, 1800, 4000] {
        assert!(
            outcome.starts().contains(&cut),
            "{cut}: {:?}",
            outcome.starts()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_insert_of_three_frames_right_after_a_candidate_is_kept() {
    let mut stage = Stage::new();
    let insert = "color=gray:s=320x180:r=25:d=4,\
                  drawbox=c=red:t=fill:enable='between(t,2.03,2.13)'";
    let path = make(&stage, "insert.mp4", insert, "");
    let outcome = stage.run(&path).await.unwrap();
    assert!(outcome.starts().contains(&2040), "{:?}", outcome.starts());
    assert!(outcome.starts().contains(&2160), "{:?}", outcome.starts());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_cuts_keep_a_bounded_number_and_says_so() {
    let mut stage = Stage::new();
    let strobe = "color=black:s=160x90:r=25:d=40,\
                  geq=lum='mod(floor(N/2)*(97+floor(X/20)*61+floor(Y/20)*37)\\,256)':cb=128:cr=128";
    let path = make(&stage, "strobe.mp4", strobe, "");
    let outcome = stage.run(&path).await.unwrap();
    outcome.assert_tiled();
    assert!(outcome.extraction.candidates > 400);
    let kept = outcome.starts().len();
    assert!((100..=40 + 4 * 40).contains(&kept), "{kept}");
    assert!(!outcome.extraction.hurried.is_empty());
    assert!(outcome.extraction.gaps.picture.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn variable_frame_rate_and_late_starts_keep_true_times() {
    let mut stage = Stage::new();
    // Frames at 0, 0.04 … 1, then one each second; the file's clock begins at five seconds.
    let graph = "testsrc=s=320x180:r=25:d=6,drawbox=c=white:t=fill:enable='gte(t,4)',\
                 select='lt(t,1)+not(mod(n,25))'";
    let mut args = vec!["-f", "lavfi", "-i", graph, "-fps_mode", "passthrough"];
    args.extend(["-output_ts_offset", "5"]);
    args.extend(H264);
    let path = stage.make_with("vfr.mkv", &args);
    let outcome = stage.run(&path).await.unwrap();
    outcome.assert_tiled();
    assert!(outcome.starts().contains(&4000), "{:?}", outcome.starts());
    assert!((5000..=6000).contains(&outcome.extraction.duration_ms));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_lies_on_the_time_line_of_the_picture() {
    let mut stage = Stage::new();
    let beep = "aevalsrc=0.8*sin(2000*t)*between(t\\,3\\,3.5):d=7:s=44100";
    // The beep is 3 s into the sound track, which starts after the picture or before it.
    for (name, offset, beep_ms) in [("late.mkv", "3", 4000), ("early.mkv", "1", 2000)] {
        let mut args = vec![
            "-f",
            "lavfi",
            "-itsoffset",
            "2",
            "-i",
            "testsrc=s=320x180:r=25:d=8",
        ];
        args.extend(["-f", "lavfi", "-itsoffset", offset, "-i", beep]);
        args.extend(H264);
        args.extend(["-c:a", "flac"]);
        let path = stage.make_with(name, &args);
        let outcome = stage.run(&path).await.unwrap();
        let chunks = &outcome.extraction.audio;
        assert_eq!(chunks.len(), 1, "{name}: {chunks:?}");
        // Two tenths of silence are kept before a sound.
        let start = chunks[0].start_ms + 200;
        assert!(
            (beep_ms - 60..=beep_ms + 60).contains(&start),
            "{name}: {chunks:?}"
        );
        let wave = outcome.pieces.iter().find_map(|piece| match piece {
            Piece::Waveform { json, .. } => Some(json.clone()),
            _ => None,
        });
        let peaks: Vec<u8> = serde_json::from_slice(&wave.unwrap()).unwrap();
        let loud = peaks.iter().position(|peak| *peak > 100).unwrap() as i64 * 100;
        assert!(
            (beep_ms - 100..=beep_ms + 100).contains(&loud),
            "{name}: {loud}"
        );
    }
}

fn looks(outcome: &Outcome) -> Vec<Likeness> {
    let json = outcome.pieces.iter().find_map(|piece| match piece {
        Piece::Likeness { json } => Some(json.clone()),
        _ => None,
    });
    serde_json::from_slice(&json.unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_picture_looks_the_same_in_another_size_and_encoding() {
    let mut stage = Stage::new();
    let scenes = "mandelbrot=s=1280x720:r=25,trim=duration=3[a];\
                  testsrc2=s=1280x720:r=25:d=3,setsar=1[b];[a][b]concat";
    let sharp = make(&stage, "sharp.mp4", scenes, "");
    let small = "-vf scale=426:240 -c:v mpeg4 -q:v 12";
    let poor = format!("-i {} {small}", sharp.display());
    let poor = stage.make("poor.avi", &poor);
    let (sharp, poor) = (
        stage.run(&sharp).await.unwrap(),
        stage.run(&poor).await.unwrap(),
    );
    let (sharp, poor) = (looks(&sharp), looks(&poor));
    assert_eq!(sharp.len() as u64, 30, "{sharp:?}");
    assert_eq!(sharp.len(), poor.len());
    for (one, other) in sharp.iter().zip(&poor) {
        assert_eq!((one.at_ms, one.opens), (other.at_ms, other.opens));
        assert!(one.distance(*other) <= 8, "{one:?} {other:?}");
    }
    let opens = sharp.iter().filter(|look| look.opens);
    assert!(opens.map(|look| look.at_ms).eq([3_000]), "{sharp:?}");
    let unlike = sharp[0].distance(sharp[20]);
    assert!(unlike > 16, "{unlike}");
}
