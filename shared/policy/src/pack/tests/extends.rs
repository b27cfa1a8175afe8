//! A studio's own pack on top of another.

use super::*;

const OWN: &str = "pack: 1
id: studio
version: '1'
extends: general
effective: { from: 2026-06-01 }
title: { ru: Студия, en: Studio }
thresholds: { weapon-object: 0.8 }
without: [brand-speech, brand-text, brand-object]
categories:
  - code: gambling
    clause: { ru: правила студии, en: rules of the studio }
    severity: high
  - code: alcohol
    clause: { ru: правила студии, en: rules of the studio }
    severity: high
rules:
  - id: betting
    category: gambling
    tasks: [speech]
    dictionaries: [gambling]
    verdict: fail
    source: whisper_stopword
  - id: tobacco-object
    category: tobacco
    tasks: [objects]
    labels: [hookah]
    verdict: fail
    source: yolo_object
";

fn packs() -> Packs {
    Packs::built_in(|name| lists().find(name).is_some()).unwrap()
}

fn read(yaml: &str) -> Result<Pack, PackError> {
    packs().read(yaml, |name| lists().find(name).is_some())
}

#[test]
fn what_is_not_said_anew_is_inherited() {
    let (own, general) = (read(OWN).unwrap(), Pack::general(|_| true).unwrap());
    assert_eq!(own.extends, ["general"]);
    assert_eq!(
        (&own.required, &own.disclaimer),
        (&general.required, &general.disclaimer)
    );
    assert_eq!(own.rules.len(), general.rules.len() - 3 + 1);
    assert_eq!(own.rules.last().unwrap().id, "tobacco-object");
    assert_eq!(own.find_rule("tobacco-object").unwrap().labels, ["hookah"]);
    assert!(own.find_rule("brand-speech").is_none());
    let score = own.find_rule("weapon-object").unwrap().min_score;
    assert!((score - 0.8).abs() < 1e-6);
}

#[test]
fn a_category_that_is_said_anew_holds_for_inherited_rules_too() {
    let own = read(OWN).unwrap();
    let clause = own.clause("alcohol-speech", "alcohol").unwrap();
    assert_eq!(clause.en, "rules of the studio");
    assert_eq!(
        own.severity("alcohol-speech", "alcohol"),
        Some(Severity::High)
    );
    // The name is the taxonomy's.
    let gambling = own.find_category("gambling").unwrap();
    assert_eq!(
        (gambling.name.en.as_str(), gambling.risk_code.as_str()),
        ("Gambling", "gambling")
    );
}

#[test]
fn a_pack_stands_on_the_version_of_its_first_day() {
    let mut packs = packs();
    let knows = |name: &str| lists().find(name).is_some();
    let later = include_str!("../../../packs/general.yaml")
        .replace("version: \"1.0.0\"", "version: \"2.0.0\"")
        .replace("from: 2026-01-01", "from: 2026-09-01")
        .replace("unclear_below: 0.45", "unclear_below: 0.6");
    packs.add(&later, knows).unwrap();
    let close = |a: f32, b: f32| (a - b).abs() < 1e-6;
    assert!(close(packs.read(OWN, knows).unwrap().unclear_below, 0.45));
    let next = OWN.replace("from: 2026-06-01", "from: 2026-09-01");
    assert!(close(packs.read(&next, knows).unwrap().unclear_below, 0.6));
    let before = OWN.replace("from: 2026-06-01", "from: 2025-06-01");
    let error = packs.read(&before, knows).unwrap_err();
    assert_eq!(error.line, 4);
    assert!(error.reason.contains("in force on 2025-06-01"), "{error}");
}

#[test]
fn packs_that_go_round_in_a_circle_are_refused_and_the_old_one_stays() {
    let mut packs = packs();
    let knows = |name: &str| lists().find(name).is_some();
    packs.add(OWN, knows).unwrap();
    let second = OWN
        .replace("id: studio", "id: season")
        .replace("extends: general", "extends: studio")
        .replace("without: [brand-speech, brand-text, brand-object]\n", "");
    packs.add(&second, knows).unwrap();
    let circle = OWN
        .replace("version: '1'", "version: '2'")
        .replace("extends: general", "extends: season");
    let error = packs.add(&circle, knows).unwrap_err();
    assert_eq!(error.line, 4);
    assert!(error.reason.contains("circle"), "{error}");
    let day = time::macros::date!(2026 - 07 - 01);
    assert_eq!(packs.in_force("studio", day).unwrap().version, "1");
}

#[test]
fn a_scale_of_ones_own_fits_the_inherited_rules_or_is_refused() {
    let shorter = "pack: 1
id: short
version: '1'
extends: youtube-advertiser-friendly
title: { ru: x, en: x }
scale:
  title: { ru: x, en: x }
  bands:
    - { code: full, name: { ru: x, en: x } }
    - { code: none, name: { ru: x, en: x } }
";
    let error = read(shorter).unwrap_err();
    assert!(error.reason.contains("unknown band `limited`"), "{error}");
    assert!(
        error.reason.contains("profanity-speech"),
        "the rule is named: {error}"
    );
}
