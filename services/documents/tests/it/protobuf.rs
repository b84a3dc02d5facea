//! Protobuf schemas: the vectors, one schema in its two forms, and what is meant to hurt.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use documents::protobuf::{Error, MAX_BYTES, canonical, normalise, parse, serialized};
use domain::change::message::{Difference, all_compatible};
use domain::change::protobuf::{Label, Schema, compare};
use proptest::prelude::*;
use serde_json::Value;

use crate::hostile::{LIMIT, cpu_time};
use crate::shared;

#[test]
fn the_vectors_hold() {
    let Some(folder) = shared::folder("vectors") else { return };
    let text = std::fs::read_to_string(folder.join("protobuf-compat.jsonl")).unwrap();
    let listed = listed_disagreements();
    let mut wrong = BTreeSet::new();
    let mut n_confluent = 0;
    for row in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let id = row["id"].as_str().unwrap();
        let old = parse(row["old"].as_str().unwrap(), &imports(&row["old_imports"])).expect(id);
        let new = parse(row["new"].as_str().unwrap(), &imports(&row["new_imports"])).expect(id);
        let backward = compare(&old, &new).unwrap();
        let forward = compare(&new, &old).unwrap();
        let agrees = |key: &str, found: &[Difference]| row[key].as_bool().is_none_or(|it| it == all_compatible(found));
        let is_right = agrees("backward", &backward) && agrees("forward", &forward);
        if row["dialect"] == "confluent" {
            n_confluent += 1;
            assert!(is_right, "{id}: {backward:?}");
            let expected: BTreeSet<String> =
                row["differences"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect();
            let found: BTreeSet<String> = backward.iter().map(|it| format!("{} {}", it.name, it.path)).collect();
            assert_eq!(found, expected, "{id}");
        } else if !is_right {
            wrong.insert(id.to_owned());
        }
    }
    assert!(n_confluent >= 20, "{n_confluent} rows of Confluent");
    let here: BTreeSet<String> = listed.into_iter().filter(|id| text.contains(&format!("\"{id}\""))).collect();
    assert_eq!(wrong, here, "docs/protobuf-disagreements.md lists what we judge otherwise");
}

fn imports(imports: &Value) -> BTreeMap<String, String> {
    let pairs = imports.as_object().into_iter().flatten();
    pairs.map(|(name, text)| (name.clone(), text.as_str().unwrap().to_owned())).collect()
}

/// The ids in the first column of the table.
fn listed_disagreements() -> BTreeSet<String> {
    let text = include_str!("../../../../docs/protobuf-disagreements.md");
    text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).map(str::to_owned).collect()
}

#[test]
fn a_vector_is_one_schema_in_all_of_its_forms() {
    let Some(folder) = shared::folder("vectors") else { return };
    let text = std::fs::read_to_string(folder.join("protobuf-compat.jsonl")).unwrap();
    let mut n_compiled = 0;
    for row in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        for (schema, imported) in [("old", "old_imports"), ("new", "new_imports")] {
            let (text, imports) = (row[schema].as_str().unwrap(), imports(&row[imported]));
            if canonical(text, &imports).is_ok() {
                n_compiled += 1;
                forms_agree(text, &imports);
            }
        }
    }
    assert!(n_compiled >= 90, "{n_compiled} schemas compile");
}

/// Holds a schema against its canonical, sorted and serialized forms.
fn forms_agree(text: &str, imports: &BTreeMap<String, String>) {
    let schema = parse(text, imports).unwrap();
    assert_eq!(compare(&schema, &schema).unwrap(), [], "{text}");
    let stored = canonical(text, imports).unwrap();
    let binary = serialized(text, imports).unwrap();
    assert_eq!(parse(&stored, imports).as_ref(), Ok(&schema), "{text}\n{stored}");
    assert_eq!(parse(&binary, imports).as_ref(), Ok(&schema), "{text}");
    assert_eq!(canonical(&stored, imports).as_ref(), Ok(&stored), "{text}");
    assert_eq!(canonical(&binary, imports).as_ref(), Ok(&stored), "{text}");
    // Not the same bytes: the entries of maps in options come in any order.
    assert_eq!(serialized(&binary, imports).unwrap().len(), binary.len(), "{text}");

    let sorted = normalise(text, imports).unwrap();
    assert_eq!(normalise(&binary, imports).as_ref(), Ok(&sorted), "{text}");
    assert_eq!(normalise(&sorted, imports).as_ref(), Ok(&sorted), "{text}");
    let reordered = parse(&sorted, imports).expect(&sorted);
    assert_eq!(compare(&schema, &reordered).unwrap(), [], "{text}\n{sorted}");
}

