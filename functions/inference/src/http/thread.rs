//! The thread that a worker's models run on.
//!
//! Each worker has one for good. The allocator keeps what a thread has freed for that thread, and
//! models free a lot: on a pool whose threads come and go, that doubled the memory of the process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;

use tokio::sync::oneshot;
use tracing::Span;

type Job = Box<dyn FnOnce() + Send>;

/// Ends when it is dropped and its job is done.
#[derive(Debug)]
pub(super) struct ModelThread(mpsc::Sender<Job>);

/// The job panicked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Panicked;

impl ModelThread {
    pub(super) fn start() -> Self {
        let (sender, jobs) = mpsc::channel::<Job>();
        thread::spawn(move || {
            for job in jobs {
                // Its caller learns of a panic by the answer that never comes.
                let _ = catch_unwind(AssertUnwindSafe(job));
            }
        });
        Self(sender)
    }

    /// Runs a job after the one that runs now.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Panicked> {
        let (answer, answered) = oneshot::channel();
        let span = Span::current();
        let job = Box::new(move || {
            // Nobody may be waiting any more.
            let _ = answer.send(span.in_scope(job));
        });
        self.0.send(job).map_err(|_| Panicked)?;
        answered.await.map_err(|_| Panicked)
    }
}

#[cfg(test)]
mod tests;
