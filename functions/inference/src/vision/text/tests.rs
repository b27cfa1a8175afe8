use std::path::Path;

use bytes::Bytes;
use serde_json::Value;

use super::{NO_RUSSIAN, ScreenText};
use crate::predictor::{Cancel, Input, PredictError, Predictor};
use crate::vision::tests::{Drawn, answer, drawn, frame, picture, plain};
use crate::weights::tests::real_folder;

const RIMMED: &str = "fontcolor=white:borderw=2:bordercolor=black";

fn model() -> ScreenText {
    let model = ScreenText::connect(&real_folder(), 1).unwrap();
    assert!(
        model.card().limits.is_empty(),
        "tesseract with rus and eng is missing: run `./justw setup`"
    );
    model
}

fn texts(answer: &Value) -> Vec<String> {
    let results = answer["results"].as_array().unwrap();
    results
        .iter()
        .map(|line| line["text"].as_str().unwrap().to_owned())
        .collect()
}

/// Levenshtein's distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, letter) in a.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], index + 1);
        for column in 0..b.len() {
            let changed = corner + usize::from(letter != b[column]);
            corner = row[column + 1];
            row[column + 1] = changed.min(corner + 1).min(row[column] + 1);
        }
    }
    row[b.len()]
}

/// Every line is read with one wrong character at most, in its place, and nothing else is.
fn assert_read(answer: &Value, lines: &[Drawn]) {
    let read = texts(answer);
    assert_eq!(read.len(), lines.len(), "{answer:#}");
    for (index, line) in lines.iter().enumerate() {
        let off = distance(&read[index], line.text);
        assert!(
            off <= 1,
            "{:?} was read as {:?}: {answer:#}",
            line.text,
            read[index]
        );
        let corner = &answer["results"][index]["box"][0];
        let near = |axis: usize, at: u32| (corner[axis].as_f64().unwrap() - f64::from(at)).abs();
        assert!(
            near(0, line.at.0) < 24.0 && near(1, line.at.1) < 24.0,
            "{answer:#}"
        );
    }
}

fn line(text: &'static str, size: u32, at: (u32, u32), style: &'static str) -> Drawn {
    Drawn {
        text,
        size,
        at,
        style,
    }
}

#[test]
fn russian_and_english_on_a_plain_ground_are_read() {
    let lines = [
        line(
            "Курение вредит вашему здоровью",
            28,
            (80, 60),
            "fontcolor=white",
        ),
        line(
            "Drink responsibly 18+ only",
            32,
            (80, 180),
            "fontcolor=white",
        ),
        line("КАЗИНО БОНУС 100%", 44, (80, 300), "fontcolor=yellow"),
        line("Smoking kills", 20, (80, 420), "fontcolor=white"),
        line("Подпишись на канал", 20, (80, 540), "fontcolor=white"),
    ];
    assert_read(&answer(&model(), &drawn(plain("0x203850"), &lines)), &lines);
}

#[test]
fn dark_letters_on_white_are_read() {
    let lines = [
        line("Запрещено", 120, (80, 80), "fontcolor=black"),
        line("Сигареты и водка", 36, (80, 320), "fontcolor=0x303030"),
        line(
            "Do not try this at home",
            28,
            (80, 480),
            "fontcolor=0x303030",
        ),
    ];
    assert_read(&answer(&model(), &drawn(plain("white"), &lines)), &lines);
}

#[test]
fn captions_over_a_busy_picture_are_read() {
    let lines = [
        line("КАЗИНО БОНУС 100%", 44, (80, 60), RIMMED),
        line("Drink responsibly 18+", 32, (420, 240), RIMMED),
        line("Не пытайтесь повторить это дома", 36, (200, 600), RIMMED),
    ];
    let picture = drawn(frame("bigbuckbunny.mp4", "1"), &lines);
    assert_read(&answer(&model(), &picture), &lines);
}

#[test]
fn an_advertising_token_in_a_russian_line_stays_latin() {
    let lines = [line(
        "Реклама. ООО «Ромашка» erid: 2SDnjcbs16H",
        32,
        (80, 300),
        "fontcolor=white",
    )];
    let answer = answer(&model(), &drawn(plain("0x203850"), &lines));
    let read = texts(&answer).join(" ");
    assert!(read.starts_with("Реклама"), "{answer:#}");
    assert!(
        read.contains("erid") && read.contains("2SDnjcbs16H"),
        "{answer:#}"
    );
}

