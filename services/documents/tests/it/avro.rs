//! Avro schemas: the shared vectors, what is told and what is refused, and the texts of a registry.

mod generated;
mod hostile;

use std::collections::BTreeMap;

use documents::avro::{Error, canonical, normalise, parse, parse_new, resolved};
use domain::change::avro::{Schema, compare};
use domain::change::message::all_compatible;
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
        (json!({"type": "fixed", "name": "a-b", "size": 1}).to_string(), "", "not a valid name"),
        (json!({"type": "fixed", "name": "F", "namespace": "1", "size": 1}).to_string(), "", "not a valid name"),
        (json!({"type": "fixed", "name": "int", "size": 1}).to_string(), "", "primitive"),
        (json!({"type": "fixed", "name": "F", "aliases": "G", "size": 1}).to_string(), "", "must be an array"),
        (json!({"type": "enum", "name": "E", "symbols": ["A-B"]}).to_string(), "/symbols/0", "not a valid name"),
        (json!({"type": "enum", "name": "E", "symbols": ["A"], "default": "B"}).to_string(), "/default", "not one of"),
        (json!({"type": {"type": "string"}}).to_string(), "", "must be a name"),
        (field(json!({"name": "a b", "type": "int"})), "/fields/0", "not a valid name"),
        (field(json!({"name": "a", "type": "int", "order": "up"})), "/fields/0", "order"),
        (default(json!("int"), json!("0")), "/fields/0/default", "not a value"),
        (default(json!("int"), json!(1_u64 << 31)), "/fields/0/default", "not a value"),
        (default(json!("int"), json!(1.0)), "/fields/0/default", "not a value"),
        (default(json!("double"), json!("1")), "/fields/0/default", "not a value"),
        (default(json!("int"), json!("NaN")), "/fields/0/default", "not a value"),
        (default(json!(["double", "null"]), json!("NaN")), "/fields/0/default", "not a value"),
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
        ("1".to_owned(), "", "a type must be"),
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
        (
            record(json!([{"name": "a", "type": "int"}, {"name": "a", "type": "int"}])).to_string(),
            "/fields/1",
            "duplicate",
        ),
        (json!({"type": "enum", "name": "E", "symbols": ["A", "A"]}).to_string(), "/symbols/1", "duplicate"),
        (json!({"type": "enum", "name": "E"}).to_string(), "", "`symbols`"),
        (json!({"type": "fixed", "name": "F", "size": -1}).to_string(), "", "`size`"),
        (json!({"type": "fixed", "name": "F", "size": "4"}).to_string(), "", "`size`"),
        (json!(["int", ["null"]]).to_string(), "/1", "union"),
        (json!(["int", "string", "int"]).to_string(), "", "duplicate branch `int`"),
        (json!(["int", {"type": "int", "logicalType": "date"}]).to_string(), "", "duplicate branch `int`"),
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
        default(json!("double"), json!("NaN")),
        default(json!({"type": "float"}), json!("-Infinity")),
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
fn what_a_schema_refers_to_is_written_where_it_is_named_first() {
    let check = |text: &str, references: &[(&str, &str)], expected: &str| {
        let references = references.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        assert_eq!(resolved(text, &references).unwrap(), expected);
        // As a whole it means the same.
        let (apart, whole) = (parse(text, &references).unwrap(), parse_new(expected, &BTreeMap::new()).unwrap());
        assert_eq!(compare(&apart, &whole), Ok(Vec::new()));
    };
    let user = r#"{"type": "record", "name": "User", "namespace": "shop", "fields": [{"name": "of", "type": "Team"},
        {"name": "zip", "type": {"type": "fixed", "name": "Zip", "size": 5}}, {"name": "boss", "type": ["null", "User"]}]}"#;
    let team = r#"{"type": "enum", "name": "shop.Team", "symbols": ["A"]}"#;
    check(
        r#"{"type": "record", "name": "Post", "fields": [{"name": "zip", "type": "shop.Zip"}, {"name": "by", "type":
            {"type": "array", "items": "shop.User"}}, {"name": "to", "type": "shop.User"}, {"name": "x", "type": "Post"}]}"#,
        &[("shop.User", user), ("shop.Team", team)],
        concat!(
            r#"{"type":"record","name":"Post","fields":[{"name":"zip","type":{"type":"fixed","name":"Zip","#,
            r#""namespace":"shop","size":5}},{"name":"by","type":{"type":"array","items":{"type":"record","#,
            r#""name":"User","namespace":"shop","fields":[{"name":"of","type":{"type":"enum","name":"Team","#,
            r#""symbols":["A"]}},{"name":"zip","type":"Zip"},{"name":"boss","type":["null","User"]}]}}},"#,
            r#"{"name":"to","type":"shop.User"},{"name":"x","type":"Post"}]}"#,
        ),
    );
    // A type without a namespace stays one within a namespace.
    check(
        r#"{"type": "record", "name": "n.R", "fields": [{"name": "e", "type": "E"}]}"#,
        &[("E", r#"{"type": "enum", "name": "E", "symbols": ["A"]}"#)],
        concat!(
            r#"{"type":"record","name":"R","namespace":"n","fields":[{"name":"e","type":{"type":"enum","name":"E","#,
            r#""namespace":"","symbols":["A"]}}]}"#,
        ),
    );
    check("\"shop.Team\"", &[("t", team)], r#"{"type":"enum","name":"Team","namespace":"shop","symbols":["A"]}"#);

    // A chain of references that would be nested deeper than a schema may be.
    let link = |number: usize| {
        let arrays = |inner: String| (0..60).fold(inner, |inner, _| format!(r#"{{"type":"array","items":{inner}}}"#));
        let next = arrays(format!(r#""L{}""#, number + 1));
        format!(r#"{{"type":"record","name":"L{number}","fields":[{{"name":"f","type":{next}}}]}}"#)
    };
    let chain = (1..5).map(|number| (format!("L{number}"), link(number))).collect();
    assert!(matches!(resolved(&link(0), &chain), Err(Error::TooLarge(_))));
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
    // Aliases are sorted by what they mean.
    check(
        r#"{"type": "fixed", "name": "n.F", "size": 1, "aliases": ["Z", "a.A"]}"#,
        r#"{"type":"fixed","name":"F","namespace":"n","size":1,"aliases":["Z","a.A"]}"#,
        r#"{"type":"fixed","name":"F","namespace":"n","size":1,"aliases":["a.A","Z"]}"#,
    );
    let default = |written: &str| {
        format!(r#"{{"type":"record","name":"R","fields":[{{"name":"d","type":"double","default":{written}}}]}}"#)
    };
    for (written, expected) in [
        ("1e20", "1.0E20"),
        ("-12345678.5", "-1.23456785E7"),
        ("1e7", "1.0E7"),
        ("9999999.5", "9999999.5"),
        ("0.001", "0.001"),
        ("0.00099", "9.9E-4"),
        ("0.0", "0.0"),
        ("\"NaN\"", "\"NaN\""),
    ] {
        same(&default(written), &default(expected));
    }
    // A named type that has the name of a primitive one is none.
    same(r#"["a.int"]"#, r#"["a.int"]"#);
    for text in ["1", "{}", "[1]", r#"{"type":"record"}"#, r#"{"type":"array"}"#, "{"] {
        assert!(canonical(text).is_err(), "{text}");
    }
}
