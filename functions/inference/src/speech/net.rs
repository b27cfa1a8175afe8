//! The two networks: sound to keys and values, and tokens to the next token.

use std::path::Path;

use ort::session::SessionInputValue;
use ort::value::{DynValue, Tensor};

use super::SpeechError;
use super::mel::BANDS;
use super::tokens::Token;
use crate::engine::{Engine, Network};

const ENCODER: &str = "encoder";
const DECODER: &str = "decoder";
/// Width of an attention head in every Whisper.
const HEAD: usize = 64;

/// What the decoder listens to.
#[derive(Debug)]
pub(super) struct Heard(Vec<DynValue>);

/// What the decoder has said so far.
#[derive(Debug)]
pub(super) struct Said {
    cache: Vec<DynValue>,
    length: usize,
}

/// The names of what one kind of decoder run wants, that before the new cache.
#[derive(Debug)]
struct Wanted(Vec<String>);

/// Both networks.
#[derive(Debug)]
pub(super) struct Net {
    encoder: Network,
    decoder: Network,
    /// Keys and values of each layer, as inputs: what was said, and what was heard.
    past: Vec<String>,
    heard: Vec<String>,
    next_token: Wanted,
    attention: Wanted,
    heads: usize,
}

/// Which moments the alignment heads look at while a text is said.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Attention {
    pub(super) heads: usize,
    pub(super) moments: usize,
    tokens: usize,
    values: Vec<f32>,
}

impl Attention {
    /// What one head sees of all moments at a token.
    pub(super) fn row(&self, head: usize, token: usize) -> &[f32] {
        let from = (head * self.tokens + token) * self.moments;
        &self.values[from..from + self.moments]
    }
}

impl Net {
    pub(super) fn load(
        encoder: &Path,
        decoder: &Path,
        engine: &Engine,
    ) -> Result<Self, SpeechError> {
        let open = |path: &Path, file| {
            let network = engine.open_large(path);
            network.map_err(SpeechError::load(file))
        };
        let encoder = open(encoder, "encoder.onnx")?;
        let decoder = open(decoder, "decoder.onnx")?;
        let heads = heads(&decoder).ok_or_else(|| SpeechError::shape(DECODER))?;
        let known = |name: &String| decoder.inputs().iter().any(|input| input.name == *name);
        let layers = (0..decoder.inputs().len())
            .take_while(|layer| known(&format!("k{layer}")))
            .count();
        let of_layers = |kinds: [&str; 2]| -> Vec<String> {
            let names = |layer| kinds.map(|kind| format!("{kind}{layer}"));
            (0..layers).flat_map(names).collect()
        };
        let present = of_layers(["nk", "nv"]);
        let with = |first: &str| Wanted([vec![first.to_owned()], present.clone()].concat());
        Ok(Self {
            past: of_layers(["k", "v"]),
            heard: of_layers(["xk", "xv"]),
            next_token: with("logits"),
            attention: Wanted(vec!["align".to_owned()]),
            heads,
            encoder,
            decoder,
        })
    }

    /// Listens to a picture of an even number of columns.
    pub(super) fn listen(&self, picture: Vec<f32>) -> Result<Heard, SpeechError> {
        let failed = SpeechError::run(ENCODER);
        let columns = picture.len() / BANDS;
        let mel = Tensor::from_array(([1, BANDS, columns], picture)).map_err(&failed)?;
        let positions = positions(0, columns / 2).map_err(&failed)?;
        let inputs = vec![("mel".into(), mel.into()), ("pos".into(), positions.into())];
        let values = self.encoder.run(inputs, &self.heard).map_err(failed)?;
        Ok(Heard(values))
    }

    /// An empty beginning.
    pub(super) fn silent(&self) -> Result<Said, SpeechError> {
        let empty = || Tensor::from_array(([1, self.heads, 0, HEAD], Vec::<f32>::new()));
        let cache = self.past.iter().map(|_| Ok(empty()?.into_dyn()));
        let cache: ort::Result<Vec<DynValue>> = cache.collect();
        Ok(Said {
            cache: cache.map_err(SpeechError::run(DECODER))?,
            length: 0,
        })
    }

