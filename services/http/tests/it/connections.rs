//! A listener's connections, on real sockets. Those of `gateway_it` have the limits and time limits.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, mpsc as blocking};
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use http_base::connections::{self, Limits};
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

/// As long as a test waits for what has to happen.
const SOON: Duration = Duration::from_secs(20);

/// A request that has begun. It is answered when `answer` is dropped.
struct Asked {
    path: String,
    answer: oneshot::Sender<()>,
}

struct Server {
    address: SocketAddr,
    asked: mpsc::UnboundedReceiver<Asked>,
    _stop: DropGuard,
}

impl Server {
    /// A server whose requests are answered by the test. `on_path` runs before, and may block.
    async fn start(limits: Limits, on_path: impl Fn(&str) + Clone + Send + Sync + 'static) -> Self {
        let (ask, asked) = mpsc::unbounded_channel();
        let answer = move |request: Request<Incoming>| {
            let path = request.uri().path().to_owned();
            let (answer, answered) = oneshot::channel();
            ask.send(Asked { path: path.clone(), answer }).ok();
            on_path(&path);
            async move {
                let _ = answered.await;
                Ok::<_, Infallible>(Response::new(Body::from(path)))
            }
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let is_health = |path: &str| path.starts_with("/health");
        tokio::spawn(connections::serve(listener, limits, is_health, stop.clone(), answer));
        Self { address, asked, _stop: stop.drop_guard() }
    }

    /// Sends requests on a new connection of an address of this machine.
    async fn send_from(&self, last: u8, paths: &[&str]) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, last], 0).into()).unwrap();
        let mut stream = socket.connect(self.address).await.unwrap();
        let requests: String = paths.iter().map(|path| format!("GET {path} HTTP/1.1\r\nhost: h\r\n\r\n")).collect();
        stream.write_all(requests.as_bytes()).await.unwrap();
        stream
    }

    async fn send(&self, path: &str) -> TcpStream {
        self.send_from(1, &[path]).await
    }

    async fn begun(&mut self, path: &str) -> Asked {
        let asked = tokio::time::timeout(SOON, self.asked.recv()).await.expect("no request begins").unwrap();
        assert_eq!(asked.path, path);
        asked
    }
}

/// Reads the head of an answer; what arrived before the connection closed, if it is cut short.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let read = async {
        while !head.ends_with(b"\r\n\r\n")
            && let Ok(byte) = stream.read_u8().await
        {
            head.push(byte);
        }
    };
    tokio::time::timeout(SOON, read).await.expect("no answer");
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn a_connection_that_got_a_slot_is_not_cut_short_for_the_reserve() {
    let mut server = Server::start(Limits { connections: 1, reserve: 1, ..Limits::default() }, |_| {}).await;
    let first = server.send("/first").await;
    let in_progress = server.begun("/first").await;
    let mut second = server.send("/second").await;
    drop((in_progress, first));
    let in_progress = server.begun("/second").await;
    let _third = server.send("/health").await;
    server.begun("/health").await;
    drop(in_progress);
    assert!(head(&mut second).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_connection_whose_request_is_answered_is_idle_again() {
    let mut server = Server::start(Limits { connections: 1, ..Limits::default() }, |_| {}).await;
    let mut first = server.send("/first").await;
    drop(server.begun("/first").await);
    assert!(head(&mut first).await.starts_with("HTTP/1.1 200"));
    let _second = server.send("/second").await;
    server.begun("/second").await;
}

#[tokio::test]
async fn a_connection_that_has_ended_leaves_the_table() {
    let limits = Limits { connections: 1, connections_per_address: Some(1), ..Limits::default() };
    let mut server = Server::start(limits, |_| {}).await;
    let _first = server.send("/first").await;
    let _in_progress = server.begun("/first").await;
    let waiting = server.send_from(2, &["/second"]).await;
    // Until its request waits for a slot, it gives way to another one of its address.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(head(&mut server.send_from(2, &["/health"]).await).await.starts_with("HTTP/1.1 429"));
    drop(waiting);
    let admitted = async {
        let _next = loop {
            let mut next = server.send_from(2, &["/health"]).await;
            // A connection that is admitted has no answer yet.
            match tokio::time::timeout(Duration::from_millis(100), next.read_u8()).await {
                Ok(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                Err(_) => break next,
            }
        };
        server.begun("/health").await;
    };
    tokio::time::timeout(SOON, admitted).await.expect("it still counts for its address");
}

/// The client learns nothing of a request that begins while its connection closes: it has to be free to send it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_connection_that_is_closing_begins_no_request() {
    let (resume, resumed) = blocking::channel();
    let resumed = Arc::new(Mutex::new(resumed));
    let on_path = move |path: &str| {
        if path == "/health/blocks" {
            tokio::task::block_in_place(|| resumed.lock().unwrap().recv_timeout(SOON)).unwrap();
        }
    };
    let mut server = Server::start(Limits { connections: 1, reserve: 1, ..Limits::default() }, on_path).await;
    let _first = server.send("/first").await;
    let _in_progress = server.begun("/first").await;
    // The thread of this connection is held up, so that it learns late that it has to close.
    let mut closing = server.send_from(1, &["/health/blocks", "/health/second"]).await;
    drop(server.begun("/health/blocks").await.answer);
    let _other = server.send("/health/other").await;
    let _other_in_progress = server.begun("/health/other").await;
    resume.send(()).unwrap();
    tokio::time::timeout(SOON, closing.read_to_end(&mut Vec::new())).await.expect("it is still open").ok();
    assert_eq!(server.asked.try_recv().map(|asked| asked.path).ok(), None);
}

#[tokio::test]
async fn a_client_that_reads_slowly_but_steadily_gets_all_of_an_answer() {
    const SIZE: usize = 64 << 20;
    let limits = Limits { read_timeout: Duration::from_millis(1_500), ..Limits::default() };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let _stop = stop.clone().drop_guard();
    let answer = |_| async { Ok::<_, Infallible>(Response::new(Body::from(vec![0; SIZE]))) };
    tokio::spawn(connections::serve(listener, limits, |_| false, stop, answer));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").await.unwrap();
    assert!(head(&mut stream).await.starts_with("HTTP/1.1 200"));
    let mut part = vec![0; 2 << 20];
    for n_read in 0..SIZE / part.len() {
        let read = stream.read_exact(&mut part).await;
        assert!(read.is_ok(), "cut short after {} MiB", 2 * n_read);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
