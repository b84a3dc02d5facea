//! The one failure that is about the table and not about us.

/// Why the table is not one that may or can be read, in words for its owners. Values of rows never appear in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable(pub(crate) String);

/// What looking at a table gives.
pub(crate) type Result<T, E = Unreadable> = std::result::Result<T, E>;

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}
