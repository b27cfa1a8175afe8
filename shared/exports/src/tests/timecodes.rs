//! Timecodes against a clock that is advanced frame by frame, which knows one rule and no arithmetic.

use crate::{FrameRate, Timecode, Timeline};

use super::video;

/// Numerator, denominator, drop-frame.
pub(super) const RATES: [(u32, u32, bool); 11] = [
    (24_000, 1001, false),
    (24, 1, false),
    (25, 1, false),
    (30_000, 1001, true),
    (30_000, 1001, false),
    (30, 1, false),
    (50, 1, false),
    (60_000, 1001, true),
    (60_000, 1001, false),
    (60, 1, false),
    (120_000, 1001, true),
];

/// Hours, minutes, seconds, frames.
pub(super) struct Clock {
    pub(super) digits: [u64; 4],
    per_second: u64,
    dropped: u64,
}

impl Clock {
    pub(super) fn new(per_second: u64, drop: bool) -> Self {
        let dropped = match (drop, per_second) {
            (false, _) => 0,
            (true, 30) => 2,
            (true, 60) => 4,
            (true, _) => 8,
        };
        Self {
            digits: [0; 4],
            per_second,
            dropped,
        }
    }

    /// One frame later; the first numbers of a minute that is no multiple of ten do not exist.
    pub(super) fn tick(&mut self) {
        let most = [24, 60, 60, self.per_second];
        for place in (0..4).rev() {
            self.digits[place] += 1;
            if self.digits[place] < most[place] {
                break;
            }
            self.digits[place] = 0;
        }
        let [_, minutes, seconds, frames] = self.digits;
        if minutes % 10 != 0 && seconds == 0 && frames == 0 {
            self.digits[3] = self.dropped;
        }
    }

    pub(super) fn shows(&self) -> String {
        let [hours, minutes, seconds, frames] = self.digits;
        let mark = if self.dropped > 0 { ';' } else { ':' };
        let wide = if self.per_second > 100 { 3 } else { 2 };
        format!("{hours:02}:{minutes:02}:{seconds:02}{mark}{frames:0wide$}")
    }
}

fn rate(numerator: u32, denominator: u32) -> FrameRate {
    FrameRate::new(numerator, denominator).unwrap()
}

#[test]
fn every_frame_of_a_day_has_the_number_that_a_clock_shows() {
    for (numerator, denominator, drop) in RATES {
        let rate = rate(numerator, denominator);
        let zero = if drop { "00:00:00;00" } else { "00:00:00:00" };
        let start = Timecode::parse(zero, rate).unwrap();
        let mut clock = Clock::new(u64::from(rate.nominal()), drop);
        let mut frame = 0;
        // To compare each of ten million takes long: those around a minute, where it can go wrong, and one of
        // each second.
        loop {
            let [_, _, seconds, frames] = clock.digits;
            if seconds == 59 || seconds == 0 || frames == 0 {
                let shown = start.plus(frame).to_string();
                assert_eq!(shown, clock.shows(), "{numerator}/{denominator}: {frame}");
                let read = Timecode::parse(&shown, rate).unwrap();
                assert_eq!(read.frame(), frame, "{shown}");
            }
            clock.tick();
            frame += 1;
            if clock.digits == [0; 4] {
                break;
            }
        }
        let midnight = start.plus(frame).to_string();
        assert_eq!(midnight, clock.shows(), "midnight begins anew");
    }
}

#[test]
fn a_start_and_so_many_frames_are_as_many_ticks() {
    for (numerator, denominator, drop) in RATES {
        let rate = rate(numerator, denominator);
        let text = if drop { "09:59:58;10" } else { "09:59:58:10" };
        let start = Timecode::parse(text, rate).unwrap();
        let mut clock = Clock::new(u64::from(rate.nominal()), drop);
        clock.digits = [9, 59, 58, 10];
        for frame in 0..20_000 {
            assert_eq!(start.plus(frame).to_string(), clock.shows());
            clock.tick();
        }
    }
}

