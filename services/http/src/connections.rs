//! Connections: accepting them, their limits, and a graceful shutdown. HTTP/1.1 only: a server that waits for the client to
//! choose a version can be kept waiting.

use std::convert::Infallible;
use std::error::Error;
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

/// The size limit of a request's head.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// The pause after a failed `accept`, which fails while the process has no file handles left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The limits of one listener.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Concurrent connections; further ones wait in the backlog. Default 256: each of the gateway's may hold two chunks
    /// of 1 MiB.
    pub connections: usize,
    /// The time limit for the head of a request, which is also the limit of an idle connection. Default 30 s.
    pub request_timeout: Duration,
    /// How long a client may stop reading an answer. Default 5 min.
    pub read_timeout: Duration,
    /// The time limit for answers in progress at a shutdown. Default 30 s.
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

/// Serves a listener until `shutdown` is cancelled, then waits for the answers in progress. A failed connection is logged
/// and affects no other.
pub async fn serve<F, A, B>(listener: TcpListener, limits: Limits, shutdown: CancellationToken, answer: F)
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
                tracing::error!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let connection = graceful.watch(connection(stream, limits, answer.clone()));
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection closed early");
            }
            drop(slot);
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    if tokio::time::timeout(limits.shutdown_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("shutdown timeout: answers in progress were cut short");
    }
    connections.shutdown().await;
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
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(request_timeout)
        .max_header_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(Unstalled::new(stream, read_timeout)), service_fn(answer))
}
