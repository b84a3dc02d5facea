//! Sources and documents that are meant to hurt.

use std::time::Duration;

use documents::convert::{Dialect, ImportOptions, MAX_SOURCE_BYTES, Source, Target, export, import};
use serde_json::{Value, json};

use super::{TARGETS, options, parsed_by_its_target};

/// What a refusal may take: 100 ms, and ten times that in builds that are not optimised.
const LIMIT: Duration = Duration::from_millis(if cfg!(debug_assertions) { 1_000 } else { 100 });

/// What this thread has spent on the processor, so that a busy machine does not count.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

#[track_caller]
fn refused(name: &str, source: Source, text: &str, reason: &str, limit: Duration) {
    let start = cpu_time();
    let problems = import(source, text, &options()).expect_err(name);
    let took = cpu_time() - start;
    assert!(problems.iter().any(|problem| problem.message.contains(reason)), "{name}: {problems:?}");
    assert!(problems.iter().all(|problem| problem.message.len() < 1_000), "{name} tells too much");
    assert!(took < limit, "{name} took {took:?}");
}

#[test]
fn nesting_is_refused_at_once() {
    let nested =
        |open: &str, close: &str, n: usize, inner: &str| format!("{}{inner}{}", open.repeat(n), close.repeat(n));
    let avro = |n: usize| {
        let field = nested(r#"{"type":"array","items":"#, "}", n, r#""int""#);
        format!(r#"{{"type":"record","name":"r","fields":[{{"name":"a","type":{field}}}]}}"#)
    };
    refused("avro arrays", Source::Avro, &avro(10_000), "", LIMIT);
    refused("a few avro arrays", Source::Avro, &avro(20), "nested more than", LIMIT);
    let schema = |n: usize| {
        format!(r#"{{"type":"object","properties":{{"a":{}}}}}"#, nested(r#"{"type":"array","items":"#, "}", n, "true"))
    };
    refused("schemas", Source::JsonSchema, &schema(10_000), "", LIMIT);
    refused("a few schemas", Source::JsonSchema, &schema(20), "nested more than", LIMIT);
    refused("open brackets", Source::Avro, &"[".repeat(1_000_000), "", LIMIT);
    refused(
        "messages",
        Source::Protobuf,
        &format!("syntax = \"proto3\";{}", "message A {".repeat(10_000)),
        "nested more than",
        LIMIT,
    );
    let delta = format!(
        r#"{{"type":"struct","fields":[{{"name":"a","type":{}}}]}}"#,
        nested(r#"{"type":"array","elementType":"#, "}", 10_000, "1")
    );
    refused("delta arrays", Source::Delta, &delta, "", LIMIT);
    let iceberg = format!(
        r#"{{"schema":{{"type":"struct","fields":[{{"id":1,"name":"a","type":{}}}]}}}}"#,
        nested(r#"{"type":"list","element":"#, "}", 10_000, "1")
    );
    refused("iceberg lists", Source::Iceberg, &iceberg, "", LIMIT);
    for dialect in
        [Dialect::Generic, Dialect::Postgres, Dialect::Spark, Dialect::BigQuery, Dialect::ClickHouse, Dialect::DuckDb]
    {
        let source = Source::Sql(dialect);
        let types = format!("CREATE TABLE t (a {})", nested("ARRAY<", ">", 10_000, "INT"));
        refused("types", source, &types, "nested more than", LIMIT);
        let expression = format!("CREATE TABLE t (a int CHECK ({}))", nested("(", ")", 10_000, "a > 1"));
        refused("expressions", source, &expression, "nested more than", LIMIT);
        let chain = format!("CREATE TABLE t (a int CHECK (a > 1{}))", " + 1".repeat(100_000));
        refused("a chain of operators", source, &chain, "too long", LIMIT);
        let minus = format!("CREATE TABLE t (a int DEFAULT {}1)", "- ".repeat(500));
        refused("a chain of signs", source, &minus, "", LIMIT);
        let casts = format!("CREATE TABLE t (a int DEFAULT 1{})", "::int".repeat(100_000));
        refused("a chain of casts", source, &casts, "too long", LIMIT);
    }
}

#[test]
fn many_columns_and_much_text_are_refused() {
    // All of it has to be read before it can be counted.
    let long = LIMIT * 5;
    let many = |one: &dyn Fn(usize) -> String, joint: &str| (0..100_000).map(one).collect::<Vec<_>>().join(joint);
    let fields = many(&|n| format!(r#"{{"name":"c{n}","type":"int"}}"#), ",");
    refused("avro", Source::Avro, &format!(r#"{{"type":"record","name":"r","fields":[{fields}]}}"#), "more than", long);
    refused("delta", Source::Delta, &format!(r#"{{"type":"struct","fields":[{fields}]}}"#), "more than", long);
    let properties = many(&|n| format!(r#""c{n}":{{"type":"integer"}}"#), ",");
    refused(
        "json schema",
        Source::JsonSchema,
        &format!(r#"{{"type":"object","properties":{{{properties}}}}}"#),
        "more than",
        long,
    );
    let columns = many(&|n| format!("c{n} int"), ",");
    refused("sql", Source::Sql(Dialect::Postgres), &format!("CREATE TABLE t ({columns})"), "more than", long);
    refused("bytes", Source::Avro, &" ".repeat(MAX_SOURCE_BYTES + 1), "bytes", LIMIT);
    refused("values", Source::Dbt, &format!(r#"{{"nodes":[{}0]}}"#, "0,".repeat(1_100_000)), "more than", long);
    // What a manifest says beside its nodes is not kept.
    let noise = format!(r#"{{"macros":[{}0],"nodes":{{}}}}"#, "0,".repeat(1_100_000));
    refused("a manifest without models", Source::Dbt, &noise, "nothing that a contract can be created from", long);
}

#[test]
fn types_that_grow_or_hold_themselves_end() {
    let start = cpu_time();
    // Each record has the one before it twice.
    let mut fields =
        vec![r#"{"name":"a","type":{"type":"record","name":"R0","fields":[{"name":"x","type":"int"}]}}"#.to_owned()];
    for n in 1..11 {
        let twice =
            format!(r#"{{"name":"p","type":"R{0}"}},{{"name":"q","type":"R{0}"}},{{"name":"s","type":"R{0}"}}"#, n - 1);
        fields.push(format!(r#"{{"name":"a{n}","type":{{"type":"record","name":"R{n}","fields":[{twice}]}}}}"#));
    }
    let avro = format!(r#"{{"type":"record","name":"r","fields":[{}]}}"#, fields.join(","));
    import(Source::Avro, &avro, &options()).expect_err("an exponential record");
    let mut definitions = vec![r#""d0":{"type":"object"}"#.to_owned()];
    for n in 1..40 {
        definitions.push(format!(
            r##""d{n}":{{"properties":{{"a":{{"$ref":"#/$defs/d{0}"}},"b":{{"$ref":"#/$defs/d{0}"}}}}}}"##,
            n - 1
        ));
    }
    let schema = format!(r##"{{"$ref":"#/$defs/d39","$defs":{{{}}}}}"##, definitions.join(","));
    import(Source::JsonSchema, &schema, &options()).expect_err("an exponential schema");
    let own = import(Source::JsonSchema, r##"{"$ref":"#"}"##, &options()).unwrap();
    assert!(own.notes[0].what.contains("is recursive"), "{own:?}");
    let remote = r#"{"type":"object","properties":{"a":{"$ref":"http://127.0.0.1:1/x.json"}}}"#;
    let problems = import(Source::JsonSchema, remote, &options()).unwrap_err();
    assert!(problems[0].message.contains("not fetched"), "{problems:?}");
    let proto = "syntax = \"proto3\"; import \"/etc/passwd\"; message A {}";
    import(Source::Protobuf, proto, &options()).expect_err("an import of a file");
    assert!(cpu_time() - start < LIMIT);
}

/// A contract whose every word is an attack.
fn attack(text: &str) -> Value {
    json!({
        "apiVersion": "v3.2.0", "kind": "DataContract", "id": text, "name": text, "version": "1.0.0", "status": text,
        "schema": [{
            "name": "orders", "physicalName": text, "description": text,
            "properties": [
                {"name": text, "description": text, "logicalType": "string", "enum": [{"value": text}], "tags": [text],
                 "customProperties": [{"property": "default", "value": text}], "physicalType": text},
                {"name": format!("{text} "), "logicalType": "object", "properties": [{"name": text, "description": text}]},
                {"name": format!("{text}  "), "logicalType": "array", "items": {"description": text, "physicalType": text}},
            ],
        }],
    })
}

#[test]
fn names_and_texts_stay_names_and_texts() {
    const WORDS: [&str; 14] = [
        "x\"); DROP TABLE users; --",
        "x`); DROP TABLE users; --",
        "x'); DROP TABLE users; --",
        "\\'); DROP TABLE users; --",
        "x\n; DROP TABLE users;\n",
        "*/ message Evil {} /*",
        "x\nmessage Evil {}",
        "\u{2028}message Evil {}",
        "<script>alert(1)</script>",
        "| a | b |\n|---|\n",
        "[x](javascript:alert(1)) ![x](y)",
        "```\n# x",
        "\u{202e}\u{feff}x",
        "{{ jinja }} ${shell} $(cmd) %s",
    ];
    for word in WORDS {
        for (target, source) in TARGETS {
            let exported = export(attack(word).to_string().as_bytes(), target, None).unwrap();
            parsed_by_its_target(target, &exported.text);
            if let Some(source) = source {
                let back = import(source, &exported.text, &options())
                    .unwrap_or_else(|problems| panic!("{problems:?}\n{}", exported.text));
                let document: Value = serde_saphyr::from_str(&back.text).unwrap();
                assert_eq!(document["schema"].as_array().unwrap().len(), 1, "{}", exported.text);
                assert_eq!(document["schema"][0]["properties"].as_array().unwrap().len(), 3, "{}", exported.text);
                assert!(!back.notes.iter().any(|note| note.what.contains("DROP")), "{:?}", back.notes);
            }
            if target == Target::Markdown {
                assert!(!exported.text.replace("\\]", "").contains("](javascript"), "{}", exported.text);
            }
        }
    }
}

#[test]
fn names_that_clash_in_the_target_are_kept_apart() {
    let names = ["a b", "a-b", "a_b", "A_B", "aB", "a_b_2", "é", "è", ""];
    let columns: Vec<_> = names
        .iter()
        .map(|name| json!({ "name": name, "logicalType": "object", "properties": [{"name": "x"}] }))
        .collect();
    let long = "x".repeat(100);
    let mut columns = columns;
    columns.push(json!({ "name": format!("{long}1") }));
    columns.push(json!({ "name": format!("{long}2") }));
    let document = json!({
        "apiVersion": "v3.2.0", "kind": "DataContract", "id": "a", "version": "1.0.0", "status": "draft",
        "schema": [{ "name": "t", "properties": columns }],
    });
    for (target, source) in TARGETS {
        let exported = export(document.to_string().as_bytes(), target, None).unwrap();
        parsed_by_its_target(target, &exported.text);
        if let Some(source) = source {
            let back = import(source, &exported.text, &options())
                .unwrap_or_else(|problems| panic!("{problems:?}\n{}", exported.text));
            let back: Value = serde_saphyr::from_str(&back.text).unwrap();
            assert_eq!(back["schema"][0]["properties"].as_array().unwrap().len(), names.len() + 2, "{}", exported.text);
        }
    }
}

#[test]
fn invalid_options_are_reported() {
    let avro = r#"{"type":"record","name":"r","fields":[]}"#;
    let wrong = ImportOptions { version: "one".to_owned(), ..options() };
    assert!(import(Source::Avro, avro, &wrong).unwrap_err()[0].message.contains("is not a version"));
    let document = attack("x").to_string();
    let problems = export(document.as_bytes(), Target::Avro, Some("nothing")).unwrap_err();
    assert!(problems[0].message.contains("no `nothing`"), "{problems:?}");
}
