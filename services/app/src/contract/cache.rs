//! ParsedDocument documents, kept by their digests: bytes under a digest never change, so what is kept is never stale.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use documents::ParsedDocument;
use domain::contract;
use domain::document::{Format, StoredDocument};
use domain::product;
use sha2::{Digest, Sha256};

use crate::ctx::{App, lock};
use crate::error::Error;

/// How many bytes of documents are kept parsed at most; a model takes a small multiple of its text.
const MAX_BYTES: usize = 32 << 20;

/// ParsedDocument documents by their digests.
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
enum Entry {
    Contract(Arc<contract::Document>),
    Product(Arc<product::Document>),
}

impl DocumentCache {
    fn find(&self, digest: &str) -> Option<Entry> {
        lock(&self.0).documents.get(digest).cloned()
    }

    /// Keeps a document. When there are too many, all are dropped: they are cheap to parse again.
    fn keep(&self, digest: String, entry: Entry, n_bytes: usize) {
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
    fn sharing(&self, mut contract: contract::Document) -> Arc<contract::Document> {
        let newest = lock(&self.0).newest.get(&contract.document_id).cloned();
        if let Some(newest) = newest {
            contract.share_columns(&newest);
        }
        Arc::new(contract)
    }
}

/// What a stored contract document says.
///
/// # Errors
/// [`Error::Internal`] if the bytes are none: they were checked when they were published.
pub(crate) fn parsed(app: &App, document: &StoredDocument) -> Result<Arc<contract::Document>, Error> {
    match entry(app, document)? {
        Entry::Contract(contract) => Ok(contract),
        Entry::Product(_) => Err(Error::internal("a contract version's document is a product's")),
    }
}

/// What a stored product document says.
///
/// # Errors
/// [`Error::Internal`] if the bytes are none: they were checked when they were published.
pub(crate) fn parsed_product(app: &App, document: &StoredDocument) -> Result<Arc<product::Document>, Error> {
    match entry(app, document)? {
        Entry::Product(product) => Ok(product),
        Entry::Contract(_) => Err(Error::internal("a product's document is a contract")),
    }
}

fn entry(app: &App, document: &StoredDocument) -> Result<Entry, Error> {
    if let Some(entry) = app.documents.find(&document.digest) {
        return Ok(entry);
    }
    let ParsedDocument { document: parsed, .. } = documents::parse(&document.bytes).map_err(|problems| {
        let problem = problems.first().map(ToString::to_string).unwrap_or_default();
        Error::internal(format!("the stored document `{}` cannot be read: {problem}", document.digest))
    })?;
    let entry = match parsed {
        documents::Document::Contract(contract) => Entry::Contract(app.documents.sharing(contract)),
        documents::Document::Product(product) => Entry::Product(Arc::new(product)),
    };
    app.documents.keep(document.digest.clone(), entry.clone(), document.bytes.len());
    Ok(entry)
}

/// The digest that names a document's bytes.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// How a document that was read without error is written: JSON begins with a brace, and every JSON text is YAML too.
pub(crate) fn format_of(bytes: &[u8]) -> Format {
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') if serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok() => Format::Json,
        _ => Format::Yaml,
    }
}
