//! Lineage: events twice and in any order, bounds, and what is forgotten.

use domain::clock::Timestamp;
use domain::id::PrincipalId;
use lineage::edge::Speaker;
use lineage::observe::{Ledger, observe};
use lineage::openlineage::Event;
use store::Lock;
use store::lineage::{Received, Recorded, Refusal};

use crate::world::{World, user};

const EVENTS: [&str; 4] = [
    include_str!("../../../lineage/tests/it/events/airflow.ndjson"),
    include_str!("../../../lineage/tests/it/events/dbt.ndjson"),
    include_str!("../../../lineage/tests/it/events/python.ndjson"),
    include_str!("../../../lineage/tests/it/events/spark.ndjson"),
];

crate::suite! {
    events_in_any_order_and_twice_are_the_ledger_in_memory,
    known_events_change_nothing,
    a_run_over_several_batches_is_one,
    a_run_that_grows_too_large_is_refused_alone,
    events_and_runs_are_forgotten_and_claims_stay,
    the_text_of_events_is_kept_within_its_bound,
    of_statements_the_newest_holds,
    a_speaker_claims_a_bounded_number_of_bytes,
    a_batch_adds_a_bounded_number_of_bytes,
}

fn real_events() -> Vec<Event> {
    EVENTS.iter().flat_map(|lines| lines.lines()).map(|line| Event::read(line.as_bytes()).unwrap()).collect()
}

fn received(event: &Event) -> Received {
    let json = Some(event.json.to_string());
    Received { digest: event.digest, time: event.time, json, observation: observe(event) }
}

/// A run event with inputs and outputs by their names.
fn run(run: u128, time: &str, inputs: &[String], outputs: &[String]) -> Event {
    let side = |names: &[String]| {
        let sets: Vec<_> = names.iter().map(|name| format!(r#"{{"namespace":"db","name":"{name}"}}"#)).collect();
        sets.join(",")
    };
    let text = format!(
        r#"{{"eventTime":"2026-01-01T{time}Z","producer":"p","schemaURL":"s","run":{{"runId":"{}"}},
        "job":{{"namespace":"jobs","name":"job"}},"inputs":[{}],"outputs":[{}]}}"#,
        uuid::Uuid::from_u128(run),
        side(inputs),
        side(outputs)
    );
    Event::read(text.as_bytes()).unwrap()
}

async fn speaker(world: &World, name: &str) -> PrincipalId {
    let mut tx = world.facts().await;
    let principal = user(name);
    store::identity::insert_principal(&mut tx, &principal).await.unwrap();
    tx.commit().await.unwrap();
    principal.id
}

async fn record(world: &World, by: PrincipalId, events: &[Event], now: i64) -> Recorded {
    let mut tx = world.db.write(Lock::Free).await.unwrap();
    let events = events.iter().map(received).collect();
    let recorded = store::lineage::record(&mut tx, by, events, Timestamp(now)).await.unwrap();
    tx.commit().await.unwrap();
    recorded
}

async fn claims(world: &World, speaker: PrincipalId) -> Vec<String> {
    let mut tx = world.db.read().await.unwrap();
    let claims = store::lineage::list_claims(&mut tx, speaker).await.unwrap();
    assert!(claims.unreadable.is_empty());
    let mut claims: Vec<String> = claims.items.iter().map(|claim| format!("{claim:?}")).collect();
    claims.sort();
    claims
}

