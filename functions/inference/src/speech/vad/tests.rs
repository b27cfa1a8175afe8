use super::{CHUNK, stretches};

fn chunks(probabilities: &[f32]) -> Vec<(usize, usize)> {
    stretches(probabilities, probabilities.len() * CHUNK)
        .iter()
        .map(|s| (s.start / CHUNK, s.end / CHUNK))
        .collect()
}

#[test]
fn a_short_dip_does_not_end_speech_and_a_pause_does() {
    let mut sound = vec![0.9; 10];
    sound.extend([0.1; 3]);
    sound.extend([0.9; 10]);
    sound.extend([0.1; 10]);
    assert_eq!(chunks(&sound), [(0, 23)]);
    sound.extend([0.9; 5]);
    assert_eq!(chunks(&sound), [(0, 23), (33, 38)]);
}

#[test]
fn a_click_is_no_speech_and_a_middling_voice_goes_on_but_does_not_begin() {
    assert!(chunks(&[0.0, 0.9, 0.9, 0.0, 0.0, 0.0, 0.0]).is_empty());
    assert!(chunks(&[0.4; 30]).is_empty());
    assert_eq!(chunks(&[0.0, 0.6, 0.4, 0.4, 0.4, 0.0]), [(1, 5)]);
}

#[test]
fn speech_ends_with_the_sound_where_that_breaks_off_within_a_chunk() {
    let length = 9 * CHUNK + 7;
    let ends: Vec<usize> = stretches(&[0.9; 10], length)
        .iter()
        .map(|s| s.end)
        .collect();
    assert_eq!(ends, [length]);
}
