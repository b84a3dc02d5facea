//! Requests: the guards before `s3s`, the answer of `s3s`, and the log line.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use app::lease::Leases;
use domain::clock::{Clock, Random};
use domain::s3::Region;
use http::header::{CONTENT_TYPE, EXPECT};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_base::connections::{self, Limits};
use http_base::request::{LogLine, forbid_caching_and_sniffing};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3Error};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::access::Access;
use crate::guard;
use crate::s3::Lake;

/// How much of a refused body is read, so that the client reads our answer before the connection closes.
const MAX_REFUSED_BYTES: usize = 8 << 20;
/// The gateway's path in the log. Keys stay out of it: they can hold values of partition columns.
const LOG_NAME: &str = "/lake";
/// The path that answers without a signature, for load balancers. No bucket but `lake` exists, so it hides nothing.
const HEALTH: &str = "/health";
/// The header of S3 for a request's id; clients show it with an error.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");

/// The gateway: S3 on the wire, backed by leases.
#[derive(Clone)]
pub struct Gateway {
    /// The leases.
    pub leases: Arc<dyn Leases>,
    /// The clock for the end of leases. (`s3s` checks the time of a signature against the machine's clock.)
    pub clock: Arc<dyn Clock>,
    /// For request ids.
    pub random: Arc<dyn Random>,
    /// The region in answers to clients.
    pub region: Region,
    /// The limits of the listener.
    pub limits: Limits,
}

impl Gateway {
    /// Serves leases until `shutdown` is cancelled, then waits for the answers in progress.
    ///
    /// # Errors
    /// If the listener has no address. Later errors are logged and close at most their own connection.
    pub async fn serve(self, listener: TcpListener, shutdown: CancellationToken) -> io::Result<()> {
        let access = Access { leases: self.leases, clock: self.clock };
        let mut builder = S3ServiceBuilder::new(Lake { access: access.clone(), region: self.region });
        builder.set_auth(access.clone());
        builder.set_access(access);
        let (service, request_timeout) = (builder.build(), self.limits.request_timeout);
        let server = Server { service, request_timeout, random: self.random };
        let server = Arc::new(server);

        tracing::info!(address = %listener.local_addr()?, "gateway listening");
        let answer = move |request| handle(Arc::clone(&server), request);
        connections::serve(listener, self.limits, |path| path == HEALTH, shutdown, answer).await;
        Ok(())
    }
}

struct Server {
    service: S3Service,
    request_timeout: Duration,
    random: Arc<dyn Random>,
}

/// Answers one request and logs it.
async fn handle(server: Arc<Server>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let is_health = request.uri().path() == HEALTH && matches!(*request.method(), Method::GET | Method::HEAD);
    let log_name = if is_health { HEALTH } else { LOG_NAME };
    let line = LogLine::begin(server.random.as_ref(), request.method(), log_name);
    if let Some(lease_id) = guard::claimed_lease(request.headers()) {
        let _ = line.info().notes.lease_id.set(lease_id);
    }
    let mut response = match is_health {
        true => healthy(),
        false => answer(&server.service, request, server.request_timeout).await,
    };
    let headers = response.headers_mut();
    forbid_caching_and_sniffing(headers);
    headers.extend(line.id_header(REQUEST_ID));
    line.end(&response);
    Ok(response)
}

async fn answer(service: &S3Service, request: Request<Incoming>, request_timeout: Duration) -> Response<Body> {
    let (head, body) = request.into_parts();
    if let Err(refused) = guard::check(&head, !body.is_end_stream()) {
        if !head.headers.contains_key(EXPECT) {
            // The answer is the same whether or not all of it arrives.
            let _ = tokio::time::timeout(request_timeout, drain(body)).await;
        }
        return refusal(refused);
    }
    match service.call(Request::from_parts(head, Body::empty())).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(?error, "cannot answer a request");
            bare_failure()
        }
    }
}

/// The answer of the API's `/health`.
fn healthy() -> Response<Body> {
    let mut response = Response::new(Body::from("{\"status\":\"ok\"}".to_owned()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn refusal(refused: S3Error) -> Response<Body> {
    refused.to_http_response().unwrap_or_else(|_| bare_failure())
}

fn bare_failure() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// Reads the body of a refused request up to a limit: a client whose connection closes while it writes never sees the
/// answer.
async fn drain(mut body: Incoming) {
    let mut left = MAX_REFUSED_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, bytes::Bytes::len);
        let Some(less) = left.checked_sub(length) else { return };
        left = less;
    }
}
