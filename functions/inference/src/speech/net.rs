//! The two networks: sound to keys and values, and tokens to the next token.

use std::path::Path;
use std::sync::Arc;

use rten::{Model, NodeId, RunOptions, ThreadPool, Value, ValueOrView};
use rten_tensor::Tensor;
use rten_tensor::prelude::*;

use super::SpeechError;
use super::mel::BANDS;
use super::tokens::Token;

const ENCODER: &str = "encoder";
const DECODER: &str = "decoder";
/// Width of an attention head in every Whisper.
const HEAD: usize = 64;

/// What the decoder listens to.
#[derive(Debug)]
pub(super) struct Heard(Vec<Tensor<f32>>);

/// What the decoder has said so far.
#[derive(Debug)]
pub(super) struct Said {
    cache: Vec<Tensor<f32>>,
    length: usize,
}

/// The nodes of one layer of the decoder, keys before values.
#[derive(Debug)]
struct Layer {
    past: [NodeId; 2],
    heard: [NodeId; 2],
    present: [NodeId; 2],
}

/// Where a decoder run puts its results.
struct Answer {
    wanted: Tensor<f32>,
    cache: Vec<Tensor<f32>>,
}

/// Both networks.
#[derive(Debug)]
pub(super) struct Net {
    encoder: Model,
    decoder: Model,
    heard: Vec<NodeId>,
    layers: Vec<Layer>,
    heads: usize,
    pool: Option<Arc<ThreadPool>>,
}

impl Net {
    pub(super) fn load(
        encoder: &Path,
        decoder: &Path,
        pool: Option<Arc<ThreadPool>>,
    ) -> Result<Self, SpeechError> {
        let load = |path: &Path, file| {
            Model::load_file(path).map_err(|source| SpeechError::Load {
                file,
                source: Box::new(source),
            })
        };
        let encoder = load(encoder, "encoder.onnx")?;
        let decoder = load(decoder, "decoder.onnx")?;
        let mut layers = Vec::new();
        let mut heard = Vec::new();
        for index in 0.. {
            let name = |prefix: &str| format!("{prefix}{index}");
            if decoder.find_node(&name("k")).is_none() {
                break;
            }
            let pair = |model: &Model, keys: &str, values: &str| {
                let node = |prefix| {
                    model
                        .node_id(&name(prefix))
                        .map_err(SpeechError::run(DECODER))
                };
                Ok::<_, SpeechError>([node(keys)?, node(values)?])
            };
            heard.extend(pair(&encoder, "xk", "xv")?);
            layers.push(Layer {
                past: pair(&decoder, "k", "v")?,
                heard: pair(&decoder, "xk", "xv")?,
                present: pair(&decoder, "nk", "nv")?,
            });
        }
        let first = decoder.node_id("k0").map_err(SpeechError::run(DECODER))?;
        let shape = decoder.node_info(first).and_then(|info| info.shape());
        let heads = match shape.as_deref() {
            Some([_, rten::Dimension::Fixed(heads), ..]) => *heads,
            _ => return Err(SpeechError::shape(DECODER)),
        };
        Ok(Self {
            encoder,
            decoder,
            heard,
            layers,
            heads,
            pool,
        })
    }

    fn options(&self) -> RunOptions {
        RunOptions::default().with_thread_pool(self.pool.clone())
    }

    /// Listens to a picture of an even number of columns.
    pub(super) fn listen(&self, picture: Vec<f32>) -> Result<Heard, SpeechError> {
        let columns = picture.len() / BANDS;
        let mel = Tensor::from_data(&[1, BANDS, columns], picture);
        let positions = positions(0, columns / 2);
        let node = |name: &str| {
            self.encoder
                .node_id(name)
                .map_err(SpeechError::run(ENCODER))
        };
        let inputs = vec![
            (node("mel")?, mel.view().into()),
            (node("pos")?, positions.view().into()),
        ];
        let values = self.encoder.run(inputs, &self.heard, Some(self.options()));
        let values = values.map_err(SpeechError::run(ENCODER))?.into_iter();
        let tensors: Option<Vec<_>> = values.map(|value| value.try_into().ok()).collect();
        Ok(Heard(tensors.ok_or_else(|| SpeechError::shape(ENCODER))?))
    }

