//! Properties over generated schemas, and over what only resembles one.

use std::collections::BTreeMap;

use documents::avro::{canonical, normalise, parse, parse_new};
use domain::change::avro::compare;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{reads, schema};

/// How deep generated types are nested, and how large they are.
const DEPTH: u32 = 4;

/// A valid type; the names of the named ones are made different by [`rename`].
fn types() -> impl Strategy<Value = Value> {
    let primitive = prop::sample::select(vec!["boolean", "int", "long", "float", "double", "bytes", "string"]);
    let symbols = prop::sample::subsequence(vec!["A", "B", "C", "D"], 1..=4);
    let leaf = prop_oneof![
        4 => primitive.prop_map(|word| json!(word)),
        1 => (1..4_u32).prop_map(|size| json!({"type": "fixed", "name": "F", "size": size})),
        1 => (symbols, any::<bool>()).prop_map(|(symbols, has_default)| match has_default {
            true => json!({"type": "enum", "name": "E", "symbols": symbols, "default": symbols[0]}),
            false => json!({"type": "enum", "name": "E", "symbols": symbols}),
        }),
    ];
    leaf.prop_recursive(DEPTH, 40, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|items| json!({"type": "array", "items": items})),
            inner.clone().prop_map(|values| json!({"type": "map", "values": values})),
            inner.clone().prop_map(|branch| match branch {
                Value::Array(_) => branch,
                branch => json!(["null", branch]),
            }),
            prop::collection::vec(inner, 0..4).prop_map(|types| {
                let fields = types.into_iter().enumerate();
                let fields: Vec<_> =
                    fields.map(|(index, part)| json!({"name": format!("f{index}"), "type": part})).collect();
                json!({"type": "record", "name": "R", "fields": fields})
            }),
        ]
    })
    .prop_map(|mut value| {
        rename(&mut value, &mut 0);
        value
    })
}

/// Numbers the names of types, so that none is defined twice.
fn rename(value: &mut Value, n_names: &mut usize) {
    match value {
        Value::Object(map) => {
            if map.contains_key("type") && matches!(map["type"].as_str(), Some("record" | "enum" | "fixed")) {
                *n_names += 1;
                map.insert("name".to_owned(), json!(format!("T{n_names}")));
            }
            for key in ["type", "items", "values", "fields"] {
                map.get_mut(key).into_iter().for_each(|value| rename(value, n_names));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, n_names)),
        _ => {}
    }
}

/// A change of one type anywhere within another.
#[derive(Clone, Copy, Debug)]
enum Change {
    AddField,
    AddFieldWithDefault,
    RemoveField,
    Promote,
    Wrap,
    Resize,
    DropSymbol,
    Qualify,
    Rename,
    RenameWithAlias,
}

/// All of them; the last alone is one that `apache-avro` does not know, which takes no aliases of types.
const CHANGES: [Change; 10] = [
    Change::AddField,
    Change::AddFieldWithDefault,
    Change::RemoveField,
    Change::Promote,
    Change::Wrap,
    Change::Resize,
    Change::DropSymbol,
    Change::Qualify,
    Change::Rename,
    Change::RenameWithAlias,
];

/// Makes the change at the `at`th place where it can be made; if there is one, whether readers of the new go on reading
/// the old, and the other way round.
fn changed(value: &mut Value, change: Change, at: &mut usize) -> Option<(bool, bool)> {
    if can_change(value, change) {
        if *at == 0 {
            return Some(apply(value, change));
        }
        *at -= 1;
    }
    match value {
        // A `type` that is a word is not a type in its place, unless it is a field's.
        Value::Object(map) => ["items", "values", "fields", "type"].iter().find_map(|key| {
            let is_field = map.contains_key("name") && !map.contains_key("fields") && !map.contains_key("size");
            let value = map.get_mut(*key)?;
            (*key != "type" || is_field || !value.is_string()).then(|| changed(value, change, at))?
        }),
        Value::Array(items) => items.iter_mut().find_map(|value| changed(value, change, at)),
        _ => None,
    }
}

