//! One scenario on every record and in every shape: a clip is uploaded, checked by the real models, reported
//! and mailed of, and the report is the same each time; also when no webhook and no notification arrives.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use shared_testing::{TestDatabase, TestRedis, postgres_database, redis};
use tempfile::TempDir;

use crate::program::fixtures;
use crate::site::{Client, Shape, Site};

/// More than a clip of six seconds takes on a machine that does other things as well.
const RUN: Duration = Duration::from_mins(5);

/// What is different each time: who and when, and where it is kept.
const PASSING: &[&str] = &[
    "id",
    "project_id",
    "object_key",
    "frame_url",
    "risk",
    "started_at",
    "completed_at",
];

/// Where the record is and what carries messages.
enum Record {
    Sqlite(TempDir),
    PostgresAndRedis(Box<TestDatabase>, TestRedis),
}

impl Record {
    fn sqlite() -> Result<Self> {
        Ok(Self::Sqlite(tempfile::tempdir()?))
    }

    async fn postgres_and_redis() -> Self {
        Self::PostgresAndRedis(Box::new(postgres_database(None).await), redis())
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Sqlite(folder) => {
                let file = folder.path().join("compliance.db");
                vec![("DATABASE_URL", format!("sqlite://{}", file.display()))]
            }
            Self::PostgresAndRedis(database, redis) => vec![
                ("DATABASE_URL", database.url.clone()),
                ("REDIS_URL", redis.url()),
            ],
        }
    }

    async fn site(&self) -> Result<Site> {
        let settings = self.settings();
        let settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (*n, v.as_str())).collect();
        Site::prepare(&settings).await
    }
}

/// A clip from upload to mail; answers who put it there and the video's id.
pub(crate) async fn mailed(site: &mut Site, shape: Shape) -> Result<(Client, String)> {
    site.start(shape).await?;
    let client = site.sign_in().await?;
    let video = client.upload(&fixtures()?.join("piece.mp4")).await?;
    let deadline = Instant::now() + RUN;
    site.checked(&client, &video, deadline).await?;
    site.quiet(deadline).await?;
    ensure!(site.mails()? == 1, "{} mails", site.mails()?);
    Ok((client, video))
}

/// The same; answers the report without what passes.
async fn checked(site: &mut Site, shape: Shape) -> Result<Value> {
    let (client, video) = mailed(site, shape).await?;
    Ok(lasting(client.report(&video).await?))
}

fn lasting(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            fields.retain(|name, _| !PASSING.contains(&name.as_str()));
            for (_, field) in fields.iter_mut() {
                *field = lasting(field.take());
            }
        }
        Value::Array(items) => {
            for item in items {
                *item = lasting(item.take());
            }
        }
        _ => {}
    }
    value
}

/// What was planted in the clip: a cigarette that is spoken of and a promotion code on a card.
fn ensure_found(report: &Value) -> Result<()> {
    let risks = report["risks"].as_array().context("no risks")?;
    let categories: Vec<&str> = risks
        .iter()
        .filter_map(|risk| risk["category"].as_str())
        .collect();
    for planted in ["tobacco", "advertising"] {
        let found = categories
            .iter()
            .any(|category| category.starts_with(planted));
        ensure!(found, "no {planted} in {categories:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_is_the_same_on_every_record_and_in_every_shape() -> Result<()> {
    let mut reports = Vec::new();
    for shape in [Shape::OneProcess, Shape::ProcessPerFunction] {
        for record in [Record::sqlite()?, Record::postgres_and_redis().await] {
            let mut site = record.site().await?;
            reports.push(checked(&mut site, shape).await?);
            ensure!(site.ingress.lost() == 0);
        }
    }
    ensure_found(&reports[0])?;
    for report in &reports[1..] {
        ensure!(
            report == &reports[0],
            "{report:#}\nis not\n{:#}",
            reports[0]
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_webhook_or_notification_the_report_is_the_same() -> Result<()> {
    let mut reports = Vec::new();
    for (shape, record) in [
        (Shape::OneProcess, Record::sqlite()?),
        (
            Shape::ProcessPerFunction,
            Record::postgres_and_redis().await,
        ),
    ] {
        let mut site = record.site().await?;
        for door in ["/functions/on-upload", "/functions/replicate-webhook"] {
            site.ingress.lose(door);
        }
        site.set("ARRIVAL_AFTER", "1");
        site.set("POLL_AFTER", "1");
        reports.push(checked(&mut site, shape).await?);
        // one notification and an answer of each model at least
        ensure!(site.ingress.lost() > 4, "{} were lost", site.ingress.lost());
    }
    ensure_found(&reports[0])?;
    ensure!(
        reports[0] == reports[1],
        "{:#}\nis not\n{:#}",
        reports[1],
        reports[0]
    );
    Ok(())
}
