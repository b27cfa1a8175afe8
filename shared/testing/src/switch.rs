//! A TCP address that leads to one server and, from a moment on, to another, as a provider's does at a
//! failover: connections that are open stay where they are.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::Result;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Leads until it is dropped.
#[derive(Debug)]
pub struct Switch {
    port: u16,
    target: Arc<AtomicU16>,
    _tasks: JoinSet<()>,
}

impl Switch {
    /// An address that leads to a port of this machine.
    pub async fn to(port: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let target = Arc::new(AtomicU16::new(port));
        let (port, aim) = (listener.local_addr()?.port(), target.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let aim = SocketAddr::from((Ipv4Addr::LOCALHOST, aim.load(Ordering::SeqCst)));
                open.spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(aim).await {
                        drop(tokio::io::copy_bidirectional(&mut client, &mut server).await);
                    }
                });
            }
        });
        Ok(Self {
            port,
            target,
            _tasks: tasks,
        })
    }

    /// Leads new connections elsewhere.
    pub fn turn(&self, port: u16) {
        self.target.store(port, Ordering::SeqCst);
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }
}