    /// An empty beginning.
    pub(super) fn silent(&self) -> Said {
        let empty = || Tensor::zeros(&[1, self.heads, 0, HEAD]);
        Said {
            cache: (0..2 * self.layers.len()).map(|_| empty()).collect(),
            length: 0,
        }
    }

    /// Says some tokens and answers how likely each token comes next (before any softmax).
    pub(super) fn say(
        &self,
        tokens: &[Token],
        said: &mut Said,
        heard: &Heard,
    ) -> Result<Vec<f32>, SpeechError> {
        let answer = self.decode(tokens, said, heard, "logits")?;
        said.length += tokens.len();
        said.cache = answer.cache;
        Ok(answer.wanted.to_vec())
    }

    /// Which moments the alignment heads look at while a whole text is said: [1, heads, T, moments].
    pub(super) fn attention(
        &self,
        tokens: &[Token],
        heard: &Heard,
    ) -> Result<Tensor<f32>, SpeechError> {
        Ok(self
            .decode(tokens, &mut self.silent(), heard, "align")?
            .wanted)
    }

    fn decode(
        &self,
        tokens: &[Token],
        said: &mut Said,
        heard: &Heard,
        wanted: &str,
    ) -> Result<Answer, SpeechError> {
        let (count, past) = (tokens.len(), said.length);
        let node = |name: &str| {
            self.decoder
                .node_id(name)
                .map_err(SpeechError::run(DECODER))
        };
        let ids: Option<Vec<i32>> = tokens
            .iter()
            .map(|&token| i32::try_from(token).ok())
            .collect();
        let ids = ids.ok_or_else(|| SpeechError::shape(DECODER))?;
        let ids = Tensor::from_data(&[1, count], ids);
        let positions = positions(past, count);
        let mask = mask(past, count);
        let mut inputs: Vec<(NodeId, ValueOrView<'_>)> = vec![
            (node("ids")?, ids.view().into()),
            (node("pos")?, positions.view().into()),
            (node("mask")?, mask.view().into()),
        ];
        let mut outputs = vec![node(wanted)?];
        // The cache is given away, so that the run time may extend it in place.
        let mut cache = std::mem::take(&mut said.cache).into_iter();
        for (layer, heard) in self.layers.iter().zip(heard.0.chunks(2)) {
            for (part, heard) in heard.iter().enumerate() {
                if let Some(past) = cache.next() {
                    inputs.push((layer.past[part], Value::from(past).into()));
                }
                inputs.push((layer.heard[part], heard.view().into()));
                outputs.push(layer.present[part]);
            }
        }
        let values = self.decoder.run(inputs, &outputs, Some(self.options()));
        let mut values = values.map_err(SpeechError::run(DECODER))?.into_iter();
        let first = values.next().and_then(|value| value.try_into().ok());
        let rest: Option<Vec<_>> = values.map(|value| value.try_into().ok()).collect();
        match (first, rest) {
            (Some(wanted), Some(cache)) => Ok(Answer { wanted, cache }),
            _ => Err(SpeechError::shape(DECODER)),
        }
    }
}

fn positions(from: usize, count: usize) -> Tensor<i32> {
    let all: Vec<i32> = (from..from + count)
        .map(|at| i32::try_from(at).unwrap_or(i32::MAX))
        .collect();
    Tensor::from_data(&[count], all)
}

/// A token does not see those after it.
fn mask(past: usize, count: usize) -> Tensor<f32> {
    let row = |at: usize| {
        (0..past + count).map(move |seen| {
            if seen > past + at {
                f32::NEG_INFINITY
            } else {
                0.0
            }
        })
    };
    Tensor::from_data(
        &[count, past + count],
        (0..count).flat_map(row).collect::<Vec<_>>(),
    )
}