fn can_change(value: &Value, change: Change) -> bool {
    let is = |word: &str| value.get("type").is_some_and(|found| found == word);
    match change {
        Change::AddField | Change::AddFieldWithDefault => is("record"),
        Change::RemoveField => is("record") && value["fields"] != json!([]),
        Change::Promote => value == "int",
        Change::Wrap => value == "string" || value == "int",
        Change::Resize => is("fixed"),
        Change::Qualify | Change::Rename | Change::RenameWithAlias => is("record") || is("enum") || is("fixed"),
        Change::DropSymbol => is("enum") && value["symbols"].as_array().is_some_and(|symbols| symbols.len() > 1),
    }
}

fn apply(value: &mut Value, change: Change) -> (bool, bool) {
    match change {
        Change::AddField => {
            value["fields"].as_array_mut().unwrap().push(json!({"name": "new", "type": "int"}));
            (false, true)
        }
        Change::AddFieldWithDefault => {
            value["fields"].as_array_mut().unwrap().push(json!({"name": "new", "type": "int", "default": 0}));
            (true, true)
        }
        Change::RemoveField => {
            value["fields"].as_array_mut().unwrap().pop();
            (true, false)
        }
        Change::Promote => {
            *value = json!("double");
            (true, false)
        }
        // Not a union, so that it may stand in one.
        Change::Wrap => {
            *value = json!({"type": "array", "items": value.clone()});
            (false, false)
        }
        Change::Resize => {
            value["size"] = json!(7);
            (false, false)
        }
        Change::Qualify => {
            value["namespace"] = json!("n");
            (true, true)
        }
        Change::Rename => {
            value["name"] = json!("Renamed");
            (false, false)
        }
        Change::RenameWithAlias => {
            value["aliases"] = json!([value["name"]]);
            value["name"] = json!("Renamed");
            (true, false)
        }
        Change::DropSymbol => {
            value["symbols"].as_array_mut().unwrap().pop();
            (value.get("default").is_some(), true)
        }
    }
}

/// Where the other implementation parts from the specification, or from Java; see the head of `documents::avro`.
#[test]
fn apache_avro_parts_from_the_specification_as_we_say() {
    let default = |kind: Value, default: Value| json!({"type": "record", "name": "R", "fields": [{"name": "a", "type": kind, "default": default}]});
    let fixed = json!({"type": "fixed", "name": "F", "size": 2});
    let overlooked = [
        default(json!("bytes"), json!("\u{100}")),
        default(fixed, json!("a")),
        json!({"type": "record", "name": "R", "fields": [{"name": "a", "type": "int", "order": "up"}]}),
    ];
    for value in overlooked {
        assert!(apache_avro::Schema::parse(&value).is_ok(), "{value}");
        assert!(parse_new(&value.to_string(), &BTreeMap::new()).is_err(), "{value}");
    }
    let bare = json!({"type": "fixed", "name": "F", "namespace": "", "size": 1});
    let refused = [
        json!({"type": "error", "name": "E", "fields": []}),
        json!({"type": "record", "name": "a.R", "fields": [{"name": "x", "type": bare}, {"name": "y", "type": "F"}]}),
    ];
    for value in refused {
        assert!(apache_avro::Schema::parse(&value).is_err(), "{value}");
        assert!(parse_new(&value.to_string(), &BTreeMap::new()).is_ok(), "{value}");
    }
    let odd = json!({"type": "int", "logicalType": "decimal"});
    assert_eq!(serde_json::to_value(oracle(&odd)).unwrap(), json!("int"));
    assert_eq!(canonical(&odd.to_string()).unwrap(), odd.to_string());
}

