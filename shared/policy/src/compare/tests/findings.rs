//! What becomes of findings, on films and words that are made up.

use shared_domain::{Detection, Likeness, Task, Word};
use uuid::Uuid;

use super::film::{Dice, Film, Part};
use crate::compare::{Change, Changes, Fate, Unclear, Version, compare};
use crate::report::tests::{coverage, detection, facts, report, said, shown};
use crate::{Gap, Report, TaskCoverage};

/// One version as it was made up.
struct Made {
    film: Film,
    detections: Vec<Detection>,
    coverage: Vec<TaskCoverage>,
    /// How much compression has changed.
    noise: u64,
}

impl Made {
    fn new(film: Film, detections: Vec<Detection>) -> Self {
        let mut coverage = coverage();
        // The common coverage has a gap of its own.
        coverage[2].gaps.clear();
        Self {
            film,
            detections,
            coverage,
            noise: 1,
        }
    }

    fn gap(mut self, task: Task, start_ms: i64, end_ms: i64) -> Self {
        let found = self.coverage.iter_mut().find(|entry| entry.task == task);
        found.unwrap().gaps.push(Gap {
            start_ms,
            end_ms,
            reason: "no_answer".into(),
        });
        self
    }

    fn report(&self) -> Report {
        let mut video = facts("ролик.mp4");
        video.duration_seconds = super::super::seconds(self.film.length_ms());
        report(video, &self.detections, &self.coverage)
    }

    fn words(&self) -> Vec<Word> {
        let words = self.detections.iter().flat_map(|found| found.words.clone());
        words.collect()
    }
}

fn changes(old: &Made, new: &Made) -> Changes {
    let (before, mut after) = (old.report(), new.report());
    for (n, risk) in (0_u128..).zip(&mut after.risks) {
        risk.id = Uuid::from_u128(500 + n).into();
    }
    with_reports((old, &before), (new, &after))
}

fn with_reports((old, before): (&Made, &Report), (new, after): (&Made, &Report)) -> Changes {
    let [a, b]: [Vec<Likeness>; 2] = [old, new].map(|made| made.film.shown(made.noise));
    let [said_then, said_now] = [old, new].map(Made::words);
    let old = Version {
        report: before,
        pictures: &a,
        words: &said_then,
    };
    let new = Version {
        report: after,
        pictures: &b,
        words: &said_now,
    };
    compare(&old, &new)
}

/// Everything that became of findings of a category.
fn of<'a>(changes: &'a Changes, new: &Report, category: &str) -> Vec<&'a Change> {
    let is = |change: &&Change| match (&change.old, change.new) {
        (Some(old), _) => old.category == category,
        (None, Some(id)) => new
            .risks
            .iter()
            .any(|r| r.id == id && r.category == category),
        (None, None) => false,
    };
    changes.findings.iter().filter(is).collect()
}

fn only(changes: &Changes) -> &Change {
    assert_eq!(changes.findings.len(), 1, "{:#?}", changes.findings);
    &changes.findings[0]
}

fn film() -> Film {
    Film::random(&mut Dice(11), 30)
}

fn knife(at_ms: i64) -> Detection {
    detection(Task::Objects, "knife", 0.9, (at_ms, at_ms + 1_000))
}

fn sentence(at_ms: i64) -> Detection {
    said("ну вот какая же ты сука сказал он ей вчера", at_ms, 0.9)
}

#[test]
fn what_nobody_has_touched_is_still_there_and_its_decision_holds() {
    let made = |noise| Made {
        noise,
        ..Made::new(film(), vec![sentence(40_000), knife(70_000)])
    };
    let found = changes(&made(0), &made(2));
    assert_eq!(
        (found.still_there, found.findings.len()),
        (2, 2),
        "{found:#?}"
    );
    assert_eq!(found.unchanged().count(), 2, "{found:#?}");
    assert_eq!(found.previous.original_name, "ролик.mp4");
}

