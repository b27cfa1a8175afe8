//! Money: reserved before a question is put, settled when it ends, per video and per month (UTC).
//!
//! Locks are taken in one order, so that two transactions never wait for each other: the question,
//! its video's money, the month's, the lane, the run.

use shared_domain::{ExecutionId, PredictionId, VideoCapped, VideoId};
use time::OffsetDateTime;

use crate::dialect::{execute, rows};
use crate::values::{Id, id};
use crate::{Store, StoreError, Tx};

/// What may be spent; `None`: whatever it takes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Caps {
    /// On one video.
    pub video_usd: Option<f64>,
    /// In one month.
    pub month_usd: Option<f64>,
}

/// Whether there is money for a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Funds {
    /// It is reserved.
    Reserved,
    /// Its video has cost what it may.
    VideoSpent,
    /// The month has.
    MonthSpent,
}

/// Money of one video or month.
#[derive(Debug, Clone, Copy, PartialEq, Default, sqlx::FromRow)]
pub struct Spending {
    /// Of questions that have ended.
    pub spent_usd: f64,
    /// Expected, of questions that the provider has or may have.
    pub reserved_usd: f64,
}

impl Spending {
    /// What is gone or may be.
    pub fn total_usd(&self) -> f64 {
        self.spent_usd + self.reserved_usd
    }
}

/// Sums of many small numbers are a little off.
const DUST: f64 = 1e-9;

fn month_of(moment: OffsetDateTime) -> String {
    format!("{:04}-{:02}", moment.year(), u8::from(moment.month()))
}

impl Store {
    /// Money of this month.
    pub async fn month_spending(&self) -> Result<Spending, StoreError> {
        self.spending("month", &month_of(self.now())).await
    }

    /// Money of one video, in all of its runs.
    pub async fn video_spending(&self, video_id: VideoId) -> Result<Spending, StoreError> {
        self.spending("video", &video_id.to_string()).await
    }

    async fn spending(&self, scope: &str, subject: &str) -> Result<Spending, StoreError> {
        let found = rows!(
            fetch_optional as Spending,
            self.reader().await?.link(),
            "select spent_usd, reserved_usd from spending where scope = $1 and subject = $2",
            scope,
            subject,
        )?;
        Ok(found.unwrap_or_default())
    }
}

impl Tx {
    /// Reserves what a question is expected to cost. Whoever learns that there is no money for it
    /// drops this transaction.
    pub async fn reserve(
        &mut self,
        prediction_id: PredictionId,
        video_id: VideoId,
        usd: f64,
        caps: Caps,
    ) -> Result<Funds, StoreError> {
        // A question whose last try may still be with the provider is put, and may be paid, again.
        self.unreserve(prediction_id).await?;
        let month = month_of(self.now());
        let video = self.book("video", &video_id.to_string(), 0.0, usd).await?;
        let total = self.book("month", &month, 0.0, usd).await?;
        let over = |spent: f64, cap: Option<f64>| cap.is_some_and(|cap| spent > cap + DUST);
        if over(video, caps.video_usd) {
            return Ok(Funds::VideoSpent);
        }
        if over(total, caps.month_usd) {
            return Ok(Funds::MonthSpent);
        }
        execute!(
            self.link(),
            "insert into reservations (prediction_id, month, usd) values ($1, $2, $3)",
            id(prediction_id),
            month,
            usd,
        )?;
        Ok(Funds::Reserved)
    }

    /// Gives back what was reserved for a question.
    pub(crate) async fn unreserve(
        &mut self,
        prediction_id: PredictionId,
    ) -> Result<(), StoreError> {
        let reserved = rows!(
            fetch_optional as (String, f64),
            self.link(),
            "delete from reservations where prediction_id = $1 returning month, usd",
            id(prediction_id),
        )?;
        let Some((month, usd)) = reserved else {
            return Ok(());
        };
        let (video_id,) = rows!(
            fetch_one as (Id,),
            self.link(),
            "select video_id from predictions where prediction_id = $1",
            id(prediction_id),
        )?;
        let video = VideoId::from(video_id).to_string();
        self.book("video", &video, 0.0, -usd).await?;
        self.book("month", &month, 0.0, -usd).await?;
        Ok(())
    }

    /// Books what a question has really cost, in this month.
    pub(crate) async fn spend(&mut self, video_id: VideoId, usd: f64) -> Result<(), StoreError> {
        if usd > 0.0 {
            let month = month_of(self.now());
            self.book("video", &video_id.to_string(), usd, 0.0).await?;
            self.book("month", &month, usd, 0.0).await?;
        }
        Ok(())
    }

    /// A try that brought no answer was paid for all the same; the question stays as it is.
    pub async fn charge(
        &mut self,
        prediction_id: PredictionId,
        usd: f64,
    ) -> Result<(), StoreError> {
        if usd <= 0.0 {
            return Ok(());
        }
        let (execution_id, video_id) = rows!(
            fetch_one as (Id, Id),
            self.link(),
            "update predictions set cost_usd = cost_usd + $2 where prediction_id = $1 \
             returning execution_id, video_id",
            id(prediction_id),
            usd,
        )?;
        self.spend(video_id.into(), usd).await?;
        execute!(
            self.link(),
            "update executions set cost_actual_usd = cost_actual_usd + $2 where execution_id = $1",
            execution_id,
            usd,
        )?;
        Ok(())
    }

    /// Adds to what a run is expected to cost.
    pub async fn add_estimate(
        &mut self,
        execution_id: ExecutionId,
        usd: f64,
    ) -> Result<(), StoreError> {
        execute!(
            self.link(),
            "update executions set cost_estimate_usd = cost_estimate_usd + $2 \
             where execution_id = $1",
            id(execution_id),
            usd,
        )?;
        Ok(())
    }

    /// Tells an administrator that a video has cost what it may, once for each cap.
    pub async fn tell_video_cap(
        &mut self,
        video_id: VideoId,
        cap_usd: f64,
    ) -> Result<(), StoreError> {
        if self.tells("video", &video_id.to_string(), cap_usd).await? {
            self.send(&VideoCapped::new(video_id, cap_usd)).await?;
        }
        Ok(())
    }

    /// Whether nobody has been told yet that this month has cost so much.
    pub async fn tells_month_cap(&mut self, cap_usd: f64) -> Result<bool, StoreError> {
        let month = month_of(self.now());
        self.tells("month", &month, cap_usd).await
    }

    async fn tells(&mut self, scope: &str, subject: &str, cap: f64) -> Result<bool, StoreError> {
        self.book(scope, subject, 0.0, 0.0).await?;
        let told = execute!(
            self.link(),
            "update spending set told_usd = $3 where scope = $1 and subject = $2 \
             and (told_usd is null or told_usd <> $3)",
            scope,
            subject,
            cap,
        )?;
        Ok(told == 1)
    }

    /// Adds to both sums and answers their total.
    async fn book(
        &mut self,
        scope: &str,
        subject: &str,
        spent: f64,
        reserved: f64,
    ) -> Result<f64, StoreError> {
        let (total,) = rows!(
            fetch_one as (f64,),
            self.link(),
            "insert into spending (scope, subject, spent_usd, reserved_usd) \
             values ($1, $2, $3, $4) on conflict (scope, subject) do update \
             set spent_usd = spending.spent_usd + excluded.spent_usd, \
             reserved_usd = spending.reserved_usd + excluded.reserved_usd \
             returning spent_usd + reserved_usd",
            scope,
            subject,
            spent,
            reserved,
        )?;
        Ok(total)
    }
}
