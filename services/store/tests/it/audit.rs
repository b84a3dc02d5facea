//! The audit log's rows, on both databases.

use domain::audit::{Action, Fault, Key, Outcome, Record, Resource, ResourceKind};
use domain::clock::Timestamp;
use domain::id::RecordId;
use store::audit::{self, Filter, Stored};
use store::{Lock, Seek};

use crate::world::{NOW, World, id};

crate::suite! {
    a_record_is_read_as_it_was_written,
    a_record_goes_with_its_effect,
    records_are_found_by_what_is_asked,
    a_modified_row_is_listed_among_the_others_with_its_fault,
    pages_pass_every_row_whatever_is_in_it,
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

    let refused = |stored: Stored, key: [u8; 32], fault: Fault| {
        assert_eq!(stored.verify(&Key::new(key)), Err(fault));
    };
    refused(stored.clone(), [8; 32], Fault::Changed);
    let mut bytes = stored.bytes.clone();
    bytes[40] ^= 1;
    refused(Stored { bytes, ..stored.clone() }, KEY, Fault::Changed);
    let with_mac = |bytes: Vec<u8>| Stored { mac: Key::new(KEY).mac(&bytes).to_vec(), bytes, ..stored.clone() };
    refused(with_mac(b"no record".to_vec()), KEY, Fault::NotARecord);
    let newer = String::from_utf8_lossy(&stored.bytes).replace("access.revoke", "access.endure");
    refused(with_mac(newer.into_bytes()), KEY, Fault::UnknownWord);

    let row = || stored.clone();
    refused(Stored { id: id(RecordId::new).to_string(), ..row() }, KEY, Fault::RowDiffers);
    refused(Stored { at: Timestamp(NOW.0 + 1), ..row() }, KEY, Fault::RowDiffers);
    refused(Stored { actor: "bob".into(), ..row() }, KEY, Fault::RowDiffers);
    refused(Stored { action: "access.reject".into(), ..row() }, KEY, Fault::RowDiffers);
    refused(Stored { resource_kind: "lease".into(), ..row() }, KEY, Fault::RowDiffers);
    refused(Stored { resource_id: "another".into(), ..row() }, KEY, Fault::RowDiffers);
    refused(Stored { outcome: "refused".into(), ..row() }, KEY, Fault::RowDiffers);
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
    let newest_first: Vec<String> = records.iter().rev().map(|record| record.id.to_string()).collect();

    let mut seen = Vec::new();
    let mut seek = Seek::first(2);
    loop {
        let page = audit::list(&mut reader, Filter::default(), &seek).await.unwrap();
        seen.extend(page.items.iter().map(|stored| stored.id.clone()));
        let last = page.items.last().unwrap().verify(&Key::new(KEY)).unwrap();
        seek.after = Some((last.at, last.id.to_string()));
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

async fn a_modified_row_is_listed_among_the_others_with_its_fault(world: World) {
    let records = [("ann", 1), ("bob", 2), ("cat", 3)].map(|(actor, at)| record(actor, at));
    append(&world, &records).await;
    world.execute("UPDATE records SET bytes = mac WHERE actor = 'bob'").await;
    let list = async |filter: Filter<'_>| {
        let page = audit::list(&mut world.read().await, filter, &Seek::first(10)).await.unwrap();
        page.items.iter().map(|stored| (stored.actor.clone(), stored.verify(&Key::new(KEY)).err())).collect::<Vec<_>>()
    };
    let shown = |actor: &str, fault| (actor.to_owned(), fault);
    let expected = [shown("cat", None), shown("bob", Some(Fault::Changed)), shown("ann", None)];
    assert_eq!(list(Filter::default()).await, expected);
    assert_eq!(list(Filter { actor: Some("bob"), ..Filter::default() }).await, expected[1..2]);

    world.execute("UPDATE records SET action = 'access.never' WHERE actor = 'cat'").await;
    let revokes = Filter { action: Some(Action::AccessRevoke), ..Filter::default() };
    assert_eq!(list(revokes).await, expected[1..]);
    assert_eq!(list(Filter::default()).await[0], shown("cat", Some(Fault::RowDiffers)));
}

async fn pages_pass_every_row_whatever_is_in_it(world: World) {
    let records = [("ann", 1), ("bob", 2), ("cat", 3), ("dan", 4)].map(|(actor, at)| record(actor, at));
    append(&world, &records).await;
    world.execute("UPDATE records SET id = 'no id', bytes = mac WHERE actor = 'bob'").await;
    world.execute(&format!("UPDATE records SET at = {} WHERE actor = 'cat'", i64::MIN)).await;
    world.execute(&format!("UPDATE records SET id = '{}' WHERE actor = 'ann'", "long".repeat(500))).await;
    if world.is_sqlite() {
        world
            .execute("UPDATE records SET action = CAST(x'ff' AS TEXT), id = CAST(x'fffe' AS TEXT) WHERE actor = 'dan'")
            .await;
    }
    let (mut seen, mut seek) = (Vec::new(), Seek::first(1));
    loop {
        let page = audit::list(&mut world.read().await, Filter::default(), &seek).await.unwrap();
        seen.extend(page.items.iter().map(|stored| stored.actor.clone()));
        seek.after = page.items.last().map(Stored::key);
        assert!(seek.after.as_ref().is_some_and(|(_, id)| id.chars().count() <= 64));
        if !page.has_more {
            break;
        }
    }
    assert_eq!(seen, ["dan", "bob", "ann", "cat"]);
}
