//! Ids are newtypes over `UUIDv7`, so that a video id can never stand where a project id belongs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

id! {
    /// A person who may sign in.
    UserId,
    /// A sign-in that can be seen and revoked.
    SessionId,
    /// A client's folder of videos that share a policy.
    ProjectId,
    /// An uploaded video.
    VideoId,
    /// One run of the chain over a video.
    ExecutionId,
    /// One question put to one model: our own key, known before the provider's.
    PredictionId,
    /// One derived risk.
    TriggerId,
    /// An operator's decision about a risk.
    LabelId,
    /// An operator's verification task.
    TaskId,
    /// One written report.
    ReportId,
    /// A row of the outbox: the event id of a message, the same at every redelivery.
    OutboxId,
}
