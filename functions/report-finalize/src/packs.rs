//! Which pack judges.

use shared_policy::{Pack, PackError, Packs};
use shared_runtime::causes;
use time::Date;
use tracing::warn;

use crate::{Error, ReportFinalize};

impl ReportFinalize {
    /// The packs of the program and those that were added. One that this release cannot read stays
    /// out, and what it extends or replaces stays in force.
    pub async fn packs(&self) -> Result<Packs, Error> {
        let mut packs = self.built_in.clone();
        for added in self.store.added_packs().await? {
            let knows = |name: &str| self.dictionaries.find(name).is_some();
            if let Err(error) = packs.add(&added.body, knows) {
                warn!(
                    pack = added.pack_id,
                    version = added.version,
                    error = causes(&error),
                    "the pack {} {} cannot be read",
                    added.pack_id,
                    added.version
                );
            }
        }
        Ok(packs)
    }

    /// Reads a pack that is not among these, and may extend one of them.
    pub fn read_pack(&self, packs: &Packs, yaml: &str) -> Result<Pack, PackError> {
        packs.read(yaml, |name| self.dictionaries.find(name).is_some())
    }
}

/// The version of a pack that was in force on a day.
pub(crate) fn in_force<'p>(packs: &'p Packs, id: &str, day: Date) -> Result<&'p Pack, Error> {
    packs.in_force(id, day).ok_or_else(|| Error::NoPack {
        id: id.to_owned(),
        day,
    })
}
