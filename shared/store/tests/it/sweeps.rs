//! What sweeps write down for themselves.

use std::time::Duration;

use anyhow::Result;
use shared_domain::{Refusal, Step};
use shared_store::{Purge, Walk};

use crate::world::World;

#[tokio::test]
async fn what_a_cache_has_to_forget_is_due_when_its_deletion_is_over() -> Result<()> {
    let world = World::new().await;
    let (store, soon) = (&world.store, Duration::from_mins(10));
    let keys = ["videos/a/1".to_owned(), "videos/a/2".to_owned()];
    store.note_purges(&keys, store.now() + soon).await?;
    assert_eq!(store.due_purges(10).await?, []);
    store.note_purges(&keys[..1], store.now()).await?;
    let first = Purge {
        object_key: keys[0].clone(),
        due_at: store.now(),
    };
    assert_eq!(store.due_purges(10).await?.first(), Some(&first));

    world.clock.advance(soon);
    assert_eq!(store.due_purges(1).await?.first(), Some(&first));
    store.note_purges(&keys[..1], store.now()).await?;
    store.end_purges(&[first]).await?;
    let left = store.due_purges(10).await?;
    let left: Vec<_> = left.into_iter().map(|purge| purge.object_key).collect();
    assert_eq!(left, keys, "the first was deleted once more meanwhile");
    store.end_purges(&store.due_purges(10).await?).await?;
    assert_eq!(store.due_purges(10).await?, []);
    store.note_purges(&[], store.now()).await?;
    Ok(())
}

#[tokio::test]
async fn a_walk_goes_on_where_it_stood() -> Result<()> {
    let world = World::new().await;
    let store = &world.store;
    let begin = store.walk("bucket").await?;
    assert_eq!((begin.after, begin.due_at), (None, store.now()));
    let mut walk = Walk {
        after: Some("videos/raw/a".into()),
        due_at: store.now() + Duration::from_hours(1),
    };
    store.set_walk("bucket", &walk).await?;
    assert_eq!(store.walk("bucket").await?, walk);
    walk.after = None;
    store.set_walk("bucket", &walk).await?;
    assert_eq!(store.walk("bucket").await?, walk);
    assert_eq!(store.walk("rows").await?.after, None);
    Ok(())
}

#[tokio::test]
async fn bytes_that_come_late_are_deleted_again_unless_they_may_be_of_use() -> Result<()> {
    let world = World::new().await;
    for (why, again) in [
        (None, true),
        (Some(Refusal::Empty), true),
        (Some(Refusal::Internal), false),
    ] {
        let video = world.video().await?.video_id;
        let mut tx = world.store.transaction().await?;
        match &why {
            Some(why) => tx.refuse(video, why).await?,
            None => {
                tx.advance(video, Step::AwaitingUpload, Step::Expired)
                    .await?;
            }
        }
        tx.commit().await?;
        assert!(
            !world.store.unmark_erased(video).await?,
            "it is not erased yet"
        );
        world.store.mark_erased(video).await?;
        assert_eq!(world.store.unmark_erased(video).await?, again, "{why:?}");
        let erasable = world.store.erasable(Duration::from_hours(24), 10).await?;
        assert_eq!(
            erasable.iter().any(|v| v.video_id == video),
            again,
            "{why:?}"
        );
    }
    Ok(())
}
