//! Every pack that may judge: those that come with the program, and those that were added.

use time::Date;

use super::read::{self, Known};
use super::{GENERAL, Pack, PackError};
use crate::taxonomy::Taxonomy;

/// Packs that are compiled in, each behind those that it extends.
const BUILT_IN: [&str; 6] = [
    GENERAL,
    include_str!("../../packs/ru-436-fz.yaml"),
    include_str!("../../packs/ru-38-fz-ads.yaml"),
    include_str!("../../packs/ru-20-3-symbols.yaml"),
    include_str!("../../packs/ru-drugs-2026.yaml"),
    include_str!("../../packs/youtube-advertiser-friendly.yaml"),
];

/// Ids of the packs that come with the program.
pub const SHIPPED: [&str; 6] = [
    "general",
    "ru-436-fz",
    "ru-38-fz-ads",
    "ru-20-3-symbols",
    "ru-drugs-2026",
    "youtube-advertiser-friendly",
];

/// Every version of every pack, in the order in which they were added.
#[derive(Debug, Clone)]
pub struct Packs {
    taxonomy: Taxonomy,
    packs: Vec<Pack>,
}

impl Packs {
    /// The packs that come with the program.
    pub fn built_in(knows: impl Fn(&str) -> bool) -> Result<Self, PackError> {
        let mut packs = Self {
            taxonomy: Taxonomy::built_in()?,
            packs: Vec::new(),
        };
        for yaml in BUILT_IN {
            packs.add(yaml, &knows)?;
        }
        Ok(packs)
    }

    /// Reads a pack, which may extend one of these. `knows` tells whether a dictionary of this name
    /// exists.
    pub fn read(&self, yaml: &str, knows: impl Fn(&str) -> bool) -> Result<Pack, PackError> {
        read::parse(
            yaml,
            &Known {
                taxonomy: &self.taxonomy,
                dictionary: &knows,
                packs: &self.packs,
            },
        )
    }

    /// Reads a pack and keeps it beside the others; one that is refused changes nothing.
    pub fn add(&mut self, yaml: &str, knows: impl Fn(&str) -> bool) -> Result<(), PackError> {
        let pack = self.read(yaml, knows)?;
        let same = |known: &Pack| known.id == pack.id && known.version == pack.version;
        if self.packs.iter().any(same) {
            return Err(PackError {
                line: 0,
                reason: format!(
                    "`{}` {} is there already; what has changed needs a new version",
                    pack.id, pack.version
                ),
            });
        }
        self.packs.push(pack);
        Ok(())
    }

    /// These and the added ones; what this release cannot read stays out, for the reasons that are told.
    pub fn with<'y>(
        &self,
        added: impl IntoIterator<Item = &'y str>,
        knows: impl Fn(&str) -> bool,
    ) -> (Self, Vec<PackError>) {
        let mut all = self.clone();
        let added = added.into_iter().map(|yaml| all.add(yaml, &knows));
        let refused = added.filter_map(Result::err).collect();
        (all, refused)
    }

    /// The version of a pack that holds on a day.
    pub fn in_force(&self, id: &str, day: Date) -> Option<&Pack> {
        in_force(&self.packs, id, day)
    }

    /// Every version of every pack.
    pub fn all(&self) -> &[Pack] {
        &self.packs
    }
}

/// Of several versions that hold, the one that began last; of those that began together, the one that
/// was added last.
pub(super) fn in_force<'p>(packs: &'p [Pack], id: &str, day: Date) -> Option<&'p Pack> {
    packs
        .iter()
        .filter(|pack| pack.id == id && pack.holds_on(day))
        .max_by_key(|pack| pack.effective_from)
}
