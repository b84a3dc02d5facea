//! What the program caches in memory. All of it can be read again, and no rule depends on it.
//!
//! Caches are below [`crate::ctx`]: they know neither the program nor the request. To add one, give it a file here with
//! its limit and say what makes an entry invalid.

pub mod bounded;
pub(crate) mod documents;
pub(crate) mod facts;
pub(crate) mod leases;
pub(crate) mod lineage;
pub(crate) mod schemas;
pub(crate) mod search;
pub(crate) mod signed_in;

use std::sync::Arc;

use domain::clock::Timestamp;
use domain::id::TableId;
use domain::identity::Principal;

use self::bounded::Cache;
use self::documents::DocumentCache;
use self::facts::FactsCache;
use self::leases::{FileLists, LeaseCache};
use self::lineage::LineageCache;
use self::schemas::SchemaCache;
use self::search::{SearchIndex, Sights};
use self::signed_in::SignedInCache;
use crate::actor::Standing;

/// The most principals whose roles and grants are cached.
const MAX_PRINCIPALS: usize = 10_000;
/// The most tables whose last poll is remembered.
const MAX_TABLES: usize = 100_000;

/// All caches of the program.
pub(crate) struct Caches {
    pub(crate) facts: FactsCache,
    pub(crate) documents: DocumentCache,
    /// By issuer and subject.
    pub(crate) principals: Cache<(String, String), (Principal, Arc<Standing>)>,
    pub(crate) signed_in: SignedInCache,
    /// By the secrets of sessions: apart, so that neither a token nor a session passes for the other.
    pub(crate) web_sessions: SignedInCache,
    /// When a table's directory was polled last.
    pub(crate) polls: Cache<TableId, Timestamp>,
    pub(crate) leases: LeaseCache,
    pub(crate) file_lists: FileLists,
    pub(crate) schemas: SchemaCache,
    pub(crate) search: SearchIndex,
    pub(crate) lineage: LineageCache,
    pub(crate) sights: Sights,
}

impl Default for Caches {
    fn default() -> Self {
        Self {
            facts: FactsCache::default(),
            documents: DocumentCache::default(),
            principals: Cache::of_entries(MAX_PRINCIPALS),
            signed_in: SignedInCache::default(),
            web_sessions: SignedInCache::default(),
            polls: Cache::of_entries(MAX_TABLES),
            leases: LeaseCache::default(),
            file_lists: FileLists::default(),
            schemas: SchemaCache::default(),
            search: SearchIndex::default(),
            lineage: LineageCache::default(),
            sights: Sights::default(),
        }
    }
}
