//! Which of two readers to believe, word by word.
//!
//! The Latin reader is right about Latin on any background, and wrong about Cyrillic without
//! knowing it: it drops letters or writes look-alikes with a confidence of 0.99. Tesseract reads
//! Cyrillic, and turns Latin into nonsense when told to expect Russian, with low confidence. So
//! confidence alone decides nothing: a word is taken from the Latin reader when letters that no
//! Cyrillic letter resembles prove it Latin and it covers its place without holes.

use super::masks::masked;
use super::recognise::{Glyph, Reading, mean};
use super::script::{
    Script, behind_mask, in_cyrillic, in_latin, is_latin_beyond_doubt, is_surely_latin, script,
};
use super::tesseract::Word;

/// A place without a character longer than this, in heights of the line, is a dropped word.
const HOLE: f32 = 1.5;
/// Two words of the Latin reader are at least so far apart where it dropped something.
const GAP: f32 = 1.1;
/// Half the width of a character.
const HALF: f32 = 0.3;
/// A character of the Latin reader below this is a guess.
const GUESS: f32 = 0.6;
const SURE: f32 = 0.9;
/// Tesseract is rarely wrong above this, and a Cyrillic word then stands against a Latin one.
const CONFIDENT: f32 = 0.85;
/// Below this Tesseract has read the background.
const NOISE: f32 = 0.4;

/// Marks that no word has inside; an apostrophe is none of them.
const QUOTES: &str = "\"“”„«»";

/// A line as it is reported.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) confidence: f32,
    /// What the readers said otherwise.
    pub(super) alternatives: Vec<String>,
}

/// What a line is likely to be, by the Latin reader alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guess {
    /// Its text is right; nobody else need be asked.
    Latin,
    /// Complete, but of letters that Cyrillic has as well: `HOME`, `СОР`.
    Either,
    /// Something is missing or doubtful.
    Cyrillic,
}

/// Judges a line by the Latin reader alone.
pub(super) fn guess(reading: &Reading) -> Guess {
    if has_hole(reading) || reading.glyphs.iter().any(is_guess) {
        return Guess::Cyrillic;
    }
    let words = latin_words(reading);
    let size = |words: &mut dyn Iterator<Item = &LatinWord>| -> usize {
        words
            .map(|word| word.text.chars().filter(|c| c.is_alphabetic()).count())
            .sum()
    };
    let sure = size(&mut words.iter().filter(|word| word.is_sure()));
    let all = size(&mut words.iter());
    match (
        reading.probability() >= SURE && holds_letters(&reading.text()),
        sure * 10 >= all * 6,
    ) {
        (false, _) => Guess::Cyrillic,
        (true, true) => Guess::Latin,
        (true, false) => Guess::Either,
    }
}

/// The line of the Latin reader alone; `None` when it holds nothing but signs.
pub(super) fn latin(reading: &Reading) -> Option<Line> {
    let line = whole(reading);
    holds_letters(&line.text).then_some(line)
}

fn whole(reading: &Reading) -> Line {
    Line {
        text: reading.text(),
        confidence: reading.probability(),
        alternatives: Vec::new(),
    }
}

