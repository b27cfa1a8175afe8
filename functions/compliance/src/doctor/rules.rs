//! Whether the bucket's rules do what ours would: others than ours may do as well.

use serde_json::Value;
use shared_objects::native::Rules;

use super::finding::Finding;
use super::native::{judged, known};
use super::site::Site;
use super::wanted::{self, OURS};

const FIX_RU: &str = "compliance doctor --deploy --fix поставит его";
const FIX_EN: &str = "compliance doctor --deploy --fix sets it";

pub(super) async fn private(site: &Site) -> Finding {
    match known(site).await {
        Err(finding) => finding,
        Ok(known) if known.bucket.is_private => {
            Finding::ok("бакет закрыт", "the bucket is private")
        }
        Ok(_) => Finding::fail(
            "бакет открыт всем: закройте его в консоли B2 (Bucket Settings, Private); сама программа \
             этого не делает",
            "the bucket is public: make it private in B2's console (Bucket Settings, Private); the \
             program leaves that to a person",
        ),
    }
}

pub(super) async fn cors(site: &Site) -> Finding {
    let wanted = match wanted::cors(site) {
        Ok(wanted) => wanted,
        Err(finding) => return finding,
    };
    match shown(site, Rules::Cors).await {
        Ok(rules) => cors_of(rules, &wanted),
        Err(finding) => finding,
    }
}

pub(super) async fn lifecycle(site: &Site) -> Finding {
    match shown(site, Rules::Lifecycle).await {
        Ok(rules) => lifecycle_of(rules),
        Err(finding) => finding,
    }
}

pub(super) async fn notifications(site: &Site) -> Finding {
    let wanted = match wanted::notifications(site) {
        Ok(wanted) => wanted,
        Err(finding) => return finding,
    };
    let known = match known(site).await {
        Ok(known) => known,
        Err(finding) => return finding,
    };
    match known.native.notification_rules(&known.bucket).await {
        Ok(rules) => notifications_of(&rules, &wanted),
        Err(error) if error.is_not_enabled() => Finding::warn(
            "уведомления не включены для счёта B2: cleanup находит загруженное опросом, на минуты \
             позже; попросите поддержку Backblaze включить Event Notifications",
            "notifications are not enabled for the B2 account: cleanup finds uploads by asking, \
             minutes later; ask Backblaze's support to enable Event Notifications",
        ),
        Err(error) => judged(&error),
    }
}

async fn shown(site: &Site, which: Rules) -> Result<&[Value], Finding> {
    known(site).await?.bucket.rules(which).ok_or_else(|| {
        Finding::not_checked(
            "B2 не показывает этому ключу правил бакета (нужно readBuckets)",
            "B2 does not show the bucket's rules to this key (readBuckets is needed)",
        )
    })
}

/// Every page has to be let in to everything that it does.
pub(super) fn cors_of(rules: &[Value], wanted: &[Value]) -> Finding {
    let mut shut: Vec<&str> = Vec::new();
    for ours in wanted {
        for origin in texts(ours, "allowedOrigins") {
            if !rules.iter().any(|rule| lets_in(rule, ours, origin)) {
                shut.push(origin);
            }
        }
    }
    if shut.is_empty() {
        return Finding::ok(
            "страницы могут загружать и воспроизводить",
            "pages may upload and play",
        );
    }
    let shut = shut.join(", ");
    Finding::fail(
        format!("нет правила CORS для {shut}: браузер не сможет загрузить видео; {FIX_RU}"),
        format!("no CORS rule lets {shut} in, so that browsers cannot upload: {FIX_EN}"),
    )
}

fn lets_in(rule: &Value, ours: &Value, origin: &str) -> bool {
    let has = |name: &str, wanted: &str| {
        let mut given = texts(rule, name).into_iter();
        given.any(|one| one == "*" || one.eq_ignore_ascii_case(wanted))
    };
    let has_all = |name: &str| texts(ours, name).iter().all(|one| has(name, one));
    has("allowedOrigins", origin)
        && ["allowedOperations", "allowedHeaders", "exposeHeaders"]
            .iter()
            .all(|name| has_all(name))
}

