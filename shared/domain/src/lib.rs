#![doc = include_str!("../README.md")]

mod clock;
mod delivery;
mod evidence;
mod ids;
mod lang;
mod likeness;
mod messages;
mod pause;
mod refusal;
mod settings;
mod task;
mod video;

pub use clock::{Clock, Ids, SystemClock, SystemIds};
pub use delivery::Delivery;
pub use evidence::{
    BBox, Detection, Finding, LOOKED, MediaKind, QR, Span, Target, UNCLEAR, UNREAD, Word,
};
pub use ids::{
    ExecutionId, LabelId, OutboxId, PredictionId, ProjectId, ReportId, SessionId, TaskId,
    TriggerId, UserId, VideoId,
};
pub use lang::Lang;
pub use likeness::Likeness;
pub use messages::{
    EvidenceComplete, LanePaused, Message, PlaybackDue, PredictionDue, PredictionFinished,
    ReportReady, RunFailed, UploadCompleted, VideoCapped, VideoUploaded,
};
pub use pause::PauseReason;
pub use refusal::Refusal;
pub use settings::{Problem, Reader, Settings, SettingsError};
pub use task::{Task, UnknownTask};
pub use video::{IllegalMove, Step, VideoStatus};

#[cfg(test)]
mod tests;
