//! Group commit: only SQLite has it.

#![expect(clippy::disallowed_methods, reason = "revisions are what is tested here")]

use std::time::Duration;

use domain::change::message::Format;
use domain::event::Event;
use domain::registry::Schema;
use futures::FutureExt;
use futures::future::{join_all, try_join_all};
use store::revision::{self, Revision};
use store::{Error, GroupLimits, Lock, Options, Tx};

use crate::world::{NOW, World, domain, event};

/// Groups that end only for want of somebody who waits.
fn patient() -> Options {
    let group = GroupLimits { max_turns: 64, max_time: Duration::from_secs(3_600) };
    Options { group, ..Options::for_testing() }
}

async fn payloads(world: &World) -> Vec<String> {
    let events = store::outbox::list_after(&mut world.read().await, 0, 1_000).await.unwrap();
    let summary = |event| match event {
        Event::ContractPublished { summary, .. } => summary,
        other => panic!("{other:?}"),
    };
    events.into_iter().map(|event| summary(event.event)).collect()
}

/// Two turns of one group: while the first is held, the second waits in line; the first then commits, which is told
/// only once the second has ended too.
async fn two_turns(world: &World) -> (impl Future<Output = Result<(), Error>>, Tx) {
    let mut first = world.facts().await;
    store::outbox::push(&mut first, &event("first"), NOW).await.unwrap();
    let mut second = Box::pin(world.db.write(Lock::Facts));
    assert!(second.as_mut().now_or_never().is_none(), "there is one writer");
    let first = tokio::spawn(first.commit());
    let second = second.await.unwrap();
    (async { first.await.unwrap() }, second)
}

