//! `/config` and `/mode`: the settings of the registry, of a context or of a subject, with the same three operations.

use std::sync::Arc;

use app::Ctx;
use app::registry::{self, ChangeSettings};
use axum::extract::{Path, State};
use domain::registry::{Part, Scope};
use serde_json::json;

use super::error::Failure;
use super::exchange::{Answer, complete, json_response};
use super::sent::Sent;
use super::wire::{self, Parameters, SettingsBody};
use crate::doors::door::{Caller, Route};
use crate::server::Server;

/// The routes of both.
pub(super) fn routes() -> Vec<Route> {
    let paths = [
        ("/config", Part::Levels),
        ("/config/{subject}", Part::Levels),
        ("/mode", Part::Mode),
        ("/mode/{subject}", Part::Mode),
    ];
    paths.into_iter().flat_map(|(path, part)| operations(path, part)).collect()
}

/// The scope in the path; without one, the default context.
type ScopePath = Option<Path<String>>;

fn operations(path: &'static str, part: Part) -> [Route; 3] {
    [
        Route::get(path, move |Caller(ctx): Caller, scope: ScopePath, parameters: Parameters| {
            get_settings(part, ctx, scope, parameters)
        }),
        Route::put(
            path,
            move |State(server): State<Arc<Server>>,
                  Caller(ctx): Caller,
                  scope: ScopePath,
                  parameters: Parameters,
                  sent: Sent| put_settings(part, server, ctx, scope, parameters, sent),
        ),
        Route::delete(path, move |State(server): State<Arc<Server>>, Caller(ctx): Caller, scope: ScopePath| {
            delete_settings(part, server, ctx, scope)
        }),
    ]
}

async fn get_settings(part: Part, ctx: Ctx, path: ScopePath, parameters: Parameters) -> Answer {
    let scope = scope(path)?;
    let settings = match parameters.is_set("defaultToGlobal") {
        true => registry::effective_settings(&ctx, &scope).await?,
        false => registry::own_settings(&ctx, &scope, part).await?,
    };
    Ok(json_response(&wire::settings(part, &settings)))
}

async fn put_settings(
    part: Part,
    server: Arc<Server>,
    ctx: Ctx,
    path: ScopePath,
    parameters: Parameters,
    sent: Sent,
) -> Answer {
    let scope = scope(path)?;
    let sent: SettingsBody = sent.settings().await?;
    if sent.clears(part) {
        // Also where nothing was set.
        let cleared = complete(&server, async move {
            match registry::clear_settings(&ctx, &scope, part).await {
                Ok(_) | Err(registry::Error::NothingToClear(_)) => Ok(()),
                Err(error) => Err(error),
            }
        });
        cleared.await?;
        return Ok(json_response(&json!({ "mode": null })));
    }
    let change = sent.settings(part)?;
    let command = ChangeSettings { scope, change, force: parameters.is_set("force") };
    complete(&server, async move { registry::change_settings(&ctx, &command).await }).await?;
    // What was put, and not what the scope has now.
    let mut answer = wire::settings(part, &change);
    // This answer has another name for the key.
    if let Some(level) = answer.as_object_mut().and_then(|answer| answer.remove("compatibilityLevel")) {
        answer["compatibility"] = level;
    }
    Ok(json_response(&answer))
}

async fn delete_settings(part: Part, server: Arc<Server>, ctx: Ctx, path: ScopePath) -> Answer {
    let scope = scope(path)?;
    let settings = complete(&server, async move { registry::clear_settings(&ctx, &scope, part).await }).await?;
    Ok(json_response(&wire::settings(part, &settings)))
}

fn scope(path: ScopePath) -> Result<Scope, Failure> {
    path.map_or_else(|| Ok(Scope::top()), |Path(text)| wire::scope(&text))
}
