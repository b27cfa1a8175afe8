//! A server that answers and does not do its work: full, a replica since a failover, loading, behind
//! another password, emptied under its readers. The table has everything meanwhile.

use anyhow::Result;

use super::*;

impl Stage {
    async fn behind(password: &str) -> Self {
        Self {
            server: redis_with_password(password),
            ..Self::new().await
        }
    }

    /// Everything that must hold from the moment at which `begin` has befallen the server until `end`
    /// has mended it, and after; answers what a process of its own is told of it meanwhile.
    async fn bears(
        mut self,
        begin: impl FnOnce(&mut TestRedis) -> Result<()>,
        end: impl FnOnce(&mut TestRedis) -> Result<()>,
    ) -> (Fault, String) {
        let (log, _guard) = Log::start();
        let (door, worker, config) = (self.queue().await, self.queue().await, self.config());
        self.send(&door).await;
        finish(&worker, &next(&worker).await).await;

        begin(&mut self.server).unwrap();
        for _ in 0..3 {
            let id = self.send(&door).await;
            let claimed = next_of_a_process(&worker).await;
            assert_eq!(
                (claimed.event_id, claimed.attempt, claimed.strikes),
                (id, 1, 0)
            );
            finish(&worker, &claimed).await;
        }
        let left = self.send(&door).await;
        // It may have found its work in the table before it asked the server.
        worker.relay().await;
        let unsent = self.store.unsent(9).await.unwrap();
        assert_eq!(unsent.len(), 1, "left for a relay that can announce it");
        assert!(!door.transport().await.is_well());
        let told = (log.count("Redis is away"), log.count("Redis is back"));
        assert_eq!(told, (2, 0), "once by each process: {}", log.text());
        let fault = config.ping().await.unwrap_err();

        end(&mut self.server).unwrap();
        until(async || {
            door.relay().await;
            worker.relay().await;
            log.count("Redis is back") == 2
        })
        .await;
        assert_eq!(self.store.unsent(9).await.unwrap(), []);
        let claimed = next(&worker).await;
        assert_eq!(claimed.event_id, left);
        finish(&worker, &claimed).await;
        let (claimed, id) = meanwhile(&self, next(&worker), self.send(&door)).await;
        assert_eq!(claimed.event_id, id, "by an entry again");
        let told = log.count("Redis is away");
        assert_eq!(told, 3, "the last by the one that asked: {}", log.text());
        (fault, log.text())
    }
}

/// As `next` in a process that relays what others could not.
async fn next_of_a_process(queue: &Queue) -> Claimed {
    let relaying = async {
        loop {
            queue.relay().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        claimed = next(queue) => claimed,
        () = relaying => unreachable!("it never ends"),
    }
}

fn ask(server: &TestRedis, command: &str) -> Result<()> {
    let words: Vec<&str> = command.split(' ').collect();
    server.ask(&words).map(drop)
}

/// It passes by itself, so that nobody is called.
fn passes((fault, log): &(Fault, String), says: &str) {
    let is_failing = matches!(fault, Fault::Failing { reason, .. } if reason.contains(says));
    assert!(is_failing && !fault.needs_a_person(), "{says}: {fault:?}");
    assert!(log.contains(says) && !log.contains("ERROR"), "{log}");
}

/// Somebody has to mend a setting, and is called by an error.
fn calls((fault, log): &(Fault, String), says: &str) {
    let is_refused = matches!(fault, Fault::Refused { reason, .. } if reason.contains(says));
    assert!(is_refused && fault.needs_a_person(), "{says}: {fault:?}");
    assert_eq!(log.matches("ERROR").count(), 3, "{log}");
    assert!(!log.contains("canary"), "{log}");
}

#[tokio::test]
async fn a_full_server_is_away_although_it_answers() {
    let told = Stage::new().await.bears(
        |server| ask(server, "CONFIG SET maxmemory 1"),
        |server| ask(server, "CONFIG SET maxmemory 0"),
    );
    passes(&told.await, "OOM");
}

#[tokio::test]
async fn a_replica_after_a_failover_is_away_until_a_master_answers() {
    let told = Stage::new().await.bears(
        |server| ask(server, "REPLICAOF 127.0.0.1 1"),
        |server| ask(server, "REPLICAOF NO ONE"),
    );
    passes(&told.await, "read only replica");
}

#[tokio::test]
async fn a_replica_that_has_lost_its_master_is_away() {
    let told = Stage::new().await.bears(
        |server| {
            // It would say READONLY first.
            ask(server, "CONFIG SET replica-read-only no")?;
            ask(server, "CONFIG SET replica-serve-stale-data no")?;
            ask(server, "REPLICAOF 127.0.0.1 1")
        },
        |server| ask(server, "REPLICAOF NO ONE"),
    );
    passes(&told.await, "Link with MASTER is down");
}

#[tokio::test]
async fn a_server_that_is_loading_is_away() {
    let told = Stage::new()
        .await
        .bears(TestRedis::restart_loading, |server| server.read_on());
    passes(&told.await, "loading");
}

#[tokio::test]
async fn a_password_that_is_changed_under_way_calls_a_person_and_stops_nobody() {
    let new = Stage::new().await.bears(
        |server| server.change_password(Some("new-canary")),
        |server| server.change_password(None),
    );
    calls(&new.await, "Authentication required");
    let other = Stage::behind("old-canary").await.bears(
        |server| server.change_password(Some("new-canary")),
        |server| server.change_password(Some("old-canary")),
    );
    calls(&other.await, "");
}

#[tokio::test]
async fn a_stream_or_a_group_that_is_deleted_under_its_reader_is_made_again() {
    for deletion in [
        format!("XGROUP DESTROY {KEY} {GROUP}"),
        format!("DEL {KEY}"),
    ] {
        let stage = Stage::new().await;
        let (log, _guard) = Log::start();
        let queue = stage.queue().await;
        stage.send(&queue).await;
        let held = next(&queue).await;
        let waiting = stage.send(&queue).await;
        ask(&stage.server, &deletion).unwrap();
        assert!(
            queue.renew(&held).await.unwrap(),
            "the lease is the table's"
        );
        finish(&queue, &held).await;
        let claimed = next(&queue).await;
        assert_eq!((claimed.event_id, claimed.attempt), (waiting, 1));
        finish(&queue, &claimed).await;

        let (claimed, id) = meanwhile(&stage, next(&queue), async {
            ask(&stage.server, &deletion).unwrap();
            stage.send(&queue).await
        })
        .await;
        assert_eq!(claimed.event_id, id, "{deletion} while a reader waits");
        finish(&queue, &claimed).await;
        let (claimed, id) = meanwhile(&stage, next(&queue), stage.send(&queue)).await;
        assert_eq!(claimed.event_id, id, "and it reads on by entries");
        assert_eq!(stage.store.unsent(9).await.unwrap(), []);
        assert_eq!(log.count("Redis is away"), 0, "{deletion}: {}", log.text());
    }
}
