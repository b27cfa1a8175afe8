use image::{ImageFormat, Rgb, RgbImage};

use super::{Area, OpenNsfw, squares};
use crate::vision::tests::{answer, frame, picture};
use crate::weights::tests::real_folder;

/// Colours that shade into each other, always the same.
fn shades() -> bytes::Bytes {
    let level = |value: u32| u8::try_from(value).unwrap();
    let pixels = RgbImage::from_fn(300, 300, |x, y| {
        Rgb([
            level(200 - x * 100 / 300),
            level(150 - y * 80 / 300),
            level(120 - (x + y) * 60 / 600),
        ])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner().into()
}

#[test]
fn the_score_is_the_one_of_the_model_s_own_program() {
    let model = OpenNsfw::connect(&real_folder(), 1).unwrap();
    let scores = answer(&model, &shades());
    let nsfw = scores["nsfw"].as_f64().unwrap();
    // 0.033466 by the Python package of the weights, without its optional JPEG round trip.
    assert!((nsfw - 0.033_466).abs() < 0.002, "{nsfw}");
    assert!((scores["sfw"].as_f64().unwrap() + nsfw - 1.0).abs() < 1e-6);
}

#[test]
fn ordinary_pictures_score_low() {
    let model = OpenNsfw::connect(&real_folder(), 1).unwrap();
    for (film, second, most) in [
        ("carphone_pristine.mp4", "1", 0.05),
        ("bikes.mp4", "3", 0.1),
        ("bikes.mp4", "8", 0.1),
        ("bigbuckbunny.mp4", "4", 0.2),
    ] {
        let nsfw = answer(&model, &picture(frame(film, second), "null"))["nsfw"]
            .as_f64()
            .unwrap();
        assert!(nsfw < most, "{film} at {second} s: {nsfw}");
    }
}

#[test]
fn black_bars_change_nothing() {
    let model = OpenNsfw::connect(&real_folder(), 1).unwrap();
    let bare = picture(frame("bigbuckbunny.mp4", "1"), "scale=720:404");
    let boxed = picture(
        frame("bigbuckbunny.mp4", "1"),
        "scale=720:404,pad=720:720:0:158:black",
    );
    let score = |picture| answer(&model, picture)["nsfw"].as_f64().unwrap();
    let (bare, boxed) = (score(&bare), score(&boxed));
    assert!((bare - boxed).abs() < 0.05, "{bare} and {boxed}");
}

#[test]
fn a_wide_picture_is_seen_at_both_ends_and_in_its_middle() {
    let area = |left, top, width, height| Area {
        left,
        top,
        width,
        height,
    };
    let wide = [
        area(10, 0, 720, 720),
        area(290, 0, 720, 720),
        area(570, 0, 720, 720),
    ];
    assert_eq!(squares(area(10, 0, 1280, 720)), wide);
    let upright = [area(0, 0, 90, 90), area(0, 35, 90, 90), area(0, 70, 90, 90)];
    assert_eq!(squares(area(0, 0, 90, 160)), upright);
    assert!(squares(area(0, 0, 120, 100)).is_empty());
}

#[test]
fn no_frame_of_a_cartoon_is_taken_for_nudity() {
    let model = OpenNsfw::connect(&real_folder(), 1).unwrap();
    let scale = "scale=1280:720:force_original_aspect_ratio=increase,crop=1280:720";
    for second in ["0.9", "1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "4.3"] {
        let still = picture(frame("bigbuckbunny.mp4", second), scale);
        let nsfw = answer(&model, &still)["nsfw"].as_f64().unwrap();
        assert!(nsfw < 0.6, "at {second} s: {nsfw}");
    }
}
