//! Answers that are speech: one finding per segment, labelled with its language, times in
//! milliseconds of the target.

use serde_json::Value;
use shared_domain::{Finding, Span, Target, UNCLEAR, Word};

use super::read::{MAX_ITEMS, MAX_WORDS, UNSCORED, list, number, score, text, whole};
use super::{AdaptError, language};

mod guard;

/// A stream of single words is cut into findings where it pauses, or when they get too long.
const PAUSE_MS: i64 = 800;
const LONGEST_MS: i64 = 15_000;

pub(super) fn whisper(output: &Value, target: &Target) -> Result<Vec<Finding>, AdaptError> {
    let language = text(&output["detected_language"], "the language is missing")?;
    segments(&output["segments"], &language::code(&language), target)
}

/// `whisperx`, `whisper-diarization` and the local model.
pub(super) fn segmented(output: &Value, target: &Target) -> Result<Vec<Finding>, AdaptError> {
    let language = ["language", "detected_language"]
        .iter()
        .find_map(|n| output[*n].as_str());
    let language = language::code(language.unwrap_or_default());
    let mut findings = segments(&output["segments"], &language, target)?;
    findings.extend(unclear(&output["dropped"], target)?);
    Ok(findings)
}

/// Stretches with a voice whose words the model does not vouch for: undecided, not clean. Where it
/// doubts that anybody spoke, there is nothing to decide.
fn unclear(items: &Value, target: &Target) -> Result<Vec<Finding>, AdaptError> {
    if items.is_null() {
        return Ok(Vec::new());
    }
    let items = list(items, "the dropped stretches are no list", MAX_ITEMS)?;
    let spoken = items.iter().filter(|item| item["reason"] != "no_speech");
    let unclear = |item: &Value| {
        Ok(Finding {
            within: Some(span(&item["start"], &item["end"], &Value::Null, target)?),
            ..whole(UNCLEAR.into(), UNSCORED)
        })
    };
    spoken.map(unclear).collect()
}

fn segments(items: &Value, language: &str, target: &Target) -> Result<Vec<Finding>, AdaptError> {
    let items = list(items, "the segments are missing", MAX_ITEMS)?;
    let mut findings = Vec::new();
    let mut words_left = MAX_WORDS;
    for (index, item) in items.iter().enumerate() {
        let text = text(&item["text"], "a segment has no text")?;
        if text.is_empty() || guard::is_silence(item) || guard::is_sound(&text) {
            continue;
        }
        let following = items
            .get(index + 1)
            .map_or(&Value::Null, |next| &next["start"]);
        let span = span(&item["start"], &item["end"], following, target)?;
        let words = words(&item["words"], span)?;
        words_left = words_left
            .checked_sub(words.len())
            .ok_or(AdaptError::TooMany(MAX_WORDS))?;
        // Mixed speech: a segment may name its own language.
        let own = item["language"].as_str().map(language::code);
        findings.push(Finding {
            label: own.unwrap_or_else(|| language.to_owned()),
            score: confidence(&item["avg_logprob"], &words),
            within: Some(span),
            bbox: None,
            text: Some(text),
            words,
        });
    }
    Ok(guard::without_circles(findings))
}

pub(super) fn fast_whisper(output: &Value, target: &Target) -> Result<Vec<Finding>, AdaptError> {
    // With diarisation the plain object is the last element of a list.
    let plain = output
        .as_array()
        .and_then(|list| list.last())
        .unwrap_or(output);
    let chunks = list(&plain["chunks"], "the chunks are missing", MAX_WORDS)?;
    let mut pieces = Vec::new();
    for (index, chunk) in chunks.iter().enumerate() {
        let text = text(&chunk["text"], "a chunk has no text")?;
        if text.is_empty() || guard::is_sound(&text) {
            continue;
        }
        let following = chunks
            .get(index + 1)
            .map_or(&Value::Null, |next| &next["timestamp"][0]);
        let time = &chunk["timestamp"];
        pieces.push((text, span(&time[0], &time[1], following, target)?));
    }
    // Nothing says which timestamps were asked for: words have no spaces inside.
    let are_words = pieces
        .iter()
        .all(|(text, _)| !text.contains(char::is_whitespace));
    let heard = |(text, span)| said(text, span, Vec::new());
    let findings = match are_words {
        true => grouped(pieces),
        false => pieces.into_iter().map(heard).collect(),
    };
    Ok(guard::without_circles(findings))
}

