use super::*;

fn span(start_ms: i64, end_ms: i64) -> Span {
    Span { start_ms, end_ms }
}

fn wave(rate: u32) -> Wave {
    Wave {
        head: Vec::new(),
        rate,
        channels: 1,
    }
}

/// A second and a half of a loud constant, changed.
fn changed(spans: &[Span], cover: Cover, zero_ms: i64) -> Vec<f32> {
    let bleep = Bleep {
        spans: spans.to_vec(),
        cover,
    };
    let mut covered = Covered::new(&bleep, zero_ms, &wave(48_000));
    (0..72_000)
        .map(|at| {
            let mut sample = [0.5];
            covered.change(at, &mut sample);
            sample[0]
        })
        .collect()
}

fn is(sample: f32, value: f32) -> bool {
    (sample - value).abs() < 1e-6
}

#[test]
fn a_word_is_silent_from_its_first_sample_to_its_last() {
    let sound = changed(&[span(500, 750)], Cover::Silence, 0);
    let fade = 384;
    assert!(sound[24_000..36_000].iter().all(|sample| is(*sample, 0.0)));
    assert!(sound[..24_000 - fade].iter().all(|sample| is(*sample, 0.5)));
    assert!(sound[36_000 + fade..].iter().all(|sample| is(*sample, 0.5)));
    let falls = |edge: &[f32]| edge.windows(2).all(|pair| pair[0] > pair[1]);
    assert!(falls(&sound[24_000 - fade - 1..=24_000]));
    let mut back = sound[35_999..=36_000 + fade].to_vec();
    back.reverse();
    assert!(falls(&back));
}

#[test]
fn a_tone_of_one_kilohertz_stands_in_for_the_word() {
    let sound = changed(&[span(500, 750)], Cover::Tone, 0);
    let word = &sound[24_000..36_000];
    let loudest = word
        .iter()
        .fold(0.0_f32, |most, sample| most.max(sample.abs()));
    assert!(is(loudest, 0.1), "{loudest}");
    // Twice through zero in a wave.
    let crossings = word
        .windows(2)
        .filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0);
    let count = crossings.count();
    assert!((249..=251).contains(&count), "{count}");
}

#[test]
fn words_that_touch_or_overlap_are_one_and_any_order_will_do() {
    let together = changed(
        &[span(600, 700), span(500, 605), span(708, 750)],
        Cover::Silence,
        0,
    );
    assert_eq!(together, changed(&[span(500, 750)], Cover::Silence, 0));
}

#[test]
fn a_word_before_the_first_picture_is_covered_at_its_place_in_the_sound() {
    let sound = changed(&[span(-200, -100)], Cover::Silence, 300);
    assert!(is(sound[4_800], 0.0) && is(sound[9_599], 0.0));
    assert!(is(sound[4_800 - 385], 0.5) && is(sound[9_600 + 385], 0.5));
    // What begins before the sound itself is covered from its first sample.
    assert!(is(changed(&[span(-900, 100)], Cover::Silence, 0)[0], 0.0));
}

#[test]
fn nothing_is_changed_where_nothing_was_found() {
    assert!(
        changed(&[], Cover::Tone, 0)
            .iter()
            .all(|sample| is(*sample, 0.5))
    );
    let empty = changed(&[span(500, 500)], Cover::Tone, 0);
    assert!(empty.iter().all(|sample| is(*sample, 0.5)));
}
