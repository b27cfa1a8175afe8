//! Answers that are a label, or scores per label, for the whole picture.

use serde_json::{Map, Value};
use shared_domain::{Finding, Target};

use super::AdaptError;
use super::read::{FLOOR, MAX_ITEMS, UNSCORED, joined, label, list, score, unwrapped, whole};

/// Labels that say "nothing here": no evidence.
const INNOCENT: [&str; 6] = ["sfw", "normal", "safe", "neutral", "none", "ok"];

pub(super) fn nsfw_string(output: &Value, _: &Target) -> Result<Vec<Finding>, AdaptError> {
    match joined(output)?.trim().to_lowercase().as_str() {
        "normal" => Ok(Vec::new()),
        "nsfw" => Ok(vec![whole("nsfw".into(), UNSCORED)]),
        _ => Err(AdaptError::Shape("it is neither \"normal\" nor \"nsfw\"")),
    }
}

/// Its source writes the one word when the picture is harmless; of the other nobody has seen a record.
pub(super) fn safety_checker(output: &Value, _: &Target) -> Result<Vec<Finding>, AdaptError> {
    match joined(output)?.trim().to_lowercase().as_str() {
        "safe" => Ok(Vec::new()),
        "unsafe" | "nsfw" => Ok(vec![whole("nsfw".into(), UNSCORED)]),
        _ => Err(AdaptError::Shape("it is neither \"safe\" nor \"unsafe\"")),
    }
}

/// A rank from 0, harmless, to 10.
pub(super) fn prompt_rank(output: &Value, _: &Target) -> Result<Vec<Finding>, AdaptError> {
    let rank: Option<u8> = joined(output)?.trim().parse().ok();
    let rank = rank.filter(|rank| *rank <= 10);
    let rank = rank.ok_or(AdaptError::Shape("it is no rank from 0 to 10"))?;
    let mut findings = Vec::new();
    keep(&mut findings, "unsafe".into(), f32::from(rank) / 10.0);
    Ok(findings)
}

pub(super) fn nsfw_filter(output: &Value, _: &Target) -> Result<Vec<Finding>, AdaptError> {
    let flag = output["nsfw_detected"].as_bool();
    let flag = flag.ok_or(AdaptError::Shape("nsfw_detected is not true or false"))?;
    let mut findings = Vec::new();
    for name in ["nsfw", "special"] {
        let concepts = list(&output[name], "a list of concepts is missing", MAX_ITEMS)?;
        let concepts: Result<Vec<String>, _> = concepts.iter().map(label).collect();
        let concepts = concepts?;
        // Concepts without the flag are resemblances that the model itself does not count.
        if flag && (name == "nsfw" || !concepts.is_empty()) {
            let text = (!concepts.is_empty()).then(|| concepts.join(", "));
            findings.push(Finding {
                text,
                ..whole(name.into(), UNSCORED)
            });
        }
    }
    Ok(findings)
}

pub(super) fn scores(output: &Value, _: &Target) -> Result<Vec<Finding>, AdaptError> {
    match output {
        Value::Object(object) if object.get("labels").is_some_and(Value::is_array) => {
            listed(&object["labels"])
        }
        Value::Object(object) => scored(object),
        Value::Array(_) => listed(output),
        _ => Err(AdaptError::Shape("it holds no scores")),
    }
}

fn listed(items: &Value) -> Result<Vec<Finding>, AdaptError> {
    let mut findings = Vec::new();
    for item in list(items, "it is no list of labels", MAX_ITEMS)? {
        keep(
            &mut findings,
            label(&item["label"])?,
            score(&item["score"])?,
        );
    }
    Ok(findings)
}

fn scored(object: &Map<String, Value>) -> Result<Vec<Finding>, AdaptError> {
    if object.is_empty() {
        return Err(AdaptError::Shape("it holds no scores"));
    }
    if object.len() > MAX_ITEMS {
        return Err(AdaptError::TooMany(MAX_ITEMS));
    }
    let mut findings = Vec::new();
    for (name, value) in object {
        keep(
            &mut findings,
            label(&Value::String(name.clone()))?,
            score(value)?,
        );
    }
    Ok(findings)
}

fn keep(findings: &mut Vec<Finding>, label: String, score: f32) {
    if score >= FLOOR && !INNOCENT.contains(&label.as_str()) {
        findings.push(whole(label, score));
    }
}

pub(super) fn hate_speech(output: &Value, _: &Target) -> Result<Vec<Finding>, AdaptError> {
    let inner = unwrapped(output)?;
    scored(
        inner
            .as_object()
            .ok_or(AdaptError::Shape("the string holds no object"))?,
    )
}

pub(super) fn llama_guard(output: &Value, _: &Target) -> Result<Vec<Finding>, AdaptError> {
    let text = joined(output)?.trim().to_lowercase();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    match lines.next() {
        Some("safe") => Ok(Vec::new()),
        Some("unsafe") => {
            let codes: Vec<&str> = lines
                .flat_map(|line| line.split(','))
                .map(str::trim)
                .take(50)
                .collect();
            let text = (!codes.is_empty()).then(|| codes.join(", "));
            Ok(vec![Finding {
                text,
                ..whole("unsafe".into(), UNSCORED)
            }])
        }
        _ => Err(AdaptError::Shape("it is neither \"safe\" nor \"unsafe\"")),
    }
}

/// A model that writes prose is asked for one JSON object of scores; whatever else it says is ignored.
pub(super) fn prose(output: &Value, _: &Target) -> Result<Vec<Finding>, AdaptError> {
    let text = joined(output)?;
    let start = text
        .find('{')
        .ok_or(AdaptError::Shape("it holds no JSON object"))?;
    let mut objects = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
    match objects.next() {
        Some(Ok(Value::Object(object))) => scored(&object),
        _ => Err(AdaptError::Shape("its JSON object is broken or cut off")),
    }
}
