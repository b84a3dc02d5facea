//! Tables, snapshots, verdicts, requests, grants, leases and decisions, on both databases.

use std::collections::BTreeSet;

use domain::binding::{BindingVerdict, Found, SnapshotState};
use domain::clock::Timestamp;
use domain::contract::Classification;
use domain::credential::{Lease, LeaseState};
use domain::gate::{Action, Check, Detail, DetailRight, Explained, Line, LineOutcome};
use domain::grant::{AccessRequest, Decided, Grant, PortMajor, RequestState};
use domain::id::*;
use domain::identity::{DomainRole, Principal, PrincipalKind, Role, RoleAssignment};
use domain::quality::{self, Bound, Measured, Operator, Rule, RuleResult, Scalar, Severity, Unit, Verdict};
use domain::table::{ColumnPath, PhysicalColumn, PhysicalSchema, PhysicalType, ReaderProtocol, SnapshotKey};
use store::{Constraint, Error, Lock, Seek, Whose};

use crate::world::{Catalog, NOW, World, domain, grant, id, product, request, table, user, version};

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
    a_request_is_answered_once,
    requests_page_with_the_newest_first,
    a_list_reaches_as_far_as_the_roles_of_a_principal,
    grants_are_found_for_a_port,
    a_holder_s_grants_page_with_the_newest_first,
    a_revoke_ends_every_open_lease_of_the_grant,
    a_lease_needs_the_lock,
    leases_page_with_the_newest_first,
    decisions_are_kept_whole,
    a_row_that_fits_no_state_is_told,
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

