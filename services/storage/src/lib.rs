//! Local storage: tables in a directory of this machine, behind the port [`domain::storage::Lake`].
//!
//! Directories and files are opened below the storage root without following links (`openat2` with `RESOLVE_BENEATH` and
//! `RESOLVE_NO_SYMLINKS`), so nothing outside is reached and nothing can be swapped between a check and its use. No data
//! file, manifest or log entry is parsed here. Which keys a lease may ask for is decided before (`app::lease`).
//!
//! `file` opens and reads files, `digest` compares them with pinned digests, `listing` reads names, and
//! `blocking` keeps all that off the threads of the runtime. An object store gets a crate of its own beside this one;
//! only `charter`, which wires them, and tests name either.

mod blocking;
mod digest;
mod file;
mod listing;

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::pending::Pending;
use domain::storage::{Error, Lake, ReadError, Reader, WorkerRoot};
use domain::table::{Format, Location, PinnedFile, SnapshotKey};
use rustix::fs::{AtFlags, CWD, Mode, ResolveFlags, openat, openat2, statat};
use rustix::io::Errno;

use self::blocking::{list_blocking, read_blocking};
use self::digest::Digests;
use self::file::{FOLDER, LocalFile, NO_LINKS};

/// The directory that all local tables are in.
#[derive(Clone, Debug)]
pub struct LocalLake {
    root: Arc<Path>,
    digests: Arc<Digests>,
}

impl LocalLake {
    /// The lake below an existing directory. Links in the root's own path are resolved here, once.
    ///
    /// # Errors
    /// If the directory does not exist.
    pub fn open(root: &Path) -> io::Result<Self> {
        Ok(Self { root: root.canonicalize()?.into(), digests: Arc::default() })
    }

    /// Opens a table's directory. The outer error is the root's own.
    fn open_beneath(&self, location: &Location) -> rustix::io::Result<rustix::io::Result<OwnedFd>> {
        let root = openat2(CWD, &*self.root, FOLDER, Mode::empty(), NO_LINKS)?;
        Ok(openat2(&root, location.to_string(), FOLDER, Mode::empty(), NO_LINKS | ResolveFlags::BENEATH))
    }

    fn open_to_list(&self, location: &Location) -> Result<OwnedFd, Error> {
        let opened = self.open_beneath(location).map_err(|errno| Error::Io(location.clone(), errno.into()))?;
        opened.map_err(|_| Error::NoFolder(location.clone()))
    }

    fn open_to_read(&self, location: &Location) -> Result<OwnedFd, ReadError> {
        self.open_beneath(location).and_then(|opened| opened).map_err(file::read_error)
    }
}

/// The newest version of the Delta table in a folder of this machine that belongs to no lake; `None` if it has no log.
/// Links are followed: the folder is one that the caller chose.
///
/// # Errors
/// If the log cannot be listed, or has no version.
pub fn newest_delta_version(folder: &Path) -> io::Result<Option<u64>> {
    let log = match openat(CWD, folder.join(listing::DELTA_LOG), FOLDER, Mode::empty()) {
        Ok(log) => log,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    let newest = listing::newest_version(&log)?;
    newest.map(Some).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "its log has no version"))
}

impl Lake for LocalLake {
    fn newest<'a>(&'a self, location: &'a Location, format: Format) -> Pending<'a, Result<SnapshotKey, Error>> {
        let (lake, location) = (self.clone(), location.clone());
        list_blocking(location.clone(), move || {
            let folder = lake.open_to_list(&location)?;
            match format {
                Format::Delta => listing::newest_delta(&folder, &location),
                Format::Parquet => listing::newest_parquet(&folder, &location),
            }
        })
    }

    fn has_newer<'a>(&'a self, location: &'a Location, head: &'a SnapshotKey) -> Pending<'a, Result<bool, Error>> {
        let next = match head {
            SnapshotKey::DeltaVersion(version) => version.saturating_add(1),
            SnapshotKey::ParquetDigest(_) => return Box::pin(std::future::ready(Ok(true))),
        };
        let (lake, location) = (self.clone(), location.clone());
        list_blocking(location.clone(), move || {
            let folder = lake.open_to_list(&location)?;
            Ok(statat(&folder, listing::delta_entry(next), AtFlags::SYMLINK_NOFOLLOW).is_ok())
        })
    }

    fn check_way(&self, location: &Location) -> Result<(), Error> {
        match self.open_beneath(location).map_err(|errno| Error::Io(location.clone(), errno.into()))? {
            Ok(_) | Err(Errno::NOENT) => Ok(()),
            Err(Errno::LOOP | Errno::XDEV) => Err(Error::Link(location.clone())),
            Err(errno) => Err(Error::Io(location.clone(), errno.into())),
        }
    }

    fn worker_root(&self, location: &Location) -> WorkerRoot {
        let root: PathBuf = location.segments().iter().fold(self.root.to_path_buf(), |path, name| path.join(name));
        WorkerRoot::Folder(root)
    }

    fn open_pinned<'a>(
        &'a self,
        location: &'a Location,
        file: &'a PinnedFile,
    ) -> Pending<'a, Result<Arc<dyn Reader>, ReadError>> {
        let (lake, at, pin) = (self.clone(), location.clone(), file.clone());
        let opened = read_blocking(move || {
            let opened = lake.open_to_read(&at).and_then(|folder| LocalFile::beneath(&folder, &pin.path));
            LocalFile::pinned(opened, &pin)
        });
        Box::pin(async move { self.digests.check(opened.await?, file).await })
    }

    fn open_own<'a>(&'a self, path: &'a Path, file: &'a PinnedFile) -> Pending<'a, Result<Arc<dyn Reader>, ReadError>> {
        let (path, pin) = (path.to_owned(), file.clone());
        let opened = read_blocking(move || LocalFile::pinned(LocalFile::absolute(&path), &pin));
        Box::pin(async move { self.digests.check(opened.await?, file).await })
    }

    fn open_current<'a>(
        &'a self,
        location: &'a Location,
        key: &'a str,
    ) -> Pending<'a, Result<Arc<dyn Reader>, ReadError>> {
        let (lake, location, key) = (self.clone(), location.clone(), key.to_owned());
        read_blocking(move || {
            let folder = lake.open_to_read(&location)?;
            Ok(Arc::new(LocalFile::beneath(&folder, &key)?) as Arc<dyn Reader>)
        })
    }

    fn list_current<'a>(
        &'a self,
        location: &'a Location,
        prefix: &'a str,
    ) -> Pending<'a, Result<Vec<PinnedFile>, ReadError>> {
        let (lake, location, prefix) = (self.clone(), location.clone(), prefix.to_owned());
        read_blocking(move || listing::walk(&lake.open_to_read(&location)?, &prefix))
    }
}
