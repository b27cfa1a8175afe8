//! The whole chain on the database that `TEST_DATABASE` names, reached by `DATABASE_URL`.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::program::{Program, fixtures};

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_chain_runs_on_the_named_database() -> Result<()> {
    let clip = fixtures()?.join("piece.mp4");
    let (program, database) = (Program::new()?, shared_testing::empty_database().await);
    let mut checking = program.checking(&clip)?;
    let ended = checking.env("DATABASE_URL", &database.url).output()?;
    let told = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.code() == Some(1), "{:?}: {told}", ended.status);
    let report: Value = serde_json::from_slice(&ended.stdout)?;
    ensure!(report["total_triggers"].as_u64() >= Some(2), "{report}");
    ensure!(program.mails()?.len() == 1, "one mail is sent");
    let files = std::fs::read_dir(program.data().join("check"))?;
    let own = files
        .filter_map(|file| file.ok()?.file_name().into_string().ok())
        .filter(|name| name.contains("compliance.db"))
        .count();
    ensure!(own == 0, "the record is in the named database alone");
    Ok(())
}
