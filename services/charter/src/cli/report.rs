//! Reports for continuous integration: what was checked and what was found, as JUnit XML and as annotations.

use std::fmt::Write;

use super::answer::{Bump, Finding};
use super::output::cleaned;

/// How a check is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// With the field names of the API.
    Json,
    /// JUnit XML, which most CI systems show as tests.
    Junit,
    /// Workflow commands of GitHub, which become annotations of a pull request.
    Github,
}

impl Format {
    /// The format that is asked for, where `--json` is another way to ask for one.
    pub(crate) fn or_json(self, json: bool) -> Self {
        if json { Self::Json } else { self }
    }
}

/// One thing that was checked: a document, or a version.
#[derive(Debug)]
pub(crate) struct Case {
    /// The file it is in.
    pub(crate) document: String,
    /// Its name.
    pub(crate) name: String,
    /// What was found, in order.
    pub(crate) notes: Vec<Note>,
    /// Why it does not hold.
    pub(crate) failure: Option<String>,
}

/// Something that was found.
#[derive(Debug)]
pub(crate) struct Note {
    /// How much it matters.
    pub(crate) weight: Weight,
    /// The line, from 1.
    pub(crate) line: Option<u32>,
    /// The column, from 1.
    pub(crate) column: Option<u32>,
    /// What it is, in a few words.
    pub(crate) title: String,
    /// What it is.
    pub(crate) message: String,
}

/// How much a note matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It is why the case fails.
    Error,
    /// Somebody should look at it.
    Warning,
    /// Good to know.
    Notice,
}

impl Note {
    /// A difference, and where it is; one that demands more than was declared is why the version is refused.
    pub(crate) fn of(finding: &Finding, declared: Option<Bump>, place: Option<(u64, u64)>) -> Self {
        let weight = match declared {
            Some(declared) if finding.bump > declared => Weight::Error,
            _ if finding.bump == Bump::Major => Weight::Warning,
            _ => Weight::Notice,
        };
        let title = format!("{} ({})", finding.rule, finding.bump);
        let number = |number: u64| u32::try_from(number).ok();
        let (line, column) = place.map_or((None, None), |(line, column)| (number(line), number(column)));
        Self { weight, line, column, title, message: format!("{}: {}", finding.path, finding.message) }
    }
}

/// The cases as JUnit XML (the form that Jenkins, GitLab and GitHub actions read).
pub(crate) fn junit(suite: &str, cases: &[Case]) -> String {
    let n_failures = cases.iter().filter(|case| case.failure.is_some()).count();
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{}\" tests=\"{}\" failures=\"{n_failures}\">\n",
        xml(suite),
        cases.len()
    );
    for case in cases {
        let _ = writeln!(text, "    <testcase classname=\"{}\" name=\"{}\">", xml(&case.document), xml(&case.name));
        let notes: Vec<String> = case.notes.iter().map(|note| format!("{}: {}", note.title, note.message)).collect();
        let notes = xml(&notes.join("\n"));
        match &case.failure {
            Some(failure) => {
                let _ = writeln!(text, "      <failure message=\"{}\">{notes}</failure>", xml(failure));
            }
            None if !notes.is_empty() => {
                let _ = writeln!(text, "      <system-out>{notes}</system-out>");
            }
            None => {}
        }
        text.push_str("    </testcase>\n");
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

/// Text that is safe in XML 1.0: what the standard forbids even escaped is replaced.
fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push('\t'),
            '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            control if control.is_control() => escaped.push(char::REPLACEMENT_CHARACTER),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The cases as workflow commands of GitHub: `::error file=a.yaml,line=1,title=...::message`.
pub(crate) fn annotations(cases: &[Case]) -> String {
    let mut text = String::new();
    for case in cases {
        if let Some(failure) = &case.failure {
            let note = Note {
                weight: Weight::Error,
                line: None,
                column: None,
                title: case.name.clone(),
                message: failure.clone(),
            };
            annotate(&mut text, &case.document, &note);
        }
        for note in &case.notes {
            annotate(&mut text, &case.document, note);
        }
    }
    text
}

fn annotate(text: &mut String, document: &str, note: &Note) {
    let command = match note.weight {
        Weight::Error => "error",
        Weight::Warning => "warning",
        Weight::Notice => "notice",
    };
    let mut properties = Vec::new();
    if !document.is_empty() && document != "-" {
        properties.push(format!("file={}", property(document)));
    }
    properties.extend(note.line.map(|line| format!("line={line}")));
    properties.extend(note.column.map(|column| format!("col={column}")));
    properties.push(format!("title={}", property(&note.title)));
    let _ = writeln!(text, "::{command} {}::{}", properties.join(","), data(&note.message));
}

/// A command's text: what would end it or begin another is escaped.
fn data(text: &str) -> String {
    cleaned(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
