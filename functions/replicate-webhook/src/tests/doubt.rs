//! A doubtful finding asks a second model about the same frame, once.

use super::*;

impl Stage {
    /// With a second model.
    async fn doubting() -> Result<Self> {
        let world = World::new().await;
        world.replicate.offer([
            (Task::Violence, "scores", "image"),
            (Task::Objects, "scores", "image"),
            (Task::Context, "scores", "image"),
        ]);
        let door = world.door(function(&world).await?);
        let project = world.project(&world.user(Role::Client).await?).await?;
        Ok(Self {
            world,
            door,
            project,
        })
    }

    /// One question, answered.
    async fn answered(&self, task: Task, answer: Value) -> Result<Run> {
        let (run, ids) = self.asked(&[task]).await?;
        self.world.replicate.succeed(&ids[0], answer)?;
        assert_eq!(self.deliver(&ids[0]).await?.code(), 200);
        Ok(run)
    }

    async fn second_opinions(&self) -> Result<i64> {
        self.world.count("predictions", "task = 'context'").await
    }
}

#[tokio::test]
async fn a_doubtful_finding_is_shown_to_a_second_model_and_the_run_waits() -> Result<()> {
    let stage = Stage::doubting().await?;
    let run = stage
        .answered(Task::Violence, json!({ "violence": 0.6 }))
        .await?;
    assert_eq!(stage.step(&run).await?, Step::Analysing);
    let due = stage.world.messages::<PredictionDue>().await?;
    assert_eq!(due.len(), 1, "{due:?}");
    let second = stage.world.store.prediction(due[0].prediction_id).await?;
    let first = stage.question(&run).await?;
    assert_eq!(
        (second.task, &second.target.object_key),
        (Task::Context, &first.target.object_key)
    );

    let id = stage.world.ask(due[0].prediction_id).await?;
    let opinion = json!({ "violence": 0.7 });
    stage.world.replicate.succeed(&id, opinion)?;
    assert_eq!(stage.deliver(&id).await?.code(), 200);
    assert_eq!(stage.step(&run).await?, Step::Judging);
    // The opinion itself is as doubtful, and asks for no third.
    assert_eq!(stage.second_opinions().await?, 1);
    let complete = EvidenceComplete::new(run.execution.execution_id);
    assert_eq!(stage.complete().await?, [complete]);
    Ok(())
}

#[tokio::test]
async fn what_is_certain_or_nothing_asks_nobody() -> Result<()> {
    let stage = Stage::doubting().await?;
    for score in [0.95, 0.2] {
        let run = stage
            .answered(Task::Violence, json!({ "violence": score }))
            .await?;
        assert_eq!(stage.step(&run).await?, Step::Judging, "{score}");
    }
    assert_eq!(stage.second_opinions().await?, 0);
    Ok(())
}

#[tokio::test]
async fn without_a_second_model_a_doubtful_finding_stands_alone() -> Result<()> {
    let world = World::new().await;
    world.replicate.offer([(Task::Violence, "scores", "image")]);
    let door = world.door(function(&world).await?);
    let project = world.project(&world.user(Role::Client).await?).await?;
    let stage = Stage {
        world,
        door,
        project,
    };
    let run = stage
        .answered(Task::Violence, json!({ "violence": 0.6 }))
        .await?;
    assert_eq!(stage.step(&run).await?, Step::Judging);
    assert_eq!(stage.second_opinions().await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_repeated_answer_asks_once() -> Result<()> {
    let stage = Stage::doubting().await?;
    let (_, ids) = stage.asked(&[Task::Violence]).await?;
    stage
        .world
        .replicate
        .succeed(&ids[0], json!({ "violence": 0.6 }))?;
    for _ in 0..2 {
        assert_eq!(stage.deliver(&ids[0]).await?.code(), 200);
    }
    assert_eq!(stage.second_opinions().await?, 1);
    assert_eq!(stage.world.messages::<PredictionDue>().await?.len(), 1);
    Ok(())
}
