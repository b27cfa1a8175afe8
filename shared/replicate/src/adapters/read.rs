//! Lenient reading with hard limits, shared by the adapters.

use serde_json::Value;
use shared_domain::{BBox, Finding, Target};

use super::AdaptError;

/// Boxes, lines or segments of one answer.
pub(super) const MAX_ITEMS: usize = 5_000;

/// Words of one answer: two hours of speech have about 20 000.
pub(super) const MAX_WORDS: usize = 60_000;

/// Characters of one text.
const MAX_TEXT: usize = 20_000;

/// Characters of an output that is one string.
pub(super) const MAX_STRING: usize = 2_000_000;

/// The score of an answer that comes without one: the model has decided by itself.
pub(super) const UNSCORED: f32 = 1.0;

/// Scores below this carry no information and are not kept as evidence.
pub(super) const FLOOR: f32 = 0.05;

/// A proxy or a storage service answered in the model's place.
pub(super) fn refuse_page(output: &Value) -> Result<(), AdaptError> {
    let start: String = output
        .as_str()
        .unwrap_or_default()
        .trim_start()
        .chars()
        .take(14)
        .collect();
    let start = start.to_ascii_lowercase();
    let page = start.starts_with("<!doctype") || start.starts_with("<html");
    if page { Err(AdaptError::Html) } else { Ok(()) }
}

/// The array under a name.
pub(super) fn list<'a>(
    value: &'a Value,
    what: &'static str,
    most: usize,
) -> Result<&'a [Value], AdaptError> {
    let items = value.as_array().ok_or(AdaptError::Shape(what))?;
    if items.len() > most {
        Err(AdaptError::TooMany(most))
    } else {
        Ok(items)
    }
}

/// The output as one string: a string, or pieces to be joined without a separator.
pub(super) fn joined(output: &Value) -> Result<String, AdaptError> {
    let text = match output {
        Value::String(text) => text.clone(),
        Value::Array(pieces) => {
            let pieces: Option<Vec<&str>> = pieces.iter().map(Value::as_str).collect();
            pieces
                .ok_or(AdaptError::Shape("a piece is not text"))?
                .concat()
        }
        _ => return Err(AdaptError::Shape("it is neither text nor pieces of text")),
    };
    if text.len() > MAX_STRING {
        Err(AdaptError::TooLong(MAX_STRING))
    } else {
        Ok(text)
    }
}

/// JSON inside a string; an object that is there already is taken as it is.
pub(super) fn unwrapped(value: &Value) -> Result<Value, AdaptError> {
    match value {
        Value::String(text) if text.len() > MAX_STRING => Err(AdaptError::TooLong(MAX_STRING)),
        Value::String(text) => serde_json::from_str(text)
            .map_err(|_| AdaptError::Shape("the string does not hold JSON")),
        Value::Array(_) | Value::Object(_) => Ok(value.clone()),
        _ => Err(AdaptError::Shape("it is neither a string nor an object")),
    }
}

/// A finite number of sensible size; text that holds one counts.
pub(super) fn number(value: &Value, what: &'static str) -> Result<f64, AdaptError> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number
        .filter(|n| n.is_finite() && n.abs() < 1e9)
        .ok_or(AdaptError::Number(what))
}

/// A probability; a rounding error outside 0 to 1 is forgiven, a percentage is not.
#[expect(clippy::cast_possible_truncation, reason = "a score of 0 to 1")]
pub(super) fn score(value: &Value) -> Result<f32, AdaptError> {
    let number = number(value, "score")?;
    if (-0.01..=1.01).contains(&number) {
        Ok(number.clamp(0.0, 1.0) as f32)
    } else {
        Err(AdaptError::Number("score"))
    }
}

/// A text without surrounding space and control characters.
pub(super) fn text(value: &Value, what: &'static str) -> Result<String, AdaptError> {
    tidy(value.as_str().ok_or(AdaptError::Shape(what))?)
}

/// As `text`.
pub(super) fn tidy(text: &str) -> Result<String, AdaptError> {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let clean = clean.trim();
    if clean.chars().count() > MAX_TEXT {
        return Err(AdaptError::TooLong(MAX_TEXT));
    }
    Ok(clean.to_owned())
}

/// A label in lower case; never empty.
pub(super) fn label(value: &Value) -> Result<String, AdaptError> {
    let label = text(value, "a label is not text")?.to_lowercase();
    if label.is_empty() {
        Err(AdaptError::Shape("a label is empty"))
    } else {
        Ok(label)
    }
}

/// Two corners in pixels as shares of the picture. `None`: no part of it lies in the picture, or the
/// picture's size is not known.
#[expect(clippy::cast_possible_truncation, reason = "shares of 0 to 1")]
pub(super) fn bbox(corners: [f64; 4], target: &Target) -> Option<BBox> {
    let (width, height) = (f64::from(target.width), f64::from(target.height));
    if width == 0.0 || height == 0.0 {
        return None;
    }
    let share = |value: f64, whole: f64| (value / whole).clamp(0.0, 1.0);
    let [x1, y1, x2, y2] = corners;
    let (left, right) = (share(x1.min(x2), width), share(x1.max(x2), width));
    let (top, bottom) = (share(y1.min(y2), height), share(y1.max(y2), height));
    let inside = right > left && bottom > top;
    inside.then_some(BBox {
        x: left as f32,
        y: top as f32,
        w: (right - left) as f32,
        h: (bottom - top) as f32,
    })
}

/// A finding about the whole target.
pub(super) fn whole(label: String, score: f32) -> Finding {
    Finding {
        label,
        score,
        within: None,
        bbox: None,
        text: None,
        words: Vec::new(),
    }
}
