//! The table's folder, through which all of its files are opened. A table may also be one file alone.
//!
//! Every file is opened with `openat2` relative to the folder's handle, which refuses any path that leads out of the
//! folder or through a symbolic link, and a file with several hard links is refused, since it can be changed through
//! each of them. The first handle of a file pins its size, modification time, inode and change time; later handles must
//! have the same, and [`Root::verify`] checks them again at the end. An inspection therefore sees one state of the
//! files, or fails.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use domain::table::{FileDigest, PinnedFile};
use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, ResolveFlags, fstat, openat, openat2};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use crate::error::{Result, Unreadable};

/// How much of a file is digested at once.
const CHUNK_BYTES: usize = 1 << 20;
/// The maximum depth of folders below a table.
const MAX_FOLDER_DEPTH: usize = 32;

/// The folder of one table.
#[derive(Debug)]
pub(crate) struct Root {
    dir: OwnedFd,
    /// The name of the file that is the table; the folder then only leads to it.
    only: Option<String>,
    pins: Mutex<BTreeMap<String, PinnedFile>>,
}

/// An entry of a folder.
pub(crate) struct Entry {
    /// Its path below the table's folder.
    pub(crate) path: String,
    pub(crate) file_type: FileType,
}

impl Root {
    /// Opens the table's folder, which must not itself be a symbolic link.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = openat(CWD, path, flags, Mode::empty())
            .map_err(|error| Unreadable(format!("its folder cannot be opened: {error}")))?;
        Ok(Self { dir, only: None, pins: Mutex::default() })
    }

    /// Opens the table's folder, or the file that is the table. The file itself is opened like those of a folder.
    pub(crate) fn open_or_file(path: &Path) -> Result<Self> {
        let is_file = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
        let parts = (path.parent(), path.file_name().and_then(OsStr::to_str));
        let (true, (Some(folder), Some(name))) = (is_file, parts) else { return Self::open(path) };
        // The sandbox allows the file, and its folder only as the way to it.
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = openat(CWD, folder, flags, Mode::empty())
            .map_err(|error| Unreadable(format!("its folder cannot be opened: {error}")))?;
        Ok(Self { dir, only: Some(name.to_owned()), pins: Mutex::default() })
    }

    /// Opens a file for reading and pins it.
    pub(crate) fn open_file(&self, path: &str) -> Result<(File, PinnedFile)> {
        // Without `NONBLOCK`, opening a named pipe would block before its type can be checked.
        let file = self.open_below(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC)?;
        let stat = fstat(&file).map_err(|error| refused(path, error))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Unreadable(format!("`{path}` is not a regular file")));
        }
        if stat.st_nlink > 1 {
            return Err(Unreadable(format!(
                "`{path}` has {} hard links: copy it, so that it cannot be changed from elsewhere",
                stat.st_nlink
            )));
        }
        let nanoseconds = |seconds: i64, rest| {
            let rest = i64::try_from(rest).ok();
            let sum = rest.and_then(|rest| seconds.checked_mul(1_000_000_000)?.checked_add(rest));
            sum.ok_or_else(|| Unreadable(format!("`{path}` has no time")))
        };
        let found = PinnedFile {
            path: path.to_owned(),
            size_bytes: u64::try_from(stat.st_size).unwrap_or(0),
            mtime_ns: nanoseconds(stat.st_mtime, stat.st_mtime_nsec)?,
            inode: stat.st_ino,
            ctime_ns: Some(nanoseconds(stat.st_ctime, stat.st_ctime_nsec)?),
            digest: None,
        };
        let mut pins = self.pins.lock().unwrap_or_else(PoisonError::into_inner);
        let pinned = pins.entry(found.path.clone()).or_insert_with(|| found.clone());
        if *pinned != found {
            return Err(Unreadable(format!("`{path}` changed while it was inspected")));
        }
        Ok((File::from(file), found))
    }

    /// The entries of a folder, sorted; fails above `limit`. The empty path is the table's folder.
    pub(crate) fn list(&self, folder: &str, limit: usize) -> Result<Vec<Entry>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = self.open_below(if folder.is_empty() { "." } else { folder }, flags)?;
        let mut entries = Vec::new();
        for entry in Dir::new(dir).map_err(|error| refused(folder, error))? {
            let entry = entry.map_err(|error| refused(folder, error))?;
            let Ok(name) = entry.file_name().to_str() else {
                return Err(Unreadable(format!("a name in `{folder}` is not UTF-8")));
            };
            if matches!(name, "." | "..") {
                continue;
            }
            if entries.len() == limit {
                return Err(Unreadable(format!("`{folder}` holds more than {limit} names")));
            }
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            entries.push(Entry { path, file_type: entry.file_type() });
        }
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    /// The paths below the folder, at any depth, for which `wanted` holds; fails above `limit`. Folders whose name
    /// begins with `_` or `.` are skipped. A file that is the table is wanted under any name.
    pub(crate) fn list_below(&self, wanted: impl Fn(&str) -> bool, limit: usize) -> Result<Vec<String>> {
        if let Some(only) = &self.only {
            return Ok(vec![only.clone()]);
        }
        let mut found = Vec::new();
        let mut folders = vec![(String::new(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            if depth > MAX_FOLDER_DEPTH {
                return Err(Unreadable(format!("`{folder}` is deeper than {MAX_FOLDER_DEPTH} folders")));
            }
            for entry in self.list(&folder, limit)? {
                let name = entry.path.rsplit('/').next().unwrap_or_default();
                if entry.file_type == FileType::Directory && !name.starts_with(['_', '.']) {
                    folders.push((entry.path, depth + 1));
                } else if wanted(&entry.path) {
                    found.push(entry.path);
                } else if entry.file_type == FileType::Symlink {
                    return Err(Unreadable(format!("`{}` is a symbolic link", entry.path)));
                }
                if found.len() > limit {
                    return Err(Unreadable(format!("it has more than {limit} files")));
                }
            }
        }
        Ok(found)
    }

    /// The digest of a file's bytes.
    pub(crate) fn digest(&self, path: &str) -> Result<FileDigest> {
        let (mut file, _) = self.open_file(path)?;
        let (mut hash, mut chunk) = (Sha256::new(), vec![0; CHUNK_BYTES]);
        loop {
            match file.read(&mut chunk) {
                Ok(0) => return Ok(FileDigest(hash.finalize().into())),
                Ok(read) => hash.update(&chunk[..read]),
                Err(error) => return Err(Unreadable(format!("`{path}` cannot be read: {error}"))),
            }
        }
    }

    /// Opens every pinned file again, to check that none has changed.
    pub(crate) fn verify(&self) -> Result<()> {
        let paths: Vec<String> = self.pins.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect();
        for path in paths {
            self.open_file(&path).map_err(|_| Unreadable(format!("`{path}` changed while it was inspected")))?;
        }
        Ok(())
    }

    fn open_below(&self, path: &str, flags: OFlags) -> Result<OwnedFd> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        openat2(self.dir.as_fd(), path, flags, Mode::empty(), resolve).map_err(|error| refused(path, error))
    }
}

fn refused(path: &str, error: Errno) -> Unreadable {
    match error {
        Errno::LOOP => Unreadable(format!("`{path}` is or lies behind a symbolic link")),
        Errno::XDEV => Unreadable(format!("`{path}` leads out of the table's folder")),
        Errno::NOENT | Errno::NOTDIR => Unreadable(format!("`{path}` is missing")),
        error => Unreadable(format!("`{path}` cannot be opened: {error}")),
    }
}
