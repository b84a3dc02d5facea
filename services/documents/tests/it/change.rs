//! The change engine over whole documents: the shared vectors of the normative table, and properties.

use documents::convert::{Foreign, ImportOptions, Source, follow, import};
use documents::message::References;
use documents::{Document, ParsedDocument, Problem, parse, parse_to_compare};
use domain::change::message::all_compatible;
use domain::change::{Finding, Options, Proofs, Rule, compare, compare_with, needed_bump, required_bump};
use domain::contract;
use domain::version::Bump;
use serde_json::{Value, json};

use crate::shared;

fn contract(document: &Value) -> contract::Document {
    in_document(parse(document.to_string().as_bytes()))
}

#[track_caller]
fn in_document(read: Result<ParsedDocument, Vec<Problem>>) -> contract::Document {
    match read {
        Ok(ParsedDocument { document: Document::Contract(contract), .. }) => contract,
        Ok(_) => panic!("not a contract"),
        Err(problems) => panic!("{problems:#?}"),
    }
}

/// Backward, forward and bump, as the vectors have them: documents that differ at all need a PATCH.
fn judged(old: &Value, new: &Value, findings: &[Finding]) -> (bool, bool, Bump) {
    let least = if old == new { Bump::None } else { Bump::Patch };
    let history_safe = findings.iter().all(Finding::history_safe);
    let consumer_safe = findings.iter().all(Finding::consumer_safe);
    (history_safe, consumer_safe, required_bump(findings).max(least))
}

/// The options that a vector is judged under: its own order of classification, and what lowers the bump.
fn options(vector: &Value, proofs: Proofs, allow_widening: bool) -> Options {
    let order = vector["classificationOrder"].as_array().map_or(&[][..], Vec::as_slice);
    let classification_order = order.iter().map(|word| word.as_str().unwrap().to_owned()).collect();
    Options { proofs, allow_widening, classification_order, ..Options::default() }
}

/// The values of each finding between two versions, whose documents differ in this.
fn values(old: Value, new: Value) -> Vec<(String, String, String)> {
    let document = |extra: Value| {
        let mut document = json!({
            "apiVersion": "v3.2.0", "kind": "DataContract", "id": "c", "version": "1.0.0", "status": "active",
        });
        document.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        contract(&document)
    };
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let findings = compare(&document(old), &document(new));
    findings.into_iter().map(|it| (it.rule.to_string(), text(it.before), text(it.after))).collect()
}

/// The same for a column.
fn values_of_column(old: Value, new: Value) -> Vec<(String, String, String)> {
    let schema = |extra: Value| {
        let mut column = json!({ "name": "a" });
        column.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({ "schema": [{ "name": "t", "properties": [column] }] })
    };
    values(schema(old), schema(new))
}

