use super::super::hull::smallest_rect;
use super::regions;

const WIDTH: usize = 200;
const HEIGHT: usize = 100;

/// A map that is `value` where `inside` says so.
fn map(value: f32, inside: impl Fn(f32, f32) -> bool) -> Vec<f32> {
    let at = |index: usize| {
        let x = f32::from(u16::try_from(index % WIDTH).unwrap());
        let y = f32::from(u16::try_from(index / WIDTH).unwrap());
        (x, y)
    };
    (0..WIDTH * HEIGHT)
        .map(|index| {
            let (x, y) = at(index);
            if inside(x, y) { value } else { 0.0 }
        })
        .collect()
}

#[test]
fn a_core_is_grown_back_to_its_line() {
    let map = map(0.9, |x, y| {
        (40.0..140.0).contains(&x) && (30.0..40.0).contains(&y)
    });
    let found = regions(&map, WIDTH);
    assert_eq!(found.len(), 1);
    // 100×10 grown by 1.6 · 1000 / 220 on each side.
    let by = 1.6 * 1000.0 / 220.0;
    let corners = found[0].rect.corners();
    assert!((corners[0][0] - (40.0 - by)).abs() < 0.01, "{corners:?}");
    assert!((corners[2][1] - (40.0 + by)).abs() < 0.01, "{corners:?}");
    assert!((found[0].score - 0.9).abs() < 1e-4);
    assert!(found[0].is_line());
}

#[test]
fn a_blob_is_no_line() {
    let blob = map(0.9, |x, y| {
        (40.0..100.0).contains(&x) && (20.0..70.0).contains(&y)
    });
    let found = regions(&blob, WIDTH);
    assert_eq!(found.len(), 1);
    assert!(!found[0].is_line());
}

#[test]
fn specks_and_unsure_places_are_no_lines() {
    let speck = map(0.9, |x, y| {
        (40.0..42.0).contains(&x) && (30.0..32.0).contains(&y)
    });
    assert!(regions(&speck, WIDTH).is_empty());
    let unsure = map(0.4, |x, y| {
        (40.0..140.0).contains(&x) && (30.0..40.0).contains(&y)
    });
    assert!(regions(&unsure, WIDTH).is_empty());
    assert!(regions(&map(0.0, |_, _| false), WIDTH).is_empty());
}

#[test]
fn lines_come_from_top_to_bottom() {
    let map = map(0.9, |x, y| {
        x < 100.0 && (y < 8.0 || (50.0..58.0).contains(&y) || y > 90.0)
    });
    let tops: Vec<f32> = regions(&map, WIDTH)
        .iter()
        .map(|r| r.rect.centre[1])
        .collect();
    assert_eq!(tops.len(), 3);
    assert!(tops.is_sorted());
}

#[test]
fn a_tilted_core_keeps_its_angle() {
    let (sin, cos) = 0.3_f32.sin_cos();
    let map = map(0.9, |x, y| {
        let (x, y) = (x - 100.0, y - 50.0);
        (x * cos + y * sin).abs() < 60.0 && (y * cos - x * sin).abs() < 6.0
    });
    let found = regions(&map, WIDTH);
    assert_eq!(found.len(), 1);
    let rect = found[0].rect;
    assert!(
        (rect.along[1].atan2(rect.along[0]) - 0.3).abs() < 0.03,
        "{rect:?}"
    );
    assert!(rect.width > 120.0 && rect.height < 40.0, "{rect:?}");
}

#[test]
fn the_smallest_rectangle_of_a_turned_square_is_turned() {
    let points = [
        [10.0, 0.0],
        [20.0, 10.0],
        [10.0, 20.0],
        [0.0, 10.0],
        [10.0, 10.0],
    ];
    let rect = smallest_rect(&points).unwrap();
    assert!((rect.area() - 200.0).abs() < 0.01, "{rect:?}");
    assert_eq!(smallest_rect(&[]), None);
}
