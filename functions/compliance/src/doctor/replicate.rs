//! Replicate: the token, the webhook secret, and whether work waits for a person.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use shared_domain::{PauseReason, Task};
use shared_replicate::{Replicate, ReplicateConfig, ReplicateError, signature};
use shared_store::{Pause, StoreConfig};
use time::format_description::well_known::Rfc3339;
use url::Url;

use super::database::store;
use super::finding::Finding;
use super::site::Site;

/// One exchange; there are two of them.
const PATIENCE: Duration = Duration::from_secs(4);

pub(super) async fn replicate(site: &Site) -> Finding {
    let read = site.read(|reader| {
        let config = ReplicateConfig::read(reader);
        let timeout = config.timeout.min(PATIENCE);
        let set = reader.list("REPLICATE_WEBHOOK_SECRET", "");
        (ReplicateConfig { timeout, ..config }, set)
    });
    let (config, set) = match read {
        Ok(read) => read,
        Err(finding) => return finding,
    };
    if !is_safe(&config.base_url) {
        return Finding::fail(
            "REPLICATE_API_BASE_URL не https: токен ушёл бы открытым текстом",
            "REPLICATE_API_BASE_URL is not https: the token would go there in clear text",
        );
    }
    let client = match Replicate::connect(config) {
        Ok(client) => client,
        Err(error) => return judged(&error),
    };
    if let Err(error) = client.account().await {
        return judged(&error);
    }
    if let Some(finding) = secret(&client, set).await {
        return finding;
    }
    rest(site).await
}

fn is_safe(base_url: &str) -> bool {
    let Ok(url) = Url::parse(base_url) else {
        return false;
    };
    let here = match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "https" || here
}

/// What is wrong with the secret of webhooks; the one that is set has to be the account's own.
async fn secret(client: &Replicate, set: Vec<String>) -> Option<Finding> {
    let set: Vec<SecretString> = set.into_iter().map(Into::into).collect();
    if set
        .iter()
        .any(|secret| signature::check_secret(secret).is_err())
    {
        return Some(Finding::fail(
            "REPLICATE_WEBHOOK_SECRET неверного вида: whsec_ и base64, несколько через запятую",
            "REPLICATE_WEBHOOK_SECRET is malformed: whsec_ and base64, several separated by commas",
        ));
    }
    match client.webhook_secret().await {
        Ok(own) if signature::check_secret(&own).is_err() => Some(Finding::fail(
            "Replicate называет секрет вебхуков, который не прочитать",
            "Replicate names a webhook secret that cannot be read",
        )),
        Ok(own) if !set.is_empty() && !set.iter().any(|one| same(one, &own)) => {
            Some(Finding::fail(
                "REPLICATE_WEBHOOK_SECRET не тот, что у этого счёта: ответы моделей будут отвергнуты; \
                 уберите настройку, программа спросит секрет сама",
                "REPLICATE_WEBHOOK_SECRET is not this account's, so that answers of models would be \
                 refused: unset it, the program asks for it by itself",
            ))
        }
        Ok(_) => None,
        // Who has set one does not depend on this answer.
        Err(_) if !set.is_empty() => None,
        Err(error) => Some(judged(&error)),
    }
}

fn same(one: &SecretString, other: &SecretString) -> bool {
    let bare = |secret: &SecretString| {
        let text = secret.expose_secret();
        let key = text.strip_prefix("whsec_").unwrap_or(text);
        key.trim_end_matches('=').to_owned()
    };
    bare(one) == bare(other)
}

/// Whether the way to the provider rests, or to one of its models, as the database has it.
async fn rest(site: &Site) -> Finding {
    let paused = async {
        let config = site.read(StoreConfig::read).ok()?;
        let store = store(config).await.ok()?;
        let paused = store.paused_lanes().await.ok();
        store.close().await;
        paused
    };
    // In the order of their names the provider's own comes first.
    match paused.await.map(|paused| paused.into_iter().next()) {
        Some(Some((lane, pause))) => match lane.split_once('/') {
            Some((_, task)) => without_model(task, pause),
            None => resting(pause),
        },
        Some(None) => Finding::ok(
            "токен и секрет вебхуков подходят; остаток на счёте API не сообщает: \
             replicate.com/account/billing",
            "token and webhook secret are right; the API does not tell the credit: see \
             replicate.com/account/billing",
        ),
        None => Finding::ok(
            "токен и секрет вебхуков подходят; стоит ли работа, не узнать без базы, остаток на счёте \
             API не сообщает",
            "token and webhook secret are right; whether work rests is not known without the \
             database, and the API does not tell the credit",
        ),
    }
}

fn resting(pause: Pause) -> Finding {
    let until = pause.until.format(&Rfc3339).unwrap_or_default();
    let (ru, en) = match pause.reason {
        PauseReason::NoCredit => (
            "на счёте нет денег: пополните его",
            "the account has no credit: add some",
        ),
        PauseReason::LowCredit => (
            "денег на счёте почти нет: пополните его",
            "the account is low on credit: add some",
        ),
        PauseReason::Refused => (
            "токен был отвергнут: проверьте его права",
            "the token was refused: check what it may do",
        ),
        PauseReason::Budget => (
            "исчерпан месячный бюджет: поднимите REPLICATE_MONTHLY_BUDGET_USD",
            "the month's budget is spent: raise REPLICATE_MONTHLY_BUDGET_USD",
        ),
    };
    Finding::warn(
        format!("работа стоит, {ru}; следующая попытка {until}"),
        format!("work rests, {en}; it is tried again at {until}"),
    )
}

fn without_model(task: &str, pause: Pause) -> Finding {
    let until = pause.until.format(&Rfc3339).unwrap_or_default();
    let setting = task.parse().ok().and_then(Task::model_setting);
    let setting = setting.unwrap_or("the model");
    Finding::warn(
        format!(
            "у Replicate нет модели задачи {task}: проверьте {setting}; следующая попытка {until}"
        ),
        format!(
            "Replicate does not have the model of task {task}: check {setting}; it is tried again at \
             {until}"
        ),
    )
}

fn judged(error: &ReplicateError) -> Finding {
    let en = error.to_string();
    match error {
        ReplicateError::Operator { status: 401, .. } => Finding::fail(
            "Replicate не знает этого токена: создайте новый и впишите в REPLICATE_API_TOKEN",
            format!("{en}: make a new token and set REPLICATE_API_TOKEN"),
        ),
        ReplicateError::Operator { status, .. } => Finding::fail(
            format!("Replicate отказывает счёту ({status}): проверьте счёт и права токена"),
            format!("{en}: check the account and what the token may do"),
        ),
        ReplicateError::Transient { .. } | ReplicateError::Ambiguous { .. } => {
            Finding::not_checked(
                "Replicate не отвечает: проверьте выход в сеть и REPLICATE_API_BASE_URL",
                format!("{en}: check the way out to the network and REPLICATE_API_BASE_URL"),
            )
        }
        ReplicateError::Permanent { .. }
        | ReplicateError::Lost { .. }
        | ReplicateError::Address(_) => Finding::fail(
            "по адресу REPLICATE_API_BASE_URL нет API Replicate",
            "there is no API of Replicate at REPLICATE_API_BASE_URL",
        ),
        ReplicateError::Client(_) => Finding::not_checked("нет HTTP-клиента", en),
    }
}