#[test]
fn findings_show_the_values_before_and_after() {
    let one = |rule: &str, before: &str, after: &str| vec![(rule.to_owned(), before.to_owned(), after.to_owned())];
    let of_column = [
        (json!({"logicalType": "integer"}), json!({"logicalType": "string"}), ("type.changed", "integer", "string")),
        (json!({"required": false}), json!({"required": true}), ("required.added", "false", "true")),
        (json!({"description": "old"}), json!({"description": "new\nline"}), ("documentation", "old", "new line")),
        (json!({}), json!({"tags": ["x", "y"]}), ("documentation", "-", "[\"x\",\"y\"]")),
        (json!({"unique": true}), json!({}), ("unique.removed", "true", "false")),
        (
            json!({"enum": [{"value": "x"}, {"value": 1}]}),
            json!({"enum": [{"value": "x"}]}),
            ("enum.tightened", "x, 1", "x"),
        ),
        (
            json!({"logicalType": "integer", "logicalTypeOptions": {"minimum": 1}}),
            json!({"logicalType": "integer", "logicalTypeOptions": {"minimum": 5}}),
            ("constraint.tightened", "1", "5"),
        ),
        (
            json!({"logicalType": "number", "logicalTypeOptions": {"exclusiveMaximum": 9}}),
            json!({"logicalType": "number"}),
            ("constraint.loosened", "9 (excluded)", "-"),
        ),
        (json!({}), json!({"classification": "restricted"}), ("classification.raised", "internal", "restricted")),
        (json!({}), json!({"primaryKey": true}), ("primary_key.added", "-", "a")),
        (
            json!({"customProperties": [{"property": "unit", "value": "cents"}]}),
            json!({"customProperties": [{"property": "unit", "value": "euros"}]}),
            ("meaning.changed", "cents", "euros"),
        ),
        (json!({"deprecated": false}), json!({"deprecated": true}), ("deprecated.added", "false", "true")),
        (
            json!({}),
            json!({"quality": [{"type": "library", "metric": "nullValues", "mustBeLessThan": 3, "unit": "percent"}]}),
            ("quality.tightened", "-", "mustBeLessThan 3 percent; nullValues"),
        ),
        (json!({}), json!({"relationships": [{"to": "t.a"}]}), ("foreign_key.added", "-", "t.a")),
    ];
    for (old, new, (rule, before, after)) in of_column {
        assert_eq!(values_of_column(old.clone(), new.clone()), one(rule, before, after), "{old} {new}");
    }
    let server = |path: &str| json!({"servers": [{"server": "l", "type": "local", "path": path, "format": "delta"}]});
    let other = |host: &str| json!({"servers": [{"server": "p", "type": "postgres", "host": host, "port": 5432, "database": "d", "schema": "s"}]});
    let columns = |names: &[&str]| {
        let columns: Vec<Value> = names.iter().map(|name| json!({"name": name, "logicalType": "string"})).collect();
        json!({"schema": [{"name": "t", "properties": columns}]})
    };
    let of_contract = [
        (json!({}), columns(&["a", "b"]), ("object.added", "-", "a, b")),
        (columns(&["a", "b"]), columns(&["a"]), ("column.removed.optional", "string", "-")),
        (columns(&["a", "b"]), columns(&["b", "a"]), ("columns.reordered", "a, b", "b, a")),
        (server("x/y"), server("x/z"), ("server.moved", "local, x/y, delta", "local, x/z, delta")),
        (other("one"), other("two"), ("server.changed", "{\"host\":\"one\"}", "{\"host\":\"two\"}")),
        (
            json!({"slaProperties": [{"property": "latency", "value": 1, "unit": "d"}]}),
            json!({"slaProperties": [{"property": "latency", "value": 2, "unit": "d"}]}),
            ("sla.worsened", "1 d", "2 d"),
        ),
        (
            json!({}),
            json!({"customProperties": [{"property": "gateMode", "value": "warn"}]}),
            ("setting.loosened", "block", "warn"),
        ),
        (json!({"name": "One"}), json!({"name": "Two"}), ("documentation", "name: One", "name: Two")),
        (
            json!({"roles": [{"role": "r", "access": "read"}]}),
            json!({"roles": [{"role": "r", "access": "read write"}]}),
            ("role.added", "read", "read write"),
        ),
    ];
    for (old, new, (rule, before, after)) in of_contract {
        assert_eq!(values(old.clone(), new.clone()), one(rule, before, after), "{old} {new}");
    }
}

#[test]
fn long_values_are_shown_from_where_they_differ() {
    let described = |text: String| json!({ "description": text });
    let both = "é".repeat(500);
    let found = values_of_column(described(format!("{both}old{}", "x".repeat(500))), described(format!("{both}new")));
    let [(_, before, after)] = found.as_slice() else { panic!("{found:?}") };
    assert!(before.starts_with("…é") && before.contains("éold") && before.ends_with("x…"), "{before}");
    assert_eq!(after, &format!("…{}new", "é".repeat(40)));
    assert_eq!(before.chars().count(), 202);
    // What came or went is shown from its beginning.
    let found = values_of_column(json!({}), described(both));
    assert_eq!(found[0].2, format!("{}…", "é".repeat(200)));
}

#[test]
fn every_vector_of_the_normative_table_is_judged_as_it_says() {
    let Some(folder) = shared::folder("vectors") else { return };
    let text = std::fs::read_to_string(folder.join("contract-gate.jsonl")).unwrap();
    let (mut n_rows, mut wrong) = (0, Vec::new());
    for line in text.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let (old, new) = (&vector["old"], &vector["new"]);
        let (before, after) = (contract(old), contract(new));
        for (key, options) in [
            ("bump", options(&vector, Proofs::None, false)),
            ("relaxed", options(&vector, Proofs::None, true)),
            ("withDataProof", options(&vector, Proofs::All, false)),
        ] {
            let findings = compare_with(&before, &after, &options);
            // What is not said to be lowered by anything is not.
            let expected = vector[key].as_str().or(vector["bump"].as_str()).unwrap();
            let expected = (&vector["backward"], &vector["forward"], expected);
            let (backward, forward, bump) = judged(old, new, &findings);
            n_rows += 1;
            if (&Value::from(backward), &Value::from(forward), bump.as_str()) != expected {
                let (id, row, change) = (&vector["id"], &vector["row"], &vector["change"]);
                let found = format!("{backward} {forward} {bump}, not {expected:?}: {findings:#?}");
                wrong.push(format!("{id} row {row} {change} ({key}): {found}"));
            }
        }
        assert!(compare(&after, &after).is_empty());
    }
    assert!(wrong.is_empty(), "{} of {n_rows} wrong:\n{}", wrong.len(), wrong.join("\n"));
    println!("all {n_rows} judgements agree");
}

