use super::*;
use crate::tests::Stage;

const TEXT: &str = "https://shop.example.ru/?erid=2VtzqxXyZ12";

/// A code of version 3 that holds `TEXT`, drawn by another program.
const MODULES: &str = "
#######.##..#####..##.#######
#.....#.###...#..##.#.#.....#
#.###.#..##.##..#.#...#.###.#
#.###.#.#...###.###.#.#.###.#
#.###.#..#####.##..#..#.###.#
#.....#..#.###...###..#.....#
#######.#.#.#.#.#.#.#.#######
........###.#....###.........
#.##.###.##..##..#....#..#.##
.##.##..###.###.##.#.##.#...#
#...####.#.#.##...#..###..##.
.#.#....##.#.#.##.###.......#
#####.##....##..##.....#.##..
.#...#.###.....###.#..#...###
...##.####.###..#.##.####.###
.#.#.....#.#..###...#..#...#.
#.#.###.#.#####.#.####.###.#.
.###.#.#...#####..#.##.#.###.
#.#..###..##.#.#.##..##.#.#..
..#.#.....###.####..#..##.#..
.#.##.##..#..#...##########..
........##.....######...#####
#######.##.#..#..#.##.#.##.#.
#.....#.##.#.#.##.#.#...##.##
#.###.#...#....###..#####.###
#.###.#.########.#.###.###..#
#.###.#.#.#.#.....#.#..#..#.#
#.....#....#..###.#.##.#.#.#.
#######.#..#..###..###.#.#.#.
";

/// A grey picture with the code in it, each module so many pixels wide.
fn drawn(module: usize, (left, top): (usize, usize)) -> Picture {
    let mut picture = Picture::black(640, 360);
    let luma = picture.width * picture.height;
    picture.planes[..luma].fill(90);
    let rows: Vec<&str> = MODULES.lines().filter(|row| !row.is_empty()).collect();
    let side = (rows.len() + 8) * module;
    for y in 0..side {
        for x in 0..side {
            let row = (y / module).checked_sub(4).and_then(|row| rows.get(row));
            let column = (x / module).checked_sub(4);
            let sign = row
                .zip(column)
                .and_then(|(row, column)| row.as_bytes().get(column));
            let at = (top + y) * picture.width + left + x;
            picture.planes[at] = if sign == Some(&b'#') { 20 } else { 235 };
        }
    }
    picture
}

#[test]
fn a_code_is_read_with_its_place() {
    for module in [3, 5, 9] {
        let codes = read(&drawn(module, (200, 10)));
        assert_eq!(codes.len(), 1, "modules of {module} pixels");
        assert_eq!(codes[0].text, TEXT);
        let BBox { x, y, w, h } = codes[0].bbox;
        #[expect(clippy::cast_precision_loss, reason = "a few hundred pixels")]
        let [start, top, side] = [200 + 4 * module, 10 + 4 * module, 29 * module].map(|n| n as f32);
        let near = |share: f32, pixels: f32, of: f32| (share * of - pixels).abs() < 6.0;
        assert!(
            near(x, start, 640.0) && near(y, top, 360.0),
            "{module}: {x} {y}"
        );
        assert!(near(w, side, 640.0) && near(h, side, 360.0), "{w} {h}");
    }
}

#[test]
fn a_picture_without_codes_has_none() {
    assert!(read(&Picture::black(640, 360)).is_empty());
    let mut noise = Picture::black(320, 180);
    let mut seed = 1_u32;
    for value in &mut noise.planes {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *value = seed.to_be_bytes()[0];
    }
    assert!(read(&noise).is_empty());
    assert!(read(&Picture::black(2, 2)).is_empty());
}

#[test]
fn a_spoiled_code_breaks_nothing() {
    let picture = drawn(5, (40, 10));
    for part in 0..24 {
        let mut spoiled = picture.clone();
        let row = (30 + part * 8) * spoiled.width;
        spoiled.planes[row..row + 12 * 640].fill(if part % 2 == 0 { 20 } else { 235 });
        for code in read(&spoiled) {
            assert_eq!(code.text, TEXT, "it is read right or not at all");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_shown_for_half_a_second_is_read_at_its_time() {
    let mut stage = Stage::new();
    let card = stage.path("code.pgm");
    let mut pgm = b"P5 640 360 255\n".to_vec();
    pgm.extend(drawn(5, (200, 20)).luma());
    std::fs::write(&card, pgm).unwrap();
    let path = stage.make_with(
        "code.mp4",
        &[
            "-f",
            "lavfi",
            "-i",
            "color=c=gray:s=640x360:r=30:d=4",
            "-i",
            card.to_str().unwrap(),
            "-filter_complex",
            "[0][1]overlay=enable='between(t,1.5,2)'",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p",
        ],
    );
    let outcome = stage.run(&path).await.unwrap();
    let shown: Vec<_> = outcome
        .extraction
        .frames
        .iter()
        .filter(|frame| !frame.codes.is_empty())
        .collect();
    assert!(shown.iter().all(|frame| frame.codes[0].text == TEXT));
    let spans = shown.iter().flat_map(|frame| &frame.spans);
    let start = spans.clone().map(|span| span.start_ms).min().unwrap();
    let end = spans.map(|span| span.end_ms).max().unwrap();
    assert!(
        (start - 1_500).abs() <= 300 && (end - 2_000).abs() <= 300,
        "{start} to {end}"
    );
}
