//! Problems of documents and schemas, with their places.

/// Something wrong at a place in a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The line, from 1; 0 of a problem that has no place in the text, as one of a document that is made of it.
    pub line: u64,
    /// The column in characters, from 1; 0 as the line.
    pub column: u64,
    /// The JSON pointer (RFC 6901) of the value; empty for the document as a whole. Where it would be very long, that of
    /// a value around it.
    pub path: String,
    /// What is wrong, for people.
    pub message: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line > 0 {
            write!(f, "{}:{}: ", self.line, self.column)?;
        }
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
