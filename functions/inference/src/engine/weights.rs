//! Widens the 16-bit weights of a converted model. The library computes in 32 bits and takes no
//! other weights; files of half the size are wanted all the same, and no bit of a result depends on
//! where weights are widened.

use std::fs;
use std::io;
use std::path::Path;

use bytes::Bytes;
use ort::value::{DynValue, Tensor};
use prost::Message;

use crate::onnx::{Element, GraphProto, ModelProto, TensorProto, ValueInfoProto};

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("{0}")]
    File(#[from] io::Error),
    #[error("it is no ONNX file: {0}")]
    Format(#[from] prost::DecodeError),
    #[error("its weights cannot be used: {0}")]
    Weight(#[from] ort::Error),
}

/// A model and, outside it, the weights that are given to each run.
pub(super) struct Parts {
    pub(super) model: Vec<u8>,
    pub(super) lent: Vec<(String, DynValue)>,
}

/// The model with weights of 32 bits in it.
pub(super) fn inside(file: &Path) -> Result<Parts, ReadError> {
    let mut model = read(file)?;
    for tensor in model
        .graph
        .iter_mut()
        .flat_map(|graph| &mut graph.initializer)
    {
        if is_half(tensor) {
            let values = values(&tensor.raw_data).flat_map(f32::to_le_bytes);
            tensor.raw_data = values.collect::<Vec<u8>>().into();
            tensor.data_type = Element::F32 as i32;
        }
    }
    Ok(Parts {
        model: model.encode_to_vec(),
        lent: Vec::new(),
    })
}

/// The model with its weights as further inputs: however many sessions, they are in memory once.
pub(super) fn outside(file: &Path) -> Result<Parts, ReadError> {
    let mut model = read(file)?;
    let mut lent = Vec::new();
    if let Some(graph) = &mut model.graph {
        for tensor in halves(graph) {
            let values: Vec<f32> = values(&tensor.raw_data).collect();
            let weight = Tensor::from_array((tensor.dims.clone(), values))?;
            graph.input.push(declared(&tensor));
            lent.push((tensor.name, weight.into_dyn()));
        }
    }
    Ok(Parts {
        model: model.encode_to_vec(),
        lent,
    })
}

fn read(file: &Path) -> Result<ModelProto, ReadError> {
    // Values are slices of the file's bytes, not copies.
    Ok(ModelProto::decode(Bytes::from(fs::read(file)?))?)
}

/// The 16-bit weights, taken out of the graph.
fn halves(graph: &mut GraphProto) -> Vec<TensorProto> {
    let all = std::mem::take(&mut graph.initializer);
    let (halves, others) = all.into_iter().partition(is_half);
    graph.initializer = others;
    halves
}

fn is_half(tensor: &TensorProto) -> bool {
    tensor.data_type == Element::F16 as i32
}

fn declared(tensor: &TensorProto) -> ValueInfoProto {
    ValueInfoProto::fixed(&tensor.name, Element::F32, &tensor.dims)
}

fn values(raw: &Bytes) -> impl Iterator<Item = f32> {
    let halves = raw.chunks_exact(2).map(|pair| [pair[0], pair[1]]);
    halves.map(u16::from_le_bytes).map(widened)
}

/// A 16-bit float as a 32-bit one: every value has one, so that nothing is rounded.
fn widened(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let exponent = u32::from(half >> 10) & 0x1f;
    let fraction = u32::from(half & 0x3ff);
    match exponent {
        // Steps of 2^-24.
        0 => {
            let size = f32::from(half & 0x3ff) / 16_777_216.0;
            f32::from_bits(size.to_bits() | sign)
        }
        0x1f => f32::from_bits(sign | 0x7f80_0000 | (fraction << 13)),
        _ => f32::from_bits(sign | ((exponent + 112) << 23) | (fraction << 13)),
    }
}

#[cfg(test)]
mod tests;
