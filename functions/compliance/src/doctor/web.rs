//! How the server is met from outside: what it admits of itself, by which names, under which address.

use std::collections::BTreeSet;

use url::{Host, Url};

use super::finding::Finding;
use super::site::Site;

/// Characters that a key has at least, and different ones among them.
const KEY: (usize, usize) = (50, 5);
/// What examples and generators put where a key belongs.
const PLACEHOLDERS: &[&str] = &[
    "django-insecure-",
    "change-me",
    "change_me",
    "changeme",
    "replace-me",
    "replace_me",
    "your-secret",
    "your_secret",
    "secret-key-here",
    "placeholder",
    "example",
];

pub(super) fn debug_off(site: &Site) -> Finding {
    match site.read(|reader| reader.flag("DEBUG", false)) {
        Err(finding) => finding,
        Ok(false) => Finding::ok("DEBUG выключен", "DEBUG is off"),
        Ok(true) => Finding::fail(
            "DEBUG включён: задайте DEBUG=false",
            "DEBUG is on: set DEBUG=false",
        ),
    }
}

pub(super) fn secret_key(site: &Site) -> Finding {
    const HOW_RU: &str = "создайте ключ: openssl rand -base64 48";
    const HOW_EN: &str = "make one: openssl rand -base64 48";
    let Some(key) = site.find("SECRET_KEY") else {
        return Finding::fail(
            format!("SECRET_KEY не задан; {HOW_RU}"),
            format!("SECRET_KEY is not set; {HOW_EN}"),
        );
    };
    let (length, kinds) = (key.chars().count(), key.chars().collect::<BTreeSet<_>>());
    let lower = key.to_lowercase();
    let (ru, en) = if PLACEHOLDERS.iter().any(|known| lower.contains(known)) {
        ("это заготовка из примера", "is a placeholder of an example")
    } else if length < KEY.0 {
        ("короче 50 знаков", "is shorter than 50 characters")
    } else if kinds.len() < KEY.1 {
        (
            "состоит из одних и тех же знаков",
            "repeats the same few characters",
        )
    } else {
        return Finding::ok(
            "SECRET_KEY длинный и собственный",
            "SECRET_KEY is long and no placeholder",
        );
    };
    Finding::fail(
        format!("SECRET_KEY: {ru}; {HOW_RU}"),
        format!("SECRET_KEY {en}; {HOW_EN}"),
    )
}

pub(super) fn allowed_hosts(site: &Site) -> Finding {
    let reader = site.settings.reader();
    let hosts = reader.list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]");
    if hosts.iter().any(|host| host == "*") {
        return Finding::fail(
            "ALLOWED_HOSTS открыт для любых имён (*): перечислите свои",
            "ALLOWED_HOSTS answers any name (*): list your own",
        );
    }
    if let Some(odd) = hosts.iter().find(|host| is_no_name(host)) {
        return Finding::fail(
            format!("ALLOWED_HOSTS: {odd} не имя узла; без схемы, порта и пути"),
            format!("ALLOWED_HOSTS: {odd} is no host name; leave out scheme, port and path"),
        );
    }
    let public = site.find("PUBLIC_URL").and_then(|url| Url::parse(url).ok());
    let Some(host) = public.as_ref().and_then(Url::host_str) else {
        return Finding::not_checked(
            "с чем сравнить, неизвестно: исправьте PUBLIC_URL (см. public-url)",
            "there is nothing to compare with: mend PUBLIC_URL (see public-url)",
        );
    };
    if hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
        Finding::ok(
            format!("ALLOWED_HOSTS знает {host}"),
            format!("ALLOWED_HOSTS has {host}"),
        )
    } else {
        Finding::fail(
            format!("в ALLOWED_HOSTS нет {host} из PUBLIC_URL: добавьте его"),
            format!("ALLOWED_HOSTS lacks {host} of PUBLIC_URL: add it"),
        )
    }
}

/// The brackets of IPv6 aside, a name has neither port nor path.
fn is_no_name(host: &str) -> bool {
    host.contains('/') || (host.contains(':') && !host.ends_with(']'))
}

