//! The client of the GraphQL API: sends requests, maps errors to exit codes, and reads lists page by page.
//!
//! Every operation aliases its single field as `answer`.

use std::fs::File;
use std::io::Read;
use std::time::Duration;

use domain::error::Kind;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::redirect;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::{Host, Url};

use super::api::{List, Operation, schema};
use super::args::{Paging, Remote};
use super::error::{Error, Exit, NOT_FOUND_HINT, Result};
use super::output;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(120);
/// The interval of TCP keepalive probes: a dead connection is detected, however long a response may take.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// The longest token that is sent: several times as long as the tokens that servers issue.
const MAX_TOKEN_BYTES: u64 = 8 * 1024;
/// The page size of list queries. The server's limits are 200 and the query complexity.
const PAGE_SIZE: u32 = 100;

/// A client for one server.
pub(crate) struct Client {
    http: reqwest::Client,
    /// The server's address, for error messages.
    server: String,
    endpoint: Url,
    authorization: Option<HeaderValue>,
    keeps_controls: bool,
}

/// A list, or the requested part of it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Connection<T> {
    pub(crate) nodes: Vec<T>,
    pub(crate) page_info: PageInfo,
}

/// Where a page of a list ends.
#[derive(Debug, Serialize, cynic::QueryFragment)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageInfo {
    pub(crate) has_next_page: bool,
    /// The cursor to continue after.
    pub(crate) end_cursor: Option<String>,
}

impl Client {
    /// Creates a client from the command line arguments. Sends nothing.
    ///
    /// # Errors
    /// If the server address is invalid, or the token cannot be read.
    pub(crate) fn new(remote: &Remote) -> Result<Self> {
        Self::with_timeout(remote, Some(RESPONSE_TIMEOUT))
    }

    /// Creates a client with another timeout for responses; `None` waits as long as the connection lives.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(crate) fn with_timeout(remote: &Remote, timeout: Option<Duration>) -> Result<Self> {
        let server = server_url(&remote.server)?;
        let authorization = authorization(remote)?;
        let is_local = is_loopback(&server);
        if authorization.is_some() && server.scheme() == "http" && !is_local {
            output::warn("the token is sent without TLS: use an `https` address");
        }
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("charter/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_keepalive(KEEPALIVE)
            .tcp_keepalive_interval(KEEPALIVE)
            .tcp_keepalive_retries(3)
            .redirect(redirect::Policy::none());
        if let Some(timeout) = timeout {
            http = http.timeout(timeout);
        }
        if is_local {
            http = http.no_proxy();
        }
        let http = http
            .build()
            .map_err(|cause| Error::new(Exit::Failed, format!("cannot create the HTTP client: {}", root(&cause))))?;
        let server = server.as_str().trim_end_matches('/').to_owned();
        let endpoint = format!("{server}/graphql").parse().map_err(|_| not_a_server())?;
        Ok(Self { http, server, endpoint, authorization, keeps_controls: remote.json })
    }

    /// The server's address, without a slash at its end.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// Sends an operation that is safe to retry: a query, or a mutation with an idempotency key. It is retried once if
    /// the connection is lost before a response arrives.
    ///
    /// # Errors
    /// If the server is unreachable, refuses the request, or sends an unexpected response.
    pub(crate) async fn send<O: Operation>(&self, operation: O) -> Result<O::Answer> {
        self.decode(self.send_body(operation.body()).await?)
    }

