//! Files on disk: opened below one folder without following links, read in chunks, and checked after each read.
//!
//! A file is addressed by the folder's handle and a key, and the kernel refuses to resolve anything outside of the folder
//! (`openat2` with `RESOLVE_BENEATH` and `RESOLVE_NO_SYMLINKS`), so nothing can be swapped between a check and its use.
//! Everything here blocks; [`crate::s3`] calls it on blocking threads.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use app::lease::Scope;
use app::lease::file_list::{FileList, ListedFile, Place, is_key};
use bytes::Bytes;
use domain::table::PinnedFile;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat2, statat};
use rustix::io::Errno;

/// The size of a read.
pub(crate) const CHUNK_BYTES: u64 = 1 << 20;
/// The most files and folders that are listed of a table's unpinned folder.
const MAX_WALKED: usize = 200_000;
/// The deepest folder that is listed, below the table's.
const MAX_DEPTH: usize = 32;

/// Why a file is not served.
#[derive(Debug)]
pub(crate) enum Error {
    /// The lease has no such file.
    NotFound,
    /// The lease has it, but it is missing or not in the inspected state.
    Changed,
    /// The folder has more files than we list.
    TooMany,
    /// The operating system failed.
    Io(io::Error),
}

impl From<Errno> for Error {
    fn from(errno: Errno) -> Self {
        match errno {
            // Missing, behind a link, or not a file.
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV | Errno::NXIO | Errno::NAMETOOLONG => {
                Self::NotFound
            }
            other => Self::Io(other.into()),
        }
    }
}

/// The identity of one state of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) size_bytes: u64,
    pub(crate) mtime_ns: i64,
    pub(crate) inode: u64,
}

impl Stamp {
    /// The strong ETag, without quotes: inode, size and modification time, in hex.
    pub(crate) fn etag(&self) -> String {
        format!("{:x}-{:x}-{:x}", self.inode, self.size_bytes, self.mtime_ns)
    }

    #[expect(clippy::unnecessary_cast, reason = "the types of `stat` differ between platforms")]
    fn of(stat: &Stat) -> Self {
        let mtime_ns = (stat.st_mtime as i64).saturating_mul(1_000_000_000).saturating_add(stat.st_mtime_nsec as i64);
        Self { size_bytes: u64::try_from(stat.st_size).unwrap_or(0), mtime_ns, inode: stat.st_ino as u64 }
    }
}

impl From<&PinnedFile> for Stamp {
    fn from(file: &PinnedFile) -> Self {
        Self { size_bytes: file.size_bytes, mtime_ns: file.mtime_ns, inode: file.inode }
    }
}

/// A file opened for one answer.
#[derive(Debug)]
pub(crate) struct OpenFile {
    file: File,
    /// The only state in which it is served.
    pub(crate) stamp: Stamp,
}

impl OpenFile {
    /// Opens the file of a scope under exactly this key.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the scope has none; [`Error::Changed`] if the pinned file is not in the inspected state.
    pub(crate) fn open(scope: &Scope, key: &str) -> Result<Self, Error> {
        match scope {
            Scope::Pinned { root, files } => Self::pinned(root, files.find(key).ok_or(Error::NotFound)?),
            Scope::Folder { root } if is_key(key) => Self::beneath(&open_folder(root)?, key),
            Scope::Folder { .. } => Err(Error::NotFound),
        }
    }

