//! Small scenes as they are said and shown, advertisements and what only looks like one.

use super::*;

/// Lines of `KIND: what is said | what is shown`.
const SCENES: &str = include_str!("corpus.txt");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Unmarked,
    Partly,
    Marked,
}

fn told(scene: &str) -> Told {
    let (spoken, written) = scene.split_once('|').unwrap_or((scene, ""));
    let mut detections = Vec::new();
    if !spoken.trim().is_empty() {
        detections.push(said(spoken.trim(), 1_000));
    }
    if !written.trim().is_empty() {
        detections.push(shown(written.trim(), 2_000));
    }
    let triggers = found(&detections);
    match triggers
        .first()
        .map(|trigger| trigger.description.en.as_str())
    {
        None => Told::Nothing,
        Some(text) if text.starts_with("Unmarked") => Told::Unmarked,
        Some(text) if text.starts_with("Marked") => Told::Marked,
        Some(_) => Told::Partly,
    }
}

#[test]
fn scenes_are_told_as_a_reader_would() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in SCENES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (kind, scene) = line.split_once(": ").unwrap();
        let expected = match kind {
            "nothing" => Told::Nothing,
            "unmarked" => Told::Unmarked,
            "partly" => Told::Partly,
            "marked" => Told::Marked,
            other => panic!("{other}"),
        };
        count += 1;
        let got = told(scene);
        if got != expected {
            wrong.push(format!("{got:?} instead of {line}"));
        }
    }
    assert!(count >= 60, "{count} scenes");
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
