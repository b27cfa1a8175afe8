#![expect(
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    reason = "small numbers of a test"
)]

use std::time::{Duration, Instant};

use shared_domain::Likeness;

use super::align::{Both, Stretch, align};
use super::track::{Kind, Track};

mod film;
mod findings;

use film::{Dice, Film, Part};

const FRAME_MS: i64 = 40;

fn track(items: &[Likeness], end_ms: i64) -> Track<'_> {
    Track {
        items,
        end_ms,
        kind: Kind::Pictures,
    }
}

fn aligned(old: &Film, new: &Film) -> Vec<Stretch> {
    let (a, b) = (old.shown(0), new.shown(2));
    silent((track(&a, old.length_ms()), track(&b, new.length_ms())))
}

/// What two versions share in which nothing is said.
fn silent(pictures: Both<'_>) -> Vec<Stretch> {
    align(pictures, (words(&[]), words(&[])))
}

fn words(items: &[Likeness]) -> Track<'_> {
    Track {
        items,
        end_ms: 3_600_000,
        kind: Kind::Words,
    }
}

/// Where a time of the old version is in the new one.
fn mapped(stretches: &[Stretch], at_ms: i64) -> Option<i64> {
    let found = stretches
        .iter()
        .find(|s| (s.old_ms..s.old_ms + s.length_ms).contains(&at_ms));
    found.map(|stretch| at_ms + stretch.shift_ms())
}

fn assert_near(found: i64, expected: i64, within_ms: i64, stretches: &[Stretch]) {
    assert!(
        (found - expected).abs() <= within_ms,
        "{found} is not {expected}: {stretches:#?}"
    );
}

/// Thirty shots of two to eight seconds.
fn film() -> Film {
    Film::random(&mut Dice(7), 30)
}

#[test]
fn a_video_is_itself_from_end_to_end() {
    let film = film();
    let found = aligned(&film, &film);
    assert_eq!(found.len(), 1, "{found:#?}");
    let only = found[0];
    assert_eq!((only.old_ms, only.shift_ms()), (0, 0));
    assert_eq!(only.length_ms, film.length_ms());
    assert!(only.sure > 0.9, "{only:?}");
}

#[test]
fn frames_cut_off_the_beginning_are_a_shift_to_the_frame() {
    let film = film();
    for frames in [1, 3, 7, 26, 111, 613] {
        let cut_ms = frames * FRAME_MS;
        let found = aligned(&film, &film.without(0, cut_ms));
        assert_eq!(found.len(), 1, "{frames}: {found:#?}");
        assert_eq!(found[0].shift_ms(), -cut_ms, "{frames}: {found:#?}");
        assert_near(found[0].old_ms, cut_ms, FRAME_MS, &found);
    }
}

#[test]
fn a_cut_in_the_middle_is_two_stretches_that_meet() {
    let film = film();
    let (from, to) = (41 * FRAME_MS * 25, 41 * FRAME_MS * 25 + 137 * FRAME_MS);
    let found = aligned(&film, &film.without(from, to));
    assert_eq!(found.len(), 2, "{found:#?}");
    assert_eq!(found[0].shift_ms(), 0);
    assert_eq!(found[1].shift_ms(), from - to);
    assert_near(found[0].old_ms + found[0].length_ms, from, 100, &found);
    assert_near(found[1].old_ms, to, 100, &found);
}

#[test]
fn a_scene_that_changed_places_is_found_where_it_is_now() {
    let film = film();
    let (from, to) = (20_000, 32_000);
    let moved = film.without(from, to).with(60_000, film.parts_of(from, to));
    let found = aligned(&film, &moved);
    assert_eq!(mapped(&found, 26_000), Some(26_000 + 40_000), "{found:#?}");
    assert_eq!(mapped(&found, 10_000), Some(10_000), "{found:#?}");
    assert_eq!(mapped(&found, 50_000), Some(50_000 - 12_000), "{found:#?}");
}

#[test]
fn other_videos_share_nothing() {
    let found = aligned(&film(), &Film::random(&mut Dice(99), 30));
    assert_eq!(found, []);
    assert_eq!(aligned(&film(), &Film::default()), []);
    assert_eq!(aligned(&Film::default(), &Film::default()), []);
}

