//! Judging a snapshot by a contract version: its rules, their hash, and the verdict.

use domain::contract::{self, Classification, Pinning, RuleError, SchemaObject};
use domain::name::Name;
use domain::quality::{Rule, RuleResult, Verdict, verdict};
use domain::table::PhysicalSchema;
use sha2::{Digest, Sha256};

use crate::error::Error;

/// What the hash begins with; a change of its inputs gets a new one, and every snapshot is judged again.
const LABEL: &[u8] = b"charterhouse rule set 1";

/// What a schema object's tables are judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleSet {
    /// The rules to measure.
    pub rules: Vec<Rule>,
    /// SHA-256, in hex, over everything that verdict and conformance depend on. A new version that changes none of it
    /// keeps its predecessor's verdicts.
    pub(crate) hash: String,
    /// Whether an undeclared column is a failure: the contract says so, or the data is confidential or higher.
    pub closed: bool,
    /// Whether the files of a snapshot must have digests.
    pub(crate) digests: bool,
}

/// The rules of a schema object in a product of this classification.
///
/// # Errors
/// If a promise is no rule: documents with such promises are not published.
pub fn rule_set(
    contract: &contract::Document,
    object: &SchemaObject,
    product: Classification,
) -> Result<RuleSet, RuleError> {
    let rules = contract::rules(object)?;
    let sensitive = product.max(object.classification()) >= Classification::Confidential;
    let closed = contract.settings.closed || sensitive;
    let mut hash = Sha256::new();
    let (rules_part, conformance) =
        (contract::canonical(&rules), contract::conformance_fingerprint(contract, object, closed));
    let mut parts: Vec<&[u8]> = vec![LABEL, &rules_part, &conformance];
    let digests = contract.settings.pinned == Pinning::Digest;
    if digests {
        // A snapshot that was inspected without digests is inspected again.
        parts.push(b"digests");
    }
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    Ok(RuleSet { rules, hash: hex::encode(hash.finalize()), closed, digests })
}

/// The rules of the schema object of this name in addresses; `None` if the contract has none.
///
/// # Errors
/// [`Error::Internal`] as for [`rule_set`].
pub(crate) fn rule_set_of(
    contract: &contract::Document,
    object: &Name,
    product: Classification,
) -> Result<Option<RuleSet>, Error> {
    contract.find_object(object).map(|object| rule_set(contract, object, product)).transpose().map_err(Error::internal)
}

/// The judgement of a snapshot by a contract version: the parts of a [`domain::binding::BindingVerdict`] that are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The worst of conformance and rules.
    pub verdict: Verdict,
    /// Whether schema and protocol satisfy the contract version.
    pub conforms: bool,
    /// What should be looked at, one sentence each.
    pub conformance: Vec<String>,
}

/// Judges an inspected snapshot.
pub fn judge_snapshot(
    contract: &contract::Document,
    object: &SchemaObject,
    rule_set: &RuleSet,
    schema: &PhysicalSchema,
    results: &[RuleResult],
) -> Judgement {
    let findings = contract::conformance(contract, object, schema, rule_set.closed);
    let conformance = contract::verdict_of(&findings);
    Judgement {
        verdict: conformance.worst(verdict(results)),
        conforms: conformance < Verdict::Fail,
        conformance: findings.iter().map(ToString::to_string).collect(),
    }
}
