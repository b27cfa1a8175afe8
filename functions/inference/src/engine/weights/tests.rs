use super::widened;

#[test]
fn halves_keep_their_value() {
    let cases = [
        (0x0000, 0.0),
        (0x3c00, 1.0),
        (0xc000, -2.0),
        (0x3e00, 1.5),
        (0x7bff, 65_504.0),
        (0x0400, 6.103_515_6e-5),
        // The smallest, and the largest of those without a leading one.
        (0x0001, 5.960_464_5e-8),
        (0x83ff, -6.097_555e-5),
        (0x7c00, f32::INFINITY),
    ];
    for (half, value) in cases {
        assert_eq!(widened(half).to_bits(), f32::to_bits(value), "{half:#06x}");
    }
    assert!(widened(0x8000).is_sign_negative() && widened(0x7e00).is_nan());
}
