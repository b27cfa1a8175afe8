//! Questions that are held back: written down, told to nobody, put when the way opens or a cap rises.
//!
//! A message that waits for a person would grow old in the queue and be given up; these do not age.

use shared_domain::{PredictionDue, PredictionId, VideoId};
use time::OffsetDateTime;

use crate::dialect::{execute, rows};
use crate::predictions::PredictionStatus;
use crate::values::{Id, id, ts};
use crate::{Closing, Store, StoreError, Tx};

/// What holds a question back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold<'a> {
    /// The way to the provider, or to its model, rests.
    Lane(&'a str),
    /// What the video may cost is spent.
    VideoCap,
}

/// What holds the questions of a video back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// A way rests.
    Lane,
    /// What the video may cost is spent.
    VideoCap,
}

impl Store {
    /// What the cheapest question that waits for the way is expected to cost; `None`: none waits.
    pub async fn cheapest_held(&self, lane: &str) -> Result<Option<f64>, StoreError> {
        let (cheapest,) = rows!(
            fetch_one as (Option<f64>,),
            self.reader().await?.link(),
            "select min(estimate_usd) from held where reason = 'lane' and lane = $1",
            lane,
        )?;
        Ok(cheapest)
    }

    /// Every way that a question waits for.
    pub async fn held_lanes(&self) -> Result<Vec<String>, StoreError> {
        let lanes = rows!(
            fetch_all as (String,),
            self.reader().await?.link(),
            "select distinct lane from held where reason = 'lane' order by lane",
        )?;
        Ok(lanes.into_iter().map(|(lane,)| lane).collect())
    }

    /// Why a video's run stands still; `None` when nothing of it is held back. A spent cap is told
    /// first: nothing but a higher one ends that wait.
    pub async fn held_of(&self, video_id: VideoId) -> Result<Option<Held>, StoreError> {
        let reason = rows!(
            fetch_optional as (String,),
            self.reader().await?.link(),
            "select reason from held \
             join predictions on predictions.prediction_id = held.prediction_id \
             where predictions.video_id = $1 order by reason desc limit 1",
            id(video_id),
        )?;
        Ok(reason.map(|(reason,)| match reason.as_str() {
            "video_cap" => Held::VideoCap,
            _ => Held::Lane,
        }))
    }
}

impl Tx {
    /// Holds a question back, unless it has ended meanwhile.
    pub async fn hold(
        &mut self,
        prediction_id: PredictionId,
        hold: Hold<'_>,
        estimate_usd: f64,
    ) -> Result<(), StoreError> {
        let now = ts(self.now());
        let (reason, lane) = match hold {
            Hold::Lane(lane) => ("lane", lane),
            Hold::VideoCap => ("video_cap", ""),
        };
        execute!(
            self.link(),
            "insert into held (prediction_id, reason, estimate_usd, held_at, lane) \
             select prediction_id, $2, $3, $4, $5 from predictions \
             where prediction_id = $1 and status in ('planned', 'submitting') \
             on conflict (prediction_id) do update set reason = excluded.reason, \
             estimate_usd = excluded.estimate_usd, lane = excluded.lane",
            id(prediction_id),
            reason,
            estimate_usd,
            now,
            lane,
        )?;
        Ok(())
    }

    /// Lets questions go that wait for a way, the oldest first.
    pub async fn release_lane(&mut self, lane: &str, limit: i64) -> Result<u64, StoreError> {
        let released = rows!(
            fetch_all as (Id,),
            self.link(),
            "delete from held where prediction_id in (select prediction_id from held \
             where reason = 'lane' and lane = $1 order by held_at, prediction_id limit $2) \
             returning prediction_id",
            lane,
            limit,
        )?;
        self.put_again(released).await
    }

    /// Lets questions go whose video may cost more than it has: all of them without a cap.
    pub async fn release_capped(
        &mut self,
        cap_usd: Option<f64>,
        limit: i64,
    ) -> Result<u64, StoreError> {
        let released = rows!(
            fetch_all as (Id,),
            self.link(),
            "delete from held where prediction_id in (select held.prediction_id from held \
             join predictions on predictions.prediction_id = held.prediction_id \
             left join spending on spending.scope = 'video' \
             and spending.subject = cast(predictions.video_id as text) \
             where held.reason = 'video_cap' and held.estimate_usd \
             + coalesce(spending.spent_usd, 0) + coalesce(spending.reserved_usd, 0) <= $1 \
             order by held.held_at, held.prediction_id limit $2) returning prediction_id",
            cap_usd.unwrap_or(f64::MAX),
            limit,
        )?;
        self.put_again(released).await
    }

    /// Ends questions that a cap has held back since before a moment: the cap is the last word.
    pub async fn give_up_capped(
        &mut self,
        since: OffsetDateTime,
        limit: i64,
    ) -> Result<usize, StoreError> {
        let given_up = rows!(
            fetch_all as (Id,),
            self.link(),
            "delete from held where prediction_id in (select prediction_id from held \
             where reason = 'video_cap' and held_at <= $1 \
             order by held_at, prediction_id limit $2) returning prediction_id",
            ts(since),
            limit,
        )?;
        let closing = Closing {
            error: Some("cost_cap".into()),
            ..Closing::of(PredictionStatus::Failed)
        };
        for (prediction_id,) in &given_up {
            self.conclude((*prediction_id).into(), &closing, &[])
                .await?;
        }
        Ok(given_up.len())
    }

    /// One that ended while it waited is told once more, which changes nothing.
    async fn put_again(&mut self, released: Vec<(Id,)>) -> Result<u64, StoreError> {
        let due: Vec<PredictionDue> = released
            .into_iter()
            .map(|(prediction_id,)| PredictionDue::new(prediction_id.into()))
            .collect();
        self.send_all(&due).await?;
        Ok(due.len() as u64)
    }
}
