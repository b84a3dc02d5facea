//! Suites of Great Expectations: rules that mean the same, and what is lost of the others.

use documents::convert::{Target, export};
use serde_json::{Value, json};

/// The expectations that are written. `great_expectations` 1.x has them all.
const TYPES: [&str; 10] = [
    "expect_table_columns_to_match_set",
    "expect_table_row_count_to_be_between",
    "expect_table_row_count_to_equal",
    "expect_column_values_to_not_be_null",
    "expect_column_values_to_be_unique",
    "expect_compound_columns_to_be_unique",
    "expect_column_values_to_be_in_set",
    "expect_column_values_to_not_be_in_set",
    "expect_column_values_to_be_between",
    "expect_column_value_lengths_to_be_between",
];

/// Reads a suite.
#[track_caller]
pub(super) fn check(text: &str) {
    let suite: Value = serde_json::from_str(text).unwrap();
    assert!(suite["name"].is_string() && suite["meta"].is_object());
    for expectation in suite["expectations"].as_array().unwrap() {
        let kind = expectation["type"].as_str().unwrap();
        assert!(TYPES.contains(&kind) || kind == "expect_column_values_to_match_regex", "{kind}");
        assert!(expectation["kwargs"].is_object());
    }
}

/// The expectations of a table `t`, beside that of its columns, and the paths of what is lost below it.
fn exported(object: Value) -> (Vec<Value>, Vec<String>) {
    let mut object = object;
    object["name"] = json!("t");
    let document = json!({
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": "x", "version": "1.0.0", "status": "active",
        "schema": [object],
    });
    let exported = export(document.to_string().as_bytes(), Target::GreatExpectations, None).unwrap();
    let suite: Value = serde_json::from_str(&exported.text).unwrap();
    let expectations = suite["expectations"].as_array().unwrap().iter();
    let is_other = |it: &&Value| it["type"] != "expect_table_columns_to_match_set";
    let lost = exported.lost.into_iter().map(|note| note.path.trim_start_matches("/schema/0").to_owned());
    (expectations.filter(is_other).cloned().collect(), lost.collect())
}

/// The expectations of a column `a` of some type, and what is lost of it beside its type.
fn of_column(column: Value) -> (Vec<Value>, Vec<String>) {
    let mut column = column;
    column["name"] = json!("a");
    let (expectations, lost) = exported(json!({ "properties": [column] }));
    let lost = lost.iter().map(|path| path.trim_start_matches("/properties/0").to_owned());
    (expectations, lost.filter(|path| !path.is_empty() && path != "/logicalType").collect())
}

fn expectation(kind: &str, kwargs: Value) -> Value {
    json!({ "type": kind, "kwargs": kwargs })
}

#[test]
fn promises_of_columns_are_expectations() {
    let not_null = expectation("expect_column_values_to_not_be_null", json!({ "column": "a" }));
    let unique = expectation("expect_column_values_to_be_unique", json!({ "column": "a" }));
    let nothing: Vec<String> = Vec::new();
    assert_eq!(of_column(json!({ "required": true })), (vec![not_null.clone()], nothing.clone()));
    assert_eq!(of_column(json!({ "unique": true })), (vec![unique.clone()], nothing.clone()));
    let key = json!({ "primaryKey": true, "primaryKeyPosition": 1, "unique": true });
    assert_eq!(of_column(key), (vec![unique, not_null], nothing.clone()));
    let text = json!({ "logicalType": "string", "logicalTypeOptions": { "minLength": 1, "maxLength": 3 } });
    let lengths = json!({ "column": "a", "min_value": 1, "max_value": 3 });
    let lengths = expectation("expect_column_value_lengths_to_be_between", lengths);
    assert_eq!(of_column(text), (vec![lengths], nothing.clone()));
    let number = json!({ "logicalType": "integer", "logicalTypeOptions": { "minimum": 0, "exclusiveMaximum": 9 } });
    let bounds =
        [json!({ "column": "a", "min_value": 0 }), json!({ "column": "a", "max_value": 9, "strict_max": true })];
    let bounds = bounds.map(|kwargs| expectation("expect_column_values_to_be_between", kwargs));
    assert_eq!(of_column(number), (bounds.to_vec(), nothing));
    // Whether a bound is a moment depends on the engine, and no expectation counts multiples.
    let date = json!({ "logicalType": "date", "logicalTypeOptions": { "minimum": "2020-01-01" } });
    assert_eq!(of_column(date), (vec![], vec!["/logicalTypeOptions".to_owned()]));
    let multiple = json!({ "logicalType": "integer", "logicalTypeOptions": { "multipleOf": 5 } });
    assert_eq!(of_column(multiple), (vec![], vec!["/logicalTypeOptions".to_owned()]));
}

#[test]
fn the_columns_of_a_closed_contract_are_all_there_are() {
    let set = |classification: &str| {
        let document = json!({
            "apiVersion": "v3.1.0", "kind": "DataContract", "id": "x", "version": "1.0.0", "status": "active",
            "schema": [{ "name": "t", "properties": [
                { "name": "a", "physicalName": "A1", "classification": classification },
            ] }],
        });
        let exported = export(document.to_string().as_bytes(), Target::GreatExpectations, None).unwrap();
        let suite: Value = serde_json::from_str(&exported.text).unwrap();
        suite["expectations"][0]["kwargs"].clone()
    };
    assert_eq!(set("internal"), json!({ "column_set": ["A1"], "exact_match": false }));
    assert_eq!(set("restricted"), json!({ "column_set": ["A1"], "exact_match": true }));
}

