//! The way to a paid provider, one row for all processes: a bucket of tokens, and a circuit that
//! opens when only a person can help. The way to one of its models is a circuit without a bucket.
//!
//! The bucket is one number, the moment when it is full again: taking a token moves it on, and no
//! token is there while it lies further ahead than a burst. While the way rests one question at a
//! time tries it; the first that gets through opens it.

use std::time::Duration;

use shared_domain::{LanePaused, PauseReason};
use time::OffsetDateTime;

use crate::dialect::{Link, execute, rows};
use crate::values::{Maybe, Name, Ts, UnknownName, ts};
use crate::{Store, StoreError, Tx};

/// How long the question that tries the way is waited for, before another one may.
const PROBE: Duration = Duration::from_mins(2);
/// A rest that comes back so soon is the same one: nobody is told twice.
const SAME_REST: Duration = Duration::from_hours(1);

/// How fast questions may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    interval: i64,
    burst: i64,
}

impl Pace {
    /// At most so many in any minute, a twentieth of them at once.
    pub fn per_minute(creates: u32) -> Self {
        let creates = i64::from(creates.max(1));
        let burst = (creates / 20).max(1);
        // The burst and what is refilled within the minute are together what is allowed.
        let interval = 60_000_000 / (creates - burst + 1);
        Self {
            interval,
            burst: interval * (burst - 1),
        }
    }
}

/// What a question meets at the way to its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// It may go.
    Open,
    /// It may go, and what becomes of it tells whether the way is open again.
    Probe,
    /// No token is left: `Store::take_turn` tells when to come again.
    NotYet,
    /// The way rests.
    Paused,
}

/// A rest of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// Why.
    pub reason: PauseReason,
    /// When it is tried again.
    pub until: OffsetDateTime,
}

#[derive(sqlx::FromRow)]
struct LaneRow {
    #[sqlx(try_from = "Maybe<Name>")]
    pause_reason: Reason,
    #[sqlx(try_from = "Maybe<Ts>")]
    paused_until: Option<OffsetDateTime>,
    #[sqlx(try_from = "Maybe<Ts>")]
    resumed_at: Option<OffsetDateTime>,
}

struct Reason(Option<PauseReason>);

impl TryFrom<Maybe<Name>> for Reason {
    type Error = UnknownName;

    fn try_from(name: Maybe<Name>) -> Result<Self, Self::Error> {
        let Some(name) = name.0 else {
            return Ok(Self(None));
        };
        match name.0.as_str() {
            "no_credit" => Ok(Self(Some(PauseReason::NoCredit))),
            "low_credit" => Ok(Self(Some(PauseReason::LowCredit))),
            "refused" => Ok(Self(Some(PauseReason::Refused))),
            "budget" => Ok(Self(Some(PauseReason::Budget))),
            _ => Err(UnknownName(name.0)),
        }
    }
}

impl LaneRow {
    fn pause(&self) -> Option<Pause> {
        let (reason, until) = (self.pause_reason.0?, self.paused_until?);
        Some(Pause { reason, until })
    }

    /// Whether it rests for this reason, or did a moment ago.
    fn is_known(&self, reason: PauseReason, now: OffsetDateTime) -> bool {
        let lately = self.resumed_at.is_some_and(|at| now - at < SAME_REST);
        (self.paused_until.is_some() || lately) && self.pause_reason.0 == Some(reason)
    }
}

async fn find(link: Link<'_>, lane: &str) -> Result<Option<LaneRow>, StoreError> {
    rows!(
        fetch_optional as LaneRow,
        link,
        "select pause_reason, paused_until, resumed_at from lanes where lane = $1",
        lane,
    )
}

fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}

impl Store {
    /// The rest that the way to a provider takes; `None` while it is open.
    pub async fn lane_pause(&self, lane: &str) -> Result<Option<Pause>, StoreError> {
        let row = find(self.reader().await?.link(), lane).await?;
        Ok(row.and_then(|row| row.pause()))
    }

    /// Every way that rests, by its name.
    pub async fn paused_lanes(&self) -> Result<Vec<(String, Pause)>, StoreError> {
        let resting = rows!(
            fetch_all as (String,),
            self.reader().await?.link(),
            "select lane from lanes where paused_until is not null order by lane",
        )?;
        let mut paused = Vec::new();
        for (lane,) in resting {
            if let Some(pause) = self.lane_pause(&lane).await? {
                paused.push((lane, pause));
            }
        }
        Ok(paused)
    }

