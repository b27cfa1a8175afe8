//! People, sign-ins, projects and who sees what.

use std::time::Duration;

use anyhow::Result;
use shared_domain::Lang;
use shared_store::{Role, StoreError, StoredWords};

use crate::world::{World, stranger};

#[tokio::test]
async fn an_address_is_one_account_in_any_case() -> Result<()> {
    let world = World::new().await;
    assert!(!world.store.has_users().await?);
    let user = world.user("Anna@Example.ORG ", Role::Admin).await?;
    assert!(world.store.has_users().await?);

    assert_eq!(user.email, "anna@example.org");
    assert_eq!(
        (user.role, user.language, user.is_active),
        (Role::Admin, Lang::Ru, true)
    );
    assert_eq!(
        world.store.user_by_email("ANNA@example.org").await?,
        Some(user)
    );
    let again = world.user("anna@EXAMPLE.org", Role::Client).await;
    let error = again
        .expect_err("the address is taken")
        .downcast::<StoreError>()?;
    assert!(matches!(error, StoreError::Conflict { .. }));
    assert!(
        !error.to_string().contains("example.org"),
        "errors are logged, addresses are not"
    );
    Ok(())
}

#[tokio::test]
async fn a_session_ends_by_time_and_by_signing_out() -> Result<()> {
    let world = World::new().await;
    let user = world.user("a@example.org", Role::Client).await?;
    let hour = Duration::from_hours(1);
    let store = &world.store;
    store
        .open_session(user.user_id, "hash-1", store.now() + hour)
        .await?;
    store
        .open_session(user.user_id, "hash-2", store.now() + hour)
        .await?;

    assert_eq!(store.user_by_session("hash-1").await?, Some(user.clone()));
    assert_eq!(store.user_by_session("hash-3").await?, None);
    store.revoke_session("hash-1").await?;
    store.revoke_session("hash-1").await?;
    assert_eq!(store.user_by_session("hash-1").await?, None);
    assert_eq!(store.user_by_session("hash-2").await?, Some(user));
    world.clock.advance(hour);
    assert_eq!(store.user_by_session("hash-2").await?, None);
    Ok(())
}

#[tokio::test]
async fn a_project_is_made_once_per_name_and_owner() -> Result<()> {
    let world = World::new().await;
    let one = world.project().await?;
    assert_eq!(world.project().await?, one);
    let other = world.user("b@example.org", Role::Client).await?;
    let two = world.store.ensure_project(other.user_id, "Cuts").await?;
    assert_ne!(one.project_id, two.project_id);
    Ok(())
}

#[tokio::test]
async fn the_words_of_a_project_are_replaced_as_a_whole() -> Result<()> {
    let world = World::new().await;
    let project = world.project().await?.project_id;
    let store = &world.store;
    assert_eq!(store.project_words(project).await?, StoredWords::default());
    for (allowed, denied) in [("водка\n", "ромашка\0\n"), ("", "план")] {
        let words = StoredWords {
            allowed: allowed.into(),
            denied: denied.into(),
        };
        store.set_project_words(project, &words).await?;
        let found = store.project_words(project).await?;
        assert_eq!(found.allowed, allowed);
        assert_eq!(found.denied, denied.replace('\0', "\u{fffd}"));
    }
    let words = StoredWords::default();
    let nobody = store.set_project_words(store.fresh(), &words);
    assert!(
        nobody.await.is_err(),
        "a project that is not there has no words"
    );
    Ok(())
}

#[tokio::test]
async fn clients_see_their_own_and_admins_see_all() -> Result<()> {
    let world = World::new().await;
    let store = &world.store;
    let video = world.video().await?;
    let owner = store.owner_of(video.video_id).await?;
    let admin = world.user("admin@example.org", Role::Admin).await?;
    let operator = world.user("operator@example.org", Role::Operator).await?;
    let stranger = stranger(store);

    for (user, sees) in [
        (&owner, true),
        (&admin, true),
        (&operator, false),
        (&stranger, false),
    ] {
        let found = store.video_visible_to(user, video.video_id).await?;
        assert_eq!(found.is_some(), sees, "{user:?}");
        let (page, total) = store.videos_visible_to(user, 10, 0).await?;
        assert_eq!(
            (page.len(), total),
            (usize::from(sees), i64::from(sees)),
            "{user:?}"
        );
        let project = store.project_visible_to(user, video.project_id).await?;
        assert_eq!(project.is_some(), sees, "{user:?}");
        assert_eq!(
            store.projects_visible_to(user).await?.len(),
            usize::from(sees),
            "{user:?}"
        );
    }
    assert_eq!(owner.email, "studio@example.org");
    Ok(())
}

#[tokio::test]
async fn pages_are_cut_from_the_latest() -> Result<()> {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(world.video().await?.video_id);
        world.clock.advance(Duration::from_secs(1));
    }
    let owner = world.store.owner_of(made[0]).await?;
    let (page, total) = world.store.videos_visible_to(&owner, 2, 1).await?;
    assert_eq!(total, 3);
    assert_eq!(
        page.iter().map(|v| v.video_id).collect::<Vec<_>>(),
        [made[1], made[0]]
    );
    Ok(())
}
