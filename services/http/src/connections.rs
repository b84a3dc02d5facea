//! Connections: accepting them, their limits, and a graceful shutdown. HTTP/1.1 only: a server that waits for the client to
//! choose a version can be kept waiting.
//!
//! Connections are always accepted. Up to a limit each has a *slot*; where none is free, the longest idle connection closes
//! for the new one. If none is idle, the new one is in the *reserve*: a health request is answered at once, any other waits
//! for a slot. The reserve is small, and its longest idle connection closes for a new one. An address has a share of the
//! connections, so that one client cannot take the slots of all.

pub mod peer;
pub mod table;

use std::convert::Infallible;
use std::error::Error;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::{Request, Response};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::peer::{Peer, Proxies};
use self::table::Table;
use crate::stall::Unstalled;

/// The size limit of a request's head, and of a connection's buffer.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// The pause after a failed `accept`, which fails while the process has no file handles left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The pause before a request that waits for a slot closes another idle connection: the last one takes a moment to end.
const CLOSE_PAUSE: Duration = Duration::from_millis(50);
/// The answer to a connection beyond the share of its address.
const BEYOND_SHARE: &[u8] =
    b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// The limits of one listener.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Concurrent connections. Default 256: each of the gateway's may hold two chunks of 1 MiB.
    pub connections: usize,
    /// Concurrent connections of one address, other than that of a proxy. By default a quarter of all, and no limit for
    /// loopback addresses, which all clients on the machine share.
    pub connections_per_address: Option<usize>,
    /// Further connections, for health requests and for requests that wait. Default 32.
    pub reserve: usize,
    /// The proxies in front of the listener.
    pub proxies: Proxies,
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
            connections_per_address: None,
            reserve: 32,
            proxies: Proxies::default(),
            request_timeout: Duration::from_secs(30),
            read_timeout: Duration::from_secs(300),
            shutdown_timeout: Duration::from_secs(30),
        }
    }
}

/// Serves a listener until `shutdown` is cancelled, then waits for the answers in progress. A failed connection is logged
/// and affects no other. `is_health` tells the paths that the reserve answers.
pub async fn serve<F, A, B>(
    listener: TcpListener,
    limits: Limits,
    is_health: fn(&str) -> bool,
    shutdown: CancellationToken,
    answer: F,
) where
    F: Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
    B: Body + Unpin + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let server =
        Arc::new(Server { slots: Arc::new(Semaphore::new(limits.connections)), table: Table::new(limits), is_health });
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::error!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(opened) = server.admit(peer.ip()) else {
            // As much as can be said without waiting for the client.
            let _ = stream.try_write(BEYOND_SHARE);
            continue;
        };
        let opened = Arc::new(opened);
        let connection = graceful.watch(connection(stream, &opened, answer.clone()));
        connections.spawn(async move {
            if let Some(Err(error)) = opened.close.run_until_cancelled(connection).await {
                tracing::debug!(%error, "connection closed early");
            }
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    if tokio::time::timeout(server.table.limits().shutdown_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!("shutdown timeout: answers in progress were cut short");
    }
    connections.shutdown().await;
}

fn connection<F, A, B>(
    stream: TcpStream,
    opened: &Arc<Opened>,
    answer: F,
) -> impl GracefulConnection<Error = hyper::Error> + Send + use<F, A, B>
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
    B: Body + Unpin + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let Limits { request_timeout, read_timeout, .. } = *opened.server.table.limits();
    let opened = Arc::clone(opened);
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (opened, answer) = (Arc::clone(&opened), answer.clone());
        async move {
            let peer = opened.peer;
            let busy = opened.begin(request.uri().path()).await;
            request.extensions_mut().insert(Peer(peer));
            let response = answer(request).await?;
            Ok::<_, Infallible>(response.map(|body| Held { body, _busy: busy }))
        }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(request_timeout)
        .max_header_size(MAX_HEAD_BYTES)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(Unstalled::new(stream, read_timeout)), service)
}

/// What the connections of a listener share.
struct Server {
    slots: Arc<Semaphore>,
    table: Table,
    is_health: fn(&str) -> bool,
}

impl Server {
    /// Admits a connection; `None` if its address has its share.
    fn admit(self: &Arc<Self>, peer: IpAddr) -> Option<Opened> {
        let slot = Arc::clone(&self.slots).try_acquire_owned().ok();
        let (id, close) = self.table.admit(peer, slot.is_some(), Instant::now())?;
        Some(Opened { server: Arc::clone(self), id, peer, close, slot: Mutex::new(slot) })
    }

    /// Closes an idle connection at intervals. It never returns.
    async fn keep_closing_idle(&self) {
        loop {
            tokio::time::sleep(CLOSE_PAUSE).await;
            self.table.close_idle(Instant::now());
        }
    }
}

/// An open connection.
struct Opened {
    server: Arc<Server>,
    id: u64,
    peer: IpAddr,
    close: CancellationToken,
    slot: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Opened {
    /// Begins a request, once the connection has a slot if it needs one. Never returns if the connection has to close: that
    /// drops this future with it.
    async fn begin(self: Arc<Self>, path: &str) -> Busy {
        let is_open = self.server.table.begin(self.id);
        if is_open && ((self.server.is_health)(path) || self.has_slot() || self.wait_for_slot().await) {
            return Busy(self);
        }
        self.close.cancel();
        std::future::pending().await
    }

    fn has_slot(&self) -> bool {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Waits for a slot, and closes idle connections meanwhile; `false` after the time limit, which is longer than that
    /// of the connections that are idle now.
    async fn wait_for_slot(&self) -> bool {
        let slot = Arc::clone(&self.server.slots).acquire_owned();
        let slot = tokio::select! {
            Ok(slot) = slot => slot,
            () = self.server.keep_closing_idle() => return false,
            () = tokio::time::sleep(2 * self.server.table.limits().request_timeout) => return false,
        };
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(slot);
        self.server.table.has_slot(self.id);
        true
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.server.table.remove(self.id);
    }
}

/// A request in progress.
struct Busy(Arc<Opened>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.server.table.end(self.0.id, Instant::now());
    }
}

/// The body of an answer. The request is in progress until all of it is written.
struct Held<B> {
    body: B,
    _busy: Busy,
}

impl<B: Body + Unpin> Body for Held<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
