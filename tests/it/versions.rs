//! A clip and its next version, cut by exact frames: what became of every risk, and which decisions hold.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use shared_domain::{
    Finding, PredictionDue, PredictionId, Task, TriggerId, VideoId, VideoUploaded,
};
use shared_runtime::{AnyHandler, Verdict, boxed};
use shared_store::{Closing, NewLabel, PredictionStatus, Project, Report, Role};
use shared_testing::World;

/// Six scenes of four seconds, 25 frames a second; most of them move.
const SCENES: [&str; 6] = [
    "testsrc2=s=640x360:r=25:d=4",
    "mandelbrot=s=640x360:r=25:start_scale=1,trim=duration=4",
    "testsrc=s=640x360:r=25:d=4",
    "smptebars=s=640x360:r=25:d=4",
    "testsrc2=s=640x360:r=25:d=4,negate,hflip",
    "testsrc=s=640x360:r=25:d=4,vflip",
];
/// What the next version lacks: from the first scene into the second.
const CUT: std::ops::Range<i64> = 2_400..6_000;

/// The functions of the chain that decode and judge, on real files; the test answers for the models.
struct Stage {
    world: World,
    project: Project,
    extract: Arc<dyn AnyHandler>,
    finalize: Arc<dyn AnyHandler>,
    folder: tempfile::TempDir,
}

impl Stage {
    async fn open() -> Result<Self> {
        let world = World::new().await;
        let extract = frame_extract::FrameExtract::connect(world.shared()).await;
        let finalize = report_finalize::ReportFinalize::connect(world.shared()).await;
        Ok(Self {
            extract: boxed(extract.map_err(anyhow::Error::from_boxed)?),
            finalize: boxed(finalize.map_err(anyhow::Error::from_boxed)?),
            project: world.project(&world.user(Role::Client).await?).await?,
            folder: tempfile::tempdir()?,
            world,
        })
    }

    /// The scenes in a row, through this filter and with these settings of the encoder.
    fn clip(&self, name: &str, filter: &str, encoder: &[&str]) -> Result<Vec<u8>> {
        let path = self.folder.path().join(name);
        let (mut scenes, mut inputs) = (String::new(), String::new());
        for (n, scene) in SCENES.iter().enumerate() {
            write!(scenes, "{scene},setsar=1[s{n}];")?;
            write!(inputs, "[s{n}]")?;
        }
        let graph = format!("{scenes}{inputs}concat=n={}{filter}[out]", SCENES.len());
        let fixed = [
            "-map",
            "[out]",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p",
        ];
        let args = ["-filter_complex", &graph].into_iter().chain(fixed);
        ffmpeg(args.chain(encoder.iter().copied()), &path)?;
        Ok(std::fs::read(path)?)
    }

    /// Uploads a version; the models find nudity in frames that come up in these stretches, and have
    /// no answer in those.
    async fn checked(
        &self,
        clip: Vec<u8>,
        nude: &[Stretch],
        silent: &[Stretch],
    ) -> Result<VideoId> {
        let video = self.world.uploaded(&self.project, clip).await?.video_id;
        let event = self.world.event(&VideoUploaded::new(video))?;
        let outcome = self.world.bring(self.extract.as_ref(), &event).await;
        ensure!(outcome.verdict == Verdict::Done, "{:?}", outcome.error);
        for due in self.world.messages::<PredictionDue>().await? {
            self.answer(due.prediction_id, nude, silent).await?;
        }
        self.world
            .drain(std::slice::from_ref(&self.finalize))
            .await?;
        Ok(video)
    }

    async fn answer(&self, id: PredictionId, nude: &[Stretch], silent: &[Stretch]) -> Result<()> {
        let question = self.world.store.prediction(id).await?;
        if question.status.is_closed() {
            return Ok(());
        }
        let comes_up = |stretches: &[Stretch]| {
            let spans = question.target.spans.iter();
            let mut starts = spans.map(|span| span.start_ms);
            question.task == Task::Nudity
                && starts.any(|at| stretches.iter().any(|s| (s.0..s.1).contains(&at)))
        };
        let found = comes_up(nude).then(|| question.target.place(question.task, &nudity()));
        let closing = match comes_up(silent) {
            true => Closing::of(PredictionStatus::Failed),
            false => Closing {
                answer: Some(json!({})),
                ..Closing::of(PredictionStatus::Succeeded)
            },
        };
        let mut tx = self.world.store.transaction().await?;
        tx.conclude(id, &closing, &found.unwrap_or_default())
            .await?;
        Ok(tx.commit().await?)
    }

    async fn report(&self, video: VideoId) -> Result<Report> {
        let report = self.world.store.latest_report(video).await?;
        report.with_context(|| format!("no report on {video}"))
    }

    /// An operator says that a risk is none.
    async fn decide(&self, risk: &Value) -> Result<()> {
        let operator = self.world.user(Role::Operator).await?;
        let trigger_id: TriggerId = risk["id"].as_str().context("an id")?.parse()?;
        let mut tx = self.world.store.transaction().await?;
        let label = NewLabel {
            trigger_id,
            operator_id: operator.user_id,
            final_label: "ok_false".into(),
            comment: None,
        };
        tx.decide(label).await?;
        Ok(tx.commit().await?)
    }
}

