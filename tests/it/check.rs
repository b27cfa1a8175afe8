//! The main job: what was planted in a clip is found at its time, and nothing is invented.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::program::{Program, fixtures, labels};

/// How far a found time may lie from the planted one, in seconds.
const TOLERANCE: f64 = 0.5;

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or(f64::NAN)
}

/// The task behind a risk's evidence: risks found by speech and by text are told apart by source,
/// but for advertisements, which are joined of both.
fn is_from(risk: &Value, source: &str) -> bool {
    let named = risk["source"].as_str().unwrap_or_default();
    match source {
        _ if named == "advertising_detector" => true,
        "speech" => named.starts_with("whisper"),
        "text" => named.starts_with("easyocr"),
        other => named.contains(other),
    }
}

/// Lower case, without signs: `ВОДКА,` is `водка`.
fn folded(text: &str) -> Vec<String> {
    text.to_lowercase()
        .replace('ё', "е")
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= TOLERANCE
}

fn overlap(a: &Value, b: &Value) -> bool {
    number(a, "start") <= number(b, "end") + TOLERANCE
        && number(a, "end") >= number(b, "start") - TOLERANCE
}

fn is_of(risk: &Value, planted: &Value) -> bool {
    text(risk, "category").starts_with(text(planted, "category"))
        && is_from(risk, text(planted, "source"))
}

/// Evidence shows a planted word when it is that word: heard at its own time, or read while it
/// stands on the screen.
fn shows(evidence: &Value, planted: &Value) -> bool {
    let words = folded(text(planted, "word"));
    if text(planted, "source") == "text" {
        let read = folded(&format!(
            "{} {}",
            text(evidence, "text"),
            text(evidence, "label")
        ));
        return words.iter().any(|word| read.contains(word)) && overlap(evidence, planted);
    }
    let heard: Vec<&Value> = list(evidence, "words")
        .iter()
        .filter(|heard| {
            folded(text(heard, "text"))
                .iter()
                .any(|word| words.contains(word))
        })
        .collect();
    heard.len() >= words.len()
        && heard
            .first()
            .is_some_and(|first| near(number(first, "start"), number(planted, "start")))
        && heard
            .last()
            .is_some_and(|last| near(number(last, "end"), number(planted, "end")))
}

/// A planted word is found when evidence of its category and source shows it.
fn is_found(report: &Value, planted: &Value) -> bool {
    list(report, "risks")
        .iter()
        .filter(|risk| is_of(risk, planted))
        .flat_map(|risk| list(risk, "evidence"))
        .any(|evidence| shows(evidence, planted))
}

/// What surrounds evidence was said, or stood on the screen, at that time.
fn is_quoted(evidence: &Value, spoken: bool, labels: &Value) -> bool {
    let quoted = folded(&format!(
        "{} {}",
        text(evidence, "text"),
        text(evidence, "label")
    ));
    list(labels, if spoken { "said" } else { "shown" })
        .iter()
        .filter(|planted| overlap(evidence, planted))
        .any(|planted| {
            folded(text(planted, "text"))
                .iter()
                .any(|word| quoted.contains(word))
        })
}

/// Only what is heard comes in words with times.
fn is_spoken(evidence: &Value) -> bool {
    !list(evidence, "words").is_empty()
}

/// A risk is explained when each piece of its evidence has something planted of its category and
/// source near its time, and quotes what was really there.
fn is_explained(labels: &Value, risk: &Value) -> bool {
    let pieces = list(risk, "evidence");
    !pieces.is_empty()
        && pieces.iter().all(|evidence| {
            let planted = list(labels, "expect");
            planted
                .iter()
                .any(|p| is_of(risk, p) && overlap(evidence, p))
                && is_quoted(evidence, is_spoken(evidence), labels)
        })
}

fn compare(report: &Value, labels: &Value) -> Result<()> {
    let missed: Vec<&Value> = list(labels, "expect")
        .iter()
        .filter(|p| !is_found(report, p))
        .collect();
    let invented: Vec<&Value> = list(report, "risks")
        .iter()
        .filter(|risk| !is_explained(labels, risk))
        .collect();
    ensure!(
        missed.is_empty() && invented.is_empty(),
        "missed {missed:#?}\ninvented {invented:#?}"
    );
    let spoken = list(labels, "periods")
        .iter()
        .filter(|period| text(period, "kind") == "speech");
    let heard = &report["video"]["languages"];
    for lang in spoken.map(|period| &period["lang"]) {
        let known = list(&report["video"], "languages").contains(lang);
        ensure!(known, "{lang} is spoken, the report has heard {heard}");
    }
    Ok(())
}