/// A schema with all that the language has, and what it imports.
const EVERYTHING: &str = r#"
// A comment.
syntax = "proto2";
package a.b;
import "other.proto";
import public "google/protobuf/timestamp.proto";
import "confluent/meta.proto";
import "google/protobuf/descriptor.proto";
option java_package = "x.\"y\"";
option (confluent.file_meta).doc = "a\nb";
option optimize_for = CODE_SIZE;
message Order {
  option deprecated = true;
  option (confluent.message_meta) = { params: [{ key: "z" value: "1" }, { key: "b", value: "2" }], tags: ["q", "p"] };
  reserved 20, 30 to 40, 1000 to max;
  reserved "old", "older";
  extensions 100 to 199;
  required int64 id = 7 [json_name = "ID", (confluent.field_meta) = { doc: "it's", rules { name: "r" } }];
  optional string name_of_it = 2 [default = "a\"b\n"];
  optional bytes raw = 3 [default = "\000\377\""];
  optional double most = 4 [default = inf];
  optional float some = 5 [default = -1.5];
  repeated sint32 numbers = 6 [packed = true];
  optional Kind kind = 1 [default = WHOLESALE];
  map<string, other.Address> addresses = 8;
  map<int32, Kind> kinds = 9;
  oneof payment { option (mark) = 3; string card = 10; bool cash = 11; }
  optional group Extra = 12 { optional string note = 1; optional group Inner = 2 { optional int32 x = 1; } }
  optional .google.protobuf.Timestamp at = 13;
  message Line { optional Order order = 1; message Deep { optional Line line = 1; } }
  repeated Line.Deep lines = 14;
  enum Kind { option allow_alias = true; RETAIL = 1; WHOLESALE = 0 [deprecated = true]; SHOP = 1; OTHER = -3; reserved 9 to max; }
  extend Order { optional string inside = 101; }
}
extend google.protobuf.OneofOptions { optional int32 mark = 50001; }
extend Order { optional int32 outside = 100; repeated Order.Kind more = 102; }
service Orders {
  option deprecated = true;
  rpc Get (Order) returns (stream Order) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Put (stream Order) returns (google.protobuf.Timestamp);
}
"#;

fn other() -> BTreeMap<String, String> {
    let text = "syntax = 'proto3'; package other; message Address { optional string zip = 1; string city = 2; }";
    BTreeMap::from([("other.proto".to_owned(), text.to_owned())])
}

#[test]
fn all_of_the_language_survives_the_canonical_text() {
    forms_agree(EVERYTHING, &other());
    let stored = canonical(EVERYTHING, &other()).unwrap();
    for kept in [
        "option java_package = \"x.\\\"y\\\"\";",
        "option (.confluent.file_meta) = { doc: \"a\\nb\" };",
        "params: [{ key: \"b\", value: \"2\" }, { key: \"z\", value: \"1\" }], tags: [\"q\", \"p\"]",
        "reserved 20, 30 to 40, 1000 to max;",
        "reserved \"old\", \"older\";",
        "extensions 100 to 199;",
        "required int64 id = 7 [json_name = \"ID\", (.confluent.field_meta) = { doc: \"it's\", rules: [{ name: \"r\" }] }];",
        "optional string name_of_it = 2 [default = \"a\\\"b\\n\"];",
        "[default = \"\\000\\377\\\"\"];",
        "[default = inf];",
        "[default = -1.5];",
        "repeated sint32 numbers = 6 [packed = true];",
        "optional .a.b.Order.Kind kind = 1 [default = WHOLESALE];",
        "  map<string, .other.Address> addresses = 8;",
        "  oneof payment {\n    option (.a.b.mark) = 3;\n    string card = 10;\n    bool cash = 11;\n  }\n",
        "  optional group Extra = 12 {\n    optional string note = 1;\n",
        "    RETAIL = 1;\n    WHOLESALE = 0 [deprecated = true];\n    SHOP = 1;\n    OTHER = -3;\n",
        "import public \"google/protobuf/timestamp.proto\";",
        "  rpc Get (.a.b.Order) returns (stream .a.b.Order) {\n    option idempotency_level = NO_SIDE_EFFECTS;\n  }\n",
        "extend .a.b.Order {\n  optional int32 outside = 100;\n}\n",
    ] {
        assert!(stored.contains(kept), "{kept}\nis not in\n{stored}");
    }
    assert!(!stored.contains("comment"), "{stored}");
}

