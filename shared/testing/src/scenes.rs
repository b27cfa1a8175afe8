//! What most tests start from: people, projects, videos, runs.

use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use serde_json::{Value, json};
use shared_domain::{Lang, MediaKind, PredictionId, Span, Step, Target, Task, UserId, VideoId};
use shared_objects::keys;
use shared_runtime::hash_token;
use shared_store::{
    Execution, NewPrediction, NewReport, NewUser, NewVideo, Plan, Project, Report, ReportStage,
    Role, User, Video,
};

use crate::World;

impl World {
    /// Somebody who reads English and has minutes left.
    pub async fn user(&self, role: Role) -> Result<User> {
        self.reader(role, Lang::En).await
    }

    /// Somebody who reads a language and has minutes left.
    pub async fn reader(&self, role: Role, language: Lang) -> Result<User> {
        self.add(role, language, 600).await
    }

    /// A client without a minute left.
    pub async fn poor_user(&self) -> Result<User> {
        self.add(Role::Client, Lang::En, 0).await
    }

    async fn add(&self, role: Role, language: Lang, balance_minutes: i64) -> Result<User> {
        let name: UserId = self.store.fresh();
        let new = NewUser {
            email: format!("{name}@example.org"),
            password_hash: "$argon2id$".into(),
            role,
            company_name: String::new(),
            balance_minutes,
            language,
        };
        Ok(self.store.insert_user(new).await?)
    }

    /// The person's project.
    pub async fn project(&self, owner: &User) -> Result<Project> {
        Ok(self.store.ensure_project(owner.user_id, "Cuts").await?)
    }

    /// Signs the person in and answers the token.
    pub async fn session(&self, user: &User) -> Result<String> {
        let token = self.store.fresh::<UserId>().to_string();
        let until = self.store.now() + Duration::from_hours(1);
        self.store
            .open_session(user.user_id, &hash_token(&token), until)
            .await?;
        Ok(token)
    }

    /// A video that is announced and awaits its upload.
    pub async fn announced(&self, project: &Project, name: &str, size: u64) -> Result<Video> {
        self.announce(self.new_video(project, name, size)).await
    }

    /// A video that awaits its upload in parts, of which none has come.
    pub async fn announced_in_parts(&self, project: &Project) -> Result<Video> {
        let mut new = self.new_video(project, "film.mp4", 64 << 20);
        let upload = self
            .objects()
            .create_multipart(&new.object_key, &new.content_type)
            .await?;
        new.upload_id = Some(upload);
        new.part_size = Some(16 << 20);
        self.announce(new).await
    }

    fn new_video(&self, project: &Project, name: &str, size: u64) -> NewVideo {
        let video_id: VideoId = self.store.fresh();
        NewVideo {
            video_id,
            project_id: project.project_id,
            client_key: None,
            original_name: name.to_owned(),
            object_key: keys::raw(project.project_id, video_id, &keys::extension_of(name)),
            content_type: "video/mp4".into(),
            size_bytes: size,
            checksum_sha256: None,
            upload_id: None,
            part_size: None,
            policy_id: project.policy_id.clone(),
            upload_expires_at: self.store.now() + Duration::from_hours(24),
        }
    }

    async fn announce(&self, new: NewVideo) -> Result<Video> {
        let mut tx = self.store.transaction().await?;
        let (video, _) = tx.insert_video(new).await?;
        tx.commit().await?;
        Ok(video)
    }

    /// Puts bytes where the video's upload belongs.
    pub async fn upload(&self, video: &Video, bytes: impl Into<Bytes>) -> Result<()> {
        Ok(self
            .objects()
            .put(&video.object_key, bytes.into(), "video/mp4")
            .await?)
    }

    /// A video of these bytes that has been accepted.
    pub async fn uploaded(&self, project: &Project, bytes: impl Into<Bytes>) -> Result<Video> {
        let bytes = bytes.into();
        let video = self
            .announced(project, "clip.mp4", bytes.len() as u64)
            .await?;
        self.upload(&video, bytes).await?;
        self.lead(&video, &[Step::Uploaded]).await
    }

    /// Leads a video along these steps.
    pub async fn lead(&self, video: &Video, way: &[Step]) -> Result<Video> {
        let mut at = self.store.video(video.video_id).await?.step;
        let mut tx = self.store.transaction().await?;
        for &next in way {
            tx.advance(video.video_id, at, next).await?;
            at = next;
        }
        tx.commit().await?;
        Ok(self.store.video(video.video_id).await?)
    }