    /// Sends an operation that must not be retried, such as one that returns a secret.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(crate) async fn send_once<O: Operation>(&self, operation: O) -> Result<O::Answer> {
        self.decode(self.answer(self.post(&operation.body()).await).await?)
    }

    /// Queries a node by its id.
    ///
    /// # Errors
    /// Not found for an unknown id, or the id of another type; otherwise as [`Self::send`].
    pub(crate) async fn node<O: Operation>(&self, operation: O, what: &str, id: &str) -> Result<O::Answer> {
        match self.send_body(operation.body()).await? {
            Value::Object(fields) if !fields.is_empty() => self.decode(Value::Object(fields)),
            _ => Err(Error::not_found(what, id)),
        }
    }

    /// Queries a list page by page.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(crate) async fn list<O: List>(&self, operation: O, paging: &Paging) -> Result<Connection<O::Node>> {
        let mut remaining = paging.limit.unwrap_or(u32::MAX);
        let mut after = paging.after.clone();
        let mut nodes = Vec::new();
        loop {
            let mut page = operation.clone();
            let size = PAGE_SIZE.min(remaining);
            page.set_page(i32::try_from(size).unwrap_or(i32::MAX), after.clone());
            let page = self.send(page).await?;
            remaining = remaining.saturating_sub(u32::try_from(page.nodes.len()).unwrap_or(u32::MAX));
            nodes.extend(page.nodes);
            let cursor = page.page_info.end_cursor.clone();
            // A cursor that does not advance would cause an endless loop.
            if !page.page_info.has_next_page || remaining == 0 || cursor.is_none() || cursor == after {
                return Ok(Connection { nodes, page_info: page.page_info });
            }
            after = cursor;
        }
    }

    async fn send_body(&self, body: Value) -> Result<Value> {
        match self.post(&body).await {
            Err(lost) if is_lost(&lost) => self.answer(self.post(&body).await).await,
            sent => self.answer(sent).await,
        }
    }

    async fn post(&self, body: &Value) -> reqwest::Result<reqwest::Response> {
        let mut request = self.http.post(self.endpoint.clone()).json(body);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        request.send().await
    }

    /// The value of `answer` in a response.
    async fn answer(&self, sent: reqwest::Result<reqwest::Response>) -> Result<Value> {
        let response = sent.map_err(|cause| self.unreachable(&cause))?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(|cause| self.unreachable(&cause))?;
        let Ok(answer) = serde_json::from_slice::<Answer>(&bytes) else {
            return Err(self.problem(status, &bytes));
        };
        if answer.data.is_none() && answer.errors.is_empty() {
            return Err(self.problem(status, &bytes));
        }
        let mut value = answer.data.and_then(|mut data| data.remove("answer")).unwrap_or(Value::Null);
        if value.is_null()
            && let Some(first) = answer.errors.first()
        {
            return Err(first.to_error());
        }
        for part in &answer.errors {
            output::warn(&part.message);
        }
        if !self.keeps_controls {
            clean(&mut value);
        }
        Ok(value)
    }

    fn decode<T: DeserializeOwned>(&self, value: Value) -> Result<T> {
        serde_json::from_value(value).map_err(|cause| Error::unexpected_response(&self.server, &cause.to_string()))
    }

    /// The error if no response arrived.
    fn unreachable(&self, cause: &reqwest::Error) -> Error {
        let (server, root) = (&self.server, root(cause));
        let message = match cause.is_timeout() {
            true => format!("the server at {server} did not respond in time: {root}"),
            false => format!("cannot reach the server at {server}: {root}"),
        };
        Error::new(Exit::Unreachable, message)
            .hint("start it with `charter serve`, or set another address with `--server` or `CHARTER_SERVER`")
    }

    /// The error for a response that is not GraphQL: a problem document of the server, or a foreign response.
    fn problem(&self, status: reqwest::StatusCode, body: &[u8]) -> Error {
        let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
        let what = problem.detail.or(problem.title).unwrap_or_else(|| format!("HTTP status {status}"));
        let message = format!("the server at {} refused the request: {what}", self.server);
        match status.as_u16() {
            401 | 403 => Error::new(Exit::NotAllowed, message).hint(SIGN_IN),
            502..=504 => Error::new(Exit::Unreachable, message).hint("try again later"),
            429 => Error::new(Exit::Failed, message).hint("try again later"),
            _ => {
                Error::new(Exit::Failed, message).hint("check that `--server` is the address of a Charterhouse server")
            }
        }
    }
}

