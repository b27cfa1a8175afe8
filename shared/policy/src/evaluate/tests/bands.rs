//! Age bands and advertising grades by kind, frequency and length.

use time::macros::date;

use super::*;
use crate::Packs;

fn pack(id: &str) -> Pack {
    static PACKS: std::sync::LazyLock<Packs> =
        std::sync::LazyLock::new(|| Packs::built_in(|name| lists().find(name).is_some()).unwrap());
    let day = date!(2026 - 05 - 01);
    PACKS.in_force(id, day).unwrap().clone()
}

fn judged_by(id: &str, detections: &[Detection]) -> Evaluation {
    evaluate(detections, &full(), &pack(id), lists())
}

fn band(id: &str, detections: &[Detection]) -> String {
    judged_by(id, detections).rating.unwrap().band
}

/// Sights of a thing, each in a scene of its own.
fn scenes(task: Task, label: &str, score: f32, count: i64, length_ms: i64) -> Vec<Detection> {
    (0..count)
        .map(|n| n * (length_ms + 60_000))
        .map(|start_ms| seen(task, label, score, (start_ms, start_ms + length_ms)))
        .collect()
}

/// A word every half minute.
fn repeated(word: &str, count: i64) -> Vec<Detection> {
    (0..count)
        .map(|n| said(&[(word, 0.9)], n * 30_000))
        .collect()
}

#[test]
fn a_video_without_anything_is_for_everybody() {
    let result = judged_by("ru-436-fz", &[said(&[("Добрый", 0.9), ("день", 0.9)], 0)]);
    let rating = result.rating.unwrap();
    assert_eq!((rating.band.as_str(), rating.at_least), ("0+", false));
    assert!(rating.reasons.is_empty());
    assert_eq!(result.verdict, Verdict::Pass);
}

#[test]
fn the_kind_of_a_thing_decides_its_band() {
    let violence = |score| seen(Task::Violence, "violence", score, (0, 2_000));
    let object = |label: &str| seen(Task::Objects, label, 0.9, (0, 2_000));
    let nudity = |label: &str, score| seen(Task::Nudity, label, score, (0, 2_000));
    let cases = [
        (violence(0.6), "6+"),
        (violence(0.9), "12+"),
        (object("beer"), "12+"),
        (object("cigarette"), "16+"),
        (object("syringe"), "18+"),
        (nudity("sexy", 0.8), "12+"),
        (nudity("nsfw", 0.8), "16+"),
        (nudity("nsfw", 0.95), "18+"),
        (nudity("porn", 0.95), "forbidden"),
        (object("swastika"), "forbidden"),
        (said(&[("водка", 0.9)], 0), "12+"),
        (said(&[("казино", 0.9)], 0), "12+"),
        (said(&[("блядь", 0.9)], 0), "18+"),
        (shown("СУКА", 0.5, (0, 1_000)), "18+"),
    ];
    for (detection, expected) in cases {
        let about = format!("{} {:?}", detection.label, detection.text);
        assert_eq!(band("ru-436-fz", &[detection]), expected, "{about}");
    }
}

#[test]
fn frequency_raises_the_band() {
    let fights = |count| scenes(Task::Violence, "violence", 0.9, count, 2_000);
    assert_eq!(band("ru-436-fz", &fights(2)), "12+");
    assert_eq!(band("ru-436-fz", &fights(3)), "16+");
    assert_eq!(band("ru-436-fz", &fights(11)), "16+");
    assert_eq!(band("ru-436-fz", &fights(12)), "18+");

    assert_eq!(band("ru-436-fz", &repeated("кокаин", 2)), "12+");
    assert_eq!(band("ru-436-fz", &repeated("кокаин", 3)), "16+");
    assert_eq!(band("ru-436-fz", &repeated("кокаин", 15)), "18+");
}

#[test]
fn events_that_are_far_apart_are_not_dense() {
    // Twelve fights are 18+ within half an hour only.
    let spread: Vec<Detection> = (0..12)
        .map(|n| n * 240_000)
        .map(|at| seen(Task::Violence, "violence", 0.9, (at, at + 2_000)))
        .collect();
    assert_eq!(band("ru-436-fz", &spread), "16+");
}

#[test]
fn length_raises_the_band() {
    let fight = |ms| scenes(Task::Violence, "violence", 0.9, 1, ms);
    assert_eq!(band("ru-436-fz", &fight(9_999)), "12+");
    assert_eq!(band("ru-436-fz", &fight(10_000)), "16+");
    assert_eq!(band("ru-436-fz", &fight(180_000)), "18+");
    let smoking = |count| scenes(Task::Objects, "cigarette", 0.9, count, 30_000);
    assert_eq!(band("ru-436-fz", &smoking(2)), "16+");
    assert_eq!(band("ru-436-fz", &smoking(3)), "18+");
}

