//! `charter contract test`: local tables judged by a contract, without a server.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use super::{Run, command, run};
use crate::test_server::{make_demo, repository};

/// Judges a table; `contract` is standard input.
fn judged(contract: &str, data: &Path, more: &[&str]) -> Run {
    let mut command = command(&["contract", "test", "-", "--data"]);
    command.arg(data).args(more);
    run(command, contract)
}

fn demo_contract() -> String {
    fs::read_to_string(repository().join("tests/demo/flights.contract.yaml")).unwrap()
}

/// The demo's table up to a version, and one of its data files.
fn demo(through: u64) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    make_demo(folder.path(), through);
    let is_data = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "parquet");
    let file = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).find(is_data).unwrap();
    (folder, file)
}

/// The output without what differs from run to run: times and paths.
fn settled(output: &str) -> String {
    let times = regex::Regex::new("[0-9]{4}-[0-9-]{5}T[0-9:.]+Z").unwrap();
    let output = times.replace_all(output, "TIME");
    regex::Regex::new("(?m)^[^ ]+: snapshot").unwrap().replace(&output, "DATA: snapshot").into_owned()
}

#[test]
fn a_table_that_keeps_its_contract_passes() {
    let (table, _) = demo(1);
    let run = judged(&demo_contract(), table.path(), &[]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    assert_eq!(
        settled(&run.stdout),
        "\
contract `demo-flights-contract` 1.0.0, object `flights`: warn
DATA: snapshot delta:1 (700 rows, 2 files, committed TIME)
  warn conforms to the contract, with remarks
       column `delay_band` is not declared
  ok   primary key (time_hour, carrier, flight, origin) is unique: 0 rows
  ok   month is not null: 0 rows
  ok   month >= 1: 0 rows
  ok   month <= 12: 0 rows
  ok   time_hour is not null: 0 rows
  ok   carrier is not null: 0 rows
  ok   carrier has at least 2 characters: 0 rows
  ok   carrier has at most 2 characters: 0 rows
  ok   flight is not null: 0 rows
  ok   origin is not null: 0 rows
  ok   invalidValues of origin: 0 rows
  ok   dest is not null: 0 rows
  ok   distance is not null: 0 rows
  ok   distance > 0: 0 rows
  ok   rowCount: 700 rows
  ok   sql: 2.2857142857142856 rows
not judged:
  -    columns that the contract does not declare: a failure if the product is confidential or restricted, which a server knows
"
    );
}

#[test]
fn a_table_that_breaks_its_contract_exits_2_with_the_counts() {
    let (table, _) = demo(2);
    let run = judged(&demo_contract(), table.path(), &["--json"]);
    assert_eq!((run.code, run.stderr.as_str()), (2, ""), "{}", run.stdout);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (&answer["format"], &answer["snapshot"], &answer["rows"]),
        (&"DELTA".into(), &"delta:2".into(), &740.into())
    );
    assert_eq!((&answer["verdict"]["verdict"], &answer["verdict"]["conforms"]), (&"FAIL".into(), &true.into()));
    let results = answer["verdict"]["results"].as_array().unwrap();
    let broken: Vec<_> = results.iter().filter(|result| result["outcome"] == "FAIL").collect();
    let counts: Vec<_> =
        broken.iter().map(|it| (it["key"].as_str().unwrap(), it["measured"].as_f64().unwrap())).collect();
    assert_eq!(counts, [("primaryKey", 10.0), ("carrier/required", 10.0), ("distance/exclusiveMinimum", 10.0)]);
    // A table of another shape.
    let other = demo_contract().replace("- name: dest\n", "- name: destination\n");
    let run = judged(&other, table.path(), &[]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stdout.contains("declared column `destination` is missing from the table\n"), "{}", run.stdout);
}

