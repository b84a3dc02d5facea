//! Leases, and asking for credentials.

use app::gate::{self, Issued, Vend, Vended};
use app::lease::list_leases;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Union};

use super::closed_set::GateAction;
use super::error::Result;
use super::id::encode;
use super::input::{address, lifetime};
use super::page::{Connection, Page, cost};
use super::relation;
use super::scalar::DateTime;
use super::session::SessionExt;
use super::types::{Decision, Grant, Lease, Principal, Snapshot};
use super::words::{Action, LeaseState, PurposeCode};

#[Object]
impl Lease {
    pub(crate) async fn id(&self) -> ID {
        encode(self.0.id)
    }

    /// Its holder.
    async fn principal(&self, ctx: &Context<'_>) -> Result<Principal> {
        relation::principal(ctx, self.0.principal_id).await
    }

    /// The allowed action.
    async fn action(&self) -> GateAction {
        GateAction(self.0.action)
    }

    /// The table it opens.
    async fn address(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let target = ctx.loaders()?.find(self.0.binding_id).await?;
        Ok(target.map(|target| target.address()))
    }

    /// The served snapshot; null if it covers the folder as it is.
    async fn snapshot(&self, ctx: &Context<'_>) -> Result<Option<Snapshot>> {
        let (Some(snapshot_id), Some(target)) = (self.0.snapshot_id, ctx.loaders()?.find(self.0.binding_id).await?)
        else {
            return Ok(None);
        };
        relation::find_snapshot(ctx, snapshot_id, &target).await
    }

    async fn state(&self, ctx: &Context<'_>) -> Result<LeaseState> {
        let is_over = ctx.ctx()?.now() >= self.0.expires_at;
        Ok(match LeaseState::from(self.0.state) {
            LeaseState::Intended | LeaseState::Issued if is_over => LeaseState::Ended,
            state @ (LeaseState::Intended | LeaseState::Issued | LeaseState::Ended | LeaseState::Revoked) => state,
        })
    }

    async fn issued_at(&self) -> DateTime {
        self.0.issued_at.into()
    }

    async fn expires_at(&self) -> DateTime {
        self.0.expires_at.into()
    }

    /// The grant it is based on; null if it is based on a role.
    async fn grant(&self, ctx: &Context<'_>) -> Result<Option<Grant>> {
        match self.0.grant_id {
            Some(grant_id) => Ok(ctx.loaders()?.find(grant_id).await?.map(Grant)),
            None => Ok(None),
        }
    }

    /// The decision that allowed it.
    async fn decision(&self, ctx: &Context<'_>) -> Result<Option<Decision>> {
        Ok(ctx.loaders()?.find(self.0.decision_id).await?.map(Decision))
    }
}

#[derive(Default)]
pub(crate) struct CredentialQuery;

#[Object]
impl CredentialQuery {
    /// Leases, newest first: the caller's own, those of their domains, and all for platform roles.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn leases(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(super::page::DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Lease>> {
        let ctx = ctx.ctx()?;
        let page = Page::new(ctx, "leases", first, after.as_deref())?;
        let found = list_leases(ctx, page.seek()).await?;
        Ok(page.connection(found, |lease| (lease.issued_at, lease.id), Lease))
    }
}

#[derive(InputObject)]
pub(crate) struct VendCredentialsInput {
    address: String,
    #[graphql(default_with = "Some(Action::Read)")]
    action: Option<Action>,
    /// The purpose, unless the token or the caller's only grant determines it.
    purpose: Option<PurposeCode>,
    /// The lifetime: an hour by default, at most 12, never beyond the grant.
    lifetime_seconds: Option<i32>,
}

/// The gate was open.
#[derive(SimpleObject)]
pub(crate) struct VendCredentialsPayload {
    lease: Lease,
    decision: Decision,
    credentials: Credentials,
}

/// What opens the table, in the terms of its storage.
#[derive(Union)]
pub(crate) enum Credentials {
    Gateway(GatewayCredentials),
}

/// What S3 clients sign with at the gateway. It is not stored and not shown again.
#[derive(SimpleObject)]
pub(crate) struct GatewayCredentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    /// The gateway's URL.
    endpoint: String,
    region: String,
    /// The table's URI: `s3://lake/...`.
    table_uri: String,
    expires_at: DateTime,
    /// Whether the gateway is reached without TLS, which clients must allow.
    allow_http: bool,
}

/// The gate was shut.
#[derive(SimpleObject)]
pub(crate) struct GateRefused {
    decision: Decision,
}

#[derive(Union)]
pub(crate) enum VendCredentialsResult {
    Issued(Box<VendCredentialsPayload>),
    Refused(GateRefused),
}

#[derive(Default)]
pub(crate) struct CredentialMutation;

#[Object]
impl CredentialMutation {
    /// Asks the gate, and issues credentials if it is open. It takes no idempotency key: secrets are not stored, so a
    /// second call issues a second lease.
    async fn vend_credentials(&self, ctx: &Context<'_>, input: VendCredentialsInput) -> Result<VendCredentialsResult> {
        let command = Vend {
            address: address(&input.address)?,
            action: input.action.unwrap_or(Action::Read).into(),
            purpose: input.purpose.map(Into::into),
            lifetime: lifetime(input.lifetime_seconds)?,
        };
        Ok(match gate::vend(ctx.ctx()?, command).await? {
            Vended::Issued(issued) => VendCredentialsResult::Issued(Box::new((*issued).into())),
            Vended::Refused(decision) => VendCredentialsResult::Refused(GateRefused { decision: Decision(decision) }),
        })
    }
}

impl From<Issued> for VendCredentialsPayload {
    fn from(issued: Issued) -> Self {
        let Issued { lease, decision, credentials } = issued;
        let credentials = match credentials {
            domain::lease::Credentials::Gateway(credentials) => Credentials::Gateway(GatewayCredentials {
                access_key_id: credentials.access_key_id,
                secret_access_key: credentials.secret_access_key.expose().to_owned(),
                session_token: credentials.session_token.expose().to_owned(),
                allow_http: credentials.endpoint.starts_with("http://"),
                endpoint: credentials.endpoint,
                region: credentials.region,
                table_uri: credentials.table_uri,
                expires_at: lease.expires_at.into(),
            }),
        };
        Self { lease: Lease(lease), decision: Decision(decision), credentials }
    }
}
