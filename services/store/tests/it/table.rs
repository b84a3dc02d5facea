//! Tables, bindings, snapshots and verdicts, on both databases.

#![expect(clippy::disallowed_methods, reason = "revisions are what is tested here")]

use domain::binding::BindingVerdict;
use domain::clock::Timestamp;
use domain::decimal::Decimal;
use domain::id::*;
use domain::quality::{self, Bound, Measured, Operator, Rule, RuleResult, Scalar, Severity, Unit, Verdict};
use domain::table::{
    ColumnPath, Inspected, InspectionRead, PhysicalColumn, PhysicalSchema, PhysicalType, ReaderProtocol, SnapshotKey,
    SnapshotState,
};
use store::{Constraint, Error, Seek};

use crate::world::{NOW, World, id, table};

crate::suite! {
    no_table_lies_in_another,
    bindings_are_found_from_both_ends,
    a_table_that_nothing_is_bound_to_is_forgotten,
    a_stamp_moves_with_each_revision,
    a_new_head_skips_what_waited,
    an_inspection_is_kept_whole,
    an_inspection_that_failed_leaves_its_reason,
    verdicts_are_kept_whole,
    the_newest_verdicts_by_the_same_rules_count,
}

async fn no_table_lies_in_another(world: World) {
    let mut tx = world.facts().await;
    for location in ["sales/orders", "sales/orders_eu", "sales/a/b"] {
        store::table::insert(&mut tx, &table(location)).await.unwrap();
    }
    tx.commit().await.unwrap();
    for location in ["sales", "sales/orders", "sales/orders/x", "sales/a", "sales/a/b/c/d"] {
        let refused = store::table::insert(&mut world.facts().await, &table(location)).await;
        assert_eq!(refused.unwrap_err().violated(), Some(Constraint::TableLocation), "{location}");
    }
    let mut tx = world.facts().await;
    for location in ["sales/order", "sales/orders2", "sales/orders-", "sales/orders.x", "sales/a/bb", "sale"] {
        store::table::insert(&mut tx, &table(location)).await.unwrap();
    }
    let orders = store::table::find_by_location(&mut tx, &"sales/orders".parse().unwrap()).await.unwrap().unwrap();
    let overlapping = store::table::find_overlapping(&mut tx, &orders.location, Some(orders.id)).await.unwrap();
    assert_eq!(overlapping, None);
    let overlapping = store::table::find_overlapping(&mut tx, &orders.location, None).await.unwrap();
    assert_eq!(overlapping, Some(orders));
}

async fn bindings_are_found_from_both_ends(world: World) {
    let catalog = world.catalog().await;
    let again = domain::binding::Binding { id: id(BindingId::new), ..catalog.binding.clone() };
    let again = store::binding::insert(&mut world.facts().await, &again).await;
    assert_eq!(again.unwrap_err().violated(), Some(Constraint::BindingObject));
    let mut reader = world.read().await;
    let bindings = [catalog.binding.clone()];
    let contract_id = catalog.contract.id;
    assert_eq!(store::binding::list_of_major(&mut reader, contract_id, 1).await.unwrap(), bindings);
    assert_eq!(store::binding::list_of_major(&mut reader, contract_id, 2).await.unwrap(), []);
    assert_eq!(store::binding::list_of_contracts(&mut reader, &[contract_id]).await.unwrap(), bindings);
    assert_eq!(store::binding::list_of_table(&mut reader, catalog.table.id).await.unwrap(), bindings);
    assert_eq!(store::binding::get(&mut reader, catalog.binding.id).await.unwrap(), catalog.binding);
}

async fn a_table_that_nothing_is_bound_to_is_forgotten(world: World) {
    let catalog = world.catalog().await;
    let snapshot = notice(&world, catalog.table.id, 0).await;
    let mut tx = world.facts().await;
    store::binding::put_verdict(&mut tx, &verdict(snapshot.id, catalog.binding.id, Verdict::Pass)).await.unwrap();
    assert!(!store::table::delete_unbound(&mut tx, catalog.table.id).await.unwrap());
    store::binding::unbind(&mut tx, catalog.binding.id).await.unwrap();
    let again = store::binding::unbind(&mut tx, catalog.binding.id).await;
    assert!(matches!(again, Err(Error::NotFound("binding"))));
    assert!(store::table::delete_unbound(&mut tx, catalog.table.id).await.unwrap());
    assert_eq!(store::table::find(&mut tx, catalog.table.id).await.unwrap(), None);
    assert_eq!(store::table::find_snapshot(&mut tx, snapshot.id).await.unwrap(), None);
    store::table::insert(&mut tx, &table("sales/orders/inside")).await.unwrap();
}