pub(super) fn public_url(site: &Site) -> Finding {
    let Some(text) = site.find("PUBLIC_URL") else {
        return Finding::fail(
            "PUBLIC_URL не задан: впишите адрес приложения, https://…",
            "PUBLIC_URL is not set: put the address of the app there, https://…",
        );
    };
    let Ok(url) = Url::parse(text) else {
        return Finding::fail(
            "PUBLIC_URL не адрес вида https://ИМЯ",
            "PUBLIC_URL is no address such as https://NAME",
        );
    };
    let named = matches!(url.host(), Some(Host::Domain(name)) if is_public(name));
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let (ru, en) = if url.scheme() != "https" {
        (
            "должен начинаться с https://: вебхуки и вход идут только по TLS",
            "has to begin with https://: webhooks and logins need TLS",
        )
    } else if !named {
        (
            "называет не доменное имя: провайдерам туда не попасть",
            "names no public host name: providers cannot reach it",
        )
    } else if !bare || !url.username().is_empty() || url.password().is_some() {
        (
            "содержит лишнее: нужны только https:// и имя",
            "holds too much: https:// and the name are all that is needed",
        )
    } else {
        let origin = url.origin().ascii_serialization();
        return Finding::ok(origin.clone(), origin);
    };
    Finding::fail(format!("PUBLIC_URL {ru}"), format!("PUBLIC_URL {en}"))
}

fn is_public(name: &str) -> bool {
    let local = ["localhost", "local", "internal", "test", "invalid"];
    let last = name.rsplit('.').next().unwrap_or_default();
    name.contains('.') && !local.contains(&last)
}

/// Whether anything of Cloudflare is set.
pub(super) fn has_cloudflare(site: &Site) -> bool {
    let names = [
        "CLOUDFLARE_CDN_URL",
        "PLAYBACK_SECRET",
        "CLOUDFLARE_API_TOKEN",
        "CLOUDFLARE_ZONE_ID",
    ];
    names.iter().any(|name| site.find(name).is_some())
}

pub(super) fn cloudflare(site: &Site) -> Finding {
    let (token, zone) = (
        site.find("CLOUDFLARE_API_TOKEN"),
        site.find("CLOUDFLARE_ZONE_ID"),
    );
    let Some(text) = site.find("CLOUDFLARE_CDN_URL") else {
        return match (token, zone) {
            (None, None) if site.find("PLAYBACK_SECRET").is_none() => {
                Finding::ok("Cloudflare не используется", "Cloudflare is not used")
            }
            _ => Finding::warn(
                "CLOUDFLARE_CDN_URL не задан, а токен, зона или секрет заданы: видео идёт мимо Cloudflare",
                "CLOUDFLARE_CDN_URL is not set, token, zone or secret are: videos do not go through Cloudflare",
            ),
        };
    };
    let https = Url::parse(text).is_ok_and(|url| url.scheme() == "https" && url.has_host());
    let id = |zone: &str| zone.len() == 32 && zone.bytes().all(|b| b.is_ascii_hexdigit());
    match (https, token, zone) {
        (false, ..) => Finding::fail(
            "CLOUDFLARE_CDN_URL не адрес, начинающийся с https://",
            "CLOUDFLARE_CDN_URL is no address that begins with https://",
        ),
        _ if site.find("PLAYBACK_SECRET").is_none() => Finding::fail(
            "задайте PLAYBACK_SECRET, тот же, что у Worker: без него программа не запустится",
            "set PLAYBACK_SECRET, the Worker's own: the program does not start without it",
        ),
        (_, Some(_), None) => Finding::fail(
            "задайте и CLOUDFLARE_ZONE_ID: без зоны токен ничего не очищает",
            "set CLOUDFLARE_ZONE_ID as well: without the zone the token purges nothing",
        ),
        (_, None, Some(_)) => Finding::fail(
            "задайте и CLOUDFLARE_API_TOKEN: без токена зону не очистить",
            "set CLOUDFLARE_API_TOKEN as well: without the token the zone cannot be purged",
        ),
        (_, Some(_), Some(zone)) if !id(zone) => Finding::fail(
            "CLOUDFLARE_ZONE_ID — это id зоны из 32 шестнадцатеричных знаков, а не её имя",
            "CLOUDFLARE_ZONE_ID is the zone's id of 32 hexadecimal digits, not its name",
        ),
        (_, None, None) => Finding::warn(
            "кэш Cloudflare не очищается: задайте CLOUDFLARE_API_TOKEN и CLOUDFLARE_ZONE_ID",
            "Cloudflare's cache is not purged: set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ZONE_ID",
        ),
        _ => Finding::ok(
            "адрес, токен и зона Cloudflare заданы (живьём не проверялись)",
            "address, token and zone of Cloudflare are set (not tried out)",
        ),
    }
}