    /// Reads bytes, as they were when the file was opened.
    ///
    /// # Errors
    /// [`Error::Changed`] if the file changed since.
    pub(crate) fn read(&self, offset: u64, length: usize) -> Result<Bytes, Error> {
        let mut chunk = vec![0; length];
        self.file.read_exact_at(&mut chunk, offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Error::Changed,
            _ => Error::Io(error),
        })?;
        if Stamp::of(&fstat(&self.file)?) != self.stamp {
            return Err(Error::Changed);
        }
        Ok(chunk.into())
    }

    fn pinned(root: &Path, listed: &ListedFile) -> Result<Self, Error> {
        let opened = match &listed.place {
            Place::Table => open_folder(root).and_then(|root| Self::beneath(&root, &listed.file.path)),
            Place::Own(path) => Self::regular(openat2(CWD, path, FILE, Mode::empty(), NO_LINKS)),
        };
        match opened {
            Ok(opened) if opened.stamp == Stamp::from(&listed.file) => Ok(opened),
            Ok(_) | Err(Error::NotFound) => Err(Error::Changed),
            Err(other) => Err(other),
        }
    }

    fn beneath(root: &OwnedFd, key: &str) -> Result<Self, Error> {
        Self::regular(openat2(root, key, FILE, Mode::empty(), NO_LINKS | ResolveFlags::BENEATH))
    }

    fn regular(opened: rustix::io::Result<OwnedFd>) -> Result<Self, Error> {
        let file = opened?;
        let stat = fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Error::NotFound);
        }
        Ok(Self { file: file.into(), stamp: Stamp::of(&stat) })
    }
}

/// The files that a lease can list, sorted by the bytes of their keys.
pub(crate) enum Files {
    /// The list of the pinned snapshot.
    Pinned(Arc<FileList>),
    /// The current content of the folder.
    Walked(Vec<PinnedFile>),
}

impl Files {
    /// All files of a scope; of an unpinned folder, those under the prefix, without links.
    ///
    /// # Errors
    /// [`Error::TooMany`], [`Error::Io`].
    pub(crate) fn list(scope: &Scope, prefix: &str) -> Result<Self, Error> {
        match scope {
            Scope::Pinned { files, .. } => Ok(Self::Pinned(Arc::clone(files))),
            Scope::Folder { root } => walk(&open_folder(root)?, prefix).map(Self::Walked),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Pinned(files) => files.entries().len(),
            Self::Walked(files) => files.len(),
        }
    }

    pub(crate) fn get(&self, index: usize) -> &PinnedFile {
        match self {
            Self::Pinned(files) => &files.entries()[index].file,
            Self::Walked(files) => &files[index],
        }
    }
}

/// `NONBLOCK`: opening a pipe must not wait for a writer.
const FILE: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::DIRECTORY);
const NO_LINKS: ResolveFlags = ResolveFlags::NO_SYMLINKS.union(ResolveFlags::NO_MAGICLINKS);

fn open_folder(root: &Path) -> Result<OwnedFd, Error> {
    Ok(openat2(CWD, root, FOLDER, Mode::empty(), NO_LINKS)?)
}

fn walk(root: &OwnedFd, prefix: &str) -> Result<Vec<PinnedFile>, Error> {
    let mut files = Vec::new();
    let mut n_seen = 0;
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let path = if folder.is_empty() { "." } else { folder.as_str() };
        let handle = match openat2(root, path, FOLDER, Mode::empty(), NO_LINKS | ResolveFlags::BENEATH) {
            Ok(handle) => handle,
            // It was removed, or replaced by a link, since its parent was read.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
            Err(errno) => return Err(errno.into()),
        };
        for entry in Dir::read_from(&handle)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if matches!(name, "." | "..") {
                continue;
            }
            n_seen += 1;
            if n_seen > MAX_WALKED {
                return Err(Error::TooMany);
            }
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            match stat_entry(&handle, name)? {
                Some((FileType::RegularFile, stamp)) if path.starts_with(prefix) => {
                    let Stamp { size_bytes, mtime_ns, inode } = stamp;
                    files.push(PinnedFile { path, size_bytes, mtime_ns, inode });
                }
                Some((FileType::Directory, _)) if path.split('/').count() <= MAX_DEPTH && may_match(&path, prefix) => {
                    folders.push(path);
                }
                _ => {}
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The type and state of a folder's entry, without following links; `None` if it is gone.
fn stat_entry(folder: impl AsFd, name: &str) -> Result<Option<(FileType, Stamp)>, Error> {
    match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some((FileType::from_raw_mode(stat.st_mode), Stamp::of(&stat)))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Whether keys in a folder can begin with the prefix.
fn may_match(folder: &str, prefix: &str) -> bool {
    prefix.starts_with(folder) || folder.starts_with(prefix)
}
