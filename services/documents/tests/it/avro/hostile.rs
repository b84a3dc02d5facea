//! Schemas that are meant to hurt.

use std::collections::BTreeMap;
use std::time::Duration;

use documents::avro::{Error, MAX_BYTES, MAX_DEPTH, canonical, parse, parse_new};
use domain::change::avro::compare;
use domain::change::message::TooComplex;
use serde_json::json;

use crate::hostile::cpu_time;

/// What an answer may take: 100 ms, and more in builds that are not optimised.
const LIMIT: Duration = Duration::from_millis(if cfg!(debug_assertions) { 3_000 } else { 100 });

/// Runs a question within the limit.
fn timed<T>(name: &str, ask: impl FnOnce() -> T) -> T {
    let start = cpu_time();
    let answer = ask();
    let took = cpu_time() - start;
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
    let symbols = format!(r#"{{"type":"enum","name":"E","symbols":[{}]}}"#, list(105_000, &|i| format!("\"S{i:x}\"")));
    refused("a huge enum", &symbols, "symbols");
    let symbols = format!(r#"{{"type":"enum","name":"E","symbols":[{}]}}"#, list(260_000, &|_| "\"\"".to_owned()));
    refused("a larger enum", &symbols, "values");
    let huge = "n".repeat(900_000);
    refused("a huge name", &format!(r#"{{"type":"fixed","name":"{huge}","size":1}}"#), "bytes");
    refused("a huge namespace", &format!(r#"{{"type":"fixed","name":"F","namespace":"{huge}","size":1}}"#), "too long");
    refused("a huge type name", &format!("\"{huge}\""), "not a valid");
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
    refused("the same type again and again", &twice, "defined twice");
    refused("a type that is its own name", r#"{"type":"fixed","name":"F","size":"F"}"#, "`size`");
    refused(
        "a number without end",
        &format!(r#"{{"type":"fixed","name":"F","size":{}}}"#, "9".repeat(100_000)),
        "range",
    );
}

#[test]
fn what_just_keeps_the_limits_is_answered() {
    let none = BTreeMap::new();
    let nested = format!("{}\"int\"{}", r#"{"type":"array","items":"#.repeat(MAX_DEPTH), "}".repeat(MAX_DEPTH));
    let records = (0..MAX_DEPTH / 3).fold(
        json!("int"),
        |inner, level| json!({"type": "record", "name": format!("R{level}"), "fields": [{"name": "f", "type": inner}]}),
    );
    let fields: Vec<_> = (0..10_000).map(|i| json!({"name": format!("f{i}"), "type": "int"})).collect();
    let wide = json!({"type": "record", "name": "R", "fields": fields});
    // Columns as producers write them, to the last byte, and an enum of all codes.
    let fields =
        (0..14_500).map(|i| json!({"name": format!("column_{i}"), "type": ["null", "string"], "default": null}));
    let nullable = json!({"type": "record", "name": "R", "fields": fields.collect::<Vec<_>>()});
    let symbols: Vec<_> = (0..90_000).map(|i| format!("S{i:x}")).collect();
    let codes = json!({"type": "enum", "name": "E", "symbols": symbols});
    for text in [nested, records.to_string(), wide.to_string(), nullable.to_string(), codes.to_string()] {
        let read = timed("reading", || parse_new(&text, &none)).unwrap();
        assert_eq!(timed("comparing", || compare(&read, &read)), Ok(Vec::new()));
        assert_eq!(timed("writing", || canonical(&text)), Ok(text));
    }
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