fn grouped(pieces: Vec<(String, Span)>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for (text, span) in pieces {
        let word = Word {
            text: text.clone(),
            start_ms: span.start_ms,
            end_ms: span.end_ms,
            probability: None,
        };
        if let Some(last) = findings.last_mut()
            && let (Some(within), Some(line)) = (&mut last.within, &mut last.text)
            && span.start_ms - within.end_ms < PAUSE_MS
            && span.end_ms - within.start_ms < LONGEST_MS
        {
            within.end_ms = within.end_ms.max(span.end_ms);
            line.push(' ');
            line.push_str(&text);
            last.words.push(word);
            continue;
        }
        findings.push(said(text, span, vec![word]));
    }
    findings
}

fn said(text: String, span: Span, words: Vec<Word>) -> Finding {
    Finding {
        label: "und".into(),
        score: UNSCORED,
        within: Some(span),
        bbox: None,
        text: Some(text),
        words,
    }
}

/// Aligned words; one that could not be aligned gets the gap between its neighbours.
fn words(items: &Value, span: Span) -> Result<Vec<Word>, AdaptError> {
    if items.is_null() {
        return Ok(Vec::new());
    }
    let items = list(items, "the words are no list", MAX_WORDS)?;
    let mut words: Vec<Word> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let text = text(&item["word"], "a word has no text")?;
        if text.is_empty() {
            continue;
        }
        let before = words.last().map_or(span.start_ms, |word| word.end_ms);
        let start_ms = optional_ms(&item["start"])?
            .unwrap_or(before)
            .clamp(span.start_ms, span.end_ms);
        let end_ms = match optional_ms(&item["end"])? {
            Some(end) => end,
            None => next_start(&items[index + 1..])?.unwrap_or(span.end_ms),
        };
        let given = [&item["probability"], &item["score"]]
            .into_iter()
            .find(|v| !v.is_null());
        let probability = given.map(score).transpose()?;
        let end_ms = end_ms.clamp(start_ms, span.end_ms);
        words.push(Word {
            text,
            start_ms,
            end_ms,
            probability,
        });
    }
    Ok(words)
}

fn next_start(items: &[Value]) -> Result<Option<i64>, AdaptError> {
    let start = items
        .iter()
        .map(|item| &item["start"])
        .find(|start| !start.is_null());
    start.map_or(Ok(None), optional_ms)
}

/// Start and end within the target; a missing end is where the next piece starts.
fn span(
    start: &Value,
    end: &Value,
    following: &Value,
    target: &Target,
) -> Result<Span, AdaptError> {
    let length = target
        .spans
        .first()
        .map_or(i64::MAX, |span| span.length_ms());
    let start_ms = optional_ms(start)?.unwrap_or(0).clamp(0, length);
    let end_ms = match optional_ms(end)? {
        Some(end) => end,
        None => optional_ms(following)?.unwrap_or(length),
    };
    Ok(Span {
        start_ms,
        end_ms: end_ms.clamp(start_ms, length),
    })
}

#[expect(clippy::cast_possible_truncation, reason = "below 1e12 milliseconds")]
fn optional_ms(value: &Value) -> Result<Option<i64>, AdaptError> {
    if value.is_null() {
        return Ok(None);
    }
    Ok(Some((number(value, "time")? * 1000.0).round() as i64))
}

/// The mean probability of the words, else of the tokens, else unknown.
#[expect(clippy::cast_precision_loss, reason = "a count of words")]
fn confidence(avg_logprob: &Value, words: &[Word]) -> f32 {
    let known: Vec<f32> = words.iter().filter_map(|word| word.probability).collect();
    if !known.is_empty() {
        return known.iter().sum::<f32>() / known.len() as f32;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a probability")]
    let mean = avg_logprob
        .as_f64()
        .map(|logprob| logprob.exp().clamp(0.0, 1.0) as f32);
    mean.unwrap_or(UNSCORED)
}
