//! A GraphQL request after sign-in: body within its limit, document within its limits, execution.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use app::identity::SignedIn;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{ErrorExtensionValues, Response as Answer, ServerError, Value};
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::error::Kind;
use futures::FutureExt;
use http_base::budget::HeldBytes;
use http_base::permit::Permit;
use http_base::problem::{Problem, retry_after_seconds};
use http_base::request::RequestInfo;
use http_base::sign_in::Credential;

use crate::body::{Arriving, GraphQlRequest, Room};
use crate::doors::Entered;
use crate::graphql::complete::Plan;
use crate::graphql::{Session, error};
use crate::limits::root_fields;
use crate::scan;
use crate::server::Server;

/// The fields whose bodies may be large.
const DOCUMENT_FIELDS: [&str; 5] =
    ["planDocuments", "applyDocuments", "contractImpact", "reviewRefusal", "createOverride"];

/// Answers `POST /graphql`.
pub(crate) async fn answer(
    State(server): State<Arc<Server>>,
    Extension(signed_in): Extension<SignedIn>,
    Extension(credential): Extension<Credential>,
    Extension(info): Extension<RequestInfo>,
    Extension(entered): Extension<Entered>,
    body: Body,
) -> Result<Response, Problem> {
    let session = Session::new(&server.app, signed_in, Arc::clone(&info.id));
    let may_send_documents = session.may_send_documents();
    let Whole { bytes, mut held, permit } = read(&server, &entered, body, may_send_documents).await?;
    let mut sent = GraphQlRequest::parse(&bytes, &server.web.page, credential)?;
    let is_large = bytes.len() > server.limits.body_bytes;
    drop(bytes);
    if !is_large {
        held.add(sent.parsed_bytes())?;
    }

    let answer = match prepare(&server, &info, &mut sent, is_large)? {
        Ok(prepared) => execute(&server, &info, session, prepared, (entered, held, permit)).await,
        Err(refused) => Answer::from_errors(vec![*refused]),
    };
    Ok(render(answer, &info, server.limits.n_errors))
}

/// A body, and what it holds until the request is answered.
struct Whole {
    bytes: Vec<u8>,
    held: HeldBytes,
    permit: Option<Permit>,
}

/// Reads the body. Over the usual size it waits for a permit, so that large bodies cannot fill the memory, and only bodies of
/// callers who may send documents at all are read.
async fn read(server: &Server, entered: &Entered, body: Body, may_send_documents: bool) -> Result<Whole, Problem> {
    let limits = &server.limits;
    let mut arriving = Arriving::new(body, server, &entered.clients);
    let mut permit = None;
    if !arriving.read(limits.body_bytes, Room::Free).await? {
        if !may_send_documents {
            return Err(Problem::TooLarge { limit_bytes: limits.body_bytes });
        }
        permit = Some(server.large_bodies.acquire().await);
        if !arriving.read(limits.documents_body_bytes, Room::Waiting).await? {
            return Err(Problem::TooLarge { limit_bytes: limits.documents_body_bytes });
        }
    }
    let (bytes, held) = arriving.whole();
    Ok(Whole { bytes, held, permit })
}

/// A request that passed all limits.
struct Prepared {
    request: async_graphql::Request,
    /// `None` if the document does not determine the operation.
    plan: Option<Plan>,
    is_mutation: bool,
}

/// Checks the document against the limits and notes its operation for the log. The outer error is a problem document, the
/// inner one a GraphQL error.
fn prepare(
    server: &Server,
    info: &RequestInfo,
    sent: &mut GraphQlRequest,
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
        let _ = info.notes.operation.set(format!("{} {}", operation.ty, field.chars().take(64).collect::<String>()));
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

/// Executes a request. A mutation runs in its own task: it completes even if the client disconnects, and counts as a request
/// in progress until then, with what it has `held`. A panic affects neither the server nor the connection.
async fn execute(
    server: &Arc<Server>,
    info: &RequestInfo,
    session: Session,
    prepared: Prepared,
    held: (Entered, HeldBytes, Option<Permit>),
) -> Answer {
    let request = session.put(prepared.request);
    let schema = server.schema.clone();
    let executed = AssertUnwindSafe(async move {
        let _held = held;
        schema.execute(request).await
    });
    let executed = executed.catch_unwind();
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
            tracing::error!(request.id = %info.id, panic = panic_text(panic.as_ref()), "resolver panicked");
            Answer::from_errors(vec![error::internal()])
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// Renders an answer. Every error gets the request's id and a code; an error of the parser or of validation comes without
/// one. The causes of an internal error are logged here, once, and not sent.
fn render(mut answer: Answer, info: &RequestInfo, max_errors: usize) -> Response {
    let n_more = answer.errors.len().saturating_sub(max_errors);
    if n_more > 0 {
        answer.errors.truncate(max_errors);
        answer.errors.push(error::refused(format!("{n_more} more errors are left out")));
    }
    let mut retry_after = None;
    for error in &mut answer.errors {
        if let Some(source) = error.source::<app::Error>()
            && source.kind() == Kind::Internal
        {
            tracing::error!(request.id = %info.id, error = source as &dyn std::error::Error, "use case failed");
        }
        if let Some(app::Error::TooMany { retry_after: wait, .. }) = error.source::<app::Error>() {
            retry_after = retry_after.max(Some(*wait));
        }
        let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
        if extensions.get("code").is_none() {
            extensions.set("code", Kind::Invalid.as_str());
        }
        extensions.set("requestId", &*info.id);
    }
    match serde_json::to_vec(&answer) {
        Ok(bytes) => {
            let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
            let mut response = (headers, bytes).into_response();
            if let Some(retry_after) = retry_after.filter(|_| answer.data == Value::Null) {
                // Nothing was done, so a client that knows nothing of GraphQL may send all of it again.
                *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after_seconds(retry_after)));
            }
            response
        }
        Err(error) => {
            tracing::error!(request.id = %info.id, %error, "cannot serialise a response");
            Problem::Internal.into_response()
        }
    }
}
