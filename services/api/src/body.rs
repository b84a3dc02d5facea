//! The body of a GraphQL request: read within its limit, and parsed without repeated keys.

use std::time::Duration;

use async_graphql::Variables;
use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use domain::json::{self, Limits};
use futures::StreamExt;
use http_base::budget::{Client, HeldBytes};
use http_base::problem::Problem;
use http_base::sign_in::Credential;
use page::Page;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::server::Server;

/// The most values in the variables of a request: a value takes up many times the bytes of its text.
pub(crate) const MAX_VALUES: usize = 50_000;

/// A GraphQL request.
pub(crate) struct GraphQlRequest {
    pub(crate) query: String,
    pub(crate) operation_name: Option<String>,
    variables: Option<Strict>,
}

/// A GraphQL request as it is sent (GraphQL over HTTP, `application/json`); `extensions` are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    #[serde(default)]
    query: Option<String>,
    /// The digest of one of the page's documents, in place of `query`.
    #[serde(default)]
    document_id: Option<String>,
    #[serde(default)]
    operation_name: Option<String>,
    #[serde(default)]
    variables: Option<Strict>,
}

impl GraphQlRequest {
    /// Parses a body. With a cookie only the documents of the page are run: a browser sends it by itself, also for a script
    /// that got into the page.
    ///
    /// # Errors
    /// [`Problem::InvalidRequest`] for anything but one request: other JSON, a batch, invalid UTF-8, a repeated key, NUL in
    /// a string; a document that the page does not have; with a cookie, the text of a document.
    pub(crate) fn parse(bytes: &[u8], page: &Page, credential: Credential) -> Result<Self, Problem> {
        let invalid = |detail: &str| Problem::InvalidRequest(detail.to_owned());
        if !is_object(bytes) {
            return Err(invalid("send one JSON object with `query`; batches are not supported"));
        }
        let sent: Sent = serde_json::from_slice(bytes).map_err(|error| Problem::InvalidRequest(error.to_string()))?;
        let Sent { query, document_id, operation_name, variables } = sent;
        let query = match (query, document_id, credential) {
            (None, Some(digest), Credential::Token | Credential::Cookie) => {
                let document = page.document(&digest);
                document
                    .ok_or_else(|| invalid("this page belongs to another version of the server: reload it"))?
                    .to_owned()
            }
            (Some(query), None, Credential::Token) => query,
            (Some(_) | None, Some(_) | None, Credential::Cookie) => {
                return Err(invalid(
                    "in a session, send `documentId` and no `query`: other documents need a bearer token",
                ));
            }
            (Some(_) | None, Some(_) | None, Credential::Token) => {
                return Err(invalid("send either `query` or `documentId`"));
            }
        };
        Ok(Self { query, operation_name, variables })
    }

    /// About how many bytes the parsed document and its variables take up.
    pub(crate) fn parsed_bytes(&self) -> usize {
        const BYTES_PER_VALUE: usize = 128;
        const BYTES_PER_BYTE_OF_QUERY: usize = 8;
        let n_values = self.variables.as_ref().map_or(0, |variables| count(&variables.0));
        n_values * BYTES_PER_VALUE + self.query.len() * BYTES_PER_BYTE_OF_QUERY
    }

    /// Takes the variables out.
    ///
    /// # Errors
    /// [`Problem::InvalidRequest`] if they are not an object.
    pub(crate) fn take_variables(&mut self) -> Result<Variables, Problem> {
        match self.variables.take().map(|variables| variables.0) {
            None | Some(Value::Null) => Ok(Variables::default()),
            Some(object @ Value::Object(_)) => Ok(Variables::from_json(object)),
            Some(_) => Err(Problem::InvalidRequest("`variables` must be an object".to_owned())),
        }
    }
}

