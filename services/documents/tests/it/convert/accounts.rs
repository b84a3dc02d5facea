//! Every field of a contract that has everything is in the export or in the list of what is lost.

use documents::convert::{Dialect, Target, export};
use serde_json::Value;

use super::{TARGETS, parsed_by_its_target};

const EVERYTHING: &str = include_str!("everything.odcs.yaml");

/// The leaves of a document that can be recognised: texts and numbers, with their pointers.
fn leaves(value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| leaves(value, &format!("{path}/{key}"), found)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| leaves(item, &format!("{path}/{index}"), found));
        }
        Value::String(text) => found.push((path.to_owned(), text.clone())),
        Value::Number(number) => found.push((path.to_owned(), number.to_string())),
        _ => {}
    }
}

/// What says a value in other words: types, and flags that are keywords.
fn is_translated(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap();
    matches!(last, "apiVersion" | "kind" | "logicalType" | "physicalType" | "format" | "type" | "metric" | "mustBe")
        || matches!(last, "primaryKeyPosition" | "partitionKeyPosition" | "property" | "to" | "physicalName")
        || path.contains("/relationships/")
}

#[test]
fn every_field_is_kept_or_reported_as_lost() {
    let document: Value = serde_saphyr::from_str(EVERYTHING).unwrap();
    let mut all = Vec::new();
    leaves(&document, "", &mut all);
    assert!(all.len() > 150, "{}", all.len());
    for (target, _) in TARGETS {
        let exported = export(EVERYTHING.as_bytes(), target, None).unwrap_or_else(|problems| panic!("{problems:#?}"));
        parsed_by_its_target(target, &exported.text);
        // Escapes of the targets, undone as far as these values need it.
        let text = exported.text.replace("\\\"", "\"").replace("\\\\", "\\").replace("\\_", "_").replace("\\", "");
        let (mut n_held, mut n_lost) = (0, 0);
        for (path, value) in &all {
            let is_lost = |lost: &str| path == lost || path.starts_with(&format!("{lost}/"));
            if exported.lost.iter().any(|lost| is_lost(&lost.path)) {
                n_lost += 1;
                continue;
            }
            assert!(
                text.contains(value.trim()) || is_translated(path),
                "{target:?}: {path} (`{value}`) is neither written nor lost\n{}",
                exported.text
            );
            n_held += 1;
        }
        println!("{target:?}: {n_held} held, {n_lost} lost");
        assert!(n_held > 0);
        if matches!(target, Target::Markdown | Target::Html) {
            assert!(exported.lost.is_empty(), "{:#?}", exported.lost);
        }
    }
}

#[test]
fn losses_are_reported_with_their_place() {
    let lost = |target: Target| {
        let exported = export(EVERYTHING.as_bytes(), target, None).unwrap();
        exported.lost.into_iter().map(|note| note.path).collect::<Vec<_>>()
    };
    for target in [Target::Avro, Target::JsonSchema, Target::Protobuf, Target::Delta] {
        let lost = lost(target);
        assert!(lost.contains(&"/servers".to_owned()) && lost.contains(&"/team".to_owned()), "{lost:?}");
        // A measure is no column, and a struct alone has no place for what is not of its columns.
        let measure = "/schema/0/properties/10";
        let of_columns = lost.iter().filter(|path| path.starts_with("/schema/0/properties"));
        assert!(of_columns.clone().all(|path| target == Target::Delta && path == measure), "{lost:?}");
    }
    let sql = lost(Target::Sql(Dialect::Postgres));
    for expected in ["/schema/0/properties/0/classification", "/slaProperties", "/schema/0/properties/3/properties"] {
        assert!(sql.contains(&expected.to_owned()), "{expected}: {sql:#?}");
    }
    assert!(!sql.contains(&"/schema/0/properties/0/description".to_owned()));
}
