use std::collections::HashSet;

use super::*;

fn taxonomy() -> Taxonomy {
    Taxonomy::built_in().unwrap()
}

fn risks(taxonomy: &Taxonomy) -> Vec<&Definition> {
    taxonomy
        .categories()
        .flat_map(|(_, kind)| &kind.risks)
        .collect()
}

#[test]
fn every_code_stands_once_and_every_name_is_in_both_languages() {
    let taxonomy = taxonomy();
    let mut seen = HashSet::new();
    for risk in risks(&taxonomy) {
        assert!(seen.insert(&risk.code), "{} is there twice", risk.code);
        for text in [&risk.name, &risk.description, &risk.clause] {
            assert!(!text.ru.is_empty() && !text.en.is_empty(), "{}", risk.code);
        }
    }
    let mut seen = HashSet::new();
    for (area, kind) in taxonomy.categories() {
        assert!(seen.insert(&kind.code), "{} is there twice", kind.code);
        assert!(!area.name.ru.is_empty() && !kind.name.en.is_empty());
        assert!(!kind.risks.is_empty(), "{} has no risk", kind.code);
    }
}

#[test]
fn codes_of_the_earlier_system_are_kept() {
    let taxonomy = taxonomy();
    let known: HashSet<&str> = risks(&taxonomy).iter().map(|r| r.code.as_str()).collect();
    let floor = [
        "reklama_brand",
        "mat_speech",
        "mat_text",
        "nsfw_18",
        "violence_18",
        "alcohol",
        "tobacco",
        "drugs",
        "symbols",
        "ad_unmarked",
        "text",
        "insult",
        "weapons",
        "reklama",
    ];
    for code in floor {
        assert!(known.contains(code), "{code}");
    }
    let decisions: Vec<&str> = taxonomy.decisions.iter().map(|d| d.code.as_str()).collect();
    assert_eq!(decisions, ["ok", "ok_false"]);
}

#[test]
fn whatever_the_product_promises_to_find_has_a_category() {
    let taxonomy = taxonomy();
    for code in [
        "nudity",
        "violence",
        "blood",
        "weapons",
        "self-harm",
        "profanity",
        "insult",
        "alcohol",
        "tobacco",
        "drugs",
        "gambling",
        "symbols",
        "brand",
        "advertising",
        "personal-data",
        "flashing",
    ] {
        assert!(taxonomy.find_category(code).is_some(), "{code}");
    }
    assert!(taxonomy.find_category("boredom").is_none());
}

#[test]
fn an_operator_answers_with_known_codes_each_once() {
    let taxonomy = taxonomy();
    let mut known: HashSet<&str> = risks(&taxonomy).iter().map(|r| r.code.as_str()).collect();
    known.extend(taxonomy.decisions.iter().map(|d| d.code.as_str()));
    for (_, kind) in taxonomy.categories() {
        let answers: Vec<&str> = taxonomy.answers(kind).collect();
        let distinct: HashSet<&&str> = answers.iter().collect();
        assert_eq!(distinct.len(), answers.len(), "{}", kind.code);
        assert!(answers.iter().all(|a| known.contains(a)), "{answers:?}");
        assert!(answers.contains(&"ok_false"), "{}", kind.code);
    }
    let brand = taxonomy.find_category("brand").unwrap();
    let answers: Vec<&str> = taxonomy.answers(brand).collect();
    assert_eq!(answers, ["reklama_brand", "reklama", "ok", "ok_false"]);
}
