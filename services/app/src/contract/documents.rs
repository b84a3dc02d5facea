//! The models of stored documents, and the digests and formats of documents.

use std::sync::Arc;

use documents::ParsedDocument;
use domain::document::{Format, StoredDocument};
use domain::{contract, product};
use sha2::{Digest, Sha256};

use crate::cache::documents::Entry;
use crate::ctx::App;
use crate::error::Error;

/// The model of a stored contract document.
///
/// # Errors
/// [`Error::Internal`] if the bytes have no such model: they were checked when they were published.
pub(crate) fn parsed(app: &App, document: &StoredDocument) -> Result<Arc<contract::Document>, Error> {
    match entry(app, document)? {
        Entry::Contract(contract) => Ok(contract),
        Entry::Product(_) => Err(Error::internal("a contract version's document is a product's")),
    }
}

/// The model of a stored product document.
///
/// # Errors
/// [`Error::Internal`] if the bytes have no such model: they were checked when they were published.
pub(crate) fn parsed_product(app: &App, document: &StoredDocument) -> Result<Arc<product::Document>, Error> {
    match entry(app, document)? {
        Entry::Product(product) => Ok(product),
        Entry::Contract(_) => Err(Error::internal("a product's document is a contract")),
    }
}

fn entry(app: &App, document: &StoredDocument) -> Result<Entry, Error> {
    if let Some(entry) = app.caches.documents.find(&document.digest) {
        return Ok(entry);
    }
    // A document that was accepted stays readable when a later program refuses new ones like it.
    let ParsedDocument { document: parsed, .. } = documents::parse_to_compare(&document.bytes).map_err(|problems| {
        let problem = problems.first().map(ToString::to_string).unwrap_or_default();
        Error::internal(format!("the stored document `{}` cannot be read: {problem}", document.digest))
    })?;
    let entry = match parsed {
        documents::Document::Contract(contract) => Entry::Contract(app.caches.documents.share_columns(contract)),
        documents::Document::Product(product) => Entry::Product(Arc::new(product)),
    };
    app.caches.documents.put(document.digest.clone(), entry.clone(), document.bytes.len());
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
