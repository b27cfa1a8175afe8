//! The claim of one message that a transport brought by its id.

use std::time::Duration;

use shared_domain::OutboxId;

use crate::dialect::rows;
use crate::outbox::{ClaimedRow, Taken};
use crate::values::{Maybe, Ts, id, ts};
use crate::{Claimed, Store, StoreError};

/// Who claims, and how.
#[derive(Debug, Clone, Copy)]
pub struct Claimant<'a> {
    /// The function that reads the message.
    pub stream: &'a str,
    /// Written beside the lease.
    pub owner: &'a str,
    /// How long the claim holds without being renewed.
    pub lease: Duration,
    /// Strikes with which a message is buried instead of being started.
    pub max_strikes: u32,
}

/// What became of a claim of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is ours until the lease ends.
    Ours(Box<Claimed>),
    /// Somebody else works on it, or it waits for its next attempt.
    NotNow,
    /// It has ended, well or badly.
    Finished,
    /// This stream has no such message: it was pruned, or it was never ours.
    Unknown,
}

impl Store {
    /// Takes one message of a stream, if it is due and free.
    pub async fn claim_event(
        &self,
        event_id: OutboxId,
        claimant: Claimant<'_>,
    ) -> Result<Claim, StoreError> {
        let mut db = self.writer().await?;
        let now = self.now();
        let link = db.link();
        let claim = link.claim_event_sql();
        let row: Option<ClaimedRow> = rows!(
            fetch_optional as ClaimedRow,
            link,
            claim,
            claimant.stream,
            ts(now),
            claimant.owner,
            ts(now + claimant.lease),
            id(event_id),
        )?;
        db.keep().await?;
        let Some(row) = row else {
            return self.unclaimed(event_id, claimant.stream).await;
        };
        Ok(match self.accept(row, claimant.max_strikes).await? {
            Some(Taken::Work(claimed)) => Claim::Ours(Box::new(claimed)),
            Some(Taken::Buried(..)) => Claim::Finished,
            None => Claim::NotNow,
        })
    }

    async fn unclaimed(&self, event_id: OutboxId, stream: &str) -> Result<Claim, StoreError> {
        let found = rows!(
            fetch_optional as (Maybe<Ts>,),
            self.reader().await?.link(),
            "select finished_at from outbox where event_id = $1 and stream = $2",
            id(event_id),
            stream,
        )?;
        Ok(match found {
            None => Claim::Unknown,
            Some((finished_at,)) => {
                let finished_at: Option<time::OffsetDateTime> = finished_at.into();
                finished_at.map_or(Claim::NotNow, |_| Claim::Finished)
            }
        })
    }
}
