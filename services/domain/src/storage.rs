//! Storage: the port through which the server sees tables. It lists names and opens files; it never parses them.
//!
//! `storage` implements it for a directory of this machine; an object store is the next implementation. Everything that
//! a request waits for is asynchronous, so an implementation decides itself whether it needs a blocking thread, a socket
//! or neither.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::pending::Pending;
use crate::table::{Format, Location, PinnedFile, SnapshotKey};

/// The storage that all tables are in.
pub trait Lake: Debug + Send + Sync + 'static {
    /// The newest snapshot, judged by names only. For Delta this is the highest log entry, whether or not the log is
    /// complete: the inspection finds that out.
    ///
    /// # Errors
    /// Any [`Error`].
    fn newest<'a>(&'a self, location: &'a Location, format: Format) -> Pending<'a, Result<SnapshotKey, Error>>;

    /// Whether there may be a snapshot newer than `head`. A cheap probe: `true` where only a listing can tell.
    ///
    /// # Errors
    /// [`Error::NoFolder`].
    fn has_newer<'a>(&'a self, location: &'a Location, head: &'a SnapshotKey) -> Pending<'a, Result<bool, Error>>;

    /// Checks that no link lies on the way to a location, as far as the way exists. May block: it is called on a
    /// blocking thread, once for each server of a document set.
    ///
    /// # Errors
    /// [`Error::Link`], [`Error::Io`].
    fn check_way(&self, location: &Location) -> Result<(), Error>;

    /// Where a worker finds the table. The worker opens it itself, under its own limits.
    fn worker_root(&self, location: &Location) -> WorkerRoot;

    /// Opens a file of a table for reading, in exactly the state in which it was pinned. A pinned digest is compared with
    /// the file's bytes before it is opened for the first time in that state.
    ///
    /// # Errors
    /// [`ReadError::Changed`] if the file is gone or in another state; [`ReadError::HardLink`], [`ReadError::Io`].
    fn open_pinned<'a>(
        &'a self,
        location: &'a Location,
        file: &'a PinnedFile,
    ) -> Pending<'a, Result<Arc<dyn Reader>, ReadError>>;

    /// Opens one of our own files, which is not below a table: the checkpoint that replaces a Delta log. Pinned like
    /// [`Lake::open_pinned`]; the path is absolute and the key of `file` is not looked at.
    ///
    /// # Errors
    /// [`ReadError::Changed`], [`ReadError::Io`].
    fn open_own<'a>(&'a self, path: &'a Path, file: &'a PinnedFile) -> Pending<'a, Result<Arc<dyn Reader>, ReadError>>;

    /// Opens a file of a table in the state it is in now; what is read afterwards is pinned to that state. The key has
    /// plain segments.
    ///
    /// # Errors
    /// [`ReadError::NotFound`], also for a link and for what is not a file; [`ReadError::HardLink`], [`ReadError::Io`].
    fn open_current<'a>(
        &'a self,
        location: &'a Location,
        key: &'a str,
    ) -> Pending<'a, Result<Arc<dyn Reader>, ReadError>>;

    /// The files that are below a table's location now and whose keys begin with the prefix, sorted by the bytes of
    /// their keys. Links are not listed, neither symbolic nor hard ones.
    ///
    /// # Errors
    /// [`ReadError::NotFound`] if there is no such location, [`ReadError::TooMany`], [`ReadError::Io`].
    fn list_current<'a>(
        &'a self,
        location: &'a Location,
        prefix: &'a str,
    ) -> Pending<'a, Result<Vec<PinnedFile>, ReadError>>;
}

/// A file that is open for one answer, pinned to the state in which it was opened.
pub trait Reader: Debug + Send + Sync + 'static {
    /// The state in which the file was opened. It is served in no other.
    fn state(&self) -> FileState;

    /// Reads `length` bytes from an offset on. Reading begins at once, before the result is awaited, so that a caller
    /// can read ahead.
    ///
    /// # Errors
    /// [`ReadError::Changed`] if the file is no longer in the state in which it was opened; [`ReadError::Io`].
    fn read(self: Arc<Self>, offset: u64, length: usize) -> Pending<'static, Result<Vec<u8>, ReadError>>;
}

/// Distinguishes one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileState {
    /// Its size.
    pub size_bytes: u64,
    /// Its modification time, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Its inode.
    pub inode: u64,
    /// When its content or its inode changed last, in nanoseconds since 1970; `None` where that is not looked at.
    pub ctime_ns: Option<i64>,
}

impl From<&PinnedFile> for FileState {
    fn from(file: &PinnedFile) -> Self {
        let PinnedFile { path: _, size_bytes, mtime_ns, inode, ctime_ns, digest: _ } = *file;
        Self { size_bytes, mtime_ns, inode, ctime_ns }
    }
}

impl FileState {
    /// Whether a file that was found in another state is still in this one.
    pub fn holds_in(&self, found: &Self) -> bool {
        let without_ctime = |state: &Self| Self { ctime_ns: None, ..*state };
        without_ctime(self) == without_ctime(found) && self.ctime_ns.is_none_or(|ctime| found.ctime_ns == Some(ctime))
    }
}

/// Where a worker finds a table. A storage that is not a directory of this machine adds its own variant, and every place
/// that starts a worker must then decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerRoot {
    /// An absolute path on this machine. It is for those who open it without following links.
    Folder(PathBuf),
}

/// Why a table's newest snapshot cannot be determined.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such folder below the storage root, or a link leads to it.
    #[error("there is no folder `{0}` below the storage root")]
    NoFolder(Location),
    /// The folder holds no table of its format.
    #[error("the folder `{0}` contains no {1} table yet")]
    NoTable(Location, Format),
    /// A link lies on the way to the folder.
    #[error("the path to `{0}` contains a symbolic link")]
    Link(Location),
    /// Too many files or folders.
    #[error("the folder `{0}` contains more than {1} entries or is too deep")]
    TooLarge(Location, usize),
    /// The storage failed.
    #[error("the folder `{0}` cannot be listed: {1}")]
    Io(Location, #[source] io::Error),
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such file.
    #[error("there is no such file")]
    NotFound,
    /// The file is gone or no longer in the state in which it was pinned or opened.
    #[error("the file changed")]
    Changed,
    /// The file has other names, by which it can be changed from elsewhere.
    #[error("the file has other hard links")]
    HardLink,
    /// The folder has more files than are listed.
    #[error("the folder has too many files to list")]
    TooMany,
    /// The storage failed.
    #[error("the file cannot be read")]
    Io(#[source] io::Error),
}
