//! `compliance rescore` and `compliance policy`, as they are built, over stored videos.

use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use shared_domain::{Detection, Step, Task};
use shared_objects::keys;
use shared_store::{Closing, NewReport, PredictionStatus, ReportStage, Role};
use shared_testing::{Run, World};
use tempfile::TempDir;

/// Videos of the archive; `just bench rescore` judges a thousand.
const VIDEOS: usize = 20;

/// A world with videos that were judged by `general`: every other one shows a cigarette.
struct Archive {
    world: World,
    folder: TempDir,
    project: String,
    runs: Vec<Run>,
}

impl Archive {
    async fn open() -> Result<Self> {
        let world = World::new().await;
        // The program has no other clock than the machine's.
        world.catch_up();
        let project = world.project(&world.user(Role::Client).await?).await?;
        let mut runs = Vec::new();
        for number in 0..VIDEOS {
            let run = world.run(&project, &[Task::Objects]).await?;
            let found = (number % 2 == 0).then(|| cigarette(&run));
            answer(&world, &run, found.as_slice()).await?;
            runs.push(run);
        }
        Ok(Self {
            folder: tempfile::tempdir()?,
            project: project.project_id.to_string(),
            world,
            runs,
        })
    }

    /// Storage answers on another thread than the one that waits here.
    fn run(&self, args: &[&str]) -> Result<Output> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_compliance"));
        command
            .args(args)
            .env_clear()
            .envs(self.world.environment());
        command
            .env("LANG", "en_US.UTF-8")
            .current_dir(self.folder.path());
        Ok(command.output()?)
    }

    /// What a command that succeeds prints.
    fn told(&self, args: &[&str]) -> Result<String> {
        let output = self.run(args)?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{args:?}: {errors}");
        Ok(String::from_utf8(output.stdout)?)
    }

    async fn verdicts(&self) -> Result<Vec<String>> {
        let mut verdicts = Vec::new();
        for run in &self.runs {
            let report = self.world.store.latest_report(run.video.video_id).await?;
            verdicts.push(report.context("a report")?.verdict);
        }
        Ok(verdicts)
    }
}

fn cigarette(run: &Run) -> Detection {
    Detection {
        task: Task::Objects,
        label: "cigarette".into(),
        score: 0.9,
        start_ms: 0,
        end_ms: 1000,
        bbox: None,
        text: None,
        words: Vec::new(),
        object_key: keys::frame(run.video.video_id, 0),
    }
}

/// The answer, and a report that calls the video clean, as a policy without this rule would.
async fn answer(world: &World, run: &Run, found: &[Detection]) -> Result<()> {
    let report_id = world.store.fresh();
    let new = NewReport {
        report_id,
        video_id: run.video.video_id,
        execution_id: run.execution.execution_id,
        stage: ReportStage::Ai,
        policy_id: "general".into(),
        policy_version: "0".into(),
        verdict: "pass".into(),
        body: json!({}),
        json_key: keys::report(run.video.video_id, report_id, "json"),
        html_key: keys::report(run.video.video_id, report_id, "en.html"),
        seal: "0".repeat(64),
    };
    let closing = Closing {
        answer: Some(json!({})),
        ..Closing::of(PredictionStatus::Succeeded)
    };
    let mut tx = world.store.transaction().await?;
    tx.conclude(run.questions[0], &closing, found).await?;
    tx.add_report(new).await?;
    tx.commit().await?;
    world
        .lead(&run.video, &[Step::Verification])
        .await
        .map(|_| ())
}

/// Nothing but cigarettes counts, and they fail a video.
const SMOKELESS: &str = "pack: 1
id: smokeless
version: '1'
effective: { from: 2026-01-01 }
title: { ru: Без дыма, en: No smoke }
source: { ru: x, en: x }
disclaimer: { ru: x, en: x }
required: [objects]
categories:
  - code: tobacco
    clause: { ru: правила студии, en: rules of the studio }
    severity: high
rules:
  - id: cigarette
    category: tobacco
    tasks: [objects]
    labels: [cigarette]
    verdict: fail
    source: yolo_object
";

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_judged_by_a_new_pack_without_asking_a_model() -> Result<()> {
    let archive = Archive::open().await?;
    let file = archive.folder.path().join("smokeless.yaml");
    std::fs::write(&file, SMOKELESS)?;
    let file = file.to_str().context("a path")?;
    let asked = archive.world.replicate.creates().len();

    let added = archive.told(&["policy", "add", file])?;
    assert_eq!(added.trim(), "smokeless 1 is added");
    let compared = archive.told(&["policy", "diff", "general", "smokeless"])?;
    let expected = format!("videos compared: {VIDEOS}, verdicts that change: {VIDEOS}");
    assert!(compared.contains(&expected), "{compared}");
    assert_eq!(archive.verdicts().await?, ["pass"; VIDEOS], "only compared");

    let told = archive.told(&["rescore", "--all", "--pack", "smokeless"])?;
    for line in [
        format!("videos judged: {VIDEOS}"),
        format!("verdicts changed: {}", VIDEOS / 2),
        "not judged: 0".to_owned(),
        "provider calls: 0".to_owned(),
    ] {
        assert!(told.lines().any(|said| said == line), "{line}: {told}");
    }
    let verdicts = archive.verdicts().await?;
    let failed = verdicts.iter().filter(|verdict| *verdict == "fail");
    assert_eq!(failed.count(), VIDEOS / 2, "{verdicts:?}");
    assert_eq!(archive.world.replicate.creates().len(), asked);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_video_is_judged_by_its_own_pack_and_a_stranger_is_told() -> Result<()> {
    let archive = Archive::open().await?;
    let id = archive.runs[0].video.video_id.to_string();
    let told = archive.told(&["rescore", &id])?;
    assert!(told.starts_with("videos judged: 1\n"), "{told}");
    let nobody = "018f0000-0000-7000-8000-000000000001";
    let told = archive.told(&["rescore", nobody])?;
    assert!(told.contains("left alone: 1"), "{told}");
    let output = archive.run(&["rescore", &id, "--pack", "nowhere"])?;
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8(output.stderr)?;
    assert!(
        errors.contains("nowhere") && errors.contains(&id),
        "{errors}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_pack_is_refused_by_line_and_a_project_takes_a_good_one() -> Result<()> {
    let archive = Archive::open().await?;
    let file = archive.folder.path().join("bad.yaml");
    std::fs::write(&file, SMOKELESS.replace("code: tobacco", "code: snuff"))?;
    let output = archive.run(&["policy", "check", "bad.yaml"])?;
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr)?;
    assert!(
        errors.contains("bad.yaml:10: unknown category `snuff`; there are nudity"),
        "{errors}"
    );
    let refused = archive.run(&["policy", "add", "bad.yaml"])?;
    assert_eq!(refused.status.code(), Some(1));
    assert!(archive.world.store.added_packs().await?.is_empty());

    archive.told(&["policy", "use", "ru-436-fz", &archive.project])?;
    let project = archive.project.parse()?;
    let project = archive.world.store.find_project(project).await?;
    assert_eq!(project.context("the project")?.policy_id, "ru-436-fz");
    let listed = archive.told(&["policy", "list"])?;
    for id in shared_policy::SHIPPED {
        assert!(listed.contains(id), "{id}: {listed}");
    }
    Ok(())
}
