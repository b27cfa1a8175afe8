//! Films that are made up: every frame is known, so that every edit has one right answer.

use shared_domain::Likeness;

use super::FRAME_MS;

/// A small generator of repeatable chance.
#[derive(Debug, Clone)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    pub(super) fn roll(&mut self, below: u64) -> u64 {
        self.draw() % below
    }
}

/// A part of a scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    scene: u64,
    from_ms: i64,
    length_ms: i64,
    moving: bool,
}

impl Part {
    pub(super) fn moving(scene: u64, from_ms: i64, length_ms: i64) -> Self {
        Self {
            scene,
            from_ms,
            length_ms,
            moving: true,
        }
    }

    pub(super) fn still(scene: u64, length_ms: i64) -> Self {
        Self {
            scene,
            from_ms: 0,
            length_ms,
            moving: false,
        }
    }

    /// A picture that changes by a bit every frame and a half.
    fn bits(&self, at_ms: i64) -> u64 {
        let scene = self.scene.wrapping_mul(0x5851_F42D_4C95_7F2D);
        let steps = if self.moving {
            (self.from_ms + at_ms) / 60
        } else {
            0
        };
        let steps = (0..steps as u64).map(|step| 1 << Dice(scene ^ step).roll(64));
        steps.fold(Dice(!scene).draw(), |bits, change: u64| bits ^ change)
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Film {
    parts: Vec<Part>,
}

impl Film {
    pub(super) fn of(parts: Vec<Part>) -> Self {
        Self { parts }
    }

    /// So many shots of two to eight seconds.
    pub(super) fn random(dice: &mut Dice, shots: usize) -> Self {
        let shot = |_| {
            let length_ms = (50 + dice.roll(150) as i64) * FRAME_MS;
            Part::moving(dice.draw(), 0, length_ms)
        };
        Self::of((0..shots).map(shot).collect())
    }

    pub(super) fn length_ms(&self) -> i64 {
        self.parts.iter().map(|part| part.length_ms).sum()
    }

    pub(super) fn parts_of(&self, from_ms: i64, to_ms: i64) -> Vec<Part> {
        let (mut parts, mut start_ms) = (Vec::new(), 0);
        for part in &self.parts {
            let first = from_ms.max(start_ms);
            let last = to_ms.min(start_ms + part.length_ms);
            if first < last {
                parts.push(Part {
                    from_ms: part.from_ms + first - start_ms,
                    length_ms: last - first,
                    ..*part
                });
            }
            start_ms += part.length_ms;
        }
        parts
    }

    pub(super) fn without(&self, from_ms: i64, to_ms: i64) -> Self {
        let behind = self.parts_of(to_ms, i64::MAX);
        Self::of([self.parts_of(0, from_ms), behind].concat())
    }

    pub(super) fn with(&self, at_ms: i64, parts: Vec<Part>) -> Self {
        let behind = self.parts_of(at_ms, i64::MAX);
        Self::of([self.parts_of(0, at_ms), parts, behind].concat())
    }

    /// Which picture of which scene is shown.
    pub(super) fn place(&self, at_ms: i64) -> Option<(u64, i64)> {
        let part = *self.parts_of(at_ms, at_ms + 1).first()?;
        Some((part.scene, part.from_ms))
    }

    /// When it is shown here.
    pub(super) fn find(&self, place: Option<(u64, i64)>) -> Option<i64> {
        let ((scene, at_ms), mut start_ms) = (place?, 0);
        for part in &self.parts {
            let within = (part.from_ms..part.from_ms + part.length_ms).contains(&at_ms);
            if part.scene == scene && within {
                return Some(start_ms + at_ms - part.from_ms);
            }
            start_ms += part.length_ms;
        }
        None
    }

    /// What the decoder would note: five pictures a second and the first of each shot, every one
    /// with up to so many bits that compression has changed.
    pub(super) fn shown(&self, noise: u64) -> Vec<Likeness> {
        let mut dice = Dice(self.parts.len() as u64);
        let (mut shown, mut start_ms, mut last_ms) = (Vec::new(), 0, i64::MIN / 2);
        for (number, part) in self.parts.iter().enumerate() {
            let before = number.checked_sub(1).map(|at| self.parts[at]);
            // Nobody sees a jump of a second within a scene.
            let goes_on = before.is_some_and(|before| {
                let jump_ms = part.from_ms - before.from_ms - before.length_ms;
                before.scene == part.scene && jump_ms.abs() < 1_000
            });
            for at_ms in (0..part.length_ms).step_by(FRAME_MS as usize) {
                let opens = number > 0 && at_ms == 0 && !goes_on;
                if !opens && start_ms + at_ms - last_ms < 199 {
                    continue;
                }
                last_ms = start_ms + at_ms;
                let mut bits = part.bits(at_ms);
                for _ in 0..dice.roll(noise + 1) {
                    bits ^= 1 << dice.roll(64);
                }
                shown.push(Likeness {
                    at_ms: last_ms,
                    bits,
                    opens,
                });
            }
            start_ms += part.length_ms;
        }
        shown
    }
}