#[test]
fn patterns_are_written_where_python_reads_them_the_same() {
    let of = |pattern: &str| {
        let column = json!({ "logicalType": "string", "logicalTypeOptions": { "pattern": pattern } });
        !of_column(column).0.is_empty()
    };
    for shared in ["^[A-Z]{2}$", "a|b", "(?:x)+", "[0-9]{1,3}\\.\\d*", "[^,]*", "\\[x\\]", "a{2}?", "[-a]"] {
        assert!(of(shared), "{shared}");
    }
    for other in [
        "\\w+",
        "\\s",
        "\\bx",
        "\\p{L}",
        "(?i)x",
        "(?P<n>x)",
        "[a&&b]",
        "[[:alpha:]]",
        "[a--b]",
        "x\\z",
        "\\x{41}",
        "a++",
    ] {
        assert!(!of(other), "{other}");
    }
}

#[test]
fn rules_of_the_library_are_written_where_they_mean_the_same() {
    let rule = |rule: Value| of_column(json!({ "logicalType": "string", "quality": [rule] }));
    let count = |operator: Value| {
        let mut rule = json!({ "metric": "rowCount" });
        rule.as_object_mut().unwrap().extend(operator.as_object().unwrap().clone());
        let (expectations, lost) = exported(json!({ "quality": [rule] }));
        assert_eq!(expectations.is_empty(), lost == ["/quality"], "{lost:?}");
        expectations.first().map(|it| it["kwargs"].clone())
    };
    assert_eq!(count(json!({ "mustBe": 3 })), Some(json!({ "value": 3 })));
    assert_eq!(count(json!({ "mustBeGreaterThan": 3 })), Some(json!({ "min_value": 3, "strict_min": true })));
    assert_eq!(count(json!({ "mustBeLessOrEqualTo": 3 })), Some(json!({ "max_value": 3 })));
    assert_eq!(count(json!({ "mustBeBetween": [1, 3] })), Some(json!({ "min_value": 1, "max_value": 3 })));
    assert_eq!(count(json!({ "mustNotBe": 3 })), None);
    assert_eq!(count(json!({ "mustBeGreaterThan": 2.5 })), None);

    let (expectations, lost) = rule(
        json!({ "metric": "nullValues", "mustBeLessOrEqualTo": 5, "unit": "percent", "severity": "warning", "name": "few" }),
    );
    let expected = json!({
        "type": "expect_column_values_to_not_be_null", "kwargs": { "column": "a", "mostly": 0.95 },
        "description": "few", "severity": "warning",
    });
    assert_eq!((expectations, lost), (vec![expected], vec![]));
    // A number of rows is no part of them, and `mostly` of values is a part of those that are not null.
    for other in [
        json!({ "metric": "nullValues", "mustBeLessOrEqualTo": 5 }),
        json!({ "metric": "nullValues", "mustBeLessThan": 5, "unit": "percent" }),
        json!({ "metric": "invalidValues", "arguments": { "validValues": ["x"] }, "mustBeLessOrEqualTo": 5, "unit": "percent" }),
        json!({ "metric": "invalidValues", "arguments": { "validValues": [1] }, "mustBe": 0 }),
        json!({ "metric": "duplicateValues", "mustBeLessThan": 2 }),
        json!({ "type": "sql", "query": "SELECT 1", "mustBe": 1 }),
        json!({ "type": "text", "description": "words" }),
    ] {
        let (expectations, lost) = rule(other.clone());
        assert_eq!((expectations, lost), (vec![], vec!["/quality".to_owned()]), "{other}");
    }
    let (expectations, _) =
        rule(json!({ "metric": "missingValues", "arguments": { "missingValues": [null, "n/a"] }, "mustBe": 0 }));
    let kinds: Vec<_> = expectations.iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["expect_column_values_to_not_be_null", "expect_column_values_to_not_be_in_set"]);
    assert_eq!(expectations[1]["kwargs"]["value_set"], json!(["n/a"]));
}

#[test]
fn keys_of_several_columns_ignore_rows_with_a_null_like_an_inspection() {
    let properties = json!([
        { "name": "a", "physicalName": "x", "primaryKey": true, "primaryKeyPosition": 2 },
        { "name": "b", "primaryKey": true, "primaryKeyPosition": 1 },
    ]);
    let quality = json!([{ "metric": "duplicateValues", "arguments": { "properties": ["a", "b"] }, "mustBe": 0 }]);
    let (expectations, _) = exported(json!({ "properties": properties, "quality": quality }));
    let keys: Vec<_> = expectations.iter().filter(|it| it["type"] == "expect_compound_columns_to_be_unique").collect();
    assert_eq!(keys[0]["kwargs"], json!({ "column_list": ["b", "x"], "ignore_row_if": "any_value_is_missing" }));
    assert_eq!(keys[1]["kwargs"], json!({ "column_list": ["x", "b"], "ignore_row_if": "any_value_is_missing" }));
}

#[test]
fn a_rule_that_is_an_expectation_is_written_as_it_is() {
    let implementation = json!({ "type": "expect_column_mean_to_be_between", "kwargs": { "max_value": 3 } });
    let rule = json!({ "type": "custom", "engine": "great-expectations", "implementation": implementation });
    let (expectations, lost) = of_column(json!({ "logicalType": "integer", "quality": [rule] }));
    let expected = expectation("expect_column_mean_to_be_between", json!({ "max_value": 3, "column": "a" }));
    assert_eq!((expectations, lost), (vec![expected], vec![]));
    let other = json!({ "type": "custom", "engine": "soda", "implementation": { "type": "x", "kwargs": {} } });
    assert!(of_column(json!({ "quality": [other] })).0.is_empty());
}
