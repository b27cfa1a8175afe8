//! Frame rates as exact fractions: 29.97 is 30000/1001 and nothing else.

use shared_policy::VideoFacts;

/// Rates that cameras and editing programs know.
const USUAL: [(u32, u32); 13] = [
    (24_000, 1001),
    (24, 1),
    (25, 1),
    (30_000, 1001),
    (30, 1),
    (48_000, 1001),
    (48, 1),
    (50, 1),
    (60_000, 1001),
    (60, 1),
    (100, 1),
    (120_000, 1001),
    (120, 1),
];

/// Frames a second, as a fraction in its lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameRate {
    numerator: u32,
    denominator: u32,
}

impl FrameRate {
    /// What is taken for a video that does not tell.
    const DEFAULT: Self = Self {
        numerator: 25,
        denominator: 1,
    };

    /// A measured rate. Containers round: what lies within a third of a thousandth of a usual rate is
    /// that rate, which still tells 23.976 from 24.
    pub fn new(numerator: u32, denominator: u32) -> Option<Self> {
        if numerator == 0 || denominator == 0 || numerator / denominator > 1000 {
            return None;
        }
        let (above, below) = (u64::from(numerator), u64::from(denominator));
        let near = |(usual, of): &&(u32, u32)| {
            let (ours, theirs) = (above * u64::from(*of), u64::from(*usual) * below);
            ours.abs_diff(theirs).saturating_mul(3000) < theirs
        };
        let divisor = divisor(numerator, denominator);
        let exact = (numerator / divisor, denominator / divisor);
        let (numerator, denominator) = USUAL.iter().find(near).copied().unwrap_or(exact);
        Some(Self {
            numerator,
            denominator,
        })
    }

    /// The rate of a video; reports of earlier releases have it as a decimal number only.
    pub fn of(video: &VideoFacts) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float is cast to the nearest number that fits"
        )]
        let thousandths = (video.fps * 1000.0).round() as u32;
        let (numerator, denominator) = video.frame_rate.unwrap_or((thousandths, 1000));
        Self::new(numerator, denominator).unwrap_or(Self::DEFAULT)
    }

    /// Above the line.
    pub fn numerator(self) -> u32 {
        self.numerator
    }

    /// Below the line.
    pub fn denominator(self) -> u32 {
        self.denominator
    }

    /// What a timecode counts to in a second: 30 for 29.97.
    pub fn nominal(self) -> u32 {
        let (above, below) = (u64::from(self.numerator), u64::from(self.denominator));
        u32::try_from((2 * above + below) / (2 * below)).map_or(1, |whole| whole.max(1))
    }

    /// Whether it is a thousandth slower than it is called.
    pub fn is_ntsc(self) -> bool {
        self.denominator == 1001
    }

    /// For formats that know no fractions.
    pub fn as_f64(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }
}

fn divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { divisor(b, a % b) }
}
