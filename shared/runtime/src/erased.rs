//! A handler without its type parameters, so that one process can host all of them.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::{Event, FromEvent, Handler, Outcome, Reply};

/// What hosts and `dispatch` see of a handler.
pub trait AnyHandler: Send + Sync {
    /// `Handler::NAME`.
    fn name(&self) -> &'static str;
    /// `Handler::TIMEOUT`.
    fn timeout(&self) -> Duration;
    /// Decodes and handles; never panics by itself.
    fn call<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Outcome>;
}

/// Wraps a handler for a host.
pub fn boxed<H: Handler>(handler: H) -> Arc<dyn AnyHandler> {
    Arc::new(Erased(handler))
}

struct Erased<H>(H);

impl<H: Handler> AnyHandler for Erased<H> {
    fn name(&self) -> &'static str {
        H::NAME
    }

    fn timeout(&self) -> Duration {
        H::TIMEOUT
    }

    fn call<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let input = match H::Input::from_event(event) {
                Ok(input) => input,
                Err(malformed) => return Outcome::malformed(&malformed, event.lang()),
            };
            match self.0.handle(event, input).await {
                Ok(output) => Outcome::done(output.reply()),
                Err(error) => Outcome::failed(&error, event.lang()),
            }
        })
    }
}
