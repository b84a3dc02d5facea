//! Pinned digests: the bytes of a file are read once in each state of it, before they are served first.

use std::fmt;
use std::sync::Arc;

use domain::storage::{FileState, ReadError, Reader};
use domain::table::{FileDigest, PinnedFile};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::blocking::read_blocking;
use crate::file::LocalFile;

/// How many files are digested at once.
const N_AT_ONCE: usize = 2;
/// How many files are remembered whose bytes were right.
const N_REMEMBERED: usize = 65_536;
/// How much of a file is read at once.
const CHUNK_BYTES: usize = 1 << 20;

/// A file in one state, of which nothing can change without the state.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Identity {
    path: String,
    size_bytes: u64,
    mtime_ns: i64,
    inode: u64,
    ctime_ns: Option<i64>,
    digest: FileDigest,
}

impl Identity {
    fn of(path: &str, state: FileState, digest: FileDigest) -> Self {
        let FileState { size_bytes, mtime_ns, inode, ctime_ns } = state;
        Self { path: path.to_owned(), size_bytes, mtime_ns, inode, ctime_ns, digest }
    }
}

/// The files whose bytes were found to be right.
pub(crate) struct Digests {
    right: Arc<Cache<Identity, ()>>,
    turns: Arc<Semaphore>,
}

impl Default for Digests {
    fn default() -> Self {
        Self { right: Arc::new(Cache::new(N_REMEMBERED)), turns: Arc::new(Semaphore::new(N_AT_ONCE)) }
    }
}

impl fmt::Debug for Digests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digests(..)")
    }
}

impl Digests {
    /// The file, if its bytes have the digest that is pinned. What was begun goes on when the caller goes away, so that
    /// their next request finds it done.
    pub(crate) async fn check(&self, file: LocalFile, pin: &PinnedFile) -> Result<Arc<dyn Reader>, ReadError> {
        let file = Arc::new(file);
        let Some(digest) = pin.digest else { return Ok(file) };
        let identity = Identity::of(&pin.path, file.opened_in(), digest);
        if self.right.get(&identity).is_some() {
            return Ok(file);
        }
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|error| ReadError::Io(std::io::Error::other(error)))?;
        // Someone else may have had the turn for the same file.
        if self.right.get(&identity).is_some() {
            return Ok(file);
        }
        let (read, right) = (Arc::clone(&file), Arc::clone(&self.right));
        let checked = read_blocking(move || {
            let _turn = turn;
            if digest_of(&read)? != digest {
                tracing::error!(inode = identity.inode, "the digest of a pinned file does not match its inspection");
                return Err(ReadError::Changed);
            }
            right.insert(identity, ());
            Ok(())
        });
        checked.await.map(|()| file as Arc<dyn Reader>)
    }
}

fn digest_of(file: &LocalFile) -> Result<FileDigest, ReadError> {
    let (mut hash, mut offset) = (Sha256::new(), 0);
    let size_bytes = file.opened_in().size_bytes;
    while offset < size_bytes {
        let length = usize::try_from(size_bytes - offset).unwrap_or(usize::MAX).min(CHUNK_BYTES);
        hash.update(file.read_chunk(offset, length)?);
        offset += u64::try_from(length).unwrap_or(u64::MAX);
    }
    Ok(FileDigest(hash.finalize().into()))
}
