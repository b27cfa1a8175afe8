//! Reports as the chain builds them, written into every format.

use std::collections::BTreeMap;

use shared_domain::{BBox, Detection, Lang, Task, Word};
use shared_policy::{
    Decision, Dictionaries, Judged, Pack, Report, ReportInput, RunInput, Stage, TaskCoverage,
    VideoFacts, evaluate,
};
use time::macros::datetime;
use uuid::Uuid;

use crate::{Export, Format};

mod hostile;
mod pages;
mod readers;
mod tables;
mod timecodes;
mod words;

pub(crate) fn video(frame_rate: (u32, u32), start: &str) -> VideoFacts {
    VideoFacts {
        id: Uuid::from_u128(1).into(),
        project_id: Uuid::from_u128(2).into(),
        original_name: "Выпуск 7 — “финал”.mp4".into(),
        sha256: "a".repeat(64),
        size_bytes: 48_211_337,
        duration_seconds: 1200.0,
        width: 1920,
        height: 1080,
        fps: f64::from(frame_rate.0) / f64::from(frame_rate.1),
        frame_rate: Some(frame_rate),
        start_timecode: Some(start.into()),
        languages: vec!["ru".into()],
    }
}

/// A sentence whose words last 350 ms and follow each other after 50 ms.
pub(crate) fn said(text: &str, start_ms: i64) -> Detection {
    let words: Vec<Word> = (0..)
        .zip(text.split(' '))
        .map(|(n, word)| Word {
            text: word.into(),
            start_ms: start_ms + 400 * n,
            end_ms: start_ms + 400 * n + 350,
            probability: Some(0.9),
        })
        .collect();
    let span = (start_ms, words.last().map_or(start_ms, |word| word.end_ms));
    Detection {
        words,
        text: Some(text.into()),
        object_key: "audio/0.flac".into(),
        ..seen(Task::Speech, "ru", span)
    }
}

pub(crate) fn seen(task: Task, label: &str, (start_ms, end_ms): (i64, i64)) -> Detection {
    Detection {
        task,
        label: label.into(),
        score: 0.95,
        start_ms,
        end_ms,
        bbox: None,
        text: None,
        words: Vec::new(),
        object_key: format!("frames/{start_ms:09}.jpg"),
    }
}

pub(crate) fn shown(text: &str, span: (i64, i64)) -> Detection {
    Detection {
        text: Some(text.into()),
        bbox: Some(BBox {
            x: 0.1,
            y: 0.8,
            w: 0.6,
            h: 0.1,
        }),
        ..seen(Task::Text, "text", span)
    }
}

pub(crate) fn report(video: VideoFacts, detections: &[Detection]) -> Report {
    let lists = Dictionaries::built_in().unwrap();
    let pack = Pack::general(|name| lists.find(name).is_some()).unwrap();
    let coverage = [Task::Speech, Task::Nudity, Task::Objects, Task::Text].map(TaskCoverage::run);
    let evaluation = evaluate(detections, &coverage, &pack, &lists);
    let judged = |(n, trigger)| Judged {
        id: Uuid::from_u128(100 + n).into(),
        trigger,
        decision: None,
    };
    let run = RunInput {
        id: Uuid::from_u128(3).into(),
        started_at: datetime!(2026-05-04 10:00 UTC),
        completed_at: datetime!(2026-05-04 10:02:31 UTC),
        models: Vec::new(),
        predictions: 412,
        cached: 57,
        cost_usd: 0.0,
    };
    Report::build(ReportInput {
        video,
        run,
        stage: Stage::Ai,
        pack: &pack,
        evaluation: &evaluation,
        risks: (0_u128..).zip(&evaluation.triggers).map(judged).collect(),
        frame_urls: &BTreeMap::new(),
    })
    .with_transcript(detections)
}

/// Risks of every kind, far apart.
pub(crate) fn rich(frame_rate: (u32, u32), start: &str) -> Report {
    let detections = [
        said("ну ты и сука конечно", 12_000),
        shown("ПРОМОКОД: ЛЕТО", (70_000, 74_000)),
        seen(Task::Nudity, "nsfw", (90_000, 92_500)),
        said("а потом водка и утро", 300_040),
        seen(Task::Objects, "knife", (1_100_000, 1_100_500)),
    ];
    report(video(frame_rate, start), &detections)
}

/// What a person decided about a risk.
pub(crate) fn decided(label: &str) -> Decision {
    Decision {
        label: label.into(),
        by: "operator".into(),
        at: datetime!(2026-05-04 11:00 UTC),
        comment: Some("не то слово".into()),
        carried_from: None,
    }
}

pub(crate) fn bytes(report: &Report, format: &str, lang: Lang) -> Vec<u8> {
    let export = Export {
        report,
        lang,
        frames: &BTreeMap::new(),
        logo: None,
    };
    Format::find(format).unwrap().write(&export).unwrap()
}

pub(crate) fn text(report: &Report, format: &str) -> String {
    String::from_utf8(bytes(report, format, Lang::En)).unwrap()
}

#[test]
fn no_two_formats_share_a_name_or_an_ending() {
    for (at, format) in Format::ALL.iter().enumerate() {
        for other in &Format::ALL[..at] {
            assert_ne!(format.name, other.name);
            assert_ne!(format.extension, other.extension);
        }
        assert_eq!(
            Format::find(format.name).unwrap().extension,
            format.extension
        );
        assert_ne!(format.title(Lang::Ru), format.title(Lang::En));
    }
    assert!(Format::find("docx").is_none());
}

#[test]
fn the_same_report_is_the_same_bytes() {
    for format in Format::ALL {
        let once = bytes(&rich((25, 1), "10:00:00:00"), format.name, Lang::Ru);
        let twice = bytes(&rich((25, 1), "10:00:00:00"), format.name, Lang::Ru);
        assert!(!once.is_empty(), "{}", format.name);
        assert_eq!(once, twice, "{}", format.name);
    }
}

#[test]
fn an_empty_report_is_a_file_all_the_same() {
    let empty = report(video((25, 1), "00:00:00:00"), &[]);
    for format in Format::ALL {
        let _ = bytes(&empty, format.name, Lang::En);
    }
}
