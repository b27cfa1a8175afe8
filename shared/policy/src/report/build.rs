//! Puts a report together.

use std::collections::BTreeMap;

use super::{
    AgeBand, CoverageFacts, EvidenceFacts, GapFacts, Judged, PolicyFacts, Report, ReportInput,
    Risk, RiskReason, RunFacts, SCHEMA, WordFacts,
};
use crate::evaluate::{Evaluation, Evidence, TaskCoverage, rate, task_name};
use crate::pack::{Bilingual, Pack, Severity};

impl Report {
    /// Builds the report of a run.
    pub fn build(input: ReportInput<'_>) -> Self {
        let ReportInput {
            video,
            run,
            stage,
            pack,
            evaluation,
            risks,
            frame_urls,
        } = input;
        let age_band = age_band(&risks, evaluation, pack);
        let risks: Vec<Risk> = risks
            .iter()
            .map(|judged| risk(judged, pack, frame_urls))
            .collect();
        Self {
            schema: SCHEMA.to_owned(),
            video,
            run: RunFacts {
                id: run.id,
                started_at: run.started_at,
                completed_at: run.completed_at,
                policy: PolicyFacts {
                    id: pack.id.clone(),
                    version: pack.version.clone(),
                    title: pack.title.clone(),
                    source: pack.source.clone(),
                },
                models: run.models,
                predictions: run.predictions,
                cached: run.cached,
                cost_usd: run.cost_usd,
            },
            verdict: evaluation.verdict,
            verdict_reasons: evaluation.reasons.clone(),
            stage,
            age_band,
            coverage: evaluation
                .coverage
                .iter()
                .map(|entry| coverage(entry, pack))
                .collect(),
            not_checked: evaluation.not_checked.clone(),
            total_triggers: risks.len() as u64,
            triggers_by_type: counted(risks.iter().map(|risk| risk.kind.as_str())),
            triggers_by_source: counted(risks.iter().map(|risk| risk.source.as_str())),
            triggers_by_category: counted(risks.iter().map(|risk| risk.category.as_str())),
            risks,
            transcript: None,
            changes: None,
            disclaimer: pack.disclaimer.clone(),
        }
    }

    /// The file `report.json`: the same report is the same bytes.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// Of the risks that are reported: people may have left some of what the machine found.
fn age_band(risks: &[Judged<'_>], evaluation: &Evaluation, pack: &Pack) -> Option<AgeBand> {
    let complete = evaluation.rating.as_ref().is_none_or(|r| !r.at_least);
    let rating = rate(risks.iter().map(|judged| judged.trigger), complete, pack)?;
    let scale = pack.scale.as_ref()?;
    let band = scale.bands.get(scale.place(&rating.band)?)?;
    let reasons = rating.reasons.iter().filter_map(|at| risks.get(*at));
    Some(AgeBand {
        scheme: pack.id.clone(),
        title: scale.title.clone(),
        value: rating.band,
        name: band.name.clone(),
        at_least: rating.at_least,
        reasons: reasons.map(|judged| judged.id).collect(),
    })
}

fn counted<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name.to_owned()).or_insert(0) += 1;
    }
    counts
}

fn coverage(entry: &TaskCoverage, pack: &Pack) -> CoverageFacts {
    let gap = |gap: &crate::Gap| GapFacts {
        start: seconds(gap.start_ms),
        end: seconds(gap.end_ms),
        reason: gap.reason.clone(),
    };
    CoverageFacts {
        task: entry.task,
        name: task_name(entry.task),
        required: pack.required.contains(&entry.task),
        run: entry.run,
        not_run: entry.not_run,
        seconds: entry.seconds,
        frames: entry.frames,
        cached: entry.cached,
        undecided: entry.undecided,
        failed: entry.failed,
        limits: entry.limits.clone(),
        gaps: entry.gaps.iter().map(gap).collect(),
    }
}

fn risk(judged: &Judged<'_>, pack: &Pack, frame_urls: &BTreeMap<String, String>) -> Risk {
    let trigger = judged.trigger;
    let category = pack.find_category(&trigger.category);
    let bare = || Bilingual {
        ru: trigger.category.clone(),
        en: trigger.category.clone(),
    };
    Risk {
        id: judged.id,
        code: trigger.risk_code.clone(),
        category: trigger.category.clone(),
        risk_name: category.map_or_else(bare, |category| category.name.clone()),
        risk_level: pack
            .severity(&trigger.rule, &trigger.category)
            .unwrap_or(Severity::Medium),
        verdict: trigger.verdict,
        kind: trigger.task,
        source: trigger.source.clone(),
        start_seconds: seconds(trigger.start_ms),
        end_seconds: seconds(trigger.end_ms),
        timestamp: timestamp(trigger.start_ms),
        confidence: score(trigger.confidence),
        unclear: trigger.unclear,
        count: trigger.count as u64,
        description: trigger.description.clone(),
        reason: RiskReason {
            rule: trigger.rule.clone(),
            clause: pack
                .clause(&trigger.rule, &trigger.category)
                .map_or_else(bare, Bilingual::clone),
        },
        evidence: trigger
            .evidence
            .iter()
            .map(|piece| evidence(piece, frame_urls))
            .collect(),
        best_evidence: trigger.best as u64,
        decision: judged.decision.clone(),
    }
}

fn evidence(piece: &Evidence, frame_urls: &BTreeMap<String, String>) -> EvidenceFacts {
    let word = |word: &shared_domain::Word| WordFacts {
        text: word.text.clone(),
        start: seconds(word.start_ms),
        end: seconds(word.end_ms),
        probability: word.probability.map(score),
    };
    EvidenceFacts {
        frame_url: frame_urls.get(&piece.object_key).cloned(),
        object_key: piece.object_key.clone(),
        start: seconds(piece.at_ms),
        end: seconds(piece.end_ms),
        label: piece.label.clone(),
        score: score(piece.score),
        bbox: piece.bbox,
        text: piece.text.clone(),
        highlight: piece.highlight,
        words: piece.words.iter().map(word).collect(),
        unclear: piece.unclear,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a video is shorter than 2^53 milliseconds"
)]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// Four decimals, so that `0.9` is not printed as `0.8999999761581421`.
fn score(score: f32) -> f64 {
    (f64::from(score) * 10_000.0).round() / 10_000.0
}

/// `00:01:02.500`.
pub(crate) fn timestamp(ms: i64) -> String {
    let ms = ms.max(0);
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    format!(
        "{hours:02}:{minutes:02}:{:02}.{:03}",
        ms / 1000 % 60,
        ms % 1000
    )
}