const SIGN_IN: &str = "set `CHARTER_TOKEN` or pass `--token-file`; `charter token create` creates a token";

/// A GraphQL response.
#[derive(Deserialize)]
struct Answer {
    data: Option<Map<String, Value>>,
    #[serde(default)]
    errors: Vec<GraphqlError>,
}

#[derive(Deserialize)]
struct GraphqlError {
    message: String,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Default, Deserialize)]
struct Extensions {
    code: Option<String>,
    hint: Option<String>,
}

/// The parts of a problem document (RFC 9457) that are shown.
#[derive(Default, Deserialize)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
}

impl GraphqlError {
    fn to_error(&self) -> Error {
        let kind = self.extensions.code.as_deref().and_then(|code| code.parse::<Kind>().ok());
        let error = Error::new(kind.map_or(Exit::Failed, Exit::from), &self.message);
        let hint = self.extensions.hint.clone().or_else(|| {
            let hint = match kind? {
                Kind::Unauthenticated => SIGN_IN,
                Kind::NotFound => NOT_FOUND_HINT,
                Kind::Stale => "it was changed in the meantime: check the current state and retry",
                Kind::TooMany | Kind::Unavailable => "try again later",
                Kind::Internal => "see the server's log for details",
                Kind::Invalid | Kind::Forbidden | Kind::Conflict | Kind::Refused => return None,
            };
            Some(hint.to_owned())
        });
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// Whether the connection was lost after it was opened and before a response arrived.
fn is_lost(error: &reqwest::Error) -> bool {
    error.is_request() && !error.is_connect() && !error.is_timeout()
}

/// Parses the server address. Errors do not repeat it, because it may contain a password.
fn server_url(text: &str) -> Result<Url> {
    let url: Url = text.parse().map_err(|_| not_a_server())?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let is_http = matches!(url.scheme(), "http" | "https") && url.has_host();
    if is_plain && is_http { Ok(url) } else { Err(not_a_server()) }
}

fn not_a_server() -> Error {
    Error::new(Exit::Usage, "`--server` is not a server address")
        .hint("use `http://host:port` or `https://host`, without user name, password or query")
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The `Authorization` header; `None` if no token is given.
fn authorization(remote: &Remote) -> Result<Option<HeaderValue>> {
    let given = remote.token.as_deref().map(str::trim).filter(|token| !token.is_empty());
    let token = match (given, &remote.token_file) {
        (Some(token), _) => token.to_owned(),
        (None, Some(path)) => {
            let mut token = String::new();
            // One byte over the limit, so that a longer file is detected.
            let read = File::open(path).and_then(|file| file.take(MAX_TOKEN_BYTES + 1).read_to_string(&mut token));
            let cannot =
                |cause| Error::new(Exit::Failed, format!("cannot read the token file `{}`: {cause}", path.display()));
            read.map_err(cannot)?;
            token.trim().to_owned()
        }
        (None, None) => return Ok(None),
    };
    if token.len() as u64 > MAX_TOKEN_BYTES {
        return Err(Error::new(Exit::Usage, "the token is too long").hint("pass only the token, on one line"));
    }
    let mut header = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| {
        Error::new(Exit::Usage, "the token contains invalid characters").hint("pass only the token, on one line")
    })?;
    header.set_sensitive(true);
    Ok(Some(header))
}

/// Cleans all texts in a response for a terminal.
fn clean(value: &mut Value) {
    match value {
        Value::String(text) => *text = output::cleaned(text),
        Value::Array(values) => values.iter_mut().for_each(clean),
        Value::Object(fields) => fields.values_mut().for_each(clean),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The innermost cause of an error; the outer ones repeat the address.
fn root(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.last().map(ToString::to_string).unwrap_or_default()
}
