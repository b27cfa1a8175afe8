//! One model, open for any number of questions at a time.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use ort::session::{OutputSelector, RunOptions, Session, SessionInputValue};
use ort::value::{DynValue, Outlet};

use super::Engine;

/// Where sessions of a model are made from.
pub(super) enum Source {
    File(PathBuf),
    /// A graph without its weights, and the weights, which all sessions share.
    Parts {
        graph: Vec<u8>,
        weights: Vec<(String, Arc<DynValue>)>,
    },
}

/// An input by its name.
pub(crate) type Named<'a> = (Cow<'a, str>, SessionInputValue<'a>);

/// One model.
pub(crate) struct Network {
    engine: Engine,
    source: Source,
    inputs: Vec<Outlet>,
    outputs: Vec<String>,
    /// Sessions that answer nothing just now.
    idle: Mutex<Vec<Session>>,
}

impl Network {
    pub(super) fn open(engine: Engine, source: Source) -> ort::Result<Self> {
        let session = engine.session(&source)?;
        Ok(Self {
            engine,
            source,
            inputs: session.inputs().to_vec(),
            outputs: names(session.outputs()),
            idle: Mutex::new(vec![session]),
        })
    }

    /// What it wants to be given.
    pub(crate) fn inputs(&self) -> &[Outlet] {
        &self.inputs
    }

    /// What it can answer.
    pub(crate) fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// Answers the wanted outputs, in their order.
    pub(crate) fn run(&self, inputs: Vec<Named<'_>>, wanted: &[String]) -> ort::Result<Vec<DynValue>> {
        let select = |all: OutputSelector, name: &String| all.with(name);
        let selected = wanted.iter().fold(OutputSelector::no_default(), select);
        let options = RunOptions::new()?.with_outputs(selected);
        let mut session = self.take()?;
        let outputs = session.run_with_options(inputs, &options);
        let outputs = outputs.map(|all| all.into_iter().map(|(_, value)| value).collect());
        self.idle().push(session);
        outputs
    }

    fn take(&self) -> ort::Result<Session> {
        let idle = self.idle().pop();
        idle.map_or_else(|| self.engine.session(&self.source), Ok)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn names(outlets: &[Outlet]) -> Vec<String> {
    outlets
        .iter()
        .map(|outlet| outlet.name().to_owned())
        .collect()
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("inputs", &self.inputs)
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}
