//! Answers of the hosted service: what they cost, where their files lie, who signs them.

use bytes::Bytes;
use secrecy::SecretString;
use shared_testing::Delivery;

use super::*;

/// The key 20..3f of the contract's vector E.
const ROTATED: &str = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
/// The key that the provider signs with in these tests: 00..1f.
const CURRENT: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// Dollars a second of a T4, on which these models run.
const T4: f64 = 0.000_225;

impl Stage {
    async fn hosted() -> Result<Self> {
        let world = World::new().await;
        world.replicate.become_hosted();
        let door = world.door(function(&world).await?);
        let project = world.project(&world.user(Role::Client).await?).await?;
        Ok(Self {
            world,
            door,
            project,
        })
    }

    /// What workers do with the answers that a door has left for them.
    async fn work(&self) -> Result<Vec<shared_runtime::Outcome>> {
        self.world
            .drain(&[boxed(function(&self.world).await?)])
            .await
    }

    async fn costs(&self, run: &Run) -> Result<f64> {
        let execution = run.execution.execution_id;
        let run = self.world.store.execution(execution).await?;
        let spent = self.world.store.video_spending(run.video_id).await?;
        assert!((run.cost_actual_usd - spent.spent_usd).abs() < 1e-12);
        Ok(run.cost_actual_usd)
    }
}

fn is(dollars: f64, expected: f64) -> bool {
    (dollars - expected).abs() < 1e-12
}

#[tokio::test]
async fn time_on_the_model_is_paid_whatever_comes_of_it() -> Result<()> {
    let stage = Stage::hosted().await?;
    let tasks = [Task::Nudity; 4];
    let (run, ids) = stage.asked(&tasks).await?;
    let provider = &stage.world.replicate;
    for id in &ids {
        provider.take_seconds(id, 2.0)?;
    }
    provider.succeed(&ids[0], json!("nsfw"))?;
    provider.fail(&ids[1], "the picture is upside down")?;
    provider.cancel(&ids[2])?;
    provider.abort(&ids[3])?;
    for (id, paid) in ids.iter().zip([1.0, 2.0, 3.0, 3.0]) {
        for _ in 0..2 {
            assert_eq!(stage.deliver(id).await?.code(), 200);
        }
        assert!(is(stage.costs(&run).await?, paid * 2.0 * T4), "{paid}");
    }
    Ok(())
}

#[tokio::test]
async fn a_try_that_is_repeated_was_paid_as_well() -> Result<()> {
    let stage = Stage::hosted().await?;
    let (run, ids) = stage.asked(&[Task::Nudity]).await?;
    stage
        .world
        .replicate
        .fail(&ids[0], "interrupted (code: PA)")?;
    assert_eq!(stage.deliver(&ids[0]).await?.code(), 200);
    assert_eq!(
        stage.question(&run).await?.status,
        PredictionStatus::Planned
    );
    let again = stage.world.ask(run.questions[0]).await?;
    stage.world.replicate.succeed(&again, json!("normal"))?;
    assert_eq!(stage.deliver(&again).await?.code(), 200);
    assert!(is(stage.costs(&run).await?, 2.0 * 0.5 * T4));
    Ok(())
}

#[tokio::test]
async fn embedded_models_cost_nothing() -> Result<()> {
    let stage = Stage::open().await?;
    let (run, ids) = stage.asked(&[Task::Nudity]).await?;
    stage.world.replicate.take_seconds(&ids[0], 600.0)?;
    stage.world.replicate.succeed(&ids[0], nsfw())?;
    assert_eq!(stage.deliver(&ids[0]).await?.code(), 200);
    assert!(is(stage.costs(&run).await?, 0.0));
    assert_eq!(stage.world.count("spending", "true").await?, 0);
    Ok(())
}

