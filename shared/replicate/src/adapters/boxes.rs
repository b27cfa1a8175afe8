//! Answers that are boxes with labels, always in pixels of the original picture.

use serde_json::Value;
use shared_domain::{Finding, Target};

use super::read::{
    MAX_ITEMS, MAX_STRING, UNSCORED, bbox, label, list, number, score, unwrapped, whole,
};
use super::{AdaptError, python_literal};

pub(super) fn grounding_dino(output: &Value, target: &Target) -> Result<Vec<Finding>, AdaptError> {
    labelled(&output["detections"], target)
}

pub(super) fn owlvit(output: &Value, target: &Target) -> Result<Vec<Finding>, AdaptError> {
    labelled(&output["json_data"]["objects"], target)
}

fn labelled(items: &Value, target: &Target) -> Result<Vec<Finding>, AdaptError> {
    let items = list(items, "the list of detections is missing", MAX_ITEMS)?;
    items
        .iter()
        .map(|item| {
            let corners = corners(&item["bbox"])?;
            Ok(boxed(
                label(&item["label"])?,
                score(&item["confidence"])?,
                corners,
                target,
            ))
        })
        .collect()
}

pub(super) fn yolo_world(output: &Value, target: &Target) -> Result<Vec<Finding>, AdaptError> {
    let inner = unwrapped(&output["json_str"])?;
    let mut findings = Vec::new();
    collect(&inner, target, &mut findings)?;
    Ok(findings)
}

/// A picture has its detections at the top; a video has them per frame, one level deeper.
fn collect(value: &Value, target: &Target, found: &mut Vec<Finding>) -> Result<(), AdaptError> {
    let entries = value
        .as_object()
        .ok_or(AdaptError::Shape("the JSON holds no detections"))?;
    for (name, entry) in entries {
        if found.len() >= MAX_ITEMS {
            return Err(AdaptError::TooMany(MAX_ITEMS));
        }
        if name.starts_with("Frame-") {
            collect(entry, target, found)?;
        } else {
            found.push(named(entry, target)?);
        }
    }
    Ok(())
}

fn named(entry: &Value, target: &Target) -> Result<Finding, AdaptError> {
    let corners = corners_by_name(entry, ["x0", "y0", "x1", "y1"])?;
    Ok(boxed(
        label(&entry["cls"])?,
        score(&entry["score"])?,
        corners,
        target,
    ))
}

pub(super) fn yolov10(output: &Value, target: &Target) -> Result<Vec<Finding>, AdaptError> {
    let inner = unwrapped(output)?;
    let items = list(&inner, "the string holds no list", MAX_ITEMS)?;
    items
        .iter()
        .map(|item| {
            let corners = corners_by_name(&item["box"], ["x1", "y1", "x2", "y2"])?;
            Ok(boxed(
                label(&item["name"])?,
                score(&item["confidence"])?,
                corners,
                target,
            ))
        })
        .collect()
}

pub(super) fn florence(output: &Value, target: &Target) -> Result<Vec<Finding>, AdaptError> {
    let text = output["text"]
        .as_str()
        .ok_or(AdaptError::Shape("the text is missing"))?;
    if text.len() > MAX_STRING {
        return Err(AdaptError::TooLong(MAX_STRING));
    }
    let literal =
        python_literal::parse(text).ok_or(AdaptError::Shape("the text is not a Python literal"))?;
    let found = &literal["<OD>"];
    let boxes = list(&found["bboxes"], "the boxes are missing", MAX_ITEMS)?;
    let labels = list(&found["labels"], "the labels are missing", MAX_ITEMS)?;
    if boxes.len() != labels.len() {
        return Err(AdaptError::Shape("there are not as many labels as boxes"));
    }
    let pairs = boxes.iter().zip(labels);
    pairs
        .map(|(b, l)| Ok(boxed(label(l)?, UNSCORED, corners(b)?, target)))
        .collect()
}

fn corners(value: &Value) -> Result<[f64; 4], AdaptError> {
    let numbers = list(value, "a box is missing", 4)?;
    let [x1, y1, x2, y2] = numbers else {
        return Err(AdaptError::Shape("a box has no corners"));
    };
    Ok([
        number(x1, "box")?,
        number(y1, "box")?,
        number(x2, "box")?,
        number(y2, "box")?,
    ])
}

fn corners_by_name(value: &Value, names: [&str; 4]) -> Result<[f64; 4], AdaptError> {
    let mut corners = [0.0; 4];
    for (corner, name) in corners.iter_mut().zip(names) {
        *corner = number(&value[name], "box")?;
    }
    Ok(corners)
}

fn boxed(label: String, score: f32, corners: [f64; 4], target: &Target) -> Finding {
    Finding {
        bbox: bbox(corners, target),
        ..whole(label, score)
    }
}
