use std::os::unix::fs::PermissionsExt;

use shared_testing::empty_database;

use super::*;

#[tokio::test]
async fn ffmpeg_is_there_and_runs() {
    expect(&found(Deploy::Ffmpeg, path()).await, State::Ok, "ffmpeg ");
    let nowhere = with(&path(), &[("FFPROBE_PATH", "/nowhere/ffprobe")]);
    let absent = found(Deploy::Ffmpeg, nowhere).await;
    expect(&absent, State::Fail, "set FFPROBE_PATH");
}

/// The machine's own programs.
#[expect(
    clippy::disallowed_methods,
    reason = "programs lie where the machine has them"
)]
fn path() -> Settings {
    let mut settings = Settings::default();
    settings.set("PATH", std::env::var("PATH").unwrap_or_default());
    settings
}

#[test]
fn ffmpeg_is_recent() {
    let judge = |version: Option<&str>| {
        let versions = vec![
            ("ffmpeg", Some("7.1".to_owned())),
            ("ffprobe", version.map(str::to_owned)),
        ];
        ffmpeg::recent(&versions)
    };
    for good in ["5.1.6-0+deb12u1", "n6.0", "8.0", "10.0.1"] {
        expect(&judge(Some(good)), State::Ok, good);
    }
    for old in ["4.4.2-0ubuntu0.22.04.1", "5.0", "n4.4"] {
        expect(&judge(Some(old)), State::Fail, "too old");
    }
    expect(
        &judge(Some("N-109542-g1bf1b2a")),
        State::Warn,
        "without a number",
    );
    expect(&judge(None), State::Warn, "does not tell");
}

/// A program that answers so.
fn program(name: &str, says: &str) -> (tempfile::TempDir, Settings) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, format!("#!/bin/sh\nprintf '{says}'\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut settings = Settings::default();
    settings.set("PATH", folder.path().to_string_lossy());
    (folder, settings)
}

#[tokio::test]
async fn tesseract_reads_both_languages_where_models_are_local() {
    let look = async |settings: Settings| Machine::Tesseract.check(&of(settings)).await;
    let (_folder, both) = program("tesseract", "List:\\neng\\nosd\\nrus\\n");
    expect(&look(both).await, State::Ok, "Russian and English");
    let (_folder, one) = program("tesseract", "List:\\neng\\n");
    expect(&look(one.clone()).await, State::Warn, "tesseract-ocr-rus");
    let none = with(&one, &[("PATH", "/nowhere")]);
    expect(&look(none.clone()).await, State::Warn, "was not found");
    let hosted = with(&none, &[("REPLICATE_API_TOKEN", "r8_canary")]);
    expect(&look(hosted).await, State::Ok, "not needed");
}

#[tokio::test]
async fn weights_are_there_where_models_are_local() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let look = async |pairs: &[(&str, &str)]| Machine::Models.check(&site(pairs)).await;
    expect(
        &look(&[("MODELS_DIR", dir)]).await,
        State::Fail,
        "models fetch",
    );
    let hosted = [("MODELS_DIR", dir), ("REPLICATE_API_TOKEN", "r8_canary")];
    expect(&look(&hosted).await, State::Ok, "not needed");

    let manifest = inference::weights::Manifest::default_set();
    let all = manifest.all().flat_map(|weight| weight.stored);
    for (count, stored) in all.enumerate() {
        let file = folder.path().join(stored.path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let file = std::fs::File::create(file).unwrap();
        // Sparse: the quick look compares sizes.
        file.set_len(stored.bytes).unwrap();
        if count == 0 {
            expect(
                &look(&[("MODELS_DIR", dir)]).await,
                State::Warn,
                "tasks are not run",
            );
        }
    }
    expect(&look(&[("MODELS_DIR", dir)]).await, State::Ok, "are there");
}

#[tokio::test]
async fn the_data_folder_can_be_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let look = async |dir: &std::path::Path| {
        let dir = dir.to_str().unwrap();
        Machine::DataFolder.check(&site(&[("DATA_DIR", dir)])).await
    };
    expect(&look(folder.path()).await, State::Ok, "can be written");
    let new = folder.path().join("a/b");
    expect(&look(&new).await, State::Ok, "the first start makes");
    assert!(!new.exists(), "looking makes nothing");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    expect(
        &look(&file.join("data")).await,
        State::Fail,
        "cannot be written",
    );
}

#[tokio::test]
async fn the_database_of_this_machine_opens() {
    let look = async |url: &str| {
        Machine::Database
            .check(&site(&[("DATABASE_URL", url)]))
            .await
    };
    let database = shared_testing::database().await;
    expect(
        &look(&database.url).await,
        State::Ok,
        "this version's schema",
    );
    let folder = tempfile::tempdir().unwrap();
    let none = format!("sqlite://{}/none.db", folder.path().display());
    expect(&look(&none).await, State::Ok, "the first start makes it");
    assert!(!folder.path().join("none.db").exists());
    let empty = empty_database().await;
    let finding = look(&empty.url).await;
    let state = if empty.is_postgres() {
        State::Fail
    } else {
        State::Ok
    };
    assert_eq!(finding.state, state, "{finding:?}");
    let damaged = folder.path().join("damaged.db");
    std::fs::write(&damaged, "no database ".repeat(1000)).unwrap();
    let damaged = look(&format!("sqlite://{}", damaged.display())).await;
    expect(&damaged, State::Fail, "refused");
    expect(&look("mysql://db").await, State::Fail, "DATABASE_URL");
}

#[tokio::test]
async fn there_is_room_on_the_disk() {
    expect(
        &crate::doctor::machine::room(9 << 30),
        State::Ok,
        "9216 MiB",
    );
    expect(
        &crate::doctor::machine::room(2 << 30),
        State::Warn,
        "make room",
    );
    expect(
        &crate::doctor::machine::room(1 << 20),
        State::Fail,
        "make room",
    );
    let folder = tempfile::tempdir().unwrap();
    let here = [("DATA_DIR", folder.path().to_str().unwrap())];
    let finding = Machine::Disk.check(&site(&here)).await;
    assert!(finding.said.en.contains("MiB"), "{finding:?}");
}
