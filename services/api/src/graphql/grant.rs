//! Access requests and grants.

use app::grant::{self, Answer, ApproveRequest, RequestAccess, Revoked};
use app::target::PortTarget;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Union};
use domain::grant::{PortMajor, Purpose, Window};

use super::error::{Failure, Result};
use super::id::{decode, encode};
use super::input::{address, idempotency_key, name, product_address};
use super::loader::GrantOf;
use super::page::{Connection, Page, cost};
use super::relation::{self, decided_at, find_decider, reason_of};
use super::scalar::{DateTime, int};
use super::session::SessionExt;
use super::types::{AccessRequest, Grant, Lease, Principal, Product};
use super::words::{AccessRequestState, GrantState, PurposeCode};

/// What a request asks for, and what a grant gives.
struct Access<'a> {
    port_major: &'a PortMajor,
    purpose: &'a Purpose,
    window: Window,
}

#[Object]
impl Access<'_> {
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        relation::find_product(ctx, self.port_major.product_id).await
    }

    async fn port(&self) -> &str {
        self.port_major.port.as_str()
    }

    async fn major(&self) -> i32 {
        int(self.port_major.major)
    }

    async fn purpose(&self) -> PurposeCode {
        self.purpose.code.into()
    }

    /// The purpose in the requester's words.
    async fn sentence(&self) -> &str {
        &self.purpose.sentence
    }

    async fn from(&self) -> DateTime {
        self.window.from.into()
    }

    async fn until(&self) -> DateTime {
        self.window.until.into()
    }
}

#[Object]
impl AccessRequest {
    pub(crate) async fn id(&self) -> ID {
        encode(self.0.id)
    }

    async fn requester(&self, ctx: &Context<'_>) -> Result<Principal> {
        relation::principal(ctx, self.0.requester).await
    }

    #[graphql(flatten)]
    async fn access(&self) -> Access<'_> {
        let domain::grant::AccessRequest { port_major, purpose, window, .. } = &self.0;
        Access { port_major, purpose, window: *window }
    }

    async fn state(&self) -> AccessRequestState {
        self.0.state.into()
    }

    /// The principal that decided, or withdrew the request.
    async fn decided_by(&self, ctx: &Context<'_>) -> Result<Option<Principal>> {
        find_decider(ctx, self.0.decided.as_ref()).await
    }

    async fn decided_at(&self) -> Option<DateTime> {
        decided_at(self.0.decided.as_ref())
    }

    /// The reason for the decision.
    async fn reason(&self) -> Option<&str> {
        reason_of(self.0.decided.as_ref())
    }

    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// The grant that answers it.
    async fn grant(&self, ctx: &Context<'_>) -> Result<Option<Grant>> {
        Ok(ctx.loaders()?.find(GrantOf(self.0.id)).await?.map(Grant))
    }
}

#[Object]
impl Grant {
    pub(crate) async fn id(&self) -> ID {
        encode(self.0.id)
    }

    /// The principal that may read.
    async fn principal(&self, ctx: &Context<'_>) -> Result<Principal> {
        relation::principal(ctx, self.0.principal_id).await
    }

    #[graphql(flatten)]
    async fn access(&self) -> Access<'_> {
        let domain::grant::Grant { port_major, purpose, window, .. } = &self.0;
        Access { port_major, purpose, window: *window }
    }

    async fn state(&self, ctx: &Context<'_>) -> Result<GrantState> {
        let now = ctx.ctx()?.now();
        Ok(match &self.0 {
            grant if grant.revoked.is_some() => GrantState::Revoked,
            grant if now >= grant.window.until => GrantState::Ended,
            grant if now < grant.window.from => GrantState::Upcoming,
            _ => GrantState::Active,
        })
    }

    async fn granted_by(&self, ctx: &Context<'_>) -> Result<Principal> {
        relation::principal(ctx, self.0.granted_by).await
    }

    async fn granted_at(&self) -> DateTime {
        self.0.granted_at.into()
    }

    async fn revoked_by(&self, ctx: &Context<'_>) -> Result<Option<Principal>> {
        find_decider(ctx, self.0.revoked.as_ref()).await
    }

    async fn revoked_at(&self) -> Option<DateTime> {
        decided_at(self.0.revoked.as_ref())
    }

    /// The reason for the early end.
    async fn reason(&self) -> Option<&str> {
        reason_of(self.0.revoked.as_ref())
    }
}

