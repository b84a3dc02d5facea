//! HTTP: the native GraphQL API, health, and the doors of standard protocols as they come.
//!
//! Only this crate knows HTTP and JSON. A resolver makes three moves: parse the wire types, call one use case of `app`,
//! render the answer; no rule lives here. Begin at [`router`]; `endpoint` is the way of a GraphQL request, [`graphql`]
//! the schema, one module for each context, and `problem` every answer that is not GraphQL's.
//!
//! To add a field: the resolver in its context's module, its line in the table of authorisation in `tests/it/access.rs`,
//! and `UPDATE_GOLDEN=1 cargo test --workspace --test api_it`, which writes `schemas/charterhouse.graphql` anew.

mod body;
mod doors;
mod endpoint;
pub mod graphql;
mod limits;
mod problem;
mod request;
mod scan;

use std::sync::Arc;

use app::App;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use self::graphql::complete::FieldTypes;
pub use self::limits::Limits;
use self::problem::Problem;

/// What all requests share.
struct Server {
    app: Arc<App>,
    limits: Limits,
    schema: graphql::Schema,
    field_types: FieldTypes,
    /// Mutations: they run on when their client hangs up.
    tasks: TaskTracker,
    /// One for each request that is under way.
    requests: Semaphore,
    /// One for each body beyond the usual size that is held in memory.
    large_bodies: Semaphore,
}

/// The whole of HTTP: `POST /graphql`, `/health`, `/ready`, and the doors.
///
/// Mutations are spawned on `tasks`, so that their outcome does not hang on a connection; wait for them before the
/// database is closed.
pub fn router(app: Arc<App>, limits: &Limits, tasks: &TaskTracker) -> Router {
    let server = Arc::new(Server {
        app,
        limits: limits.clone(),
        schema: graphql::schema(limits),
        field_types: FieldTypes::new(&graphql::sdl()),
        tasks: tasks.clone(),
        requests: Semaphore::new(limits.n_requests),
        large_bodies: Semaphore::new(limits.n_large_bodies),
    });
    Router::new()
        .route("/graphql", post(endpoint::answer))
        .route("/health", get(health))
        .route("/ready", get(ready))
        .nest_service("/registry", doors::registry::service(&server))
        .fallback(|| async { Problem::NotFound })
        .method_not_allowed_fallback(|| async { Problem::MethodNotAllowed })
        .layer(from_fn_with_state(Arc::clone(&server), request::serve))
        .with_state(server)
}

/// The process lives. Asks nothing and nobody.
async fn health() -> Response {
    status("ok")
}

/// The database answers.
async fn ready(State(server): State<Arc<Server>>) -> Response {
    match tokio::time::timeout(server.limits.ready_timeout, server.app.ready()).await {
        Ok(Ok(())) => status("ready"),
        Ok(Err(error)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "not ready");
            Problem::Unavailable.into_response()
        }
        Err(_) => Problem::Unavailable.into_response(),
    }
}

fn status(word: &str) -> Response {
    (StatusCode::OK, Json(serde_json::json!({ "status": word }))).into_response()
}
