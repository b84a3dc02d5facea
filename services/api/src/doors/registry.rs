//! The schema registry door, at `/registry`: the protocol of the Confluent Schema Registry
//! (<https://docs.confluent.io/platform/current/schema-registry/develop/api.html>).
//!
//! Clients are strict about answers and careless in requests: an answer has exactly the fields of the reference, and
//! unknown fields of a request are ignored. Errors are `{"error_code", "message"}`.
//!
//! Not supported: tags, metadata and rules of schemas, exporters, guids; `GET /associations/...` reports that there are
//! none. `path` reads the path of a request, `sent` its body, `wire` the types of queries and bodies, `settings` levels
//! and modes; `exchange` writes answers, `media` chooses the media type of an answer, and `error` has the error codes.

mod error;
mod exchange;
mod media;
mod path;
mod sent;
mod settings;
mod wire;

use std::sync::Arc;

use app::Ctx;
use app::registry::{self, Check, ImportNumbers, Register, Registered, Shown};
use axum::extract::{Path, State};
use axum::middleware::from_fn;
use axum::response::IntoResponse;
use domain::registry::{Prefix, SubjectVersion};
use http_base::sign_in::SignIn;
use serde_json::{Value, json};

use self::error::{Code, Failure};
use self::exchange::{Answer, complete, json_response, text_response};
use self::sent::Sent;
use self::wire::Parameters;
use super::door::{Caller, Door, Protocol, Route};
use crate::server::Server;

/// The door. A client's base URL may name a context, as `/registry/contexts/.staging`: every request below it applies to that
/// context.
pub(super) fn door() -> Door {
    Door {
        path: "/registry",
        log_name: "/registry",
        takes_permit: true,
        sign_in: SignIn::Door,
        precondition: |_| Ok(()),
        routes: routes(),
        protocol: Some(Protocol {
            rewrite: path::rewrite,
            error: |problem| Failure::from(problem).into_response(),
            layers: |router| router.layer(from_fn(exchange::negotiate)),
        }),
    }
}

fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::get("/", async || json_response(&json!({}))),
        Route::get("/schemas/types", async || json_response(&json!(["JSON", "PROTOBUF", "AVRO"]))),
        Route::get("/schemas", list_schemas),
        Route::get("/schemas/ids/{id}", schema),
        Route::get("/schemas/ids/{id}/schema", schema_text),
        Route::get("/schemas/ids/{id}/subjects", schema_subjects),
        Route::get("/schemas/ids/{id}/versions", schema_versions),
        Route::get("/subjects", list_subjects),
        Route::post("/subjects/{subject}", lookup),
        Route::delete("/subjects/{subject}", delete_subject),
        Route::get("/subjects/{subject}/metadata", latest_with_metadata),
        Route::get("/subjects/{subject}/versions", list_versions),
        Route::post("/subjects/{subject}/versions", register),
        Route::get("/subjects/{subject}/versions/{version}", version),
        Route::delete("/subjects/{subject}/versions/{version}", delete_version),
        Route::get("/subjects/{subject}/versions/{version}/schema", version_text),
        Route::get("/subjects/{subject}/versions/{version}/referencedby", referrers),
        Route::post("/compatibility/subjects/{subject}/versions", check_history),
        Route::post("/compatibility/subjects/{subject}/versions/{version}", check_version),
        Route::get("/contexts", list_contexts),
        Route::get("/v1/metadata/id", async || json_response(&json!({ "scope": { "path": [], "clusters": {} } }))),
        Route::get("/v1/metadata/deployment", async || json_response(&json!({}))),
        Route::get("/v1/metadata/version", async || json_response(&json!({ "version": env!("CARGO_PKG_VERSION") }))),
        // Serializers look up subjects of a topic under other names, and fail on any other answer.
        Route::get("/associations/{*rest}", async || Failure::new(Code::AssociationNotFound, "no associations")),
    ];
    routes.extend(settings::routes());
    routes
}

async fn list_schemas(Caller(ctx): Caller, parameters: Parameters) -> Answer {
    let found = registry::schemas(&ctx, &parameters.listing()).await?;
    Ok(json_response(&found.iter().map(wire::registered).collect::<Value>()))
}

