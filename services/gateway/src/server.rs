//! Requests: the guards before `s3s`, what it answers, and one log line for each.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use app::lease::Leases;
use domain::clock::Clock;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, EXPECT, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3Error};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::access::Access;
use crate::connections::{self, Limits};
use crate::guard;
use crate::s3::Lake;

/// The most bytes of a refused body that are read, so that the client reads our answer before the connection closes.
const MAX_REFUSED_BYTES: usize = 8 << 20;

/// The gateway: S3 on the wire, leases behind it.
#[derive(Clone)]
pub struct Gateway {
    /// Where leases are asked for.
    pub leases: Arc<dyn Leases>,
    /// The clock that leases end by. (The time of a signature is checked against the machine's.)
    pub clock: Arc<dyn Clock>,
    /// What clients may take.
    pub limits: Limits,
}

impl Gateway {
    /// Serves leases until `shutdown` is cancelled; then lets answers under way end, and returns.
    ///
    /// # Errors
    /// If the listener is not one. What fails later is logged, and ends at most its own connection.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) -> io::Result<()> {
        let access = Access { leases: self.leases, clock: self.clock };
        let mut builder = S3ServiceBuilder::new(Lake { access: access.clone() });
        builder.set_auth(access.clone());
        builder.set_access(access);
        let service = builder.build();

        tracing::info!(address = %listener.local_addr()?, "gateway listens");
        let request_timeout = self.limits.request_timeout;
        let answer = move |request| handle(service.clone(), request, request_timeout);
        connections::serve(listener, self.limits, shutdown, answer).await
    }
}

/// Answers one request and logs it. The log names no file: keys can hold values of partition columns.
async fn handle(
    service: S3Service,
    request: Request<Incoming>,
    request_timeout: Duration,
) -> Result<Response<Body>, Infallible> {
    let started = Instant::now();
    let (method, lease_id) = (request.method().clone(), guard::claimed_lease(request.headers()));
    let mut response = answer(&service, request, request_timeout).await;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    tracing::info!(
        lease.id = lease_id.map(tracing::field::display),
        %method,
        status = response.status().as_u16(),
        size_bytes = size_bytes(response.headers()),
        duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "gateway request"
    );
    Ok(response)
}

async fn answer(service: &S3Service, request: Request<Incoming>, request_timeout: Duration) -> Response<Body> {
    let (head, body) = request.into_parts();
    if let Err(refused) = guard::check(&head, !body.is_end_stream()) {
        if !head.headers.contains_key(EXPECT) {
            // It matters little whether all of it came.
            let _ = tokio::time::timeout(request_timeout, read_away(body)).await;
        }
        return refusal(refused);
    }
    match service.call(Request::from_parts(head, Body::empty())).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(?error, "a request cannot be answered");
            bare_failure()
        }
    }
}

fn refusal(refused: S3Error) -> Response<Body> {
    refused.to_http_response().unwrap_or_else(|_| bare_failure())
}

fn bare_failure() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// Reads what a client sends although it was refused, within a limit; a client that finds the connection closed while
/// it still writes never sees why.
async fn read_away(mut body: Incoming) {
    let mut left = MAX_REFUSED_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, bytes::Bytes::len);
        let Some(less) = left.checked_sub(length) else { return };
        left = less;
    }
}

fn size_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
