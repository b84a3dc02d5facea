//! JSON Schemas made to hurt: each is answered or refused, and soon.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use documents::json_schema::{Error, MAX_BYTES, MAX_DEPTH, parse};
use domain::change::json_schema::compare;
use domain::change::message::{Difference, Policy, TooComplex};
use serde_json::{Value, json};

/// How long an unoptimised build on a busy machine may take for an answer or a refusal. The aim is 100 ms, optimised;
/// what bounds it are steps, not this.
const PATIENCE: Duration = Duration::from_secs(10);

type Answer = Result<Result<Vec<Difference>, TooComplex>, Error>;

/// Reads both texts and compares them.
fn answer(old: &str, new: &str) -> Answer {
    let start = Instant::now();
    let read = |text| parse(text, &BTreeMap::new());
    let answer = read(old).and_then(|old| Ok(compare(&old, &read(new)?, Policy::Strict)));
    let elapsed = start.elapsed();
    assert!(elapsed < PATIENCE, "{} and {} bytes: {elapsed:?}", old.len(), new.len());
    answer
}

fn is_compatible(answer: Answer) -> bool {
    answer.unwrap().unwrap().iter().all(|difference| difference.compatible)
}

#[test]
fn references_in_circles_are_compared_or_refused() {
    let recursive = r##"{"properties": {"self": {"$ref": "#"}}, "items": {"$ref": "#"}, "not": {"$ref": "#"}}"##;
    assert!(answer(recursive, recursive).unwrap().is_ok());
    for alias in [
        json!({"$ref": "#"}),
        json!({"$ref": "#/definitions/a", "definitions": {
            "a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"},
        }}),
        json!({"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#a", "definitions": {
            "a": {"allOf": [{"$id": "#a", "$ref": "#b"}]}, "b": {"definitions": {"c": {"$id": "#b", "$ref": "#a"}}},
        }}),
    ] {
        let text = alias.to_string();
        assert!(matches!(answer(&text, &text), Err(Error::Circular { .. } | Error::Unresolved { .. })), "{text}");
    }
    let anchors = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": {"a": {"$anchor": "a", "$ref": "#b"}, "b": {"$anchor": "b", "$ref": "#a"}},
        "$ref": "#a",
    });
    let text = anchors.to_string();
    assert!(matches!(answer(&text, &text), Err(Error::Circular { .. })));
}

#[test]
fn size_and_depth_are_refused_before_parsing() {
    let deep = format!("{}{}", "{\"not\":".repeat(10_000), "}".repeat(10_000));
    assert!(matches!(answer(&deep, "{}"), Err(Error::TooDeep)));
    let pattern = json!({"pattern": "a".repeat(2_000_000)}).to_string();
    assert!(matches!(answer(&pattern, "{}"), Err(Error::TooLarge { .. })));
    let properties: serde_json::Map<String, Value> = (0..100_000).map(|n| (format!("{n:x}"), json!({}))).collect();
    let text = json!({"properties": properties}).to_string();
    assert!(matches!(answer(&text, "{}"), Err(Error::TooLarge { .. } | Error::TooManyValues)));
    let text = json!({"enum": (0..300_000).map(|n| n % 10).collect::<Vec<u32>>()}).to_string();
    assert!(matches!(answer(&text, "{}"), Err(Error::TooManyValues)));
}

#[test]
fn remote_references_are_never_fetched() {
    for remote in ["http://127.0.0.1:1/a.json", "file:///etc/passwd", "https://example.com/s#/a", "../other.json"] {
        let text = json!({"properties": {"a": {"$ref": remote}}}).to_string();
        let error = answer(&text, "{}").unwrap_err();
        assert!(matches!(&error, Error::Unresolved { reference } if reference == remote), "{error:?}");
    }
}

