//! A network with one picture-like input, loaded when it is first asked.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value};
use rten_tensor::Tensor;
use rten_tensor::prelude::*;

use super::VisionError;

/// One model file in memory.
#[derive(Debug)]
pub(super) struct Net {
    name: &'static str,
    model: Model,
    input: NodeId,
    outputs: Vec<NodeId>,
    pool: Option<Arc<ThreadPool>>,
}

/// One output: its sizes and its numbers in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

impl Net {
    /// Loads a file; `outputs` names what is wanted, none means every output.
    pub(super) fn load(
        name: &'static str,
        file: &Path,
        outputs: &[&str],
        pool: Option<Arc<ThreadPool>>,
    ) -> Result<Self, VisionError> {
        let failed = |reason: String| VisionError::Load {
            file: file.to_owned(),
            reason,
        };
        // Weights are packed once instead of at every run.
        let model = ModelOptions::with_all_ops()
            .prepack_weights(true)
            .load_file(file)
            .map_err(|error| failed(error.to_string()))?;
        let input = match model.input_ids() {
            [input] => *input,
            other => {
                return Err(failed(format!(
                    "it has {} inputs instead of one",
                    other.len()
                )));
            }
        };
        let wanted: Result<Vec<NodeId>, _> =
            outputs.iter().map(|name| model.node_id(name)).collect();
        let mut outputs = wanted.map_err(|error| failed(error.to_string()))?;
        if outputs.is_empty() {
            outputs = model.output_ids().to_vec();
        }
        Ok(Self {
            name,
            model,
            input,
            outputs,
            pool,
        })
    }

    /// Runs the network on numbers of the given sizes.
    pub(super) fn run(
        &self,
        shape: &[usize],
        values: Vec<f32>,
    ) -> Result<Vec<Answer>, VisionError> {
        let input: Tensor<f32> =
            Tensor::try_from_data(shape, values).map_err(VisionError::run(self.name))?;
        let options = RunOptions::default().with_thread_pool(self.pool.clone());
        let outputs = self
            .model
            .run(
                vec![(self.input, input.into())],
                &self.outputs,
                Some(options),
            )
            .map_err(VisionError::run(self.name))?;
        outputs
            .into_iter()
            .map(|value| self.answer(value))
            .collect()
    }

    fn answer(&self, value: Value) -> Result<Answer, VisionError> {
        let tensor: Tensor<f32> = value
            .try_into()
            .map_err(|_| VisionError::shape(self.name))?;
        let shape = tensor.shape().to_vec();
        let values = tensor.into_data();
        if values.iter().all(|value| value.is_finite()) {
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
