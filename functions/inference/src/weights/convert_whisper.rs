//! Whisper weights of `CTranslate2` become `encoder.onnx` and `decoder.onnx`.
//!
//! The encoder answers the keys and values of the decoder's cross-attention instead of its hidden
//! state, so that they are computed once per window. The decoder takes its own cache in and gives it
//! out, and answers the cross-attention of the alignment heads, which word times are made of.
//! Inputs of the decoder: `ids` [1,T], `pos` [T], `mask` [T,S], per layer `k`, `v`, `xk`, `xv`.

use serde::Deserialize;

use super::WeightsError;
use super::ct2::{Ct2Error, Variables};
use super::whisper_net::{HEAD, KEYS, Net, PER_HEAD, index};
use crate::onnx::{Attribute, Dim, Element};

const OPSET: i64 = 17;

#[derive(Deserialize)]
struct Config {
    alignment_heads: Vec<(usize, i64)>,
}

/// Converts the weights; `(encoder, decoder)`.
pub(super) fn convert(model: Vec<u8>, config: &[u8]) -> Result<(Vec<u8>, Vec<u8>), WeightsError> {
    let refuse = |reason: String| WeightsError::Convert {
        file: "model.bin",
        reason,
    };
    let config: Config =
        serde_json::from_slice(config).map_err(|error| refuse(error.to_string()))?;
    let variables = Variables::parse(model).map_err(|error| refuse(error.to_string()))?;
    let build = || {
        Ok((
            encoder(&variables)?,
            decoder(&variables, &config.alignment_heads)?,
        ))
    };
    build().map_err(|error: Ct2Error| refuse(error.to_string()))
}

fn encoder(weights: &Variables) -> Result<Vec<u8>, Ct2Error> {
    let mut net = Net::new("encoder", weights)?;
    let mels = weights.variable("encoder/conv1/weight", 3)?.dims[1];
    net.graph.input(
        "mel",
        Element::F32,
        &[Dim::Fixed(1), Dim::Fixed(mels), Dim::Named("F")],
    );
    net.graph.input("pos", Element::I32, &[Dim::Named("A")]);
    let mut x = "mel".to_owned();
    for (path, stride) in [("encoder/conv1", 1), ("encoder/conv2", 2)] {
        let weight = net.weight(&format!("{path}/weight"), 3)?;
        let bias = net.weight(&format!("{path}/bias"), 1)?;
        let settings = vec![
            Attribute::Ints("kernel_shape", vec![3]),
            Attribute::Ints("pads", vec![1, 1]),
            Attribute::Ints("strides", vec![stride]),
            Attribute::Ints("dilations", vec![1]),
        ];
        let y = net.graph.node("Conv", &[&x, &weight, &bias], settings);
        x = net.gelu(&y);
    }
    let order = vec![Attribute::Ints("perm", vec![0, 2, 1])];
    x = net.graph.node("Transpose", &[&x], order);
    x = add_positions(&mut net, &x, "encoder")?;
    let (width, heads) = (net.width, net.heads());
    for layer in 0..weights.layers("encoder") {
        let path = format!("encoder/layer_{layer}");
        let attention = format!("{path}/self_attention");
        let qkv = format!("{attention}/linear_0");
        let normal = net.norm(&x, &format!("{attention}/layer_norm"))?;
        let query = net.query(&normal, &qkv)?;
        let keys = net.linear_rows(&normal, &qkv, (width, 2 * width), false)?;
        let values = net.linear_rows(&normal, &qkv, (2 * width, 3 * width), true)?;
        let (keys, values) = (net.split(&keys, KEYS), net.split(&values, PER_HEAD));
        let scores = net.op("MatMul", &[&query, &keys]);
        let scores = net.softmax(&scores);
        x = attended(
            &mut net,
            &x,
            (&scores, &values),
            &format!("{attention}/linear_1"),
        )?;
        x = net.feed_forward(&x, &path)?;
    }
    x = net.norm(&x, "encoder/layer_norm")?;
    for layer in 0..weights.layers("decoder") {
        let kv = format!("decoder/layer_{layer}/attention/linear_1");
        let k = net.linear_rows(&x, &kv, (0, width), false)?;
        let v = net.linear_rows(&x, &kv, (width, 2 * width), true)?;
        let (k, v) = (net.split(&k, KEYS), net.split(&v, PER_HEAD));
        let (keys, values) = (format!("xk{layer}"), format!("xv{layer}"));
        net.graph.node_named("Identity", &[&k], &keys, vec![]);
        net.graph.node_named("Identity", &[&v], &values, vec![]);
        net.graph.output(&keys, Element::F32, &cross_keys(heads));
        net.graph
            .output(&values, Element::F32, &cross_values(heads));
    }
    Ok(net.graph.encode(OPSET))
}

