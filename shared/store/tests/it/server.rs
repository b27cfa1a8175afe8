//! A PostgreSQL server as a provider runs it: TLS, passwords, faults, a failover.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use shared_domain::{Settings, VideoUploaded};
use shared_store::{Fault, Store, StoreConfig, StoreError};
use shared_testing::{Certificates, Options, PASSWORD, PgBouncer, PostgresServer, Switch};
use sqlx::{Connection, Executor, PgConnection};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// How this address fails, and everything that is said of it.
async fn fault(config: StoreConfig) -> Result<(Fault, String)> {
    match Store::connect(config).await {
        Err(error @ StoreError::Connect { fault, .. }) => {
            Ok((fault, format!("{:#}", anyhow::Error::from(error))))
        }
        other => bail!("{other:?}"),
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table of faults")]
async fn each_fault_of_a_connection_is_told_with_what_to_do_and_without_the_password() -> Result<()>
{
    let certificates = Certificates::make()?;
    let server = PostgresServer::start(&certificates).await?;
    let (ca, stranger) = (certificates.ca(), certificates.stranger());
    let (ca, stranger) = (ca.display(), stranger.display());
    let verified = format!("sslmode=verify-full&sslrootcert={ca}");

    // What works: TLS, and TLS with a certificate that is right.
    for parameters in ["sslmode=require", &verified] {
        Store::migrate(StoreConfig::new(server.url("postgres", parameters))).await?;
        let store = Store::connect(StoreConfig::new(server.url("postgres", parameters))).await?;
        store.ping().await?;
    }

    let good = server.url("postgres", &verified);
    let foreign = format!("sslmode=verify-full&sslrootcert={stranger}");
    let cases = [
        (
            server.url("postgres", &foreign),
            Fault::UnknownAuthority,
            "DATABASE_CA_CERT",
        ),
        (
            good.replace("@localhost:", "@127.0.0.2:"),
            Fault::Unreachable,
            "host and port",
        ),
        (
            good.replace("@localhost:", "@127.0.0.1:"),
            Fault::WrongName,
            "another host",
        ),
        (
            server.url("postgres", "sslmode=disable"),
            Fault::WantsTls,
            "sslmode=require",
        ),
        (
            good.replace(PASSWORD, "wrong-s3cret"),
            Fault::Credentials,
            "DATABASE_URL",
        ),
        (
            good.replace("compliance:", "nobody:"),
            Fault::Credentials,
            "DATABASE_URL",
        ),
        (
            server.url("nothing", &verified),
            Fault::NoDatabase,
            "create it",
        ),
        (
            good.replace(&server.port().to_string(), "1"),
            Fault::Unreachable,
            "firewall",
        ),
        (
            server.url("postgres", "sslmode=verify-full&sslrootcert=/nowhere.pem"),
            Fault::Tls,
            "DATABASE_CA_CERT",
        ),
    ];
    for (url, expected, advice) in cases {
        let mut config = StoreConfig::new(url);
        if expected == Fault::Unreachable {
            config.acquire_timeout = Duration::from_millis(300);
        }
        let (found, text) = fault(config).await?;
        assert_eq!(found, expected, "{text}");
        assert!(text.contains(advice), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn the_providers_certificate_may_be_a_setting() -> Result<()> {
    let certificates = Certificates::make()?;
    let server = PostgresServer::start(&certificates).await?;
    let pem = std::fs::read_to_string(certificates.ca())?;
    let mut settings = Settings::default();
    settings.set(
        "DATABASE_URL",
        server.url("postgres", "sslmode=verify-full"),
    );
    let (found, _) = fault(StoreConfig::read(&settings.reader())).await?;
    assert_eq!(found, Fault::UnknownAuthority);
    settings.set("DATABASE_CA_CERT", pem);
    Store::migrate(StoreConfig::read(&settings.reader())).await?;
    Ok(())
}

#[tokio::test]
async fn an_address_that_cannot_be_read_is_told_without_itself() {
    for url in [
        "postgres://user:pass/s3cret@host/db",
        "postgres://user:s3cret@host/db?sslmode=sometimes",
    ] {
        let mut settings = Settings::default();
        settings.set("DATABASE_URL", url);
        let reader = settings.reader();
        StoreConfig::read(&reader);
        let text = reader.finish().unwrap_err().to_string();
        assert!(text.contains("DATABASE_URL: cannot be read"), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[tokio::test]
async fn a_pooler_tells_wrong_users_and_databases_apart_too() -> Result<()> {
    let certificates = Certificates::make()?;
    let server = PostgresServer::start(&certificates).await?;
    let socket = server.socket_url("postgres");
    let folder = socket
        .split_once("host=")
        .and_then(|(_, rest)| rest.split('&').next())
        .context("a folder")?;
    let pooler = PgBouncer::start(folder.as_ref(), server.port(), Options::Refused).await?;
    let good = pooler.url("postgres");
    let (found, text) = fault(StoreConfig::new(good.replace(PASSWORD, "wrong-s3cret"))).await?;
    assert_eq!(found, Fault::Credentials, "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    let (found, text) = fault(StoreConfig::new(good.replace("compliance:", "nobody:"))).await?;
    assert_eq!(found, Fault::Credentials, "{text}");
    let (found, text) = fault(StoreConfig::new(pooler.url("nothing"))).await?;
    assert_eq!(found, Fault::NoDatabase, "{text}");
    Ok(())
}

#[tokio::test]
async fn a_server_that_hangs_up_before_its_first_word_is_away() -> Result<()> {
    let certificates = Certificates::make()?;
    let server = PostgresServer::start(&certificates).await?;
    let stopping = TcpListener::bind("127.0.0.1:0").await?;
    let port = stopping.local_addr()?.port();
    let mut callers = JoinSet::new();
    callers.spawn(async move {
        // What is left unread would end the connection as broken, not as closed.
        while let Ok((mut caller, _)) = stopping.accept().await {
            drop(caller.read_exact(&mut [0; 8]).await);
        }
    });

    let own = server.port().to_string();
    let good = server.url("postgres", "sslmode=require");
    let mut config = StoreConfig::new(good.replace(&own, &port.to_string()));
    config.acquire_timeout = Duration::from_millis(300);
    let (found, text) = fault(config).await?;
    assert_eq!(found, Fault::Unreachable, "{text}");

    Store::migrate(StoreConfig::new(good.clone())).await?;
    let switch = Switch::to(server.port()).await?;
    let store = Store::connect(StoreConfig {
        max_connections: 1,
        ..StoreConfig::new(good.replace(&own, &switch.port().to_string()))
    })
    .await?;
    switch.turn(port);
    PgConnection::connect(&server.socket_url("postgres"))
        .await?
        .execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'compliance'")
        .await?;
    for _ in 0..2 {
        let error = store.ping().await.expect_err("nobody is there");
        assert!(error.is_transient() && error.is_away(), "{error:?}");
    }
    Ok(())
}

#[tokio::test]
async fn after_a_failover_the_next_call_reaches_the_new_primary() -> Result<()> {
    let certificates = Certificates::make()?;
    let primary = PostgresServer::start(&certificates).await?;
    let direct = StoreConfig::new(primary.socket_url("postgres"));
    Store::migrate(direct).await?;
    let standby = primary.standby().await?;

    // The address leads to a server that has become a standby; what is open stays there.
    let switch = Switch::to(standby.port()).await?;
    let url = primary.url("postgres", "sslmode=require");
    let url = url.replace(&primary.port().to_string(), &switch.port().to_string());
    let config = StoreConfig {
        max_connections: 1,
        ..StoreConfig::new(url)
    };
    let store = Store::connect(config).await?;
    let send = async || {
        let mut tx = store.transaction().await?;
        tx.send(&VideoUploaded::new(store.fresh())).await?;
        tx.commit().await
    };
    let error = send().await.expect_err("a standby takes no writes");
    assert!(error.is_transient(), "{error:?}");
    assert!(format!("{:#}", anyhow::Error::from(error)).contains("read-only"));

    switch.turn(primary.port());
    send().await?;
    let mut there = PgConnection::connect(&primary.socket_url("postgres")).await?;
    let (written,): (i64,) = sqlx::query_as("select count(*) from outbox")
        .fetch_one(&mut there)
        .await?;
    assert_eq!(written, 1);

    // A provider whose disk is full switches a database to read-only: the same answer, and the same way out.
    there
        .execute("alter database postgres set default_transaction_read_only = on")
        .await?;
    there
        .execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'compliance'")
        .await?;
    while send().await.is_ok() {}
    there
        .execute("set default_transaction_read_only = off; alter database postgres reset default_transaction_read_only")
        .await?;
    send().await?;
    Ok(())
}
