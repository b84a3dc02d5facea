//! `/health` and `/ready`, for supervisors and load balancers.

use std::sync::Arc;

use app::readiness::Fault;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use http_base::log::Log;
use http_base::problem::Problem;

use crate::server::Server;

/// Answers while the process runs; it depends on nothing else.
pub(crate) async fn live() -> Response {
    status("ok")
}

/// Answers whether the server can do its work: read and write the database, write files, write its log. If it cannot, the
/// answer names what does not work, in words without names or paths. What is left out while the rest works makes no server
/// unready: it is a warning.
pub(crate) async fn ready(State(server): State<Arc<Server>>) -> Response {
    let faults = tokio::time::timeout(server.limits.ready_timeout, server.app.faults()).await;
    let mut faults: Vec<&str> = match faults {
        Ok(faults) => faults.into_iter().map(Fault::as_str).collect(),
        Err(_) => vec![Fault::Database.as_str()],
    };
    if server.log.as_ref().is_some_and(Log::is_failing) {
        faults.push("the log cannot be written");
    }
    if !faults.is_empty() {
        return Problem::NotReady(faults).into_response();
    }
    match server.app.omissions() {
        warnings if warnings.is_empty() => status("ready"),
        warnings => Json(serde_json::json!({ "status": "ready", "warnings": warnings })).into_response(),
    }
}

fn status(status: &str) -> Response {
    (StatusCode::OK, Json(serde_json::json!({ "status": status }))).into_response()
}
