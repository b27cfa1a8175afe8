//! The `CenterNet` graph of TensorFlow.js becomes ONNX: channels first, outputs heat map and sizes.
//!
//! The input is 512 x 512 and nothing else, so the size of every value is known and the factors of
//! the resizing steps are computed here.

use std::collections::BTreeMap;

use super::WeightsError;
use super::tfjs::{Tensor, TfNode, Tfjs, TfjsError};
use crate::onnx::{Attribute, Dim, Element, Graph};

const INPUT: &str = "tower_0/images";
const SIDE: usize = 512;
const HEAT: &str = "tower_0/keypoints";
const SIZES: &str = "tower_0/wh";
const OPSET: i64 = 13;

/// Converts the model.
pub(super) fn convert(json: &[u8], weights: Vec<u8>) -> Result<Vec<u8>, WeightsError> {
    let build = || Conversion::new().run(&Tfjs::parse(json, weights)?);
    build().map_err(|error: TfjsError| WeightsError::Convert {
        file: "centernet.json",
        reason: error.to_string(),
    })
}

struct Conversion {
    graph: Graph,
    /// Constants already written, by their own name.
    written: BTreeMap<String, String>,
    /// Height (and width: every value is square) by node.
    sides: BTreeMap<String, usize>,
}

impl Conversion {
    fn new() -> Self {
        let sides = BTreeMap::from([(INPUT.to_owned(), SIDE)]);
        Self {
            graph: Graph::new("centernet"),
            written: BTreeMap::new(),
            sides,
        }
    }

    fn run(mut self, model: &Tfjs) -> Result<Vec<u8>, TfjsError> {
        let picture = [
            Dim::Fixed(1),
            Dim::Fixed(3),
            Dim::Fixed(SIDE),
            Dim::Fixed(SIDE),
        ];
        self.graph.input(INPUT, Element::F32, &picture);
        for node in model.order(&[HEAT, SIZES])? {
            self.node(model, node)?;
        }
        for (name, channels) in [(HEAT, 80), (SIZES, 4)] {
            let map = [
                Dim::Fixed(1),
                Dim::Fixed(channels),
                Dim::Fixed(128),
                Dim::Fixed(128),
            ];
            self.graph.output(name, Element::F32, &map);
        }
        Ok(self.graph.encode(OPSET))
    }

    fn node(&mut self, model: &Tfjs, node: &TfNode) -> Result<(), TfjsError> {
        match node.op.as_str() {
            "Const" | "Placeholder" => Ok(()),
            "_FusedConv2D" | "Conv2D" | "DepthwiseConv2dNative" | "FusedDepthwiseConv2dNative" => {
                self.convolution(model, node)
            }
            "Mul" | "Add" | "Sub" => self.arithmetic(model, node),
            "Relu" | "Relu6" | "Sigmoid" => {
                let side = self.side(node.source(0)?);
                self.activation(&node.op, node.source(0)?, &node.name);
                self.sized(node, side);
                Ok(())
            }
            "Mean" => {
                let whole = model.constant(node.source(1)?)?.ints() == [1, 2];
                if !whole || !node.flag("keep_dims") {
                    return Err(malformed(node, "a mean over the picture"));
                }
                self.graph
                    .node_named("GlobalAveragePool", &[node.source(0)?], &node.name, vec![]);
                self.sized(node, 1);
                Ok(())
            }
            "ConcatV2" => self.concatenation(model, node),
            "ResizeBilinear" => self.resize(model, node),
            "Identity" => {
                self.graph
                    .node_named("Identity", &[node.source(0)?], &node.name, vec![]);
                let side = self.side(node.source(0)?);
                self.sized(node, side);
                Ok(())
            }
            _ => Err(TfjsError::Operator(node.name.clone(), node.op.clone())),
        }
    }

    fn convolution(&mut self, model: &Tfjs, node: &TfNode) -> Result<(), TfjsError> {
        let weight = model.constant(node.source(1)?)?;
        let depthwise = node.op.contains("Depthwise");
        let &[height, width, channels, multiplier] = weight.dims.as_slice() else {
            return Err(malformed(node, "weights of four sizes"));
        };
        let (order, group) = if depthwise {
            ([2, 3, 0, 1], channels)
        } else {
            ([3, 2, 0, 1], 1)
        };
        let mut filter = transposed(weight, order);
        if depthwise {
            filter.dims = vec![channels * multiplier, 1, height, width];
        }
        let filter = self
            .graph
            .constant(filter.element, &filter.dims, filter.data);
        let fused = node.texts("fused_ops");
        let mut inputs = vec![node.source(0)?.to_owned(), filter];
        if fused.iter().any(|name| name == "BiasAdd") {
            let bias = model.constant(node.source(2)?)?;
            inputs.push(
                self.graph
                    .constant(bias.element, &bias.dims, bias.data.clone()),
            );
        }
        let step = *node
            .ints("strides")
            .get(1)
            .ok_or_else(|| malformed(node, "strides"))?;
        let same = node.text("padding").as_deref() == Some("SAME");
        let settings = vec![
            Attribute::Ints("strides", vec![step, step]),
            // The runtime insists on this one, although the format gives it a default.
            Attribute::Ints("dilations", vec![1, 1]),
            Attribute::Ints("kernel_shape", vec![whole(height), whole(width)]),
            Attribute::Int("group", whole(group)),
            Attribute::Text("auto_pad", if same { "SAME_UPPER" } else { "VALID" }),
        ];
        let names: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let side = self.side(node.source(0)?);
        let stride = usize::try_from(step).unwrap_or(1).max(1);
        let side = if same {
            side
        } else {
            (side + 1).saturating_sub(height)
        }
        .div_ceil(stride);
        match fused.iter().find(|name| *name != "BiasAdd") {
            Some(activation) => {
                let raw = self.graph.node("Conv", &names, settings);
                self.activation(activation, &raw, &node.name);
            }
            None => self.graph.node_named("Conv", &names, &node.name, settings),
        }
        self.sized(node, side);
        Ok(())
    }

