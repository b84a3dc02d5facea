//! The data directory: keys, stored file lists, our own checkpoints, and scratch space for inspections.
//!
//! ```text
//! charter-data/
//!   charter.toml        the configuration
//!   charter.db          SQLite, where it is the database
//!   keys/               one file a key, 0600
//!   lists/              file lists of snapshots, each under its digest
//!   checkpoints/        our own Delta checkpoints, each under its digest
//!   scratch/            emptied at start
//!   lake/               the storage root, unless configured elsewhere
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use domain::clock::Random;
use sha2::{Digest, Sha256};

use crate::lease::file_list::{self, Checkpoint, FileList, StoredFileList};

/// The data directory.
#[derive(Clone, Debug)]
pub struct DataDir {
    root: PathBuf,
}

impl DataDir {
    /// Opens the folder, making what is missing; what scratch space held is removed.
    ///
    /// # Errors
    /// If a folder cannot be made or read.
    pub fn open(root: &Path) -> io::Result<Self> {
        let make = |path: &Path| fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        make(root)?;
        let root = root.canonicalize()?;
        let scratch = root.join("scratch");
        if scratch.exists() {
            fs::remove_dir_all(&scratch)?;
        }
        for name in ["keys", "lists", "checkpoints", "scratch", "lake"] {
            make(&root.join(name))?;
        }
        Ok(Self { root })
    }

    /// The folder's path, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The directory of the keys of leases and records. The token issuer has its own, `issuer/`.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// The storage root of local tables, unless configured elsewhere.
    pub fn lake(&self) -> PathBuf {
        self.root.join("lake")
    }

    /// A key of 32 random bytes, made at first use and then kept, readable by its owner alone.
    ///
    /// # Errors
    /// If it cannot be read or written, is not 32 bytes, or others may read it.
    pub fn key(&self, name: &str, random: &dyn Random) -> io::Result<[u8; 32]> {
        let path = self.keys().join(name);
        match OpenOptions::new().read(true).open(&path) {
            Ok(mut file) => {
                if file.metadata()?.permissions().mode() & 0o077 != 0 {
                    let message = format!("others may read the key `{}`: set its mode to 0600", path.display());
                    return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
                }
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes)?;
                bytes.try_into().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not a key of 32 bytes"))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut key = [0; 32];
                random.fill(&mut key);
                self.put(&path, &key)?;
                Ok(key)
            }
            Err(error) => Err(error),
        }
    }

    /// An empty folder for one inspection, removed when the value is dropped.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn scratch(&self, id: impl std::fmt::Display) -> io::Result<Scratch> {
        let path = self.root.join("scratch").join(id.to_string());
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Scratch { path })
    }

    /// Takes a checkpoint that an inspection wrote into its scratch folder. It is on disk when this returns. It is kept
    /// under the digest of its bytes and never replaced: leases that were handed out pin the file itself.
    ///
    /// # Errors
    /// If it cannot be read or kept.
    pub fn keep_checkpoint(&self, written: &Path) -> io::Result<Checkpoint> {
        let digest = hex::encode(Sha256::digest(fs::read(written)?));
        let path = self.root.join("checkpoints").join(format!("{digest}.parquet"));
        if !path.exists() {
            File::open(written)?.sync_all()?;
            match fs::hard_link(written, &path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => sync_folder(&path)?,
            }
        }
        let stat = fs::symlink_metadata(&path)?;
        let mtime_ns = stat.mtime().saturating_mul(1_000_000_000).saturating_add(stat.mtime_nsec());
        Ok(Checkpoint { path, size_bytes: stat.size(), mtime_ns, inode: stat.ino() })
    }

    /// Stores a file list under its digest; it is on disk when this returns. Storing it again changes nothing.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep_list(&self, list: &StoredFileList) -> io::Result<()> {
        let path = self.root.join("lists").join(&list.digest);
        if path.exists() { Ok(()) } else { self.put(&path, &list.bytes) }
    }

    /// The file list that was stored under a digest.
    ///
    /// # Errors
    /// If it is gone or not what was stored.
    pub fn list(&self, digest: &str) -> io::Result<FileList> {
        let bytes = fs::read(self.root.join("lists").join(digest))?;
        FileList::decode(digest, &bytes)
            .map_err(|error: file_list::Error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Writes a file whole or not at all: beside its place, synced, then linked to it without replacing.
    fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let beside = path.with_file_name(format!(".{name}.new"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        match fs::hard_link(&beside, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        fs::remove_file(&beside)?;
        sync_folder(path)
    }
}

/// Makes the name of a file durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

/// An empty folder that is removed when dropped.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "scratch directory could not be removed");
        }
    }
}
