mod extends;
mod library;
mod shipped;

use super::*;
use crate::Dictionaries;

const GOOD: &str = "pack: 1
id: mine
version: '2'
effective: { from: 2026-03-01, until: 2026-12-31 }
title: { ru: Моя, en: Mine }
source: { ru: x, en: x }
disclaimer: { ru: x, en: x }
required: [speech]
categories:
  - code: profanity
    name: { ru: Брань, en: Swearing }
    clause: { ru: x, en: x }
    severity: high
rules:
  - id: said
    category: profanity
    tasks: [speech]
    dictionaries: [profanity-ru]
    verdict: fail
    source: whisper_profanity
";

fn lists() -> &'static Dictionaries {
    static LISTS: std::sync::LazyLock<Dictionaries> =
        std::sync::LazyLock::new(|| Dictionaries::built_in().unwrap());
    &LISTS
}

fn parse(yaml: &str) -> Result<Pack, PackError> {
    let lists = lists();
    Pack::parse(yaml, |name| lists.find(name).is_some())
}

#[test]
fn the_general_pack_loads_and_all_its_dictionaries_exist() {
    let lists = lists();
    let pack = Pack::general(|name| lists.find(name).is_some()).unwrap();
    assert_eq!(pack.id, "general");
    for code in [
        "nudity",
        "violence",
        "profanity",
        "insult",
        "alcohol",
        "tobacco",
        "drugs",
        "weapons",
        "brand",
        "advertising",
    ] {
        assert!(pack.find_category(code).is_some(), "{code}");
        assert!(
            pack.rules.iter().any(|rule| rule.category == code),
            "{code}"
        );
    }
    for label in pack.rules.iter().flat_map(|rule| &rule.labels) {
        assert!(pack.labels.contains_key(label), "{label} has no name");
    }
}

#[test]
fn a_pack_of_ones_own_loads_with_defaults() {
    let pack = parse(GOOD).unwrap();
    let rule = &pack.rules[0];
    assert_eq!(
        (rule.risk_code.as_str(), rule.min_score, rule.merge_gap_ms),
        ("mat_speech", 0.0, 0)
    );
    assert!(pack.holds_on(time::macros::date!(2026 - 12 - 31)));
    assert!(!pack.holds_on(time::macros::date!(2027 - 01 - 01)));
}

/// What is written in the place of what, in which line that is wrong, and a part of the reason.
const FAULTS: &[(&str, &str, u64, &str)] = &[
    ("pack: 1", "pack: 2", 1, "format 1"),
    (
        "    category: profanity",
        "    category: cursing",
        16,
        "unknown category `cursing`",
    ),
    (
        "[profanity-ru]",
        "[klingon]",
        18,
        "unknown dictionary `klingon`",
    ),
    ("tasks: [speech]", "tasks: [smell]", 17, "not a task"),
    ("severity: high", "severity: huge", 13, "huge"),
    ("verdict: fail", "verdict: maybe", 19, "maybe"),
    (
        "verdict: fail",
        "verdict: fail\n    min_score: 2",
        20,
        "between 0 and 1",
    ),
    (
        "verdict: fail",
        "verdict: fail\n    merge_gap_ms: -1",
        20,
        "milliseconds",
    ),
    (
        "verdict: fail",
        "verdict: fail\n    colour: red",
        20,
        "colour",
    ),
    ("id: said", "id: ../said", 15, "letters"),
    ("2026-03-01", "yesterday", 4, "date"),
    ("2026-12-31", "2026-02-28", 4, "before it begins"),
    ("code: profanity", "code: boredom", 10, "there are nudity"),
    (
        "severity: high",
        "severity: high\n    risk_code: alcohol",
        14,
        "unknown risk `alcohol` of category `profanity`; there are mat_speech",
    ),
    (
        "verdict: fail",
        "verdict: fail\n    band: 16+",
        20,
        "the pack has no `scale`",
    ),
    (
        "verdict: fail",
        "verdict: fail\n    worse_when: [{ count: 0, verdict: fail }]",
        20,
        "0 is not 1 to",
    ),
    (
        "verdict: fail",
        "verdict: fail\n    worse_when: [{ count: 2 }]",
        20,
        "a band or a verdict",
    ),
    (
        "verdict: fail",
        "verdict: fail\n    worse_when: [{ verdict: fail }]",
        15,
        "count, length_ms or total_ms",
    ),
    (
        "verdict: fail",
        "verdict: fail\n    worse_when:\n      - { within_ms: 9, length_ms: 1, verdict: fail }",
        21,
        "how close `count` events are",
    ),
    (
        "tasks: [speech]",
        "tasks: [context]",
        15,
        "finds nothing by itself",
    ),
    (
        "verdict: fail",
        "verdict: fail\n    cross_check: 0.5",
        20,
        "frames only",
    ),
    (
        "id: mine",
        "id: mine\nextends: other",
        3,
        "unknown pack `other`",
    ),
    (
        "id: mine",
        "id: mine\nextends: mine",
        3,
        "cannot extend itself",
    ),
    (
        "required: [speech]",
        "required: [speech]\nthresholds: { said: 0.5 }",
        9,
        "no inherited rule is called `said`",
    ),
    (
        "required: [speech]",
        "required: [speech]\nwithout: [said]",
        9,
        "no inherited rule is called `said`",
    ),
    ("tasks: [speech]", "tasks: [objects]", 15, "speech and text"),
    (
        "dictionaries: [profanity-ru]",
        "labels: []",
        15,
        "labels or dictionaries",
    ),
];

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for &(old, new, line, reason) in FAULTS {
        assert!(GOOD.contains(old), "{old}");
        let error = parse(&GOOD.replacen(old, new, 1)).unwrap_err();
        assert!(error.reason.contains(reason), "{new}: {error}");
        assert_eq!(error.line, line, "{new}: {error}");
    }
}

