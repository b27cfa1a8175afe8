use std::fs;
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use ort::value::Tensor;

use super::{Engine, Network};
use crate::onnx::{Attribute, Dim, Element, Graph};
use crate::weights::tests::real_folder;
use crate::weights::{Folder, WeightsError};

/// Doubles and shifts by 1.5 and -2, which are 16-bit floats in the file.
pub(crate) fn doubled_and_shifted() -> Vec<u8> {
    let mut graph = Graph::new("toy");
    graph.input("x", Element::F32, &[Dim::Named("n"), Dim::Fixed(2)]);
    let shift = graph.constant(Element::F16, &[2], vec![0x00, 0x3e, 0x00, 0xc0]);
    let two = graph.floats(&[], &[2.0]);
    let doubled = graph.node("Mul", &["x", &two], vec![]);
    graph.node_named("Add", &[&doubled, &shift], "y", vec![]);
    graph.node_named("Softmax", &["y"], "p", vec![Attribute::Int("axis", -1)]);
    graph.output("y", Element::F32, &[Dim::Named("n"), Dim::Fixed(2)]);
    graph.encode(17)
}

fn toy(open: impl Fn(&Engine, &Path) -> ort::Result<Network>) -> Network {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("toy.onnx");
    fs::write(&file, doubled_and_shifted()).unwrap();
    let engine = Engine::start(&real_folder(), 1).unwrap();
    open(&engine, &file).unwrap()
}

fn answer(toy: &Network, x: [f32; 2]) -> Vec<f32> {
    let x = Tensor::from_array(([1, 2], x.to_vec())).unwrap();
    let y = toy
        .run(vec![("x".into(), x.into())], toy.outputs())
        .unwrap();
    y[0].try_extract_tensor::<f32>().unwrap().1.to_vec()
}

#[test]
fn the_library_runs_a_graph_that_was_written_here() {
    for toy in [toy(Engine::open_converted), toy(Engine::open_large)] {
        assert_eq!(toy.outputs(), ["y"]);
        let [input] = toy.inputs() else {
            panic!("weights are no inputs: {toy:?}");
        };
        assert_eq!((input.name.as_str(), &input.sizes), ("x", &vec![-1, 2]));
        assert_eq!(answer(&toy, [1.0, 3.0]), [3.5, 4.0]);
    }
}

#[test]
fn questions_at_the_same_time_are_answered_side_by_side() {
    let toy = toy(Engine::open_large);
    let begin = Barrier::new(4);
    thread::scope(|scope| {
        for start in [0.0, 1.0, 2.0, 3.0] {
            let (toy, begin) = (&toy, &begin);
            scope.spawn(move || {
                begin.wait();
                for _ in 0..50 {
                    assert_eq!(answer(toy, [start, 0.0]), [2.0 * start + 1.5, -2.0]);
                }
            });
        }
    });
}

#[test]
fn without_the_library_the_message_says_how_to_get_it() {
    let empty = tempfile::tempdir().unwrap();
    let folder = Folder::open(empty.path());
    let Err(WeightsError::Missing { file, .. }) = folder.library() else {
        panic!("there is none");
    };
    let stored = real_folder().library().unwrap();
    assert_eq!(stored.file_name().unwrap().to_str(), Some(file.as_str()));
    fs::write(empty.path().join(&file), "no library").unwrap();
    let damaged = folder.library().unwrap_err();
    assert!(matches!(damaged, WeightsError::Damaged { .. }), "{damaged}");
    assert!(damaged.to_string().contains("compliance models fetch"));
}
