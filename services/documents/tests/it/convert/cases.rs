//! The shared cases of imports, each with its right value.

use documents::convert::{Converted, Dialect, ImportOptions, Source, Target, export, import};
use serde_json::{Value, json};

use super::{imported, options};
use crate::shared;

/// The text of a file of a case; `None` where the cases are not at hand.
fn text(case: &str, file: &str) -> Option<String> {
    let folder = shared::folder("cases/contracts")?;
    Some(std::fs::read_to_string(folder.join(case).join(file)).unwrap())
}

fn read(source: Source, case: &str, file: &str) -> Option<(Value, Converted)> {
    Some(imported(source, &text(case, file)?, &options()))
}

fn sql(dialect: Dialect, case: &str, file: &str) -> Option<(Value, Converted)> {
    read(Source::Sql(dialect), case, file)
}

/// What follows `/schema/0/properties` at these pointers.
#[track_caller]
fn columns(found: Option<(Value, Converted)>, expected: &[(&str, Value)]) {
    let Some((document, _)) = found else { return };
    for (path, value) in expected {
        let at = format!("/schema/0/properties/{path}");
        assert_eq!(document.pointer(&at).unwrap_or(&Value::Null), value, "{path}: {document:#}");
    }
}

fn names(document: &Value) -> Vec<&str> {
    document["schema"].as_array().unwrap().iter().map(|object| object["name"].as_str().unwrap()).collect()
}

#[test]
fn types_of_the_cases() {
    columns(
        sql(Dialect::SqlServer, "01-mssql-bracketed-types", "in.sql"),
        &[
            ("0/logicalTypeOptions/format", json!("i32")),
            ("1/logicalTypeOptions/maxLength", json!(50)),
            ("1/physicalType", json!("NVARCHAR(50)")),
            ("2/logicalType", json!("number")),
            ("3/logicalType", json!("boolean")),
            ("4/logicalTypeOptions/timezone", json!(false)),
        ],
    );
    let case = "04-float-width-by-dialect";
    let float = [("0/logicalTypeOptions/format", json!("f64"))];
    columns(sql(Dialect::Postgres, case, "postgres.sql"), &float);
    columns(sql(Dialect::SqlServer, case, "sqlserver.sql"), &float);
    columns(sql(Dialect::Snowflake, case, "snowflake.sql"), &float);
    columns(sql(Dialect::Snowflake, case, "snowflake.sql"), &[("1/logicalTypeOptions/format", json!("f64"))]);
    let case = "05-integer-width-by-dialect";
    let long = |index: usize| format!("{index}/logicalTypeOptions/format");
    for index in 0..3 {
        columns(sql(Dialect::BigQuery, case, "bigquery.sql"), &[(&long(index), json!("i64"))]);
    }
    columns(sql(Dialect::ClickHouse, case, "clickhouse.sql"), &[(&long(0), json!("i8")), ("0/required", json!(true))]);
    let case = "06-same-word-other-type";
    columns(sql(Dialect::SqlServer, case, "sqlserver.sql"), &[("0/logicalTypeOptions/format", json!("binary"))]);
    columns(
        sql(Dialect::Oracle, case, "oracle.sql"),
        &[
            ("0/logicalType", json!("timestamp")),
            ("0/logicalTypeOptions/timezone", json!(false)),
            ("1/physicalType", json!("VARCHAR2(50 CHAR)")),
        ],
    );
}

#[test]
fn a_timestamp_of_postgres_comes_back() {
    let case = "07-postgres-timestamp-becomes-timestamptz";
    let Some((_, converted)) = sql(Dialect::Postgres, case, "in.sql") else { return };
    let target = |target| export(converted.text.as_bytes(), target, None).unwrap().text;
    let text = target(Target::Sql(Dialect::Postgres));
    assert!(text.contains("\"made\" timestamp without time zone NOT NULL"), "{text}");
    assert!(target(Target::Delta).contains("\"timestamp_ntz\""));
}

#[test]
fn another_dialect_is_not_written_as_postgres() {
    let Some(contract) = text("08-export-foreign-dialect-is-postgres", "c.yaml") else { return };
    for dialect in [Dialect::BigQuery, Dialect::Snowflake, Dialect::MySql, Dialect::SqlServer, Dialect::Oracle] {
        let problems = export(contract.as_bytes(), Target::Sql(dialect), None).unwrap_err();
        assert!(problems[0].message.contains("`postgres` and `spark`"), "{problems:?}");
    }
}

#[test]
fn scripts_of_the_cases() {
    for (dialect, case, file, objects) in [
        (Dialect::SqlServer, "02-mssql-go-batches", "in.sql", &["t", "u"][..]),
        (Dialect::Spark, "09-databricks-comment-and-tblproperties", "in.sql", &["t"]),
        (Dialect::Spark, "09-databricks-comment-and-tblproperties", "key.sql", &["t"]),
        (Dialect::Redshift, "10-redshift-ddl", "in.sql", &["s"]),
        (Dialect::Oracle, "11-oracle-ddl", "in.sql", &["L"]),
        (Dialect::Postgres, "12-one-foreign-statement-refuses-the-file", "comment.sql", &["a"]),
        (Dialect::Postgres, "12-one-foreign-statement-refuses-the-file", "publication.sql", &["a"]),
    ] {
        let Some((document, converted)) = sql(dialect, case, file) else { return };
        assert_eq!(names(&document), objects, "{case}/{file}");
        // All of them have something that no contract has a word for.
        assert!(!converted.notes.is_empty(), "{case}/{file}");
    }
    columns(
        sql(Dialect::Oracle, "11-oracle-ddl", "in.sql"),
        &[("0/primaryKey", json!(true)), ("1/logicalTypeOptions/timezone", json!(true))],
    );
    columns(
        sql(Dialect::BigQuery, "17-bigquery-descriptions-lost", "in.sql"),
        &[("0/description", json!("x")), ("1/properties/0/description", json!("y"))],
    );
    columns(
        sql(Dialect::Postgres, "20-pg-dump-in-list", "in.sql"),
        &[("0/enum", json!([{ "value": "a" }, { "value": "b" }]))],
    );
}

#[test]
fn places_are_those_of_the_source() {
    let case = "14-place-of-the-generated-text";
    let (Some(script), Some(schema)) = (text(case, "in.sql"), text(case, "in.json")) else { return };
    let problem = import(Source::Sql(Dialect::Postgres), &script, &options()).unwrap_err().remove(0);
    assert_eq!((problem.line, problem.column), (2, 14), "{problem:?}");
    assert!(problem.message.contains("--object"), "{problem:?}");
    let problem = import(Source::JsonSchema, &schema, &options()).unwrap_err().remove(0);
    assert_eq!((problem.line, problem.column), (0, 0), "{problem:?}");
    assert!(problem.message.contains("--object"), "{problem:?}");
}

#[test]
fn versions_of_the_case_are_named_apart() {
    let case = "15-dbt-versioned-models";
    let Some((document, _)) = read(Source::Dbt, case, "manifest.json") else { return };
    assert_eq!(names(&document), ["v_v1", "v_v2"]);
    let second = ImportOptions { object: Some("model.p.v.v2".to_owned()), ..options() };
    let (document, _) = imported(Source::Dbt, &text(case, "manifest.json").unwrap(), &second);
    assert_eq!(names(&document), ["v_v2"]);
}