#[test]
fn the_canonical_text_is_laid_out_as_people_would() {
    let text =
        "package a;message M{optional int32 x=1;enum E{A=0;}message N{}}\nmessage O { oneof c { int32 y = 1; } }";
    let expected = "syntax = \"proto2\";\npackage a;\n\nmessage M {\n  optional int32 x = 1;\n\n  message N {\n  }\n\n  enum E {\n    \
                    A = 0;\n  }\n}\n\nmessage O {\n  oneof c {\n    int32 y = 1;\n  }\n}\n";
    assert_eq!(canonical(text, &BTreeMap::new()).unwrap(), expected);
}

#[test]
fn the_sorted_text_forgets_the_order_of_all_but_messages() {
    let imports = other();
    let one = "syntax = 'proto3'; import 'other.proto'; import 'google/protobuf/any.proto'; option java_package = 'a'; \
               option cc_enable_arenas = true; message M { string b = 2; oneof o { int32 d = 4; int32 c = 3; } string a = 1; } \
               enum E { Z = 0; B = 2; A = 1; }";
    let other = "syntax = 'proto3'; import 'google/protobuf/any.proto'; import 'other.proto'; option cc_enable_arenas = true; \
                 option java_package = 'a'; message M { string a = 1; string b = 2; oneof o { int32 c = 3; int32 d = 4; } } \
                 enum E { Z = 0; A = 1; B = 2; }";
    assert_eq!(normalise(one, &imports), normalise(other, &imports));
    assert_ne!(canonical(one, &imports), canonical(other, &imports));
    let messages = |text: &str| normalise(&format!("syntax = 'proto3'; {text}"), &imports);
    assert_ne!(messages("message A {} message B {}"), messages("message B {} message A {}"));
}

#[test]
fn the_serialized_form_is_a_descriptor_with_all_names_resolved() {
    let text = "syntax = 'proto3'; package p; import 'other.proto'; message M { other.Address to = 1; }";
    let bytes = STANDARD.decode(serialized(text, &other()).unwrap()).unwrap();
    let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(bytes.starts_with(b"\x0a\x07default\x12\x01p"), "name and package come first: {bytes:?}");
    assert!(has(b".other.Address") && has(b"other.proto") && has(b"proto3"));
    assert!(!has(b"zip"), "imports are not part of it");
}

#[test]
fn a_text_without_syntax_is_proto2() {
    let label = |text: &str| parse(text, &BTreeMap::new()).unwrap().file.messages[0].fields[0].label;
    assert_eq!(label("message M { optional int32 a = 1; }"), Label::Optional);
    assert_eq!(label("message M { required int32 a = 1; }"), Label::Required);
    assert_eq!(label("syntax = 'proto3'; message M { int32 a = 1; }"), Label::Implicit);
    assert_eq!(label("syntax = 'proto3'; message M { optional int32 a = 1; }"), Label::Optional);
    assert_eq!(label("syntax = 'proto3'; message M { oneof o { int32 a = 1; } }"), Label::Implicit);
    // What the compiler refuses.
    assert_eq!(label("message M { int32 a = 1; }"), Label::Implicit);
    assert_eq!(label("syntax = 'proto3'; message M { optional int32 a = 0; }"), Label::Optional);
    assert_eq!(label("edition = '2023'; message M { int32 a = 1; }"), Label::Implicit);
}