async fn schema(Caller(ctx): Caller, Path(id): Path<String>, parameters: Parameters) -> Answer {
    let subject = parameters.subject()?;
    let schema = registry::find_schema(&ctx, wire::schema_id(&id)?, subject.as_ref()).await?;
    let text = registry::text_in_format(&ctx, &schema, parameters.format()).await?;
    let mut answer = wire::schema(&schema, &text);
    if parameters.names_subject()
        && let Some(subject) = subject
        && let Some(place) = registry::place_of_schema(&ctx, schema.id, &subject).await?
    {
        answer["subject"] = place.subject.to_string().into();
        answer["version"] = place.version.into();
    }
    if parameters.is_set("fetchMaxId") {
        answer["maxId"] = registry::newest_schema_id(&ctx).await?.into();
    }
    Ok(json_response(&answer))
}

async fn schema_text(Caller(ctx): Caller, Path(id): Path<String>, parameters: Parameters) -> Answer {
    let schema = registry::find_schema(&ctx, wire::schema_id(&id)?, parameters.subject()?.as_ref()).await?;
    Ok(text_response(registry::text_in_format(&ctx, &schema, parameters.format()).await?.into_owned()))
}

async fn schema_subjects(Caller(ctx): Caller, Path(id): Path<String>, parameters: Parameters) -> Answer {
    let places = list_places(&ctx, &id, &parameters).await?;
    let mut names: Vec<String> = places.iter().map(|place| place.subject.to_string()).collect();
    names.dedup();
    Ok(json_response(&json!(parameters.page(names))))
}

async fn schema_versions(Caller(ctx): Caller, Path(id): Path<String>, parameters: Parameters) -> Answer {
    let places = list_places(&ctx, &id, &parameters).await?;
    let places: Vec<Value> =
        places.iter().map(|place| json!({ "subject": place.subject.to_string(), "version": place.version })).collect();
    Ok(json_response(&json!(parameters.page(places))))
}

async fn list_places(ctx: &Ctx, id: &str, parameters: &Parameters) -> Result<Vec<SubjectVersion>, Failure> {
    let id = wire::schema_id(id)?;
    registry::find_schema(ctx, id, parameters.subject()?.as_ref()).await?;
    Ok(registry::places_of_schema(ctx, id, parameters.is_set("deleted")).await?)
}

async fn list_subjects(Caller(ctx): Caller, parameters: Parameters) -> Answer {
    let prefix = parameters.prefix().unwrap_or_else(Prefix::of_all);
    let all = registry::subjects(&ctx, parameters.shown()).await?;
    let names = all.iter().filter(|subject| prefix.matches(subject)).map(ToString::to_string).collect();
    Ok(json_response(&json!(parameters.page::<String>(names))))
}

async fn list_contexts(Caller(ctx): Caller, parameters: Parameters) -> Answer {
    let mut contexts = registry::contexts(&ctx).await?;
    contexts.retain(|context| context.starts_with(parameters.get("contextPrefix").unwrap_or_default()));
    Ok(json_response(&json!(parameters.page(contexts))))
}

async fn lookup(Caller(ctx): Caller, Path(subject): Path<String>, parameters: Parameters, sent: Sent) -> Answer {
    let subject = wire::subject(&subject)?;
    let (sent, _held) = sent.schema(async || Ok(())).await?;
    let (normalize, deleted) = (parameters.is_set("normalize"), parameters.is_set("deleted"));
    let found = registry::lookup(&ctx, &subject, &sent.draft()?, normalize, deleted).await?;
    registered_response(&ctx, &found, &parameters).await
}

/// No schema has metadata here, so none matches.
async fn latest_with_metadata(Caller(ctx): Caller, Path(subject): Path<String>, parameters: Parameters) -> Answer {
    let shown = if parameters.is_set("deleted") { Shown::All } else { Shown::InUse };
    registry::versions(&ctx, &wire::subject(&subject)?, shown).await?;
    Err(registry::Error::SchemaNotFound(None).into())
}

async fn register(
    State(server): State<Arc<Server>>,
    Caller(ctx): Caller,
    Path(subject): Path<String>,
    parameters: Parameters,
    sent: Sent,
) -> Answer {
    let subject = wire::subject(&subject)?;
    let (sent, held) = sent.schema(async || Ok(registry::authorize(&ctx, &subject).await?)).await?;
    let command = Register {
        subject,
        draft: sent.draft()?,
        normalize: parameters.is_set("normalize"),
        numbers: ImportNumbers { id: sent.id()?, version: sent.version()? },
    };
    let registered = complete(&server, async move {
        let _held = held;
        registry::register(&ctx, command).await
    });
    let registered = registered.await?;
    Ok(json_response(&json!({ "id": registered.schema.id })))
}

