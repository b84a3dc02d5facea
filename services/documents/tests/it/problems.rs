//! What is wrong with a document is told all at once, each fault with its place.

use documents::{Document, parse, parse_set, parse_to_compare};
use domain::contract::LibraryMetric;
use domain::quality::Scalar;

const HEAD: &str = "apiVersion: v3.1.0\nkind: DataContract\nid: orders\nversion: 1.0.0\nstatus: active\n";

/// Line, column, path and a part of the message of each problem.
#[track_caller]
fn check(text: &str, expected: &[(u64, u64, &str, &str)]) {
    let problems = parse(text.as_bytes()).expect_err("accepted");
    let found: Vec<_> = problems.iter().map(|it| (it.line, it.column, it.path.as_str())).collect();
    let places: Vec<_> = expected.iter().map(|(line, column, path, _)| (*line, *column, *path)).collect();
    assert_eq!(found, places, "{problems:#?}");
    for (problem, (.., part)) in problems.iter().zip(expected) {
        assert!(problem.message.contains(part), "{:?} does not say {part:?}", problem.message);
    }
}

fn warnings(text: &str) -> Vec<String> {
    let parsed = parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    parsed.warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn schema_violations_are_reported_together() {
    check(
        "apiVersion: v3.1.0\nkind: DataContract\nversion: 1.0\nstatus: active\nschema:\n- properties: []\n  colour: red\n",
        &[
            (1, 1, "", "`id` is missing"),
            (3, 10, "/version", "put it in quotes"),
            (6, 3, "/schema/0", "`name` is missing"),
            (7, 3, "/schema/0/colour", "`colour` is not a field of v3.1.0"),
        ],
    );
}

#[test]
fn a_fault_inside_a_value_does_not_make_its_neighbours_unknown() {
    let text =
        format!("{HEAD}schema:\n- name: a\n  properties:\n  - name: b\n    required: maybe\n    logicalType: text\n");
    check(
        &text,
        &[
            (10, 15, "/schema/0/properties/0/required", "not of type boolean"),
            (11, 18, "/schema/0/properties/0/logicalType", "`text` is not one of `string`, "),
        ],
    );
}

#[test]
fn a_quality_rule_without_a_condition_reports_what_is_missing() {
    let text = format!("{HEAD}schema:\n- name: a\n  quality:\n  - metric: rowCount\n");
    check(&text, &[(9, 5, "/schema/0/quality/0", "one of `mustBe`, ")]);
    let text = format!("{HEAD}schema:\n- name: a\n  quality:\n  - metric: rowCount\n    mustBe: 1\n    mustNotBe: 2\n");
    check(&text, &[(9, 5, "/schema/0/quality/0", "only one of several alternatives")]);
}

#[test]
fn kind_and_version_of_the_standard_are_asked_for() {
    check("id: a\n", &[(1, 1, "", "`kind` is missing")]);
    check("kind: Dashboard\n", &[(1, 7, "/kind", "`DataContract` (ODCS)")]);
    check("kind: DataContract\napiVersion: v2.2.2\n", &[(2, 13, "/apiVersion", "one of v3.0.0, v3.0.1")]);
    check("- 1\n", &[(1, 1, "", "a mapping of fields")]);
}

/// As doubles the first three are one, and so are the last two by their digits.
#[test]
fn values_of_an_enumeration_differ_in_any_digit() {
    let document = |values: &str| {
        format!(
            "kind: DataContract\napiVersion: v3.2.0\nid: c\nversion: 1.0.0\nstatus: active\nschema:\n- name: o\n  \
             properties:\n  - {{name: n, logicalType: number, enum: [{values}]}}\n"
        )
    };
    let listed = "{value: 9588229721285673000}, {value: 9588229721285673001}, {value: 9588229721285673002}";
    assert!(documents::parse(document(listed).as_bytes()).is_ok());
    for (values, column) in [("{value: 1}, {value: 1.0}", 63), ("{value: 0.10}, {value: 1e-1}", 66)] {
        check(
            &document(values),
            &[(9, column, "/schema/0/properties/0/enum/1/value", "the value is already in this enumeration")],
        );
    }
}

#[test]
fn what_a_schema_cannot_say_is_checked() {
    let text = format!(
        "{HEAD}{}",
        r#"domain: Sales
customProperties:
- {property: gateMode, value: open}
- {property: grace, value: 90}
- {property: pinned, value: hash}
servers:
- {server: lake, type: local, path: ../up, format: delta}
- {server: csv, type: local, path: a, format: csv}
slaProperties:
- {property: ly, value: 4}
- {property: frequency, value: 4, unit: moons}
- {property: endOfSupport, value: someday}
schema:
- name: orders
  properties:
  - {id: x, name: key, primaryKey: true, primaryKeyPosition: 2, logicalType: string, logicalTypeOptions: {pattern: "(?=a)"}}
  - {id: x, name: key, relationships: [{to: orders.nothing}]}
  quality:
  - {metric: rowCount, mustBeBetween: [10, 1]}
  - {metric: nullValues, mustBe: 0}
  relationships:
  - {from: [orders.key], to: [orders.key, orders.key]}
- name: Orders
- name: items__v2
"#
    );
    check(
        &text,
        &[
            (6, 9, "/domain", "`Sales` is not a name"),
            (8, 31, "/customProperties/0/value", "`block`, `last_good`, `warn`"),
            (9, 28, "/customProperties/1/value", "a number and a unit"),
            (10, 29, "/customProperties/2/value", "`true`, `false` or `digest`"),
            (12, 37, "/servers/0/path", "`..` segments"),
            (13, 47, "/servers/1/format", "use `delta` or `parquet`"),
            (15, 3, "/slaProperties/0", "needs a unit"),
            (16, 41, "/slaProperties/1/unit", "`moons` is not a unit of time"),
            (17, 35, "/slaProperties/2/value", "needs a date"),
            (21, 62, "/schema/0/properties/0/primaryKeyPosition", "1 is expected"),
            (21, 116, "/schema/0/properties/0/logicalTypeOptions/pattern", "linear time"),
            (22, 10, "/schema/0/properties/1/id", "`x` is already used as id"),
            (22, 19, "/schema/0/properties/1/name", "`key` is already used as name"),
            (22, 45, "/schema/0/properties/1/relationships/0/to", "names an unknown column"),
            (24, 39, "/schema/0/quality/0/mustBeBetween", "the smaller number comes first"),
            (25, 5, "/schema/0/quality/1", "a rule over a column"),
            (27, 5, "/schema/0/relationships/0", "as many columns in `from` as in `to`"),
            (28, 9, "/schema/1/name", "would both have the name `orders`"),
            (29, 9, "/schema/2/name", "name of a major version"),
        ],
    );
    // Whoever only compares is told, and can.
    let problems = parse(text.as_bytes()).unwrap_err();
    let parsed = parse_to_compare(text.as_bytes()).unwrap();
    assert!(problems.iter().all(|problem| parsed.warnings.contains(problem)), "{:#?}", parsed.warnings);
    let refused_by_the_standard = format!("{HEAD}colour: red\n");
    assert_eq!(parse_to_compare(refused_by_the_standard.as_bytes()), parse(refused_by_the_standard.as_bytes()));
}

#[test]
fn a_value_of_another_kind_than_its_column_is_refused() {
    let text = format!(
        "{}{}",
        HEAD.replace("v3.1.0", "v3.2.0"),
        r#"schema:
- name: t
  properties:
  - {name: d, logicalType: date, logicalTypeOptions: {minimum: "1970-01-01T12:00:00Z"}}
  - {name: e, logicalType: date, physicalType: DATE, logicalTypeOptions: {exclusiveMaximum: "1970-01-01 12:00:00"}}
  - {name: n, logicalType: timestamp, logicalTypeOptions: {timezone: false, maximum: "1970-01-01T00:00:00+02:00"}}
  - name: p
    logicalType: timestamp
    physicalType: timestamp_ntz
    quality:
    - {metric: invalidValues, arguments: {validValues: ["1970-01-01", "1970-01-01T00:00:00Z"]}, mustBe: 0}
    - {metric: missingValues, arguments: {missingValues: ["12:00:00"]}, mustBe: 0}
  - {name: c, logicalType: time, logicalTypeOptions: {minimum: "1970-01-01"}}
  - {name: l, logicalType: date, enum: [{value: "1970-01-01"}, {value: "1970-01-01T12:00:00Z"}]}
  - name: good
    logicalType: object
    properties:
    - {name: a, logicalType: date, logicalTypeOptions: {minimum: "1970-01-01"}}
    - {name: b, logicalType: timestamp, logicalTypeOptions: {minimum: "1970-01-01T00:00:00+02:00"}}
    - {name: c, logicalType: timestamp, logicalTypeOptions: {timezone: true, minimum: "1970-01-01T00:00:00+02:00"}}
    - {name: d, physicalType: timestamptz, logicalType: timestamp, logicalTypeOptions: {minimum: "1970-01-01"}}
    - {name: e, logicalType: timestamp, physicalType: timestamp_ntz, logicalTypeOptions: {minimum: "1970-01-01T00:00:00"}}
    - {name: f, logicalType: string, logicalTypeOptions: {pattern: "1970-01-01T00:00:00+02:00"}}
    - {name: g, logicalType: time, logicalTypeOptions: {minimum: "12:00"}}
"#
    );
    let options = |property: usize| format!("/schema/0/properties/{property}/logicalTypeOptions");
    let problems = parse(text.as_bytes()).unwrap_err();
    let found: Vec<_> = problems.iter().map(|problem| (problem.path.clone(), problem.message.clone())).collect();
    let expected = [
        (format!("{}/minimum", options(0)), "`1970-01-01T12:00:00Z` is not a date, as `d` is"),
        (format!("{}/exclusiveMaximum", options(1)), "`1970-01-01 12:00:00` is not a date, as `e` is"),
        (
            format!("{}/maximum", options(2)),
            "`1970-01-01T00:00:00+02:00` has a time zone, and `n` has none: write the local time",
        ),
        (
            "/schema/0/properties/3/quality/0/arguments/validValues/1".to_owned(),
            "`1970-01-01T00:00:00Z` has a time zone, and `p` has none: write the local time",
        ),
        (
            "/schema/0/properties/3/quality/1/arguments/missingValues/0".to_owned(),
            "`12:00:00` is not a date and time, as `p` is",
        ),
        (format!("{}/minimum", options(4)), "`1970-01-01` is not a time of day, as `c` is"),
        ("/schema/0/properties/5/enum/1/value".to_owned(), "`1970-01-01T12:00:00Z` is not a date, as `l` is"),
    ];
    assert_eq!(found, expected.map(|(path, message)| (path, message.to_owned())));
}

#[test]
fn numbers_keep_all_of_their_digits() {
    let bound = |number: &str| {
        let text = format!(
            "{HEAD}schema:\n- name: t\n  properties:\n  - name: ä\n    logicalType: number\n    logicalTypeOptions: {{minimum: {number}}}\n"
        );
        let parsed = parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{number}: {problems:#?}"));
        let Document::Contract(contract) = parsed.document else { panic!("a contract") };
        contract.objects[0].properties[0].options.minimum.clone().unwrap()
    };
    let decimal = |text: &str| Scalar::Decimal(text.parse().unwrap());
    assert_eq!(bound("7"), Scalar::Integer(7));
    assert_eq!(bound("0.1"), Scalar::Number(0.1));
    assert_eq!(bound("3.0"), Scalar::Number(3.0));
    assert_eq!(bound("1e300"), Scalar::Number(1e300));
    assert_eq!(bound("18446744073709551615"), decimal("18446744073709551615"));
    assert_eq!(bound("-12345678901234567890.12"), decimal("-12345678901234567890.12"));
    assert_eq!(bound("99999999999999999999999999999999999999"), decimal("99999999999999999999999999999999999999"));
    assert_eq!(bound("0.12345678901234567890123456789012345678"), decimal("0.12345678901234567890123456789012345678"));
    // An alias has another number's place.
    let text = format!(
        "{HEAD}schema:\n- name: t\n  properties:\n  - name: a\n    logicalType: number\n    logicalTypeOptions: {{minimum: &low 12345678901234567890.5}}\n  \
         - name: b\n    logicalType: number\n    logicalTypeOptions: {{minimum: *low}}\n"
    );
    let parsed = parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let Document::Contract(contract) = parsed.document else { panic!("a contract") };
    let minimum = |nth: usize| contract.objects[0].properties[nth].options.minimum.clone().unwrap();
    assert_eq!(minimum(1).as_decimal().unwrap().to_string().parse(), Ok(12345678901234567890.5));
}

#[test]
fn products_are_checked_too() {
    let text = r#"apiVersion: v1.0.0
kind: DataProduct
id: p
status: active
name: "!!!"
customProperties:
- {property: medallion, value: platinum}
outputPorts:
- {name: out, version: 1.0.0}
- {name: out, version: 1.2.0}
- {name: out, version: two}
"#;
    check(
        text,
        &[
            (5, 7, "/name", "custom property `slug`"),
            (7, 32, "/customProperties/0/value", "`bronze`, `silver`, `gold`"),
            (10, 3, "/outputPorts/1", "major 1 of port `out` is already defined"),
            (11, 24, "/outputPorts/2/version", "is not a version"),
        ],
    );
}

#[test]
fn unknown_words_get_a_warning_with_their_replacement() {
    let text = format!(
        "{HEAD}schema:\n- name: a\n  properties:\n  - name: b\n    classification: secret\n    quality:\n    \
         - {{metric: nullValues, mustBe: 0, severity: fatal, unit: permille}}\n"
    );
    let warnings = warnings(&text);
    assert!(warnings[0].starts_with("10:21: /schema/0/properties/0/classification: `secret` is not"), "{warnings:?}");
    assert!(warnings.iter().any(|warning| warning.contains("`fatal`")), "{warnings:?}");
    assert!(warnings.iter().any(|warning| warning.contains("`permille`")), "{warnings:?}");
}

#[test]
fn a_document_of_3_0_may_use_what_the_standards_examples_use() {
    let text = "apiVersion: v3.0.2\nkind: DataContract\nid: a\nversion: 1.0.0\nstatus: active\nschema:\n- name: a\n  \
                quality:\n  - {metric: rowCount, mustBe: 1}\n";
    assert_eq!(warnings(text).len(), 1);
    let old = text.replace("metric", "type: library, rule");
    assert!(warnings(&old).is_empty());
}

#[test]
fn a_set_is_split_at_its_markers_and_each_document_keeps_its_bytes() {
    let second = HEAD.replace("orders", "items");
    let text = format!(
        "# a set\n---\n{HEAD}description:\n  purpose: |\n    one\n    --- not a marker\n---\n{second}---\n# end\n"
    );
    let pieces = parse_set(text.as_bytes()).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let ids: Vec<_> = pieces
        .iter()
        .map(|piece| match &piece.parsed.document {
            Document::Contract(contract) => contract.document_id.as_str(),
            Document::Product(product) => product.document_id.as_str(),
        })
        .collect();
    assert_eq!(ids, ["orders", "items"]);
    assert_eq!(pieces[1].bytes, format!("---\n{second}").as_bytes());
    assert_eq!(pieces[1].first_line, 12);
    assert!(parse(text.as_bytes()).unwrap_err()[0].message.contains("the text contains 2"));

    let broken = format!("{HEAD}---\n{HEAD}colour: red\n");
    let problems = parse_set(broken.as_bytes()).unwrap_err();
    assert_eq!((problems[0].line, problems[0].path.as_str()), (12, "/colour"));
}

#[test]
fn json_is_read_as_well() {
    let text = "{\"apiVersion\": \"v3.1.0\", \"kind\": \"DataContract\", \"id\": \"a\",\r\n\t\"version\": \"1\", \"status\": \"active\",\r\n\
                \t\"name\": \"caf\\u00e9 \\ud83d\\ude00 \\/\"}\r\n";
    let Document::Contract(contract) = parse(text.as_bytes()).unwrap().document else { panic!() };
    assert_eq!(contract.name.as_deref(), Some("café 😀 /"));
    assert_eq!(contract.version.to_string(), "1.0.0");
}

#[test]
fn the_repositorys_own_contracts_are_good() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/flights");
    let mut n_documents = 0;
    for folder in [folder.clone(), folder.join("next")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                let bytes = std::fs::read(&path).unwrap();
                parse_set(&bytes).unwrap_or_else(|problems| panic!("{}: {problems:#?}", path.display()));
                n_documents += 1;
            }
        }
    }
    assert!(n_documents > 0);
}

#[test]
fn the_schemas_and_the_reader_know_every_library_metric() {
    let known: Vec<&str> = LibraryMetric::ALL.iter().map(|metric| metric.as_str()).collect();
    for schema in
        [include_str!("../../../../schemas/odcs-v3.1.0.json"), include_str!("../../../../schemas/odcs-v3.2.0.json")]
    {
        let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
        let words = &schema["$defs"]["QualityOfLibrary"]["properties"]["metric"]["enum"];
        assert_eq!(*words, serde_json::json!(known));
    }
    for metric in known {
        let text = format!(
            "{HEAD}schema:\n- name: a\n  properties:\n  - name: b\n    quality:\n    - metric: {metric}\n      mustBe: 0\n      \
             arguments: {{validValues: [1]}}\n"
        );
        let Document::Contract(contract) = parse(text.as_bytes()).unwrap().document else { panic!() };
        let measure = &contract.objects[0].properties[0].quality[0].measure;
        assert_eq!(measure.name(), metric, "{measure:?}");
    }
}