fn decoder(weights: &Variables, alignment: &[(usize, i64)]) -> Result<Vec<u8>, Ct2Error> {
    let mut net = Net::new("decoder", weights)?;
    net.graph
        .input("ids", Element::I32, &[Dim::Fixed(1), Dim::Named("T")]);
    net.graph.input("pos", Element::I32, &[Dim::Named("T")]);
    net.graph
        .input("mask", Element::F32, &[Dim::Named("T"), Dim::Named("S")]);
    let embeddings = net.weight("decoder/embeddings/weight", 2)?;
    let along = vec![Attribute::Int("axis", 0)];
    let mut x = net.graph.node("Gather", &[&embeddings, "ids"], along);
    x = add_positions(&mut net, &x, "decoder")?;
    let mut aligned = Vec::new();
    for layer in 0..weights.layers("decoder") {
        x = self_attention(&mut net, &x, layer)?;
        let heads: Vec<i64> = alignment
            .iter()
            .filter(|(at, _)| *at == layer)
            .map(|(_, head)| *head)
            .collect();
        x = cross_attention(&mut net, &x, (layer, &heads), &mut aligned)?;
        x = net.feed_forward(&x, &format!("decoder/layer_{layer}"))?;
    }
    x = net.norm(&x, "decoder/layer_norm")?;
    logits(&mut net, &x, &embeddings)?;
    let aligned: Vec<&str> = aligned.iter().map(String::as_str).collect();
    net.graph
        .node_named("Concat", &aligned, "align", vec![Attribute::Int("axis", 1)]);
    let heads = Dim::Fixed(alignment.len());
    net.graph.output(
        "align",
        Element::F32,
        &[Dim::Fixed(1), heads, Dim::Named("T"), Dim::Named("A")],
    );
    Ok(net.graph.encode(OPSET))
}

/// Only the last position is wanted: its row goes through the largest matrix of the model, which
/// is used transposed as it lies, without a copy.
fn logits(net: &mut Net<'_>, x: &str, embeddings: &str) -> Result<(), Ct2Error> {
    let words = net.weights.variable("decoder/embeddings/weight", 2)?.dims[0];
    let last = net.graph.indices(&[-1]);
    let along = vec![Attribute::Int("axis", 1)];
    let row = net.graph.node("Gather", &[x, &last], along);
    let width = index(net.width);
    let shape = net.graph.indices(&[1, width]);
    let row = net.op("Reshape", &[&row, &shape]);
    let transposed = vec![Attribute::Int("transB", 1)];
    net.graph
        .node_named("Gemm", &[&row, embeddings], "logits", transposed);
    net.graph
        .output("logits", Element::F32, &[Dim::Fixed(1), Dim::Fixed(words)]);
    Ok(())
}

fn add_positions(net: &mut Net<'_>, x: &str, part: &str) -> Result<String, Ct2Error> {
    let table = net.weight(&format!("{part}/position_encodings/encodings"), 2)?;
    let along = vec![Attribute::Int("axis", 0)];
    let positions = net.graph.node("Gather", &[&table, "pos"], along);
    Ok(net.op("Add", &[x, &positions]))
}

