//! Turns of the registrations in a subject.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use domain::registry::Subject;
use tokio::sync::OwnedMutexGuard;

/// Who may register in a subject now. A registration is judged against the subject's versions before it is written, so
/// that of many at once all but one would be judged in vain. A subject has a lock while it has registrations: those of
/// other subjects never wait for them.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<Subject, Weak<Lock>>>);

type Lock = tokio::sync::Mutex<()>;

/// A turn, until it is dropped.
pub(super) type Turn = OwnedMutexGuard<()>;

impl Turns {
    /// The turn, if it is free.
    pub(super) fn try_take(&self, subject: &Subject) -> Option<Turn> {
        self.lock(subject).try_lock_owned().ok()
    }

    /// The turn, after those who came before.
    pub(super) async fn take(&self, subject: &Subject) -> Turn {
        self.lock(subject).lock_owned().await
    }

    fn lock(&self, subject: &Subject) -> Arc<Lock> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = locks.get(subject).and_then(Weak::upgrade) {
            return lock;
        }
        locks.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::new(Lock::default());
        locks.insert(subject.clone(), Arc::downgrade(&lock));
        lock
    }
}
