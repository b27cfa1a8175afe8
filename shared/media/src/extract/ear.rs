//! The thread that reads sound, puts it at its time and hands chunks over.

use std::io::Read;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};
use shared_domain::Span;

use super::{Outlet, Piece, line};
use crate::audio::{AudioChunk, Chunker, Cut, RATE, span, wav};
use crate::error::MediaError;
use crate::gaps::{Gaps, LONG_MS};
use crate::pipes::Shown;
use crate::waveform::{PER_SECOND, Waveform};

/// Two clocks that differ by less are one: samples are not moved about for jitter.
const JITTER: i64 = 320;
/// Sound that comes again is left out; more than this much of it is missed.
const MISSED: i64 = RATE / 5;

/// What the sound thread brings home.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) chunks: Vec<AudioChunk>,
    pub(super) silences: Vec<Span>,
    /// From the first to the last sample; none when nothing was decoded.
    pub(super) extent: Option<Span>,
    /// Long breaks, filled with silence: damage, if the decoder complained.
    pub(super) holes: Gaps,
    /// What came again after it was over, and so has no place on the time line.
    pub(super) misplaced: Gaps,
}

/// One pass over the sound.
#[derive(Debug)]
pub(super) struct Ear {
    outlet: Outlet,
    zero_ms: Arc<OnceLock<i64>>,
    /// Where the first frame was said to be, should the sound come long before it.
    expected_zero_ms: i64,
    waveform: Waveform,
    heard: Heard,
}

impl Ear {
    pub(super) fn new(outlet: Outlet, zero_ms: Arc<OnceLock<i64>>, expected_zero_ms: i64) -> Self {
        let (waveform, heard) = (Waveform::default(), Heard::default());
        Self {
            outlet,
            zero_ms,
            expected_zero_ms,
            waveform,
            heard,
        }
    }

    fn zero(&self) -> i64 {
        self.zero_ms.get().copied().unwrap_or(self.expected_zero_ms)
    }

    pub(super) fn listen(
        &mut self,
        mut pipe: impl Read,
        times: &Receiver<Shown>,
    ) -> Result<Heard, MediaError> {
        let mut chunker: Option<Chunker> = None;
        let mut first = None;
        let mut bytes = Vec::with_capacity(line::SOUND_FRAME * 2);
        loop {
            bytes.clear();
            let whole = u64::try_from(line::SOUND_FRAME * 2).unwrap_or(u64::MAX);
            if pipe.by_ref().take(whole).read_to_end(&mut bytes)? == 0 {
                break;
            }
            let Ok(shown) = times.recv() else { break };
            self.outlet.pulse.beat();
            let samples: Vec<i16> = bytes
                .chunks_exact(2)
                .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
                .collect();
            first.get_or_insert(shown.pts);
            let chunker = chunker.get_or_insert_with(|| Chunker::new(shown.pts));
            let gap = shown.pts - chunker.position();
            let overlap = if gap < -JITTER { gap.unsigned_abs() } else { 0 };
            self.heard.note(chunker.position(), shown.pts, self.zero());
            if gap > JITTER {
                let cuts = chunker.skip(gap);
                self.hand_over(cuts)?;
            }
            let skip = usize::try_from(overlap).unwrap_or(0).min(samples.len());
            self.waveform.add(chunker.position(), &samples[skip..]);
            let cuts = chunker.add(&samples[skip..]);
            self.hand_over(cuts)?;
        }
        if let Some(chunker) = chunker {
            let (zero, end) = (self.zero(), chunker.position());
            self.heard.extent = first.map(|first| span(&(first..end), zero));
            let (last, silences) = chunker.finish();
            self.hand_over(last)?;
            self.heard.silences = silences.iter().map(|range| span(range, zero)).collect();
        }
        let peaks = std::mem::take(&mut self.waveform).finish(self.zero());
        let json = serde_json::to_vec(&peaks).unwrap_or_default().into();
        self.outlet.send(Piece::Waveform {
            json,
            per_second: PER_SECOND,
        })?;
        Ok(std::mem::take(&mut self.heard))
    }

    fn hand_over(&mut self, cuts: impl IntoIterator<Item = Cut>) -> Result<(), MediaError> {
        for cut in cuts {
            let end = cut.start + i64::try_from(cut.samples.len()).unwrap_or(0);
            let Span { start_ms, end_ms } = span(&(cut.start..end), self.zero());
            let wav = wav(&cut.samples);
            let sha256 = hex::encode(Sha256::digest(&wav));
            let index = u32::try_from(self.heard.chunks.len()).unwrap_or(u32::MAX);
            let chunk = AudioChunk {
                index,
                start_ms,
                end_ms,
                sha256: sha256.clone(),
            };
            self.heard.chunks.push(chunk);
            self.outlet.send(Piece::Audio {
                index,
                start_ms,
                end_ms,
                wav,
                sha256,
            })?;
        }
        Ok(())
    }
}

impl Heard {
    /// Notes where a block of sound does not follow on the last one.
    fn note(&mut self, position: i64, start: i64, zero_ms: i64) {
        let from_to = span(&(position.min(start)..position.max(start)), zero_ms);
        if start - position > LONG_MS * RATE / 1000 {
            self.holes.add(from_to.start_ms, from_to.end_ms);
        } else if position - start > MISSED {
            self.misplaced.add(from_to.start_ms, from_to.end_ms);
        }
    }
}
