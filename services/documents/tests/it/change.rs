//! The change engine over whole documents: the shared vectors of the normative table, and properties.

use documents::{Document, ParsedDocument, Problem, parse, parse_to_compare};
use domain::change::{Finding, Options, Proofs, Rule, compare, compare_with, required_bump};
use domain::contract;
use domain::version::Bump;
use serde_json::Value;

use crate::shared;

fn contract(document: &Value) -> contract::Document {
    in_document(parse(document.to_string().as_bytes()))
}

#[track_caller]
fn in_document(read: Result<ParsedDocument, Vec<Problem>>) -> contract::Document {
    match read {
        Ok(ParsedDocument { document: Document::Contract(contract), .. }) => contract,
        Ok(_) => panic!("not a contract"),
        Err(problems) => panic!("{problems:#?}"),
    }
}

/// Backward, forward and bump, as the vectors have them: documents that differ at all need a PATCH.
fn judged(old: &Value, new: &Value, findings: &[Finding]) -> (bool, bool, Bump) {
    let least = if old == new { Bump::None } else { Bump::Patch };
    let history_safe = findings.iter().all(Finding::history_safe);
    let consumer_safe = findings.iter().all(Finding::consumer_safe);
    (history_safe, consumer_safe, required_bump(findings).max(least))
}

/// The options that a vector is judged under: its own order of classification, and what lowers the bump.
fn options(vector: &Value, proofs: Proofs, allow_widening: bool) -> Options {
    let order = vector["classificationOrder"].as_array().map_or(&[][..], Vec::as_slice);
    let classification_order = order.iter().map(|word| word.as_str().unwrap().to_owned()).collect();
    Options { proofs, allow_widening, classification_order, readers_keep_up: false }
}

#[test]
fn every_vector_of_the_normative_table_is_judged_as_it_says() {
    let Some(folder) = shared::folder("vectors") else { return };
    let text = std::fs::read_to_string(folder.join("contract-gate.jsonl")).unwrap();
    let (mut n_rows, mut wrong) = (0, Vec::new());
    for line in text.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let (old, new) = (&vector["old"], &vector["new"]);
        let (before, after) = (contract(old), contract(new));
        for (key, options) in [
            ("bump", options(&vector, Proofs::None, false)),
            ("relaxed", options(&vector, Proofs::None, true)),
            ("withDataProof", options(&vector, Proofs::All, false)),
        ] {
            let findings = compare_with(&before, &after, &options);
            // What is not said to be lowered by anything is not.
            let expected = vector[key].as_str().or(vector["bump"].as_str()).unwrap();
            let expected = (&vector["backward"], &vector["forward"], expected);
            let (backward, forward, bump) = judged(old, new, &findings);
            n_rows += 1;
            if (&Value::from(backward), &Value::from(forward), bump.as_str()) != expected {
                let (id, row, change) = (&vector["id"], &vector["row"], &vector["change"]);
                let found = format!("{backward} {forward} {bump}, not {expected:?}: {findings:#?}");
                wrong.push(format!("{id} row {row} {change} ({key}): {found}"));
            }
        }
        assert!(compare(&after, &after).is_empty());
    }
    assert!(wrong.is_empty(), "{} of {n_rows} wrong:\n{}", wrong.len(), wrong.join("\n"));
    println!("all {n_rows} judgements agree");
}

/// What only our own checks refuse is compared like everything else.
#[test]
fn what_the_standard_accepts_is_compared() {
    let text = r#"
apiVersion: v3.2.0
kind: DataContract
id: orders
version: 1.0.0
domain: Sales
customProperties:
- {property: gateMode, value: open}
servers:
- {server: lake, type: local, path: /up, format: csv}
slaProperties:
- {property: frequency, value: 4}
- {property: retention, value: 6, unit: moons}
schema:
- name: Order lines
  properties:
  - {name: a, logicalType: string, primaryKey: true, primaryKeyPosition: 3, logicalTypeOptions: {pattern: "(?=a)"}}
  - {name: b, logicalType: array, items: {name: element, logicalType: string}}
"#;
    let read = |text: &str| in_document(parse_to_compare(text.as_bytes()));
    let old = read(text);
    for (from, to, rules) in [
        ("domain: Sales", "domain: Sold", &[Rule::Undetermined][..]),
        ("value: open", "value: shut", &[Rule::Undetermined]),
        ("path: /up", "path: /down", &[Rule::ServerChanged]),
        ("format: csv", "format: json", &[Rule::ServerChanged]),
        ("frequency, value: 4", "frequency, value: 5", &[Rule::SlaWorsened]),
        ("value: 6, unit: moons", "value: 7, unit: moons", &[Rule::SlaImproved]),
        ("primaryKeyPosition: 3", "primaryKeyPosition: 4", &[Rule::Documentation]),
        ("(?=a)", "(?=b)", &[Rule::ConstraintChanged]),
        ("name: element", "name: item", &[Rule::Documentation]),
        ("name: element, ", "", &[Rule::Documentation]),
    ] {
        assert!(text.contains(from), "{from}");
        let found: Vec<_> = compare(&old, &read(&text.replace(from, to))).iter().map(|it| it.rule).collect();
        assert_eq!(found, rules, "{from} to {to}");
    }
}
