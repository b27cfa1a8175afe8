//! The page, used by a real browser: sign in, upload, follow, read. The record is in the database
//! that `TEST_DATABASE` names, so that the whole chain runs on each engine.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::program::{Program, fixtures};
use crate::tree::root;

/// Killed with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_is_uploaded_through_the_page_and_its_report_is_read() -> Result<()> {
    let (program, database) = (Program::new()?, shared_testing::empty_database().await);
    // Most of the world's files are not named in ASCII.
    let clip = program.out().join("Мой отпуск №1 (копия).mp4");
    std::fs::create_dir_all(program.out())?;
    std::fs::copy(fixtures()?.join("labelled.mp4"), &clip)?;
    let mut command = program.command(&["serve", "--port", "0"])?;
    command.env("DATABASE_URL", &database.url);
    let mut server = Server(command.stderr(std::process::Stdio::inherit()).spawn()?);
    let stdout = server.0.stdout.take().context("no standard output")?;
    let mut lines = BufReader::new(stdout).lines();
    let ready = lines.next().context("the server said nothing")??;
    let address = ready.rsplit(' ').next().context("no address")?.to_owned();
    let login = lines.next().context("the server printed no login")??;
    let words: Vec<&str> = login.split_whitespace().collect();
    let (email, password) = (words[words.len() - 2], words[words.len() - 1]);

    let out = program.out();
    let seen = Command::new("node")
        .arg(root().join("tests/browser/upload.mjs"))
        .args([&address, email, password])
        .args([&clip, &out])
        .env(
            "WAIT_SECONDS",
            Duration::from_mins(10).as_secs().to_string(),
        )
        .output()
        .context("node is missing")?;
    let told = String::from_utf8_lossy(&seen.stderr);
    ensure!(seen.status.success(), "{told}");
    let seen: Value = serde_json::from_slice(&seen.stdout)?;
    ensure!(seen["risks"].as_u64() > Some(0), "no risk is shown: {seen}");
    ensure!(
        !program.data().join("compliance.db").exists(),
        "the record is in the named database alone"
    );
    ensure!(
        seen["runProgress"]
            .as_array()
            .is_some_and(|steps| steps.len() > 2),
        "no live progress: {seen}"
    );
    let pictures = seen["screenshots"].as_array().map(Vec::len);
    ensure!(pictures >= Some(7), "screenshots: {seen}");
    if let Some(kept) = std::env::var_os("SCREENSHOTS_DIR") {
        std::fs::create_dir_all(&kept)?;
        for file in std::fs::read_dir(&out)? {
            let file = file?;
            if file.path() == clip {
                continue;
            }
            std::fs::copy(
                file.path(),
                std::path::Path::new(&kept).join(file.file_name()),
            )?;
        }
    }
    Ok(())
}
