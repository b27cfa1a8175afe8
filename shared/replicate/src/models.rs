//! Which model answers which task: the hosted ones are pinned here, the local ones are learned from
//! the local function's own list, which marks each of its models with a `card` (see the README).
//!
//! The surprise: hashes in public code are often invented, and a newer version of a model may answer
//! in another shape. A version and its adapter are therefore pinned together.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};
use shared_domain::{Finding, LOOKED, MediaKind, Reader, Target, Task};

use crate::hosted::{DEFAULTS, Hosted, KNOWN, READS_NO_RUSSIAN};
use crate::{AdaptError, Adapter, Prices, Replicate, ReplicateError};

/// Who runs a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Replicate's own service.
    Replicate,
    /// The function `inference`.
    Local,
}

impl Provider {
    /// The name in tables and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replicate => "replicate",
            Self::Local => "local",
        }
    }
}

/// One model that answers one task.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelEntry {
    /// What it is asked for.
    pub task: Task,
    /// Who runs it.
    pub provider: Provider,
    /// `owner/name`.
    pub model: String,
    /// 64 hex digits.
    pub version: String,
    /// Reads its output.
    pub adapter: Adapter,
    /// The input field that takes the URL of the frame or of the sound.
    pub file_field: String,
    /// The other input fields.
    pub fixed: Map<String, Value>,
    /// Of active time, in US dollars; 0 for local models.
    pub price_per_second_usd: f64,
    /// How long it usually works on one frame, or on one second of sound.
    pub seconds: f64,
    /// A prediction older than this is given up by the provider; leaves room for a cold start.
    pub cancel_after: Duration,
    /// Of the weights, where the provider tells it.
    pub licence: String,
    /// What it cannot do, for the report: `ru_text_not_checked`.
    pub limits: Vec<String>,
}

impl ModelEntry {
    /// The way to this model alone, which rests when the provider does not have it: named after the
    /// task, so that another model for the task finds the questions that wait.
    pub fn lane(&self) -> String {
        format!("{}/{}", self.provider.as_str(), self.task)
    }

    /// The input for one object.
    pub fn input(&self, url: &str) -> Map<String, Value> {
        let mut input = self.fixed.clone();
        input.insert(self.file_field.clone(), url.into());
        input
    }

    /// What an answer says of a target. A second opinion says at least that somebody looked.
    pub fn findings(&self, output: &Value, target: &Target) -> Result<Vec<Finding>, AdaptError> {
        let mut findings = self.adapter.adapt(output, target)?;
        if self.task == Task::Context {
            findings.push(Finding {
                label: LOOKED.into(),
                score: 1.0,
                within: None,
                bbox: None,
                text: None,
                words: Vec::new(),
            });
        }
        Ok(findings)
    }

    /// What a prediction of this length costs.
    pub fn cost_usd(&self, predict_time: Duration) -> f64 {
        self.price_per_second_usd * predict_time.as_secs_f64()
    }

    /// What a question about this target is expected to cost.
    pub fn estimate_usd(&self, target: &Target) -> f64 {
        let ms: i64 = target.spans.iter().map(|s| s.end_ms - s.start_ms).sum();
        let pieces = match target.media {
            MediaKind::Frame => 1.0,
            // A short piece takes a moment too.
            MediaKind::Audio => seconds(ms).max(10.0),
        };
        self.price_per_second_usd * self.seconds * pieces
    }

    fn hosted(known: &Hosted, task: Task, version: &str, config: &RegistryConfig) -> Self {
        let limit = (known.model == READS_NO_RUSSIAN).then(|| "ru_text_not_checked".to_owned());
        Self {
            task,
            provider: Provider::Replicate,
            model: known.model.to_owned(),
            version: version.to_owned(),
            adapter: known.adapter,
            file_field: known.file_field.to_owned(),
            fixed: serde_json::from_str(known.fixed).unwrap_or_default(),
            price_per_second_usd: config.prices.of(known.hardware),
            seconds: known.seconds,
            cancel_after: config.deadline,
            licence: String::new(),
            limits: limit.into_iter().collect(),
        }
    }

