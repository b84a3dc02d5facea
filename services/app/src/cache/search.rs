//! The search index of this process, and what callers may see in it.
//!
//! [`crate::search`] opens, builds and changes the index, and asks the policies what a caller may see: an entry holds until
//! the visibility revision moves, or a grant of the caller begins or ends.

use std::sync::{Arc, PoisonError, RwLock};

use domain::clock::Timestamp;
use domain::id::PrincipalId;
use search::{Index, Visibility};

use super::bounded::Cache;

/// The most callers whose sight is cached.
const MAX_CALLERS: usize = 1_000;

/// The index.
#[derive(Default)]
pub(crate) struct SearchIndex {
    index: RwLock<Option<Arc<Index>>>,
    /// Held while the index is opened, changed or built.
    pub(crate) turn: tokio::sync::Mutex<()>,
    /// Held while readers are counted.
    pub(crate) counting: tokio::sync::Mutex<Counting>,
}

impl SearchIndex {
    /// The index; `None` until it is opened or built.
    pub(crate) fn get(&self) -> Option<Arc<Index>> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces it. The holder of the turn does.
    pub(crate) fn set(&self, index: Option<Arc<Index>>) {
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = index;
    }
}

/// How far the counting of readers is.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    /// When it was last done; `None` before the first time.
    pub(crate) at: Option<Timestamp>,
    /// The last product that was counted anew; empty at the begin of a round.
    pub(crate) last: String,
}

/// What one caller may see.
pub(crate) struct Sight {
    pub(crate) visibility: Arc<Visibility>,
    /// The visibility revision.
    pub(crate) revision: i64,
    /// The first moment at which a grant of the caller begins or ends.
    pub(crate) good_until: Timestamp,
}

/// What callers may see, by their id and by whether their token is limited to a purpose.
pub(crate) struct Sights(Cache<(PrincipalId, bool), Arc<Sight>>);

impl Default for Sights {
    fn default() -> Self {
        Self(Cache::of_entries(MAX_CALLERS))
    }
}

impl Sights {
    /// What a caller may see, if it is known at this revision and moment.
    pub(crate) fn find(&self, caller: (PrincipalId, bool), revision: i64, now: Timestamp) -> Option<Arc<Sight>> {
        self.0.get(&caller).filter(|kept| kept.revision == revision && now < kept.good_until)
    }

    pub(crate) fn put(&self, caller: (PrincipalId, bool), sight: Arc<Sight>) {
        self.0.insert(caller, sight);
    }
}
