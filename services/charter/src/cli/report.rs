//! Reports for continuous integration: checks and their findings as JUnit XML, GitHub annotations and SARIF.

mod sarif;

use std::fmt::Write;

use domain::change;

pub(crate) use self::sarif::sarif;
use super::answer::Finding;
use super::api::Bump;
use super::output::cleaned;
use super::sources;

/// The output format of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Text for people
    #[default]
    Text,
    /// JSON with the API's field names
    Json,
    /// JUnit XML, which most CI systems show as test results
    Junit,
    /// GitHub workflow commands, shown as annotations of a pull request
    Github,
    /// SARIF 2.1.0, which code scanning services and editors show
    Sarif,
}

impl Format {
    /// The requested format; `--json` is short for `--format json`.
    pub(crate) fn or_json(self, json: bool) -> Self {
        if json { Self::Json } else { self }
    }
}

/// One checked item: a document, or a version.
#[derive(Debug)]
pub(crate) struct Case {
    /// The file name.
    pub(crate) document: String,
    pub(crate) name: String,
    pub(crate) notes: Vec<Note>,
    /// Why the check failed; `None` if it passed.
    pub(crate) failure: Option<String>,
}

/// A remark on a checked item.
#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) level: Level,
    /// From 1.
    pub(crate) line: Option<i32>,
    /// From 1.
    pub(crate) column: Option<i32>,
    pub(crate) kind: Kind,
    pub(crate) title: String,
    pub(crate) message: String,
}

/// The kind of a note, by which programs tell notes apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// A stable word.
    pub(crate) word: String,
    /// What notes of the kind mean, in one sentence.
    pub(crate) meaning: &'static str,
}

impl Kind {
    /// A problem of a document, as the server reports it.
    pub(crate) const DOCUMENT: (&'static str, &'static str) = ("document", "The document cannot be published.");

    pub(crate) fn new((word, meaning): (&str, &'static str)) -> Self {
        Self { word: word.to_owned(), meaning }
    }
}

/// The severity of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// The reason why the case fails.
    Error,
    Warning,
    Notice,
}

impl Note {
    /// A note for a finding. A finding that requires a larger bump than the declared one is an error.
    pub(crate) fn from_finding(finding: &Finding, declared: Option<Bump>, place: Option<(u64, u64)>) -> Self {
        let level = match declared {
            Some(declared) if finding.bump > declared => Level::Error,
            _ if finding.bump == Bump::Major => Level::Warning,
            _ => Level::Notice,
        };
        let title = format!("{} ({})", finding.rule, finding.bump);
        let known = finding.rule.parse::<change::Rule>();
        let kind = Kind::new((&finding.rule, known.map_or("A rule of a newer server.", change::Rule::meaning)));
        let number = |number: u64| i32::try_from(number).ok();
        let (line, column) = place.map_or((None, None), |(line, column)| (number(line), number(column)));
        Self { level, line, column, kind, title, message: format!("{}: {}", finding.path, finding.message) }
    }
}

impl Note {
    /// `line:column: title: message`.
    fn text(&self) -> String {
        let place: String = [self.line, self.column].iter().flatten().map(|number| format!("{number}:")).collect();
        let gap = if place.is_empty() { "" } else { " " };
        format!("{place}{gap}{}: {}", self.title, self.message)
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
        let notes: Vec<String> = case.notes.iter().map(Note::text).collect();
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

/// The kind of a case's failure.
const REFUSED: (&str, &str) = ("refused", "The version or the document is refused.");

impl Case {
    /// The failure as a note on the whole document.
    fn failure_note(&self) -> Option<Note> {
        let message = self.failure.clone()?;
        let (title, kind) = (self.name.clone(), Kind::new(REFUSED));
        Some(Note { level: Level::Error, line: None, column: None, kind, title, message })
    }
}

/// The cases as GitHub workflow commands: `::error file=a.yaml,line=1,title=...::message`.
pub(crate) fn annotations(cases: &[Case]) -> String {
    let mut text = String::new();
    for case in cases {
        if let Some(note) = case.failure_note() {
            annotate(&mut text, &case.document, &note);
        }
        for note in &case.notes {
            annotate(&mut text, &case.document, note);
        }
    }
    text
}

fn annotate(text: &mut String, document: &str, note: &Note) {
    let command = match note.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
    };
    let mut properties = Vec::new();
    if !document.is_empty() && document != sources::STDIN {
        properties.push(format!("file={}", escaped_property(document)));
    }
    properties.extend(note.line.map(|line| format!("line={line}")));
    properties.extend(note.column.map(|column| format!("col={column}")));
    properties.push(format!("title={}", escaped_property(&note.title)));
    let _ = writeln!(text, "::{command} {}::{}", properties.join(","), escaped_message(&note.message));
}

/// Escapes the message of a command, so that it cannot end the command or start another.
fn escaped_message(text: &str) -> String {
    cleaned(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn escaped_property(text: &str) -> String {
    escaped_message(text).replace(':', "%3A").replace(',', "%2C")
}
