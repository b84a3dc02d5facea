//! The names under which the gateway serves tables: every table is a key prefix of one bucket, in one region.

use std::fmt;
use std::str::FromStr;

use crate::id::TableId;

/// The gateway's only bucket.
pub const BUCKET: &str = "lake";

/// The URI of a table at the gateway.
pub fn table_uri(table_id: TableId) -> String {
    format!("s3://{BUCKET}/{table_id}")
}

/// The region that the gateway reports and that credentials name. Signatures of any region are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region(String);

impl Region {
    /// The name, as clients spell it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Region {
    fn default() -> Self {
        Self("us-east-1".to_owned())
    }
}

/// A name that clients could not sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a region consists of lower-case letters, digits and hyphens, such as `eu-west-1`")]
pub struct InvalidRegion;

impl FromStr for Region {
    type Err = InvalidRegion;

    fn from_str(text: &str) -> Result<Self, InvalidRegion> {
        let is_valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.is_empty() || !text.bytes().all(is_valid) {
            return Err(InvalidRegion);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
