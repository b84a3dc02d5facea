//! The database: opening it, and the transactions that everything happens in.
//!
//! [`Db`] is either database. [`Db::read`] and [`Db::write`] begin a [`Tx`], which every function of the store takes;
//! nothing outside this crate depends on which database is behind it.

use std::fs::{File, TryLockError};
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Postgres, Sqlite};

use crate::dialect::{self, Dialect};
use crate::durable::{self, DurableRevisions, Revision};
use crate::error::{Error, OpenError};
use crate::writer::{GroupLimits, Turn, Writer};

/// The oldest SQLite that does not corrupt a write-ahead log under several connections.
const OLDEST_SQLITE: &str = "3.51.3";
/// The lock file in the data directory, held by one process.
const LOCK_FILE: &str = "charter.lock";
/// The capacity of a connection's statement cache.
const MAX_STATEMENTS: usize = 512;
/// The key of the fact lock among PostgreSQL's advisory locks: `charter` in ASCII.
const FACT_LOCK: i64 = 0x0063_6861_7274_6572;

/// Options for opening a database.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether SQLite waits for the disk at each commit. On PostgreSQL the server's settings apply.
    pub durability: Durability,
    /// The maximum number of connections: of readers on SQLite, of all on PostgreSQL.
    pub max_connections: u32,
    /// The time after which a transaction that waits for a connection fails as unavailable.
    pub acquire_timeout: Duration,
    /// The limits of a group commit (SQLite).
    pub group: GroupLimits,
    /// The maximum size of the SQLite file, in pages of 4,096 bytes; `None` for no limit.
    pub max_pages: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::Full,
            max_connections: 8,
            acquire_timeout: Duration::from_secs(10),
            group: GroupLimits::default(),
            max_pages: None,
        }
    }
}

impl Options {
    /// For tests whose subject is not durability.
    pub fn for_testing() -> Self {
        Self { durability: Durability::Off, ..Self::default() }
    }
}

/// Whether an acknowledged commit survives a power failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It does (`synchronous=FULL`).
    Full,
    /// It survives a crash of the process, but not of the machine (`synchronous=OFF`). For tests.
    Off,
}

/// The lock of a write transaction. SQLite has one writer, so there all three are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Exclusive, for changes of facts: principals, roles, products, contracts, tables, grants.
    Facts,
    /// Shared, for changes that depend on facts, such as leases: excludes [`Lock::Facts`] only.
    FactsShared,
    /// None, for changes that depend on no facts: claiming jobs, ending leases.
    Free,
}

/// A database. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Db(Backend);

#[derive(Clone)]
enum Backend {
    Sqlite { readers: SqlitePool, writer: Arc<Writer> },
    Postgres(PgPool),
}

