//! What a speech model invents, as far as its answer shows it: text over silence and over music, and
//! phrases that it says in circles, which it does when it listens to its own last words.
//!
//! The first time of a phrase may have been said and is kept; the rest is unclear, not clean.

use std::ops::Range;

use serde_json::Value;
use shared_domain::{Finding, Span, UNCLEAR, Word};

use super::super::read::{UNSCORED, whole};

/// With so likely silence and so little confidence nobody spoke (the reference's own limits).
const SILENCE: f64 = 0.6;
const DOUBT: f64 = -1.0;
/// A phrase that follows itself so often is a circle; people do say "no, no, no".
const TIMES: usize = 4;
/// And it is at least so many words in all.
const WORDS: usize = 12;
/// The longest phrase, in words, and in segments.
const PHRASE: usize = 12;
const SEGMENTS: usize = 3;

/// Whether the model itself doubts that somebody spoke.
pub(super) fn is_silence(segment: &Value) -> bool {
    let number = |name: &str| segment[name].as_f64();
    let (silence, confidence) = (number("no_speech_prob"), number("avg_logprob"));
    silence.is_some_and(|p| p > SILENCE) && confidence.is_some_and(|p| p < DOUBT)
}

/// What models write in brackets instead of words.
const SOUNDS: &[&str] = &[
    "музык",
    "мелоди",
    "аплодис",
    "смех",
    "смеё",
    "шум",
    "звук",
    "тишин",
    "вздох",
    "кашель",
    "свист",
    "играет",
    "поёт",
    "music",
    "applause",
    "laugh",
    "noise",
    "sound",
    "silence",
    "sigh",
    "cough",
    "whistl",
    "playing",
    "singing",
    "blank",
    "inaudible",
    "beep",
];

/// Whether a text tells of sound and holds no word that was said: `[Music]`, `♪ ♪`, `(аплодисменты)`.
pub(super) fn is_sound(text: &str) -> bool {
    let text = text.trim_matches(|c: char| c.is_whitespace() || "♪♫🎵🎶.…".contains(c));
    let inner = [('[', ']'), ('(', ')'), ('*', '*')]
        .iter()
        .find_map(|(open, close)| {
            let inner = text.strip_prefix(*open)?.strip_suffix(*close)?;
            (!inner.contains([*open, *close])).then(|| inner.to_lowercase())
        });
    let tells = |inner: &String| SOUNDS.iter().any(|sound| inner.contains(sound));
    text.is_empty() || inner.as_ref().is_some_and(tells)
}

/// Findings without what was said in circles.
pub(super) fn without_circles(findings: Vec<Finding>) -> Vec<Finding> {
    let findings: Vec<Finding> = findings.into_iter().flat_map(cut).collect();
    let said: Vec<Vec<String>> = findings.iter().map(folded).collect();
    let mut circling = vec![false; findings.len()];
    for (phrase, circle) in circles(&said, SEGMENTS) {
        let words: usize = said[circle.clone()].iter().map(Vec::len).sum();
        if words >= WORDS {
            circling[circle.start + phrase..circle.end].fill(true);
        }
    }
    let judged = |(finding, circling): (Finding, bool)| match finding.within {
        Some(within) if circling => unclear(within),
        _ => finding,
    };
    findings.into_iter().zip(circling).map(judged).collect()
}

/// A finding up to the end of the first phrase that comes in circles, and the rest as unclear.
fn cut(finding: Finding) -> Vec<Finding> {
    let said = folded(&finding);
    let long = |(_, circle): &(usize, Range<usize>)| circle.len() >= WORDS;
    let circles = circles(&said, PHRASE);
    let Some((phrase, circle)) = circles
        .into_iter()
        .filter(long)
        .min_by_key(|(_, c)| c.start)
    else {
        return vec![finding];
    };
    let Some(within) = finding.within else {
        return vec![finding];
    };
    let kept = circle.start + phrase;
    if finding.words.is_empty() {
        let text = finding.text.as_deref().unwrap_or_default();
        let text: Vec<&str> = text.split_whitespace().take(kept).collect();
        let text = Some(text.join(" "));
        return vec![Finding { text, ..finding }, unclear(within)];
    }
    let words: Vec<Word> = finding.words.iter().take(kept).cloned().collect();
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let text = Some(texts.join(" "));
    let end_ms = words.last().map_or(within.start_ms, |word| word.end_ms);
    let rest = Span {
        start_ms: end_ms,
        ..within
    };
    let within = Some(Span { end_ms, ..within });
    let kept = Finding {
        text,
        words,
        within,
        ..finding
    };
    vec![kept, unclear(rest)]
}

