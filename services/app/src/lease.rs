//! Leases as the gateway serves them: which files may be read, until when, and with which secrets.
//!
//! The gateway holds no rule of its own. It asks [`Leases`] for the lease at each request, serves what its [`Scope`]
//! names, and asks again before each chunk of a long answer.

pub mod file_list;
pub(crate) mod intent;
mod open;
mod reads;
pub(crate) mod review;
mod secrets;
mod vendor;

use std::ops::Range;
use std::sync::Arc;

use domain::clock::Timestamp;
use domain::column_reads::{ChunkMap, Reader as ReaderOfColumns};
use domain::id::{LeaseId, TableId};
use domain::storage::{Lake, ReadError, Reader};
use domain::table::{Location, PinnedFile};
use futures::future::BoxFuture;

use self::file_list::{FileList, ListedFile, Place, is_key};
pub use self::reads::{list_leases, load_leases};
pub use self::secrets::{LeaseCredentials, LeaseSecrets};
pub use self::vendor::GatewayVendor;

/// Where the gateway asks about leases.
pub trait Leases: Send + Sync + 'static {
    /// The lease in its present state. Asked once for each request, after its signature and token were found good.
    ///
    /// # Errors
    /// [`Denied`] if it opens nothing, or if that cannot be checked.
    fn open(&self, id: LeaseId) -> BoxFuture<'_, Result<Arc<OpenLease>, Denied>>;

    /// Whether the lease would still be opened. Asked before each chunk of an answer, so it should be cheap; where it
    /// is unknown, the answer is no.
    fn still_open(&self, id: LeaseId) -> BoxFuture<'_, bool>;

    /// Told of the bytes of a file, by its key and size, that an answer under the lease is about to send: that says
    /// which columns are read.
    fn sends(&self, lease: &OpenLease, key: &str, size_bytes: u64, bytes: &Range<u64>);

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
    #[error("this lease has ended: request a new one")]
    Ended,
    /// It was revoked, or the gate is shut for it.
    #[error("this lease was revoked")]
    Revoked,
    /// Its time is over.
    #[error("this lease has expired: request a new one")]
    Expired,
    /// The lease cannot be checked now.
    #[error("leases cannot be checked now: try again")]
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
    /// Who reads under it; `None` for an inspection.
    pub reader: Option<ReaderOfColumns>,
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

/// What a lease opens.
#[derive(Clone, Debug)]
pub enum Scope {
    /// One snapshot's files and no others.
    Pinned {
        /// The table in its storage.
        table: StoredTable,
        /// The files.
        files: Arc<FileList>,
        /// Where the columns lie in them, where that is known.
        chunks: Option<Arc<ChunkMap>>,
    },
    /// The table's folder as it is (`repair`, `inspect`).
    Folder {
        /// The table in its storage.
        table: StoredTable,
    },
}

impl Scope {
    /// Opens the file with exactly this key for reading, pinned to its state.
    ///
    /// # Errors
    /// [`ReadError::NotFound`] if the scope has no such file; [`ReadError::Changed`] if a pinned file is not in the
    /// state in which it was inspected; [`ReadError::HardLink`], [`ReadError::Io`].
    pub async fn open(&self, key: &str) -> Result<Arc<dyn Reader>, ReadError> {
        match self {
            Self::Pinned { table: StoredTable { lake, location }, files, .. } => {
                let ListedFile { file, place } = files.find(key).ok_or(ReadError::NotFound)?;
                match place {
                    Place::Table => lake.open_pinned(location, file).await,
                    Place::Own(path) => lake.open_own(path, file).await,
                }
            }
            Self::Folder { table: StoredTable { lake, location } } if is_key(key) => {
                lake.open_current(location, key).await
            }
            Self::Folder { .. } => Err(ReadError::NotFound),
        }
    }

    /// The files that the scope opens: all of a pinned list, or those of the folder whose keys begin with the prefix.
    ///
    /// # Errors
    /// [`ReadError::NotFound`], [`ReadError::TooMany`], [`ReadError::Io`].
    pub async fn list(&self, prefix: &str) -> Result<ScopeFiles, ReadError> {
        match self {
            Self::Pinned { files, .. } => Ok(ScopeFiles::Pinned(Arc::clone(files))),
            Self::Folder { table: StoredTable { lake, location } } => {
                lake.list_current(location, prefix).await.map(ScopeFiles::Current)
            }
        }
    }
}

/// A table in its storage.
#[derive(Clone, Debug)]
pub struct StoredTable {
    /// The storage.
    pub lake: Arc<dyn Lake>,
    /// Where the table is in it.
    pub location: Location,
}

/// The files that a lease can list, sorted by the bytes of their keys.
#[derive(Clone, Debug)]
pub enum ScopeFiles {
    /// The list of the pinned snapshot.
    Pinned(Arc<FileList>),
    /// The files that are in the folder now.
    Current(Vec<PinnedFile>),
}

impl ScopeFiles {
    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Pinned(files) => files.entries().len(),
            Self::Current(files) => files.len(),
        }
    }

    /// The file at an index below [`ScopeFiles::count`].
    pub fn get(&self, index: usize) -> &PinnedFile {
        match self {
            Self::Pinned(files) => &files.entries()[index].file,
            Self::Current(files) => &files[index],
        }
    }
}
