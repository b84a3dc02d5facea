//! Planning and applying sets of documents.

use app::lineage;
use app::publish::{self, DocumentSet, DocumentText, Outcome};
use async_graphql::{ComplexObject, Context, InputObject, Object, SimpleObject, Union};

use super::error::Result;
use super::input::{idempotency_key, path, product_address};
use super::lineage::AffectedReaders;
use super::scalar::int;
use super::session::SessionExt;
use super::types::Finding;
use super::words::{Bump, ChangeKind, DocumentKind};

/// A set of documents.
#[derive(InputObject)]
pub(crate) struct DocumentsInput {
    /// The domain for documents that name none.
    domain: Option<String>,
    documents: Vec<DocumentInput>,
    /// Whether to retire products and contracts of the domain that are not in the set.
    #[graphql(default_with = "Some(false)")]
    prune: Option<bool>,
    idempotency_key: Option<String>,
}

/// A text with one document, or several separated by `---`.
#[derive(InputObject)]
pub(crate) struct DocumentInput {
    /// Its name in messages.
    path: String,
    text: String,
}

impl From<DocumentInput> for DocumentText {
    fn from(DocumentInput { path, text }: DocumentInput) -> Self {
        Self { path, text }
    }
}

/// The changes that a set would make.
#[derive(SimpleObject)]
pub(crate) struct PlanDocumentsPayload {
    changes: Vec<DocumentChange>,
    warnings: Vec<Problem>,
}

/// The changes that a set made.
#[derive(SimpleObject)]
pub(crate) struct ApplyDocumentsPayload {
    changes: Vec<DocumentChange>,
    warnings: Vec<Problem>,
}

/// A change that a document makes.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct DocumentChange {
    kind: DocumentKind,
    /// The document's path; empty for pruned objects.
    document: String,
    /// The product's name in addresses, or the contract's document id.
    name: String,
    version: Option<String>,
    change: ChangeKind,
    /// The resulting state.
    state: Option<String>,
    /// The differences from the next lower version of the contract.
    findings: Vec<Finding>,
    /// The bump that these differences require.
    bump: Option<Bump>,
    /// The reasons why a draft is not active yet.
    reasons: Vec<String>,
    #[graphql(skip)]
    breaking: Option<publish::Breaking>,
}

#[ComplexObject]
impl DocumentChange {
    /// Those who read the columns of the version before that the differences break: the findings that are not
    /// `consumerSafe`. Null if the document breaks nothing.
    async fn affected(&self, ctx: &Context<'_>) -> Result<Option<AffectedReaders>> {
        affected(ctx, self.breaking.as_ref()).await
    }
}

async fn affected(ctx: &Context<'_>, breaking: Option<&publish::Breaking>) -> Result<Option<AffectedReaders>> {
    let Some(breaking) = breaking else { return Ok(None) };
    Ok(Some(AffectedReaders(lineage::readers_of(ctx.ctx()?, breaking).await?)))
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
            breaking: change.breaking,
        }
    }
}

/// Some documents are invalid. Nothing was changed.
#[derive(SimpleObject)]
pub(crate) struct InvalidDocuments {
    pub(super) problems: Vec<Problem>,
}

/// An error or warning about a document.
#[derive(SimpleObject)]
pub(crate) struct Problem {
    /// The document's path.
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
        let publish::Problem { document, line, column, path, message, .. } = problem;
        Self { document, line: line.map(int), column: column.map(int), path, message }
    }
}

/// Contract versions have numbers too small for their changes. Nothing was changed.
#[derive(SimpleObject)]
pub(crate) struct RefusedVersions {
    refusals: Vec<VersionRefusal>,
}

/// The refusal of a contract version.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct VersionRefusal {
    /// The document's path.
    document: String,
    /// The contract's document id.
    contract: String,
    version: String,
    compared_with: String,
    /// The bump that its changes require.
    needed: Bump,
    /// A sufficient version.
    suggested: String,
    findings: Vec<Finding>,
    /// A digest over the findings, which a steward gives to accept them; null if no override applies.
    findings_digest: Option<String>,
    message: String,
    #[graphql(skip)]
    breaking: Option<Box<publish::Breaking>>,
}

#[ComplexObject]
impl VersionRefusal {
    /// Those who read the columns of `comparedWith` that the findings break. Null if they break nothing.
    async fn affected(&self, ctx: &Context<'_>) -> Result<Option<AffectedReaders>> {
        affected(ctx, self.breaking.as_deref()).await
    }
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
            breaking: refusal.breaking.map(Box::new),
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

/// What a document of a contract changes against another.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct ContractImpact {
    /// The differences from the old document.
    findings: Vec<Finding>,
    #[graphql(skip)]
    breaking: Option<publish::Breaking>,
}

#[ComplexObject]
impl ContractImpact {
    /// Those who read the columns of the old document's major that the differences break. Null if they break nothing.
    async fn affected(&self, ctx: &Context<'_>) -> Result<Option<AffectedReaders>> {
        affected(ctx, self.breaking.as_ref()).await
    }
}

#[derive(Union)]
pub(crate) enum ContractImpactResult {
    Done(ContractImpact),
    Invalid(InvalidDocuments),
}

#[derive(Default)]
pub(crate) struct PublishQuery;

#[Object]
impl PublishQuery {
    /// What `applyDocuments` would change, without changing anything.
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

    /// What a document of a contract changes against another, and whom that breaks, without changing anything. The old
    /// document's major is one that was published; neither document needs to be.
    async fn contract_impact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product of the contract, `domain.product`.")] product: String,
        #[graphql(desc = "One document, of the contract.")] old: DocumentInput,
        #[graphql(desc = "The document that follows it.")] new: DocumentInput,
    ) -> Result<ContractImpactResult> {
        let (domain, product) = product_address(&product)?;
        let documents = [&DocumentText::from(old), &DocumentText::from(new)];
        Ok(match publish::impact(ctx.ctx()?, &domain, &product, documents).await? {
            Ok(publish::Impact { findings, breaking }) => {
                let findings = findings.iter().map(Finding::from).collect();
                ContractImpactResult::Done(ContractImpact { findings, breaking })
            }
            Err(problems) => ContractImpactResult::Invalid(InvalidDocuments { problems: all(problems) }),
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
