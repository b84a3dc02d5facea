//! The JSON in text columns, on both databases: its bytes are those of `json.txt`, in which every variant occurs. Rows
//! outlive the program that wrote them, so a change of that file needs a migration. `UPDATE_GOLDEN=1` rewrites it.

use domain::change::FindingRecord;
use domain::contract::State;
use domain::id::{DecisionId, OverrideId, SnapshotId};
use domain::overrides::Override;
use domain::quality::Verdict;
use domain::registry::{Reference, Schema};
use domain::table::SnapshotKey;
use domain::version::Bump;

use crate::world::{NOW, World, id, version};

crate::suite! {
    stored_json_has_the_same_bytes,
}

/// The columns that hold JSON, each with the query that reads the one row of this test.
const COLUMNS: &[(&str, &str)] = &[
    ("contract_versions.reasons", "SELECT reasons FROM contract_versions"),
    ("snapshots.physical_schema", "SELECT physical_schema FROM snapshots"),
    ("verdicts.conformance", "SELECT conformance FROM verdicts"),
    ("verdicts.results", "SELECT results FROM verdicts"),
    ("decisions.lines", "SELECT lines FROM decisions"),
    ("overrides.findings", "SELECT findings FROM overrides"),
    ("schemas.refs", "SELECT refs FROM schemas"),
];

async fn stored_json_has_the_same_bytes(world: World) {
    let catalog = world.catalog().await;
    let mut tx = world.facts().await;
    let reasons = vec!["it breaks `1.0.0`".into(), "\"é\"\n".into()];
    let draft = version(&catalog.contract, "1.0.0", State::Draft { reasons, released_at: None });
    store::contract::insert_version(&mut tx, &draft).await.unwrap();

    let snapshot_id = id(SnapshotId::new);
    let key = SnapshotKey::DeltaVersion(0);
    store::table::notice(&mut tx, snapshot_id, catalog.table.id, key, NOW).await.unwrap();
    store::table::set_inspected(&mut tx, snapshot_id, Ok(&crate::table::found())).await.unwrap();
    let verdict = crate::table::verdict(snapshot_id, catalog.binding.id, Verdict::Pass);
    store::binding::put_verdict(&mut tx, &verdict).await.unwrap();

    let decision = crate::gate::decision(id(DecisionId::new));
    store::gate::insert_decision(&mut tx, &decision).await.unwrap();

    let finding = |(n, bump): (usize, Bump)| FindingRecord {
        path: format!("orders.c{n}"),
        rule: "column.removed.required".into(),
        history_safe: n % 2 == 0,
        consumer_safe: n % 3 == 0,
        bump,
        message: "it was \"removed\"\n".into(),
        before: None,
        after: None,
        proof: (n > 0).then(|| "no row has one".into()),
    };
    let bumps = [Bump::None, Bump::Patch, Bump::Minor, Bump::Major];
    let accepted = Override {
        id: id(OverrideId::new),
        contract_id: catalog.contract.id,
        version: "1.2.3".parse().unwrap(),
        since: "1.0.4".parse().unwrap(),
        findings: bumps.into_iter().enumerate().map(finding).collect(),
        reason: "no reader uses it".into(),
        steward: catalog.owner.id,
        created_at: NOW,
        expires_at: NOW,
        revoked: None,
    };
    store::overrides::insert(&mut tx, &accepted, &domain::audit::Key::new([7; 32])).await.unwrap();

    let reference = Reference { name: "a \"quoted\".proto".into(), subject: ":.ctx:a".parse().unwrap(), version: 1 };
    let schema = Schema { references: vec![reference], ..crate::registry::schema(7, ".", "d") };
    store::registry::insert_schema(&mut tx, &schema).await.unwrap();
    tx.commit().await.unwrap();

    let mut stored = String::new();
    for (column, query) in COLUMNS {
        stored += &format!("{column}\n{}\n\n", world.text(query).await);
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/json.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(file, &stored).unwrap();
    }
    assert_eq!(stored, std::fs::read_to_string(file).unwrap());
}
