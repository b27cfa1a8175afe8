//! Mail: over TLS, and logged in, without a mail being sent.

use std::time::Duration;

use send_email::{Backend, Fault, Post, PostConfig, Security};

use super::finding::Finding;
use super::site::Site;

/// The longest that a server may take: less than a check has.
const PATIENCE: Duration = Duration::from_secs(8);

pub(super) async fn mail(site: &Site) -> Finding {
    let mut config = match site.read(PostConfig::read) {
        Ok(config) => config,
        Err(finding) => return finding,
    };
    if config.backend != Backend::Smtp {
        return Finding::fail(
            "письма никуда не отправляются: задайте EMAIL_HOST и вход на почтовый сервер",
            "mails go nowhere: set EMAIL_HOST and the login of a mail server",
        );
    }
    let in_clear = config.security == Security::Clear;
    let server = format!("{}:{}", config.host, config.port);
    config.timeout = config.timeout.min(PATIENCE);
    let knocked = match Post::connect(config) {
        Ok(post) => post.knock().await,
        Err(fault) => Err(fault),
    };
    if let Err(fault) = knocked {
        return judged(&fault);
    }
    if in_clear {
        return Finding::warn(
            format!(
                "{server} на этой машине принимает письма без TLS: дальше он должен слать по TLS"
            ),
            format!(
                "{server} on this machine takes mails without TLS: it has to use TLS from there on"
            ),
        );
    }
    if site.find("DEFAULT_FROM_EMAIL").is_none() {
        return Finding::warn(
            "сервер принимает вход, но DEFAULT_FROM_EMAIL не задан: впишите разрешённого отправителя",
            "the server lets us in, but DEFAULT_FROM_EMAIL is not set: put a sender there that it \
             allows",
        );
    }
    Finding::ok(
        format!("{server} принимает по TLS; письмо не посылалось"),
        format!("{server} lets us in over TLS; no mail was sent"),
    )
}

fn judged(fault: &Fault) -> Finding {
    let en = fault.to_string();
    match fault {
        Fault::Unreachable(server, why) => Finding::not_checked(
            format!(
                "почтовый сервер {server} недоступен ({why}): проверьте EMAIL_HOST и EMAIL_PORT"
            ),
            en,
        ),
        Fault::Slow(server, _) => Finding::not_checked(
            format!("почтовый сервер {server} отвечает слишком долго"),
            en,
        ),
        Fault::Later(said) => {
            Finding::not_checked(format!("почтовый сервер просит зайти позже ({said})"), en)
        }
        Fault::Tls(server, why) => Finding::fail(
            format!(
                "TLS с почтовым сервером {server} не удался ({why}): EMAIL_HOST должен быть именем \
                 из сертификата, центр — известным или из EMAIL_CA_FILE"
            ),
            en,
        ),
        Fault::NoStartTls(server) => Finding::fail(
            format!("{server} не предлагает STARTTLS: возьмите порт 465 и EMAIL_USE_SSL=true"),
            en,
        ),
        Fault::Credentials(said) => Finding::fail(
            format!("вход отвергнут ({said}): исправьте EMAIL_HOST_USER и EMAIL_HOST_PASSWORD"),
            en,
        ),
        Fault::NoLogin(server) => Finding::fail(
            format!("{server} не предлагает входа: уберите EMAIL_HOST_USER и EMAIL_HOST_PASSWORD"),
            en,
        ),
        Fault::Unwilling(said) => {
            Finding::fail(format!("почтовый сервер нас не обслуживает ({said})"), en)
        }
        Fault::Refused(_) | Fault::Unclear(_) | Fault::Address | Fault::File(_) => {
            Finding::fail(format!("почта не работает ({fault})"), en)
        }
    }
}
