//! The schema registry, as the clients of the Confluent Schema Registry speak to it
//! (<https://docs.confluent.io/platform/current/schema-registry/develop/api.html>), at `/registry`.
//!
//! Clients are strict about answers and loose about requests: an answer has the fields of the reference and no other,
//! and what a request has beyond what is known here is not looked at. Errors are `{"error_code", "message"}`.
//!
//! Not here: tags, metadata and rules of schemas, exporters, guids. `GET /associations/...` says that there are none.

mod error;
mod wire;

use std::sync::Arc;

use app::Ctx;
use app::registry::{self, Check, Given, Register};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::registry::{Scope, Settings, Subject};
use serde_json::{Value, json};

use self::error::{Code, Failure};
use self::wire::{Asked, SchemaBody, SettingsBody};
use crate::Server;
use crate::body;
use crate::endpoint;
use crate::problem::Problem;
use crate::request::Tag;

type Answer = Result<Response, Failure>;

/// The routes, below the door's own path.
pub(crate) fn router(server: &Arc<Server>) -> Router<Arc<Server>> {
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
        .route("/subjects/{subject}/versions", get(versions).post(register))
        .route("/subjects/{subject}/versions/{version}", get(version).delete(delete_version))
        .route("/subjects/{subject}/versions/{version}/schema", get(version_text))
        .route("/subjects/{subject}/versions/{version}/referencedby", get(referrers))
        .route("/compatibility/subjects/{subject}/versions", post(check_history))
        .route("/compatibility/subjects/{subject}/versions/{version}", post(check_version))
        .route("/config", get(global_level).put(put_global_level).delete(delete_global_level))
        .route("/config/{subject}", get(level).put(put_level).delete(delete_level))
        .route("/mode", get(global_mode).put(put_global_mode).delete(delete_global_mode))
        .route("/mode/{subject}", get(mode).put(put_mode).delete(delete_mode))
        .route("/contexts", get(contexts))
        .route("/v1/metadata/id", get(|| async { json_response(&json!({ "scope": { "path": [], "clusters": {} } })) }))
        .route(
            "/v1/metadata/version",
            get(|| async { json_response(&json!({ "version": env!("CARGO_PKG_VERSION") })) }),
        )
        // Serializers ask whether a topic has subjects of other names, and stop at any answer but this one.
        .route("/associations/{*rest}", get(|| async { Failure::new(Code::AssociationNotFound, "no associations") }))
        .fallback(|| async { Failure::new(Code::NotFound, "HTTP 404 Not Found") })
        .method_not_allowed_fallback(|| async { Failure::new(Code::MethodNotAllowed, "HTTP 405 Method Not Allowed") })
        .layer(from_fn_with_state(Arc::clone(server), sign_in))
}

