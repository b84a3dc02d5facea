//! `charter access`: requesting access, deciding on requests, and revoking grants.

use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use domain::clock::Timestamp;
use domain::grant::RequestState;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::answer::{PrincipalName, ProductName};
use super::args::{self, Idempotency, Paging, Remote};
use super::client::{Client, Connection};
use super::error::{Error, Exit, Result};
use super::output::{self, count, or_dash, word};

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
        #[arg(long, value_parser = states())]
        state: Option<String>,
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
    #[arg(long, requires = "port")]
    major: Option<u32>,
    /// Purpose that the data is used for
    #[arg(long, value_parser = args::purposes())]
    purpose: String,
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

const REQUEST: &[&str] = &[
    "mutation RequestAccess($input: RequestAccessInput!) {
        answer: requestAccess(input: $input) { request { ...Request } }
    }\n",
    ACCESS_REQUEST,
    ProductName::FRAGMENT,
];

const APPROVE: &[&str] = &[
    "mutation ApproveRequest($input: ApproveRequestInput!) { answer: approveRequest(input: $input) {
        ... on ApproveRequestPayload { request { ...Request } grant { ...Grant } }\n",
    NOT_PENDING,
    ACCESS_REQUEST,
    GRANT,
    ProductName::FRAGMENT,
];

const REJECT: &[&str] = &[
    "mutation RejectRequest($input: RejectRequestInput!) { answer: rejectRequest(input: $input) {
        ... on RejectRequestPayload { request { ...Request } }\n",
    NOT_PENDING,
    ACCESS_REQUEST,
    ProductName::FRAGMENT,
];

const WITHDRAW: &[&str] = &[
    "mutation WithdrawRequest($input: WithdrawRequestInput!) { answer: withdrawRequest(input: $input) {
        ... on WithdrawRequestPayload { request { ...Request } }\n",
    NOT_PENDING,
    ACCESS_REQUEST,
    ProductName::FRAGMENT,
];

/// The end of every document that decides on a request.
const NOT_PENDING: &str = "        __typename
        ... on RequestNotPending { request { ...Request } message }
    } }\n";

const REVOKE: &[&str] = &[
    "mutation RevokeGrant($input: RevokeGrantInput!) { answer: revokeGrant(input: $input) {
        __typename
        ... on RevokeGrantPayload { grant { ...Grant } endedLeases { id principal { subject } address expiresAt } }
        ... on GrantNotActive { grant { ...Grant } message }
    } }\n",
    GRANT,
    ProductName::FRAGMENT,
];

const REQUESTS: &[&str] = &[
    "query AccessRequests($first: Int, $after: String, $state: AccessRequestState) {
        answer: accessRequests(first: $first, after: $after, state: $state) {
            nodes { ...Request }
            pageInfo { hasNextPage endCursor }
        }
    }\n",
    ACCESS_REQUEST,
    ProductName::FRAGMENT,
];

const GRANTS: &[&str] = &[
    "query Grants($first: Int, $after: String) { answer: grants(first: $first, after: $after) {
        nodes { ...Grant }
        pageInfo { hasNextPage endCursor }
    } }\n",
    GRANT,
    ProductName::FRAGMENT,
];

const ACCESS_REQUEST: &str = "fragment Request on AccessRequest {
    id state requester { subject } product { ...ProductName } port major purpose sentence from until
    decidedBy { subject } decidedAt reason createdAt grant { id }
}\n";

const GRANT: &str = "fragment Grant on Grant {
    id state principal { subject } product { ...ProductName } port major purpose sentence from until
    grantedBy { subject } grantedAt revokedBy { subject } revokedAt reason
}\n";

#[derive(Debug, Deserialize, Serialize)]
struct Asked {
    request: AccessRequest,
}

