#![doc = include_str!("../README.md")]

mod accounts;
mod config;
mod dead_letters;
mod dialect;
mod error;
mod evidence;
mod executions;
mod mails;
mod moves;
mod outbox;
mod plan;
mod predictions;
mod projects;
mod relay;
mod review;
mod schema;
mod store;
mod tx;
mod values;
mod videos;

pub use accounts::{NewUser, Role, User};
pub use config::StoreConfig;
pub use dead_letters::{DeadEvent, DeadLetter};
pub use error::StoreError;
pub use evidence::{EvidenceRow, TaskCount};
pub use executions::{Execution, ExecutionStatus};
pub use mails::MailState;
pub use outbox::{Claimed, Outcome};
pub use plan::{NewPrediction, Plan};
pub use predictions::{Closing, Fan, Prediction, PredictionStatus};
pub use projects::{DEFAULT_POLICY, Project};
pub use relay::StreamStatus;
pub use review::{NewReport, NewTrigger, Report, ReportStage};
pub use store::Store;
pub use tx::Tx;
pub use videos::{NewVideo, Video};
