//! `charter contract diff`: two files, no server.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::server::CannedServer;
use super::{charter, command, run};

/// A contract with columns, each a line of YAML flow.
fn contract(version: &str, columns: &[&str]) -> String {
    let columns: String = columns.iter().map(|column| format!("      - {{ {column} }}\n")).collect();
    format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: orders\nname: Orders\nversion: {version}\nstatus: active\n\
         schema:\n  - name: orders\n    properties:\n{columns}"
    )
}

const ID: &str = "name: id, logicalType: integer, required: true";
const NOTE: &str = "name: note, logicalType: string";

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_required_bump_is_compared_with_the_declared_one() {
    let cases = [
        ("nothing", contract("1.0.0", &[ID, NOTE]), 0, "NONE", "1.0.0"),
        ("only the version", contract("1.0.1", &[ID, NOTE]), 0, "PATCH", "1.0.1"),
        (
            "optional column, minor",
            contract("1.1.0", &[ID, NOTE, "name: extra, logicalType: string"]),
            0,
            "MINOR",
            "1.1.0",
        ),
        (
            "optional column, patch",
            contract("1.0.1", &[ID, NOTE, "name: extra, logicalType: string"]),
            2,
            "MINOR",
            "1.1.0",
        ),
        (
            "optional column, same",
            contract("1.0.0", &[ID, NOTE, "name: extra, logicalType: string"]),
            2,
            "MINOR",
            "1.1.0",
        ),
        ("dropped column, minor", contract("1.1.0", &[ID]), 2, "MAJOR", "2.0.0"),
        ("dropped column, major", contract("2.0.0", &[ID]), 0, "MAJOR", "2.0.0"),
        ("loosened column, minor", contract("1.1.0", &["name: id, logicalType: integer", NOTE]), 2, "MAJOR", "2.0.0"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let old = written(folder.path(), "old.yaml", &contract("1.0.0", &[ID, NOTE]));
    for (name, text, exit, needed, suggested) in cases {
        let new = written(folder.path(), "new.yaml", &text);
        let json = charter(&["contract", "diff", &old, &new, "--json"]);
        assert_eq!(json.code, exit, "{name}: {}{}", json.stdout, json.stderr);
        let diff: Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!((&diff["needed"], &diff["suggested"]), (&needed.into(), &suggested.into()), "{name}");
        assert_eq!(diff["accepted"], exit == 0, "{name}");
        let hint = format!("hint: set the version in `{new}` to `{suggested}`\n");
        assert_eq!(json.stderr.contains(&hint), exit == 2, "{name}: {}", json.stderr);
    }
}

#[test]
fn findings_are_grouped_by_the_bump_they_require() {
    let folder = tempfile::tempdir().unwrap();
    let old = written(folder.path(), "old.yaml", &contract("1.0.0", &[ID, NOTE]));
    let new = written(folder.path(), "new.yaml", &contract("1.1.0", &[ID, "name: extra, logicalType: string"]));
    let diff = charter(&["contract", "diff", &old, &new]).stdout;
    let lines: Vec<&str> = diff.lines().collect();
    assert_eq!(lines[0], "contract `orders`: 1.0.0 to 1.1.0");
    assert_eq!(lines[1], "major");
    assert!(lines[2].contains("note") && lines[2].contains("not consumer-safe"), "{diff}");
    assert_eq!(lines[3], "minor");
    assert!(lines[4].contains("extra"), "{diff}");
    assert_eq!(lines[5], "required bump: major, declared bump: minor (too small)");
    assert_eq!(lines.len(), 6, "{diff}");
}

#[test]
fn values_before_and_after_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let old = written(folder.path(), "old.yaml", &contract("1.0.0", &[ID, NOTE]));
    let new = written(folder.path(), "new.yaml", &contract("2.0.0", &[ID, "name: note, logicalType: number"]));
    let text = charter(&["contract", "diff", &old, &new]).stdout;
    assert!(text.contains(" neither history-safe nor consumer-safe) [string -> number]\n"), "{text}");
    let json = charter(&["contract", "diff", &old, &new, "--json"]).stdout;
    let diff: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&diff["findings"][0]["before"], &diff["findings"][0]["after"]), (&json!("string"), &json!("number")));
    let new = written(folder.path(), "new.yaml", &contract("2.0.0", &[ID]));
    assert!(charter(&["contract", "diff", &old, &new]).stdout.contains(" [string -> none]\n"));
}

