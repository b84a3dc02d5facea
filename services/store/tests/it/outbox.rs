//! Consumers of the outbox, on both databases.

use domain::clock::Timestamp;
use store::outbox::{self, Consumer, Unread};
use store::{Error, Lock};

use crate::world::{NOW, World, event};

crate::suite! {
    a_new_consumer_must_build,
    a_consumer_reads_each_event_in_order,
    events_that_were_not_acknowledged_come_again,
    consumers_do_not_disturb_each_other,
    two_workers_of_a_consumer_do_not_both_advance,
    a_consumer_behind_the_oldest_event_must_rebuild,
    a_consumer_that_has_read_all_is_not_behind,
    a_consumer_misses_nothing_while_others_write,
    a_clock_that_steps_back_leaves_no_gap,
}

const INDEX: Consumer = Consumer("index");

fn after(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1_000_000)
}

async fn push(world: &World, seconds: &[i64]) {
    let mut tx = world.facts().await;
    for seconds in seconds {
        outbox::push(&mut tx, &event(&seconds.to_string()), after(*seconds)).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn read(world: &World, consumer: Consumer, limit: u32) -> Unread {
    outbox::read(&mut world.read().await, consumer, limit).await.unwrap()
}

/// The positions of the unread events.
async fn unread(world: &World, consumer: Consumer, limit: u32) -> Vec<i64> {
    match read(world, consumer, limit).await {
        Unread::Events { events, .. } => events.iter().map(|event| event.position).collect(),
        Unread::Rebuild { newest } => panic!("told to rebuild at {newest}"),
    }
}

async fn advance(world: &World, consumer: Consumer, seen: i64, position: i64) -> Result<(), Error> {
    let mut tx = world.db.write(Lock::Free).await.unwrap();
    outbox::advance(&mut tx, consumer, seen, position).await?;
    tx.commit().await
}

async fn restart(world: &World, consumer: Consumer, position: i64) {
    let mut tx = world.db.write(Lock::Free).await.unwrap();
    outbox::restart(&mut tx, consumer, position).await.unwrap();
    tx.commit().await.unwrap();
}

async fn delete_before(world: &World, seconds: i64) -> u64 {
    let mut tx = world.db.write(Lock::Free).await.unwrap();
    let n_deleted = outbox::delete_before(&mut tx, after(seconds)).await.unwrap();
    tx.commit().await.unwrap();
    n_deleted
}

async fn a_new_consumer_must_build(world: World) {
    assert_eq!(read(&world, INDEX, 10).await, Unread::Rebuild { newest: 0 }, "of an empty outbox too");
    push(&world, &[1, 2]).await;
    assert_eq!(read(&world, INDEX, 10).await, Unread::Rebuild { newest: 2 });
    restart(&world, INDEX, 2).await;
    push(&world, &[3]).await;
    assert_eq!(unread(&world, INDEX, 10).await, [3]);
    assert!(matches!(advance(&world, Consumer("other"), 0, 1).await, Err(Error::Stale("cursor"))));
}

async fn a_consumer_reads_each_event_in_order(world: World) {
    restart(&world, INDEX, 0).await;
    push(&world, &[1, 2, 3, 4, 5]).await;
    let Unread::Events { cursor: 0, events } = read(&world, INDEX, 2).await else { panic!() };
    let expected = [(1, event("1"), after(1)), (2, event("2"), after(2))];
    assert_eq!(events.into_iter().map(|it| (it.position, it.event, it.at)).collect::<Vec<_>>(), expected);
    advance(&world, INDEX, 0, 2).await.unwrap();
    assert_eq!(unread(&world, INDEX, 2).await, [3, 4]);
    advance(&world, INDEX, 2, 4).await.unwrap();
    assert_eq!(unread(&world, INDEX, 2).await, [5]);
    advance(&world, INDEX, 4, 5).await.unwrap();
    assert_eq!(read(&world, INDEX, 2).await, Unread::Events { cursor: 5, events: vec![] });
}

async fn events_that_were_not_acknowledged_come_again(world: World) {
    restart(&world, INDEX, 0).await;
    push(&world, &[1, 2]).await;
    assert_eq!(unread(&world, INDEX, 10).await, [1, 2]);
    let mut undone = world.db.write(Lock::Free).await.unwrap();
    outbox::advance(&mut undone, INDEX, 0, 2).await.unwrap();
    drop(undone);
    assert_eq!(unread(&world, INDEX, 10).await, [1, 2]);
}

async fn consumers_do_not_disturb_each_other(world: World) {
    let other = Consumer("other");
    restart(&world, INDEX, 0).await;
    restart(&world, other, 0).await;
    push(&world, &[1, 2]).await;
    advance(&world, INDEX, 0, 2).await.unwrap();
    assert_eq!(unread(&world, INDEX, 10).await, [0_i64; 0]);
    assert_eq!(unread(&world, other, 10).await, [1, 2]);
}

/// Positions are in the order of commits, times are those of clocks.
async fn a_clock_that_steps_back_leaves_no_gap(world: World) {
    restart(&world, INDEX, 0).await;
    push(&world, &[10, 30, 20, 40]).await;
    assert_eq!(delete_before(&world, 25).await, 1, "the third lies behind the second, which stays");
    assert_eq!(read(&world, INDEX, 10).await, Unread::Rebuild { newest: 4 });
    restart(&world, INDEX, 1).await;
    assert_eq!(unread(&world, INDEX, 10).await, [2, 3, 4]);
}

async fn two_workers_of_a_consumer_do_not_both_advance(world: World) {
    restart(&world, INDEX, 0).await;
    push(&world, &[1, 2, 3]).await;
    advance(&world, INDEX, 0, 2).await.unwrap();
    assert!(matches!(advance(&world, INDEX, 0, 1).await, Err(Error::Stale("cursor"))));
    assert!(matches!(advance(&world, INDEX, 2, 1).await, Err(Error::Stale("cursor"))), "nor does it go back");
    advance(&world, INDEX, 2, 2).await.unwrap();
    assert_eq!(unread(&world, INDEX, 10).await, [3]);
}

async fn a_consumer_behind_the_oldest_event_must_rebuild(world: World) {
    restart(&world, INDEX, 0).await;
    push(&world, &[10, 20, 30, 40]).await;
    advance(&world, INDEX, 0, 1).await.unwrap();
    assert_eq!(delete_before(&world, 20).await, 1);
    assert_eq!(unread(&world, INDEX, 10).await, [2, 3, 4], "what it had read is forgotten");
    assert_eq!(delete_before(&world, 30).await, 1, "unread events are forgotten too");
    assert_eq!(read(&world, INDEX, 10).await, Unread::Rebuild { newest: 4 });
    assert_eq!(read(&world, INDEX, 10).await, Unread::Rebuild { newest: 4 }, "until it has done so");
    restart(&world, INDEX, 4).await;
    push(&world, &[50]).await;
    assert_eq!(unread(&world, INDEX, 10).await, [5]);
}

async fn a_consumer_that_has_read_all_is_not_behind(world: World) {
    restart(&world, INDEX, 0).await;
    push(&world, &[10, 20]).await;
    advance(&world, INDEX, 0, 2).await.unwrap();
    assert_eq!(delete_before(&world, 3_600).await, 1, "the newest stays");
    assert_eq!(read(&world, INDEX, 10).await, Unread::Events { cursor: 2, events: vec![] });
    push(&world, &[3_601]).await;
    assert_eq!(unread(&world, INDEX, 10).await, [3]);
}

async fn a_consumer_misses_nothing_while_others_write(world: World) {
    const N_WRITERS: i64 = 4;
    const N_EVENTS: i64 = 15;
    restart(&world, INDEX, 0).await;
    let writers = (0..N_WRITERS).map(|_| async {
        for seconds in 0..N_EVENTS {
            push(&world, &[seconds]).await;
        }
    });
    let reader = async {
        let mut seen = Vec::new();
        while seen.len() < (N_WRITERS * N_EVENTS) as usize {
            let mut tx = world.db.write(Lock::Free).await.unwrap();
            let Unread::Events { cursor, events } = outbox::read(&mut tx, INDEX, 7).await.unwrap() else { panic!() };
            seen.extend(events.iter().map(|event| event.position));
            if let Some(last) = events.last() {
                outbox::advance(&mut tx, INDEX, cursor, last.position).await.unwrap();
            }
            tx.commit().await.unwrap();
        }
        seen
    };
    let (_, seen) = futures::join!(futures::future::join_all(writers), reader);
    assert_eq!(seen, (1..=N_WRITERS * N_EVENTS).collect::<Vec<_>>());
}
