//! Loudness for the player's time line: one peak per tenth of a second, 0 to 255.

/// Peaks in one second.
pub(crate) const PER_SECOND: u32 = 10;
const WINDOW: i64 = 1600;

#[derive(Debug, Default)]
pub(crate) struct Waveform {
    peaks: Vec<u8>,
}

impl Waveform {
    /// Adds samples that begin at sample `at`; what lies before 0 is left out.
    pub(crate) fn add(&mut self, at: i64, samples: &[i16]) {
        for (offset, sample) in (at..).zip(samples) {
            let Ok(window) = usize::try_from(offset.div_euclid(WINDOW)) else {
                continue;
            };
            if window >= self.peaks.len() {
                self.peaks.resize(window + 1, 0);
            }
            let peak = u8::try_from(sample.unsigned_abs().min(0x7FFF) >> 7).unwrap_or(u8::MAX);
            self.peaks[window] = self.peaks[window].max(peak);
        }
    }

    /// The peaks with their beginning moved to `zero_ms`.
    pub(crate) fn finish(mut self, zero_ms: i64) -> Vec<u8> {
        let skip = usize::try_from(zero_ms / 100)
            .unwrap_or(0)
            .min(self.peaks.len());
        self.peaks.split_off(skip)
    }
}
