//! The data directory: keys, stored file lists, our own checkpoints, and scratch space for inspections.
//!
//! ```text
//! charter-data/           0700
//!   charter.lock        held by the server that runs on the folder
//!   charter.toml        the configuration
//!   admin-recovered     while `--recover-admin` has been used, until a start without it
//!   charter.db          SQLite, where it is the database
//!   keys/               one file a key, 0600
//!   lists/              file lists of snapshots, each under its digest
//!   checkpoints/        our own Delta checkpoints, each under its digest
//!   chunks/             where the columns lie in the files of a list, under the digest of the list
//!   counts/             counts of data files for the next inspection of a table, under the table's id
//!   scratch/            emptied at start
//!   search/             the search index, under the digest of the policies; built anew where it is missing
//!   lake/               the storage root, unless configured elsewhere
//! ```

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::clock::{Random, Timestamp};
use domain::column_reads::ChunkMap;
use domain::id::TableId;
use domain::inspection::{Kept, MAX_CHECKPOINT_BYTES};
use domain::table::FileDigest;
use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use store::retention::StoredFile;
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use crate::column_reads::chunk_file;
use crate::inspection::counts;
use crate::issuer;
use crate::lease::file_list::{self, Checkpoint, FileList, StoredFileList};

/// The key of audit records and overrides.
pub const RECORD_KEY: &str = "record.key";
/// The key from which the secrets of leases are derived.
pub const LEASE_KEY: &str = "lease.key";
/// The lock file. Servers before the folder had a lock of its own held it with the database.
const LOCK_FILE: &str = "charter.lock";

/// Marks that the admin was recovered, until a start without recovery.
const RECOVERED_FILE: &str = "admin-recovered";

