//! Redis: over TLS, there, and ready to let this user in.

use shared_queue::{Fault, RedisConfig};

use super::finding::Finding;
use super::site::Site;

pub(super) async fn redis(site: &Site) -> Finding {
    let Some(url) = site.find("REDIS_URL") else {
        return Finding::ok(
            "не используется: очередь читается из базы каждую секунду",
            "not used: the queue is read from the database every second",
        );
    };
    let in_clear = url.starts_with("redis:");
    let config = match site.read(RedisConfig::read) {
        Ok(Some(config)) => config,
        Ok(None) => return Finding::fail("REDIS_URL не прочитать", "REDIS_URL cannot be read"),
        Err(finding) => return finding,
    };
    if in_clear {
        return Finding::fail(
            "соединение с Redis не шифруется: адрес в REDIS_URL должен начинаться с rediss://",
            "the connection to Redis is not encrypted: REDIS_URL has to begin with rediss://",
        );
    }
    match config.ping().await {
        Ok(()) => Finding::ok(
            "Redis отвечает по TLS и принимает пароль",
            "Redis answers over TLS and takes the password",
        ),
        Err(fault) => judged(&fault),
    }
}

fn judged(fault: &Fault) -> Finding {
    let en = fault.to_string();
    match fault {
        Fault::Refused { place, reason } => Finding::fail(
            format!(
                "{place} не принимает имя, пароль или номер базы: исправьте REDIS_URL ({reason})"
            ),
            en,
        ),
        Fault::Untrusted { place, reason } => Finding::fail(
            format!(
                "сертификату {place} нельзя доверять: см. REDIS_URL и REDIS_CA_FILE ({reason})"
            ),
            en,
        ),
        Fault::Failing { place, reason } => {
            Finding::fail(format!("{place} не может работать ({reason})"), en)
        }
        Fault::Unreachable { .. }
        | Fault::Away { .. }
        | Fault::Forgotten { .. }
        | Fault::Exists { .. } => Finding::not_checked(
            format!("Redis недоступен: проверьте адрес в REDIS_URL и сетевой экран ({fault})"),
            format!("{en}: check the address in REDIS_URL and the firewall"),
        ),
    }
}