fn holds_letters(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// The line of both readers. `None` when neither has read anything.
pub(super) fn both(reading: &Reading, read: &[Word]) -> Option<Line> {
    let mut read: Vec<Word> = read
        .iter()
        .filter(|word| !is_speck(word))
        .cloned()
        .collect();
    let spoken: Vec<String> = read.iter().map(|word| word.text.clone()).collect();
    for word in read.iter_mut().filter(|word| word.confidence < CONFIDENT) {
        if let Some(text) = masked(word, reading) {
            word.text = text;
        }
    }
    let read: Vec<&Word> = read.iter().collect();
    let mut pieces = pieces(&latin_words(reading), &read);
    same_script(&mut pieces);
    let mut line = joined(&pieces);
    let whole = whole(reading);
    let complete = !has_hole(reading) && !whole.text.is_empty() && whole.confidence >= SURE;
    if complete && line.confidence < NOISE {
        (line.text, line.confidence) = (whole.text.clone(), whole.confidence);
    }
    for other in [whole.text, spoken.join(" ")] {
        if !other.is_empty() && other != line.text && !line.alternatives.contains(&other) {
            line.alternatives.push(other);
        }
    }
    (holds_letters(&line.text) && line.confidence >= NOISE / 2.0).then_some(line)
}

/// Places that Tesseract has read badly, where a Latin word may stand in a Russian line. The Latin
/// reader drops such words with the rest of the line, and reads them when they stand alone.
pub(super) fn dim_places(read: &[Word]) -> Vec<[f32; 2]> {
    let mut places: Vec<[f32; 2]> = Vec::new();
    for word in read.iter().filter(|word| word.confidence < CONFIDENT) {
        let (from, to) = (word.from - HALF, word.to + HALF);
        match places.last_mut() {
            Some(last) if from <= last[1] => last[1] = last[1].max(to),
            _ => places.push([from, to]),
        }
    }
    places.retain(|[from, to]| to - from > 1.0);
    places
}

/// How much of a line Tesseract has read and how surely: of several tries the highest is best.
pub(super) fn merit(words: &[Word]) -> f32 {
    let merit = |word: &Word| (word.confidence - NOISE) * length(&word.text);
    words.iter().map(merit).sum()
}

/// Whether another try at a line is to be believed rather than this one. Half a word that is hardly
/// recognised says more than a speck that surely is one.
pub(super) fn is_better(other: &[Word], known: &[Word]) -> bool {
    let rank = |words: &[Word]| (!words.is_empty(), words.iter().any(may_be_word));
    let (ours, theirs) = (rank(other), rank(known));
    ours > theirs || (ours == theirs && merit(other) > merit(known))
}

/// Three signs, two letters among them: `х*й`. Shorter ones Tesseract sees in every background.
fn may_be_word(word: &Word) -> bool {
    let letters = word.text.chars().filter(|c| c.is_alphabetic()).count();
    letters > 1 && word.text.chars().count() > 2
}

/// Mean over the characters of all words.
pub(super) fn confidence<'a>(words: impl Iterator<Item = (&'a str, f32)> + Clone) -> f32 {
    let total: f32 = words.clone().map(|(text, _)| length(text)).sum();
    let sum: f32 = words.map(|(text, sure)| length(text) * sure).sum();
    if total > 0.0 { sum / total } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "characters of a word")]
fn length(text: &str) -> f32 {
    text.chars().count() as f32
}

fn is_guess(glyph: &Glyph) -> bool {
    holds_letters(&glyph.text) && glyph.probability < GUESS
}

/// A sign that Tesseract sees in the background.
fn is_speck(word: &Word) -> bool {
    word.confidence < CONFIDENT && !holds_letters(&word.text)
}

fn has_hole(reading: &Reading) -> bool {
    let visible = reading.glyphs.iter().filter(|glyph| &*glyph.text != " ");
    let mut last = 0.0;
    for glyph in visible {
        if glyph.at - last > HOLE {
            return true;
        }
        last = glyph.at;
    }
    reading.length - last > HOLE
}

/// A word of the Latin reader.
#[derive(Debug, Clone, PartialEq)]
struct LatinWord {
    text: String,
    lowest: f32,
    mean: f32,
    from: f32,
    to: f32,
}

impl LatinWord {
    fn of(glyphs: &[&Glyph]) -> Option<Self> {
        let (first, last) = (glyphs.first()?, glyphs.last()?);
        let probabilities = || glyphs.iter().map(|glyph| glyph.probability);
        Some(Self {
            text: glyphs.iter().map(|glyph| &*glyph.text).collect(),
            lowest: probabilities().fold(1.0, f32::min),
            mean: mean(probabilities()),
            from: first.at - HALF,
            to: last.at + HALF,
        })
    }

    /// Latin beyond doubt, or a number of two digits and more.
    fn is_sure(&self) -> bool {
        let digits = self.text.chars().filter(char::is_ascii_digit).count();
        let number = script(&self.text) == Script::None && digits > 1 && self.lowest >= SURE;
        let word = is_surely_latin(&self.text) && self.lowest >= GUESS / 2.0 && self.mean >= 0.8;
        number || word
    }

    /// So many letters that only Latin has that no sureness of another reader weighs against them.
    fn is_beyond_doubt(&self) -> bool {
        self.mean >= SURE && self.lowest >= GUESS && is_latin_beyond_doubt(&self.text)
    }
}

