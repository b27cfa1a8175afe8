//! What a pack would change for the stored videos, by their stored evidence alone.

use std::path::Path;

use anyhow::bail;
use comfy_table::{Table, presets};
use report_finalize::Judgement;
use shared_domain::VideoId;
use shared_policy::{Pack, Packs};
use time::Date;

use super::file;
use crate::judge::Judge;

/// What changes, one line a video, and how much that is.
pub(super) async fn diff(judge: &Judge, old: &str, new: &str) -> anyhow::Result<String> {
    let packs = judge.function.packs().await?;
    let today = judge.store.now().date();
    let named = |what| named(judge, &packs, what, today);
    let (old, new) = (named(old)?, named(new)?);
    let mut changes = Changes::default();
    for video_id in judge.store.judged_videos().await? {
        let before = judge.function.judgement_by(video_id, &old).await?;
        let after = judge.function.judgement_by(video_id, &new).await?;
        if let Some((before, after)) = before.zip(after) {
            changes.add(video_id, &before, &after);
        }
    }
    Ok(changes.told())
}

/// A pack by its id, as it is in force today, or by its file, whenever that holds.
fn named(judge: &Judge, packs: &Packs, what: &str, today: Date) -> anyhow::Result<Pack> {
    if let Some(pack) = packs.in_force(what, today) {
        return Ok(pack.clone());
    }
    let path = Path::new(what);
    if !path.exists() {
        bail!(
            "{what:?} is neither a pack in force nor a file: `compliance policy list` shows the packs"
        );
    }
    let pack = file::text(path)?.and_then(|yaml| Ok(judge.function.read_pack(packs, &yaml)?));
    pack.map_err(|fault| anyhow::anyhow!(fault.told(path)))
}

/// What was compared, and the lines of what differs.
#[derive(Debug, Default)]
struct Changes {
    videos: usize,
    verdicts: usize,
    bands: usize,
    rows: Vec<[String; 5]>,
}

impl Changes {
    fn add(&mut self, video_id: VideoId, before: &Judgement, after: &Judgement) {
        self.videos += 1;
        self.verdicts += usize::from(before.verdict != after.verdict);
        self.bands += usize::from(before.band != after.band);
        if before == after {
            return;
        }
        let band = |of: &Judgement| of.band.clone().unwrap_or_else(|| "-".into());
        self.rows.push([
            video_id.to_string(),
            before.name.clone(),
            change(before.verdict, after.verdict),
            change(&band(before), &band(after)),
            change(&before.risks.to_string(), &after.risks.to_string()),
        ]);
    }

    fn told(self) -> String {
        let mut lines = Vec::new();
        if !self.rows.is_empty() {
            let mut table = Table::new();
            table
                .load_preset(presets::NOTHING)
                .set_header(["VIDEO", "NAME", "VERDICT", "BAND", "RISKS"]);
            table.add_rows(self.rows);
            for column in table.column_iter_mut() {
                column.set_padding((0, 2));
            }
            lines.extend(table.lines().map(|line| line.trim_end().to_owned()));
        }
        lines.push(format!(
            "videos compared: {}, verdicts that change: {}, bands that change: {}",
            self.videos, self.verdicts, self.bands
        ));
        lines.join("\n")
    }
}

fn change(before: &str, after: &str) -> String {
    match before == after {
        true => before.to_owned(),
        false => format!("{before} > {after}"),
    }
}
