//! All differences between the two databases: placeholders of migrations, lists of values, `SKIP LOCKED`, and how a
//! violated constraint is reported. No other module builds SQL text at run time.

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use sqlx::AssertSqlSafe;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use crate::insertion::Insertion;

/// The longest list of values in one statement.
pub(crate) const MAX_LIST: usize = 512;
/// SQLite's error code for a full disk.
pub(crate) const SQLITE_FULL: &str = "13";
/// PostgreSQL's error code for a full disk (`disk_full`).
pub(crate) const POSTGRES_DISK_FULL: &str = "53100";

/// One of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// The migrations, in order: number, name, portable text. A migration that was released is never edited; a change is a
/// new one at the end. Numbers increase, and may have gaps.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "foundation", include_str!("../migrations/0001_foundation.sql")),
    (2, "registry", include_str!("../migrations/0002_registry.sql")),
    (4, "notices", include_str!("../migrations/0004_notices.sql")),
    (5, "registry_counts", include_str!("../migrations/0005_registry_counts.sql")),
    (6, "override_findings", include_str!("../migrations/0006_override_findings.sql")),
    (7, "outbox_cursors", include_str!("../migrations/0007_outbox_cursors.sql")),
    (8, "leases_intended", include_str!("../migrations/0008_leases_intended.sql")),
    (9, "leases_of_table", include_str!("../migrations/0009_leases_of_table.sql")),
    (10, "tokens", include_str!("../migrations/0010_tokens.sql")),
    (11, "retention", include_str!("../migrations/0011_retention.sql")),
    (12, "topics", include_str!("../migrations/0012_topics.sql")),
    (13, "table_shares", include_str!("../migrations/0013_table_shares.sql")),
    (14, "inspection_reads", include_str!("../migrations/0014_inspection_reads.sql")),
    (15, "column_reads", include_str!("../migrations/0015_column_reads.sql")),
    (16, "lineage", include_str!("../migrations/0016_lineage.sql")),
    (17, "web_sessions", include_str!("../migrations/0017_web_sessions.sql")),
];

/// The number of the newest migration.
pub(crate) fn newest_migration() -> i64 {
    MIGRATIONS.last().map_or(0, |(number, _, _)| *number)
}