#[test]
fn what_is_no_pack_at_all_is_refused() {
    for yaml in ["", "[]", "a: [", "\t", "id: x", "- - - -", "\u{0}"] {
        assert!(parse(yaml).is_err(), "{yaml:?}");
    }
    assert!(
        parse(&"#".repeat(600_000))
            .unwrap_err()
            .reason
            .contains("larger")
    );
    for deep in [
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(100_000),
    ] {
        assert!(parse(&deep).is_err());
    }
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n\
                d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nid: *e\n";
    assert!(parse(bomb).is_err());
}

#[test]
fn the_same_category_or_rule_twice_is_refused() {
    let rule = GOOD.split("rules:\n").nth(1).unwrap();
    assert!(
        parse(&format!("{GOOD}{rule}"))
            .unwrap_err()
            .reason
            .contains("twice")
    );
}

#[test]
fn a_pack_without_its_source_or_disclaimer_is_refused() {
    for field in ["source", "disclaimer"] {
        let error = parse(&GOOD.replacen(&format!("{field}: {{ ru: x, en: x }}\n"), "", 1));
        let error = error.unwrap_err();
        assert_eq!(error.line, 2);
        assert!(error.reason.contains(field), "{error}");
    }
}

/// The same bytes damaged in many ways: whatever comes of it, nothing breaks, and an error about a place
/// names one that the file has.
#[test]
fn damaged_packs_are_read_or_refused_and_never_break() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    let pieces = [
        ":", "-", "[", "]", "{", "}", "&a", "*a", "!!", "|", "\n", "  ", "'", "\"", "#", "\u{0}",
        "9e999", "~", "<<: ", "\t", "\u{feff}", "\u{202e}", "-1", "null",
    ];
    for _ in 0..3_000 {
        let mut yaml: Vec<char> = GOOD.chars().collect();
        for _ in 0..=random(3) {
            let at = random(yaml.len());
            match random(3) {
                0 => yaml.truncate(at.max(1)),
                1 => drop(yaml.drain(at..(at + random(9)).min(yaml.len()))),
                _ => drop(yaml.splice(at..at, pieces[random(pieces.len())].chars())),
            }
            if yaml.is_empty() {
                break;
            }
        }
        let yaml: String = yaml.into_iter().collect();
        if let Err(error) = parse(&yaml) {
            let lines = u64::try_from(yaml.lines().count()).unwrap();
            assert!(error.line <= lines + 1, "{error}: {yaml:?}");
            assert!(!error.reason.is_empty(), "{yaml:?}");
        }
    }
}
