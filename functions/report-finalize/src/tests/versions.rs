//! A video that was uploaded again: what became of its risks, and of what was decided about them.

use shared_domain::{Likeness, VideoId};
use shared_store::{NewLabel, User};

use super::*;

impl Stage {
    /// The same video once more, with the same two findings.
    async fn upload_again(&mut self) -> Result<()> {
        let owner = self.owner().await?;
        let project = self.world.project(&owner).await?;
        self.run = self.world.run(&project, &TASKS).await?;
        self.answer(0, &nudity()).await?;
        self.answer(1, &speech()).await?;
        self.leave_unanswered(2).await
    }

    async fn owner(&self) -> Result<User> {
        let owner = self.world.store.owner_of(self.run.video.video_id);
        Ok(owner.await?)
    }

    /// Three seconds that look the same in every version.
    async fn note_looks(&self) -> Result<()> {
        let id = self.run.video.video_id;
        let look = |n: i64| Likeness {
            at_ms: 200 * n,
            bits: 0x9E37_79B9_7F4A_7C15_u64.rotate_left(u32::try_from(n / 5).unwrap_or(0)),
            opens: n % 5 == 0,
        };
        let looks: Vec<Likeness> = (0..15).map(look).collect();
        let json = serde_json::to_vec(&looks)?;
        let key = keys::likeness(id);
        self.world
            .objects()
            .put(&key, json.into(), "application/json")
            .await?;
        let mut tx = self.world.store.transaction().await?;
        tx.set_probe(id, 3_000, &json!({})).await?;
        Ok(tx.commit().await?)
    }

    /// An operator says of every risk of the last report that it is none.
    async fn decide(&self) -> Result<()> {
        let operator = self.world.user(Role::Operator).await?;
        let report = self.report().await?;
        let mut tx = self.world.store.transaction().await?;
        for id in texts(&report.body["risks"], "id") {
            let label = NewLabel {
                trigger_id: id.parse()?,
                operator_id: operator.user_id,
                final_label: "ok_false".into(),
                comment: Some("an actor".into()),
            };
            tx.decide(label).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Whose decision each risk of the last report repeats.
    async fn sources(&self) -> Result<Vec<Option<VideoId>>> {
        let report = self.report().await?;
        let risks = report.body["risks"].as_array().context("risks")?;
        let source = |risk: &Value| {
            let decision = &risk["decision"];
            decision["carried_from"]
                .as_str()
                .and_then(|id| id.parse().ok())
        };
        Ok(risks.iter().map(source).collect())
    }
}

#[tokio::test]
async fn decisions_carry_over_to_what_nothing_has_changed_around() -> Result<()> {
    let mut stage = Stage::open().await?;
    stage.note_looks().await?;
    stage.judge().await?;
    assert!(
        stage.report().await?.body.get("changes").is_none(),
        "a first version"
    );
    stage.decide().await?;
    let first = stage.run.video.video_id;

    stage.upload_again().await?;
    stage.note_looks().await?;
    assert_eq!(stage.judge().await?, [Verdict::Done]);
    let report = stage.report().await?;
    let changes = &report.body["changes"];
    assert_eq!(changes["still_there"], 2, "{changes:#}");
    assert_eq!(changes["previous"]["video_id"], json!(first));
    assert_eq!(stage.sources().await?, [Some(first), Some(first)]);
    let decision = &report.body["risks"][0]["decision"];
    assert_eq!(
        (&decision["label"], &decision["by"]),
        (&json!("ok_false"), &json!("operator"))
    );
    let page = String::from_utf8(stage.stored(&report.html_key).await?)?;
    assert!(
        page.contains("carried over from an earlier version"),
        "{page}"
    );

    let count = |table, which| stage.world.count(table, which);
    assert_eq!(
        count("operator_labels", "carried_from is not null").await?,
        2
    );
    assert_eq!(count("operator_labels", "true").await?, 4);
    assert_eq!(count("triggers", "status = 'processed'").await?, 4);
    assert_eq!(count("videos", "previous_video_id is not null").await?, 1);
    assert_eq!(count("verification_tasks", "status = 'pending'").await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_third_version_names_the_one_that_the_operator_saw() -> Result<()> {
    let mut stage = Stage::open().await?;
    stage.note_looks().await?;
    stage.judge().await?;
    stage.decide().await?;
    let first = stage.run.video.video_id;
    for _ in 0..2 {
        stage.upload_again().await?;
        stage.note_looks().await?;
        stage.judge().await?;
        assert_eq!(stage.sources().await?, [Some(first), Some(first)]);
    }
    Ok(())
}

#[tokio::test]
async fn a_repeated_event_carries_nothing_twice() -> Result<()> {
    let mut stage = Stage::open().await?;
    stage.note_looks().await?;
    stage.judge().await?;
    stage.decide().await?;
    stage.upload_again().await?;
    stage.note_looks().await?;
    let complete = EvidenceComplete::new(stage.run.execution.execution_id);
    let (one, other) = (stage.world.event(&complete)?, stage.world.event(&complete)?);
    let handler = stage.handler.as_ref();
    tokio::join!(
        stage.world.bring(handler, &one),
        stage.world.bring(handler, &other)
    );
    stage.world.bring(handler, &one).await;
    stage.judge().await?;
    let report = stage.report().await?;
    for id in texts(&report.body["risks"], "id") {
        let kept = format!("cast(trigger_id as text) = '{id}' and carried_from is not null");
        assert_eq!(
            stage.world.count("operator_labels", &kept).await?,
            1,
            "{id}"
        );
    }
    assert_eq!(stage.world.count("operator_labels", "true").await?, 4);
    Ok(())
}

#[tokio::test]
async fn a_version_whose_looks_nobody_noted_is_not_compared_and_nothing_carries_over() -> Result<()>
{
    let mut stage = Stage::open().await?;
    stage.judge().await?;
    stage.decide().await?;
    stage.upload_again().await?;
    stage.note_looks().await?;
    assert_eq!(stage.judge().await?, [Verdict::Done]);
    let changes = &stage.report().await?.body["changes"];
    assert_eq!(
        (&changes["unknown"], &changes["fixed"]),
        (&json!(4), &json!(0)),
        "{changes:#}"
    );
    assert_eq!(stage.sources().await?, [None, None]);
    assert_eq!(
        stage
            .world
            .count("operator_labels", "carried_from is not null")
            .await?,
        0
    );
    Ok(())
}
