//! Problems of documents and schemas, with their places.

/// Something wrong at a place in a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
    /// The JSON pointer (RFC 6901) of the value; empty for the document as a whole.
    pub path: String,
    /// What is wrong, for people.
    pub message: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// A problem at a place with a path but no line.
pub(crate) fn fault(path: &str, message: impl Into<String>) -> Problem {
    Problem { line: 1, column: 1, path: path.to_owned(), message: message.into() }
}
