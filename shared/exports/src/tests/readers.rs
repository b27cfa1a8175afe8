//! Every file is opened with other people's readers, at every usual rate.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use shared_domain::{Lang, Task};

use super::timecodes::{Clock, RATES};
use super::{bytes, report, seen, video};
use crate::{Format, FrameRate, Timecode};

/// First frame and length of what is found: near the drops, and far enough apart.
const PLANTED: [(u64, u64); 5] = [(7, 1), (1_200, 2), (1_799, 3), (17_982, 100), (26_000, 48)];

/// Where `infra/scripts/setup-test.sh` puts the readers.
pub(super) fn readers() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let folder = cache.or(home).expect("HOME is set");
    let folder = folder.join("compliance").join("export-readers-1");
    assert!(
        folder.exists(),
        "{} is missing: ./justw setup-test",
        folder.display()
    );
    folder
}

/// When a frame is shown, to the nearest millisecond.
fn ms(frame: u64, (numerator, denominator): (u32, u32)) -> i64 {
    let (above, below) = (u64::from(denominator), u64::from(numerator));
    i64::try_from((frame * 1000 * above + below / 2) / below).unwrap()
}

/// What the clock shows so many frames after the start.
fn ticked(start: [u64; 4], (rate, drop): (FrameRate, bool), frames: u64) -> String {
    let mut clock = Clock::new(u64::from(rate.nominal()), drop);
    clock.digits = start;
    for _ in 0..frames {
        clock.tick();
    }
    clock.shows()
}

fn write(folder: &Path, (numerator, denominator, drop): (u32, u32, bool)) {
    let fraction = (numerator, denominator);
    let rate = FrameRate::new(numerator, denominator).unwrap();
    let (start, text) = (
        [9, 58, 57, 12],
        if drop { "09:58:57;12" } else { "09:58:57:12" },
    );
    let found = PLANTED.map(|(first, length)| {
        let span = (ms(first, fraction), ms(first + length, fraction));
        seen(Task::Nudity, "nsfw", span)
    });
    let report = report(video(fraction, text), &found);
    assert_eq!(report.risks.len(), PLANTED.len());
    let markers = PLANTED
        .iter()
        .zip(&report.risks)
        .map(|((first, length), risk)| {
            json!({
                "first": first,
                "length": length,
                "timecode": ticked(start, (rate, drop), *first),
                "start_ms": ms(*first, fraction),
                "name": risk.description.ru,
            })
        });
    let expected = json!({
        "rate": [numerator, denominator],
        "drop": drop,
        "start_frame": Timecode::parse(text, rate).unwrap().frame(),
        "markers": markers.collect::<Vec<_>>(),
    });
    std::fs::write(folder.join("expected.json"), expected.to_string()).unwrap();
    for format in Format::ALL {
        let path = folder.join(format!("report.{}", format.extension));
        std::fs::write(path, bytes(&report, format.name, Lang::Ru)).unwrap();
    }
}

#[test]
fn other_readers_find_every_marker_on_its_frame() {
    let folder = tempfile::tempdir().unwrap();
    let mut cases = Vec::new();
    // Timecodes above 100 frames a second have three digits, which these readers do not know.
    for case in RATES
        .into_iter()
        .filter(|(numerator, ..)| *numerator < 100_000)
    {
        let (numerator, denominator, drop) = case;
        let counting = if drop { "df" } else { "ndf" };
        let place = folder
            .path()
            .join(format!("{numerator}-{denominator}-{counting}"));
        std::fs::create_dir(&place).unwrap();
        write(&place, case);
        cases.push(place);
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/readers.py");
    let output = Command::new("python3")
        .args(["-W", "ignore", script])
        .args(&cases)
        .env("PYTHONPATH", readers())
        .output()
        .expect("python3 is needed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