async fn a_stamp_moves_with_each_revision(world: World) {
    use store::revision::{self, Revision};
    let table_id = world.catalog().await.table.id;
    let mut stamps = vec![revision::stamp(&mut world.read().await, table_id).await.unwrap()];
    for step in 0..3 {
        let mut tx = world.facts().await;
        match step {
            0 => revision::bump(&mut tx, Revision::Access).await.unwrap(),
            1 => revision::bump(&mut tx, Revision::Visibility).await.unwrap(),
            _ => store::table::bump(&mut tx, table_id).await.unwrap(),
        }
        tx.commit().await.unwrap();
        let stamp = revision::stamp(&mut world.read().await, table_id).await.unwrap();
        assert!(!stamps.contains(&stamp), "step {step}");
        stamps.push(stamp);
    }
}

async fn notice(world: &World, table_id: TableId, version: u64) -> domain::table::Snapshot {
    let mut tx = world.facts().await;
    let key = SnapshotKey::DeltaVersion(version);
    let snapshot = store::table::notice(&mut tx, id(SnapshotId::new), table_id, key, NOW).await.unwrap();
    tx.commit().await.unwrap();
    snapshot
}

async fn a_new_head_skips_what_waited(world: World) {
    let table_id = world.catalog().await.table.id;
    let (first, second) = (notice(&world, table_id, 7).await, notice(&world, table_id, 9).await);
    let mut reader = world.read().await;
    let page = store::table::list_snapshots(&mut reader, table_id, &Seek::first(10)).await.unwrap();
    let states: Vec<_> = page.items.iter().map(|snapshot| (snapshot.id, snapshot.ordinal, snapshot.state)).collect();
    assert_eq!(states, [(second.id, 2, SnapshotState::Pending), (first.id, 1, SnapshotState::Skipped)]);
    let table = store::table::get(&mut reader, table_id).await.unwrap();
    assert_eq!((table.head, table.revision), (Some(second.id), 2));
    let found = store::table::find_snapshot_by_key(&mut reader, table_id, &second.key).await.unwrap();
    assert_eq!(found, Some(second.clone()));

    let mut tx = world.facts().await;
    let again = store::table::notice(&mut tx, id(SnapshotId::new), table_id, second.key, NOW).await;
    assert_eq!(again.unwrap_err().violated(), Some(Constraint::SnapshotKey));
}

fn column(name: &str, physical_type: PhysicalType) -> PhysicalColumn {
    PhysicalColumn { name: name.into(), physical_type, nullable: name != "key" }
}

/// Lists in lists, this many.
fn nested(depth: usize) -> PhysicalType {
    (0..depth).fold(PhysicalType::String, |inner, _| PhysicalType::List(Box::new(column("element", inner))))
}

/// A schema with every type in it.
fn schema() -> PhysicalSchema {
    let boxed = |name, physical_type| Box::new(column(name, physical_type));
    let types = [
        PhysicalType::Boolean,
        PhysicalType::Integer { bits: 64, signed: false },
        PhysicalType::Float { bits: 32 },
        PhysicalType::Decimal { precision: 38, scale: -2 },
        PhysicalType::String,
        PhysicalType::Binary,
        PhysicalType::Date,
        PhysicalType::Time,
        PhysicalType::Timestamp { zoned: true },
        PhysicalType::Timestamp { zoned: false },
        PhysicalType::List(boxed("element", nested(30))),
        PhysicalType::Struct(vec![column("a", PhysicalType::List(boxed("element", PhysicalType::Date)))]),
        PhysicalType::Map { key: boxed("key", PhysicalType::String), value: boxed("value", PhysicalType::Time) },
        PhysicalType::Other("variant \"x\" é".into()),
    ];
    let columns = types.into_iter().enumerate().map(|(n, physical_type)| column(&format!("c{n}"), physical_type));
    PhysicalSchema {
        columns: columns.collect(),
        partitioned_by: vec!["c4".into()],
        protocol: ReaderProtocol { version: 3, features: ["columnMapping".into(), "deletionVectors".into()].into() },
    }
}

