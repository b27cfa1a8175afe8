//! Tesseract as a child process: the only reader of Cyrillic that ordinary packages ship.
//!
//! Starting it costs as much as two lines, so that all lines of a frame go through one process. It
//! sees pages that we have drawn, never a file of a client.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::predictor::Cancel;
use crate::vision::VisionError;

/// Start-up on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
const PATIENCE_PER_PAGE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(4);
/// The most that is read of its answer: 200 lines are far below.
const MAX_ANSWER_BYTES: usize = 4 << 20;

/// A line, dark on bright, that is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Paper on each side, not part of the line.
    pub(super) margin: usize,
    pub(super) pixels: Vec<u8>,
}

impl Page {
    /// Where a pixel stands in the line, in heights of it.
    #[expect(clippy::cast_precision_loss, reason = "sides of a page")]
    fn place(&self, x: f32) -> f32 {
        (x - self.margin as f32) / (self.height - 2 * self.margin) as f32
    }
}

/// A word at its place; `from` and `to` in heights of the line from its left end.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) confidence: f32,
    pub(super) from: f32,
    pub(super) to: f32,
    /// Its signs in their order; none when their places are not known.
    pub(super) signs: Vec<Sign>,
}

/// A sign of a word; `at` is its middle, in heights of the line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sign {
    pub(super) text: Box<str>,
    pub(super) at: f32,
}

/// The languages in which lines are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Languages {
    /// Reads Cyrillic best.
    Russian,
    /// Knows `HOME` from `НОМЕ`, by its dictionaries.
    RussianAndEnglish,
}

impl Languages {
    fn codes(self) -> &'static str {
        match self {
            Self::Russian => "rus",
            Self::RussianAndEnglish => "rus+eng",
        }
    }
}

/// The program with its Russian data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tesseract {
    program: PathBuf,
    /// Where its pages are drawn; the system's folder for such things when none.
    temp_dir: Option<PathBuf>,
}

impl Tesseract {
    /// Looks whether the program is there and knows Russian and English.
    pub(super) fn find(program: &Path) -> Option<Self> {
        let listed = Command::new(program)
            .arg("--list-langs")
            .stdin(Stdio::null())
            .output();
        let listed = String::from_utf8_lossy(&listed.ok()?.stdout).into_owned();
        let knows = |code| listed.lines().any(|line| line.trim() == code);
        (knows("rus") && knows("eng")).then(|| Self {
            program: program.to_owned(),
            temp_dir: None,
        })
    }

    /// With another place for the pages.
    pub(super) fn with_temp_dir(self, temp_dir: Option<PathBuf>) -> Self {
        Self { temp_dir, ..self }
    }

    /// A folder that is gone when its owner is.
    fn folder(&self) -> io::Result<TempDir> {
        const PREFIX: &str = "lines-";
        match &self.temp_dir {
            None => TempDir::with_prefix(PREFIX),
            Some(dir) => {
                fs::create_dir_all(dir)?;
                TempDir::with_prefix_in(PREFIX, dir)
            }
        }
    }

    /// The words of each page.
    pub(super) fn read(
        &self,
        pages: &[Page],
        languages: Languages,
        cancel: &Cancel,
    ) -> Result<Vec<Vec<Word>>, VisionError> {
        if pages.is_empty() {
            return Ok(Vec::new());
        }
        let failed = |error: io::Error| VisionError::Tesseract(format!("cannot be run: {error}"));
        let folder = self.folder().map_err(failed)?;
        let list = write_pages(folder.path(), pages).map_err(failed)?;
        let errors = folder.path().join("errors");
        let mut child = Command::new(&self.program)
            .arg(&list)
            .arg(folder.path().join("answer"))
            .args(["-l", languages.codes(), "--psm", "7", "--dpi", "150"])
            // A table of the words, and one of their signs.
            .args(["tsv", "makebox"])
            // Its own threads only get in each other's way on single lines.
            .env("OMP_THREAD_LIMIT", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&errors).map_err(failed)?)
            .spawn()
            .map_err(failed)?;
        let pages_count = u32::try_from(pages.len()).unwrap_or(u32::MAX);
        let finished = wait(
            &mut child,
            PATIENCE + PATIENCE_PER_PAGE * pages_count,
            cancel,
        );
        if finished.is_err() {
            // It may have ended by itself in the meantime; either way it is gone after `wait`.
            let _ = child.kill();
            let _ = child.wait();
        }
        if !finished? {
            let said = fs::read_to_string(&errors).unwrap_or_default();
            let said: String = said.trim().chars().take(300).collect();
            return Err(VisionError::Tesseract(format!("failed: {said}")));
        }
        let answer = |name: &str| {
            let answer = fs::read(folder.path().join(name)).map_err(failed)?;
            if answer.len() > MAX_ANSWER_BYTES {
                return Err(VisionError::Tesseract("answered without end".to_owned()));
            }
            Ok(String::from_utf8_lossy(&answer).into_owned())
        };
        let mut read = words(&answer("answer.tsv")?, pages);
        place_signs(&mut read, &answer("answer.box")?, pages);
        Ok(read)
    }
}

