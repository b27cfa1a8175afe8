use super::{BANDS, BINS, Mel, bands};

#[test]
fn silence_is_the_same_everywhere() {
    let picture = Mel::new().picture(&[0.0; 3200], 20);
    assert_eq!(picture.len(), BANDS * 20);
    assert!(picture.iter().all(|value| (value - -1.5).abs() < 1e-6));
}

#[test]
fn a_tone_lies_in_its_band_and_is_the_loudest() {
    // 1 kHz is 15.0 on the scale of 0 to 45.245, hence band 15 / 45.245 * 81 - 1 = 25.85.
    let tone: Vec<f32> = (0..16000u16)
        .map(|i| (f32::from(i) / 16.0 * std::f32::consts::TAU).sin() * 0.5)
        .collect();
    let picture = Mel::new().picture(&tone, 100);
    let column = |row: usize| picture[row * 100 + 50];
    let loudest = (0..BANDS)
        .max_by(|a, b| column(*a).total_cmp(&column(*b)))
        .unwrap();
    assert!((25..=26).contains(&loudest), "{loudest}");
    assert!(column(loudest) - column(60) > 1.0);
}

#[test]
fn bands_are_those_of_the_reference() {
    // Values of librosa.filters.mel(sr=16000, n_fft=400, n_mels=80).
    let bands = bands();
    assert_eq!((bands[0].first, bands[0].weights.len()), (1, 1));
    assert!(
        (bands[0].weights[0] - 0.024_862_6).abs() < 1e-4,
        "{}",
        bands[0].weights[0]
    );
    assert!(
        bands
            .iter()
            .all(|band| band.first + band.weights.len() <= BINS)
    );
    assert!(bands.iter().all(|band| !band.weights.is_empty()));
}