#[test]
fn what_the_compiler_refuses_is_compared_and_not_registered() {
    let none = BTreeMap::new();
    for text in [
        "syntax = 'proto3'; message M { int32 a = 0; }",
        "syntax = 'proto3'; message M { Nobody a = 1; }",
        "message M { int32 a = 1; }",
        "syntax = 'proto3'; message M { int32 a = 1; int32 b = 1; }",
        "syntax = 'proto3'; message M { required int32 a = 1; }",
        "syntax = 'proto3'; enum E { A = 1; }",
        "message M { repeated XEntry x = 1; message XEntry { option map_entry = true; string key = 1; int32 value = 2; } }",
        "edition = '2023'; package a; message M { int32 a = 1 [features.field_presence = LEGACY_REQUIRED]; }",
        "syntax = 'proto3'; import 'nobody/has.proto'; message M { nobody.Has a = 1; }",
        "syntax = 'proto3'; option (unknown.option) = { a: [1, 2], b { c: 'x' } }; message M { map<string, Nobody> m = 1; }",
        "extend X { optional group G = 1 { optional int32 a = 1; } } service S { rpc A (B) returns (C) {} }; message M { extensions 4 to max; reserved 3; }",
    ] {
        assert!(canonical(text, &none).is_err(), "{text}");
        assert!(serialized(text, &none).is_err() && normalise(text, &none).is_err());
        let schema = parse(text, &none).expect(text);
        assert_eq!(compare(&schema, &schema).unwrap(), [], "{text}");
        let more = parse(&format!("{text} message Added {{}}"), &none).expect(text);
        let names: Vec<_> = compare(&schema, &more).unwrap().iter().map(|found| found.name).collect();
        assert_eq!(names, ["MESSAGE_ADDED"], "{text}");
    }
}

#[test]
fn a_map_is_a_map_however_it_is_written() {
    let none = BTreeMap::new();
    let entry = "message XEntry { option map_entry = true; string key = 1; int32 value = 2; }";
    let map = parse("syntax = 'proto3'; message M { map<string, int32> x = 1; }", &none).unwrap();
    assert_eq!(
        parse(&format!("syntax = 'proto3'; message M {{ repeated XEntry x = 1; {entry} }}"), &none),
        Ok(map.clone())
    );
    // The compiler refuses this one.
    let read = parse(&format!("edition = '2023'; message M {{ repeated XEntry x = 1; {entry} }}"), &none);
    assert_eq!(read, Ok(map));
}

#[test]
fn a_group_is_a_field_and_no_message_beside_it() {
    let none = BTreeMap::new();
    let removed = |fault: &str| {
        let read = |body: &str| parse(&format!("message M {{ {body} }} {fault}"), &none).unwrap();
        let group = "optional group G = 1 { optional int32 a = 1; } message H {}";
        let differences = compare(&read(group), &read("message H {}")).unwrap();
        differences.iter().map(|found| format!("{} {}", found.name, found.path)).collect::<Vec<_>>()
    };
    let expected = ["FIELD_REMOVED #/M/1", "MESSAGE_MOVED #/M/H"];
    assert_eq!(removed(""), expected);
    assert_eq!(removed("message Faulty { Nobody a = 1; }"), expected);
}

#[test]
fn the_tolerant_reader_sees_what_the_compiler_sees() {
    let compiled = parse(EVERYTHING, &other()).unwrap();
    // The same with one fault: a field that nobody declares the type of.
    let faulty = EVERYTHING.replacen("message Line {", "message Line { optional Nobody nobody = 99;", 1);
    let mut read = parse(&faulty, &other()).unwrap();
    let line = &mut read.file.messages[0].messages.iter_mut().find(|message| message.name == "Line").unwrap();
    assert_eq!(line.fields.pop().unwrap().name, "nobody");
    assert_eq!(read.file, compiled.file);
}

#[test]
fn imports_come_from_the_caller_or_are_well_known() {
    let importing = |name: &str| format!("syntax = 'proto3'; import '{name}'; message M {{}}");
    for name in [
        "google/protobuf/timestamp.proto",
        "google/protobuf/struct.proto",
        "confluent/meta.proto",
        "confluent/type/decimal.proto",
        "confluent/type/variant.proto",
        "other.proto",
    ] {
        assert!(canonical(&importing(name), &other()).is_ok(), "{name}");
    }
    for name in [
        "CalendarPeriod calendar_period",
        "Color color",
        "Date date",
        "DateTime datetime",
        "DayOfWeek dayofweek",
        "Decimal decimal",
        "Expr expr",
        "Fraction fraction",
        "Interval interval",
        "LatLng latlng",
        "Money money",
        "Month month",
        "PhoneNumber phone_number",
        "PostalAddress postal_address",
        "Quaternion quaternion",
        "TimeOfDay timeofday",
    ] {
        let (name, file) = name.split_once(' ').unwrap();
        let text =
            format!("syntax = 'proto3'; import 'google/type/{file}.proto'; message M {{ google.type.{name} a = 1; }}");
        let stored = canonical(&text, &BTreeMap::new()).expect(&text);
        forms_agree(&stored, &BTreeMap::new());
    }
    // What they declare counts: an enum is read as a number.
    let day = "syntax = 'proto3'; import 'google/type/dayofweek.proto'; message M { google.type.DayOfWeek day = 1; }";
    let read = |text: &str| parse(text, &BTreeMap::new()).unwrap();
    assert_eq!(compare(&read(day), &read("syntax = 'proto3'; message M { int32 day = 1; }")), Ok(Vec::new()));
    // An import may be in the form of a descriptor.
    let binary = serialized(&other()["other.proto"], &BTreeMap::new()).unwrap();
    let text = "syntax = 'proto3'; import 'other.proto'; message M { other.Address a = 1; }";
    let descriptors = BTreeMap::from([("other.proto".to_owned(), binary)]);
    assert_eq!(canonical(text, &descriptors), canonical(text, &other()));
    assert_eq!(parse(text, &descriptors), parse(text, &other()));
}

