//! Out and back again: what a target holds is found there.

use documents::convert::{Dialect, Source, Target, export};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use super::{imported, missing, options, parsed_by_its_target};

/// Names, most of them plain; the others are what targets have trouble with.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z][a-z0-9_]{0,8}",
        1 => prop::sample::select(vec![
            "Order", "order", "order id", "order-id", "1st", "naïve", "名前", "a.b", "a/b~c", "select", "null", "google",
            "_", "__", "int", "record", "\"quoted\"", "`ticked`", "it's", "a|b", "<b>", "a\nb", "odcs", "message", "a_b",
            "aB", "values", "Values",
        ]).prop_map(str::to_owned),
    ]
}

fn description() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        "[a-zA-Z ,.]{1,30}".prop_map(Some),
        prop::sample::select(vec![
            "two\nlines",
            "it's \"quoted\" \\ and `ticked`",
            "*/ -- ; DROP TABLE x",
            " leading and trailing ",
            "odcs: {}",
            "<script>alert(1)</script> | a",
            "tab\tand\r\nreturn",
            "€ 名前 \u{2028}",
            "# heading\n- list\n\n1. x",
        ])
        .prop_map(|text| Some(text.to_owned())),
    ]
}

/// Type and options of a column without parts.
fn leaf() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!({"logicalType": "string"}),
        json!({"logicalType": "string", "physicalType": "VARCHAR(20)"}),
        json!({"logicalType": "string", "logicalTypeOptions": {"minLength": 2, "maxLength": 9, "pattern": "^[a-z]+$"}}),
        json!({"logicalType": "string", "logicalTypeOptions": {"format": "uuid"}}),
        json!({"logicalType": "string", "logicalTypeOptions": {"format": "email"}}),
        json!({"logicalType": "string", "logicalTypeOptions": {"format": "binary"}}),
        json!({"logicalType": "string", "enum": [{"value": "A"}, {"value": "B"}]}),
        json!({"logicalType": "string", "enum": [{"value": "a b", "label": "first"}, {"value": "it's"}]}),
        json!({"logicalType": "integer"}),
        json!({"logicalType": "integer", "logicalTypeOptions": {"format": "i64", "minimum": 1, "maximum": 9}}),
        json!({"logicalType": "integer", "logicalTypeOptions": {"format": "u64"}}),
        json!({"logicalType": "integer", "logicalTypeOptions": {"format": "i8"}}),
        json!({"logicalType": "integer", "enum": [{"value": 1}, {"value": 2}]}),
        json!({"logicalType": "number", "physicalType": "decimal(10,2)"}),
        json!({"logicalType": "number", "logicalTypeOptions": {"format": "f32", "exclusiveMinimum": 0.5}}),
        json!({"logicalType": "number"}),
        json!({"logicalType": "boolean"}),
        json!({"logicalType": "date", "logicalTypeOptions": {"minimum": "2020-01-01"}}),
        json!({"logicalType": "time"}),
        json!({"logicalType": "timestamp"}),
        json!({"logicalType": "timestamp", "logicalTypeOptions": {"timezone": false}}),
        json!({"logicalType": "timestamp", "physicalType": "timestamp_ntz"}),
        json!({"logicalType": "vector", "logicalTypeOptions": {"dimensions": 3}}),
        json!({"logicalType": "object"}),
        json!({"physicalType": "bigint"}),
        json!({}),
    ])
}

/// A type, with parts down to three levels.
fn kind() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        let item = (inner.clone(), any::<bool>(), description())
            .prop_map(|(kind, required, description)| {
                let mut item = kind;
                if required {
                    item["required"] = json!(true);
                }
                if let Some(description) = description {
                    item["description"] = json!(description);
                }
                item
            })
            .boxed();
        prop_oneof![
            item.clone().prop_map(|items| json!({"logicalType": "array", "items": items})),
            (leaf(), item).prop_map(|(key, value)| json!({"logicalType": "map", "map": {"key": key, "value": value}})),
            members(inner, 1..3).prop_map(|members| json!({"logicalType": "object", "properties": members})),
        ]
    })
}

/// Columns with distinct names.
fn members(kind: impl Strategy<Value = Value>, size: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Value>> {
    let flags = any::<[bool; 5]>();
    let column = (name(), kind, description(), flags).prop_map(|(name, kind, description, flags)| {
        let mut column = json!({ "name": name });
        for (key, value) in kind.as_object().unwrap() {
            column[key] = value.clone();
        }
        let mut put = |key: &str, value: Value| column[key] = value;
        let [required, unique, classified, tagged, extended] = flags;
        if required {
            put("required", json!(true));
        }
        if unique {
            put("unique", json!(true));
        }
        if classified {
            put("classification", json!("restricted"));
        }
        if tagged {
            put("tags", json!(["a", "b, c"]));
            put("businessName", json!("Some \"thing\""));
        }
        if extended {
            put("customProperties", json!([{"property": "owner", "value": {"team": "x", "size": 3}}]));
            put("examples", json!(["x", 1, null]));
        }
        if let Some(description) = description {
            put("description", json!(description));
        }
        column
    });
    prop::collection::vec(column, size).prop_map(|columns| {
        let mut seen = std::collections::HashSet::new();
        columns.into_iter().filter(|it| seen.insert(it["name"].as_str().unwrap().to_owned())).collect()
    })
}

fn contract() -> impl Strategy<Value = Value> {
    (members(kind(), 1..6), description(), any::<bool>()).prop_map(|(mut columns, description, has_key)| {
        if has_key {
            columns[0]["primaryKey"] = json!(true);
            columns[0]["primaryKeyPosition"] = json!(1);
        }
        let mut object = json!({"name": "orders", "physicalType": "table", "properties": columns});
        if let Some(description) = description {
            object["description"] = json!(description);
        }
        json!({
            "apiVersion": "v3.2.0", "kind": "DataContract", "id": "orders", "version": "1.0.0", "status": "active",
            "schema": [object],
        })
    })
}

fn runner() -> TestRunner {
    let n_cases = std::env::var("CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(40);
    TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(n_cases) })
}

