//! The clock, by the `Date` of services that answer: signatures are refused when it is wrong.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::DATE;
use shared_replicate::{HttpClient, http_client};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use url::Url;

use super::finding::Finding;
use super::site::Site;

const PATIENCE: Duration = Duration::from_secs(5);
/// Seconds that call for a look.
const MUCH: u64 = 30;
/// Seconds beyond which Replicate's webhooks are refused; storage bears some more.
const TOO_MUCH: u64 = 300;

pub(super) async fn clock(site: &Site) -> Finding {
    let Ok(http) = http_client(PATIENCE) else {
        return Finding::not_checked("нет HTTP-клиента", "no HTTP client can be built");
    };
    let asked = asked(site).into_iter().map(|url| skew(&http, site, url));
    let skews = futures::future::join_all(asked).await;
    // One service that is right is enough: then the others are wrong.
    let least = skews
        .into_iter()
        .flatten()
        .min_by_key(|(skew, _)| skew.unsigned_abs());
    match least {
        Some((seconds, host)) => judged(seconds, &host),
        None => Finding::not_checked(
            "ни одна служба не назвала времени",
            "no service has told the time",
        ),
    }
}

/// Services by whose clocks our signatures are judged. Nothing secret is sent.
fn asked(site: &Site) -> Vec<Url> {
    let replicate = site.find("REPLICATE_API_TOKEN").map(|_| {
        site.find("REPLICATE_API_BASE_URL")
            .unwrap_or("https://api.replicate.com/v1")
    });
    let storage = site.find("BACKBLAZE_ENDPOINT_URL");
    let urls = [storage, site.find("B2_API_URL"), replicate];
    let urls = urls
        .into_iter()
        .flatten()
        .filter_map(|url| Url::parse(url).ok());
    urls.filter(Url::has_host).collect()
}

/// Seconds that our clock is ahead of this service's.
async fn skew(http: &HttpClient, site: &Site, url: Url) -> Option<(i64, String)> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let answer = http.request(Method::GET, url).send().await.ok()?;
    let date = answer.headers().get(DATE)?.to_str().ok()?;
    // HTTP writes GMT where the format has an offset.
    let date = date.replace("GMT", "+0000");
    let theirs = OffsetDateTime::parse(&date, &Rfc2822).ok()?;
    Some(((site.clock.now() - theirs).whole_seconds(), host))
}

pub(super) fn judged(seconds: i64, host: &str) -> Finding {
    let off = seconds.unsigned_abs();
    let (ru, en) = match seconds < 0 {
        true => ("отстают", "behind"),
        false => ("спешат", "ahead"),
    };
    let told_ru = format!("часы {ru} на {off} с от {host}: включите синхронизацию (NTP)");
    let told_en =
        format!("the clock is {off} s {en} of {host}: switch on its synchronisation (NTP)");
    if off <= MUCH {
        return Finding::ok(
            format!("часы идут верно (по {host})"),
            format!("the clock is right (by {host})"),
        );
    }
    if off <= TOO_MUCH {
        return Finding::warn(told_ru, told_en);
    }
    Finding::fail(
        format!("{told_ru}, иначе подписи отвергаются"),
        format!("{told_en}, or signatures are refused"),
    )
}
