//! Files: opened without following links, read in chunks, and compared with the pinned state around each read.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use domain::pending::Pending;
use domain::storage::{FileState, ReadError, Reader};
use domain::table::PinnedFile;
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat2};
use rustix::io::Errno;

use crate::blocking::read_blocking;

pub(crate) const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::DIRECTORY);
pub(crate) const NO_LINKS: ResolveFlags = ResolveFlags::NO_SYMLINKS.union(ResolveFlags::NO_MAGICLINKS);
/// `NONBLOCK`: opening a pipe that has no writer must not wait for one.
const FILE: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// An open regular file.
#[derive(Debug)]
pub(crate) struct LocalFile {
    file: File,
    /// The whole state in which it was opened.
    opened_in: FileState,
    /// The reported state: for a pinned file, the pinned parts of it.
    told: FileState,
}

impl LocalFile {
    /// The file under a key below a table's directory.
    pub(crate) fn beneath(folder: &OwnedFd, key: &str) -> Result<Self, ReadError> {
        Self::regular(openat2(folder, key, FILE, Mode::empty(), NO_LINKS | ResolveFlags::BENEATH))?.alone()
    }

    /// The file at an absolute path.
    pub(crate) fn absolute(path: &Path) -> Result<Self, ReadError> {
        Self::regular(openat2(CWD, path, FILE, Mode::empty(), NO_LINKS))
    }

    /// The opened file, if it is in the pinned state.
    pub(crate) fn pinned(opened: Result<Self, ReadError>, pin: &PinnedFile) -> Result<Self, ReadError> {
        let pinned = FileState::from(pin);
        match opened {
            Ok(file) if pinned.holds_in(&file.opened_in) => Ok(Self { told: pinned, ..file }),
            Ok(_) | Err(ReadError::NotFound) => Err(ReadError::Changed),
            Err(other) => Err(other),
        }
    }

    /// A file that has no other hard link, by which it could be changed.
    fn alone(self) -> Result<Self, ReadError> {
        let stat = fstat(&self.file).map_err(read_error)?;
        if stat.st_nlink > 1 { Err(ReadError::HardLink) } else { Ok(self) }
    }

    /// The whole state in which it was opened.
    pub(crate) fn opened_in(&self) -> FileState {
        self.opened_in
    }

    fn regular(opened: rustix::io::Result<OwnedFd>) -> Result<Self, ReadError> {
        let file = opened.map_err(read_error)?;
        let stat = fstat(&file).map_err(read_error)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(ReadError::NotFound);
        }
        let state = state(&stat);
        Ok(Self { file: file.into(), opened_in: state, told: state })
    }

    pub(crate) fn read_chunk(&self, offset: u64, length: usize) -> Result<Vec<u8>, ReadError> {
        let mut chunk = vec![0; length];
        self.file.read_exact_at(&mut chunk, offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => ReadError::Changed,
            _ => ReadError::Io(error),
        })?;
        if state(&fstat(&self.file).map_err(read_error)?) != self.opened_in {
            return Err(ReadError::Changed);
        }
        Ok(chunk)
    }
}

impl Reader for LocalFile {
    fn state(&self) -> FileState {
        self.told
    }

    fn read(self: Arc<Self>, offset: u64, length: usize) -> Pending<'static, Result<Vec<u8>, ReadError>> {
        read_blocking(move || self.read_chunk(offset, length))
    }
}

/// The state of a file according to the operating system.
#[expect(clippy::cast_possible_wrap, clippy::unnecessary_cast, reason = "widths differ between platforms")]
pub(crate) fn state(stat: &Stat) -> FileState {
    let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
    FileState {
        size_bytes: u64::try_from(stat.st_size).unwrap_or(0),
        mtime_ns: nanoseconds(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
        inode: stat.st_ino as u64,
        ctime_ns: Some(nanoseconds(stat.st_ctime as i64, stat.st_ctime_nsec as i64)),
    }
}

pub(crate) fn read_error(errno: Errno) -> ReadError {
    match errno {
        // Not there; or there, but behind a link, or not a file.
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV | Errno::NXIO | Errno::NAMETOOLONG => {
            ReadError::NotFound
        }
        other => ReadError::Io(other.into()),
    }
}
