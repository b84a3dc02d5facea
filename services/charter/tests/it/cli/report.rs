//! Reports for continuous integration: JUnit XML and annotations, of `contract diff` and of `plan`.

use serde_json::{Value, json};

use super::charter;
use super::server::CannedServer;

/// A name with everything that could end an attribute, a command or a line, as text and in YAML.
const HOSTILE: &str = "a\"b<c>&d'e]]>::error file=x::%0A";

fn folder_with(contracts: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in contracts {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// A contract with a hostile id, whose columns have the given names.
fn contract(version: &str, columns: &[&str]) -> String {
    let columns: Vec<Value> = columns.iter().map(|name| json!({ "name": name, "logicalType": "string" })).collect();
    json!({
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": HOSTILE, "version": version, "status": "active",
        "schema": [{ "name": "orders", "properties": columns }],
    })
    .to_string()
}

/// Runs `contract diff` on two versions whose files have a hostile name too.
fn diff(new: &str, format: &str) -> (i32, String) {
    let names = ["old <1>.yaml", "new \"2\",&:%.yaml"];
    let folder = folder_with(&[(names[0], contract("1.0.0", &["id", "note"])), (names[1], new.to_owned())]);
    let [old, new] = names.map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    let run = charter(&["contract", "diff", &old, &new, "--format", format]);
    (run.code, run.stdout)
}

/// One element of a document: its name, its attributes and its text, or what closes it.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    pub(super) text: String,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).expect(name)
    }
}

/// Parses the subset of XML that reports use: elements, attributes in double quotes, the five named entities and numeric
/// ones. Anything else fails the test.
pub(super) fn elements(document: &str) -> Vec<Element> {
    let forbidden = |c: char| (c.is_control() && !"\n\t".contains(c)) || matches!(c, '\u{fffe}' | '\u{ffff}');
    assert!(!document.contains(forbidden), "{document:?} has characters that XML forbids");
    let mut rest = document.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").expect("a declaration");
    let (mut open, mut elements): (Vec<String>, Vec<Element>) = (Vec::new(), Vec::new());
    while let Some(start) = rest.find('<') {
        let text = unescaped(&rest[..start]);
        if let Some(element) = elements.last_mut() {
            element.text.push_str(text.trim());
        }
        // An attribute's value holds no `>` that is not escaped, as reports are written.
        let (tag, after) = rest[start + 1..].split_once('>').expect("the end of a tag");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "{document}");
            continue;
        }
        let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "`{name}` is no element");
        let mut element = Element { name: name.to_owned(), ..Element::default() };
        while !attributes.is_empty() {
            let (key, value) = attributes.split_once("=\"").expect("an attribute");
            let (value, more) = value.split_once('"').expect("the end of a value");
            element.attributes.push((key.to_owned(), unescaped(value)));
            attributes = more.strip_prefix(' ').unwrap_or(more);
        }
        if !is_empty {
            open.push(name.to_owned());
        }
        elements.push(element);
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{document}");
    elements
}

fn unescaped(text: &str) -> String {
    assert!(!text.contains(['<', '>']), "{text:?}");
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (entity, more) = part.split_once(';').expect("the end of an entity");
        plain.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "#10" => '\n',
            _ => panic!("`{entity}` is no entity"),
        });
        plain.push_str(more);
    }
    plain
}

#[test]
fn a_difference_is_a_failed_test_in_junit_with_its_full_names() {
    let (code, report) = diff(&contract("1.1.0", &["id", HOSTILE]), "junit");
    assert_eq!(code, 2, "{report}");
    let found = elements(&report);
    let names: Vec<&str> = found.iter().map(|element| element.name.as_str()).collect();
    assert_eq!(names, ["testsuites", "testsuite", "testcase", "failure"]);
    assert_eq!((found[1].attribute("tests"), found[1].attribute("failures")), ("1", "1"));
    assert_eq!(found[2].attribute("name"), format!("contract {HOSTILE} 1.0.0 to 1.1.0"));
    assert!(found[2].attribute("classname").ends_with("new \"2\",&:%.yaml"), "{found:?}");
    assert_eq!(found[3].attribute("message"), "version 1.1.0 is too low for the changes");
    assert!(found[3].text.contains("note") && found[3].text.contains(HOSTILE), "{found:?}");

    let (code, report) = diff(&contract("2.0.0", &["id"]), "junit");
    assert_eq!(code, 0, "{report}");
    let found = elements(&report);
    assert_eq!(found[1].attribute("failures"), "0");
    assert_eq!(found.last().map(|element| element.name.as_str()), Some("system-out"));
}

