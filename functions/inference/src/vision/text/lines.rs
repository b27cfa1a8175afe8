//! From boxes to lines: the Latin reader for each, and Tesseract in one or two goes for those that
//! may hold Cyrillic.

use super::choose::{Guess, Line, both, confidence, dim_places, guess, is_better, latin};
use super::clean::{Grey, Look};
use super::memory::{Memory, Sight};
use super::recognise::{Reading, Recogniser};
use super::tesseract::{Languages, Page, Tesseract, Word};
use crate::predictor::Cancel;
use crate::vision::VisionError;
use crate::vision::picture::{Area, Picture};

/// A line that Tesseract has read this well is not shown to it again in another look.
const GOOD: f32 = 0.88;

/// The readers.
pub(super) struct Reader<'a> {
    pub(super) recogniser: &'a Recogniser,
    pub(super) tesseract: Option<&'a Tesseract>,
    pub(super) memory: &'a Memory,
    pub(super) cancel: &'a Cancel,
}

/// A line that waits for Tesseract.
struct Open {
    index: usize,
    reading: Reading,
    grey: Grey,
    sight: Sight,
    languages: Languages,
    read: Vec<Word>,
}

impl Reader<'_> {
    /// The text of each line; `None` where nothing could be read.
    pub(super) fn read(&self, lines: &[Picture]) -> Result<Vec<Option<Line>>, VisionError> {
        let mut answers: Vec<Option<Line>> = vec![None; lines.len()];
        let mut open = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            self.cancel.check()?;
            let reading = self.recogniser.read(line)?;
            let languages = match guess(&reading) {
                Guess::Latin => None,
                Guess::Either => Some(Languages::RussianAndEnglish),
                Guess::Cyrillic => Some(Languages::Russian),
            };
            let Some(languages) = languages else {
                answers[index] = latin(&reading);
                continue;
            };
            if self.tesseract.is_none() {
                // Only what is surely Latin: the rest are Cyrillic letters taken for Latin ones.
                answers[index] = both(&reading, &[]);
                continue;
            }
            let sight = Sight::of(line, reading.text())?;
            if let Some(known) = self.memory.find(&sight) {
                answers[index] = known;
                continue;
            }
            open.push(Open {
                index,
                reading,
                grey: Grey::of(line)?,
                sight,
                languages,
                read: Vec::new(),
            });
        }
        if let Some(tesseract) = self.tesseract {
            self.ask(tesseract, &mut open)?;
        }
        for mut line in open {
            self.look_closer(&lines[line.index], &mut line)?;
            let answer = both(&line.reading, &line.read);
            self.memory.keep(line.sight, answer.clone());
            answers[line.index] = answer;
        }
        Ok(answers)
    }

    /// Shows the Latin reader each place that Tesseract could not read.
    fn look_closer(&self, line: &Picture, open: &mut Open) -> Result<(), VisionError> {
        for [from, to] in dim_places(&open.read) {
            self.cancel.check()?;
            let area = stretch(line, from, to);
            let reading = self.recogniser.read(&line.cut(area))?;
            if guess(&reading) == Guess::Latin {
                #[expect(clippy::cast_precision_loss, reason = "sides of a picture")]
                let start = area.left as f32 / line.height as f32;
                open.reading.patched(start, reading);
            }
        }
        Ok(())
    }

    /// First every line in its likely look, then the badly read ones in the others.
    fn ask(&self, tesseract: &Tesseract, open: &mut [Open]) -> Result<(), VisionError> {
        for languages in [Languages::Russian, Languages::RussianAndEnglish] {
            let asked = |line: &&mut Open| line.languages == languages;
            let mut lines: Vec<&mut Open> = open.iter_mut().filter(asked).collect();
            let first: Vec<(usize, Page)> = lines
                .iter()
                .enumerate()
                .map(|(at, line)| (at, line.grey.page(line.grey.likely())))
                .collect();
            self.go(tesseract, languages, &mut lines, first)?;
            let badly = |line: &Open| {
                confidence(
                    line.read
                        .iter()
                        .map(|word| (word.text.as_str(), word.confidence)),
                ) < GOOD
            };
            let second: Vec<(usize, Page)> = lines
                .iter()
                .enumerate()
                .filter(|(_, line)| badly(line))
                .flat_map(|(at, line)| {
                    let likely = line.grey.likely();
                    let others = [Look::Plain, Look::Bright, Look::Dark];
                    let others = others.into_iter().filter(move |look| *look != likely);
                    others.map(move |look| (at, line.grey.page(look)))
                })
                .collect();
            self.go(tesseract, languages, &mut lines, second)?;
        }
        Ok(())
    }

    /// Has pages read, and keeps for each line the best reading so far.
    fn go(
        &self,
        tesseract: &Tesseract,
        languages: Languages,
        lines: &mut [&mut Open],
        pages: Vec<(usize, Page)>,
    ) -> Result<(), VisionError> {
        let (places, pages): (Vec<usize>, Vec<Page>) = pages.into_iter().unzip();
        let read = tesseract.read(&pages, languages, self.cancel)?;
        for (at, words) in places.into_iter().zip(read) {
            let line = &mut *lines[at];
            if is_better(&words, &line.read) {
                line.read = words;
            }
        }
        Ok(())
    }
}

/// A part of a line, given in heights of it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a line is cut to its own size"
)]
fn stretch(line: &Picture, from: f32, to: f32) -> Area {
    let pixels = |place: f32| (place.max(0.0) * line.height as f32) as usize;
    Area {
        left: pixels(from),
        top: 0,
        width: pixels(to).saturating_sub(pixels(from)),
        height: line.height,
    }
}
