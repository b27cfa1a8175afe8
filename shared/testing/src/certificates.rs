//! Certificates for test servers, made with `openssl`: an authority, one that nobody trusts, and a
//! server's, made out for `localhost`: at 127.0.0.1 it is the wrong one.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

/// A folder of PEM files; gone when dropped.
#[derive(Debug)]
pub struct Certificates(TempDir);

const AUTHORITY: &[&str] = &[
    "basicConstraints=critical,CA:TRUE",
    "keyUsage=critical,keyCertSign",
];
const SERVER: &[&str] = &[
    "basicConstraints=critical,CA:FALSE",
    "subjectAltName=DNS:localhost",
];

impl Certificates {
    /// Makes all of them.
    pub fn make() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        certify(folder.path(), "ca", None, AUTHORITY)?;
        certify(folder.path(), "stranger", None, AUTHORITY)?;
        certify(folder.path(), "server", Some("ca"), SERVER)?;
        Ok(Self(folder))
    }

    /// The authority that signed the server's certificate.
    pub fn ca(&self) -> PathBuf {
        self.0.path().join("ca.pem")
    }

    /// An authority that signed nothing.
    pub fn stranger(&self) -> PathBuf {
        self.0.path().join("stranger.pem")
    }

    /// The server's certificate.
    pub fn server(&self) -> PathBuf {
        self.0.path().join("server.pem")
    }

    /// The server's key.
    pub fn key(&self) -> PathBuf {
        self.0.path().join("server.key")
    }
}

/// A key and its certificate, signed by another one or by itself.
fn certify(folder: &Path, name: &str, signer: Option<&str>, extensions: &[&str]) -> Result<()> {
    let mut openssl = Command::new("openssl");
    openssl.current_dir(folder);
    openssl.args(["req", "-x509", "-nodes", "-days", "2", "-newkey", "ec"]);
    openssl.args(["-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj"]);
    openssl.arg(format!("/CN=Test {name}"));
    openssl.args([
        "-keyout",
        &format!("{name}.key"),
        "-out",
        &format!("{name}.pem"),
    ]);
    if let Some(signer) = signer {
        openssl.args([
            "-CA",
            &format!("{signer}.pem"),
            "-CAkey",
            &format!("{signer}.key"),
        ]);
    }
    for extension in extensions {
        openssl.args(["-addext", extension]);
    }
    let output = openssl.output().context("openssl does not start")?;
    ensure!(
        output.status.success(),
        "{openssl:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
