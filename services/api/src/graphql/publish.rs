//! Planning and applying sets of documents.

use app::publish::{self, DocumentSet, DocumentText, Outcome};
use async_graphql::{Context, InputObject, Object, SimpleObject, Union};

use super::SessionExt;
use super::contract::Finding;
use super::error::Result;
use super::key::idempotency_key;
use super::org::path;
use super::scalar::int;
use super::words::{Bump, ChangeKind, DocumentKind};

/// A set of documents.
#[derive(InputObject)]
pub(crate) struct DocumentsInput {
    /// The domain of documents that name none.
    domain: Option<String>,
    documents: Vec<DocumentInput>,
    /// Whether products and contracts of the domain that the set does not hold are retired.
    #[graphql(default_with = "Some(false)")]
    prune: Option<bool>,
    idempotency_key: Option<String>,
}

/// A text of one document, or of several separated by `---`.
#[derive(InputObject)]
pub(crate) struct DocumentInput {
    /// Its name, for messages.
    path: String,
    text: String,
}

impl From<DocumentInput> for DocumentText {
    fn from(DocumentInput { path, text }: DocumentInput) -> Self {
        Self { path, text }
    }
}

/// What a set would change.
#[derive(SimpleObject)]
pub(crate) struct PlanDocumentsPayload {
    changes: Vec<DocumentChange>,
    warnings: Vec<Problem>,
}

/// What a set changed.
#[derive(SimpleObject)]
pub(crate) struct ApplyDocumentsPayload {
    changes: Vec<DocumentChange>,
    warnings: Vec<Problem>,
}

/// What a document changes.
#[derive(SimpleObject)]
pub(crate) struct DocumentChange {
    kind: DocumentKind,
    /// The name the document was given; empty for what was pruned.
    document: String,
    /// The product's name in addresses, or the contract's document id.
    name: String,
    version: Option<String>,
    change: ChangeKind,
    /// The word of the state it is in afterwards.
    state: Option<String>,
    /// What differs from the next lower version of the contract.
    findings: Vec<Finding>,
    /// The bump that these differences demand.
    bump: Option<Bump>,
    /// What a draft waits for.
    reasons: Vec<String>,
}

impl From<publish::DocumentChange> for DocumentChange {
    fn from(change: publish::DocumentChange) -> Self {
        Self {
            kind: change.kind.into(),
            document: change.document,
            name: change.name,
            version: change.version.map(|version| version.to_string()),
            change: change.change.into(),
            state: Some(change.state),
            findings: change.findings.iter().map(Finding::from).collect(),
            bump: change.bump.map(Bump::from),
            reasons: change.reasons,
        }
    }
}

/// Documents cannot be used. Nothing happened.
#[derive(SimpleObject)]
pub(crate) struct InvalidDocuments {
    pub(super) problems: Vec<Problem>,
}

/// Why a document cannot be used, or what its author should look at.
#[derive(SimpleObject)]
pub(crate) struct Problem {
    /// The name the document was given.
    document: String,
    /// The line, from 1.
    line: Option<i32>,
    /// The column in characters, from 1.
    column: Option<i32>,
    /// The JSON pointer of the value.
    path: String,
    message: String,
}

impl From<publish::Problem> for Problem {
    fn from(problem: publish::Problem) -> Self {
        let publish::Problem { document, line, column, path, message } = problem;
        Self { document, line: line.map(int), column: column.map(int), path, message }
    }
}

/// Contract versions promise less than their numbers say. Nothing happened.
#[derive(SimpleObject)]
pub(crate) struct RefusedVersions {
    refusals: Vec<VersionRefusal>,
}

/// Why a contract version is refused.
#[derive(SimpleObject)]
pub(crate) struct VersionRefusal {
    /// The name the document was given.
    document: String,
    /// The contract's document id.
    contract: String,
    version: String,
    compared_with: String,
    /// The bump that its changes demand.
    needed: Bump,
    /// A version that would do.
    suggested: String,
    findings: Vec<Finding>,
    /// A digest over the findings, which a steward names to accept them; null where no override would help.
    findings_digest: Option<String>,
    message: String,
}

impl From<publish::VersionRefusal> for VersionRefusal {
    fn from(refusal: publish::VersionRefusal) -> Self {
        Self {
            document: refusal.document,
            contract: refusal.contract,
            version: refusal.version.to_string(),
            compared_with: refusal.compared_with.to_string(),
            needed: refusal.needed.into(),
            suggested: refusal.suggested.to_string(),
            findings: refusal.findings.iter().map(Finding::from).collect(),
            findings_digest: refusal.digest.map(|digest| digest.to_string()),
            message: refusal.message,
        }
    }
}

#[derive(Union)]
pub(crate) enum PlanDocumentsResult {
    Done(PlanDocumentsPayload),
    Invalid(InvalidDocuments),
    Refused(RefusedVersions),
}

#[derive(Union)]
pub(crate) enum ApplyDocumentsResult {
    Done(ApplyDocumentsPayload),
    Invalid(InvalidDocuments),
    Refused(RefusedVersions),
}

#[derive(Default)]
pub(crate) struct PublishQuery;

#[Object]
impl PublishQuery {
    /// Tells what `applyDocuments` would do, and changes nothing.
    async fn plan_documents(&self, ctx: &Context<'_>, input: DocumentsInput) -> Result<PlanDocumentsResult> {
        let ctx = ctx.ctx()?;
        let command = command("planDocuments", input)?;
        Ok(match publish::plan(ctx, command).await? {
            Outcome::Done(report) => PlanDocumentsResult::Done(PlanDocumentsPayload {
                changes: all(report.changes),
                warnings: all(report.warnings),
            }),
            Outcome::Invalid(problems) => PlanDocumentsResult::Invalid(InvalidDocuments { problems: all(problems) }),
            Outcome::Refused(refusals) => PlanDocumentsResult::Refused(RefusedVersions { refusals: all(refusals) }),
        })
    }
}

#[derive(Default)]
pub(crate) struct PublishMutation;

#[Object]
impl PublishMutation {
    /// Applies a set of documents, all or nothing.
    async fn apply_documents(&self, ctx: &Context<'_>, input: DocumentsInput) -> Result<ApplyDocumentsResult> {
        let ctx = ctx.ctx()?;
        let command = command("applyDocuments", input)?;
        Ok(match publish::apply(ctx, command).await? {
            Outcome::Done(report) => ApplyDocumentsResult::Done(ApplyDocumentsPayload {
                changes: all(report.changes),
                warnings: all(report.warnings),
            }),
            Outcome::Invalid(problems) => ApplyDocumentsResult::Invalid(InvalidDocuments { problems: all(problems) }),
            Outcome::Refused(refusals) => ApplyDocumentsResult::Refused(RefusedVersions { refusals: all(refusals) }),
        })
    }
}

fn command(operation: &'static str, input: DocumentsInput) -> Result<DocumentSet> {
    let key = idempotency_key(operation, &input, input.idempotency_key.as_ref())?;
    Ok(DocumentSet {
        domain: input.domain.as_deref().map(|domain| path(domain, "domain")).transpose()?,
        documents: all(input.documents),
        prune: input.prune.unwrap_or(false),
        key,
    })
}

/// Every item in its other form.
pub(super) fn all<T, W: From<T>>(items: Vec<T>) -> Vec<W> {
    items.into_iter().map(W::from).collect()
}