pub(crate) fn found() -> Inspected {
    Inspected {
        inspected_at: Timestamp(NOW.0 + 1),
        committed_at: Timestamp(NOW.0 - 1),
        n_rows: 336_776,
        n_files: 3,
        schema: schema(),
        file_list: Some("digest".into()),
        checkpoint: None,
        read: Some(InspectionRead { n_files: 1, n_bytes: 2, n_rows: 3, n_files_known: 4, n_proven: 5 }),
    }
}

async fn an_inspection_is_kept_whole(world: World) {
    let table_id = world.catalog().await.table.id;
    let snapshot = notice(&world, table_id, 0).await;
    let mut tx = world.facts().await;
    store::table::set_inspected(&mut tx, snapshot.id, Ok(&found())).await.unwrap();
    let kept = store::table::get_snapshot(&mut tx, snapshot.id).await.unwrap();
    let expected =
        domain::table::Snapshot { state: SnapshotState::Inspected, found: Some(found()), ..snapshot.clone() };
    assert_eq!(kept, expected);
    assert_eq!(store::table::list_snapshots_by_ids(&mut tx, &[snapshot.id]).await.unwrap(), [expected]);
    store::table::bump(&mut tx, table_id).await.unwrap();
    assert_eq!(store::table::get(&mut tx, table_id).await.unwrap().revision, 2);
    let missing = store::table::set_inspected(&mut tx, id(SnapshotId::new), Ok(&found())).await;
    assert!(matches!(missing, Err(Error::NotFound("snapshot"))));
}

async fn an_inspection_that_failed_leaves_its_reason(world: World) {
    let snapshot = notice(&world, world.catalog().await.table.id, 0).await;
    let mut tx = world.facts().await;
    store::table::set_inspected(&mut tx, snapshot.id, Err("a hole in the log")).await.unwrap();
    let kept = store::table::get_snapshot(&mut tx, snapshot.id).await.unwrap();
    assert_eq!((kept.state, kept.found), (SnapshotState::Error, None));
    assert_eq!(kept.error.as_deref(), Some("a hole in the log"));
    store::table::set_inspected(&mut tx, snapshot.id, Ok(&found())).await.unwrap();
    let kept = store::table::get_snapshot(&mut tx, snapshot.id).await.unwrap();
    assert_eq!((kept.state, kept.error), (SnapshotState::Inspected, None));

    // One that fails after it takes nothing away: leases are served from the file list.
    store::table::set_inspected(&mut tx, snapshot.id, Err("the worker was killed")).await.unwrap();
    let kept = store::table::get_snapshot(&mut tx, snapshot.id).await.unwrap();
    assert_eq!((kept.state, kept.error.as_deref()), (SnapshotState::Error, Some("the worker was killed")));
    assert_eq!(kept.found, Some(found()));
    assert!(store::table::set_pending(&mut tx, snapshot.id).await.unwrap());
    let kept = store::table::get_snapshot(&mut tx, snapshot.id).await.unwrap();
    assert_eq!((kept.state, kept.found), (SnapshotState::Pending, Some(found())));
}

/// Results with every check, operator, unit and measure in them.
fn results() -> Vec<RuleResult> {
    use quality::Check::*;
    let column = || ColumnPath(vec!["a".into(), "b.c".into()]);
    let values = || {
        let decimal = Scalar::Decimal("12345678901234567890.12".parse().unwrap());
        vec![Scalar::Text("é\"".into()), Scalar::Integer(i64::MIN), Scalar::Number(0.1), decimal, Scalar::Boolean(true)]
    };
    let bound = |value, exclusive| Some(Bound { value: Scalar::Integer(value), exclusive });
    let checks = [
        Some(NullValues { column: column() }),
        Some(MissingValues { column: column(), values: values() }),
        Some(InvalidValues { column: column(), values: values() }),
        Some(InvalidPattern { column: column(), pattern: r"^\d+$".into() }),
        Some(OutOfRange { column: column(), minimum: bound(1, true), maximum: None }),
        Some(OutOfRange { column: column(), minimum: None, maximum: bound(9, false) }),
        Some(Length { column: column(), minimum: None, maximum: Some(u64::MAX) }),
        Some(NotMultipleOf { column: column(), divisor: Decimal::of(0.25).unwrap() }),
        Some(NotMultipleOf { column: column(), divisor: "12345678901234567891".parse().unwrap() }),
        Some(DuplicateValues { columns: vec![column(), column()] }),
        Some(RowCount),
        Some(Sql { query: "SELECT 1".into() }),
        None,
    ];
    let operators = [
        Operator::MustBe(0.0),
        Operator::MustNotBe(1.5),
        Operator::MustBeGreaterThan(-1.0),
        Operator::MustBeGreaterOrEqualTo(1e300),
        Operator::MustBeLessThan(f64::INFINITY),
        Operator::MustBeLessOrEqualTo(3.0),
        Operator::MustBeBetween(1.0, 2.0),
        Operator::MustNotBeBetween(1.0, 2.0),
    ];
    let measures = [Measured::Value(336_776.0), Measured::Error("no row".into()), Measured::NotRun];
    let result = |(n, check): (usize, Option<quality::Check>)| RuleResult {
        rule: Rule {
            key: format!("rule {n}"),
            check,
            operator: operators[n % operators.len()],
            unit: Unit::ALL[n % Unit::ALL.len()],
            severity: Severity::ALL[n % Severity::ALL.len()],
            title: "a title".into(),
        },
        measured: measures[n % measures.len()].clone(),
    };
    checks.into_iter().enumerate().map(result).collect()
}

