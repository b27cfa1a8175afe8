#![doc = include_str!("../README.md")]

mod dictionary;
mod normalise;

pub use dictionary::{
    BUILT_IN, Dictionaries, Dictionary, DictionaryError, Hit, How, ListError, PolicyConfig,
};
pub use normalise::Text;
