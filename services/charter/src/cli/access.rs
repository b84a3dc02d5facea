//! `charter access`: requesting access, deciding on requests, and revoking grants.

use clap::Subcommand;
use cynic::Id;
use domain::clock::Timestamp;
use serde::Serialize;

use super::answer::{PrincipalName, ProductName};
use super::api::{AccessRequestState, DateTime, GrantState, PurposeCode, list, operation, schema};
use super::args::{self, Idempotency, Paging, Remote};
use super::client::Client;
use super::error::{Error, Exit, Result};
use super::output::{self, count, or_dash};

/// `charter access`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Subcommand)]
enum Command {
    /// Request access to a table, or to an output port of a product
    Request(RequestArgs),
    /// Approve a request
    Approve {
        /// Id of the request
        #[arg(value_name = "ID")]
        request: String,
        /// End of the grant, earlier than requested: a date or RFC 3339
        #[arg(long, value_name = "TIME", value_parser = args::timestamp)]
        until: Option<Timestamp>,
        /// Reason for the decision
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        idempotency: Idempotency,
    },
    /// Reject a request
    Reject {
        /// Id of the request
        #[arg(value_name = "ID")]
        request: String,
        /// Reason for the decision
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        idempotency: Idempotency,
    },
    /// Withdraw your own request
    Withdraw {
        /// Id of the request
        #[arg(value_name = "ID")]
        request: String,
        #[command(flatten)]
        idempotency: Idempotency,
    },
    /// Revoke a grant and its leases immediately
    Revoke {
        /// Id of the grant
        #[arg(value_name = "ID")]
        grant: String,
        /// Reason for the revocation
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        idempotency: Idempotency,
    },
    /// List requests: your own, and those that you may decide or audit
    List {
        /// Only requests in this state
        #[arg(long, value_enum)]
        state: Option<AccessRequestState>,
        #[command(flatten)]
        paging: Paging,
    },
    /// List grants: your own, and those of your domains
    Grants {
        #[command(flatten)]
        paging: Paging,
    },
}

#[derive(clap::Args)]
struct RequestArgs {
    /// Table, `domain.product.table`; or product, `domain.product`, with `--port`
    target: String,
    /// Name of the output port
    #[arg(long)]
    port: Option<String>,
    /// Major version of the port; the newest if not given
    #[arg(long, requires = "port", value_parser = clap::value_parser!(i32).range(0..))]
    major: Option<i32>,
    /// Purpose that the data is used for
    #[arg(long, value_enum)]
    purpose: PurposeCode,
    /// Description of the purpose, for the approvers
    #[arg(long)]
    sentence: String,
    /// Start of access: a date or RFC 3339; now if not given
    #[arg(long, value_name = "TIME", value_parser = args::timestamp)]
    from: Option<Timestamp>,
    /// End of access: a date or RFC 3339; 90 days after the start if not given
    #[arg(long, value_name = "TIME", value_parser = args::timestamp)]
    until: Option<Timestamp>,
    #[command(flatten)]
    idempotency: Idempotency,
}

operation!($ mutation "Mutation" RequestAccess { input: RequestAccessInput } "requestAccess" -> RequestAccessPayload);
operation!($ mutation "Mutation" ApproveRequest { input: ApproveRequestInput } "approveRequest" -> ApproveRequestResult);
operation!($ mutation "Mutation" RejectRequest { input: RejectRequestInput } "rejectRequest" -> RejectRequestResult);
operation!($ mutation "Mutation" WithdrawRequest { input: WithdrawRequestInput } "withdrawRequest" -> WithdrawRequestResult);
operation!($ mutation "Mutation" RevokeGrant { input: RevokeGrantInput } "revokeGrant" -> RevokeGrantResult);
list!(
    $ ListRequests { state: Option<AccessRequestState> }
    "accessRequests" -> "AccessRequestConnection" of AccessRequest
);
list!($ ListGrants {} "grants" -> "GrantConnection" of Grant);

#[derive(Clone, cynic::InputObject)]
struct RequestAccessInput {
    #[cynic(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    port: Option<String>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    major: Option<i32>,
    purpose: PurposeCode,
    sentence: String,
    from: Option<DateTime>,
    until: Option<DateTime>,
    idempotency_key: Option<String>,
}

#[derive(Clone, cynic::InputObject)]
struct ApproveRequestInput {
    request: Id,
    until: Option<DateTime>,
    reason: Option<String>,
    idempotency_key: Option<String>,
}

#[derive(Clone, cynic::InputObject)]
struct RejectRequestInput {
    request: Id,
    reason: String,
    idempotency_key: Option<String>,
}

#[derive(Clone, cynic::InputObject)]
struct WithdrawRequestInput {
    request: Id,
    idempotency_key: Option<String>,
}

