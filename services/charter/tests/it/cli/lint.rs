//! `charter contract lint`: all problems of files, in each format, without a server.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::report::elements;
use super::{Run, command, run};

const HEAD: &str = "apiVersion: v3.1.0\nkind: DataContract\nid: orders\nversion: 1.0.0\nstatus: active\n";
/// A name with everything that could end an attribute, a command or a line.
const HOSTILE: &str = "a\"b<c>&d'e]]>::error file=x::%0A,;#?{0}[f](1)\u{1b}[2K";

fn written(folder: &Path, name: &str, text: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    name.to_owned()
}

/// Runs the command in a folder.
fn lint(folder: &Path, args: &[&str], stdin: &str) -> Run {
    let mut command = command(&[&["contract", "lint"], args].concat());
    command.current_dir(folder);
    run(command, stdin)
}

/// A contract that publishing refuses, and one that nothing can read.
fn faulty(folder: &Path) -> [String; 2] {
    let warned = written(folder, "warned.yaml", format!("{HEAD}domain: Sales\n"));
    let text = format!("{HEAD}colour: red\nservers:\n- {{server: l, type: local, path: a, format: csv}}\n");
    [warned, written(folder, "wrong.yaml", text)]
}

#[test]
fn all_problems_of_all_files_are_told_with_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let [warned, wrong] = faulty(folder.path());
    let run = lint(folder.path(), &[&warned, &wrong], "");
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{run:?}");
    assert!(lines[0].starts_with("warned.yaml:6:9: warning[domain]: /domain: "), "{run:?}");
    assert!(lines[0].ends_with(" (the server refuses this)"), "{run:?}");
    assert!(lines[1].starts_with("wrong.yaml:6:1: error[standard]: /colour: `colour` is not a field"), "{run:?}");
    assert!(lines[2].starts_with("wrong.yaml:8:45: warning[server]: /servers/0/format: `csv` "), "{run:?}");
    assert_eq!(lines[3], "2 files: 1 error, 2 warnings");
    assert_eq!((run.code, run.stderr.as_str()), (3, "error: 1 error, 2 warnings in the documents\n"));
}

#[test]
fn warnings_fail_only_if_they_are_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let [warned, _] = faulty(folder.path());
    let good = written(folder.path(), "good.yaml", HEAD);
    let cases: [(&[&str], i32); 4] =
        [(&[&good], 0), (&[&good, "--strict"], 0), (&[&good, &warned], 0), (&[&good, &warned, "--strict"], 3)];
    for (args, code) in cases {
        for format in ["text", "json", "junit", "github", "sarif"] {
            let run = lint(folder.path(), &[args, &["--format", format]].concat(), "");
            assert_eq!((run.code, run.stderr.is_empty()), (code, code == 0), "{args:?} {format}: {run:?}");
        }
    }
    let failures = |args: &[&str]| {
        let run = lint(folder.path(), &[args, &["--format", "junit"]].concat(), "");
        elements(&run.stdout)[1].attribute("failures").to_owned()
    };
    assert_eq!((failures(&[&good, &warned]), failures(&[&good, &warned, "--strict"])), ("0".into(), "1".into()));
}

#[test]
fn folders_and_standard_input_are_read_as_by_apply() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path(), "set/b/wrong.yml", "kind: Dashboard\n");
    written(folder.path(), "set/a.json", "{}");
    written(folder.path(), "set/.hidden.yaml", "{}");
    written(folder.path(), "set/notes.txt", "{}");
    let run = lint(folder.path(), &["set", "-"], &format!("{HEAD}---\nid: a\n"));
    let files: Vec<&str> = run.stdout.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(files, ["set/a.json", "set/b/wrong.yml", "<stdin>", "3 files"], "{run:?}");
    assert!(run.stdout.contains("<stdin>:7:1: error[standard]"), "{run:?}");

    fs::create_dir(folder.path().join("empty")).unwrap();
    assert_eq!(lint(folder.path(), &["empty"], "").code, 64);
    let missing = lint(folder.path(), &["set", "no-such-file"], "");
    assert_eq!((missing.code, missing.stdout.as_str()), (1, ""));
    let bytes = written(folder.path(), "bytes.yaml", b"id: a\nname: \xff\n");
    let run = lint(folder.path(), &[&bytes], "");
    assert!(run.code == 3 && run.stdout.starts_with("bytes.yaml:2:7: error[syntax]"), "{run:?}");
}