/// What only our own checks refuse is compared like everything else.
#[test]
fn what_the_standard_accepts_is_compared() {
    let text = r#"
apiVersion: v3.2.0
kind: DataContract
id: orders
version: 1.0.0
domain: Sales
customProperties:
- {property: gateMode, value: open}
servers:
- {server: lake, type: local, path: /up, format: csv}
slaProperties:
- {property: frequency, value: 4}
- {property: retention, value: 6, unit: moons}
schema:
- name: Order lines
  properties:
  - {name: a, logicalType: string, primaryKey: true, primaryKeyPosition: 3, logicalTypeOptions: {pattern: "(?=a)"}}
  - {name: b, logicalType: array, items: {name: element, logicalType: string}}
"#;
    let read = |text: &str| in_document(parse_to_compare(text.as_bytes()));
    let old = read(text);
    for (from, to, rules) in [
        ("domain: Sales", "domain: Sold", &[Rule::Undetermined][..]),
        ("value: open", "value: shut", &[Rule::Undetermined]),
        ("path: /up", "path: /down", &[Rule::ServerChanged]),
        ("format: csv", "format: json", &[Rule::ServerChanged]),
        ("frequency, value: 4", "frequency, value: 5", &[Rule::SlaWorsened]),
        ("value: 6, unit: moons", "value: 7, unit: moons", &[Rule::SlaImproved]),
        ("primaryKeyPosition: 3", "primaryKeyPosition: 4", &[Rule::Documentation]),
        ("(?=a)", "(?=b)", &[Rule::ConstraintChanged]),
        ("name: element", "name: item", &[Rule::Documentation]),
        ("name: element, ", "", &[Rule::Documentation]),
    ] {
        assert!(text.contains(from), "{from}");
        let found: Vec<_> = compare(&old, &read(&text.replace(from, to))).iter().map(|it| it.rule).collect();
        assert_eq!(found, rules, "{from} to {to}");
    }
}

const PLAIN: &str = r#"
apiVersion: v3.1.0
kind: DataContract
id: c1
version: 1.0.0
status: active
schema:
- name: a
  physicalType: table
  quality:
  - {name: r, type: sql, query: "SELECT COUNT(*) FROM ${table} WHERE id < 0", mustBe: 0}
  properties:
  - {name: id, logicalType: integer}
"#;

/// The rules by which a contract differs from [`PLAIN`] with some of its text replaced.
#[track_caller]
fn rules_of(from: &str, to: &str, options: &Options) -> Vec<Rule> {
    assert!(PLAIN.contains(from), "{from}");
    let read = |text: &str| in_document(parse(text.as_bytes()));
    let findings = compare_with(&read(PLAIN), &read(&PLAIN.replace(from, to)), options);
    findings.iter().map(|finding| finding.rule).collect()
}

#[test]
fn what_promises_nothing_to_readers_is_a_patch() {
    let query = "SELECT COUNT(*) FROM ${table} WHERE id < 0";
    for (from, to, rule) in [
        ("physicalType: table", "physicalType: TABLE", Rule::TypeRespelled),
        ("physicalType: table", "physicalType: view", Rule::Documentation),
        ("  physicalType: table\n", "", Rule::Documentation),
        ("physicalType: table", "physicalType: topic", Rule::Undetermined),
        (query, "SELECT COUNT(*)\\n  FROM ${table} -- all\\n WHERE id<0", Rule::QualityRespelled),
        (query, "SELECT  count(*) FROM ${table} WHERE id < 0", Rule::QualityChanged),
        (query, "SELECT COUNT(*) FROM ${table} WHERE id < 0.0", Rule::QualityChanged),
        ("status: active", "status: active\ntenant: t", Rule::Documentation),
        ("status: active", "status: active\nslaDefaultElement: a.id", Rule::Documentation),
        (
            "status: active",
            "status: active\nprice: {priceAmount: 3, priceCurrency: EUR, priceUnit: row}",
            Rule::Documentation,
        ),
        ("status: active", "status: active\ncustomProperties: [{property: owner, value: x}]", Rule::Documentation),
        ("table\n", "table\n  customProperties: [{property: ScdType, value: 2}]\n", Rule::Documentation),
        ("integer}", "integer, customProperties: [{property: isMasked, value: true}]}", Rule::Documentation),
        ("mustBe: 0", "mustBe: 0, customProperties: [{property: engine, value: x}]", Rule::Documentation),
    ] {
        let found = rules_of(from, to, &Options::default());
        if rule == Rule::QualityChanged {
            // A query that counts something else is one rule that goes and another that comes.
            assert_eq!(found, [Rule::QualityTightened, Rule::QualityLoosened], "{to}");
        } else {
            assert_eq!(found, [rule], "{from} to {to}");
        }
        let is_major = found.iter().any(|rule| rule.judgement().bump == Bump::Major);
        assert_eq!(is_major, matches!(rule, Rule::QualityChanged | Rule::Undetermined), "{to}");
    }
}

