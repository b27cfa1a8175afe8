//! The folder in which weights are kept, by default below the user's cache folder.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use shared_domain::Reader;

use super::fetch::{self, Progress};
use super::library::{RUNTIME, library};
use super::{Manifest, Stored, WeightsError};

/// Where weights are kept and where they come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FolderConfig {
    /// `MODELS_DIR`; by default `compliance/models` in the user's cache folder.
    pub dir: Option<PathBuf>,
    /// `MODELS_SOURCE`: a folder with the packages or the files in them, instead of a registry.
    pub source: Option<PathBuf>,
}

impl FolderConfig {
    /// Reads `MODELS_DIR` and `MODELS_SOURCE`.
    pub fn read(reader: &Reader<'_>) -> Self {
        let source = reader.find("MODELS_SOURCE").map(PathBuf::from);
        if source.as_ref().is_some_and(|source| !source.is_dir()) {
            reader.problem("MODELS_SOURCE", "is not a folder");
        }
        Self {
            dir: reader.find("MODELS_DIR").map(PathBuf::from),
            source,
        }
    }
}

/// The state of one stored file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// There, with the pinned checksum.
    Good,
    /// Not there.
    Missing,
    /// There, with another content.
    Damaged,
}

/// One line of `Folder::verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Name of the weight.
    pub weight: &'static str,
    /// The file.
    pub stored: &'static Stored,
    /// Its state.
    pub condition: Condition,
}

/// The folder of weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    dir: PathBuf,
    source: Option<PathBuf>,
}

impl Folder {
    /// Opens the configured folder. It need not exist yet.
    pub fn connect(config: FolderConfig) -> Result<Self, WeightsError> {
        let default = || dirs::cache_dir().map(|cache| cache.join("compliance").join("models"));
        let dir = config.dir.or_else(default).ok_or(WeightsError::NoFolder)?;
        Ok(Self {
            dir,
            source: config.source,
        })
    }

    /// Opens the folder at a path.
    pub fn open(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            source: None,
        }
    }

    /// Where the folder is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The folder that replaces the registries, if one is set.
    pub fn source(&self) -> Option<&Path> {
        self.source.as_deref()
    }

    /// The place of a stored file (`whisper-base/encoder.onnx`), after its checksum was verified.
    pub fn path(&self, stored: &str) -> Result<PathBuf, WeightsError> {
        let known = Manifest::default_set()
            .find_stored(stored)
            .ok_or_else(|| self.lacks(stored))?;
        match self.condition(known)? {
            Condition::Good => Ok(self.dir.join(known.path)),
            Condition::Missing => Err(self.lacks(stored)),
            Condition::Damaged => Err(WeightsError::Damaged {
                file: stored.to_owned(),
            }),
        }
    }

    /// The library that runs the models, after its checksum was verified.
    pub(crate) fn library(&self) -> Result<PathBuf, WeightsError> {
        library()?
            .stored
            .first()
            .ok_or_else(|| self.lacks("the library"))
            .and_then(|stored| self.path(stored.path))
    }

    /// Fails with the first of these files, or the library, that is not there; a quick look without
    /// checksums.
    pub(crate) fn require(&self, files: &[&str]) -> Result<(), WeightsError> {
        let library = library()?;
        let missing = self.missing(&Manifest::default_set());
        let needed = |stored: &&Stored| {
            files.contains(&stored.path) || library.stored.iter().any(|file| file == *stored)
        };
        let absent = missing.into_iter().find(|stored| needed(stored));
        absent.map_or(Ok(()), |stored| Err(self.lacks(stored.path)))
    }

    /// 64 hex digits that name these stored files and what runs them: the version of a model made of
    /// them. It is the same on every platform.
    pub fn version(stored: &[&str]) -> String {
        let manifest = Manifest::default_set();
        let mut hash = Sha256::new();
        for part in RUNTIME {
            hash.update(part);
        }
        for known in stored.iter().filter_map(|path| manifest.find_stored(path)) {
            hash.update(known.sha256);
        }
        hex::encode(hash.finalize())
    }

    /// Stored files that are not there or have another size; a quick look without checksums.
    pub fn missing(&self, manifest: &Manifest) -> Vec<&'static Stored> {
        let stored = manifest.all().flat_map(|weight| weight.stored);
        let there = |stored: &Stored| {
            self.dir
                .join(stored.path)
                .metadata()
                .is_ok_and(|meta| meta.len() == stored.bytes)
        };
        stored.filter(|stored| !there(stored)).collect()
    }

    /// Reads every stored file and compares its checksum.
    pub fn verify(&self, manifest: &Manifest) -> Result<Vec<Verified>, WeightsError> {
        let mut lines = Vec::new();
        for weight in manifest.all() {
            for stored in weight.stored {
                let condition = self.condition(stored)?;
                lines.push(Verified {
                    weight: weight.name,
                    stored,
                    condition,
                });
            }
        }
        Ok(lines)
    }

    /// Fetches and converts what is missing or damaged, and tells of the progress.
    pub fn fetch(
        &self,
        manifest: &Manifest,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), WeightsError> {
        fetch::fetch(self, manifest, progress)
    }

    /// Compares one stored file with its entry.
    pub(super) fn condition(&self, stored: &Stored) -> Result<Condition, WeightsError> {
        let path = self.dir.join(stored.path);
        match path.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Condition::Missing),
            Err(error) => return Err(WeightsError::io("read", path)(error)),
            Ok(meta) if meta.len() != stored.bytes => return Ok(Condition::Damaged),
            Ok(_) => {}
        }
        let same = sha256_of(&path)? == stored.sha256;
        Ok(if same {
            Condition::Good
        } else {
            Condition::Damaged
        })
    }

    fn lacks(&self, file: &str) -> WeightsError {
        WeightsError::Missing {
            file: file.to_owned(),
            folder: self.dir.clone(),
        }
    }
}

/// The checksum of a file in lower-case hex.
pub(super) fn sha256_of(path: &Path) -> Result<String, WeightsError> {
    let mut file = File::open(path).map_err(WeightsError::io("read", path))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file
            .read(&mut buffer)
            .map_err(WeightsError::io("read", path))?;
        if count == 0 {
            return Ok(hex::encode(hash.finalize()));
        }
        hash.update(&buffer[..count]);
    }
}