#[test]
fn hostile_schemas_are_answered_at_once() {
    let importing = |name: &str| format!("syntax = 'proto3'; import '{name}'; message M {{}}");
    let none = BTreeMap::new();
    let nested = |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000));
    let files = |texts: &[(&str, String)]| -> BTreeMap<String, String> {
        texts.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect()
    };

    refused("nested messages", &nested("message A {", "}"), &none, "deep");
    refused("nested groups", &format!("message A {{ {}", "optional group A = 1 {".repeat(10_000)), &none, "deep");
    refused("nested options", &format!("option (a) = {};", nested("{ a ", "}")), &none, "deep");
    refused("angled options", &format!("option (a) = {{ {} }};", nested("a <", ">")), &none, "deep");
    refused("nested lists", &format!("message A {{ int32 a = 1 [a = {}]; }}", nested("[", "]")), &none, "deep");
    let package = "a.".repeat(100_000);
    refused("a deep package", &format!("package {package}a; message M {{ B b = 1; }}"), &none, "deep");
    let constants: String = (0..110_000).map(|at| format!("A{at:x}=0;")).collect();
    refused("a huge enum", &format!("enum E {{ {constants} }}"), &none, "more than");
    let inside = "message A{}".repeat(20_000);
    refused("long names around much", &format!("message {} {{ {inside} }}", "a".repeat(300_000)), &none, "more than");
    refused("a giant text", &format!("/*{}*/", " ".repeat(MAX_BYTES)), &none, "bytes");
    refused(
        "a giant string",
        &format!("option java_package = \"{}\"; message", "x".repeat(900_000)),
        &none,
        "expected",
    );
    refused("no end of a string", "option java_package = \"x", &none, "1:23");
    refused("no end of a comment", "message M {}\n /* x", &none, "2:2");
    refused("an import loop", &importing("a"), &files(&[("a", importing("b")), ("b", importing("a"))]), "cycle");
    refused("an import of itself", &importing("default"), &files(&[("default", "message M {}".to_owned())]), "cycle");
    for name in
        ["https://example.com/a.proto", "../a.proto", "/etc/passwd", "a\\b.proto", "C:/a.proto", "unknown.proto"]
    {
        refused("an import of what was not given", &importing(name), &none, "");
    }
    refused("a field number over the most", "message M { optional int32 a = 536870912; }", &none, "number");
    refused(
        "a field number of many digits",
        &format!("message M {{ optional int32 a = {}; }}", "9".repeat(9_000)),
        &none,
        "",
    );
    refused("a field number that is reserved", "message M { optional int32 a = 19001; }", &none, "19");
    refused("a number that is reserved here", "message M { reserved 5; optional int32 a = 5; }", &none, "reserved");
    refused("invalid base64", "abc", &none, "neither");
    refused("base64 of garbage", &STANDARD.encode([255_u8; 500]), &none, "neither");
    refused("base64 of nested messages", &STANDARD.encode(nested_descriptor(200)), &none, "neither");
    refused("base64 of many fields", &STANDARD.encode(wide_descriptor(300_000)), &none, "more than");
    refused("no schema at all", "\u{0}\u{1}", &none, "");
    let chain: Vec<(String, String)> =
        (0..600).map(|at| (format!("f{at}"), importing(&format!("f{}", at + 1)))).collect();
    refused("a long chain of imports", &importing("f0"), &chain.into_iter().collect(), "imports");
}

