//! Reads a graph model of TensorFlow.js: `model.json` with nodes and the list of weights, and one
//! binary file with the weights one after the other.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::onnx::Element;

/// Why the model cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum TfjsError {
    #[error("the description is not valid JSON of such a model")]
    Json(#[from] serde_json::Error),
    #[error("the weights end before {0}")]
    Short(String),
    #[error("the weights have the type {0}, which is not known")]
    Type(String),
    #[error("there is no node {0}")]
    NoNode(String),
    #[error("the node {0} is {1}, which is not known")]
    Operator(String, String),
    #[error("the node {0} lacks {1} or has it in an unexpected form")]
    Malformed(String, &'static str),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModelJson {
    model_topology: Topology,
    weights_manifest: Vec<Group>,
}

#[derive(Deserialize)]
struct Topology {
    node: Vec<TfNode>,
}

#[derive(Deserialize)]
struct Group {
    weights: Vec<WeightEntry>,
}

#[derive(Deserialize)]
struct WeightEntry {
    name: String,
    shape: Vec<usize>,
    dtype: String,
    quantization: Option<Quantization>,
}

#[derive(Deserialize)]
struct Quantization {
    dtype: String,
}

/// One operator of the graph.
#[derive(Debug, Deserialize)]
pub(super) struct TfNode {
    pub(super) name: String,
    pub(super) op: String,
    #[serde(default)]
    pub(super) input: Vec<String>,
    #[serde(default)]
    attr: Value,
}

impl TfNode {
    /// A list of whole numbers, which the format writes as texts.
    pub(super) fn ints(&self, key: &str) -> Vec<i64> {
        let list = self.attr[key]["list"]["i"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        list.iter().filter_map(whole).collect()
    }

    /// A flag; absent is false.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.attr[key]["b"].as_bool().unwrap_or(false)
    }

    /// A text, which the format writes in base64.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        plain(&self.attr[key]["s"])
    }

    /// A list of texts.
    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        let list = self.attr[key]["list"]["s"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        list.iter().filter_map(plain).collect()
    }

    /// The node that feeds an input.
    pub(super) fn source(&self, index: usize) -> Result<&str, TfjsError> {
        let input = self.input.get(index).map(|input| bare(input));
        input.ok_or_else(|| TfjsError::Malformed(self.name.clone(), "an input"))
    }
}

fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn plain(value: &Value) -> Option<String> {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(value.as_str()?)
        .ok()?;
    String::from_utf8(bytes).ok()
}

/// `^name:0` without its marks.
fn bare(input: &str) -> &str {
    input
        .split(':')
        .next()
        .unwrap_or(input)
        .trim_start_matches('^')
}

/// A constant tensor.
#[derive(Debug, Clone)]
pub(super) struct Tensor {
    pub(super) dims: Vec<usize>,
    pub(super) element: Element,
    pub(super) data: Bytes,
}

impl Tensor {
    pub(super) fn width(&self) -> usize {
        if self.element == Element::F16 { 2 } else { 4 }
    }

    /// The values of a small integer constant.
    pub(super) fn ints(&self) -> Vec<i64> {
        let word = |bytes: &[u8]| {
            bytes
                .try_into()
                .map(i32::from_le_bytes)
                .map_or(0, i64::from)
        };
        self.data.chunks(4).map(word).collect()
    }
}

/// The whole model.
#[derive(Debug)]
pub(super) struct Tfjs {
    nodes: BTreeMap<String, TfNode>,
    constants: BTreeMap<String, Tensor>,
}

impl Tfjs {
    /// Reads both files.
    pub(super) fn parse(json: &[u8], weights: Vec<u8>) -> Result<Self, TfjsError> {
        let model: ModelJson = serde_json::from_slice(json)?;
        let mut weights = Bytes::from(weights);
        let mut constants = BTreeMap::new();
        for entry in model
            .weights_manifest
            .into_iter()
            .flat_map(|group| group.weights)
        {
            let kind = entry
                .quantization
                .map_or(entry.dtype, |quantization| quantization.dtype);
            let (element, width) = match kind.as_str() {
                "float32" => (Element::F32, 4),
                "float16" => (Element::F16, 2),
                "int32" => (Element::I32, 4),
                _ => return Err(TfjsError::Type(kind)),
            };
            let length = entry.shape.iter().product::<usize>() * width;
            if weights.len() < length {
                return Err(TfjsError::Short(entry.name));
            }
            let data = weights.split_to(length);
            constants.insert(
                entry.name,
                Tensor {
                    dims: entry.shape,
                    element,
                    data,
                },
            );
        }
        let nodes = model
            .model_topology
            .node
            .into_iter()
            .map(|node| (node.name.clone(), node));
        Ok(Self {
            nodes: nodes.collect(),
            constants,
        })
    }

    /// A node by name.
    pub(super) fn node(&self, name: &str) -> Result<&TfNode, TfjsError> {
        self.nodes
            .get(name)
            .ok_or_else(|| TfjsError::NoNode(name.to_owned()))
    }

    /// The constant of this name, if it is one.
    pub(super) fn find_constant(&self, name: &str) -> Option<&Tensor> {
        self.constants.get(name)
    }

    /// The constant of this name.
    pub(super) fn constant(&self, name: &str) -> Result<&Tensor, TfjsError> {
        self.find_constant(name)
            .ok_or_else(|| TfjsError::NoNode(name.to_owned()))
    }

    /// Everything that the wanted nodes need, each after its inputs.
    pub(super) fn order(&self, wanted: &[&str]) -> Result<Vec<&TfNode>, TfjsError> {
        let mut order = Vec::new();
        let mut seen = BTreeSet::new();
        // An explicit stack: the graph is deeper than it is wise to recurse.
        let mut stack: Vec<(&str, bool)> = wanted.iter().rev().map(|name| (*name, false)).collect();
        while let Some((name, inputs_done)) = stack.pop() {
            let node = self.node(name)?;
            if inputs_done {
                order.push(node);
            } else if seen.insert(name) {
                stack.push((name, true));
                stack.extend(node.input.iter().rev().map(|input| (bare(input), false)));
            }
        }
        Ok(order)
    }
}
