//! Counts by data file, in both directions.

use domain::inspection;
use domain::table::NotADigest;
use serde::{Deserialize, Serialize};

use super::Malformed;

/// A [`domain::inspection::Kept`] on the wire.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    pub(super) checks: Vec<String>,
    pub(super) files: Vec<KeptFile>,
}

/// The digest of a file, and its counts: a JSON array, since there are many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptFile(String, Vec<u64>);

impl Kept {
    pub(super) fn from_domain(kept: &inspection::Kept) -> Self {
        let file = |file: &inspection::KeptFile| KeptFile(file.file.to_string(), file.counts.clone());
        Self {
            checks: kept.checks.iter().map(ToString::to_string).collect(),
            files: kept.files.iter().map(file).collect(),
        }
    }

    /// # Errors
    /// It is not whole, or a digest is none.
    pub(super) fn into_domain(self) -> Result<inspection::Kept, Malformed> {
        let digest = |text: String| text.parse().map_err(|error: NotADigest| Malformed::new(error.to_string()));
        let file = |KeptFile(file, counts): KeptFile| Ok(inspection::KeptFile { file: digest(file)?, counts });
        let kept = inspection::Kept {
            checks: self.checks.into_iter().map(digest).collect::<Result<_, _>>()?,
            files: self.files.into_iter().map(file).collect::<Result<_, _>>()?,
        };
        if kept.is_whole() { Ok(kept) } else { Err(Malformed::new("the counts to keep are not whole, or too many")) }
    }
}
