//! Subtitles: what was found, or everything that was said with the found words masked.

use std::fmt::Write;

use shared_domain::Lang;
use shared_policy::{Highlight, Line, Risk};

use crate::clean;
use crate::error::ExportError;
use crate::findings::stands;
use crate::format::Export;
use crate::mask::mask;
use crate::timeline::ms;

/// Nobody reads what flashes by.
const SHORTEST_MS: i64 = 1000;
/// Two lines of a film are at most 84.
const LONGEST: usize = 200;

/// One cue.
struct Cue {
    start_ms: i64,
    end_ms: i64,
    lines: Vec<String>,
}

pub(crate) fn srt(export: &Export<'_>) -> Vec<u8> {
    as_srt(&found(export))
}

pub(crate) fn vtt(export: &Export<'_>) -> Vec<u8> {
    as_vtt(&found(export), export.lang)
}

pub(crate) fn masked_srt(export: &Export<'_>) -> Result<Vec<u8>, ExportError> {
    Ok(as_srt(&masked(export)?))
}

pub(crate) fn masked_vtt(export: &Export<'_>) -> Result<Vec<u8>, ExportError> {
    Ok(as_vtt(&masked(export)?, export.lang))
}

/// The words around each finding; of one without words, what it is.
fn found(export: &Export<'_>) -> Vec<Cue> {
    let risks = export.report.risks.iter().filter(|risk| stands(risk));
    let mut cues: Vec<Cue> = risks.flat_map(|risk| cues(risk, export.lang)).collect();
    cues.sort_by_key(|cue| (cue.start_ms, cue.end_ms));
    cues
}

fn cues(risk: &Risk, lang: Lang) -> Vec<Cue> {
    let name = clean::line(risk.risk_name.pick(lang), LONGEST);
    let quoted = risk.evidence.iter().filter(|piece| piece.text.is_some());
    let quoted: Vec<Cue> = quoted
        .map(|piece| {
            let text = clean::line(piece.text.as_deref().unwrap_or_default(), LONGEST);
            cue(piece.start, piece.end, vec![format!("[{name}]"), text])
        })
        .collect();
    if quoted.is_empty() {
        let text = clean::line(risk.description.pick(lang), LONGEST);
        return vec![cue(risk.start_seconds, risk.end_seconds, vec![text])];
    }
    quoted
}

/// What was said, every found word hidden.
fn masked(export: &Export<'_>) -> Result<Vec<Cue>, ExportError> {
    let said = export.report.transcript.as_ref();
    let said = said.ok_or(ExportError::NoTranscript)?;
    Ok(said
        .iter()
        .map(|line| {
            let text = mask(&line.text, &places(line, export));
            cue(line.start, line.end, vec![clean::line(&text, usize::MAX)])
        })
        .filter(|cue| cue.lines.iter().any(|line| !line.is_empty()))
        .collect())
}

/// The places of the risks that stand.
fn places(line: &Line, export: &Export<'_>) -> Vec<Highlight> {
    let standing = |id| (export.report.risks.iter()).any(|risk| risk.id == id && stands(risk));
    line.found
        .iter()
        .filter(|found| standing(found.risk))
        .map(|found| Highlight {
            start: found.start,
            end: found.end,
        })
        .collect()
}

fn cue(start: f64, end: f64, lines: Vec<String>) -> Cue {
    let start_ms = ms(start).max(0);
    Cue {
        start_ms,
        end_ms: ms(end).max(start_ms + SHORTEST_MS),
        lines,
    }
}

/// SRT has no escapes: what players take for a tag or for the arrow is put in other signs.
fn as_srt(cues: &[Cue]) -> Vec<u8> {
    let plain = |line: &String| line.replace('<', "‹").replace('>', "›");
    let mut text = String::new();
    for (cue, number) in cues.iter().zip(1..) {
        let (start, end) = (clock(cue.start_ms, ','), clock(cue.end_ms, ','));
        let lines: Vec<String> = cue.lines.iter().map(plain).collect();
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{number}\r\n{start} --> {end}\r\n{}\r\n\r\n",
            lines.join("\r\n")
        );
    }
    text.into_bytes()
}

fn as_vtt(cues: &[Cue], lang: Lang) -> Vec<u8> {
    let escaped = |line: &String| {
        let line = line.replace('&', "&amp;");
        line.replace('<', "&lt;").replace('>', "&gt;")
    };
    let mut text = format!("WEBVTT\nLanguage: {}\n\n", lang.as_str());
    for (cue, number) in cues.iter().zip(1..) {
        let (start, end) = (clock(cue.start_ms, '.'), clock(cue.end_ms, '.'));
        let lines: Vec<String> = cue.lines.iter().map(escaped).collect();
        let _ = write!(
            text,
            "{number}\n{start} --> {end}\n{}\n\n",
            lines.join("\n")
        );
    }
    text.into_bytes()
}

/// `00:01:02.500`.
fn clock(ms: i64, mark: char) -> String {
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    format!(
        "{hours:02}:{minutes:02}:{:02}{mark}{:03}",
        ms / 1000 % 60,
        ms % 1000
    )
}