impl Db {
    /// Opens the database at `sqlite:<file>` or `postgres://...` and runs its migrations. A missing SQLite file is
    /// created, and its folder is locked against other processes until the database is closed or the process ends.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(url: &str, options: Options) -> Result<Self, OpenError> {
        if let Some(file) = url.strip_prefix("sqlite:") {
            let file = file.strip_prefix("//").unwrap_or(file);
            Self::open_sqlite(Path::new(file), options).await
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Self::open_postgres(url, options).await
        } else {
            Err(OpenError::NotAnAddress)
        }
    }

    async fn open_sqlite(file: &Path, options: Options) -> Result<Self, OpenError> {
        let name = file.file_name().filter(|name| *name != ":memory:").ok_or(OpenError::NotAnAddress)?;
        let (folder, folder_lock) = lock_folder(file.parent().unwrap_or(Path::new("")))?;
        let mut writing = SqliteConnectOptions::new()
            .filename(folder.join(name))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(match options.durability {
                Durability::Full => SqliteSynchronous::Full,
                Durability::Off => SqliteSynchronous::Off,
            })
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(MAX_STATEMENTS);
        if let Some(max_pages) = options.max_pages {
            writing = writing.pragma("max_page_count", max_pages.to_string());
        }
        let mut connection = writing.connect().await?;
        let found: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut connection).await?;
        if numbers(&found) < numbers(OLDEST_SQLITE) {
            return Err(OpenError::SqliteTooOld { found, needed: OLDEST_SQLITE });
        }
        dialect::migrator(Dialect::Sqlite).run(&mut connection).await.map_err(migration_error)?;

        let reading = writing.clone().create_if_missing(false).pragma("query_only", "ON");
        let readers = SqlitePoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            // A connection to a file does not drop.
            .test_before_acquire(false)
            .connect_lazy_with(reading);
        let durable = DurableRevisions::new(durable::stored(&mut connection).await?);
        let writer = Arc::new(Writer::start(connection, writing, options.group, folder_lock, durable));
        Ok(Self(Backend::Sqlite { readers, writer }))
    }

    async fn open_postgres(url: &str, options: Options) -> Result<Self, OpenError> {
        let connect: PgConnectOptions = url.parse().map_err(|_| OpenError::NotAnAddress)?;
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            .connect_with(connect.application_name("charter").statement_cache_capacity(MAX_STATEMENTS))
            .await?;
        dialect::migrator(Dialect::Postgres).run(&pool).await.map_err(migration_error)?;
        Ok(Self(Backend::Postgres(pool)))
    }

    /// A transaction that only reads, at one state of the database.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Closed`].
    pub async fn read(&self) -> Result<Tx, Error> {
        let session = match &self.0 {
            Backend::Sqlite { readers, .. } => Session::SqliteRead(readers.begin().await?),
            Backend::Postgres(pool) => {
                Session::Postgres(pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
            }
        };
        tracing::trace!(target: "charter::sql", at = "read", "transaction began");
        Ok(Tx { session, progress: Progress::Ready, lock: None })
    }

    /// A transaction for a single reading statement. On SQLite it saves the statements that begin and end a
    /// transaction.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Closed`].
    pub async fn read_once(&self) -> Result<Tx, Error> {
        match &self.0 {
            Backend::Sqlite { readers, .. } => {
                let session = Session::SqliteOnce(readers.acquire().await?);
                Ok(Tx { session, progress: Progress::Ready, lock: None })
            }
            // Only a transaction is read-only there.
            Backend::Postgres(_) => self.read().await,
        }
    }

    /// A transaction that writes. On SQLite it is a turn on the one writer, so its holder must await nothing but its
    /// own statements.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Closed`].
    pub async fn write(&self, lock: Lock) -> Result<Tx, Error> {
        let session = match &self.0 {
            Backend::Sqlite { writer, .. } => Session::SqliteTurn(writer.turn().await?),
            Backend::Postgres(pool) => {
                let mut transaction = pool.begin().await?;
                let lock_facts = match lock {
                    Lock::Facts => Some("SELECT pg_advisory_xact_lock($1)"),
                    Lock::FactsShared => Some("SELECT pg_advisory_xact_lock_shared($1)"),
                    Lock::Free => None,
                };
                if let Some(lock_facts) = lock_facts {
                    sqlx::query(lock_facts).bind(FACT_LOCK).execute(&mut *transaction).await?;
                }
                Session::Postgres(transaction)
            }
        };
        tracing::trace!(target: "charter::sql", at = "write", "transaction began");
        Ok(Tx { session, progress: Progress::Ready, lock: Some(lock) })
    }

    /// The current value of a revision if it is in memory: on SQLite, where this process is the only writer. It
    /// reflects every acknowledged change.
    pub fn known_revision(&self, revision: Revision) -> Option<i64> {
        match &self.0 {
            Backend::Sqlite { writer, .. } => writer.durable().get(revision),
            Backend::Postgres(_) => None,
        }
    }

    /// The database.
    pub fn dialect(&self) -> Dialect {
        match &self.0 {
            Backend::Sqlite { .. } => Dialect::Sqlite,
            Backend::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Waits for the open transactions, then closes every connection and unlocks the data directory. Later calls fail
    /// with [`Error::Closed`].
    pub async fn close(&self) {
        match &self.0 {
            Backend::Sqlite { readers, writer } => {
                writer.close().await;
                readers.close().await;
            }
            Backend::Postgres(pool) => pool.close().await,
        }
    }
}

/// A transaction. Its holder runs every statement through it. Dropping it rolls it back.
///
/// Any error ends it, and so does a statement that is cancelled while it runs: afterwards every statement and `commit`
/// fail. (PostgreSQL answers `COMMIT` of a failed transaction with success after rolling it back; SQLite carries on
/// after a constraint violation.)
pub struct Tx {
    session: Session,
    progress: Progress,
    lock: Option<Lock>,
}

enum Session {
    SqliteRead(sqlx::Transaction<'static, Sqlite>),
    SqliteOnce(PoolConnection<Sqlite>),
    SqliteTurn(Turn),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Ready,
    Running,
    /// The only statement has run.
    Spent,
    Failed,
}

/// A connection of either kind.
pub(crate) enum Connection<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

impl Tx {
    /// Makes the changes durable. If it fails, nothing was changed, except for [`Error::CommitUnknown`].
    ///
    /// # Errors
    /// [`Error::TxFailed`] if a statement failed before, [`Error::GroupLost`], [`Error::CommitUnknown`].
    pub async fn commit(self) -> Result<(), Error> {
        if !matches!(self.progress, Progress::Ready | Progress::Spent) {
            return Err(Error::TxFailed);
        }
        match self.session {
            Session::SqliteRead(transaction) => Ok(transaction.commit().await?),
            Session::SqliteOnce(_) => Ok(()),
            Session::SqliteTurn(turn) => turn.commit().await,
            Session::Postgres(transaction) => transaction.commit().await.map_err(|error| match error {
                sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => Error::CommitUnknown(Arc::new(error)),
                error => error.into(),
            }),
        }
    }

    /// The database that it runs on.
    pub(crate) fn dialect(&self) -> Dialect {
        match &self.session {
            Session::SqliteRead(_) | Session::SqliteOnce(_) | Session::SqliteTurn(_) => Dialect::Sqlite,
            Session::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Fails unless the transaction holds the fact lock exclusively. SQLite does not need the lock; it is required all
    /// the same, so that tests on SQLite find a missing one.
    pub(crate) fn require_facts(&self) -> Result<(), Error> {
        if self.lock == Some(Lock::Facts) { Ok(()) } else { Err(Error::LockNeeded) }
    }

    /// Fails unless the transaction holds the fact lock, shared or exclusively.
    pub(crate) fn require_facts_shared(&self) -> Result<(), Error> {
        match self.lock {
            Some(Lock::Facts | Lock::FactsShared) => Ok(()),
            Some(Lock::Free) | None => Err(Error::LockNeeded),
        }
    }

    /// Records the value that a revision has after the transaction. PostgreSQL has other writers, so nothing is
    /// recorded.
    pub(crate) fn note_moved(&mut self, revision: Revision, value: i64) {
        if let Session::SqliteTurn(turn) = &mut self.session {
            turn.note_moved(revision, value);
        }
    }

    /// Begins a statement and returns the connection for it. [`Tx::settle`] ends the statement; if it is never called,
    /// the statement was cancelled and the transaction stays unusable.
    #[track_caller]
    pub(crate) fn start(&mut self) -> Result<Connection<'_>, Error> {
        // Tests compare the statements of requests by their places in the source.
        tracing::trace!(target: "charter::sql", at = %Location::caller(), "statement started");
        if self.progress != Progress::Ready {
            return Err(Error::TxFailed);
        }
        self.progress = Progress::Running;
        Ok(match &mut self.session {
            Session::SqliteRead(transaction) => Connection::Sqlite(transaction),
            Session::SqliteOnce(connection) => Connection::Sqlite(connection),
            Session::SqliteTurn(turn) => Connection::Sqlite(turn.connection()?),
            Session::Postgres(transaction) => Connection::Postgres(transaction),
        })
    }

    /// Ends a statement: passes its result on, and fails the transaction if it is an error.
    pub(crate) fn settle<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, Error> {
        match result {
            Ok(value) => {
                self.progress = match &self.session {
                    Session::SqliteOnce(_) => Progress::Spent,
                    Session::SqliteRead(_) | Session::SqliteTurn(_) | Session::Postgres(_) => Progress::Ready,
                };
                Ok(value)
            }
            Err(error) => {
                self.progress = Progress::Failed;
                let error = Error::from(error);
                if let Session::SqliteTurn(turn) = &mut self.session {
                    turn.fail(error.clone());
                }
                Err(error)
            }
        }
    }
}

/// The folder, created if it is missing, and the lock on it, which the operating system releases when the process ends.
fn lock_folder(folder: &Path) -> Result<(PathBuf, File), OpenError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let unusable = |source| OpenError::Folder { folder: folder.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(unusable)?;
    let folder = folder.canonicalize().map_err(unusable)?;
    let unusable = |source| OpenError::Folder { folder: folder.clone(), source };
    let file =
        File::options().create(true).truncate(false).write(true).open(folder.join(LOCK_FILE)).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok((folder, file)),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(folder)),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

fn migration_error(error: MigrateError) -> OpenError {
    match error {
        MigrateError::VersionMissing(database) if database > dialect::newest_migration() => {
            OpenError::Newer { database, program: dialect::newest_migration() }
        }
        error => OpenError::Migration(error),
    }
}

/// The numbers of a version such as `3.51.3`.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}
