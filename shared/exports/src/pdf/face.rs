//! The font, compiled in: Roboto (Apache-2.0), which has Latin and Cyrillic.

use krilla::text::Font;

const REGULAR: &[u8] = include_bytes!("../../fonts/Roboto-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../../fonts/Roboto-Bold.ttf");

/// One weight of the font.
pub(super) struct Face {
    pub(super) font: Font,
    metrics: ttf_parser::Face<'static>,
}

impl Face {
    fn load(bytes: &'static [u8]) -> Option<Self> {
        Some(Self {
            font: Font::new(bytes.into(), 0)?,
            metrics: ttf_parser::Face::parse(bytes, 0).ok()?,
        })
    }

    /// How wide a text is, in points.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|c| self.advance(c)).sum::<f32>() * size
    }

    /// In parts of the size; a character that the font lacks is drawn as a box.
    fn advance(&self, c: char) -> f32 {
        let glyph = self.metrics.glyph_index(c).unwrap_or_default();
        let advance = self.metrics.glyph_hor_advance(glyph).unwrap_or_default();
        f32::from(advance) / f32::from(self.metrics.units_per_em())
    }

    /// Lines that fit; a word that is too long for any is cut.
    pub(super) fn wrap(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut line = String::new();
        let mut used = 0.0;
        let space = self.advance(' ') * size;
        for word in text.split_whitespace() {
            let own = self.width(word, size);
            if !line.is_empty() && used + space + own <= width {
                line.push(' ');
                line.push_str(word);
                used += space + own;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            used = 0.0;
            for c in word.chars() {
                let advance = self.advance(c) * size;
                if used + advance > width && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    used = 0.0;
                }
                line.push(c);
                used += advance;
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
        lines
    }
}

/// Both weights.
pub(super) struct Faces {
    pub(super) regular: Face,
    pub(super) bold: Face,
}

impl Faces {
    pub(super) fn load() -> Option<Self> {
        Some(Self {
            regular: Face::load(REGULAR)?,
            bold: Face::load(BOLD)?,
        })
    }
}
