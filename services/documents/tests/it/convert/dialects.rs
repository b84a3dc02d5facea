//! What types mean in each dialect, by its documentation.

use documents::convert::{Dialect, ImportOptions, Source, Target, export, import};
use serde_json::{Value, json};

use super::{imported, options};

/// The columns of the one table of a script.
fn columns(dialect: Dialect, sql: &str) -> Vec<Value> {
    let (document, _) = imported(Source::Sql(dialect), sql, &options());
    document["schema"][0]["properties"].as_array().unwrap().clone()
}

/// A column of one type as `integer i32`, `number`, `timestamp false`, `string 50`, `string uuid` or `-`.
fn meaning(dialect: Dialect, kind: &str) -> String {
    let column = columns(dialect, &format!("CREATE TABLE t (a {kind})")).remove(0);
    let Some(logical) = column["logicalType"].as_str() else { return "-".to_owned() };
    let options = &column["logicalTypeOptions"];
    let narrowed = ["format", "timezone", "maxLength"].iter().find_map(|name| match &options[name] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    });
    match narrowed {
        Some(narrowed) => format!("{logical} {narrowed}"),
        None => logical.to_owned(),
    }
}

#[test]
fn types_mean_what_the_dialect_says() {
    use Dialect::{
        BigQuery, ClickHouse, DuckDb, Hive, MySql, Oracle, Postgres, Redshift, Snowflake, Spark, SqlServer, Sqlite,
    };
    let expected = [
        (Postgres, "float", "number f64"),
        (Postgres, "float(24)", "number f32"),
        (Postgres, "real", "number f32"),
        (Postgres, "int8", "integer i64"),
        (Postgres, "bit(8)", "string 8"),
        (Postgres, "char", "string 1"),
        (Postgres, "timestamp", "timestamp false"),
        (Postgres, "timestamp(6) without time zone", "timestamp false"),
        (Postgres, "timestamp (6) with time zone", "timestamp true"),
        (Postgres, "pg_catalog.int4", "integer i32"),
        (Postgres, "point", "-"),
        (Redshift, "float", "number f64"),
        (Redshift, "varchar", "string 256"),
        (Redshift, "text", "string 256"),
        (Redshift, "timestamp", "timestamp false"),
        (Redshift, "super", "-"),
        (SqlServer, "float", "number f64"),
        (SqlServer, "float(24)", "number f32"),
        (SqlServer, "tinyint", "integer u8"),
        (SqlServer, "bit", "boolean"),
        (SqlServer, "timestamp", "string binary"),
        (SqlServer, "[rowversion]", "string binary"),
        (SqlServer, "datetime", "timestamp false"),
        (SqlServer, "datetimeoffset(7)", "timestamp true"),
        (SqlServer, "money", "number"),
        (SqlServer, "[nvarchar](max)", "string"),
        (SqlServer, "varchar", "string 1"),
        (SqlServer, "[decimal](10, 2)", "number"),
        (SqlServer, "uniqueidentifier", "string uuid"),
        (Snowflake, "int", "integer i128"),
        (Snowflake, "tinyint", "integer i128"),
        (Snowflake, "number(38,0)", "number"),
        (Snowflake, "real", "number f64"),
        (Snowflake, "float4", "number f64"),
        (Snowflake, "timestamp", "timestamp false"),
        (Snowflake, "timestamp_ltz", "timestamp true"),
        (Snowflake, "variant", "-"),
        (BigQuery, "INT", "integer i64"),
        (BigQuery, "SMALLINT", "integer i64"),
        (BigQuery, "DATETIME", "timestamp false"),
        (BigQuery, "TIMESTAMP", "timestamp true"),
        (BigQuery, "STRING(10)", "string 10"),
        (BigQuery, "BIGNUMERIC", "number"),
        (MySql, "real", "number f64"),
        (MySql, "float", "number f32"),
        (MySql, "bit(8)", "string binary"),
        (MySql, "bit(1)", "boolean"),
        (MySql, "int(11) unsigned zerofill", "integer u32"),
        (MySql, "bigint unsigned", "integer u64"),
        (MySql, "tinyint(1)", "integer i8"),
        (MySql, "datetime(6)", "timestamp false"),
        (MySql, "timestamp", "timestamp true"),
        (MySql, "year", "integer i16"),
        (Sqlite, "int", "integer i64"),
        (Sqlite, "UNSIGNED BIG INT", "integer i64"),
        (Sqlite, "real", "number f64"),
        (Sqlite, "VARYING CHARACTER(255)", "string"),
        (Sqlite, "anything", "number"),
        (ClickHouse, "Int8", "integer i8"),
        (ClickHouse, "UInt256", "number"),
        (ClickHouse, "Nullable(DateTime64(3, 'UTC'))", "timestamp true"),
        (ClickHouse, "LowCardinality(Nullable(String))", "string"),
        (ClickHouse, "Decimal64(4)", "number"),
        (ClickHouse, "SimpleAggregateFunction(sum, UInt64)", "integer u64"),
        (Oracle, "DATE", "timestamp false"),
        (Oracle, "INTEGER", "integer i128"),
        (Oracle, "NUMBER(*,0)", "integer i128"),
        (Oracle, "NUMBER", "number"),
        (Oracle, "FLOAT", "number f64"),
        (Oracle, "BINARY_FLOAT", "number f32"),
        (Oracle, "VARCHAR2(50 CHAR)", "string 50"),
        (Oracle, "LONG RAW", "string binary"),
        (Oracle, "TIMESTAMP (6) WITH LOCAL TIME ZONE", "timestamp true"),
        (DuckDb, "float", "number f32"),
        (DuckDb, "VARCHAR(10)", "string"),
        (DuckDb, "HUGEINT", "integer i128"),
        (DuckDb, "UTINYINT", "integer u8"),
        (DuckDb, "TIMESTAMP", "timestamp false"),
        (DuckDb, "INTEGER[3]", "array"),
        (Spark, "float", "number f32"),
        (Spark, "TIMESTAMP", "timestamp true"),
        (Spark, "TIMESTAMP_NTZ", "timestamp false"),
        (Hive, "TIMESTAMP", "timestamp false"),
        (Dialect::Generic, "bit(8)", "-"),
        (Dialect::Generic, "timestamp", "timestamp"),
    ];
    for (dialect, kind, wanted) in expected {
        assert_eq!(meaning(dialect, kind), wanted, "{dialect:?} {kind}");
    }
}

