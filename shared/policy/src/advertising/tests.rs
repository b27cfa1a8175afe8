use shared_domain::{BBox, Detection, QR, Task, Word};

use super::*;
use crate::evaluate::{TaskCoverage, Verdict, evaluate};
use crate::pack::RuleVerdict;

mod corpus;

fn lists() -> &'static Dictionaries {
    static LISTS: std::sync::LazyLock<Dictionaries> =
        std::sync::LazyLock::new(|| Dictionaries::built_in().unwrap());
    &LISTS
}

fn pack() -> Pack {
    Pack::general(|_| true).unwrap()
}

fn seen(task: Task, label: &str, span: (i64, i64)) -> Detection {
    Detection {
        task,
        label: label.into(),
        score: 0.9,
        start_ms: span.0,
        end_ms: span.1,
        bbox: None,
        text: None,
        words: Vec::new(),
        object_key: format!("frames/{}.jpg", span.0),
    }
}

/// A line on the screen for two seconds.
fn shown(text: &str, at_ms: i64) -> Detection {
    Detection {
        text: Some(text.into()),
        bbox: Some(BBox {
            x: 0.1,
            y: 0.8,
            w: 0.5,
            h: 0.05,
        }),
        ..seen(Task::Text, "text", (at_ms, at_ms + 2_000))
    }
}

fn code(payload: &str, at_ms: i64) -> Detection {
    Detection {
        label: QR.into(),
        ..shown(payload, at_ms)
    }
}

/// A sentence, three words a second.
fn said(text: &str, at_ms: i64) -> Detection {
    let word = |(index, text): (usize, &str)| {
        let start_ms = at_ms + 330 * i64::try_from(index).unwrap();
        Word {
            text: text.into(),
            start_ms,
            end_ms: start_ms + 300,
            probability: Some(0.9),
        }
    };
    let words: Vec<Word> = text.split_whitespace().enumerate().map(word).collect();
    let end_ms = words.last().unwrap().end_ms;
    Detection {
        text: Some(text.into()),
        words,
        ..seen(Task::Speech, "ru", (at_ms, end_ms))
    }
}

fn found(detections: &[Detection]) -> Vec<Trigger> {
    triggers(detections, &pack(), lists())
}

fn told(detections: &[Detection]) -> Vec<String> {
    let triggers = found(detections);
    triggers
        .into_iter()
        .map(|trigger| trigger.description.en)
        .collect()
}

#[test]
fn a_promo_code_without_a_mark_is_unmarked_advertising() {
    let triggers = found(&[said("Ловите промокод ЛЕТО и передайте подруге", 5_000)]);
    let [trigger] = &triggers[..] else {
        panic!("{triggers:?}")
    };
    assert_eq!(trigger.rule, "advertising-unmarked");
    assert_eq!((trigger.start_ms, trigger.end_ms), (5_330, 5_630));
    assert_eq!(
        (trigger.task, trigger.verdict),
        (Task::Speech, RuleVerdict::Review)
    );
    assert_eq!(
        trigger.description.ru,
        "Реклама без пометки: «промокод»; нет слова «Реклама», рекламодателя, идентификатора ERID"
    );
    assert_eq!(
        trigger.description.en,
        "Unmarked advertising: “промокод”; missing: the word “Реклама”, the advertiser, the identifier ERID"
    );
}

#[test]
fn a_full_mark_on_the_screen_marks_what_is_said() {
    let triggers = found(&[
        shown("Реклама. ООО «Ромашка» erid: 2VtzqxXyZ12", 0),
        said("Скачивайте приложение Кока-Кола", 4_000),
    ]);
    assert_eq!(triggers.len(), 1, "{triggers:?}");
    assert_eq!(triggers[0].rule, "advertising-marked");
    assert!(
        triggers[0]
            .description
            .en
            .starts_with("Marked advertising:")
    );
    let shown = triggers[0]
        .evidence
        .iter()
        .filter(|e| e.object_key == "frames/0.jpg");
    assert_eq!(shown.count(), 3, "the mark is shown as evidence");
    let best = &triggers[0].evidence[triggers[0].best];
    assert!(
        best.at_ms >= 4_000,
        "the best evidence is the advertisement itself"
    );
}

#[test]
fn every_missing_part_is_named() {
    let ad = said("Ловите промокод ЛЕТО", 1_000);
    let lacks = |marks: &[&str]| {
        let mut all = vec![ad.clone()];
        all.extend(marks.iter().map(|mark| shown(mark, 2_000)));
        let told = told(&all);
        assert_eq!(told.len(), 1, "{told:?}");
        told[0]
            .split("missing: ")
            .nth(1)
            .unwrap_or_default()
            .to_owned()
    };
    let (word, advertiser, erid) = (
        "the word “Реклама”",
        "the advertiser",
        "the identifier ERID",
    );
    assert_eq!(lacks(&["РЕКЛАМА"]), format!("{advertiser}, {erid}"));
    assert_eq!(lacks(&["ООО «Ромашка»"]), format!("{word}, {erid}"));
    assert_eq!(lacks(&["erid: LjN8Kaaxi"]), format!("{word}, {advertiser}"));
    assert_eq!(lacks(&["Реклама", "ИНН 7707083893"]), erid);
    assert_eq!(lacks(&["Реклама shop.example.ru", "erid 2VtzqxXyZ12"]), "");
}

#[test]
fn marks_are_heard_as_well_as_seen() {
    let told = told(&[
        said("На правах рекламы. ИП Иванов, ерид указан в описании", 0),
        said("Спонсор выпуска дарит скидку", 6_000),
    ]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("Marked advertising"), "{told:?}");
}