#[test]
fn a_changelog_is_grouped_by_what_the_changes_require() {
    let folder = tempfile::tempdir().unwrap();
    let old = written(folder.path(), "old.yaml", &contract("1.0.0", &[ID, NOTE]));
    let columns = [r#"name: id, logicalType: integer, required: true, description: "which""#, "name: extra"];
    let new = written(folder.path(), "new.yaml", &contract("1.1.0", &columns));
    let log = charter(&["contract", "diff", &old, &new, "--changelog"]);
    let expected = "\
# orders: 1.0.0 to 1.1.0

**Version 1.1.0 is too low: the changes need a major version, 2.0.0.**

## MAJOR

- `orders.note`: the column was removed (`column.removed.optional`)
  - before: `string`
  - after: none

## MINOR

- `orders.extra`: a column was added that may be null (`column.added.optional`)
  - before: none
  - after: `no type`

## PATCH

- `orders.id`: \\`description\\` changed (`documentation`)
  - before: none
  - after: `which`
";
    assert_eq!((log.code, log.stdout.as_str()), (2, expected));
    let same = charter(&["contract", "diff", &old, &old, "--changelog"]);
    assert_eq!((same.code, same.stdout.as_str()), (0, "# orders: 1.0.0 to 1.0.0\n\nNo changes in the contract.\n"));
}

#[test]
fn names_and_values_cannot_write_markdown() {
    const HOSTILE: &str = "a `b` ``c`` <script> [x](http://y) ![z](w) **d** _e_ | # f\n\n## g\n- h ~~i~~ &amp; \\";
    let folder = tempfile::tempdir().unwrap();
    let document = |version: &str, description: Value| {
        json!({
            "apiVersion": "v3.1.0", "kind": "DataContract", "id": HOSTILE, "version": version, "status": "active",
            "schema": [{"name": "orders", "properties": [{"name": HOSTILE, "description": description}]}],
            "customProperties": [{"property": HOSTILE, "value": description}],
        })
        .to_string()
    };
    let old = written(folder.path(), "old.yaml", &document("1.0.0", json!("")));
    let new = written(folder.path(), "new.yaml", &document("1.0.1", json!(HOSTILE)));
    let log = charter(&["contract", "diff", &old, &new, "--changelog"]);
    assert_eq!(log.code, 0, "{log:?}");
    let lines: Vec<&str> = log.stdout.lines().collect();
    assert_eq!(lines.iter().filter(|line| line.starts_with('#')).count(), 2, "{}", log.stdout);
    assert_eq!(lines.iter().filter(|line| line.trim_start().starts_with("- ")).count(), 6, "{}", log.stdout);
    // The fence is longer than any row of backticks in the span.
    let span = |text: &str| format!("``` {} ```", text.replace('\n', " "));
    assert!(log.stdout.contains(&format!("- {}: ", span(&format!("orders.{HOSTILE}")))), "{}", log.stdout);
    assert!(log.stdout.contains(&format!("  - after: {}\n", span(HOSTILE))), "{}", log.stdout);
    for line in lines {
        // Outside of code spans everything that means something in Markdown is escaped.
        let mut outside = String::new();
        let mut rest = line;
        while let Some(at) = rest.find('`').filter(|at| !rest[..*at].ends_with('\\')) {
            let fence = rest[at..].chars().take_while(|c| *c == '`').count();
            outside.push_str(&rest[..at]);
            let (_, after) = rest[at + fence..]
                .split_once(&format!(" {}", "`".repeat(fence)))
                .unwrap_or_else(|| rest[at + fence..].split_once(&"`".repeat(fence)).expect(line));
            rest = after;
        }
        outside.push_str(rest);
        for plain in ["<script>", " [x]", "![z]", " **d**", " _e_", "~~i", " &amp; "] {
            assert!(!outside.contains(plain), "`{plain}` in {outside}");
        }
    }
}

#[test]
fn an_invalid_document_exits_3_with_the_places_in_both() {
    let folder = tempfile::tempdir().unwrap();
    let good = written(folder.path(), "good.yaml", &contract("1.0.0", &[ID]));
    let bad = written(folder.path(), "bad.yaml", &contract("1.0.0", &["name: id, logicalType: whole"]));
    let worse = written(folder.path(), "worse.yaml", "kind: DataContract\n\tversion: 1");
    let one = charter(&["contract", "diff", &good, &bad]);
    assert_eq!((one.code, one.stdout.as_str()), (3, ""));
    assert!(one.stderr.starts_with(&format!("{bad}:10:")), "{}", one.stderr);
    let both = charter(&["contract", "diff", &bad, &worse]);
    assert_eq!(both.code, 3);
    for file in [&bad, &worse] {
        assert!(both.stderr.lines().any(|line| line.starts_with(&format!("{file}:"))), "{}", both.stderr);
    }
    let product = "apiVersion: v1.0.0\nkind: DataProduct\nid: p\nname: p\nstatus: active\n";
    let product = written(folder.path(), "product.yaml", product);
    let other = charter(&["contract", "diff", &good, &product]);
    assert_eq!(other.code, 3);
    assert!(other.stderr.contains("is a data product"), "{}", other.stderr);
    assert_eq!(charter(&["contract", "diff", &good, "/no/such/file"]).code, 1);
}

#[test]
fn one_side_may_come_from_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let new = written(folder.path(), "new.yaml", &contract("1.0.0", &[ID]));
    let diff = run(command(&["contract", "diff", "-", &new]), &contract("1.0.0", &[ID]));
    assert_eq!(
        (diff.code, diff.stdout.as_str()),
        (0, "contract `orders`: 1.0.0 to 1.0.0\nno differences in the contract\n")
    );
}

