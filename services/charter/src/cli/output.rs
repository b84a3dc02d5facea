//! What people and programs see: JSON, tables, marks, colour and progress.
//!
//! Answers hold text that others wrote. What a terminal would obey is taken out of it before people see it
//! ([`cleaned`]); JSON escapes it.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::time::Duration;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::error::{Error, Exit, Result};

/// Prints an answer: as JSON with the names of the API, or as `text` shows it.
pub(crate) fn show<T: Serialize>(json: bool, answer: &T, text: impl FnOnce(&T) -> String) -> Result<()> {
    if json { print_json(answer) } else { print(&text(answer)) }
}

/// Prints what became of a change: as JSON, or as `text` shows it. Where `text` gives an error, nothing was changed, and
/// the error says why; programs get the whole answer all the same.
pub(crate) fn outcome<T: Serialize>(json: bool, answer: &T, text: impl FnOnce(&T) -> Result<String>) -> Result<()> {
    let text = text(answer);
    if json {
        print_json(answer)?;
    }
    match text {
        Ok(text) if !json => print(&text),
        other => other.map(drop),
    }
}

/// Prints data as JSON.
pub(crate) fn print_json(data: &impl Serialize) -> Result<()> {
    match serde_json::to_string_pretty(data) {
        Ok(text) => print(&text),
        Err(cause) => Err(Error::new(Exit::Failed, format!("cannot write the answer as JSON: {cause}"))),
    }
}

/// Prints data, ending with one line break. A reader that has gone away, such as `head`, is no failure.
pub(crate) fn print(text: &str) -> Result<()> {
    let text = text.trim_end_matches('\n');
    if text.is_empty() {
        return Ok(());
    }
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(cause) if cause.kind() != ErrorKind::BrokenPipe => {
            Err(Error::new(Exit::Failed, format!("cannot write to standard output: {cause}")))
        }
        _ => Ok(()),
    }
}

/// Prints data as it is.
pub(crate) fn print_raw(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(cause) if cause.kind() != ErrorKind::BrokenPipe => {
            Err(Error::new(Exit::Failed, format!("cannot write to standard output: {cause}")))
        }
        _ => Ok(()),
    }
}

/// Says something on standard error that is no data.
pub(crate) fn tell(text: &str) {
    // Nobody is left to tell if standard error is gone.
    let _ = writeln!(io::stderr().lock(), "{}", text.trim_end_matches('\n'));
}

/// Says something on standard error that the caller may want to know.
pub(crate) fn note(text: &str) {
    tell(&format!("note: {}", cleaned(text)));
}

/// Warns on standard error.
pub(crate) fn warn(text: &str) {
    tell(&format!("warning: {}", cleaned(text)));
}

/// A text without the characters that a terminal would obey; line breaks and tabs stay.
pub(crate) fn cleaned(text: &str) -> String {
    let obeyed = |c: char| c.is_control() && c != '\n' && c != '\t';
    text.chars().map(|c| if obeyed(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// A table for people. The first column, mostly an id to copy, is never broken.
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

/// A value that may be absent, for a table.
pub(crate) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// A word of the API as people write it: `MACHINE_LEARNING` is `machine_learning`.
pub(crate) fn word(of_api: &str) -> String {
    of_api.to_lowercase()
}

/// `1 document`, `2 documents`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// What stands before a line of a report, so that it is understood without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It holds.
    Ok,
    /// It holds, with something to know.
    Warn,
    /// It does not hold.
    Fail,
    /// It does not count here.
    Blank,
}

/// Where a report goes to, and so whether it may be coloured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    colour: bool,
}

impl Paint {
    /// For standard output.
    pub(crate) fn stdout() -> Self {
        Self { colour: io::stdout().is_terminal() && wants_colour() }
    }

    /// For standard error.
    pub(crate) fn stderr() -> Self {
        Self { colour: io::stderr().is_terminal() && wants_colour() }
    }

    /// A mark, four characters wide.
    pub(crate) fn mark(self, mark: Mark) -> String {
        match mark {
            Mark::Ok => self.coloured("ok  ", "32"),
            Mark::Warn => self.coloured("warn", "33"),
            Mark::Fail => self.coloured("FAIL", "1;31"),
            Mark::Blank => "-   ".to_owned(),
        }
    }

    /// A title.
    pub(crate) fn bold(self, text: &str) -> String {
        self.coloured(text, "1")
    }

    fn coloured(self, text: &str, code: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Progress on standard error while something takes long; nothing at all where that is no terminal.
pub(crate) fn spinner(message: String) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(message);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        spinner.set_style(style);
    }
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}

/// `NO_COLOR` (no-color.org) and a terminal that cannot are respected.
fn wants_colour() -> bool {
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !no_colour && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