#[tokio::test]
async fn a_failed_turn_does_not_take_the_others_along() {
    let world = World::on_sqlite_with(patient()).await;
    let (first, mut second) = two_turns(&world).await;
    store::outbox::push(&mut second, &event("second"), NOW).await.unwrap();
    let sales = domain("sales");
    store::org::insert(&mut second, &sales).await.unwrap();
    store::org::insert(&mut second, &sales).await.unwrap_err();
    drop(second);
    first.await.unwrap();
    assert_eq!(payloads(&world).await, ["first"]);
    assert_eq!(store::org::find(&mut world.read().await, sales.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_commit_returns_only_when_its_group_is_durable() {
    let world = World::on_sqlite_with(patient()).await;
    let (first, second) = two_turns(&world).await;
    let mut first = Box::pin(first);
    assert!(first.as_mut().now_or_never().is_none());
    assert_eq!(payloads(&world).await, [] as [&str; 0], "a group shows itself as a whole");
    second.commit().await.unwrap();
    first.await.unwrap();
    assert_eq!(payloads(&world).await, ["first"]);
}

#[tokio::test]
async fn a_turn_sees_what_the_turns_before_it_did() {
    let world = World::on_sqlite_with(patient()).await;
    let (first, mut second) = two_turns(&world).await;
    assert_eq!(store::outbox::push(&mut second, &event("second"), NOW).await.unwrap(), 2);
    second.commit().await.unwrap();
    first.await.unwrap();
    assert_eq!(payloads(&world).await, ["first", "second"]);
}

#[tokio::test]
async fn a_revision_is_known_once_what_moved_it_is_durable() {
    let world = World::on_sqlite_with(patient()).await;
    let known = || [Revision::Access, Revision::Visibility].map(|revision| world.db.known_revision(revision));
    assert_eq!(known(), [Some(0), Some(0)]);

    let mut first = world.facts().await;
    revision::bump(&mut first, Revision::Access).await.unwrap();
    let mut second = Box::pin(world.db.write(Lock::Facts));
    assert!(second.as_mut().now_or_never().is_none(), "there is one writer");
    let first = tokio::spawn(first.commit());
    let mut second = second.await.unwrap();
    assert_eq!(known(), [Some(0), Some(0)], "the group is not durable yet");
    for moved in [Revision::Access, Revision::Access, Revision::Visibility] {
        revision::bump(&mut second, moved).await.unwrap();
    }
    second.commit().await.unwrap();
    assert_eq!(known(), [Some(3), Some(1)], "known before anybody is told");
    first.await.unwrap().unwrap();

    let mut undone = world.facts().await;
    revision::bump(&mut undone, Revision::Access).await.unwrap();
    drop(undone);
    world.facts().await.commit().await.unwrap();
    assert_eq!(known(), [Some(3), Some(1)]);
}

#[tokio::test]
async fn a_full_disk_loses_the_group_and_tells_it() {
    let options = Options { max_pages: Some(200), ..patient() };
    let world = World::on_sqlite_with(options).await;
    let (first, mut second) = two_turns(&world).await;
    // A statement that changes one row keeps no journal of its own, so a full disk undoes the transaction.
    let schema = Schema {
        id: 1,
        context: ".".to_owned(),
        format: Format::Avro,
        text: "x".repeat(2_000_000),
        references: Vec::new(),
        digest: String::new(),
    };
    let full = store::registry::insert_schema(&mut second, &schema).await;
    assert!(matches!(full, Err(Error::Full(_))), "{full:?}");
    drop(second);
    match first.await {
        Err(Error::GroupLost(cause)) => assert!(matches!(*cause, Error::Full(_)), "{cause:?}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(payloads(&world).await, [] as [&str; 0]);
    assert_eq!(world.db.known_revision(Revision::Access), None, "after a loss the database is asked");

    let mut tx = world.facts().await;
    store::outbox::push(&mut tx, &event("after"), NOW).await.unwrap();
    revision::bump(&mut tx, Revision::Access).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(payloads(&world).await, ["after"]);
    assert_eq!(world.db.known_revision(Revision::Access), Some(1));
}

#[tokio::test]
async fn a_full_disk_in_a_lone_turn_leaves_a_writer_that_works() {
    let world = World::on_sqlite_with(Options { max_pages: Some(200), ..patient() }).await;
    let mut tx = world.facts().await;
    let full = store::outbox::push(&mut tx, &event(&"x".repeat(2_000_000)), NOW).await;
    assert!(matches!(full, Err(Error::Full(_))), "{full:?}");
    drop(tx);
    let mut tx = world.facts().await;
    store::outbox::push(&mut tx, &event("after"), NOW).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(payloads(&world).await, ["after"]);
}

#[tokio::test]
async fn giving_up_a_turn_does_not_block_other_turns() {
    let world = World::on_sqlite_with(patient()).await;
    let first = world.facts().await;
    let mut impatient = Box::pin(world.db.write(Lock::Facts));
    assert!(impatient.as_mut().now_or_never().is_none());
    drop(impatient);
    first.commit().await.unwrap();
    world.facts().await.commit().await.unwrap();
}

#[tokio::test]
async fn an_abandoned_commit_still_takes_effect() {
    let world = World::on_sqlite_with(patient()).await;
    let mut tx = world.facts().await;
    store::outbox::push(&mut tx, &event("left"), NOW).await.unwrap();
    assert!(tx.commit().now_or_never().is_none());
    world.facts().await.commit().await.unwrap();
    assert_eq!(payloads(&world).await, ["left"]);
}

#[tokio::test]
async fn those_who_wait_already_are_served_before_the_end() {
    let world = World::on_sqlite_with(patient()).await;
    let first = world.facts().await;
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(world.db.write(Lock::Facts))).collect();
    for turn in &mut waiting {
        assert!(turn.as_mut().now_or_never().is_none());
    }
    let mut close = Box::pin(world.db.close());
    assert!(close.as_mut().now_or_never().is_none());
    // Members of a group are told together, so each goes its own way.
    let served = join_all(waiting.into_iter().map(async |turn| turn.await?.commit().await));
    let (first, served, ()) = tokio::join!(first.commit(), served, close);
    first.unwrap();
    served.into_iter().collect::<Result<(), Error>>().unwrap();
    assert!(matches!(world.db.write(Lock::Facts).await, Err(Error::Closed)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_lose_nothing() {
    let world = World::on_sqlite().await;
    let writes = (0..200).map(|n| {
        let db = world.db.clone();
        tokio::spawn(async move {
            let mut tx = db.write(Lock::Facts).await?;
            store::outbox::push(&mut tx, &event(&n.to_string()), NOW).await?;
            if n % 10 == 9 { Ok(()) } else { tx.commit().await }
        })
    });
    for write in join_all(writes).await {
        write.unwrap().unwrap();
    }
    let mut payloads: Vec<u32> = payloads(&world).await.iter().map(|payload| payload.parse().unwrap()).collect();
    payloads.sort_unstable();
    assert_eq!(payloads, (0..200).filter(|n| n % 10 != 9).collect::<Vec<_>>());
}

#[tokio::test]
async fn groups_of_one_turn_are_commits_alone() {
    let group = GroupLimits { max_turns: 1, ..GroupLimits::default() };
    let world = World::on_sqlite_with(Options { group, ..Options::for_testing() }).await;
    let writes = (0..5).map(|n| {
        let world = &world;
        async move {
            let mut tx = world.facts().await;
            store::outbox::push(&mut tx, &event(&n.to_string()), NOW).await?;
            tx.commit().await
        }
    });
    try_join_all(writes).await.unwrap();
    assert_eq!(payloads(&world).await.len(), 5);
}