#[test]
fn every_valid_document_is_compared_and_converted() {
    let folder = tempfile::tempdir().unwrap();
    let check = |text: &str, word: &str| {
        let file = written(folder.path(), "one.yaml", text);
        let newer = text.replace("version: 1.0.0", "version: 1.0.1").replace("\"1.0.0\"", "\"1.0.1\"");
        assert_ne!(newer, text);
        let newer = written(folder.path(), "two.yaml", &newer);
        for args in [
            vec!["contract", "diff", &file, &newer],
            vec!["contract", "export", &file, "--to", "avro"],
            vec!["contract", "export", &file, "--to", "json-schema"],
            vec!["contract", "export", &file, "--to", "sql"],
        ] {
            let run = charter(&args);
            assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
            assert!(run.stderr.contains("warning") && run.stderr.contains(word), "{word} {args:?}: {}", run.stderr);
        }
        charter(&["contract", "diff", &file, &newer, "--json"]).stdout
    };
    for (extra, name, word) in [
        (json!({"servers": [{"server": "l", "type": "local", "path": "./data/a.csv", "format": "csv"}]}), "a", "csv"),
        (json!({}), "100_a", "100_a"),
        (json!({"slaProperties": [{"property": "frequency", "value": "daily"}]}), "a", "frequency"),
        (json!({"customProperties": [{"property": "gateMode", "value": "open"}]}), "a", "gateMode"),
    ] {
        let mut document = json!({
            "apiVersion": "v3.1.0", "kind": "DataContract", "id": "c1", "version": "1.0.0", "status": "active",
            "schema": [{"name": name, "properties": [{"name": "id", "logicalType": "integer"}]}],
        });
        document.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let diff: Value = serde_json::from_str(&check(&document.to_string(), word)).unwrap();
        // One pair gets one answer, whichever command is asked.
        let mut newer = document.clone();
        newer["version"] = json!("1.0.1");
        let pair = json!({"id": 1, "old": document, "new": newer}).to_string();
        let batch = run(command(&["contract", "diff", "--batch"]), &format!("{pair}\n"));
        let batch: Value = serde_json::from_str(&batch.stdout).unwrap();
        assert_eq!((&diff["needed"], &batch["bump"]), (&json!("PATCH"), &json!("patch")), "{word}");
    }
    if let Some(shared) = crate::test_server::shared() {
        let cases = shared.join("cases/contracts/24-offline-refuses-valid-odcs");
        for (name, word) in [("csv", "csv"), ("digit", "100_a"), ("sla", "frequency")] {
            check(&fs::read_to_string(cases.join(format!("{name}.yaml"))).unwrap(), word);
        }
    }
}