#[derive(Default)]
pub(crate) struct GrantQuery;

#[Object]
impl GrantQuery {
    /// Requests, newest first: the caller's own, those of their domains, and all for platform roles.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn access_requests(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(super::page::DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
        state: Option<AccessRequestState>,
    ) -> Result<Connection<AccessRequest>> {
        let ctx = ctx.ctx()?;
        let page = Page::new(ctx, "access requests", first, after.as_deref())?;
        let found = grant::list_requests(ctx, state.map(Into::into), page.seek()).await?;
        Ok(page.connection(found, |request| (request.created_at, request.id), AccessRequest))
    }

    /// Grants, newest first: the caller's own, those of their domains, and all for platform roles.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn grants(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(super::page::DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Grant>> {
        let ctx = ctx.ctx()?;
        let page = Page::new(ctx, "grants", first, after.as_deref())?;
        let found = grant::list_grants(ctx, page.seek()).await?;
        Ok(page.connection(found, |grant| (grant.granted_at, grant.id), Grant))
    }
}

/// A request for access, either by `address` or by `product` and `port`.
#[derive(InputObject)]
pub(crate) struct RequestAccessInput {
    /// A table: `domain.product.table`, with or without a major.
    address: Option<String>,
    /// `domain.product`.
    product: Option<String>,
    port: Option<String>,
    /// The port's major; default: the newest.
    major: Option<i32>,
    purpose: PurposeCode,
    /// The purpose in a sentence.
    sentence: String,
    /// The start; default: now.
    from: Option<DateTime>,
    /// The end; default: 90 days after the start, at most 365.
    until: Option<DateTime>,
    idempotency_key: Option<String>,
}

#[derive(SimpleObject)]
pub(crate) struct RequestAccessPayload {
    request: AccessRequest,
}

#[derive(InputObject)]
pub(crate) struct WithdrawRequestInput {
    request: ID,
    idempotency_key: Option<String>,
}

#[derive(InputObject)]
pub(crate) struct ApproveRequestInput {
    request: ID,
    /// An earlier end than requested.
    until: Option<DateTime>,
    reason: Option<String>,
    idempotency_key: Option<String>,
}

#[derive(InputObject)]
pub(crate) struct RejectRequestInput {
    request: ID,
    reason: String,
    idempotency_key: Option<String>,
}

#[derive(SimpleObject)]
pub(crate) struct WithdrawRequestPayload {
    request: AccessRequest,
}

#[derive(SimpleObject)]
pub(crate) struct ApproveRequestPayload {
    request: AccessRequest,
    grant: Grant,
}

#[derive(SimpleObject)]
pub(crate) struct RejectRequestPayload {
    request: AccessRequest,
}

/// The request is already decided.
#[derive(SimpleObject)]
pub(crate) struct RequestNotPending {
    request: AccessRequest,
    message: String,
}

impl From<domain::grant::AccessRequest> for RequestNotPending {
    fn from(request: domain::grant::AccessRequest) -> Self {
        let message = format!("the request is already {}", request.state);
        Self { request: AccessRequest(request), message }
    }
}

#[derive(Union)]
pub(crate) enum WithdrawRequestResult {
    Done(WithdrawRequestPayload),
    NotPending(RequestNotPending),
}

#[derive(Union)]
pub(crate) enum ApproveRequestResult {
    Done(ApproveRequestPayload),
    NotPending(RequestNotPending),
}

#[derive(Union)]
pub(crate) enum RejectRequestResult {
    Done(RejectRequestPayload),
    NotPending(RequestNotPending),
}

#[derive(InputObject)]
pub(crate) struct RevokeGrantInput {
    grant: ID,
    reason: String,
    idempotency_key: Option<String>,
}

#[derive(SimpleObject)]
pub(crate) struct RevokeGrantPayload {
    grant: Grant,
    /// The leases that ended with it.
    ended_leases: Vec<Lease>,
}

/// The grant had already ended.
#[derive(SimpleObject)]
pub(crate) struct GrantNotActive {
    grant: Grant,
    message: String,
}