fn validate(report: &Value) -> Result<()> {
    let schema = crate::tree::read("shared/policy/schema/compliance-report-1.schema.json")?;
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema)?)?;
    let faults: Vec<String> = validator
        .iter_errors(report)
        .map(|fault| fault.to_string())
        .collect();
    ensure!(
        faults.is_empty(),
        "the report breaks its schema: {faults:?}"
    );
    Ok(())
}

#[test]
fn every_planted_word_and_card_is_found_at_its_time() -> Result<()> {
    let clip = fixtures()?.join("labelled.mp4");
    let program = Program::new()?;
    let checked = program.check(&clip)?;
    let report = checked.report()?;
    validate(&report)?;
    compare(&report, &labels(&clip)?)?;
    ensure!(checked.code == 1, "exit code {}", checked.code);
    let risks = list(&report, "risks").iter();
    let evidence: Vec<&Value> = risks.flat_map(|risk| list(risk, "evidence")).collect();
    let mut frames = 0;
    for piece in evidence
        .iter()
        .filter(|piece| !piece["frame_url"].is_null())
    {
        // The name needs no decoding: it is made of letters, digits and what is encoded here.
        let path = text(piece, "frame_url").replace("%2E", ".");
        let frame = std::fs::read(program.out().join(&path)).with_context(|| path)?;
        ensure!(frame.starts_with(b"\xff\xd8"), "a frame is a JPEG");
        frames += 1;
    }
    ensure!(0 < frames && frames < evidence.len(), "sound has no frame");
    ensure!(program.mails()?.len() == 1, "one mail is sent");
    let page = std::fs::read_to_string(program.out().join("labelled.mp4.report.html"))?;
    ensure!(
        page.contains("data:image/jpeg;base64,"),
        "the page brings its frames"
    );
    ensure!(
        !page.contains("http://") && !page.contains("src=\"http"),
        "the page opens offline"
    );
    Ok(())
}

#[test]
fn nothing_is_invented_in_the_clean_clip_and_what_was_not_checked_is_said() -> Result<()> {
    let clip = fixtures()?.join("clean.mp4");
    let checked = Program::new()?.check(&clip)?;
    let report = checked.report()?;
    validate(&report)?;
    compare(&report, &labels(&clip)?)?;
    ensure!(checked.code == 0, "exit code {}", checked.code);
    ensure!(
        report["verdict"] == "review",
        "a video that was not looked at for violence cannot pass"
    );
    let violence = list(&report, "coverage")
        .iter()
        .find(|line| line["task"] == "violence");
    ensure!(
        violence.is_some_and(|line| line["run"] == false),
        "violence is named as not run"
    );
    Ok(())
}

#[test]
fn every_container_and_oddity_gives_the_same_findings() -> Result<()> {
    let folder = fixtures()?;
    let names = [
        "piece.mkv",
        "piece.webm",
        "piece.avi",
        "piece.mov",
        "silent.mp4",
        "odd-size.mp4",
        "rotated.mp4",
        "vfr.mp4",
        "late-start.mkv",
        "anamorphic.mp4",
        "timecode.mov",
    ];
    let program = Program::new()?;
    for name in names {
        let clip = folder.join(name);
        let report = program.check(&clip)?.report()?;
        validate(&report)?;
        if let Err(error) = compare(&report, &labels(&clip)?) {
            anyhow::bail!("{name}: {error}");
        }
    }
    Ok(())
}

#[test]
fn bad_files_get_one_clear_sentence_a_mail_and_exit_code_two() -> Result<()> {
    let folder = fixtures()?;
    let names = [
        ("text.mp4", "not a video"),
        ("truncated.mp4", "damaged"),
        ("audio-only.mp4", "sound but no picture"),
        ("unsupported-codec.mkv", "codec"),
        ("too-long.mp4", "lasts"),
    ];
    for (name, words) in names {
        let program = Program::new()?;
        let checked = program.check(&folder.join(name))?;
        ensure!(
            checked.code == 2,
            "{name}: exit code {}: {}",
            checked.code,
            checked.stderr
        );
        ensure!(checked.stdout.is_empty(), "{name}: {}", checked.stdout);
        let sentence = checked.stderr.trim();
        ensure!(
            sentence.lines().count() == 1,
            "{name}: more than a sentence: {sentence}"
        );
        ensure!(sentence.contains(words), "{name}: {sentence}");
        ensure!(program.mails()?.len() == 1, "{name}: no mail");
    }
    Ok(())
}

