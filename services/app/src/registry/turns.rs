//! Turns of the registrations in a subject.

use std::array;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use domain::registry::Subject;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The number of locks. Subjects share them: two subjects of one lock wait for each other, which is rare and harmless.
const N_LOCKS: usize = 256;

/// Who may register in a subject now. A registration is judged against the subject's versions before it is written, so
/// that of many at once all but one would be judged in vain.
pub(crate) struct Turns {
    locks: [Arc<Mutex<()>>; N_LOCKS],
    hasher: RandomState,
}

/// A turn, until it is dropped.
pub(super) type Turn = OwnedMutexGuard<()>;

impl Default for Turns {
    fn default() -> Self {
        Self { locks: array::from_fn(|_| Arc::default()), hasher: RandomState::new() }
    }
}

impl Turns {
    /// The turn, if it is free.
    pub(super) fn try_take(&self, subject: &Subject) -> Option<Turn> {
        Arc::clone(self.lock(subject)).try_lock_owned().ok()
    }

    /// The turn, after those who came before.
    pub(super) async fn take(&self, subject: &Subject) -> Turn {
        Arc::clone(self.lock(subject)).lock_owned().await
    }

    fn lock(&self, subject: &Subject) -> &Arc<Mutex<()>> {
        let hash = usize::try_from(self.hasher.hash_one(subject) % N_LOCKS as u64).unwrap_or_default();
        &self.locks[hash]
    }
}
