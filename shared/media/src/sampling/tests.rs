#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "small numbers of a test"
)]

use super::Sampler;
use crate::grid::Grid;

const W: usize = 640;
const H: usize = 360;

/// A small generator of repeatable noise.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// Soft blobs that drift to the right: what a moving camera sees.
fn drifting(at_ms: i64) -> Vec<u8> {
    let shift = at_ms as f64 * 0.2;
    (0..H)
        .flat_map(|y| {
            (0..W).map(move |x| {
                let wave = ((x as f64 - shift) * 0.05).sin() + (y as f64 * 0.04).cos();
                (128.0 + 50.0 * wave) as u8
            })
        })
        .collect()
}

fn still() -> Vec<u8> {
    drifting(0)
}

/// Strokes two pixels wide, as small letters have, white on a dark rim.
fn caption(plane: &mut [u8], left: usize, top: usize) {
    for letter in 0..6 {
        for y in 0..12 {
            for x in 0..6 {
                let ink = (x / 2 + usize::from(y > 5)) % 2 == 0;
                plane[(top + y) * W + left + letter * 8 + x] = if ink { 250 } else { 15 };
            }
        }
    }
}

fn grain(plane: &mut [u8], dice: &mut Dice, strength: u64) {
    for pixel in plane {
        let noise = dice.roll(2 * strength + 1) as i16 - strength as i16;
        *pixel = (i16::from(*pixel) + noise).clamp(0, 255) as u8;
    }
}

/// Offers a picture every 200 ms, and tells the beginnings of what was kept.
fn sample(fps: f64, until_ms: i64, mut show: impl FnMut(i64) -> (f64, Vec<u8>)) -> Vec<i64> {
    let mut sampler = Sampler::new(fps);
    let mut starts = Vec::new();
    for at_ms in (0..until_ms).step_by(200) {
        let (score, plane) = show(at_ms);
        if let Some(start) = sampler.offer(at_ms, score, Grid::new(&plane, W, H)) {
            assert!(start <= at_ms);
            assert!(
                starts.last().is_none_or(|last| *last < start),
                "{starts:?} {start}"
            );
            starts.push(start);
        }
    }
    starts
}

#[test]
fn a_still_picture_is_kept_every_ten_seconds() {
    let mut dice = Dice(1);
    let starts = sample(1.0, 25_000, |_| {
        let mut plane = still();
        grain(&mut plane, &mut dice, 6);
        (0.0, plane)
    });
    assert_eq!(starts, [0, 10_000, 20_000]);
}

#[test]
fn a_moving_scene_is_kept_as_often_as_asked() {
    for (fps, expected) in [(1.0, 20), (0.5, 10), (2.0, 34)] {
        let starts = sample(fps, 20_000, |at_ms| (0.0, drifting(at_ms)));
        assert!(
            starts.len().abs_diff(expected) <= 2,
            "{fps}: {}",
            starts.len()
        );
    }
}

#[test]
fn every_cut_is_kept_however_low_the_rate() {
    let starts = sample(0.1, 4000, |at_ms| {
        let shot = at_ms / 600;
        let mut plane = still();
        for pixel in &mut plane {
            *pixel = pixel.wrapping_add((shot * 70) as u8);
        }
        (
            if at_ms % 600 == 0 && at_ms > 0 {
                0.5
            } else {
                0.0
            },
            plane,
        )
    });
    assert_eq!(starts, [0, 600, 1200, 1800, 2400, 3000, 3600]);
}

#[test]
fn a_cut_that_scene_detection_missed_is_kept() {
    let starts = sample(0.1, 4000, |at_ms| {
        let mut plane = still();
        if at_ms >= 2000 {
            for pixel in &mut plane {
                *pixel = pixel.saturating_add(60);
            }
        }
        (0.0, plane)
    });
    assert_eq!(starts, [0, 2000]);
}

