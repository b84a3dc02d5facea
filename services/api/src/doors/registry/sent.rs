//! The body of a request: JSON under any of the media types that clients send.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use domain::registry::MAX_SCHEMA_BYTES;
use http_base::budget::HeldBytes;
use http_base::permit::Permit;
use http_base::problem::Problem;
use serde::de::DeserializeOwned;

use super::error::{Code, Failure};
use super::wire::{SchemaBody, SettingsBody};
use crate::body::{Arriving, Room};
use crate::doors::Entered;
use crate::server::Server;

/// The usual size of a body. Larger ones are read only of callers with the right to send them.
const USUAL_BYTES: usize = 64 << 10;
/// The largest body: a schema as a JSON string is longer than the schema itself.
const MAX_BYTES: usize = 2 * MAX_SCHEMA_BYTES;

/// A body that is not read yet.
pub(super) struct Sent {
    server: Arc<Server>,
    entered: Entered,
    headers: HeaderMap,
    body: Body,
}

impl FromRequest<Arc<Server>> for Sent {
    type Rejection = Failure;

    async fn from_request(request: Request, server: &Arc<Server>) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let entered = parts.extensions.get::<Entered>().cloned().ok_or(Failure::from(Problem::Internal))?;
        Ok(Self { server: Arc::clone(server), entered, headers: parts.headers, body })
    }
}

/// What a body holds until its request is answered.
pub(super) type HeldBody = (Entered, HeldBytes, Option<Permit>);

impl Sent {
    /// Reads a schema. `authorize` is asked before more than the usual size is read.
    pub(super) async fn schema(
        self,
        authorize: impl AsyncFnOnce() -> Result<(), Failure>,
    ) -> Result<(SchemaBody, HeldBody), Failure> {
        self.require_json()?;
        let mut arriving = Arriving::new(self.body, &self.server, &self.entered.clients);
        let mut permit = None;
        if !arriving.read(USUAL_BYTES, Room::Free).await? {
            authorize().await?;
            if !arriving.read(MAX_BYTES, Room::Free).await? {
                return Err(Failure::new(Code::SchemaTooLarge, "the schema is too large"));
            }
            // Only once it is there: a slow client must not keep others from their turn.
            permit = Some(self.server.large_schemas.acquire().await);
        }
        let (bytes, held) = arriving.whole();
        Ok((parse(&bytes)?, (self.entered, held, permit)))
    }

    /// Reads settings.
    pub(super) async fn settings(self) -> Result<SettingsBody, Failure> {
        self.require_json()?;
        let mut arriving = Arriving::new(self.body, &self.server, &self.entered.clients);
        if !arriving.read(USUAL_BYTES, Room::Free).await? {
            return Err(Failure::from(Problem::TooLarge { limit_bytes: USUAL_BYTES }));
        }
        parse(&arriving.whole().0)
    }

    fn require_json(&self) -> Result<(), Failure> {
        const TYPES: [&str; 4] = [
            "application/vnd.schemaregistry.v1+json",
            "application/vnd.schemaregistry+json",
            "application/json",
            "application/octet-stream",
        ];
        let Some(sent) = self.headers.get(CONTENT_TYPE) else { return Ok(()) };
        let sent = sent.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if TYPES.contains(&sent.as_str()) {
            return Ok(());
        }
        Err(Failure::new(Code::UnsupportedMediaType, "HTTP 415 Unsupported Media Type"))
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    if matches!(bytes.trim_ascii(), b"" | b"null") {
        return Err(Failure::new(Code::Unprocessable, "the request has no body"));
    }
    // A derived struct also accepts an array, as its fields in order.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Failure::new(Code::BadRequest, "send one JSON object"));
    }
    serde_json::from_slice(bytes).map_err(|error| Failure::new(Code::BadRequest, error.to_string()))
}
