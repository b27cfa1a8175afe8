//! ONNX Runtime: the library is loaded once per process, models are opened in it and run.
//!
//! The surprise: a session of the library answers one question at a time, so that a `Network` keeps
//! as many sessions as there were ever questions at once. What they cost is small: of our own large
//! models they share the weights.

mod library;
mod network;
mod weights;

use std::path::Path;

use ort::environment::Environment;
use ort::ep::CPU;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

pub(crate) use network::Network;

use crate::weights::{Folder, WeightsError};
use network::Source;
use weights::{Parts, ReadError};

/// The loaded library, and how much of the machine one question may take.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    environment: Environment,
    threads: usize,
}

impl Engine {
    /// Loads the library, if nobody has yet, after its checksum was verified.
    pub(crate) fn start(folder: &Folder, threads: usize) -> Result<Self, WeightsError> {
        let environment = library::environment(folder)?;
        let threads = threads.max(1);
        Ok(Self {
            environment,
            threads,
        })
    }

    /// Opens a model file of any origin.
    pub(crate) fn open(&self, file: &Path) -> ort::Result<Network> {
        Network::open(self.clone(), Source::File(file.to_owned()), Vec::new())
    }

    /// Opens a model file that was converted here: its weights are 16-bit floats.
    pub(crate) fn open_converted(&self, file: &Path) -> ort::Result<Network> {
        self.open_parts(weights::inside(file))
    }

    /// As `open_converted`, for a model so large that its sessions share the weights; nothing can be
    /// computed from them in advance.
    pub(crate) fn open_large(&self, file: &Path) -> ort::Result<Network> {
        self.open_parts(weights::outside(file))
    }

    fn open_parts(&self, parts: Result<Parts, ReadError>) -> ort::Result<Network> {
        let parts = parts.map_err(|error| ort::Error::new(error.to_string()))?;
        Network::open(self.clone(), Source::Memory(parts.model), parts.lent)
    }

    fn session(&self, source: &Source) -> ort::Result<Session> {
        let mut builder = self.builder()?;
        match source {
            Source::File(file) => builder.commit_from_file(file),
            Source::Memory(model) => builder.commit_from_memory(model),
        }
    }

    fn builder(&self) -> ort::Result<SessionBuilder> {
        let builder = Session::builder(&self.environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_deterministic_compute(true)?
            // It makes a matrix times a scaled vector slow: a step of Whisper takes a quarter longer.
            .with_disabled_optimizers("MatMulScaleFusion")?
            .with_intra_threads(self.threads)?
            .with_inter_threads(1)?
            // A waiting thread sleeps: other questions, decoding and the database need the cores.
            .with_intra_op_spinning(false)?
            .with_inter_op_spinning(false)?
            // All three cost more memory than they save time: a pool that each session keeps, plans
            // for each size of input, and a second copy of the weights.
            .with_execution_providers([CPU::default().with_arena_allocator(false).build()])?
            .with_memory_pattern(false)?
            .with_prepacking(false)?;
        Ok(builder)
    }
}

#[cfg(test)]
pub(crate) mod tests;