#[test]
fn masked_words_are_read_sign_by_sign() {
    let lines = [
        line("б***ь", 72, (80, 60), "fontcolor=white"),
        line("п*здец", 64, (80, 220), "fontcolor=white"),
        line("бл@дь", 28, (80, 380), "fontcolor=white"),
        line("sh*t", 44, (80, 500), "fontcolor=white"),
    ];
    let answer = answer(&model(), &drawn(plain("0x203850"), &lines));
    let wanted: Vec<&str> = lines.iter().map(|line| line.text).collect();
    assert_eq!(texts(&answer), wanted, "{answer:#}");
}

#[test]
fn a_tilted_line_is_read() {
    let lines = [line("Распродажа водки", 48, (300, 330), "fontcolor=white")];
    let upright = drawn(plain("0x203850"), &lines);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("upright.jpg");
    std::fs::write(&file, &upright).unwrap();
    let input = vec!["-i".to_owned(), file.display().to_string()];
    let tilted = picture(input, "rotate=-12*PI/180:fillcolor=0x203850");
    let answer = answer(&model(), &tilted);
    let read = texts(&answer);
    assert_eq!(read.len(), 1, "{answer:#}");
    assert!(distance(&read[0], "Распродажа водки") <= 1, "{answer:#}");
}

#[test]
fn pictures_without_text_give_nothing() {
    let model = model();
    for (film, second) in [
        ("bigbuckbunny.mp4", "1"),
        ("bigbuckbunny.mp4", "4"),
        ("carphone_pristine.mp4", "1"),
        ("bikes.mp4", "2"),
    ] {
        let answer = answer(&model, &picture(frame(film, second), "scale=1280:720"));
        assert!(
            texts(&answer).is_empty(),
            "{film} at {second} s: {answer:#}"
        );
    }
    let black = answer(&model, &picture(plain("black"), "null"));
    assert!(texts(&black).is_empty(), "{black:#}");
}

#[test]
fn a_brand_in_a_russian_line_is_read() {
    let lines = [line("Скидка 50% на Samsung", 36, (200, 600), RIMMED)];
    let picture = drawn(frame("bigbuckbunny.mp4", "4"), &lines);
    assert_read(&answer(&model(), &picture), &lines);
}

#[test]
fn a_caption_that_stays_is_read_once() {
    let lines = [line("Не пытайтесь повторить", 36, (200, 600), RIMMED)];
    let model = model();
    let picture = drawn(plain("0x203850"), &lines);
    let first = answer(&model, &picture);
    assert_read(&first, &lines);
    assert_eq!(model.memory.len(), 1);
    assert_eq!(answer(&model, &picture), first);
    assert_eq!(model.memory.len(), 1);

    let others = [line("Не пытайтесь повторять", 36, (200, 600), RIMMED)];
    let second = answer(&model, &drawn(plain("0x203850"), &others));
    assert_read(&second, &others);
    assert_ne!(texts(&second), texts(&first));
}

#[test]
fn without_tesseract_latin_is_read_and_the_limit_is_said() {
    let absent = Path::new("/nonexistent/tesseract");
    let model = ScreenText::with_reader(&real_folder(), 1, absent).unwrap();
    assert_eq!(model.card().limits, [NO_RUSSIAN]);
    let lines = [line("Drink responsibly", 32, (80, 180), "fontcolor=white")];
    let answer = answer(&model, &drawn(plain("0x203850"), &lines));
    assert_read(&answer, &lines);
    assert_eq!(answer["limits"][0], NO_RUSSIAN);
}

#[test]
fn without_tesseract_russian_lines_are_listed_as_unread() {
    let absent = Path::new("/nonexistent/tesseract");
    let model = ScreenText::with_reader(&real_folder(), 1, absent).unwrap();
    let lines = [line("Курение вредит", 32, (80, 180), "fontcolor=white")];
    let answer = answer(&model, &drawn(plain("0x203850"), &lines));
    assert!(texts(&answer).is_empty(), "{answer:#}");
    assert_eq!(answer["unread"].as_array().unwrap().len(), 1);
}

#[test]
fn bytes_that_are_no_picture_are_the_callers_fault() {
    let mut input = Input::default();
    let garbage = Bytes::from_static(b"\xff\xd8\xff\xe0 this is no picture");
    for bytes in [garbage, Bytes::from_static(b"GIF89a"), Bytes::new()] {
        input.files.insert("image".to_owned(), bytes);
        let refused = model().predict(&input, &Cancel::default());
        assert!(
            matches!(refused, Err(PredictError::Input(_))),
            "{refused:?}"
        );
    }
}

#[test]
fn a_cancelled_question_ends_without_an_answer() {
    let cancel = Cancel::default();
    cancel.cancel();
    let mut input = Input::default();
    input
        .files
        .insert("image".to_owned(), picture(plain("black"), "null"));
    assert_eq!(
        model().predict(&input, &cancel),
        Err(PredictError::Cancelled)
    );
}
