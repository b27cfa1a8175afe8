//! Sound on its way from one program to the other: a WAV header and samples without end.

use std::io::{self, Read, Write};

use super::cover::Covered;

/// A header with all that ffmpeg may put into it is shorter.
const HEAD: usize = 4096;
/// Moments that are changed at once.
const MOMENTS: usize = 8192;
/// Bytes of a sample: 32-bit floats.
const SAMPLE: usize = 4;

/// The header, which the encoder gets as it came.
#[derive(Debug, Clone)]
pub(super) struct Wave {
    pub(super) head: Vec<u8>,
    /// Samples a second.
    pub(super) rate: u32,
    pub(super) channels: u16,
}

impl Wave {
    /// Reads a header up to the first sample; `None` when none comes.
    pub(super) fn read(input: &mut impl Read) -> Option<Self> {
        let mut head = take(input, 12)?;
        if !head.starts_with(b"RIFF") || &head[8..] != b"WAVE" {
            return None;
        }
        let mut format = None;
        loop {
            let chunk = take(input, 8)?;
            head.extend_from_slice(&chunk);
            if chunk.starts_with(b"data") {
                break;
            }
            let length = u32::from_le_bytes(chunk[4..].try_into().ok()?);
            // Chunks begin at even places.
            let length = usize::try_from(length).ok()?.next_multiple_of(2);
            if head.len() + length > HEAD {
                return None;
            }
            let body = take(input, length)?;
            if chunk.starts_with(b"fmt ") {
                let channels = u16::from_le_bytes(body.get(2..4)?.try_into().ok()?);
                let rate = u32::from_le_bytes(body.get(4..8)?.try_into().ok()?);
                format = Some((rate, channels));
            }
            head.extend_from_slice(&body);
        }
        let (rate, channels) = format?;
        let sane = (1..=768_000).contains(&rate) && (1..=64).contains(&channels);
        sane.then_some(Self {
            head,
            rate,
            channels,
        })
    }

    /// Hands the sound on, changed, until it ends.
    pub(super) fn pass(
        &self,
        mut input: impl Read,
        mut output: impl Write,
        mut covered: Covered,
        beat: impl Fn(),
    ) -> io::Result<()> {
        output.write_all(&self.head)?;
        let moment = SAMPLE * usize::from(self.channels);
        let mut bytes = vec![0; MOMENTS * moment];
        let mut samples = vec![0.0; usize::from(self.channels)];
        let mut at = 0;
        loop {
            let filled = fill(&mut input, &mut bytes)?;
            // Half a sample at the very end is none.
            let whole = filled - filled % moment;
            for place in bytes[..whole].chunks_exact_mut(moment) {
                for (sample, four) in samples.iter_mut().zip(place.chunks_exact(SAMPLE)) {
                    *sample = four.try_into().map_or(0.0, f32::from_le_bytes);
                }
                covered.change(at, &mut samples);
                for (sample, four) in samples.iter().zip(place.chunks_exact_mut(SAMPLE)) {
                    four.copy_from_slice(&sample.to_le_bytes());
                }
                at += 1;
            }
            output.write_all(&bytes[..whole])?;
            beat();
            if filled < bytes.len() {
                return output.flush();
            }
        }
    }
}

fn take(input: &mut impl Read, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    input.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// As much as there is room for; less only at the end.
fn fill(input: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match input.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
