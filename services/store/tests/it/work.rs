//! Revisions, outbox, idempotency keys and jobs, on both databases.

#![expect(clippy::disallowed_methods, reason = "revisions are what is tested here")]

use std::time::Duration;

use domain::clock::Timestamp;
use domain::event as events;
use domain::id::{JobId, PrincipalId};
use domain::job::{Job, Kind};
use store::idempotency::Done;
use store::job::{self, QueuedJob, State};
use store::outbox;
use store::revision::{self, Revision};
use store::{Error, Lock, Seek, Tx};

use crate::world::{NOW, World, event, id, table_id};

crate::suite! {
    revisions_move_one_by_one,
    events_are_in_the_order_of_commits,
    events_of_earlier_programs_are_read,
    an_unknown_event_is_reported,
    old_events_are_forgotten_and_positions_go_on,
    an_idempotency_key_is_used_once,
    an_expired_key_can_be_used_again,
    jobs_are_claimed_once,
    a_claim_that_ran_out_is_given_to_the_next,
    a_job_asked_for_while_one_runs_waits,
    a_retried_job_gives_way_to_one_that_waits,
    of_a_kind_and_subject_one_job_waits,
    of_a_table_one_job_runs,
    domains_take_turns,
    a_domain_runs_no_more_jobs_than_it_may,
    open_jobs_are_listed_in_their_order,
    a_row_that_is_no_job_does_not_block_the_others,
}

const TERMS: job::Terms = job::Terms { duration: Duration::from_secs(60), max_of_domain: 3 };

fn after(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1_000_000)
}

async fn free(world: &World) -> Tx {
    world.db.write(Lock::Free).await.unwrap()
}

async fn revisions_move_one_by_one(world: World) {
    for expected in 1..=3 {
        let mut tx = world.facts().await;
        revision::bump(&mut tx, Revision::Access).await.unwrap();
        tx.commit().await.unwrap();
        let mut reader = world.read().await;
        assert_eq!(revision::get(&mut reader, Revision::Access).await.unwrap(), expected);
        assert_eq!(revision::get(&mut reader, Revision::Visibility).await.unwrap(), 0);
    }
}

async fn events_are_in_the_order_of_commits(world: World) {
    let mut tx = world.facts().await;
    assert_eq!(outbox::push(&mut tx, &event("a"), NOW).await.unwrap(), 1);
    assert_eq!(outbox::push(&mut tx, &event("b"), NOW).await.unwrap(), 2);
    tx.commit().await.unwrap();
    let mut undone = world.facts().await;
    assert_eq!(outbox::push(&mut undone, &event("undone"), NOW).await.unwrap(), 3);
    drop(undone);
    let mut tx = world.facts().await;
    assert_eq!(outbox::push(&mut tx, &event("c"), NOW).await.unwrap(), 3, "there are no holes");
    tx.commit().await.unwrap();

    let mut reader = world.read().await;
    let events = outbox::list_after(&mut reader, 1, 1).await.unwrap();
    assert_eq!(events, [outbox::Positioned { position: 2, event: event("b"), at: NOW }]);
    let events = outbox::list_after(&mut reader, 1, 10).await.unwrap();
    assert_eq!(events.iter().map(|event| event.position).collect::<Vec<_>>(), [2, 3]);
}

