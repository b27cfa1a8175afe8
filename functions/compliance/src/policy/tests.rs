use std::path::PathBuf;

use shared_domain::Lang;
use shared_testing::{TestDatabase, database};
use tempfile::TempDir;
use time::macros::date;

use super::*;

const OWN: &str = "pack: 1
id: studio
version: '1'
extends: general
effective: { from: 2026-06-01 }
title: { ru: Студия, en: Studio }
without: [brand-speech, brand-text, brand-object]
";

fn known() -> Known {
    let dictionaries = Dictionaries::built_in().unwrap();
    Known {
        packs: Packs::built_in(|name| dictionaries.find(name).is_some()).unwrap(),
        dictionaries,
        today: date!(2026 - 07 - 01),
    }
}

async fn store() -> (Store, TestDatabase) {
    let database = database().await;
    (database.store().await, database)
}

/// How many rules there are: those of the general pack but for the three of brands.
fn rules() -> usize {
    let known = known();
    let general = known.packs.in_force("general", known.today).unwrap();
    general.rules.len() - 3
}

fn written(folder: &TempDir, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join("mine.yaml");
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_good_file_is_told_as_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder, OWN);
    let told = file::check(&known(), &path).unwrap();
    assert_eq!(told.complaint, None);
    let end = format!("studio 1, {} rules, on top of general", rules());
    assert!(told.out.ends_with(&end), "{}", told.out);
}

#[test]
fn a_bad_file_is_refused_with_line_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    let endless = format!("{OWN}#{}", "x".repeat(3 << 20));
    let cases: [(Vec<u8>, &str); 6] = [
        (
            OWN.replace("2026-06-01", "soon").into(),
            "mine.yaml:5: `soon` is not a date",
        ),
        (
            OWN.replace("extends: general", "extends: studio").into(),
            "mine.yaml:4: `studio` cannot extend itself",
        ),
        (
            OWN.replace("extends: general", "extends: nobody").into(),
            "mine.yaml:4: unknown pack `nobody`; there are general",
        ),
        (endless.into(), "mine.yaml: the file is larger than"),
        (
            b"pack: 1\nid: \xff\n".to_vec(),
            "mine.yaml:2: this is no UTF-8",
        ),
        (Vec::new(), "mine.yaml"),
    ];
    for (bytes, expected) in cases {
        let path = written(&folder, bytes);
        let complaint = file::check(&known(), &path).unwrap().complaint.unwrap();
        assert!(complaint.contains(expected), "{expected}: {complaint}");
    }
    assert!(file::check(&known(), &folder.path().join("none.yaml")).is_err());
}

#[tokio::test]
async fn an_added_pack_is_kept_and_a_bad_one_leaves_it_in_force() {
    let (store, _database) = store().await;
    let folder = tempfile::tempdir().unwrap();
    let mut known = known();
    let told = file::add(&known, &store, &written(&folder, OWN)).await;
    assert_eq!(told.unwrap(), Told::out("studio 1 is added"));
    let again = file::add(&known, &store, &written(&folder, OWN)).await;
    let complaint = again.unwrap().complaint.unwrap();
    assert!(complaint.contains("needs a new version"), "{complaint}");

    let broken = OWN.replace("without: [", "without: [no-such-rule, ");
    let broken = broken.replace("version: '1'", "version: '2'");
    let told = file::add(&known, &store, &written(&folder, broken)).await;
    let complaint = told.unwrap().complaint.unwrap();
    assert!(
        complaint.contains("mine.yaml:7: no inherited"),
        "{complaint}"
    );

    let kept = store.added_packs().await.unwrap();
    assert_eq!((kept.len(), kept[0].version.as_str()), (1, "1"));
    known.packs.add(&kept[0].body, |_| true).unwrap();
    let judging = known.packs.in_force("studio", known.today).unwrap();
    assert_eq!(judging.version, "1");
}

#[tokio::test]
async fn a_project_is_given_a_pack_that_is_in_force() {
    let (store, _database) = store().await;
    let known = known();
    let wrong = using(&known, &store, "strict", store.fresh()).await;
    assert!(wrong.unwrap_err().to_string().contains("policy list"));
    let stranger = using(&known, &store, "ru-436-fz", store.fresh()).await;
    assert!(
        stranger
            .unwrap_err()
            .to_string()
            .contains("no such project")
    );
}

#[test]
fn the_list_marks_what_judges_today() {
    let mut known = known();
    known.packs.add(OWN, |_| true).unwrap();
    let later = OWN
        .replace("version: '1'", "version: '2'")
        .replace("2026-06-01", "2026-12-01");
    known.packs.add(&later, |_| true).unwrap();
    let listed = list::list(&known.packs, known.today, Lang::En);
    let line = |start: &[&str]| {
        listed.lines().any(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.starts_with(start)
        })
    };
    let count = rules().to_string();
    let studio = ["*", "studio", "1", "2026-06-01", "-", &count, "Studio"];
    assert!(line(&studio), "{listed}");
    assert!(line(&["studio", "2", "2026-12-01"]), "{listed}");
    assert!(line(&["*", "ru-436-fz", "1.0.0"]), "{listed}");
}
