//! Ours accept and refuse as the standards' own JSON Schemas do, over their examples and mutations of them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use documents::parse;
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::shared;

/// What we refuse beyond the schemas: the beginnings or parts of our own messages.
const EXTRA: [&str; 36] = [
    "`kind` is missing",
    "`kind` must be",
    "`apiVersion` must be one of",
    "is not a version",
    "is not a name",
    "is already used as name",
    "is already used as id",
    "another property is stored as the column",
    "would both have the name",
    "would be read as the name of a major version",
    "positions in a ",
    "the pattern cannot be matched in linear time",
    "is not a date, as `",
    "is not a date and time, as `",
    "is not a time of day, as `",
    "has a time zone, and `",
    "the rule can never run",
    "needs a unit: d, h, m or s",
    "is not a unit of time",
    "needs a number that is not negative",
    "`endOfSupport` needs a date",
    "the value is already in this enumeration",
    "is a rule over a column",
    "`invalidValues` needs",
    "`invalidValues` takes",
    "`duplicateValues` over an object needs",
    "the rule needs a condition",
    "a rule has one condition",
    "the smaller number comes first",
    "a relationship names as many columns",
    "a relationship of one property names one column",
    "names an unknown column",
    "which `tbl` does not have",
    "is not a format that tables are served in",
    "local path",
    "of port `",
];

/// The official validators of a version; a document may satisfy any of them.
fn validators(kind: &str, version: &str) -> &'static [Validator] {
    static ALL: OnceLock<BTreeMap<(String, String), Vec<Validator>>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let odcs = ["v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0"].map(|version| ("DataContract", version));
        let odps = ["v0.9.0", "v1.0.0", "v1.1.0"].map(|version| ("DataProduct", version));
        let compile = |(kind, version): (&str, &str)| {
            let schemas = shared::official(kind, version);
            let validators = schemas.iter().map(|schema| jsonschema::validator_for(schema).unwrap()).collect();
            ((kind.to_owned(), version.to_owned()), validators)
        };
        odcs.into_iter().chain(odps).map(compile).collect()
    });
    all.get(&(kind.to_owned(), version.to_owned())).map_or(&[], Vec::as_slice)
}

/// Small documents to mutate: the official examples but the largest, and the first of the vectors, which is ODCS 3.2.
fn seeds() -> Vec<Value> {
    let small = shared::examples().into_iter().filter(|(name, _)| !name.contains("adventureworks"));
    let options = serde_saphyr::options! { strict_booleans: true };
    let read = |text: String| serde_saphyr::from_str_with_options(&text, options.clone()).unwrap();
    let mut seeds: Vec<Value> = small.map(|(_, text)| read(text)).collect();
    if let Some(folder) = shared::folder("vectors") {
        let text = std::fs::read_to_string(folder.join("contract-gate.jsonl")).unwrap();
        for line in text.lines().filter(|line| line.contains("\"map\"") || line.contains("dimensions")).take(2) {
            let vector: Value = serde_json::from_str(line).unwrap();
            seeds.push(vector["new"].clone());
        }
    }
    seeds
}

/// The paths of all values below the root.
fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
    let mut below = |step: &str, value: &Value| {
        let path = format!("{at}/{}", step.replace('~', "~0").replace('/', "~1"));
        found.push(path.clone());
        paths(value, &path, found);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| below(key, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| below(&at.to_string(), value)),
        _ => {}
    }
}

/// Fields of the standards, to be put where they may not belong.
const FIELDS: [&str; 16] = [
    "id",
    "name",
    "type",
    "rule",
    "metric",
    "mustBe",
    "vendor",
    "enum",
    "map",
    "items",
    "context",
    "tags",
    "url",
    "description",
    "port",
    "unknown",
];

/// Changes one thing of a document.
fn mutate(document: &mut Value, pick: usize, kind: usize, what: usize) {
    let mut all = Vec::new();
    paths(document, "", &mut all);
    let path = all[pick % all.len()].clone();
    let (parent, last) = path.rsplit_once('/').unwrap();
    let last = last.replace("~1", "/").replace("~0", "~");
    let values = [
        json!(null),
        json!(true),
        json!(7),
        json!(1.5),
        json!("word"),
        json!([]),
        json!({}),
        json!(["a", "b"]),
        json!({"name": "x"}),
        json!(-1),
        json!("library"),
        json!("sql"),
        json!("string"),
        json!("integer"),
        json!("object"),
    ];
    match (kind % 4, document.pointer_mut(parent).unwrap()) {
        (0, Value::Object(map)) => drop(map.shift_remove(&last)),
        (0, Value::Array(items)) => drop(items.remove(last.parse::<usize>().unwrap())),
        (1, _) => *document.pointer_mut(&path).unwrap() = values[what % values.len()].clone(),
        (2, Value::Object(map)) => {
            map.insert(FIELDS[what % FIELDS.len()].to_owned(), values[(what / FIELDS.len()) % values.len()].clone());
        }
        _ => {
            // A value from elsewhere in the document.
            let other = document.pointer(&all[what % all.len()]).unwrap().clone();
            *document.pointer_mut(&path).unwrap() = other;
        }
    }
}

#[test]
fn mutated_examples_are_accepted_or_refused_as_the_official_schemas_do() {
    let seeds = seeds();
    if seeds.is_empty() {
        return;
    }
    let n_cases = std::env::var("CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1_500);
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(n_cases) });
    let (mut n_accepted, mut n_refused, mut n_extra) = (0, 0, 0);
    let strategy = (0..seeds.len(), 0..8_usize, prop::collection::vec(any::<[u16; 3]>(), 1..3));
    let outcome = std::cell::RefCell::new((&mut n_accepted, &mut n_refused, &mut n_extra));
    runner
        .run(&strategy, |(seed, version, mutations)| {
            let mut document = seeds[seed].clone();
            let versions: &[&str] = match document["kind"].as_str() {
                Some("DataContract") => &["v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0"],
                _ => &["v0.9.0", "v1.0.0", "v1.1.0"],
            };
            // Half of the cases keep their own version.
            if let Some(version) = versions.get(version) {
                document["apiVersion"] = json!(version);
            }
            for [pick, kind, what] in mutations {
                mutate(&mut document, pick.into(), kind.into(), what.into());
            }
            let kind = document["kind"].as_str().unwrap_or_default();
            let version = document["apiVersion"].as_str().unwrap_or_default();
            let official = validators(kind, version);
            let ours = parse(document.to_string().as_bytes());
            let mut outcome = outcome.borrow_mut();
            match (official.iter().any(|schema| schema.is_valid(&document)), ours) {
                (true, Ok(_)) => *outcome.0 += 1,
                (false, Err(_)) => *outcome.1 += 1,
                (true, Err(problems)) => {
                    *outcome.2 += 1;
                    let explained = |message: &str| EXTRA.iter().any(|extra| message.contains(extra));
                    let unexplained: Vec<_> = problems.iter().filter(|problem| !explained(&problem.message)).collect();
                    prop_assert!(unexplained.is_empty(), "refused: {unexplained:?}\n{document}");
                }
                (false, Ok(_)) => {
                    let errors: Vec<_> = official.iter().flat_map(|schema| schema.iter_errors(&document)).collect();
                    let errors: Vec<_> =
                        errors.iter().map(|error| format!("{}: {error}", error.instance_path())).collect();
                    prop_assert!(false, "accepted, though: {errors:?}\n{document}");
                }
            }
            Ok(())
        })
        .unwrap();
    println!("{n_accepted} accepted and {n_refused} refused by both, {n_extra} refused by checks of ours");
}
