//! Avro schemas: the shared vectors, what is refused, the texts of a registry, and properties over generated schemas.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use documents::avro::{Error, MAX_BYTES, canonical, normalise, parse, parse_new};
use domain::change::avro::{Schema, compare};
use domain::change::message::{TooComplex, all_compatible};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::shared::folder;

fn schema(value: &Value) -> Schema {
    parse(&value.to_string(), &BTreeMap::new()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

fn reads(old: &Value, new: &Value) -> bool {
    all_compatible(&compare(&schema(old), &schema(new)).unwrap())
}

/// The differences, each as name and path, for readers of `new`.
#[track_caller]
fn check(old: Value, new: Value, expected: &[(&str, &str)]) {
    let differences = compare(&schema(&old), &schema(&new)).unwrap();
    let found: Vec<_> = differences.iter().map(|found| (found.name, found.path.as_str())).collect();
    assert_eq!(found, expected, "{differences:#?}");
}

fn record(fields: Value) -> Value {
    json!({"type": "record", "name": "R", "fields": fields})
}

#[test]
fn the_shared_vectors_are_met() {
    let Some(vectors) = folder("vectors") else { return };
    let text = std::fs::read_to_string(vectors.join("avro-compat.jsonl")).unwrap();
    let mut wrong = Vec::new();
    let mut n_rows = 0;
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        n_rows += 1;
        if reads(&row["old"], &row["new"]) != row["backward"] {
            wrong.push(format!("{} backward", row["id"]));
        }
        if let Some(forward) = row["forward"].as_bool()
            && reads(&row["new"], &row["old"]) != forward
        {
            wrong.push(format!("{} forward", row["id"]));
        }
        for side in ["old", "new"] {
            let value = &row[side];
            let same = schema(value);
            assert_eq!(compare(&same, &same), Ok(Vec::new()), "{value}");
            for text in [canonical(&value.to_string()).unwrap(), normalise(&value.to_string()).unwrap()] {
                let again = parse(&text, &BTreeMap::new()).unwrap();
                assert_eq!(compare(&same, &again), Ok(Vec::new()), "{value} and {text}");
            }
        }
    }
    assert!(n_rows >= 100, "{n_rows} rows");
    assert!(wrong.is_empty(), "{} of {n_rows}: {wrong:#?}", wrong.len());
}

#[test]
fn differences_have_names_and_places() {
    check(json!("int"), json!("string"), &[("TYPE_MISMATCH", "/")]);
    check(json!("int"), json!("double"), &[("TYPE_PROMOTED", "/")]);
    check(
        json!({"type": "array", "items": "long"}),
        json!({"type": "array", "items": "int"}),
        &[("TYPE_MISMATCH", "/items")],
    );
    check(
        json!({"type": "map", "values": "string"}),
        json!({"type": "map", "values": "bytes"}),
        &[("TYPE_PROMOTED", "/values")],
    );
    let fields = |fields: Value| record(fields);
    check(
        fields(json!([{"name": "a", "type": "int"}, {"name": "gone", "type": "int"}])),
        fields(json!([
            {"name": "b", "type": "int"}, {"name": "c", "type": "int", "default": 0},
            {"name": "a", "type": "string", "default": "", "order": "ignore"}
        ])),
        &[
            ("READER_FIELD_MISSING_DEFAULT_VALUE", "/fields/0"),
            ("FIELD_ADDED", "/fields/1"),
            ("FIELD_DEFAULT_CHANGED", "/fields/2/default"),
            ("FIELD_ORDER_CHANGED", "/fields/2/order"),
            ("FIELD_REMOVED", "/fields"),
            ("TYPE_MISMATCH", "/fields/2/type"),
        ],
    );
    let symbols = |symbols: Value| json!({"type": "enum", "name": "a.E", "symbols": symbols});
    check(
        symbols(json!(["A", "B"])),
        symbols(json!(["A", "C"])),
        &[("MISSING_ENUM_SYMBOLS", "/symbols"), ("ENUM_SYMBOLS_ADDED", "/symbols")],
    );
    let fixed = |name: &str, size: u32| json!({"type": "fixed", "name": name, "size": size});
    check(fixed("F", 4), fixed("G", 8), &[("NAME_MISMATCH", "/name"), ("FIXED_SIZE_MISMATCH", "/size")]);
    check(fixed("a.F", 4), fixed("b.F", 4), &[("NAME_CHANGED", "/name")]);
    let decimal = |scale| json!({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": scale});
    check(decimal(2), decimal(3), &[("LOGICAL_TYPE_CHANGED", "/")]);
    check(decimal(2), decimal(30), &[("LOGICAL_TYPE_CHANGED", "/")]);
    check(decimal(30), json!("bytes"), &[]);
}

#[test]
fn unions_are_resolved_branch_by_branch() {
    let branches = |fields: Value| json!(["null", record(fields)]);
    check(json!("int"), json!(["null", "int"]), &[("UNION_INTRODUCED", "/"), ("UNION_BRANCH_ADDED", "/0")]);
    check(json!(["int", "string"]), json!(["string"]), &[("MISSING_UNION_BRANCH", "/0")]);
    check(json!(["null", "int"]), json!("int"), &[("UNION_DISSOLVED", "/"), ("TYPE_MISMATCH", "/")]);
    check(json!(["int"]), json!(["null", "long"]), &[("UNION_BRANCH_ADDED", "/0"), ("TYPE_PROMOTED", "/1")]);
    // Its own branch is taken before one that it can be promoted to.
    check(json!(["int", "long"]), json!(["long", "int"]), &[]);
    // The reason is told below the branch that is missing.
    check(
        branches(json!([])),
        branches(json!([{"name": "a", "type": "int"}])),
        &[("MISSING_UNION_BRANCH", "/1"), ("READER_FIELD_MISSING_DEFAULT_VALUE", "/1/fields/0")],
    );
    check(json!([]), json!("int"), &[("UNION_DISSOLVED", "/")]);
    check(json!("int"), json!([]), &[("MISSING_UNION_BRANCH", "/")]);
    // A branch of the same unqualified name, or with an alias, reads it.
    let named = |name: &str| json!({"type": "fixed", "name": name, "size": 2});
    assert!(reads(&json!(["null", named("a.F")]), &json!(["null", named("b.F")])));
    assert!(!reads(&json!(["null", named("a.F")]), &json!(["null", named("a.G")])));
    let aliased = json!({"type": "fixed", "name": "b.G", "aliases": ["a.F"], "size": 2});
    assert!(reads(&json!(["null", named("a.F")]), &json!(["null", aliased])));
}

#[test]
fn aliases_are_the_readers_and_go_one_step() {
    let field = |name: &str, aliases: &[&str]| json!({"name": name, "aliases": aliases, "type": "int"});
    let one = |aliases: &[&str]| record(json!([field("b", aliases)]));
    let old = record(json!([{"name": "a", "type": "int"}, {"name": "c", "type": "int"}]));
    assert!(reads(&old, &one(&["a"])));
    assert!(!reads(&one(&["a"]), &record(json!([field("a", &[])]))), "an alias of the writer's");
    assert!(!reads(&old, &record(json!([field("x", &["y"]), field("y", &["a"])]))), "two steps");
    check(old, one(&["a", "c"]), &[("READER_FIELD_AMBIGUOUS_ALIASES", "/fields/0")]);
    // A field of the own name goes before an alias, so that a schema reads itself.
    let both = record(json!([{"name": "a", "type": "int"}, field("b", &["a"])]));
    check(both.clone(), both, &[]);
    // An alias without a namespace is in that of its type.
    let named = |name: &str, aliases: &[&str]| json!({"type": "fixed", "name": name, "aliases": aliases, "size": 1});
    assert!(reads(&named("n.Old", &[]), &named("n.New", &["Old"])));
    assert!(!reads(&named("m.Old", &[]), &named("n.New", &["Old"])));
}

#[test]
fn what_is_wrong_with_a_new_schema_is_refused_and_some_of_it_overlooked_in_an_old_one() {
    let field = |field: Value| record(json!([field])).to_string();
    let default = |kind: Value, default: Value| field(json!({"name": "a", "type": kind, "default": default}));
    let symbols = json!({"type": "enum", "name": "E", "symbols": ["A"]});
    let overlooked = [
        (json!({"type": "fixed", "name": "a-b", "size": 1}).to_string(), "", "no name"),
        (json!({"type": "fixed", "name": "F", "namespace": "1", "size": 1}).to_string(), "", "no name"),
        (json!({"type": "fixed", "name": "int", "size": 1}).to_string(), "", "primitive"),
        (json!({"type": "fixed", "name": "F", "aliases": "G", "size": 1}).to_string(), "", "not an array"),
        (json!({"type": "enum", "name": "E", "symbols": ["A-B"]}).to_string(), "/symbols/0", "no name"),
        (json!({"type": "enum", "name": "E", "symbols": ["A"], "default": "B"}).to_string(), "/default", "none of"),
        (json!({"type": {"type": "string"}}).to_string(), "", "must be a name"),
        (field(json!({"name": "a b", "type": "int"})), "/fields/0", "no name"),
        (field(json!({"name": "a", "type": "int", "order": "up"})), "/fields/0", "order"),
        (default(json!("int"), json!("0")), "/fields/0/default", "not a value"),
        (default(json!("int"), json!(1_u64 << 31)), "/fields/0/default", "not a value"),
        (default(json!("int"), json!(1.0)), "/fields/0/default", "not a value"),
        (default(json!("double"), json!("1")), "/fields/0/default", "not a value"),
        (default(json!("string"), Value::Null), "/fields/0/default", "not a value"),
        (default(json!("bytes"), json!("\u{100}")), "/fields/0/default", "not a value"),
        (default(json!({"type": "fixed", "name": "F", "size": 2}), json!("a")), "/fields/0/default", "not a value"),
        (default(symbols.clone(), json!("B")), "/fields/0/default", "not a value"),
        (default(json!({"type": "array", "items": "int"}), json!([1, null])), "/fields/0/default", "not a value"),
        (default(json!(["null", "int"]), json!("a")), "/fields/0/default", "not a value"),
        (default(json!("R"), json!({})), "", ""),
        (
            record(json!([{"name": "a", "type": "E"}, {"name": "b", "type": symbols.clone()}])).to_string(),
            "/fields/0/type",
            "before it is defined",
        ),
    ];
    let refused = [
        ("{".to_owned(), "", "EOF"),
        ("1".to_owned(), "", "a type is"),
        ("{}".to_owned(), "", "no `type`"),
        ("integer".to_owned(), "", "expected value"),
        ("\"integer\"".to_owned(), "", "not defined"),
        (json!({"type": "record", "fields": []}).to_string(), "", "missing"),
        (json!({"type": "record", "name": "", "fields": []}).to_string(), "", "empty"),
        (json!({"type": "record", "name": "R"}).to_string(), "", "`fields`"),
        (record(json!([1])).to_string(), "/fields/0", "object"),
        (field(json!({"type": "int"})), "/fields/0", "missing"),
        (field(json!({"name": "a"})), "/fields/0", "no `type`"),
        (field(json!({"name": "a", "type": "array", "items": "int"})), "/fields/0", "must be an object"),
        (field(json!({"name": "a", "type": {"type": "array"}})), "/fields/0/type", "`items`"),
        (field(json!({"name": "a", "type": "x.Y"})), "/fields/0/type", "`x.Y` is not defined"),
        (record(json!([{"name": "a", "type": "int"}, {"name": "a", "type": "int"}])).to_string(), "/fields/1", "twice"),
        (json!({"type": "enum", "name": "E", "symbols": ["A", "A"]}).to_string(), "/symbols/1", "twice"),
        (json!({"type": "enum", "name": "E"}).to_string(), "", "`symbols`"),
        (json!({"type": "fixed", "name": "F", "size": -1}).to_string(), "", "`size`"),
        (json!({"type": "fixed", "name": "F", "size": "4"}).to_string(), "", "`size`"),
        (json!(["int", ["null"]]).to_string(), "/1", "union"),
        (json!(["int", "string", "int"]).to_string(), "", "`int` twice"),
        (json!(["int", {"type": "int", "logicalType": "date"}]).to_string(), "", "`int` twice"),
        (json!([record(json!([])), record(json!([]))]).to_string(), "/1", "defined twice"),
    ];
    let none = BTreeMap::new();
    for (text, path, message) in overlooked.iter().chain(&refused) {
        let Err(error) = parse_new(text, &none) else {
            assert!(message.is_empty(), "{text} is accepted");
            continue;
        };
        assert!(!message.is_empty() && error.to_string().contains(message), "{text}: {error}");
        if let Error::Invalid { path: found, .. } = &error {
            assert_eq!(found, path, "{text}: {error}");
        }
    }
    overlooked.iter().for_each(|(text, ..)| assert!(parse(text, &none).is_ok(), "{text}"));
    refused.iter().for_each(|(text, ..)| assert!(parse(text, &none).is_err(), "{text}"));
}

#[test]
fn what_the_specification_allows_is_accepted() {
    let default =
        |kind: Value, default: Value| record(json!([{"name": "a", "type": kind, "default": default}])).to_string();
    let inner = json!({"type": "record", "name": "I", "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": "int", "default": 1}]});
    for text in [
        "string".to_owned(),
        " null\n".to_owned(),
        "\"bytes\"".to_owned(),
        "[]".to_owned(),
        json!({"type": "int", "logicalType": "decimal"}).to_string(),
        json!({"type": "error", "name": "E", "fields": []}).to_string(),
        json!({"type": "fixed", "name": "F", "size": 0}).to_string(),
        default(json!(["null", "int"]), json!(1)),
        default(json!(["int", "null"]), Value::Null),
        default(json!("double"), json!(1)),
        default(json!("bytes"), json!("\u{ff}\u{0}")),
        default(inner, json!({"x": 1})),
        default(json!({"type": "map", "values": {"type": "array", "items": "long"}}), json!({"k": [1, 2]})),
        record(json!([{"name": "next", "type": ["null", "R"], "default": null}])).to_string(),
        json!({"type": "record", "name": "a.b.R", "fields": [{"name": "x", "type": ["null", "R", "int"]}]}).to_string(),
        json!({"type": "record", "name": "R", "namespace": "a", "fields": [
            {"name": "x", "type": {"type": "fixed", "name": "F", "namespace": "", "size": 1}},
            {"name": "y", "type": "F"}
        ]})
        .to_string(),
    ] {
        assert!(parse_new(&text, &BTreeMap::new()).is_ok(), "{text}: {:?}", parse_new(&text, &BTreeMap::new()));
    }
}

#[test]
fn references_define_types_in_any_order() {
    let address = json!({"type": "record", "name": "org.Address", "fields": [{"name": "zip", "type": "org.Zip"}]});
    let zip = json!({"type": "fixed", "name": "Zip", "namespace": "org", "size": 5});
    let person = record(json!([{"name": "home", "type": "org.Address"}, {"name": "zip", "type": ["null", "org.Zip"]}]));
    let references = |texts: &[(&str, &Value)]| -> BTreeMap<String, String> {
        texts.iter().map(|(name, text)| ((*name).to_owned(), text.to_string())).collect()
    };
    let both = references(&[("a", &address), ("z", &zip)]);
    let read = parse_new(&person.to_string(), &both).unwrap();
    let inline = record(json!([
        {"name": "home", "type": {"type": "record", "name": "org.Address", "fields": [{"name": "zip", "type": zip.clone()}]}},
        {"name": "zip", "type": ["null", "org.Zip"]}
    ]));
    assert_eq!(compare(&read, &schema(&inline)), Ok(Vec::new()));
    assert!(parse_new("\"org.Address\"", &both).is_ok());

    let failed = |text: &Value, references: &BTreeMap<String, String>| {
        let error = parse_new(&text.to_string(), references).unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string);
        format!("{error}: {}", source.unwrap_or_default())
    };
    let lacking = failed(&person, &references(&[("a", &address)]));
    assert!(lacking.contains("`a`") && lacking.contains("`org.Zip` is not defined"), "{lacking}");
    assert!(failed(&zip, &both).contains("defined twice"));
    assert!(failed(&person, &references(&[("a", &json!({"type": "record"}))])).contains("the reference `a`"));
    // A reference must not need what only the schema defines.
    assert!(failed(&zip, &references(&[("a", &address)])).contains("`org.Zip` is not defined"));
}

