//! A GraphQL request after sign-in: body within its limit, document within its limits, execution.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use app::identity::SignedIn;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{ErrorExtensionValues, Response as Answer, ServerError};
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use domain::error::Kind;
use futures::FutureExt;
use http_base::problem::Problem;
use http_base::request::RequestInfo;
use tokio::sync::SemaphorePermit;

use crate::body::{self, GraphQlRequest};
use crate::graphql::complete::Plan;
use crate::graphql::{Session, error};
use crate::limits::root_fields;
use crate::scan;
use crate::server::Server;

/// The fields whose bodies may be large.
const DOCUMENT_FIELDS: [&str; 4] = ["planDocuments", "applyDocuments", "reviewRefusal", "createOverride"];

/// Answers `POST /graphql`.
pub(crate) async fn answer(
    State(server): State<Arc<Server>>,
    Extension(signed_in): Extension<SignedIn>,
    Extension(info): Extension<RequestInfo>,
    body: Body,
) -> Result<Response, Problem> {
    let (bytes, _large) = read(&server, body).await?;
    let mut sent = GraphQlRequest::parse(&bytes)?;
    let is_large = bytes.len() > server.limits.body_bytes;
    drop(bytes);

    let answer = match prepare(&server, &info, &mut sent, is_large)? {
        Ok(prepared) => execute(&server, &info, signed_in, prepared).await,
        Err(refused) => Answer::from_errors(vec![*refused]),
    };
    Ok(render(answer, &info))
}

/// Reads the body. Over the usual size it waits for a permit, so that large bodies cannot fill the memory.
async fn read(server: &Server, body: Body) -> Result<(Vec<u8>, Option<SemaphorePermit<'_>>), Problem> {
    let limits = &server.limits;
    let mut stream = body::stream(body);
    let mut bytes = Vec::new();
    if body::read(&mut stream, &mut bytes, limits.body_bytes).await? {
        return Ok((bytes, None));
    }
    let permit = server.large_bodies.acquire().await?;
    if body::read(&mut stream, &mut bytes, limits.documents_body_bytes).await? {
        return Ok((bytes, Some(permit)));
    }
    Err(Problem::TooLarge { limit_bytes: limits.documents_body_bytes })
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

/// Executes a request. A mutation runs in its own task: it completes even if the client disconnects. A panic affects
/// neither the server nor the connection.
async fn execute(server: &Arc<Server>, info: &RequestInfo, signed_in: SignedIn, prepared: Prepared) -> Answer {
    let session = Session::new(&server.app, signed_in, Arc::clone(&info.id));
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
fn render(mut answer: Answer, info: &RequestInfo) -> Response {
    for error in &mut answer.errors {
        if let Some(source) = error.source::<app::Error>()
            && source.kind() == Kind::Internal
        {
            tracing::error!(request.id = %info.id, error = source as &dyn std::error::Error, "use case failed");
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
            (headers, bytes).into_response()
        }
        Err(error) => {
            tracing::error!(request.id = %info.id, %error, "cannot serialise a response");
            Problem::Internal.into_response()
        }
    }
}
