//! A file that should be a pack.

use std::io::Read;
use std::path::Path;

use anyhow::Context;
use shared_store::Store;

use super::{AddedPack, Known, Told};

/// More is refused by the reader of packs, which needs not see all of it.
const LIMIT: u64 = 1 << 20;

/// What is wrong with a file, or what it is.
pub(super) fn check(known: &Known, path: &Path) -> anyhow::Result<Told> {
    let name = path.display();
    let told = match text(path)?.and_then(|yaml| known.read(&yaml).map_err(Fault::from)) {
        Err(fault) => Told::complaint(fault.told(path)),
        Ok(pack) => {
            let (rules, of) = (pack.rules.len(), pack.extends.join(", "));
            let base = match of.is_empty() {
                true => String::new(),
                false => format!(", on top of {of}"),
            };
            Told::out(format!(
                "{name}: {} {}, {rules} rules{base}",
                pack.id, pack.version
            ))
        }
    };
    Ok(told)
}

/// Keeps a pack; one that is refused leaves everything as it is.
pub(super) async fn add(known: &Known, store: &Store, path: &Path) -> anyhow::Result<Told> {
    let read = text(path)?.and_then(|yaml| {
        let mut packs = known.packs.clone();
        let is_there = |name: &str| known.dictionaries.find(name).is_some();
        let pack = known.read(&yaml)?;
        packs.add(&yaml, is_there)?;
        Ok((pack, yaml))
    });
    let (pack, body) = match read {
        Err(fault) => return Ok(Told::complaint(fault.told(path))),
        Ok(read) => read,
    };
    let new = AddedPack {
        pack_id: pack.id,
        version: pack.version,
        body,
    };
    let (id, version) = (&new.pack_id, &new.version);
    Ok(match store.add_pack(&new).await? {
        true => Told::out(format!("{id} {version} is added")),
        false => Told::complaint(format!(
            "{}: `{id}` {version} is there already; what has changed needs a new version",
            path.display()
        )),
    })
}

/// Why a file is no pack.
pub(super) struct Fault {
    line: u64,
    reason: String,
}

impl From<shared_policy::PackError> for Fault {
    fn from(error: shared_policy::PackError) -> Self {
        Self {
            line: error.line,
            reason: error.reason,
        }
    }
}

impl Fault {
    /// `mine.yaml:12: unknown category …`, as compilers say it.
    pub(super) fn told(&self, path: &Path) -> String {
        let (path, reason) = (path.display(), &self.reason);
        match self.line {
            0 => format!("{path}: {reason}"),
            line => format!("{path}:{line}: {reason}"),
        }
    }
}

/// The text of a file; the inner error is about what is in it.
pub(super) fn text(path: &Path) -> anyhow::Result<Result<String, Fault>> {
    let unreadable = || format!("{} cannot be read", path.display());
    let file = std::fs::File::open(path).with_context(unreadable)?;
    let mut bytes = Vec::new();
    file.take(LIMIT)
        .read_to_end(&mut bytes)
        .with_context(unreadable)?;
    // What was cut in the middle of a letter is too large anyway.
    let whole = match std::str::from_utf8(&bytes) {
        Err(error) if error.error_len().is_some() => {
            let before = bytes.iter().take(error.valid_up_to());
            let lines = before.filter(|byte| **byte == b'\n').count();
            return Ok(Err(Fault {
                line: u64::try_from(lines + 1).unwrap_or(u64::MAX),
                reason: "this is no UTF-8 text".into(),
            }));
        }
        _ => String::from_utf8_lossy(&bytes),
    };
    Ok(Ok(whole.into_owned()))
}
