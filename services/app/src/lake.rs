//! Local storage, by names only: where a table's folder is, and which snapshot is its newest.
//!
//! The server lists names, sizes and times; it never opens a data file, a manifest or a log entry. Folders are opened
//! below the storage root without following links, one descriptor after the other, so nothing outside is reached.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use domain::table::{Format, Location, PinnedFile, SnapshotKey, is_parquet_data_file};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, openat, openat2, statat};

/// The most names that are looked at in one folder tree.
const MAX_NAMES: usize = 1_000_000;
/// The deepest folder below a table.
const MAX_DEPTH: usize = 16;

/// Why a table's newest snapshot cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such folder below the storage root, or a link leads to it.
    #[error("there is no folder `{0}` below the storage root")]
    NoFolder(Location),
    /// The folder holds no table of its format.
    #[error("the folder `{0}` holds no {1} table yet")]
    NoTable(Location, Format),
    /// A link lies on the way to the folder.
    #[error("a link lies on the way to `{0}`")]
    Link(Location),
    /// Too many files or folders.
    #[error("the folder `{0}` holds more than {MAX_NAMES} names or is too deep")]
    TooLarge(Location),
    /// The operating system failed.
    #[error("the folder `{0}` cannot be listed: {1}")]
    Io(Location, #[source] rustix::io::Errno),
}

/// The folder that all local tables lie in.
#[derive(Clone, Debug)]
pub struct Lake {
    root: PathBuf,
}

impl Lake {
    /// The lake below an existing folder; its own path may hold links, they are resolved here and now.
    ///
    /// # Errors
    /// If the folder does not exist.
    pub fn open(root: &Path) -> std::io::Result<Self> {
        Ok(Self { root: root.canonicalize()? })
    }

    /// A table's folder, absolute. Segments were parsed; the path is only for those who open it without following links.
    pub fn folder(&self, location: &Location) -> PathBuf {
        location.segments().iter().fold(self.root.clone(), |path, segment| path.join(segment))
    }

    /// The newest snapshot by the names in the folder. For Delta the highest log entry, whether or not the log is whole:
    /// that is for the inspection to find. Blocking.
    ///
    /// # Errors
    /// Any [`Error`].
    pub fn newest(&self, location: &Location, format: Format) -> Result<SnapshotKey, Error> {
        let folder = self.open_folder(location)?;
        match format {
            Format::Delta => newest_delta(&folder, location),
            Format::Parquet => newest_parquet(&folder, location),
        }
    }

    /// Whether a newer Delta entry follows this one: one look for one name. Blocking.
    ///
    /// # Errors
    /// [`Error::NoFolder`].
    pub fn has_delta_entry(&self, location: &Location, version: u64) -> Result<bool, Error> {
        let folder = self.open_folder(location)?;
        let name = format!("_delta_log/{version:020}.json");
        Ok(statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).is_ok())
    }

    /// Checks that no link lies on the way to a location, as far as the way exists. Blocking.
    ///
    /// # Errors
    /// [`Error::Link`], [`Error::Io`].
    pub fn check_way(&self, location: &Location) -> Result<(), Error> {
        match self.open_beneath(location)? {
            Ok(_) | Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(rustix::io::Errno::LOOP | rustix::io::Errno::XDEV) => Err(Error::Link(location.clone())),
            Err(errno) => Err(Error::Io(location.clone(), errno)),
        }
    }

    fn open_folder(&self, location: &Location) -> Result<OwnedFd, Error> {
        self.open_beneath(location)?.map_err(|_| Error::NoFolder(location.clone()))
    }

    /// Opens a folder below the root; no link is followed. The outer error is the root's own.
    fn open_beneath(&self, location: &Location) -> Result<Result<OwnedFd, rustix::io::Errno>, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root =
            rustix::fs::open(&self.root, flags, Mode::empty()).map_err(|errno| Error::Io(location.clone(), errno))?;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        Ok(openat2(&root, location.to_string(), flags, Mode::empty(), resolve))
    }
}

fn newest_delta(folder: &OwnedFd, location: &Location) -> Result<SnapshotKey, Error> {
    let no_table = || Error::NoTable(location.clone(), Format::Delta);
    let log = open_child(folder, OsStr::new("_delta_log")).map_err(|_| no_table())?;
    let mut newest: Option<u64> = None;
    for (n_names, entry) in Dir::read_from(&log).map_err(|errno| Error::Io(location.clone(), errno))?.enumerate() {
        let entry = entry.map_err(|errno| Error::Io(location.clone(), errno))?;
        if n_names > MAX_NAMES {
            return Err(Error::TooLarge(location.clone()));
        }
        newest = newest.max(delta_version(entry.file_name().to_bytes()));
    }
    newest.map(SnapshotKey::DeltaVersion).ok_or_else(no_table)
}

/// The version of a log entry's name: 20 digits and `.json`.
fn delta_version(name: &[u8]) -> Option<u64> {
    let digits = name.strip_suffix(b".json")?;
    let good = digits.len() == 20 && digits.iter().all(u8::is_ascii_digit);
    good.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

fn newest_parquet(folder: &OwnedFd, location: &Location) -> Result<SnapshotKey, Error> {
    let mut files = Vec::new();
    let mut n_names = 0;
    let top = open_child(folder, OsStr::new(".")).map_err(|errno| Error::Io(location.clone(), errno))?;
    let mut waiting = vec![(String::new(), top, 0_usize)];
    while let Some((prefix, folder, depth)) = waiting.pop() {
        for entry in Dir::read_from(&folder).map_err(|errno| Error::Io(location.clone(), errno))? {
            let entry = entry.map_err(|errno| Error::Io(location.clone(), errno))?;
            n_names += 1;
            if n_names > MAX_NAMES || depth > MAX_DEPTH {
                return Err(Error::TooLarge(location.clone()));
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
                FileType::RegularFile if is_parquet_data_file(&path) => files.push(pinned(path, &stat)),
                _ => {}
            }
        }
    }
    if files.is_empty() {
        return Err(Error::NoTable(location.clone(), Format::Parquet));
    }
    Ok(SnapshotKey::of_parquet_files(&files))
}

fn open_child(folder: &OwnedFd, name: &OsStr) -> Result<OwnedFd, rustix::io::Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    openat(folder, name.as_bytes(), flags, Mode::empty())
}

/// A file pinned by what the operating system says of it.
#[expect(clippy::cast_possible_wrap, clippy::unnecessary_cast, reason = "widths differ between platforms")]
pub(crate) fn pinned(path: String, stat: &rustix::fs::Stat) -> PinnedFile {
    PinnedFile {
        path,
        size_bytes: u64::try_from(stat.st_size).unwrap_or(0),
        mtime_ns: (stat.st_mtime as i64).saturating_mul(1_000_000_000).saturating_add(stat.st_mtime_nsec as i64),
        inode: stat.st_ino,
    }
}
