//! Which pack judges.

use shared_policy::{Pack, PackError, Packs};
use time::Date;
use tracing::warn;

use crate::{Error, ReportFinalize};

impl ReportFinalize {
    /// The packs of the program and those that were added. One that this release cannot read stays
    /// out, and what it extends or replaces stays in force.
    pub async fn packs(&self) -> Result<Packs, Error> {
        let added = self.store.added_packs().await?;
        let bodies = added.iter().map(|added| added.body.as_str());
        let knows = |name: &str| self.dictionaries.find(name).is_some();
        let (packs, refused) = self.built_in.with(bodies, knows);
        for error in refused {
            warn!(%error, "a stored pack cannot be read");
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
