//! ffmpeg and ffprobe: there, in the sandbox, and new enough.

use shared_media::{Media, MediaConfig, MediaError};

use super::finding::Finding;
use super::site::Site;

/// Debian 12's; what older ones lack is used.
const LEAST: (u32, u32) = (5, 1);

type Version = (&'static str, Option<String>);

pub(super) async fn ffmpeg(site: &Site) -> Finding {
    let config = match site.read(MediaConfig::read) {
        Ok(config) => config,
        Err(finding) => return finding,
    };
    let looking = tokio::task::spawn_blocking(move || Media::connect(config)?.versions());
    match looking.await {
        Ok(Ok(versions)) => recent(&versions),
        Ok(Err(error)) => judged(&error),
        Err(error) => Finding::not_checked(format!("сбой: {error}"), error.to_string()),
    }
}

pub(super) fn recent(versions: &[Version]) -> Finding {
    for (program, version) in versions {
        let Some((version, number)) = version.as_deref().map(|text| (text, number(text))) else {
            return Finding::warn(
                format!("{program} не называет своей версии, нужна 5.1 или новее"),
                format!("{program} does not tell its version; 5.1 or newer is needed"),
            );
        };
        match number {
            Some(number) if number < LEAST => {
                return Finding::fail(
                    format!("{program} {version} слишком стар: нужен 5.1 или новее"),
                    format!("{program} {version} is too old: 5.1 or newer is needed"),
                );
            }
            Some(_) => {}
            None => {
                return Finding::warn(
                    format!("{program} {version}: сборка без номера, нужна 5.1 или новее"),
                    format!(
                        "{program} {version} is a build without a number; 5.1 or newer is needed"
                    ),
                );
            }
        }
    }
    let named: Vec<String> = versions
        .iter()
        .map(|(program, version)| format!("{program} {}", version.as_deref().unwrap_or_default()))
        .collect();
    Finding::ok(named.join(", "), named.join(", "))
}

/// Of `5.1.6-0+deb12u1`, `n6.0` or `7.0`; snapshots such as `N-109542-g…` and `2024-05-02-git` have none.
fn number(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim_start_matches('n').splitn(3, '.');
    let major = parts.next()?.parse().ok()?;
    let digits = |part: &str| {
        part.chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
    };
    let minor = parts
        .next()
        .map(digits)
        .and_then(|minor| minor.parse().ok());
    Some((major, minor?))
}

fn judged(error: &MediaError) -> Finding {
    let en = error.to_string();
    match error {
        MediaError::Missing { program, setting } => Finding::fail(
            format!("{program} не найден: apt-get install ffmpeg, или задайте {setting}"),
            en,
        ),
        MediaError::Unusable { program, detail } => {
            Finding::fail(format!("{program} не работает в песочнице ({detail})"), en)
        }
        _ => Finding::not_checked(format!("ffmpeg не проверить ({en})"), en),
    }
}
