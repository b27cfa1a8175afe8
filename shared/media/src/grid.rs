//! What the sampler sees of a picture: small luma, and maps of hard edges.
//!
//! Text is told from texture by its edges: strokes have a bright-to-dark edge for every
//! dark-to-bright one, close together, and they stay exactly where they are while a picture moves
//! behind them.

/// Side of a block in pixels of the grid.
const BLOCK: usize = 16;
/// The longest side of a grid.
const SIDE: usize = 640;
/// A step in luma across two pixels that counts as an edge of a stroke.
const HARD: i16 = 40;
/// The same when asking whether an edge is still there: lower, so that noise loses none.
const SOFT: i16 = 18;
/// Fewest edge pixels of each polarity that make a block text.
const STROKES: u32 = 5;
/// Luma that moves by no more than this stands still.
const STILL: u8 = 20;
/// Luma that is off by more than this shows something else.
const OTHER: u8 = 40;
/// Fewest of each that make it text whose end is worth a picture: movement hides a few.
const PLAIN_STROKES: u32 = 10;
/// A pixel differs when its luma does by more than this; grain and recompression stay below.
const STEP: u8 = 24;
/// Fewest such pixels, of 256, in a block that has changed.
const CHANGED_PIXELS: u32 = 10;
/// Or, for gentle changes of the whole block, the mean difference.
const CHANGED_MEAN: u32 = 9;

/// One bit per pixel, rows padded to whole words.
#[derive(Debug, Clone, Default)]
struct Bits {
    stride: usize,
    words: Vec<u64>,
}

impl Bits {
    fn empty(width: usize, height: usize) -> Self {
        let stride = width.div_ceil(64);
        Self {
            stride,
            words: vec![0; stride * height],
        }
    }

    fn set(&mut self, x: usize, y: usize) {
        self.words[y * self.stride + x / 64] |= 1 << (x % 64);
    }

    fn zip(&self, other: &Self, combine: impl Fn(u64, u64) -> u64) -> Self {
        let words = self
            .words
            .iter()
            .zip(&other.words)
            .map(|(a, b)| combine(*a, *b))
            .collect();
        Self {
            stride: self.stride,
            words,
        }
    }

    /// Grown by one pixel each way, so that an edge that jitters is still the same edge.
    fn grown(&self) -> Self {
        let wide: Vec<u64> = (0..self.words.len())
            .map(|i| {
                let (word, column) = (self.words[i], i % self.stride);
                let left = if column > 0 {
                    self.words[i - 1] >> 63
                } else {
                    0
                };
                let right = if column + 1 < self.stride {
                    self.words[i + 1] << 63
                } else {
                    0
                };
                word | word << 1 | word >> 1 | left | right
            })
            .collect();
        let words = (0..wide.len())
            .map(|i| {
                let above = i.checked_sub(self.stride).map_or(0, |j| wide[j]);
                let below = wide.get(i + self.stride).copied().unwrap_or(0);
                wide[i] | above | below
            })
            .collect();
        Self {
            stride: self.stride,
            words,
        }
    }

    /// Bits set in one block.
    fn count(&self, column: usize, row: usize) -> u32 {
        let shift = column % 4 * BLOCK;
        self.words
            .chunks(self.stride)
            .skip(row * BLOCK)
            .take(BLOCK)
            .map(|words| (words[column / 4] >> shift & 0xFFFF).count_ones())
            .sum()
    }
}

/// Hard edges by polarity.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edges {
    rising: Bits,
    falling: Bits,
}

impl Edges {
    fn empty(width: usize, height: usize) -> Self {
        Self {
            rising: Bits::empty(width, height),
            falling: Bits::empty(width, height),
        }
    }

    fn zip(&self, other: &Self, combine: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            rising: self.rising.zip(&other.rising, &combine),
            falling: self.falling.zip(&other.falling, &combine),
        }
    }

    fn mask(&self, bits: &Bits, combine: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            rising: self.rising.zip(bits, &combine),
            falling: self.falling.zip(bits, &combine),
        }
    }

    /// Either's edges.
    pub(crate) fn or(&self, other: &Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    fn grown(&self) -> Self {
        Self {
            rising: self.rising.grown(),
            falling: self.falling.grown(),
        }
    }
}

/// A picture as the sampler sees it.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    width: usize,
    height: usize,
    luma: Vec<u8>,
    hard: Edges,
    soft: Edges,
}

/// Which blocks differ between two pictures.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) blocks: Vec<bool>,
}

impl Change {
    pub(crate) fn any(&self) -> bool {
        self.blocks.iter().any(|changed| *changed)
    }

    /// The share of the picture that differs.
    pub(crate) fn share(&self) -> f64 {
        let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
        count(self.blocks.iter().filter(|c| **c).count()) / count(self.blocks.len().max(1))
    }
}

impl Grid {
    /// Takes a full-range luma plane and averages it down.
    pub(crate) fn new(plane: &[u8], width: usize, height: usize) -> Self {
        let factor = width.max(height).div_ceil(SIDE).max(1);
        let (w, h) = ((width / factor).max(1), (height / factor).max(1));
        let luma = shrink(plane, width, factor, (w, h));
        let mut hard = Edges::empty(w, h);
        let mut soft = Edges::empty(w, h);
        for (y, row) in luma.chunks(w).enumerate() {
            for (x, three) in row.windows(3).enumerate() {
                let step = i16::from(three[2]) - i16::from(three[0]);
                if step.abs() > SOFT {
                    let rising = step > 0;
                    let mark = |edges: &mut Edges| {
                        let bits = if rising {
                            &mut edges.rising
                        } else {
                            &mut edges.falling
                        };
                        bits.set(x + 1, y);
                    };
                    mark(&mut soft);
                    if step.abs() > HARD {
                        mark(&mut hard);
                    }
                }
            }
        }
        Self {
            width: w,
            height: h,
            luma,
            hard,
            soft,
        }
    }

