//! The order of events, and how often they come, change nothing.

use domain::clock::Timestamp;
use lineage::claim::Claim;
use lineage::edge::Node;
use lineage::observe::{Error, Ledger};
use lineage::openlineage::{Event, MAX_DATASETS};
use lineage::resolve::Directory;
use proptest::prelude::*;

use crate::world::{AIRFLOW, DBT, PYTHON, SPARK, events, ledger, run_event, settled, speaker};

fn every_event() -> Vec<Event> {
    let mut all: Vec<Event> = [SPARK, AIRFLOW, PYTHON, DBT].iter().flat_map(|lines| events(lines)).collect();
    // Statements that replace each other, at one time and at several, and withdrawals.
    for (time, rest) in [
        (
            "10:00:00",
            r#""job":{"namespace":"j","name":"d"},"inputs":[{"namespace":"n","name":"a"}],"outputs":[{"namespace":"n","name":"b"}]"#,
        ),
        (
            "10:00:00",
            r#""job":{"namespace":"j","name":"d"},"inputs":[{"namespace":"n","name":"c"}],"outputs":[{"namespace":"n","name":"b"}]"#,
        ),
        ("11:00:00", r#""job":{"namespace":"j","name":"d"}"#),
        ("10:00:00", r#""dataset":{"namespace":"n","name":"b","facets":{"lineage":{"inputs":[]}}}"#),
        (
            "10:30:00",
            r#""dataset":{"namespace":"n","name":"b","facets":{"lineage":{"_deleted":true},"symlinks":{"identifiers":[{"namespace":"m","name":"b","type":"TABLE"}]}}}"#,
        ),
        ("09:00:00", r#""dataset":{"namespace":"n","name":"b","facets":{"symlinks":{"_deleted":true}}}"#),
    ] {
        let text = format!(r#"{{"eventTime":"2026-01-01T{time}Z","producer":"p","schemaURL":"s",{rest}}}"#);
        all.push(Event::read(text.as_bytes()).unwrap());
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn shuffled_and_duplicated_events_give_the_same_ledger(
        order in Just(every_event().into_iter().enumerate().map(|(place, event)| (place / 10 % 2, event)).collect::<Vec<_>>())
            .prop_shuffle(),
        duplicates in prop::collection::vec(0..40_usize, 0..30),
    ) {
        let apply = |events: &[(usize, Event)]| {
            let mut ledger = Ledger::default();
            for (by, event) in events {
                ledger.apply(speaker(*by as u128), event).unwrap();
            }
            ledger
        };
        let mut in_order = order.clone();
        in_order.sort_by_key(|(_, event)| event.digest);
        let mut more = order.clone();
        more.extend(duplicates.iter().filter_map(|place| order.get(*place).cloned()));
        prop_assert_eq!(apply(&more), apply(&in_order));
    }
}

#[test]
fn of_statements_the_newest_holds_and_of_runs_all() {
    let all = every_event();
    let ledger = ledger(&all[all.len() - 6..]);
    let claims: Vec<_> = ledger.claims(speaker(1)).map(|(_, claim, _)| claim.clone()).collect();
    // The newest design names nothing, the explicit lineage was withdrawn, the symlink is newer than its withdrawal.
    assert!(matches!(&claims[..], [Claim::Alias { other, .. }] if other.name() == "b"), "{claims:?}");
}

#[test]
fn the_events_of_one_run_are_taken_together() {
    let input = r#","eventType":"START","inputs":[{"namespace":"n","name":"a"}]"#;
    let output = r#","eventType":"COMPLETE","outputs":[{"namespace":"n","name":"b"}]"#;
    let flows = |events: &[Event]| {
        let ledger = ledger(events);
        let flows: Vec<_> = ledger
            .claims(speaker(1))
            .filter(|(_, claim, _)| matches!(claim, Claim::Flow { basis: lineage::edge::Basis::Together, .. }))
            .map(|(_, _, seen)| seen)
            .collect();
        flows
    };
    let one_run = [run_event("08:00:00", 1, "j", input), run_event("09:00:00", 1, "j", output)];
    let two_runs = [run_event("08:00:00", 1, "j", input), run_event("09:00:00", 2, "j", output)];
    let seen = flows(&one_run)[0];
    let hour = |hour: &str| Timestamp::parse_rfc3339(&format!("2026-01-01T{hour}:00:00Z")).unwrap();
    assert_eq!((seen.first, seen.last), (hour("08"), hour("09")));
    let in_place = r#","inputs":[{"namespace":"n","name":"a"}],"outputs":[{"namespace":"n","name":"a"}]"#;
    assert!(flows(&[run_event("08:00:00", 1, "j", in_place)]).is_empty(), "a table is not made from itself");
    assert!(flows(&two_runs).is_empty(), "what different runs of a job touch does not belong together");
}

#[test]
fn claims_and_nodes_survive_a_store() {
    let ledger = ledger(&every_event());
    for (_, claim, _) in ledger.claims(speaker(1)) {
        let text = serde_json::to_string(claim).unwrap();
        assert_eq!(serde_json::from_str::<Claim>(&text).unwrap(), *claim, "{text}");
    }
    for edge in settled(&every_event(), &Directory::default()) {
        for node in [edge.from, edge.to] {
            assert_eq!(Node::from_key(&node.key()), Some(node));
        }
    }
    for key in [&[][..], &[0], &[1, 2], &[2, b'a'], &[9; 40]] {
        assert_eq!(Node::from_key(key), None, "{key:?}");
    }
}

#[test]
fn a_run_cannot_grow_without_bound() {
    let mut ledger = Ledger::default();
    let event = |from: usize, n_inputs: usize| {
        let one = |number| format!(r#"{{"namespace":"n","name":"{number}"}}"#);
        let inputs = (from..from + n_inputs).map(one).collect::<Vec<_>>().join(",");
        run_event("08:00:00", 1, "j", &format!(r#","inputs":[{inputs}]"#))
    };
    ledger.apply(speaker(1), &event(0, MAX_DATASETS)).unwrap();
    let before = ledger.clone();
    ledger.apply(speaker(1), &event(0, MAX_DATASETS)).unwrap();
    assert_eq!(ledger.apply(speaker(1), &event(MAX_DATASETS, 1)), Err(Error::RunTooLarge));
    assert_eq!(ledger, before, "a refused event changes nothing");
    // Each of two events is small enough, and their pairs are too many.
    let side = |side: &str, n_datasets: usize| {
        let one = |number| format!(r#"{{"namespace":"n","name":"{side}{number}"}}"#);
        let names = (0..n_datasets).map(one).collect::<Vec<_>>().join(",");
        run_event("08:00:00", 2, "j", &format!(r#","{side}":[{names}]"#))
    };
    ledger.apply(speaker(1), &side("inputs", 200)).unwrap();
    assert_eq!(ledger.apply(speaker(1), &side("outputs", 101)), Err(Error::RunTooLarge));
    ledger.apply(speaker(1), &side("outputs", 100)).unwrap();
}