async fn notice(world: &World, table_id: TableId, version: u64) -> domain::binding::Snapshot {
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

fn found() -> Found {
    Found {
        inspected_at: Timestamp(NOW.0 + 1),
        committed_at: Timestamp(NOW.0 - 1),
        n_rows: 336_776,
        n_files: 3,
        schema: schema(),
        file_list: "digest".into(),
    }
}

async fn an_inspection_is_kept_whole(world: World) {
    let table_id = world.catalog().await.table.id;
    let snapshot = notice(&world, table_id, 0).await;
    let mut tx = world.facts().await;
    store::table::set_inspected(&mut tx, snapshot.id, Ok(&found())).await.unwrap();
    let kept = store::table::get_snapshot(&mut tx, snapshot.id).await.unwrap();
    let expected =
        domain::binding::Snapshot { state: SnapshotState::Inspected, found: Some(found()), ..snapshot.clone() };
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
    let values =
        || vec![Scalar::Text("é\"".into()), Scalar::Integer(i64::MIN), Scalar::Number(0.1), Scalar::Boolean(true)];
    let bound = |value, exclusive| Some(Bound { value: Scalar::Integer(value), exclusive });
    let checks = [
        Some(NullValues { column: column() }),
        Some(MissingValues { column: column(), values: values() }),
        Some(InvalidValues { column: column(), values: values() }),
        Some(InvalidPattern { column: column(), pattern: r"^\d+$".into() }),
        Some(OutOfRange { column: column(), minimum: bound(1, true), maximum: None }),
        Some(OutOfRange { column: column(), minimum: None, maximum: bound(9, false) }),
        Some(Length { column: column(), minimum: None, maximum: Some(u64::MAX) }),
        Some(NotMultipleOf { column: column(), divisor: 0.25 }),
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

fn verdict(snapshot_id: SnapshotId, binding_id: BindingId, verdict: Verdict) -> BindingVerdict {
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

async fn a_request_is_answered_once(world: World) {
    let catalog = world.catalog().await;
    let pending =
        AccessRequest { created_at: Timestamp(NOW.0 + 1), ..request(&catalog.reader, &catalog.port.port_major) };
    let decided = Decided { by: catalog.owner.id, at: NOW, reason: Some("not now".into()) };
    let rejected = pending.clone().decide(RequestState::Rejected, decided).unwrap();
    let mut tx = world.facts().await;
    store::grant::insert_request(&mut tx, &pending).await.unwrap();
    assert_eq!(store::grant::get_request(&mut tx, pending.id).await.unwrap(), pending);
    store::grant::decide_request(&mut tx, &rejected).await.unwrap();
    assert_eq!(store::grant::get_request(&mut tx, pending.id).await.unwrap(), rejected);
    assert!(matches!(store::grant::decide_request(&mut tx, &rejected).await, Err(Error::Stale(_))));
}

async fn requests_page_with_the_newest_first(world: World) {
    let catalog = world.catalog().await;
    let second =
        AccessRequest { created_at: Timestamp(NOW.0 + 1), ..request(&catalog.reader, &catalog.port.port_major) };
    let another = request(&catalog.owner, &catalog.port.port_major);
    let mut tx = world.facts().await;
    for request in [&second, &another] {
        store::grant::insert_request(&mut tx, request).await.unwrap();
    }
    let all = store::grant::list_requests(&mut tx, Whose::Everybodys, None, &Seek::first(3)).await.unwrap();
    assert_eq!((all.items, all.has_more), (vec![second.clone(), another, catalog.request.clone()], false));
    let own = Whose::Of(catalog.reader.id);
    let newest = store::grant::list_requests(&mut tx, own, None, &Seek::first(1)).await.unwrap();
    assert_eq!((newest.items, newest.has_more), (vec![second.clone()], true));
    let seek = Seek { after: Some((second.created_at, second.id)), limit: 1 };
    let rest = store::grant::list_requests(&mut tx, own, None, &seek).await.unwrap();
    assert_eq!((rest.items, rest.has_more), (vec![catalog.request], false));
    let decided = Decided { by: catalog.owner.id, at: NOW, reason: Some("not now".into()) };
    store::grant::decide_request(&mut tx, &second.decide(RequestState::Rejected, decided).unwrap()).await.unwrap();
    for (state, n_requests) in [(RequestState::Pending, 2), (RequestState::Rejected, 1), (RequestState::Approved, 0)] {
        let found =
            store::grant::list_requests(&mut tx, Whose::Everybodys, Some(state), &Seek::first(9)).await.unwrap();
        assert_eq!(found.items.len(), n_requests, "{state}");
    }
}

async fn a_list_reaches_as_far_as_the_roles_of_a_principal(world: World) {
    let catalog = world.catalog().await;
    let (holder, stranger) = (user("holder"), user("stranger"));
    let account = Principal { kind: PrincipalKind::Service { owner: stranger.id }, ..user("account") };
    let (below, beside) = (domain("sales/eu"), domain("sales-eu"));
    let mut tx = world.facts().await;
    for principal in [&holder, &stranger, &account] {
        store::identity::insert_principal(&mut tx, principal).await.unwrap();
    }
    let mut asked = vec![catalog.request.id];
    for domain in [&below, &beside] {
        store::org::insert(&mut tx, domain).await.unwrap();
        let product = product(domain, "orders");
        store::product::insert(&mut tx, &product).await.unwrap();
        let port_major = PortMajor { product_id: product.id, ..catalog.port.port_major.clone() };
        let request = request(&account, &port_major);
        store::grant::insert_request(&mut tx, &request).await.unwrap();
        store::grant::insert(&mut tx, &grant(&request, &catalog.owner)).await.unwrap();
        asked.push(request.id);
    }
    let sales = store::org::find_by_path(&mut tx, &"sales".parse().unwrap()).await.unwrap().unwrap();
    let assignment = RoleAssignment {
        id: id(RoleId::new),
        principal_id: holder.id,
        role: Role::Domain(sales.id, DomainRole::Owner),
        assigned_by: catalog.owner.id,
        assigned_at: NOW,
    };
    store::identity::insert_role(&mut tx, &assignment).await.unwrap();
    // Through the domain and those below, through what it asked for itself, and through the account it answers for.
    let reached = [
        (holder.id, vec![asked[0], asked[1]]),
        (catalog.reader.id, vec![asked[0]]),
        (stranger.id, vec![asked[1], asked[2]]),
        (account.id, vec![asked[1], asked[2]]),
        (catalog.owner.id, vec![]),
    ];
    for (principal_id, expected) in reached {
        let whose = Whose::InReachOf(principal_id);
        let requests = store::grant::list_requests(&mut tx, whose, None, &Seek::first(9)).await.unwrap().items;
        let grants = store::grant::list(&mut tx, whose, &Seek::first(9)).await.unwrap().items;
        let requests: BTreeSet<_> = requests.iter().map(|request| request.id).collect();
        let grants: BTreeSet<_> = grants.iter().map(|grant| grant.request_id).collect();
        let expected: BTreeSet<_> = expected.into_iter().collect();
        assert_eq!((&requests, &grants), (&expected, &expected), "{principal_id}");
    }

    // What was done through a binding belongs to the product of its contract.
    let [first, second] = [(&catalog.reader, catalog.binding.id), (&account, id(BindingId::new))]
        .map(|(principal, binding_id)| done_by(&catalog, principal, binding_id));
    for (lease, decision) in [&first, &second] {
        store::credential::insert(&mut tx, lease).await.unwrap();
        store::gate::insert_decision(&mut tx, decision).await.unwrap();
    }
    let reached = [
        (holder.id, vec![&first]),
        (catalog.reader.id, vec![&first]),
        (stranger.id, vec![&second]),
        (account.id, vec![&second]),
        (catalog.owner.id, vec![]),
    ];
    for (principal_id, expected) in reached {
        let whose = Whose::InReachOf(principal_id);
        let leases = store::credential::list(&mut tx, whose, &Seek::first(9)).await.unwrap().items;
        let decisions = store::gate::list_decisions(&mut tx, whose, &Seek::first(9)).await.unwrap().items;
        let expected: (Vec<_>, Vec<_>) = expected.into_iter().cloned().unzip();
        assert_eq!((leases, decisions), expected, "{principal_id}");
    }
}

/// A lease of a principal's, and the decision behind it.
fn done_by(catalog: &Catalog, principal: &Principal, binding_id: BindingId) -> (Lease, Explained) {
    let lease = Lease { principal_id: principal.id, binding_id, ..catalog.lease(LeaseState::Issued) };
    let decision = Explained {
        id: lease.decision_id,
        principal_id: principal.id,
        action: lease.action,
        binding_id,
        at: NOW,
        allowed: true,
        lines: Vec::new(),
        served: lease.snapshot_id,
        retry_at: None,
    };
    (lease, decision)
}

async fn grants_are_found_for_a_port(world: World) {
    let catalog = world.catalog().await;
    let port_major = catalog.port.port_major.clone();
    let second = grant(&catalog.request, &catalog.owner);
    let second = store::grant::insert(&mut world.facts().await, &second).await;
    assert_eq!(second.unwrap_err().violated(), Some(Constraint::GrantRequest));
    let mut reader = world.read().await;
    let found = store::grant::find_newest_for_port(&mut reader, catalog.reader.id, &port_major).await.unwrap();
    assert_eq!(found.as_ref(), Some(&catalog.grant));
    let next_major = PortMajor { major: 2, ..port_major };
    let found = store::grant::find_newest_for_port(&mut reader, catalog.reader.id, &next_major).await.unwrap();
    assert_eq!(found, None);
}

async fn a_holder_s_grants_page_with_the_newest_first(world: World) {
    let catalog = world.catalog().await;
    let mut tx = world.facts().await;
    let mut expected = vec![catalog.grant.id];
    // Two share a moment: the id decides.
    for (holder, seconds) in [(&catalog.reader, 2), (&catalog.reader, 2), (&catalog.owner, 3)] {
        let request = request(holder, &catalog.port.port_major);
        let grant = Grant { granted_at: Timestamp(NOW.0 + seconds), ..grant(&request, &catalog.owner) };
        store::grant::insert_request(&mut tx, &request).await.unwrap();
        store::grant::insert(&mut tx, &grant).await.unwrap();
        if holder.id == catalog.reader.id {
            expected.insert(0, grant.id);
        }
    }
    let (mut seen, mut seek) = (Vec::new(), Seek::first(2));
    for has_more in [true, false] {
        let page = store::grant::list(&mut tx, Whose::Of(catalog.reader.id), &seek).await.unwrap();
        assert_eq!(page.has_more, has_more);
        seek.after = page.items.last().map(|grant| (grant.granted_at, grant.id));
        seen.extend(page.items.iter().map(|grant| grant.id));
    }
    assert_eq!(seen, expected);
}

async fn a_revoke_ends_every_open_lease_of_the_grant(world: World) {
    let catalog = world.catalog().await;
    let [intended, issued, ended] =
        [LeaseState::Intended, LeaseState::Issued, LeaseState::Ended].map(|s| catalog.lease(s));
    let of_no_grant = Lease { grant_id: None, ..catalog.lease(LeaseState::Issued) };
    let mut tx = world.db.write(Lock::FactsShared).await.unwrap();
    for lease in [&intended, &issued, &ended, &of_no_grant] {
        store::credential::insert(&mut tx, lease).await.unwrap();
        assert_eq!(store::credential::get(&mut tx, lease.id).await.unwrap(), *lease);
    }
    let open = store::credential::list_open_of_grant(&mut tx, catalog.grant.id, NOW).await.unwrap();
    assert_eq!(open, std::slice::from_ref(&issued));
    assert_eq!(store::credential::list_revoked_of_grant(&mut tx, catalog.grant.id).await.unwrap(), []);
    tx.commit().await.unwrap();

    let revoked = Decided { by: catalog.owner.id, at: NOW, reason: Some("over".into()) };
    let revoked = catalog.grant.clone().revoke(revoked).unwrap();
    let mut tx = world.facts().await;
    assert_eq!(store::grant::revoke(&mut tx, &revoked).await.unwrap(), 2);
    assert_eq!(store::grant::get(&mut tx, revoked.id).await.unwrap(), revoked);
    tx.commit().await.unwrap();

    let mut tx = world.db.write(Lock::FactsShared).await.unwrap();
    assert!(!store::credential::issue(&mut tx, intended.id).await.unwrap(), "a revoke came between");
    assert!(!store::credential::end(&mut tx, issued.id).await.unwrap());
    for (lease, state) in [
        (&intended, LeaseState::Revoked),
        (&issued, LeaseState::Revoked),
        (&ended, LeaseState::Ended),
        (&of_no_grant, LeaseState::Issued),
    ] {
        assert_eq!(store::credential::get(&mut tx, lease.id).await.unwrap().state, state);
    }
    let revoked_leases = store::credential::list_revoked_of_grant(&mut tx, catalog.grant.id).await.unwrap();
    let expected = [intended, issued].map(|lease| Lease { state: LeaseState::Revoked, ..lease });
    assert_eq!(revoked_leases, expected);
    drop(tx);
    assert!(matches!(store::grant::revoke(&mut world.facts().await, &revoked).await, Err(Error::Stale(_))));
}

async fn a_lease_needs_the_lock(world: World) {
    let catalog = world.catalog().await;
    let lease = catalog.lease(LeaseState::Intended);
    let mut tx = world.db.write(Lock::Free).await.unwrap();
    assert!(matches!(store::credential::insert(&mut tx, &lease).await, Err(Error::LockNeeded)));
    drop(tx);
    let mut tx = world.facts().await;
    store::credential::insert(&mut tx, &lease).await.unwrap();
    assert!(store::credential::issue(&mut tx, lease.id).await.unwrap());
    assert!(!store::credential::issue(&mut tx, lease.id).await.unwrap());
    assert_eq!(store::credential::revoke_of_principal(&mut tx, catalog.reader.id).await.unwrap(), 1);
}

async fn leases_page_with_the_newest_first(world: World) {
    let catalog = world.catalog().await;
    let mut tx = world.facts().await;
    let mut ids = Vec::new();
    // Two share a moment: the id decides.
    for seconds in [1, 2, 2, 3] {
        let issued_at = Timestamp(NOW.0 + seconds);
        let lease = Lease { issued_at, ..catalog.lease(LeaseState::Issued) };
        store::credential::insert(&mut tx, &lease).await.unwrap();
        ids.push(lease.id);
    }
    tx.commit().await.unwrap();
    ids.reverse();
    let mut reader = world.read().await;
    let (mut seen, mut seek) = (Vec::new(), Seek::first(2));
    for has_more in [true, false] {
        let page = store::credential::list(&mut reader, Whose::Of(catalog.reader.id), &seek).await.unwrap();
        assert_eq!(page.has_more, has_more);
        seek.after = page.items.last().map(|lease| (lease.issued_at, lease.id));
        seen.extend(page.items.iter().map(|lease| lease.id));
    }
    assert_eq!(seen, ids);
    let all = store::credential::list(&mut reader, Whose::Everybodys, &Seek::first(9)).await.unwrap();
    assert_eq!(all.items.iter().map(|lease| lease.id).collect::<Vec<_>>(), ids);
}

async fn decisions_are_kept_whole(world: World) {
    let rights = [DetailRight::Column(Classification::Restricted), DetailRight::Quality, DetailRight::Owner];
    let details = rights.map(|right| Detail { right, text: "`é`".into() });
    let line = |(n, check): (usize, &Check)| Line {
        check: *check,
        outcome: LineOutcome::ALL[n % LineOutcome::ALL.len()],
        code: format!("{check}.x"),
        message: "because".into(),
        details: details[..n % 4].to_vec(),
    };
    let decision = Explained {
        id: id(DecisionId::new),
        principal_id: id(PrincipalId::new),
        action: Action::Repair,
        binding_id: id(BindingId::new),
        at: NOW,
        allowed: false,
        lines: Check::ALL.iter().enumerate().map(line).collect(),
        served: Some(id(SnapshotId::new)),
        retry_at: Some(Timestamp(NOW.0 + 1)),
    };
    let mut tx = world.db.write(Lock::Free).await.unwrap();
    store::gate::insert_decision(&mut tx, &decision).await.unwrap();
    let found = store::gate::find_decision(&mut tx, decision.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&decision));
    let of_principal = Whose::Of(decision.principal_id);
    let of_principal = store::gate::list_decisions(&mut tx, of_principal, &Seek::first(3)).await;
    assert_eq!(of_principal.unwrap().items, [decision]);
}

async fn a_row_that_fits_no_state_is_told(world: World) {
    let catalog = world.catalog().await;
    // An active version whose `since` says nothing cannot be written through the store, so a request does: answered,
    // by nobody.
    let answered =
        AccessRequest { state: RequestState::Approved, ..request(&catalog.reader, &catalog.port.port_major) };
    let mut tx = world.facts().await;
    store::grant::insert_request(&mut tx, &answered).await.unwrap();
    match store::grant::find_request(&mut tx, answered.id).await {
        Err(Error::Inconsistent { table, row, .. }) => {
            assert_eq!((table, row), ("access_requests", answered.id.to_string()));
        }
        other => panic!("{other:?}"),
    }
    let draft = version(&catalog.contract, "1.0.0", domain::contract::State::NEW);
    store::contract::insert_version(&mut tx, &draft).await.unwrap();
}
