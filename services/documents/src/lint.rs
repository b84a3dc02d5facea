//! All problems of a text of documents at once, with codes, for people who write documents without a server.
//!
//! [`parse`](crate::parse) ends at what the standard refuses, because nothing can be published then. Here the document is
//! read on: what is wrong in its other places is told too, unless it may be a consequence of what the standard refuses.

use crate::code::{Code, Severity};
use crate::node::Node;
use crate::problem::Problem;
use crate::reader::{Found, Reader};
use crate::{model_of, parts, standard_checked};

/// One problem of a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// The place, from the start of the text, and the message.
    pub problem: Problem,
    /// What it is about.
    pub code: Code,
    /// How serious it is.
    pub severity: Severity,
    /// Whether publishing refuses the document for it.
    pub is_refused: bool,
}

/// Everything that is wrong with each document of a text, in the order of the text.
pub fn lint(bytes: &[u8]) -> Vec<Remark> {
    let parts = match parts(bytes) {
        Ok(parts) => parts,
        Err(problem) => return vec![Remark::refused(Found { problem, code: Code::Syntax })],
    };
    parts.into_iter().flat_map(|(text, first_line)| lint_one(text, first_line)).collect()
}

fn lint_one(text: &str, first_line: u64) -> Vec<Remark> {
    let mut remarks = match Node::parse(text) {
        Ok(root) => read_on(&root),
        Err(problem) => vec![Remark::refused(Found { problem, code: Code::Syntax })],
    };
    for remark in &mut remarks {
        remark.problem.line += first_line - 1;
    }
    remarks.sort();
    remarks.dedup();
    remarks
}

/// Reads a document to its end, whatever the standard refuses.
fn read_on(root: &Node) -> Vec<Remark> {
    let mut reader = Reader::default();
    let standard = standard_checked(root, &mut reader);
    let faults: Vec<String> = reader.problems.iter().map(|found| found.problem.path.clone()).collect();
    let (n_problems, n_warnings) = (reader.problems.len(), reader.warnings.len());
    if let Some(standard) = standard {
        model_of(root, standard, &mut reader);
    }
    let mut later = reader.problems.split_off(n_problems);
    let mut later_warnings = reader.warnings.split_off(n_warnings);
    for found in [&mut later, &mut later_warnings] {
        found.retain(|found| !may_follow(found, &faults));
    }
    let refused = reader.problems.into_iter().chain(later).map(Remark::refused);
    let advice = reader.warnings.into_iter().chain(later_warnings).map(Remark::advice);
    refused.chain(advice).collect()
}

/// Whether a problem may only be a consequence of one of these faults: it is about the same value or one that contains
/// it, or looks up names that a fault may have hidden.
fn may_follow(found: &Found, faults: &[String]) -> bool {
    let looks_up = matches!(found.code, Code::Sql | Code::Relationship);
    let path = &found.problem.path;
    faults.iter().any(|fault| {
        let is_inside = fault.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        is_inside || (looks_up && fault.starts_with("/schema"))
    })
}

impl Remark {
    fn refused(Found { problem, code }: Found) -> Self {
        Self { problem, code, severity: code.severity(), is_refused: true }
    }

    fn advice(Found { problem, code }: Found) -> Self {
        Self { problem, code, severity: Severity::Warning, is_refused: false }
    }
}
