//! Output for people and programs: JSON, tables, marks, colour and progress.
//!
//! Responses contain text written by other users. Control characters are removed from it before it reaches a terminal
//! ([`cleaned`]); JSON escapes them.

use std::io::{self, ErrorKind, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::error::{Error, Exit, Result};

/// Prints a response: as JSON with the API's field names, or as formatted by `text`.
pub(crate) fn show<T: Serialize>(json: bool, answer: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
    if json { print_json(answer) } else { print_report(&text(answer)) }
}

/// Prints the outcome of a change: as JSON, or as formatted by `text`. If `text` returns an error, nothing was changed,
/// and the error says why; `--json` prints the whole response in both cases.
pub(crate) fn outcome<T: Serialize>(json: bool, answer: &T, text: impl FnOnce(&T) -> Result<String>) -> Result<()> {
    let text = text(answer);
    if json {
        print_json(answer)?;
    }
    match text {
        Ok(text) if !json => print_report(&text),
        other => other.map(drop),
    }
}

/// Prints data as JSON.
pub(crate) fn print_json(data: &impl Serialize) -> Result<()> {
    match serde_json::to_string_pretty(data) {
        Ok(text) => print(&text),
        Err(cause) => Err(Error::new(Exit::Failed, format!("cannot serialize the response as JSON: {cause}"))),
    }
}

/// Prints data, ending with one line break. A closed pipe, as by `head`, is not an error.
pub(crate) fn print(text: &str) -> Result<()> {
    write_lines(io::stdout().lock(), text)
}

/// Prints a report for people, with styles if standard output supports them.
pub(crate) fn print_report(text: &str) -> Result<()> {
    write_lines(anstream::stdout().lock(), text)
}

/// Prints data unchanged.
pub(crate) fn print_raw(text: &str) -> Result<()> {
    write(io::stdout().lock(), text)
}

fn write_lines(stdout: impl Write, text: &str) -> Result<()> {
    let text = text.trim_end_matches('\n');
    if text.is_empty() { Ok(()) } else { write(stdout, &format!("{text}\n")) }
}

fn write(mut stdout: impl Write, text: &str) -> Result<()> {
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(cause) if cause.kind() != ErrorKind::BrokenPipe => Err(cannot_write(&cause)),
        _ => Ok(()),
    }
}

/// The error for a standard output that takes nothing, such as a file on a full disk.
pub(crate) fn cannot_write(cause: &io::Error) -> Error {
    Error::new(Exit::Failed, format!("cannot write to standard output: {cause}"))
}

/// Prints a message to standard error.
pub(crate) fn message(text: &str) {
    // There is no channel left to report a failed write to.
    let _ = writeln!(anstream::stderr().lock(), "{}", text.trim_end_matches('\n'));
}

/// Prints an additional remark to standard error.
pub(crate) fn note(text: &str) {
    message(&format!("note: {}", cleaned(text)));
}

/// Prints a warning to standard error.
pub(crate) fn warn(text: &str) {
    message(&format!("warning: {}", cleaned(text)));
}

/// Replaces the control characters in a text that a terminal would interpret; line breaks and tabs stay.
pub(crate) fn cleaned(text: &str) -> String {
    let is_interpreted = |c: char| c.is_control() && c != '\n' && c != '\t';
    text.chars().map(|c| if is_interpreted(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// A table for people. The first column is never wrapped: it is mostly an id to copy.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.map(str::to_uppercase));
    for row in rows {
        table.add_row(row);
    }
    if table.is_empty() {
        return String::new();
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    if let Some(first) = table.column_mut(0) {
        first.set_constraint(ColumnConstraint::ContentWidth);
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// An optional value in a table.
pub(crate) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// An enum value of the API as shown to people: `MACHINE_LEARNING` becomes `machine_learning`.
pub(crate) fn word(value: &str) -> String {
    value.to_lowercase()
}

/// `1 document`, `2 documents`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// The mark at the start of a report line, readable without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Ok,
    Warn,
    Fail,
    /// Neither passed nor failed, such as a check that did not run.
    Blank,
}

/// Renders a mark, four characters wide.
pub(crate) fn mark(mark: Mark) -> String {
    match mark {
        Mark::Ok => styled("ok  ", AnsiColor::Green.on_default()),
        Mark::Warn => styled("warn", AnsiColor::Yellow.on_default()),
        Mark::Fail => styled("FAIL", AnsiColor::Red.on_default().bold()),
        Mark::Blank => "-   ".to_owned(),
    }
}

/// Renders a title.
pub(crate) fn bold(text: &str) -> String {
    styled(text, Style::new().bold())
}

/// Text in a style. [`print_report`] and [`message`] remove it where it is not supported or not wanted (`NO_COLOR`).
fn styled(text: &str, style: Style) -> String {
    format!("{style}{text}{style:#}")
}

/// Shows progress on standard error during a long operation; nothing if standard error is not a terminal.
pub(crate) fn spinner(message: String) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(message);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}
