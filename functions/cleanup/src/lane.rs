//! Questions that are held back: let go when the way to the provider is open, when a cap was raised,
//! or, at the end of the wait for that, given up with the reason.

use shared_domain::PauseReason;
use shared_replicate::Provider;
use shared_store::Pause;
use tracing::info;

use crate::handler::BATCH;
use crate::{Cleanup, Error};

impl Cleanup {
    pub(crate) async fn lane(&self) -> Result<(), Error> {
        self.end_rest_of_budget().await?;
        let mut ways = 0;
        for lane in self.store.held_lanes().await? {
            let limit = match self.store.lane_pause(&lane).await? {
                None => i64::from(self.budget.creates_per_minute),
                // One tries the way for all of them.
                Some(rest) if rest.until <= self.store.now() => 1,
                Some(_) => continue,
            };
            let mut tx = self.store.transaction().await?;
            ways += tx.release_lane(&lane, limit).await?;
            tx.commit().await?;
        }
        let mut tx = self.store.transaction().await?;
        let capped = tx.release_capped(self.budget.video_usd, BATCH).await?;
        let since = self.store.now() - self.budget.wait;
        let given_up = tx.give_up_capped(since, BATCH).await?;
        tx.commit().await?;
        if ways + capped > 0 || given_up > 0 {
            info!(
                ways,
                capped, given_up, "questions that were held back: let go, let go, given up"
            );
        }
        Ok(())
    }

    async fn end_rest_of_budget(&self) -> Result<(), Error> {
        let lane = Provider::Replicate.as_str();
        let Some(rest) = self.store.lane_pause(lane).await? else {
            return Ok(());
        };
        if self.has_funds_again(lane, rest).await? {
            let mut tx = self.store.transaction().await?;
            tx.resume_lane(lane).await?;
            tx.commit().await?;
            info!("the month's budget has room again");
        }
        Ok(())
    }

    /// A budget may be raised while the month lasts; what was reserved may have cost less.
    async fn has_funds_again(&self, lane: &str, rest: Pause) -> Result<bool, Error> {
        if rest.reason != PauseReason::Budget {
            return Ok(false);
        }
        let Some(budget) = self.budget.month_usd else {
            return Ok(true);
        };
        let spent = self.store.month_spending().await?.total_usd();
        let next = self.store.cheapest_held(lane).await?.unwrap_or_default();
        Ok(spent + next <= budget)
    }
}
