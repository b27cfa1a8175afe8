#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "small numbers of a test"
)]

use super::{Chunker, Cut, RATE, span, wav};

/// Seconds of a tone (or silence at 0) that starts anew each time.
fn tone(seconds: f64, amplitude: f64) -> Vec<i16> {
    let count = (seconds * 16_000.0) as usize;
    (0..count)
        .map(|i| ((i as f64 * 0.17).sin() * amplitude) as i16)
        .collect()
}

fn cut(parts: &[Vec<i16>]) -> (Vec<Cut>, Vec<std::ops::Range<i64>>) {
    let mut chunker = Chunker::new(0);
    let mut cuts: Vec<Cut> = parts.iter().flat_map(|part| chunker.add(part)).collect();
    let (last, silences) = chunker.finish();
    cuts.extend(last);
    (cuts, silences)
}

fn seconds(samples: i64) -> f64 {
    samples as f64 / RATE as f64
}

#[test]
fn long_sound_is_cut_where_it_is_quiet() {
    let parts = [tone(41.0, 9000.0), tone(0.4, 60.0), tone(50.0, 9000.0)];
    let (cuts, silences) = cut(&parts);
    assert_eq!(cuts.len(), 2);
    assert!(
        (41.0..41.4).contains(&seconds(cuts[1].start)),
        "{}",
        seconds(cuts[1].start)
    );
    assert!(silences.is_empty(), "{silences:?}");
}

#[test]
fn chunks_follow_each_other_without_gap_or_overlap() {
    let (cuts, silences) = cut(&[tone(200.0, 5000.0)]);
    let mut at = 0;
    for cut in &cuts {
        assert_eq!(cut.start, at);
        at += cut.samples.len() as i64;
        assert!(cut.samples.len() <= 60 * 16_000);
    }
    assert_eq!(at, 200 * 16_000);
    assert!(silences.is_empty());
}

#[test]
fn total_silence_is_listed_and_not_handed_over() {
    let parts = [
        tone(10.0, 0.0),
        tone(3.0, 5000.0),
        tone(60.0, 0.0),
        tone(2.0, 5000.0),
    ];
    let (cuts, silences) = cut(&parts);
    assert_eq!(cuts.len(), 2);
    assert!((9.79..=9.81).contains(&seconds(cuts[0].start)));
    assert!((72.79..=72.81).contains(&seconds(cuts[1].start)));
    assert_eq!(silences.len(), 2);
    assert!((9.79..=9.81).contains(&seconds(silences[0].end)));
    assert!((13.1..=13.3).contains(&seconds(silences[1].start)));
    assert_eq!(silences[1].end, cuts[1].start);
}

#[test]
fn a_silent_track_yields_no_chunk() {
    let (cuts, silences) = cut(&[tone(95.0, 0.0)]);
    assert!(cuts.is_empty());
    assert_eq!(silences.len(), 1);
    assert_eq!(silences[0], 0..95 * 16_000);
}

#[test]
fn every_sample_is_in_one_chunk_or_one_silence() {
    let mut seed = 7_u64;
    for _ in 0..30 {
        let mut parts = Vec::new();
        for _ in 0..8 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let length = (seed >> 40) as f64 % 40_000.0 / 1000.0;
            parts.push(tone(length, if seed >> 33 & 1 == 0 { 0.0 } else { 3000.0 }));
        }
        let total: usize = parts.iter().map(Vec::len).sum();
        let (cuts, silences) = cut(&parts);
        let mut all: Vec<_> = cuts
            .iter()
            .map(|c| c.start..c.start + c.samples.len() as i64)
            .collect();
        all.extend(silences);
        all.sort_by_key(|range| range.start);
        let mut at = 0;
        for range in all {
            assert_eq!(range.start, at);
            at = range.end;
        }
        assert!((0..320).contains(&(at - total as i64)), "{at} {total}");
    }
}

#[test]
fn a_gap_becomes_silence() {
    let mut chunker = Chunker::new(0);
    let mut cuts = chunker.add(&tone(1.0, 4000.0));
    cuts.extend(chunker.skip(30 * 16_000));
    cuts.extend(chunker.add(&tone(1.0, 4000.0)));
    cuts.extend(chunker.finish().0);
    assert_eq!(cuts.len(), 2);
    assert!(
        (30.7..30.9).contains(&seconds(cuts[1].start)),
        "{}",
        seconds(cuts[1].start)
    );
}

#[test]
fn wav_has_a_correct_header() {
    let file = wav(&[1, -2, 3]);
    assert_eq!(file.len(), 50);
    assert_eq!(&file[..4], b"RIFF");
    assert_eq!(u32::from_le_bytes([file[4], file[5], file[6], file[7]]), 42);
    assert_eq!(&file[8..16], b"WAVEfmt ");
    assert_eq!(&file[36..40], b"data");
    assert_eq!(
        u32::from_le_bytes([file[40], file[41], file[42], file[43]]),
        6
    );
    assert_eq!(&file[44..], [1, 0, 254, 255, 3, 0]);
}

#[test]
fn positions_become_milliseconds_from_the_first_frame() {
    let span = span(&(16_000..48_000), 250);
    assert_eq!((span.start_ms, span.end_ms), (750, 2750));
}
