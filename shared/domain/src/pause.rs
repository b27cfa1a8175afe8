//! Why the way to a provider rests.

use serde::{Deserialize, Serialize};

/// Why nothing is put to a provider for a while. Each needs a person, and none costs a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// The account is empty.
    NoCredit,
    /// The account is nearly empty: it is let through a few times a minute only.
    LowCredit,
    /// The token is not accepted; at the way to one model, the model is not there.
    Refused,
    /// The month's budget is spent.
    Budget,
}

impl PauseReason {
    /// The name in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoCredit => "no_credit",
            Self::LowCredit => "low_credit",
            Self::Refused => "refused",
            Self::Budget => "budget",
        }
    }
}