#[test]
fn a_picture_that_stands_all_the_time_is_as_long_as_the_shorter_version() {
    let still = |length_ms| Film::of(vec![Part::still(5, length_ms)]);
    let found = aligned(&still(60_000), &still(48_000));
    let common: i64 = found.iter().map(|stretch| stretch.length_ms).sum();
    assert_near(common, 48_000, 200, &found);
}

#[test]
fn a_scene_without_a_cut_in_it_is_placed_within_a_tenth_of_a_second() {
    let long = Film::of(vec![Part::moving(3, 0, 40_000)]);
    for frames in [1, 2, 3, 4, 13, 201] {
        let cut_ms = frames * FRAME_MS;
        let found = aligned(&long, &long.without(0, cut_ms));
        assert_eq!(found.len(), 1, "{frames}: {found:#?}");
        assert_near(found[0].shift_ms(), -cut_ms, found[0].within_ms, &found);
    }
}

#[test]
fn what_is_said_places_a_scene_without_a_cut_more_closely() {
    let long = Film::of(vec![Part::moving(3, 0, 60_000)]);
    let mut dice = Dice(5);
    let mut said = |cut_ms: i64| -> Vec<Likeness> {
        let word = |n: i64| Likeness {
            at_ms: 400 * n - cut_ms + dice.roll(120) as i64 - 60,
            bits: Dice(n as u64).draw(),
            opens: false,
        };
        let words: Vec<Likeness> = (1..149).map(word).collect();
        words.into_iter().filter(|word| word.at_ms >= 0).collect()
    };
    for frames in [1, 2, 3, 4, 201] {
        let cut_ms = frames * FRAME_MS;
        let cut = long.without(0, cut_ms);
        let (a, b) = (long.shown(0), cut.shown(2));
        let pictures = (track(&a, 60_000), track(&b, 60_000 - cut_ms));
        let (then, now) = (said(0), said(cut_ms));
        let found = align(pictures, (words(&then), words(&now)));
        assert_eq!(found.len(), 1, "{frames}: {found:#?}");
        assert_near(found[0].shift_ms(), -cut_ms, FRAME_MS / 2, &found);
    }
}

/// Random edits; what was kept is found where it is now, and what was cut out is found nowhere.
#[test]
fn whatever_is_cut_out_and_put_in_the_rest_is_found() {
    for seed in 0..40 {
        let mut dice = Dice(seed);
        let old = Film::random(&mut dice, 40);
        let mut new = old.clone();
        for round in 0..4 {
            let frames = new.length_ms() / FRAME_MS - 300;
            let at_ms = dice.roll(frames as u64) as i64 * FRAME_MS;
            let length_ms = (dice.roll(250) as i64 + 5) * FRAME_MS;
            new = match round % 2 {
                0 => new.without(at_ms, at_ms + length_ms),
                _ => new.with(
                    at_ms,
                    vec![Part::moving(10_000 + dice.roll(1_000), 0, length_ms)],
                ),
            };
        }
        let found = aligned(&old, &new);
        let (mut right, mut exact, mut all) = (0, 0, 0);
        for at_ms in (0..old.length_ms()).step_by(500) {
            let place = old.place(at_ms);
            let now_ms = new.find(place);
            match (mapped(&found, at_ms), now_ms) {
                (Some(found_ms), Some(now_ms)) => {
                    // Around a cut that is shorter, a slow scene fits from either side.
                    assert_near(found_ms, now_ms, 420, &found);
                    right += 1;
                    exact += usize::from((found_ms - now_ms).abs() <= FRAME_MS / 2);
                }
                // The ends of a stretch are known to a picture.
                (Some(_), None) => {
                    let near = [-240, 240].map(|by| new.find(old.place(at_ms + by)));
                    assert!(
                        near.iter().any(Option::is_some),
                        "{seed}: {at_ms}: {found:#?}"
                    );
                }
                (None, _) => {}
            }
            all += usize::from(now_ms.is_some());
        }
        assert!(
            right * 100 >= all * 97,
            "{seed}: {right} of {all}: {found:#?}"
        );
        assert!(
            exact * 100 >= all * 90,
            "{seed}: {exact} of {all}: {found:#?}"
        );
    }
}

