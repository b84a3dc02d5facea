//! A value inside of an event, with its place for errors.

use std::cell::Cell;
use std::fmt;

use domain::closed_set::UnknownWord;
use serde_json::{Map, Value};

use crate::name;
use crate::openlineage::MAX_STATEMENTS;

/// Why a text is not an event, or not a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is too long to be read.
    #[error("the text has {found} bytes; at most {most} are read")]
    TooLarge {
        /// Its length.
        found: usize,
        /// The limit.
        most: usize,
    },
    /// It is not JSON, has a key twice, is nested too deep or has too many values.
    #[error("not JSON that can be read: {0}")]
    NotJson(String),
    /// A value is not what an event has there.
    #[error("at `{place}`: {problem}")]
    At {
        /// A JSON pointer (RFC 6901) into the event, shortened.
        place: String,
        /// What is wrong.
        problem: Problem,
    },
}

impl Error {
    pub(super) fn not_json(error: serde_json::Error) -> Self {
        Self::NotJson(shortened(&error.to_string()))
    }

    pub(super) fn at(place: &str, problem: Problem) -> Self {
        Self::At { place: shortened(place), problem }
    }
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is not there.
    #[error("a required value is missing")]
    Missing,
    /// It is of another type or form.
    #[error("not {expected}")]
    NotA {
        /// What it must be.
        expected: &'static str,
    },
    /// It is not one of the words.
    #[error(transparent)]
    Word(#[from] UnknownWord),
    /// It is not the name of a dataset, job or column.
    #[error(transparent)]
    Name(#[from] name::Error),
    /// It is a time more than [`crate::openlineage::MAX_AHEAD`] from now.
    #[error("the time is more than an hour from now")]
    Future,
    /// There are too many.
    #[error("more than {most}")]
    TooMany {
        /// The limit.
        most: usize,
    },
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
    if text.chars().nth(300).is_some() {
        short.push('…');
    }
    short
}

/// A value, and the way to it.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    value: &'a Value,
    up: Option<&'a At<'a>>,
    step: Step<'a>,
    /// How many more statements may be read of this event.
    left: &'a Cell<usize>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(up) = self.up {
            write!(f, "{up}")?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Key(key) => write!(f, "/{}", key.replace('~', "~0").replace('/', "~1")),
            Step::Index(index) => write!(f, "/{index}"),
        }
    }
}

impl<'a> At<'a> {
    pub(super) fn root(value: &'a Value, left: &'a Cell<usize>) -> Self {
        Self { value, up: None, step: Step::Root, left }
    }

    pub(super) fn wrong(&self, problem: Problem) -> Error {
        Error::at(&self.to_string(), problem)
    }

    pub(super) fn not_a(&self, expected: &'static str) -> Error {
        self.wrong(Problem::NotA { expected })
    }

    pub(super) fn object(&self) -> Result<&'a Map<String, Value>, Error> {
        self.value.as_object().ok_or_else(|| self.not_a("an object"))
    }

    pub(super) fn text(&self) -> Result<&'a str, Error> {
        self.value.as_str().ok_or_else(|| self.not_a("a string"))
    }

    /// A text that is no longer than a name.
    pub(super) fn short_text(&self) -> Result<&'a str, Error> {
        let text = self.text()?;
        if text.len() > name::MAX_NAME_BYTES { Err(self.wrong(name::Error::TooLong.into())) } else { Ok(text) }
    }

    pub(super) fn is_true(&self) -> bool {
        self.value.as_bool() == Some(true)
    }

    /// The value of a key, if there is one that is not null.
    pub(super) fn find<'b>(&'b self, key: &'b str) -> Option<At<'b>> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(At { value, up: Some(self), step: Step::Key(key), left: self.left })
    }

    /// The value of a key.
    pub(super) fn field<'b>(&'b self, key: &'b str) -> Result<At<'b>, Error> {
        self.object()?;
        self.find(key).ok_or_else(|| {
            let missing = At { value: &Value::Null, up: Some(self), step: Step::Key(key), left: self.left };
            missing.wrong(Problem::Missing)
        })
    }

    /// What `read` makes of each item of an array.
    pub(super) fn items<T>(&self, mut read: impl FnMut(At<'_>) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        let items = self.value.as_array().ok_or_else(|| self.not_a("an array"))?;
        let mut found = Vec::with_capacity(items.len().min(1_000));
        for (index, value) in items.iter().enumerate() {
            let item = At { value, up: Some(self), step: Step::Index(index), left: self.left };
            item.count()?;
            found.push(read(item)?);
        }
        Ok(found)
    }

    /// What `read` makes of each entry of an object.
    pub(super) fn entries<T>(&self, mut read: impl FnMut(&str, At<'_>) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        for (key, value) in self.object()? {
            let entry = At { value, up: Some(self), step: Step::Key(key), left: self.left };
            entry.count()?;
            found.push(read(key, entry)?);
        }
        Ok(found)
    }

    fn count(&self) -> Result<(), Error> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or_else(|| self.wrong(Problem::TooMany { most: MAX_STATEMENTS }))?);
        Ok(())
    }
}
