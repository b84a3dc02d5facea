//! Connections: accepting, limits, and an orderly end. HTTP/1.1 only: a server that first waits to be told which version
//! is spoken can be kept waiting.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::stall::Unstalled;

/// The most bytes of a request's head.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// How long a connection that could not be accepted is waited for; it fails when the process has no handles left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the clients of one listener may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; further ones wait in the backlog. Default 256: each of the gateway's may
    /// hold two chunks of 1 MiB.
    pub connections: usize,
    /// How long a client may take to send a request's head, and be silent between two. Default 30 s.
    pub request_timeout: Duration,
    /// How long a client may leave an answer under way unread. Default 5 min.
    pub read_timeout: Duration,
    /// How long answers under way may take to end after a shutdown was asked for. Default 30 s.
    pub shutdown_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            request_timeout: Duration::from_secs(30),
            read_timeout: Duration::from_secs(300),
            shutdown_timeout: Duration::from_secs(30),
        }
    }
}

/// Serves a listener until `shutdown` is cancelled; then lets answers under way end, and returns.
///
/// # Errors
/// If the listener is not one. What fails later is logged, and ends at most its own connection.
pub async fn serve<F, A, B>(
    listener: TcpListener,
    limits: Limits,
    shutdown: CancellationToken,
    answer: F,
) -> io::Result<()>
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let slots = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    while let Some(Ok(slot)) = shutdown.run_until_cancelled(Arc::clone(&slots).acquire_owned()).await {
        let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await else { break };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::error!(%error, "a connection cannot be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let connection = graceful.watch(connection(stream, limits, answer.clone()));
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended early");
            }
            drop(slot);
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    if tokio::time::timeout(limits.shutdown_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("answers were cut short by the shutdown");
    }
    connections.shutdown().await;
    Ok(())
}

fn connection<F, A, B>(
    stream: TcpStream,
    Limits { request_timeout, read_timeout, .. }: Limits,
    answer: F,
) -> impl GracefulConnection<Error = hyper::Error> + Send
where
    F: Fn(Request<Incoming>) -> A + Send + 'static,
    A: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "answers may be delayed");
    }
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(request_timeout)
        .max_header_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(Unstalled::new(stream, read_timeout)), service_fn(answer))
}