#[test]
fn physical_types_are_as_written_without_quotes() {
    let physical = |dialect: Dialect, kind: &str| {
        let column = columns(dialect, &format!("CREATE TABLE t (a {kind})")).remove(0);
        column["physicalType"].as_str().unwrap().to_owned()
    };
    assert_eq!(physical(Dialect::Oracle, "VARCHAR2(50 CHAR)"), "VARCHAR2(50 CHAR)");
    assert_eq!(physical(Dialect::SqlServer, "[nvarchar](50)"), "NVARCHAR(50)");
    assert_eq!(physical(Dialect::SqlServer, "[dbo].[Flag]"), "dbo.Flag");
    assert_eq!(physical(Dialect::ClickHouse, "DateTime64(3, 'UTC')"), "DateTime64(3,'UTC')");
    assert_eq!(physical(Dialect::MySql, "int(11) unsigned"), "INT(11) UNSIGNED");
    assert_eq!(physical(Dialect::Postgres, "public.mood"), "public.mood");
}

#[test]
fn an_unsigned_decimal_is_a_number_from_zero() {
    let column = columns(Dialect::MySql, "CREATE TABLE t (a decimal(10,2) unsigned)").remove(0);
    assert_eq!((&column["logicalType"], &column["logicalTypeOptions"]), (&json!("number"), &json!({ "minimum": 0 })));
}

/// What a script becomes in the dialect after an import.
fn there_and_back(dialect: Dialect, kind: &str) -> String {
    let sql = format!("CREATE TABLE t (a {kind})");
    let (_, converted) = imported(Source::Sql(dialect), &sql, &options());
    let exported = export(converted.text.as_bytes(), Target::Sql(dialect), None).unwrap();
    exported.text.split_once("(\n  ").unwrap().1.split('\n').next().unwrap().to_owned()
}

#[test]
fn types_come_back_as_they_were() {
    for (kind, wanted) in [
        ("timestamp", "timestamp without time zone"),
        ("timestamptz", "timestamptz"),
        ("float", "double precision"),
        ("real", "real"),
        ("int2", "smallint"),
        ("numeric(10,2)", "numeric(10,2)"),
        ("uuid", "uuid"),
        ("bytea", "bytea"),
    ] {
        assert_eq!(there_and_back(Dialect::Postgres, kind), format!("\"a\" {wanted}"));
    }
    for kind in ["TIMESTAMP", "TIMESTAMP_NTZ", "TINYINT", "FLOAT", "DECIMAL(10,0)", "VARCHAR(7)", "BINARY"] {
        assert_eq!(there_and_back(Dialect::Spark, kind), format!("`a` {kind}"));
    }
}

