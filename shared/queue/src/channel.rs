//! The in-process transport: one wake-up per stream.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Wakes the readers of a stream in this process.
#[derive(Debug, Clone, Default)]
pub struct Channel(Arc<Mutex<HashMap<String, Arc<Notify>>>>);

impl Channel {
    /// The bell of a stream.
    pub(crate) fn bell(&self, stream: &str) -> Arc<Notify> {
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bells.entry(stream.to_owned()).or_default().clone()
    }

    /// Wakes one reader, or the next one that comes to wait.
    pub(crate) fn ring(&self, stream: &str) {
        self.bell(stream).notify_one();
    }
}
