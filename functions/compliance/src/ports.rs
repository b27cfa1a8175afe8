//! Where the three servers listen.
//!
//! Addresses outlive the process: questions that wait in the local provider name them, as sources of
//! their pictures and as callbacks. So whoever takes any free ports takes those of the last time,
//! unless somebody else has them by now.

use std::net::TcpListener;
use std::path::Path;

const FILE: &str = "ports";

/// 0 is any free port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) web: u16,
    pub(crate) storage: u16,
    pub(crate) models: u16,
}

impl From<u16> for Ports {
    fn from(web: u16) -> Self {
        Self {
            web,
            storage: if web == 0 { 0 } else { web.saturating_add(1) },
            models: if web == 0 { 0 } else { web.saturating_add(2) },
        }
    }
}

impl Ports {
    /// For any free ports: those of the last process on this folder, or ones that are noted for the next.
    pub(crate) fn settled(self, folder: &Path) -> std::io::Result<Self> {
        if self.web != 0 {
            return Ok(self);
        }
        let path = folder.join(FILE);
        let noted = std::fs::read_to_string(&path).unwrap_or_default();
        if let Some(last) = Self::parse(&noted).filter(|last| last.listeners().is_ok()) {
            return Ok(last);
        }
        // Held together, so that they differ; free again when this returns.
        let held = self.listeners()?;
        let mut ports = [0; 3];
        for (port, listener) in ports.iter_mut().zip(&held) {
            *port = listener.local_addr()?.port();
        }
        let [web, storage, models] = ports;
        std::fs::write(&path, format!("{web} {storage} {models}\n"))?;
        Ok(Self {
            web,
            storage,
            models,
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut ports = text.split_whitespace().map(str::parse);
        let mut next = || ports.next()?.ok().filter(|port| *port != 0);
        Some(Self {
            web: next()?,
            storage: next()?,
            models: next()?,
        })
    }

    fn listeners(self) -> std::io::Result<Vec<TcpListener>> {
        let ports = [self.web, self.storage, self.models];
        let listen = |port| TcpListener::bind(("127.0.0.1", port));
        ports.into_iter().map(listen).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_ports_are_the_same_ones_next_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = Ports::from(0).settled(folder.path()).unwrap();
        assert!(first.web != 0 && first.storage != 0 && first.models != 0);
        assert_eq!(Ports::from(0).settled(folder.path()).unwrap(), first);
    }

    #[test]
    fn ports_that_somebody_took_are_left_to_them() {
        let folder = tempfile::tempdir().unwrap();
        let first = Ports::from(0).settled(folder.path()).unwrap();
        let _taken = TcpListener::bind(("127.0.0.1", first.storage)).unwrap();
        let second = Ports::from(0).settled(folder.path()).unwrap();
        assert_ne!(second.storage, first.storage);
        assert_eq!(Ports::from(0).settled(folder.path()).unwrap(), second);
    }

    #[test]
    fn a_port_that_is_named_is_taken_with_the_two_above_it() {
        let folder = tempfile::tempdir().unwrap();
        let named = Ports::from(8000).settled(folder.path()).unwrap();
        assert_eq!((named.web, named.storage, named.models), (8000, 8001, 8002));
    }
}