#[test]
fn a_caption_on_a_still_picture_has_its_beginning_and_end() {
    let starts = sample(1.0, 6000, |at_ms| {
        let mut plane = still();
        if (2000..2600).contains(&at_ms) {
            caption(&mut plane, 300, 320);
        }
        (0.0, plane)
    });
    assert!(
        starts.contains(&2000) && starts.contains(&2600),
        "{starts:?}"
    );
}

#[test]
fn captions_anywhere_and_at_any_time_are_found_over_moving_pictures() {
    let mut dice = Dice(99);
    for round in 0..24 {
        let (left, top) = (dice.roll(580) as usize, dice.roll(340) as usize);
        let begin = 1000 + dice.roll(4000) as i64;
        let end = begin + 500 + dice.roll(1500) as i64;
        let mut noise = Dice(round);
        let starts = sample(1.0, 8000, |at_ms| {
            let mut plane = drifting(at_ms);
            if (begin..end).contains(&at_ms) {
                caption(&mut plane, left, top);
            }
            grain(&mut plane, &mut noise, 5);
            (0.0, plane)
        });
        let near = |moment: i64| starts.iter().any(|s| (0..=300).contains(&(s - moment)));
        assert!(
            near(begin),
            "begins {begin}, ends {end}, at {left},{top}: {starts:?}"
        );
        assert!(
            near(end),
            "begins {begin}, ends {end}, at {left},{top}: {starts:?}"
        );
    }
}

#[test]
fn a_mark_that_pops_up_on_a_still_picture_is_kept_below_the_rate() {
    let starts = sample(0.1, 5000, |at_ms| {
        let mut plane = still();
        if at_ms >= 1400 {
            for y in 20..60 {
                plane[y * W + 30..y * W + 70].fill(240);
            }
        }
        (0.0, plane)
    });
    assert_eq!(starts, [0, 1400]);
}

#[test]
fn the_wildest_pictures_are_kept_three_times_a_second_at_most() {
    let mut dice = Dice(5);
    let starts = sample(1.0, 20_000, |_| {
        let mut plane = vec![128; W * H];
        grain(&mut plane, &mut dice, 120);
        (0.0, plane)
    });
    assert!(starts.len() <= 60, "{}", starts.len());
}

#[test]
fn endless_cuts_are_bounded_and_shots_of_half_a_second_still_kept() {
    let mut dice = Dice(6);
    let mut sampler = Sampler::new(1.0);
    let mut shot = || -> Vec<u8> {
        let mut plane = still();
        for block in plane.chunks_mut(W / 4) {
            let shade = dice.roll(200) as u8;
            block.fill(shade);
        }
        plane
    };
    // Half a minute with a cut at every frame, then half a minute of shots of half a second.
    let mut starts = Vec::new();
    for at_ms in (0..30_000).step_by(40) {
        starts.extend(sampler.offer(at_ms, 0.9, Grid::new(&shot(), W, H)));
    }
    assert!(starts.len() < 40 + 30 * 4, "{}", starts.len());
    for cut_ms in (30_000..60_000).step_by(500) {
        let plane = shot();
        let kept = [0, 200, 400].into_iter().filter_map(|after| {
            let score = if after == 0 { 0.9 } else { 0.0 };
            sampler.offer(cut_ms + after, score, Grid::new(&plane, W, H))
        });
        assert_eq!(kept.collect::<Vec<_>>(), [cut_ms]);
    }
    let hurried = sampler.finish(60_000);
    assert!(!hurried.is_empty() && hurried.iter().all(|span| span.end_ms <= 30_000));
}

#[test]
fn pictures_of_any_size_are_sampled() {
    for (width, height) in [(2, 2), (16, 1280), (1280, 18), (90, 1278), (1280, 720)] {
        let mut sampler = Sampler::new(1.0);
        let dark = Grid::new(&vec![0; width * height], width, height);
        let bright = Grid::new(&vec![255; width * height], width, height);
        assert_eq!(sampler.offer(0, 0.0, dark), Some(0));
        assert_eq!(sampler.offer(200, 0.9, bright), Some(200));
    }
}
