//! `kill -9` at random moments: the run finishes all the same, once.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::program::{Program, fixtures};

const KILLS: u32 = 10;

/// Successful answers of the local provider, by the question that they answer.
fn answered(program: &Program) -> Result<BTreeMap<String, u32>> {
    let mut answers = BTreeMap::new();
    for file in std::fs::read_dir(program.data().join("check/inference/predictions"))? {
        let text = std::fs::read_to_string(file?.path())?;
        let record: Value = serde_json::from_str(&text).context("a half-written prediction")?;
        if record["phase"] == "succeeded" {
            let question = record["webhook"]
                .as_str()
                .context("a prediction without a webhook")?;
            let question = question
                .split("prediction=")
                .nth(1)
                .unwrap_or_default()
                .to_owned();
            *answers.entry(question).or_default() += 1;
        }
    }
    Ok(answers)
}

#[test]
fn ten_kills_at_random_moments_leave_one_report_one_mail_and_no_repeated_answer() -> Result<()> {
    let clip = fixtures()?.join("labelled.mp4");
    let undisturbed = Program::new()?;
    let started = Instant::now();
    let expected = undisturbed.check(&clip)?.report()?;
    let whole = started.elapsed();

    let program = Program::new()?;
    let mut random = RandomState::new().build_hasher();
    let mut moments = Vec::new();
    let mut kills = 0;
    while kills < KILLS {
        random.write_u32(kills);
        // A thirtieth of the run on average: ten kills fall before its end even on a machine whose
        // speed changes under the test.
        let share = u32::from(random.finish().to_le_bytes()[0]);
        let moment = Duration::from_millis(200) + whole * share / (255 * 15);
        moments.push(moment);
        let mut child = program.start(&clip)?;
        std::thread::sleep(moment);
        if child.try_wait()?.is_some() {
            break;
        }
        child.kill()?;
        child.wait()?;
        kills += 1;
    }
    let report = program.check(&clip)?.report()?;
    println!("{kills} kills at {moments:?} of a run of {whole:?}");
    ensure!(
        kills == KILLS,
        "the run was over after {kills} kills at {moments:?}"
    );
    ensure!(report["risks"].as_array().map(Vec::len) == expected["risks"].as_array().map(Vec::len));
    ensure!(
        program.mails()?.len() == 1,
        "mails: {}",
        program.mails()?.len()
    );
    let reports = std::fs::read_dir(program.out())?.count();
    ensure!(
        reports == 2,
        "one report as page and as JSON, not {reports} files"
    );
    let repeated: Vec<_> = answered(&program)?
        .into_iter()
        .filter(|(_, times)| *times > 1)
        .collect();
    ensure!(
        repeated.is_empty(),
        "answered more than once after {moments:?}: {repeated:?}"
    );
    Ok(())
}
