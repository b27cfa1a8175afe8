//! Widens the 16-bit weights of a converted model. The library computes in 32 bits and takes no
//! other weights; files of half the size are wanted all the same, and no bit of a result depends on
//! where weights are widened.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use ort::value::{DynValue, Tensor};
use prost::Message;

use super::network::Source;
use crate::onnx::{Element, ModelProto, StringEntry, TensorProto};

/// Says that the values lie outside the file.
const EXTERNAL: i32 = 1;

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

/// The graph, and beside it every weight that the file holds in 16 bits.
pub(super) fn read(file: &Path) -> Result<Source, ReadError> {
    // Values are slices of the file's bytes, not copies.
    let mut model = ModelProto::decode(Bytes::from(fs::read(file)?))?;
    let mut weights = Vec::new();
    for tensor in model.graph.iter_mut().flat_map(|graph| &mut graph.initializer) {
        if tensor.data_type == Element::F16 as i32 {
            weights.push((tensor.name.clone(), Arc::new(taken_out(tensor)?)));
        }
    }
    Ok(Source::Parts {
        graph: model.encode_to_vec(),
        weights,
    })
}

/// The values in 32 bits; their place in the graph stays, empty.
fn taken_out(tensor: &mut TensorProto) -> ort::Result<DynValue> {
    let raw = std::mem::take(&mut tensor.raw_data);
    let halves = raw.chunks_exact(2).map(|pair| [pair[0], pair[1]]);
    let values: Vec<f32> = halves.map(u16::from_le_bytes).map(widened).collect();
    tensor.data_type = Element::F32 as i32;
    tensor.data_location = Some(EXTERNAL);
    tensor.external_data = vec![StringEntry {
        key: "location".to_owned(),
        value: "memory".to_owned(),
    }];
    Ok(Tensor::from_array((tensor.dims.clone(), values))?.into_dyn())
}

/// A 16-bit float as a 32-bit one: every value has one, so that nothing is rounded.
fn widened(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let exponent = u32::from(half >> 10) & 0x1f;
    let fraction = u32::from(half) & 0x3ff;
    match exponent {
        // Steps of 2^-24.
        0 => {
            let size = f32::from(half & 0x3ff) / 16_777_216.0;
            f32::from_bits(size.to_bits() | sign)
        }
        0x1f => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

#[cfg(test)]
mod tests;
