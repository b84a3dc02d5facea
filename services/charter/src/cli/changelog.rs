//! `charter contract diff --changelog`: the differences between two versions as Markdown.
//!
//! What comes from the documents is either in a code span or escaped: it means itself, and nothing else.

use std::fmt::Write;

use documents::convert::markdown_text;

use super::answer::Finding;
use super::api::Bump;

/// The head of a changelog: the contract, the versions, and whether the new number says what changed.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    pub(crate) contract: &'a str,
    pub(crate) old: &'a str,
    pub(crate) new: &'a str,
    pub(crate) needed: Bump,
    /// The lowest sufficient version, if the new one is not.
    pub(crate) suggested: Option<&'a str>,
}

/// The findings, grouped by the bump they require, the largest first.
pub(crate) fn changelog(head: &Head<'_>, findings: &[Finding]) -> String {
    let Head { contract, old, new, needed, suggested } = head;
    let mut text = format!("# {}: {old} to {new}\n", markdown_text(contract));
    if let Some(suggested) = suggested {
        let _ = writeln!(text, "\n**Version {new} is too low: the changes need a {needed} version, {suggested}.**");
    }
    if findings.is_empty() {
        text.push_str("\nNo changes in the contract.\n");
    }
    for bump in [Bump::Major, Bump::Minor, Bump::Patch, Bump::None] {
        let mut of_bump = findings.iter().filter(|finding| finding.bump == bump).peekable();
        if of_bump.peek().is_some() {
            let _ = writeln!(text, "\n## {}\n", bump.to_string().to_uppercase());
        }
        for finding in of_bump {
            entry(finding, &mut text);
        }
    }
    text
}

fn entry(finding: &Finding, text: &mut String) {
    let Finding { path, message, rule, before, after, proof, .. } = finding;
    let _ = writeln!(text, "- {}: {} ({})", code(path), markdown_text(message), code(rule));
    if before.is_some() || after.is_some() {
        for (side, value) in [("before", before), ("after", after)] {
            let _ = writeln!(text, "  - {side}: {}", value.as_deref().map_or_else(|| "none".to_owned(), code));
        }
    }
    if let Some(proof) = proof {
        let _ = writeln!(text, "  - a MINOR version is enough if {}", markdown_text(proof));
    }
}

/// A code span, whose fence is longer than any row of backticks in it.
fn code(text: &str) -> String {
    let is_shown = |c: char| if c.is_control() { ' ' } else { c };
    let text: String = text.chars().map(is_shown).collect();
    if text.trim().is_empty() {
        return "(blank)".to_owned();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let gap = if longest > 0 { " " } else { "" };
    format!("{fence}{gap}{text}{gap}{fence}")
}
