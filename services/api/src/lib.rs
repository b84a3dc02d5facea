//! HTTP: the native GraphQL API, health, the web page and its sessions, and the doors of other protocols.
//!
//! Only this crate and its base, `http_base`, know HTTP and JSON. A resolver has three steps: parse the wire types, call
//! one use case of `app`, render the answer; it holds no rule. Begin at [`router`]: [`doors`] is the table of all paths,
//! `endpoint` executes a GraphQL request, and [`graphql`] is the schema, one module for each context.
//!
//! To add a field: the resolver in the module of its context, its line in the authorisation list in `tests/it/access.rs`,
//! and `UPDATE_GOLDEN=1 cargo test --workspace --test api_it`, which rewrites `schemas/charterhouse.graphql`.

mod body;
pub mod doors;
mod endpoint;
pub mod graphql;
mod health;
mod limits;
mod scan;
mod server;
mod web;

use std::sync::Arc;

use app::App;
use axum::Router;
use axum::middleware::from_fn_with_state;
use http_base::log::Log;
use http_base::problem::Problem;
use http_base::request;
use tokio_util::task::TaskTracker;

pub use self::limits::Limits;
use self::server::Server;
pub use self::web::Web;

/// Whether a path is one of those that supervise the server: they are answered however many connections there are.
pub fn is_health(path: &str) -> bool {
    matches!(path, "/health" | "/ready")
}

/// The router of the whole API, with the web page.
///
/// Mutations are spawned on `tasks`, so that a closed connection does not interrupt them; wait for `tasks` before you close
/// the database. `/ready` reports a `log` that cannot be written.
pub fn router(app: Arc<App>, limits: &Limits, tasks: &TaskTracker, log: Option<Log>, web: Web) -> Router {
    let requests = request::Settings {
        random: Arc::clone(&app.random),
        timeout: limits.timeout,
        log_name: Box::new(doors::log_names()),
    };
    let server = Arc::new(Server::new(app, limits, tasks, log, web));
    doors::router(&server)
        .fallback(doors::page::fallback(doors::first_segments()))
        .method_not_allowed_fallback(|| async { Problem::MethodNotAllowed })
        .layer(from_fn_with_state(Arc::new(requests), request::handle))
        .with_state(server)
}
