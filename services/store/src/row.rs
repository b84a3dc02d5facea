//! How rows are read and queries are run.
//!
//! `entity_row!` declares the columns of a table once. From that, `find!`, `list!`, `list_in!`, `page!` and
//! `page_by_time!` make a `SELECT`, and `insert!` makes an `INSERT`. `affected!` runs any other statement, and
//! `on_both!` any other query, into a struct declared by `row!`.
//!
//! Columns are of five kinds: id and text (`String`, `Text<T>` or `Lossy`), integer (`i64`), bytes (`Vec<u8>`) and
//! `bool`, each nullable as an `Option`. A NULL in a field that is not an `Option` is an error; the SQLite driver alone
//! would read it as 0 or the empty text.

pub(crate) use sqlx::types::Text;

use domain::version::Version;
use sqlx::error::BoxDynError;
use sqlx::{ColumnIndex, Database, Decode, FromRow, Row, Type, ValueRef};

use crate::db::Tx;
use crate::dialect;
use crate::error::{Error, Inconsistency};
use crate::insertion::{Insertion, Value};

/// One of the five kinds of column.
pub(crate) trait ColumnKind {}
impl ColumnKind for String {}
impl<T> ColumnKind for Text<T> {}
impl ColumnKind for i64 {}
impl ColumnKind for Vec<u8> {}
impl ColumnKind for bool {}
impl ColumnKind for Lossy {}

/// A text whose bytes may be no UTF-8, as SQLite allows: what is none is replaced (U+FFFD). For rows that must be
/// readable whatever is in them.
pub(crate) struct Lossy(pub(crate) String);

impl<D: Database> Type<D> for Lossy
where
    String: Type<D>,
{
    fn type_info() -> D::TypeInfo {
        String::type_info()
    }

    fn compatible(other: &D::TypeInfo) -> bool {
        String::compatible(other)
    }
}

impl<'r, D: Database> Decode<'r, D> for Lossy
where
    &'r [u8]: Decode<'r, D>,
{
    fn decode(value: D::ValueRef<'r>) -> Result<Self, BoxDynError> {
        <&[u8]>::decode(value).map(|bytes| Self(String::from_utf8_lossy(bytes).into_owned()))
    }
}

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
            let source: BoxDynError = "NULL where a value is required".into();
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

/// Reads a field of a row; an error names the table and the row.
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

/// A row that may be unreadable: it is no error of the query, and the others are read.
pub(crate) struct Perhaps<T>(pub(crate) sqlx::Result<T>);

impl<'r, R: Row, T: FromRow<'r, R>> FromRow<'r, R> for Perhaps<T> {
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        Ok(Self(T::from_row(row)))
    }
}

/// Declares a row struct that both databases can fill: `row! { GrantRow from "grants" { id: Text<GrantId>, } }`. Its
/// fields are named after the columns that the query returns.
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

/// A row struct with every column of one table. It is the only list of those columns: `select!` takes them from here, and
/// `insert!` checks its own against them.
pub(crate) trait EntityRow {
    /// The table's name.
    const TABLE: &'static str;
    /// `SELECT` with all columns, up to the place where `WHERE` or `ORDER BY` follows.
    const SELECT: &'static str;
}

/// Declares the row struct of a whole table, as `row!` does, and implements [`EntityRow`] for it.
macro_rules! entity_row {
    ($(#[$doc:meta])* $name:ident from $table:literal {
        $first:ident: $first_kind:ty,
        $($field:ident: $kind:ty,)*
    }) => {
        $crate::row::row! { $(#[$doc])* $name from $table { $first: $first_kind, $($field: $kind,)* } }

        impl $crate::row::EntityRow for $name {
            const TABLE: &'static str = $table;
            const SELECT: &'static str = concat!(
                "SELECT ",
                $table, ".", stringify!($first),
                $(", ", $table, ".", stringify!($field),)*
                " FROM ", $table, " "
            );
        }
    };
}

/// The text that selects all columns of a table row's table: `select!(GrantRow, "WHERE id = $1")`.
macro_rules! select {
    ($row:ident, $($rest:expr),+) => {
        $crate::row::text!(<$row as $crate::row::EntityRow>::SELECT, $($rest),+)
    };
}

/// Concatenates constant texts at compile time, since the driver takes constants only.
macro_rules! text {
    ($($part:expr),+) => {{
        const PARTS: &[&str] = &[$($part),+];
        const BYTES: [u8; $crate::row::length(PARTS)] = $crate::row::join(PARTS);
        const TEXT: &str = match std::str::from_utf8(&BYTES) {
            Ok(text) => text,
            Err(_) => unreachable!(),
        };
        TEXT
    }};
}

/// The length in bytes of the joined parts.
pub(crate) const fn length(parts: &[&str]) -> usize {
    let (mut length, mut part) = (0, 0);
    while part < parts.len() {
        length += parts[part].len();
        part += 1;
    }
    length
}

/// The bytes of the joined parts, of which there are [`length`].
pub(crate) const fn join<const LENGTH: usize>(parts: &[&str]) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    let (mut end, mut part) = (0, 0);
    while part < parts.len() {
        let mut at = 0;
        while at < parts[part].len() {
            bytes[end] = parts[part].as_bytes()[at];
            end += 1;
            at += 1;
        }
        part += 1;
    }
    bytes
}

