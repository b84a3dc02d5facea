//! What can go wrong in the store, and how a driver's error becomes one of ours.

use std::path::PathBuf;
use std::sync::Arc;

use domain::error::Kind;

use crate::dialect::{self, Constraint};
use crate::row::Inconsistency;

/// Why the store could not do what it was asked. An error inside a transaction ends the transaction.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A `get_` function found nothing.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// A row named the version it saw, and the row has moved since.
    #[error("the {0} has changed since it was read")]
    Stale(&'static str),
    /// The change breaks a constraint. Contexts turn the ones they expect into their own errors.
    #[error("the change breaks the constraint `{0}`")]
    Violated(Constraint),
    /// A row that fits no state of the domain: somebody else wrote it, or a migration is wrong.
    #[error("the row `{row}` of table `{table}` is inconsistent: {problem}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The row's key.
        row: String,
        /// What does not fit.
        problem: String,
    },
    /// The database cannot be reached, or asks to try again. Nothing happened.
    #[error("the database is not available")]
    Unavailable(#[source] Arc<sqlx::Error>),
    /// The disk is full. Nothing happened.
    #[error("the disk of the database is full")]
    Full(#[source] Arc<sqlx::Error>),
    /// The shared commit that this change was part of failed. Nothing of it happened; it may be tried again.
    #[error("the change was not committed")]
    GroupLost(#[source] Arc<Error>),
    /// The connection broke while the change was being committed. An idempotency key tells whether it was.
    #[error("it is not known whether the change was committed")]
    CommitUnknown(#[source] Arc<sqlx::Error>),
    /// An earlier statement of the transaction failed, or was abandoned while it ran, or was the only one it may have.
    #[error("the transaction has failed before")]
    TxFailed,
    /// The transaction does not hold the lock that the change needs. A fault of the caller.
    #[error("the change needs a transaction that holds the fact lock")]
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

    /// The constraint that was broken, where that is what happened.
    pub fn violated(&self) -> Option<Constraint> {
        match self {
            Self::Violated(constraint) => Some(*constraint),
            _ => None,
        }
    }
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

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is not one.
    #[error("the database's address must be `sqlite:<file>` or `postgres://...`")]
    NotAnAddress,
    /// Another process works on the same data folder.
    #[error("the data folder `{}` is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The data folder cannot be used.
    #[error("the data folder `{}` cannot be used", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The linked SQLite is one that can corrupt a database under a pool.
    #[error("SQLite {found} is too old: {needed} or newer is needed")]
    SqliteTooOld {
        /// The version that is linked.
        found: String,
        /// The oldest that is good.
        needed: &'static str,
    },
    /// The database was used by a newer program. Going back is done by restoring a backup.
    #[error("the database is at migration {database}, and this program knows only up to {program}")]
    Newer {
        /// The newest migration in the database.
        database: i64,
        /// The newest migration of this program.
        program: i64,
    },
    /// The migrations failed.
    #[error("the database could not be brought up to date")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// The database refused us.
    #[error("the database could not be opened")]
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
