//! `/config` and `/mode`: what the registry, a context or a subject says of itself, read, changed and taken back alike.

use std::sync::Arc;

use app::Ctx;
use app::registry::{self, ChangeSettings};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::routing::{MethodRouter, get};
use domain::registry::{Part, Scope};

use super::error::Failure;
use super::wire::{self, Asked, SettingsBody};
use super::{Answer, CtxOf, change, json_response, read};
use crate::Server;

/// The routes of both.
pub(super) fn routes() -> Router<Arc<Server>> {
    Router::new()
        .route("/config", methods(Part::Levels))
        .route("/config/{subject}", methods(Part::Levels))
        .route("/mode", methods(Part::Mode))
        .route("/mode/{subject}", methods(Part::Mode))
}

/// A request that names no scope is about the default context.
type Named = Option<Path<String>>;

fn methods(part: Part) -> MethodRouter<Arc<Server>> {
    get(move |ctx: CtxOf, named: Named, asked: Asked| get_settings(part, ctx.0, named, asked))
        .put(
            move |State(server): State<Arc<Server>>,
                  ctx: CtxOf,
                  named: Named,
                  asked: Asked,
                  head: HeaderMap,
                  body: Body| { put_settings(part, server, ctx.0, named, asked, head, body) },
        )
        .delete(move |State(server): State<Arc<Server>>, ctx: CtxOf, named: Named| {
            delete_settings(part, server, ctx.0, named)
        })
}

async fn get_settings(part: Part, ctx: Ctx, named: Named, asked: Asked) -> Answer {
    let scope = scope(named)?;
    let settings = match asked.is_set("defaultToGlobal") {
        true => registry::effective_settings(&ctx, &scope).await?,
        false => registry::own_settings(&ctx, &scope, part).await?,
    };
    Ok(json_response(&wire::settings(part, &settings)))
}

async fn put_settings(
    part: Part,
    server: Arc<Server>,
    ctx: Ctx,
    named: Named,
    asked: Asked,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let scope = scope(named)?;
    let sent: SettingsBody = read(&headers, body).await?;
    let command = ChangeSettings { scope, change: sent.settings(part)?, force: asked.is_set("force") };
    let says = change(&server, async move { registry::change_settings(&ctx, &command).await }).await?;
    let mut answer = wire::settings(part, &says);
    // The one key that has another name here.
    if let Some(level) = answer.as_object_mut().and_then(|answer| answer.remove("compatibilityLevel")) {
        answer["compatibility"] = level;
    }
    Ok(json_response(&answer))
}

async fn delete_settings(part: Part, server: Arc<Server>, ctx: Ctx, named: Named) -> Answer {
    let scope = scope(named)?;
    let said = change(&server, async move { registry::clear_settings(&ctx, &scope, part).await }).await?;
    Ok(json_response(&wire::settings(part, &said)))
}

fn scope(named: Named) -> Result<Scope, Failure> {
    named.map_or_else(|| Ok(Scope::top()), |Path(text)| wire::scope(&text))
}