async fn events_in_any_order_and_twice_are_the_ledger_in_memory(world: World) {
    let events = real_events();
    let mut ledger = Ledger::default();
    for event in &events {
        ledger.apply(Speaker::House, event).unwrap();
    }
    let said = ledger.claims(Speaker::House).map(|(job, claim, seen)| (job.cloned(), claim.clone(), seen));
    let mut expected: Vec<String> = said.map(|claim| format!("{claim:?}")).collect();
    expected.sort();

    let [one, two, three] =
        [speaker(&world, "one").await, speaker(&world, "two").await, speaker(&world, "three").await];
    record(&world, one, &events, 1).await;
    assert_eq!(claims(&world, one).await, expected);
    for event in events.iter().rev().chain(&events) {
        record(&world, two, std::slice::from_ref(event), 1).await;
    }
    assert_eq!(claims(&world, two).await, expected);
    for batch in events.chunks(7).rev() {
        record(&world, three, batch, 1).await;
    }
    assert_eq!(claims(&world, three).await, expected);
}

async fn known_events_change_nothing(world: World) {
    let (events, by) = (real_events(), speaker(&world, "one").await);
    let first = record(&world, by, &events, 1).await;
    assert!(first.has_changed && first.refused.is_empty());
    let revision = revision(&world, by).await;
    assert_eq!(record(&world, by, &events, 2).await, Recorded::default());
    assert_eq!(self::revision(&world, by).await, revision);
    // Of another speaker they are news.
    let other = speaker(&world, "two").await;
    assert_eq!(record(&world, other, &events, 2).await.n_new, first.n_new);
}

async fn revision(world: &World, speaker: PrincipalId) -> i64 {
    let mut tx = world.db.read().await.unwrap();
    let all = store::lineage::list_speakers(&mut tx).await.unwrap();
    all.into_iter().find(|(id, _)| *id == speaker).unwrap().1
}

async fn a_run_over_several_batches_is_one(world: World) {
    let by = speaker(&world, "one").await;
    record(&world, by, &[run(1, "00:00:00", &["a".to_owned()], &[])], 1).await;
    assert!(!claims(&world, by).await.iter().any(|claim| claim.contains("Together")));
    record(&world, by, &[run(1, "00:01:00", &[], &["b".to_owned()]), run(2, "00:01:00", &[], &["c".to_owned()])], 1)
        .await;
    let together = claims(&world, by).await.into_iter().filter(|claim| claim.contains("Together")).collect::<Vec<_>>();
    assert_eq!(together.len(), 1, "{together:?}");
    assert!(together[0].contains("\"b\""));
}

async fn a_run_that_grows_too_large_is_refused_alone(world: World) {
    let by = speaker(&world, "one").await;
    let names = |from: usize| (from..from + 700).map(|number| format!("t{number}")).collect::<Vec<_>>();
    let events = [
        run(1, "00:00:00", &names(0), &[]),
        run(1, "00:00:01", &names(700), &[]),
        run(2, "00:00:00", &["a".to_owned()], &["b".to_owned()]),
    ];
    let recorded = record(&world, by, &events, 1).await;
    assert_eq!((recorded.n_new, recorded.refused), (2, vec![(1, Refusal::RunTooLarge)]));
    // It is not known, so that it may be sent again.
    let again = record(&world, by, &events[1..2], 1).await;
    assert_eq!(again.refused, [(0, Refusal::RunTooLarge)]);
}