#[test]
fn an_empty_file_and_a_foreign_name_are_refused_at_the_door() -> Result<()> {
    let program = Program::new()?;
    let empty = program.check(&fixtures()?.join("empty.mp4"))?;
    ensure!(
        empty.code == 2 && empty.stderr.contains("empty"),
        "{}",
        empty.stderr
    );
    let song = program.check(&fixtures()?.join("audio-only.mka"))?;
    ensure!(
        song.code == 2 && song.stderr.contains("“mka” are not accepted"),
        "{}",
        song.stderr
    );
    let nothing = program.check(&program.data().join("nothing.mp4"))?;
    ensure!(
        nothing.code == 2 && nothing.stderr.contains("cannot be read"),
        "{}",
        nothing.stderr
    );
    Ok(())
}

#[test]
fn a_second_check_of_the_same_file_asks_no_model() -> Result<()> {
    let clip = fixtures()?.join("piece.mp4");
    let program = Program::new()?;
    let first = program.check(&clip)?.report()?;
    let again = program.checking(&clip)?.arg("--again").output()?;
    let second: Value = serde_json::from_slice(&again.stdout)?;
    ensure!(first["run"]["predictions"].as_u64() > Some(0));
    ensure!(
        second["run"]["predictions"] == 0,
        "asked again: {}",
        second["run"]
    );
    ensure!(first["risks"].as_array().map(Vec::len) == second["risks"].as_array().map(Vec::len));
    // Another pack judges the same run: its evidence is there.
    let mut checking = program.checking(&clip)?;
    let banded = checking.args(["--policy", "ru-436-fz"]).output()?;
    let banded: Value = serde_json::from_slice(&banded.stdout)?;
    ensure!(banded["run"]["id"] == second["run"]["id"], "another run");
    ensure!(banded["run"]["policy"]["id"] == "ru-436-fz");
    ensure!(banded["age_band"]["scheme"] == "ru-436-fz", "{banded}");
    validate(&banded)
}

#[test]
fn missing_ffmpeg_and_weights_are_told_in_one_line() -> Result<()> {
    let clip = fixtures()?.join("piece.mp4");
    let program = Program::new()?;
    let nowhere = program.data().join("no-models");
    let weightless = program
        .checking(&clip)?
        .env("MODELS_DIR", nowhere)
        .output()?;
    let told = String::from_utf8_lossy(&weightless.stderr);
    ensure!(
        weightless.status.code() == Some(2) && told.contains("compliance models fetch"),
        "{told}"
    );
    let toolless = program.checking(&clip)?.env("PATH", "/nowhere").output()?;
    let told = String::from_utf8_lossy(&toolless.stderr);
    ensure!(
        toolless.status.code() == Some(2) && told.contains("ffmpeg"),
        "{told}"
    );
    Ok(())
}

#[test]
fn the_comparison_itself_can_fail() {
    let word = serde_json::json!({ "text": "водку,", "start": 10.0, "end": 10.5 });
    let piece = |from: f64, to: f64| {
        serde_json::json!({ "start": from, "end": to, "text": "Он выпил водку",
            "words": [word], "label": "водка" })
    };
    let report = |from: f64, to: f64| {
        serde_json::json!({ "risks": [{ "category": "alcohol", "source": "whisper_stopword",
            "start_seconds": from, "end_seconds": to, "evidence": [piece(from, to)] }] })
    };
    let label = |category: &str, start: f64| {
        serde_json::json!({
            "said": [{ "text": "Он выпил водку.", "start": 9.0, "end": 10.6 }],
            "expect": [{ "category": category, "source": "speech", "word": "водку",
                         "start": start, "end": start + 0.5 }] })
    };
    assert!(compare(&report(10.0, 10.5), &label("alcohol", 10.3)).is_ok());
    assert!(compare(&report(10.0, 10.5), &label("alcohol", 12.0)).is_err());
    assert!(compare(&report(10.0, 10.5), &label("drugs", 10.0)).is_err());
    // One event over the whole clip does not pass for a word at its time.
    assert!(compare(&report(0.0, 52.0), &label("alcohol", 30.0)).is_err());
    let nothing = serde_json::json!({ "expect": [] });
    assert!(compare(&report(10.0, 10.5), &nothing).is_err());
    // Quoting what nobody said is an invention.
    let mut silent = label("alcohol", 10.0);
    silent["said"] = serde_json::json!([]);
    assert!(compare(&report(10.0, 10.5), &silent).is_err());
}
