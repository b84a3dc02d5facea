//! The audit log's rows, on both databases.

use domain::audit::{Action, Key, Outcome, Record, Resource, ResourceKind};
use domain::clock::Timestamp;
use domain::id::RecordId;
use store::audit::{self, Filter, Stored};
use store::{Error, Lock, Seek};

use crate::world::{NOW, World, id};

crate::suite! {
    a_record_is_read_as_it_was_written,
    a_record_goes_with_its_effect,
    records_are_found_by_what_is_asked,
}

const KEY: [u8; 32] = [7; 32];

fn record(actor: &str, at: i64) -> Record {
    Record {
        id: id(RecordId::new),
        at: Timestamp(NOW.0 + at),
        actor: actor.into(),
        action: Action::AccessRevoke,
        resource: Resource { kind: ResourceKind::Grant, id: format!("grant of {actor}") },
        outcome: Outcome::Done,
        reason: Some("left the company".into()),
        request_id: "r-1".into(),
        detail: r#"{"n":1}"#.into(),
    }
}

async fn append(world: &World, records: &[Record]) {
    let mut tx = world.db.write(Lock::FactsShared).await.unwrap();
    for record in records {
        audit::append(&mut tx, record, &Key::new(KEY)).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn a_record_is_read_as_it_was_written(world: World) {
    let record = record("ann", 0);
    append(&world, std::slice::from_ref(&record)).await;
    let stored = audit::find(&mut world.read().await, record.id).await.unwrap().unwrap();
    assert_eq!(stored.verify(&Key::new(KEY)).unwrap(), record);

    let refused = |stored: Stored, key: [u8; 32]| {
        assert!(matches!(stored.verify(&Key::new(key)), Err(Error::Inconsistent { table: "records", .. })));
    };
    refused(stored.clone(), [8; 32]);
    refused(Stored { id: id(RecordId::new), ..stored.clone() }, KEY);
    let mut bytes = stored.bytes.clone();
    bytes[40] ^= 1;
    refused(Stored { bytes, ..stored }, KEY);
}

async fn a_record_goes_with_its_effect(world: World) {
    let record = record("ann", 0);
    let mut tx = world.facts().await;
    audit::append(&mut tx, &record, &Key::new(KEY)).await.unwrap();
    drop(tx);
    world.facts().await.commit().await.unwrap();
    assert_eq!(audit::find(&mut world.read().await, record.id).await.unwrap(), None);
}

async fn records_are_found_by_what_is_asked(world: World) {
    let records: Vec<Record> =
        [("ann", 1), ("bob", 2), ("ann", 3), ("ann", 3), ("bob", 4)].map(|(a, t)| record(a, t)).into();
    append(&world, &records).await;
    let mut reader = world.read().await;
    let newest_first: Vec<RecordId> = records.iter().rev().map(|record| record.id).collect();

    let mut seen = Vec::new();
    let mut seek = Seek::first(2);
    loop {
        let page = audit::list(&mut reader, Filter::default(), &seek).await.unwrap();
        seen.extend(page.items.iter().map(|stored| stored.id));
        let last = page.items.last().unwrap().verify(&Key::new(KEY)).unwrap();
        seek.after = Some((last.at, last.id));
        if !page.has_more {
            break;
        }
    }
    assert_eq!(seen, newest_first);

    let by_ann = Filter { actor: Some("ann"), ..Filter::default() };
    let page = audit::list(&mut reader, by_ann, &Seek::first(10)).await.unwrap();
    assert_eq!(page.items.len(), 3);
    let nothing = Filter { actor: Some("ann"), resource_id: Some("grant of bob"), ..Filter::default() };
    assert_eq!(audit::list(&mut reader, nothing, &Seek::first(10)).await.unwrap().items, []);
    let revokes =
        Filter { action: Some(Action::AccessRevoke), resource_kind: Some(ResourceKind::Grant), ..Filter::default() };
    assert_eq!(audit::list(&mut reader, revokes, &Seek::first(10)).await.unwrap().items.len(), 5);
}
