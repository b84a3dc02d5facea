//! Table schemas: the shared vectors, the shapes that are read, and rules by field id.

use documents::table_schema::{TableSchemaError, parse};
use domain::change::message::all_compatible;
use domain::change::table::{Mode, Schema, compare};
use serde_json::{Value, json};

use crate::shared;

/// The names of differences, in order; those that break with a `!`.
fn names(old: &Schema, new: &Schema, mode: &str) -> Vec<String> {
    let differences = compare(old, new, mode.parse().unwrap()).unwrap();
    let name = |name: &str, compatible: bool| if compatible { name.to_owned() } else { format!("{name}!") };
    differences.iter().map(|difference| name(difference.name, difference.compatible)).collect()
}

#[test]
fn every_vector_of_tables_is_judged_as_it_says() {
    let Some(folder) = shared::folder("vectors") else { return };
    let text = std::fs::read_to_string(folder.join("table-compat.jsonl")).unwrap();
    let (mut n_rows, mut wrong) = (0, Vec::new());
    for line in text.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let (old, new) = (parse(&vector["old"]).unwrap(), parse(&vector["new"]).unwrap());
        let mode: Mode = vector["mode"].as_str().unwrap().parse().unwrap();
        let differences = compare(&old, &new, mode).unwrap();
        n_rows += 1;
        let is_named = |rule: &str| differences.iter().any(|found| found.name == rule && !found.compatible);
        let is_right = Some(all_compatible(&differences)) == vector["backward"].as_bool()
            && vector["rule"].as_str().is_none_or(is_named);
        if !is_right {
            wrong.push(format!("{} {}: {differences:?}", vector["id"], vector["case"]));
        }
        assert_eq!(compare(&old, &old, mode), Ok(Vec::new()));
    }
    assert!(wrong.is_empty(), "{} of {n_rows} wrong:\n{}", wrong.len(), wrong.join("\n"));
    println!("all {n_rows} vectors agree");
}
