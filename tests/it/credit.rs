//! The account of the hosted models is empty in the middle of a run, then nearly empty, then filled: nobody
//! asks in vain, an administrator is told, and the run ends with every question put exactly once.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use shared_domain::{PauseReason, Step, VideoId, VideoUploaded};
use shared_runtime::{AnyHandler, Connected, Handler, boxed};
use shared_store::Role;
use shared_testing::{Create, World};

const LANE: &str = "replicate";

fn handler<H: Handler>(connected: Connected<H>) -> Result<Arc<dyn AnyHandler>> {
    Ok(boxed(connected.map_err(anyhow::Error::from_boxed)?))
}

/// A minute of the system: the clock strikes, the sweep goes round, and what is due is done.
struct System {
    world: World,
    workers: Vec<Arc<dyn AnyHandler>>,
    sweep: Arc<dyn AnyHandler>,
}

impl System {
    async fn start() -> Result<Self> {
        let world = World::new().await;
        world.replicate.become_hosted();
        let shared = || world.shared_with(&[("ADMIN_EMAIL", "admin@example.org")]);
        let workers = vec![
            handler(frame_extract::FrameExtract::connect(shared()).await)?,
            handler(replicate_webhook::ReplicateWebhook::connect(shared()).await)?,
            handler(report_finalize::ReportFinalize::connect(shared()).await)?,
            handler(send_email::SendEmail::connect(shared()).await)?,
        ];
        let sweep = handler(cleanup::Cleanup::connect(shared()).await)?;
        Ok(Self {
            world,
            workers,
            sweep,
        })
    }

    async fn minute(&self) -> Result<()> {
        self.world.clock.advance(Duration::from_mins(1));
        let swept = self.world.tick(self.sweep.as_ref()).await?;
        ensure!(swept.error.is_none(), "{swept:?}");
        self.work().await
    }

    async fn work(&self) -> Result<()> {
        self.world.drain(&self.workers).await.map(drop)
    }

    /// The provider ends what it was asked; no webhook tells of it.
    fn answer(&self, answered: &mut usize) -> Result<()> {
        let creates = self.world.replicate.creates();
        for create in &creates[*answered..] {
            self.world.replicate.succeed(&create.id, output(create))?;
        }
        *answered = creates.len();
        Ok(())
    }

    /// Subjects of the mails to the administrator.
    fn told(&self) -> Result<Vec<String>> {
        let mut told = Vec::new();
        for mail in self.world.mails()? {
            let mail = String::from_utf8_lossy(&mail).replace("\r\n ", " ");
            let subject = mail.lines().find_map(|line| line.strip_prefix("Subject: "));
            let subject = subject.context("a mail without a subject")?;
            if subject.starts_with("Checks are paused") {
                told.push(subject.to_owned());
            }
        }
        told.sort();
        Ok(told)
    }

    async fn pause(&self) -> Result<Option<PauseReason>> {
        let pause = self.world.store.lane_pause(LANE).await?;
        Ok(pause.map(|pause| pause.reason))
    }
}

/// Nothing was found.
fn output(create: &Create) -> Value {
    let asked = |field| create.input.get(field).is_some();
    match () {
        () if asked("file_url") => json!({ "segments": [], "language": "en", "num_speakers": 0 }),
        () if asked("query") => json!({ "detections": [], "result_image": null }),
        () if create.version.starts_with("084b77") => json!({ "results": [] }),
        () => json!("normal"),
    }
}

/// Seconds of a picture that changes, with a tone.
fn clip(path: &Path) -> Result<Vec<u8>> {
    let arguments = "-nostdin -v error -f lavfi -i testsrc2=size=320x180:rate=10:duration=4 \
                     -f lavfi -i sine=frequency=440:duration=4 -c:v libx264 -preset ultrafast \
                     -pix_fmt yuv420p -c:a aac -shortest";
    let mut ffmpeg = Command::new("ffmpeg");
    let made = ffmpeg.args(arguments.split_whitespace()).arg(path).status();
    ensure!(made.context("ffmpeg is missing")?.success());
    Ok(std::fs::read(path)?)
}

/// One create for each question, and one try in vain at most counted for none.
async fn ensure_once(system: &System, video: VideoId) -> Result<()> {
    let run = system.world.store.latest_execution(video).await?;
    let run = run.context("a run")?;
    let mut creates: BTreeMap<String, usize> = BTreeMap::new();
    for create in system.world.replicate.creates() {
        *creates
            .entry(create.webhook.context("a webhook")?)
            .or_default() += 1;
    }
    ensure!(creates.values().all(|count| *count == 1), "{creates:?}");
    let count = async |condition| system.world.count("predictions", condition).await;
    let asked = count("status = 'succeeded' and attempts = 1").await?;
    let cached = count("status = 'cached' and attempts = 0").await?;
    ensure!(asked == i64::try_from(creates.len())?, "{asked} answers");
    ensure!(asked + cached == run.planned, "{asked} and {cached}");
    ensure!(system.world.count("dead_letters", "true").await? == 0);
    ensure!(system.world.count("outbox", "strikes > 0").await? == 0);
    Ok(())
}

#[tokio::test]
async fn a_run_outlasts_an_empty_and_a_nearly_empty_account() -> Result<()> {
    let (system, folder) = (System::start().await?, tempfile::tempdir()?);
    let (world, replicate) = (&system.world, &system.world.replicate);
    let project = world.project(&world.user(Role::Client).await?).await?;
    let bytes = clip(&folder.path().join("clip.mp4"))?;
    let video = world.uploaded(&project, bytes).await?.video_id;
    let mut tx = world.store.transaction().await?;
    tx.send(&VideoUploaded::new(video)).await?;
    tx.commit().await?;

    replicate.set_credit(0.0);
    system.work().await?;
    ensure!(system.pause().await? == Some(PauseReason::NoCredit));
    ensure!((replicate.tries(), replicate.creates().len()) == (1, 0));
    for _ in 0..4 {
        system.minute().await?;
    }
    ensure!(replicate.tries() == 1, "a rest is kept");
    system.minute().await?;
    ensure!(replicate.tries() == 2, "one of them tries the way");
    ensure!(system.told()?.len() == 1, "{:?}", system.told()?);

    // A little credit: one question goes, the next is throttled, and that is another story to tell.
    replicate.set_credit(3.0);
    let mut answered = 0;
    for _ in 0..6 {
        system.minute().await?;
        system.answer(&mut answered)?;
    }
    ensure!(answered > 0 && system.pause().await? == Some(PauseReason::LowCredit));
    ensure!(world.store.video(video).await?.step == Step::Analysing);

    replicate.set_credit(100.0);
    for _ in 0..10 {
        system.minute().await?;
        system.answer(&mut answered)?;
    }
    ensure!(system.pause().await?.is_none());
    let step = world.store.video(video).await?.step;
    ensure!(
        matches!(step, Step::Verification | Step::Completed),
        "{step:?}"
    );
    let told = [
        "Checks are paused: the Replicate account is empty",
        "Checks are paused: the Replicate account is nearly empty",
    ];
    ensure!(system.told()? == told, "{:?}", system.told()?);
    ensure!(world.mails()?.len() == 3, "and one of the report");
    ensure_once(&system, video).await
}
