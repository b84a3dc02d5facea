//! `charter contract import` and `charter contract export`: one golden text each, and the notes on standard error. The
//! converters themselves are tested in `documents`.

use serde_json::Value;

use super::{Run, charter, command, run};

const AVRO: &str = r#"{"type":"record","name":"Order","doc":"One order.","fields":[{"name":"id","type":"long"},{"name":"note","type":["null","string"],"default":null}]}"#;

const CONTRACT: &str = "\
apiVersion: v3.2.0
kind: DataContract
id: orders
version: \"1.0.0\"
status: draft
schema:
- id: Order
  name: Order
  logicalType: object
  description: One order.
  properties:
  - id: id
    name: id
    logicalType: integer
    logicalTypeOptions:
      format: i64
    physicalType: long
    required: true
  - id: note
    name: note
    logicalType: string
    physicalType: string
";

const SQL: &str = "\
-- id: orders
-- version: 1.0.0
-- status: draft

CREATE TABLE \"Order\" (
  \"id\" bigint NOT NULL,
  \"note\" text
);
COMMENT ON TABLE \"Order\" IS 'One order.';
";

fn import(input: &str, args: &[&str]) -> Run {
    let mut command = command(&["contract", "import", "-"]);
    command.args(args);
    run(command, input)
}

fn export(args: &[&str]) -> Run {
    let mut command = command(&["contract", "export", "-"]);
    command.args(args);
    run(command, CONTRACT)
}

#[test]
fn a_schema_becomes_a_contract_and_a_contract_a_table() {
    let imported = import(AVRO, &["--from", "avro", "--id", "orders"]);
    assert_eq!((imported.code, imported.stdout.as_str(), imported.stderr.as_str()), (0, CONTRACT, ""));
    let exported = export(&["--to", "sql", "--dialect", "postgres"]);
    assert_eq!((exported.code, exported.stdout.as_str()), (0, SQL));
    let notes: Vec<&str> = exported.stderr.lines().collect();
    assert_eq!(notes[0], "note: lost: /schema/0/id: \"Order\"");
    assert!(notes.iter().all(|note| note.starts_with("note: ")), "{notes:?}");
    let same = export(&["--to", "odcs"]);
    assert_eq!((same.code, same.stdout.as_str(), same.stderr.as_str()), (0, CONTRACT, ""));
}

#[test]
fn the_arguments_appear_in_the_document() {
    let given = ["--from", "avro", "--id", "o-1", "--name", "Orders", "--version", "2.1.0", "--object", "orders"];
    let text = import(AVRO, &given).stdout;
    for line in ["id: o-1\n", "name: Orders\n", "version: \"2.1.0\"\n", "  name: orders\n"] {
        assert!(text.contains(line), "{line} {text}");
    }
}

#[test]
fn json_contains_the_output_and_the_losses() {
    let exported = export(&["--to", "sql", "--json"]);
    assert_eq!((exported.code, exported.stderr.as_str()), (0, ""));
    let answer: Value = serde_json::from_str(&exported.stdout).unwrap();
    assert_eq!(answer["text"], SQL);
    assert_eq!(answer["lost"][0]["path"], "/schema/0/id");
    assert!(answer["changed"].is_array() && answer.get("notes").is_none(), "{answer}");
    let imported = import(AVRO, &["--from", "avro", "--id", "orders", "--json"]);
    let answer: Value = serde_json::from_str(&imported.stdout).unwrap();
    assert_eq!((&answer["text"], answer["notes"].is_array()), (&CONTRACT.into(), true));
}

#[test]
fn a_failed_conversion_exits_3_with_the_location() {
    let invalid = import("{", &["--from", "avro", "--id", "orders"]);
    assert_eq!((invalid.code, invalid.stdout.as_str()), (3, ""));
    assert!(invalid.stderr.starts_with("<stdin>:"), "{invalid:?}");
    let version = import(AVRO, &["--from", "avro", "--id", "orders", "--version", "one"]);
    assert_eq!(version.code, 3);
    let missing = export(&["--to", "avro", "--object", "nothing"]);
    assert_eq!((missing.code, missing.stdout.as_str()), (3, ""));
    assert!(missing.stderr.contains("the contract has no `nothing`"), "{missing:?}");
    assert_eq!(charter(&["contract", "import", "no-such-file", "--from", "avro", "--id", "x"]).code, 1);
}

#[test]
fn sql_of_a_dialect_that_is_not_written_is_a_usage_error() {
    for word in ["bigquery", "snowflake", "mysql", "sqlserver", "oracle", "redshift", "generic", "hive"] {
        let refused = export(&["--to", "sql", "--dialect", word]);
        assert_eq!((refused.code, refused.stdout.as_str()), (64, ""), "{word}");
        assert!(refused.stderr.contains("`postgres` and `spark`"), "{refused:?}");
    }
}

#[test]
fn dbt_takes_the_dialect_of_its_adapter() {
    let exported = export(&["--to", "dbt", "--dialect", "bigquery"]);
    assert_eq!(exported.code, 0, "{exported:?}");
    assert!(exported.stdout.contains("data_type: INT64\n"), "{}", exported.stdout);
    assert!(export(&["--to", "dbt"]).stdout.contains("data_type: bigint\n"));
    let refused = export(&["--to", "dbt", "--dialect", "generic"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (64, ""));
    for target in ["markdown", "html", "great-expectations", "avro"] {
        let refused = export(&["--to", target, "--dialect", "postgres"]);
        assert_eq!((refused.code, refused.stdout.as_str()), (64, ""), "{target}");
        assert!(refused.stderr.contains("requires `--to sql` or `--to dbt`"), "{refused:?}");
    }
}

#[test]
fn a_suite_and_a_page_are_printed() {
    let suite = export(&["--to", "great-expectations"]);
    let suite: Value = serde_json::from_str(&suite.stdout).unwrap();
    assert_eq!(suite["name"], "Order");
    let page = export(&["--to", "html"]);
    assert_eq!((page.code, page.stderr.as_str()), (0, ""));
    assert!(page.stdout.starts_with("<!DOCTYPE html>\n") && page.stdout.contains("<title>orders</title>"));
}

#[test]
fn statements_that_are_left_out_are_noted_with_their_line() {
    let sql = "CREATE TABLE a (id int);\nCREATE ROLE r PASSWORD 'x';\n";
    let imported = import(sql, &["--from", "sql", "--dialect", "postgres", "--id", "x"]);
    assert_eq!(imported.code, 0, "{imported:?}");
    let note = "note: line 2: the statement `CREATE ROLE ...` creates no table and was omitted\n";
    assert_eq!(imported.stderr, note);
    let imported = import(sql, &["--from", "sql", "--dialect", "postgres", "--id", "x", "--json"]);
    let answer: Value = serde_json::from_str(&imported.stdout).unwrap();
    assert_eq!(answer["notes"][0]["line"], 2);
    // The document is generated, so its lines are not shown.
    let refused = import(sql, &["--from", "sql", "--dialect", "postgres", "--id", "x", "--version", "1.0.0-rc1"]);
    assert_eq!(refused.code, 3);
    assert!(refused.stderr.starts_with("<stdin>: ") && refused.stderr.contains("`--version`"), "{refused:?}");
}
