//! Facts of the gate by question.
//!
//! An entry is valid while its stamp of revisions holds and no window of a grant begins or ends.

use std::sync::Arc;

use domain::clock::Timestamp;
use domain::gate::{Action, Facts};
use domain::id::PrincipalId;
use domain::identity::PurposeCode;
use domain::name::Address;
use domain::table::SnapshotKey;
use domain::token::Bearer;
use store::revision::Stamp;

use crate::cache::bounded::Cache;
use crate::target::Target;

/// A question at the gate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct GateQuestion {
    /// Who asks.
    pub(crate) principal_id: PrincipalId,
    /// With which token: one that was revoked opens nothing, and one with a purpose less than others.
    pub(crate) bearer: Bearer,
    /// For which table.
    pub(crate) address: Address,
    /// To do what.
    pub(crate) action: Action,
    /// For which purpose.
    pub(crate) purpose: Option<PurposeCode>,
}

/// What was read to answer a question.
#[derive(Debug)]
pub(crate) struct LoadedFacts {
    pub(crate) target: Target,
    pub(crate) facts: Facts,
    /// The table's newest snapshot.
    pub(crate) head: Option<SnapshotKey>,
    /// The revisions it was read at.
    pub(crate) stamp: Stamp,
    /// The first moment at which a window begins or ends, so that the facts may be others.
    pub(crate) good_until: Timestamp,
}

impl LoadedFacts {
    /// Whether it still answers the question.
    pub(crate) fn stands(&self, stamp: Stamp, now: Timestamp) -> bool {
        self.stamp == stamp && now < self.good_until
    }
}

/// The most questions whose facts are cached.
const MAX_QUESTIONS: usize = 50_000;

/// Facts by question. Filled from read transactions only: what a write transaction has read may die with it.
pub(crate) struct FactsCache(Cache<GateQuestion, Arc<LoadedFacts>>);

impl Default for FactsCache {
    fn default() -> Self {
        Self(Cache::of_entries(MAX_QUESTIONS))
    }
}

impl FactsCache {
    pub(crate) fn find(&self, question: &GateQuestion) -> Option<Arc<LoadedFacts>> {
        self.0.get(question)
    }

    pub(crate) fn put(&self, question: GateQuestion, facts: Arc<LoadedFacts>) {
        self.0.insert(question, facts);
    }

    pub(crate) fn remove(&self, question: &GateQuestion) {
        self.0.remove(question);
    }
}
