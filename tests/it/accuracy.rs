//! The labelled set of `just bench accuracy`: its scorer counts right, and the policy keeps what it
//! has reached on the sentences. The clips need the models and are measured by the bench alone.

use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};

use crate::program::binary;
use crate::tree::root;

fn python(arguments: &[&str]) -> Result<Output> {
    Command::new("python3")
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(root())
        .output()
        .context("python3 is missing")
}

fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn the_scorer_and_the_set_pass_their_own_tests() -> Result<()> {
    let ended = python(&["-m", "unittest", "discover", "-s", "tests/accuracy"])?;
    ensure!(ended.status.success(), "{}", told(&ended));
    ensure!(told(&ended).contains("Ran 3"), "{}", told(&ended));
    Ok(())
}

#[test]
fn texts_are_judged_as_well_as_is_promised() -> Result<()> {
    let judge = binary("judge")?;
    let judge = judge.to_str().context("a path that is no text")?;
    let ended = python(&["infra/scripts/bench_accuracy.py", judge])?;
    ensure!(ended.status.success(), "{}", told(&ended));
    Ok(())
}

#[test]
fn a_judge_that_finds_nothing_is_told_apart() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let blind = folder.path().join("blind");
    std::fs::write(&blind, "#!/bin/sh\nsed 's/.*/[]/'\n")?;
    make_executable(&blind)?;
    let ended = python(&[
        "infra/scripts/bench_accuracy.py",
        blind.to_str().context("a path that is no text")?,
    ])?;
    ensure!(ended.status.code() == Some(1), "{}", told(&ended));
    ensure!(told(&ended).contains("MISSED"), "{}", told(&ended));
    Ok(())
}

fn make_executable(path: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut mode = std::fs::metadata(path)?.permissions();
    mode.set_mode(0o755);
    Ok(std::fs::set_permissions(path, mode)?)
}