/// Whether JSON text is an object: a derived struct also accepts an array, as its fields in order.
pub(crate) fn is_object(json: &[u8]) -> bool {
    json.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

/// Requires a plain JSON body: a page of another origin can send a form, but not JSON.
///
/// # Errors
/// [`Problem::UnsupportedMediaType`].
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let wrong = Problem::UnsupportedMediaType("send `Content-Type: application/json`, in UTF-8 and not compressed");
    let (Some(media_type), None) = (types.next(), types.next()) else { return Err(wrong) };
    let Ok(media_type) = media_type.to_str().map(str::to_ascii_lowercase) else { return Err(wrong) };
    let mut parts = media_type.split(';').map(str::trim);
    let is_json = parts.next() == Some("application/json")
        && parts.all(|parameter| matches!(parameter, "charset=utf-8" | "charset=\"utf-8\""));
    if is_json && !headers.contains_key(CONTENT_ENCODING) { Ok(()) } else { Err(wrong) }
}

/// The values in variables, counted with those inside of others.
fn count(value: &Value) -> usize {
    let inner: usize = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        Value::Array(values) => values.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
    };
    inner + 1
}

/// A body that arrives, as far as it is read.
pub(crate) struct Arriving {
    stream: BodyDataStream,
    bytes: Vec<u8>,
    /// What arrived beyond the last limit.
    beyond: Option<Bytes>,
    held: HeldBytes,
    timeout: Duration,
}

/// What a body may take up while it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// What is free, and within the client's share: more is refused.
    Free,
    /// What becomes free, beyond the client's share. Only with one of the permits for large bodies.
    Waiting,
}

impl Arriving {
    /// A body that counts for these clients; nothing of it is read.
    pub(crate) fn new(body: Body, server: &Server, clients: &[Client]) -> Self {
        let held = server.bodies.hold(clients);
        Self {
            stream: body.into_data_stream(),
            bytes: Vec::new(),
            beyond: None,
            held,
            timeout: server.limits.body_timeout,
        }
    }

    /// Reads until the end of the body or more than `limit_bytes`; `true` at the end.
    ///
    /// # Errors
    /// [`Problem::InvalidRequest`] if the connection breaks, [`Problem::BodyTimedOut`] if the body takes too long, and what
    /// [`HeldBytes`] refuses.
    pub(crate) async fn read(&mut self, limit_bytes: usize, room: Room) -> Result<bool, Problem> {
        let timeout = self.timeout;
        tokio::time::timeout(timeout, self.read_on(limit_bytes, room)).await.unwrap_or(Err(Problem::BodyTimedOut))
    }

    async fn read_on(&mut self, limit_bytes: usize, room: Room) -> Result<bool, Problem> {
        loop {
            let next = match self.beyond.take() {
                Some(chunk) => Some(Ok(chunk)),
                None => self.stream.next().await,
            };
            let chunk = match next {
                None => return Ok(true),
                Some(Ok(chunk)) => chunk,
                Some(Err(_)) => return Err(Problem::InvalidRequest("the body is incomplete".to_owned())),
            };
            if self.bytes.len() + chunk.len() > limit_bytes {
                self.beyond = Some(chunk);
                return Ok(false);
            }
            let missing = (self.bytes.len() + chunk.len()).saturating_sub(self.bytes.capacity());
            if missing > 0 {
                // A vector that grows by itself doubles, and would hold twice of what is counted.
                let more = missing.max(self.bytes.len() / 4);
                match room {
                    Room::Free => self.held.add(more)?,
                    Room::Waiting => self.held.add_waiting(more).await?,
                }
                let n_spare = self.bytes.capacity() - self.bytes.len();
                self.bytes.reserve_exact(n_spare + more);
            }
            self.bytes.extend_from_slice(&chunk);
        }
    }

    /// The bytes, and what counts them until the request is answered.
    pub(crate) fn whole(self) -> (Vec<u8>, HeldBytes) {
        (self.bytes, self.held)
    }
}

/// Variables without a repeated key.
struct Strict(serde_json::Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // `serde_json` bounds the depth.
        let limits = Limits { depth: usize::MAX, n_values: MAX_VALUES, allows_nul: false };
        json::read(deserializer, limits, None).map(Self)
    }
}
