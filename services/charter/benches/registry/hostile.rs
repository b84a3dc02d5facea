//! Schemas that are meant to hurt, as `charter schema compat --batch` meets them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

/// Each schema is compared with itself, in a process of its own: the time from the line to its answer, and the most
/// memory that the process ever had.
pub(crate) fn refuse() {
    for (format, schemas) in [("avro", avro()), ("json", json_schema()), ("protobuf", protobuf())] {
        let asked: Vec<_> = schemas.into_iter().map(|(name, schema)| (name, compare(format, schema))).collect();
        for (name, (took, peak_kb)) in &asked {
            println!("hostile {format}, {name}: {:.1} ms, {:.1} MB", took.as_secs_f64() * 1e3, *peak_kb as f64 / 1e3);
        }
        let slowest = asked.iter().map(|(_, (took, _))| took.as_secs_f64() * 1e3).fold(0.0, f64::max);
        let largest = asked.iter().map(|(_, (_, peak_kb))| *peak_kb).max().unwrap() as f64 / 1e3;
        println!("hostile {format}, n = {}: slowest {slowest:.1} ms, largest {largest:.1} MB", asked.len());
    }
    println!("  budget: each answered or refused within 100 ms, in bounded memory");
}

fn compare(format: &str, schema: Value) -> (Duration, u64) {
    let mut line = json!({ "id": 1, "format": format, "old": schema, "new": schema }).to_string().into_bytes();
    line.push(b'\n');
    let mut command = Command::new(env!("CARGO_BIN_EXE_charter"));
    command.args(["schema", "compat", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
    // The first answer tells that the program has started.
    let mut answer = String::new();
    stdin.write_all(b"{\"id\": 0, \"format\": \"avro\", \"old\": \"int\", \"new\": \"int\"}\n").unwrap();
    stdout.read_line(&mut answer).unwrap();
    answer.clear();
    let began = Instant::now();
    stdin.write_all(&line).unwrap();
    stdout.read_line(&mut answer).unwrap();
    let took = began.elapsed();
    assert!(answer.starts_with('{'), "{answer}");
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak_kb = peak.trim().trim_end_matches(" kB").parse().unwrap();
    drop(stdin);
    child.wait().unwrap();
    (took, peak_kb)
}

/// A JSON value inside so many others.
fn nested(depth: usize, leaf: Value, wrap: impl Fn(usize, Value) -> Value) -> Value {
    (0..depth).fold(leaf, |inner, level| wrap(level, inner))
}

fn avro() -> Vec<(&'static str, Value)> {
    let record = |name: &str, fields: Vec<Value>| json!({ "type": "record", "name": name, "fields": fields });
    let field = |name: &str, of: Value| json!({ "name": name, "type": of });
    let symbols = |n: usize| (0..n).map(|n| format!("S{n}")).collect::<Vec<_>>();
    let union = (0..500).map(|n| record(&format!("R{n}"), vec![field("a", json!("R0"))])).collect::<Vec<_>>();
    // Each record names the next one twice: two to the number of ways through them.
    let doubling = nested(30, record("End", vec![]), |level, inner| {
        let name = inner["name"].clone();
        record(&format!("D{level}"), vec![field("a", inner), field("b", name)])
    });
    let circle =
        record("A", vec![field("b", record("B", vec![field("a", json!(["null", "A"])), field("b", json!("A"))]))]);
    let aliases = (0..2_000)
        .map(|n| json!({ "name": format!("f{n}"), "aliases": [format!("f{}", (n + 1) % 2_000)], "type": "int" }));
    vec![
        ("arrays nested 100 deep", nested(100, json!("int"), |_, items| json!({ "type": "array", "items": items }))),
        ("text nested 10,000 deep", json!("[".repeat(10_000))),
        ("an enum of 100,000 symbols", json!({ "type": "enum", "name": "E", "symbols": symbols(100_000) })),
        ("a union of 500 records of each other", json!(union)),
        ("records that double at each level", doubling),
        ("records in a circle", circle),
        ("aliases in a loop", record("R", aliases.collect())),
        (
            "a record of 50,000 fields",
            record("R", (0..50_000).map(|n| field(&format!("f{n}"), json!("int"))).collect()),
        ),
        (
            "a megabyte of defaults",
            record(
                "R",
                vec![json!({ "name": "a", "type": { "type": "array", "items": "int" }, "default": vec![1; 400_000] })],
            ),
        ),
        ("a name of a megabyte", json!({ "type": "fixed", "name": "n".repeat(1_000_000), "size": 1 })),
        ("a remote reference", json!("https://example.com/schema.avsc")),
    ]
}

fn json_schema() -> Vec<(&'static str, Value)> {
    let levels = |n: usize, leaf: Value, level: &dyn Fn(Value) -> Value| {
        let below = |at: usize| json!({ "$ref": format!("#/definitions/d{at}") });
        let mut definitions: Map<String, Value> = (1..=n).map(|at| (format!("d{at}"), level(below(at - 1)))).collect();
        definitions.insert("d0".to_owned(), leaf);
        json!({ "$ref": format!("#/definitions/d{n}"), "definitions": definitions })
    };
    let eight = |keyword: &str, below: Value| {
        let choice =
            |n: usize| json!({ "type": "object", "properties": { format!("p{n}"): below, "q": { "const": n } } });
        json!({ keyword: (0..8).map(choice).collect::<Vec<_>>() })
    };
    let properties = |n: usize| (0..n).map(|n| (format!("p{n}"), json!({ "type": "string" }))).collect::<Map<_, _>>();
    let wide = (0..700).map(|n| json!({ "type": "string", "title": n.to_string() })).collect::<Vec<_>>();
    vec![
        ("`not` nested 100 deep", nested(100, json!({}), |_, not| json!({ "not": not }))),
        ("an enum of 100,000 values", json!({ "enum": (0..100_000).collect::<Vec<u32>>() })),
        ("100,000 properties", json!({ "properties": properties(100_000) })),
        ("`oneOf` of 8 to the 40 ways", levels(40, json!({ "type": "string" }), &|below| eight("oneOf", below))),
        ("`anyOf` of 8 to the 40 ways", levels(40, json!({ "type": "string" }), &|below| eight("anyOf", below))),
        ("`allOf` of 8 to the 40 ways", levels(40, json!({ "type": "string" }), &|below| eight("allOf", below))),
        ("700 alternatives", json!({ "oneOf": wide })),
        (
            "properties that double at each level",
            levels(60, json!({ "type": "string" }), &|below| json!({ "properties": { "a": below, "b": below } })),
        ),
        ("a reference to itself", json!({ "$ref": "#" })),
        (
            "a schema of itself",
            json!({ "properties": { "a": { "$ref": "#" } }, "items": { "$ref": "#" }, "not": { "$ref": "#" } }),
        ),
        (
            "references in a circle",
            json!({ "$ref": "#/definitions/a", "definitions": { "a": { "$ref": "#/definitions/b" }, "b": { "$ref": "#/definitions/a" } } }),
        ),
        ("a chain of 6,000 references", levels(6_000, json!({ "type": "string" }), &|below| json!({ "items": below }))),
        ("a remote reference", json!({ "properties": { "a": { "$ref": "http://127.0.0.1:1/a.json" } } })),
        (
            "a costly pattern",
            json!({ "patternProperties": { "(a{1000}){1000}": true }, "properties": { "a".repeat(10_000): {} } }),
        ),
    ]
}

fn protobuf() -> Vec<(&'static str, Value)> {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000));
    let many = |n: usize, line: &dyn Fn(usize) -> String| (0..n).map(line).collect::<String>();
    let text = |text: String| Value::from(text);
    vec![
        ("messages nested 10,000 deep", text(deep("message A {", "}"))),
        ("groups nested 10,000 deep", text(format!("message A {{ {}", "optional group A = 1 {".repeat(10_000)))),
        ("options nested 10,000 deep", text(format!("option (a) = {};", deep("{ a ", "}")))),
        ("lists nested 10,000 deep", text(format!("message A {{ int32 a = 1 [a = {}]; }}", deep("[", "]")))),
        ("a package of 100,000 parts", text(format!("package {}a; message M {{ B b = 1; }}", "a.".repeat(100_000)))),
        (
            "an enum of 60,000 values",
            text(format!("syntax = 'proto3'; enum E {{ {} }}", many(60_000, &|n| format!("A{n}={n};")))),
        ),
        (
            "a message of 5,000 fields",
            text(format!("syntax = 'proto3'; message M {{ {} }}", many(5_000, &|n| format!("int32 a{n}={};", n + 1)))),
        ),
        (
            "messages of each other",
            text(format!(
                "syntax = 'proto3'; {}",
                many(300, &|n| format!("message M{n} {{ M{} a = 1; M{} b = 2; }}", (n + 1) % 300, (n + 7) % 300))
            )),
        ),
        (
            "a name of 300,000 bytes",
            text(format!("message {} {{ {} }}", "a".repeat(300_000), "message A{}".repeat(20_000))),
        ),
        ("a remote import", text("syntax = 'proto3'; import 'https://example.com/a.proto'; message M {}".to_owned())),
        ("an import of a path", text("syntax = 'proto3'; import '/etc/passwd'; message M {}".to_owned())),
        ("a text of 4 MiB", text(format!("/*{}*/", " ".repeat(4 << 20)))),
        ("no end of a string", text(format!("option java_package = \"{}", "x".repeat(900_000)))),
    ]
}
