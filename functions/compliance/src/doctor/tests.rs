//! Each line, when it is right and when something is wrong.

mod bucket;
mod machine;
mod print;
mod services;
mod web;

use std::path::PathBuf;

use shared_domain::Lang;

use super::*;

/// An installation with these settings.
fn site(pairs: &[(&str, &str)]) -> Site {
    let owned = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    of(owned.collect())
}

fn of(settings: Settings) -> Site {
    let nowhere = PathBuf::from("/nowhere");
    Site::new(settings, Arc::new(SystemClock), nowhere)
}

/// The settings with others on top; what is empty is not set.
fn with(settings: &Settings, pairs: &[(&str, &str)]) -> Settings {
    let mut settings = settings.clone();
    for (name, value) in pairs {
        settings.set(name, *value);
    }
    settings
}

/// What a check says of the settings.
async fn found(check: Deploy, settings: Settings) -> Finding {
    check.check(&of(settings)).await
}

#[track_caller]
fn expect(finding: &Finding, state: State, says: &str) {
    let said = &finding.said;
    assert_eq!(finding.state, state, "{said:?}");
    assert!(said.en.contains(says), "{says:?} in {said:?}");
    assert!(!said.ru.is_empty() && !said.ru.contains('\n'), "{said:?}");
    assert!(!said.en.contains('\n'), "{said:?}");
    for text in [&said.ru, &said.en] {
        assert!(!text.contains("canary"), "a secret: {text}");
    }
}

fn line(name: &str, finding: Finding) -> Line {
    let name = name.to_owned();
    Line { name, finding }
}

#[test]
fn the_exit_code_is_the_worst_of_the_lines() {
    let ok = || line("a", Finding::ok("да", "yes"));
    let warn = || line("b", Finding::warn("да", "yes"));
    let fail = || line("c", Finding::fail("да", "yes"));
    let unknown = || line("d", Finding::not_checked("да", "yes"));
    assert_eq!(code(&[ok(), warn()]), 0);
    assert_eq!(code(&[ok(), unknown()]), 2);
    assert_eq!(code(&[unknown(), fail(), ok()]), 1);
}

#[tokio::test]
async fn lines_come_in_their_order_and_named_ones_alone() {
    let names = |lines: &[Line]| {
        let names = lines.iter().map(|line| line.name.as_str());
        names.collect::<Vec<_>>().join(" ")
    };
    let args = |names: &[Deploy]| Doctor {
        deploy: true,
        names: names.to_vec(),
        fix: false,
        json: false,
    };
    let bare = site(&[("PATH", "/nowhere")]);
    let (lines, _) = deployment(&bare, &args(&[])).await;
    assert_eq!(
        names(&lines),
        "debug-off secret-key allowed-hosts public-url database redis mail secrets-not-in-files \
         bucket bucket-private bucket-cors bucket-lifecycle bucket-notifications replicate clock \
         ffmpeg"
    );
    assert_eq!(code(&lines), 1);
    let (lines, _) = deployment(&bare, &args(&[Deploy::Redis, Deploy::DebugOff])).await;
    assert_eq!(
        (names(&lines).as_str(), code(&lines)),
        ("debug-off redis", 0)
    );
    let (lines, _) = deployment(&bare, &args(&[Deploy::Clock])).await;
    assert_eq!(code(&lines), 2, "nobody tells the time");
}

#[test]
fn every_sentence_is_picked_by_language() {
    let finding = Finding::ok("да", "yes");
    assert_eq!(finding.said.pick(Lang::Ru), "да");
    assert_eq!(finding.said.pick(Lang::En), "yes");
}
