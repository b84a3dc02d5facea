//! Stored findings. They hold text instead of rules, so that they read the same after the rules change.

use super::finding::Finding;
use crate::audit::put;
use crate::version::Bump;

/// A difference between two versions, as it was found at its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingRecord {
    /// What is different, by names.
    pub path: String,
    /// The word of the rule.
    pub rule: String,
    /// Whether a reader of the new version can read data written under the old.
    pub history_safe: bool,
    /// Whether a reader of the old version could go on reading data written under the new.
    pub consumer_safe: bool,
    /// The bump that it demands.
    pub bump: Bump,
    /// The difference in one sentence, for people.
    pub message: String,
    /// The value before, shortened; `None` where there was none, and in records that were made without values.
    pub before: Option<String>,
    /// The value after, likewise.
    pub after: Option<String>,
    /// What would settle it, if it were true of the data, in a sentence.
    pub proof: Option<String>,
}

/// What the bytes of values begin with. No path begins so, because documents hold no U+0000: the bytes of two lists of
/// records differ if the lists do.
const VALUES_LABEL: &[u8] = b"\0values";

impl FindingRecord {
    /// Adds everything it says to canonical bytes.
    pub(crate) fn put(&self, bytes: &mut Vec<u8>) {
        let Self { path, rule, history_safe, consumer_safe, bump, message, before, after, proof } = self;
        put(bytes, path.as_bytes());
        put(bytes, rule.as_bytes());
        put(bytes, &[u8::from(*history_safe), u8::from(*consumer_safe), u8::from(proof.is_some())]);
        put(bytes, bump.as_str().as_bytes());
        put(bytes, message.as_bytes());
        put(bytes, proof.as_deref().unwrap_or_default().as_bytes());
        // Records without values keep the bytes under which they were signed.
        if self.has_values() {
            put(bytes, VALUES_LABEL);
            put(bytes, &[u8::from(before.is_some()), u8::from(after.is_some())]);
            put(bytes, before.as_deref().unwrap_or_default().as_bytes());
            put(bytes, after.as_deref().unwrap_or_default().as_bytes());
        }
    }

    /// Whether it shows a value before or after.
    pub(crate) fn has_values(&self) -> bool {
        self.before.is_some() || self.after.is_some()
    }

    /// The record as it was made before there were values.
    pub(crate) fn without_values(self) -> Self {
        Self { before: None, after: None, ..self }
    }
}

impl From<&Finding> for FindingRecord {
    fn from(finding: &Finding) -> Self {
        Self {
            path: finding.path.clone(),
            rule: finding.rule.to_string(),
            history_safe: finding.history_safe(),
            consumer_safe: finding.consumer_safe(),
            bump: finding.bump(),
            message: finding.message.clone(),
            before: finding.before.clone(),
            after: finding.after.clone(),
            proof: finding.proof.as_ref().map(ToString::to_string),
        }
    }
}

/// Findings as they are kept.
pub fn finding_records(findings: &[Finding]) -> Vec<FindingRecord> {
    findings.iter().map(FindingRecord::from).collect()
}
