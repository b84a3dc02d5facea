//! `charter contract init`: a first document that is valid, can be published, and replaces no file unasked.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::world::World;
use super::{Run, charter, command, run};

fn init(folder: &Path, args: &[&str]) -> Run {
    let mut command = command(&[&["contract", "init"], args].concat());
    command.current_dir(folder);
    run(command, "")
}

/// Checks that a file has no problem at all.
#[track_caller]
fn is_clean(file: &Path) {
    let run = charter(&["contract", "lint", file.to_str().unwrap(), "--strict"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "1 file: 0 errors, 0 warnings\n"));
}

#[test]
fn a_new_contract_is_valid_and_explains_itself() {
    let folder = tempfile::tempdir().unwrap();
    let run = init(folder.path(), &["orders.contract.yaml"]);
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (0, "", ""));
    let file = folder.path().join("orders.contract.yaml");
    is_clean(&file);
    let text = fs::read_to_string(&file).unwrap();
    for line in ["id: orders\n", "status: draft\n", "  name: orders\n", "# servers:\n", "# customProperties:\n"] {
        assert!(text.contains(line), "{line} {text}");
    }
    // What is commented out is valid too, once it is not.
    let lines = text.lines().map(|line| match line.strip_prefix("# ") {
        Some(field) if field.starts_with("  ") || field.ends_with(':') => field,
        _ => line,
    });
    fs::write(&file, lines.collect::<Vec<_>>().join("\n")).unwrap();
    is_clean(&file);
    let exported = charter(&["contract", "export", file.to_str().unwrap(), "--to", "odcs"]).stdout;
    for field in ["\nservers:", "\ncustomProperties:", "\nslaProperties:"] {
        assert!(exported.contains(field), "{field} {exported}");
    }
}

#[test]
fn the_options_appear_in_the_document() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = "a: b # c\n- \"d\" '{model}'";
    let args = ["-", "--id", hostile, "--name", hostile, "--domain", "sales/emea", "--object", "returns"];
    let run = init(folder.path(), &args);
    assert_eq!(run.code, 0, "{run:?}");
    let file = folder.path().join("new.yaml");
    fs::write(&file, &run.stdout).unwrap();
    is_clean(&file);
    for line in ["domain: sales/emea\n", "path: sales/emea/returns\n", "  name: returns\n"] {
        assert!(run.stdout.contains(line), "{line} {run:?}");
    }
    let diff = charter(&["contract", "diff", file.to_str().unwrap(), file.to_str().unwrap(), "--json"]);
    let diff: Value = serde_json::from_str(&diff.stdout).unwrap();
    assert_eq!(diff["new"]["id"], hostile);
}

#[test]
fn a_schema_gives_the_columns() {
    let folder = tempfile::tempdir().unwrap();
    let sql = "CREATE TABLE orders (id bigint PRIMARY KEY, note text);\nCREATE VIEW v AS SELECT 1;\n";
    fs::write(folder.path().join("orders.sql"), sql).unwrap();
    let schema = ["--schema", "orders.sql", "--from", "sql", "--dialect", "postgres", "--domain", "shop"];
    let run = init(folder.path(), &[&["new.yaml"], &schema[..]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.starts_with("note: line 2: "), "{run:?}");
    let file = folder.path().join("new.yaml");
    is_clean(&file);
    let text = fs::read_to_string(&file).unwrap();
    for line in ["id: new\n", "- id: orders\n", "name: note\n", "path: shop/orders\n"] {
        assert!(text.contains(line), "{line} {text}");
    }
    // Each of several tables has a folder of its own.
    fs::write(folder.path().join("orders.sql"), format!("{sql}CREATE TABLE returns (id bigint);\n")).unwrap();
    let run = init(folder.path(), &[&["-", "--json"], &schema[..]].concat());
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    let text = answer["text"].as_str().unwrap();
    assert!(text.contains("path: \"shop/{model}\"\n") && text.contains("name: returns\n"), "{text}");
    assert_eq!((&answer["file"], answer["notes"][0]["line"].as_u64()), (&"-".into(), Some(2)));
    assert_eq!(init(folder.path(), &["-", "--schema", "orders.sql", "--from", "avro"]).code, 3);
    assert_eq!(init(folder.path(), &["-", "--schema", "x", "--from", "avro", "--dialect", "postgres"]).code, 1);
}

#[test]
fn a_file_is_overwritten_only_if_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.yaml");
    fs::write(&file, "mine").unwrap();
    let refused = init(folder.path(), &["orders.yaml"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
    assert!(refused.stderr.contains("hint: give another name, or `--force`"), "{refused:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    // Neither is one that a link leads to.
    std::os::unix::fs::symlink("target.yaml", folder.path().join("link.yaml")).unwrap();
    assert_eq!(init(folder.path(), &["link.yaml"]).code, 1);
    assert!(!folder.path().join("target.yaml").exists());
    // An invalid name leaves the file as it was, even if it may be overwritten.
    let invalid = init(folder.path(), &["orders.yaml", "--force", "--object", "2nd"]);
    assert_eq!(invalid.code, 3, "{invalid:?}");
    assert!(invalid.stderr.contains("`--object`"), "{invalid:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert_eq!(init(folder.path(), &["orders.yaml", "--force"]).code, 0);
    is_clean(&file);
}

#[test]
fn a_new_contract_can_be_published() {
    let world = World::start();
    let run = world.run("owner-shop", &["contract", "init", "returns.yaml", "--domain", "shop"], "");
    assert_eq!(run.code, 0, "{run:?}");
    let product = "apiVersion: v1.0.0\nkind: DataProduct\nid: returns-product\nname: returns\nstatus: active\n\
                   outputPorts:\n  - name: returns\n    version: 1.0.0\n    contractId: returns\n";
    world.write("product.yaml", product);
    let answer = world.json("owner-shop", &["apply", "returns.yaml", "product.yaml", "--domain", "shop"]);
    assert_eq!(answer["warnings"], serde_json::json!([]), "{answer}");
    assert_eq!((&answer["changes"][0]["name"], &answer["changes"][0]["change"]), (&"returns".into(), &"ADDED".into()));
}