#[tokio::test]
async fn what_ran_until_its_deadline_is_a_gap_and_what_never_started_is_asked_again() -> Result<()>
{
    let stage = Stage::hosted().await?;
    let (run, ids) = stage.asked(&[Task::Nudity, Task::Nudity]).await?;
    stage.world.replicate.begin(&ids[0])?;
    assert_eq!(stage.deliver(&ids[0]).await?.code(), 200);
    assert_eq!(
        stage.question(&run).await?.status,
        PredictionStatus::Submitted
    );
    stage.world.replicate.cancel(&ids[0])?;
    stage.world.replicate.abort(&ids[1])?;
    for id in &ids {
        assert_eq!(stage.deliver(id).await?.code(), 200);
    }
    let ran = stage.question(&run).await?;
    assert_eq!(ran.status, PredictionStatus::Failed);
    assert_eq!(ran.error.as_deref(), Some("no_answer"));
    let waited = stage.world.store.prediction(run.questions[1]).await?;
    assert_eq!(waited.status, PredictionStatus::Planned);
    Ok(())
}

/// Every order of the states that a prediction goes through, told by webhooks.
#[tokio::test]
async fn no_order_of_webhooks_takes_an_end_back() -> Result<()> {
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let stage = Stage::hosted().await?;
        let (run, ids) = stage.asked(&[Task::Nudity]).await?;
        let provider = &stage.world.replicate;
        let starting = provider.webhook(&ids[0])?;
        provider.begin(&ids[0])?;
        let processing = provider.webhook(&ids[0])?;
        provider.succeed(&ids[0], json!("nsfw"))?;
        let told = [starting, processing, provider.webhook(&ids[0])?];
        for place in order {
            assert_eq!(told[place].call().at(&stage.door).await?.code(), 200);
        }
        let question = stage.question(&run).await?;
        assert_eq!(question.status, PredictionStatus::Succeeded, "{order:?}");
        assert_eq!(stage.complete().await?.len(), 1);
    }
    Ok(())
}

fn boxes() -> Value {
    json!({ "detections": [{ "bbox": [10, 10, 100, 100], "label": "knife", "confidence": 0.8 }] })
}

