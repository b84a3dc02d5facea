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

use std::net::IpAddr;
use std::sync::Arc;

use app::App;
use app::rate::Rate;
use axum::Router;
use axum::middleware::from_fn_with_state;
use http_base::budget::{Bodies, Shares};
use http_base::log::Log;
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
    /// The server's log, if `/ready` reports on it.
    log: Option<Log>,
    /// One permit for each body over the usual size limit that is held in memory.
    large_bodies: Permits,
    /// One permit for each large schema.
    large_schemas: Permits,
    /// The memory of all bodies.
    bodies: Bodies,
    /// The requests in progress of each client.
    request_shares: Shares,
    /// The invalid tokens of each address.
    sign_in_failures: Rate<IpAddr>,
}

/// Whether a path is one of those that supervise the server: they are answered however many connections there are.
pub fn is_health(path: &str) -> bool {
    matches!(path, "/health" | "/ready")
}

/// The router of the whole API.
///
/// Mutations are spawned on `tasks`, so that a closed connection does not interrupt them; wait for `tasks` before you close
/// the database. `/ready` reports a `log` that cannot be written.
pub fn router(app: Arc<App>, limits: &Limits, tasks: &TaskTracker, log: Option<Log>) -> Router {
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
        log,
        requests: Permits::new(limits.n_requests),
        large_bodies: Permits::new(limits.n_large_bodies),
        large_schemas: Permits::new(limits.n_large_schemas),
        bodies: Bodies::new(limits.bodies_bytes, limits.bodies_bytes_per_client),
        request_shares: Shares::new(limits.n_requests_per_client),
        sign_in_failures: Rate::per_second(limits.sign_in_failures_per_second),
    });
    doors::router(&server)
        .fallback(|| async { Problem::NotFound })
        .method_not_allowed_fallback(|| async { Problem::MethodNotAllowed })
        .layer(from_fn_with_state(Arc::new(requests), request::handle))
        .with_state(server)
}
