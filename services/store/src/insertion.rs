//! Rows to insert together.

use std::fmt::Display;

use sqlx::types::Text;

/// A row to insert.
pub(crate) struct Insertion {
    pub(crate) table: &'static str,
    pub(crate) columns: &'static [&'static str],
    pub(crate) values: Vec<Value>,
}

/// A value of a column, of the kinds that [`Insertion`] needs.
pub(crate) enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
    Bytes(Vec<u8>),
    Bool(bool),
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl<T: Display> From<Text<T>> for Value {
    fn from(value: Text<T>) -> Self {
        Self::Text(Some(value.0.to_string()))
    }
}

impl<T: Display> From<Option<Text<T>>> for Value {
    fn from(value: Option<Text<T>>) -> Self {
        Self::Text(value.map(|value| value.0.to_string()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Integer(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