/// What is hidden goes, what is unfinished goes but not on the first day, and nothing hides by its age.
pub(super) fn lifecycle_of(rules: &[Value]) -> Finding {
    let prefix = |rule: &Value| {
        rule["fileNamePrefix"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let touches = |rule: &&Value| {
        let prefix = prefix(rule);
        prefix.starts_with(OURS) || OURS.starts_with(&prefix)
    };
    let days = |rule: &Value, name: &str| rule[name].as_u64();
    let unfinished = "daysFromStartingToCancelingUnfinishedLargeFiles";
    let mut touching = rules.iter().filter(touches);
    if touching.any(|rule| days(rule, "daysFromUploadingToHiding").is_some()) {
        return Finding::fail(
            "правило скрывает файлы по возрасту (daysFromUploadingToHiding), и видео пропадут: \
             уберите его в консоли B2",
            "a rule hides files by their age (daysFromUploadingToHiding), so that videos would \
             vanish: remove it in B2's console",
        );
    }
    let Some(rule) = rules.iter().find(|rule| OURS.starts_with(&prefix(rule))) else {
        return Finding::fail(
            format!(
                "нет правила хранения: удалённое и незаконченное лежит и оплачивается; {FIX_RU}"
            ),
            format!(
                "no lifecycle rule: what is deleted or unfinished stays and is billed; {FIX_EN}"
            ),
        );
    };
    match (
        days(rule, "daysFromHidingToDeleting"),
        days(rule, unfinished),
    ) {
        (Some(_), Some(2..)) => Finding::ok(
            "удалённое и незаконченное убирается",
            "what is deleted or unfinished goes away",
        ),
        (_, Some(_)) if days(rule, unfinished) == Some(1) => Finding::fail(
            format!(
                "загрузки, которые ещё можно продолжить, отменяются через день: нужно два; {FIX_RU}"
            ),
            format!(
                "uploads that may still go on are cancelled after a day, two are needed: {FIX_EN}"
            ),
        ),
        _ => Finding::fail(
            format!("правило хранения не убирает скрытое или незаконченное; {FIX_RU}"),
            format!("the lifecycle rule leaves what is hidden or unfinished: {FIX_EN}"),
        ),
    }
}

/// Our own rule, or any that does the same.
pub(super) fn notifications_of(rules: &[Value], wanted: &[Value]) -> Finding {
    for ours in wanted {
        let target = |rule: &Value| rule["targetConfiguration"]["url"].clone();
        let named = rules.iter().find(|rule| rule["name"] == ours["name"]);
        let same = || rules.iter().find(|rule| target(rule) == target(ours));
        let Some(rule) = named.or_else(same) else {
            return Finding::fail(
                format!("нет правила уведомлений о загрузках; {FIX_RU}"),
                format!("no rule notifies us of uploads: {FIX_EN}"),
            );
        };
        if let Some(finding) = amiss(rule, ours) {
            return finding;
        }
    }
    Finding::ok(
        "уведомления о загрузках включены и подписаны",
        "uploads are notified, with our signature",
    )
}

fn amiss(rule: &Value, ours: &Value) -> Option<Finding> {
    let (target, wanted) = (&rule["targetConfiguration"], &ours["targetConfiguration"]);
    if rule["isSuspended"] == true {
        let reason = rule["suspensionReason"].as_str().unwrap_or_default();
        return Some(Finding::fail(
            format!(
                "B2 приостановил уведомления ({reason}): устраните причину и включите правило снова"
            ),
            format!(
                "B2 has suspended the notifications ({reason}): mend that, then resume the rule"
            ),
        ));
    }
    let secret = "hmacSha256SigningSecret";
    let (ru, en) = if rule["isEnabled"] != true {
        ("выключено", "is switched off")
    } else if target["url"] != wanted["url"] {
        (
            "ведёт на другой адрес, не на PUBLIC_URL",
            "leads elsewhere, not to PUBLIC_URL",
        )
    } else if target[secret].as_str().is_none_or(str::is_empty) {
        ("не подписывает уведомлений", "does not sign what it sends")
    } else if target[secret] != wanted[secret] {
        (
            "подписывает другим секретом, не B2_NOTIFICATION_SECRET",
            "signs with another secret than B2_NOTIFICATION_SECRET",
        )
    } else if !covers(rule, ours) {
        ("охватывает не все загрузки", "does not cover all uploads")
    } else {
        return None;
    };
    Some(Finding::fail(
        format!("правило уведомлений {ru}; {FIX_RU}"),
        format!("the rule of notifications {en}: {FIX_EN}"),
    ))
}

fn covers(rule: &Value, ours: &Value) -> bool {
    let prefix = rule["objectNamePrefix"].as_str().unwrap_or_default();
    let all = ours["objectNamePrefix"].as_str().unwrap_or_default();
    let types = texts(rule, "eventTypes");
    let has = |wanted: &&str| {
        types.iter().any(|one| {
            let family = one.strip_suffix('*');
            one == wanted || family.is_some_and(|family| wanted.starts_with(family))
        })
    };
    all.starts_with(prefix) && texts(ours, "eventTypes").iter().all(has)
}

fn texts<'a>(value: &'a Value, name: &str) -> Vec<&'a str> {
    let items = value[name].as_array().into_iter().flatten();
    items.filter_map(Value::as_str).collect()
}