/// The types of a contract that does not come from SQL are the target's own where it has them.
#[test]
fn a_physical_type_is_read_in_the_dialect_that_is_written() {
    let document = |kind: &str, options: Value| {
        json!({
            "apiVersion": "v3.1.0", "kind": "DataContract", "id": "c", "version": "1.0.0", "status": "active",
            "schema": [{ "name": "t", "properties": [
                { "name": "a", "logicalType": "timestamp", "physicalType": kind, "logicalTypeOptions": options },
            ]}],
        })
        .to_string()
    };
    let exported =
        |kind: &str, options: Value, target: Target| export(document(kind, options).as_bytes(), target, None).unwrap();
    let postgres = Target::Sql(Dialect::Postgres);
    let plain = exported("timestamp", json!({}), postgres);
    assert!(plain.text.contains("\"a\" timestamp without time zone"), "{}", plain.text);
    // What is said of the zone is more than the name, which then is lost.
    let zoned = exported("timestamp", json!({ "timezone": true }), postgres);
    assert!(zoned.text.contains("\"a\" timestamptz"), "{}", zoned.text);
    assert!(zoned.lost.iter().any(|note| note.path == "/schema/0/properties/0/physicalType"), "{:?}", zoned.lost);
}

#[test]
fn a_width_in_the_format_is_more_than_the_name_of_the_type() {
    let sql = "CREATE TABLE t (a tinyint, b float, c timestamp, d datetime)";
    let (_, converted) = imported(Source::Sql(Dialect::SqlServer), sql, &options());
    let exported = export(converted.text.as_bytes(), Target::Delta, None).unwrap();
    let schema: Value = serde_json::from_str(&exported.text).unwrap();
    let types: Vec<_> = schema["fields"].as_array().unwrap().iter().map(|field| &field["type"]).collect();
    assert_eq!(types, ["short", "double", "binary", "timestamp_ntz"]);
}

#[test]
fn sql_is_written_in_a_dialect_that_we_write_or_not_at_all() {
    let document = include_str!("orders.odcs.yaml");
    let mut texts = std::collections::HashSet::new();
    for word in [
        "generic",
        "postgres",
        "spark",
        "snowflake",
        "bigquery",
        "mysql",
        "sqlserver",
        "duckdb",
        "hive",
        "redshift",
        "clickhouse",
        "sqlite",
        "oracle",
    ] {
        let dialect = Dialect::from_word(word).unwrap();
        assert_eq!(dialect.as_str(), word);
        match export(document.as_bytes(), Target::Sql(dialect), None) {
            Ok(exported) => {
                assert!(Dialect::WRITTEN.contains(&dialect), "{word}");
                assert!(texts.insert(exported.text), "{word} is written as another dialect");
            }
            Err(problems) => {
                assert!(!Dialect::WRITTEN.contains(&dialect), "{word}");
                for known in [word, "`postgres`", "`spark`"] {
                    assert!(problems[0].message.contains(known), "{problems:?}");
                }
            }
        }
    }
}

#[test]
fn tables_of_one_name_are_chosen_by_their_schemas() {
    let sql = "CREATE TABLE x.t (id int);\nCREATE TABLE y.t (id bigint);\nCOMMENT ON TABLE y.t IS 'second';\n";
    let source = Source::Sql(Dialect::Postgres);
    let problem = import(source, sql, &options()).unwrap_err().remove(0);
    assert_eq!((problem.line, problem.column), (2, 14), "{problem:?}");
    assert!(problem.message.contains("`--object y.t`"), "{problem:?}");
    let (document, _) = imported(source, sql, &ImportOptions { object: Some("y.t".to_owned()), ..options() });
    let objects = document["schema"].as_array().unwrap();
    assert_eq!((objects.len(), &objects[0]["name"], &objects[0]["physicalName"]), (1, &json!("t"), &json!("y.t")));
    assert_eq!(objects[0]["description"], "second");
    assert_eq!(objects[0]["properties"][0]["logicalTypeOptions"]["format"], "i64");
}

#[test]
fn problems_of_the_document_have_no_place_in_the_source() {
    let schema = r#"{"title":"2024 Orders","type":"object","properties":{"a":{"type":"string"}}}"#;
    for (options, hint) in [
        (options(), "`--object`"),
        (
            ImportOptions { version: "1.0.0-rc1".to_owned(), object: Some("orders".to_owned()), ..options() },
            "`--version`",
        ),
    ] {
        let problem = import(Source::JsonSchema, schema, &options).unwrap_err().remove(0);
        assert_eq!((problem.line, problem.column, problem.path.as_str()), (0, 0, ""), "{problem:?}");
        assert!(problem.message.contains(hint) && !problem.to_string().starts_with('0'), "{problem}");
    }
}
