//! Whether a question may go now: its attempt, its money and its token are taken in one transaction,
//! or none of them is.

use std::time::Duration;

use shared_domain::PauseReason;
use shared_replicate::ReplicateError;
use shared_runtime::causes;
use shared_store::{Caps, Entry, Funds, Hold, Pace, Pause, Tx};
use time::{Date, OffsetDateTime};
use tracing::warn;

use crate::submit::Question;
use crate::{Error, FrameExtract};

/// What keeps a question back for longer than a queue waits.
enum Bar {
    /// This way rests already.
    Rests(String),
    /// The provider has just said why this way has to rest.
    Refused(String, Pause),
    /// The month's budget is spent.
    MonthSpent,
    /// Its video has cost what it may.
    VideoSpent,
}

/// What a question finds on its way.
enum Way {
    /// It may go, and what becomes of it tells whether these ways are open again.
    Open(Vec<String>),
    /// No token is left.
    NotYet,
    /// This way rests.
    Rests(String),
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

    /// The ways that the question tries for those behind it. `None`: nothing is left to do for this
    /// message, because the question has been put already or is held back.
    pub(crate) async fn admit(
        &self,
        question: &Question<'_>,
    ) -> Result<Option<Vec<String>>, Error> {
        let mut tx = self.store.begin_step(question.delivery).await?;
        if !tx.begin_submission(question.id()).await? {
            return Ok(None);
        }
        let (asked, planned) = (question.model, question.prediction);
        if (&asked.model, &asked.version) != (&planned.model, &planned.version) {
            tx.ask_instead(question.id(), &asked.model, &asked.version)
                .await?;
        }
        if !question.is_hosted() {
            tx.commit().await?;
            return Ok(Some(Vec::new()));
        }
        let (video, estimate) = (question.prediction.video_id, estimate(question));
        let funds = tx.reserve(question.id(), video, estimate, self.caps());
        let bar = match funds.await? {
            Funds::VideoSpent => Bar::VideoSpent,
            Funds::MonthSpent => Bar::MonthSpent,
            Funds::Reserved => match self.set_out(&mut tx, question).await? {
                Way::Open(tried) => {
                    tx.commit().await?;
                    return Ok(Some(tried));
                }
                // What was taken is given back: the transaction is dropped.
                Way::NotYet => {
                    drop(tx);
                    let turn = self.store.take_turn(lane(question), self.pace());
                    return Err(Error::NotYet { after: turn.await? });
                }
                Way::Rests(lane) => Bar::Rests(lane),
            },
        };
        // The question is held back as it was.
        drop(tx);
        self.hold_back(question, bar).await?;
        Ok(None)
    }

    /// First the way to the model, then the one to the provider of all.
    async fn set_out(&self, tx: &mut Tx, question: &Question<'_>) -> Result<Way, Error> {
        let (model, provider) = (question.model.lane(), lane(question));
        let mut tried = Vec::new();
        match tx.pass_lane(&model).await? {
            Entry::Paused => return Ok(Way::Rests(model)),
            Entry::Probe => tried.push(model),
            Entry::Open | Entry::NotYet => {}
        }
        match tx.enter_lane(provider, self.pace()).await? {
            Entry::NotYet => return Ok(Way::NotYet),
            Entry::Paused => return Ok(Way::Rests(provider.to_owned())),
            Entry::Probe => tried.push(provider.to_owned()),
            Entry::Open => {}
        }
        Ok(Way::Open(tried))
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
        if let Some((failure, reason)) = failure.and_then(|f| f.pause().map(|why| (f, why))) {
            let way = match failure.is_about_model() {
                true => question.model.lane(),
                false => lane(question).to_owned(),
            };
            let rest = rest(reason).max(error.retry_after().unwrap_or_default());
            let until = self.store.now() + rest;
            warn!(
                ?reason,
                error = causes(failure),
                "nothing is put to {way} for a while"
            );
            let bar = Bar::Refused(way, Pause { reason, until });
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
        let (id, provider, budget) = (question.id(), lane(question), &self.budget);
        let mut tx = self.store.begin(question.delivery).await?;
        let hold = match &bar {
            Bar::VideoSpent => Hold::VideoCap,
            Bar::Rests(lane) | Bar::Refused(lane, _) => Hold::Lane(lane),
            Bar::MonthSpent => Hold::Lane(provider),
        };
        if let Bar::Refused(..) = &bar {
            tx.withdraw_submission(id, question.prediction.status)
                .await?;
        }
        tx.hold(id, hold, estimate(question)).await?;
        match bar {
            Bar::Rests(_) => {}
            Bar::Refused(lane, pause) => {
                tx.pause_lane(&lane, pause, None).await?;
            }
            Bar::MonthSpent => {
                let until = next_month(self.store.now());
                let reason = PauseReason::Budget;
                tx.pause_lane(provider, Pause { reason, until }, budget.month_usd)
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
