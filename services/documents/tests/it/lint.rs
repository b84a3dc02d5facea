//! Everything that is wrong with documents at once, with codes.

use documents::{Code, Severity, lint, parse, parse_set, parse_to_compare};

const HEAD: &str = "apiVersion: v3.1.0\nkind: DataContract\nid: orders\nversion: 1.0.0\nstatus: active\n";

/// Line, code, severity and whether publishing refuses it, of each remark.
#[track_caller]
fn check(text: &str, expected: &[(u64, &str, &str, bool)]) {
    let remarks = lint(text.as_bytes());
    let found: Vec<_> =
        remarks.iter().map(|it| (it.problem.line, it.code.as_str(), it.severity.as_str(), it.is_refused)).collect();
    assert_eq!(found, expected, "{remarks:#?}");
    agrees(text.as_bytes());
}

/// What publishing says is said here too, and what is an error is one for the other offline commands.
pub(crate) fn agrees(bytes: &[u8]) {
    let remarks = lint(bytes);
    match parse_set(bytes) {
        Ok(pieces) => {
            assert!(remarks.iter().all(|remark| !remark.is_refused), "{remarks:#?}");
            assert_eq!(pieces.iter().map(|piece| piece.parsed.warnings.len()).sum::<usize>(), remarks.len());
        }
        Err(problems) => {
            for problem in &problems {
                let told = remarks.iter().find(|remark| remark.problem == *problem);
                assert!(told.is_some_and(|remark| remark.is_refused), "{problem:?} is not in {remarks:#?}");
            }
        }
    }
    let has_error = remarks.iter().any(|remark| remark.severity == Severity::Error);
    match parse_to_compare(bytes) {
        Ok(_) => assert!(!has_error, "{remarks:#?}"),
        Err(problems) if problems.iter().any(|problem| problem.message.starts_with("one document is expected")) => {}
        Err(problems) => assert!(has_error, "{problems:#?} {remarks:#?}"),
    }
}

#[test]
fn a_document_is_read_to_its_end_whatever_the_standard_refuses() {
    let text = format!(
        "{HEAD}{}",
        r#"colour: red
domain: Sales
customProperties:
- {property: gateMode, value: open}
servers:
- {server: csv, type: local, path: a, format: csv}
slaProperties:
- {property: frequency, value: 4, unit: moons}
schema:
- name: orders
  properties:
  - {id: x, name: key, logicalType: string, classification: secret}
  - {id: x, name: key, relationships: [{to: orders.nothing}]}
  quality:
  - {metric: rowCount, mustBeBetween: [10, 1]}
  - {metric: rowCount, mustBe: 1, unit: fifths}
  - {type: sql, query: "DROP TABLE x", mustBe: 1}
"#
    );
    let all = [
        (6, "standard", "error", true),
        (7, "domain", "warning", true),
        (9, "setting", "warning", true),
        (11, "server", "warning", true),
        (13, "service_level", "warning", true),
        (17, "classification", "warning", false),
        (18, "id", "warning", true),
        (18, "schema", "warning", true),
        (18, "relationship", "warning", true),
        (20, "quality", "warning", true),
        (21, "quality", "warning", false),
        (22, "sql", "warning", true),
    ];
    check(&text, &all);
    // Without the field that the standard does not have, publishing says the same.
    let text = text.replace("colour: red\n", "name: red\n");
    check(&text, &all[1..]);
    let refused = all[1..].iter().filter(|(.., is_refused)| *is_refused).count();
    assert_eq!(parse(text.as_bytes()).unwrap_err().len(), refused);
}

#[test]
fn a_fault_is_told_once_and_hides_its_consequences() {
    // The standard and the model both ask for a condition.
    let condition = format!("{HEAD}schema:\n- name: a\n  quality:\n  - metric: rowCount\n");
    check(&condition, &[(9, "standard", "error", true)]);
    // The column has no usable name, so nothing can refer to it.
    let columns = "  properties:\n  - name: 1\n  - {name: b, relationships: [{to: a.one}]}\n";
    let rule = "  quality:\n  - {type: sql, query: \"SELECT sum(one) FROM ${table}\", mustBe: 1}\n";
    check(&format!("{HEAD}schema:\n- name: a\n{columns}{rule}"), &[(9, "standard", "error", true)]);
    // Elsewhere it hides nothing.
    check(
        &format!("{HEAD}x: 1\nschema:\n- name: a\n{}{rule}", columns.replace("name: 1", "name: two")),
        &[(6, "standard", "error", true), (11, "relationship", "warning", true), (13, "sql", "warning", true)],
    );
}

#[test]
fn what_no_command_can_read_is_an_error() {
    check("a: [\n", &[(1, "syntax", "error", true)]);
    check("", &[(1, "syntax", "error", true)]);
    check("id: a\nid: b\n", &[(2, "syntax", "error", true)]);
    check(&format!("{HEAD}name: \"a\\0b\"\n"), &[(6, "syntax", "error", true)]);
    check("kind: Dashboard\n", &[(1, "standard", "error", true)]);
    check(&HEAD.replace("1.0.0", "one"), &[(4, "version", "error", true)]);
    check(&HEAD.replace("3.1.0", "3.0.0"), &[]);
    let remarks = lint(b"id: a\nname: \xff\n");
    assert_eq!((remarks.len(), remarks[0].code, remarks[0].problem.column), (1, Code::Syntax, 7));
    let large = "#".repeat(documents::MAX_DOCUMENT_BYTES + 1);
    assert_eq!(lint(large.as_bytes()).len(), 1);
}

#[test]
fn the_list_of_codes_is_that_of_the_code() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/contracts.md");
    let page = std::fs::read_to_string(page).unwrap();
    let listed: Vec<&str> =
        page.lines().filter(|line| line.contains("` | error |") || line.contains("` | warning |")).collect();
    let row = |code: &Code| format!("| `{code}` | {} | {} |", code.severity(), code.meaning());
    assert_eq!(listed, Code::ALL.iter().map(row).collect::<Vec<_>>());
}

#[test]
fn products_are_checked_too() {
    let head = "apiVersion: v1.0.0\nkind: DataProduct\nid: p\nstatus: active\n";
    check(&format!("{head}name: \"?\"\n"), &[(5, "slug", "error", true)]);
    let settings =
        "customProperties:\n- {property: classification, value: secret}\n- {property: medallion, value: tin}\n";
    let ports = "outputPorts:\n- {name: a, version: \"1.0.0\"}\n- {name: a, version: \"1.1.0\"}\n";
    check(
        &format!("{head}name: p\n{settings}{ports}"),
        &[(7, "classification", "warning", false), (8, "setting", "warning", true), (11, "port", "warning", true)],
    );
}

#[test]
fn one_document_of_a_text_hides_no_other() {
    let text = format!("{HEAD}domain: Sales\n---\na: [\n---\n# nothing\n---\n{HEAD}colour: red\n");
    check(&text, &[(6, "domain", "warning", true), (8, "syntax", "error", true), (17, "standard", "error", true)]);
}
