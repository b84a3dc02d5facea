//! Parsed documents by their digests. Bytes under a digest never change, so an entry is never stale.

use std::sync::{Arc, Weak};

use domain::{contract, product};

use crate::cache::bounded::Cache;

/// The most bytes of documents that are cached parsed; a model takes a small multiple of its text.
const MAX_BYTES: usize = 32 << 20;
/// The most contracts whose newest cached version is remembered.
const MAX_CONTRACTS: usize = 50_000;

/// Parsed documents by their digests.
#[derive(Debug)]
pub(crate) struct DocumentCache {
    documents: Cache<String, Entry>,
    /// The version of each contract that was cached last, by the document's own id: the next one shares its columns.
    newest: Cache<String, Weak<contract::Document>>,
}

#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Contract(Arc<contract::Document>),
    Product(Arc<product::Document>),
}

impl Default for DocumentCache {
    fn default() -> Self {
        Self { documents: Cache::of_bytes(MAX_BYTES), newest: Cache::of_entries(MAX_CONTRACTS) }
    }
}

impl DocumentCache {
    pub(crate) fn find(&self, digest: &str) -> Option<Entry> {
        self.documents.get(digest)
    }

    pub(crate) fn put(&self, digest: String, entry: Entry, n_bytes: usize) {
        if let Entry::Contract(contract) = &entry {
            self.newest.insert(contract.document_id.clone(), Arc::downgrade(contract));
        }
        self.documents.insert_bytes(digest, entry, n_bytes);
    }

    /// A contract that shares its columns with the version of it that was cached last.
    pub(crate) fn share_columns(&self, mut contract: contract::Document) -> Arc<contract::Document> {
        if let Some(newest) = self.newest.get(&contract.document_id).and_then(|newest| newest.upgrade()) {
            contract.share_columns(&newest);
        }
        Arc::new(contract)
    }
}