#[test]
fn swapping_the_versions_swaps_the_answer() {
    for seed in 0..10 {
        let mut dice = Dice(100 + seed);
        let old = Film::random(&mut dice, 20);
        let at_ms = dice.roll(1_000) as i64 * FRAME_MS;
        let new = old
            .without(at_ms, at_ms + 5_000)
            .with(30_000, vec![Part::moving(77, 0, 3_000)]);
        let (a, b) = (old.shown(1), new.shown(2));
        let [a, b] = [track(&a, old.length_ms()), track(&b, new.length_ms())];
        let turn = |stretch: &Stretch| Stretch {
            old_ms: stretch.new_ms,
            new_ms: stretch.old_ms,
            ..*stretch
        };
        let mut turned: Vec<Stretch> = silent((b, a)).iter().map(turn).collect();
        turned.sort_by_key(|stretch| (stretch.old_ms, stretch.new_ms));
        assert_eq!(silent((a, b)), turned, "{seed}");
    }
}

#[test]
fn hours_with_a_hundred_cuts_are_laid_side_by_side_in_seconds() {
    let old = Film::random(&mut Dice(1), 1_000);
    assert!(old.length_ms() > 3_600_000);
    let mut new = old.clone();
    for cut in 0..100 {
        let at_ms = (99 - cut) * 40_000;
        new = new.without(at_ms, at_ms + 2_000);
    }
    let started = Instant::now();
    let found = aligned(&old, &new);
    let took = started.elapsed();
    assert!(took < Duration::from_secs(20), "{took:?}");
    let right = (0..3_600_000_i64)
        .step_by(1_000)
        .filter(|at_ms| mapped(&found, *at_ms) == new.find(old.place(*at_ms)));
    assert!(right.count() >= 3_400, "{found:#?}");
}

/// Nothing but noise, loops and black: whatever comes out, it comes out soon.
#[test]
fn what_looks_the_same_everywhere_takes_no_longer() {
    let loops = |period: i64| -> Vec<Likeness> {
        let item = |n: i64| Likeness {
            at_ms: n * 200,
            bits: Dice((n % period) as u64).draw(),
            opens: n % period == 0,
        };
        (0..18_000).map(item).collect()
    };
    let started = Instant::now();
    for (one, other) in [
        (1, 1),
        (7, 7),
        (300, 300),
        (2_000, 2_000),
        (2_250, 2_250),
        (5, 6),
    ] {
        let (a, b) = (loops(one), loops(other));
        silent((track(&a, 3_600_000), track(&b, 3_600_000)));
    }
    let took = started.elapsed();
    assert!(took < Duration::from_mins(1), "{took:?}");
}

#[test]
fn stretches_lie_in_both_versions_and_hardly_overlap_whatever_comes() {
    for seed in 0..60 {
        let mut dice = Dice(seed);
        let kinds = 1 + dice.roll(40);
        let mut noted = |count: u64| -> Vec<Likeness> {
            let item = |_| Likeness {
                at_ms: dice.roll(60_000) as i64,
                bits: Dice(dice.roll(kinds)).draw() & Dice(dice.roll(3)).draw(),
                opens: dice.roll(5) == 0,
            };
            let mut items: Vec<Likeness> = (0..count).map(item).collect();
            items.sort_unstable();
            items
        };
        let (a, b) = (noted(300), noted(200));
        let found = silent((track(&a, 60_000), track(&b, 60_000)));
        let mut sides = [Vec::new(), Vec::new()];
        for stretch in &found {
            assert!(
                stretch.length_ms > 0 && (0.0..=1.0).contains(&stretch.sure),
                "{stretch:?}"
            );
            sides[0].push((stretch.old_ms, stretch.length_ms));
            sides[1].push((stretch.new_ms, stretch.length_ms));
        }
        for mut side in sides {
            side.sort_unstable();
            for two in side.windows(2) {
                let overlap_ms = two[0].0 + two[0].1 - two[1].0;
                assert!(overlap_ms <= 300, "{seed}: {side:?}");
            }
            for (start_ms, length_ms) in side {
                assert!(
                    start_ms >= -300 && start_ms + length_ms <= 60_300,
                    "{seed}: {start_ms}"
                );
            }
        }
    }
}
