//! Open leases and their file lists.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use domain::clock::Timestamp;
use domain::column_reads::ChunkMap;
use domain::id::LeaseId;

use crate::cache::bounded::Cache;
use crate::lease::OpenLease;
use crate::lease::file_list::FileList;

/// The most open leases that are cached.
const MAX_LEASES: usize = 10_000;

/// Open leases. An entry is valid at the access revision it was read at: every revoke moves it.
pub(crate) struct LeaseCache(Cache<LeaseId, (i64, Arc<OpenLease>)>);

impl Default for LeaseCache {
    fn default() -> Self {
        Self(Cache::of_entries(MAX_LEASES))
    }
}

impl LeaseCache {
    pub(crate) fn find(&self, id: LeaseId, access: i64) -> Option<Arc<OpenLease>> {
        self.0.get(&id).filter(|(read_at, _)| *read_at == access).map(|(_, open)| open)
    }

    /// Removes the leases that have expired: they hold the lists of their files.
    pub(crate) fn remove_expired(&self, now: Timestamp) {
        self.0.retain(|(_, open)| now < open.expires_at);
    }

    /// Caches a lease that was read at this access revision or later.
    pub(crate) fn put(&self, id: LeaseId, access: i64, open: Arc<OpenLease>) {
        self.0.insert(id, (access, open));
    }
}

/// File lists in use, by digest, with the places of their columns: leases on one snapshot share one list, which is
/// dropped with the last of them.
#[derive(Default)]
pub(crate) struct FileLists(Mutex<HashMap<String, Kept>>);

type Kept = (Weak<FileList>, Option<Weak<ChunkMap>>);

impl FileLists {
    pub(crate) fn find(&self, digest: &str) -> Option<(Arc<FileList>, Option<Arc<ChunkMap>>)> {
        let lists = self.lock();
        let (list, chunks) = lists.get(digest)?;
        // Leases hold both or neither.
        Some((list.upgrade()?, chunks.as_ref().and_then(Weak::upgrade)))
    }

    pub(crate) fn put(&self, digest: String, list: &Arc<FileList>, chunks: Option<&Arc<ChunkMap>>) {
        let mut lists = self.lock();
        lists.retain(|_, (list, _)| list.strong_count() > 0);
        lists.insert(digest, (Arc::downgrade(list), chunks.map(Arc::downgrade)));
    }

    /// A thread that panicked with the lock left nothing half-done: values are only moved under it.
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
