//! The list of weights: which package holds which file, its checksum, and its licence.
//!
//! Packages come from the two ordinary registries by name and version; the checksums below decide
//! what is accepted, whoever delivers it.

use super::{default_set, library};

/// Which kind of package holds a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registry {
    /// Python's; fetched with `pip`.
    Pypi,
    /// Node's; fetched with `npm`.
    Npm,
}

/// One package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Package {
    /// Which registry.
    pub registry: Registry,
    /// Its name there.
    pub name: &'static str,
    /// Its exact version.
    pub version: &'static str,
    /// Size of the archive, for the progress bar.
    pub bytes: u64,
    /// Which machine it is built for, in the words of its registry; none fits all.
    pub platform: Option<&'static str>,
}

/// A piece of a file inside a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The package.
    pub package: &'static Package,
    /// The path in its archive.
    pub path: &'static str,
}

/// A file as the packages ship it, put together from its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Name under which a local folder may hold it.
    pub name: &'static str,
    /// Pieces in order.
    pub parts: &'static [Part],
    /// Size of the whole.
    pub bytes: u64,
    /// SHA-256 of the whole.
    pub sha256: &'static str,
}

/// A file as it is stored for use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Path below the folder; the key of `Folder::path`.
    pub path: &'static str,
    /// Size.
    pub bytes: u64,
    /// SHA-256.
    pub sha256: &'static str,
}

/// What is done to the sources once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversion {
    /// Sources are stored as they are, in the same order.
    None,
    /// `CTranslate2` weights become an encoder and a decoder; the rest is stored as it is.
    Whisper,
    /// A graph of TensorFlow.js becomes ONNX.
    CenterNet,
}

/// The weights of one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight {
    /// Name shown to people.
    pub name: &'static str,
    /// What it is for, in words.
    pub purpose: &'static str,
    /// Licence, as the package states it.
    pub licence: &'static str,
    /// Files of the packages.
    pub sources: &'static [Source],
    /// How sources become stored files.
    pub conversion: Conversion,
    /// Files that are kept.
    pub stored: &'static [Stored],
}

/// A set of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manifest {
    /// What runs the models on this machine; none where they do not run.
    pub library: Option<&'static Weight>,
    /// In the order in which they are fetched.
    pub weights: &'static [Weight],
}

impl Manifest {
    /// Everything that the local models need.
    pub fn default_set() -> Self {
        Self {
            library: library::find_library(),
            weights: default_set::WEIGHTS,
        }
    }

    /// The library and every weight, in the order in which they are fetched.
    pub fn all(&self) -> impl Iterator<Item = &'static Weight> + use<> {
        self.library.into_iter().chain(self.weights)
    }

    /// The weight that a stored file belongs to.
    pub fn find_stored(&self, path: &str) -> Option<&'static Stored> {
        let mut stored = self.all().flat_map(|weight| weight.stored);
        stored.find(|stored| stored.path == path)
    }
}

impl Weight {
    /// The packages of this weight, each once.
    pub fn packages(&self) -> Vec<&'static Package> {
        let mut packages: Vec<&'static Package> = Vec::new();
        for part in self.sources.iter().flat_map(|source| source.parts) {
            if !packages.contains(&part.package) {
                packages.push(part.package);
            }
        }
        packages
    }
}
