use std::process::Command as Process;

use clap::Parser;
use shared_domain::{Detection, Task, Word};
use shared_policy::{
    Dictionaries, Judged, Pack, ReportInput, RunInput, Stage, TaskCoverage, VideoFacts, evaluate,
};
use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::args::{Args, Command};

fn parsed(line: &[&str]) -> Result<Export, clap::Error> {
    let line = ["compliance", "export"].iter().chain(line);
    let args = Args::try_parse_from(line)?;
    match args.command {
        Command::Export(export) => Ok(export),
        other => panic!("{other:?}"),
    }
}

fn detection(task: Task, label: &str, (start_ms, end_ms): (i64, i64)) -> Detection {
    Detection {
        task,
        label: label.into(),
        score: 0.95,
        start_ms,
        end_ms,
        bbox: None,
        text: None,
        words: Vec::new(),
        object_key: "frames/000000500.jpg".into(),
    }
}

/// One word that is no good, and a frame.
fn report(words: &[(&str, i64, i64)]) -> Report {
    let word = |(text, start_ms, end_ms): &(&str, i64, i64)| Word {
        text: (*text).into(),
        start_ms: *start_ms,
        end_ms: *end_ms,
        probability: Some(0.9),
    };
    let mut said = detection(Task::Speech, "ru", (800, 2_000));
    said.words = words.iter().map(word).collect();
    let found = [said, detection(Task::Nudity, "nsfw", (500, 900))];
    let lists = Dictionaries::built_in().unwrap();
    let pack = Pack::general(|name| lists.find(name).is_some()).unwrap();
    let coverage = [Task::Speech, Task::Nudity].map(TaskCoverage::run);
    let evaluation = evaluate(&found, &coverage, &pack, &lists);
    let judged = |(n, trigger)| Judged {
        id: Uuid::from_u128(n).into(),
        trigger,
        decision: None,
    };
    let video = VideoFacts {
        id: Uuid::from_u128(1).into(),
        project_id: Uuid::from_u128(2).into(),
        original_name: "клип.mp4".into(),
        sha256: "a".repeat(64),
        size_bytes: 1,
        duration_seconds: 3.0,
        width: 320,
        height: 180,
        fps: 25.0,
        frame_rate: Some((25, 1)),
        start_timecode: None,
        languages: Vec::new(),
    };
    let run = RunInput {
        id: Uuid::from_u128(3).into(),
        started_at: datetime!(2026-05-04 10:00 UTC),
        completed_at: datetime!(2026-05-04 10:02:31 UTC),
        models: Vec::new(),
        predictions: 2,
        cached: 0,
        cost_usd: 0.0,
    };
    let frame = ("frames/000000500.jpg".into(), "clip.frames/0.jpg".into());
    Report::build(ReportInput {
        video,
        run,
        stage: Stage::Ai,
        pack: &pack,
        evaluation: &evaluation,
        risks: (9_u128..).zip(&evaluation.triggers).map(judged).collect(),
        frame_urls: &BTreeMap::from([frame]),
    })
    .with_transcript(&found)
}

fn written(folder: &Path, report: &Report) -> String {
    let path = folder.join("clip.mp4.report.json");
    std::fs::write(&path, report.to_json().unwrap()).unwrap();
    path.to_str().unwrap().to_owned()
}

const WORDS: [(&str, i64, i64); 2] = [("какая", 800, 1_100), ("сука", 1_200, 1_500)];

#[tokio::test]
async fn every_format_is_written_beside_the_report_under_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), &report(&WORDS));
    for format in Format::ALL {
        let args = parsed(&["--format", format.name, &path]).unwrap();
        export(&Settings::default(), &args).await.unwrap();
        let file = folder.path().join(format!("clip.mp4.{}", format.extension));
        assert!(file.metadata().unwrap().len() > 0, "{}", file.display());
    }
    let out = folder.path().join("other.csv");
    let args = [
        "--format",
        "csv",
        "--lang",
        "ru",
        "--out",
        out.to_str().unwrap(),
        &path,
    ];
    export(&Settings::default(), &parsed(&args).unwrap())
        .await
        .unwrap();
    assert!(std::fs::read_to_string(out).unwrap().contains("Начало"));
}

