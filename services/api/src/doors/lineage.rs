//! The lineage door, at `/api/v1/lineage`: the HTTP transport of OpenLineage
//! (<https://openlineage.io/docs/client/python/configuration#http>).
//!
//! `POST /api/v1/lineage` takes one event, `POST /api/v1/lineage/batch` an array of them, plain or compressed with gzip.
//! An event that is taken, or was taken before, is answered with 201, a batch with 200. Of a batch each event is judged
//! alone: where some are not taken the answer is 207, where none is 400, with the reason of each.

use std::io::Read;
use std::sync::Arc;

use app::lineage::{Receipt, Refused, authorize, receive};
use app::{Ctx, Error};
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::error::Kind;
use flate2::read::MultiGzDecoder;
use http_base::budget::HeldBytes;
use http_base::permit::Permit;
use http_base::problem::Problem;
use http_base::sign_in::SignIn;
use lineage::openlineage::{Error as EventError, Event, MAX_BATCH_BYTES, MAX_EVENT_BYTES};
use serde_json::{Value, json};

use super::Entered;
use super::door::{Caller, Door, Route};
use crate::body::{Arriving, Room};
use crate::server::Server;

/// The usual size of a body. Of larger ones, and of batches, few are read at once.
const USUAL_BYTES: usize = 256 << 10;
/// About how many bytes a parsed event takes up for each byte of its text.
const BYTES_PER_BYTE: usize = 8;

/// The door.
pub(super) fn door() -> Door {
    Door {
        path: "/api/v1/lineage",
        log_name: "/api/v1/lineage",
        takes_permit: true,
        sign_in: SignIn::Native,
        precondition: require_json,
        routes: vec![Route::post("", single), Route::post("/batch", batch)],
        protocol: None,
    }
}

/// Requires JSON, plain or compressed with gzip.
fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let wrong =
        Problem::UnsupportedMediaType("send `Content-Type: application/json`, plain or with `Content-Encoding: gzip`");
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(media_type), None) = (types.next(), types.next()) else { return Err(wrong) };
    let Ok(media_type) = media_type.to_str().map(str::to_ascii_lowercase) else { return Err(wrong) };
    let mut parts = media_type.split(';').map(str::trim);
    let is_json = parts.next() == Some("application/json") && parts.all(|part| matches!(part, "charset=utf-8"));
    if is_json && encoding(headers).is_some() { Ok(()) } else { Err(wrong) }
}

/// How a body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Plain,
    Gzip,
}

fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    match (encodings.next().map(HeaderValue::as_bytes), encodings.next()) {
        (None | Some(b"identity"), None) => Some(Encoding::Plain),
        (Some(b"gzip"), None) => Some(Encoding::Gzip),
        _ => None,
    }
}

async fn single(
    State(server): State<Arc<Server>>,
    Caller(ctx): Caller,
    entered: axum::extract::Extension<Entered>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let (sent, _held) = read(&server, &ctx, &entered, &headers, body, MAX_EVENT_BYTES).await?;
    let event = parse(move || Event::read(&sent)).await?;
    let receipt = complete(&server, &ctx, vec![event]).await?;
    match receipt.refused.into_iter().next() {
        None => Ok(StatusCode::CREATED),
        Some(Refused { reason, .. }) => Err(Problem::InvalidRequest(reason)),
    }
}

async fn batch(
    State(server): State<Arc<Server>>,
    Caller(ctx): Caller,
    entered: axum::extract::Extension<Entered>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (sent, _held) = read(&server, &ctx, &entered, &headers, body, MAX_BATCH_BYTES).await?;
    let events = parse(move || Event::read_batch(&sent)).await?;
    let events = events.map_err(|error: EventError| Problem::InvalidRequest(error.to_string()))?;
    Ok(summary(&complete(&server, &ctx, events).await?))
}

/// What a body holds until its request is answered.
type Held = (HeldBytes, Option<Permit>);