    fn activation(&mut self, kind: &str, from: &str, to: &str) {
        if kind == "Relu6" {
            let (zero, six) = (
                self.graph.floats(&[], &[0.0]),
                self.graph.floats(&[], &[6.0]),
            );
            self.graph
                .node_named("Clip", &[from, &zero, &six], to, vec![]);
        } else {
            self.graph.node_named(kind, &[from], to, vec![]);
        }
    }

    fn arithmetic(&mut self, model: &Tfjs, node: &TfNode) -> Result<(), TfjsError> {
        let (left, right) = (node.source(0)?, node.source(1)?);
        let side = self.side(left).max(self.side(right));
        let (left, right) = (self.operand(model, left), self.operand(model, right));
        self.graph
            .node_named(&node.op, &[&left, &right], &node.name, vec![]);
        self.sized(node, side);
        Ok(())
    }

    /// A value, or a constant brought into channels-first order.
    fn operand(&mut self, model: &Tfjs, name: &str) -> String {
        let Some(constant) = model.find_constant(name) else {
            return name.to_owned();
        };
        if let Some(written) = self.written.get(name) {
            return written.clone();
        }
        let constant = match *constant.dims.as_slice() {
            [count] if count > 1 => Tensor {
                dims: vec![1, count, 1, 1],
                ..constant.clone()
            },
            [_, _, _, _] => transposed(constant, [0, 3, 1, 2]),
            _ => constant.clone(),
        };
        let written = self
            .graph
            .constant(constant.element, &constant.dims, constant.data);
        self.written.insert(name.to_owned(), written.clone());
        written
    }

    fn concatenation(&mut self, model: &Tfjs, node: &TfNode) -> Result<(), TfjsError> {
        let axis = node.input.len().saturating_sub(1);
        if !matches!(
            model.constant(node.source(axis)?)?.ints().as_slice(),
            [3 | -1]
        ) {
            return Err(malformed(node, "joining along the channels"));
        }
        let inputs: Result<Vec<&str>, _> = (0..axis).map(|index| node.source(index)).collect();
        let along = vec![Attribute::Int("axis", 1)];
        self.graph.node_named("Concat", &inputs?, &node.name, along);
        let side = self.side(node.source(0)?);
        self.sized(node, side);
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "sides are at most 512")]
    fn resize(&mut self, model: &Tfjs, node: &TfNode) -> Result<(), TfjsError> {
        let wanted = model.constant(node.source(1)?)?.ints();
        let &[height, width] = wanted.as_slice() else {
            return Err(malformed(node, "a size"));
        };
        let side = usize::try_from(height).unwrap_or(0);
        if height != width || node.flag("align_corners") || node.flag("half_pixel_centers") {
            return Err(malformed(node, "plain resizing of a square"));
        }
        let factor = side as f32 / self.side(node.source(0)?) as f32;
        let factors = self.graph.floats(&[4], &[1.0, 1.0, factor, factor]);
        let settings = vec![
            Attribute::Text("mode", "linear"),
            Attribute::Text("coordinate_transformation_mode", "asymmetric"),
        ];
        self.graph.node_named(
            "Resize",
            &[node.source(0)?, "", &factors],
            &node.name,
            settings,
        );
        self.sized(node, side);
        Ok(())
    }

    fn side(&self, name: &str) -> usize {
        self.sides.get(name).copied().unwrap_or(1)
    }

    fn sized(&mut self, node: &TfNode, side: usize) {
        self.sides.insert(node.name.clone(), side);
    }
}

fn malformed(node: &TfNode, what: &'static str) -> TfjsError {
    TfjsError::Malformed(node.name.clone(), what)
}

fn whole(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// A four-dimensional constant with its axes in another order.
fn transposed(tensor: &Tensor, order: [usize; 4]) -> Tensor {
    let width = tensor.width();
    let dims: Vec<usize> = order.iter().map(|&axis| tensor.dims[axis]).collect();
    let step = |axis: usize| tensor.dims[axis + 1..].iter().product::<usize>();
    let steps = order.map(step);
    let mut data = Vec::with_capacity(tensor.data.len());
    for a in 0..dims[0] {
        for b in 0..dims[1] {
            for c in 0..dims[2] {
                for d in 0..dims[3] {
                    let from = a * steps[0] + b * steps[1] + c * steps[2] + d * steps[3];
                    data.extend_from_slice(&tensor.data[from * width..(from + 1) * width]);
                }
            }
        }
    }
    Tensor {
        dims,
        element: tensor.element,
        data: data.into(),
    }
}
