//! Documents as they were received, byte for byte.

use crate::clock::Timestamp;
use crate::closed_set;
use crate::id::PrincipalId;

closed_set! {
    /// The syntax of a document.
    Format {
        /// YAML 1.2.
        Yaml = "yaml",
        /// JSON.
        Json = "json",
    }
}

/// A document and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDocument {
    /// SHA-256 over the bytes, in hex.
    pub digest: String,
    /// The syntax.
    pub format: Format,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Who published it.
    pub published_by: PrincipalId,
    /// When.
    pub published_at: Timestamp,
}
