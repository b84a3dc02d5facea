//! What publishing takes and answers: sets of documents, reports, problems and refusals.

use domain::change::{Finding, Touched, touched};
use domain::contract;
use domain::id::ContractId;
use domain::name::DomainPath;
use domain::overrides::FindingsDigest;
use domain::version::{Bump, Version};

use crate::idempotency::Key;

/// A set of documents to plan or to apply.
#[derive(Clone, Debug)]
pub struct DocumentSet {
    /// The domain of documents that name none. One that names another is refused.
    pub domain: Option<DomainPath>,
    /// The documents, in any order.
    pub documents: Vec<DocumentText>,
    /// Whether products and contracts of the domain that the set does not hold are retired.
    pub prune: bool,
    /// See [`Key`]; ignored by [`super::plan`].
    pub key: Option<Key>,
}

/// A text of one document, or of several separated by `---`.
#[derive(Clone, Debug)]
pub struct DocumentText {
    /// Its name, for messages.
    pub path: String,
    /// The text.
    pub text: String,
}

/// What became of a set.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It was applied, or could be.
    Done(Report),
    /// Documents cannot be used. Nothing happened.
    Invalid(Vec<Problem>),
    /// Contract versions promise less than their numbers say. Nothing happened.
    Refused(Vec<VersionRefusal>),
}

/// What a set changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// One for each document in the order of the set, then one for each product or contract that was pruned.
    pub changes: Vec<DocumentChange>,
    /// What authors should look at.
    pub warnings: Vec<Problem>,
}

/// What a document changes.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentChange {
    /// What it is.
    pub kind: DocumentKind,
    /// The name the document was given; empty for what was pruned.
    pub document: String,
    /// The product's name in addresses, or the contract's document id.
    pub name: String,
    /// The contract's version.
    pub version: Option<Version>,
    /// What happens to it.
    pub change: ChangeKind,
    /// The word of the state it is in afterwards.
    pub state: String,
    /// What differs from the next lower version of the contract.
    pub findings: Vec<Finding>,
    /// What they break for readers, where the document does anything.
    pub breaking: Option<Breaking>,
    /// The bump that these differences demand; `None` where there is nothing to compare with.
    pub bump: Option<Bump>,
    /// What a draft waits for.
    pub reasons: Vec<String>,
}

/// What a change breaks for those who read the version before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaking {
    /// The contract.
    pub contract_id: ContractId,
    /// The major that they read.
    pub major: u64,
    /// The columns that they may have to do without.
    pub columns: Touched,
}

impl Breaking {
    /// What these differences from a version's document break; `None` if nothing.
    pub(super) fn of(
        contract_id: ContractId,
        old: &contract::Document,
        new: &contract::Document,
        findings: &[Finding],
    ) -> Option<Self> {
        let breaking = findings.iter().filter(|finding| !finding.consumer_safe());
        let columns = touched(old, new, breaking.map(|finding| finding.path.as_str()));
        (!columns.is_empty()).then_some(Self { contract_id, major: old.version.major, columns })
    }
}

/// What a document is a document of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// A data product.
    Product,
    /// A contract version.
    Contract,
}

/// What happens to a product or contract version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// Its document changed.
    Changed,
    /// Only its state changes.
    Transition,
    /// Nothing.
    Unchanged,
    /// It was not in the set and is retired.
    Removed,
}

/// Why a document cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The name the document was given.
    pub document: String,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The column in characters, from 1.
    pub column: Option<u64>,
    /// The JSON pointer (RFC 6901) of the value; empty for the document as a whole.
    pub path: String,
    /// What is wrong, for people.
    pub message: String,
    /// The document, until its text was searched for the place.
    pub(super) origin: Option<Origin>,
}

/// Where a document of a set comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// The number of its text in the set.
    pub(super) n_text: usize,
    /// Its own number in that text.
    pub(super) n_document: usize,
}

/// Why a contract version is refused.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionRefusal {
    /// The name the document was given.
    pub document: String,
    /// The contract's document id.
    pub contract: String,
    /// The version that was refused.
    pub version: Version,
    /// The version it was compared with.
    pub compared_with: Version,
    /// The bump that its changes demand.
    pub needed: Bump,
    /// A version that would do.
    pub suggested: Version,
    /// What differs.
    pub findings: Vec<Finding>,
    /// What that would break for readers.
    pub breaking: Option<Breaking>,
    /// What a steward's override of the refusal names; `None` where none would help.
    pub digest: Option<FindingsDigest>,
    /// The refusal in a sentence.
    pub message: String,
}