fn oracle(value: &Value) -> apache_avro::Schema {
    apache_avro::Schema::parse(value).unwrap_or_else(|error| panic!("{value}: {error}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_schema_is_new_and_reads_itself_however_it_is_written(value in types()) {
        let text = value.to_string();
        let none = BTreeMap::new();
        let read = parse_new(&text, &none).unwrap();
        prop_assert_eq!(compare(&read, &read), Ok(Vec::new()));
        for other in [canonical(&text).unwrap(), normalise(&text).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
            prop_assert_eq!(compare(&read, &parse_new(&other, &none).unwrap()), Ok(Vec::new()));
            prop_assert_eq!(normalise(&other).unwrap(), normalise(&text).unwrap());
        }
        oracle(&value);
    }

    /// What one change does in both directions, where it is alone responsible.
    #[test]
    fn a_change_and_its_inverse_swap_directions(part in types(), which in 0..CHANGES.len(), at in 0..4_usize) {
        // The first change from this one on that can be made at all; to the outer record one always can.
        let old = json!({"type": "record", "name": "Outer", "fields": [{"name": "part", "type": part}]});
        let mut new = old.clone();
        let changes = CHANGES.iter().cycle().skip(which).take(CHANGES.len());
        let places = changes.flat_map(|change| [(change, at), (change, 0)]);
        let expected = places.into_iter().find_map(|(change, mut at)| changed(&mut new, *change, &mut at));
        let (backward, forward) = (reads(&old, &new), reads(&new, &old));
        prop_assert_eq!(Some((backward, forward)), expected, "{} to {}", old, new);
        let told = compare(&schema(&old), &schema(&new)).unwrap();
        prop_assert!(!told.is_empty());
        prop_assert!(told.iter().all(|found| found.path.starts_with('/') && !found.message.is_empty()));
    }

    /// Another implementation of the same specification says the same.
    #[test]
    fn the_verdict_is_that_of_apache_avro(
        old in types(),
        other in types(),
        changes in prop::collection::vec((0..CHANGES.len() - 1, 0..4_usize), 0..4),
    ) {
        let mut new = old.clone();
        for (which, mut at) in changes {
            changed(&mut new, CHANGES[which], &mut at);
        }
        // Two changes may have given a record the same field.
        prop_assume!(parse_new(&new.to_string(), &BTreeMap::new()).is_ok());
        for (old, new) in [(&old, &new), (&new, &old), (&old, &other)] {
            use apache_avro::schema_compatibility::{Compatibility, SchemaCompatibility};
            let verdict = SchemaCompatibility::can_read(&oracle(old), &oracle(new));
            prop_assert_eq!(reads(old, new), matches!(verdict, Ok(Compatibility::Full)), "{} to {}: {:?}", old, new, verdict);
        }
    }

    #[test]
    fn arbitrary_values_are_answered(value in anything(), other in anything()) {
        let none = BTreeMap::new();
        let [text, other] = [value, other].map(|value| value.to_string());
        let (old, new) = (parse(&text, &none), parse(&other, &none));
        if let (Ok(old), Ok(new)) = (&old, &new) {
            let differences = compare(old, new).unwrap();
            prop_assert_eq!(compare(old, old), Ok(Vec::new()));
            prop_assert!(differences.iter().all(|found| !found.message.is_empty()));
        }
        if parse_new(&text, &none).is_ok() {
            prop_assert!(old.is_ok());
        }
        if old.is_ok() {
            let again = parse(&canonical(&text).unwrap(), &none);
            prop_assert!(again.is_ok(), "{} became {:?}", text, canonical(&text));
            prop_assert!(normalise(&text).is_ok());
        }
    }

    #[test]
    fn arbitrary_texts_are_answered(text in ".{0,60}") {
        let _ = parse_new(&text, &BTreeMap::new());
        let _ = (canonical(&text), normalise(&text));
    }
}

/// JSON that has something of a schema, and much that has not.
fn anything() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "record", "enum", "fixed", "array", "map", "union", "null", "int", "string", "bytes", "A", "a.B", ".", "a..b",
        "", "decimal", "date", "ignore", "ä",
    ]);
    let key = prop::sample::select(vec![
        "type",
        "type",
        "type",
        "name",
        "name",
        "fields",
        "items",
        "values",
        "symbols",
        "size",
        "default",
        "aliases",
        "namespace",
        "logicalType",
        "precision",
        "scale",
        "order",
        "doc",
        "x",
    ]);
    let leaf = prop_oneof![
        6 => word.prop_map(|word| json!(word)),
        1 => any::<i64>().prop_map(|number| json!(number)),
        1 => prop::num::f64::NORMAL.prop_map(|number| json!(number)),
        1 => any::<bool>().prop_map(|boolean| json!(boolean)),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        let entries = prop::collection::vec((key.clone(), inner.clone()), 0..7);
        prop_oneof![
            2 => prop::collection::vec(inner, 0..5).prop_map(Value::Array),
            5 => entries.prop_map(|entries| entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}