async fn events_and_runs_are_forgotten_and_claims_stay(world: World) {
    let by = speaker(&world, "one").await;
    let start = run(1, "00:00:00", &["a".to_owned()], &[]);
    record(&world, by, std::slice::from_ref(&start), 1).await;
    record(&world, by, &[run(2, "00:00:00", &["x".to_owned()], &["y".to_owned()])], 5).await;
    let before = claims(&world, by).await;
    let mut tx = world.db.write(Lock::Free).await.unwrap();
    store::lineage::forget(&mut tx, by, Timestamp(5)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(claims(&world, by).await, before);
    // The second run is known, the first one is not.
    let recorded = record(&world, by, &[run(2, "00:00:00", &["x".to_owned()], &["y".to_owned()])], 6).await;
    assert_eq!(recorded, Recorded::default());
    assert_eq!(record(&world, by, &[start], 6).await.n_new, 1);
    record(&world, by, &[run(1, "00:01:00", &[], &["b".to_owned()])], 6).await;
    assert!(claims(&world, by).await.iter().any(|claim| claim.contains("Together") && claim.contains("\"b\"")));
}

async fn the_text_of_events_is_kept_within_its_bound(world: World) {
    let by = speaker(&world, "one").await;
    let event = run(1, "00:00:00", &["a".to_owned()], &[]);
    let mut long = received(&event);
    long.json = Some("x".repeat(usize::try_from(store::lineage::MAX_EVENT_BYTES).unwrap() + 1));
    let mut tx = world.db.write(Lock::Free).await.unwrap();
    let recorded = store::lineage::record(&mut tx, by, vec![long], Timestamp(1)).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(recorded.n_new, 1);
    let kept = store::lineage::list_events(&mut world.read().await, by, 10).await.unwrap();
    assert_eq!(kept, [(event.digest, None)]);
    record(&world, by, &[run(1, "00:00:01", &["a".to_owned()], &[])], 1).await;
    let kept = store::lineage::list_events(&mut world.read().await, by, 10).await.unwrap();
    assert_eq!(kept.iter().filter(|(_, json)| json.is_some()).count(), 1);
}

async fn of_statements_the_newest_holds(world: World) {
    let design = |hour: u32, source: &str| {
        let text = format!(
            r#"{{"eventTime":"2026-01-01T{hour:02}:00:00Z","producer":"p","schemaURL":"s",
            "job":{{"namespace":"jobs","name":"job"}},"inputs":[{{"namespace":"db","name":"{source}"}}],
            "outputs":[{{"namespace":"db","name":"out"}}]}}"#
        );
        Event::read(text.as_bytes()).unwrap()
    };
    let [old, new] = [design(8, "before"), design(9, "after")];
    let alone = speaker(&world, "alone").await;
    record(&world, alone, std::slice::from_ref(&new), 1).await;
    let expected = claims(&world, alone).await;
    for (number, batches) in
        [vec![vec![&old, &new]], vec![vec![&new, &old]], vec![vec![&old], vec![&new]], vec![vec![&new], vec![&old]]]
            .into_iter()
            .enumerate()
    {
        let by = speaker(&world, &format!("speaker-{number}")).await;
        for batch in batches {
            record(&world, by, &batch.into_iter().cloned().collect::<Vec<_>>(), 1).await;
        }
        assert_eq!(claims(&world, by).await, expected, "{number}");
    }
}

async fn a_speaker_claims_a_bounded_number_of_bytes(world: World) {
    let (by, other) = (speaker(&world, "one").await, speaker(&world, "two").await);
    let one = |number: u128| run(number, "00:00:00", &[format!("a{number}")], &["b".to_owned()]);
    assert_eq!(record(&world, by, &[one(1)], 1).await.n_new, 1);
    let n_bytes = store::lineage::MAX_BYTES - 100;
    world.execute(&format!("UPDATE lineage_speakers SET n_bytes = {n_bytes}")).await;
    let before = claims(&world, by).await;
    let full = record(&world, by, &[one(2)], 1).await;
    assert_eq!((full.n_new, full.refused, full.has_changed), (0, vec![(0, Refusal::Full)], false));
    assert_eq!(claims(&world, by).await, before);
    assert_eq!(record(&world, other, &[one(2)], 1).await.n_new, 1);
}

async fn a_batch_adds_a_bounded_number_of_bytes(world: World) {
    let by = speaker(&world, "one").await;
    let names = |side: &str| (0..141).map(|n| format!("{side}{n}{}", "x".repeat(2_000))).collect::<Vec<_>>();
    let large = run(1, "00:00:00", &names("in"), &names("out"));
    let events = [large, run(2, "00:00:00", &["a".to_owned()], &["b".to_owned()])];
    let recorded = record(&world, by, &events, 1).await;
    assert_eq!((recorded.n_new, recorded.refused), (1, vec![(0, Refusal::BatchTooLarge)]));
}