    fn columns(&self) -> usize {
        self.width.div_ceil(BLOCK)
    }

    fn blocks(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (columns, rows) = (self.columns(), self.height.div_ceil(BLOCK));
        (0..rows).flat_map(move |row| (0..columns).map(move |column| (column, row)))
    }

    /// Which blocks differ from `other`.
    pub(crate) fn change(&self, other: &Self) -> Change {
        let columns = self.columns();
        let rows = self.height.div_ceil(BLOCK);
        let mut steps = vec![0_u32; columns * rows];
        let mut sums = vec![0_u32; columns * rows];
        let lines = self
            .luma
            .chunks(self.width)
            .zip(other.luma.chunks(self.width));
        for (y, (line, theirs)) in lines.enumerate() {
            let pairs = line.chunks(BLOCK).zip(theirs.chunks(BLOCK));
            for (column, (mine, theirs)) in pairs.enumerate() {
                let place = y / BLOCK * columns + column;
                let (step, sum) = compare(mine, theirs);
                steps[place] += step;
                sums[place] += sum;
            }
        }
        let full = u32::try_from(BLOCK * BLOCK).unwrap_or(u32::MAX);
        let blocks = self
            .blocks()
            .zip(steps.iter().zip(&sums))
            .map(|((column, row), (step, sum))| {
                // Blocks at the edges of the picture may be smaller.
                let across = BLOCK.min(self.width - column * BLOCK);
                let area = u32::try_from(across * BLOCK.min(self.height - row * BLOCK));
                let area = area.unwrap_or(full);
                *step * full >= CHANGED_PIXELS * area || *sum >= CHANGED_MEAN * area
            })
            .collect();
        Change { blocks }
    }

    /// Pixels whose luma is further from `other` than `bound`.
    fn off(&self, other: &Self, bound: u8) -> Bits {
        let mut bits = Bits::empty(self.width, self.height);
        let rows = self
            .luma
            .chunks(self.width)
            .zip(other.luma.chunks(self.width));
        for (words, (mine, theirs)) in bits.words.chunks_mut(bits.stride).zip(rows) {
            let parts = mine.chunks(64).zip(theirs.chunks(64));
            for (word, (mine, theirs)) in words.iter_mut().zip(parts) {
                *word = mine
                    .iter()
                    .zip(theirs)
                    .enumerate()
                    .fold(0, |bits, (x, (a, b))| {
                        bits | u64::from(a.abs_diff(*b) > bound) << x
                    });
            }
        }
        bits
    }

    /// Edges that this picture shares with the one before: what stands still.
    pub(crate) fn standing(&self, before: &Self) -> Edges {
        let moved = self.off(before, STILL);
        self.hard
            .zip(&before.hard, |a, b| a & b)
            .mask(&moved, |edge, moved| edge & !moved)
    }

    /// Edges that `then` showed and this picture shows no more, or other luma in their place: on
    /// busy ground there is always some edge near by.
    fn gone(&self, then: &Self, edges: &Edges) -> Edges {
        let other = self.off(then, OTHER);
        let missing = edges.zip(&self.soft.grown(), |edge, here| edge & !here);
        edges
            .mask(&other, |edge, other| edge & other)
            .zip(&missing, |a, b| a | b)
    }

    /// Blocks where text stands still that `other` does not show.
    pub(crate) fn text_missing_in(&self, before: &Self, other: &Self) -> Vec<bool> {
        self.text_blocks(&other.gone(self, &self.standing(before)))
    }

    /// Blocks where most of the text that stood still in `then` is gone from this picture.
    pub(crate) fn text_lost(&self, then: &Self, anchors: &Edges) -> Vec<bool> {
        let lost = self.gone(then, anchors);
        self.blocks()
            .map(|(column, row)| {
                let strokes = |edges: &Edges| {
                    (
                        edges.rising.count(column, row),
                        edges.falling.count(column, row),
                    )
                };
                let (rising, falling) = strokes(anchors);
                let (no_rising, no_falling) = strokes(&lost);
                rising >= PLAIN_STROKES
                    && falling >= PLAIN_STROKES
                    && (no_rising + no_falling) * 5 >= (rising + falling) * 3
            })
            .collect()
    }

    fn text_blocks(&self, edges: &Edges) -> Vec<bool> {
        self.blocks()
            .map(|(column, row)| {
                edges.rising.count(column, row) >= STROKES
                    && edges.falling.count(column, row) >= STROKES
            })
            .collect()
    }
}

fn compare(mine: &[u8], theirs: &[u8]) -> (u32, u32) {
    mine.iter()
        .zip(theirs)
        .fold((0, 0), |(steps, sum), (a, b)| {
            let difference = a.abs_diff(*b);
            (
                steps + u32::from(difference > STEP),
                sum + u32::from(difference),
            )
        })
}

fn shrink(plane: &[u8], width: usize, factor: usize, (w, h): (usize, usize)) -> Vec<u8> {
    let area = u32::try_from(factor * factor).unwrap_or(1);
    let mut luma = Vec::with_capacity(w * h);
    let mut sums = vec![0_u32; w];
    for rows in plane.chunks(width * factor).take(h) {
        sums.fill(0);
        for row in rows.chunks(width) {
            for (sum, pixels) in sums.iter_mut().zip(row.chunks_exact(factor)) {
                *sum += pixels.iter().map(|pixel| u32::from(*pixel)).sum::<u32>();
            }
        }
        luma.extend(
            sums.iter()
                .map(|sum| u8::try_from(sum / area).unwrap_or(u8::MAX)),
        );
    }
    luma.resize(w * h, 0);
    luma
}
