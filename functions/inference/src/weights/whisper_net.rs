//! The layers that Whisper is made of, as nodes of a graph.

use super::ct2::{Ct2Error, Variable, Variables};
use crate::onnx::{Attribute, Graph};

/// Width of an attention head in every Whisper.
pub(super) const HEAD: usize = 64;

/// A graph that knows the weights and the width of the model.
pub(super) struct Net<'a> {
    pub(super) graph: Graph,
    pub(super) weights: &'a Variables,
    pub(super) width: usize,
}

impl<'a> Net<'a> {
    pub(super) fn new(name: &str, weights: &'a Variables) -> Result<Self, Ct2Error> {
        let width = weights.variable("decoder/embeddings/weight", 2)?.dims[1];
        Ok(Self {
            graph: Graph::new(name),
            weights,
            width,
        })
    }

    pub(super) fn heads(&self) -> usize {
        self.width / HEAD
    }

    pub(super) fn constant(&mut self, variable: &Variable) -> String {
        self.graph
            .constant(variable.element, &variable.dims, variable.data.clone())
    }

    pub(super) fn weight(&mut self, name: &str, rank: usize) -> Result<String, Ct2Error> {
        let variable = self.weights.variable(name, rank)?;
        Ok(self
            .graph
            .constant(variable.element, &variable.dims, variable.data.clone()))
    }

    pub(super) fn op(&mut self, op: &str, inputs: &[&str]) -> String {
        self.graph.node(op, inputs, vec![])
    }

    pub(super) fn scaled(&mut self, x: &str, by: f32) -> String {
        let by = self.graph.floats(&[], &[by]);
        self.op("Mul", &[x, &by])
    }

    pub(super) fn softmax(&mut self, x: &str) -> String {
        self.graph
            .node("Softmax", &[x], vec![Attribute::Int("axis", -1)])
    }

    /// Rows `rows` of the linear layer at `path`; keys have no bias.
    pub(super) fn linear_rows(
        &mut self,
        x: &str,
        path: &str,
        rows: (usize, usize),
        bias: bool,
    ) -> Result<String, Ct2Error> {
        let weight = self.weights.variable(&format!("{path}/weight"), 2)?;
        let weight = self.constant(&weight.rows(rows.0, rows.1).transposed());
        let product = self.op("MatMul", &[x, &weight]);
        if !bias {
            return Ok(product);
        }
        let bias = self
            .weights
            .variable(&format!("{path}/bias"), 1)?
            .rows(rows.0, rows.1);
        let bias = self.constant(&bias);
        Ok(self.op("Add", &[&product, &bias]))
    }

    pub(super) fn linear(&mut self, x: &str, path: &str) -> Result<String, Ct2Error> {
        let rows = self.weights.variable(&format!("{path}/weight"), 2)?.dims[0];
        self.linear_rows(x, path, (0, rows), true)
    }

    pub(super) fn norm(&mut self, x: &str, path: &str) -> Result<String, Ct2Error> {
        let gamma = self.weight(&format!("{path}/gamma"), 1)?;
        let beta = self.weight(&format!("{path}/beta"), 1)?;
        let settings = vec![
            Attribute::Int("axis", -1),
            Attribute::Float("epsilon", 1e-5),
        ];
        Ok(self
            .graph
            .node("LayerNormalization", &[x, &gamma, &beta], settings))
    }

    /// `x/2 · (1 + erf(x/√2))`, spelled out: the operator `Gelu` came with a later version.
    pub(super) fn gelu(&mut self, x: &str) -> String {
        let inner = self.scaled(x, std::f32::consts::FRAC_1_SQRT_2);
        let erf = self.op("Erf", &[&inner]);
        let one = self.graph.floats(&[], &[1.0]);
        let sum = self.op("Add", &[&erf, &one]);
        let product = self.op("Mul", &[x, &sum]);
        self.scaled(&product, 0.5)
    }

    /// [1, T, width] to heads, axes as asked.
    pub(super) fn split(&mut self, x: &str, order: [i64; 4]) -> String {
        let heads = index(self.heads());
        let shape = self.graph.indices(&[1, -1, heads, index(HEAD)]);
        let split = self.op("Reshape", &[x, &shape]);
        self.graph.node(
            "Transpose",
            &[&split],
            vec![Attribute::Ints("perm", order.to_vec())],
        )
    }

    /// Heads back to [1, T, width].
    pub(super) fn join(&mut self, x: &str) -> String {
        let order = vec![Attribute::Ints("perm", vec![0, 2, 1, 3])];
        let x = self.graph.node("Transpose", &[x], order);
        let width = index(self.width);
        let shape = self.graph.indices(&[1, -1, width]);
        self.op("Reshape", &[&x, &shape])
    }

    pub(super) fn query(&mut self, x: &str, path: &str) -> Result<String, Ct2Error> {
        let query = self.linear_rows(x, path, (0, self.width), true)?;
        // 1/sqrt(64) is a power of two: exact wherever it is applied.
        let query = self.scaled(&query, 0.125);
        Ok(self.split(&query, PER_HEAD))
    }

    pub(super) fn feed_forward(&mut self, x: &str, layer: &str) -> Result<String, Ct2Error> {
        let y = self.norm(x, &format!("{layer}/ffn/layer_norm"))?;
        let y = self.linear(&y, &format!("{layer}/ffn/linear_0"))?;
        let y = self.gelu(&y);
        let y = self.linear(&y, &format!("{layer}/ffn/linear_1"))?;
        Ok(self.op("Add", &[x, &y]))
    }
}

/// [1, heads, T, 64].
pub(super) const PER_HEAD: [i64; 4] = [0, 2, 1, 3];
/// [1, heads, 64, T]: keys, ready to be multiplied.
pub(super) const KEYS: [i64; 4] = [0, 2, 3, 1];

/// Widths of a model are a few hundred.
pub(super) fn index(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