/// Avro, JSON Schema, Protobuf and Delta have a place for everything that is said of an object's columns.
fn check_whole(target: Target, source: Source) {
    runner()
        .run(&contract(), |document| {
            let exported = match export(document.to_string().as_bytes(), target, None) {
                Ok(exported) => exported,
                Err(problems) => return Err(TestCaseError::fail(format!("{problems:#?}"))),
            };
            parsed_by_its_target(target, &exported.text);
            let (back, _) = imported(source, &exported.text, &options());
            let mut object = document["schema"][0].clone();
            if target == Target::Delta {
                // A struct alone has no name and no description, and says so.
                let fields = object.as_object_mut().unwrap();
                for name in ["name", "description", "physicalType"] {
                    let path = format!("/schema/0/{name}");
                    let is_told = exported.lost.iter().any(|lost| lost.path == path);
                    prop_assert_eq!(is_told, fields.remove(name).is_some(), "{}", path);
                }
            }
            let found = missing(&without_nulls(&object), &back["schema"][0], "");
            prop_assert!(found.is_none(), "{}\n{}\n{}\n{}", found.unwrap(), document, exported.text, back);
            Ok(())
        })
        .unwrap();
}

/// Nulls say nothing, and are not kept.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, value)| (key.clone(), if key == "examples" { value.clone() } else { without_nulls(value) }))
                .collect::<Map<_, _>>(),
        ),
        other => match other {
            Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
            leaf => leaf.clone(),
        },
    }
}

#[test]
fn avro_keeps_all_that_is_said_of_columns() {
    check_whole(Target::Avro, Source::Avro);
}

#[test]
fn json_schema_keeps_all_that_is_said_of_columns() {
    check_whole(Target::JsonSchema, Source::JsonSchema);
}

#[test]
fn protobuf_keeps_all_that_is_said_of_columns() {
    check_whole(Target::Protobuf, Source::Protobuf);
}

#[test]
fn delta_keeps_all_that_is_said_of_columns() {
    check_whole(Target::Delta, Source::Delta);
}

/// What SQL keeps of a column is found again; what is not is told.
fn check_sql(dialect: Dialect) {
    runner()
        .run(&contract(), |document| {
            let exported = export(document.to_string().as_bytes(), Target::Sql(dialect), None).unwrap();
            parsed_by_its_target(Target::Sql(dialect), &exported.text);
            let (back, _) = imported(Source::Sql(dialect), &exported.text, &options());
            let object = &back["schema"][0];
            prop_assert_eq!(&object["name"], "orders");
            let columns = document["schema"][0]["properties"].as_array().unwrap();
            let found = object["properties"].as_array().unwrap();
            prop_assert_eq!(columns.len(), found.len());
            for (index, (column, found)) in columns.iter().zip(found).enumerate() {
                let path = format!("/schema/0/properties/{index}");
                let is_told = |key: &str| {
                    let places = exported.lost.iter().chain(&exported.changed);
                    places
                        .map(|note| note.path.as_str())
                        .any(|at| at == path || at.starts_with(&format!("{path}/{key}")))
                };
                for key in ["name", "required", "unique", "primaryKey", "description", "enum", "logicalType"] {
                    let (own, back) = (&column[key], &found[key]);
                    // A primary key is never null.
                    let is_implied = key == "required" && column["primaryKey"] == true;
                    prop_assert!(
                        own == back || own.is_null() || is_implied || is_told(key),
                        "{}: {} became {}\n{}\n{:#?}",
                        path,
                        own,
                        back,
                        exported.text,
                        exported.lost
                    );
                }
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn postgres_keeps_or_tells_what_is_said_of_columns() {
    check_sql(Dialect::Postgres);
}

#[test]
fn spark_keeps_or_tells_what_is_said_of_columns() {
    check_sql(Dialect::Spark);
}

#[test]
fn the_pages_for_people_lose_nothing() {
    for target in [Target::Markdown, Target::Html] {
        runner()
            .run(&contract(), |document| {
                let exported = export(document.to_string().as_bytes(), target, None).unwrap();
                parsed_by_its_target(target, &exported.text);
                prop_assert!(exported.lost.is_empty(), "{:?}", exported.lost);
                Ok(())
            })
            .unwrap();
    }
}

/// What dbt has no word for lies beside its models, so all that is said of an object comes back.
#[test]
fn dbt_keeps_all_that_is_said_of_objects_in_every_dialect() {
    let dialect = prop::sample::select(super::dbt::DIALECTS.to_vec());
    let n_cases = 3 * runner().config().cases;
    TestRunner::new(Config { cases: n_cases, ..runner().config().clone() })
        .run(&(contract(), dialect), |(document, dialect)| {
            let exported = export(document.to_string().as_bytes(), Target::Dbt(dialect), None).unwrap();
            parsed_by_its_target(Target::Dbt(dialect), &exported.text);
            prop_assert!(exported.lost.is_empty(), "{:?}", exported.lost);
            let manifest = super::dbt::manifest_of(&exported.text, dialect).to_string();
            let (back, _) = imported(Source::Dbt, &manifest, &options());
            let own = super::dbt::without_spellings(&without_nulls(&document["schema"][0]));
            let found = missing(&own, &back["schema"][0], "");
            prop_assert!(found.is_none(), "{}\n{}\n{}\n{}", found.unwrap(), document, exported.text, back);
            Ok(())
        })
        .unwrap();
}