#[test]
fn a_custom_property_is_a_promise_if_it_is_named_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let old = written(folder.path(), "old.yaml", &contract("1.0.0", &[ID]));
    let custom = "status: active\ncustomProperties: [{property: retentionClass, value: long}]\n";
    let new = contract("1.0.1", &[ID]).replace("status: active\n", custom);
    let new = written(folder.path(), "new.yaml", &new);
    assert_eq!(charter(&["contract", "diff", &old, &new]).code, 0);
    let run = charter(&["contract", "diff", &old, &new, "--promise", "retentionClass"]);
    assert_eq!(run.code, 2, "{}", run.stdout);
    assert!(run.stdout.contains("retentionClass"), "{}", run.stdout);
    assert_eq!(charter(&["contract", "diff", &old, &new, "--promise", "other"]).code, 0);
}

/// Which consumers a change breaks is the server's answer, in each form of the output.
#[test]
fn the_server_names_those_whom_a_change_breaks() {
    let folder = tempfile::tempdir().unwrap();
    let old = written(folder.path(), "old.yaml", &contract("1.0.0", &[ID, NOTE]));
    let new = written(folder.path(), "new.yaml", &contract("2.0.0", &[ID]));
    let answer =
        |affected: Value| json!({ "data": { "answer": { "__typename": "ContractImpact", "affected": affected } } });
    let affected = json!({ "complete": true, "count": 1, "consumers": [{
        "principal": { "subject": "ana" }, "distance": 1, "ports": [{
            "product": { "name": "orders", "domain": { "path": "shop" } }, "name": "orders", "major": 1,
            "columns": ["note"] }] }] });
    let call = ["contract", "diff", &old, &new, "--impact", "shop.orders"];
    let ask = |affected: &Value, more: &[&str]| {
        let server = CannedServer::answering([answer(affected.clone())]);
        let run = server.run(&[&call[..], more].concat());
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{more:?}");
        let sent = server.requests().remove(0).variables;
        assert_eq!(sent["product"], "shop.orders");
        assert_eq!(sent["old"]["text"], json!(contract("1.0.0", &[ID, NOTE])));
        assert_eq!(sent["new"], json!({ "path": new, "text": contract("2.0.0", &[ID]) }));
        run.stdout
    };
    let text = ask(&affected, &[]);
    assert!(text.contains("\nbreaks: ana on shop.orders.orders__v1: reads note\nrequired bump: major"), "{text}");
    let text = ask(&Value::Null, &[]);
    assert!(text.contains("\nbreaks: no consumer that you may see\n"), "{text}");
    let unknown = json!({ "complete": false, "count": 0, "consumers": [] });
    let text = ask(&unknown, &[]);
    assert!(text.contains("\nbreaks: lineage is not up to date: consumers may be missing\n"), "{text}");
    let diff: Value = serde_json::from_str(&ask(&affected, &["--json"])).unwrap();
    assert_eq!((&diff["affected"], &diff["needed"]), (&affected, &json!("MAJOR")));
    let diff: Value = serde_json::from_str(&ask(&Value::Null, &["--json"])).unwrap();
    assert_eq!(diff.get("affected"), Some(&Value::Null));
    let github = ask(&affected, &["--format", "github"]);
    assert!(github.contains("ana on shop.orders.orders__v1: reads note"), "{github}");
    // Without the option no server is asked, and the output has no such field.
    let alone: Value = serde_json::from_str(&charter(&["contract", "diff", &old, &new, "--json"]).stdout).unwrap();
    assert_eq!(alone.get("affected"), None);
    // What the server does not accept is said with its places.
    let invalid = json!({ "data": { "answer": { "__typename": "InvalidDocuments", "problems": [
        { "document": old, "line": 2, "column": 5, "path": "/id", "message": "is missing" }] } } });
    let run = CannedServer::answering([invalid]).run(&call);
    assert_eq!((run.code, run.stdout.as_str()), (3, ""));
    assert!(run.stderr.contains(":2:5: /id: is missing"), "{}", run.stderr);
}