    /// A run over a fresh video that asks one question per task, each about a second of its own.
    pub async fn run(&self, project: &Project, tasks: &[Task]) -> Result<Run> {
        let video = self.announced(project, "clip.mp4", 1000).await?;
        let video = self
            .lead(&video, &[Step::Uploaded, Step::Extracting])
            .await?;
        let plan = self.plan(&video, tasks);
        // Small pictures go to the hosted service within the question.
        let frames = plan
            .targets
            .iter()
            .filter(|target| target.media == MediaKind::Frame);
        for target in frames.filter(|_| self.replicate.is_hosted()) {
            let picture = Bytes::from(target.content_hash.clone());
            let key = &target.object_key;
            self.objects().put(key, picture, "image/jpeg").await?;
        }
        let mut tx = self.store.transaction().await?;
        let execution = tx.start_execution(video.video_id).await?;
        tx.plan(execution.execution_id, &plan).await?;
        tx.advance(video.video_id, Step::Extracting, Step::Analysing)
            .await?;
        tx.commit().await?;
        let questions = plan
            .predictions
            .iter()
            .map(|new| new.prediction_id)
            .collect();
        Ok(Run {
            execution: self.store.execution(execution.execution_id).await?,
            video: self.store.video(video.video_id).await?,
            questions,
        })
    }

    fn plan(&self, video: &Video, tasks: &[Task]) -> Plan {
        let (mut plan, mut models) = (Plan::default(), Vec::new());
        for (second, &task) in (0u32..).zip(tasks) {
            let target = target(video.video_id, second, task);
            let (provider, model, version) = self.replicate.answers_for(task);
            plan.predictions.push(NewPrediction {
                prediction_id: self.store.fresh(),
                task,
                content_hash: target.content_hash.clone(),
                object_key: target.object_key.clone(),
                provider: provider.into(),
                model: model.clone(),
                version: version.clone(),
            });
            plan.targets.push(target);
            models.push(json!({ "task": task, "provider": provider, "model": model,
                "version": version, "limits": [] }));
        }
        plan.models = models.into();
        plan
    }

    /// Puts every question of a run, as `frame-extract` does, and answers the provider's ids.
    pub async fn asked(&self, run: &Run) -> Result<Vec<String>> {
        let mut ids = Vec::new();
        for &question in &run.questions {
            ids.push(self.ask(question).await?);
        }
        Ok(ids)
    }

    /// Puts one question and notes the provider's id.
    pub async fn ask(&self, question: PredictionId) -> Result<String> {
        let mut tx = self.store.transaction().await?;
        tx.begin_submission(question).await?;
        tx.commit().await?;
        let id = self.ask_unnoticed(question).await?;
        let mut tx = self.store.transaction().await?;
        tx.submitted(question, &id).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// The provider takes a question, and the record does not learn of it.
    pub async fn ask_unnoticed(&self, question: PredictionId) -> Result<String> {
        let prediction = self.store.prediction(question).await?;
        let key = &prediction.target.object_key;
        let url = self
            .objects()
            .presign_get(key, Duration::from_hours(1))
            .await?;
        let field = self.replicate.file_field(&prediction.version);
        let field = field.context("a version that nobody has")?;
        let webhook =
            format!("https://compliance.example/functions/replicate-webhook?prediction={question}");
        let new = shared_replicate::NewPrediction {
            version: &prediction.version,
            input: [(field.to_owned(), url.into())].into_iter().collect(),
            webhook: Some(&webhook),
            cancel_after: None,
        };
        Ok(self.provider()?.create(&new).await?.id)
    }

    /// A report on a run, its page stored; the video goes on to its verification.
    pub async fn report(&self, run: &Run, verdict: &str, body: Value) -> Result<Report> {
        let report_id = self.store.fresh();
        let key = |format| keys::report(run.video.video_id, report_id, format);
        let new = NewReport {
            report_id,
            video_id: run.video.video_id,
            execution_id: run.execution.execution_id,
            stage: ReportStage::Ai,
            policy_id: "general".into(),
            policy_version: "1".into(),
            verdict: verdict.to_owned(),
            body,
            json_key: key("json"),
            html_key: key("html"),
            seal: "0".repeat(64),
        };
        let page = Bytes::from_static(b"<!doctype html><title>report</title>");
        self.objects().put(&new.html_key, page, "text/html").await?;
        let mut tx = self.store.transaction().await?;
        tx.add_report(new).await?;
        tx.commit().await?;
        self.lead(&run.video, &[Step::Judging, Step::Verification])
            .await?;
        Ok(self.store.report(report_id).await?)
    }
}

/// A run that waits for its answers.
#[derive(Debug, Clone)]
pub struct Run {
    /// What is checked.
    pub video: Video,
    /// The run.
    pub execution: Execution,
    /// One per task, in their order.
    pub questions: Vec<PredictionId>,
}

/// One second of the video; equal seconds of two videos have the same bytes.
fn target(video_id: VideoId, second: u32, task: Task) -> Target {
    let start_ms = i64::from(second) * 1000;
    let audio = task == Task::Speech;
    let (media, object_key) = match audio {
        true => (MediaKind::Audio, keys::audio(video_id, second)),
        false => (
            MediaKind::Frame,
            keys::frame(video_id, start_ms.unsigned_abs()),
        ),
    };
    let (width, height) = if audio { (0, 0) } else { (640, 360) };
    Target {
        media,
        object_key,
        content_hash: format!("{second:064x}"),
        spans: vec![Span {
            start_ms,
            end_ms: start_ms + 1000,
        }],
        width,
        height,
    }
}
