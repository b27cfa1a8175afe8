//! The real model on real sound: needs `compliance models fetch`, espeak-ng, festival with
//! festvox-ru, and ffmpeg.

use std::io::{Cursor, Write};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{SpeechError, Whisper};
use crate::predictor::{Cancel, Input, PredictError, Predictor};
use crate::weights::tests::real_folder;

const RATE: usize = 16_000;

fn whisper() -> Whisper {
    Whisper::connect(&real_folder(), 1).unwrap()
}

fn wav(samples: &[f32]) -> Vec<u8> {
    wav_at(16_000, samples)
}

fn wav_at(sample_rate: u32, samples: &[f32]) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
    for sample in samples {
        writer.write_sample(*sample).unwrap();
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}

fn input(bytes: Vec<u8>, fields: Value) -> Input {
    let Value::Object(fields) = fields else {
        panic!("fields are an object")
    };
    Input {
        fields,
        files: [("audio".to_owned(), bytes.into())].into(),
    }
}

fn transcribe(samples: &[f32]) -> Value {
    whisper()
        .predict(&input(wav(samples), json!({})), &Cancel::default())
        .unwrap()
}

/// Runs a program on some bytes; a missing program fails the test by name.
fn filtered(program: &str, arguments: &[&str], bytes: &[u8]) -> Vec<u8> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{program} is needed: {error}"));
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success() && !output.stdout.is_empty(),
        "{program} failed"
    );
    output.stdout
}

fn resampled(bytes: &[u8]) -> Vec<f32> {
    let to = [
        "-v", "error", "-i", "-", "-ar", "16000", "-ac", "1", "-f", "f32le", "-",
    ];
    let raw = filtered("ffmpeg", &to, bytes);
    raw.chunks_exact(4)
        .map(|word| f32::from_le_bytes(word.try_into().unwrap()))
        .collect()
}

fn english(text: &str) -> Vec<f32> {
    let said = ["-v", "en-us", "-s", "150", "--stdin", "--stdout"];
    resampled(&filtered("espeak-ng", &said, text.as_bytes()))
}

fn russian(text: &str) -> Vec<f32> {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("said.wav");
    let said = [
        "-eval",
        "(voice_msu_ru_nsh_clunits)",
        "-o",
        place.to_str().unwrap(),
    ];
    let mut command = Command::new("text2wave");
    command
        .args(said)
        .stdin(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("festival is needed: {error}"));
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    assert!(
        child.wait().unwrap().success(),
        "festival needs the voice of festvox-ru"
    );
    resampled(&std::fs::read(place).unwrap())
}

/// Word, start, end and language of everything that was heard.
fn heard(transcript: &Value) -> Vec<(String, f64, f64, String)> {
    let segments = transcript["segments"].as_array().unwrap();
    let words = segments.iter().flat_map(|segment| {
        let language = segment["language"].as_str().unwrap();
        segment["words"]
            .as_array()
            .unwrap()
            .iter()
            .map(move |word| (word, language))
    });
    let plain = |word: &Value| {
        let word = word["word"].as_str().unwrap().to_lowercase();
        word.trim_matches(|letter: char| !letter.is_alphanumeric())
            .to_owned()
    };
    words
        .map(|(word, language)| {
            let time = |key: &str| word[key].as_f64().unwrap();
            (plain(word), time("start"), time("end"), language.to_owned())
        })
        .collect()
}

/// Where a sound starts and ends once it is put after what is there.
fn put(track: &mut Vec<f32>, pause: usize, sound: &[f32]) -> (f64, f64) {
    let seconds = |samples: usize| u32::try_from(samples).map(f64::from).unwrap() / 16_000.0;
    track.extend(vec![0.0; pause * RATE]);
    let start = seconds(track.len());
    track.extend(sound);
    (start, seconds(track.len()))
}

