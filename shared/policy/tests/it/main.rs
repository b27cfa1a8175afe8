//! Packs, lists and texts of any kind: nothing breaks, and no disguise helps.

#[path = "../../fuzz/entry.rs"]
mod entry;
mod properties;
mod seeds;