/// The words of a finding in lower case, without signs, in the order of `words` or of the text.
fn folded(finding: &Finding) -> Vec<String> {
    let fold = |word: &str| {
        let letters = word.chars().filter(|c| c.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect::<String>()
    };
    if finding.words.is_empty() {
        let text = finding.text.as_deref().unwrap_or_default();
        text.split_whitespace().map(fold).collect()
    } else {
        finding.words.iter().map(|word| fold(&word.text)).collect()
    }
}

/// Stretches in which a phrase of at most `longest` items follows itself often enough, with the length
/// of the phrase.
fn circles<T: PartialEq>(items: &[T], longest: usize) -> Vec<(usize, Range<usize>)> {
    let mut found = Vec::new();
    for phrase in 1..=longest {
        let mut start = 0;
        for at in phrase..=items.len() {
            if at < items.len() && items[at] == items[at - phrase] {
                continue;
            }
            if at - start >= phrase * TIMES {
                found.push((phrase, start..at));
            }
            start = at + 1 - phrase;
        }
    }
    found
}

fn unclear(within: Span) -> Finding {
    Finding {
        within: Some(within),
        ..whole(UNCLEAR.into(), UNSCORED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, start_ms: i64) -> Finding {
        let length = i64::try_from(text.split_whitespace().count()).unwrap() * 500;
        Finding {
            text: Some(text.to_owned()),
            within: Some(Span {
                start_ms,
                end_ms: start_ms + length,
            }),
            ..whole("ru".into(), 0.9)
        }
    }

    fn timed(text: &str, start_ms: i64) -> Finding {
        let word = |(at, text): (i64, &str)| Word {
            text: text.to_owned(),
            start_ms: start_ms + at * 500,
            end_ms: start_ms + at * 500 + 400,
            probability: Some(0.9),
        };
        Finding {
            words: (0..).zip(text.split_whitespace()).map(word).collect(),
            ..said(text, start_ms)
        }
    }

    fn told(findings: Vec<Finding>) -> Vec<(String, i64, i64)> {
        let tell = |finding: Finding| {
            let within = finding.within.unwrap();
            let text = finding.text.unwrap_or(finding.label);
            (text, within.start_ms, within.end_ms)
        };
        without_circles(findings).into_iter().map(tell).collect()
    }

    #[test]
    fn a_phrase_in_circles_is_kept_once_and_the_rest_is_unclear() {
        let text = "Ну вот. Спасибо за просмотр! спасибо за просмотр спасибо, за просмотр \
                    спасибо за просмотр спасибо за просмотр";
        assert_eq!(
            told(vec![timed(text, 1_000)]),
            [
                ("Ну вот. Спасибо за просмотр!".to_owned(), 1_000, 3_400),
                ("unclear".to_owned(), 3_400, 9_500),
            ]
        );
        let untimed = told(vec![said(text, 1_000)]);
        assert_eq!(untimed[0].0, "Ну вот. Спасибо за просмотр!");
        assert_eq!((untimed[1].1, untimed[1].2), (1_000, 9_500));
    }

    #[test]
    fn segments_that_repeat_the_ones_before_are_unclear() {
        let phrase = ["Мы идём дальше", "и снова вперёд"];
        let segment = |at: i64| said(phrase[usize::from(at % 2 == 1)], at * 2_000);
        let findings = (0..8).map(segment);
        let told = told(findings.collect());
        let unclear = told.iter().filter(|(text, ..)| text == "unclear").count();
        assert_eq!((told.len(), unclear), (8, 6), "{told:?}");
        assert_eq!(told[1].0, phrase[1]);
    }

    #[test]
    fn what_people_do_repeat_is_left_alone() {
        for text in [
            "Нет, нет, нет, нет!",
            "да да да да да да да",
            "раз два три раз два три раз два три",
            "я иду и ты идёшь и он идёт и она идёт и мы идём и вы идёте",
        ] {
            assert_eq!(told(vec![timed(text, 0)]).len(), 1, "{text}");
        }
        let goals = (0..5).map(|at| said("Гол!", at * 1_000)).collect();
        assert!(told(goals).iter().all(|(text, ..)| text == "Гол!"));
    }

    #[test]
    fn sounds_are_no_words_and_words_are_no_sounds() {
        for text in [
            "[Music]",
            "♪ ♪",
            "(аплодисменты)",
            "*музыка*",
            "[БЕЗ ЗВУКА]",
            "…",
            "",
        ] {
            assert!(is_sound(text), "{text}");
        }
        for text in [
            "Привет",
            "[Music] Привет",
            "(да) или (нет)",
            "(сука)",
            "♪ ля ля ♪",
        ] {
            assert!(!is_sound(text), "{text}");
        }
    }

    #[test]
    fn silence_is_what_the_model_itself_doubts() {
        let segment = |silence: f64, confidence: f64| serde_json::json!({ "no_speech_prob": silence, "avg_logprob": confidence });
        assert!(is_silence(&segment(0.9, -1.4)));
        assert!(!is_silence(&segment(0.9, -0.3)));
        assert!(!is_silence(&segment(0.1, -1.4)));
        assert!(!is_silence(&serde_json::json!({ "text": "x" })));
    }
}
