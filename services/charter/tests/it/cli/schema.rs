//! `charter schema compat`, and the `--batch` of it and of `contract diff`.

use serde_json::{Value, json};

use super::{Run, charter, command, run};

const OLD: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}"#;
/// Adds a field: compatible in both directions.
const GROWN: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"},{"name":"note","type":"string","default":""}]}"#;
/// Widens a field: new readers can read old data, but not the other way round.
const WIDENED: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"double"}]}"#;

/// Runs `schema compat` on two schemas and their references.
fn compat(files: &[(&str, &str)], args: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let mut command = command(&["schema", "compat"]);
    command.args(args).current_dir(folder.path());
    run(command, "")
}

#[test]
fn a_level_protects_readers_in_its_direction() {
    let cases = [
        (GROWN, "full", 0),
        (GROWN, "FULL_TRANSITIVE", 0),
        (WIDENED, "backward", 0),
        (WIDENED, "BACKWARD_TRANSITIVE", 0),
        (WIDENED, "forward", 2),
        (WIDENED, "full", 2),
        (WIDENED, "none", 0),
    ];
    for (new, level, code) in cases {
        let files = [("old.avsc", OLD), ("new.avsc", new)];
        let found = compat(&files, &["old.avsc", "new.avsc", "--level", level]);
        assert_eq!(found.code, code, "{level}: {found:?}");
        assert_eq!(found.stderr.contains("breaks readers"), code == 2, "{level}: {found:?}");
    }
    let found = compat(&[("old.avsc", OLD), ("new.avsc", WIDENED)], &["old.avsc", "new.avsc"]);
    assert_eq!(found.code, 2, "the default level checks both directions");
    let lines: Vec<&str> = found.stdout.lines().collect();
    assert!(lines[0].contains("backward: ") && !lines[0].starts_with("FAIL"), "{found:?}");
    assert!(lines[2].starts_with("FAIL forward: ") && lines[3].ends_with("(TYPE_MISMATCH, breaks)"), "{found:?}");
}

#[test]
fn differences_are_printed_as_json_too() {
    let found = compat(&[("old.avsc", OLD), ("new.avsc", WIDENED)], &["old.avsc", "new.avsc", "--json"]);
    let answer: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!((&answer["backward"], &answer["forward"]), (&json!(true), &json!(false)));
    let breaking: Vec<&Value> =
        answer["findings"].as_array().unwrap().iter().filter(|finding| finding["compatible"] == false).collect();
    assert_eq!(breaking.len(), 1, "{answer}");
    assert_eq!((&breaking[0]["direction"], &breaking[0]["path"]), (&json!("forward"), &json!("/fields/0/type")));
}

#[test]
fn references_are_given_by_name() {
    let team = r#"{"type":"record","name":"Team","fields":[{"name":"first","type":"Order"}]}"#;
    let files = [("old.avsc", team), ("new.avsc", team), ("order.avsc", OLD)];
    let without = compat(&files, &["old.avsc", "new.avsc"]);
    assert_eq!((without.code, without.stdout.as_str()), (3, ""), "{without:?}");
    let with = compat(&files, &["old.avsc", "new.avsc", "--reference", "Order=order.avsc"]);
    assert_eq!(with.code, 0, "{with:?}");
    let twice = ["--reference", "Order=order.avsc", "--reference", "Order=old.avsc"];
    let twice = compat(&files, &[&["old.avsc", "new.avsc"], &twice[..]].concat());
    assert_eq!((twice.code, twice.stderr.as_str()), (64, "error: duplicate reference `Order`\n"));
}

