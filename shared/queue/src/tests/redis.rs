//! Against a real server, which is killed, emptied and paused.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::io::{self, Write};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use shared_domain::{EvidenceComplete, Message, OutboxId, PredictionDue, VideoUploaded};
use shared_store::{Claimed, Outcome, Store};
use shared_testing::{
    TestDatabase, TestRedis, database, redis, redis_with_password, redis_with_tls,
    redis_with_tls_and_password,
};
use tokio_util::sync::CancellationToken;

use super::{STREAM, send};
use crate::{Fault, Queue, RedisConfig, Transport};

mod trouble;

/// Longer than any test: what arrives was not found by a look.
const NEVER: Duration = Duration::from_hours(1);
/// Longer than anything takes that works.
const DEADLINE: Duration = Duration::from_secs(30);
const KEY: &str = "compliance:stream:report-finalize";
const GROUP: &str = "workers";

/// A database, a server and what reads them.
struct Stage {
    store: Store,
    server: TestRedis,
    _database: TestDatabase,
}

impl Stage {
    async fn new() -> Self {
        let database = database().await;
        Self {
            store: database.store().await,
            server: redis(),
            _database: database,
        }
    }

    fn config(&self) -> RedisConfig {
        RedisConfig::new(&self.server.url()).unwrap()
    }

    /// A process of its own.
    async fn queue(&self) -> Queue {
        self.looking(NEVER).await
    }

    async fn looking(&self, look: Duration) -> Queue {
        let mut config = self.config();
        config.look = look;
        connected(&self.store, &config).await
    }

    async fn send(&self, queue: &Queue) -> OutboxId {
        let id = send(&self.store).await;
        queue.relay().await;
        id
    }

    fn number(&self, command: &[&str]) -> usize {
        self.server.ask(command).unwrap().parse().unwrap()
    }

    fn entries(&self) -> usize {
        self.number(&["XLEN", KEY])
    }

    /// Entries that somebody has read and not deleted.
    fn pending(&self) -> usize {
        let told = self.server.ask(&["XPENDING", KEY, GROUP]).unwrap();
        told.lines().next().unwrap().parse().unwrap()
    }

    fn blocked(&self) -> usize {
        let told = self.server.ask(&["INFO", "clients"]).unwrap();
        let line = told
            .lines()
            .find_map(|l| l.strip_prefix("blocked_clients:"));
        line.unwrap().trim().parse().unwrap()
    }
}

async fn connected(store: &Store, config: &RedisConfig) -> Queue {
    Queue::new(store.clone()).over_redis(config).await.unwrap()
}

async fn next(queue: &Queue) -> Claimed {
    let stop = CancellationToken::new();
    let next = queue.next(STREAM, &stop);
    let next = tokio::time::timeout(DEADLINE, next).await;
    next.expect("nothing came").unwrap()
}

/// Ends an event as a worker does.
async fn finish(queue: &Queue, claimed: &Claimed) {
    let (id, epoch) = (claimed.event_id, claimed.epoch);
    queue
        .store()
        .finish(id, epoch, Outcome::Done)
        .await
        .unwrap();
    queue.over(claimed).await;
}

/// Runs `reading` until it waits at the server, then `then`, then `reading` to its end.
fn meanwhile<'a, T, R>(
    stage: &'a Stage,
    reading: impl Future<Output = T> + 'a,
    then: impl Future<Output = R> + 'a,
) -> Pin<Box<impl Future<Output = (T, R)>>> {
    Box::pin(async move {
        let mut reading = pin!(reading);
        until(async || {
            let idle = poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx).is_pending())).await;
            assert!(idle, "it did not wait");
            stage.blocked() > 0
        })
        .await;
        tokio::join!(reading, then)
    })
}

/// Waits for a condition with a deadline.
async fn until(mut condition: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < DEADLINE, "it did not come true");
        tokio::task::yield_now().await;
    }
}

/// Everything that is logged on this thread while it lives.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn count(&self, words: &str) -> usize {
        self.text().matches(words).count()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn an_entry_wakes_a_reader_and_is_deleted_when_the_event_is_over() {
    let stage = Stage::new().await;
    let (door, worker) = (stage.queue().await, stage.queue().await);
    let (claimed, (id, sent)) = meanwhile(&stage, next(&worker), async {
        let id = stage.send(&door).await;
        (id, Instant::now())
    })
    .await;
    assert!(
        sent.elapsed() < Duration::from_millis(700),
        "{:?}",
        sent.elapsed()
    );
    assert_eq!((claimed.event_id, claimed.attempt), (id, 1));
    assert_eq!((stage.entries(), stage.pending()), (1, 1));
    finish(&worker, &claimed).await;
    assert_eq!((stage.entries(), stage.pending()), (0, 0));
}

