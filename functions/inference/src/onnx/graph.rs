//! Builds a graph node by node. Names of values are handed out in order, so that the same calls
//! always give the same bytes: the checksum of a converted model can be pinned.

use bytes::Bytes;
use prost::Message;

use super::messages::{
    AttributeProto, Dimension, GraphProto, ModelProto, NodeProto, OperatorSetProto, ShapeProto,
    TensorProto, TensorTypeProto, TypeProto, ValueInfoProto,
};

/// Element type of a tensor, with its number in the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Element {
    /// 32-bit float.
    F32 = 1,
    /// 32-bit integer.
    I32 = 6,
    /// 64-bit integer.
    I64 = 7,
    /// 16-bit float.
    F16 = 10,
}

/// One size of an input or output.
#[derive(Debug, Clone, Copy)]
pub enum Dim {
    /// Always this.
    Fixed(usize),
    /// Varies; sizes of one name are equal.
    Named(&'static str),
}

/// One setting of an operator.
#[derive(Debug, Clone)]
pub enum Attribute {
    /// A number.
    Float(&'static str, f32),
    /// A whole number.
    Int(&'static str, i64),
    /// A text.
    Text(&'static str, &'static str),
    /// Whole numbers.
    Ints(&'static str, Vec<i64>),
}

impl From<Attribute> for AttributeProto {
    fn from(attribute: Attribute) -> Self {
        let named = |name: &str, kind| Self {
            name: name.to_owned(),
            kind,
            ..Self::default()
        };
        match attribute {
            Attribute::Float(name, f) => Self {
                f: Some(f),
                ..named(name, 1)
            },
            Attribute::Int(name, i) => Self {
                i: Some(i),
                ..named(name, 2)
            },
            Attribute::Text(name, s) => Self {
                s: Some(Bytes::from_static(s.as_bytes())),
                ..named(name, 3)
            },
            Attribute::Ints(name, ints) => Self {
                ints,
                ..named(name, 7)
            },
        }
    }
}

/// A graph under construction.
#[derive(Debug, Default)]
pub struct Graph {
    proto: GraphProto,
}

impl Graph {
    /// An empty graph.
    pub fn new(name: &str) -> Self {
        Self {
            proto: GraphProto {
                name: name.to_owned(),
                ..GraphProto::default()
            },
        }
    }

    /// Adds a constant of raw little-endian values and answers its name.
    pub fn constant(&mut self, element: Element, dims: &[usize], raw: impl Into<Bytes>) -> String {
        let name = format!("w{}", self.proto.initializer.len());
        self.proto.initializer.push(TensorProto {
            dims: dims.iter().copied().map(wide).collect(),
            data_type: element as i32,
            name: name.clone(),
            raw_data: raw.into(),
        });
        name
    }

    /// Adds a constant of 32-bit floats.
    pub fn floats(&mut self, dims: &[usize], values: &[f32]) -> String {
        let raw: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.constant(Element::F32, dims, raw)
    }

    /// Adds a one-dimensional constant of 64-bit integers.
    pub fn indices(&mut self, values: &[i64]) -> String {
        let raw: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.constant(Element::I64, &[values.len()], raw)
    }

    /// Adds an operator and answers the name of its output.
    pub fn node(&mut self, op: &str, inputs: &[&str], attributes: Vec<Attribute>) -> String {
        let output = format!("t{}", self.proto.node.len());
        self.node_named(op, inputs, &output, attributes);
        output
    }

    /// Adds an operator whose output has a name of its own.
    pub fn node_named(
        &mut self,
        op: &str,
        inputs: &[&str],
        output: &str,
        attributes: Vec<Attribute>,
    ) {
        self.proto.node.push(NodeProto {
            input: inputs.iter().map(|&name| name.to_owned()).collect(),
            output: vec![output.to_owned()],
            name: format!("n{}", self.proto.node.len()),
            op_type: op.to_owned(),
            attribute: attributes.into_iter().map(Into::into).collect(),
        });
    }

    /// Declares an input.
    pub fn input(&mut self, name: &str, element: Element, dims: &[Dim]) {
        self.proto.input.push(value_info(name, element, dims));
    }

    /// Declares an output.
    pub fn output(&mut self, name: &str, element: Element, dims: &[Dim]) {
        self.proto.output.push(value_info(name, element, dims));
    }

    /// The bytes of the file.
    pub fn encode(self, opset: i64) -> Vec<u8> {
        let model = ModelProto {
            ir_version: 8,
            producer_name: "compliance".to_owned(),
            graph: Some(self.proto),
            opset_import: vec![OperatorSetProto {
                domain: String::new(),
                version: opset,
            }],
            metadata_props: Vec::new(),
        };
        model.encode_to_vec()
    }
}

fn value_info(name: &str, element: Element, dims: &[Dim]) -> ValueInfoProto {
    let dim = dims.iter().map(|dim| match dim {
        Dim::Fixed(size) => Dimension {
            dim_value: Some(wide(*size)),
            dim_param: None,
        },
        Dim::Named(name) => Dimension {
            dim_value: None,
            dim_param: Some((*name).to_owned()),
        },
    });
    typed(name, element, dim.collect())
}

impl ValueInfoProto {
    /// A value whose sizes are all known.
    pub fn fixed(name: &str, element: Element, sizes: &[i64]) -> Self {
        let dim = sizes.iter().map(|&size| Dimension {
            dim_value: Some(size),
            dim_param: None,
        });
        typed(name, element, dim.collect())
    }
}

fn typed(name: &str, element: Element, dim: Vec<Dimension>) -> ValueInfoProto {
    let tensor = TensorTypeProto {
        elem_type: element as i32,
        shape: Some(ShapeProto { dim }),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            tensor_type: Some(tensor),
        }),
    }
}

/// Sizes in memory always fit: no tensor has 2^63 elements.
fn wide(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