#[test]
fn a_parquet_file_and_a_folder_of_them_are_tables() {
    let (_table, file) = demo(0);
    let folder = TempDir::new().unwrap();
    fs::copy(&file, folder.path().join("a.parquet")).unwrap();
    for data in [&file, folder.path()] {
        let run = judged(&demo_contract(), data, &["--json"]);
        assert_eq!(run.code, 0, "{run:?}");
        let answer: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!((&answer["format"], &answer["rows"], &answer["files"]), (&"PARQUET".into(), &400.into(), &1.into()));
    }
    // The path may lead over links, which the caller chose.
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!(judged(&demo_contract(), &link, &[]).code, 0);
}

#[test]
fn several_objects_need_a_choice() {
    let (_table, file) = demo(0);
    let several = demo_contract() + "  - name: airports\n    properties:\n      - {name: code, logicalType: string}\n";
    let run = judged(&several, &file, &[]);
    assert_eq!((run.code, run.stdout.as_str()), (3, ""));
    assert_eq!(
        run.stderr,
        "error: `<stdin>` has several schema objects: `flights`, `airports`\nhint: choose one with `--object`\n"
    );
    let run = judged(&several, &file, &["--object", "airlines"]);
    assert_eq!((run.code, run.stdout.as_str()), (3, ""));
    assert_eq!(run.stderr, "error: `<stdin>` has no schema object `airlines`\nhint: it has `flights`, `airports`\n");
    assert_eq!(judged(&several, &file, &["--object", "flights"]).code, 0);
    let run = judged(&several, &file, &["--object", "airports"]);
    assert_eq!(run.code, 2);
    assert!(run.stdout.contains("declared column `code` is missing"), "{}", run.stdout);
    let none = judged("apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: 1.0.0\nstatus: draft\n", &file, &[]);
    assert_eq!(none.code, 3);
    assert!(none.stderr.contains("has no schema object to judge a table by"), "{none:?}");
}

#[test]
fn what_only_a_server_knows_is_listed_as_not_judged() {
    let (_table, file) = demo(0);
    let contract = demo_contract()
        + "slaProperties:\n  - {property: latency, value: 1, unit: h}\n  - {property: retention, value: 3, unit: y}\n  \
           - {property: latency, value: 1, unit: h, element: other.id}\n";
    let contract = contract.replace("- name: dest\n", "- name: dest\n        relationships: [{to: airports.code}]\n");
    let run = judged(&contract, &file, &[]);
    assert_eq!(run.code, 0, "{run:?}");
    let (_, not_judged) = run.stdout.split_once("not judged:\n").unwrap();
    assert_eq!(
        not_judged,
        "  -    service level `latency`: a server knows when data is late\n  -    service level `retention`\n  \
         -    references to other tables: an inspection reads one table\n"
    );
}

#[test]
fn a_table_that_cannot_be_read_is_a_failure_of_its_own() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("text.parquet"), "no Parquet").unwrap();
    fs::create_dir_all(path("delta/_delta_log")).unwrap();
    fs::create_dir(path("empty")).unwrap();
    for (data, reason) in [
        ("absent", "cannot read"),
        ("text.parquet", "the file `text.parquet` is corrupt"),
        ("delta", "its log has no version"),
        ("empty", "it has no Parquet file"),
    ] {
        let run = judged(&demo_contract(), &path(data), &[]);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{data}");
        assert!(run.stderr.starts_with("error: ") && run.stderr.contains(reason), "{data}: {run:?}");
    }
    let run = judged(&demo_contract(), &path("empty"), &["--worker", "no-such-worker"]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("worker `no-such-worker` not found"), "{run:?}");
    // A rule that cannot be measured is neither kept nor broken.
    let (_table, file) = demo(0);
    let unknown = demo_contract().replace("count(*) FROM", "count(*) + max(nowhere) FROM");
    let run = judged(&unknown.replace("severity: warning", "severity: error"), &file, &[]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.contains("sql (could not be measured)"), "{}", run.stdout);
}

#[test]
fn control_characters_of_a_contract_do_not_reach_the_terminal() {
    let (_table, file) = demo(0);
    let contract = demo_contract().replace("- id: enough-rows\n", "- id: enough-rows\n        name: \"a\\e[2Jb\"\n");
    let run = judged(&contract, &file, &[]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("a\u{fffd}[2Jb: 400 rows"), "{}", run.stdout);
}
