//! Leases, and asking for credentials.

use app::gate::{self, Issued, Vend, Vended};
use app::lease::list_leases;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Union};

use super::SessionExt;
use super::error::Result;
use super::gate::Decision;
use super::grant::Grant;
use super::id::encode;
use super::identity::{self, Principal, lifetime};
use super::page::{Connection, Page, cost};
use super::scalar::DateTime;
use super::table::{Snapshot, address, find_snapshot};
use super::words::{Action, LeaseState, PurposeCode};

/// Credentials that were handed out: what for, to whom, until when. It holds no secret.
pub(crate) struct Lease(pub(crate) domain::lease::Lease);

#[Object]
impl Lease {
    pub(crate) async fn id(&self) -> ID {
        encode(self.0.id)
    }

    /// Its holder.
    async fn principal(&self, ctx: &Context<'_>) -> Result<Principal> {
        identity::get(ctx, self.0.principal_id).await
    }

    /// The allowed action: `read`, `repair` or `inspect`.
    async fn action(&self) -> &'static str {
        self.0.action.as_str()
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
        find_snapshot(ctx, snapshot_id, &target).await
    }

    async fn state(&self, ctx: &Context<'_>) -> Result<LeaseState> {
        let is_over = ctx.ctx()?.now() >= self.0.expires_at;
        Ok(match LeaseState::from(self.0.state) {
            LeaseState::Intended | LeaseState::Issued if is_over => LeaseState::Ended,
            state => state,
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
    credentials: S3Credentials,
}

/// Credentials for S3 clients. They are not stored and not shown again.
#[derive(SimpleObject)]
pub(crate) struct S3Credentials {
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
        let Issued { lease, decision, credentials, endpoint, region, table_uri } = issued;
        let credentials = S3Credentials {
            access_key_id: credentials.access_key_id,
            secret_access_key: credentials.secret_access_key.expose().to_owned(),
            session_token: credentials.session_token.expose().to_owned(),
            allow_http: endpoint.starts_with("http://"),
            endpoint,
            region,
            table_uri,
            expires_at: lease.expires_at.into(),
        };
        Self { lease: Lease(lease), decision: Decision(decision), credentials }
    }
}
