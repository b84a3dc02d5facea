//! Documents as they came in, byte for byte.

use domain::clock::Timestamp;
use domain::closed_set;
use domain::id::PrincipalId;

closed_set! {
    /// How a document is written.
    Format {
        /// YAML 1.2.
        Yaml = "yaml",
        /// JSON.
        Json = "json",
    }
}

/// A document and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// SHA-256 over the bytes, in hex.
    pub digest: String,
    /// How it is written.
    pub format: Format,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Who published it.
    pub published_by: PrincipalId,
    /// When.
    pub published_at: Timestamp,
}
