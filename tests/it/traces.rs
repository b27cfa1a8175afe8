//! What an operator sees of a function on platforms that freeze it, with a collector and without.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use shared_testing::{Call, CollectorMishap, FakeCollector, Platform, Program, World};

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
