//! `kill -9` at random moments: the run finishes all the same, once.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::program::{Program, fixtures};

const KILLS: u32 = 10;
const LOOK: Duration = Duration::from_millis(20);

/// How a run went that nobody disturbed.
struct Undisturbed {
    /// What every restart repeats.
    start: Duration,
    /// Until the first answer; what comes before is done anew after a kill.
    first_answer: Duration,
    whole: Duration,
    answers: u32,
    report: Value,
}

impl Undisturbed {
    fn run(clip: &Path) -> Result<Self> {
        let program = Program::new()?;
        let started = Instant::now();
        let mut child = program.start(clip)?;
        let mut first_answer = None;
        while child.try_wait()?.is_none() {
            if first_answer.is_none() && answers(&program) > 0 {
                first_answer = Some(started.elapsed());
            }
            std::thread::sleep(LOOK);
        }
        let whole = started.elapsed();
        // A finished file is only reported again.
        let again = Instant::now();
        let report = program.check(clip)?.report()?;
        Ok(Self {
            start: again.elapsed().min(whole / 2),
            first_answer: first_answer.context("the run had no answer")?,
            whole,
            answers: answers(&program),
            report,
        })
    }

    /// How long the next one lives. Before the first answer about every second life is long enough for
    /// one; afterwards the lives that are left share what is left to do, so that kills fall from the
    /// upload to the report.
    fn life(&self, random: u64, kills: u32, answers: u32) -> Duration {
        // From a third to five thirds.
        let share = 64 + u32::from(random.to_le_bytes()[0]);
        let rest = if answers == 0 {
            self.first_answer.saturating_sub(self.start)
        } else {
            let left = self.answers.saturating_sub(answers);
            let after = self.whole.saturating_sub(self.first_answer);
            after * left / self.answers / (KILLS - kills)
        };
        self.start + rest * share / 192
    }
}

fn answers(program: &Program) -> u32 {
    let answered = answered(program).unwrap_or_default();
    u32::try_from(answered.len()).unwrap_or(u32::MAX)
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
    let undisturbed = Undisturbed::run(&clip)?;
    let expected = &undisturbed.report;

    let program = Program::new()?;
    let mut random = RandomState::new().build_hasher();
    let mut moments = Vec::new();
    let (mut kills, mut after_an_answer) = (0, 0);
    while kills < KILLS {
        random.write_u32(kills);
        let moment = undisturbed.life(random.finish(), kills, answers(&program));
        moments.push(moment);
        let mut child = program.start(&clip)?;
        std::thread::sleep(moment);
        if child.try_wait()?.is_some() {
            break;
        }
        child.kill()?;
        child.wait()?;
        kills += 1;
        if answers(&program) > 0 {
            after_an_answer += 1;
        }
    }
    let report = program.check(&clip)?.report()?;
    println!(
        "{kills} kills at {moments:?} of a run of {:?}, {after_an_answer} after an answer",
        undisturbed.whole
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
    let once = ["csv", "frames", "markers.edl", "report.html", "report.json"]
        .map(|end| format!("labelled.mp4.{end}"));
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
