//! The errors of the store, and their conversion from those of the driver.

use std::path::PathBuf;
use std::sync::Arc;

use domain::error::Kind;

use crate::dialect::{self, Constraint};

/// A failure of the store. It ends the transaction in which it occurs.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A `get_` function found nothing.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The row is not in the version that the change named.
    #[error("the {0} has changed since it was read")]
    Stale(&'static str),
    /// The change violates a constraint. Contexts convert those that they expect into errors of their own.
    #[error("the change violates the constraint `{0}`")]
    Violated(Constraint),
    /// A row that fits no state of the domain: it was written by another program, or a migration is wrong.
    #[error("the row `{row}` of table `{table}` is inconsistent: {problem}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The row's key.
        row: String,
        /// What does not fit.
        problem: String,
    },
    /// The database is unreachable or busy. Nothing was changed; retry.
    #[error("the database is not available")]
    Unavailable(#[source] Arc<sqlx::Error>),
    /// The disk is full. Nothing was changed.
    #[error("the disk of the database is full")]
    Full(#[source] Arc<sqlx::Error>),
    /// The group commit that the change was part of failed. Nothing was changed; retry.
    #[error("the change was not committed")]
    GroupLost(#[source] Arc<Error>),
    /// The connection was lost during the commit. A retry with the same idempotency key finds out what happened.
    #[error("it is unknown whether the change was committed")]
    CommitUnknown(#[source] Arc<sqlx::Error>),
    /// An earlier statement of the transaction failed, was cancelled, or was the only one allowed.
    #[error("the transaction has already failed")]
    TxFailed,
    /// The transaction does not hold the lock that the change needs: a bug in the caller.
    #[error("the change requires a transaction that holds the fact lock")]
    LockNeeded,
    /// The database was closed.
    #[error("the database is closed")]
    Closed,
    /// Any other failure of the driver.
    #[error("the database failed")]
    Database(#[source] Arc<sqlx::Error>),
}

impl Error {
    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotFound(_) => Kind::NotFound,
            Self::Stale(_) => Kind::Stale,
            Self::Violated(_) => Kind::Conflict,
            Self::Unavailable(_) | Self::Full(_) | Self::GroupLost(_) | Self::CommitUnknown(_) | Self::Closed => {
                Kind::Unavailable
            }
            Self::Inconsistent { .. } | Self::TxFailed | Self::LockNeeded | Self::Database(_) => Kind::Internal,
        }
    }

    /// A row that fits no state.
    pub(crate) fn inconsistent(table: &'static str, row: impl ToString, problem: impl Into<String>) -> Self {
        Self::Inconsistent { table, row: row.to_string(), problem: problem.into() }
    }

    /// The violated constraint, if that is the error.
    pub fn violated(&self) -> Option<Constraint> {
        match self {
            Self::Violated(constraint) => Some(*constraint),
            Self::NotFound(_)
            | Self::Stale(_)
            | Self::Inconsistent { .. }
            | Self::Unavailable(_)
            | Self::Full(_)
            | Self::GroupLost(_)
            | Self::CommitUnknown(_)
            | Self::TxFailed
            | Self::LockNeeded
            | Self::Closed
            | Self::Database(_) => None,
        }
    }
}

/// A value that does not fit its column's type; becomes [`Error::Inconsistent`].
#[derive(Debug, thiserror::Error)]
#[error("row `{row}` of table `{table}`, column `{column}`")]
pub(crate) struct Inconsistency {
    pub(crate) table: &'static str,
    pub(crate) row: String,
    pub(crate) column: &'static str,
    #[source]
    pub(crate) source: sqlx::error::BoxDynError,
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if let Some(constraint) = dialect::violated(&error) {
            return Self::Violated(constraint);
        }
        if let sqlx::Error::Decode(source) = &error
            && let Some(found) = source.downcast_ref::<Inconsistency>()
        {
            let problem = format!("column `{}`: {}", found.column, found.source);
            return Self::Inconsistent { table: found.table, row: found.row.clone(), problem };
        }
        match &error {
            sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Self::Closed,
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut => Self::Unavailable(Arc::new(error)),
            sqlx::Error::Database(database) => match database.code().as_deref() {
                Some(dialect::SQLITE_FULL | dialect::POSTGRES_DISK_FULL) => Self::Full(Arc::new(error)),
                Some(code) if dialect::is_transient(code) => Self::Unavailable(Arc::new(error)),
                _ => Self::Database(Arc::new(error)),
            },
            _ => Self::Database(Arc::new(error)),
        }
    }
}

/// A failure to open a database.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL has an unknown form.
    #[error("the database URL must be `sqlite:<file>` or `postgres://...`")]
    NotAnAddress,
    /// Another process uses the data directory.
    #[error("the data directory `{}` is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The data directory cannot be created or locked.
    #[error("cannot use the data directory `{}`", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The linked SQLite can corrupt a database that has several connections.
    #[error("SQLite {found} is too old: {needed} or newer is required")]
    SqliteTooOld {
        /// The linked version.
        found: String,
        /// The oldest supported version.
        needed: &'static str,
    },
    /// The database was migrated by a newer program. To go back, restore a backup.
    #[error("the database is at migration {database}, but this program only knows migrations up to {program}")]
    Newer {
        /// The newest migration in the database.
        database: i64,
        /// The newest migration of this program.
        program: i64,
    },
    /// The migrations failed.
    #[error("cannot migrate the database")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// The database refused the connection.
    #[error("cannot open the database")]
    Database(#[from] sqlx::Error),
}

impl OpenError {
    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotAnAddress => Kind::Invalid,
            Self::InUse(_) => Kind::Conflict,
            Self::Folder { .. } | Self::Database(_) => Kind::Unavailable,
            Self::SqliteTooOld { .. } | Self::Newer { .. } | Self::Migration(_) => Kind::Internal,
        }
    }
}