#[tokio::test]
async fn an_entry_says_which_event_it_announces() {
    let stage = Stage::new().await;
    let queue = stage.queue().await;
    let mut tx = stage.store.transaction().await.unwrap();
    let id = tx
        .send(&PredictionDue::new(stage.store.fresh()))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    queue.relay().await;
    let key = format!("compliance:stream:{}", PredictionDue::STREAM);
    let told = stage.server.ask(&["XRANGE", &key, "-", "+"]).unwrap();
    let lines: Vec<&str> = told.lines().skip(1).collect();
    let priority = PredictionDue::PRIORITY.to_string();
    let id = id.to_string();
    assert_eq!(
        lines[..7],
        [
            "event_id",
            &id,
            "kind",
            PredictionDue::KIND,
            "priority",
            &priority,
            "trace"
        ]
    );
}

#[tokio::test]
async fn the_most_urgent_event_goes_first_whatever_entry_was_read() {
    let stage = Stage::new().await;
    let queue = stage.queue().await;
    let function = PredictionDue::STREAM;
    assert_eq!(VideoUploaded::STREAM, function);
    const { assert!(VideoUploaded::PRIORITY < PredictionDue::PRIORITY) };
    let mut tx = stage.store.transaction().await.unwrap();
    let usual = tx
        .send(&VideoUploaded::new(stage.store.fresh()))
        .await
        .unwrap();
    let urgent = tx
        .send(&PredictionDue::new(stage.store.fresh()))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    queue.relay().await;
    let stop = CancellationToken::new();
    for expected in [urgent, usual] {
        let claimed = queue.next(function, &stop).await.unwrap();
        assert_eq!(claimed.event_id, expected);
        finish(&queue, &claimed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_share_the_events_and_do_none_twice() {
    let stage = Stage::new().await;
    let door = stage.queue().await;
    let mut sent = BTreeSet::new();
    for _ in 0..40 {
        sent.insert(stage.send(&door).await);
    }
    let stop = CancellationToken::new();
    let mut workers = tokio::task::JoinSet::new();
    let done = Arc::new(Mutex::new(Vec::new()));
    for _ in 0..2 {
        let (queue, stop, done) = (stage.queue().await, stop.clone(), done.clone());
        for _ in 0..2 {
            let (queue, stop, done) = (queue.clone(), stop.clone(), done.clone());
            workers.spawn(async move {
                while let Some(claimed) = queue.next(STREAM, &stop).await {
                    assert_eq!(claimed.attempt, 1);
                    finish(&queue, &claimed).await;
                    let mut done = done.lock().unwrap();
                    done.push(claimed.event_id);
                    if done.len() >= 40 {
                        stop.cancel();
                    }
                }
            });
        }
    }
    tokio::time::timeout(DEADLINE, async {
        while let Some(ended) = workers.join_next().await {
            ended.unwrap();
        }
    })
    .await
    .expect("they did not end");
    let done = done.lock().unwrap();
    assert_eq!(done.len(), 40);
    assert_eq!(done.iter().copied().collect::<BTreeSet<_>>(), sent);
}

#[tokio::test]
async fn the_entry_of_a_dead_reader_is_claimed_when_its_lease_is_over() {
    let stage = Stage::new().await;
    let lease = Duration::from_millis(500);
    let dying = stage.queue().await.with_lease(lease);
    let begun = Instant::now();
    let (held, id) = meanwhile(&stage, next(&dying), stage.send(&dying)).await;
    assert_eq!((held.event_id, stage.pending()), (id, 1));
    drop(dying);

    let heir = stage.queue().await.with_lease(lease);
    let claimed = next(&heir).await;
    assert!(begun.elapsed() >= lease, "nobody may take what is leased");
    assert_eq!(
        (claimed.event_id, claimed.attempt, claimed.strikes),
        (id, 2, 1)
    );
    assert_eq!((stage.entries(), stage.pending()), (1, 1));
    finish(&heir, &claimed).await;
    assert_eq!(
        (stage.entries(), stage.pending()),
        (0, 0),
        "it was the dead one's entry"
    );
}

#[tokio::test]
async fn a_reader_that_renews_its_lease_keeps_its_entry() {
    let stage = Stage::new().await;
    let lease = Duration::from_millis(600);
    let queue = stage.queue().await.with_lease(lease);
    let (claimed, _) = meanwhile(&stage, next(&queue), stage.send(&queue)).await;
    let idle = || {
        let told = stage
            .server
            .ask(&["XPENDING", KEY, GROUP, "-", "+", "9"])
            .unwrap();
        told.lines().nth(2).unwrap().parse::<u64>().unwrap()
    };
    until(async || idle() > 100).await;
    assert!(queue.renew(&claimed).await.unwrap());
    assert!(idle() < 100);
    finish(&queue, &claimed).await;
    assert!(!queue.renew(&claimed).await.unwrap());
}

#[tokio::test]
async fn what_is_due_later_comes_at_its_time() {
    let stage = Stage::new().await;
    let queue = stage.queue().await;
    let wait = Duration::from_millis(1500);
    let begun = Instant::now();
    let (claimed, id) = meanwhile(&stage, next(&queue), async {
        let mut tx = stage.store.transaction().await.unwrap();
        let message = EvidenceComplete::new(stage.store.fresh());
        let due = stage.store.now() + wait;
        let id = tx.send_later(&message, due).await.unwrap();
        tx.commit().await.unwrap();
        queue.relay().await;
        id
    })
    .await;
    let took = begun.elapsed();
    assert_eq!(claimed.event_id, id);
    assert!(
        took >= wait && took < wait + Duration::from_secs(1),
        "{took:?}"
    );
    assert_eq!(stage.entries(), 0, "its entry was spent on the date");
}

#[tokio::test]
async fn a_burial_is_mirrored_in_the_dead_stream() {
    let stage = Stage::new().await;
    let queue = stage.queue().await;
    let rejected = stage.send(&queue).await;
    let claimed = next(&queue).await;
    queue
        .bury(&claimed, STREAM, "cannot be read")
        .await
        .unwrap();
    queue.over(&claimed).await;
    let deadly = stage.send(&queue).await;
    for _ in 0..queue.deaths() {
        next(&queue).await;
        queue.store().give_back_all().await.unwrap();
        queue.relay().await;
    }
    let stop = CancellationToken::new();
    let reading = queue.next(STREAM, &stop);
    let watching = async {
        until(async || stage.number(&["XLEN", "compliance:dead"]) == 2).await;
        stop.cancel();
    };
    let (none, ()) = tokio::join!(reading, watching);
    assert_eq!(none, None);
    let told = stage
        .server
        .ask(&["XRANGE", "compliance:dead", "-", "+"])
        .unwrap();
    for words in [
        &rejected.to_string(),
        "cannot be read",
        &deadly.to_string(),
        "broke off",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(stage.store.dead_letters(9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_stream_without_readers_stays_small_and_what_was_trimmed_is_found() {
    let stage = Stage::new().await;
    let mut config = stage.config();
    (config.most, config.look) = (100, Duration::from_millis(200));
    let door = connected(&stage.store, &config).await;
    let mut tx = stage.store.transaction().await.unwrap();
    let messages: Vec<_> = (0..600)
        .map(|_| EvidenceComplete::new(stage.store.fresh()))
        .collect();
    tx.send_all(&messages).await.unwrap();
    tx.commit().await.unwrap();
    door.relay().await;
    assert_eq!(stage.store.unsent(9).await.unwrap(), []);
    let kept = stage.entries();
    assert!((100..=200).contains(&kept), "{kept} entries");
    let worker = connected(&stage.store, &config).await;
    let mut done = BTreeSet::new();
    while done.len() < 600 {
        let claimed = next(&worker).await;
        assert!(done.insert(claimed.event_id));
        finish(&worker, &claimed).await;
    }
}

#[tokio::test]
async fn a_foreign_entry_is_deleted_and_the_next_ones_flow() {
    let stage = Stage::new().await;
    let queue = stage.queue().await;
    let long = "x".repeat(100_000);
    stage
        .server
        .ask(&["XADD", KEY, "*", "event_id", "no id", "body", &long])
        .unwrap();
    let (claimed, id) = meanwhile(&stage, next(&queue), stage.send(&queue)).await;
    assert_eq!(claimed.event_id, id);
    finish(&queue, &claimed).await;
    assert_eq!((stage.entries(), stage.pending()), (0, 0));
}

#[tokio::test]
async fn flushall_loses_nothing() {
    let stage = Stage::new().await;
    let queue = stage.queue().await;
    let mut sent = BTreeSet::new();
    for _ in 0..30 {
        sent.insert(stage.send(&queue).await);
    }
    let mut done = BTreeSet::new();
    for turn in 0..30 {
        if turn % 7 == 3 {
            stage.server.flush_all().unwrap();
        }
        let claimed = next(&queue).await;
        assert!(done.insert(claimed.event_id));
        if turn % 5 == 2 {
            stage.server.flush_all().unwrap();
        }
        finish(&queue, &claimed).await;
    }
    assert_eq!(done, sent);
    let (claimed, id) = meanwhile(&stage, next(&queue), async {
        stage.server.flush_all().unwrap();
        stage.send(&queue).await
    })
    .await;
    assert_eq!(claimed.event_id, id, "also while a reader waits");
}

#[tokio::test]
async fn an_outage_is_told_once_and_the_table_goes_on() {
    let mut stage = Stage::new().await;
    let (log, _guard) = Log::start();
    let queue = stage.queue().await;
    assert_eq!(
        log.count(&format!("Connected to redis://{}/0", stage.server.place())),
        1
    );
    let before = stage.send(&queue).await;
    let (worker, door) = (stage.queue().await, stage.queue().await);
    let first = next(&worker).await;
    assert_eq!(first.event_id, before);
    finish(&worker, &first).await;

    stage.server.kill().unwrap();
    let announced = log.count("Redis is away");
    for _ in 0..3 {
        let begun = Instant::now();
        let id = stage.send(&door).await;
        assert!(
            begun.elapsed() < Duration::from_secs(1),
            "a door is not held up"
        );
        let begun = Instant::now();
        let claimed = next(&worker).await;
        assert_eq!(claimed.event_id, id);
        assert!(
            begun.elapsed() < Duration::from_secs(3),
            "{:?}",
            begun.elapsed()
        );
        finish(&worker, &claimed).await;
    }
    // once by the door's process and once by the worker's
    assert_eq!(log.count("Redis is away") - announced, 2, "{}", log.text());
    let left = stage.send(&door).await;
    assert_eq!(
        stage.store.unsent(9).await.unwrap().len(),
        1,
        "left for the next relay"
    );
    assert!(matches!(worker.transport().await, Transport::Away(_)));

    stage.server.start().unwrap();
    until(async || {
        door.relay().await;
        worker.relay().await;
        log.count("Redis is back") == 2
    })
    .await;
    assert_eq!(stage.store.unsent(9).await.unwrap(), []);
    assert_eq!(next(&worker).await.event_id, left);
    assert_eq!(worker.transport().await, Transport::Redis);
    let (claimed, id) = meanwhile(&stage, next(&worker), stage.send(&door)).await;
    assert_eq!(claimed.event_id, id);
    assert_eq!(log.count("Redis is away") - announced, 2, "{}", log.text());
}

#[tokio::test]
async fn a_server_that_swallows_packets_holds_a_relay_up_once_and_briefly() {
    let stage = Stage::new().await;
    let queue = stage.queue().await;
    stage.send(&queue).await;
    stage.server.pause().unwrap();
    let begun = Instant::now();
    let id = stage.send(&queue).await;
    let first = begun.elapsed();
    assert!(first < Duration::from_millis(2500), "{first:?}");
    let begun = Instant::now();
    stage.send(&queue).await;
    let second = begun.elapsed();
    assert!(second < Duration::from_millis(200), "{second:?}");
    let unsent = stage.store.unsent(9).await.unwrap();
    assert_eq!((unsent.len(), unsent[0].event_id), (2, id));
    assert!(matches!(queue.transport().await, Transport::Away(_)));
    stage.server.go_on().unwrap();
    until(async || {
        queue.relay().await;
        stage.store.unsent(9).await.unwrap().is_empty()
    })
    .await;
    assert_eq!(queue.transport().await, Transport::Redis);
}

#[tokio::test]
async fn a_server_that_is_away_at_the_start_is_joined_later() {
    let mut stage = Stage::new().await;
    stage.server.kill().unwrap();
    let (log, _guard) = Log::start();
    let queue = stage.queue().await;
    assert_eq!(log.count("Redis is away"), 1, "{}", log.text());
    assert!(log.text().contains("is unreachable"), "{}", log.text());
    let id = stage.send(&queue).await;
    assert_eq!(next(&queue).await.event_id, id);
    stage.server.start().unwrap();
    until(async || {
        queue.relay().await;
        log.count("Connected to redis://") == 1
    })
    .await;
}

#[tokio::test]
async fn wrong_credentials_are_told_apart_and_never_repeated() {
    let database = database().await;
    let store = database.store().await;
    let mut server = redis_with_password("right-canary");
    let (log, _guard) = Log::start();
    let join = async |url: &str| {
        let config = RedisConfig::new(url).unwrap();
        Queue::new(store.clone()).over_redis(&config).await
    };
    let right = join(&server.url()).await.unwrap();
    assert_eq!(right.transport().await, Transport::Redis);
    let place = server.place();
    for wrong in [
        format!("redis://:wrong-canary@{place}/0"),
        format!("redis://nobody:wrong-canary@{place}/0"),
        format!("redis://{place}/0"),
        format!("redis://:right-canary@{place}/999"),
    ] {
        let refused = join(&wrong).await.unwrap_err();
        assert!(matches!(refused, Fault::Refused { .. }), "{refused:?}");
        let told = format!("{refused} {refused:?}");
        assert!(
            told.contains(&place) && told.contains("REDIS_URL"),
            "{told}"
        );
        assert!(!told.contains("canary"), "{told}");
    }
    server.kill().unwrap();
    let away = join(&format!("redis://:wrong-canary@{place}/0"))
        .await
        .unwrap();
    let Transport::Away(fault) = away.transport().await else {
        panic!("nobody is there");
    };
    let told = format!("{fault} {away:?} {right:?}");
    assert!(
        !told.contains("refuses") && !told.contains("canary"),
        "{told}"
    );
    assert!(log.text().contains("is unreachable"), "{}", log.text());
    assert!(!log.text().contains("canary"), "{}", log.text());
}

#[tokio::test]
async fn tls_is_spoken_with_whom_the_authority_vouches_for() {
    let database = database().await;
    let server = redis_with_tls();
    let config = RedisConfig::new(&server.url()).unwrap();
    let store = database.store().await;
    let trusting = config.clone().with_authority(server.authority().unwrap());
    let queue = connected(&store, &trusting).await;
    assert_eq!(queue.transport().await, Transport::Redis);
    let (log, _guard) = Log::start();
    let queue = connected(&store, &config).await;
    assert!(matches!(queue.transport().await, Transport::Away(_)));
    assert!(
        log.text().contains("offers no TLS that can be trusted"),
        "{}",
        log.text()
    );
}

#[tokio::test]
async fn a_server_is_asked_once_whether_it_lets_us_in() {
    let server = redis_with_tls_and_password("canary");
    let authority = server.authority().unwrap();
    let ask = async |url: &str| {
        let config = RedisConfig::new(url)
            .unwrap()
            .with_authority(authority.clone());
        config.ping().await
    };
    assert_eq!(ask(&server.url()).await, Ok(()));
    let wrong = ask(&server.url().replace("canary", "wrong-canary")).await;
    assert!(matches!(wrong, Err(Fault::Refused { .. })), "{wrong:?}");
    let nobody = ask("rediss://:canary@localhost:1/0").await;
    assert!(
        matches!(nobody, Err(Fault::Unreachable { .. })),
        "{nobody:?}"
    );
    let stranger = RedisConfig::new(&server.url()).unwrap().ping().await;
    assert!(
        matches!(stranger, Err(Fault::Untrusted { .. })),
        "{stranger:?}"
    );
    assert!(!format!("{wrong:?}{nobody:?}{stranger:?}").contains("canary"));
}

#[tokio::test]
async fn a_process_that_leaves_takes_nothing_along() {
    let stage = Stage::new().await;
    let queue = stage.queue().await;
    let (claimed, _) = meanwhile(&stage, next(&queue), stage.send(&queue)).await;
    finish(&queue, &claimed).await;
    let stop = CancellationToken::new();
    let reading = async {
        let none = queue.next(STREAM, &stop).await;
        (none, Instant::now())
    };
    let ((none, ended), stopped) = meanwhile(&stage, reading, async {
        stop.cancel();
        Instant::now()
    })
    .await;
    assert_eq!(none, None);
    assert!(
        ended - stopped < Duration::from_millis(1500),
        "{:?}",
        ended - stopped
    );
    let consumers = || {
        stage
            .server
            .ask(&["XINFO", "CONSUMERS", KEY, GROUP])
            .unwrap()
    };
    assert_ne!(consumers(), "");
    queue.leave().await;
    assert_eq!(consumers(), "");
}

#[tokio::test]
async fn an_entry_that_comes_with_the_stop_is_handed_to_the_next_reader() {
    let stage = Stage::new().await;
    let (leaving, staying) = (stage.queue().await, stage.queue().await);
    let stop = CancellationToken::new();
    let (none, id) = meanwhile(&stage, leaving.next(STREAM, &stop), async {
        stop.cancel();
        stage.send(&staying).await
    })
    .await;
    assert_eq!(none, None);
    assert_eq!((stage.entries(), stage.pending()), (1, 0));
    assert_eq!(next(&staying).await.event_id, id);
}