    /// How long one that found no token has to wait: all of them are told to come one after the
    /// other, not together at the next token.
    pub async fn take_turn(&self, lane: &str, pace: Pace) -> Result<Duration, StoreError> {
        let now = micros(self.now());
        let mut db = self.writer().await?;
        let (turn,) = rows!(
            fetch_one as (i64,),
            db.link(),
            "update lanes set turn_at = case \
             when turn_at > $2 and turn_at > next_at - $4 then turn_at \
             when next_at - $4 > $2 then next_at - $4 else $2 end + $3 \
             where lane = $1 returning turn_at",
            lane,
            now,
            pace.interval,
            pace.burst,
        )?;
        db.keep().await?;
        let wait = u64::try_from(turn - pace.interval - now).unwrap_or(0);
        Ok(Duration::from_micros(wait.max(1)))
    }
}

impl Tx {
    /// Asks for a token. Two processes that ask at once get one after the other.
    pub async fn enter_lane(&mut self, lane: &str, pace: Pace) -> Result<Entry, StoreError> {
        self.ensure_lane(lane).await?;
        let now = micros(self.now());
        let taken = execute!(
            self.link(),
            "update lanes set next_at = case when next_at > $2 then next_at else $2 end + $3 \
             where lane = $1 and paused_until is null and next_at <= $4",
            lane,
            now,
            pace.interval,
            now + pace.burst,
        )?;
        if taken == 1 {
            return Ok(Entry::Open);
        }
        if self.probe(lane).await? {
            return Ok(Entry::Probe);
        }
        let row = find(self.link(), lane).await?;
        let row = row.ok_or_else(|| StoreError::missing("lane", lane))?;
        Ok(match row.pause() {
            Some(_) => Entry::Paused,
            None => Entry::NotYet,
        })
    }

    /// As `enter_lane` at a way without tokens.
    pub async fn pass_lane(&mut self, lane: &str) -> Result<Entry, StoreError> {
        if self.probe(lane).await? {
            return Ok(Entry::Probe);
        }
        let row = find(self.link(), lane).await?;
        Ok(match row.and_then(|row| row.pause()) {
            Some(_) => Entry::Paused,
            None => Entry::Open,
        })
    }

    /// The first after a rest may try the way.
    async fn probe(&mut self, lane: &str) -> Result<bool, StoreError> {
        let now = self.now();
        let tries = execute!(
            self.link(),
            "update lanes set probe_until = $3 where lane = $1 and paused_until <= $2 \
             and (probe_until is null or probe_until <= $2)",
            lane,
            ts(now),
            ts(now + PROBE),
        )?;
        Ok(tries == 1)
    }

    /// The provider asked for fewer: nobody gets a token for so long.
    pub async fn slow_lane(
        &mut self,
        lane: &str,
        pace: Pace,
        wait: Duration,
    ) -> Result<(), StoreError> {
        self.ensure_lane(lane).await?;
        let full_at = micros(self.now() + wait) + pace.burst;
        execute!(
            self.link(),
            "update lanes set next_at = case when next_at > $2 then next_at else $2 end \
             where lane = $1",
            lane,
            full_at,
        )?;
        Ok(())
    }

    /// Lets the way rest and tells an administrator: once for each rest, and once for each `budget`
    /// that is spent. Answers whether it tells.
    pub async fn pause_lane(
        &mut self,
        lane: &str,
        pause: Pause,
        budget: Option<f64>,
    ) -> Result<bool, StoreError> {
        self.ensure_lane(lane).await?;
        let new_budget = match budget {
            Some(cap) => Some(self.tells_month_cap(cap).await?),
            None => None,
        };
        // A write, so that the row is locked until the commit: two who pause at once tell once.
        let row = rows!(
            fetch_one as LaneRow,
            self.link(),
            "update lanes set probe_until = null where lane = $1 \
             returning pause_reason, paused_until, resumed_at",
            lane,
        )?;
        execute!(
            self.link(),
            "update lanes set pause_reason = $2, paused_until = $3 where lane = $1",
            lane,
            pause.reason.as_str(),
            ts(pause.until),
        )?;
        let tells = new_budget.unwrap_or_else(|| !row.is_known(pause.reason, self.now()));
        if tells {
            let until = pause.until.unix_timestamp();
            self.send(&LanePaused::new(lane.to_owned(), pause.reason, until))
                .await?;
        }
        Ok(tells)
    }

    /// Opens the way again; false when it is open.
    pub async fn resume_lane(&mut self, lane: &str) -> Result<bool, StoreError> {
        let now = ts(self.now());
        let resumed = execute!(
            self.link(),
            "update lanes set paused_until = null, probe_until = null, resumed_at = $2 \
             where lane = $1 and paused_until is not null",
            lane,
            now,
        )?;
        Ok(resumed == 1)
    }

    async fn ensure_lane(&mut self, lane: &str) -> Result<(), StoreError> {
        execute!(
            self.link(),
            "insert into lanes (lane) values ($1) on conflict (lane) do nothing",
            lane,
        )?;
        Ok(())
    }
}
