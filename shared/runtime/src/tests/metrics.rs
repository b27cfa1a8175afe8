//! What Prometheus reads, and who else may.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use http::{Request, StatusCode};
use shared_domain::{EvidenceComplete, ExecutionId, Message, Settings, VideoUploaded};
use shared_queue::Queue;
use shared_testing::{TestDatabase, database, samples};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::{Shared, Verdict, hosts, metrics};

struct Stage {
    shared: Shared,
    _database: TestDatabase,
}

impl Stage {
    async fn open(token: &str) -> Self {
        let database = database().await;
        let store = database.store().await;
        let mut settings = Settings::default();
        settings.set("METRICS_TOKEN", token);
        let shared = Shared {
            settings,
            queue: Queue::new(store.clone()),
            store,
            stop: CancellationToken::new(),
        };
        Self {
            shared,
            _database: database,
        }
    }

    async fn ask(&self, peer: Option<&str>, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::get("/metrics");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        if let Some(peer) = peer {
            let peer: SocketAddr = peer.parse().unwrap();
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        hosts::metrics(&self.shared).oneshot(request).await.unwrap()
    }

    async fn text(&self) -> String {
        let answer = self.ask(Some("127.0.0.1:9"), &[]).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let kind = answer.headers()["content-type"].to_str().unwrap();
        assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX);
        String::from_utf8(body.await.unwrap().to_vec()).unwrap()
    }
}

#[tokio::test]
async fn counts_begin_at_zero_and_follow_events_and_the_outbox() {
    let stage = Stage::open("").await;
    metrics::expect("counted");
    let before = samples(&stage.text().await).unwrap();
    for verdict in ["done", "retry", "reject"] {
        let series = format!("handler_events_total{{handler=\"counted\",verdict=\"{verdict}\"}}");
        assert_eq!(before.get(&series), Some(&0.0), "{series}");
    }
    assert_eq!(
        before.get("handler_duration_seconds_count{handler=\"counted\"}"),
        Some(&0.0)
    );
    for gauge in ["outbox_unsent", "outbox_oldest_age_seconds", "dead_letters"] {
        assert_eq!(before.get(gauge), Some(&0.0), "{gauge}");
    }

    metrics::count("counted", Verdict::Done, Duration::from_millis(20));
    metrics::count("counted", Verdict::Done, Duration::from_mins(20));
    metrics::count("counted", Verdict::RETRY, Duration::ZERO);
    let store = &stage.shared.store;
    let mut tx = store.transaction().await.unwrap();
    for later in [Duration::ZERO, Duration::from_hours(1)] {
        let message = EvidenceComplete::new(store.fresh::<ExecutionId>());
        let due = store.now() + later - Duration::from_secs(5);
        tx.send_later(&message, due).await.unwrap();
    }
    let stream = VideoUploaded::STREAM;
    let lost = tx.send(&VideoUploaded::new(store.fresh())).await.unwrap();
    tx.commit().await.unwrap();
    let claimed = store.claim(stream, "worker", Duration::from_mins(1), 5);
    let epoch = claimed.await.unwrap().unwrap().epoch;
    store.bury(lost, epoch, stream, "never").await.unwrap();
    let after = samples(&stage.text().await).unwrap();
    assert_eq!(
        after["handler_events_total{handler=\"counted\",verdict=\"done\"}"].to_string(),
        "2"
    );
    assert_eq!(
        after["handler_events_total{handler=\"counted\",verdict=\"retry\"}"].to_string(),
        "1"
    );
    assert_eq!(
        after["handler_duration_seconds_bucket{handler=\"counted\",le=\"0.05\"}"].to_string(),
        "2"
    );
    assert_eq!(
        after["handler_duration_seconds_count{handler=\"counted\"}"].to_string(),
        "3"
    );
    assert_eq!(after["outbox_unsent"].to_string(), "2");
    assert_eq!(after["dead_letters"].to_string(), "1");
    let age = after["outbox_oldest_age_seconds"];
    assert!(
        (5.0..60.0).contains(&age),
        "{age}: what is not due yet has no age"
    );
}

#[tokio::test]
async fn without_a_token_only_this_machine_reads_them() {
    let stage = Stage::open("").await;
    for (peer, headers, status) in [
        (Some("127.0.0.1:9"), &[][..], 200),
        (Some("[::1]:9"), &[], 200),
        (Some("10.1.2.3:9"), &[], 404),
        (None, &[], 404),
        (
            Some("127.0.0.1:9"),
            &[("x-forwarded-for", "203.0.113.9")],
            404,
        ),
        (Some("127.0.0.1:9"), &[("via", "1.1 proxy")], 404),
        (Some("10.1.2.3:9"), &[("x-forwarded-for", "127.0.0.1")], 404),
        (Some("10.1.2.3:9"), &[("authorization", "Bearer ")], 404),
    ] {
        assert_eq!(
            stage.ask(peer, headers).await.status(),
            status,
            "{peer:?} {headers:?}"
        );
    }
}

#[tokio::test]
async fn with_a_token_only_its_owner_reads_them() {
    let stage = Stage::open("token-of-the-scraper").await;
    let far = Some("203.0.113.9:9");
    for (peer, value, status) in [
        (far, "Bearer token-of-the-scraper", 200),
        (far, "Bearer token-of-the-scrape", 404),
        (far, "Basic token-of-the-scraper", 404),
        (far, "", 404),
        (Some("127.0.0.1:9"), "", 404),
    ] {
        let headers = [("authorization", value)];
        assert_eq!(
            stage.ask(peer, &headers).await.status(),
            status,
            "{peer:?} {value}"
        );
    }
}
