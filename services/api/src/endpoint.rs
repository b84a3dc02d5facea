//! The way of a GraphQL request: media type, token, body within its limit, document within its limits, execution.

use std::any::Any;
use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use app::Actor;
use app::identity::{self, SignedIn};
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{ErrorExtensionValues, Response as Answer, ServerError};
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use domain::error::Kind;
use futures::FutureExt;
use tokio::sync::SemaphorePermit;

use crate::Server;
use crate::body::{self, Sent};
use crate::graphql::complete::Plan;
use crate::graphql::{Session, error};
use crate::limits::root_fields;
use crate::problem::Problem;
use crate::request::Tag;
use crate::scan;

/// The fields whose bodies may be large.
const DOCUMENT_FIELDS: [&str; 4] = ["planDocuments", "applyDocuments", "reviewRefusal", "createOverride"];

/// Answers `POST /graphql`.
pub(crate) async fn answer(
    State(server): State<Arc<Server>>,
    Extension(tag): Extension<Tag>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let _permit = server.requests.try_acquire().map_err(|_| Problem::Busy)?;
    body::require_json(&headers)?;
    let signed_in = sign_in(&server, &headers).await?;
    let requester = match &signed_in {
        SignedIn::Actor(actor) => actor.principal.id.to_string(),
        SignedIn::Bootstrap => "bootstrap".to_owned(),
    };
    let _ = tag.notes.requester.set(requester);

    let (bytes, _large) = read(&server, body).await?;
    let mut sent = Sent::parse(&bytes)?;
    let is_large = bytes.len() > server.limits.body_bytes;
    drop(bytes);

    let answer = match prepare(&server, &tag, &mut sent, is_large)? {
        Ok(prepared) => execute(&server, &tag, signed_in, prepared).await,
        Err(refused) => Answer::from_errors(vec![*refused]),
    };
    Ok(render(answer, &tag))
}

async fn sign_in(server: &Server, headers: &HeaderMap) -> Result<SignedIn, Problem> {
    sign_in_by(server, bearer_token(headers).ok_or(Problem::Unauthenticated)?).await
}

/// Tells who calls at a door. Its clients may send the token as the password of `Basic` (RFC 7617), whatever the user's
/// name. The one-time token of the first start opens no door.
pub(crate) async fn sign_in_to_door(server: &Server, headers: &HeaderMap) -> Result<Arc<Actor>, Problem> {
    let token = bearer_token(headers).map(Cow::Borrowed).or_else(|| basic_password(headers).map(Cow::Owned));
    match sign_in_by(server, &token.ok_or(Problem::Unauthenticated)?).await? {
        SignedIn::Actor(actor) => Ok(actor),
        SignedIn::Bootstrap => Err(Problem::Unauthenticated),
    }
}

async fn sign_in_by(server: &Server, token: &str) -> Result<SignedIn, Problem> {
    identity::sign_in(&server.app, token).await.map_err(|error| match error.kind() {
        Kind::Unauthenticated => Problem::Unauthenticated,
        Kind::Unavailable => Problem::Unavailable,
        _ => {
            tracing::error!(error = &error as &dyn std::error::Error, "token not checked");
            Problem::Internal
        }
    })
}

/// The token of the one `Authorization` header, whose scheme is `Bearer` in any case (RFC 6750, RFC 9110 11.1).
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    credentials(headers, "bearer")
}

/// The password of the one `Authorization` header, if its scheme is `Basic`.
fn basic_password(headers: &HeaderMap) -> Option<String> {
    let decoded = base64::prelude::BASE64_STANDARD.decode(credentials(headers, "basic")?).ok()?;
    let (_, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some(password.to_owned()).filter(|password| !password.is_empty())
}

fn credentials<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, credentials) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case(wanted).then(|| credentials.trim()).filter(|text| !text.is_empty())
}

/// Reads the body. Beyond the usual size it waits for its turn, so that large bodies cannot fill the memory.
async fn read(server: &Server, body: Body) -> Result<(Vec<u8>, Option<SemaphorePermit<'_>>), Problem> {
    let limits = &server.limits;
    let mut stream = body::stream(body);
    let mut bytes = Vec::new();
    if body::read(&mut stream, &mut bytes, limits.body_bytes).await? {
        return Ok((bytes, None));
    }
    let turn = server.large_bodies.acquire().await.map_err(|_| Problem::Unavailable)?;
    if body::read(&mut stream, &mut bytes, limits.documents_body_bytes).await? {
        return Ok((bytes, Some(turn)));
    }
    Err(Problem::TooLarge { limit_bytes: limits.documents_body_bytes })
}

