//! What most cases start from.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use shared_domain::{
    Delivery, Lang, MediaKind, OutboxId, ProjectId, Span, Step, Target, Task, UserId, VideoId,
    VideoUploaded,
};
use shared_store::{
    Claimed, Execution, NewPrediction, NewReport, NewUser, NewVideo, Plan, Project, ReportStage,
    Role, Store, User, Video,
};
use shared_testing::{ManualClock, TestDatabase, database};

pub(crate) const LEASE: Duration = Duration::from_mins(1);

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: ManualClock,
    pub(crate) database: TestDatabase,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = database().await;
        let clock = ManualClock::default();
        let store = database.store().await.with_clock(Arc::new(clock.clone()));
        Self {
            store,
            clock,
            database,
        }
    }

    pub(crate) async fn user(&self, email: &str, role: Role) -> Result<User> {
        let new = NewUser {
            email: email.into(),
            password_hash: "$argon2id$".into(),
            role,
            company_name: String::new(),
            balance_minutes: 0,
            language: Lang::Ru,
        };
        Ok(self.store.insert_user(new).await?)
    }

    pub(crate) async fn project(&self) -> Result<Project> {
        let owner = match self.store.user_by_email("studio@example.org").await? {
            Some(owner) => owner,
            None => self.user("Studio@Example.org", Role::Client).await?,
        };
        Ok(self.store.ensure_project(owner.user_id, "Cuts").await?)
    }

    pub(crate) fn announced(&self, project_id: ProjectId) -> NewVideo {
        let video_id: VideoId = self.store.fresh();
        NewVideo {
            video_id,
            project_id,
            client_key: None,
            original_name: "отпуск \"1\".mp4".into(),
            object_key: format!("videos/raw/{project_id}/{video_id}.mp4"),
            content_type: "video/mp4".into(),
            size_bytes: 2_147_483_648,
            checksum_sha256: Some("ab".repeat(32)),
            upload_id: Some("upload-1".into()),
            part_size: Some(8 << 20),
            policy_id: "general".into(),
            upload_expires_at: self.store.now() + Duration::from_mins(15),
        }
    }

    pub(crate) async fn video(&self) -> Result<Video> {
        let project = self.project().await?;
        let mut tx = self.store.transaction().await?;
        let (video, _) = tx.insert_video(self.announced(project.project_id)).await?;
        tx.commit().await?;
        Ok(video)
    }

    /// A video that has been led to this step of the straight way.
    pub(crate) async fn video_at(&self, step: Step) -> Result<Video> {
        let video = self.video().await?;
        let way = [
            Step::Uploaded,
            Step::Extracting,
            Step::Analysing,
            Step::Judging,
        ];
        let mut tx = self.store.transaction().await?;
        let mut at = Step::AwaitingUpload;
        for next in way {
            if at == step {
                break;
            }
            tx.advance(video.video_id, at, next).await?;
            at = next;
        }
        tx.commit().await?;
        Ok(self.store.video(video.video_id).await?)
    }

    pub(crate) async fn execution(&self) -> Result<Execution> {
        let video = self.video_at(Step::Extracting).await?;
        let mut tx = self.store.transaction().await?;
        let execution = tx.start_execution(video.video_id).await?;
        tx.commit().await?;
        Ok(execution)
    }

    /// A plan that asks one question about each of so many frames.
    pub(crate) fn plan(&self, frames: usize) -> Plan {
        let hash = |n: usize| format!("{n:064x}");
        let targets = (0..frames).zip(0i64..).map(|(n, at)| Target {
            media: MediaKind::Frame,
            object_key: format!("frames/{n}.jpg"),
            content_hash: hash(n),
            spans: vec![Span {
                start_ms: at * 500,
                end_ms: (at + 1) * 500,
            }],
            width: 640,
            height: 360,
        });
        let predictions = (0..frames).map(|n| NewPrediction {
            prediction_id: self.store.fresh(),
            task: Task::Nudity,
            content_hash: hash(n),
            object_key: format!("frames/{n}.jpg"),
            provider: "local".into(),
            model: "nsfw".into(),
            version: "v1".into(),
        });
        Plan {
            targets: targets.collect(),
            predictions: predictions.collect(),
            extraction: json!({"frames": frames}),
            models: json!({"nudity": "nsfw:v1"}),
        }
    }

    /// A planned run and its questions.
    pub(crate) async fn planned(&self, frames: usize) -> Result<(Execution, Plan)> {
        let execution = self.execution().await?;
        let plan = self.plan(frames);
        let mut tx = self.store.transaction().await?;
        tx.plan(execution.execution_id, &plan).await?;
        tx.commit().await?;
        Ok((self.store.execution(execution.execution_id).await?, plan))
    }

    /// A message in the stream of `frame-extract`.
    pub(crate) async fn message(&self) -> Result<OutboxId> {
        let mut tx = self.store.transaction().await?;
        let event_id = tx.send(&VideoUploaded::new(self.store.fresh())).await?;
        tx.commit().await?;
        Ok(event_id)
    }

    pub(crate) async fn claim(&self, owner: &str) -> Result<Option<Claimed>> {
        Ok(self.store.claim("frame-extract", owner, LEASE, 5).await?)
    }

    /// A report on a run, not closed yet.
    pub(crate) fn report(&self, run: &Execution, stage: ReportStage) -> NewReport {
        NewReport {
            report_id: self.store.fresh(),
            video_id: run.video_id,
            execution_id: run.execution_id,
            stage,
            policy_id: "general".into(),
            policy_version: "1.0.0".into(),
            verdict: "review".into(),
            body: json!({ "verdict": "review" }),
            json_key: "reports/1.json".into(),
            html_key: "reports/1.ru.html".into(),
            seal: "seal".into(),
        }
    }
}

pub(crate) fn delivery(claimed: &Claimed) -> Delivery {
    Delivery {
        handler: "frame-extract",
        event_id: claimed.event_id.to_string(),
        lease: Some((claimed.event_id, claimed.epoch)),
        trace: Some("00-trace-01".into()),
    }
}

/// A delivery through a door.
pub(crate) fn knock(event_id: &str) -> Delivery {
    Delivery {
        handler: "on-upload",
        event_id: event_id.into(),
        lease: None,
        trace: None,
    }
}

/// An owner that no table knows.
pub(crate) fn stranger(store: &Store) -> User {
    User {
        user_id: store.fresh::<UserId>(),
        email: String::new(),
        password_hash: String::new(),
        role: Role::Client,
        company_name: String::new(),
        balance_minutes: 0,
        language: Lang::En,
        is_active: true,
    }
}
