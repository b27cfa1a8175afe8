use super::super::recognise::{Glyph, Reading};
use super::super::tesseract::{Sign, Word};
use super::masked;

/// What Tesseract reads at these places.
fn word(text: &str, places: &[f32]) -> Word {
    let sign = |(c, &at): (char, &f32)| Sign {
        text: c.to_string().into(),
        at,
    };
    Word {
        text: text.to_owned(),
        confidence: 0.6,
        from: 0.2,
        to: 2.2,
        signs: text.chars().zip(places).map(sign).collect(),
    }
}

fn reading(glyphs: &[(&str, f32)], probability: f32) -> Reading {
    let glyph = |&(text, at): &(&str, f32)| Glyph {
        text: text.into(),
        probability,
        at,
    };
    Reading {
        glyphs: glyphs.iter().map(glyph).collect(),
        length: 2.4,
    }
}

#[test]
fn letters_where_the_other_reader_sees_a_mask_are_replaced_by_it() {
    let read = word("п**жжа", &[0.36, 0.78, 1.12, 1.2, 1.62, 2.04]);
    let stars = reading(&[("*", 0.94), ("*", 1.28), ("*", 1.79)], 0.98);
    assert_eq!(masked(&read, &stars).as_deref(), Some("п***а"));

    let read = word("пийдец", &[0.33, 0.66, 0.98, 1.29, 1.61, 1.91]);
    let cross = reading(&[("n", 0.43), ("#", 1.11), ("e", 1.63)], 1.0);
    assert_eq!(masked(&read, &cross).as_deref(), Some("пи#дец"));
}

#[test]
fn a_mask_that_both_see_stays_as_tesseract_counts_it() {
    let read = word("б***ь", &[0.36, 0.8, 1.1, 1.4, 1.8]);
    assert_eq!(
        masked(&read, &reading(&[("*", 0.9), ("*", 1.4)], 0.98)),
        None
    );
}

#[test]
fn doubtful_signs_and_signs_beside_a_word_change_nothing() {
    let read = word("ложка", &[0.4, 0.8, 1.2, 1.6, 2.0]);
    assert_eq!(masked(&read, &reading(&[("*", 1.3)], 0.8)), None);
    assert_eq!(masked(&read, &reading(&[("*", 2.5)], 0.98)), None);
    let without_places = word("ложка", &[]);
    assert_eq!(masked(&without_places, &reading(&[("*", 1.3)], 0.98)), None);
}
