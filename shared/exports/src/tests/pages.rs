//! The PDF, read by another program.

use std::collections::BTreeMap;
use std::process::Command;

use jpeg_encoder::{ColorType, Encoder};
use serde_json::Value;
use shared_domain::{Lang, Task};

use super::readers::readers;
use super::{report, rich, said, seen, video};
use crate::{Export, ExportError, Format};

const READ: &str = "
import json, sys, pypdf
reader = pypdf.PdfReader(sys.argv[1], strict=True)
pages = [{'text': page.extract_text(), 'images': len(page.images)} for page in reader.pages]
print(json.dumps({'pages': pages, 'title': reader.metadata.title, 'fonts': sorted({
    str(font.get_object()['/BaseFont']) for page in reader.pages
    for font in page['/Resources'].get('/Font', {}).values()})}))
";

fn read(export: &Export<'_>) -> Value {
    let pdf = Format::find("pdf").unwrap().write(export).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pdf).unwrap();
    let output = Command::new("python3")
        .args(["-c", READ])
        .arg(file.path())
        .env("PYTHONPATH", readers())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let pixels: Vec<u8> = (0..usize::from(width) * usize::from(height) * 3)
        .map(|n| u8::try_from(n % 251).unwrap())
        .collect();
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, 80)
        .encode(&pixels, width, height, ColorType::Rgb)
        .unwrap();
    bytes
}

fn text(pdf: &Value) -> String {
    let pages = pdf["pages"].as_array().unwrap().iter();
    let pages: Vec<&str> = pages.map(|page| page["text"].as_str().unwrap()).collect();
    // Lines are broken where the page ends, not where the words do.
    let words: Vec<&str> = pages
        .iter()
        .flat_map(|page| page.split_whitespace())
        .collect();
    words.join(" ")
}

#[test]
fn a_report_on_paper_has_its_texts_frames_timecodes_and_logo() {
    let report = rich((25, 1), "10:00:00:00");
    let keys = ["frames/000090000.jpg", "frames/001100000.jpg"];
    let frames = BTreeMap::from(keys.map(|key| (key.to_owned(), jpeg(320, 180))));
    let logo = jpeg(200, 80);
    let export = Export {
        report: &report,
        lang: Lang::Ru,
        frames: &frames,
        logo: Some(&logo),
    };
    let pdf = read(&export);
    let text = text(&pdf);
    for wanted in [
        "Отчёт о проверке видео",
        "Выпуск 7",
        "Найдены серьёзные риски",
        "Начальный тайм-код: 10:00:00:00",
        "10:00:13:05 – 10:00:13:14",
        "«сука»",
        "Что просмотрено",
        "Это не юридическая консультация",
        "Кадры с наготой и насилием",
    ] {
        assert!(text.contains(wanted), "{wanted:?}: {text}");
    }
    let images = |page: &Value| page["images"].as_u64().unwrap();
    let pages = pdf["pages"].as_array().unwrap();
    let (last, others) = pages.split_last().unwrap();
    assert_eq!(images(last), 1, "what is veiled stands alone");
    assert_eq!(
        others.iter().map(images).sum::<u64>(),
        2,
        "the knife and the logo"
    );
    assert!(last["text"].as_str().unwrap().contains("10:01:30:00"));
    assert_eq!(pdf["title"], "Выпуск 7 — “финал”.mp4");
    let fonts = pdf["fonts"].to_string();
    assert!(
        fonts.contains("Roboto-Regular") && fonts.contains("Roboto-Bold"),
        "{fonts}"
    );
}

#[test]
fn a_long_report_goes_on_over_pages_and_loses_nothing() {
    let found: Vec<_> = (0..60)
        .map(|n| seen(Task::Objects, "knife", (n * 15_000, n * 15_000 + 500)))
        .collect();
    let report = report(video((25, 1), "00:00:00:00"), &found);
    let export = Export {
        report: &report,
        lang: Lang::En,
        frames: &BTreeMap::new(),
        logo: None,
    };
    let pdf = read(&export);
    let text = text(&pdf);
    let pages = pdf["pages"].as_array().unwrap().len();
    assert!(pages >= 4, "{pages}");
    assert!(text.contains(&format!("{pages} / {pages}")));
    for n in 0..60 {
        let seconds = n * 15;
        let timecode = format!("00:{:02}:{:02}:00", seconds / 60, seconds % 60);
        assert!(text.contains(&timecode), "{timecode}");
    }
}

#[test]
fn what_is_no_picture_is_no_logo_and_a_damaged_frame_is_left_out() {
    let report = report(video((25, 1), "00:00:00:00"), &[said("какая сука", 1_000)]);
    let broken = BTreeMap::from([("audio/0.flac".to_owned(), b"\xFF\xD8 no picture".to_vec())]);
    let export = |logo: Option<&'static [u8]>| {
        Format::find("pdf").unwrap().write(&Export {
            report: &report,
            lang: Lang::En,
            frames: &broken,
            logo,
        })
    };
    assert!(export(None).is_ok());
    for wrong in [&b""[..], b"GIF89a", b"\x89PNG\r\n\x1a\nrubbish", b"<svg/>"] {
        let refused = export(Some(wrong));
        assert!(matches!(refused, Err(ExportError::Logo(_))), "{wrong:?}");
    }
}