/// `$1, $2, ...` for this many columns, at most [`MAX_COLUMNS`].
pub(crate) const fn placeholders(n_columns: usize) -> &'static str {
    assert!(n_columns <= MAX_COLUMNS);
    let bytes = PLACEHOLDERS.as_bytes();
    let (mut end, mut n_seen) = (0, 0);
    while end < bytes.len() {
        n_seen += (bytes[end] == b',') as usize;
        if n_seen == n_columns {
            break;
        }
        end += 1;
    }
    PLACEHOLDERS.split_at(end).0
}

/// The most columns that `insert!` can write.
const MAX_COLUMNS: usize = 20;
const PLACEHOLDERS: &str = "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20";

/// Runs a query on the database of the transaction: `on_both!(tx, |c| query(..).fetch_all(c))`. The expression is
/// written once and compiled for both. An error fails the transaction; a transaction that has failed runs nothing more.
macro_rules! on_both {
    ($tx:expr, |$connection:ident| $query:expr) => {{
        let result = match $tx.start()? {
            $crate::db::Connection::Sqlite($connection) => $query.await,
            $crate::db::Connection::Postgres($connection) => $query.await,
        };
        $tx.settle(result)
    }};
}

/// Runs a statement with its values and returns the number of rows affected.
macro_rules! affected {
    ($tx:expr, $sql:expr $(, $value:expr)* $(,)?) => {{
        let result = match $tx.start()? {
            $crate::db::Connection::Sqlite(c) => {
                sqlx::query($sql)$(.bind($value))*.execute(c).await.map(|done| done.rows_affected())
            }
            $crate::db::Connection::Postgres(c) => {
                sqlx::query($sql)$(.bind($value))*.execute(c).await.map(|done| done.rows_affected())
            }
        };
        $tx.settle(result)
    }};
}

/// Inserts a row and returns the number of rows affected: `insert!(tx, GrantRow { id: Text(grant.id), .. })`. A missing
/// column does not compile, unless a `..` leaves the remaining columns NULL. A literal after the row is appended to the
/// statement, such as `ON CONFLICT DO NOTHING`.
macro_rules! insert {
    ($tx:expr, $row:ident { $($column:ident: $value:expr),+ $(,)? } $(, $rest:literal)? $(,)?) => {{
        let _ = |row: $row| {
            let $row { $($column: _),+ } = row;
        };
        $crate::row::insert!(@run $tx, $row { $($column: $value,)+ } $(, $rest)?)
    }};
    ($tx:expr, $row:ident { $($column:ident: $value:expr,)+ .. } $(, $rest:literal)? $(,)?) => {
        $crate::row::insert!(@run $tx, $row { $($column: $value,)+ } $(, $rest)?)
    };
    (@run $tx:expr, $row:ident {
        $first:ident: $first_value:expr,
        $($column:ident: $value:expr,)*
    } $(, $rest:literal)?) => {
        $crate::row::affected!(
            $tx,
            $crate::row::text!(
                "INSERT INTO ",
                <$row as $crate::row::EntityRow>::TABLE,
                concat!(" (", stringify!($first) $(, ", ", stringify!($column))*, ") VALUES ("),
                $crate::row::placeholders([stringify!($first) $(, stringify!($column))*].len()),
                concat!(") " $(, $rest)?)
            ),
            $first_value
            $(, $value)*
        )
    };
}

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

