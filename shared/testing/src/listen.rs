use std::net::Ipv4Addr;

use anyhow::Result;
use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A free port of this machine at which a server is about to answer.
pub(crate) struct Port(TcpListener);

impl Port {
    /// Takes the port: requests wait from now on.
    pub(crate) async fn take() -> Result<Self> {
        Ok(Self(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?))
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> Result<String> {
        Ok(self.0.local_addr()?.to_string())
    }

    /// `http://` and the address, without a path.
    pub(crate) fn url(&self) -> Result<String> {
        Ok(format!("http://{}", self.address()?))
    }

    /// Answers there for as long as `servers` lives.
    pub(crate) fn serve(self, router: Router, servers: &mut JoinSet<()>) {
        servers.spawn(async move {
            // Ends only with the test: nobody is left to be told.
            drop(axum::serve(self.0, router).await);
        });
    }
}
