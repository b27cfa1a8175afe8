mod rescoring;

use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared_domain::{Detection, EvidenceComplete, ReportReady, Step, Task, Word};
use shared_objects::keys;
use shared_runtime::{AnyHandler, Verdict, boxed};
use shared_store::{Closing, PredictionStatus, Report, Role, StoredWords};
use shared_testing::{Run, World};

use crate::ReportFinalize;

mod versions;

struct Stage {
    world: World,
    handler: Arc<dyn AnyHandler>,
    run: Run,
}

/// Nudity in the first second, bad language in the second, and one question without an answer.
const TASKS: [Task; 3] = [Task::Nudity, Task::Speech, Task::Objects];

impl Stage {
    /// A run whose last answer has just come in.
    async fn open() -> Result<Self> {
        Self::judged_by("general").await
    }

    /// The same in a project with another pack.
    async fn judged_by(policy: &str) -> Result<Self> {
        let world = World::new().await;
        let function = ReportFinalize::connect(world.shared()).await;
        let handler = boxed(function.map_err(anyhow::Error::from_boxed)?);
        let owner = world.user(Role::Client).await?;
        let project = world.project(&owner).await?;
        let store = &world.store;
        store.set_project_policy(project.project_id, policy).await?;
        let run = world.run(&world.project(&owner).await?, &TASKS).await?;
        let stage = Self {
            world,
            handler,
            run,
        };
        let seen = Detection {
            object_key: keys::frame(stage.run.video.video_id, 500),
            ..nudity()
        };
        stage.answer(0, &seen).await?;
        stage.answer(1, &speech()).await?;
        stage.leave_unanswered(2).await?;
        let at = stage.step().await?;
        assert_eq!(at, Step::Judging, "the last answer is in");
        Ok(stage)
    }

    async fn answer(&self, question: usize, found: &Detection) -> Result<()> {
        let closing = Closing {
            answer: Some(json!({})),
            ..Closing::of(PredictionStatus::Succeeded)
        };
        self.close(question, &closing, std::slice::from_ref(found))
            .await
    }

    async fn leave_unanswered(&self, question: usize) -> Result<()> {
        let closing = Closing {
            error: Some("the model is away".into()),
            ..Closing::of(PredictionStatus::Failed)
        };
        self.close(question, &closing, &[]).await
    }

    async fn close(&self, question: usize, closing: &Closing, found: &[Detection]) -> Result<()> {
        let mut tx = self.world.store.transaction().await?;
        tx.conclude(self.run.questions[question], closing, found)
            .await?;
        Ok(tx.commit().await?)
    }

    async fn step(&self) -> Result<Step> {
        let video = self.world.store.video(self.run.video.video_id).await?;
        Ok(video.step)
    }

    async fn judge(&self) -> Result<Vec<Verdict>> {
        let outcomes = self
            .world
            .drain(std::slice::from_ref(&self.handler))
            .await?;
        Ok(outcomes.iter().map(|outcome| outcome.verdict).collect())
    }

    async fn report(&self) -> Result<Report> {
        let report = self.world.store.latest_report(self.run.video.video_id);
        report.await?.context("a report")
    }

    async fn stored(&self, key: &str) -> Result<Vec<u8>> {
        let head = self.world.objects().head(key).await?;
        let bytes = self.world.objects().get_range(key, 0..head.size).await?;
        Ok(bytes.to_vec())
    }
}

fn seen(task: Task, label: &str, start_ms: i64) -> Detection {
    Detection {
        task,
        label: label.into(),
        score: 0.95,
        start_ms,
        end_ms: start_ms + 1000,
        bbox: None,
        text: None,
        words: Vec::new(),
        object_key: format!("frames/{start_ms}.jpg"),
    }
}

fn nudity() -> Detection {
    seen(Task::Nudity, "nsfw", 0)
}

fn speech() -> Detection {
    let word = Word {
        text: "сука".into(),
        start_ms: 1200,
        end_ms: 1600,
        probability: Some(0.9),
    };
    Detection {
        text: Some("сука".into()),
        words: vec![word],
        ..seen(Task::Speech, "ru", 1000)
    }
}

fn texts<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| item[field].as_str())
        .collect()
}

