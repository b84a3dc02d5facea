//! Names: the newest snapshot of a table, and the files below its directory.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use domain::storage::{Error, FileState, ReadError};
use domain::table::{Format, Location, LogName, PinnedFile, SnapshotKey, is_parquet_data_file};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, openat, openat2, statat};
use rustix::io::Errno;

use crate::file::{FOLDER, NO_LINKS, read_error, state};

/// The folder of a Delta table's log.
pub(crate) const DELTA_LOG: &str = "_delta_log";
/// The most names that are looked at to find the newest snapshot.
const MAX_NAMES: usize = 1_000_000;
/// The deepest directory below a table that is looked at to find the newest snapshot.
const MAX_DEPTH: usize = 16;
/// The most files and directories that are walked to list a table's files.
const MAX_WALKED: usize = 200_000;
/// The deepest directory below a table that is walked to list its files.
const MAX_WALKED_DEPTH: usize = 32;

/// The newest snapshot, by the names in the log.
pub(crate) fn newest_delta(folder: &OwnedFd, location: &Location) -> Result<SnapshotKey, Error> {
    let no_table = || Error::NoTable(location.clone(), Format::Delta);
    let log = open_child(folder, OsStr::new(DELTA_LOG)).map_err(|_| no_table())?;
    match newest_version(&log) {
        Ok(newest) => newest.map(SnapshotKey::DeltaVersion).ok_or_else(no_table),
        Err(Errno::OVERFLOW) => Err(Error::TooLarge(location.clone(), MAX_NAMES)),
        Err(errno) => Err(io_error(location)(errno)),
    }
}

/// The highest version that a log has an entry for, or that a checkpoint stands for: all of its parts, if it has any;
/// `OVERFLOW` above [`MAX_NAMES`].
pub(crate) fn newest_version(log: &OwnedFd) -> Result<Option<u64>, Errno> {
    let mut newest: Option<u64> = None;
    let mut parts: BTreeMap<(u64, u32), BTreeSet<u32>> = BTreeMap::new();
    for (n_names, entry) in Dir::read_from(log)?.enumerate() {
        if n_names > MAX_NAMES {
            return Err(Errno::OVERFLOW);
        }
        match entry?.file_name().to_str().ok().and_then(LogName::parse) {
            Some((version, LogName::Entry | LogName::Checkpoint | LogName::JsonCheckpoint)) => {
                newest = newest.max(Some(version));
            }
            Some((version, LogName::CheckpointPart { part, parts: n_parts })) => {
                parts.entry((version, n_parts)).or_default().insert(part);
            }
            None => {}
        }
    }
    let complete =
        parts.iter().filter(|((_, n_parts), found)| *n_parts > 0 && (1..=*n_parts).all(|part| found.contains(&part)));
    Ok(newest.max(complete.map(|((version, _), _)| *version).max()))
}

/// Where the log entry of a version is, below the table.
pub(crate) fn delta_entry(version: u64) -> String {
    format!("{DELTA_LOG}/{}", LogName::entry(version))
}

pub(crate) fn newest_parquet(folder: &OwnedFd, location: &Location) -> Result<SnapshotKey, Error> {
    let mut files = Vec::new();
    let mut n_names = 0;
    let top = open_child(folder, OsStr::new(".")).map_err(io_error(location))?;
    let mut waiting = vec![(String::new(), top, 0_usize)];
    while let Some((prefix, folder, depth)) = waiting.pop() {
        for entry in Dir::read_from(&folder).map_err(io_error(location))? {
            let entry = entry.map_err(io_error(location))?;
            n_names += 1;
            if n_names > MAX_NAMES || depth > MAX_DEPTH {
                return Err(Error::TooLarge(location.clone(), MAX_NAMES));
            }
            let Ok(name) = entry.file_name().to_str() else { continue };
            if name.starts_with(['_', '.']) {
                continue;
            }
            let Ok(stat) = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            let path = format!("{prefix}{name}");
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => {
                    if let Ok(child) = open_child(&folder, OsStr::new(name)) {
                        waiting.push((format!("{path}/"), child, depth + 1));
                    }
                }
                FileType::RegularFile if is_parquet_data_file(&path) => files.push(pinned(path, state(&stat))),
                _ => {}
            }
        }
    }
    if files.is_empty() {
        return Err(Error::NoTable(location.clone(), Format::Parquet));
    }
    Ok(SnapshotKey::of_parquet_files(&files))
}

pub(crate) fn walk(root: &OwnedFd, prefix: &str) -> Result<Vec<PinnedFile>, ReadError> {
    let mut files = Vec::new();
    let mut n_seen = 0;
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let path = if folder.is_empty() { "." } else { folder.as_str() };
        let handle = match openat2(root, path, FOLDER, Mode::empty(), NO_LINKS | ResolveFlags::BENEATH) {
            Ok(handle) => handle,
            // It went away, or became a link, since its parent was read.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
            Err(errno) => return Err(read_error(errno)),
        };
        for entry in Dir::read_from(&handle).map_err(read_error)? {
            let entry = entry.map_err(read_error)?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if matches!(name, "." | "..") {
                continue;
            }
            n_seen += 1;
            if n_seen > MAX_WALKED {
                return Err(ReadError::TooMany);
            }
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            match look(&handle, name)? {
                Some((FileType::RegularFile, state)) if path.starts_with(prefix) => files.push(pinned(path, state)),
                Some((FileType::Directory, _))
                    if path.split('/').count() <= MAX_WALKED_DEPTH && leads_to(&path, prefix) =>
                {
                    folders.push(path);
                }
                _ => {}
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The type and state of a name in a directory, links not followed; `None` if it went away, or is a file that has other
/// hard links.
fn look(folder: impl AsFd, name: &str) -> Result<Option<(FileType, FileState)>, ReadError> {
    match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_nlink > 1 => Ok(None),
        Ok(stat) => Ok(Some((FileType::from_raw_mode(stat.st_mode), state(&stat)))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(read_error(errno)),
    }
}

/// Whether keys in a directory can begin with the prefix.
fn leads_to(folder: &str, prefix: &str) -> bool {
    prefix.starts_with(folder) || folder.starts_with(prefix)
}

fn open_child(folder: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    openat(folder, name.as_bytes(), FOLDER | OFlags::NOFOLLOW, Mode::empty())
}

fn pinned(path: String, state: FileState) -> PinnedFile {
    let FileState { size_bytes, mtime_ns, inode, ctime_ns } = state;
    PinnedFile { path, size_bytes, mtime_ns, inode, ctime_ns, digest: None }
}

fn io_error(location: &Location) -> impl Fn(Errno) -> Error + '_ {
    |errno| Error::Io(location.clone(), errno.into())
}