#[test]
fn the_canonical_text_is_that_of_java() {
    let check = |text: &str, expected: &str, normal: &str| {
        assert_eq!(canonical(text).unwrap(), expected);
        assert_eq!(normalise(text).unwrap(), normal);
        assert_eq!(canonical(expected).unwrap(), expected, "twice");
        assert_eq!(normalise(normal).unwrap(), normal, "twice");
        assert_eq!(normalise(expected).unwrap(), normal, "after the other");
    };
    let same = |text: &str, expected: &str| check(text, expected, expected);
    same("string", r#""string""#);
    same(r#" { "type" : "string" } "#, r#""string""#);
    same(r#"["null", {"type": "int"}]"#, r#"["null","int"]"#);
    check(
        r#"{"logicalType": "decimal", "scale": 2, "precision": 4, "type": "bytes"}"#,
        r#"{"type":"bytes","logicalType":"decimal","scale":2,"precision":4}"#,
        r#"{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}"#,
    );
    // Names without what goes without saying, references as they were, and attributes of other types left out.
    same(
        r#"{"type": "record", "name": "a.b.R", "symbols": [], "fields": [
            {"type": {"type": "fixed", "size": 1, "namespace": "a.b", "name": "F"}, "name": "x"},
            {"type": ["null", "a.b.F", "org.Z", {"type": "a.b.R"}], "name": "y", "order": "ASCENDING"},
            {"type": {"type": "enum", "name": "E", "namespace": "", "symbols": ["A"], "default": "A"}, "name": "z"}
        ]}"#,
        concat!(
            r#"{"type":"record","name":"R","namespace":"a.b","fields":[{"name":"x","type":{"type":"fixed","name":"F","#,
            r#""size":1}},{"name":"y","type":["null","F","org.Z","R"]},{"name":"z","type":{"type":"enum","name":"E","#,
            r#""namespace":"","symbols":["A"],"default":"A"}}]}"#,
        ),
    );
    // Attributes that Avro does not know stay; the normal form sorts them, aliases, and the keys of values.
    check(
        r#"{"z": {"b": 1, "a": 2}, "y": 1, "doc": "", "type": "record", "name": "R", "aliases": ["n.B", "A"], "fields": [
            {"tag": 1, "default": {"k": 1, "j": 2}, "doc": "", "name": "m", "aliases": ["q", "p"], "order": "ignore",
             "type": {"type": "map", "default": {}, "values": "int"}},
            {"name": "d", "type": ["double", "null"], "default": 1}
        ]}"#,
        concat!(
            r#"{"type":"record","name":"R","doc":"","fields":[{"name":"m","type":{"type":"map","values":"int","#,
            r#""default":{}},"doc":"","default":{"k":1,"j":2},"order":"ignore","aliases":["q","p"],"tag":1},"#,
            r#"{"name":"d","type":["double","null"],"default":1}],"z":{"b":1,"a":2},"y":1,"aliases":["n.B","A"]}"#,
        ),
        concat!(
            r#"{"type":"record","name":"R","fields":[{"name":"m","type":{"type":"map","values":"int","#,
            r#""default":{}},"doc":"","default":{"j":2,"k":1},"order":"ignore","aliases":["p","q"],"tag":1},"#,
            r#"{"name":"d","type":["double","null"],"default":1.0}],"y":1,"z":{"a":2,"b":1},"aliases":["A","n.B"]}"#,
        ),
    );
    for text in ["1", "{}", "[1]", r#"{"type":"record"}"#, r#"{"type":"array"}"#, "{"] {
        assert!(canonical(text).is_err(), "{text}");
    }
}

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
}

