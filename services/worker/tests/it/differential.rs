//! Random tables under random contracts: the worker counts for every rule what DuckDB counts (`tests/differential`).
//!
//! `CHARTER_DIFFERENTIAL` sets how many pairs of a table and a rule are compared, `CHARTER_DIFFERENTIAL_SEED` the seed
//! of the first table; the next table has the next seed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use documents::Document;
use domain::contract;
use domain::inspection::Inspection;
use domain::quality::{Measured, Rule};
use serde_json::Value;
use tempfile::TempDir;

use crate::clients::clients;
use crate::shared::found;
use crate::support::{delta, folder};

/// How many pairs are compared unless the environment says otherwise.
const N_PAIRS: u64 = 2_000;
/// The rules of one table.
const RULES_PER_TABLE: u64 = 40;
/// The tables that one process of DuckDB makes.
const TABLES_PER_BATCH: u64 = 50;

#[test]
fn rules_count_what_duckdb_counts() {
    let Some(python) = clients().map(|clients| clients.join("bin/python")) else { return };
    let imported = Command::new(&python).args(["-c", "import duckdb; print(duckdb.__file__)"]).output().unwrap();
    let Some(_) = found("DuckDB for Python", String::from_utf8(imported.stdout).unwrap().trim().into()) else { return };
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let first = number("CHARTER_DIFFERENTIAL_SEED").unwrap_or(0);
    let n_tables = number("CHARTER_DIFFERENTIAL").unwrap_or(N_PAIRS).div_ceil(RULES_PER_TABLE);
    let (mut n_pairs, mut differences) = (0, Vec::new());
    for start in (0..n_tables).step_by(TABLES_PER_BATCH.try_into().unwrap()) {
        let n_in_batch = TABLES_PER_BATCH.min(n_tables - start);
        let made = make(&python, first + start, n_in_batch);
        for index in 0..n_in_batch {
            let seed = first + start + index;
            n_pairs += compare(&made.path().join(index.to_string()), seed, &mut differences);
        }
    }
    println!("{n_pairs} pairs of {n_tables} tables, from CHARTER_DIFFERENTIAL_SEED={first} on");
    let n_differences = differences.len();
    differences.truncate(50);
    assert!(differences.is_empty(), "{n_differences} of {n_pairs} pairs differ:\n{}", differences.join("\n"));
}

/// Has DuckDB's side made in a folder for each table.
fn make(python: &Path, seed: u64, n_tables: u64) -> TempDir {
    let folder = TempDir::new().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/differential/counts.py");
    let mut command = Command::new(python);
    // The folder of the sources stays as it is.
    command.arg("-B").arg(script).arg(folder.path());
    for (option, value) in [("--seed", seed), ("--tables", n_tables), ("--rules", RULES_PER_TABLE)] {
        command.args([option, &value.to_string()]);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "CHARTER_DIFFERENTIAL_SEED={seed}: {}", String::from_utf8_lossy(&output.stderr));
    folder
}

/// Compares all rules of one table; returns their number.
fn compare(case: &Path, seed: u64, differences: &mut Vec<String>) -> u64 {
    let expected: Value = serde_json::from_slice(&fs::read(case.join("expected.json")).unwrap()).unwrap();
    let rules = rules(case, seed);
    let wanted = expected["rules"].as_array().unwrap();
    let ordered: Vec<Rule> = wanted
        .iter()
        .map(|entry| {
            let place = (entry["object"].as_str().unwrap(), entry["key"].as_str().unwrap());
            let rule = rules.get(&(place.0.to_owned(), place.1.to_owned()));
            rule.unwrap_or_else(|| panic!("seed {seed}: the contract has no rule {place:?}")).clone()
        })
        .collect();
    assert_eq!(rules.len(), wanted.len(), "seed {seed}: DuckDB's side knows other rules");
    match inspect(case, &expected, ordered.clone()) {
        Ok(inspection) => {
            for ((entry, rule), measured) in wanted.iter().zip(&ordered).zip(&inspection.measured) {
                if !is_equal(&entry["expected"], measured) {
                    let (object, expected) = (&entry["object"], &entry["expected"]);
                    differences.push(format!(
                        "CHARTER_DIFFERENTIAL_SEED={seed} CHARTER_DIFFERENTIAL=1: {object} {}: expected {expected}, \
                         measured {measured:?}, {:?}",
                        rule.key, rule.check
                    ));
                }
            }
        }
        Err(error) => differences.push(format!("CHARTER_DIFFERENTIAL_SEED={seed} CHARTER_DIFFERENTIAL=1: {error:?}")),
    }
    ordered.len() as u64
}

/// The rules of the contract by their objects and keys.
fn rules(case: &Path, seed: u64) -> BTreeMap<(String, String), Rule> {
    let parsed = documents::parse(&fs::read(case.join("contract.json")).unwrap());
    let parsed = parsed.unwrap_or_else(|problems| panic!("seed {seed}: {problems:?}"));
    let Document::Contract(contract) = parsed.document else { panic!("seed {seed}: no contract") };
    let of_object = |object: &contract::SchemaObject| {
        let rules = contract::rules(object).unwrap();
        let name = object.name.clone();
        rules.into_iter().map(move |rule| ((name.clone(), rule.key.clone()), rule)).collect::<Vec<_>>()
    };
    contract.objects.iter().flat_map(of_object).collect()
}

fn inspect(case: &Path, expected: &Value, rules: Vec<Rule>) -> Result<Inspection, domain::inspection::InspectionError> {
    let table = case.join("table").canonicalize().unwrap();
    let found = if expected["format"] == "delta" { delta(&table, 0, rules) } else { folder(&table, rules) };
    found.map(|found| found.inspection)
}

/// Whether a number was measured that is the expected one, or as near to it as it may be; or an error, if that is
/// expected.
fn is_equal(expected: &Value, measured: &Measured) -> bool {
    match measured {
        Measured::Value(measured) => match (expected.as_f64(), expected.get("value").and_then(Value::as_f64)) {
            (Some(exact), _) => *measured == exact,
            (None, Some(near)) => (measured - near).abs() <= expected["within"].as_f64().unwrap(),
            (None, None) => false,
        },
        Measured::Error(_) => expected == "error",
        Measured::NotRun => false,
    }
}
