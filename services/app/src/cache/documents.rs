//! Parsed documents by their digests. Bytes under a digest never change, so an entry is never stale.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use domain::{contract, product};

use crate::cache::lock;

/// How many bytes of documents are kept parsed at most; a model takes a small multiple of its text.
const MAX_BYTES: usize = 32 << 20;

/// Parsed documents by their digests.
#[derive(Debug, Default)]
pub(crate) struct DocumentCache(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    n_bytes: usize,
    documents: HashMap<String, Entry>,
    /// The version of each contract that was kept last, by the document's own id: the next one shares its columns.
    newest: HashMap<String, Arc<contract::Document>>,
}

#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Contract(Arc<contract::Document>),
    Product(Arc<product::Document>),
}

impl DocumentCache {
    pub(crate) fn find(&self, digest: &str) -> Option<Entry> {
        lock(&self.0).documents.get(digest).cloned()
    }

    /// Keeps a document. When there are too many, all are dropped: they are cheap to parse again.
    pub(crate) fn keep(&self, digest: String, entry: Entry, n_bytes: usize) {
        let mut kept = lock(&self.0);
        if kept.n_bytes.saturating_add(n_bytes) > MAX_BYTES {
            *kept = Kept::default();
        }
        if let Entry::Contract(contract) = &entry {
            kept.newest.insert(contract.document_id.clone(), Arc::clone(contract));
        }
        if kept.documents.insert(digest, entry).is_none() {
            kept.n_bytes += n_bytes;
        }
    }

    /// A contract that shares its columns with the version of it that was kept last.
    pub(crate) fn sharing(&self, mut contract: contract::Document) -> Arc<contract::Document> {
        let newest = lock(&self.0).newest.get(&contract.document_id).cloned();
        if let Some(newest) = newest {
            contract.share_columns(&newest);
        }
        Arc::new(contract)
    }
}