#[test]
fn what_a_cut_before_it_has_shifted_is_moved_by_its_frames() {
    let cut_ms = 77 * super::FRAME_MS;
    let old = Made::new(film(), vec![sentence(40_000), knife(70_000)]);
    let new = Made::new(
        film().without(10_000, 10_000 + cut_ms),
        vec![sentence(40_000 - cut_ms), knife(70_000 - cut_ms)],
    );
    let found = changes(&old, &new);
    assert_eq!((found.moved, found.findings.len()), (2, 2), "{found:#?}");
    for change in &found.findings {
        assert_eq!(change.shift_seconds, Some(-3.08), "{change:#?}");
        assert!(change.unchanged, "{change:#?}");
    }
}

#[test]
fn what_was_cut_out_is_fixed_whatever_else_has_gaps() {
    let old = Made::new(film(), vec![sentence(40_000)]);
    let new =
        Made::new(film().without(35_000, 50_000), Vec::new()).gap(Task::Speech, 60_000, 61_000);
    let found = changes(&old, &new);
    assert_eq!(only(&found).fate, Fate::Fixed, "{found:#?}");
    assert_eq!(found.fixed, 1);
}

#[test]
fn a_bleeped_word_is_fixed_only_where_somebody_has_listened() {
    let old = Made::new(film(), vec![sentence(40_000)]);
    let bleeped = || {
        Made::new(
            film(),
            vec![said("ну вот какая же ты сказал он ей вчера", 40_000, 0.9)],
        )
    };
    let found = changes(&old, &bleeped());
    assert_eq!(only(&found).fate, Fate::Fixed, "{found:#?}");

    let found = changes(&old, &bleeped().gap(Task::Speech, 41_000, 44_000));
    let only = only(&found);
    assert_eq!(
        (only.fate, only.reason),
        (Fate::Unknown, Some(Unclear::Gap))
    );
    assert_eq!((found.fixed, found.unknown), (0, 1));
}

#[test]
fn what_was_put_in_is_new() {
    let old = Made::new(film(), Vec::new());
    let longer = film().with(30_000, vec![Part::moving(5_000, 0, 6_000)]);
    let new = Made::new(longer, vec![knife(32_000)]);
    let found = changes(&old, &new);
    assert_eq!(only(&found).fate, Fate::New, "{found:#?}");

    // What was always there, and is found only now, is no news if nobody had looked.
    let old = old.gap(Task::Objects, 60_000, 80_000);
    let found = changes(&old, &Made::new(film(), vec![knife(70_000)]));
    let only = only(&found);
    assert_eq!(
        (only.fate, only.reason),
        (Fate::Unknown, Some(Unclear::Gap))
    );
}

#[test]
fn a_task_another_policy_or_another_model_that_was_not_run_fixes_nothing() {
    let old = Made::new(film(), vec![knife(70_000)]);
    let new = Made::new(film(), Vec::new());
    let (before, after) = (old.report(), new.report());
    let reason = |after: &Report| {
        let found = with_reports((&old, &before), (&new, after));
        assert_eq!(
            only(&found).fate == Fate::Unknown,
            only(&found).reason.is_some()
        );
        only(&found).reason
    };
    assert_eq!(reason(&after), None);
    let mut other = after.clone();
    other.run.policy.version = "2".into();
    assert_eq!(reason(&other), Some(Unclear::OtherPolicy));
    let mut other = after.clone();
    let model = other
        .run
        .models
        .iter_mut()
        .find(|used| used.task == Task::Objects);
    model.unwrap().version = "2".repeat(64);
    assert_eq!(reason(&other), Some(Unclear::OtherModel));
    let mut other = after;
    let line = other
        .coverage
        .iter_mut()
        .find(|line| line.task == Task::Objects);
    line.unwrap().run = false;
    assert_eq!(reason(&other), Some(Unclear::NotRun));
}