#[test]
fn a_difference_is_an_annotation_of_its_file() {
    let (code, report) = diff(&contract("1.1.0", &["id", HOSTILE]), "github");
    assert_eq!(code, 2, "{report}");
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(lines.len(), 3, "the refusal, a column that went, a column that came: {report}");
    assert!(lines[0].starts_with("::error file="), "{report}");
    assert!(lines[0].ends_with("::version 1.1.0 is too low for the changes"), "{report}");
    for line in &lines {
        let (properties, _) = line.strip_prefix("::").and_then(|line| line.split_once("::")).unwrap();
        assert!(properties.contains("new \"2\"%2C&%3A%25.yaml"), "{line}");
        let keys: Vec<&str> = properties.split(',').map(|part| part.split('=').next().unwrap()).collect();
        let expected: &[&str] = if *line == lines[0] { &["title"] } else { &["line", "col", "title"] };
        assert_eq!(&keys[1..], expected, "{line}");
    }
    assert!(lines.iter().any(|line| line.starts_with("::notice ") && line.contains("%250A")), "{report}");
    let (code, report) = diff(&contract("2.0.0", &["id"]), "github");
    assert_eq!((code, report.starts_with("::notice ") || report.starts_with("::warning ")), (0, true), "{report}");
    assert_eq!(diff(&contract("1.0.0", &["id", "note"]), "github"), (0, String::new()));
}

#[test]
fn a_difference_is_a_result_in_sarif() {
    let sarif = |new: &str| {
        let (code, report) = diff(new, "sarif");
        let report: Value = serde_json::from_str(&report).unwrap();
        (code, report["runs"][0]["results"].as_array().unwrap().clone())
    };
    let (code, results) = sarif(&contract("1.1.0", &["id", HOSTILE]));
    let levels: Vec<_> = results.iter().map(|result| (result["ruleId"].clone(), result["level"].clone())).collect();
    let expected = [("column.removed.optional", "error"), ("column.added.optional", "note")];
    let expected = expected.map(|(rule, level)| (json!(rule), json!(level)));
    assert!(code == 2 && levels.len() == 2 && expected.iter().all(|it| levels.contains(it)), "{levels:?}");
    // A version that is too low for no single difference is a result of its own.
    let (code, results) = sarif(&contract("0.9.0", &["id", "note"]));
    let rules: Vec<_> = results.iter().map(|result| result["ruleId"].as_str().unwrap()).collect();
    assert_eq!((code, rules), (2, vec!["refused"]));
    assert_eq!(sarif(&contract("2.0.0", &["id"])).1[0]["level"], "warning");
}

#[test]
fn the_text_and_json_formats_equal_the_output_without_the_option() {
    let new = contract("2.0.0", &["id"]);
    let (code, text) = diff(&new, "text");
    assert_eq!((code, text.lines().count()), (0, 4), "{text}");
    let (code, document) = diff(&new, "json");
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!((code, &document["needed"], &document["accepted"]), (0, &json!("MAJOR"), &json!(true)));
}

/// Runs `plan` with one file against a server with this answer.
fn plan(answer: Value, format: &str) -> (i32, String) {
    let folder = folder_with(&[("orders.yaml", "id: orders".to_owned())]);
    let server = CannedServer::answering([json!({ "data": { "answer": answer } })]);
    let file = folder.path().join("orders.yaml");
    let run = server.run(&["plan", file.to_str().unwrap(), "--domain", "shop", "--format", format]);
    (run.code, run.stdout)
}