    /// Reads a model of the list; `None` when it carries no card or one that we cannot use.
    fn local(model: &Value) -> Option<Self> {
        let card = &model["card"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let limits = card["limits"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        Some(Self {
            task: card["task"].as_str()?.parse().ok()?,
            provider: Provider::Local,
            model: format!("{}/{}", model["owner"].as_str()?, model["name"].as_str()?),
            version: text(&model["latest_version"]["id"])?,
            adapter: card["adapter"].as_str()?.parse().ok()?,
            file_field: text(&card["file_field"])?,
            fixed: Map::new(),
            price_per_second_usd: 0.0,
            seconds: 0.0,
            // Every question of a video waits in one queue, behind the questions of others.
            cancel_after: Duration::from_hours(12),
            licence: text(&card["licence"]).unwrap_or_default(),
            limits: limits.iter().filter_map(text).collect(),
        })
    }
}

/// Models that the settings choose, and what they may take.
#[derive(Debug, Clone, PartialEq)]
pub struct RegistryConfig {
    /// `owner/name` and version per task.
    pub chosen: BTreeMap<Task, (String, String)>,
    /// `REPLICATE_TIMEOUT`: the end of one hosted prediction, its time in the queue included.
    pub deadline: Duration,
    /// What the hardware of hosted models costs.
    pub prices: Prices,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            chosen: BTreeMap::new(),
            deadline: Duration::from_mins(30),
            prices: Prices::default(),
        }
    }
}

impl RegistryConfig {
    /// Reads `WHISPER_MODEL_ID`, `NSFW_MODEL_ID`, `VIOLENCE_MODEL_ID`, `YOLO_MODEL_ID`, `OCR_MODEL_ID`,
    /// `CONTEXT_MODEL_ID`, `REPLICATE_TIMEOUT`, `REPLICATE_PRICES_USD`.
    pub fn read(reader: &Reader<'_>) -> Self {
        let mut chosen = BTreeMap::new();
        for task in Task::ALL {
            let Some(name) = task.model_setting() else {
                continue;
            };
            let Some(text) = reader.find(name) else {
                continue;
            };
            match parse_reference(&text) {
                Some((model, version)) if is_usable(task, &model) => {
                    chosen.insert(task, (model, version));
                }
                Some((model, _)) => reader.problem(name, &unusable(task, &model)),
                None => reader.problem(name, "is not owner/name:version with 64 hex digits"),
            }
        }
        Self {
            chosen,
            deadline: deadline(reader),
            prices: Prices::read(reader),
        }
    }
}

/// `REPLICATE_TIMEOUT` (s). The 99th percentile of cold starts is nine minutes.
pub fn deadline(reader: &Reader<'_>) -> Duration {
    let seconds = reader.parse_or("REPLICATE_TIMEOUT", 1800_u64);
    // The provider takes no less than five seconds; a signed URL of the input has to outlive it.
    if !(5..=86_400).contains(&seconds) {
        reader.problem("REPLICATE_TIMEOUT", "is not 5 to 86400 seconds");
    }
    Duration::from_secs(seconds.clamp(5, 86_400))
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a video")]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

fn parse_reference(text: &str) -> Option<(String, String)> {
    let (model, version) = text.split_once(':')?;
    let (owner, name) = model.split_once('/')?;
    let hash = version.len() == 64 && version.bytes().all(|b| b.is_ascii_hexdigit());
    let named = !owner.is_empty() && !name.is_empty() && !name.contains('/');
    (hash && named).then(|| (model.to_owned(), version.to_ascii_lowercase()))
}

fn is_usable(task: Task, model: &str) -> bool {
    let answers = |known: &Hosted| known.tasks.contains(&task);
    model.starts_with("local/") || find_hosted(model).is_some_and(answers)
}

fn find_hosted(model: &str) -> Option<&'static Hosted> {
    KNOWN.iter().find(|known| known.model == model)
}