#[tokio::test]
async fn the_evidence_becomes_one_sealed_report() -> Result<()> {
    let stage = Stage::open().await?;
    assert_eq!(stage.judge().await?, [Verdict::Done]);
    let report = stage.report().await?;
    assert_eq!(report.verdict, "fail");
    let rules = texts(&report.body["risks"], "category");
    assert_eq!(rules, ["nudity", "profanity"]);
    let frame = |risk: usize| &report.body["risks"][risk]["evidence"][0]["frame_url"];
    let id = stage.run.video.video_id;
    assert_eq!(*frame(0), format!("/api/videos/{id}/frames/000000500.jpg"));
    assert!(frame(1).is_null(), "a word has no frame: {}", frame(1));

    let json = stage.stored(&report.json_key).await?;
    assert_eq!(hex::encode(Sha256::digest(&json)), report.seal);
    assert_eq!(serde_json::from_slice::<Value>(&json)?, report.body);
    let page = String::from_utf8(stage.stored(&report.html_key).await?)?;
    assert!(page.contains("<html"), "{page}");

    assert_eq!(stage.step().await?, Step::Verification);
    let ready = ReportReady::new(stage.run.video.video_id, report.report_id);
    assert_eq!(stage.world.messages::<ReportReady>().await?, [ready]);
    let count = |table, which| stage.world.count(table, which);
    assert_eq!(count("verification_tasks", "status = 'pending'").await?, 1);
    assert_eq!(count("executions", "status = 'completed'").await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_stored_trigger_has_the_id_of_the_reports_risk() -> Result<()> {
    let stage = Stage::open().await?;
    stage.judge().await?;
    let report = stage.report().await?;
    let risks = texts(&report.body["risks"], "id");
    assert_eq!(risks.len(), 2);
    for id in risks {
        let stored = format!("cast(trigger_id as text) = '{id}'");
        assert_eq!(stage.world.count("triggers", &stored).await?, 1, "{id}");
    }
    assert_eq!(stage.world.count("triggers", "true").await?, 2);
    Ok(())
}

#[tokio::test]
async fn coverage_says_what_was_answered_and_what_was_not() -> Result<()> {
    let stage = Stage::open().await?;
    stage.judge().await?;
    let report = stage.report().await?;
    let lines = report.body["coverage"].as_array().context("coverage")?;
    let line = |task: &str| {
        let found = lines.iter().find(|line| line["task"] == task);
        found.with_context(|| format!("no line of {task}"))
    };
    let nudity = line("nudity")?;
    assert_eq!(
        (&nudity["run"], &nudity["frames"], &nudity["seconds"]),
        (&json!(true), &json!(1), &json!(1.0))
    );
    let objects = line("objects")?;
    assert_eq!(
        (&objects["run"], &objects["failed"], &objects["seconds"]),
        (&json!(true), &json!(1), &json!(0.0))
    );
    assert_eq!(
        (&objects["gaps"][0]["start"], &objects["gaps"][0]["end"]),
        (&json!(2.0), &json!(3.0))
    );
    let violence = line("violence")?;
    assert_eq!(violence["run"], json!(false), "nobody was asked");
    Ok(())
}

#[tokio::test]
async fn the_words_of_the_project_are_judged_too() -> Result<()> {
    let stage = Stage::open().await?;
    let words = StoredWords {
        allowed: "сука".into(),
        denied: "ромашка".into(),
    };
    let project = stage.run.video.project_id;
    stage.world.store.set_project_words(project, &words).await?;
    stage.judge().await?;
    let report = stage.report().await?;
    let rules = texts(&report.body["risks"], "category");
    assert_eq!(rules, ["nudity"], "the only bad word is permitted");
    Ok(())
}

#[tokio::test]
async fn a_second_event_changes_nothing() -> Result<()> {
    let stage = Stage::open().await?;
    let complete = EvidenceComplete::new(stage.run.execution.execution_id);
    let event = stage.world.event(&complete)?;
    for _ in 0..2 {
        let outcome = stage.world.bring(stage.handler.as_ref(), &event).await;
        assert_eq!(outcome.verdict, Verdict::Done, "{:?}", outcome.error);
    }
    let first = stage.report().await?;
    // The message of the last answer, and another one about the same run.
    assert_eq!(stage.judge().await?, [Verdict::Done]);
    let other = stage.world.event(&complete)?;
    let outcome = stage.world.bring(stage.handler.as_ref(), &other).await;
    assert_eq!(outcome.verdict, Verdict::Done);
    assert_eq!(stage.report().await?, first);
    for table in ["reports", "verification_tasks"] {
        assert_eq!(stage.world.count(table, "true").await?, 1, "{table}");
    }
    assert_eq!(stage.world.messages::<ReportReady>().await?.len(), 1);
    assert_eq!(stage.world.count("triggers", "true").await?, 2);
    Ok(())
}

#[tokio::test]
async fn two_workers_on_one_run_leave_one_report_as_it_was_sealed() -> Result<()> {
    let stage = Stage::open().await?;
    let complete = EvidenceComplete::new(stage.run.execution.execution_id);
    let (one, other) = (stage.world.event(&complete)?, stage.world.event(&complete)?);
    let handler = stage.handler.as_ref();
    tokio::join!(
        stage.world.bring(handler, &one),
        stage.world.bring(handler, &other)
    );
    let report = stage.report().await?;
    let json = stage.stored(&report.json_key).await?;
    assert_eq!(hex::encode(Sha256::digest(&json)), report.seal);
    assert_eq!(stage.world.count("reports", "true").await?, 1);
    assert_eq!(stage.world.messages::<ReportReady>().await?.len(), 1);
    for id in texts(&report.body["risks"], "id") {
        let stored = format!("cast(trigger_id as text) = '{id}'");
        assert_eq!(stage.world.count("triggers", &stored).await?, 1, "{id}");
    }
    Ok(())
}
