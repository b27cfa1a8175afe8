use prost::Message;

use super::ModelProto;
use crate::engine::tests::doubled_and_shifted;

#[test]
fn a_written_graph_reads_back_the_same() {
    let bytes = doubled_and_shifted();
    let model = ModelProto::decode(bytes.as_slice()).unwrap();
    assert_eq!(model.encode_to_vec(), bytes);
    let graph = model.graph.unwrap();
    assert_eq!(graph.node.len(), 3);
    assert_eq!(graph.input[0].name, "x");
}