/// The inflated body. Whoever may not send events is told so before more than the usual size is read.
async fn read(
    server: &Server,
    ctx: &Ctx,
    entered: &Entered,
    headers: &HeaderMap,
    body: Body,
    most: usize,
) -> Result<(Vec<u8>, Held), Problem> {
    authorize(ctx).map_err(|error| failure(&error))?;
    let mut arriving = Arriving::new(body, server, &entered.clients);
    let mut permit = None;
    if !arriving.read(USUAL_BYTES, Room::Free).await? {
        permit = Some(server.large_bodies.acquire().await);
        if !arriving.read(most, Room::Waiting).await? {
            return Err(Problem::TooLarge { limit_bytes: most });
        }
    }
    let (mut bytes, mut held) = arriving.whole();
    match encoding(headers) {
        Some(Encoding::Gzip) => {
            // What a body inflates to is not known before: it is read as if it were large.
            if permit.is_none() {
                permit = Some(server.large_bodies.acquire().await);
            }
            let inflated = tokio::task::spawn_blocking(move || inflate(&bytes, most)).await;
            bytes = inflated.map_err(|_| Problem::Internal)??;
        }
        Some(Encoding::Plain) | None => {}
    }
    if permit.is_none() {
        held.add(bytes.len() * BYTES_PER_BYTE)?;
    }
    Ok((bytes, (held, permit)))
}

/// The bytes that a body was compressed from: no more than may be, whatever it would become.
fn inflate(bytes: &[u8], most: usize) -> Result<Vec<u8>, Problem> {
    let mut inflated = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let read = MultiGzDecoder::new(bytes).take(limit).read_to_end(&mut inflated);
    read.map_err(|_| Problem::InvalidRequest("the body is not compressed with gzip".to_owned()))?;
    if inflated.len() > most { Err(Problem::TooLarge { limit_bytes: most }) } else { Ok(inflated) }
}

async fn parse<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(read).await.map_err(|_| Problem::Internal)
}

/// Takes the events in a task of its own: it completes even if the client disconnects.
async fn complete(server: &Server, ctx: &Ctx, events: Vec<Result<Event, EventError>>) -> Result<Receipt, Problem> {
    let ctx = ctx.clone();
    let received = server.tasks.spawn(async move { receive(&ctx, events).await }).await;
    received.map_err(|_| Problem::Internal)?.map_err(|error| failure(&error))
}

/// The answer to a batch, in the form that OpenLineage gives it.
fn summary(receipt: &Receipt) -> Response {
    let Receipt { n_events, n_new, refused } = receipt;
    let (status, word) = match refused.len() {
        0 => (StatusCode::OK, "success"),
        n_refused if n_refused < *n_events => (StatusCode::MULTI_STATUS, "partial_success"),
        _ => (StatusCode::BAD_REQUEST, "failure"),
    };
    let failed = |event: &Refused| json!({ "index": event.index, "reason": event.reason, "retriable": false });
    let body = json!({
        "status": word,
        "summary": {
            "received": n_events,
            "successful": n_events - refused.len(),
            "new": n_new,
            "failed": refused.len(),
            "retriable": 0,
            "non_retriable": refused.len(),
        },
        "failed_events": refused.iter().map(failed).collect::<Value>(),
    });
    (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body.to_string()).into_response()
}

/// A failure of the use case.
fn failure(error: &Error) -> Problem {
    match (error.kind(), error) {
        (Kind::Unauthenticated, _) => Problem::Unauthenticated,
        (Kind::Forbidden, _) => Problem::Forbidden(error.to_string()),
        (Kind::TooMany, Error::TooMany { retry_after, .. }) => Problem::too_many(*retry_after),
        (Kind::TooMany | Kind::Unavailable, _) => Problem::Unavailable,
        (Kind::NotFound | Kind::Invalid | Kind::Conflict | Kind::Stale | Kind::Refused, _) => {
            Problem::InvalidRequest(error.to_string())
        }
        (Kind::Internal, _) => {
            tracing::error!(error = error as &dyn std::error::Error, "use case failed");
            Problem::Internal
        }
    }
}
