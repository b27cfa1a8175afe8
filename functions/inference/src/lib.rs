#![doc = include_str!("../README.md")]

pub mod http;
pub mod onnx;
pub mod predictor;
pub mod speech;
pub mod weights;
