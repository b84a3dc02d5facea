//! What this program is, and digests that tell whether a count that was kept still holds.

use domain::table::{FileDigest, PinnedFile};
use sha2::{Digest, Sha256};

/// The name and version of the engine, stored with each verdict.
pub(crate) fn engine() -> String {
    format!("charter-worker {}, datafusion {}", env!("CARGO_PKG_VERSION"), datafusion::DATAFUSION_VERSION)
}

/// Parts, each with its length, so that no two lists of parts have the same bytes.
pub(crate) struct Identity(Sha256);

impl Identity {
    pub(crate) fn new() -> Self {
        Self(Sha256::new())
    }

    /// Of a file as it is pinned: a file that was replaced has another inode or change time.
    pub(crate) fn of(pin: &PinnedFile) -> Self {
        let mut identity = Self::new();
        identity.add_pin(pin);
        identity
    }

    pub(crate) fn add_pin(&mut self, pin: &PinnedFile) {
        let PinnedFile { path, size_bytes, mtime_ns, inode, ctime_ns, digest: _ } = pin;
        self.add(path.as_bytes());
        self.add(&size_bytes.to_be_bytes());
        self.add(&mtime_ns.to_be_bytes());
        self.add(&inode.to_be_bytes());
        self.add(&ctime_ns.unwrap_or_default().to_be_bytes());
    }

    pub(crate) fn add(&mut self, part: &[u8]) {
        self.0.update((part.len() as u64).to_be_bytes());
        self.0.update(part);
    }

    pub(crate) fn add_optional(&mut self, part: Option<&[u8]>) {
        self.add(&[u8::from(part.is_some())]);
        self.add(part.unwrap_or_default());
    }

    pub(crate) fn digest(self) -> FileDigest {
        FileDigest(self.0.finalize().into())
    }
}