#[test]
fn a_plan_has_a_test_for_each_document() {
    let planned = json!({
        "__typename": "PlanDocumentsPayload",
        "changes": [{
            "kind": "CONTRACT", "document": HOSTILE, "name": HOSTILE, "version": "1.0.0", "change": "ADDED",
            "state": "PROPOSED", "findings": [], "bump": null, "reasons": ["its table was not inspected"], "affected": null,
        }],
        "warnings": [{ "document": HOSTILE, "line": 3, "column": 7, "path": "/x", "message": HOSTILE }],
    });
    let (code, report) = plan(planned.clone(), "junit");
    assert_eq!(code, 0, "{report}");
    let found = elements(&report);
    assert_eq!(found[2].attribute("classname"), HOSTILE);
    assert!(found[3].text.contains("not inspected") && found[3].text.contains(HOSTILE), "{found:?}");
    let (_, report) = plan(planned, "github");
    assert!(report.contains(",line=3,col=7,title="), "{report}");
    assert_eq!(report.lines().count(), 2, "{report}");

    let invalid = json!({ "__typename": "InvalidDocuments", "problems": [
        { "document": "a.yaml", "line": 1, "column": 2, "path": "/id", "message": "one" },
        { "document": "a.yaml", "line": 2, "column": 2, "path": "/id", "message": "two" },
        { "document": "b.yaml", "line": null, "column": null, "path": "", "message": "three" },
    ] });
    let (code, report) = plan(invalid.clone(), "junit");
    let found = elements(&report);
    assert_eq!((code, found[1].attribute("tests"), found[1].attribute("failures")), (3, "2", "2"), "{report}");
    let (code, sarif) = plan(invalid.clone(), "sarif");
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!((code, results.len(), &results[1]["ruleId"]), (3, 3, &json!("document")), "{sarif}");
    let (code, report) = plan(invalid, "github");
    assert_eq!((code, report.lines().filter(|line| line.starts_with("::error ")).count()), (3, 5), "{report}");
}

#[test]
fn a_refusal_is_an_annotation_of_the_line_it_is_about() {
    let text = "id: orders\nversion: 1.1.0\nschema:\n  - name: orders\n    properties:\n      - name: amount\n";
    let folder = folder_with(&[("orders.yaml", text.to_owned())]);
    let file = folder.path().join("orders.yaml");
    let file = file.to_str().unwrap();
    let refused = json!({ "__typename": "RefusedVersions", "refusals": [{
        "document": file, "contract": "orders", "version": "1.1.0", "comparedWith": "1.0.0", "needed": "MAJOR",
        "suggested": "2.0.0", "findingsDigest": null, "affected": null, "message": "too small", "findings": [{
            "path": "orders.amount", "rule": "type.changed", "historySafe": false, "consumerSafe": false,
            "bump": "MAJOR", "message": "the type changed", "before": null, "after": null,
            "proof": null,
        }],
    }] });
    let server = CannedServer::answering([json!({ "data": { "answer": refused } })]);
    let run = server.run(&["plan", file, "--domain", "shop", "--format", "github"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stdout.contains(",line=6,col=9,title=type.changed"), "{}", run.stdout);
}

#[test]
fn names_of_a_document_cannot_control_a_terminal() {
    for format in ["text", "github", "junit"] {
        let (code, report) = diff(&contract("1.1.0", &["id", "gone\u{1b}[2K"]), format);
        assert_eq!(code, 2, "{report}");
        assert!(report.contains("gone") && !report.contains('\u{1b}'), "{format}: {report:?}");
    }
}

#[test]
fn characters_that_xml_forbids_are_replaced() {
    let name = "x\u{fffe}\u{1}\r\n\ty";
    let problem = json!({ "document": name, "line": 1, "column": 1, "path": name, "message": name });
    let (code, report) = plan(json!({ "__typename": "InvalidDocuments", "problems": [problem] }), "junit");
    assert_eq!(code, 3, "{report}");
    assert_eq!(elements(&report)[2].attribute("classname"), "x\u{fffd}\u{fffd}\u{fffd}\n\ty");
}
