//! How one duty goes on from row to row: one bad row never stops it, a service that is away does.

use std::fmt::Display;

use shared_runtime::{Classify, Verdict, causes};
use tracing::warn;

use crate::Error;

/// Passing troubles in a row after which the service behind them is taken for away.
const AWAY: u32 = 3;

/// What a duty has met so far.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    failed: Option<Error>,
    in_a_row: u32,
}

impl Sweep {
    /// Takes note of how a row went; false when the duty should end.
    pub(crate) fn goes_on(&mut self, row: impl Display, went: Result<(), Error>) -> bool {
        let Err(error) = went else {
            self.in_a_row = 0;
            return true;
        };
        warn!(error = causes(&error), "a sweep cannot serve {row}");
        if error.verdict() != Verdict::Reject {
            self.in_a_row += 1;
            self.failed = Some(error);
        }
        self.in_a_row < AWAY
    }

    /// Fails when a row has to be served again.
    pub(crate) fn end(self) -> Result<(), Error> {
        self.failed.map_or(Ok(()), Err)
    }
}
