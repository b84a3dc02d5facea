//! Who read which column of a table on which day, on both databases.

use domain::clock::Timestamp;
use domain::column_reads::{DAY, Extent, ReadColumn, Reading, Recording, day_of};
use domain::id::*;
use store::Lock;
use store::column_reads::TableRead;

use crate::world::{NOW, World, id};

crate::suite! {
    reads_of_a_day_are_added_up,
    reads_are_listed_of_a_table_and_of_all,
    a_run_without_an_end_is_a_loss,
    old_reads_are_deleted,
}

fn named(name: &str) -> ReadColumn {
    ReadColumn::Named(name.to_owned())
}

fn reading(column: ReadColumn) -> Reading {
    Reading { table_id: id(TableId::new), binding_id: id(BindingId::new), principal_id: id(PrincipalId::new), column }
}

fn extent(n_leases: u64, last_at: Timestamp) -> Extent {
    Extent { n_leases, last_at }
}

async fn add(world: &World, day: i64, reading: &Reading, extent: Extent) {
    let mut tx = world.db.write(Lock::Free).await.unwrap();
    store::column_reads::add(&mut tx, day, reading, extent).await.unwrap();
    tx.commit().await.unwrap();
}

async fn reads_of_a_day_are_added_up(world: World) {
    let (today, later) = (day_of(NOW), NOW.plus(DAY / 100));
    let (a, everything) = (reading(named("a")), ReadColumn::Everything);
    let any = Reading { column: everything, ..a.clone() };
    // A column without a name is one of its own.
    let nameless = Reading { column: named(""), ..a.clone() };
    add(&world, today, &a, extent(1, later)).await;
    add(&world, today, &a, extent(2, NOW)).await;
    add(&world, today + 1, &a, extent(1, NOW.plus(DAY))).await;
    add(&world, today, &any, extent(1, NOW)).await;
    add(&world, today, &nameless, extent(1, NOW.minus(DAY / 100))).await;
    let mut tx = world.read().await;
    let found = store::column_reads::list_of_table(&mut tx, a.table_id, today, 9).await.unwrap();
    let expected =
        [(a.clone(), extent(4, NOW.plus(DAY))), (any, extent(1, NOW)), (nameless, extent(1, NOW.minus(DAY / 100)))];
    assert_eq!(found, expected);
    let found = store::column_reads::list_of_table(&mut tx, a.table_id, today + 1, 9).await.unwrap();
    assert_eq!(found, [(a.clone(), extent(1, NOW.plus(DAY)))]);
    assert_eq!(store::column_reads::list_of_table(&mut tx, a.table_id, today, 1).await.unwrap().len(), 1);
    assert_eq!(store::column_reads::list_of_table(&mut tx, id(TableId::new), today, 9).await.unwrap(), []);
}

async fn reads_are_listed_of_a_table_and_of_all(world: World) {
    let today = day_of(NOW);
    let a = reading(named("a"));
    // Through another binding: one read of the principal.
    let again = Reading { binding_id: id(BindingId::new), ..a.clone() };
    let b = Reading { column: named("b"), ..a.clone() };
    let any = Reading { column: ReadColumn::Everything, ..a.clone() };
    let other = reading(named("a"));
    for (reading, at) in [(&a, NOW), (&again, NOW.plus(DAY / 50)), (&b, NOW), (&any, NOW), (&other, NOW)] {
        add(&world, today, reading, extent(1, at)).await;
    }
    add(&world, today - 1, &reading(named("old")), extent(1, NOW)).await;
    let read = |reading: &Reading, n_leases, last_at| TableRead {
        table_id: reading.table_id,
        principal_id: reading.principal_id,
        column: reading.column.clone(),
        extent: extent(n_leases, last_at),
    };
    let mut expected =
        vec![read(&a, 2, NOW.plus(DAY / 50)), read(&b, 1, NOW), read(&any, 1, NOW), read(&other, 1, NOW)];
    expected.sort_by_key(|read| {
        let (everything, name) = match &read.column {
            ReadColumn::Everything => (true, String::new()),
            ReadColumn::Named(name) => (false, name.clone()),
        };
        (read.table_id, read.principal_id, everything, name)
    });
    let mut tx = world.read().await;
    let tables = [a.table_id, other.table_id];
    let found = store::column_reads::list_of_tables(&mut tx, &tables, today).await.unwrap();
    assert_eq!(found, expected);
    let found = store::column_reads::list_of_tables(&mut tx, &[other.table_id], today).await.unwrap();
    assert_eq!(found, [read(&other, 1, NOW)], "of no other table");
}

async fn a_run_without_an_end_is_a_loss(world: World) {
    let recording = async |from| {
        let mut tx = world.read().await;
        store::column_reads::recording(&mut tx, from).await.unwrap()
    };
    let begin = async |at| {
        let mut tx = world.db.write(Lock::Free).await.unwrap();
        store::column_reads::begin(&mut tx, at).await.unwrap();
        tx.commit().await.unwrap();
    };
    let early = NOW.minus(DAY);
    assert_eq!(recording(early).await, Recording::default(), "nothing was recorded");
    begin(NOW).await;
    assert_eq!(recording(early).await, Recording { since: Some(NOW), losses: vec![] });
    let mut tx = world.db.write(Lock::Free).await.unwrap();
    store::column_reads::end(&mut tx, NOW, NOW.plus(DAY)).await.unwrap();
    tx.commit().await.unwrap();
    begin(NOW.plus(DAY * 2)).await;
    assert_eq!(recording(early).await.losses, [], "the run before had an end");
    begin(NOW.plus(DAY * 3)).await;
    let lost = NOW.plus(DAY * 3);
    assert_eq!(recording(early).await, Recording { since: Some(NOW), losses: vec![lost] });
    let from = NOW.plus(DAY * 4);
    assert_eq!(
        recording(from).await,
        Recording { since: Some(from), losses: vec![] },
        "as of the time that is asked for"
    );
}

async fn old_reads_are_deleted(world: World) {
    let (old, new) = (reading(named("old")), reading(named("new")));
    add(&world, day_of(NOW) - 1, &old, extent(1, NOW)).await;
    add(&world, day_of(NOW), &new, extent(1, NOW)).await;
    let mut tx = world.db.write(Lock::Free).await.unwrap();
    for at in [NOW.minus(DAY * 3), NOW.minus(DAY * 2), NOW] {
        store::column_reads::begin(&mut tx, at).await.unwrap();
    }
    store::column_reads::delete_before(&mut tx, NOW).await.unwrap();
    let left = store::column_reads::list_of_tables(&mut tx, &[old.table_id, new.table_id], 0).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].table_id, new.table_id);
    let recording = store::column_reads::recording(&mut tx, Timestamp(0)).await.unwrap();
    assert_eq!(recording, Recording { since: Some(NOW.minus(DAY * 2)), losses: vec![NOW] }, "what goes on stays");
    tx.commit().await.unwrap();
}
