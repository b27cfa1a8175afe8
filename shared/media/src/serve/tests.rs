use super::parse;

#[test]
fn ranges_are_clipped_to_the_object() {
    assert_eq!(parse("bytes=0-", 10), Some((0, 10)));
    assert_eq!(parse("bytes=3-5", 10), Some((3, 6)));
    assert_eq!(parse("bytes=3-500", 10), Some((3, 10)));
    assert_eq!(parse("bytes=10-", 10), None);
    assert_eq!(parse("bytes=5-3", 10), None);
    assert_eq!(parse("lines=0-", 10), None);
    assert_eq!(parse("bytes=-5", 10), None);
}
