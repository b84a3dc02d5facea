//! Overrides: versions that stewards accepted although their numbers were too small.

use app::overrides::{self, CreateOverride, Revoked};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Union};
use domain::overrides::Override;

use super::SessionExt;
use super::contract::Contract;
use super::error::{Failure, Result};
use super::id::{decode, encode};
use super::identity::{self, Principal};
use super::key::idempotency_key;
use super::scalar::DateTime;

/// A steward's acceptance of one version whose number is too small for what it changes.
pub(crate) struct ContractOverride(pub(crate) Override);

#[Object]
impl ContractOverride {
    pub(crate) async fn id(&self) -> ID {
        encode(self.0.id)
    }

    async fn contract(&self, ctx: &Context<'_>) -> Result<Option<Contract>> {
        ctx.loaders()?.find(self.0.contract_id).await
    }

    /// The version that may be published.
    async fn version(&self) -> String {
        self.0.version.to_string()
    }

    /// What it was refused for: a digest over the findings.
    async fn findings_digest(&self) -> String {
        self.0.findings.to_string()
    }

    /// Why it is accepted.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    async fn steward(&self, ctx: &Context<'_>) -> Result<Option<Principal>> {
        identity::find(ctx, self.0.steward).await
    }

    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    async fn expires_at(&self) -> DateTime {
        self.0.expires_at.into()
    }

    /// Whether it stands: neither expired nor ended early.
    async fn stands(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.0.stands(ctx.ctx()?.now()))
    }

    async fn revoked_by(&self, ctx: &Context<'_>) -> Result<Option<Principal>> {
        match &self.0.revoked {
            Some(revoked) => identity::find(ctx, revoked.by).await,
            None => Ok(None),
        }
    }

    async fn revoked_at(&self) -> Option<DateTime> {
        self.0.revoked.as_ref().map(|revoked| DateTime(revoked.at))
    }

    /// Why it was ended early.
    async fn revoke_reason(&self) -> Option<&str> {
        self.0.revoked.as_ref().and_then(|revoked| revoked.reason.as_deref())
    }
}

#[derive(InputObject)]
pub(crate) struct CreateOverrideInput {
    contract: ID,
    /// The version that was refused.
    version: String,
    /// The `findingsDigest` of the refusal.
    findings_digest: String,
    /// Why it is accepted.
    reason: String,
    /// Until when; at most 30 days from now.
    expires_at: DateTime,
    idempotency_key: Option<String>,
}

#[derive(SimpleObject)]
pub(crate) struct CreateOverridePayload {
    #[graphql(name = "override")]
    says: ContractOverride,
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
    says: ContractOverride,
}

/// The override had ended before.
#[derive(SimpleObject)]
pub(crate) struct OverrideNotStanding {
    #[graphql(name = "override")]
    says: ContractOverride,
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
    /// Accepts a version that was refused for its number; for stewards who do not publish in its domain.
    async fn create_override(&self, ctx: &Context<'_>, input: CreateOverrideInput) -> Result<CreateOverridePayload> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("createOverride", &input, input.idempotency_key.as_ref())?;
        let digest = input.findings_digest.parse();
        let command = CreateOverride {
            contract_id: decode(&input.contract, "contract")?,
            version: input.version.parse().map_err(|error| Failure::invalid("version", error))?,
            findings: digest.map_err(|error| Failure::invalid("findingsDigest", error))?,
            reason: input.reason,
            expires_at: input.expires_at.0,
            key,
        };
        Ok(CreateOverridePayload { says: ContractOverride(overrides::create_override(ctx, command).await?) })
    }

    /// Ends an override early.
    async fn revoke_override(&self, ctx: &Context<'_>, input: RevokeOverrideInput) -> Result<RevokeOverrideResult> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("revokeOverride", &input, input.idempotency_key.as_ref())?;
        let id = decode(&input.id, "override")?;
        Ok(match overrides::revoke_override(ctx, id, &input.reason, key).await? {
            Revoked::Done(says) => RevokeOverrideResult::Done(RevokeOverridePayload { says: ContractOverride(says) }),
            Revoked::NotStanding(says) => RevokeOverrideResult::NotStanding(OverrideNotStanding {
                says: ContractOverride(says),
                message: domain::overrides::Error::NotStanding.to_string(),
            }),
        })
    }
}