async fn list_versions(Caller(ctx): Caller, Path(subject): Path<String>, parameters: Parameters) -> Answer {
    let numbers = registry::versions(&ctx, &wire::subject(&subject)?, parameters.shown()).await?;
    Ok(json_response(&json!(parameters.page(numbers))))
}

async fn version(
    Caller(ctx): Caller,
    Path((subject, version)): Path<(String, String)>,
    parameters: Parameters,
) -> Answer {
    let (subject, version) = (wire::subject(&subject)?, wire::version(&version)?);
    let found = registry::version(&ctx, &subject, version, parameters.is_set("deleted")).await?;
    registered_response(&ctx, &found, &parameters).await
}

async fn registered_response(ctx: &Ctx, found: &Registered, parameters: &Parameters) -> Answer {
    let mut answer = wire::registered(found);
    answer["schema"] = registry::text_in_format(ctx, &found.schema, parameters.format()).await?.into();
    Ok(json_response(&answer))
}

async fn version_text(
    Caller(ctx): Caller,
    Path((subject, version)): Path<(String, String)>,
    parameters: Parameters,
) -> Answer {
    let (subject, version) = (wire::subject(&subject)?, wire::version(&version)?);
    let found = registry::version(&ctx, &subject, version, parameters.is_set("deleted")).await?;
    Ok(text_response(registry::text_in_format(&ctx, &found.schema, parameters.format()).await?.into_owned()))
}

async fn referrers(
    Caller(ctx): Caller,
    Path((subject, version)): Path<(String, String)>,
    parameters: Parameters,
) -> Answer {
    let (subject, version) = (wire::subject(&subject)?, wire::version(&version)?);
    let ids = registry::referrers(&ctx, &subject, version, parameters.is_set("deleted")).await?;
    Ok(json_response(&json!(parameters.page(ids))))
}

async fn delete_subject(
    State(server): State<Arc<Server>>,
    Caller(ctx): Caller,
    Path(subject): Path<String>,
    parameters: Parameters,
) -> Answer {
    let (subject, permanent) = (wire::subject(&subject)?, parameters.is_set("permanent"));
    let deleted = complete(&server, async move { registry::delete_subject(&ctx, &subject, permanent).await }).await?;
    Ok(json_response(&json!(deleted)))
}

async fn delete_version(
    State(server): State<Arc<Server>>,
    Caller(ctx): Caller,
    Path((subject, version)): Path<(String, String)>,
    parameters: Parameters,
) -> Answer {
    let (subject, version, permanent) =
        (wire::subject(&subject)?, wire::version(&version)?, parameters.is_set("permanent"));
    let deleted = complete(&server, async move { registry::delete_version(&ctx, &subject, version, permanent).await });
    Ok(json_response(&json!(deleted.await?)))
}

async fn check_version(
    Caller(ctx): Caller,
    Path((subject, version)): Path<(String, String)>,
    parameters: Parameters,
    sent: Sent,
) -> Answer {
    let version = wire::version(&version)?;
    check(&ctx, &subject, Check::Version(version), &parameters, sent).await
}

async fn check_history(Caller(ctx): Caller, Path(subject): Path<String>, parameters: Parameters, sent: Sent) -> Answer {
    check(&ctx, &subject, Check::History, &parameters, sent).await
}

async fn check(ctx: &Ctx, subject: &str, against: Check, parameters: &Parameters, sent: Sent) -> Answer {
    let subject = wire::subject(subject)?;
    let (sent, _held) = sent.schema(async || Ok(())).await?;
    let is_verbose = parameters.is_set("verbose");
    let messages = match registry::check(ctx, &subject, against, &sent.draft()?, parameters.is_set("normalize")).await {
        Ok((broken, level)) => registry::Incompatibility::messages(&broken, level),
        // With `verbose`, an invalid schema is one of the reasons.
        Err(invalid @ registry::Error::InvalidSchema(_)) if is_verbose => vec![invalid.to_string()],
        Err(error) => return Err(error.into()),
    };
    let mut answer = json!({ "is_compatible": messages.is_empty() });
    if is_verbose {
        answer["messages"] = messages.into();
    }
    Ok(json_response(&answer))
}
