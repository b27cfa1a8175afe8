//! `kill -9` at random moments: the run finishes all the same, once.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::program::{Program, fixtures};

const KILLS: u32 = 10;
/// Parts of a run that lives are counted in.
const SHARES: u32 = 192 * KILLS;

/// How long one of the ten lives, after its start. Together they live nearly as long as one run, so
/// that kills fall from the upload to the report; what a kill throws away is done again and moves
/// the later ones back.
fn share(random: u64) -> u32 {
    64 + u32::from(random.to_le_bytes()[0])
}

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

/// The files of the reports, by name.
fn written(program: &Program) -> Result<Vec<String>> {
    let mut names: Vec<String> = std::fs::read_dir(program.out())?
        .map(|file| Ok(file?.file_name().into_string().unwrap_or_default()))
        .collect::<Result<_>>()?;
    names.sort();
    Ok(names)
}

#[test]
fn ten_kills_at_random_moments_leave_one_report_one_mail_and_no_repeated_answer() -> Result<()> {
    let clip = fixtures()?.join("labelled.mp4");
    let undisturbed = Program::new()?;
    let started = Instant::now();
    let expected = undisturbed.check(&clip)?.report()?;
    let whole = started.elapsed();
    // A finished file is only reported again: what this takes is the start, which every restart repeats.
    let again = Instant::now();
    undisturbed.check(&clip)?;
    let start = again.elapsed().min(whole / 2);

    let program = Program::new()?;
    let mut random = RandomState::new().build_hasher();
    let mut moments = Vec::new();
    let (mut kills, mut after_an_answer) = (0, 0);
    while kills < KILLS {
        random.write_u32(kills);
        let moment = start + whole.saturating_sub(start) * share(random.finish()) / SHARES;
        moments.push(moment);
        let mut child = program.start(&clip)?;
        std::thread::sleep(moment);
        if child.try_wait()?.is_some() {
            break;
        }
        child.kill()?;
        child.wait()?;
        kills += 1;
        if answered(&program).is_ok_and(|answers| !answers.is_empty()) {
            after_an_answer += 1;
        }
    }
    let report = program.check(&clip)?.report()?;
    println!(
        "{kills} kills at {moments:?} of a run of {whole:?}, {after_an_answer} after an answer"
    );
    // On a machine that becomes faster under the test the last ones may come too late.
    ensure!(
        kills + 2 >= KILLS,
        "the run was over after {kills} kills at {moments:?}"
    );
    ensure!(
        after_an_answer > 0,
        "no answer was there before any kill at {moments:?}"
    );
    ensure!(report["risks"].as_array().map(Vec::len) == expected["risks"].as_array().map(Vec::len));
    ensure!(
        program.mails()?.len() == 1,
        "mails: {}",
        program.mails()?.len()
    );
    let written = written(&program)?;
    let once = ["frames", "report.html", "report.json"].map(|end| format!("labelled.mp4.{end}"));
    ensure!(written == once, "one report, not {written:?}");
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