/// Words parted by spaces and by holes.
fn latin_words(reading: &Reading) -> Vec<LatinWord> {
    let mut words = Vec::new();
    let mut word: Vec<&Glyph> = Vec::new();
    for glyph in &reading.glyphs {
        let apart = word.last().is_some_and(|last| glyph.at - last.at > GAP);
        if apart || &*glyph.text == " " {
            words.extend(LatinWord::of(&word));
            word.clear();
        }
        if &*glyph.text != " " {
            word.push(glyph);
        }
    }
    words.extend(LatinWord::of(&word));
    words
}

/// A word of the answer at its place.
#[derive(Debug, Clone, PartialEq)]
struct Piece {
    text: String,
    confidence: f32,
    from: f32,
}

/// Tesseract's words, save where a word that is surely Latin covers them, or a masked one: stars
/// are what Tesseract reads worst.
fn pieces(latin: &[LatinWord], read: &[&Word]) -> Vec<Piece> {
    let mut taken: Vec<Piece> = Vec::new();
    let mut kept: Vec<&Word> = read.to_vec();
    for word in latin {
        let hidden = behind_mask(&word.text).filter(|_| word.lowest >= GUESS / 2.0);
        if hidden.is_none() && !word.is_sure() {
            continue;
        }
        let shared = |other: &Word| word.to.min(other.to) - word.from.max(other.from);
        let mostly = |other: &Word| shared(other) > (other.to - other.from) * 0.6;
        let under = |other: &&&Word| shared(other) > 0.3 * (word.to - word.from).min(1.0);
        if kept
            .iter()
            .filter(under)
            .any(|other| !mostly(other) || stands(other, word))
        {
            continue;
        }
        kept.retain(|other| !mostly(other));
        taken.push(Piece {
            text: hidden.unwrap_or_else(|| word.text.clone()),
            confidence: word.mean,
            from: word.from,
        });
    }
    taken.extend(kept.into_iter().map(|word| Piece {
        text: parted(&word.text),
        confidence: word.confidence,
        from: word.from,
    }));
    taken.sort_by(|a, b| a.from.total_cmp(&b.from));
    taken
}

/// Whether a word of Tesseract stands against a sure one of the Latin reader.
fn stands(read: &Word, latin: &LatinWord) -> bool {
    let longer = length(&read.text) > length(&latin.text) * 1.5;
    let cyrillic = script(&read.text) == Script::Cyrillic && read.confidence >= CONFIDENT;
    longer || (cyrillic && !latin.is_beyond_doubt())
}

/// Words of letters that both alphabets have are written in the one of their neighbours: a name in
/// Latin letters stands in a Russian line more often than the reverse, so Cyrillic on either side
/// is enough.
fn same_script(pieces: &mut [Piece]) {
    let scripts: Vec<Script> = pieces.iter().map(|piece| script(&piece.text)).collect();
    let telling = |script: &&Script| matches!(script, Script::Cyrillic | Script::Latin);
    for (at, piece) in pieces.iter_mut().enumerate() {
        if scripts[at] != Script::Either {
            continue;
        }
        let neighbours = [
            scripts[..at].iter().rev().find(telling),
            scripts[at..].iter().find(telling),
        ];
        if neighbours.contains(&Some(&Script::Cyrillic)) {
            piece.text = in_cyrillic(&piece.text);
        } else if neighbours.contains(&Some(&Script::Latin)) {
            piece.text = in_latin(&piece.text);
        }
    }
}

/// Without quotation marks inside words, which are background between two words.
fn parted(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let is_letter = |at: Option<usize>| {
        at.and_then(|at| letters.get(at))
            .is_some_and(|c| c.is_alphabetic())
    };
    let mark = |at: usize| is_letter(at.checked_sub(1)) && is_letter(Some(at + 1));
    let part = |(at, &c): (usize, &char)| {
        if QUOTES.contains(c) && mark(at) {
            ' '
        } else {
            c
        }
    };
    letters.iter().enumerate().map(part).collect()
}

fn joined(pieces: &[Piece]) -> Line {
    let words: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
    let sure = pieces
        .iter()
        .map(|piece| (piece.text.as_str(), piece.confidence));
    Line {
        text: words.join(" "),
        confidence: confidence(sure),
        alternatives: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