/// The outcomes of approving, rejecting and withdrawing.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "__typename")]
#[expect(clippy::large_enum_variant, reason = "a run of the program makes one")]
enum Answered {
    ApproveRequestPayload { request: AccessRequest, grant: Grant },
    RejectRequestPayload { request: AccessRequest },
    WithdrawRequestPayload { request: AccessRequest },
    RequestNotPending { request: AccessRequest, message: String },
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "__typename")]
enum Revoked {
    #[serde(rename_all = "camelCase")]
    RevokeGrantPayload {
        grant: Grant,
        ended_leases: Vec<EndedLease>,
    },
    GrantNotActive {
        grant: Grant,
        message: String,
    },
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct AccessRequest {
    id: String,
    state: String,
    requester: PrincipalName,
    product: Option<ProductName>,
    port: String,
    major: u32,
    purpose: String,
    sentence: String,
    from: String,
    until: String,
    decided_by: Option<PrincipalName>,
    decided_at: Option<String>,
    reason: Option<String>,
    created_at: String,
    grant: Option<GrantId>,
}

#[derive(Debug, Deserialize, Serialize)]
struct GrantId {
    id: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Grant {
    id: String,
    state: String,
    principal: PrincipalName,
    product: Option<ProductName>,
    port: String,
    major: u32,
    purpose: String,
    sentence: String,
    from: String,
    until: String,
    granted_by: PrincipalName,
    granted_at: String,
    revoked_by: Option<PrincipalName>,
    revoked_at: Option<String>,
    reason: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct EndedLease {
    id: String,
    principal: PrincipalName,
    address: Option<String>,
    expires_at: String,
}

/// Runs `charter access`.
pub(crate) async fn run(args: Args) -> Result<Exit> {
    let json = args.remote.json;
    let client = Client::new(&args.remote)?;
    match args.command {
        Command::Request(request) => {
            let asked: Asked = client.send(REQUEST, json!({ "input": request.into_input()? })).await?;
            output::show(json, &asked, |asked| requests_table(std::slice::from_ref(&asked.request)))?;
        }
        Command::Approve { request, until, reason, idempotency } => {
            let until = until.map(|until| until.to_string());
            let input = idempotency.into_input(json!({ "request": request, "until": until, "reason": reason }));
            answered(json, &client.send(APPROVE, json!({ "input": input })).await?)?;
        }
        Command::Reject { request, reason, idempotency } => {
            let input = idempotency.into_input(json!({ "request": request, "reason": reason }));
            answered(json, &client.send(REJECT, json!({ "input": input })).await?)?;
        }
        Command::Withdraw { request, idempotency } => {
            let input = idempotency.into_input(json!({ "request": request }));
            answered(json, &client.send(WITHDRAW, json!({ "input": input })).await?)?;
        }
        Command::Revoke { grant, reason, idempotency } => {
            let input = idempotency.into_input(json!({ "grant": grant, "reason": reason }));
            revoked(json, &client.send(REVOKE, json!({ "input": input })).await?)?;
        }
        Command::List { state, paging } => {
            let filters = Map::from_iter([("state".to_owned(), json!(state.as_deref().map(args::enum_value)))]);
            let requests: Connection<AccessRequest> = client.list(REQUESTS, filters, &paging).await?;
            output::show(json, &requests, |requests| requests_table(&requests.nodes))?;
        }
        Command::Grants { paging } => {
            let grants: Connection<Grant> = client.list(GRANTS, Map::new(), &paging).await?;
            output::show(json, &grants, |grants| grants_table(&grants.nodes))?;
        }
    }
    Ok(Exit::Done)
}

impl RequestArgs {
    fn into_input(self) -> Result<Value> {
        let wrong = |message: String| Error::new(Exit::Usage, format!("`{}`: {message}", self.target));
        let mut input = json!({
            "purpose": args::enum_value(&self.purpose),
            "sentence": self.sentence,
            "from": self.from.map(|from| from.to_string()),
            "until": self.until.map(|until| until.to_string()),
        });
        match self.port {
            Some(port) => {
                input["product"] = json!(args::product(&self.target).map_err(wrong)?.to_string());
                input["port"] = json!(port);
                input["major"] = json!(self.major);
            }
            None => {
                let hint = "to request a port, pass the product, `domain.product`, with `--port`";
                input["address"] = json!(args::table(&self.target).map_err(|message| wrong(message).hint(hint))?);
            }
        }
        Ok(self.idempotency.into_input(input))
    }
}

fn answered(json: bool, answered: &Answered) -> Result<()> {
    output::outcome(json, answered, |answered| match answered {
        Answered::RequestNotPending { message, .. } => Err(Error::new(Exit::Failed, message.as_str())),
        Answered::ApproveRequestPayload { grant, .. } => Ok(grants_table(std::slice::from_ref(grant))),
        Answered::RejectRequestPayload { request } | Answered::WithdrawRequestPayload { request } => {
            Ok(requests_table(std::slice::from_ref(request)))
        }
    })
}

fn revoked(json: bool, revoked: &Revoked) -> Result<()> {
    output::outcome(json, revoked, |revoked| match revoked {
        Revoked::GrantNotActive { message, .. } => Err(Error::new(Exit::Failed, message.as_str())),
        Revoked::RevokeGrantPayload { grant, .. } => Ok(grants_table(std::slice::from_ref(grant))),
    })?;
    if let Revoked::RevokeGrantPayload { ended_leases, .. } = revoked
        && !json
    {
        output::note(&format!("{} revoked", count(ended_leases.len(), "lease")));
    }
    Ok(())
}

fn states() -> PossibleValuesParser {
    PossibleValuesParser::new(RequestState::ALL.iter().map(|state| state.as_str()))
}

fn requests_table(requests: &[AccessRequest]) -> String {
    output::table(
        ["request", "state", "requester", "port", "purpose", "from", "until", "grant"],
        requests.iter().map(|request| {
            let AccessRequest { id, state, requester, product, port, major, purpose, from, until, grant, .. } = request;
            [
                id.clone(),
                word(state),
                requester.subject.clone(),
                port_name(product.as_ref(), port, *major),
                word(purpose),
                from.clone(),
                until.clone(),
                or_dash(grant.as_ref().map(|grant| &grant.id)),
            ]
        }),
    )
}

fn grants_table(grants: &[Grant]) -> String {
    output::table(
        ["grant", "state", "principal", "port", "purpose", "from", "until"],
        grants.iter().map(|grant| {
            let Grant { id, state, principal, product, port, major, purpose, from, until, .. } = grant;
            [
                id.clone(),
                word(state),
                principal.subject.clone(),
                port_name(product.as_ref(), port, *major),
                word(purpose),
                from.clone(),
                until.clone(),
            ]
        }),
    )
}

fn port_name(product: Option<&ProductName>, port: &str, major: u32) -> String {
    format!("{} {port} v{major}", or_dash(product))
}
