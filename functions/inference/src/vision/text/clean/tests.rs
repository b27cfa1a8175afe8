use super::{Grey, HEIGHT, INK, Look, MARGIN, PAPER};
use crate::vision::picture::Picture;

/// A bar of one level with a rim of another over a ground of stripes.
fn bar(level: u8, rim: u8, ground: [u8; 2]) -> Picture {
    let (width, height) = (200, HEIGHT);
    let mut picture = Picture::black(width, height);
    for y in 0..height {
        for x in 0..width {
            let inside =
                |by: usize| (60 + by..140 - by).contains(&x) && (20 + by..44 - by).contains(&y);
            let value = match (inside(4), inside(0)) {
                (true, _) => level,
                (false, true) => rim,
                (false, false) => ground[x / 10 % 2],
            };
            let at = (y * width + x) * 3;
            picture.rgb[at..at + 3].fill(value);
        }
    }
    picture
}

/// Number of ink pixels inside and outside the bar.
fn ink(picture: &Picture, look: Look) -> [usize; 2] {
    let page = Grey::of(picture).unwrap().page(look);
    let mut counts = [0, 0];
    for (at, _) in page
        .pixels
        .iter()
        .enumerate()
        .filter(|(_, level)| **level == INK)
    {
        let (x, y) = (at % page.width - MARGIN, at / page.width - MARGIN);
        let outside = !(60..140).contains(&x) || !(20..44).contains(&y);
        counts[usize::from(outside)] += 1;
    }
    counts
}

#[test]
fn bright_letters_with_a_rim_are_kept_and_a_bright_ground_is_dropped() {
    let [letters, ground] = ink(&bar(255, 0, [250, 90]), Look::Bright);
    assert!(letters > 1000, "{letters}");
    assert_eq!(ground, 0);
}

#[test]
fn dark_letters_with_a_rim_are_kept_and_a_dark_ground_is_dropped() {
    let [letters, ground] = ink(&bar(0, 255, [5, 160]), Look::Dark);
    assert!(letters > 1000, "{letters}");
    assert_eq!(ground, 0);
}

#[test]
fn the_likely_look_follows_the_edge_of_the_line() {
    let likely = |picture: &Picture| Grey::of(picture).unwrap().likely();
    assert_eq!(likely(&bar(255, 40, [40, 40])), Look::Bright);
    assert_eq!(likely(&bar(0, 220, [220, 220])), Look::Dark);
}

#[test]
fn a_page_has_a_margin_of_paper() {
    let page = Grey::of(&bar(255, 0, [0, 0])).unwrap().page(Look::Bright);
    assert_eq!(
        (page.width, page.height),
        (200 + 2 * MARGIN, HEIGHT + 2 * MARGIN)
    );
    assert!(
        page.pixels[..page.width * MARGIN]
            .iter()
            .all(|level| *level == PAPER)
    );
    assert_eq!(
        Grey::of(&bar(255, 0, [0, 0]))
            .unwrap()
            .page(Look::Plain)
            .margin,
        0
    );
}

#[test]
fn a_line_of_one_level_is_blank() {
    for look in [Look::Bright, Look::Dark] {
        assert_eq!(ink(&bar(90, 90, [90, 90]), look), [0, 0]);
    }
}
