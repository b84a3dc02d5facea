//! The files that a schema may import without anybody giving them.

use protox::Error;
use protox::file::{File, FileResolver, GoogleFileResolver};

/// Files of the Confluent Schema Registry that its clients import. Their messages and numbers are part of its protocol.
const CONFLUENT: [(&str, &str); 3] = [
    ("confluent/meta.proto", include_str!("../../schema/confluent/meta.proto")),
    ("confluent/type/decimal.proto", include_str!("../../schema/confluent/decimal.proto")),
    ("confluent/type/variant.proto", include_str!("../../schema/confluent/variant.proto")),
];

/// Whether a file is well known.
pub(super) fn has(name: &str) -> bool {
    CONFLUENT.iter().any(|(known, _)| *known == name) || GoogleFileResolver::new().open_file(name).is_ok()
}

/// Opens a well-known file.
///
/// # Errors
/// File not found, if it is none.
pub(crate) fn open(name: &str) -> Result<File, Error> {
    match CONFLUENT.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => File::from_source(name, text),
        None => GoogleFileResolver::new().open_file(name),
    }
}
