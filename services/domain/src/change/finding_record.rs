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
    /// What would settle it, if it were true of the data, in a sentence.
    pub proof: Option<String>,
}

impl FindingRecord {
    /// Adds everything it says to canonical bytes.
    pub(crate) fn put(&self, bytes: &mut Vec<u8>) {
        let Self { path, rule, history_safe, consumer_safe, bump, message, proof } = self;
        put(bytes, path.as_bytes());
        put(bytes, rule.as_bytes());
        put(bytes, &[u8::from(*history_safe), u8::from(*consumer_safe), u8::from(proof.is_some())]);
        put(bytes, bump.as_str().as_bytes());
        put(bytes, message.as_bytes());
        put(bytes, proof.as_deref().unwrap_or_default().as_bytes());
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
            proof: finding.proof.as_ref().map(ToString::to_string),
        }
    }
}

/// Findings as they are kept.
pub fn finding_records(findings: &[Finding]) -> Vec<FindingRecord> {
    findings.iter().map(FindingRecord::from).collect()
}
