//! Answers that are text on the screen: one finding per line, labelled `text`.

use serde_json::Value;
use shared_domain::{Finding, Target, UNREAD};

use super::AdaptError;
use super::read::{MAX_ITEMS, UNSCORED, bbox, joined, list, number, score, text, tidy, whole};

pub(super) fn text_extract(output: &Value, _: &Target) -> Result<Vec<Finding>, AdaptError> {
    let all = joined(output)?;
    let lines: Result<Vec<String>, _> = all.lines().map(tidy).collect();
    let lines: Vec<String> = lines?.into_iter().filter(|line| !line.is_empty()).collect();
    if lines.len() > MAX_ITEMS {
        return Err(AdaptError::TooMany(MAX_ITEMS));
    }
    Ok(lines
        .into_iter()
        .map(|line| shown(line, UNSCORED))
        .collect())
}

pub(super) fn pp_ocr(output: &Value, target: &Target) -> Result<Vec<Finding>, AdaptError> {
    let mut findings = Vec::new();
    for item in list(&output["results"], "the results are missing", MAX_ITEMS)? {
        let line = text(&item["text"], "a line is not text")?;
        if line.is_empty() {
            continue;
        }
        let corners = around(&item["box"])?;
        let finding = shown(line, score(&item["confidence"])?);
        findings.push(Finding {
            bbox: bbox(corners, target),
            ..finding
        });
    }
    // Text that was seen and not read: once for the picture, however many lines.
    let unread = &output["unread"];
    if !unread.is_null() && !list(unread, "the unread lines are no list", MAX_ITEMS)?.is_empty() {
        findings.push(whole(UNREAD.into(), UNSCORED));
    }
    Ok(findings)
}

fn shown(line: String, score: f32) -> Finding {
    Finding {
        text: Some(line),
        ..whole("text".into(), score)
    }
}

/// The upright box around corners that may be tilted.
fn around(points: &Value) -> Result<[f64; 4], AdaptError> {
    let points = list(points, "a line has no box", 64)?;
    let mut corners = [
        f64::INFINITY,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NEG_INFINITY,
    ];
    for point in points {
        let (x, y) = (number(&point[0], "box")?, number(&point[1], "box")?);
        corners = [
            corners[0].min(x),
            corners[1].min(y),
            corners[2].max(x),
            corners[3].max(y),
        ];
    }
    if points.is_empty() {
        Err(AdaptError::Shape("a line has an empty box"))
    } else {
        Ok(corners)
    }
}
