//! Overrides: versions that stewards accepted although their numbers were too small, with what they were shown.

use app::overrides::{self, CreateOverride, Created, Refused, Review, Revoked};
use app::publish::DocumentText;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Union};

use super::error::{Failure, Result};
use super::id::{decode, encode};
use super::input::{idempotency_key, product_address};
use super::publish::{DocumentInput, InvalidDocuments, VersionRefusal, all};
use super::relation::{self, decided_at, find_decider, reason_of};
use super::scalar::DateTime;
use super::session::SessionExt;
use super::types::{Contract, ContractOverride, Finding, Principal};

#[Object]
impl ContractOverride {
    pub(crate) async fn id(&self) -> ID {
        encode(self.0.accepted.id)
    }

    async fn contract(&self, ctx: &Context<'_>) -> Result<Option<Contract>> {
        relation::find_contract(ctx, self.0.accepted.contract_id).await
    }

    /// The version that may be published.
    async fn version(&self) -> String {
        self.0.accepted.version.to_string()
    }

    /// The promised version it was compared with.
    async fn compared_with(&self) -> String {
        self.0.accepted.since.to_string()
    }

    /// The changes, as shown to the steward.
    async fn findings(&self) -> Vec<Finding> {
        self.0.accepted.findings.iter().cloned().map(Finding::from).collect()
    }

    /// A digest over the findings.
    async fn findings_digest(&self) -> String {
        self.0.accepted.digest().to_string()
    }

    /// The steward's reason.
    async fn reason(&self) -> &str {
        &self.0.accepted.reason
    }

    async fn steward(&self, ctx: &Context<'_>) -> Result<Option<Principal>> {
        relation::find_principal(ctx, self.0.accepted.steward).await
    }

    async fn created_at(&self) -> DateTime {
        self.0.accepted.created_at.into()
    }

    async fn expires_at(&self) -> DateTime {
        self.0.accepted.expires_at.into()
    }

    /// Whether its row is as it was signed. What one says that is not can be false: it counts for nothing, and blocks
    /// publishing in its product.
    async fn intact(&self) -> bool {
        self.0.is_intact
    }

    /// Whether it is valid: intact, and neither expired nor revoked.
    async fn stands(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.0.stands(ctx.ctx()?.now()))
    }

    async fn revoked_by(&self, ctx: &Context<'_>) -> Result<Option<Principal>> {
        find_decider(ctx, self.0.accepted.revoked.as_ref()).await
    }

    async fn revoked_at(&self) -> Option<DateTime> {
        decided_at(self.0.accepted.revoked.as_ref())
    }

    /// The reason for the early end.
    async fn revoke_reason(&self) -> Option<&str> {
        reason_of(self.0.accepted.revoked.as_ref())
    }
}

/// The refusal of a document, or its errors.
#[derive(Union)]
pub(crate) enum ReviewRefusalResult {
    Refused(VersionRefusal),
    Invalid(InvalidDocuments),
}

#[derive(Default)]
pub(crate) struct OverrideQuery;

#[Object]
impl OverrideQuery {
    /// Why a document is refused as the next version of its contract; what a steward reviews before accepting it.
    /// Refusals with an override are skipped: a document that breaks two versions needs two overrides.
    async fn review_refusal(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product of its contract, `domain.product`.")] product: String,
        #[graphql(desc = "One document, of a contract.")] document: DocumentInput,
    ) -> Result<ReviewRefusalResult> {
        Ok(match overrides::review_refusal(ctx.ctx()?, &refused(&product, document)?).await? {
            Review::Refused(refusal) => ReviewRefusalResult::Refused((*refusal).into()),
            Review::Invalid(problems) => ReviewRefusalResult::Invalid(InvalidDocuments { problems: all(problems) }),
        })
    }
}

fn refused(product: &str, document: DocumentInput) -> Result<Refused> {
    let (domain, product) = product_address(product)?;
    Ok(Refused { domain, product, document: DocumentText::from(document) })
}