/// What is refused to be registered, at once. It may be read for comparison; that answers as fast.
fn refused(name: &str, text: &str, imports: &BTreeMap<String, String>, reason: &str) {
    let start = cpu_time();
    let error = canonical(text, imports).expect_err(name);
    _ = parse(text, imports);
    let took = cpu_time() - start;
    assert!(error.to_string().contains(reason), "{name}: {error}");
    assert!(error.to_string().len() < 1_500, "{name} tells too much");
    assert!(took < LIMIT, "{name} took {took:?}");
}

/// A file descriptor of messages nested in each other.
fn nested_descriptor(depth: usize) -> Vec<u8> {
    let wrap = |tag: u8, inside: Vec<u8>| {
        let (low, high) = (inside.len() % 128, inside.len() / 128);
        [vec![tag, u8::try_from(low).unwrap() | 128, u8::try_from(high).unwrap()], inside].concat()
    };
    let message = (0..depth).fold(Vec::new(), |inside, _| wrap(0x1a, inside));
    wrap(0x22, message)
}

/// A file descriptor of one message with empty fields.
fn wide_descriptor(n_fields: usize) -> Vec<u8> {
    let fields = [0x12, 0].repeat(n_fields);
    let n = fields.len();
    let length = [n & 127 | 128, n >> 7 & 127 | 128, n >> 14 & 127].map(|byte| u8::try_from(byte).unwrap());
    [&[0x22][..], &length, &fields].concat()
}

#[test]
fn great_and_tangled_schemas_are_compared_at_once() {
    // Each message of an import has fields of all others, twice.
    let n = 60;
    let message = |at: usize, scalar: &str| {
        let fields: String =
            (0..n).map(|to| format!("M{to} a{to} = {}; M{to} b{to} = {};", to + 2, to + 102)).collect();
        format!("message M{at} {{ {scalar} x = 1; {fields} }}\n")
    };
    let tangled = |scalar: &str| -> Schema {
        let messages: String = (0..n).map(|at| message(at, scalar)).collect();
        let imports = BTreeMap::from([("m".to_owned(), format!("syntax = 'proto3'; package m; {messages}"))]);
        parse("syntax = 'proto3'; import 'm'; message Root { m.M0 m = 1; }", &imports).unwrap()
    };
    let (old, new) = (tangled("int32"), tangled("string"));
    let start = cpu_time();
    let differences = compare(&old, &new).unwrap();
    let took = cpu_time() - start;
    assert!(took < LIMIT, "{took:?}");
    let count = |name: &str| differences.iter().filter(|found| found.name == name).count();
    assert_eq!((count("FIELD_SCALAR_KIND_CHANGED"), count("FIELD_NAMED_TYPE_CHANGED")), (n, 2 * n * n + 1));

    // A chain of imported messages, far deeper than any stack.
    let chain = |scalar: &str| -> Schema {
        let links: String = (0..15_000).map(|at| format!("message M{at} {{ M{} m = 1; }}", at + 1)).collect();
        let text = format!("syntax = 'proto3'; package m; {links} message M15000 {{ {scalar} x = 1; }}");
        let imports = BTreeMap::from([("m".to_owned(), text)]);
        parse("syntax = 'proto3'; import 'm'; message Root { m.M0 m = 1; }", &imports).unwrap()
    };
    let (old, new) = (chain("int32"), chain("string"));
    let start = cpu_time();
    assert_eq!(compare(&old, &new).unwrap().len(), 15_002);
    let took = cpu_time() - start;
    assert!(took < LIMIT, "{took:?}");
}

#[test]
fn a_missing_import_is_named() {
    let text = "syntax = 'proto3'; import 'nobody.proto'; message M {}";
    assert_eq!(canonical(text, &BTreeMap::new()), Err(Error::Import { name: "nobody.proto".to_owned() }));
}