#[test]
fn the_format_is_derived_from_the_extension_or_given() {
    let proto = "syntax = \"proto3\"; message A { int32 a = 1; }";
    let renumbered = "syntax = \"proto3\"; message A { string a = 1; }";
    let found = compat(&[("old.proto", proto), ("new.proto", renumbered)], &["old.proto", "new.proto"]);
    assert_eq!(found.code, 2, "{found:?}");
    let schemas = [("old.json", r#"{"type":"integer"}"#), ("new.json", r#"{"type":"number"}"#)];
    let found = compat(&schemas, &["old.json", "new.json", "--format", "json", "--level", "backward"]);
    assert_eq!(found.code, 0, "{found:?}");
    let found = compat(&schemas, &["old.json", "new.json", "--format", "json", "--level", "forward"]);
    assert_eq!(found.code, 2, "{found:?}");
}

/// Runs a batch; returns its output and its answers.
fn batch(command_of: &[&str], lines: &[String]) -> (Run, Vec<Value>) {
    let mut args = command_of.to_vec();
    args.push("--batch");
    let found = run(command(&args), &lines.join("\n"));
    let answers = found.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (found, answers)
}

#[test]
fn a_batch_answers_each_pair_and_fails_at_its_end() {
    let avro = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let good = [
        // Some programs write a byte order mark, and carriage returns at line ends.
        format!("\u{feff}{}\r", json!({ "id": 1, "format": "avro", "old": avro(OLD), "new": avro(WIDENED) })),
        String::new(),
        json!({ "id": "p", "format": "protobuf",
            "old": "syntax = \"proto3\"; message A { int32 a = 1; }",
            "new": "syntax = \"proto3\"; import \"b.proto\"; message A { int32 a = 1; B b = 2; }",
            "mode": null, "old_imports": null, "new_imports": { "b.proto": "syntax = \"proto3\"; message B {}" } })
        .to_string(),
        json!({ "id": [3], "format": "json", "old": { "type": "integer" }, "new": { "type": "string" } }).to_string(),
    ];
    let (found, answers) = batch(&["schema", "compat"], &good);
    assert_eq!((found.code, found.stderr.as_str()), (0, ""));
    let directions: Vec<Value> =
        answers.iter().map(|answer| json!([answer["id"], answer["backward"], answer["forward"]])).collect();
    assert_eq!(directions, [json!([1, true, false]), json!(["p", true, true]), json!([[3], false, false])]);
    assert!(answers.iter().all(|answer| answer.get("error").is_none()), "{answers:?}");

    let bad = [
        r#"{"id": 7, "format": "odd"}"#.to_owned(),
        "no JSON at all".to_owned(),
        json!({ "id": 8, "format": "avro", "old": "nothing", "new": "int" }).to_string(),
    ];
    let (found, answers) = batch(&["schema", "compat"], &[&bad[..], &good[..1]].concat());
    assert_eq!((found.code, found.stderr.as_str()), (3, "error: some pairs could not be compared\n"));
    let ids: Vec<&Value> = answers.iter().map(|answer| answer.get("id").unwrap()).collect();
    assert_eq!(ids, [&json!(7), &Value::Null, &json!(8), &json!(1)], "lines after an invalid one are answered");
    for answer in &answers[..3] {
        assert!(answer["error"].is_string() && answer["backward"] == false && answer["forward"] == false, "{answer}");
    }
}

#[test]
fn a_batch_of_contracts_reports_the_bump() {
    let contract = |columns: Value, version: &str| {
        json!({
            "apiVersion": "v3.1.0", "kind": "DataContract", "id": "orders", "version": version, "status": "active",
            "schema": [{ "name": "orders", "properties": columns }],
        })
    };
    let id = json!({ "name": "id", "logicalType": "integer" });
    let required = json!({ "name": "id", "logicalType": "integer", "required": true });
    let note = json!({ "name": "note", "logicalType": "string" });
    let pair = |id: &str, old: &Value, new: &Value, proof: bool| {
        json!({ "id": id, "old": contract(old.clone(), "1.0.0"), "new": contract(new.clone(), "1.0.0"), "proof": proof })
            .to_string()
    };
    let lines = [
        pair("same", &json!([id]), &json!([id]), false),
        pair("more", &json!([id]), &json!([id, note]), false),
        pair("less", &json!([id, note]), &json!([id]), false),
        pair("tighter", &json!([id]), &json!([required]), false),
        pair("proven", &json!([id]), &json!([required]), true),
        json!({ "id": "bad", "old": {}, "new": contract(json!([id]), "1.0.0") }).to_string(),
        json!({ "id": "nulls", "old": contract(json!([id]), "1.0.0"), "new": contract(json!([id]), "1.0.1"),
            "proof": null, "allow_widening": null, "classification_order": null })
        .to_string(),
    ];
    let (found, answers) = batch(&["contract", "diff"], &lines);
    assert_eq!(found.code, 3, "one document is invalid");
    let bumps: Vec<(&str, &str)> =
        answers.iter().map(|answer| (answer["id"].as_str().unwrap(), answer["bump"].as_str().unwrap())).collect();
    assert_eq!(bumps[..3], [("same", "none"), ("more", "minor"), ("less", "major")]);
    assert_ne!(bumps[3].1, bumps[4].1, "a proof lowers the bump of changes that only old rows may break");
    assert_eq!(bumps[5], ("bad", "major"), "a failed comparison is reported as breaking");
    assert_eq!(bumps[6], ("nulls", "patch"));
    assert!(answers[5]["error"].is_string() && answers[0].get("error").is_none());
    assert_eq!((&answers[2]["backward"], &answers[2]["forward"]), (&json!(true), &json!(false)));
    assert_eq!(charter(&["contract", "diff", "--batch", "--format", "junit"]).code, 64);
}
