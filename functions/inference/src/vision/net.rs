//! A network with one picture-like input, loaded when it is first asked.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ort::value::{DynValue, TensorRef};

use super::VisionError;
use crate::engine::{Engine, Network};

/// One model file in memory.
#[derive(Debug)]
pub(super) struct Net {
    name: &'static str,
    network: Network,
    input: String,
    outputs: Vec<String>,
}

/// One output: its sizes and its numbers in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

impl Net {
    /// Loads a file and wants every output of it.
    pub(super) fn load(
        name: &'static str,
        file: &Path,
        engine: &Engine,
    ) -> Result<Self, VisionError> {
        let failed = VisionError::load(file);
        let network = engine
            .open(file)
            .map_err(|error| failed(error.to_string()))?;
        Self::of(name, network).map_err(failed)
    }

    /// Loads a file that was converted here; `outputs` names what is wanted.
    pub(super) fn load_converted(
        name: &'static str,
        file: &Path,
        outputs: &[&str],
        engine: &Engine,
    ) -> Result<Self, VisionError> {
        let failed = VisionError::load(file);
        let network = engine.open_converted(file);
        let network = network.map_err(|error| failed(error.to_string()))?;
        let mut net = Self::of(name, network).map_err(failed)?;
        net.outputs = outputs.iter().map(|&output| output.to_owned()).collect();
        Ok(net)
    }

    fn of(name: &'static str, network: Network) -> Result<Self, String> {
        let [input] = network.inputs() else {
            let count = network.inputs().len();
            return Err(format!("it has {count} inputs instead of one"));
        };
        Ok(Self {
            name,
            input: input.name.clone(),
            outputs: network.outputs().to_vec(),
            network,
        })
    }

    /// Runs the network on numbers of the given sizes.
    pub(super) fn run(&self, shape: &[usize], values: &[f32]) -> Result<Vec<Answer>, VisionError> {
        let failed = VisionError::run(self.name);
        let input = TensorRef::from_array_view((shape, values)).map_err(&failed)?;
        let inputs = vec![(self.input.as_str().into(), input.into())];
        let outputs = self.network.run(inputs, &self.outputs).map_err(failed)?;
        outputs.iter().map(|value| self.answer(value)).collect()
    }

    fn answer(&self, value: &DynValue) -> Result<Answer, VisionError> {
        let (shape, values) = value
            .try_extract_tensor::<f32>()
            .map_err(|_| VisionError::shape(self.name))?;
        let sizes = shape.iter().map(|&size| usize::try_from(size));
        let shape = sizes.collect::<Result<Vec<usize>, _>>();
        let shape = shape.map_err(|_| VisionError::shape(self.name))?;
        if values.iter().all(|value| value.is_finite()) {
            let values = values.to_vec();
            Ok(Answer { shape, values })
        } else {
            Err(VisionError::run(self.name)("its answer is not a number"))
        }
    }
}

/// Something that is loaded by the first question and shared by all.
pub(super) struct OnDemand<T> {
    slot: Mutex<Option<Arc<T>>>,
    load: Box<dyn Fn() -> Result<T, VisionError> + Send + Sync>,
}

impl<T> OnDemand<T> {
    pub(super) fn new(load: impl Fn() -> Result<T, VisionError> + Send + Sync + 'static) -> Self {
        Self {
            slot: Mutex::default(),
            load: Box::new(load),
        }
    }

    pub(super) fn loaded(&self) -> Result<Arc<T>, VisionError> {
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = &*slot {
            return Ok(Arc::clone(loaded));
        }
        let fresh = Arc::new((self.load)()?);
        *slot = Some(Arc::clone(&fresh));
        Ok(fresh)
    }
}

impl<T> fmt::Debug for OnDemand<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnDemand")
    }
}