#[test]
fn json_has_each_problem_with_its_code() {
    let folder = tempfile::tempdir().unwrap();
    let [warned, wrong] = faulty(folder.path());
    let run = lint(folder.path(), &[&warned, &wrong, "--json"], "");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (run.code, &report["documents"], &report["errors"], &report["warnings"]),
        (3, &json!(2), &json!(1), &json!(2))
    );
    let problem = |at: usize| {
        let problem = &report["problems"][at];
        ["document", "line", "column", "path", "severity", "code", "isRefused"].map(|name| problem[name].clone())
    };
    let json = |values: Value| -> Vec<Value> { values.as_array().unwrap().clone() };
    assert_eq!(problem(0).to_vec(), json(json!(["warned.yaml", 6, 9, "/domain", "WARNING", "domain", true])));
    assert_eq!(problem(1).to_vec(), json(json!(["wrong.yaml", 6, 1, "/colour", "ERROR", "standard", true])));
    assert!(report["problems"][1]["message"].as_str().unwrap().contains("`colour`"), "{report}");
    assert_eq!(lint(folder.path(), &[&wrong, "--format", "json"], "").stdout.lines().count(), {
        lint(folder.path(), &[&wrong, "--json"], "").stdout.lines().count()
    });
}

/// Lints a file with a hostile name and hostile keys.
fn hostile(format: &str) -> (Run, String) {
    let folder = tempfile::tempdir().unwrap();
    let name = "new \"2\",&:%<é>.yaml";
    let document = json!({
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": "orders", "version": "1.0.0", "status": HOSTILE,
        HOSTILE: 1, "a\nb.yaml:1:1: error[standard]: x": 2,
    });
    let file = written(folder.path(), name, document.to_string());
    (lint(folder.path(), &[&file, "--format", format], ""), file)
}

#[test]
fn hostile_names_stay_names_in_text_and_annotations() {
    let (run, file) = hostile("text");
    assert_eq!((run.code, run.stdout.lines().count()), (3, 3), "{run:?}");
    assert!(run.stdout.lines().take(2).all(|line| line.starts_with(&format!("{file}:1:"))), "{run:?}");
    assert!(!run.stdout.contains('\u{1b}'), "{run:?}");

    let (run, _) = hostile("github");
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{run:?}");
    assert!(run.stdout.contains("a%0Ab.yaml") && run.stdout.contains("x::%250A"), "{run:?}");
    for line in lines {
        let (properties, _) = line.strip_prefix("::error ").and_then(|line| line.split_once("::")).unwrap();
        assert!(properties.starts_with("file=new \"2\"%2C&%3A%25<é>.yaml,line=1,col="), "{line}");
        assert!(properties.ends_with(",title=standard (error)"), "{line}");
        assert!(!line.contains('\u{1b}'), "{line}");
    }
}

#[test]
fn hostile_names_stay_names_in_junit() {
    let (run, file) = hostile("junit");
    let found = elements(&run.stdout);
    let names: Vec<&str> = found.iter().map(|element| element.name.as_str()).collect();
    assert_eq!(names, ["testsuites", "testsuite", "testcase", "failure"]);
    assert_eq!((found[1].attribute("name"), found[2].attribute("classname")), ("charter contract lint", file.as_str()));
    assert_eq!(found[3].attribute("message"), "2 errors, 0 warnings");
    assert!(found[3].text.starts_with("1:"), "{found:?}");
    assert!(found[3].text.contains(HOSTILE.split('\u{1b}').next().unwrap()), "{found:?}");
}

#[test]
fn hostile_names_stay_names_in_sarif() {
    let (run, _) = hostile("sarif");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&report["version"], run.code), (&json!("2.1.0"), 3));
    let sarif = &report["runs"][0];
    assert_eq!(sarif["columnKind"], "unicodeCodePoints");
    assert_eq!(sarif["tool"]["driver"]["rules"].as_array().unwrap().len(), 1, "{sarif}");
    let results = sarif["results"].as_array().unwrap();
    assert_eq!(results.len(), 2, "{sarif}");
    for result in results {
        assert_eq!(
            (&result["ruleId"], &result["ruleIndex"], &result["level"]),
            (&json!("standard"), &json!(0), &json!("error"))
        );
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "new%20%222%22%2C%26%3A%25%3C%C3%A9%3E.yaml");
        assert_eq!(place["region"]["startLine"], 1);
        assert!(place["region"]["startColumn"].as_u64().unwrap() > 1, "{place}");
    }
    // Braces are doubled, and links are broken.
    let message = HOSTILE.replace("{0}", "{{0}}").replace("](1)", "] (1)");
    assert!(results.iter().any(|result| result["message"]["text"].as_str().unwrap().contains(&message)), "{sarif}");
}

#[test]
fn sarif_addresses_absolute_files_and_leaves_standard_input_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let [warned, _] = faulty(folder.path());
    let file = folder.path().join(&warned);
    let run = lint(folder.path(), &[file.to_str().unwrap(), "-", "--format", "sarif"], "id: a\n");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let results = &report["runs"][0]["results"];
    assert_eq!(results[0]["level"], "warning");
    assert_eq!(
        results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        format!("file://{}", file.display())
    );
    assert_eq!((&results[1]["level"], results[1].get("locations")), (&json!("error"), None));
    let run = lint(folder.path(), &["-", "--format", "github"], "id: a\n");
    assert!(run.stdout.starts_with("::error line=1,col=1,title="), "{run:?}");
}