#[test]
fn versions_that_share_nothing_or_were_never_noted_are_not_compared() {
    let old = Made::new(film(), vec![knife(70_000)]);
    let other = Made::new(Film::random(&mut Dice(3), 30), vec![knife(20_000)]);
    for new in [other, Made::new(Film::default(), vec![knife(70_000)])] {
        let found = changes(&old, &new);
        assert_eq!(found.unknown, 2, "{found:#?}");
        let reasons = found.findings.iter().map(|change| change.reason);
        assert!(reasons.eq([Some(Unclear::NotAligned); 2]), "{found:#?}");
    }
}

#[test]
fn other_words_around_it_are_another_matter_for_the_operator() {
    let old = Made::new(film(), vec![sentence(40_000)]);
    let denied = said("ну вот совсем не ты сука сказал он ей вчера", 40_000, 0.9);
    let new = Made::new(film(), vec![denied]);
    let found = changes(&old, &new);
    assert_eq!(only(&found).fate, Fate::StillThere, "{found:#?}");
    assert_eq!(found.unchanged().count(), 0, "{found:#?}");
}

#[test]
fn another_picture_or_caption_at_its_place_is_decided_anew() {
    let old = Made::new(film(), vec![knife(70_000)]);
    let scene = film()
        .without(69_500, 71_500)
        .with(69_500, vec![Part::moving(8_000, 0, 2_000)]);
    let found = changes(&old, &Made::new(scene, vec![knife(70_000)]));
    assert_eq!(
        only(&found).fate,
        Fate::StillThere,
        "it is not gone: {found:#?}"
    );
    assert_eq!(found.unchanged().count(), 0, "{found:#?}");

    let caption = |text: &str| Made::new(film(), vec![shown(text, (60_000, 62_000))]);
    let found = changes(&caption("водка"), &caption("виски"));
    assert_eq!(found.still_there, 1, "{found:#?}");
    assert_eq!(found.unchanged().count(), 0, "{found:#?}");
    let found = changes(&caption("водка"), &caption("Водка!"));
    assert_eq!(found.unchanged().count(), 1, "{found:#?}");
}

#[test]
fn one_of_two_words_that_is_gone_leaves_the_other_where_it_is() {
    let old = Made::new(
        film(),
        vec![sentence(40_000), knife(70_000), knife(100_000)],
    );
    let new = Made::new(film(), vec![sentence(40_000), knife(100_000)]);
    let found = changes(&old, &new);
    assert_eq!((found.still_there, found.fixed), (2, 1), "{found:#?}");
    let weapons = of(&found, &new.report(), "weapons");
    let fates: Vec<Fate> = weapons.iter().map(|change| change.fate).collect();
    assert_eq!(fates, [Fate::Fixed, Fate::StillThere]);
}

#[test]
fn words_alone_align_what_has_one_picture_all_the_time() {
    let lecture = |cut_ms: i64| {
        let still = Film::of(vec![Part::still(1, 120_000 - cut_ms)]);
        let chapter = |n: i64| {
            let text = format!("глава{n} слово{n} дом{n} река{n} лес{n} поле{n} ночь{n}");
            said(&text, 4_000 * n, 0.9)
        };
        let words = (0..29).map(chapter).chain([said("ты сука", 117_000, 0.9)]);
        let moved = words.map(|mut found| {
            found.start_ms -= cut_ms;
            found.end_ms -= cut_ms;
            for word in &mut found.words {
                word.start_ms -= cut_ms;
                word.end_ms -= cut_ms;
            }
            found
        });
        Made::new(still, moved.filter(|found| found.start_ms >= 0).collect())
    };
    let (old, new) = (lecture(0), lecture(30_000));
    let [then, now] = [&old, &new].map(Made::report);
    let (said_then, said_now) = (old.words(), new.words());
    let version = |report, words| Version {
        report,
        pictures: &[],
        words,
    };
    let found = compare(&version(&then, &said_then), &version(&now, &said_now));
    assert_eq!(only(&found).shift_seconds, Some(-30.0), "{found:#?}");
    assert!(only(&found).unchanged, "{found:#?}");
}