    /// Says some tokens and answers how likely each token comes next (before any softmax).
    pub(super) fn say(
        &self,
        tokens: &[Token],
        said: &mut Said,
        heard: &Heard,
    ) -> Result<Vec<f32>, SpeechError> {
        let mut values = self
            .decode(tokens, said, heard, &self.next_token)?
            .into_iter();
        let logits = values.next().ok_or_else(|| SpeechError::shape(DECODER))?;
        said.length += tokens.len();
        said.cache = values.collect();
        let (_, logits) = floats(&logits)?;
        Ok(logits.to_vec())
    }

    /// Which moments the alignment heads look at while a whole text is said.
    pub(super) fn attention(
        &self,
        tokens: &[Token],
        heard: &Heard,
    ) -> Result<Attention, SpeechError> {
        let values = self.decode(tokens, &self.silent()?, heard, &self.attention)?;
        let value = values.first().ok_or_else(|| SpeechError::shape(DECODER))?;
        let (sizes, values) = floats(value)?;
        let &[1, heads, tokens, moments] = sizes.as_slice() else {
            return Err(SpeechError::shape(DECODER));
        };
        Ok(Attention {
            heads,
            tokens,
            moments,
            values: values.to_vec(),
        })
    }

    fn decode(
        &self,
        tokens: &[Token],
        said: &Said,
        heard: &Heard,
        wanted: &Wanted,
    ) -> Result<Vec<DynValue>, SpeechError> {
        let failed = SpeechError::run(DECODER);
        let (count, past) = (tokens.len(), said.length);
        let ids = tokens.iter().map(|&token| i32::try_from(token));
        let ids = ids.collect::<Result<Vec<i32>, _>>();
        let ids = ids.map_err(|_| SpeechError::shape(DECODER))?;
        let ids = Tensor::from_array(([1, count], ids)).map_err(&failed)?;
        let positions = positions(past, count).map_err(&failed)?;
        let mask = mask(past, count).map_err(&failed)?;
        let mut inputs: Vec<(_, SessionInputValue<'_>)> = vec![
            ("ids".into(), ids.into()),
            ("pos".into(), positions.into()),
            ("mask".into(), mask.into()),
        ];
        // Values of earlier runs are lent as they lie: none is copied.
        let cache = self.past.iter().zip(&said.cache);
        for (name, value) in cache.chain(self.heard.iter().zip(&heard.0)) {
            inputs.push((name.as_str().into(), value.into()));
        }
        self.decoder.run(inputs, &wanted.0).map_err(failed)
    }
}

/// How many heads the decoder has: keys are [1, heads, said, 64].
fn heads(decoder: &Network) -> Option<usize> {
    let mut inputs = decoder.inputs().iter();
    let keys = inputs.find(|input| input.name == "k0")?;
    usize::try_from(*keys.sizes.get(1)?).ok()
}

/// Sizes and numbers of an answer.
fn floats(value: &DynValue) -> Result<(Vec<usize>, &[f32]), SpeechError> {
    let failed = SpeechError::run(DECODER);
    let (shape, values) = value.try_extract_tensor::<f32>().map_err(failed)?;
    let sizes = shape.iter().map(|&size| usize::try_from(size));
    let sizes = sizes.collect::<Result<Vec<usize>, _>>();
    Ok((sizes.map_err(|_| SpeechError::shape(DECODER))?, values))
}

fn positions(from: usize, count: usize) -> ort::Result<Tensor<i32>> {
    let all: Vec<i32> = (from..from + count)
        .map(|at| i32::try_from(at).unwrap_or(i32::MAX))
        .collect();
    Tensor::from_array(([count], all))
}

/// A token does not see those after it.
fn mask(past: usize, count: usize) -> ort::Result<Tensor<f32>> {
    let row = |at: usize| {
        (0..past + count).map(move |seen| {
            if seen > past + at {
                f32::NEG_INFINITY
            } else {
                0.0
            }
        })
    };
    let all: Vec<f32> = (0..count).flat_map(row).collect();
    Tensor::from_array(([count, past + count], all))
}
