//! Where objects wait until they are whole: bytes, digests and what is kept beside them are settled
//! aside, then moved into place.
//!
//! The surprise: three files have to move, and a kill may fall between two of them. The key is noted
//! first; what is noted is finished at the next start, what is not is swept.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use s3s::dto::{PutObjectInput, PutObjectOutput};
use s3s::{S3, S3Request, S3Result};
use s3s_fs::FileSystem;

use super::files::{Files, is_absent};

#[derive(Debug)]
pub(super) struct Staging {
    store: FileSystem,
    aside: Files,
    turns: AtomicU64,
}

/// A whole object that is not in place yet; dropped, it is gone.
#[derive(Debug)]
pub(super) struct Staged {
    /// What is kept beside the object first, the object last.
    paths: [PathBuf; 3],
    note: PathBuf,
    noted: bool,
}

impl Staging {
    /// Finishes what a kill interrupted and sweeps the rest.
    pub(super) fn open(root: &Path, files: &Files) -> io::Result<Self> {
        let aside = files.aside(root.join("staging"));
        recover(&aside, files)?;
        match std::fs::remove_dir_all(aside.store()) {
            Err(error) if !is_absent(&error) => return Err(error),
            _ => std::fs::create_dir_all(aside.bucket())?,
        }
        let store = FileSystem::new(aside.store()).map_err(|error| {
            // Its error type tells nothing but by `Debug`.
            io::Error::other(format!("{error:?}"))
        })?;
        Ok(Self {
            store,
            aside,
            turns: AtomicU64::new(0),
        })
    }

    /// Takes an object in and compares it with its digests; nobody can see it yet.
    pub(super) async fn take(
        &self,
        mut request: S3Request<PutObjectInput>,
    ) -> S3Result<(Staged, PutObjectOutput)> {
        let turn = self.turns.fetch_add(1, Ordering::Relaxed).to_string();
        let staged = Staged {
            paths: paths(&self.aside, &turn),
            note: self.aside.store().join(format!("{turn}.note")),
            noted: false,
        };
        request.input.key = turn;
        let written = self.store.put_object(request).await?;
        Ok((staged, written.output))
    }
}

impl Staged {
    /// Moves the object to its key. Blocks, so that nobody can drop it half-way.
    pub(super) fn place(mut self, key: &str, files: &Files) -> io::Result<()> {
        let to = paths(files, key);
        // What stands in the way for good is found before the first file moves.
        if to[2].is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        make_room(&to)?;
        let half = self.note.with_extension("tmp");
        std::fs::write(&half, key)?;
        std::fs::rename(half, &self.note)?;
        self.noted = true;
        carry(&self.paths, &to)?;
        std::fs::remove_file(&self.note)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // What is noted and not in place after all is left to the next start.
        if !self.noted {
            for path in &self.paths {
                // Absent is usual: the store writes some of them late.
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

fn recover(aside: &Files, files: &Files) -> io::Result<()> {
    let entries = match std::fs::read_dir(aside.store()) {
        Err(error) if is_absent(&error) => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let note = entry?.path();
        if note.extension().is_some_and(|kind| kind == "note")
            && let Some(turn) = note.file_stem().and_then(|turn| turn.to_str())
        {
            let to = paths(files, &std::fs::read_to_string(&note)?);
            make_room(&to)?;
            carry(&paths(aside, turn), &to)?;
        }
    }
    Ok(())
}

fn paths(files: &Files, key: &str) -> [PathBuf; 3] {
    let [metadata, internal] = files.sidecars(key);
    [metadata, internal, files.object(key)]
}

fn make_room(to: &[PathBuf; 3]) -> io::Result<()> {
    to[2].parent().map_or(Ok(()), std::fs::create_dir_all)
}

/// Moves what has not moved yet.
fn carry(from: &[PathBuf; 3], to: &[PathBuf; 3]) -> io::Result<()> {
    for (from, to) in from.iter().zip(to) {
        if from.try_exists()? {
            std::fs::rename(from, to)?;
        }
    }
    Ok(())
}
