//! What the program keeps in memory. Everything here can be read again; nothing here is asked by a rule.
//!
//! Caches are below [`crate::ctx`]: they know neither the program nor the request.

pub(crate) mod documents;
pub(crate) mod facts;
pub(crate) mod leases;
pub(crate) mod schemas;
pub(crate) mod signed_in;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::clock::Timestamp;
use domain::id::TableId;
use domain::identity::Principal;

use self::documents::DocumentCache;
use self::facts::FactsCache;
use self::leases::{FileLists, LeaseCache};
use self::schemas::SchemaCache;
use self::signed_in::SignedInCache;
use crate::actor::Standing;

/// All caches of the program.
#[derive(Default)]
pub(crate) struct Caches {
    pub(crate) facts: FactsCache,
    pub(crate) documents: DocumentCache,
    /// By subject.
    pub(crate) principals: Mutex<HashMap<String, (Principal, Arc<Standing>)>>,
    pub(crate) signed_in: SignedInCache,
    /// When the names in a table's folder were read last.
    pub(crate) looks: Mutex<HashMap<TableId, Timestamp>>,
    pub(crate) leases: LeaseCache,
    pub(crate) file_lists: FileLists,
    pub(crate) schemas: SchemaCache,
}

/// Locks a mutex; a thread that panicked while it held it left nothing half-done, since all such sections only move
/// values.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
