use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{Languages, Page, Tesseract, place_signs, word};
use crate::predictor::Cancel;
use crate::vision::VisionError;

fn blank() -> Page {
    Page {
        width: 120,
        height: 44,
        margin: 2,
        pixels: vec![255; 120 * 44],
    }
}

/// A program of our own in place of Tesseract.
fn program(body: &str) -> (TempDir, Tesseract) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tesseract");
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = --list-langs ]; then echo rus; echo eng; exit; fi\n{body}\n"
    );
    fs::write(&file, script).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    let found = Tesseract::find(&file).unwrap();
    (folder, found)
}

#[test]
fn a_row_is_a_word_of_its_page_in_heights_of_the_line() {
    let pages = [blank(), blank()];
    let row = "5\t2\t1\t1\t1\t1\t22\t16\t40\t25\t96.5\tводка";
    let (index, read) = word(row, &pages).unwrap();
    assert_eq!((index, read.text.as_str()), (1, "водка"));
    assert!((read.confidence - 0.965).abs() < 1e-6);
    assert!((read.from - 0.5).abs() < 1e-6 && (read.to - 1.5).abs() < 1e-6);
}

#[test]
fn a_word_knows_the_places_of_its_own_signs_only() {
    let pages = [blank()];
    let row = "5\t1\t1\t1\t1\t1\t22\t16\t40\t25\t60\tх*й";
    let mut read = vec![vec![word(row, &pages).unwrap().1]];
    place_signs(&mut read, "х 22 2 30 20 0\nнет 1 2\n", &pages);
    assert!(read[0][0].signs.is_empty());
    let table = "х 22 2 30 20 0\n* 32 2 40 20 0\nй 50 2 60 20 0\nо 90 2 99 20 0\nа 30 2 31 9 7\n";
    place_signs(&mut read, table, &pages);
    let places: Vec<f32> = read[0][0].signs.iter().map(|sign| sign.at).collect();
    assert_eq!(places, [0.6, 0.85, 1.325]);
}

#[test]
fn rows_that_are_no_words_are_passed_over() {
    let pages = [blank()];
    for row in [
        "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext",
        "4\t1\t1\t1\t1\t0\t11\t11\t583\t30\t-1\t",
        "5\t1\t1\t1\t1\t1\t22\t16\t40\t25\t95\t ",
        "5\t0\t1\t1\t1\t1\t22\t16\t40\t25\t96.5\tводка",
        "5\t7\t1\t1\t1\t1\t22\t16\t40\t25\t96.5\tводка",
        "5\t1",
        "",
    ] {
        assert_eq!(word(row, &pages), None, "{row:?}");
    }
}

#[test]
fn a_program_without_russian_is_not_taken() {
    assert_eq!(Tesseract::find(Path::new("/nonexistent/tesseract")), None);
    assert_eq!(Tesseract::find(Path::new("true")), None);
}

#[test]
fn a_failing_program_is_quoted() {
    let (_folder, tesseract) = program("echo no such language >&2; exit 1");
    let failed = tesseract.read(&[blank()], Languages::Russian, &Cancel::default());
    let text = failed.unwrap_err().to_string();
    assert!(text.contains("no such language"), "{text}");
}

#[test]
fn a_hanging_program_is_killed_when_nobody_waits_any_more() {
    let (folder, tesseract) = program("echo $$ > \"$(dirname \"$0\")/pid\"; exec sleep 600");
    let cancel = Cancel::default();
    let ours = cancel.clone();
    let running = thread::spawn(move || tesseract.read(&[blank()], Languages::Russian, &ours));
    let pid = folder.path().join("pid");
    let start = Instant::now();
    let mut id = String::new();
    while !id.ends_with('\n') {
        assert!(
            start.elapsed() < Duration::from_mins(1),
            "the program did not start"
        );
        id = fs::read_to_string(&pid).unwrap_or_default();
        thread::yield_now();
    }
    cancel.cancel();
    assert!(matches!(
        running.join().unwrap(),
        Err(VisionError::Cancelled)
    ));
    let process = Path::new("/proc").join(id.trim());
    assert!(!process.exists(), "the program still runs");
}

#[test]
fn no_pages_cost_no_process() {
    let (_folder, tesseract) = program("exit 1");
    let read = tesseract
        .read(&[], Languages::Russian, &Cancel::default())
        .unwrap();
    assert!(read.is_empty());
}

#[test]
fn pages_are_drawn_in_the_scratch_folder_that_is_set_and_gone_after_it() {
    let (folder, tesseract) =
        program("cat \"$1\" > \"$(dirname \"$0\")/listed\"; : > \"$2.tsv\"; : > \"$2.box\"");
    let scratch = folder.path().join("scratch");
    let tesseract = tesseract.with_temp_dir(Some(scratch.clone()));
    let read = tesseract.read(&[blank()], Languages::Russian, &Cancel::default());
    assert_eq!(read.unwrap(), [Vec::new()]);
    let listed = fs::read_to_string(folder.path().join("listed")).unwrap();
    assert!(Path::new(listed.trim()).starts_with(&scratch), "{listed}");
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0);
}