#[test]
fn a_mark_far_away_marks_nothing() {
    let told = told(&[
        shown("Реклама. ООО «Ромашка» erid: 2VtzqxXyZ12", 0),
        said("Ловите промокод ЛЕТО", 60_000),
    ]);
    // The marking itself says that something was advertised there.
    assert!(told[0].starts_with("Marked"), "{told:?}");
    assert!(told[1].starts_with("Unmarked"), "{told:?}");
}

#[test]
fn signs_are_joined_in_time_across_speech_screen_logo_and_code() {
    let logo = seen(Task::Objects, "logo", (3_000, 5_000));
    let triggers = found(&[
        logo.clone(),
        said("Переходите по ссылке", 8_000),
        code("https://ozon.ru/product/7", 20_000),
        said("Введите промокод", 90_000),
    ]);
    let spans: Vec<_> = triggers.iter().map(|t| (t.start_ms, t.end_ms)).collect();
    assert_eq!(spans, [(3_000, 22_000), (90_330, 90_630)]);
    assert!(found(&[logo]).is_empty(), "a logo alone is a mention");
    assert!(
        triggers[0].description.en.contains("QR code"),
        "{:?}",
        triggers[0].description
    );
}

#[test]
fn a_code_is_evidence_with_its_place_and_its_own_identifier() {
    let triggers = found(&[code("https://shop.example.ru/?erid=2VtzqxXyZ12", 1_000)]);
    assert_eq!(triggers.len(), 1);
    let evidence = &triggers[0].evidence[0];
    assert_eq!((evidence.at_ms, evidence.bbox.is_some()), (1_000, true));
    assert!(
        !triggers[0].description.en.contains("ERID"),
        "{:?}",
        triggers[0].description
    );
    assert!(found(&[code("WIFI:S:cafe;;", 0)]).is_empty());
    // What a code holds is not read as text.
    let words = evaluate(&[code("https://example.org/хуй", 0)], &[], &pack(), lists());
    assert!(words.triggers.is_empty(), "{:?}", words.triggers);
}

#[test]
fn what_was_hardly_heard_fails_nothing_and_what_was_hardly_read_is_passed_over() {
    let mut strict = pack();
    for rule in &mut strict.rules {
        if rule.id == "advertising-unmarked" {
            rule.verdict = RuleVerdict::Fail;
        }
    }
    let mut heard = said("Введите промокод", 0);
    for word in &mut heard.words {
        word.probability = Some(0.4);
    }
    let trigger = &triggers(&[heard], &strict, lists())[0];
    assert!(trigger.unclear);
    assert_eq!(trigger.verdict, RuleVerdict::Review);
    let faint = Detection {
        score: 0.1,
        ..shown("ПРОМОКОД", 0)
    };
    assert!(found(&[faint]).is_empty());
}

#[test]
fn a_pack_that_does_not_ask_is_told_nothing() {
    let mut silent = pack();
    silent
        .rules
        .retain(|rule| rule.source != "advertising_detector");
    assert!(triggers(&[said("Введите промокод", 0)], &silent, lists()).is_empty());
}

#[test]
fn a_report_has_it_in_its_order_of_time() {
    let detections = [
        said("сука", 0),
        said("Введите промокод", 2_000),
        said("сука", 9_000),
    ];
    let coverage: Vec<_> = pack().required.into_iter().map(TaskCoverage::run).collect();
    let result = evaluate(&detections, &coverage, &pack(), lists());
    let order: Vec<&str> = result
        .triggers
        .iter()
        .map(|t| t.category.as_str())
        .collect();
    assert_eq!(order, ["profanity", "advertising", "profanity"]);
    assert_eq!(result.verdict, Verdict::Fail);
}

#[test]
fn a_caption_that_stays_is_one_advertisement() {
    let frames: Vec<_> = (0..60).map(|n| shown("ПРОМОКОД ЛЕТО", n * 2_000)).collect();
    let triggers = found(&frames);
    assert_eq!(triggers.len(), 1);
    assert_eq!((triggers[0].start_ms, triggers[0].end_ms), (0, 120_000));
    assert!(triggers[0].evidence.len() <= MAX_EVIDENCE);
}

#[test]
fn tokens_are_told_from_words() {
    let right = [
        "erid: 2VtzqxXyZ12",
        "ERID:LjN8Kaaxi",
        "erid=Kra23f3vL",
        "еrid: LatgBzHx7",
        "er1d 2SDnjcbs16H",
        "ericl: 2SDnjcbs16H",
        "Erid: 2Vtz qxXyZ12",
        "https://shop.ru/?utm=1&erid=5jtCeReNx12oajt7Yg&x",
        "erid2VtzqxXyZ12",
        "erid: 2VtzqxХуZ12",
        "реклама 2VtzqxXyZ12",
    ];
    for text in right {
        assert!(erid::find(text).is_some(), "{text}");
    }
    let wrong = [
        "erid",
        "erid: скоро",
        "erid: Romashka",
        "Eridanus 2023",
        "erid: 12345678",
        "токен 2023",
        "период 2VtQ",
        "model S3X5AB77C",
        "",
    ];
    for text in wrong {
        assert!(erid::find(text).is_none(), "{text}");
    }
    for heard in ["ерид", "эрид указан", "e-r-i-d", "и эр ай ди", "erid"] {
        assert!(erid::named(heard).is_some(), "{heard}");
    }
    for other in ["период", "меридиан", "Ериванский", "гербарий"] {
        assert!(erid::named(other).is_none(), "{other}");
    }
}

#[test]
fn no_text_breaks_the_search() {
    for text in [
        "erid:",
        "ИНН",
        "ООО «",
        "е\u{301}rid: \u{200b}",
        "\u{202e}erid=\u{1f600}",
        "ERID: ÀÉ",
    ] {
        let _ = found(&[shown(text, 0), said(&format!("промокод {text}"), 0)]);
    }
}
