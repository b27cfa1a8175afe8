use shared_domain::{Detection, Task};

use super::*;
use crate::report::tests::{aged, coverage, detection, facts, report, said, shown};
use crate::report::{Decision, Stage};

/// A 2×1 PNG.
const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAYAAAD0In+KAAAADklEQVR4nGP4z8DwHwQBEPgD/U6VwW8AAAAASUVORK5CYII=";

fn page(detections: &[Detection], lang: Lang) -> String {
    let report = report(facts("ролик.mp4"), detections, &coverage());
    report.to_html(lang, &BTreeMap::new()).unwrap()
}

#[test]
fn hostile_text_is_only_text() {
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> сука &amp; </style><b>";
    let mut words = said(evil, 1_000, 0.9);
    words.object_key = evil.into();
    let mut label = detection(Task::Nudity, "nsfw", 0.9, (0, 500));
    label.object_key = evil.into();
    let mut gaps = coverage();
    gaps[0].gaps.push(crate::Gap {
        start_ms: 0,
        end_ms: 10,
        reason: evil.into(),
    });
    gaps[1].limits.push(evil.into());
    let mut video = facts(evil);
    video.languages = vec![evil.into()];
    let mut report = report(video, &[words, shown(evil, (0, 500)), label], &gaps);
    report.run.models[0].model = evil.into();
    report.risks[0].decision = Some(Decision {
        label: evil.into(),
        by: evil.into(),
        at: report.run.started_at,
        comment: Some(evil.into()),
        carried_from: None,
    });
    let frames = [
        evil,
        "javascript:alert(1)",
        "data:text/html,<b>",
        "data:image/png;base64,\"onload=x",
    ];
    for frame in frames {
        let html = report
            .to_html(Lang::En, &BTreeMap::from([(evil.into(), frame.into())]))
            .unwrap();
        assert!(
            !html.contains("<script")
                && !html.contains("<img")
                && !html.contains("onerror=alert(2)>")
        );
        assert_eq!(html.matches("</style>").count(), 1);
    }
}

#[test]
fn the_page_needs_nothing_from_outside() {
    let html = page(&[said("вот сука такая", 0, 0.9)], Lang::Ru);
    for outside in [
        "http://", "https://", "src=\"/", "@import", "<script", "url(",
    ] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn a_caption_that_stays_is_quoted_once() {
    let standing = [
        shown("Промокод ЛЕТО20", (1_000, 2_000)),
        shown("Промокод ЛЕТО20", (2_000, 3_000)),
    ];
    let html = page(&standing, Lang::Ru);
    assert_eq!(html.matches("<mark>Промокод</mark>").count(), 1);
}

#[test]
fn the_matched_word_is_marked_in_what_was_said() {
    let html = page(&[said("вот сука такая", 12_000, 0.9)], Lang::Ru);
    assert!(html.contains("<mark>сука</mark>"), "{html}");
    assert!(html.contains("Найдены серьёзные риски"));
    assert!(html.contains("0:12.4 – 0:12.8"));
}

#[test]
fn what_was_not_checked_is_said_aloud_in_both_languages() {
    let ru = page(&[], Lang::Ru);
    assert!(ru.contains("Рисков не найдено, но проверено не всё"));
    assert!(ru.contains("Насилие: не проверялось"));
    assert!(ru.contains("ещё не проверено человеком"));
    let en = page(&[], Lang::En);
    assert!(en.contains("No risks found, but not everything was checked"));
    assert!(en.contains("Violence: not checked"));
    assert!(en.contains("not verified by a person yet") && en.contains("not legal advice"));
}

#[test]
fn a_page_speaks_one_language() {
    let mut final_report = report(facts("clip.mp4"), &[], &coverage());
    final_report.stage = Stage::Final;
    let html = final_report.to_html(Lang::En, &BTreeMap::new()).unwrap();
    let foreign: String = html
        .chars()
        .filter(|c| ('а'..='я').contains(&c.to_ascii_lowercase()))
        .collect();
    assert_eq!(foreign, "", "Russian letters on the English page");
    assert!(html.contains("Verified by a person"));
}

#[test]
fn a_nude_frame_is_veiled_until_it_is_asked_for() {
    let found = [
        detection(Task::Nudity, "nsfw", 0.97, (0, 500)),
        detection(Task::Objects, "gun", 0.9, (9_000, 9_500)),
    ];
    let frames = found
        .iter()
        .map(|d| (d.object_key.clone(), PIXEL.to_owned()))
        .collect();
    let html = report(facts("a.mp4"), &found, &coverage())
        .to_html(Lang::En, &frames)
        .unwrap();
    assert_eq!(html.matches("class=\"shot veil\"").count(), 1);
    assert_eq!(html.matches("<img ").count(), 2);
}

#[test]
fn a_report_of_nothing_on_nothing_renders() {
    let mut video = facts("");
    video.duration_seconds = 0.0;
    let html = report(video, &[], &[])
        .to_html(Lang::Ru, &BTreeMap::new())
        .unwrap();
    assert!(html.contains("Что не проверено"));
}

#[test]
fn the_age_band_links_to_its_reasons() {
    let found = [said("вот сука такая", 12_000, 0.9)];
    let report = aged(&found);
    let id = report.risks[0].id;
    let html = report.to_html(Lang::Ru, &BTreeMap::new()).unwrap();
    let band = html.split("data-testid=\"band\"").nth(1).unwrap();
    let band = band.split("</div>").next().unwrap();
    for part in [
        "Возрастная категория",
        "не мягче",
        "18+",
        &format!("href=\"#r-{id}\">1</a>"),
    ] {
        assert!(band.contains(part), "{part}: {band}");
    }
    let none = page(&found, Lang::Ru);
    assert!(
        !none.contains("data-testid=\"band\""),
        "general has no scale"
    );
}
