//! Reads `model.bin` of `CTranslate2`: named tensors, little-endian, without copying them.
//!
//! Layout: u32 version, text name, u32 revision, u32 count, then per variable text name, u8 rank,
//! u32 sizes, u8 type, u32 length, bytes; then u32 aliases, each a pair of texts. A text is a u16
//! length, that counts the closing zero byte, and the bytes.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes};

use crate::onnx::Element;

/// Why the file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Ct2Error {
    #[error("the file ends too early")]
    Short,
    #[error("the variable {0} has a type that is not known")]
    Type(String),
    #[error("there is no variable {0}")]
    NoVariable(String),
    #[error("the variable {0} has an unexpected shape")]
    Shape(String),
    #[error("a name is not text")]
    Text,
}

/// One variable.
#[derive(Debug, Clone)]
pub(super) struct Variable {
    pub(super) dims: Vec<usize>,
    pub(super) element: Element,
    pub(super) data: Bytes,
}

impl Variable {
    fn width(&self) -> usize {
        if self.element == Element::F16 { 2 } else { 4 }
    }

    /// Rows `from..to` of a matrix, or that part of a vector.
    pub(super) fn rows(&self, from: usize, to: usize) -> Self {
        let row = self.dims.iter().skip(1).product::<usize>() * self.width();
        let mut dims = self.dims.clone();
        dims[0] = to - from;
        Self {
            dims,
            data: self.data.slice(from * row..to * row),
            ..*self
        }
    }

    /// A matrix with rows and columns swapped.
    pub(super) fn transposed(&self) -> Self {
        let (rows, columns, width) = (self.dims[0], self.dims[1], self.width());
        let mut data = vec![0; self.data.len()];
        for row in 0..rows {
            for column in 0..columns {
                let from = (row * columns + column) * width;
                let to = (column * rows + row) * width;
                data[to..to + width].copy_from_slice(&self.data[from..from + width]);
            }
        }
        Self {
            dims: vec![columns, rows],
            element: self.element,
            data: data.into(),
        }
    }
}

/// More layers than any Whisper has.
const LAYERS: usize = 256;

/// All variables by name.
#[derive(Debug)]
pub(super) struct Variables(BTreeMap<String, Variable>);

impl Variables {
    /// Reads a whole file.
    pub(super) fn parse(file: Vec<u8>) -> Result<Self, Ct2Error> {
        let mut file = Bytes::from(file);
        let short = |_| Ct2Error::Short;
        file.try_get_u32_le().map_err(short)?;
        text(&mut file)?;
        file.try_get_u32_le().map_err(short)?;
        let mut variables = BTreeMap::new();
        for _ in 0..file.try_get_u32_le().map_err(short)? {
            let name = text(&mut file)?;
            let variable = variable(&mut file, &name)?;
            variables.insert(name, variable);
        }
        for _ in 0..file.try_get_u32_le().map_err(short)? {
            let (alias, name) = (text(&mut file)?, text(&mut file)?);
            let target = variables
                .get(&name)
                .ok_or(Ct2Error::NoVariable(name))?
                .clone();
            variables.insert(alias, target);
        }
        Ok(Self(variables))
    }

    /// A variable of a known rank.
    pub(super) fn variable(&self, name: &str, rank: usize) -> Result<&Variable, Ct2Error> {
        let variable = self
            .0
            .get(name)
            .ok_or_else(|| Ct2Error::NoVariable(name.to_owned()))?;
        let count = variable.dims.iter().product::<usize>();
        if variable.dims.len() == rank && count * variable.width() == variable.data.len() {
            Ok(variable)
        } else {
            Err(Ct2Error::Shape(name.to_owned()))
        }
    }

    /// How many layers a part has.
    pub(super) fn layers(&self, part: &str) -> usize {
        let has = |layer: &usize| {
            let prefix = format!("{part}/layer_{layer}/");
            self.0.keys().any(|name| name.starts_with(&prefix))
        };
        (0..LAYERS).take_while(has).count()
    }
}

fn text(file: &mut Bytes) -> Result<String, Ct2Error> {
    let length = usize::from(file.try_get_u16_le().map_err(|_| Ct2Error::Short)?);
    let bytes = take(file, length)?;
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(&bytes);
    String::from_utf8(bytes.to_vec()).map_err(|_| Ct2Error::Text)
}

fn take(file: &mut Bytes, length: usize) -> Result<Bytes, Ct2Error> {
    if file.remaining() < length {
        Err(Ct2Error::Short)
    } else {
        Ok(file.split_to(length))
    }
}

fn variable(file: &mut Bytes, name: &str) -> Result<Variable, Ct2Error> {
    let short = |_| Ct2Error::Short;
    let rank = file.try_get_u8().map_err(short)?;
    let mut dims = Vec::new();
    for _ in 0..rank {
        let size = file.try_get_u32_le().map_err(short)?;
        dims.push(usize::try_from(size).map_err(|_| Ct2Error::Short)?);
    }
    let kind = file.try_get_u8().map_err(short)?;
    let length = file.try_get_u32_le().map_err(short)?;
    let data = take(file, usize::try_from(length).map_err(|_| Ct2Error::Short)?)?;
    let element = match kind {
        0 => Element::F32,
        // Settings such as the number of heads: kept, never used as weights.
        1..=3 => Element::I32,
        4 => Element::F16,
        _ => return Err(Ct2Error::Type(name.to_owned())),
    };
    Ok(Variable {
        dims,
        element,
        data,
    })
}
