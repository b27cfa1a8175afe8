//! A server that misbehaves on the wire.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::support::config;
use crate::{Objects, ObjectsError, Part};

struct Fault {
    objects: Objects,
    asked: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

/// Answers every request with the same bytes and closes.
async fn answering(answer: &'static str) -> Result<Fault> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let objects = Objects::connect(&config(&format!("http://{}", listener.local_addr()?), "s"));
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut head = [0; 8192];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    Ok(Fault {
        objects,
        asked,
        _tasks: tasks,
    })
}

#[tokio::test]
async fn a_busy_server_is_asked_again_and_then_left_alone() -> Result<()> {
    let fault = answering(
        "HTTP/1.1 503 Slow Down\r\nRetry-After: 7\r\nContent-Length: 46\r\nConnection: close\r\n\r\n\
         <Error><Code>SlowDown</Code><Message/></Error>",
    )
    .await?;
    let error = fault.objects.get("a", 10).await.expect_err("busy");
    assert!(error.is_transient() && !error.is_denied(), "{error:?}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(fault.asked.load(Ordering::SeqCst), 3);
    Ok(())
}

#[tokio::test]
async fn a_body_that_ends_early_is_no_object() -> Result<()> {
    let fault =
        answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhalf").await?;
    let error = fault.objects.get("a", 10).await.expect_err("half a body");
    assert!(
        matches!(
            error,
            ObjectsError::Body { .. } | ObjectsError::Short { .. }
        ),
        "{error:?}"
    );
    assert!(error.is_transient());
    Ok(())
}

#[tokio::test]
async fn a_server_that_ignores_ranges_does_not_fill_the_memory() -> Result<()> {
    let announced =
        answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123456789")
            .await?;
    let error = announced
        .objects
        .get_range("a", 2..4)
        .await
        .expect_err("too much");
    assert!(matches!(error, ObjectsError::TooLarge { .. }), "{error:?}");
    let hidden = answering("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n0123456789").await?;
    let error = hidden
        .objects
        .get_range("a", 2..4)
        .await
        .expect_err("too much");
    assert!(matches!(error, ObjectsError::TooLarge { .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn an_error_inside_a_200_is_an_error() -> Result<()> {
    let fault = answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 51\r\nConnection: close\r\n\r\n\
         <Error><Code>InternalError</Code><Message/></Error>",
    )
    .await?;
    let part = Part {
        number: 1,
        etag: "\"x\"".to_owned(),
        size: 1,
    };
    let error = fault
        .objects
        .complete_multipart("a", "id", &[part])
        .await
        .expect_err("an error");
    assert!(error.is_transient(), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_spending_cap_waits_for_a_person() -> Result<()> {
    let fault = answering(
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 50\r\nConnection: close\r\n\r\n\
         <Error><Code>AccessDenied</Code><Message/></Error>",
    )
    .await?;
    let error = fault.objects.get("a", 10).await.expect_err("refused");
    assert!(error.is_denied() && !error.is_transient(), "{error:?}");
    assert_eq!(fault.asked.load(Ordering::SeqCst), 1);
    Ok(())
}