/// Texts of the words of the language, most of them not schemas.
fn arbitrary_text() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "syntax = 'proto3';",
        "syntax = 'proto2';",
        "edition = '2023';",
        "package a.b;",
        "import 'other.proto';",
        "message",
        "enum",
        "oneof",
        "extend",
        "service",
        "rpc",
        "returns",
        "option",
        "reserved",
        "extensions",
        "map<",
        "group",
        "optional",
        "required",
        "repeated",
        "M",
        "E",
        "a",
        ".other.Address",
        "int32",
        "string",
        "bytes",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "<",
        ">",
        ";",
        "=",
        ",",
        ".",
        ":",
        "-",
        "0",
        "1",
        "2",
        "536870911",
        "99999999999",
        "to",
        "max",
        "true",
        "'x'",
        "\"",
        "\\",
        "//",
        "/*",
        "*/",
        "#",
        "default",
        "json_name",
        "allow_alias",
        "\u{feff}",
        "é",
        "\u{0}",
        "\n",
        "message M { int32 a = 1; }",
        "enum E { A = 0; }",
        "(confluent.field_meta)",
    ]);
    prop::collection::vec(word, 0..60).prop_map(|words| words.join(" "))
}

/// Schemas that compile.
fn valid_text() -> impl Strategy<Value = String> {
    let field_type = prop::sample::select(vec![
        "int32",
        "sint64",
        "string",
        "bytes",
        "double",
        "bool",
        "M0",
        "E",
        "other.Address",
        "M1.N",
        "fixed32",
    ]);
    let label = prop::sample::select(vec!["", "repeated ", "optional ", "map"]);
    let field = (field_type, label, any::<bool>(), 1..400_u32);
    let message = prop::collection::vec(field, 0..8);
    prop::collection::vec(message, 2..5).prop_map(|messages| {
        let mut text = "syntax = 'proto3'; package p; import 'other.proto'; enum E { A = 0; B = -2; }\n".to_owned();
        for (at, fields) in messages.into_iter().enumerate() {
            text += &format!("message M{at} {{ message N {{ string z = 1; }}\n");
            let mut numbers = BTreeSet::new();
            for (field_type, label, in_oneof, number) in fields {
                if !numbers.insert(number) {
                    continue;
                }
                text += &match label {
                    "map" => format!("map<string, {field_type}> f{number} = {number};\n"),
                    "" if in_oneof => format!("oneof o{number} {{ {field_type} f{number} = {number}; }}\n"),
                    label => format!("{label}{field_type} f{number} = {number};\n"),
                };
            }
            text += "}\n";
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_reader_panic(text in arbitrary_text(), noise in ".{0,60}") {
        for text in [&text, &noise, &STANDARD.encode(&noise)] {
            if let Ok(schema) = parse(text, &other()) {
                prop_assert_eq!(compare(&schema, &schema).unwrap(), []);
            }
            if canonical(text, &other()).is_ok() {
                forms_agree(text, &other());
            }
        }
    }

    #[test]
    fn bytes_changed_at_random_make_no_reader_panic(at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = STANDARD.decode(serialized(EVERYTHING, &other()).unwrap()).unwrap();
        for (index, byte) in at {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        let text = STANDARD.encode(bytes);
        _ = parse(&text, &other());
        if let Ok(stored) = canonical(&text, &other()) {
            _ = parse(&stored, &other());
        }
    }

    #[test]
    fn a_schema_is_one_in_all_of_its_forms(text in valid_text()) {
        let binary = serialized(&text, &other()).unwrap();
        prop_assert_eq!(serialized(&binary, &other()), Ok(binary));
        forms_agree(&text, &other());
    }

    #[test]
    fn a_oneway_change_is_not_hidden(old in valid_text(), new in valid_text()) {
        let (old, new) = (parse(&old, &other()).unwrap(), parse(&new, &other()).unwrap());
        let count = |from: &Schema, to: &Schema, name: &str| {
            compare(from, to).unwrap().iter().filter(|found| found.name == name).count()
        };
        for (there, back) in [
            ("MESSAGE_ADDED", "MESSAGE_REMOVED"),
            ("FIELD_ADDED", "FIELD_REMOVED"),
            ("FIELD_SCALAR_KIND_CHANGED", "FIELD_SCALAR_KIND_CHANGED"),
            ("FIELD_KIND_CHANGED", "FIELD_KIND_CHANGED"),
            ("FIELD_NAMED_TYPE_CHANGED", "FIELD_NAMED_TYPE_CHANGED"),
            ("ONEOF_ADDED", "ONEOF_REMOVED"),
        ] {
            prop_assert_eq!(count(&old, &new, there), count(&new, &old, back), "{} and {}", there, back);
        }
    }
}
