//! The chain on Lambda: what one function leaves in the outbox calls the next, by way of SQS.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use shared_domain::{Step, Task};
use shared_store::Role;
use shared_testing::{FakeSqs, Hosted, Platform, Program, QueueRules, World};

const CHAIN: [&str; 3] = ["replicate-webhook", "report-finalize", "send-email"];

async fn on_lambda(name: &str, world: &World, sqs: &FakeSqs) -> Result<Hosted> {
    let mut program = Program::new(name, world)?;
    for (setting, value) in sqs.environment() {
        program = program.with(&setting, &value);
    }
    program.on(Platform::Lambda).await
}

#[tokio::test]
async fn an_answer_at_the_door_becomes_a_report_and_a_mail_by_way_of_sqs() -> Result<()> {
    let world = World::new().await;
    world.catch_up();
    let sqs = FakeSqs::start(Arc::new(world.clock.clone()), &CHAIN).await?;
    let user = world.user(Role::Client).await?;
    let project = world.project(&user).await?;
    let run = world.run(&project, &[Task::Nudity]).await?;
    let ids = world.asked(&run).await?;
    let answer = json!({ "nsfw": 0.91, "sfw": 0.09 });
    world.replicate.succeed(&ids[0], answer)?;

    let mut door = on_lambda("replicate-webhook", &world, &sqs).await?;
    let mut finalize = on_lambda("report-finalize", &world, &sqs).await?;
    let mut post = on_lambda("send-email", &world, &sqs).await?;
    let told = door.ask(world.replicate.webhook(&ids[0])?.call()).await?;
    ensure!(told.code() == 200, "{}", told.text());

    // The first instance that gets the message dies of it: it is seen again by and by.
    let lost = sqs.receive("report-finalize")?;
    let lost = lost.context("nothing was sent to report-finalize")?;
    ensure!(!sqs.deliver("report-finalize", &mut finalize).await?);
    let QueueRules { visibility, .. } = QueueRules::default();
    world.clock.advance(visibility);
    ensure!(sqs.deliver("report-finalize", &mut finalize).await?);
    let video = world.store.video(run.video.video_id).await?;
    ensure!(video.step == Step::Verification, "{:?}", video.step);
    ensure!(sqs.deliver("send-email", &mut post).await?);
    ensure!(world.mails()?.len() == 1, "{} mails", world.mails()?.len());

    // SQS delivers at least once.
    let again = finalize.invoke(lost).await?;
    let again = again.map_err(|failed| anyhow::anyhow!("{failed:?}"))?;
    ensure!(again == json!({ "batchItemFailures": [] }), "{again}");
    world.clock.advance(Duration::from_hours(1));
    for (name, function) in [
        ("report-finalize", &mut finalize),
        ("send-email", &mut post),
    ] {
        ensure!(!sqs.deliver(name, function).await?, "{name} has work left");
    }
    ensure!(world.mails()?.len() == 1 && sqs.dead() == 0);
    ensure!(world.count("outbox", "finished_at is null").await? == 0);
    ensure!(world.count("dead_letters", "true").await? == 0);
    Ok(())
}
