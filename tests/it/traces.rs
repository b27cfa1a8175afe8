//! What an operator sees of a video: one trace, one id in every line, figures; and nothing that is secret.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use shared_testing::{
    Call, Collected, CollectorMishap, FakeCollector, Platform, Program, World, postgres_database,
    redis, samples,
};

use crate::scenario::mailed;
use crate::site::{EMAIL, Shape, Site};

/// Longer than spans wait to be sent.
const SENT: Duration = Duration::from_secs(30);
const SCRAPER: &str = "canary-of-the-scraper";
/// Those that a video comes by after its upload, each a process of its own.
const CHAIN: [&str; 5] = [
    "on-upload",
    "frame-extract",
    "replicate-webhook",
    "report-finalize",
    "send-email",
];

/// Spans that name a video, by the function whose event they are.
fn about<'a>(spans: &'a [Collected], video: &str) -> BTreeMap<&'a str, Vec<&'a Collected>> {
    let mut found: BTreeMap<&str, Vec<&Collected>> = BTreeMap::new();
    for span in spans {
        let named = span.attributes.get("video.id");
        if named.is_some_and(|id| id == video) && CHAIN.contains(&span.service.as_str()) {
            found.entry(&span.service).or_default().push(span);
        }
    }
    found
}

/// The trace of a video, once the last of its spans have been sent.
async fn trace_of(collector: &FakeCollector, video: &str) -> Result<String> {
    let started = Instant::now();
    loop {
        match one_trace(&collector.spans(), video) {
            Err(_) if started.elapsed() < SENT => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            trace => return trace,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_is_one_trace_over_five_processes_and_redis() -> Result<()> {
    let collector = FakeCollector::start().await?;
    let (database, redis) = (postgres_database(None).await, redis());
    let redis_url = redis.url();
    let mut site = Site::prepare(&[
        ("DATABASE_URL", &database.url),
        ("REDIS_URL", &redis_url),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()),
        ("METRICS_TOKEN", SCRAPER),
    ])
    .await?;
    let (client, video) = mailed(&mut site, Shape::ProcessPerFunction).await?;
    let trace = trace_of(&collector, &video).await?;
    let log = site.whole_log()?;
    ensure_lines(&log, &video, &trace)?;

    let metrics = client.metrics(SCRAPER).await?;
    let figures = samples(&metrics)?;
    let asked = "handler_events_total{handler=\"console\",verdict=\"done\"}";
    ensure!(figures[asked] > 1.0, "{metrics}");
    ensure!(figures["outbox_unsent"] == 0.0 && figures["dead_letters"] == 0.0);
    ensure!(client.metrics("canary").await.is_err());

    let secrets = site
        .secrets()
        .chain([client.token(), EMAIL, "X-Amz-Signature", "whsec_"]);
    for secret in secrets {
        for (place, text) in [
            ("log", &log),
            ("traces", &collector.heard()),
            ("metrics", &metrics),
        ] {
            ensure!(!text.contains(secret), "{secret} is in the {place}");
        }
    }
    Ok(())
}

/// One trace id from the arrival to the mail, in which every event but the first continues another; answers it.
fn one_trace(spans: &[Collected], video: &str) -> Result<String> {
    let found = about(spans, video);
    let from: Vec<_> = found.keys().collect();
    ensure!(from.len() == CHAIN.len(), "spans from {from:?} alone");
    let traces: BTreeSet<&str> = found
        .values()
        .flatten()
        .map(|span| span.trace_id.as_str())
        .collect();
    ensure!(traces.len() == 1, "{traces:?}: {found:#?}");
    let trace = (*traces.first().context("no trace")?).to_owned();

    let of_trace = || spans.iter().filter(|span| span.trace_id == trace);
    let ids: BTreeSet<&str> = of_trace().map(|span| span.span_id.as_str()).collect();
    for span in of_trace().filter(|span| span.name == "handle") {
        let first = span.parent_id.is_empty();
        ensure!(first == (span.service == "on-upload"), "{span:?}");
        ensure!(
            first || ids.contains(span.parent_id.as_str()),
            "{span:?}: no parent"
        );
        ensure!(
            first || span.links == [span.parent_id.clone()],
            "{span:?}: not linked"
        );
    }
    let names: BTreeSet<&str> = of_trace().map(|span| span.name.as_str()).collect();
    for name in [
        "handle",
        "objects.head",
        "objects.put",
        "media.probe",
        "media.extract",
        "replicate.create",
        "redis.announce",
        "mail.deliver",
        "db.outbox.insert",
        "db.videos.update",
        "db.videos.select",
    ] {
        ensure!(names.contains(name), "no {name} in {names:?}");
    }
    Ok(trace)
}

/// Every line of a function about the video has its id and the trace's under the same names.
fn ensure_lines(log: &str, video: &str, trace: &str) -> Result<()> {
    let mut told = BTreeSet::new();
    // the command line's own words are for people
    for line in log.lines().filter(|line| line.starts_with('{')) {
        let line: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
        let handler = line["handler"].as_str().unwrap_or_default();
        let names = line["message"]
            .as_str()
            .is_some_and(|text| text.contains(video));
        if names || (line["video.id"] == video && CHAIN.contains(&handler)) {
            ensure!(line["video.id"] == video, "{line}");
            ensure!(
                line["trace_id"] == trace && line["span_id"].is_string(),
                "{line}"
            );
            told.insert(handler.to_owned());
        }
    }
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    for handler in CHAIN {
        ensure!(
            told.contains(&handler),
            "{handler} said nothing of it: {told:?}"
        );
    }
    Ok(())
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// Platforms that freeze a process between two calls.
const FREEZING: [Platform; 3] = [
    Platform::Lambda,
    Platform::DigitalOcean,
    Platform::OpenWhisk,
];

/// A request that a stranger is refused.
fn call() -> Call {
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let call = Call::post("/functions/upload-signed-url").json(&json!({}));
    call.header("traceparent", &traceparent)
}

#[tokio::test]
async fn before_a_platform_may_freeze_a_function_its_spans_are_sent() -> Result<()> {
    let world = World::new().await;
    for platform in FREEZING {
        let collector = FakeCollector::start().await?;
        let program = Program::new("upload-signed-url", &world)?;
        let program = program.with("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
        let mut function = program.on(platform).await?;
        let answer = function.ask(call()).await?;
        let spans = collector.spans();
        let span = spans.iter().find(|span| span.name == "handle");
        let span = span.with_context(|| format!("{platform:?}: nothing but {spans:?}"))?;
        ensure!(
            span.trace_id == TRACE && span.parent_id == "00f067aa0ba902b7",
            "{span:?}"
        );
        ensure!(
            span.failed && span.attributes["verdict"] == "reject",
            "{span:?}"
        );
        ensure!(answer.code() >= 400, "{platform:?}: {}", answer.text());
    }
    Ok(())
}

#[tokio::test]
async fn a_collector_that_is_away_costs_moments_and_no_answer() -> Result<()> {
    let world = World::new().await;
    for mishap in [CollectorMishap::Refuses, CollectorMishap::Hangs] {
        let collector = FakeCollector::start().await?;
        collector.suffer(mishap);
        let program = Program::new("upload-signed-url", &world)?;
        let mut plain = program.clone().on(Platform::Lambda).await?;
        let program = program.with("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
        let mut function = program.on(Platform::Lambda).await?;
        let expected = plain.ask(call()).await?;
        let started = Instant::now();
        for _ in 0..20 {
            let answer = function.ask(call()).await?;
            ensure!(answer.code() == expected.code() && answer.body == expected.body);
        }
        ensure!(
            collector.asked() == 1,
            "{mishap:?}: asked {} times",
            collector.asked()
        );
        // one second for each of the first calls, until it is known to be away
        ensure!(
            started.elapsed() < Duration::from_secs(10),
            "{mishap:?}: {:?}",
            started.elapsed()
        );
    }
    Ok(())
}