/// The migrations in the dialect of one database.
pub(crate) fn migrator(dialect: Dialect) -> Migrator {
    let migrations = MIGRATIONS.iter().map(|(number, name, text)| {
        let sql = sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(expand(text, dialect)));
        Migration::new(*number, (*name).into(), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(migrations.collect())
}

/// A migration's portable text in the dialect of one database.
fn expand(text: &str, dialect: Dialect) -> String {
    let words: &[(&str, &str)] = match dialect {
        Dialect::Sqlite => &[
            ("{id}", "TEXT"),
            ("{text}", "TEXT"),
            ("{int}", "INTEGER"),
            ("{bytes}", "BLOB"),
            ("{bool}", "INTEGER"),
            ("{table}", "STRICT"),
        ],
        Dialect::Postgres => &[
            ("{id}", "TEXT COLLATE \"C\""),
            ("{text}", "TEXT COLLATE \"C\""),
            ("{int}", "BIGINT"),
            ("{bytes}", "BYTEA"),
            ("{bool}", "BOOLEAN"),
            ("{table}", ""),
        ],
    };
    words.iter().fold(text.to_owned(), |text, (placeholder, word)| text.replace(placeholder, word))
}

/// Replaces `{list}` in a statement by as many placeholders as [`padded`] returns values, numbered after the `n_before`
/// values that come before the list. The number is a power of two, so that few statements are prepared.
pub(crate) fn in_list(sql: &'static str, n_before: usize, n_values: usize) -> AssertSqlSafe<String> {
    let placeholders: Vec<String> = (1..=padded_len(n_values)).map(|n| format!("${}", n_before + n)).collect();
    AssertSqlSafe(sql.replace("{list}", &placeholders.join(", ")))
}

/// The values in lists of at most [`MAX_LIST`]; one empty list if there are none.
pub(crate) fn chunks<T>(values: &[T]) -> impl Iterator<Item = &[T]> {
    values.chunks(MAX_LIST).chain(values.is_empty().then_some(values))
}

/// The values, with the last one repeated up to the next power of two; NULL, which equals nothing, if there are none.
pub(crate) fn padded<T>(values: &[T]) -> impl Iterator<Item = Option<&T>> {
    let n_more = padded_len(values.len()) - values.len();
    values.iter().map(Some).chain(std::iter::repeat_n(values.last(), n_more))
}

fn padded_len(n_values: usize) -> usize {
    n_values.next_power_of_two()
}

/// Replaces `{skip_locked}` in a statement by the clause that skips rows locked by another transaction. SQLite has one
/// writer, so there are none.
pub(crate) fn skip_locked(sql: &'static str, dialect: Dialect) -> AssertSqlSafe<String> {
    let clause = match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => "FOR UPDATE SKIP LOCKED",
    };
    AssertSqlSafe(sql.replace("{skip_locked}", clause))
}

/// The statement that inserts rows of several tables. SQLite runs a list of statements, PostgreSQL one with its parts in
/// common table expressions; in both, the placeholders count through.
pub(crate) fn insert_together(dialect: Dialect, rows: &[Insertion]) -> AssertSqlSafe<String> {
    let mut sql = String::new();
    let mut n_values = 0;
    for (index, row) in rows.iter().enumerate() {
        let is_last = index + 1 == rows.len();
        let placeholders: Vec<String> = (1..=row.columns.len()).map(|n| format!("${}", n_values + n)).collect();
        n_values += row.columns.len();
        let insert =
            format!("INSERT INTO {} ({}) VALUES ({})", row.table, row.columns.join(", "), placeholders.join(", "));
        sql += &match dialect {
            Dialect::Sqlite => format!("{insert};"),
            Dialect::Postgres if is_last => format!(" {insert}"),
            Dialect::Postgres => format!("{} row{index} AS ({insert})", if index == 0 { "WITH" } else { "," }),
        };
    }
    AssertSqlSafe(sql)
}

/// The most rows in one statement of [`insert_rows`], a power of two: SQLite takes 32,766 values.
pub(crate) const MAX_ROWS: usize = 256;

/// The statement that inserts so many rows of one table; `rest` is appended to it.
pub(crate) fn insert_rows(table: &str, columns: &[&str], n_rows: usize, rest: &str) -> AssertSqlSafe<String> {
    let row = |row: usize| {
        let values: Vec<String> =
            (1..=columns.len()).map(|column| format!("${}", row * columns.len() + column)).collect();
        format!("({})", values.join(", "))
    };
    let rows: Vec<String> = (0..n_rows).map(row).collect();
    AssertSqlSafe(format!("INSERT INTO {table} ({}) VALUES {} {rest}", columns.join(", "), rows.join(", ")))
}

/// Whether an operation that failed with this code can be retried: a lost or refused connection, a deadlock, a busy
/// file.
pub(crate) fn is_transient(code: &str) -> bool {
    match code {
        // SQLite: busy, locked, I/O error, cannot open.
        "5" | "6" | "10" | "14" => true,
        // SQLite's extended codes carry the plain one in the lowest byte.
        code if code.len() < 5 && code.bytes().all(|byte| byte.is_ascii_digit()) => {
            matches!(code.parse::<u32>().map(|code| code & 0xff), Ok(5 | 6 | 10 | 14))
        }
        // PostgreSQL: serialization failure, deadlock, too many connections, shutdowns.
        "40001" | "40P01" | "53300" | "57P01" | "57P02" | "57P03" => true,
        // PostgreSQL: connection exceptions.
        code => code.starts_with("08"),
    }
}

macro_rules! constraints {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// A constraint that a change can violate. Every unique index and check of the migrations has one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Constraint {
            $($(#[$doc])* $variant,)+
            /// A primary key: the id is in use.
            PrimaryKey,
            /// A foreign key: the referenced row does not exist, or is still referenced.
            Reference,
            /// A column that must have a value.
            NotNull,
        }

        impl Constraint {
            /// The named ones.
            pub const NAMED: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name in the database.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                    Self::PrimaryKey => "primary key",
                    Self::Reference => "foreign key",
                    Self::NotNull => "not null",
                }
            }

            fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

constraints! {
    /// Two domains of one path.
    DomainPath = "domains_path",
    /// Two principals of one issuer and subject.
    PrincipalSubject = "principals_subject",
    /// A role assigned twice to a principal in a domain.
    DomainRole = "role_assignments_domain",
    /// A platform role assigned twice to a principal.
    PlatformRole = "role_assignments_platform",
    /// Two products of one name in a domain.
    ProductName = "products_name",
    /// Two products of one document id in a domain.
    ProductDocument = "products_document",
    /// Two output ports of one name and major in a product.
    PortMajor = "ports_major",
    /// Two contracts of one document id in a product.
    ContractDocument = "contracts_document",
    /// Two versions of one number in a contract.
    ContractVersionNumber = "contract_versions_number",
    /// Two active versions in one major of a contract.
    ContractVersionActive = "contract_versions_active",
    /// Two bindings of one contract, major, object and environment.
    BindingObject = "bindings_object",
    /// Two tables at one location, or one inside the other.
    TableLocation = "tables_location",
    /// Two snapshots of one key in a table.
    SnapshotKey = "snapshots_key",
    /// Two snapshots of one ordinal in a table.
    SnapshotOrdinal = "snapshots_ordinal",
    /// Two verdicts for one snapshot, binding and rule hash.
    VerdictRules = "verdicts_rules",
    /// Two grants for one request.
    GrantRequest = "grants_request",
    /// Two records of one leaf of the audit tree.
    RecordLeaf = "records_leaf",
    /// Two waiting jobs of one kind and subject.
    JobSubject = "jobs_subject",
    /// The same schema twice in a context.
    SchemaDigest = "schemas_digest",
    /// Two topics of one contract, major, object and environment.
    TopicObject = "topic_bindings_object",
    /// Two notices about the same two majors.
    NoticeMajors = "notices_majors",
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The constraint that an error reports. PostgreSQL reports its name, SQLite the columns.
pub(crate) fn violated(error: &sqlx::Error) -> Option<Constraint> {
    let database = error.as_database_error()?;
    match database.kind() {
        sqlx::error::ErrorKind::ForeignKeyViolation => return Some(Constraint::Reference),
        sqlx::error::ErrorKind::NotNullViolation => return Some(Constraint::NotNull),
        sqlx::error::ErrorKind::UniqueViolation | sqlx::error::ErrorKind::CheckViolation => {}
        _ => return None,
    }
    if let Some(name) = database.constraint() {
        return Constraint::named(name).or_else(|| name.ends_with("_pkey").then_some(Constraint::PrimaryKey));
    }
    let (_, what) = database.message().split_once("constraint failed: ")?;
    Constraint::named(what).or_else(|| unique_columns().get(what).copied()).or(Some(Constraint::PrimaryKey))
}

/// The unique indexes by their columns as SQLite reports them, `t.a, t.b`, read from the migrations.
fn unique_columns() -> &'static HashMap<String, Constraint> {
    static COLUMNS: OnceLock<HashMap<String, Constraint>> = OnceLock::new();
    COLUMNS.get_or_init(|| MIGRATIONS.iter().flat_map(|(_, _, text)| unique_indexes(text)).collect())
}

/// The unique indexes that a migration creates: `CREATE UNIQUE INDEX name ON t (a, b)`.
fn unique_indexes(text: &str) -> impl Iterator<Item = (String, Constraint)> + '_ {
    text.split("CREATE UNIQUE INDEX ").skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once(" ON ")?;
        let (table, rest) = rest.split_once('(')?;
        let (columns, _) = rest.split_once(')')?;
        let columns: Vec<String> =
            columns.split(',').map(|column| format!("{}.{}", table.trim(), column.trim())).collect();
        Some((columns.join(", "), Constraint::named(name.trim())?))
    })
}