pub(crate) fn verdict(snapshot_id: SnapshotId, binding_id: BindingId, verdict: Verdict) -> BindingVerdict {
    BindingVerdict {
        id: id(VerdictId::new),
        snapshot_id,
        binding_id,
        rule_hash: "h1".into(),
        verdict,
        conforms: true,
        conformance: vec!["column `x` is undeclared".into()],
        results: results(),
        engine: "datafusion 53".into(),
        at: NOW,
    }
}

async fn verdicts_are_kept_whole(world: World) {
    let catalog = world.catalog().await;
    let snapshot = notice(&world, catalog.table.id, 0).await;
    let first = verdict(snapshot.id, catalog.binding.id, Verdict::Warn);
    let second =
        BindingVerdict { conforms: false, results: vec![], ..verdict(snapshot.id, catalog.binding.id, Verdict::Fail) };
    let mut tx = world.facts().await;
    store::binding::put_verdict(&mut tx, &first).await.unwrap();
    let kept = store::binding::list_verdicts_of_snapshots(&mut tx, &[snapshot.id]).await.unwrap();
    assert_eq!(kept, std::slice::from_ref(&first));
    store::binding::put_verdict(&mut tx, &second).await.unwrap();
    let kept = BindingVerdict { id: first.id, ..second };
    assert_eq!(store::binding::list_verdicts_of_snapshots(&mut tx, &[snapshot.id]).await.unwrap(), [kept]);
}

async fn the_newest_verdicts_by_the_same_rules_count(world: World) {
    let catalog = world.catalog().await;
    let binding_id = catalog.binding.id;
    let verdicts = [Verdict::Pass, Verdict::Warn, Verdict::Fail, Verdict::Error];
    let mut ids = Vec::new();
    for (n, word) in verdicts.into_iter().enumerate() {
        let snapshot = notice(&world, catalog.table.id, n as u64).await;
        let good = verdict(snapshot.id, binding_id, word);
        let other_rules = BindingVerdict { rule_hash: "h2".into(), ..verdict(snapshot.id, binding_id, Verdict::Pass) };
        let mut tx = world.facts().await;
        store::binding::put_verdict(&mut tx, &good).await.unwrap();
        store::binding::put_verdict(&mut tx, &other_rules).await.unwrap();
        tx.commit().await.unwrap();
        ids.push(good.id);
    }
    let mut reader = world.read().await;
    let newest = [
        (i64::MAX, vec![ids[3], ids[2], ids[1]]),
        (4, vec![ids[3], ids[2], ids[1]]),
        (3, vec![ids[2], ids[1], ids[0]]),
        (0, vec![]),
    ];
    for (up_to, expected) in newest {
        let found = store::binding::list_newest_verdicts(&mut reader, binding_id, "h1", up_to, 3).await.unwrap();
        assert_eq!(found.iter().map(|verdict| verdict.id).collect::<Vec<_>>(), expected, "up to {up_to}");
    }
    let good = [("h1", i64::MAX, Some(ids[1])), ("h1", 2, Some(ids[1])), ("h1", 1, Some(ids[0])), ("h1", 0, None)];
    for (rule_hash, up_to, expected) in good.into_iter().chain([("h3", i64::MAX, None)]) {
        let found = store::binding::find_last_good_verdict(&mut reader, binding_id, rule_hash, up_to).await.unwrap();
        assert_eq!(found.map(|verdict| verdict.id), expected, "`{rule_hash}` up to {up_to}");
    }
}