/// Writes each page as a file, and the list of the files.
fn write_pages(folder: &Path, pages: &[Page]) -> io::Result<PathBuf> {
    let list = folder.join("list.txt");
    let mut names = File::create(&list)?;
    for (index, page) in pages.iter().enumerate() {
        let path = folder.join(format!("{index}.pgm"));
        let mut file = File::create(&path)?;
        write!(file, "P5\n{} {}\n255\n", page.width, page.height)?;
        file.write_all(&page.pixels)?;
        writeln!(names, "{}", path.display())?;
    }
    Ok(list)
}

/// Waits for the end; says whether it was a good one.
fn wait(child: &mut Child, patience: Duration, cancel: &Cancel) -> Result<bool, VisionError> {
    let start = Instant::now();
    loop {
        cancel.check()?;
        let ended = child.try_wait();
        let failed = |error: io::Error| VisionError::Tesseract(format!("is lost: {error}"));
        if let Some(status) = ended.map_err(failed)? {
            return Ok(status.success());
        }
        if start.elapsed() > patience {
            let seconds = patience.as_secs();
            return Err(VisionError::Tesseract(format!(
                "took more than {seconds} s"
            )));
        }
        thread::sleep(LOOK_AGAIN);
    }
}

/// Reads the table: one row per word, with the number of its page.
fn words(table: &str, pages: &[Page]) -> Vec<Vec<Word>> {
    let mut read = vec![Vec::new(); pages.len()];
    for row in table.lines() {
        if let Some((index, word)) = word(row, pages) {
            read[index].push(word);
        }
    }
    read
}

fn word(row: &str, pages: &[Page]) -> Option<(usize, Word)> {
    let columns: Vec<&str> = row.split('\t').collect();
    let ["5", page, _, _, _, _, left, _, width, _, confidence, text] = columns.as_slice() else {
        return None;
    };
    let index = page.parse::<usize>().ok()?.checked_sub(1)?;
    let page = pages.get(index)?;
    let (left, width): (f32, f32) = (left.parse().ok()?, width.parse().ok()?);
    let text = text.trim().to_owned();
    let word = Word {
        text,
        confidence: confidence.parse::<f32>().ok()?.clamp(0.0, 100.0) / 100.0,
        from: page.place(left),
        to: page.place(left + width),
        signs: Vec::new(),
    };
    (!word.text.is_empty()).then_some((index, word))
}

/// Gives each word the signs that stand within it, if they are those that it is made of.
fn place_signs(read: &mut [Vec<Word>], table: &str, pages: &[Page]) {
    let mut signs: Vec<Vec<Sign>> = vec![Vec::new(); pages.len()];
    for (index, sign) in table.lines().filter_map(|row| sign(row, pages)) {
        signs[index].push(sign);
    }
    for (words, signs) in read.iter_mut().zip(signs) {
        for word in words {
            let inside = |sign: &&Sign| (word.from..=word.to).contains(&sign.at);
            let own: Vec<Sign> = signs.iter().filter(inside).cloned().collect();
            if own.iter().map(|sign| &*sign.text).collect::<String>() == word.text {
                word.signs = own;
            }
        }
    }
}

/// A row is a sign, its left, bottom, right and top, and its page from 0.
fn sign(row: &str, pages: &[Page]) -> Option<(usize, Sign)> {
    let columns: Vec<&str> = row.split(' ').collect();
    let [text, left, _, right, _, page] = columns.as_slice() else {
        return None;
    };
    let index = page.parse::<usize>().ok()?;
    let page = pages.get(index)?;
    let (left, right): (f32, f32) = (left.parse().ok()?, right.parse().ok()?);
    let sign = Sign {
        text: (*text).into(),
        at: page.place(f32::midpoint(left, right)),
    };
    Some((index, sign))
}

#[cfg(test)]
mod tests;
