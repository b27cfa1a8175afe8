//! Whether a question may go now: its attempt, its money and its token are taken in one transaction,
//! or none of them is.

use std::time::Duration;

use shared_domain::PauseReason;
use shared_replicate::ReplicateError;
use shared_store::{Caps, Entry, Funds, Hold, Pace, Pause};
use time::{Date, OffsetDateTime};
use tracing::warn;

use crate::submit::Question;
use crate::{Error, FrameExtract};

/// What keeps a question back for longer than a queue waits.
enum Bar {
    /// The way rests already.
    Rests,
    /// The provider has just said why.
    Refused(Pause),
    /// The month's budget is spent.
    MonthSpent,
    /// Its video has cost what it may.
    VideoSpent,
}

impl FrameExtract {
    fn caps(&self) -> Caps {
        Caps {
            video_usd: self.budget.video_usd,
            month_usd: self.budget.month_usd,
        }
    }

    fn pace(&self) -> Pace {
        Pace::per_minute(self.budget.creates_per_minute)
    }

    /// `None`: nothing is left to do for this message, because the question has been put already or
    /// is held back.
    pub(crate) async fn admit(&self, question: &Question<'_>) -> Result<Option<Entry>, Error> {
        let mut tx = self.store.begin_step(question.delivery).await?;
        if !tx.begin_submission(question.id()).await? {
            return Ok(None);
        }
        if !question.is_hosted() {
            tx.commit().await?;
            return Ok(Some(Entry::Open));
        }
        let (video, estimate) = (question.prediction.video_id, estimate(question));
        let funds = tx.reserve(question.id(), video, estimate, self.caps());
        let bar = match funds.await? {
            Funds::VideoSpent => Bar::VideoSpent,
            Funds::MonthSpent => Bar::MonthSpent,
            Funds::Reserved => match tx.enter_lane(lane(question), self.pace()).await? {
                entry @ (Entry::Open | Entry::Probe) => {
                    tx.commit().await?;
                    return Ok(Some(entry));
                }
                // What was taken is given back: the transaction is dropped.
                Entry::NotYet => {
                    drop(tx);
                    let turn = self.store.take_turn(lane(question), self.pace());
                    return Err(Error::NotYet { after: turn.await? });
                }
                Entry::Paused => Bar::Rests,
            },
        };
        // The question is held back as it was.
        drop(tx);
        self.hold_back(question, bar).await?;
        Ok(None)
    }

    /// What becomes of a question that the provider did not take.
    pub(crate) async fn not_asked(
        &self,
        question: &Question<'_>,
        error: Error,
    ) -> Result<(), Error> {
        if !error.leaves_nothing() {
            return Err(error);
        }
        let hosted = question.is_hosted();
        let failure = match &error {
            Error::Replicate(failure) if hosted => Some(failure),
            _ => None,
        };
        if let Some(reason) = failure.and_then(ReplicateError::pause) {
            let rest = rest(reason).max(error.retry_after().unwrap_or_default());
            let until = self.store.now() + rest;
            warn!(?reason, %error, "nothing is put to the provider for a while");
            let bar = Bar::Refused(Pause { reason, until });
            return self.hold_back(question, bar).await;
        }
        let mut tx = self.store.begin_step(question.delivery).await?;
        tx.withdraw_submission(question.id(), question.prediction.status)
            .await?;
        if let Some(wait) = failure.and_then(ReplicateError::retry_after) {
            tx.slow_lane(lane(question), self.pace(), wait).await?;
        }
        tx.commit().await?;
        Err(error)
    }

    /// Its message ends here: one that waits for a person would grow old in the queue. `cleanup`
    /// sends another when the way is open.
    async fn hold_back(&self, question: &Question<'_>, bar: Bar) -> Result<(), Error> {
        let (id, lane, budget) = (question.id(), lane(question), &self.budget);
        let mut tx = self.store.begin(question.delivery).await?;
        let hold = match &bar {
            Bar::VideoSpent => Hold::VideoCap,
            Bar::Rests | Bar::Refused(_) | Bar::MonthSpent => Hold::Lane,
        };
        if let Bar::Refused(_) = &bar {
            tx.withdraw_submission(id, question.prediction.status)
                .await?;
        }
        tx.hold(id, hold, estimate(question)).await?;
        match bar {
            Bar::Rests => {}
            Bar::Refused(pause) => {
                tx.pause_lane(lane, pause, None).await?;
            }
            Bar::MonthSpent => {
                let until = next_month(self.store.now());
                let reason = PauseReason::Budget;
                tx.pause_lane(lane, Pause { reason, until }, budget.month_usd)
                    .await?;
            }
            Bar::VideoSpent => {
                let cap = budget.video_usd.unwrap_or_default();
                tx.tell_video_cap(question.prediction.video_id, cap).await?;
            }
        }
        Ok(tx.commit().await?)
    }
}

fn estimate(question: &Question<'_>) -> f64 {
    question.model.estimate_usd(&question.prediction.target)
}

fn lane(question: &Question<'_>) -> &'static str {
    question.model.provider.as_str()
}

/// How long nothing is put. A purchase of credit takes a few minutes to be known.
fn rest(reason: PauseReason) -> Duration {
    match reason {
        PauseReason::NoCredit | PauseReason::Refused | PauseReason::Budget => {
            Duration::from_mins(5)
        }
        PauseReason::LowCredit => Duration::from_mins(1),
    }
}

/// The first moment of the next month, UTC.
fn next_month(now: OffsetDateTime) -> OffsetDateTime {
    let year = now.year() + i32::from(now.month() == time::Month::December);
    let first = Date::from_calendar_date(year, now.month().next(), 1);
    first.map_or(now, |first| first.midnight().assume_utc())
}
