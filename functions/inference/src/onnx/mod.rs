//! Reading and writing ONNX files: the part of the format that our converters and models need.
//!
//! Weights may be stored as 16-bit floats although the graph computes in 32 bits: `engine` widens
//! them when it opens the file, which halves the disk space and changes no bit of the result.

mod graph;
mod messages;

pub use graph::{Attribute, Dim, Element, Graph};
pub use messages::{
    AttributeProto, Dimension, GraphProto, ModelProto, NodeProto, OperatorSetProto, ShapeProto,
    StringEntry, TensorProto, TensorTypeProto, TypeProto, ValueInfoProto,
};

#[cfg(test)]
mod tests;