/// Only what separates words is no part of a query.
#[test]
fn all_that_a_query_says_counts() {
    let contract = |condition: &str| {
        let query = Value::from(format!("SELECT COUNT(*) FROM ${{table}} WHERE {condition}")).to_string();
        let text = PLAIN.replace("\"SELECT COUNT(*) FROM ${table} WHERE id < 0\"", &query);
        in_document(parse_to_compare(text.as_bytes()))
    };
    for (one, other, is_same) in [
        ("id < 0 AND id > 1", "id<0\n  AND id>1 -- all", true),
        ("id < 0", "/* all */ id < /* or none */ 0", true),
        ("id < 0 AND id > 1", "id < 0 ANDid > 1", false),
        ("v = 'x  y'", "v = 'x y'", false),
        ("v = 'x -- y'", "v = 'x'", false),
        ("v = 'x'' -- y'", "v = 'x'''", false),
        ("\"a  b\" < 0", "\"a b\" < 0", false),
        ("`a  b` < 0", "`a b` < 0", false),
        ("v = $$x  y$$", "v = $$x y$$", false),
        ("v = 'x\\'  y'", "v = 'x\\' y'", false),
        ("/*+ hint */ id < 0", "id < 0", false),
        ("/*! hint */ id < 0", "id < 0", false),
        ("id < 0 /* open", "id < 0", false),
        ("v = 'open  x", "v = 'open x", false),
    ] {
        for (old, new) in [(one, other), (other, one)] {
            let findings = compare(&contract(old), &contract(new));
            let rules: Vec<Rule> = findings.iter().map(|finding| finding.rule).collect();
            let expected = match is_same {
                true => vec![Rule::QualityRespelled],
                false => vec![Rule::QualityTightened, Rule::QualityLoosened],
            };
            assert_eq!(rules, expected, "{old} to {new}");
        }
    }
}

#[test]
fn a_custom_property_is_a_promise_where_it_is_ours_or_listed() {
    let listed = Options { promises: ["retentionClass".to_owned()].into(), ..Options::default() };
    for (to, promised, otherwise) in [
        ("retentionClass", Rule::Undetermined, Rule::Documentation),
        ("costCentre", Rule::Documentation, Rule::Documentation),
        ("unit", Rule::MeaningChanged, Rule::MeaningChanged),
        ("masking", Rule::EncryptionChanged, Rule::EncryptionChanged),
        ("clusteredBy", Rule::PartitionChanged, Rule::PartitionChanged),
        ("writeDefault", Rule::DefaultChanged, Rule::DefaultChanged),
        ("openEnum", Rule::EnumTightened, Rule::EnumTightened),
        ("icebergFormatVersion", Rule::Undetermined, Rule::Undetermined),
        ("migrationNote", Rule::Documentation, Rule::Documentation),
    ] {
        for (from, to) in [
            ("status: active", format!("status: active\ncustomProperties: [{{property: {to}, value: x}}]")),
            ("table\n", format!("table\n  customProperties: [{{property: {to}, value: x}}]\n")),
            ("integer}", format!("integer, customProperties: [{{property: {to}, value: x}}]}}")),
            ("mustBe: 0", format!("mustBe: 0, customProperties: [{{property: {to}, value: x}}]")),
        ] {
            assert_eq!(rules_of(from, &to, &listed), [promised], "{to}");
            assert_eq!(rules_of(from, &to, &Options::default()), [otherwise], "{to}");
        }
    }
}

/// The cases about differences that promise nothing, as their files are.
#[test]
fn the_cases_of_false_majors_are_patches() {
    let Some(folder) = shared::folder("cases/contracts") else { return };
    for (case, rule) in [
        ("21-object-kind-case", Rule::TypeRespelled),
        ("22-sql-whitespace", Rule::QualityRespelled),
        ("23-custom-property-is-major", Rule::Documentation),
    ] {
        let read = |name: &str| in_document(parse(&std::fs::read(folder.join(case).join(name)).unwrap()));
        let (old, new) = (read("old.yaml"), read("new.yaml"));
        let findings = compare(&old, &new);
        assert_eq!(findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [rule], "{case}");
        assert_eq!(needed_bump(&old, &new, &findings), Bump::Patch, "{case}");
    }
}