#[derive(Clone, cynic::InputObject)]
struct RevokeGrantInput {
    grant: Id,
    reason: String,
    idempotency_key: Option<String>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct RequestAccessPayload {
    request: AccessRequest,
}

#[derive(Serialize, cynic::InlineFragments)]
#[cynic(exhaustive)]
#[serde(tag = "__typename")]
#[expect(clippy::large_enum_variant, reason = "there is one value per run")]
enum ApproveRequestResult {
    ApproveRequestPayload(ApproveRequestPayload),
    RequestNotPending(RequestNotPending),
    #[cynic(fallback)]
    Unknown,
}

#[derive(Serialize, cynic::InlineFragments)]
#[cynic(exhaustive)]
#[serde(tag = "__typename")]
enum RejectRequestResult {
    RejectRequestPayload(RejectRequestPayload),
    RequestNotPending(RequestNotPending),
    #[cynic(fallback)]
    Unknown,
}

#[derive(Serialize, cynic::InlineFragments)]
#[cynic(exhaustive)]
#[serde(tag = "__typename")]
enum WithdrawRequestResult {
    WithdrawRequestPayload(WithdrawRequestPayload),
    RequestNotPending(RequestNotPending),
    #[cynic(fallback)]
    Unknown,
}

#[derive(Serialize, cynic::InlineFragments)]
#[cynic(exhaustive)]
#[serde(tag = "__typename")]
enum RevokeGrantResult {
    RevokeGrantPayload(RevokeGrantPayload),
    GrantNotActive(GrantNotActive),
    #[cynic(fallback)]
    Unknown,
}

#[derive(Serialize, cynic::QueryFragment)]
struct ApproveRequestPayload {
    request: AccessRequest,
    grant: Grant,
}

#[derive(Serialize, cynic::QueryFragment)]
struct RejectRequestPayload {
    request: AccessRequest,
}

#[derive(Serialize, cynic::QueryFragment)]
struct WithdrawRequestPayload {
    request: AccessRequest,
}

#[derive(Serialize, cynic::QueryFragment)]
struct RequestNotPending {
    request: AccessRequest,
    message: String,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct RevokeGrantPayload {
    grant: Grant,
    ended_leases: Vec<EndedLease>,
}

#[derive(Serialize, cynic::QueryFragment)]
struct GrantNotActive {
    grant: Grant,
    message: String,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct AccessRequest {
    id: Id,
    state: AccessRequestState,
    requester: PrincipalName,
    product: Option<ProductName>,
    port: String,
    major: i32,
    purpose: PurposeCode,
    sentence: String,
    from: DateTime,
    until: DateTime,
    decided_by: Option<PrincipalName>,
    decided_at: Option<DateTime>,
    reason: Option<String>,
    created_at: DateTime,
    grant: Option<GrantId>,
}

#[derive(Serialize, cynic::QueryFragment)]
#[cynic(graphql_type = "Grant")]
struct GrantId {
    id: Id,
}

#[derive(Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
struct Grant {
    id: Id,
    state: GrantState,
    principal: PrincipalName,
    product: Option<ProductName>,
    port: String,
    major: i32,
    purpose: PurposeCode,
    sentence: String,
    from: DateTime,
    until: DateTime,
    granted_by: PrincipalName,
    granted_at: DateTime,
    revoked_by: Option<PrincipalName>,
    revoked_at: Option<DateTime>,
    reason: Option<String>,
}

#[derive(Serialize, cynic::QueryFragment)]
#[cynic(graphql_type = "Lease")]
#[serde(rename_all = "camelCase")]
struct EndedLease {
    id: Id,
    principal: PrincipalName,
    address: Option<String>,
    expires_at: DateTime,
}

/// Runs `charter access`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let json = args.remote.json;
    let client = Client::new(&args.remote)?;
    match args.command {
        Command::Request(request) => {
            let payload = client.send(RequestAccess { input: request.into_input()? }).await?;
            output::show(json, &payload, |payload| requests_table([&payload.request]))?;
        }
        Command::Approve { request, until, reason, idempotency } => {
            let (until, idempotency_key) = (until.map(DateTime::from), idempotency.into_key());
            let input = ApproveRequestInput { request: Id::new(request), until, reason, idempotency_key };
            let result = client.send(ApproveRequest { input }).await?;
            output::outcome(json, &result, |result| match result {
                ApproveRequestResult::ApproveRequestPayload(approved) => Ok(grants_table([&approved.grant])),
                ApproveRequestResult::RequestNotPending(not_pending) => Err(not_pending.error()),
                ApproveRequestResult::Unknown => Err(Error::unknown_outcome()),
            })?;
        }
        Command::Reject { request, reason, idempotency } => {
            let idempotency_key = idempotency.into_key();
            let input = RejectRequestInput { request: Id::new(request), reason, idempotency_key };
            let result = client.send(RejectRequest { input }).await?;
            output::outcome(json, &result, |result| match result {
                RejectRequestResult::RejectRequestPayload(rejected) => Ok(requests_table([&rejected.request])),
                RejectRequestResult::RequestNotPending(not_pending) => Err(not_pending.error()),
                RejectRequestResult::Unknown => Err(Error::unknown_outcome()),
            })?;
        }
        Command::Withdraw { request, idempotency } => {
            let input = WithdrawRequestInput { request: Id::new(request), idempotency_key: idempotency.into_key() };
            let result = client.send(WithdrawRequest { input }).await?;
            output::outcome(json, &result, |result| match result {
                WithdrawRequestResult::WithdrawRequestPayload(withdrawn) => Ok(requests_table([&withdrawn.request])),
                WithdrawRequestResult::RequestNotPending(not_pending) => Err(not_pending.error()),
                WithdrawRequestResult::Unknown => Err(Error::unknown_outcome()),
            })?;
        }
        Command::Revoke { grant, reason, idempotency } => {
            let input = RevokeGrantInput { grant: Id::new(grant), reason, idempotency_key: idempotency.into_key() };
            let result = client.send(RevokeGrant { input }).await?;
            output::outcome(json, &result, |result| match result {
                RevokeGrantResult::RevokeGrantPayload(revoked) => Ok(grants_table([&revoked.grant])),
                RevokeGrantResult::GrantNotActive(not_active) => {
                    Err(Error::new(Exit::Failed, not_active.message.as_str()))
                }
                RevokeGrantResult::Unknown => Err(Error::unknown_outcome()),
            })?;
            if let RevokeGrantResult::RevokeGrantPayload(revoked) = &result
                && !json
            {
                output::note(&format!("{} revoked", count(revoked.ended_leases.len(), "lease")));
            }
        }
        Command::List { state, paging } => {
            let requests = client.list(ListRequests { state, ..ListRequests::default() }, &paging).await?;
            output::show(json, &requests, |requests| requests_table(&requests.nodes))?;
        }
        Command::Grants { paging } => {
            let grants = client.list(ListGrants::default(), &paging).await?;
            output::show(json, &grants, |grants| grants_table(&grants.nodes))?;
        }
    }
    Ok(Exit::Done)
}

impl RequestArgs {
    fn into_input(self) -> Result<RequestAccessInput> {
        let invalid = |message: String| Error::new(Exit::Usage, format!("`{}`: {message}", self.target));
        let (mut address, mut product) = (None, None);
        if self.port.is_some() {
            product = Some(args::product(&self.target).map_err(invalid)?.to_string());
        } else {
            let hint = "to request a port, pass the product, `domain.product`, with `--port`";
            address = Some(args::table(&self.target).map_err(|message| invalid(message).hint(hint))?);
        }
        Ok(RequestAccessInput {
            address,
            product,
            port: self.port,
            major: self.major,
            purpose: self.purpose,
            sentence: self.sentence,
            from: self.from.map(DateTime::from),
            until: self.until.map(DateTime::from),
            idempotency_key: self.idempotency.into_key(),
        })
    }
}

impl RequestNotPending {
    fn error(&self) -> Error {
        Error::new(Exit::Failed, self.message.as_str())
    }
}

fn requests_table<'a>(requests: impl IntoIterator<Item = &'a AccessRequest>) -> String {
    output::table(
        ["request", "state", "requester", "port", "purpose", "from", "until", "grant"],
        requests.into_iter().map(|request| {
            let AccessRequest { id, state, requester, product, port, major, purpose, from, until, grant, .. } = request;
            [
                id.inner().to_owned(),
                state.to_string(),
                requester.subject.clone(),
                port_name(product.as_ref(), port, *major),
                purpose.to_string(),
                from.to_string(),
                until.to_string(),
                or_dash(grant.as_ref().map(|grant| grant.id.inner())),
            ]
        }),
    )
}

fn grants_table<'a>(grants: impl IntoIterator<Item = &'a Grant>) -> String {
    output::table(
        ["grant", "state", "principal", "port", "purpose", "from", "until"],
        grants.into_iter().map(|grant| {
            let Grant { id, state, principal, product, port, major, purpose, from, until, .. } = grant;
            [
                id.inner().to_owned(),
                state.to_string(),
                principal.subject.clone(),
                port_name(product.as_ref(), port, *major),
                purpose.to_string(),
                from.to_string(),
                until.to_string(),
            ]
        }),
    )
}

fn port_name(product: Option<&ProductName>, port: &str, major: i32) -> String {
    format!("{} {port} v{major}", or_dash(product))
}