#[cfg(test)]
pub(crate) fn hosted_entry(model: &str, task: Task, config: &RegistryConfig) -> Option<ModelEntry> {
    let known = find_hosted(model)?;
    Some(ModelEntry::hosted(known, task, known.version, config))
}

fn unusable(task: Task, model: &str) -> String {
    let why = match find_hosted(model) {
        Some(_) => format!("which says nothing of {task}"),
        None => "whose answers nobody here can read".to_owned(),
    };
    let fits = KNOWN.iter().filter(|known| known.tasks.contains(&task));
    let names: Vec<&str> = fits.map(|known| known.model).collect();
    format!("names {model}, {why}; choose of {}", names.join(", "))
}

/// The registry cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The list of local models cannot be read.
    #[error("the list of models cannot be read")]
    Catalog(#[from] ReplicateError),
    /// A setting names a model that this provider does not have.
    #[error("{setting} names {model}, which this provider does not offer")]
    NotOffered {
        /// The setting's name.
        setting: &'static str,
        /// `owner/name:version`.
        model: String,
    },
}

/// The models in use. A task without an entry is reported as not run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Registry(BTreeMap<Task, ModelEntry>);

impl Registry {
    /// Hosted defaults for the hosted service, its own list for the local function, choices on top.
    pub async fn connect(
        replicate: &Replicate,
        config: RegistryConfig,
    ) -> Result<Self, RegistryError> {
        if replicate.is_hosted() {
            return Self::hosted(&config);
        }
        let catalog = replicate.catalog().await?;
        let is_local = |model: &Value| model["card"].is_object();
        // Models without cards: somebody's gateway to the hosted service. No models: none here.
        if catalog.is_empty() || catalog.iter().any(is_local) {
            Self::local(&catalog, config)
        } else {
            Self::hosted(&config)
        }
    }

    /// The pinned hosted models.
    fn hosted(config: &RegistryConfig) -> Result<Self, RegistryError> {
        let mut entries = BTreeMap::new();
        for (task, model) in DEFAULTS {
            if let Some(known) = find_hosted(model) {
                entries.insert(task, ModelEntry::hosted(known, task, known.version, config));
            }
        }
        for (&task, (model, version)) in &config.chosen {
            let known = find_hosted(model).ok_or_else(|| not_offered(task, model, version))?;
            entries.insert(task, ModelEntry::hosted(known, task, version, config));
        }
        Ok(Self(entries))
    }

    /// The first model that the local function lists for each task.
    fn local(catalog: &[Value], config: RegistryConfig) -> Result<Self, RegistryError> {
        let offered: Vec<ModelEntry> = catalog.iter().filter_map(ModelEntry::local).collect();
        let mut entries = BTreeMap::new();
        for entry in &offered {
            entries.entry(entry.task).or_insert_with(|| entry.clone());
        }
        for (task, (model, version)) in config.chosen {
            let fits = |e: &&ModelEntry| e.task == task && e.model == model && e.version == version;
            let entry = offered.iter().find(fits);
            let entry = entry.ok_or_else(|| not_offered(task, &model, &version))?;
            entries.insert(task, entry.clone());
        }
        Ok(Self(entries))
    }

    /// A registry of given entries; the last one for a task counts.
    pub fn of(entries: impl IntoIterator<Item = ModelEntry>) -> Self {
        Self(
            entries
                .into_iter()
                .map(|entry| (entry.task, entry))
                .collect(),
        )
    }

    /// The model of a task. `None`: the task is not run.
    pub fn find(&self, task: Task) -> Option<&ModelEntry> {
        self.0.get(&task)
    }

    /// Every entry, in the order of the tasks.
    pub fn entries(&self) -> impl Iterator<Item = &ModelEntry> {
        self.0.values()
    }
}

fn not_offered(task: Task, model: &str, version: &str) -> RegistryError {
    let setting = task.model_setting().unwrap_or("the registry");
    RegistryError::NotOffered {
        setting,
        model: format!("{model}:{version}"),
    }
}
