//! HTTP: the native GraphQL API, health, and the doors of other protocols.
//!
//! Only this crate and its base, `http_base`, know HTTP and JSON. A resolver makes three moves: parse the wire types, call
//! one use case of `app`, render the answer; it holds no rule. Begin at [`router`]: [`doors`] is the table of all paths,
//! `endpoint` executes a GraphQL request, and [`graphql`] is the schema, one module for each context.
//!
//! To add a field: the resolver in its context's module, its line in the table of authorisation in `tests/it/access.rs`,
//! and `UPDATE_GOLDEN=1 cargo test --workspace --test api_it`, which rewrites `schemas/charterhouse.graphql`.

mod body;
pub mod doors;
mod endpoint;
pub mod graphql;
mod health;
mod limits;
mod scan;

use std::sync::Arc;

use app::App;
use axum::Router;
use axum::middleware::from_fn_with_state;
use http_base::permit::Permits;
use http_base::problem::Problem;
use http_base::request;
use tokio_util::task::TaskTracker;

use self::graphql::complete::FieldTypes;
pub use self::limits::Limits;

/// The state that all requests share.
struct Server {
    app: Arc<App>,
    limits: Limits,
    schema: graphql::Schema,
    field_types: FieldTypes,
    /// Mutations: they complete even if their client disconnects.
    tasks: TaskTracker,
    /// One permit for each request in progress.
    requests: Permits,
    /// One permit for each body over the usual size limit that is held in memory.
    large_bodies: Permits,
}

/// The router of the whole API.
///
/// Mutations are spawned on `tasks`, so that a closed connection does not interrupt them; wait for `tasks` before you close
/// the database.
pub fn router(app: Arc<App>, limits: &Limits, tasks: &TaskTracker) -> Router {
    let requests = request::Settings {
        random: Arc::clone(&app.random),
        timeout: limits.timeout,
        log_name: Box::new(doors::log_names()),
    };
    let server = Arc::new(Server {
        app,
        limits: limits.clone(),
        schema: graphql::schema(limits),
        field_types: FieldTypes::new(&graphql::sdl()),
        tasks: tasks.clone(),
        requests: Permits::new(limits.n_requests),
        large_bodies: Permits::new(limits.n_large_bodies),
    });
    doors::router(&server)
        .fallback(|| async { Problem::NotFound })
        .method_not_allowed_fallback(|| async { Problem::MethodNotAllowed })
        .layer(from_fn_with_state(Arc::new(requests), request::handle))
        .with_state(server)
}
