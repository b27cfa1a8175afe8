//! What every pack that comes with the program promises.

use std::collections::HashSet;

use serde_json::Value;

use super::*;

const FILES: [(&str, &str); 6] = [
    ("general", GENERAL),
    ("ru-436-fz", include_str!("../../../packs/ru-436-fz.yaml")),
    (
        "ru-38-fz-ads",
        include_str!("../../../packs/ru-38-fz-ads.yaml"),
    ),
    (
        "ru-20-3-symbols",
        include_str!("../../../packs/ru-20-3-symbols.yaml"),
    ),
    (
        "ru-drugs-2026",
        include_str!("../../../packs/ru-drugs-2026.yaml"),
    ),
    (
        "youtube-advertiser-friendly",
        include_str!("../../../packs/youtube-advertiser-friendly.yaml"),
    ),
];

fn packs() -> Packs {
    Packs::built_in(|name| lists().find(name).is_some()).unwrap()
}

fn schema() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(PACK_SCHEMA).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    jsonschema::validator_for(&schema).unwrap()
}

fn faults(validator: &jsonschema::Validator, yaml: &str) -> Vec<String> {
    let json: Value = serde_saphyr::from_str(yaml).unwrap();
    validator
        .iter_errors(&json)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect()
}

#[test]
fn all_of_them_load_under_their_names() {
    let packs = packs();
    let ids: Vec<&str> = packs.all().iter().map(|pack| pack.id.as_str()).collect();
    assert_eq!(ids, FILES.map(|(id, _)| id));
    assert_eq!(ids, SHIPPED);
}

#[test]
fn each_rule_names_its_clause_and_each_label_has_a_name() {
    let packs = packs();
    for pack in packs.all() {
        for rule in &pack.rules {
            let clause = pack.clause(&rule.id, &rule.category).unwrap();
            assert!(
                !clause.ru.is_empty() && !clause.en.is_empty(),
                "{}",
                rule.id
            );
            for label in &rule.labels {
                assert!(pack.labels.contains_key(label), "{label} has no name");
            }
        }
        let used: HashSet<&str> = pack.rules.iter().map(|r| r.category.as_str()).collect();
        for category in &pack.categories {
            assert!(
                used.contains(category.code.as_str()),
                "{}: nothing is found of {}",
                pack.id,
                category.code
            );
        }
    }
}

#[test]
fn each_says_in_both_languages_that_it_is_no_legal_advice() {
    for pack in packs().all() {
        let said = &pack.disclaimer;
        let ru = said
            .ru
            .to_lowercase()
            .contains("не юридическая консультация");
        let en = said.en.to_lowercase();
        assert!(ru, "{}: {}", pack.id, said.ru);
        assert!(
            en.contains("not legal advice") || en.contains("neither legal advice"),
            "{}: {}",
            pack.id,
            said.en
        );
        assert!(!pack.source.ru.is_empty() && !pack.source.en.is_empty());
    }
}

#[test]
fn the_schema_takes_every_shipped_pack() {
    let validator = schema();
    for (id, yaml) in FILES {
        let faults = faults(&validator, yaml);
        assert!(faults.is_empty(), "{id}: {faults:#?}");
    }
    assert!(faults(&validator, GOOD).is_empty());
}

#[test]
fn the_schema_refuses_what_the_program_refuses() {
    let validator = schema();
    let cases = [
        ("pack: 1", "pack: 2"),
        ("tasks: [speech]", "tasks: [smell]"),
        ("severity: high", "severity: huge"),
        ("verdict: fail", "verdict: maybe"),
        ("verdict: fail", "verdict: fail\n    min_score: 2"),
        ("verdict: fail", "verdict: fail\n    colour: red"),
        (
            "verdict: fail",
            "verdict: fail\n    worse_when: [{ count: 2 }]",
        ),
        (
            "verdict: fail",
            "verdict: fail\n    worse_when: [{ verdict: fail }]",
        ),
        ("id: said", "id: ../said"),
        ("2026-03-01", "yesterday"),
        ("dictionaries: [profanity-ru]", "labels: []"),
        ("source: { ru: x, en: x }\n", ""),
    ];
    for (old, new) in cases {
        let yaml = GOOD.replacen(old, new, 1);
        assert!(parse(&yaml).is_err(), "{new}");
        assert!(!faults(&validator, &yaml).is_empty(), "{new}");
    }
}

#[test]
fn the_age_bands_are_those_of_the_law_and_the_mildest_is_first() {
    let packs = packs();
    let day = time::macros::date!(2026 - 05 - 01);
    let codes = |id: &str| -> Vec<String> {
        let scale = packs.in_force(id, day).unwrap().scale.clone().unwrap();
        scale.bands.into_iter().map(|band| band.code).collect()
    };
    assert_eq!(
        codes("ru-436-fz"),
        ["0+", "6+", "12+", "16+", "18+", "forbidden"]
    );
    assert_eq!(
        codes("youtube-advertiser-friendly"),
        ["full", "limited", "none"]
    );
}