#[test]
fn the_least_bump_is_a_patch_unless_only_the_status_differs() {
    let read = |text: &str| in_document(parse(text.as_bytes()));
    let old = read(PLAIN);
    for (from, to, bump) in [
        ("status: active", "status: draft", Bump::None),
        ("kind: DataContract", "kind:   DataContract", Bump::None),
        ("version: 1.0.0", "version: 1.0.1", Bump::Patch),
    ] {
        let new = read(&PLAIN.replace(from, to));
        assert_eq!(needed_bump(&old, &new, &compare(&old, &new)), bump, "{to}");
    }
}

/// The registry's own check of Avro takes another decimal or unit of time, as Java does; the contract of the topic must
/// not.
#[test]
fn a_contract_that_follows_an_avro_schema_sees_decimals_and_units_of_time() {
    let schema =
        |value: Value| json!({"type": "record", "name": "r", "fields": [{"name": "v", "type": value}]}).to_string();
    let decimal = |shape: &str, precision: u8, scale: u8| json!({"type": shape, "name": "d", "size": 16, "logicalType": "decimal", "precision": precision, "scale": scale});
    let time = |base: &str, logical: &str| json!({"type": base, "logicalType": logical});
    let read = |value: &Value| {
        let (id, version) = ("c".to_owned(), "1.0.0".to_owned());
        let options = ImportOptions { id, name: None, version, object: None };
        import(Source::Avro, &schema(value.clone()), &options).unwrap().text
    };
    let server = "servers:\n- {server: t, type: kafka, host: h, format: avro}\n";
    for (old, new) in [
        (decimal("bytes", 10, 2), decimal("bytes", 10, 3)),
        (decimal("bytes", 10, 2), decimal("bytes", 12, 2)),
        (decimal("bytes", 10, 2), decimal("bytes", 8, 2)),
        (decimal("fixed", 10, 2), decimal("fixed", 10, 3)),
        (decimal("bytes", 10, 2), json!("bytes")),
        (time("long", "timestamp-millis"), time("long", "timestamp-micros")),
        (time("long", "timestamp-micros"), time("long", "timestamp-nanos")),
        (time("long", "timestamp-millis"), time("long", "local-timestamp-millis")),
        (time("long", "local-timestamp-millis"), time("long", "local-timestamp-micros")),
        (time("long", "timestamp-millis"), json!("long")),
        (json!(["null", time("long", "timestamp-millis")]), json!(["null", time("long", "timestamp-micros")])),
        (
            json!({"type": "array", "items": decimal("bytes", 10, 2)}),
            json!({"type": "array", "items": decimal("bytes", 10, 3)}),
        ),
    ] {
        for (before, after) in [(&old, &new), (&new, &old)] {
            for servers in ["", server] {
                let contract =
                    |value: &Value| in_document(parse_to_compare(format!("{}{servers}", read(value)).as_bytes()));
                let findings = compare(&contract(before), &contract(after));
                assert_eq!(required_bump(&findings), Bump::Major, "{before} {after}: {findings:?}");
            }
            // What follows a schema that is registered is compared in the same way.
            let topic = format!("{}{server}", read(before));
            let next = follow(
                topic.as_bytes(),
                &"r".parse().unwrap(),
                Foreign { source: Source::Avro, text: &schema(after.clone()), references: &References::new() },
                "1.0.0".parse().unwrap(),
                None,
            );
            // A document that cannot be made refuses the schema as well.
            let Ok(next) = next else { continue };
            let contract = |text: &str| in_document(parse(text.as_bytes()));
            let findings = compare(&contract(&topic), &contract(&next));
            assert_eq!(required_bump(&findings), Bump::Major, "{before} {after}: {findings:?}");
        }
    }
    if let Some(folder) = shared::folder("cases/registry/12-decimal-scale") {
        let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let contract = |name: &str| in_document(parse(read(&text(name).parse().unwrap()).as_bytes()));
        let findings = compare(&contract("old.avsc"), &contract("new.avsc"));
        assert_eq!(required_bump(&findings), Bump::Major, "{findings:?}");
        // The registry itself answers as Java does.
        let schema = |name: &str| documents::avro::parse(&text(name), &References::new()).unwrap();
        let differences = domain::change::avro::compare(&schema("old.avsc"), &schema("new.avsc")).unwrap();
        assert!(all_compatible(&differences), "{differences:?}");
    }
}