/// Milliseconds from and to.
type Stretch = (i64, i64);

fn ffmpeg<'a>(args: impl Iterator<Item = &'a str>, out: &Path) -> Result<()> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y"]).args(args);
    let made = command.arg(out).output().context("ffmpeg does not start")?;
    let told = String::from_utf8_lossy(&made.stderr);
    ensure!(made.status.success(), "{told}");
    Ok(())
}

fn nudity() -> Finding {
    Finding {
        label: "nsfw".into(),
        score: 0.95,
        within: None,
        bbox: None,
        text: None,
        words: Vec::new(),
    }
}

fn list<'a>(value: &'a Value, name: &str) -> Result<&'a Vec<Value>> {
    value[name]
        .as_array()
        .with_context(|| format!("no {name} in {value}"))
}

/// The same moments in a version without the cut.
fn shifted(stretch: Stretch) -> Stretch {
    let shift_ms = CUT.end - CUT.start;
    (stretch.0 - shift_ms, stretch.1 - shift_ms)
}

/// Cut out, let be, blurred, put in (in the new version alone).
const NUDE: [Stretch; 3] = [(2_700, 5_000), (8_700, 9_300), (19_900, 20_500)];
const PUT_IN: Stretch = (16_500, 17_500);

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_was_cut_and_encoded_anew_is_compared_to_the_frame() -> Result<()> {
    let stage = Stage::open().await?;
    let first = stage.clip("first.mp4", "", &["-crf", "20"])?;
    let first = stage.checked(first, &NUDE, &[]).await?;
    let before = stage.report(first).await?.body;
    ensure!(before.get("changes").is_none(), "a first version");
    ensure!(list(&before, "risks")?.len() == NUDE.len(), "{before:#}");
    for risk in list(&before, "risks")? {
        stage.decide(risk).await?;
    }

    // Frames 60 to 149 are gone; everything is smaller and worse.
    let filter = ",select='not(between(n,60,149))',setpts=N/25/TB,scale=426:240";
    let second = stage.clip("second.mp4", filter, &["-crf", "30"])?;
    let nude = [shifted(NUDE[1]), shifted(PUT_IN)];
    let second = stage.checked(second, &nude, &[]).await?;
    let report = stage.report(second).await?.body;
    let changes = &report["changes"];
    let fates = ["fixed", "moved", "new", "still_there", "unknown"];
    for (fate, count) in fates.into_iter().zip([2, 1, 1, 0, 0]) {
        ensure!(changes[fate] == count, "{fate} is not {count}: {changes:#}");
    }
    let moved = list(changes, "findings")?
        .iter()
        .find(|change| change["fate"] == "moved");
    let moved = moved.context("nothing has moved")?;
    ensure!(moved["shift_seconds"] == json!(-3.6), "{moved:#}");
    let stretches = list(changes, "stretches")?;
    let times: Vec<[f64; 3]> = stretches
        .iter()
        .map(|s| {
            ["old_start", "new_start", "length"].map(|name| s[name].as_f64().unwrap_or(f64::NAN))
        })
        .collect();
    let expected = [[0.0, 0.0, 2.4], [6.0, 2.4, 18.0]];
    let near = |(found, expected): (&[f64; 3], &[f64; 3])| {
        found
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() < 0.041)
    };
    ensure!(
        times.len() == 2 && times.iter().zip(&expected).all(near),
        "{times:?} is not {expected:?}"
    );

    let kept: Vec<&Value> = list(&report, "risks")?
        .iter()
        .filter(|risk| risk["decision"]["carried_from"] == json!(first))
        .collect();
    ensure!(
        kept.len() == 1 && kept[0]["id"] == moved["new"],
        "{kept:#?}"
    );
    let labels = stage.world.store.labels(second).await?;
    ensure!(
        labels.len() == 1 && labels[0].decided_on == first,
        "{labels:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_model_has_answered_for_is_not_fixed() -> Result<()> {
    let stage = Stage::open().await?;
    let clip = stage.clip("first.mp4", "", &["-crf", "20"])?;
    stage.checked(clip, &NUDE[1..], &[]).await?;
    let again = stage.clip("again.mp4", "", &["-crf", "28"])?;
    let again = stage.checked(again, &[], &[(19_000, 22_000)]).await?;
    let report = stage.report(again).await?.body;
    let changes = &report["changes"];
    ensure!(
        changes["fixed"] == 1 && changes["unknown"] == 1,
        "{changes:#}"
    );
    let unknown = list(changes, "findings")?
        .iter()
        .find(|change| change["fate"] == "unknown");
    let unknown = unknown.context("nothing is unknown")?;
    ensure!(unknown["reason"] == "gap", "{unknown:#}");
    ensure!(
        unknown["old"]["start_seconds"].as_f64() > Some(19.0),
        "{unknown:#}"
    );
    Ok(())
}