/// Why a data directory cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another server runs on it.
    #[error("it is in use by another process (`{}` is locked): stop that server first, or use another data directory", .0.display())]
    InUse(PathBuf),
    /// Others than its owner may enter or list it, and it has been used.
    #[error("it is accessible to other users (mode {mode:o}): it holds keys and the database; run `chmod 700 {}`", path.display())]
    LooseMode {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It cannot be made, read or locked.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The data directory. All clones share its lock, which is held until [`DataDir::unlock`] or the end of the process.
#[derive(Clone, Debug)]
pub struct DataDir {
    root: PathBuf,
    lock: Arc<File>,
    /// Shared from storing a file until the database names it, alone while files that it does not name are removed.
    naming: Arc<RwLock<()>>,
}

/// While it is held, no stored file is removed.
pub(crate) type Keeping = OwnedRwLockReadGuard<()>;

/// The longest file of counts: those within the limits of [`Kept`] have half of it.
const MAX_COUNTS_BYTES: u64 = 64 << 20;
/// How much of a file is read at once.
const CHUNK_BYTES: usize = 1 << 20;

impl DataDir {
    /// Opens the folder, making what is missing; what scratch space held is removed. It is locked before anything in it
    /// is touched: another server may be running on it. A folder that no server has used yet is closed to others than
    /// its owner.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(root: &Path) -> Result<Self, OpenError> {
        let make = |path: &Path| fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        make(root)?;
        let root = root.canonicalize()?;
        let mode = fs::metadata(&root)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            if [LOCK_FILE, "keys", "issuer"].iter().any(|name| root.join(name).exists()) {
                return Err(OpenError::LooseMode { path: root, mode });
            }
            fs::set_permissions(&root, Permissions::from_mode(0o700))?;
        }
        let lock = lock(root.join(LOCK_FILE))?;
        let scratch = root.join("scratch");
        if scratch.exists() {
            fs::remove_dir_all(&scratch)?;
        }
        for name in ["keys", "lists", "checkpoints", "chunks", "counts", "scratch", "lake"] {
            make(&root.join(name))?;
        }
        Ok(Self { root, lock: Arc::new(lock), naming: Arc::default() })
    }

    /// Releases the lock, for another server to start on the folder. Nothing may be written to the folder afterwards.
    ///
    /// # Errors
    /// If the lock cannot be released.
    pub fn unlock(&self) -> io::Result<()> {
        self.lock.unlock()
    }

    /// Whether a server has run on the folder before: it has keys. Its database belongs to them.
    pub fn has_keys(&self) -> bool {
        let keys = [self.keys().join(RECORD_KEY), self.keys().join(LEASE_KEY), self.root.join(issuer::KEY_FILE)];
        keys.iter().any(|key| key.exists())
    }

    /// Whether the key of audit records is there. Without it, earlier records cannot be read.
    pub fn has_record_key(&self) -> bool {
        self.keys().join(RECORD_KEY).exists()
    }

    /// The folder's path, absolute.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The directory of the keys of leases and records. The token issuer has its own, `issuer/`.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// Marks that the admin was recovered. False if it was already: recovery works once, until [`DataDir::rearm_recovery`].
    ///
    /// # Errors
    /// If the mark cannot be written.
    pub fn mark_recovery(&self) -> io::Result<bool> {
        let path = self.root.join(RECOVERED_FILE);
        match OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path) {
            Ok(_) => sync_folder(&path).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Lets the admin be recovered again.
    ///
    /// # Errors
    /// If the mark cannot be removed.
    pub fn rearm_recovery(&self) -> io::Result<()> {
        match fs::remove_file(self.root.join(RECOVERED_FILE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
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

    /// The folder of the search index under these policies. Those under others are removed.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn search(&self, policy_digest: &str) -> io::Result<PathBuf> {
        let all = self.root.join("search");
        let folder = all.join(policy_digest);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        for entry in fs::read_dir(all)? {
            let path = entry?.path();
            if path != folder {
                fs::remove_dir_all(path)?;
            }
        }
        Ok(folder)
    }

    /// Writes a small file and removes it: whether the folder can be written.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn probe(&self) -> io::Result<()> {
        let path = self.root.join("scratch").join(".probe");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        let written = file.write_all(&[0; 4_096]);
        fs::remove_file(&path)?;
        written
    }

    /// Keeps stored files that the database does not name yet from being removed.
    pub(crate) async fn keeping(&self) -> Keeping {
        Arc::clone(&self.naming).read_owned().await
    }

    /// Waits until the database names every file that was stored, and holds up the storing of others.
    pub(crate) async fn alone(&self) -> OwnedRwLockWriteGuard<()> {
        Arc::clone(&self.naming).write_owned().await
    }

    /// Takes a checkpoint that an inspection wrote into its scratch folder. It is on disk when this returns. It is kept
    /// under the digest of its bytes and never replaced: leases that were handed out pin the file itself. The worker is
    /// not trusted: the file is read in chunks, up to a limit.
    ///
    /// # Errors
    /// If it cannot be read or kept. The inner error is the worker's: [`file_list::Error::BadCheckpoint`],
    /// [`file_list::Error::LargeCheckpoint`].
    pub fn keep_checkpoint(&self, written: &Path) -> io::Result<Result<Checkpoint, file_list::Error>> {
        // Without `NONBLOCK`, opening a named pipe would wait for a writer.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let opened = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(written);
        let mut file = match opened {
            Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
                return Ok(Err(file_list::Error::BadCheckpoint));
            }
            opened => opened?,
        };
        let stat = file.metadata()?;
        if !stat.is_file() || stat.nlink() != 1 {
            return Ok(Err(file_list::Error::BadCheckpoint));
        }
        let Some(digest) = digest_up_to(&mut file, MAX_CHECKPOINT_BYTES)? else {
            return Ok(Err(file_list::Error::LargeCheckpoint));
        };
        let path = self.file(StoredFile::Checkpoint, &digest.to_string());
        if !path.exists() {
            file.sync_all()?;
            match renameat_with(CWD, written, CWD, &path, RenameFlags::NOREPLACE) {
                Ok(()) | Err(Errno::EXIST) => sync_folder(&path)?,
                Err(error) => return Err(error.into()),
            }
        }
        let stat = fs::symlink_metadata(&path)?;
        let mtime_ns = stat.mtime().saturating_mul(1_000_000_000).saturating_add(stat.mtime_nsec());
        Ok(Ok(Checkpoint { path, digest, size_bytes: stat.size(), mtime_ns, inode: stat.ino() }))
    }

    /// Where the stored file of a digest is.
    fn file(&self, kind: StoredFile, digest: &str) -> PathBuf {
        match kind {
            StoredFile::List | StoredFile::Chunks => self.folder(kind).join(digest),
            StoredFile::Checkpoint => self.folder(kind).join(format!("{digest}{CHECKPOINT_SUFFIX}")),
        }
    }

    fn folder(&self, kind: StoredFile) -> PathBuf {
        self.root.join(match kind {
            StoredFile::List => "lists",
            StoredFile::Checkpoint => "checkpoints",
            StoredFile::Chunks => "chunks",
        })
    }

    /// The digests of the stored files of a kind that were written before a time. What an interrupted write left behind
    /// is removed on the way.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub(crate) fn stored_before(&self, kind: StoredFile, before: Timestamp) -> io::Result<Vec<String>> {
        let mut digests = Vec::new();
        for entry in fs::read_dir(self.folder(kind))? {
            let entry = entry?;
            let stat = entry.metadata()?;
            if stat.mtime().saturating_mul(1_000_000).saturating_add(stat.mtime_nsec() / 1_000) >= before.0 {
                continue;
            }
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let digest = match kind {
                StoredFile::List | StoredFile::Chunks if name.starts_with('.') && name.ends_with(UNFINISHED_SUFFIX) => {
                    fs::remove_file(entry.path())?;
                    continue;
                }
                StoredFile::List | StoredFile::Chunks => Some(name),
                StoredFile::Checkpoint => name.strip_suffix(CHECKPOINT_SUFFIX),
            };
            let is_digest = |text: &&str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            digests.extend(digest.filter(is_digest).map(str::to_owned));
        }
        Ok(digests)
    }

    /// Removes a stored file. One that is gone already is no error.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub(crate) fn remove(&self, kind: StoredFile, digest: &str) -> io::Result<()> {
        match fs::remove_file(self.file(kind, digest)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The digest in the name of one of our own checkpoints.
    pub(crate) fn digest_of_checkpoint(path: &Path) -> Option<&str> {
        path.file_name()?.to_str()?.strip_suffix(CHECKPOINT_SUFFIX)
    }

    /// Stores a file list under its digest; it is on disk when this returns. Storing it again changes nothing.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep_list(&self, list: &StoredFileList) -> io::Result<()> {
        let path = self.file(StoredFile::List, &list.digest);
        if path.exists() { Ok(()) } else { self.put(&path, &list.bytes) }
    }

    /// The file list that was stored under a digest.
    ///
    /// # Errors
    /// If it is gone or not what was stored.
    pub fn list(&self, digest: &str) -> io::Result<FileList> {
        let bytes = fs::read(self.file(StoredFile::List, digest))?;
        FileList::decode(digest, &bytes)
            .map_err(|error: file_list::Error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Stores where the columns lie in the files of a list, under the digest of that. Storing it again changes nothing.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn keep_chunks(&self, list: &str, chunks: &ChunkMap) -> io::Result<()> {
        let path = self.file(StoredFile::Chunks, list);
        if path.exists() { Ok(()) } else { self.put(&path, &chunk_file::encode(chunks)?) }
    }

    /// Where the columns lie in the files of a list; `None` where that is missing or damaged.
    pub(crate) fn chunks(&self, list: &str) -> Option<ChunkMap> {
        let path = self.file(StoredFile::Chunks, list);
        let read = fs::read(&path).and_then(|bytes| chunk_file::decode(&bytes));
        match read {
            Ok(chunks) => Some(chunks),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "places of columns not used: reads count as everything");
                None
            }
        }
    }

    /// Stores the counts that an inspection left for the next one of its table, in place of those before. They need not
    /// survive a crash.
    ///
    /// # Errors
    /// If they cannot be written.
    pub(crate) fn keep_counts(&self, table: TableId, counts: &Kept) -> io::Result<()> {
        let path = self.counts(table);
        let beside = path.with_extension("new");
        fs::write(&beside, counts::encode(counts))?;
        fs::rename(beside, path)
    }

    /// The counts that the last inspection of a table left; none where they are missing or damaged.
    pub(crate) fn kept_counts(&self, table: TableId) -> Kept {
        let path = self.counts(table);
        let read = File::open(&path).and_then(|file| {
            let mut bytes = Vec::new();
            file.take(MAX_COUNTS_BYTES).read_to_end(&mut bytes).map(|_| bytes)
        });
        let kept = match read {
            Ok(bytes) => counts::decode(&bytes).ok_or_else(|| io::Error::other("they are damaged")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::default()),
            Err(error) => Err(error),
        };
        kept.unwrap_or_else(|error| {
            tracing::warn!(path = %path.display(), %error, "counts of the last inspection not used");
            Kept::default()
        })
    }

    /// Removes the counts of tables that are not among these; all that it can.
    ///
    /// # Errors
    /// If the folder cannot be read, or one cannot be removed: the first of them.
    pub(crate) fn remove_counts_but_of(&self, tables: &HashSet<TableId>) -> io::Result<()> {
        let names: HashSet<String> = tables.iter().map(ToString::to_string).collect();
        let mut first_error = None;
        for entry in fs::read_dir(self.root.join("counts"))? {
            let path = entry?.path();
            // By the stem: an inspection may be writing the counts of a table right now.
            let is_of_table = path.file_stem().and_then(|name| name.to_str()).is_some_and(|name| names.contains(name));
            if is_of_table {
                continue;
            }
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => drop(first_error.get_or_insert(error)),
                Ok(()) | Err(_) => {}
            }
        }
        first_error.map_or(Ok(()), Err)
    }

    fn counts(&self, table: TableId) -> PathBuf {
        self.root.join("counts").join(table.to_string())
    }

    /// Writes a file whole or not at all: beside its place, synced, then linked to it without replacing.
    fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let beside = path.with_file_name(format!(".{name}{UNFINISHED_SUFFIX}"));
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

fn lock(path: PathBuf) -> Result<File, OpenError> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path)),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// What the name of a checkpoint has after its digest.
const CHECKPOINT_SUFFIX: &str = ".parquet";
/// What the name of a file has that is being written.
const UNFINISHED_SUFFIX: &str = ".new";

/// SHA-256 of the rest of a file; `None` if that is longer than `limit`.
fn digest_up_to(file: &mut File, limit: u64) -> io::Result<Option<FileDigest>> {
    let (mut hash, mut chunk, mut n_bytes) = (Sha256::new(), vec![0; CHUNK_BYTES], 0_u64);
    loop {
        let read = file.read(&mut chunk)?;
        n_bytes = n_bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        match read {
            0 => return Ok(Some(FileDigest(hash.finalize().into()))),
            _ if n_bytes > limit => return Ok(None),
            read => hash.update(&chunk[..read]),
        }
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