/// Rows as programs before the enum wrote them, one for each kind.
const ROWS: &[(&str, &str, &str)] = &[
    ("product.published", UUID, r#"{"what":"orders"}"#),
    ("product.retired", UUID, r#"{"what":"orders"}"#),
    ("contract.published", UUID, r#"{"what":"orders 1.0.0, its number accepted by the override x"}"#),
    (
        "contract.state_changed",
        UUID,
        r#"{"contract":"00000000-0000-4000-8000-00000000000a","version":"1.2.0","state":"active"}"#,
    ),
    ("notice.opened", UUID, NOTICE),
    ("notice.updated", UUID, NOTICE),
    ("notice.closed", UUID, NOTICE),
    ("schema.registered", "orders-value", r#"{"version":2,"schemaId":7,"format":"AVRO"}"#),
    ("table.inspected", UUID, "{}"),
];
const UUID: &str = "00000000-0000-4000-8000-000000000001";
const NOTICE: &str = r#"{"product":"00000000-0000-4000-8000-000000000002","from":{"contract":"00000000-0000-4000-8000-000000000003","version":"1.0.0"},"to":{"contract":"00000000-0000-4000-8000-000000000003","version":"2.0.0"},"deadline":"2027-01-31T00:00:00Z"}"#;

async fn put_event(world: &World, position: usize, (kind, subject, payload): (&str, &str, &str)) {
    let at = NOW.0;
    let values = format!("({position}, '{kind}', '{subject}', '{payload}', {at})");
    world.execute(&format!("INSERT INTO outbox (position, kind, subject, payload, at) VALUES {values}")).await;
}

async fn events_of_earlier_programs_are_read(world: World) {
    let kinds: Vec<&str> = ROWS.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, events::Kind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>());
    for (index, row) in ROWS.iter().enumerate() {
        put_event(&world, index + 1, *row).await;
    }
    let events = outbox::list_after(&mut world.read().await, 0, 100).await.unwrap();
    assert_eq!(events.iter().map(|event| event.event.kind().as_str()).collect::<Vec<_>>(), kinds);

    // Written again they are the same text.
    let mut tx = world.facts().await;
    for event in &events {
        outbox::push(&mut tx, &event.event, event.at).await.unwrap();
    }
    tx.commit().await.unwrap();
    let n = ROWS.len();
    let again = outbox::list_after(&mut world.read().await, n as i64, 100).await.unwrap();
    assert_eq!(again.len(), n);
    let differing = format!(
        "UPDATE outbox SET kind = 'differs' WHERE position > {n} AND NOT EXISTS (
             SELECT 1 FROM outbox AS old
             WHERE old.position = outbox.position - {n}
                 AND old.kind = outbox.kind AND old.subject = outbox.subject AND old.payload = outbox.payload
         )"
    );
    world.execute(&differing).await;
    let unchanged = outbox::list_after(&mut world.read().await, n as i64, 100).await.unwrap();
    assert_eq!(unchanged, again);
}

async fn an_unknown_event_is_reported(world: World) {
    let wrong = [
        ("moon.landed", UUID, "{}"),
        ("product.published", "no id", r#"{"what":"orders"}"#),
        ("product.published", UUID, "{}"),
        ("contract.state_changed", UUID, r#"{"contract":"x","version":"1.2.0","state":"active"}"#),
    ];
    for (index, row) in wrong.into_iter().enumerate() {
        put_event(&world, index + 1, row).await;
        let events = outbox::list_after(&mut world.read().await, index as i64, 1).await;
        assert!(matches!(&events, Err(Error::Inconsistent { table: "outbox", .. })), "{row:?}: {events:?}");
    }
}

async fn old_events_are_forgotten_and_positions_go_on(world: World) {
    let mut tx = world.facts().await;
    for seconds in [0, 10, 20] {
        outbox::push(&mut tx, &event("old"), after(seconds)).await.unwrap();
    }
    assert_eq!(outbox::delete_before(&mut tx, after(10)).await.unwrap(), 1);
    assert_eq!(outbox::delete_before(&mut tx, after(3_600)).await.unwrap(), 1, "the newest stays");
    assert_eq!(outbox::push(&mut tx, &event("new"), after(30)).await.unwrap(), 4);
    let events = outbox::list_after(&mut tx, 0, 10).await.unwrap();
    assert_eq!(events.iter().map(|event| event.position).collect::<Vec<_>>(), [3, 4]);
}

fn done(subject: &str, expires_at: Timestamp) -> Done {
    Done { operation: "grantAccess".into(), digest: "d".into(), subject: subject.into(), expires_at }
}

async fn an_idempotency_key_is_used_once(world: World) {
    let (ann, bob) = (id(PrincipalId::new), id(PrincipalId::new));
    let mut tx = free(&world).await;
    assert_eq!(store::idempotency::find(&mut tx, ann, "k", NOW).await.unwrap(), None);
    assert!(store::idempotency::record(&mut tx, ann, "k", &done("one", after(10)), NOW).await.unwrap());
    assert!(!store::idempotency::record(&mut tx, ann, "k", &done("two", after(10)), NOW).await.unwrap());
    assert!(store::idempotency::record(&mut tx, bob, "k", &done("three", after(10)), NOW).await.unwrap());
    tx.commit().await.unwrap();
    let mut reader = world.read().await;
    assert_eq!(store::idempotency::find(&mut reader, ann, "k", NOW).await.unwrap(), Some(done("one", after(10))));
    assert_eq!(store::idempotency::find(&mut reader, ann, "other", NOW).await.unwrap(), None);
}

async fn an_expired_key_can_be_used_again(world: World) {
    let ann = id(PrincipalId::new);
    let mut tx = free(&world).await;
    assert!(store::idempotency::record(&mut tx, ann, "k", &done("one", after(10)), NOW).await.unwrap());
    assert_eq!(store::idempotency::find(&mut tx, ann, "k", after(10)).await.unwrap(), None);
    assert!(store::idempotency::record(&mut tx, ann, "k", &done("two", after(20)), after(10)).await.unwrap());
    assert_eq!(store::idempotency::delete_expired(&mut tx, after(19)).await.unwrap(), 0);
    assert_eq!(store::idempotency::delete_expired(&mut tx, after(20)).await.unwrap(), 1);
}

async fn push(world: &World, subject: &str, run_at: Timestamp) -> JobId {
    let job = id(JobId::new);
    let mut tx = free(world).await;
    job::push(&mut tx, job, Job::Inspect(table_id(subject)), run_at).await.unwrap();
    tx.commit().await.unwrap();
    job
}

async fn claim(world: &World, now: Timestamp) -> Option<QueuedJob> {
    let mut tx = free(world).await;
    let job = job::claim(&mut tx, Kind::Inspect, now, TERMS).await.unwrap();
    tx.commit().await.unwrap();
    job
}

async fn jobs_are_claimed_once(world: World) {
    let (later, sooner) = (push(&world, "b", after(5)).await, push(&world, "a", NOW).await);
    let first = claim(&world, NOW).await.unwrap();
    assert_eq!((first.id, first.n_attempts, first.state), (sooner, 1, State::Running));
    assert_eq!(claim(&world, NOW).await, None, "the other is not due");
    assert_eq!(claim(&world, after(5)).await.unwrap().id, later);
    let mut tx = free(&world).await;
    assert_eq!(job::claim(&mut tx, Kind::Reinspect, after(5), TERMS).await.unwrap(), None, "of another kind");
    assert!(job::finish(&mut tx, &first).await.unwrap());
    assert!(!job::finish(&mut tx, &first).await.unwrap());
    assert_eq!(job::find(&mut tx, first.id).await.unwrap().unwrap().state, State::Done);
    assert!(!job::is_due(&mut tx, Kind::Inspect, after(64)).await.unwrap());
    assert!(job::is_due(&mut tx, Kind::Inspect, after(65)).await.unwrap());
    assert_eq!(job::delete_ended(&mut tx, after(1)).await.unwrap(), 1);
}

async fn a_claim_that_ran_out_is_given_to_the_next(world: World) {
    let job = push(&world, "a", NOW).await;
    let first = claim(&world, NOW).await.unwrap();
    assert_eq!(claim(&world, after(59)).await, None);
    let second = claim(&world, after(60)).await.unwrap();
    assert_eq!((second.id, second.n_attempts), (job, 2));
    let mut tx = free(&world).await;
    assert!(!job::finish(&mut tx, &first).await.unwrap(), "it is the other's now");
    assert!(job::fail(&mut tx, &second, "no").await.unwrap());
    let ended = job::find(&mut tx, job).await.unwrap().unwrap();
    assert_eq!((ended.state, ended.error.as_deref()), (State::Failed, Some("no")));
}

async fn a_job_asked_for_while_one_runs_waits(world: World) {
    push(&world, "a", NOW).await;
    let first = claim(&world, NOW).await.unwrap();
    let second = push(&world, "a", NOW).await;
    assert_eq!(claim(&world, after(1)).await, None, "one at a time");
    let mut tx = free(&world).await;
    assert!(job::finish(&mut tx, &first).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(claim(&world, after(1)).await.unwrap().id, second);
}

async fn a_retried_job_gives_way_to_one_that_waits(world: World) {
    push(&world, "a", NOW).await;
    let first = claim(&world, NOW).await.unwrap();
    let mut tx = free(&world).await;
    assert!(job::retry(&mut tx, &first, "busy", after(9)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(claim(&world, after(8)).await, None);
    let again = claim(&world, after(9)).await.unwrap();
    assert_eq!((again.id, again.n_attempts, again.error.as_deref()), (first.id, 2, Some("busy")));
    let waiting = push(&world, "a", after(10)).await;
    let mut tx = free(&world).await;
    assert!(job::retry(&mut tx, &again, "busy", after(11)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(claim(&world, after(20)).await.unwrap().id, waiting);
    assert_eq!(claim(&world, after(20)).await, None);
}

async fn of_a_kind_and_subject_one_job_waits(world: World) {
    let first = push(&world, "a", after(5)).await;
    push(&world, "a", after(9)).await;
    assert_eq!(claim(&world, after(4)).await, None);
    push(&world, "a", after(2)).await;
    assert_eq!(claim(&world, after(2)).await.unwrap().id, first, "at the earliest of the times");
    assert_eq!(claim(&world, after(9)).await, None);
}

async fn a_row_that_is_no_job_does_not_block_the_others(world: World) {
    let first = push(&world, "a", NOW).await;
    let second = push(&world, "b", after(1)).await;
    world.execute(&format!("UPDATE jobs SET subject = 'no id' WHERE id = '{first}'")).await;
    assert_eq!(claim(&world, after(1)).await.unwrap().id, second);
    assert_eq!(claim(&world, after(1)).await, None);
    let mut reader = world.read().await;
    let broken = job::find(&mut reader, first).await;
    assert!(matches!(broken, Err(Error::Inconsistent { table: "jobs", .. })), "{broken:?}");
}

async fn of_a_table_one_job_runs(world: World) {
    push(&world, "a", NOW).await;
    let mut tx = free(&world).await;
    job::push(&mut tx, id(JobId::new), Job::Reinspect(table_id("a")), NOW).await.unwrap();
    let first = job::claim(&mut tx, Kind::Reinspect, NOW, TERMS).await.unwrap().unwrap();
    assert_eq!(job::claim(&mut tx, Kind::Inspect, NOW, TERMS).await.unwrap(), None, "of either kind");
    job::finish(&mut tx, &first).await.unwrap();
    assert!(job::claim(&mut tx, Kind::Inspect, NOW, TERMS).await.unwrap().is_some());
}

/// Enqueues jobs of tables of a domain, all due at a time.
async fn push_of(world: &World, domain: &str, tables: &[&str], at: Timestamp) {
    for table in tables {
        let job = push(world, table, at).await;
        let domain = format!("00000000-0000-4000-8000-0000000000{:02x}", domain.as_bytes()[0]);
        world.execute(&format!("UPDATE jobs SET domain_id = '{domain}' WHERE id = '{job}'")).await;
    }
}

async fn domains_take_turns(world: World) {
    push_of(&world, "x", &["a", "b", "c", "d"], NOW).await;
    push_of(&world, "y", &["e"], after(1)).await;
    push_of(&world, "z", &["f"], after(2)).await;
    let mut order = Vec::new();
    // One worker: a domain that had its turn waits for the others, however long its jobs have been due.
    for second in 3..9 {
        let job = claim(&world, after(second)).await.unwrap();
        order.push(job.job);
        let mut tx = free(&world).await;
        job::finish(&mut tx, &job).await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(order, ["a", "e", "f", "b", "c", "d"].map(|table| Job::Inspect(table_id(table))));
    // Several: the domain with the fewest running comes first.
    push_of(&world, "x", &["a", "b"], after(10)).await;
    push_of(&world, "y", &["e"], after(11)).await;
    let claimed = [claim(&world, after(12)).await, claim(&world, after(13)).await, claim(&world, after(14)).await];
    let claimed = claimed.map(Option::unwrap);
    let tables = claimed.each_ref().map(|job| job.job);
    assert_eq!(tables, ["e", "a", "b"].map(|table| Job::Inspect(table_id(table))), "`y` had its turn before `x`");
    let mut tx = free(&world).await;
    for of_x in &claimed[1..] {
        job::finish(&mut tx, of_x).await.unwrap();
    }
    tx.commit().await.unwrap();
    push_of(&world, "y", &["f"], after(15)).await;
    push_of(&world, "x", &["c"], after(15)).await;
    let next = claim(&world, after(16)).await.unwrap();
    assert_eq!(next.job, Job::Inspect(table_id("c")), "a job of `y` runs and none of `x`, whose turn was later");
}

async fn a_domain_runs_no_more_jobs_than_it_may(world: World) {
    push_of(&world, "x", &["a", "b", "c", "d"], NOW).await;
    for _ in 0..3 {
        assert!(claim(&world, after(1)).await.is_some());
    }
    assert_eq!(claim(&world, after(2)).await, None);
    push_of(&world, "y", &["e"], after(3)).await;
    assert_eq!(claim(&world, after(3)).await.unwrap().job, Job::Inspect(table_id("e")));
    assert_eq!(
        claim(&world, after(61)).await.map(|job| job.n_attempts),
        Some(2),
        "a claim that ran out does not count"
    );
}

async fn open_jobs_are_listed_in_their_order(world: World) {
    let (later, sooner) = (push(&world, "b", after(5)).await, push(&world, "a", NOW).await);
    let running = claim(&world, NOW).await.unwrap();
    let done = push(&world, "c", NOW).await;
    let mut tx = free(&world).await;
    let ended = job::claim(&mut tx, Kind::Inspect, NOW, TERMS).await.unwrap().unwrap();
    assert_eq!((ended.id, running.id), (done, sooner));
    job::finish(&mut tx, &ended).await.unwrap();
    tx.commit().await.unwrap();
    let mut reader = world.read().await;
    let first = job::list_open(&mut reader, &Seek::first(1)).await.unwrap();
    assert_eq!((first.items[0].id, first.items[0].claimed_at, first.has_more), (sooner, Some(NOW), true));
    let seek = Seek { after: Some((first.items[0].run_at, sooner)), limit: 5 };
    let rest = job::list_open(&mut reader, &seek).await.unwrap();
    assert_eq!(rest.items.iter().map(|job| job.id).collect::<Vec<_>>(), [later]);
}
