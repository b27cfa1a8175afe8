//! The steps of a video and the moves between them. The drawing in the README is checked by a test.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a video stands in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The signed URL is out; nothing has arrived.
    AwaitingUpload,
    /// The object is there and looks like a video.
    Uploaded,
    /// Probed and accepted: frames and sound are being cut.
    Extracting,
    /// Every question to the models is written down; answers come in.
    Analysing,
    /// The last answer is in: the policy is applied.
    Judging,
    /// The machine's report is out; a person has to decide.
    Verification,
    /// The final report is out.
    Completed,
    /// It could not be checked; `status_message` says why.
    Failed,
    /// The upload never came.
    Expired,
}

/// What clients see of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VideoStatus {
    /// Nothing has arrived yet.
    AwaitingUpload,
    /// In storage, waiting for a worker.
    Uploaded,
    /// Being analysed.
    Processing,
    /// Waiting for an operator.
    Verification,
    /// Done.
    Completed,
    /// Could not be checked.
    Failed,
    /// Never arrived.
    Expired,
}

/// The move is not in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a video cannot go from {from} to {to}")]
pub struct IllegalMove {
    /// The step it is at.
    pub from: Step,
    /// The step that was asked for.
    pub to: Step,
}

impl Step {
    /// Every step, in the order of the chain.
    pub const ALL: [Self; 9] = [
        Self::AwaitingUpload,
        Self::Uploaded,
        Self::Extracting,
        Self::Analysing,
        Self::Judging,
        Self::Verification,
        Self::Completed,
        Self::Failed,
        Self::Expired,
    ];

    /// The steps that may follow this one.
    pub fn next(self) -> &'static [Self] {
        match self {
            Self::AwaitingUpload => &[Self::Uploaded, Self::Failed, Self::Expired],
            Self::Uploaded => &[Self::Extracting, Self::Failed],
            Self::Extracting => &[Self::Analysing, Self::Failed],
            Self::Analysing => &[Self::Judging, Self::Failed],
            Self::Judging => &[Self::Verification, Self::Failed],
            Self::Verification => &[Self::Completed, Self::Judging],
            Self::Completed => &[Self::Judging],
            Self::Failed => &[Self::Uploaded],
            Self::Expired => &[],
        }
    }

    /// Fails with `IllegalMove` when the table has no such move.
    pub fn advance(self, to: Self) -> Result<Self, IllegalMove> {
        if self.next().contains(&to) {
            Ok(to)
        } else {
            Err(IllegalMove { from: self, to })
        }
    }

    /// Whether a video at this step has already been where `target` leads: a late duplicate.
    pub fn is_at_or_past(self, target: Self) -> bool {
        let place = |step| Self::ALL.iter().position(|s| *s == step);
        self == target || place(self) > place(target)
    }

    /// The name in tables and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingUpload => "awaiting_upload",
            Self::Uploaded => "uploaded",
            Self::Extracting => "extracting",
            Self::Analysing => "analysing",
            Self::Judging => "judging",
            Self::Verification => "verification",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }

    /// What clients see.
    pub fn status(self) -> VideoStatus {
        match self {
            Self::AwaitingUpload => VideoStatus::AwaitingUpload,
            Self::Uploaded => VideoStatus::Uploaded,
            Self::Extracting | Self::Analysing | Self::Judging => VideoStatus::Processing,
            Self::Verification => VideoStatus::Verification,
            Self::Completed => VideoStatus::Completed,
            Self::Failed => VideoStatus::Failed,
            Self::Expired => VideoStatus::Expired,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|step| step.as_str() == text)
            .ok_or_else(|| format!("{text:?} is not a step of a video"))
    }
}