#[tokio::test]
async fn a_file_is_fetched_by_a_worker_and_not_while_the_sender_waits() -> Result<()> {
    let stage = Stage::hosted().await?;
    let (run, ids) = stage.asked(&[Task::Objects]).await?;
    let file = Delivery::Whole(Bytes::from(boxes().to_string()));
    let url = stage.world.replicate.deliver(file);
    stage.world.replicate.succeed(&ids[0], json!(url))?;
    assert_eq!(stage.deliver(&ids[0]).await?.code(), 200);
    assert_eq!(stage.world.replicate.downloads(), 0);
    assert_eq!(
        stage.question(&run).await?.status,
        PredictionStatus::Submitted
    );
    stage.work().await?;
    let question = stage.question(&run).await?;
    assert_eq!(question.status, PredictionStatus::Succeeded);
    assert_eq!(
        question.answer,
        Some(boxes()),
        "the content is kept, not its URL"
    );
    let found = stage
        .world
        .store
        .detections(run.execution.execution_id)
        .await?;
    assert_eq!((found.len(), found[0].label.as_str()), (1, "knife"));
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_gone_after_the_hour_is_asked_for_again() -> Result<()> {
    let stage = Stage::hosted().await?;
    let (run, ids) = stage.asked(&[Task::Objects]).await?;
    let file = Delivery::Whole(Bytes::from(boxes().to_string()));
    let url = stage.world.replicate.deliver(file);
    stage.world.clock.advance(Duration::from_mins(50));
    stage.world.replicate.succeed(&ids[0], json!(url))?;
    stage.world.clock.advance(Duration::from_mins(20));
    assert_eq!(stage.deliver(&ids[0]).await?.code(), 200);
    stage.work().await?;
    assert_eq!(
        stage.question(&run).await?.status,
        PredictionStatus::Planned
    );
    assert_eq!(stage.world.messages::<PredictionDue>().await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn files_elsewhere_or_without_end_are_undecided_and_never_clean() -> Result<()> {
    let stranger = World::new().await;
    let secret = stranger
        .replicate
        .deliver(Delivery::Whole(Bytes::from(boxes().to_string())));
    for delivery in [
        None,
        Some(Delivery::Redirect(secret.clone())),
        Some(Delivery::Endless),
    ] {
        let stage = Stage::hosted().await?;
        let (run, ids) = stage.asked(&[Task::Objects]).await?;
        let url = match delivery {
            None => secret.clone(),
            Some(delivery) => stage.world.replicate.deliver(delivery),
        };
        stage.world.replicate.succeed(&ids[0], json!(url))?;
        assert_eq!(stage.deliver(&ids[0]).await?.code(), 200);
        stage.work().await?;
        let question = stage.question(&run).await?;
        assert_eq!(question.status, PredictionStatus::Undecided, "{url}");
        assert!(is(stage.costs(&run).await?, 0.5 * T4));
    }
    assert_eq!(stranger.replicate.downloads(), 0);
    Ok(())
}

#[tokio::test]
async fn a_file_for_the_token_is_read_with_it() -> Result<()> {
    let stage = Stage::hosted().await?;
    let (run, ids) = stage.asked(&[Task::Objects]).await?;
    let file = Delivery::ForToken(Bytes::from(boxes().to_string()));
    let url = stage.world.replicate.deliver(file);
    stage.world.replicate.succeed(&ids[0], json!(url))?;
    assert_eq!(stage.deliver(&ids[0]).await?.code(), 200);
    stage.work().await?;
    assert_eq!(
        stage.question(&run).await?.status,
        PredictionStatus::Succeeded
    );
    assert_eq!(stage.world.replicate.downloads(), 2);
    Ok(())
}

#[tokio::test]
async fn while_a_secret_is_rotated_either_is_believed_and_no_third() -> Result<()> {
    let both = format!("{ROTATED}, {CURRENT}");
    let third = SecretString::from("whsec_QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=");
    let (rotated, current) = (SecretString::from(ROTATED), SecretString::from(CURRENT));
    for (settings, secret, keep, code) in [
        (both.as_str(), &current, false, 200),
        (both.as_str(), &rotated, false, 200),
        (both.as_str(), &third, true, 200),
        (both.as_str(), &third, false, 401),
        (CURRENT, &rotated, true, 200),
        (CURRENT, &rotated, false, 401),
        (ROTATED, &current, false, 401),
    ] {
        let stage = Stage::hosted().await?;
        let shared = stage
            .world
            .shared_with(&[("REPLICATE_WEBHOOK_SECRET", settings)]);
        let function = ReplicateWebhook::connect(shared).await;
        let door = stage
            .world
            .door(function.map_err(anyhow::Error::from_boxed)?);
        let (run, ids) = stage.asked(&[Task::Nudity]).await?;
        stage.world.replicate.succeed(&ids[0], json!("normal"))?;
        let webhook = stage.world.replicate.webhook(&ids[0])?;
        let webhook = webhook.resigned(secret, keep)?;
        assert_eq!(webhook.call().at(&door).await?.code(), code);
        let closed = stage.question(&run).await?.status.is_closed();
        assert_eq!(closed, code == 200);
    }
    Ok(())
}

#[tokio::test]
async fn a_delivery_is_believed_for_five_minutes() -> Result<()> {
    for (off, code) in [(300, 200), (301, 401)] {
        let stage = Stage::hosted().await?;
        let (_, ids) = stage.asked(&[Task::Nudity]).await?;
        stage.world.replicate.succeed(&ids[0], json!("normal"))?;
        let webhook = stage.world.replicate.webhook(&ids[0])?;
        stage.world.clock.advance(Duration::from_secs(off));
        assert_eq!(
            webhook.call().at(&stage.door).await?.code(),
            code,
            "{off} s"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_secret_that_is_none_is_named_at_the_start() -> Result<()> {
    let world = World::new().await;
    let bad = format!("{CURRENT},whsec_???");
    let shared = world.shared_with(&[("REPLICATE_WEBHOOK_SECRET", &bad)]);
    let error = ReplicateWebhook::connect(shared)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("REPLICATE_WEBHOOK_SECRET: number 2"),
        "{error}"
    );
    assert!(!error.contains("???"));
    Ok(())
}
