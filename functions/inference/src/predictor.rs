//! What the HTTP side asks of a model. A predictor knows nothing of requests, storage or webhooks:
//! it gets fetched bytes and plain fields, and answers with the output JSON of its adapter's shape.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use serde_json::{Map, Value};
use shared_domain::Task;

/// One model behind the API.
pub trait Predictor: Send + Sync {
    /// What the model is; the same for the life of the process.
    fn card(&self) -> &ModelCard;

    /// Answers one question. It runs on a blocking thread and looks at `cancel` at least once a second.
    fn predict(&self, input: &Input, cancel: &Cancel) -> Result<Value, PredictError>;
}

/// What the API tells of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelCard {
    /// The analysis it serves.
    pub task: Task,
    /// `local/whisper-base`.
    pub owner_name: &'static str,
    /// 64 lower-case hex digits: the SHA-256 of the weights and of what runs them. A change of either
    /// is a new version.
    pub version: String,
    /// The shape of its output: a name known to `shared_replicate::adapters`.
    pub adapter: &'static str,
    /// Input fields that hold a file (`image`, `audio`); the first is required.
    pub file_fields: &'static [&'static str],
    /// Of the weights.
    pub licence: &'static str,
    /// One sentence for people.
    pub summary: &'static str,
    /// What it cannot do on this machine, for the report: `ru_text_not_checked`.
    pub limits: Vec<String>,
}

/// The input of one prediction, its files fetched.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// Everything that is not a file.
    pub fields: Map<String, Value>,
    /// The bytes of each file field.
    pub files: BTreeMap<String, Bytes>,
}

impl Input {
    /// The bytes of a file field; its absence is the caller's fault.
    pub fn file(&self, field: &str) -> Result<&Bytes, PredictError> {
        self.files
            .get(field)
            .ok_or_else(|| PredictError::Input(format!("the field {field:?} holds no file")))
    }

    /// A text field, if it is there and is text.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field).and_then(Value::as_str)
    }
}

/// A flag that the server raises when nobody waits for the answer any more.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Raises the flag; every clone sees it.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the work is to be dropped.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// For `?` in loops: fails with `Cancelled` once the flag is up.
    pub fn check(&self) -> Result<(), PredictError> {
        if self.is_cancelled() {
            Err(PredictError::Cancelled)
        } else {
            Ok(())
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PredictError {
    /// The file or the fields are at fault; the same input fails again.
    #[error("{0}")]
    Input(String),
    /// The model or its run time is at fault.
    #[error("{0}")]
    Model(String),
    /// `Cancel` was seen.
    #[error("the prediction was cancelled")]
    Cancelled,
}

impl fmt::Debug for dyn Predictor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Predictor")
            .field(&self.card().owner_name)
            .finish()
    }
}
