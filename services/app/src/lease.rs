//! Leases as the gateway serves them: which files may be read, until when, and with which secrets.
//!
//! The gateway holds no rule of its own. It asks [`Leases`] for the lease at each request, serves what its [`Scope`]
//! names, and asks again before each chunk of a long answer.

pub mod file_list;
mod open;
mod reads;
mod secrets;

use std::path::PathBuf;
use std::sync::Arc;

use domain::clock::Timestamp;
use domain::id::{LeaseId, TableId};
use futures::future::BoxFuture;

use self::file_list::FileList;
pub use self::reads::{list_leases, load_leases};
pub use self::secrets::{LeaseCredentials, LeaseSecrets, Secret};

/// Where the gateway asks about leases.
pub trait Leases: Send + Sync + 'static {
    /// The lease as it stands now. Asked once for each request, after its signature and token were found good.
    ///
    /// # Errors
    /// [`Denied`] if it opens nothing, or if that cannot be told.
    fn open(&self, id: LeaseId) -> BoxFuture<'_, Result<Arc<OpenLease>, Denied>>;

    /// Whether the lease would still be opened. Asked before each chunk of an answer, so it should be cheap; where it
    /// cannot be told, the answer is no.
    fn still_open(&self, id: LeaseId) -> BoxFuture<'_, bool>;

    /// The secrets of all leases.
    fn secrets(&self) -> &LeaseSecrets;
}

/// Why a lease opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// There is no such lease.
    #[error("there is no such lease")]
    Unknown,
    /// It was given back.
    #[error("this lease has ended: get a new one")]
    Ended,
    /// It, or the grant behind it, was revoked.
    #[error("this lease was revoked")]
    Revoked,
    /// Its time is over.
    #[error("this lease has expired: get a new one")]
    Expired,
    /// It cannot be told now.
    #[error("leases cannot be looked up now: try again")]
    Unavailable,
}

/// A lease as the gateway serves it. It does not change, so it may be kept and handed out again; whether it is still
/// good is asked each time.
#[derive(Clone, Debug)]
pub struct OpenLease {
    /// Its id, which is also its access key.
    pub id: LeaseId,
    /// The table that it opens: the first segment of every key.
    pub table_id: TableId,
    /// Its end.
    pub expires_at: Timestamp,
    /// What may be read.
    pub scope: Scope,
}

impl OpenLease {
    /// Whether the lease's time is not over at a moment.
    ///
    /// # Errors
    /// [`Denied::Expired`] from its end on.
    pub fn at(&self, now: Timestamp) -> Result<(), Denied> {
        if now < self.expires_at { Ok(()) } else { Err(Denied::Expired) }
    }
}

/// What a lease opens. A `root` is absolute and leads through no symlink.
#[derive(Clone, Debug)]
pub enum Scope {
    /// One snapshot's files and no others.
    Pinned {
        /// The table's folder.
        root: PathBuf,
        /// The files.
        files: Arc<FileList>,
    },
    /// The table's folder as it is (`repair`, `inspect`).
    Folder {
        /// The table's folder.
        root: PathBuf,
    },
}