#[derive(InputObject)]
pub(crate) struct CreateOverrideInput {
    /// The product of its contract, `domain.product`.
    product: String,
    /// The refused document: one contract.
    document: DocumentInput,
    /// The `findingsDigest` from `reviewRefusal`: exactly these findings are accepted.
    findings_digest: String,
    /// The steward's reason.
    reason: String,
    /// The expiry; at most 30 days from now.
    expires_at: DateTime,
    idempotency_key: Option<String>,
}

#[derive(SimpleObject)]
pub(crate) struct CreateOverridePayload {
    #[graphql(name = "override")]
    contract_override: ContractOverride,
}

/// The document is refused for other findings than those shown. Nothing was changed.
#[derive(SimpleObject)]
pub(crate) struct OtherFindings {
    refusal: VersionRefusal,
    message: String,
}

#[derive(Union)]
pub(crate) enum CreateOverrideResult {
    Done(CreateOverridePayload),
    OtherFindings(OtherFindings),
    Invalid(InvalidDocuments),
}

#[derive(InputObject)]
pub(crate) struct RevokeOverrideInput {
    #[graphql(name = "override")]
    id: ID,
    reason: String,
    idempotency_key: Option<String>,
}

#[derive(SimpleObject)]
pub(crate) struct RevokeOverridePayload {
    #[graphql(name = "override")]
    contract_override: ContractOverride,
}

/// The override had already ended.
#[derive(SimpleObject)]
pub(crate) struct OverrideNotStanding {
    #[graphql(name = "override")]
    contract_override: ContractOverride,
    message: String,
}

#[derive(Union)]
pub(crate) enum RevokeOverrideResult {
    Done(RevokeOverridePayload),
    NotStanding(OverrideNotStanding),
}

#[derive(Default)]
pub(crate) struct OverrideMutation;

#[Object]
impl OverrideMutation {
    /// Accepts a version that was refused for its number; for stewards without a publishing role in its domain. The
    /// steward cannot publish that version.
    async fn create_override(&self, ctx: &Context<'_>, input: CreateOverrideInput) -> Result<CreateOverrideResult> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("createOverride", &input, input.idempotency_key.as_ref())?;
        let digest = input.findings_digest.parse();
        let command = CreateOverride {
            refused: refused(&input.product, input.document)?,
            findings: digest.map_err(|error| Failure::invalid("findingsDigest", error))?,
            reason: input.reason,
            expires_at: input.expires_at.0,
            key,
        };
        Ok(match overrides::create_override(ctx, command).await? {
            Created::Done(accepted) => CreateOverrideResult::Done(CreateOverridePayload {
                contract_override: ContractOverride(accepted.into()),
            }),
            Created::OtherFindings(refusal) => CreateOverrideResult::OtherFindings(OtherFindings {
                message: "the document is refused for other findings than were shown: look at it again".to_owned(),
                refusal: (*refusal).into(),
            }),
            Created::Invalid(problems) => CreateOverrideResult::Invalid(InvalidDocuments { problems: all(problems) }),
        })
    }

    /// Revokes an override.
    async fn revoke_override(&self, ctx: &Context<'_>, input: RevokeOverrideInput) -> Result<RevokeOverrideResult> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("revokeOverride", &input, input.idempotency_key.as_ref())?;
        let id = decode(&input.id, "override")?;
        Ok(match overrides::revoke_override(ctx, id, &input.reason, key).await? {
            Revoked::Done(accepted) => RevokeOverrideResult::Done(RevokeOverridePayload {
                contract_override: ContractOverride(accepted.into()),
            }),
            Revoked::NotStanding(accepted) => RevokeOverrideResult::NotStanding(OverrideNotStanding {
                contract_override: ContractOverride(accepted.into()),
                message: domain::overrides::Error::NotStanding.to_string(),
            }),
        })
    }
}
