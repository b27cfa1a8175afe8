//! The database: PostgreSQL over TLS for a deployment, whatever is set for this machine.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use shared_store::{Fault, Store, StoreConfig, StoreError};
use url::Url;

use super::finding::Finding;
use super::site::Site;

/// A server that is absent is waited for so long.
const PATIENCE: Duration = Duration::from_secs(4);
/// What `sslmode` says where nothing goes in clear.
const ENCRYPTED: &[&str] = &["require", "verify-ca", "verify-full"];

/// For a deployment.
pub(super) async fn deployed(site: &Site) -> Finding {
    let Some(url) = site.find("DATABASE_URL") else {
        return Finding::fail(
            "DATABASE_URL не задан: нужна PostgreSQL, SQLite годится только для одной машины",
            "DATABASE_URL is not set: a deployment needs PostgreSQL, SQLite is for one machine",
        );
    };
    if url.starts_with("sqlite:") {
        return Finding::fail(
            "DATABASE_URL называет SQLite, она годится только для одной машины: нужна PostgreSQL",
            "DATABASE_URL names SQLite, which is for one machine: a deployment needs PostgreSQL",
        );
    }
    let config = match site.read(StoreConfig::read) {
        Ok(config) => config,
        Err(finding) => return finding,
    };
    if !is_encrypted(url) {
        return Finding::fail(
            "соединение с базой не обязано быть шифрованным: допишите sslmode=require (или \
             verify-full) к DATABASE_URL",
            "the connection to the database need not be encrypted: add sslmode=require (or \
             verify-full) to DATABASE_URL",
        );
    }
    match open(config).await {
        Ok(()) => Finding::ok(
            "PostgreSQL отвечает, соединение защищено, схема этой версии",
            "PostgreSQL answers, is spoken to safely and has this version's schema",
        ),
        Err(error) => judged(&error),
    }
}

/// For this machine, where `serve` makes and migrates the embedded database by itself.
pub(super) async fn here(site: &Site) -> Finding {
    let config = match site.read(StoreConfig::read) {
        Ok(config) => config,
        Err(finding) => return finding,
    };
    let embedded = site
        .find("DATABASE_URL")
        .is_none_or(|url| url.starts_with("sqlite:"));
    match open(config).await {
        Ok(()) => Finding::ok(
            "база открывается, схема этой версии",
            "it opens and has this version's schema",
        ),
        Err(StoreError::SchemaVersion { found: 0, .. }) if embedded => Finding::ok(
            "базы ещё нет: её создаст первый запуск",
            "there is none yet: the first start makes it",
        ),
        Err(StoreError::SchemaVersion { found, needed, .. }) if embedded && found < needed => {
            Finding::warn(
                format!("схема базы {found}, нужна {needed}: следующий запуск serve обновит её"),
                format!("it is at schema {found} of {needed}: the next start of serve migrates it"),
            )
        }
        Err(error) => judged(&error),
    }
}

/// Opens it as every process does, and closes it again.
async fn open(config: StoreConfig) -> Result<(), StoreError> {
    store(config).await?.close().await;
    Ok(())
}

/// The store, with a patience that fits a check.
pub(super) async fn store(mut config: StoreConfig) -> Result<Store, StoreError> {
    config.acquire_timeout = PATIENCE;
    config.max_connections = 1;
    Store::connect(config).await
}

/// A Unix socket stays on the machine; everything else has to insist on TLS.
fn is_encrypted(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let (mut mode, host) = (None, url.host_str().unwrap_or_default());
    let mut host = percent_decode_str(host).decode_utf8_lossy().into_owned();
    for (name, value) in url.query_pairs() {
        match name.as_ref() {
            "sslmode" | "ssl-mode" => mode = Some(value.to_ascii_lowercase()),
            "host" | "hostaddr" => host = value.into_owned(),
            _ => {}
        }
    }
    let insists = mode.is_some_and(|mode| ENCRYPTED.contains(&mode.as_str()));
    insists || host.starts_with('/')
}

fn judged(error: &StoreError) -> Finding {
    match error {
        StoreError::Connect { place, fault, .. } => {
            let ru = format!("база {place}: {}", in_russian(*fault));
            let en = format!("the database at {place} cannot be opened: {fault}");
            match fault {
                Fault::Unreachable | Fault::Busy => Finding::not_checked(ru, en),
                Fault::Credentials
                | Fault::NoDatabase
                | Fault::WantsTls
                | Fault::HasNoTls
                | Fault::UnknownAuthority
                | Fault::WrongName
                | Fault::Tls
                | Fault::Other => Finding::fail(ru, en),
            }
        }
        StoreError::SchemaVersion { found, needed, .. } if found > needed => Finding::fail(
            format!("схема базы {found} новее этой версии ({needed}): нужна более новая программа"),
            error.to_string(),
        ),
        StoreError::SchemaVersion { found, needed, .. } => Finding::fail(
            format!("схема базы {found}, нужна {needed}: выполните compliance migrate"),
            error.to_string(),
        ),
        error if error.is_transient() => Finding::not_checked(
            format!("база сейчас не отвечает ({error})"),
            format!("{error}: try again"),
        ),
        error => Finding::fail(format!("база не открывается ({error})"), error.to_string()),
    }
}

fn in_russian(fault: Fault) -> &'static str {
    match fault {
        Fault::Unreachable => {
            "там никто не отвечает: проверьте имя и порт в DATABASE_URL, сервер и его сетевой экран"
        }
        Fault::Busy => {
            "сервер запускается, останавливается или исчерпал соединения: повторите чуть позже"
        }
        Fault::Credentials => {
            "неверное имя или пароль: исправьте их в DATABASE_URL (особые знаки пишутся через %)"
        }
        Fault::NoDatabase => {
            "на сервере нет такой базы: создайте её или исправьте имя в DATABASE_URL"
        }
        Fault::WantsTls => "сервер требует TLS: допишите ?sslmode=require к DATABASE_URL",
        Fault::HasNoTls => "DATABASE_URL требует TLS, а сервер его не знает: включите его там",
        Fault::UnknownAuthority => {
            "сертификат подписан неизвестным центром: впишите сертификат провайдера в \
             DATABASE_CA_CERT"
        }
        Fault::WrongName => {
            "сертификат выдан другому имени: в DATABASE_URL должно стоять имя из сертификата"
        }
        Fault::Tls => "TLS не удался: проверьте сертификат сервера и файл из DATABASE_CA_CERT",
        Fault::Other => "сервер отказал в соединении",
    }
}