/// Lets in whoever has a token: as `Bearer`, or as the password of `Basic`, which is how most clients are configured.
async fn sign_in(State(server): State<Arc<Server>>, mut request: Request, next: Next) -> Response {
    let Ok(_permit) = server.requests.try_acquire() else { return Problem::Busy.into_response() };
    let Some(tag) = request.extensions().get::<Tag>().cloned() else { return Problem::Internal.into_response() };
    match endpoint::sign_in_to_door(&server, request.headers()).await {
        Ok(actor) => {
            let _ = tag.notes.requester.set(actor.principal.id.to_string());
            let ctx = Ctx { app: Arc::clone(&server.app), actor, request_id: tag.id };
            request.extensions_mut().insert(ctx);
            next.run(request).await
        }
        Err(Problem::Unauthenticated) => {
            Failure::new(Code::Unauthorized, "User cannot access the resource.").into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

type CtxOf = axum::Extension<Ctx>;

async fn list_schemas(axum::Extension(ctx): CtxOf, Query(asked): Query<Asked>) -> Answer {
    let page = |all| asked.page(all);
    let found = registry::schemas(&ctx, asked.prefix(), asked.shown(), asked.latest_only.is_set(), page).await?;
    Ok(json_response(&found.iter().map(wire::registered).collect::<Value>()))
}

async fn schema(axum::Extension(ctx): CtxOf, Path(id): Path<String>, Query(asked): Query<Asked>) -> Answer {
    let subject = asked.subject.as_deref().filter(|subject| !subject.is_empty()).map(wire::subject).transpose()?;
    let schema = registry::find_schema(&ctx, wire::schema_id(&id)?, subject.as_ref()).await?;
    let text = registry::text_in_format(&ctx, &schema, asked.format.as_deref()).await?;
    let mut answer = wire::schema(&schema, &text);
    if asked.fetch_max_id.is_set() {
        answer["maxId"] = registry::newest_schema_id(&ctx).await?.into();
    }
    Ok(json_response(&answer))
}

async fn schema_text(axum::Extension(ctx): CtxOf, Path(id): Path<String>, Query(asked): Query<Asked>) -> Answer {
    let schema = registry::find_schema(&ctx, wire::schema_id(&id)?, None).await?;
    Ok(raw(registry::text_in_format(&ctx, &schema, asked.format.as_deref()).await?.into_owned()))
}

async fn schema_subjects(axum::Extension(ctx): CtxOf, Path(id): Path<String>, Query(asked): Query<Asked>) -> Answer {
    let places = registry::places_of_schema(&ctx, wire::schema_id(&id)?, asked.deleted.is_set()).await?;
    let mut names: Vec<String> = places.iter().map(|place| place.subject.to_string()).collect();
    names.dedup();
    Ok(json_response(&json!(asked.page(names))))
}

async fn schema_versions(axum::Extension(ctx): CtxOf, Path(id): Path<String>, Query(asked): Query<Asked>) -> Answer {
    let places = registry::places_of_schema(&ctx, wire::schema_id(&id)?, asked.deleted.is_set()).await?;
    let places: Vec<Value> =
        places.iter().map(|place| json!({ "subject": place.subject.to_string(), "version": place.version })).collect();
    Ok(json_response(&json!(asked.page(places))))
}

async fn subjects(axum::Extension(ctx): CtxOf, Query(asked): Query<Asked>) -> Answer {
    let prefix = asked.prefix();
    let wanted = |subject: &Subject| match prefix {
        "" => subject.context() == domain::registry::DEFAULT_CONTEXT,
        ":*:" => true,
        prefix => subject.to_string().starts_with(prefix),
    };
    let all = registry::subjects(&ctx, asked.shown()).await?;
    let names = all.iter().filter(|subject| wanted(subject)).map(ToString::to_string).collect();
    Ok(json_response(&json!(asked.page::<String>(names))))
}

async fn contexts(axum::Extension(ctx): CtxOf, Query(asked): Query<Asked>) -> Answer {
    Ok(json_response(&json!(asked.page(registry::contexts(&ctx).await?))))
}

async fn lookup(
    axum::Extension(ctx): CtxOf,
    Path(subject): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let subject = wire::subject(&subject)?;
    let sent: SchemaBody = read(&headers, body).await?;
    let found =
        registry::lookup(&ctx, &subject, &sent.draft()?, asked.normalize.is_set(), asked.deleted.is_set()).await?;
    Ok(json_response(&wire::registered(&found)))
}

async fn register(
    State(server): State<Arc<Server>>,
    axum::Extension(ctx): CtxOf,
    Path(subject): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let subject = wire::subject(&subject)?;
    let sent: SchemaBody = read(&headers, body).await?;
    let command = Register {
        subject,
        draft: sent.draft()?,
        normalize: asked.normalize.is_set(),
        given: Given { id: sent.id()?, version: sent.version()? },
    };
    let registered = change(&server, async move { registry::register(&ctx, command).await }).await?;
    Ok(json_response(&json!({ "id": registered.schema.id })))
}

async fn versions(axum::Extension(ctx): CtxOf, Path(subject): Path<String>, Query(asked): Query<Asked>) -> Answer {
    let numbers = registry::versions(&ctx, &wire::subject(&subject)?, asked.shown()).await?;
    Ok(json_response(&json!(asked.page(numbers))))
}

async fn version(
    axum::Extension(ctx): CtxOf,
    Path((subject, version)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Answer {
    let (subject, version) = (wire::subject(&subject)?, wire::version(&version)?);
    let found = registry::version(&ctx, &subject, version, asked.deleted.is_set()).await?;
    let text = registry::text_in_format(&ctx, &found.schema, asked.format.as_deref()).await?;
    let mut answer = wire::registered(&found);
    answer["schema"] = text.into();
    Ok(json_response(&answer))
}

async fn version_text(
    axum::Extension(ctx): CtxOf,
    Path((subject, version)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Answer {
    let (subject, version) = (wire::subject(&subject)?, wire::version(&version)?);
    let found = registry::version(&ctx, &subject, version, asked.deleted.is_set()).await?;
    Ok(raw(registry::text_in_format(&ctx, &found.schema, asked.format.as_deref()).await?.into_owned()))
}

async fn referrers(
    axum::Extension(ctx): CtxOf,
    Path((subject, version)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Answer {
    let ids = registry::referrers(&ctx, &wire::subject(&subject)?, wire::version(&version)?).await?;
    Ok(json_response(&json!(asked.page(ids))))
}

async fn delete_subject(
    State(server): State<Arc<Server>>,
    axum::Extension(ctx): CtxOf,
    Path(subject): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer {
    let (subject, permanent) = (wire::subject(&subject)?, asked.permanent.is_set());
    let deleted = change(&server, async move { registry::delete_subject(&ctx, &subject, permanent).await }).await?;
    Ok(json_response(&json!(deleted)))
}

async fn delete_version(
    State(server): State<Arc<Server>>,
    axum::Extension(ctx): CtxOf,
    Path((subject, version)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Answer {
    let (subject, version, permanent) = (wire::subject(&subject)?, wire::version(&version)?, asked.permanent.is_set());
    let deleted = change(&server, async move { registry::delete_version(&ctx, &subject, version, permanent).await });
    Ok(json_response(&json!(deleted.await?)))
}

async fn check_version(
    axum::Extension(ctx): CtxOf,
    Path((subject, version)): Path<(String, String)>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let version = wire::version(&version)?;
    check(&ctx, &subject, Check::Version(version), &asked, &headers, body).await
}

async fn check_history(
    axum::Extension(ctx): CtxOf,
    Path(subject): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    check(&ctx, &subject, Check::History, &asked, &headers, body).await
}

async fn check(ctx: &Ctx, subject: &str, against: Check, asked: &Asked, headers: &HeaderMap, body: Body) -> Answer {
    let subject = wire::subject(subject)?;
    let sent: SchemaBody = read(headers, body).await?;
    let (broken, level) = registry::check(ctx, &subject, against, &sent.draft()?, asked.normalize.is_set()).await?;
    let mut answer = json!({ "is_compatible": broken.is_empty() });
    if asked.verbose.is_set() {
        answer["messages"] = registry::Incompatibility::messages(&broken, level).into();
    }
    Ok(json_response(&answer))
}

async fn global_level(axum::Extension(ctx): CtxOf) -> Answer {
    Ok(json_response(&wire::level(&registry::effective_settings(&ctx, &Scope::Global).await?)))
}

async fn put_global_level(
    State(server): State<Arc<Server>>,
    axum::Extension(ctx): CtxOf,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    set_level(&server, ctx, Scope::Global, &headers, body).await
}

async fn delete_global_level(State(server): State<Arc<Server>>, axum::Extension(ctx): CtxOf) -> Answer {
    let cleared = Settings { mode: None, ..Settings::DEFAULT };
    let reading = ctx.clone();
    change(&server, async move { registry::clear_settings(&ctx, &Scope::Global, cleared).await }).await?;
    Ok(json_response(&wire::level(&registry::effective_settings(&reading, &Scope::Global).await?)))
}

async fn level(axum::Extension(ctx): CtxOf, Path(subject): Path<String>, Query(asked): Query<Asked>) -> Answer {
    let scope = wire::scope(&subject)?;
    let settings = match asked.default_to_global.is_set() {
        true => registry::effective_settings(&ctx, &scope).await?,
        false => registry::own_settings(&ctx, &scope).await?,
    };
    if (Settings { mode: None, ..settings }) == Settings::default() {
        return Err(registry::Error::NoLevel(scope).into());
    }
    Ok(json_response(&wire::level(&settings)))
}

async fn put_level(
    State(server): State<Arc<Server>>,
    axum::Extension(ctx): CtxOf,
    Path(subject): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    set_level(&server, ctx, wire::scope(&subject)?, &headers, body).await
}

async fn set_level(server: &Arc<Server>, ctx: Ctx, scope: Scope, headers: &HeaderMap, body: Body) -> Answer {
    let sent: SettingsBody = read(headers, body).await?;
    let wanted = sent.level()?;
    change(server, async move { registry::change_settings(&ctx, &scope, wanted).await }).await?;
    Ok(json_response(&wire::level_echo(&wanted)))
}

async fn delete_level(
    State(server): State<Arc<Server>>,
    axum::Extension(ctx): CtxOf,
    Path(subject): Path<String>,
) -> Answer {
    let scope = wire::scope(&subject)?;
    let cleared = Settings { mode: None, ..Settings::DEFAULT };
    let said = registry::own_settings(&ctx, &scope).await?;
    if (Settings { mode: None, ..said }) == Settings::default() {
        return Err(registry::Error::NoLevel(scope).into());
    }
    let said = change(&server, async move { registry::clear_settings(&ctx, &scope, cleared).await }).await?;
    Ok(json_response(&wire::level(&said)))
}

async fn global_mode(axum::Extension(ctx): CtxOf) -> Answer {
    Ok(json_response(&wire::mode(registry::effective_settings(&ctx, &Scope::Global).await?.mode)))
}

async fn put_global_mode(
    State(server): State<Arc<Server>>,
    axum::Extension(ctx): CtxOf,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    set_mode(&server, ctx, Scope::Global, &headers, body).await
}

async fn delete_global_mode(State(server): State<Arc<Server>>, axum::Extension(ctx): CtxOf) -> Answer {
    let cleared = Settings { mode: Settings::DEFAULT.mode, ..Settings::default() };
    let reading = ctx.clone();
    change(&server, async move { registry::clear_settings(&ctx, &Scope::Global, cleared).await }).await?;
    Ok(json_response(&wire::mode(registry::effective_settings(&reading, &Scope::Global).await?.mode)))
}

async fn mode(axum::Extension(ctx): CtxOf, Path(subject): Path<String>, Query(asked): Query<Asked>) -> Answer {
    let scope = wire::scope(&subject)?;
    let settings = match asked.default_to_global.is_set() {
        true => registry::effective_settings(&ctx, &scope).await?,
        false => registry::own_settings(&ctx, &scope).await?,
    };
    let mode = settings.mode.ok_or(registry::Error::NoMode(scope))?;
    Ok(json_response(&wire::mode(Some(mode))))
}

async fn put_mode(
    State(server): State<Arc<Server>>,
    axum::Extension(ctx): CtxOf,
    Path(subject): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    set_mode(&server, ctx, wire::scope(&subject)?, &headers, body).await
}

async fn set_mode(server: &Arc<Server>, ctx: Ctx, scope: Scope, headers: &HeaderMap, body: Body) -> Answer {
    let sent: SettingsBody = read(headers, body).await?;
    let mode = sent.mode()?;
    let wanted = Settings { mode: Some(mode), ..Settings::default() };
    change(server, async move { registry::change_settings(&ctx, &scope, wanted).await }).await?;
    Ok(json_response(&wire::mode(Some(mode))))
}

async fn delete_mode(
    State(server): State<Arc<Server>>,
    axum::Extension(ctx): CtxOf,
    Path(subject): Path<String>,
) -> Answer {
    let scope = wire::scope(&subject)?;
    let cleared = Settings { mode: Settings::DEFAULT.mode, ..Settings::default() };
    let mode = registry::own_settings(&ctx, &scope).await?.mode.ok_or(registry::Error::NoMode(scope.clone()))?;
    change(&server, async move { registry::clear_settings(&ctx, &scope, cleared).await }).await?;
    Ok(json_response(&wire::mode(Some(mode))))
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

/// What the reference answers with whatever was asked for.
const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";
