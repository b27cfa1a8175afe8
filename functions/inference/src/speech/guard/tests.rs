use super::{MOST_COMPRESSION, compression_ratio, is_loop, is_silence};

#[test]
fn repetition_compresses_and_speech_does_not() {
    let speech = "We must find a new home in the stars before the old one is gone for good.";
    assert!(compression_ratio(speech) < 1.5);
    assert!(compression_ratio(&"And so on. ".repeat(12)) > MOST_COMPRESSION);
}

#[test]
fn a_phrase_over_and_over_is_a_loop() {
    let mut text = vec![1, 2, 3];
    text.extend([7, 8, 9, 10, 11].repeat(4));
    assert!(is_loop(&text));
    assert!(is_loop(&[5; 20]));
}

#[test]
fn saying_no_a_few_times_is_no_loop() {
    assert!(!is_loop(&[1, 2, 3, 4, 5, 5, 5, 5, 5]));
    assert!(!is_loop(&[1, 2, 3].repeat(4)));
    assert!(!is_loop(&[]));
}

#[test]
fn silence_needs_doubt_as_well() {
    assert!(is_silence(0.9, -1.5));
    assert!(!is_silence(0.9, -0.2));
    assert!(!is_silence(0.1, -1.5));
}
