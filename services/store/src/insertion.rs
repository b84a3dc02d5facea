//! Rows of several tables, inserted together.

use std::fmt::Display;

use crate::db::Tx;
use crate::dialect;
use crate::error::Error;
use crate::row::{Text, on_both};

/// A row to insert, for [`insert_together`]: `insertion!("grants" { id: Text(grant.id), .. })`.
macro_rules! insertion {
    ($table:literal { $($column:ident: $value:expr),+ $(,)? }) => {
        $crate::insertion::Insertion {
            table: $table,
            columns: &[$(stringify!($column)),+],
            values: vec![$($crate::insertion::Value::from($value)),+],
        }
    };
}

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

/// Inserts rows of several tables in one round trip to the database: each is a hop to the thread of a SQLite
/// connection, or a message to PostgreSQL.
pub(crate) async fn insert_together(tx: &mut Tx, rows: Vec<Insertion>) -> Result<(), Error> {
    let shapes: Vec<_> = rows.iter().map(|row| (row.table, row.columns)).collect();
    let sql = dialect::insert_together(tx.dialect(), &shapes);
    on_both!(tx, |c| async move {
        let mut query = sqlx::query(sql);
        for value in rows.into_iter().flat_map(|row| row.values) {
            query = match value {
                Value::Text(value) => query.bind(value),
                Value::Integer(value) => query.bind(value),
                Value::Bytes(value) => query.bind(value),
                Value::Bool(value) => query.bind(value),
            };
        }
        query.execute(c).await.map(drop)
    })
}

pub(crate) use insertion;
