//! How rows are read and queries are run: `row!`, `on_both!`, `affected!`, `list_in!` and `page_by_time!`.
//!
//! Columns are of five kinds: id and text (`String` or `Text<T>`), integer (`i64`), bytes (`Vec<u8>`) and `bool`, each
//! with NULL as an `Option`. A `row!` struct refuses NULL in a field that is not an `Option`, because the SQLite driver
//! reads it as 0 or the empty text.

pub(crate) use sqlx::types::Text;

use domain::version::Version;
use sqlx::error::BoxDynError;
use sqlx::{ColumnIndex, Database, Decode, Row, Type, ValueRef};

/// One of the five kinds of column.
pub(crate) trait ColumnKind {}
impl ColumnKind for String {}
impl<T> ColumnKind for Text<T> {}
impl ColumnKind for i64 {}
impl ColumnKind for Vec<u8> {}
impl ColumnKind for bool {}

/// A field of a row struct: a column kind, or an `Option` of one.
pub(crate) trait Field<'r, R: Row>: Sized {
    /// Reads the column.
    fn read(row: &'r R, column: &'static str) -> sqlx::Result<Self>;
}

impl<'r, R, K> Field<'r, R> for K
where
    R: Row,
    &'static str: ColumnIndex<R>,
    K: ColumnKind + Decode<'r, R::Database> + Type<R::Database>,
{
    fn read(row: &'r R, column: &'static str) -> sqlx::Result<Self> {
        if row.try_get_raw(column)?.is_null() {
            let source: BoxDynError = "NULL where a value must be".into();
            return Err(sqlx::Error::ColumnDecode { index: column.to_owned(), source });
        }
        row.try_get(column)
    }
}

impl<'r, R, K> Field<'r, R> for Option<K>
where
    R: Row,
    &'static str: ColumnIndex<R>,
    K: ColumnKind + Decode<'r, R::Database> + Type<R::Database>,
    Option<K>: Decode<'r, R::Database> + Type<R::Database>,
    <R as Row>::Database: Database,
{
    fn read(row: &'r R, column: &'static str) -> sqlx::Result<Self> {
        row.try_get(column)
    }
}

/// A value that fits no state of the domain; becomes [`crate::error::Error::Inconsistent`].
#[derive(Debug, thiserror::Error)]
#[error("row `{row}` of table `{table}`, column `{column}`")]
pub(crate) struct Inconsistency {
    pub(crate) table: &'static str,
    pub(crate) row: String,
    pub(crate) column: &'static str,
    #[source]
    pub(crate) source: BoxDynError,
}

/// Reads a field of a row, naming table and row where the value does not fit.
pub(crate) fn read<'r, R, F>(row: &'r R, table: &'static str, column: &'static str) -> sqlx::Result<F>
where
    R: Row,
    F: Field<'r, R>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    &'static str: ColumnIndex<R>,
{
    F::read(row, column).map_err(|error| match error {
        sqlx::Error::ColumnDecode { source, .. } => {
            let row = row.try_get::<String, _>("id").unwrap_or_default();
            sqlx::Error::Decode(Box::new(Inconsistency { table, row, column, source }))
        }
        other => other,
    })
}

/// Declares a row struct that both databases can fill: `row! { GrantRow from "grants" { id: Text<GrantId>, } }`. Its
/// fields are named as the columns.
macro_rules! row {
    ($(#[$doc:meta])* $name:ident from $table:literal { $($field:ident: $kind:ty,)+ }) => {
        $(#[$doc])*
        struct $name { $($field: $kind,)+ }

        impl<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> for $name {
            fn from_row(row: &'r sqlx::sqlite::SqliteRow) -> sqlx::Result<Self> {
                Ok(Self { $($field: $crate::row::read(row, $table, stringify!($field))?,)+ })
            }
        }

        impl<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> for $name {
            fn from_row(row: &'r sqlx::postgres::PgRow) -> sqlx::Result<Self> {
                Ok(Self { $($field: $crate::row::read(row, $table, stringify!($field))?,)+ })
            }
        }
    };
}

/// Runs a query on whichever database the transaction is on: `on_both!(tx, |c| query(..).fetch_all(c))`. The text is
/// written once and compiled for both. Refuses if the transaction has failed, and fails it if the query does.
macro_rules! on_both {
    ($tx:expr, |$connection:ident| $query:expr) => {{
        let result = match $tx.start()? {
            $crate::db::Connection::Sqlite($connection) => $query.await,
            $crate::db::Connection::Postgres($connection) => $query.await,
        };
        $tx.settle(result)
    }};
}

/// Runs a statement and gives the number of rows it changed.
macro_rules! affected {
    ($tx:expr, $query:expr) => {{
        let result = match $tx.start()? {
            $crate::db::Connection::Sqlite(c) => $query.execute(c).await.map(|done| done.rows_affected()),
            $crate::db::Connection::Postgres(c) => $query.execute(c).await.map(|done| done.rows_affected()),
        };
        $tx.settle(result)
    }};
}

/// The rows whose column is in a list of values, in no particular order: `list_in!(tx, Row, "... IN ({list})", ids)`.
/// Further values stand before the list's: `list_in!(tx, Row, "... a = $1 AND b IN ({list})", ids, a)`.
macro_rules! list_in {
    ($tx:expr, $row:ty, $sql:expr, $values:expr $(, $before:expr)*) => {{
        let mut rows: Vec<$row> = Vec::with_capacity($values.len());
        let before: &[&str] = &[$(stringify!($before)),*];
        for chunk in $values.chunks($crate::dialect::MAX_LIST) {
            rows.extend(on_both!($tx, |c| {
                let mut query = sqlx::query_as::<_, $row>($crate::dialect::in_list($sql, before.len(), chunk.len()));
                $(query = query.bind($before);)*
                for value in $crate::dialect::padded(chunk) {
                    query = query.bind($crate::row::Text(*value));
                }
                query.fetch_all(c)
            })?);
        }
        rows
    }};
}

/// A page of a list with the newest first: `page_by_time!(tx, seek, Row, "... WHERE (at, id) < ($1, $2) AND actor = $3
/// ORDER BY at DESC, id DESC LIMIT $4", actor)`. The text's placeholders are the key of the last row seen, then the
/// values, then the number of rows.
macro_rules! page_by_time {
    ($tx:expr, $seek:expr, $row:ty, $sql:expr $(, $value:expr)*) => {{
        let (at, id) = $seek.time_and_id_back();
        let rows = on_both!($tx, |c| sqlx::query_as::<_, $row>($sql)
            .bind(at)
            .bind(id.as_str())
            $(.bind($value))*
            .bind($seek.n_fetched())
            .fetch_all(c))?;
        $crate::page::Page::of(rows, $seek.limit)
    }};
}

/// A number that is never negative, as the database keeps it.
pub(crate) fn integer(natural: u64) -> i64 {
    i64::try_from(natural).unwrap_or(i64::MAX)
}

/// A number that is never negative, as the database kept it.
pub(crate) fn natural(integer: i64) -> Result<u64, &'static str> {
    u64::try_from(integer).map_err(|_| "a number is negative")
}

/// A version, as its three numbers were kept.
pub(crate) fn version([major, minor, patch]: [i64; 3]) -> Result<Version, &'static str> {
    Ok(Version { major: natural(major)?, minor: natural(minor)?, patch: natural(patch)? })
}

pub(crate) use {affected, list_in, on_both, page_by_time, row};
