//! Reports as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format).

use std::fmt::Write;

use serde_json::{Value, json};

use super::super::sources;
use super::{Case, Kind, Level, Note};

/// The cases as one run. A case that failed without an error of its own has its failure as a result.
pub(crate) fn sarif(cases: &[Case]) -> Value {
    let mut kinds: Vec<Kind> = Vec::new();
    let mut results = Vec::new();
    for case in cases {
        let failure = case.failure_note().filter(|_| case.notes.iter().all(|note| note.level != Level::Error));
        for note in failure.iter().chain(&case.notes) {
            let known = kinds.iter().position(|kind| *kind == note.kind);
            let index = known.unwrap_or_else(|| {
                kinds.push(note.kind.clone());
                kinds.len() - 1
            });
            results.push(result(&case.document, note, index));
        }
    }
    let rules: Vec<Value> = kinds
        .iter()
        .map(|kind| json!({ "id": kind.word, "shortDescription": { "text": plain(kind.meaning) } }))
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "charter", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            // Columns count characters.
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(document: &str, note: &Note, rule_index: usize) -> Value {
    let level = match note.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "note",
    };
    let mut result = json!({
        "ruleId": note.kind.word,
        "ruleIndex": rule_index,
        "level": level,
        "message": { "text": plain(&note.message) },
    });
    // Standard input has no address, and a place without one means nothing.
    if !document.is_empty() && document != sources::STDIN {
        let mut location = json!({ "artifactLocation": { "uri": uri(document) } });
        if let Some(line) = note.line {
            location["region"] = match note.column {
                Some(column) => json!({ "startLine": line, "startColumn": column }),
                None => json!({ "startLine": line }),
            };
        }
        result["locations"] = json!([{ "physicalLocation": location }]);
    }
    result
}

/// A message string (section 3.11): braces that are no placeholder are doubled, and nothing is a link.
fn plain(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}").replace("](", "] (")
}

/// A path as the URI reference that it is relative to the working directory, or as a URI if it is absolute.
fn uri(path: &str) -> String {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            other => {
                let _ = write!(uri, "%{other:02X}");
            }
        }
    }
    uri
}
