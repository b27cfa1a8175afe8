#![doc = include_str!("../README.md")]

mod engine;
pub mod http;
mod local;
pub mod onnx;
pub mod predictor;
pub mod speech;
pub mod vision;
pub mod weights;

pub use local::{LocalError, ModelsConfig, load_models};