#[test]
fn numbers_that_do_not_exist_are_no_timecodes() {
    let drop = rate(30_000, 1001);
    for wrong in [
        "00:01:00;00",
        "00:01:00;01",
        "00:59:00;01",
        "24:00:00:00",
        "00:60:00:00",
        "00:00:60:00",
        "00:00:00:30",
        "00:00:00",
        "",
        ":::",
        "00:00:00:0x",
        "-1:00:00:00",
        "00:00:00:00:00",
        "٠٠:00:00:00",
        "00000000000000000000:00:00:00",
    ] {
        assert_eq!(Timecode::parse(wrong, drop), None, "{wrong:?}");
    }
    for right in [
        "00:10:00;00",
        "00:01:00;02",
        "00:01:00:00",
        "23:59:59;29",
        "00:10:00.00",
    ] {
        assert!(Timecode::parse(right, drop).is_some(), "{right:?}");
    }
    // Frames are dropped at 29.97 and its multiples only.
    for (numerator, denominator) in [(25, 1), (24_000, 1001), (30, 1)] {
        let read = Timecode::parse("01:00:00;00", rate(numerator, denominator)).unwrap();
        assert_eq!(read.to_string(), "01:00:00:00");
    }
}

#[test]
fn a_rounded_rate_is_the_rate_that_was_meant() {
    let exact = |numerator, denominator| {
        let rate = rate(numerator, denominator);
        (rate.numerator(), rate.denominator())
    };
    assert_eq!(exact(23_976, 1000), (24_000, 1001));
    assert_eq!(exact(2997, 125), (24_000, 1001));
    assert_eq!(exact(2997, 100), (30_000, 1001));
    assert_eq!(exact(5994, 100), (60_000, 1001));
    assert_eq!(exact(24_000, 1000), (24, 1));
    assert_eq!(exact(30_000, 1001), (30_000, 1001));
    assert_eq!(exact(50, 2), (25, 1));
    assert_eq!(exact(2833, 100), (2833, 100), "a varying rate is itself");
    assert_eq!(exact(1, 1), (1, 1));
    for (numerator, denominator) in [(0, 1), (1, 0), (90_000, 1)] {
        assert_eq!(FrameRate::new(numerator, denominator), None);
    }
}

#[test]
fn a_report_without_the_new_facts_has_its_decimal_rate() {
    let mut old = video((24_000, 1001), "01:00:00:00");
    old.frame_rate = None;
    old.start_timecode = None;
    old.fps = 23.976_023_976;
    let timeline = Timeline::of(&old);
    assert_eq!(
        (timeline.rate.numerator(), timeline.rate.denominator()),
        (24_000, 1001)
    );
    assert_eq!(timeline.timecode(24).to_string(), "00:00:01:00");
    old.fps = 0.0;
    assert_eq!(Timeline::of(&old).rate.nominal(), 25);
}

#[test]
fn the_millisecond_of_a_frame_leads_back_to_it() {
    for (numerator, denominator, drop) in RATES {
        let start = if drop { "01:00:00;02" } else { "01:00:00:02" };
        let timeline = Timeline::of(&video((numerator, denominator), start));
        for frame in 0..(timeline.length.min(100_000)) {
            // Every way of rounding that a program may have.
            let exact = u128::from(frame) * 1000 * u128::from(denominator);
            let below = i64::try_from(exact / u128::from(numerator)).unwrap();
            let half = u128::from(numerator) / 2;
            let nearest = i64::try_from((exact + half) / u128::from(numerator)).unwrap();
            assert_eq!(
                timeline.frame_at(nearest),
                frame,
                "{numerator}: {nearest} ms"
            );
            assert_eq!(
                timeline.frame_behind(nearest),
                frame,
                "{numerator}: {nearest} ms"
            );
            assert!(frame - timeline.frame_at(below) <= 1);
        }
        assert_eq!(timeline.frame_at(-40), 0, "sound before the first picture");
        assert_eq!(timeline.frame_at(i64::MAX / 4), timeline.length - 1);
        assert_eq!(timeline.frame_behind(i64::MAX / 4), timeline.length);
    }
}