#[test]
fn two_languages_are_written_down_each_in_its_own_with_word_times() {
    let mut track = Vec::new();
    let first = put(
        &mut track,
        2,
        &english("Somebody brought a loaded gun and a bottle of whiskey."),
    );
    let second = put(
        &mut track,
        4,
        &russian("Водка и сигареты продаются только взрослым."),
    );
    let third = put(&mut track, 3, &english("He smoked a cigarette."));
    put(&mut track, 2, &[]);
    let transcript = transcribe(&track);
    let words = heard(&transcript);
    let find = |wanted: &str| {
        words
            .iter()
            .find(|(word, ..)| word == wanted)
            .unwrap_or_else(|| panic!("{wanted}: {words:?}"))
    };
    for (wanted, (start, end), language) in [
        ("gun", first, "en"),
        ("whiskey", first, "en"),
        ("продаются", second, "ru"),
        ("взрослым", second, "ru"),
        ("cigarette", third, "en"),
    ] {
        let (_, from, to, spoken) = find(wanted);
        assert!(
            *from >= start - 0.1 && *to <= end + 0.1,
            "{wanted} at {from} to {to}: {start}, {end}"
        );
        assert_eq!(spoken, language);
    }
    let close = |time: f64, expected: f64| (time - expected).abs() < 0.5;
    assert!(close(find("somebody").1, first.0) && close(find("whiskey").2, first.1));
    assert!(close(find("взрослым").2, second.1));
    assert!(close(find("smoked").1, third.0) && close(find("cigarette").2, third.1));
    assert!(
        words.windows(2).all(|pair| pair[0].1 <= pair[1].1),
        "words are in order"
    );
    assert_eq!(transcript["dropped"], json!([]));
}

#[test]
fn a_lone_word_is_written_down_in_its_own_language_or_listed() {
    let mut track = russian("Водка и сигареты продаются только взрослым.");
    let lone = put(&mut track, 3, &english("Cigarettes."));
    put(&mut track, 2, &[]);
    let transcript = transcribe(&track);
    let words = heard(&transcript);
    let written = words
        .iter()
        .any(|(word, from, ..)| word.starts_with("cigarette") && *from > lone.0 - 0.2);
    let listed = transcript["dropped"].as_array().unwrap().iter().any(|row| {
        let time = |key: &str| row[key].as_f64().unwrap();
        time("start") > lone.0 - 0.5 && time("end") < lone.1 + 0.5
    });
    assert!(written || listed, "{transcript:#}");
}

#[test]
fn a_transcript_does_not_depend_on_the_number_of_threads() {
    let sound = wav(&english(
        "Somebody brought a loaded gun and a bottle of whiskey.",
    ));
    let transcript = |threads: usize| {
        let whisper = Whisper::connect(&real_folder(), threads).unwrap();
        let input = input(sound.clone(), json!({}));
        whisper.predict(&input, &Cancel::default()).unwrap()
    };
    assert_eq!(transcript(1), transcript(3));
}

#[test]
fn a_language_may_change_without_a_pause() {
    let mut track = english("Tonight we drink whiskey and smoke cigarettes.");
    let from = track.len();
    track.extend(russian("Привет, друзья! Сегодня мы снимаем новый ролик."));
    let to = track.len();
    track.extend(english("Please drive carefully on the way home."));
    let words = heard(&transcribe(&track));
    let language_of = |wanted: &str| {
        let found = words.iter().find(|(word, ..)| word == wanted);
        found.map(|(_, start, _, language)| (*start, language.as_str()))
    };
    let inside = |at: f64| {
        let samples = |count: usize| u32::try_from(count).map(f64::from).unwrap() / 16_000.0;
        at > samples(from) - 0.2 && at < samples(to)
    };
    assert_eq!(language_of("cigarettes").unwrap().1, "en", "{words:?}");
    let (start, language) = language_of("сегодня").unwrap_or_else(|| panic!("{words:?}"));
    assert!(language == "ru" && inside(start), "{words:?}");
    assert_eq!(language_of("home").unwrap().1, "en", "{words:?}");
}