/// A request that may be executed.
struct Prepared {
    request: async_graphql::Request,
    /// `None` where the document does not tell which operation is meant.
    plan: Option<Plan>,
    is_mutation: bool,
}

/// Checks the document against the limits and notes what it asks for. Outer error: the body is not one we take; inner:
/// an answer of GraphQL.
fn prepare(
    server: &Server,
    tag: &Tag,
    sent: &mut Sent,
    is_large: bool,
) -> Result<Result<Prepared, Box<ServerError>>, Problem> {
    let refused = |message: String| Ok(Err(Box::new(error::refused(message))));
    if let Err(why) = scan::scan(&sent.query, &server.limits) {
        return refused(why.to_string());
    }
    let mut request = async_graphql::Request::new(std::mem::take(&mut sent.query)).variables(sent.take_variables()?);
    request.operation_name = sent.operation_name.take();
    let name = request.operation_name.clone();
    let document = match request.parsed_query() {
        Ok(document) => document,
        Err(error) => return Ok(Err(Box::new(error))),
    };
    if let Err(excess) = server.limits.check(document) {
        return refused(excess.to_string());
    }
    let operation = operation(document, name.as_deref());
    let fields = operation.and_then(root_fields);
    let takes_documents = |fields: &Vec<&str>| fields.iter().all(|field| DOCUMENT_FIELDS.contains(field));
    if is_large && !fields.as_ref().is_some_and(takes_documents) {
        return Err(Problem::TooLarge { limit_bytes: server.limits.body_bytes });
    }
    if let Some(operation) = operation {
        let field = fields.as_ref().and_then(|fields| fields.first()).copied().unwrap_or("...");
        let _ = tag.notes.operation.set(format!("{} {}", operation.ty, field.chars().take(64).collect::<String>()));
    }
    let is_mutation = operation.is_some_and(|operation| operation.ty == OperationType::Mutation);
    let plan = operation.map(|operation| Plan::new(&server.field_types, document, operation));
    Ok(Ok(Prepared { request, plan, is_mutation }))
}

fn operation<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(&operation.node),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name).map(|found| &found.node),
        (DocumentOperations::Multiple(operations), None) => match operations.len() {
            1 => operations.values().next().map(|operation| &operation.node),
            _ => None,
        },
    }
}

/// Executes a request. A mutation runs in a task of its own: a client that hangs up does not stop it half-way. A panic
/// ends neither the server nor the connection.
async fn execute(server: &Arc<Server>, tag: &Tag, signed_in: SignedIn, prepared: Prepared) -> Answer {
    let session = Session::new(&server.app, signed_in, Arc::clone(&tag.id));
    let request = session.put(prepared.request);
    let schema = server.schema.clone();
    let executed = AssertUnwindSafe(async move { schema.execute(request).await }).catch_unwind();
    let executed = match prepared.is_mutation {
        true => server.tasks.spawn(executed).await.unwrap_or_else(|ended| Err(Box::new(ended))),
        false => executed.await,
    };
    match executed {
        Ok(mut answer) => {
            if let Some(plan) = &prepared.plan {
                plan.complete(&mut answer);
            }
            answer
        }
        Err(panic) => {
            tracing::error!(request.id = %tag.id, panic = panic_text(panic.as_ref()), "a resolver panicked");
            Answer::from_errors(vec![error::internal()])
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// Renders an answer. Every error gets the request's id and a code: one without was found by the parser or by
/// validation. The chain of an internal error is logged here, once, and goes no further.
fn render(mut answer: Answer, tag: &Tag) -> Response {
    for error in &mut answer.errors {
        if let Some(source) = error.source::<app::Error>()
            && source.kind() == Kind::Internal
        {
            tracing::error!(request.id = %tag.id, error = source as &dyn std::error::Error, "a use case failed");
        }
        let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
        if extensions.get("code").is_none() {
            extensions.set("code", Kind::Invalid.as_str());
        }
        extensions.set("requestId", &*tag.id);
    }
    match serde_json::to_vec(&answer) {
        Ok(bytes) => {
            let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
            (headers, bytes).into_response()
        }
        Err(error) => {
            tracing::error!(request.id = %tag.id, %error, "an answer could not be written");
            Problem::Internal.into_response()
        }
    }
}