#[test]
fn numbers_beyond_reason_are_compared_or_refused() {
    let greater = r#"{"type": "number", "maximum": 1e308, "multipleOf": 1e-300}"#;
    let smaller = r#"{"type": "number", "maximum": 99999999999999999999999999999999999999, "multipleOf": 7}"#;
    assert!(!is_compatible(answer(greater, smaller)));
    assert!(matches!(answer(r#"{"maximum": 1e400}"#, "{}"), Err(Error::NotJson { .. })));
    assert!(answer(r#"{"minLength": 4e15}"#, r#"{"minLength": 123456789012345678901234567890}"#).is_ok());
}

#[test]
fn patterns_that_are_costly_or_unknown_cover_nothing() {
    let closed = json!({"properties": {}, "additionalProperties": false}).to_string();
    for pattern in ["(a{1000}){1000}", "^(?=x)", "(a+)+$", "(.)\\1", "["] {
        let old = json!({"properties": {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!": {}}, "additionalProperties": false});
        let new = json!({"patternProperties": {pattern: true}, "additionalProperties": false}).to_string();
        match answer(&old.to_string(), &new) {
            Err(Error::NotASchema { .. }) => {}
            other => assert!(!is_compatible(other), "{pattern}"),
        }
        assert!(answer(&closed, &new).map_or(true, |answer| answer.is_ok()));
    }
}

#[test]
fn exponential_combinations_get_an_answer_or_are_too_complex() {
    // Each level offers the one below on several ways.
    let nest = |leaf: Value, keyword: &str, depth: usize| {
        let mut definitions = serde_json::Map::new();
        definitions.insert("d0".to_owned(), leaf);
        for level in 1..=depth {
            let below = format!("#/definitions/d{}", level - 1);
            let choices: Vec<Value> = (0..8)
                .map(|n| json!({"type": "object", "properties": {format!("p{n}"): {"$ref": below}, "q": {"const": n}}}))
                .collect();
            definitions.insert(format!("d{level}"), json!({keyword: choices}));
        }
        json!({"$ref": format!("#/definitions/d{depth}"), "definitions": definitions}).to_string()
    };
    for keyword in ["oneOf", "anyOf", "allOf"] {
        let (old, new) = (nest(json!({"type": "string"}), keyword, 40), nest(json!({"type": "null"}), keyword, 40));
        assert!(is_compatible(answer(&old, &old)));
        assert!(!is_compatible(answer(&old, &new)));
    }
    // Alternatives by the hundred, none of which fits.
    let wide = |kind: &str| {
        let choices: Vec<Value> = (0..700).map(|n| json!({"type": kind, "title": n.to_string()})).collect();
        json!({"oneOf": choices}).to_string()
    };
    assert!(matches!(answer(&wide("string"), &wide("integer")), Ok(Err(TooComplex))));
    // One difference at the end of ways without number.
    let doubling = |leaf: &str| {
        let mut definitions = serde_json::Map::new();
        definitions.insert("d0".to_owned(), json!({"type": leaf}));
        for level in 1..=60 {
            let below = json!({"$ref": format!("#/definitions/d{}", level - 1)});
            definitions.insert(format!("d{level}"), json!({"properties": {"a": below, "b": below}}));
        }
        json!({"$ref": "#/definitions/d60", "definitions": definitions}).to_string()
    };
    assert!(!is_compatible(answer(&doubling("string"), &doubling("null"))));
}

#[test]
fn long_chains_of_references_need_no_stack() {
    let chain = |leaf: &str| {
        let mut definitions = serde_json::Map::new();
        for level in 0..6_000 {
            let below = json!({"$ref": format!("#/definitions/d{}", level + 1)});
            definitions.insert(format!("d{level}"), json!({"items": below}));
        }
        definitions.insert("d6000".to_owned(), json!({"type": leaf}));
        json!({"$ref": "#/definitions/d0", "definitions": definitions}).to_string()
    };
    assert!(!is_compatible(answer(&chain("string"), &chain("integer"))));
}

/// A value that is named is followed through alternatives to a depth, and through so many of them.
#[test]
fn a_value_is_followed_so_far() {
    let chain = |depth: usize, also: &dyn Fn(usize) -> Value| {
        let mut definitions = serde_json::Map::new();
        for level in 0..depth {
            let below = json!({"$ref": format!("#/definitions/d{}", level + 1)});
            definitions.insert(format!("d{level}"), json!({"not": {"allOf": [below, also(level)]}}));
        }
        definitions.insert(format!("d{depth}"), json!({"type": "boolean"}));
        json!({"$ref": "#/definitions/d0", "definitions": definitions}).to_string()
    };
    let value = json!({"const": "x"}).to_string();
    // No stack for a long way.
    assert!(!is_compatible(answer(&value, &chain(4_000, &|_| json!({"type": "string"})))));
    // Nor time for ways without number, all of which lead to the level below.
    let ways = |level: usize| {
        let below = json!({"$ref": format!("#/definitions/d{}", level + 1)});
        json!({"allOf": (0..8).map(|n| json!({"allOf": [below, {"maxLength": n + 1}]})).collect::<Vec<_>>()})
    };
    assert!(!is_compatible(answer(&value, &chain(30, &ways))));
}

/// What the limits are for: `docs/registry.md`.
#[test]
fn a_megabyte_of_honest_schema_is_compared() {
    let columns = |column: &dyn Fn(usize) -> Value, n: usize| {
        let properties: serde_json::Map<String, Value> = (0..n).map(|n| (format!("column_{n}"), column(n))).collect();
        json!({"type": "object", "properties": properties, "additionalProperties": false}).to_string()
    };
    let megabyte = |make: &dyn Fn(usize) -> String| {
        let n = (0..5).fold(1_000, |n, _| n * 980_000 / make(n).len());
        let text = make(n);
        assert!((900_000..=MAX_BYTES).contains(&text.len()), "{} bytes", text.len());
        text
    };
    let code = |n: usize| String::from_utf8(vec![b'A' + (n / 26 % 26) as u8, b'A' + (n % 26) as u8]).unwrap();
    for make in [
        &(|n| columns(&|_| json!({"type": "string"}), n)) as &dyn Fn(usize) -> String,
        &|n| columns(&|_| json!({"type": ["null", "string"]}), n),
        &|n| columns(&|n| json!({"type": "string", "description": format!("The number {n} of the order")}), n),
        &|n| columns(&|n| json!({"type": "string", "maxLength": n}), n),
        &|n| columns(&|_| json!({"enum": (0..676).map(code).collect::<Vec<_>>()}), n / 5),
        &|n| json!({"enum": (0..n).map(|n| n + 10_000).collect::<Vec<_>>()}).to_string(),
    ] {
        let text = megabyte(make);
        assert!(is_compatible(answer(&text, &text)), "{}", &text[..200]);
    }
    // 59 objects, and 24 lists of nullable objects, within one another.
    let objects =
        (0..59).fold(json!({"type": "string"}), |inner, _| json!({"type": "object", "properties": {"a": inner}}));
    let lists = (0..23).fold(json!({"type": "string"}), |inner, _| {
        json!({"type": "array", "items": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"a": inner}}]}})
    });
    let not = (0..MAX_DEPTH - 1).fold(json!({}), |inner, _| json!({"not": inner}));
    for schema in [objects, lists, not] {
        let text = schema.to_string();
        assert!(is_compatible(answer(&text, &text)), "{text}");
        let text = text.replacen('{', "{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\", ", 1);
        assert!(is_compatible(answer(&text, &text)), "{text}");
    }
    let too_deep = (0..MAX_DEPTH).fold(json!({}), |inner, _| json!({"not": inner})).to_string();
    assert!(matches!(answer(&too_deep, "{}"), Err(Error::TooDeep)));
}

#[test]
fn large_schemas_within_the_limits_are_compared() {
    let wide = |n: usize| {
        let properties: serde_json::Map<String, Value> =
            (0..n).map(|n| (format!("p{n}"), json!({"type": "string", "maxLength": n % 7}))).collect();
        json!({"type": "object", "properties": properties, "additionalProperties": false}).to_string()
    };
    assert!(is_compatible(answer(&wide(10_000), &wide(10_001))));
    let values = |n: u32| json!({"enum": (0..n).collect::<Vec<_>>()}).to_string();
    assert!(!is_compatible(answer(&values(40_000), &values(39_999))));
}
