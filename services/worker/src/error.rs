//! Failures: of the table, for its owners, and of this program, for the operator.

/// Why an inspection has no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The table cannot be read.
    Unreadable(Unreadable),
    /// This program failed.
    Internal(anyhow::Error),
}

impl From<Unreadable> for Failure {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Internal(error)
    }
}

/// Why the table must not or cannot be read, for its owners. It never contains values of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable(pub(crate) String);

/// A result of reading a table.
pub(crate) type Result<T, E = Unreadable> = std::result::Result<T, E>;

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}
