//! The end of a command: its exit code, and the error report on standard error.

use std::process::ExitCode;

use domain::error::Kind;

use super::output;

/// The next step after a resource was not found.
pub(crate) const NOT_FOUND_HINT: &str = "check the spelling; resources you may not see are reported as not found";

/// The result of a step of a command.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// The exit codes (docs/rules.md, "Interfaces and limits").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Done = 0,
    /// Any failure without an exit code of its own.
    Failed = 1,
    /// Refused by a contract or the gate.
    Refused = 2,
    /// A document, or another input that the server validates, is invalid.
    Invalid = 3,
    /// The resource does not exist, or the caller may not know that it does.
    NotFound = 4,
    /// Not signed in, or not allowed.
    NotAllowed = 5,
    /// The server is unreachable or did not respond.
    Unreachable = 6,
    /// The command line is wrong.
    Usage = 64,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The single mapping from error kind to exit code.
impl From<Kind> for Exit {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Invalid => Self::Invalid,
            Kind::Unauthenticated | Kind::Forbidden => Self::NotAllowed,
            Kind::NotFound => Self::NotFound,
            Kind::Refused => Self::Refused,
            Kind::Conflict | Kind::Stale | Kind::TooMany | Kind::Unavailable | Kind::Internal => Self::Failed,
        }
    }
}

/// Why a command failed. It never contains a secret.
#[derive(Debug)]
pub(crate) struct Error {
    exit: Exit,
    message: String,
    report: Option<String>,
    hint: Option<String>,
}

impl Error {
    /// An error with the text of its `error:` line.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), report: None, hint: None }
    }

    /// Adds details, shown before the `error:` line.
    pub(crate) fn report(self, report: impl Into<String>) -> Self {
        Self { report: Some(report.into()), ..self }
    }

    /// Adds the next step to take, shown as the `hint:` line.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The error for a resource that does not exist, or that the caller may not know of.
    pub(crate) fn not_found(what: &str, name: &str) -> Self {
        Self::new(Exit::NotFound, format!("{what} `{name}` was not found")).hint(NOT_FOUND_HINT)
    }

    /// The error for a response that does not match the schema.
    pub(crate) fn unexpected_response(server: &str, cause: &str) -> Self {
        Self::new(Exit::Failed, format!("unexpected response from {server}: {cause}"))
            .hint("the versions of this program and of the server may differ")
    }

    /// The error for a member of a union that the schema does not have.
    pub(crate) fn unknown_outcome() -> Self {
        Self::unexpected_response("the server", "the type of the result is unknown")
    }

    /// Prints the error to standard error and returns its exit code.
    pub(crate) fn print(&self) -> Exit {
        let mut text = String::new();
        if let Some(report) = &self.report {
            text.push_str(report.trim_end());
            text.push('\n');
        }
        text.push_str(&format!("error: {}\n", output::cleaned(&self.message)));
        if let Some(hint) = &self.hint {
            text.push_str(&format!("hint: {}\n", output::cleaned(hint)));
        }
        output::message(&text);
        self.exit
    }
}
