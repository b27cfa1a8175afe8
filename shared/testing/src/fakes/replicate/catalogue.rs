//! The models that the provider has: the hosted ones, or those of our own local service.

use serde_json::{Value, json};
use shared_domain::Task;

use super::State;

/// A model of the catalogue.
#[derive(Debug, Clone)]
pub struct Model {
    /// What it is asked for.
    pub task: Task,
    /// `Adapter::as_str`.
    pub adapter: &'static str,
    /// The input that takes the URL.
    pub file_field: &'static str,
}

/// Models of the hosted service that are asked unless the settings choose others.
pub(super) const HOSTED: [(Task, &str, &str, &str); 4] = [
    (
        Task::Speech,
        "thomasmol/whisper-diarization",
        "cbd15da9f839c5f932742f86ce7def3a03c22e2b4171d42823e83e314547003f",
        "file_url",
    ),
    (
        Task::Nudity,
        "falcons-ai/nsfw_image_detection",
        "97116600cabd3037e5f22ca08ffcc33b92cfacebf7ccd3609e9c1d29e43d3a8d",
        "image",
    ),
    (
        Task::Objects,
        "adirik/grounding-dino",
        "efd10a8ddc57ea28773327e881ce95e20cc1d734c589f7dd01d2036921ed78aa",
        "image",
    ),
    (
        Task::Text,
        "hexiaochun/pp-ocr-v4",
        "084b779cb09bc2462335a5768fabaeaaba53bb3f70afd0d2fe48fad71fdc4d5a",
        "image",
    ),
];

pub(super) fn model(task: Task, adapter: &'static str, file_field: &'static str) -> Model {
    Model {
        task,
        adapter,
        file_field,
    }
}

/// 64 hex digits, a different number for each task.
pub(super) fn version_of(task: Task) -> String {
    let place = Task::ALL.iter().position(|known| *known == task);
    format!("{:064x}", 0xc0_ffee + place.unwrap_or_default())
}

impl Model {
    /// As the local function lists it.
    fn listed(&self) -> Value {
        json!({
            "url": "", "owner": "local", "name": self.task, "description": "", "visibility": "public",
            "run_count": 0, "latest_version": { "id": version_of(self.task) },
            "card": { "task": self.task, "adapter": self.adapter, "file_field": self.file_field,
                      "licence": "MIT", "limits": [] },
        })
    }
}

/// The input that takes the file; `None` when nobody has this version.
pub(super) fn file_field(version: &str, known: &State) -> Option<&'static str> {
    if known.hosted {
        let is_there = |task| !known.withdrawn.contains(task);
        let mut hosted = HOSTED.iter().filter(|(task, ..)| is_there(task));
        let found = hosted.find(|(_, _, hash, _)| *hash == version);
        return found.map(|(_, _, _, field)| *field);
    }
    let fits = |model: &&Model| version_of(model.task) == version;
    known.models.iter().find(fits).map(|model| model.file_field)
}

/// Model and version that the hosted service has for a task.
pub(super) fn hosted_for(task: Task) -> (&'static str, &'static str) {
    let found = HOSTED.iter().find(|(of, ..)| *of == task);
    found.map_or(("nobody/nothing", "0"), |(_, model, version, _)| {
        (model, version)
    })
}

/// `GET /v1/models`.
pub(super) fn listed(known: &State) -> Vec<Value> {
    match known.hosted {
        true => HOSTED.iter().map(hosted).collect(),
        false => known.models.iter().map(Model::listed).collect(),
    }
}

/// Without a card: only our own service has those.
fn hosted((_, model, version, _): &(Task, &str, &str, &str)) -> Value {
    let (owner, name) = model.split_once('/').unwrap_or_default();
    json!({ "owner": owner, "name": name, "visibility": "public",
            "latest_version": { "id": version } })
}
