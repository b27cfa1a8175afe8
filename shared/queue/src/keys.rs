//! Every key in Redis.
//!
//! | key | type | who moves what where |
//! |---|---|---|
//! | `compliance:stream:<function>` | stream | a relay adds one entry for each row of the outbox that it announces (`event_id`, `kind`, `priority`, `trace`); a worker that has ended an event deletes the entry it read for it; what is over [`MOST_ENTRIES`] is trimmed, the oldest first |
//! | its group `workers` | consumer group | one consumer per process, named by the process; an entry is pending at the one who works for it; entries whose reader has died are claimed by the others; consumers that left nothing and stay away are deleted |
//! | `compliance:dead` | stream | a worker adds one entry for each event that is given up (`event_id`, `function`, `kind`, `attempts`, `reason`); nobody reads it but people; trimmed at [`MOST_DEAD`] |
//! | `compliance:probe` | string | whoever asks whether Redis takes what is written writes it; gone after a second |
//!
//! Nothing here is a record. An entry says "there is work at this function": its reader claims the
//! most urgent row of the table, which need not be the row that the entry was written for, so that
//! priorities hold and an entry that is lost, trimmed or read twice costs nothing but time.
//! Moments before which a row is not due stand in the table only: a worker that hears of such a row
//! asks the table when to come again.

/// Entries of one stream, roughly: trimming goes by whole nodes.
pub(crate) const MOST_ENTRIES: usize = 10_000;
/// Entries of the dead stream, roughly.
pub(crate) const MOST_DEAD: usize = 1_000;
/// The one group of each stream.
pub(crate) const GROUP: &str = "workers";
/// What was given up, for people.
pub(crate) const DEAD: &str = "compliance:dead";

/// What is written to see whether it can be.
pub(crate) const PROBE: &str = "compliance:probe";

/// The stream of a function.
pub(crate) fn stream(function: &str) -> String {
    format!("compliance:stream:{function}")
}
