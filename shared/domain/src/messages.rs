//! What functions tell each other. Messages are facts; each goes to one stream, named after the
//! function that reads it. Fields are added with defaults and never renamed: a message written by
//! the previous release must still be read.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{ExecutionId, PauseReason, PredictionId, ReportId, VideoId};

/// A fact that one function sends to another through the outbox.
pub trait Message: Serialize + DeserializeOwned + Send + Sync {
    /// The name of the fact: `VideoUploaded`.
    const KIND: &'static str;
    /// The function that reads it: `frame-extract`.
    const STREAM: &'static str;
    /// Higher goes first within a stream.
    const PRIORITY: i32;
}

macro_rules! message {
    ($($(#[$doc:meta])* $name:ident -> $stream:literal, $priority:literal
       { $($(#[$fdoc:meta])* $field:ident : $ty:ty),* $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct $name {
            /// Version of this message's shape.
            #[serde(default = "one")]
            pub v: u32,
            $($(#[$fdoc])* pub $field: $ty,)*
        }

        impl $name {
            /// The message in its current version.
            pub fn new($($field: $ty),*) -> Self {
                Self { v: 1, $($field),* }
            }
        }

        impl Message for $name {
            const KIND: &'static str = stringify!($name);
            const STREAM: &'static str = $stream;
            const PRIORITY: i32 = $priority;
        }
    )+};
}

fn one() -> u32 {
    1
}

message! {
    /// The object of a video seems to be complete although no notification came.
    UploadCompleted -> "on-upload", 10 {
        /// Which video.
        video_id: VideoId,
    }
    /// A video is in storage and looks like one.
    VideoUploaded -> "frame-extract", 0 {
        /// Which video.
        video_id: VideoId,
    }
    /// A question to a model is written down and has to be put.
    PredictionDue -> "frame-extract", 10 {
        /// Which question.
        prediction_id: PredictionId,
    }
    /// What there is to ask about a video is written down: its copy for review may be made.
    PlaybackDue -> "frame-extract", -10 {
        /// Which video.
        video_id: VideoId,
    }
    /// The poller fetched an answer whose webhook was lost.
    PredictionFinished -> "replicate-webhook", 0 {
        /// Which question.
        prediction_id: PredictionId,
        /// The provider's prediction object.
        body: serde_json::Value,
    }
    /// The last answer of a run is in.
    EvidenceComplete -> "report-finalize", 0 {
        /// Which run.
        execution_id: ExecutionId,
    }
    /// A report is written.
    ReportReady -> "send-email", 0 {
        /// Whose.
        video_id: VideoId,
        /// Which report.
        report_id: ReportId,
    }
    /// A video was refused or its run ended without a report.
    RunFailed -> "send-email", 0 {
        /// Whose.
        video_id: VideoId,
    }
    /// The way to a provider rests, and only a person can open it for good.
    LanePaused -> "send-email", 10 {
        /// The provider.
        lane: String,
        /// Why.
        reason: PauseReason,
        /// When it is tried again, in seconds since 1970.
        until_unix: i64,
    }
    /// What a video may cost is spent, and questions about it wait.
    VideoCapped -> "send-email", 10 {
        /// Which video.
        video_id: VideoId,
        /// What it may cost.
        cap_usd: f64,
    }
}
