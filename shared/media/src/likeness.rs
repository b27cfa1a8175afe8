//! What a picture looks like in 64 bits: a difference hash, which compression and scaling leave as
//! it is.

/// Places across and down that are told apart.
const SIDE: usize = 8;
/// A place is brighter than its neighbour when its mean is by more than this, in sixteenths of a
/// level: what is even stays even, however it was compressed.
const BRIGHTER: u64 = 24;

/// Row by row, whether each place is brighter than the one on its right.
pub(crate) fn bits(luma: &[u8], width: usize, height: usize) -> u64 {
    let mut bits = 0;
    for row in 0..SIDE {
        let rows = part(row, SIDE, height);
        let mut sums = [0_u64; SIDE + 1];
        for line in luma.chunks(width.max(1)).skip(rows.start).take(rows.len()) {
            for (column, sum) in sums.iter_mut().enumerate() {
                let pixels = &line[part(column, SIDE + 1, width)];
                *sum += pixels.iter().map(|pixel| u64::from(*pixel)).sum::<u64>();
            }
        }
        let mean = |column: usize| {
            let area = part(column, SIDE + 1, width).len() * rows.len();
            sums[column] * 16 / u64::try_from(area).unwrap_or(1).max(1)
        };
        for column in 0..SIDE {
            let brighter = mean(column) > mean(column + 1) + BRIGHTER;
            bits = bits << 1 | u64::from(brighter);
        }
    }
    bits
}

/// The pixels of one of so many equal parts; never none, however small the picture.
fn part(index: usize, parts: usize, length: usize) -> std::ops::Range<usize> {
    let start = index * length / parts;
    start..((index + 1) * length / parts).max((start + 1).min(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    const W: usize = 320;
    const H: usize = 180;

    /// Light from the left, and a lamp.
    fn scene(lamp: usize) -> Vec<u8> {
        let level = |x: usize, y: usize| {
            let lit = x.abs_diff(lamp) < 30 && y.abs_diff(80) < 30;
            if lit { 240 } else { 160 - x / 4 }
        };
        (0..W * H)
            .map(|at| u8::try_from(level(at % W, at / W)).unwrap())
            .collect()
    }

    #[test]
    fn grain_and_brightness_change_nothing_and_another_picture_does() {
        let plain = scene(200);
        let grain = |at: usize| u8::try_from(at * 7 % 13).unwrap();
        let grainy: Vec<u8> = (0..)
            .zip(&plain)
            .map(|(at, pixel)| pixel + grain(at))
            .collect();
        let [plain, grainy, other] = [&plain, &grainy, &scene(90)].map(|luma| bits(luma, W, H));
        assert!((plain ^ grainy).count_ones() <= 2, "{plain:x} {grainy:x}");
        assert!((plain ^ other).count_ones() >= 6, "{plain:x} {other:x}");
    }

    #[test]
    fn even_and_tiny_pictures_have_an_answer() {
        assert_eq!(bits(&vec![128; W * H], W, H), 0);
        for (w, h) in [(2, 2), (1, 1), (9, 1), (1, 9), (0, 0)] {
            assert_eq!(bits(&vec![7; w * h], w, h), 0, "{w}x{h}");
        }
    }
}
