//! `/health` and `/ready`, for supervisors and load balancers.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use http_base::problem::Problem;

use crate::server::Server;

/// Answers while the process runs; it depends on nothing else.
pub(crate) async fn live() -> Response {
    status("ok")
}

/// Answers whether the database responds.
pub(crate) async fn ready(State(server): State<Arc<Server>>) -> Response {
    match tokio::time::timeout(server.limits.ready_timeout, server.app.ready()).await {
        Ok(Ok(())) => status("ready"),
        Ok(Err(error)) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "not ready");
            Problem::Unavailable.into_response()
        }
        Err(_) => Problem::Unavailable.into_response(),
    }
}

fn status(status: &str) -> Response {
    (StatusCode::OK, Json(serde_json::json!({ "status": status }))).into_response()
}
