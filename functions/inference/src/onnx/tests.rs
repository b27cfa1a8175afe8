use prost::Message;
use rten::Model;
use rten_tensor::Tensor;
use rten_tensor::prelude::*;

use super::{Attribute, Dim, Element, Graph, ModelProto};

fn doubled_and_shifted() -> Vec<u8> {
    let mut graph = Graph::new("toy");
    graph.input("x", Element::F32, &[Dim::Named("n"), Dim::Fixed(2)]);
    // 1.5 and -2.0 as 16-bit floats: the runtime must widen them.
    let shift = graph.constant(Element::F16, &[2], vec![0x00, 0x3e, 0x00, 0xc0]);
    let two = graph.floats(&[], &[2.0]);
    let doubled = graph.node("Mul", &["x", &two], vec![]);
    graph.node_named("Add", &[&doubled, &shift], "y", vec![]);
    graph.node_named("Softmax", &["y"], "p", vec![Attribute::Int("axis", -1)]);
    graph.output("y", Element::F32, &[Dim::Named("n"), Dim::Fixed(2)]);
    graph.encode(17)
}

#[test]
fn the_runtime_runs_a_graph_that_was_written_here() {
    let model = Model::load(doubled_and_shifted()).unwrap();
    let x = Tensor::from_data(&[1, 2], vec![1.0f32, 3.0]);
    let y = model.run_one(x.view().into(), None).unwrap();
    let y: Tensor<f32> = y.try_into().unwrap();
    assert_eq!(y.to_vec(), [3.5, 4.0]);
}

#[test]
fn a_written_graph_reads_back_the_same() {
    let bytes = doubled_and_shifted();
    let model = ModelProto::decode(bytes.as_slice()).unwrap();
    assert_eq!(model.encode_to_vec(), bytes);
    let graph = model.graph.unwrap();
    assert_eq!(graph.node.len(), 3);
    assert_eq!(graph.input[0].name, "x");
}
