//! Which kept picture stands for which part of the video.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use shared_domain::Span;

use crate::codes::Code;

/// A picture that was kept, and every part of the video that it stands for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptFrame {
    /// When it was shown, from the first frame; its first span can begin a little earlier.
    pub at_ms: i64,
    /// SHA-256 of the JPEG, lower-case hex.
    pub sha256: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// In order, without overlap. The spans of all kept frames together cover the video.
    pub spans: Vec<Span>,
    /// The QR codes in it.
    pub codes: Vec<Code>,
}

/// Collects kept pictures; equal ones become one with several spans.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    frames: Vec<KeptFrame>,
    known: HashMap<String, usize>,
    /// Where each stretch begins and whose it is.
    stretches: Vec<(i64, usize)>,
}

impl Timeline {
    /// Adds a kept picture that stands for the video from `start_ms`; false when it is known.
    pub(crate) fn add(&mut self, start_ms: i64, frame: KeptFrame) -> bool {
        let count = self.frames.len();
        let index = *self.known.entry(frame.sha256.clone()).or_insert(count);
        self.stretches.push((start_ms, index));
        if index == count {
            self.frames.push(frame);
        }
        index == count
    }

    /// Closes the last span.
    pub(crate) fn finish(mut self, end_ms: i64) -> Vec<KeptFrame> {
        let ends = self
            .stretches
            .iter()
            .skip(1)
            .map(|(start, _)| *start)
            .chain([end_ms]);
        for ((start_ms, index), end_ms) in self.stretches.iter().zip(ends) {
            let spans = &mut self.frames[*index].spans;
            match spans.last_mut() {
                Some(last) if last.end_ms == *start_ms => last.end_ms = end_ms,
                _ => spans.push(Span {
                    start_ms: *start_ms,
                    end_ms: end_ms.max(*start_ms),
                }),
            }
        }
        self.frames
    }
}