#[derive(Union)]
pub(crate) enum RevokeGrantResult {
    Done(RevokeGrantPayload),
    NotActive(GrantNotActive),
}

#[derive(Default)]
pub(crate) struct GrantMutation;

#[Object]
impl GrantMutation {
    /// Requests access.
    async fn request_access(&self, ctx: &Context<'_>, input: RequestAccessInput) -> Result<RequestAccessPayload> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("requestAccess", &input, input.idempotency_key.as_ref())?;
        let purpose = Purpose::new(input.purpose.into(), &input.sentence);
        let command = RequestAccess {
            target: port_target(&input)?,
            purpose: purpose.map_err(|error| Failure::invalid("sentence", error))?,
            from: input.from.map(|from| from.0),
            until: input.until.map(|until| until.0),
            key,
        };
        let request = grant::request_access(ctx, command).await?;
        Ok(RequestAccessPayload { request: AccessRequest(request) })
    }

    /// Withdraws a request.
    async fn withdraw_request(&self, ctx: &Context<'_>, input: WithdrawRequestInput) -> Result<WithdrawRequestResult> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("withdrawRequest", &input, input.idempotency_key.as_ref())?;
        Ok(match grant::withdraw_request(ctx, decode(&input.request, "request")?, key).await? {
            Answer::Done(request) => {
                WithdrawRequestResult::Done(WithdrawRequestPayload { request: AccessRequest(request) })
            }
            Answer::NotPending(request) => WithdrawRequestResult::NotPending(request.into()),
        })
    }

    /// Approves a request; never one's own.
    async fn approve_request(&self, ctx: &Context<'_>, input: ApproveRequestInput) -> Result<ApproveRequestResult> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("approveRequest", &input, input.idempotency_key.as_ref())?;
        let command = ApproveRequest {
            id: decode(&input.request, "request")?,
            until: input.until.map(|until| until.0),
            reason: input.reason,
            key,
        };
        Ok(match grant::approve_request(ctx, command).await? {
            Answer::Done((request, grant)) => ApproveRequestResult::Done(ApproveRequestPayload {
                request: AccessRequest(request),
                grant: Grant(grant),
            }),
            Answer::NotPending(request) => ApproveRequestResult::NotPending(request.into()),
        })
    }

    /// Rejects a request, with a reason.
    async fn reject_request(&self, ctx: &Context<'_>, input: RejectRequestInput) -> Result<RejectRequestResult> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("rejectRequest", &input, input.idempotency_key.as_ref())?;
        let id = decode(&input.request, "request")?;
        Ok(match grant::reject_request(ctx, id, &input.reason, key).await? {
            Answer::Done(request) => {
                RejectRequestResult::Done(RejectRequestPayload { request: AccessRequest(request) })
            }
            Answer::NotPending(request) => RejectRequestResult::NotPending(request.into()),
        })
    }

    /// Revokes a grant and the leases based on it.
    async fn revoke_grant(&self, ctx: &Context<'_>, input: RevokeGrantInput) -> Result<RevokeGrantResult> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("revokeGrant", &input, input.idempotency_key.as_ref())?;
        Ok(match grant::revoke_grant(ctx, decode(&input.grant, "grant")?, &input.reason, key).await? {
            Revoked::Done(grant, leases) => RevokeGrantResult::Done(RevokeGrantPayload {
                grant: Grant(grant),
                ended_leases: leases.into_iter().map(Lease).collect(),
            }),
            Revoked::NotActive(grant) => RevokeGrantResult::NotActive(GrantNotActive {
                grant: Grant(grant),
                message: "the grant had ended before".to_owned(),
            }),
        })
    }
}

fn port_target(input: &RequestAccessInput) -> Result<PortTarget> {
    match (&input.address, &input.product, &input.port, input.major) {
        (Some(table), None, None, None) => Ok(PortTarget::Table(address(table)?)),
        (None, Some(product), Some(port), major) => {
            let (domain, product) = product_address(product)?;
            let major = major.map(|major| u64::try_from(major).map_err(|_| Failure::invalid("major", "not a major")));
            Ok(PortTarget::Port { domain, product, port: name(port, "port")?, major: major.transpose()? })
        }
        _ => Err(Failure::invalid("address", "name either `address`, or `product` and `port`")),
    }
}