#[test]
fn the_reasons_are_the_risks_that_decide_and_no_others() {
    let mut detections = vec![seen(Task::Objects, "beer", 0.9, (0, 1_000))];
    detections.extend(
        scenes(Task::Violence, "violence", 0.9, 3, 2_000)
            .into_iter()
            .map(|found| Detection {
                start_ms: found.start_ms + 5_000,
                end_ms: found.end_ms + 5_000,
                ..found
            }),
    );
    let result = judged_by("ru-436-fz", &detections);
    let rating = result.rating.unwrap();
    assert_eq!(
        (rating.band.as_str(), &rating.reasons[..]),
        ("16+", &[1, 2, 3][..])
    );
    assert!(
        rating
            .reasons
            .iter()
            .all(|at| result.triggers[*at].category == "violence")
    );
}

#[test]
fn what_nobody_can_make_out_decides_no_band() {
    let result = judged_by("ru-436-fz", &[said(&[("блядь", 0.2)], 0)]);
    assert_eq!(result.rating.unwrap().band, "0+");
    assert_eq!(result.verdict, Verdict::Review);
}

#[test]
fn a_band_of_a_video_with_holes_is_the_least_it_can_be() {
    let mut coverage = full();
    coverage[2].failed = 3;
    let result = evaluate(&[], &coverage, &pack("ru-436-fz"), lists());
    let rating = result.rating.unwrap();
    assert_eq!((rating.band.as_str(), rating.at_least), ("0+", true));
}

#[test]
fn advertising_goes_by_frequency_and_a_step_may_fail_a_video() {
    let id = "youtube-advertiser-friendly";
    assert_eq!(band(id, &repeated("fuck", 3)), "full");
    let dense: Vec<Detection> = (0..12).map(|n| said(&[("fuck", 0.9)], n * 8_000)).collect();
    assert_eq!(band(id, &dense), "limited");
    assert_eq!(band(id, &repeated("fuck", 60)), "limited");
    assert_eq!(
        band(id, &[seen(Task::Nudity, "nsfw", 0.95, (0, 1_000))]),
        "none"
    );

    let short = judged_by(id, &scenes(Task::Violence, "violence", 0.9, 1, 5_000));
    assert_eq!(short.verdict, Verdict::Review);
    let long = judged_by(id, &scenes(Task::Violence, "violence", 0.9, 1, 120_000));
    assert_eq!(
        (long.verdict, long.triggers[0].verdict),
        (Verdict::Fail, RuleVerdict::Fail)
    );
    assert_eq!(long.rating.unwrap().band, "none");
}

#[test]
fn packs_without_a_scale_rate_nothing() {
    assert_eq!(judged(&[said(&[("сука", 0.9)], 0)]).rating, None);
    assert_eq!(judged_by("ru-38-fz-ads", &[]).rating, None);
}

#[test]
fn drugs_in_a_work_ask_for_the_warning() {
    let id = "ru-drugs-2026";
    assert_eq!(band(id, &[]), "none");
    assert_eq!(band(id, &repeated("кокаин", 1)), "marking");
    assert_eq!(band(id, &repeated("кокаин", 10)), "promotion");
}

#[test]
fn each_law_finds_its_own() {
    let found = [
        said(&[("промокод", 0.9)], 0),
        seen(Task::Objects, "swastika", 0.9, (10_000, 11_000)),
    ];
    let categories = |id: &str| -> Vec<String> {
        let result = judged_by(id, &found);
        result.triggers.into_iter().map(|t| t.category).collect()
    };
    assert_eq!(categories("ru-38-fz-ads"), ["advertising"]);
    assert_eq!(categories("ru-20-3-symbols"), ["symbols"]);
    let verdict = |id: &str| judged_by(id, &found).verdict;
    assert_eq!(verdict("ru-38-fz-ads"), Verdict::Review);
    assert_eq!(verdict("ru-20-3-symbols"), Verdict::Fail);
}

#[test]
fn the_law_on_advertising_goes_by_how_far_an_advertisement_is_marked() {
    let ad = said(&[("промокод", 0.9)], 0);
    let told = |mark: &str| {
        let found = [ad.clone(), shown(mark, 0.9, (0, 1_000))];
        let trigger = judged_by("ru-38-fz-ads", &found).triggers.remove(0);
        (trigger.rule, trigger.risk_code)
    };
    let cases = [
        ("завтрак", "unmarked"),
        ("Реклама", "partly-marked"),
        ("Реклама. ООО «Ромашка» erid: 2VtzqxXyZ12", "marked"),
    ];
    for (mark, marking) in cases {
        let rule = format!("advertising-{marking}");
        let code = format!("ad_{}", marking.replace('-', "_"));
        assert_eq!(told(mark), (rule, code), "{mark}");
    }
}

#[test]
fn a_hole_in_what_a_pack_makes_nothing_of_is_none_of_its_business() {
    let mut coverage = full();
    let nudity = coverage
        .iter_mut()
        .find(|c| c.task == Task::Nudity)
        .unwrap();
    nudity.failed = 3;
    let verdict = |id: &str| evaluate(&[], &coverage, &pack(id), lists()).verdict;
    assert_eq!(verdict("ru-20-3-symbols"), Verdict::Pass);
    assert_eq!(verdict("ru-436-fz"), Verdict::Review);
    let told = evaluate(&[], &coverage, &pack("ru-20-3-symbols"), lists()).not_checked;
    assert_eq!(told.len(), 1, "it is told all the same");
}
