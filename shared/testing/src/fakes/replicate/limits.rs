//! How many creates an account gets through: 600 a minute, six when its credit is nearly gone, none
//! when it is gone.

use std::collections::VecDeque;

use axum::response::Response;
use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::door::problem;

/// Below this the provider throttles.
const LOW_CREDIT_USD: f64 = 5.0;

/// What an account may do.
#[derive(Debug)]
pub(super) struct Account {
    /// Creates in any minute.
    pub(super) per_minute: usize,
    /// Dollars that are left.
    pub(super) credit_usd: f64,
    /// When the creates of the last minute were let through.
    let_through: VecDeque<OffsetDateTime>,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            per_minute: 600,
            credit_usd: 100.0,
            let_through: VecDeque::new(),
        }
    }
}

impl Account {
    /// Lets a create through, or says why not.
    pub(super) fn admit(&mut self, now: OffsetDateTime) -> Result<(), Box<Response>> {
        if self.credit_usd <= 0.0 {
            return Err(Box::new(no_credit()));
        }
        while self
            .let_through
            .front()
            .is_some_and(|at| now - *at >= Duration::MINUTE)
        {
            self.let_through.pop_front();
        }
        let low = self.credit_usd < LOW_CREDIT_USD;
        let wait = if low {
            // Six a minute, one at a time.
            let last = self.let_through.back();
            last.map(|last| Duration::seconds(10) - (now - *last))
        } else {
            let first = self.let_through.front();
            let full = self.let_through.len() >= self.per_minute;
            first
                .filter(|_| full)
                .map(|first| Duration::MINUTE - (now - *first))
        };
        if let Some(wait) = wait.filter(|wait| wait.is_positive()) {
            return Err(Box::new(throttled(low, wait.whole_seconds().max(1))));
        }
        self.let_through.push_back(now);
        Ok(())
    }
}

fn throttled(low: bool, seconds: i64) -> Response {
    let why = match low {
        true => {
            "Your rate limit for creating predictions is reduced to 6 requests per minute with a \
             burst of 1 requests while you have less than $5.0 in credit."
        }
        false => "Request was throttled.",
    };
    let detail = format!("{why} Your rate limit resets in ~{seconds}s.");
    problem(
        429,
        "Too many requests",
        &detail,
        json!({ "retry_after": seconds }),
    )
}

pub(super) fn no_credit() -> Response {
    let detail = "You have insufficient credit to run this model. Go to \
                  https://replicate.com/account/billing#billing to purchase credit. Once you \
                  purchase credit, please wait a few minutes before trying again.";
    problem(402, "Insufficient credit", detail, json!({}))
}