#[test]
fn nothing_is_heard_in_silence_noise_and_music() {
    let seconds = 12;
    let silence = vec![0.0; seconds * RATE];
    // A fixed generator: the same noise in every run.
    let mut seed = 1u32;
    let noise: Vec<f32> = (0..seconds * RATE)
        .map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from((seed >> 16) as u16) / 65_536.0 - 0.5
        })
        .collect();
    let chord = |at: u16| {
        let time = f32::from(at) / 16_000.0;
        let tone = |hertz: f32| (time * hertz * std::f32::consts::TAU).sin();
        (tone(164.81) + tone(196.0) + tone(246.94)) * 0.2 * (1.0 - time % 0.5)
    };
    let music: Vec<f32> = (0..seconds)
        .flat_map(|_| (0..16_000u16).map(chord))
        .collect();
    for (name, sound) in [("silence", silence), ("noise", noise), ("music", music)] {
        let transcript = transcribe(&sound);
        assert_eq!(transcript["segments"], json!([]), "{name}");
        assert_eq!(transcript["language"], json!(null), "{name}");
    }
}

#[test]
fn speech_longer_than_a_window_is_heard_to_its_end() {
    let line = english("The quick brown fox jumps over the lazy dog near the river bank. ");
    let mut track = Vec::new();
    for _ in 0..8 {
        put(&mut track, 0, &line);
    }
    let last = put(
        &mut track,
        0,
        &english("And that was the whole story about the elephant."),
    );
    let words = heard(&transcribe(&track));
    let elephant = words.iter().find(|(word, ..)| word == "elephant").unwrap();
    assert!(
        elephant.1 > last.0 && elephant.2 < last.1 + 0.2,
        "{elephant:?} {last:?}"
    );
    // "river bank" and "riverbank" sound the same.
    let rivers = words
        .iter()
        .filter(|(word, ..)| word.starts_with("river"))
        .count();
    assert_eq!(rivers, 8, "{words:?}");
}

#[test]
fn what_is_no_16_khz_mono_wav_is_refused_with_a_reason() {
    let whisper = whisper();
    let refused = |bytes: Vec<u8>, fields: Value| {
        let answer = whisper.predict(&input(bytes, fields), &Cancel::default());
        let Err(PredictError::Input(reason)) = answer else {
            panic!("{answer:?}")
        };
        reason
    };
    assert!(refused(Vec::new(), json!({})).contains("WAV, 16 kHz, mono"));
    assert!(refused(b"RIFF\x10\0\0\0WAVEjunk".to_vec(), json!({})).contains("16 kHz"));
    let fast = wav_at(44_100, &[0.0; 100]);
    assert!(refused(fast, json!({})).contains("44100 Hz"));
    // A header that contradicts itself.
    let mut broken = wav(&[0.0; 100]);
    broken[24..28].copy_from_slice(&44_100u32.to_le_bytes());
    assert!(refused(broken, json!({})).contains("16 kHz"));
    let unknown = refused(wav(&[0.0; 100]), json!({"language": "klingon"}));
    assert!(unknown.contains("klingon"));
    let missing = whisper.predict(&Input::default(), &Cancel::default());
    assert!(matches!(missing, Err(PredictError::Input(_))));
}

#[test]
fn nan_and_an_empty_recording_are_silence() {
    assert_eq!(transcribe(&[])["segments"], json!([]));
    assert_eq!(transcribe(&vec![f32::NAN; 2 * RATE])["segments"], json!([]));
}

#[test]
fn a_cancelled_question_is_not_answered() {
    let cancel = Cancel::default();
    cancel.cancel();
    let answer = whisper().predict(&input(wav(&vec![0.0; RATE]), json!({})), &cancel);
    assert_eq!(answer, Err(PredictError::Cancelled));
}

#[test]
fn errors_keep_their_kind_behind_the_api() {
    let of = |error: SpeechError| PredictError::from(error);
    assert!(matches!(
        of(SpeechError::Sound("short".into())),
        PredictError::Input(_)
    ));
    assert!(matches!(
        of(SpeechError::Cancelled),
        PredictError::Cancelled
    ));
    let run = SpeechError::Run {
        part: "decoder",
        reason: "x".into(),
    };
    assert!(matches!(of(run), PredictError::Model(_)));
}
