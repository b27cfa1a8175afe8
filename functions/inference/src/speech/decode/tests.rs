use super::likeliest;

#[test]
fn the_likeliest_token_knows_its_probability() {
    let spoken = likeliest(&[f32::NEG_INFINITY, 1.0, 3.0, 1.0]);
    assert_eq!(spoken.token, 2);
    let expected = 1.0 / (1.0 + 2.0 * (-2.0f32).exp());
    assert!((spoken.log_probability.exp() - expected).abs() < 1e-6);
}
