//! Triggers, reports, operators' tasks and mails.

use anyhow::Result;
use serde_json::json;
use shared_store::{Mail, MailState, NewMail, NewTrigger, ReportStage};
use std::time::Duration;

use crate::world::World;

fn trigger(world: &World, rule: &str) -> NewTrigger {
    NewTrigger {
        trigger_id: world.store.fresh(),
        rule: rule.into(),
        category: "profanity".into(),
        risk_code: "mat".into(),
        source: "whisper_profanity".into(),
        start_ms: 100,
        end_ms: 900,
        confidence: 0.9,
        body: json!({"rule": rule}),
    }
}

#[tokio::test]
async fn a_run_has_one_report_per_stage() -> Result<()> {
    let world = World::new().await;
    let run = world.execution().await?;
    let first = world.report(&run, ReportStage::Ai);
    let mut tx = world.store.transaction().await?;
    assert_eq!(tx.add_report(first.clone()).await?, first.report_id);
    let again = world.report(&run, ReportStage::Ai);
    assert_eq!(tx.add_report(again).await?, first.report_id);
    tx.commit().await?;
    assert_eq!(world.store.report(first.report_id).await?.body, first.body);

    world.clock.advance(Duration::from_secs(1));
    let last = world.report(&run, ReportStage::Final);
    let mut tx = world.store.transaction().await?;
    tx.add_report(last.clone()).await?;
    tx.commit().await?;
    let latest = world
        .store
        .latest_report(run.video_id)
        .await?
        .expect("there are two");
    assert_eq!(
        (latest.report_id, latest.stage),
        (last.report_id, ReportStage::Final)
    );
    Ok(())
}

#[tokio::test]
async fn judging_again_replaces_the_triggers_and_keeps_the_open_task() -> Result<()> {
    let world = World::new().await;
    let run = world.execution().await?;
    let mut tx = world.store.transaction().await?;
    let old = vec![trigger(&world, "one"), trigger(&world, "two")];
    tx.replace_triggers(run.execution_id, run.video_id, old)
        .await?;
    tx.replace_triggers(
        run.execution_id,
        run.video_id,
        vec![trigger(&world, "three")],
    )
    .await?;
    let task = tx.open_verification_task(run.video_id).await?;
    assert_eq!(tx.open_verification_task(run.video_id).await?, task);
    tx.commit().await?;
    Ok(())
}

#[tokio::test]
async fn a_mail_remembers_what_may_have_been_sent() -> Result<()> {
    let world = World::new().await;
    let key = ("event-1", "a@example.org");
    let mail = NewMail {
        event_id: key.0,
        address: key.1,
        kind: "report",
        message_id: "<1@x>",
    };
    let known = async || world.store.mail(key.0, key.1).await;
    assert_eq!(known().await?, None);

    let mut tx = world.store.transaction().await?;
    tx.note_mail_failure(mail, "451 later").await?;
    tx.commit().await?;
    let state = |mail: Option<Mail>| mail.map(|mail| (mail.state, mail.unclear));
    assert_eq!(state(known().await?), Some((MailState::Failed, 0)));

    let mut tx = world.store.transaction().await?;
    tx.intend_mail(mail).await?;
    tx.commit().await?;
    assert_eq!(state(known().await?), Some((MailState::Sending, 1)));

    let mut tx = world.store.transaction().await?;
    tx.mark_mail_failed(key.0, key.1, "552 too big").await?;
    tx.commit().await?;
    assert_eq!(state(known().await?), Some((MailState::Failed, 0)));

    let mut tx = world.store.transaction().await?;
    tx.intend_mail(mail).await?;
    tx.mark_mail_unclear(key.0, key.1, "silence").await?;
    tx.intend_mail(NewMail {
        message_id: "<another@x>",
        ..mail
    })
    .await?;
    tx.mark_mail_sent(key.0, key.1).await?;
    tx.mark_mail_failed(key.0, key.1, "late").await?;
    tx.note_mail_failure(mail, "late").await?;
    tx.intend_mail(mail).await?;
    tx.commit().await?;
    let sent = Mail {
        state: MailState::Sent,
        message_id: "<1@x>".into(),
        unclear: 1,
    };
    assert_eq!(known().await?, Some(sent));
    Ok(())
}