/// Inserts rows of several tables in one round trip to the database: each is a hop to the thread of a SQLite
/// connection, or a message to PostgreSQL.
pub(crate) async fn insert_together(tx: &mut Tx, rows: Vec<Insertion>) -> Result<(), Error> {
    let sql = dialect::insert_together(tx.dialect(), &rows);
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

/// Inserts many rows of one table, in few statements; `rest` says what becomes of those that are there already.
pub(crate) async fn insert_rows(
    tx: &mut Tx,
    table: &'static str,
    columns: &'static [&'static str],
    rows: Vec<Vec<Value>>,
    rest: &'static str,
) -> Result<(), Error> {
    let mut rows = rows.into_iter();
    while rows.len() > 0 {
        // Powers of two, so that few statements are prepared.
        let n_rows = (1 << rows.len().ilog2()).min(dialect::MAX_ROWS);
        let sql = dialect::insert_rows(table, columns, n_rows, rest);
        let values: Vec<Value> = rows.by_ref().take(n_rows).flatten().collect();
        on_both!(tx, |c| async move {
            let mut query = sqlx::query(sql);
            for value in values {
                query = match value {
                    Value::Text(value) => query.bind(value),
                    Value::Integer(value) => query.bind(value),
                    Value::Bytes(value) => query.bind(value),
                    Value::Bool(value) => query.bind(value),
                };
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Finds at most one row and converts it: `find!(tx, GrantRow, "WHERE id = $1", Text(id))`.
macro_rules! find {
    ($tx:expr, $row:ident, $rest:expr $(, $value:expr)* $(,)?) => {{
        let row = $crate::row::on_both!($tx, |c| {
            sqlx::query_as::<_, $row>($crate::row::select!($row, $rest))$(.bind($value))*.fetch_optional(c)
        })?;
        row.map(TryFrom::try_from).transpose()
    }};
}

/// Fetches all rows of a list that cannot grow long and converts them: `list!(tx, GrantRow, "WHERE .. ORDER BY id",
/// Text(id))`.
macro_rules! list {
    ($tx:expr, $row:ident, $rest:expr $(, $value:expr)* $(,)?) => {{
        let rows = $crate::row::on_both!($tx, |c| {
            sqlx::query_as::<_, $row>($crate::row::select!($row, $rest))$(.bind($value))*.fetch_all(c)
        })?;
        $crate::page::all(rows)
    }};
}

/// A page of a list: `page!(tx, seek, TableRow, "WHERE id > $1 ORDER BY id LIMIT $2", after)`. The last placeholder is
/// the number of rows.
macro_rules! page {
    ($tx:expr, $seek:expr, $row:ident, $rest:expr $(, $value:expr)* $(,)?) => {{
        let rows = $crate::row::on_both!($tx, |c| {
            sqlx::query_as::<_, $row>($crate::row::select!($row, $rest))
                $(.bind($value))*
                .bind($seek.n_fetched())
                .fetch_all(c)
        })?;
        $crate::page::Page::from_rows(rows, $seek.limit)
    }};
}

/// A page of a list with the newest first, ordered by a time column and the id: `page_by_time!(tx, seek, GrantRow by
/// "granted_at", "principal_id = $4", Text(id))`. Placeholders of the condition start at `$4`; the macro uses the first
/// three.
macro_rules! page_by_time {
    ($tx:expr, $seek:expr, $row:ident by $at:literal, $condition:expr $(, $value:expr)* $(,)?) => {{
        const SQL: &str = $crate::row::select!(
            $row,
            concat!("WHERE (", $at, ", id) < ($1, $2) AND "),
            $condition,
            concat!(" ORDER BY ", $at, " DESC, id DESC LIMIT $3")
        );
        let (at, id) = $seek.time_and_id_back();
        let rows = $crate::row::on_both!($tx, |c| {
            sqlx::query_as::<_, $row>(SQL)
                .bind(at)
                .bind(id.as_str())
                .bind($seek.n_fetched())
                $(.bind($value))*
                .fetch_all(c)
        })?;
        $crate::page::Page::from_rows(rows, $seek.limit)
    }};
}

/// Fetches and converts the rows whose column is in a list of values: `list_in!(tx, GrantRow, "WHERE id IN ({list})",
/// ids)`. Further values come before the list: `list_in!(tx, GrantRow, "WHERE a = $1 AND b IN ({list})", ids, a)`. Rows
/// are ordered only within [`dialect::MAX_LIST`](crate::dialect::MAX_LIST) values.
macro_rules! list_in {
    ($tx:expr, $row:ident, $rest:expr, $values:expr $(, $before:expr)* $(,)?) => {
        $crate::page::all($crate::row::rows_in!($tx, $row, $crate::row::select!($row, $rest), $values $(, $before)*))
    };
}

/// As `list_in!`, with a whole statement, and without the conversion. An empty list is queried too: the look-up of a hidden
/// object must not run more statements than that of a missing one.
macro_rules! rows_in {
    ($tx:expr, $row:ident, $sql:expr, $values:expr $(, $before:expr)* $(,)?) => {{
        let mut rows: Vec<$row> = Vec::with_capacity($values.len());
        let before: &[&str] = &[$(stringify!($before)),*];
        for chunk in $crate::dialect::chunks(&$values[..]) {
            rows.extend($crate::row::on_both!($tx, |c| {
                let mut query = sqlx::query_as::<_, $row>($crate::dialect::in_list($sql, before.len(), chunk.len()));
                $(query = query.bind($before);)*
                for value in $crate::dialect::padded(chunk) {
                    query = query.bind(value.copied().map($crate::row::Text));
                }
                query.fetch_all(c)
            })?);
        }
        rows
    }};
}

/// A natural number as it is stored.
pub(crate) fn integer(natural: u64) -> i64 {
    i64::try_from(natural).unwrap_or(i64::MAX)
}

/// A stored integer as the natural number that it must be.
pub(crate) fn natural(integer: i64) -> Result<u64, &'static str> {
    u64::try_from(integer).map_err(|_| "a number is negative")
}

/// A version from its three stored numbers.
pub(crate) fn version([major, minor, patch]: [i64; 3]) -> Result<Version, &'static str> {
    Ok(Version { major: natural(major)?, minor: natural(minor)?, patch: natural(patch)? })
}

pub(crate) use {
    affected, entity_row, find, insert, insertion, list, list_in, on_both, page, page_by_time, row, rows_in, select,
    text,
};
