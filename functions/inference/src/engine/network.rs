//! One model, open for any number of questions at a time.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use ort::session::{OutputSelector, RunOptions, Session, SessionInputValue};
use ort::value::{DynValue, Outlet};

use super::Engine;

/// Where sessions of a model are made from.
pub(super) enum Source {
    File(PathBuf),
    Memory(Vec<u8>),
}

/// An input by its name.
pub(crate) type Named<'a> = (Cow<'a, str>, SessionInputValue<'a>);

/// What a model wants to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    pub(crate) name: String,
    /// Sizes; -1 varies.
    pub(crate) sizes: Vec<i64>,
}

/// One model.
pub(crate) struct Network {
    engine: Engine,
    source: Source,
    /// Weights that every run is given, without a copy.
    lent: Vec<(String, DynValue)>,
    inputs: Vec<Input>,
    outputs: Vec<String>,
    /// Sessions that answer nothing just now.
    idle: Mutex<Vec<Session>>,
}

impl Network {
    pub(super) fn open(
        engine: Engine,
        source: Source,
        lent: Vec<(String, DynValue)>,
    ) -> ort::Result<Self> {
        let session = engine.session(&source)?;
        let is_asked = |input: &Input| lent.iter().all(|(name, _)| *name != input.name);
        let inputs = session.inputs().iter().map(Input::of).filter(is_asked);
        Ok(Self {
            inputs: inputs.collect(),
            engine,
            source,
            lent,
            outputs: session.outputs().iter().map(name).collect(),
            idle: Mutex::new(vec![session]),
        })
    }

    /// What it wants to be given.
    pub(crate) fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// What it can answer.
    pub(crate) fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// Answers the wanted outputs, in their order.
    pub(crate) fn run<'a>(
        &'a self,
        mut inputs: Vec<Named<'a>>,
        wanted: &[String],
    ) -> ort::Result<Vec<DynValue>> {
        let lent = self.lent.iter();
        inputs.extend(lent.map(|(name, weight)| (name.as_str().into(), weight.into())));
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

impl Input {
    fn of(outlet: &Outlet) -> Self {
        let sizes = outlet.dtype().tensor_shape();
        Self {
            name: name(outlet),
            sizes: sizes.map_or_else(Vec::new, |sizes| sizes.to_vec()),
        }
    }
}

fn name(outlet: &Outlet) -> String {
    outlet.name().to_owned()
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("inputs", &self.inputs)
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}
