//! How a command ends: its exit code, and what standard error says of a failure.

use std::process::ExitCode;

use domain::error::Kind;

use super::output;

/// The outcome of a command's steps.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// The exit codes (SPEC section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// Failed, for a reason that has no code of its own.
    Failed = 1,
    /// Refused by a contract or the gate.
    Refused = 2,
    /// A document, or an input that the server checks, does not hold.
    Invalid = 3,
    /// It does not exist, or the caller may not know that it does.
    NotFound = 4,
    /// Not signed in, or not allowed.
    NotAllowed = 5,
    /// The server is not there, or did not answer.
    Unreachable = 6,
    /// The command line was not understood.
    Usage = 64,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The one table from kind to exit code.
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

/// Why a command did not do what it was asked for. It never holds a secret.
#[derive(Debug)]
pub(crate) struct Error {
    exit: Exit,
    message: String,
    report: Option<String>,
    hint: Option<String>,
}

impl Error {
    /// An error with its `error:` line.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), report: None, hint: None }
    }

    /// The same with lines that explain it, shown before the `error:` line.
    pub(crate) fn report(self, report: impl Into<String>) -> Self {
        Self { report: Some(report.into()), ..self }
    }

    /// The same with a next step, shown as the `hint:` line.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The error for something that does not exist, or that the caller may not know of.
    pub(crate) fn not_found(what: &str, name: &str) -> Self {
        Self::new(Exit::NotFound, format!("{what} `{name}` was not found"))
            .hint("check the spelling; what you may not know of is not found either")
    }

    /// Tells it on standard error and gives its exit code.
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
        output::tell(&text);
        self.exit
    }
}
