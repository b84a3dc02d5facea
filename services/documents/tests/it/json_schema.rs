//! JSON Schema: the conformance vectors, what is read and how, and properties over generated schemas.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use documents::json_schema::{Error, canonical, normalise, parse};
use domain::change::json_schema::{Schema, compare};
use domain::change::message::{Difference, Policy, all_compatible};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::shared;

fn read(value: &Value) -> Schema {
    parse(&value.to_string(), &BTreeMap::new()).unwrap_or_else(|error| panic!("{error}: {value}"))
}

pub(crate) fn differences(old: &Value, new: &Value, policy: Policy) -> Vec<Difference> {
    compare(&read(old), &read(new), policy).unwrap()
}

/// What is different, as `NAME path`.
pub(crate) fn names(old: &Value, new: &Value) -> Vec<String> {
    let differences = differences(old, new, Policy::Strict);
    differences.iter().map(|difference| format!("{} {}", difference.name, difference.path)).collect()
}

fn vectors() -> Vec<Value> {
    let Some(folder) = shared::folder("vectors") else { return Vec::new() };
    let text = std::fs::read_to_string(folder.join("json-schema-compat.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Whether all verdicts of a row are ours.
fn agrees(row: &Value) -> bool {
    let (old, new) = (&row["old"], &row["new"]);
    [
        (old, new, Policy::Strict, &row["backward"]),
        (new, old, Policy::Strict, &row["forward"]),
        (old, new, Policy::Lenient, &row["backward_lenient"]),
    ]
    .into_iter()
    .filter_map(|(old, new, policy, verdict)| Some((old, new, policy, verdict.as_bool()?)))
    .all(|(old, new, policy, verdict)| all_compatible(&differences(old, new, policy)) == verdict)
}

#[test]
fn rows_that_disagree_are_those_of_the_table_and_none_is_confluents() {
    let rows = vectors();
    let table =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/json-schema-disagreements.md"));
    let table = table.unwrap();
    let listed: BTreeSet<&str> =
        table.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |")).map(|(id, _)| id).collect();
    let listed: BTreeSet<&str> = listed.into_iter().filter(|id| id.starts_with("json-")).collect();
    let disagreeing: Vec<&Value> = rows.iter().filter(|row| !agrees(row)).collect();
    for row in &disagreeing {
        assert!(row["dialect"] != "confluent" || !row["disputed"].is_null(), "{row}");
    }
    let found: BTreeSet<&str> = disagreeing.iter().filter_map(|row| row["id"].as_str()).collect();
    let known: BTreeSet<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
    // Vectors that are not here cannot be judged, so a table may list rows beyond them.
    let judged: BTreeSet<&str> = listed.intersection(&known).copied().collect();
    assert_eq!(found, judged);
    assert!(100 * found.len() <= 3 * rows.len(), "{} of {} rows", found.len(), rows.len());
    println!("{} rows, {} disagreements", rows.len(), found.len());
}

#[test]
fn differences_have_confluents_names_and_paths() {
    for row in vectors().iter().filter(|row| row["dialect"] == "confluent") {
        let found = names(&row["old"], &row["new"]);
        for expected in row["differences"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            assert!(found.iter().any(|found| found == expected), "{}: {expected} not in {found:?}", row["id"]);
        }
    }
}

#[test]
fn each_draft_is_read_with_its_own_keywords() {
    let draft = |name: &str, schema: Value| {
        let mut schema = schema;
        schema["$schema"] = json!(name);
        schema
    };
    // `exclusiveMaximum: true` of draft 4 takes the bound itself away.
    let (old, new) = (json!({"maximum": 5}), json!({"maximum": 5, "exclusiveMaximum": true}));
    let draft4 = |schema| draft("http://json-schema.org/draft-04/schema#", schema);
    assert_eq!(names(&draft4(old), &draft4(new)), ["EXCLUSIVE_MAXIMUM_ADDED #/exclusiveMaximum"]);
    // A list as `items` is `prefixItems` of 2020-12, and its `items` are their `additionalItems`.
    let old = draft(
        "https://json-schema.org/draft/2019-09/schema",
        json!({"type": "array", "items": [{"type": "string"}], "additionalItems": false}),
    );
    let new = draft(
        "https://json-schema.org/draft/2020-12/schema",
        json!({"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "number"}}),
    );
    assert_eq!(names(&old, &new), ["ADDITIONAL_ITEMS_ADDED #/additionalItems"]);
    // Beside a reference, drafts up to 7 see nothing else.
    let beside = json!({"$ref": "#/definitions/a", "definitions": {"a": {"type": "string"}}, "maxLength": 3});
    assert_eq!(names(&json!({"type": "string"}), &beside), Vec::<String>::new());
    let beside = draft("https://json-schema.org/draft/2020-12/schema", beside);
    assert_ne!(names(&json!({"type": "string"}), &beside), Vec::<String>::new());
    // What comes behind the items matters where items have positions; before 2019-09 also where nothing is said of
    // items.
    let older = "http://json-schema.org/draft-07/schema#";
    let newer = "https://json-schema.org/draft/2019-09/schema";
    for (name, items, expected) in [
        (older, json!({}), vec![]),
        (older, json!([true]), vec!["ADDITIONAL_ITEMS_REMOVED #/additionalItems"]),
        (older, Value::Null, vec!["ADDITIONAL_ITEMS_REMOVED #/additionalItems"]),
        (newer, json!({}), vec![]),
        (newer, json!([true]), vec!["ADDITIONAL_ITEMS_REMOVED #/additionalItems"]),
        (newer, Value::Null, vec![]),
    ] {
        let mut old = draft(name, json!({"type": "array"}));
        if !items.is_null() {
            old["items"] = items;
        }
        let mut new = old.clone();
        new["additionalItems"] = json!(false);
        assert_eq!(names(&old, &new), expected, "{old}");
    }
    // A schema that only draft 4 knows the form of is read as such, if it names no draft.
    read(&json!({"minimum": 1, "exclusiveMinimum": true}));
    // One that names draft 4 may have forms of draft 6.
    read(&draft("http://json-schema.org/draft-04/schema#", json!({"required": [], "properties": {"a": true}})));
    // Limits of `contains` count in every draft.
    let limited = |n: u8| json!({"type": "array", "contains": {"type": "string"}, "maxContains": n});
    assert_eq!(names(&limited(2), &limited(1)), ["MAX_CONTAINS_DECREASED #/maxContains"]);
}

#[test]
fn references_lead_into_the_schema_and_to_named_schemas() {
    let check = |schema: Value, references: &[(&str, Value)]| {
        let references = references.iter().map(|(name, schema)| ((*name).to_owned(), schema.to_string())).collect();
        let schema = parse(&schema.to_string(), &references).unwrap();
        let expected = read(&json!({"properties": {"a": {"type": "string", "maxLength": 3}}}));
        assert!(all_compatible(&compare(&schema, &expected, Policy::Strict).unwrap()));
        assert!(all_compatible(&compare(&expected, &schema, Policy::Strict).unwrap()));
    };
    let target = json!({"type": "string", "maxLength": 3});
    let at = |reference: &str| json!({"properties": {"a": {"$ref": reference}}});
    let with = |reference: &str, keyword: &str, value: Value| {
        let mut schema = at(reference);
        schema[keyword] = value;
        schema
    };
    check(with("#/definitions/x~1y%20z", "definitions", json!({"x/y z": target})), &[]);
    check(with("#/$defs/x", "definitions", json!({"x": target})), &[]);
    check(with("#x", "definitions", json!({"x": {"$id": "#x", "type": "string", "maxLength": 3}})), &[]);
    check(with("x.json", "definitions", json!({"x": {"$id": "x.json", "type": "string", "maxLength": 3}})), &[]);
    check(at("x.json"), &[("x.json", target.clone())]);
    check(at("./x.json"), &[("x.json", target.clone())]);
    check(at("http://example.com/x.json"), &[("http://example.com/x.json", target.clone())]);
    check(at("x.json#/definitions/x"), &[("x.json", json!({"definitions": {"x": target}}))]);
    check(with("x.json", "$id", json!("http://example.com/root.json")), &[("x.json", target.clone())]);
    check(
        with("http://example.com/x.json", "$id", json!("http://example.com/root.json")),
        &[("x.json", target.clone())],
    );
    // A named schema may refer to itself and to the others.
    let named = json!({"$ref": "#/definitions/y", "definitions": {"y": {"$ref": "z.json"}}});
    check(at("x.json"), &[("x.json", named), ("z.json", target.clone())]);
    let mut anchored = json!({"properties": {"a": {"$ref": "#x"}}, "$defs": {"x": {"$anchor": "x"}}});
    anchored["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    anchored["$defs"]["x"]["type"] = json!("string");
    anchored["$defs"]["x"]["maxLength"] = json!(3);
    check(anchored, &[]);
}

#[test]
fn a_change_behind_a_cycle_of_references_is_found() {
    let list = |item: &str| {
        json!({
            "$ref": "#/definitions/node",
            "definitions": {
                "node": {"type": "object", "additionalProperties": false, "properties": {
                    "next": {"oneOf": [{"type": "null"}, {"$ref": "#/definitions/node"}]},
                    "tree": {"$ref": "#/definitions/tree"},
                }},
                "tree": {"type": "object", "additionalProperties": false, "properties": {
                    "root": {"$ref": "#/definitions/node"},
                    "item": {"type": item},
                }},
            },
        })
    };
    assert_eq!(names(&list("string"), &list("string")), Vec::<String>::new());
    let found = names(&list("integer"), &list("string"));
    assert!(found.contains(&"TYPE_CHANGED #/properties/tree/properties/item".to_owned()), "{found:?}");
    let found = differences(&list("integer"), &list("number"), Policy::Strict);
    assert!(all_compatible(&found) && !found.is_empty(), "{found:?}");
}

#[test]
fn changes_that_confluent_overlooks_are_found() {
    let check = |old: Value, new: Value, expected: &[&str]| assert_eq!(names(&old, &new), expected, "{old} {new}");
    let least = |n: u8| json!({"minimum": n});
    check(
        json!({"if": least(1), "then": {"maxLength": 3}}),
        json!({"if": least(2), "then": {"maxLength": 4}}),
        &["TYPE_CHANGED #/if", "MAX_LENGTH_INCREASED #/then/maxLength"],
    );
    check(json!({"if": least(1)}), json!({"if": least(1), "else": least(3)}), &["SCHEMA_ADDED #/else"]);
    check(json!({"contains": least(1)}), json!({"contains": least(2)}), &["MINIMUM_INCREASED #/contains/minimum"]);
    let named = |n: u8| json!({"properties": {"ab": {}}, "propertyNames": {"maxLength": n}});
    check(named(5), named(4), &["MAX_LENGTH_DECREASED #/propertyNames/maxLength"]);
    // A demand on names that all names satisfy which there can be is none.
    let closed = json!({"properties": {"ab": {}}, "additionalProperties": false});
    let demanding = |n: u8| {
        json!({
            "properties": {"ab": {}}, "additionalProperties": false, "propertyNames": {"pattern": "^[a-z]", "maxLength": n},
        })
    };
    check(closed.clone(), demanding(2), &[]);
    check(closed, demanding(1), &["SCHEMA_ADDED #/propertyNames"]);
    // Bounds are judged together.
    let above = json!({"exclusiveMinimum": 10, "exclusiveMaximum": 20});
    let removed = ["EXCLUSIVE_MAXIMUM_REMOVED #/exclusiveMaximum", "EXCLUSIVE_MINIMUM_REMOVED #/exclusiveMinimum"];
    check(above.clone(), json!({"minimum": 10, "maximum": 20}), &removed);
    let tighter = ["MINIMUM_ADDED #/minimum", removed[0], removed[1]];
    check(above, json!({"minimum": 11}), &tighter);
    let text = |format: &str| json!({"type": "string", "format": format});
    check(text("date"), text("date-time"), &["TYPE_CHANGED #/format"]);
    check(text("uri"), text("iri"), &["TYPE_EXTENDED #/format"]);
    check(text("date"), json!({"type": "string"}), &[]);
}

#[test]
fn what_demands_nothing_is_no_demand() {
    let old = json!({"type": "object", "if": {"required": ["a"]}});
    for (keyword, value) in [
        ("dependencies", json!({"a": []})),
        ("propertyNames", json!({"type": "string"})),
        ("propertyNames", json!({})),
        ("then", json!({})),
        ("else", json!(true)),
    ] {
        let mut new = old.clone();
        new[keyword] = value;
        assert_eq!(names(&old, &new), Vec::<String>::new(), "{new}");
        assert_eq!(names(&new, &old), Vec::<String>::new(), "{new}");
    }
    let conditional = |keyword: &str| json!({"if": {"minimum": 1}, keyword: {"minimum": 2}});
    let alone = json!({"if": {"maximum": 7}});
    assert_eq!(names(&conditional("then"), &alone), Vec::<String>::new());
    assert_eq!(names(&alone, &conditional("else")), ["TYPE_CHANGED #/if", "SCHEMA_ADDED #/else"]);
}

#[test]
fn schemas_of_a_combination_are_one_where_they_are_written_alike() {
    let choice = |alternatives: Value| json!({ "oneOf": alternatives });
    let at = |index: u8| json!({"connect.index": index, "type": "string"});
    let (number, alike) = (json!({"type": "number"}), json!({"type": "string", "connect.index": 0}));
    let twice = choice(json!([at(0), alike, number]));
    let once = choice(json!([at(0), number]));
    assert_eq!(names(&twice, &once), Vec::<String>::new());
    let two = choice(json!([at(0), at(1), number]));
    assert_eq!(names(&once, &two), ["SUM_TYPE_EXTENDED #/"]);
    assert_eq!(names(&two, &once), ["SUM_TYPE_NARROWED #/"]);
    assert_eq!(names(&choice(json!([true, {}])), &choice(json!([true]))), ["SUM_TYPE_NARROWED #/"]);
}

#[test]
fn what_is_said_side_by_side_is_one_schema_to_any_of_in_newer_drafts() {
    let in_draft = |name: &str, mut schema: Value| {
        schema["$schema"] = json!(name);
        schema
    };
    let (older, newer) = ("http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema");
    let several = json!({"type": "string", "enum": ["a"]});
    let nullable = json!({"anyOf": [{"type": "null"}, {"type": "string", "enum": ["a", "b"]}]});
    let found = names(&in_draft(newer, several.clone()), &in_draft(newer, nullable.clone()));
    assert_eq!(found, ["ENUM_ARRAY_EXTENDED #/allOf/0/enum", "SUM_TYPE_EXTENDED #/"]);
    // In older ones they are several, which counts where no values are named.
    let bounded = |least: u8| json!({"type": "string", "minimum": least});
    let either = json!({"anyOf": [{"type": "null"}, bounded(1)]});
    let found = names(&in_draft(older, bounded(2)), &in_draft(older, either.clone()));
    assert!(found.contains(&"COMBINED_TYPE_SUBSCHEMAS_CHANGED #/".to_owned()), "{found:?}");
    let found = names(&in_draft(newer, bounded(2)), &in_draft(newer, either));
    assert!(found.contains(&"SUM_TYPE_EXTENDED #/".to_owned()), "{found:?}");
    let found = names(&in_draft(older, several.clone()), &in_draft(older, nullable.clone()));
    assert_eq!(found, ["TYPE_EXTENDED #/"]);
    // The other way round values are lost.
    assert_ne!(names(&in_draft(newer, nullable), &in_draft(newer, several.clone())), Vec::<String>::new());
    // All of several is all of them.
    let all = json!({"allOf": [several.clone(), {"type": "string"}, {"maxLength": 1, "enum": ["a"]}]});
    let flat = json!({"allOf": [{"enum": ["a"]}, {"type": "string"}, {"maxLength": 1}]});
    assert_eq!(names(&in_draft(newer, all.clone()), &in_draft(newer, flat)), Vec::<String>::new());
    assert_eq!(names(&in_draft(newer, all), &in_draft(newer, several)), ["PRODUCT_TYPE_NARROWED #/"]);
}

#[test]
fn a_reference_has_no_default() {
    let with = |property: Value| {
        json!({
            "type": "object", "additionalProperties": false, "required": ["a"], "properties": {"a": property},
            "definitions": {"text": {"type": "string", "default": ""}},
        })
    };
    let old = json!({"type": "object", "additionalProperties": false});
    let added = |property: Value| names(&old, &with(property));
    let name = "REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/a";
    assert_eq!(added(json!({"type": "string", "default": ""})), [name]);
    let name = "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/a";
    assert_eq!(added(json!({"$ref": "#/definitions/text"})), [name]);
    assert_eq!(added(json!({"$ref": "#/definitions/text", "default": ""})), [name]);
}

#[test]
fn what_is_no_schema_is_refused_with_its_place() {
    let refused = |text: &str| parse(text, &BTreeMap::new()).map(drop).unwrap_err();
    assert!(matches!(refused("{"), Error::NotJson { .. }));
    assert!(matches!(refused("[]"), Error::NotASchema { .. }));
    let error = refused(r#"{"properties": {"a": {"type": "text"}}}"#);
    assert!(matches!(&error, Error::NotASchema { path, .. } if path == "/properties/a/type"), "{error:?}");
    let references = BTreeMap::from([("a.json".to_owned(), "{\"type\": 3}".to_owned())]);
    let error = parse(r#"{"$ref": "a.json"}"#, &references).map(drop).unwrap_err();
    assert!(matches!(&error, Error::Reference { name, .. } if name == "a.json"), "{error:?}");
}

#[test]
fn canonical_keeps_the_order_and_normal_sorts_it() {
    let text = "{ \"type\" : \"object\",\n \"properties\": {\"b\": {}, \"a\": {\"enum\": [\"z\", \"y\"]}} }";
    assert_eq!(canonical(text).unwrap(), r#"{"type":"object","properties":{"b":{},"a":{"enum":["z","y"]}}}"#);
    assert_eq!(normalise(text).unwrap(), r#"{"properties":{"a":{"enum":["z","y"]},"b":{}},"type":"object"}"#);
}

/// Any JSON value.
fn json_values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z#/$]{0,8}".prop_map(Value::from),
        Just(json!("#")),
    ];
    let key = prop_oneof![keywords(), "[a-z]{1,3}"];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..6)
                .prop_map(|members| members.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

fn keywords() -> impl Strategy<Value = String> + Clone {
    prop::sample::select(vec![
        "$ref",
        "$id",
        "$defs",
        "type",
        "properties",
        "items",
        "enum",
        "not",
        "oneOf",
        "allOf",
        "anyOf",
        "required",
        "additionalProperties",
        "patternProperties",
        "dependencies",
        "minimum",
        "maxLength",
        "if",
        "then",
        "contains",
    ])
    .prop_map(str::to_owned)
}

/// Schemas of many keywords that satisfy the metaschema.
fn schemas() -> impl Strategy<Value = Value> {
    let limit = 0..5_u8;
    let leaf = prop_oneof![
        Just(json!(true)),
        Just(json!(false)),
        Just(json!({})),
        Just(json!({"$ref": "#/definitions/a"})),
        Just(json!({"$ref": "#"})),
        Just(json!({"type": ["string", "null"]})),
        Just(json!({"const": 1, "title": "one"})),
        Just(json!({"enum": ["a", 1.0, null]})),
        (limit.clone(), limit.clone()).prop_map(|(a, b)| json!({"type": "string", "minLength": a, "maxLength": b})),
        (limit.clone(), limit).prop_map(|(a, b)| json!({"type": "integer", "minimum": a, "exclusiveMaximum": b})),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            (list.clone(), any::<bool>()).prop_map(|(schemas, is_closed)| {
                let names: Vec<String> = (0..schemas.len()).map(|index| format!("p{index}")).collect();
                let properties: serde_json::Map<_, _> = names.iter().cloned().zip(schemas).collect();
                json!({"type": "object", "properties": properties, "required": [names[0]],
                    "additionalProperties": !is_closed})
            }),
            list.clone().prop_map(|schemas| json!({"oneOf": schemas, "title": "one of"})),
            list.clone().prop_map(|schemas| json!({"anyOf": schemas, "maximum": 3})),
            list.clone().prop_map(|schemas| json!({"allOf": schemas})),
            list.prop_map(|schemas| json!({"type": "array", "items": schemas, "additionalItems": false})),
            inner.clone().prop_map(|schema| json!({"not": schema})),
            inner.clone().prop_map(|schema| json!({"type": "array", "items": schema, "uniqueItems": true})),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| json!({"if": a, "then": b})),
            (inner.clone(), inner).prop_map(|(a, b)| json!({
                "patternProperties": {"^x": a}, "additionalProperties": b, "dependencies": {"k": ["l"]},
            })),
        ]
    })
    .prop_map(|schema| {
        json!({"definitions": {"a": {"type": "object", "properties": {"r": schema.clone()}}},
        "properties": {"s": schema}})
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_schema_has_no_differences_from_itself(schema in schemas()) {
        prop_assert_eq!(names(&schema, &schema), Vec::<String>::new());
        let normal: Value = serde_json::from_str(&normalise(&schema.to_string()).unwrap()).unwrap();
        prop_assert_eq!(names(&schema, &normal), Vec::<String>::new());
    }

    #[test]
    fn what_strict_takes_lenient_takes_too(old in schemas(), new in schemas()) {
        if all_compatible(&differences(&old, &new, Policy::Strict)) {
            prop_assert!(all_compatible(&differences(&old, &new, Policy::Lenient)));
        }
    }

    #[test]
    fn nothing_panics_on_any_json(old in json_values(), new in json_values()) {
        let schemas = [&old, &new].map(|value| parse(&value.to_string(), &BTreeMap::new()));
        if let [Ok(old), Ok(new)] = &schemas {
            drop(compare(old, new, Policy::Strict));
        }
    }
}