const CHANGES: [Change; 7] = [
    Change::AddField,
    Change::AddFieldWithDefault,
    Change::RemoveField,
    Change::Promote,
    Change::Wrap,
    Change::Resize,
    Change::DropSymbol,
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
        Change::DropSymbol => {
            value["symbols"].as_array_mut().unwrap().pop();
            (value.get("default").is_some(), true)
        }
    }
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
    fn a_change_and_its_inverse_swap_directions(old in types(), which in 0..CHANGES.len(), at in 0..4_usize) {
        // The first change from this one on that can be made at all.
        let mut new = old.clone();
        let changes = CHANGES.iter().cycle().skip(which).take(CHANGES.len());
        let places = changes.flat_map(|change| [(change, at), (change, 0)]);
        let expected = places.into_iter().find_map(|(change, mut at)| changed(&mut new, *change, &mut at));
        prop_assume!(expected.is_some());
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
        changes in prop::collection::vec((0..CHANGES.len(), 0..4_usize), 0..4),
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

/// What an answer may take: 100 ms, and more in builds that are not optimised, on machines that do other things too.
const LIMIT: Duration = Duration::from_millis(if cfg!(debug_assertions) { 3_000 } else { 100 });

/// Runs a question within the limit.
fn timed<T>(name: &str, ask: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let answer = ask();
    let took = start.elapsed();
    println!("{name}: {took:?}");
    assert!(took < LIMIT, "{name} took {took:?}");
    answer
}

#[track_caller]
fn refused(name: &str, text: &str, reason: &str) {
    for read in [parse, parse_new] {
        let error = timed(name, || read(text, &BTreeMap::new())).expect_err(name);
        let told = error.to_string();
        assert!(told.contains(reason) && told.len() < 1_000, "{name}: {}", &told[..told.len().min(1_000)]);
    }
}

#[test]
fn hostile_texts_are_refused_at_once() {
    let list = |n: usize, item: &dyn Fn(usize) -> String| (0..n).map(item).collect::<Vec<_>>().join(",");
    refused("nested arrays", &"[".repeat(10_000), "nested more than");
    refused("nested objects", &r#"{"type":"#.repeat(10_000), "nested more than");
    let nested = format!("{}\"int\"{}", r#"{"type":"array","items":"#.repeat(10_000), "}".repeat(10_000));
    refused("nested types", &nested, "nested more than");
    let symbols = format!(r#"{{"type":"enum","name":"E","symbols":[{}]}}"#, list(20_000, &|i| format!("\"S{i}\"")));
    refused("a huge enum", &symbols, "symbols");
    let symbols = format!(r#"{{"type":"enum","name":"E","symbols":[{}]}}"#, list(60_000, &|i| format!("\"S{i}\"")));
    refused("a larger enum", &symbols, "values");
    let huge = "n".repeat(900_000);
    refused("a huge name", &format!(r#"{{"type":"fixed","name":"{huge}","size":1}}"#), "bytes");
    refused("a huge namespace", &format!(r#"{{"type":"fixed","name":"F","namespace":"{huge}","size":1}}"#), "too long");
    refused("a huge type name", &format!("\"{huge}\""), "no name");
    refused("too many bytes", &" ".repeat(MAX_BYTES + 1), "bytes");
    let defaults = format!(
        r#"{{"type":"record","name":"R","fields":[{{"name":"a","type":{{"type":"array","items":"int"}},"default":[{}]}}]}}"#,
        "1,".repeat(400_000) + "1"
    );
    refused("a megabyte of defaults", &defaults, "values");
    let deep = format!(
        r#"{{"type":"record","name":"R","fields":[{{"name":"a","type":"int","default":{}{}}}]}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    refused("a deep default", &deep, "nested more than");
    let twice = format!("[{}]", list(5_000, &|_| r#"{"type":"fixed","name":"F","size":1}"#.to_owned()));
    refused("the same type again and again", &twice, "twice");
    refused("a type that is its own name", r#"{"type":"fixed","name":"F","size":"F"}"#, "`size`");
    refused(
        "a number without end",
        &format!(r#"{{"type":"fixed","name":"F","size":{}}}"#, "9".repeat(100_000)),
        "range",
    );
}

#[test]
fn hostile_defaults_and_references_are_refused_at_once() {
    // Both branches fit until the innermost value, which fits neither: trying them all takes two to the depth.
    let inner =
        |name: &str| json!({"type": "record", "name": name, "fields": [{"name": "f", "type": ["null", "R1", "R2"]}]});
    let value = (0..60).fold(json!("x"), |value, _| json!({"f": value}));
    let text = json!({"type": "record", "name": "Top", "fields": [
        {"name": "a", "type": ["null", inner("R1"), "R1x"]}, {"name": "b", "type": ["R1", "R2"], "default": value}
    ]});
    let text = text.to_string().replace("\"R1x\"", &inner("R2").to_string());
    let none = BTreeMap::new();
    // The first record is used before the second is defined.
    assert!(parse(&text, &none).is_ok());
    let references =
        BTreeMap::from([("r1".to_owned(), inner("R1").to_string()), ("r2".to_owned(), inner("R2").to_string())]);
    let text =
        json!({"type": "record", "name": "Top", "fields": [{"name": "b", "type": ["R1", "R2"], "default": value}]});
    let error = timed("exponential defaults", || parse_new(&text.to_string(), &references)).unwrap_err();
    assert!(matches!(&error, Error::TooLarge(_)), "{error}");

    // References in circles are types in circles, and fine.
    assert!(timed("references in circles", || parse_new("\"R1\"", &references)).is_ok());
    let many: BTreeMap<_, _> = (0..200).map(|i| (format!("r{i}"), " ".repeat(10_000) + "int")).collect();
    let error = timed("many large references", || parse("int", &many)).unwrap_err();
    assert!(error.to_string().contains("reference"), "{error}");
}

#[test]
fn hostile_schemas_are_compared_at_once() {
    let none = BTreeMap::new();
    let itself = |name: &str, text: &str| {
        let read = timed(name, || parse(text, &none)).unwrap_or_else(|error| panic!("{name}: {error}"));
        timed(name, || compare(&read, &read))
    };
    // A record for every level with two fields of the next: two to the levels paths, one pair a level.
    let doubling: String = (0..30).rev().fold("\"int\"".to_owned(), |inner, level| {
        let second = if level == 29 { "int".to_owned() } else { format!("L{}", level + 1) };
        format!(r#"{{"type":"record","name":"L{level}","fields":[{{"name":"a","type":{inner}}},{{"name":"b","type":"{second}"}}]}}"#)
    });
    assert_eq!(itself("doubling records", &doubling), Ok(Vec::new()));
    // Unions of records that hold the union: every record meets every other.
    let names = |n: usize| (0..n).map(|i| format!("\"R{i}\"")).collect::<Vec<_>>().join(",");
    let nest = |n: usize| {
        let records = (0..n).map(|i| {
            let fields = format!(r#"[{{"name":"f","type":["null",{}]}}]"#, names(n));
            format!(r#"{{"type":"record","name":"R{i}","fields":{fields}}}"#)
        });
        format!("[{}]", records.collect::<Vec<_>>().join(","))
    };
    assert_eq!(itself("a nest of unions", &nest(60)), Ok(Vec::new()));
    assert_eq!(itself("a larger nest of unions", &nest(200)), Err(TooComplex));
    // Renamed by alias, so that names tell nothing apart: every reader's record takes every writer's.
    let aliases = |n: usize| {
        let records = (0..n).map(|i| {
            let fields = format!(r#"[{{"name":"f{i}","type":["null",{}],"default":null}}]"#, names(n));
            format!(r#"{{"type":"record","name":"R{i}","aliases":[{}],"fields":{fields}}}"#, names(n))
        });
        format!("[{}]", records.collect::<Vec<_>>().join(","))
    };
    assert!(itself("loops of aliases", &aliases(30)).is_ok_and(|found| found.is_empty()));
    assert_eq!(itself("larger loops of aliases", &aliases(150)), Err(TooComplex));
    let wide = format!(
        "{{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[{}]}}",
        (0..10_000).map(|i| format!("\"S{i}\"")).collect::<Vec<_>>().join(",")
    );
    assert_eq!(itself("the largest enum", &wide), Ok(Vec::new()));
}
