//! Prometheus's text format, read more strictly than Prometheus does.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};

/// Every sample by its name and labels, as written. Fails on a family without HELP and TYPE or told of
/// twice, on a sample outside its family or told twice, and on a histogram that does not add up.
pub fn samples(text: &str) -> Result<BTreeMap<String, f64>> {
    ensure!(text.ends_with('\n'), "the last line has no end");
    let (mut samples, mut families) = (BTreeMap::new(), BTreeSet::new());
    let (mut helped, mut family) = (String::new(), (String::new(), String::new()));
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').context("HELP without words")?;
            ensure!(!help.trim().is_empty(), "{name}: HELP without words");
            name.clone_into(&mut helped);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').context("TYPE without a type")?;
            ensure!(name == helped, "{name}: TYPE without its HELP");
            ensure!(families.insert(name.to_owned()), "{name} is told of twice");
            family = (name.to_owned(), kind.to_owned());
        } else {
            let (series, value) = line.rsplit_once(' ').context("a line without a value")?;
            check(series, &family)?;
            let value: f64 = value
                .parse()
                .with_context(|| format!("{line}: no number"))?;
            ensure!(
                samples.insert(series.to_owned(), value).is_none(),
                "{series}: twice"
            );
            if family.1 == "histogram" {
                adds_up(series, value, &samples)?;
            }
        }
    }
    Ok(samples)
}

/// The name has the characters of one and belongs to its family.
fn check(series: &str, (family, kind): &(String, String)) -> Result<()> {
    let name = series.split('{').next().unwrap_or(series);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    ensure!(
        !name.is_empty() && name.chars().all(is_name),
        "{name:?} is no name"
    );
    let suffix = name.strip_prefix(family.as_str());
    let suffix = suffix.with_context(|| format!("{name} stands below {family}"))?;
    match (kind.as_str(), suffix) {
        ("counter", "") => ensure!(name.ends_with("_total"), "{name}: a counter without _total"),
        ("gauge", "") | ("histogram", "_bucket" | "_sum" | "_count") => {}
        _ => bail!("{name} is no sample of the {kind} {family}"),
    }
    Ok(())
}

/// Buckets rise, and the last holds what `_count` says.
fn adds_up(series: &str, value: f64, samples: &BTreeMap<String, f64>) -> Result<()> {
    if series.contains("_bucket{") {
        let (labels, _) = series.split_once("le=").context("a bucket without le")?;
        let before = samples.iter().filter(|(name, _)| name.starts_with(labels));
        let most = before.map(|(_, value)| *value).fold(0.0, f64::max);
        ensure!(value >= most, "{series} falls");
    } else if series.contains("_count") {
        let start = series.replacen("_count", "_bucket", 1).replace('}', ",");
        let last = samples.get(&format!("{start}le=\"+Inf\"}}"));
        ensure!(
            last == Some(&value),
            "{series} is not its last bucket: {last:?}"
        );
    }
    Ok(())
}