#[test]
fn every_finding_of_both_versions_is_told_of() {
    for seed in 0..20 {
        let mut dice = Dice(seed);
        let old_film = Film::random(&mut dice, 30);
        let new_film = old_film.without(20_000, 33_000);
        let mut found = |length: i64| -> Vec<Detection> {
            let seconds = u64::try_from(length / 1_000 - 2).unwrap();
            let at = |_| i64::try_from(dice.roll(seconds)).unwrap() * 1_000;
            (0..8).map(at).map(knife).collect()
        };
        let (then, now) = (found(old_film.length_ms()), found(new_film.length_ms()));
        let (old, new) = (Made::new(old_film, then), Made::new(new_film, now));
        let changes = changes(&old, &new);
        let told = [
            changes.fixed,
            changes.still_there,
            changes.new,
            changes.moved,
            changes.unknown,
        ];
        assert_eq!(told.iter().sum::<u64>(), changes.findings.len() as u64);
        for risk in &old.report().risks {
            let is = |change: &Change| change.old.as_ref().is_some_and(|old| old.id == risk.id);
            assert!(changes.findings.iter().any(is), "{seed}: {changes:#?}");
        }
        for n in 0..new.report().risks.len() {
            let id = Uuid::from_u128(500 + n as u128).into();
            let told = changes.findings.iter().any(|change| change.new == Some(id));
            assert!(told, "{seed}: {changes:#?}");
        }
    }
}

#[test]
fn the_report_tells_of_it_in_its_schema_and_on_its_page_in_both_languages() {
    let old = Made::new(
        film(),
        vec![sentence(40_000), knife(70_000), knife(100_000)],
    );
    let cut = film().without(10_000, 12_000);
    let new = Made::new(cut, vec![sentence(38_000), knife(98_000), knife(20_000)]);
    let new = new.gap(Task::Objects, 67_500, 69_500);
    let (before, mut after) = (old.report(), new.report());
    let changes = with_reports((&old, &before), (&new, &after));
    assert_eq!(
        (changes.moved, changes.new, changes.unknown),
        (2, 1, 1),
        "{changes:#?}"
    );
    assert_eq!(changes.unchanged().count(), 2, "{changes:#?}");
    let word = after
        .risks
        .iter_mut()
        .find(|risk| risk.kind == Task::Speech);
    word.unwrap().decision = Some(crate::Decision {
        label: "ok_false".into(),
        by: "operator".into(),
        at: before.run.completed_at,
        comment: None,
        carried_from: Some(before.video.id),
    });
    after.changes = Some(changes);

    let schema = serde_json::from_str(crate::JSON_SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let json = after.to_json().unwrap();
    let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&value)
        .map(|e| e.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let back: Report = serde_json::from_slice(&json).unwrap();
    assert_eq!(back, after);
    assert!(!serde_json::to_string(&before).unwrap().contains("changes"));

    let frames = std::collections::BTreeMap::new();
    let ru = after.to_html(shared_domain::Lang::Ru, &frames).unwrap();
    for told in [
        "Что изменилось",
        "сместилось: 2 · появилось: 1 · неизвестно: 1",
        "сдвиг −2,000 с",
        "решение перенесено",
        "не просмотрено",
        "00:00:42.000",
    ] {
        assert!(ru.contains(told), "{told}: {ru}");
    }
    let en = after.to_html(shared_domain::Lang::En, &frames).unwrap();
    for told in [
        "What changed",
        "moved: 2 · new: 1 · unknown: 1",
        "shift −2.000 s",
        "carried over",
    ] {
        assert!(en.contains(told), "{told}: {en}");
    }
}