#[tokio::test]
async fn only_the_categories_that_were_asked_for_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), &report(&WORDS));
    let out = folder.path().join("some.txt");
    let line = |category| {
        [
            "--format",
            "edl",
            "--category",
            category,
            "--out",
            out.to_str().unwrap(),
            &path,
        ]
    };
    export(&Settings::default(), &parsed(&line("nudity")).unwrap())
        .await
        .unwrap();
    let list = std::fs::read_to_string(&out).unwrap();
    assert_eq!(list.matches("|C:").count(), 1, "{list}");
    let unknown = export(&Settings::default(), &parsed(&line("nudty")).unwrap()).await;
    let told = unknown.unwrap_err().to_string();
    assert!(told.contains("nudity, profanity"), "{told}");
}

#[tokio::test]
async fn what_is_no_report_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    for body in ["", "{}", "[]", "\0\0", "{\"schema\":\"other\"}"] {
        std::fs::write(&path, body).unwrap();
        let args = parsed(&["--format", "csv", path.to_str().unwrap()]).unwrap();
        assert!(
            export(&Settings::default(), &args).await.is_err(),
            "{body:?}"
        );
    }
    let mut other = report(&WORDS);
    other.schema = "compliance-report/9".into();
    let path = written(folder.path(), &other);
    let args = parsed(&["--format", "csv", &path]).unwrap();
    assert!(export(&Settings::default(), &args).await.is_err());
}

#[test]
fn a_bleep_needs_its_video_and_formats_are_listed() {
    assert!(parsed(&["--format", "bleep", "r.json"]).is_err());
    assert!(parsed(&["--format", "bleep", "--media", "v.mp4", "r.json"]).is_ok());
    let told = parsed(&["--format", "docx", "r.json"])
        .unwrap_err()
        .to_string();
    for format in Format::ALL {
        assert!(told.contains(format.name), "{told}");
    }
}

#[test]
fn a_report_names_frames_beside_it_and_nothing_else() {
    let right = frame_path("clip%2Emp4%2Eframes/000.jpg").unwrap();
    assert_eq!(right, Path::new("clip.mp4.frames/000.jpg"));
    for wrong in [
        "/etc/passwd",
        "../secret/a.jpg",
        "a/../b.jpg",
        "%2e%2e/a.jpg",
        "a/b/c.jpg",
        "a.jpg",
        "a/shadow",
        "http://host/a.jpg",
        "",
        "a%2F..%2F..%2Fb.jpg",
    ] {
        assert_eq!(frame_path(wrong), None, "{wrong:?}");
    }
}

fn clip(folder: &Path) -> PathBuf {
    let path = folder.join("клип.mp4");
    let made = Process::new("ffmpeg")
        .args([
            "-nostdin",
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=s=320x180:r=25:d=3",
        ])
        .args(["-f", "lavfi", "-i", "sine=300:r=48000:d=3", "-c:a", "aac"])
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bleeped_copy_lies_beside_the_report_and_the_video_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), &report(&WORDS));
    let video = clip(folder.path());
    let before = std::fs::read(&video).unwrap();
    let args = [
        "--format",
        "bleep",
        "--media",
        video.to_str().unwrap(),
        &path,
    ];
    let settings = settings();
    export(&settings, &parsed(&args).unwrap()).await.unwrap();
    for name in ["clip.mp4.bleep.mp4", "clip.mp4.bleep.wav"] {
        assert!(
            folder.path().join(name).metadata().unwrap().len() > 1000,
            "{name}"
        );
    }
    assert_eq!(std::fs::read(&video).unwrap(), before);
    let own = [&args[..], &["--out", video.to_str().unwrap()]].concat();
    assert!(export(&settings, &parsed(&own).unwrap()).await.is_err());
    assert_eq!(std::fs::read(&video).unwrap(), before);
}

/// What the machine says, as `environment` reads it.
fn settings() -> Settings {
    let mut settings = Settings::default();
    if let Some(path) = std::env::var_os("PATH") {
        settings.set("PATH", path.to_string_lossy());
    }
    settings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_cut_is_refused_and_so_is_a_report_without_words() {
    let folder = tempfile::tempdir().unwrap();
    let video = clip(folder.path());
    let run = async |report: &Report| {
        let path = written(folder.path(), report);
        let args = [
            "--format",
            "bleep",
            "--media",
            video.to_str().unwrap(),
            &path,
        ];
        export(&settings(), &parsed(&args).unwrap()).await
    };
    let mut longer = report(&WORDS);
    longer.video.duration_seconds = 9.0;
    assert!(run(&longer).await.is_err());
    assert!(run(&report(&[("хлеб", 800, 1_100)])).await.is_err());
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        2,
        "no file is left"
    );
}
