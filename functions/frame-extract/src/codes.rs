//! The QR codes of the kept frames as evidence of the run, at every place of the video.

use shared_domain::{Detection, QR, Task, VideoId};
use shared_media::KeptFrame;

use crate::extract::frame_key;

/// A code that stays on the screen over several frames is one piece of evidence.
pub(crate) fn codes(id: VideoId, frames: &[KeptFrame]) -> Vec<Detection> {
    let mut found: Vec<Detection> = frames
        .iter()
        .flat_map(|frame| frame.codes.iter().map(move |code| (frame, code)))
        .flat_map(|(frame, code)| {
            frame.spans.iter().map(move |span| Detection {
                task: Task::Text,
                label: QR.to_owned(),
                score: 1.0,
                start_ms: span.start_ms,
                end_ms: span.end_ms,
                bbox: Some(code.bbox),
                text: Some(code.text.clone()),
                words: Vec::new(),
                object_key: frame_key(id, frame.at_ms),
            })
        })
        .collect();
    found.sort_by(|a, b| (&a.text, a.start_ms).cmp(&(&b.text, b.start_ms)));
    found.dedup_by(|next, last| {
        let goes_on = next.text == last.text && next.start_ms <= last.end_ms;
        if goes_on {
            last.end_ms = last.end_ms.max(next.end_ms);
        }
        goes_on
    });
    found
}

#[cfg(test)]
mod tests {
    use shared_domain::{BBox, Span};
    use shared_media::Code;

    use super::*;

    fn frame(at_ms: i64, until_ms: i64, texts: &[&str]) -> KeptFrame {
        let bbox = BBox {
            x: 0.5,
            y: 0.5,
            w: 0.25,
            h: 0.25,
        };
        let code = |text: &&str| Code {
            text: (*text).to_owned(),
            bbox,
        };
        KeptFrame {
            at_ms,
            sha256: String::new(),
            width: 640,
            height: 360,
            spans: vec![Span {
                start_ms: at_ms,
                end_ms: until_ms,
            }],
            codes: texts.iter().map(code).collect(),
        }
    }

    #[test]
    fn a_code_that_stays_is_one_piece_of_evidence_and_one_that_comes_back_is_two() {
        let id: VideoId = "018f0000-0000-7000-8000-000000000001".parse().unwrap();
        let frames = [
            frame(0, 500, &["a"]),
            frame(500, 900, &["b", "a"]),
            frame(900, 1_500, &[]),
            frame(1_500, 2_000, &["a"]),
        ];
        let found = codes(id, &frames);
        let told: Vec<_> = found
            .iter()
            .map(|code| {
                (
                    code.text.as_deref().unwrap_or_default(),
                    code.start_ms,
                    code.end_ms,
                )
            })
            .collect();
        assert_eq!(told, [("a", 0, 900), ("a", 1_500, 2_000), ("b", 500, 900)]);
        assert_eq!(found[0].object_key, frame_key(id, 0));
        assert!(
            found
                .iter()
                .all(|code| code.bbox.is_some() && code.label == QR)
        );
    }
}
