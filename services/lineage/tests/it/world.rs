//! Names, events and edges for the tests.

use domain::id::{DomainId, PrincipalId, TableId};
use lineage::edge::{Edge, Holder, Node, Speaker};
use lineage::name::Dataset;
use lineage::observe::Ledger;
use lineage::openlineage::Event;
use lineage::resolve::Directory;
use lineage::settle::settle;
use uuid::Uuid;

pub(crate) const SPARK: &str = include_str!("events/spark.ndjson");
pub(crate) const AIRFLOW: &str = include_str!("events/airflow.ndjson");
pub(crate) const PYTHON: &str = include_str!("events/python.ndjson");
pub(crate) const DBT: &str = include_str!("events/dbt.ndjson");

pub(crate) fn table(number: u128) -> TableId {
    TableId(Uuid::from_u128(number))
}

pub(crate) fn domain(number: u128) -> DomainId {
    DomainId(Uuid::from_u128(number))
}

pub(crate) fn speaker(number: u128) -> Speaker {
    Speaker::Principal(PrincipalId(Uuid::from_u128(number)))
}

pub(crate) fn dataset(namespace: &str, name: &str) -> Dataset {
    Dataset::new(namespace, name).unwrap()
}

pub(crate) fn events(lines: &str) -> Vec<Event> {
    lines.lines().map(|line| Event::read(line.as_bytes()).unwrap()).collect()
}

/// An event of a run, with facets in full.
pub(crate) fn run_event(time: &str, run: u128, job: &str, rest: &str) -> Event {
    let run = Uuid::from_u128(run);
    let text = format!(
        r#"{{"eventTime":"2026-01-01T{time}Z","producer":"p","schemaURL":"s","run":{{"runId":"{run}"}},
        "job":{{"namespace":"jobs","name":"{job}"}}{rest}}}"#
    );
    Event::read(text.as_bytes()).unwrap()
}

pub(crate) fn ledger(events: &[Event]) -> Ledger {
    let mut ledger = Ledger::default();
    for event in events {
        ledger.apply(speaker(1), event).unwrap();
    }
    ledger
}

pub(crate) fn settled(events: &[Event], directory: &Directory) -> Vec<Edge> {
    let ledger = ledger(events);
    let said: Vec<_> = ledger.claims(speaker(1)).collect();
    settle(speaker(1), &said, directory).into_keys().collect()
}

/// One line for each edge: `from -> to (basis)`.
pub(crate) fn lines(edges: &[Edge]) -> Vec<String> {
    let mut lines: Vec<String> =
        edges.iter().map(|edge| format!("{} -> {} ({})", short(&edge.from), short(&edge.to), edge.basis)).collect();
    lines.sort();
    lines.dedup();
    lines
}

pub(crate) fn short(node: &Node) -> String {
    let holder = match &node.holder {
        Holder::Table(id) => format!("table {}", id.0.as_u128()),
        Holder::Dataset(dataset) => dataset.to_string(),
        Holder::Job(job) => format!("job {job}"),
        Holder::Principal(id) => format!("principal {}", id.0.as_u128()),
    };
    node.column.iter().fold(holder, |holder, column| format!("{holder} . {column}"))
}