/// Values weighed by scores, through the output layer, added to `x`.
fn attended(
    net: &mut Net<'_>,
    x: &str,
    (scores, values): (&str, &str),
    output: &str,
) -> Result<String, Ct2Error> {
    let mixed = net.op("MatMul", &[scores, values]);
    let mixed = net.join(&mixed);
    let mixed = net.linear(&mixed, output)?;
    Ok(net.op("Add", &[x, &mixed]))
}

fn self_attention(net: &mut Net<'_>, x: &str, layer: usize) -> Result<String, Ct2Error> {
    let path = format!("decoder/layer_{layer}/self_attention");
    let qkv = format!("{path}/linear_0");
    let (width, heads) = (net.width, net.heads());
    let normal = net.norm(x, &format!("{path}/layer_norm"))?;
    let query = net.query(&normal, &qkv)?;
    let keys = net.linear_rows(&normal, &qkv, (width, 2 * width), false)?;
    let values = net.linear_rows(&normal, &qkv, (2 * width, 3 * width), true)?;
    let (keys, values) = (net.split(&keys, PER_HEAD), net.split(&values, PER_HEAD));
    let mut kept = Vec::new();
    for (old, new) in [("k", keys), ("v", values)] {
        let (past, present) = (format!("{old}{layer}"), format!("n{old}{layer}"));
        net.graph.input(&past, Element::F32, &cache(heads, "P"));
        let along = vec![Attribute::Int("axis", 2)];
        net.graph
            .node_named("Concat", &[&past, &new], &present, along);
        net.graph.output(&present, Element::F32, &cache(heads, "S"));
        kept.push(present);
    }
    let order = vec![Attribute::Ints("perm", vec![0, 1, 3, 2])];
    let keys = net.graph.node("Transpose", &[&kept[0]], order);
    let scores = net.op("MatMul", &[&query, &keys]);
    let scores = net.op("Add", &[&scores, "mask"]);
    let scores = net.softmax(&scores);
    attended(net, x, (&scores, &kept[1]), &format!("{path}/linear_1"))
}

fn cross_attention(
    net: &mut Net<'_>,
    x: &str,
    (layer, aligned_heads): (usize, &[i64]),
    aligned: &mut Vec<String>,
) -> Result<String, Ct2Error> {
    let path = format!("decoder/layer_{layer}/attention");
    let heads = net.heads();
    let (keys, values) = (format!("xk{layer}"), format!("xv{layer}"));
    net.graph.input(&keys, Element::F32, &cross_keys(heads));
    net.graph.input(&values, Element::F32, &cross_values(heads));
    let y = net.norm(x, &format!("{path}/layer_norm"))?;
    let q = net.query(&y, &format!("{path}/linear_0"))?;
    let scores = net.op("MatMul", &[&q, &keys]);
    let scores = net.softmax(&scores);
    if !aligned_heads.is_empty() {
        let chosen = net.graph.indices(aligned_heads);
        let along = vec![Attribute::Int("axis", 1)];
        aligned.push(net.graph.node("Gather", &[&scores, &chosen], along));
    }
    attended(net, x, (&scores, &values), &format!("{path}/linear_2"))
}

fn cache(heads: usize, length: &'static str) -> [Dim; 4] {
    [
        Dim::Fixed(1),
        Dim::Fixed(heads),
        Dim::Named(length),
        Dim::Fixed(HEAD),
    ]
}

fn cross_keys(heads: usize) -> [Dim; 4] {
    [
        Dim::Fixed(1),
        Dim::Fixed(heads),
        Dim::Fixed(HEAD),
        Dim::Named("A"),
    ]
}

fn cross_values(heads: usize) -> [Dim; 4] {
    [
        Dim::Fixed(1),
        Dim::Fixed(heads),
        Dim::Named("A"),
        Dim::Fixed(HEAD),
    ]
}
