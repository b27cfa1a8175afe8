//! The version before: what changed since, and which decisions still hold.

use shared_domain::{Detection, ExecutionId, Likeness, Task, TriggerId, VideoId, Word};
use shared_objects::{ObjectsError, keys};
use shared_policy::{Changes, Decision, Report, Risk, Version, compare};
use shared_store::{Label, Tx};
use tracing::{info, warn};

use crate::{Error, ReportFinalize};

/// Two hours in which every frame is a cut.
const LIMIT: u64 = 64 << 20;
/// Who decided, as the client may see it.
const OPERATOR: &str = "operator";

/// What the record has to learn.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    previous: Option<VideoId>,
    /// Decisions and the risks of this version that they hold for.
    carried: Vec<(Label, TriggerId)>,
}

impl Versions {
    /// Writes it down, together with the report that says the same.
    pub(crate) async fn keep(&self, tx: &mut Tx, video_id: VideoId) -> Result<(), Error> {
        if let Some(previous) = self.previous {
            tx.set_previous_video(video_id, previous).await?;
        }
        for (label, trigger_id) in &self.carried {
            tx.carry_label(label.label_id, *trigger_id).await?;
        }
        Ok(())
    }
}

impl ReportFinalize {
    /// Lays the version before beside this one, and tells in the report what came of it.
    pub(crate) async fn compare(
        &self,
        report: &mut Report,
        run: ExecutionId,
    ) -> Result<Versions, Error> {
        let id = report.video.id;
        let Some(previous) = self.store.previous_version(id).await? else {
            return Ok(Versions::default());
        };
        let Some(before) = self.store.latest_report(previous).await? else {
            return Ok(Versions::default());
        };
        let old: Report = match serde_json::from_value(before.body) {
            Ok(old) => old,
            Err(error) => {
                warn!(%error, "the report on an earlier version cannot be read");
                return Ok(Versions::default());
            }
        };
        let said = self.store.detections(before.execution_id).await?;
        let says = self.store.detections(run).await?;
        let shown = [self.likenesses(previous).await?, self.likenesses(id).await?];
        let spoken = [words(&said), words(&says)];
        let version = |report, at: usize| Version {
            report,
            pictures: &shown[at],
            words: &spoken[at],
        };
        let changes = compare(&version(&old, 0), &version(&*report, 1));
        let labels = self.store.labels(previous).await?;
        let carried = carry(report, &changes, &labels);
        let (fixed, decided) = (changes.fixed, carried.len());
        info!(video.id = %id, fixed, decided, "video {id} is compared with {previous}");
        report.changes = Some(changes);
        Ok(Versions {
            previous: Some(previous),
            carried,
        })
    }

    /// What the pictures of a video look like; nothing where no release has noted it.
    async fn likenesses(&self, id: VideoId) -> Result<Vec<Likeness>, Error> {
        let json = match self.objects.get(&keys::likeness(id), LIMIT).await {
            Err(ObjectsError::NotFound { .. }) => return Ok(Vec::new()),
            found => found?,
        };
        let noted: Result<Vec<Likeness>, _> = serde_json::from_slice(&json);
        if let Err(error) = &noted {
            warn!(%error, "what the pictures look like cannot be read");
        }
        let mut noted = noted.unwrap_or_default();
        noted.sort_unstable();
        Ok(noted)
    }
}

/// Repeats the decisions of the version before where nothing has changed; answers for which risks.
fn carry(report: &mut Report, changes: &Changes, labels: &[Label]) -> Vec<(Label, TriggerId)> {
    let mut carried = Vec::new();
    for (then, now) in changes.unchanged() {
        let label = labels.iter().find(|label| label.trigger_id == then);
        let undecided = |risk: &&mut Risk| risk.id == now && risk.decision.is_none();
        let risk = report.risks.iter_mut().find(undecided);
        if let (Some(label), Some(risk)) = (label, risk) {
            risk.decision = Some(decision(label));
            carried.push((label.clone(), now));
        }
    }
    carried
}

fn words(detections: &[Detection]) -> Vec<Word> {
    let spoken = detections
        .iter()
        .filter(|found| found.task == Task::Speech && !found.is_undecided());
    let mut words: Vec<Word> = spoken.flat_map(|found| found.words.clone()).collect();
    words.sort_by_key(|word| (word.start_ms, word.end_ms));
    words
}

fn decision(label: &Label) -> Decision {
    Decision {
        label: label.final_label.clone(),
        by: OPERATOR.to_owned(),
        at: label.decided_at,
        comment: label.comment.clone(),
        carried_from: Some(label.decided_on),
    }
}
