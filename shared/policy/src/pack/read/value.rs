//! Single values of a pack, and the errors that name their lines.

use serde_saphyr::Spanned;
use shared_domain::Task;
use time::Date;
use time::macros::format_description;

use super::super::PackError;

const HOUR_MS: i64 = 3_600_000;
/// Nothing happens more often in a video.
const MAX_COUNT: i64 = 100_000;

pub(super) fn whole(reason: String) -> PackError {
    PackError { line: 0, reason }
}

pub(super) fn at<T>(place: &Spanned<T>, reason: impl Into<String>) -> PackError {
    PackError {
        line: place.referenced.line(),
        reason: reason.into(),
    }
}

/// Codes go into file names, columns and JSON keys.
pub(super) fn name(text: Spanned<String>) -> Result<String, PackError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let value = &text.value;
    if value.is_empty() || value.len() > 64 || !value.chars().all(fits) || value.starts_with('.') {
        return Err(at(
            &text,
            format!("`{value}` is not 1 to 64 letters, digits, `.`, `_` or `-`"),
        ));
    }
    Ok(text.value)
}

/// Bands are read by people: `16+`.
pub(super) fn band(text: Spanned<String>) -> Result<String, PackError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "+._-".contains(c);
    let value = &text.value;
    if value.is_empty() || value.len() > 32 || !value.chars().all(fits) {
        return Err(at(
            &text,
            format!("`{value}` is not 1 to 32 letters, digits, `+`, `.`, `_` or `-`"),
        ));
    }
    Ok(text.value)
}

pub(super) fn task(text: &Spanned<String>) -> Result<Task, PackError> {
    text.value
        .parse()
        .map_err(|error: shared_domain::UnknownTask| at(text, error.to_string()))
}

pub(super) fn share(value: &Spanned<f32>) -> Result<f32, PackError> {
    if (0.0..=1.0).contains(&value.value) {
        Ok(value.value)
    } else {
        Err(at(value, format!("{} is not between 0 and 1", value.value)))
    }
}

pub(super) fn length(value: &Spanned<i64>) -> Result<i64, PackError> {
    if (0..=HOUR_MS).contains(&value.value) {
        Ok(value.value)
    } else {
        let reason = format!(
            "{} is not between 0 and {HOUR_MS} milliseconds",
            value.value
        );
        Err(at(value, reason))
    }
}

pub(super) fn count(value: &Spanned<i64>) -> Result<usize, PackError> {
    usize::try_from(value.value)
        .ok()
        .filter(|_| (1..=MAX_COUNT).contains(&value.value))
        .ok_or_else(|| at(value, format!("{} is not 1 to {MAX_COUNT}", value.value)))
}

pub(super) fn date(text: &Spanned<String>) -> Result<Date, PackError> {
    Date::parse(&text.value, format_description!("[year]-[month]-[day]")).map_err(|_| {
        at(
            text,
            format!("`{}` is not a date such as 2026-01-31", text.value),
        )
    })
}
