//! The lineage of this process: the newest graph, and what callers may see in it.
//!
//! [`crate::lineage`] builds the graph and asks the policies: what a caller may see holds for one graph, until the
//! visibility revision moves or a grant of the caller begins or ends.

use std::sync::{Arc, PoisonError, RwLock};

use domain::clock::Timestamp;
use domain::id::PrincipalId;

use super::bounded::Cache;
use crate::lineage::held::{Held, Sight};

/// The most callers whose sight is cached: it has a bit for each node.
const MAX_CALLERS: usize = 100;

/// The graph, and sights of it.
pub(crate) struct LineageCache {
    held: RwLock<Option<Arc<Held>>>,
    /// Held while the graph is built.
    pub(crate) turn: tokio::sync::Mutex<()>,
    sights: Cache<(PrincipalId, bool), Arc<KeptSight>>,
}

/// What one caller may see.
pub(crate) struct KeptSight {
    pub(crate) sight: Arc<Sight>,
    /// The graph's number.
    pub(crate) serial: u64,
    /// The visibility revision.
    pub(crate) revision: i64,
    /// The first moment at which a grant of the caller begins or ends.
    pub(crate) good_until: Timestamp,
}

impl Default for LineageCache {
    fn default() -> Self {
        Self { held: RwLock::default(), turn: tokio::sync::Mutex::default(), sights: Cache::of_entries(MAX_CALLERS) }
    }
}

impl LineageCache {
    /// The graph; `None` until it is built.
    pub(crate) fn get(&self) -> Option<Arc<Held>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces it. The holder of the turn does.
    pub(crate) fn set(&self, held: Arc<Held>) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Some(held);
    }

    /// What a caller may see of a graph, if it is known at this revision and moment.
    pub(crate) fn sight(
        &self,
        caller: (PrincipalId, bool),
        serial: u64,
        revision: i64,
        now: Timestamp,
    ) -> Option<Arc<Sight>> {
        let kept = self.sights.get(&caller)?;
        let holds = kept.serial == serial && kept.revision == revision && now < kept.good_until;
        holds.then(|| Arc::clone(&kept.sight))
    }

    pub(crate) fn put_sight(&self, caller: (PrincipalId, bool), kept: KeptSight) {
        self.sights.insert(caller, Arc::new(kept));
    }
}
