//! Several versions beside each other, and which of them judges.

use time::macros::date;

use super::*;

fn with(packs: &mut Packs, version: &str, effective: &str) -> Result<(), PackError> {
    let yaml = GOOD
        .replace("version: '2'", &format!("version: '{version}'"))
        .replace("{ from: 2026-03-01, until: 2026-12-31 }", effective);
    packs.add(&yaml, |name| lists().find(name).is_some())
}

fn versions() -> Packs {
    let mut packs = Packs::built_in(|name| lists().find(name).is_some()).unwrap();
    with(&mut packs, "1", "{ until: 2026-02-28 }").unwrap();
    with(&mut packs, "2", "{ from: 2026-03-01, until: 2026-12-31 }").unwrap();
    with(&mut packs, "3", "{ from: 2026-05-01, until: 2026-05-31 }").unwrap();
    packs
}

#[test]
fn the_version_in_force_is_the_one_that_began_last() {
    let packs = versions();
    let judging = |day| {
        packs
            .in_force("mine", day)
            .map(|pack| pack.version.as_str())
    };
    assert_eq!(judging(date!(2020 - 01 - 01)), Some("1"));
    assert_eq!(judging(date!(2026 - 02 - 28)), Some("1"));
    assert_eq!(judging(date!(2026 - 03 - 01)), Some("2"));
    assert_eq!(judging(date!(2026 - 05 - 15)), Some("3"));
    assert_eq!(judging(date!(2026 - 06 - 01)), Some("2"));
    assert_eq!(judging(date!(2027 - 01 - 01)), None);
    assert_eq!(packs.in_force("nobody", date!(2026 - 05 - 15)), None);
}

#[test]
fn of_two_that_begin_together_the_later_added_judges() {
    let mut packs = versions();
    with(&mut packs, "2b", "{ from: 2026-03-01, until: 2026-12-31 }").unwrap();
    let judging = packs.in_force("mine", date!(2026 - 04 - 01)).unwrap();
    assert_eq!(judging.version, "2b");
}

#[test]
fn a_version_is_there_once_and_a_refused_pack_changes_nothing() {
    let mut packs = versions();
    let count = packs.all().len();
    let again = with(&mut packs, "2", "{ from: 2026-04-01 }").unwrap_err();
    assert!(again.reason.contains("needs a new version"), "{again}");
    let broken = with(&mut packs, "4", "{ from: someday }").unwrap_err();
    assert_eq!(broken.line, 4);
    assert_eq!(packs.all().len(), count);
    let judging = packs.in_force("mine", date!(2026 - 04 - 01)).unwrap();
    assert_eq!(judging.version, "2");
}

#[test]
fn the_ban_on_promoting_drugs_holds_from_its_first_day() {
    let packs = versions();
    let id = "ru-drugs-2026";
    assert!(packs.in_force(id, date!(2026 - 02 - 28)).is_none());
    assert!(packs.in_force(id, date!(2026 - 03 - 01)).is_some());
}
