//! The schema registry, as the clients of the Confluent Schema Registry speak to it
//! (<https://docs.confluent.io/platform/current/schema-registry/develop/api.html>), at `/registry`.
//!
//! Clients are strict about answers and loose about requests: an answer has the fields of the reference and no other,
//! and what a request has beyond what is known here is not looked at. Errors are `{"error_code", "message"}`.
//!
//! Not here: tags, metadata and rules of schemas, exporters, guids. `GET /associations/...` says that there are none. The
//! path of a request is in `path`, its query and bodies in `wire`, levels and modes in `settings`, the forms of an answer in
//! `media`, the numbers of errors in `error`.

mod error;
mod media;
mod path;
mod settings;
mod wire;

use std::convert::Infallible;
use std::sync::Arc;

use app::Ctx;
use app::registry::{self, Check, Given, Register, Registered, Shown};
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::{Next, from_fn_with_state, map_request};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::registry::{Prefix, SubjectVersion};
use serde_json::{Value, json};
use tower::{Layer, Service};

use self::error::{Code, Failure};
use self::wire::{Asked, SchemaBody};
use crate::Server;
use crate::body;
use crate::endpoint;
use crate::problem::Problem;
use crate::request::Tag;

type Answer = Result<Response, Failure>;

/// The door, below its own path.
///
/// A base URL may name a context, as `/contexts/.staging`: all that is asked below is about that context.
pub(crate) fn service(
    server: &Arc<Server>,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync + use<> {
    // Around the router and not within it, so that paths are read before they are looked up.
    map_request(path::read).layer(routes(server).with_state(Arc::clone(server)))
}

fn routes(server: &Arc<Server>) -> Router<Arc<Server>> {
    Router::new()
        .route("/", get(|| async { json_response(&json!({})) }))
        .route("/schemas/types", get(|| async { json_response(&json!(["JSON", "PROTOBUF", "AVRO"])) }))
        .route("/schemas", get(list_schemas))
        .route("/schemas/ids/{id}", get(schema))
        .route("/schemas/ids/{id}/schema", get(schema_text))
        .route("/schemas/ids/{id}/subjects", get(schema_subjects))
        .route("/schemas/ids/{id}/versions", get(schema_versions))
        .route("/subjects", get(subjects))
        .route("/subjects/{subject}", post(lookup).delete(delete_subject))
        .route("/subjects/{subject}/metadata", get(latest_with_metadata))
        .route("/subjects/{subject}/versions", get(versions).post(register))
        .route("/subjects/{subject}/versions/{version}", get(version).delete(delete_version))
        .route("/subjects/{subject}/versions/{version}/schema", get(version_text))
        .route("/subjects/{subject}/versions/{version}/referencedby", get(referrers))
        .route("/compatibility/subjects/{subject}/versions", post(check_history))
        .route("/compatibility/subjects/{subject}/versions/{version}", post(check_version))
        .merge(settings::routes())
        .route("/contexts", get(contexts))
        .route("/v1/metadata/id", get(|| async { json_response(&json!({ "scope": { "path": [], "clusters": {} } })) }))
        .route(
            "/v1/metadata/version",
            get(|| async { json_response(&json!({ "version": env!("CARGO_PKG_VERSION") })) }),
        )
        // Serializers ask whether a topic has subjects of other names, and stop at any answer but this one.
        .route("/associations/{*rest}", get(|| async { Failure::new(Code::AssociationNotFound, "no associations") }))
        .fallback(|| async { Failure::not_found() })
        .method_not_allowed_fallback(|| async { Failure::new(Code::MethodNotAllowed, "HTTP 405 Method Not Allowed") })
        .layer(from_fn_with_state(Arc::clone(server), sign_in))
}

/// Lets in whoever has a token: as `Bearer`, or as the password of `Basic`, which is how most clients are configured.
async fn sign_in(State(server): State<Arc<Server>>, mut request: Request, next: Next) -> Response {
    let Ok(_permit) = server.requests.try_acquire() else { return Problem::Busy.into_response() };
    let Some(tag) = request.extensions().get::<Tag>().cloned() else { return Problem::Internal.into_response() };
    if let Some(route) = request.extensions().get::<MatchedPath>() {
        let _ = tag.notes.operation.set(route.as_str().trim_start_matches("/registry").to_owned());
    }
    match endpoint::sign_in_to_door(&server, request.headers()).await {
        Ok(actor) => {
            let _ = tag.notes.requester.set(actor.principal.id.to_string());
            let ctx = Ctx { app: Arc::clone(&server.app), actor, request_id: tag.id };
            request.extensions_mut().insert(ctx);
            media::negotiate(request, next).await
        }
        Err(Problem::Unauthenticated) => {
            Failure::new(Code::Unauthorized, "User cannot access the resource.").into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

type CtxOf = axum::Extension<Ctx>;

async fn list_schemas(axum::Extension(ctx): CtxOf, asked: Asked) -> Answer {
    let found = registry::schemas(&ctx, &asked.listing()).await?;
    Ok(json_response(&found.iter().map(wire::registered).collect::<Value>()))
}

async fn schema(axum::Extension(ctx): CtxOf, Path(id): Path<String>, asked: Asked) -> Answer {
    let schema = registry::find_schema(&ctx, wire::schema_id(&id)?, asked.subject()?.as_ref()).await?;
    let text = registry::text_in_format(&ctx, &schema, asked.format()).await?;
    let mut answer = wire::schema(&schema, &text);
    if asked.is_set("fetchMaxId") {
        answer["maxId"] = registry::newest_schema_id(&ctx).await?.into();
    }
    Ok(json_response(&answer))
}

async fn schema_text(axum::Extension(ctx): CtxOf, Path(id): Path<String>, asked: Asked) -> Answer {
    let schema = registry::find_schema(&ctx, wire::schema_id(&id)?, asked.subject()?.as_ref()).await?;
    Ok(raw(registry::text_in_format(&ctx, &schema, asked.format()).await?.into_owned()))
}

async fn schema_subjects(axum::Extension(ctx): CtxOf, Path(id): Path<String>, asked: Asked) -> Answer {
    let places = places(&ctx, &id, &asked).await?;
    let mut names: Vec<String> = places.iter().map(|place| place.subject.to_string()).collect();
    names.dedup();
    Ok(json_response(&json!(asked.page(names))))
}

async fn schema_versions(axum::Extension(ctx): CtxOf, Path(id): Path<String>, asked: Asked) -> Answer {
    let places = places(&ctx, &id, &asked).await?;
    let places: Vec<Value> =
        places.iter().map(|place| json!({ "subject": place.subject.to_string(), "version": place.version })).collect();
    Ok(json_response(&json!(asked.page(places))))
}

async fn places(ctx: &Ctx, id: &str, asked: &Asked) -> Result<Vec<SubjectVersion>, Failure> {
    let id = wire::schema_id(id)?;
    registry::find_schema(ctx, id, asked.subject()?.as_ref()).await?;
    Ok(registry::places_of_schema(ctx, id, asked.is_set("deleted")).await?)
}

async fn subjects(axum::Extension(ctx): CtxOf, asked: Asked) -> Answer {
    let prefix = asked.prefix().unwrap_or_else(Prefix::of_all);
    let all = registry::subjects(&ctx, asked.shown()).await?;
    let names = all.iter().filter(|subject| prefix.matches(subject)).map(ToString::to_string).collect();
    Ok(json_response(&json!(asked.page::<String>(names))))
}

async fn contexts(axum::Extension(ctx): CtxOf, asked: Asked) -> Answer {
    let mut contexts = registry::contexts(&ctx).await?;
    contexts.retain(|context| context.starts_with(asked.get("contextPrefix").unwrap_or_default()));
    Ok(json_response(&json!(asked.page(contexts))))
}

async fn lookup(
    axum::Extension(ctx): CtxOf,
    Path(subject): Path<String>,
    asked: Asked,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let subject = wire::subject(&subject)?;
    let sent: SchemaBody = read(&headers, body).await?;
    let (normalize, deleted) = (asked.is_set("normalize"), asked.is_set("deleted"));
    let found = registry::lookup(&ctx, &subject, &sent.draft()?, normalize, deleted).await?;
    in_place(&ctx, &found, &asked).await
}

/// No schema has metadata here, so none has what is asked for.
async fn latest_with_metadata(axum::Extension(ctx): CtxOf, Path(subject): Path<String>, asked: Asked) -> Answer {
    let shown = if asked.is_set("deleted") { Shown::All } else { Shown::InUse };
    registry::versions(&ctx, &wire::subject(&subject)?, shown).await?;
    Err(registry::Error::SchemaNotFound.into())
}

async fn register(
    State(server): State<Arc<Server>>,
    axum::Extension(ctx): CtxOf,
    Path(subject): Path<String>,
    asked: Asked,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let subject = wire::subject(&subject)?;
    let sent: SchemaBody = read(&headers, body).await?;
    let command = Register {
        subject,
        draft: sent.draft()?,
        normalize: asked.is_set("normalize"),
        given: Given { id: sent.id()?, version: sent.version()? },
    };
    let registered = change(&server, async move { registry::register(&ctx, command).await }).await?;
    Ok(json_response(&json!({ "id": registered.schema.id })))
}

async fn versions(axum::Extension(ctx): CtxOf, Path(subject): Path<String>, asked: Asked) -> Answer {
    let numbers = registry::versions(&ctx, &wire::subject(&subject)?, asked.shown()).await?;
    Ok(json_response(&json!(asked.page(numbers))))
}

async fn version(
    axum::Extension(ctx): CtxOf,
    Path((subject, version)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let (subject, version) = (wire::subject(&subject)?, wire::version(&version)?);
    let found = registry::version(&ctx, &subject, version, asked.is_set("deleted")).await?;
    in_place(&ctx, &found, &asked).await
}

async fn in_place(ctx: &Ctx, found: &Registered, asked: &Asked) -> Answer {
    let mut answer = wire::registered(found);
    answer["schema"] = registry::text_in_format(ctx, &found.schema, asked.format()).await?.into();
    Ok(json_response(&answer))
}

async fn version_text(
    axum::Extension(ctx): CtxOf,
    Path((subject, version)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let (subject, version) = (wire::subject(&subject)?, wire::version(&version)?);
    let found = registry::version(&ctx, &subject, version, asked.is_set("deleted")).await?;
    Ok(raw(registry::text_in_format(&ctx, &found.schema, asked.format()).await?.into_owned()))
}

async fn referrers(
    axum::Extension(ctx): CtxOf,
    Path((subject, version)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let (subject, version) = (wire::subject(&subject)?, wire::version(&version)?);
    let ids = registry::referrers(&ctx, &subject, version, asked.is_set("deleted")).await?;
    Ok(json_response(&json!(asked.page(ids))))
}

async fn delete_subject(
    State(server): State<Arc<Server>>,
    axum::Extension(ctx): CtxOf,
    Path(subject): Path<String>,
    asked: Asked,
) -> Answer {
    let (subject, permanent) = (wire::subject(&subject)?, asked.is_set("permanent"));
    let deleted = change(&server, async move { registry::delete_subject(&ctx, &subject, permanent).await }).await?;
    Ok(json_response(&json!(deleted)))
}

async fn delete_version(
    State(server): State<Arc<Server>>,
    axum::Extension(ctx): CtxOf,
    Path((subject, version)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let (subject, version, permanent) = (wire::subject(&subject)?, wire::version(&version)?, asked.is_set("permanent"));
    let deleted = change(&server, async move { registry::delete_version(&ctx, &subject, version, permanent).await });
    Ok(json_response(&json!(deleted.await?)))
}

async fn check_version(
    axum::Extension(ctx): CtxOf,
    Path((subject, version)): Path<(String, String)>,
    asked: Asked,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let version = wire::version(&version)?;
    check(&ctx, &subject, Check::Version(version), &asked, &headers, body).await
}

async fn check_history(
    axum::Extension(ctx): CtxOf,
    Path(subject): Path<String>,
    asked: Asked,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    check(&ctx, &subject, Check::History, &asked, &headers, body).await
}

async fn check(ctx: &Ctx, subject: &str, against: Check, asked: &Asked, headers: &HeaderMap, body: Body) -> Answer {
    let subject = wire::subject(subject)?;
    let sent: SchemaBody = read(headers, body).await?;
    let is_verbose = asked.is_set("verbose");
    let messages = match registry::check(ctx, &subject, against, &sent.draft()?, asked.is_set("normalize")).await {
        Ok((broken, level)) => registry::Incompatibility::messages(&broken, level),
        // Whoever wants to hear the reasons hears this one among them.
        Err(invalid @ registry::Error::InvalidSchema(_)) if is_verbose => vec![invalid.to_string()],
        Err(error) => return Err(error.into()),
    };
    let mut answer = json!({ "is_compatible": messages.is_empty() });
    if is_verbose {
        answer["messages"] = messages.into();
    }
    Ok(json_response(&answer))
}

/// Runs a change in a task of its own: a client that hangs up does not stop it half-way.
async fn change<T, F>(server: &Server, work: F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, registry::Error>> + Send + 'static,
    T: Send + 'static,
{
    match server.tasks.spawn(work).await {
        Ok(done) => Ok(done?),
        Err(ended) => Err(app::Error::internal(ended).into()),
    }
}

/// Reads a body: JSON under any of the names that clients give it.
async fn read<T: serde::de::DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, Failure> {
    const TYPES: [&str; 4] = [
        "application/vnd.schemaregistry.v1+json",
        "application/vnd.schemaregistry+json",
        "application/json",
        "application/octet-stream",
    ];
    if let Some(sent) = headers.get(CONTENT_TYPE) {
        let sent = sent.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if !TYPES.contains(&sent.as_str()) {
            return Err(Failure::new(Code::UnsupportedMediaType, "HTTP 415 Unsupported Media Type"));
        }
    }
    let mut bytes = Vec::new();
    let mut stream = body::stream(body);
    // A schema as a JSON text is longer than itself.
    if !body::read(&mut stream, &mut bytes, 2 * domain::registry::MAX_SCHEMA_BYTES).await.map_err(Failure::from)? {
        return Err(Failure::new(Code::SchemaTooLarge, "the schema is too large"));
    }
    if matches!(bytes.trim_ascii(), b"" | b"null") {
        return Err(Failure::new(Code::Unprocessable, "the request has no body"));
    }
    // A derived struct would read an array, too: as its fields in order.
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Failure::new(Code::BadRequest, "send one JSON object"));
    }
    serde_json::from_slice(&bytes).map_err(|error| Failure::new(Code::BadRequest, error.to_string()))
}

fn json_response(value: &Value) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))], value.to_string()).into_response()
}

fn raw(text: String) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))], text).into_response()
}

/// What is answered with unless the client asks for another form.
const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";
