//! Connections: limits, and a graceful shutdown.

use std::time::Duration;

use http_base::connections::Limits;
use http_base::connections::peer::Proxies;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{HUGE_BYTES, LEASE, TestServer, object, read_answer, read_head};

#[tokio::test]
async fn an_incomplete_head_times_out() {
    let limits = Limits { request_timeout: Duration::from_millis(50), ..Limits::default() };
    let server = TestServer::with_limits(limits).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /lake HTTP/1.1\r\nhost: h").await.unwrap();
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
    assert!(closed.is_ok(), "the connection is still open");
}

#[tokio::test]
async fn connections_over_the_limit_wait() {
    let server = TestServer::with_limits(Limits { connections: 1, ..Limits::default() }).await;
    let request = server.signer(LEASE).sign("GET", &object("a.parquet")).bytes();
    let (first_half, second_half) = request.split_at(20);
    let mut first = server.connect().await;
    first.write_all(first_half).await.unwrap();
    let mut second = server.connect().await;
    second.write_all(&request).await.unwrap();
    let mut byte = [0];
    let early = tokio::time::timeout(Duration::from_millis(200), second.read(&mut byte)).await;
    assert!(early.is_err(), "answered while the first connection is open");
    first.write_all(second_half).await.unwrap();
    assert_eq!(read_answer(&mut first).await.status, 200);
    assert_eq!(read_answer(&mut second).await.status, 200);
}

#[tokio::test]
async fn the_longest_idle_connection_closes_for_a_new_one() {
    let server = TestServer::with_limits(Limits { connections: 2, ..Limits::default() }).await;
    let mut oldest = server.connect().await;
    let mut newer = server.connect().await;
    // The request waits for the end of the grace, in which a client may send its own.
    assert_eq!(server.ask("GET", &object("a.parquet")).await.status, 200);
    assert!(is_closed(&mut oldest).await, "the longest idle connection is still open");
    newer.write_all(&server.signer(LEASE).sign("GET", &object("a.parquet")).bytes()).await.unwrap();
    assert_eq!(read_answer(&mut newer).await.status, 200, "the other one was closed, too");
}

#[tokio::test]
async fn a_connection_with_a_request_in_progress_does_not_close_for_a_new_one() {
    let server = TestServer::with_limits(Limits { connections: 2, ..Limits::default() }).await;
    let huge = server.signer(LEASE).sign("GET", &object("huge.bin")).bytes();
    let mut busy = server.connect().await;
    busy.write_all(&huge).await.unwrap();
    read_head(&mut busy).await;
    // A younger idle connection closes at the end of its grace: that of the busy one is over by then, too.
    let mut idle = server.connect().await;
    assert_eq!(server.ask("GET", &object("a.parquet")).await.status, 200);
    assert!(is_closed(&mut idle).await);

    let mut other = server.connect().await;
    other.write_all(&huge).await.unwrap();
    read_head(&mut other).await;
    let target = object("a.parquet");
    let mut rest = Vec::new();
    let (answer, read) = tokio::join!(server.ask("GET", &target), busy.read_to_end(&mut rest));
    assert_eq!((answer.status, u64::try_from(read.unwrap()).unwrap()), (200, HUGE_BYTES));
}

#[tokio::test]
async fn an_address_has_a_share_of_the_connections() {
    let limits = Limits { connections_per_address: Some(2), ..Limits::default() };
    let server = TestServer::with_limits(limits).await;
    let mut oldest = server.connect().await;
    let _newer = server.connect().await;
    let mut refused = server.connect().await;
    assert_eq!(read_answer(&mut refused).await.status, 429);
    // Its own longest idle connection closes for its new one, but not within the grace.
    let admitted = async {
        loop {
            match server.ask("GET", &object("a.parquet")).await.status {
                429 => tokio::time::sleep(Duration::from_millis(10)).await,
                status => return status,
            }
        }
    };
    assert_eq!(tokio::time::timeout(Duration::from_secs(10), admitted).await.expect("no place becomes free"), 200);
    assert!(is_closed(&mut oldest).await);
}

#[tokio::test]
async fn loopback_and_proxies_have_no_share_by_default() {
    let proxies = Proxies::new(&[server_address()]);
    for limits in [
        Limits { connections: 4, ..Limits::default() },
        Limits { connections: 4, connections_per_address: Some(1), proxies, ..Limits::default() },
    ] {
        let server = TestServer::with_limits(limits).await;
        let _others = [server.connect().await, server.connect().await, server.connect().await];
        assert_eq!(server.ask("GET", &object("a.parquet")).await.status, 200);
    }
}

#[tokio::test]
async fn health_is_answered_from_a_reserve() {
    let limits = Limits { connections: 1, reserve: 2, ..Limits::default() };
    let server = TestServer::with_limits(limits).await;
    let mut busy = server.connect().await;
    busy.write_all(&server.signer(LEASE).sign("GET", &object("huge.bin")).bytes()).await.unwrap();
    read_head(&mut busy).await;
    let mut waiting = Vec::new();
    for is_idle in [false, false, true, true, false, true] {
        let mut stream = server.connect().await;
        if !is_idle {
            stream.write_all(&server.signer(LEASE).sign("GET", &object("a.parquet")).bytes()).await.unwrap();
        }
        waiting.push(stream);
    }
    for _ in 0..3 {
        let mut stream = server.connect().await;
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").await.unwrap();
        let answer = read_answer(&mut stream).await;
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"{\"status\":\"ok\"}".as_slice()));
    }
}

#[tokio::test]
async fn the_reserve_closes_its_longest_idle_connection_before_a_request_that_waits() {
    let server = TestServer::with_limits(Limits { connections: 1, reserve: 3, ..Limits::default() }).await;
    let request = server.signer(LEASE).sign("GET", &object("a.parquet")).bytes();
    let mut busy = server.connect().await;
    busy.write_all(&server.signer(LEASE).sign("GET", &object("huge.bin")).bytes()).await.unwrap();
    read_head(&mut busy).await;
    let mut waiting = server.connect().await;
    waiting.write_all(&request).await.unwrap();
    // Until its request has arrived, it is as idle as the others.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut oldest = server.connect().await;
    let mut newer = server.connect().await;
    let _beyond = server.connect().await;
    assert!(is_closed(&mut oldest).await);
    drop(busy);
    assert_eq!(read_answer(&mut waiting).await.status, 200);
    newer.write_all(&request).await.unwrap();
    assert_eq!(read_answer(&mut newer).await.status, 200);
}

#[tokio::test]
async fn a_request_waits_for_a_connection_for_a_limited_time() {
    let limits = Limits { connections: 1, request_timeout: Duration::from_millis(50), ..Limits::default() };
    let server = TestServer::with_limits(limits).await;
    let mut busy = server.connect().await;
    busy.write_all(&server.signer(LEASE).sign("GET", &object("huge.bin")).bytes()).await.unwrap();
    read_head(&mut busy).await;
    let mut waiting = server.connect().await;
    waiting.write_all(&server.signer(LEASE).sign("GET", &object("a.parquet")).bytes()).await.unwrap();
    assert!(is_closed(&mut waiting).await);
}

#[tokio::test]
async fn a_request_waits_longer_than_connections_stay_idle() {
    let request_timeout = Duration::from_millis(900);
    let limits = Limits { connections: 1, request_timeout, ..Limits::default() };
    let server = TestServer::with_limits(limits).await;
    let request = server.signer(LEASE).sign("GET", &object("a.parquet")).bytes();
    let mut first = server.connect().await;
    let mut waiting = server.connect().await;
    waiting.write_all(&request).await.unwrap();
    // The first connection is idle again when half of the other's time is over, and stays so for the whole time limit.
    tokio::time::sleep(request_timeout / 2).await;
    let kept_alive = server.signer(LEASE).sign("HEAD", &object("a.parquet")).kept_alive();
    first.write_all(&kept_alive.bytes()).await.unwrap();
    assert!(read_head(&mut first).await.starts_with(b"HTTP/1.1 200"));
    assert_eq!(read_answer(&mut waiting).await.status, 200);
}

fn server_address() -> std::net::IpAddr {
    std::net::Ipv4Addr::LOCALHOST.into()
}

/// Whether the server closes a connection without an answer.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_u8()).await;
    read.expect("the connection is still open").is_err()
}

#[tokio::test]
async fn an_unread_response_times_out() {
    let limits = Limits { connections: 1, read_timeout: Duration::from_millis(50), ..Limits::default() };
    let server = TestServer::with_limits(limits).await;
    let mut stream = server.connect().await;
    stream.write_all(&server.signer(LEASE).sign("GET", &object("huge.bin")).bytes()).await.unwrap();
    read_head(&mut stream).await;
    assert_eq!(server.ask("GET", &object("a.parquet")).await.status, 200, "the only connection is free again");
}

#[tokio::test]
async fn an_oversized_head_is_refused() {
    let server = TestServer::start().await;
    let request = server.signer(LEASE).sign("GET", &object("a.parquet")).header("x-long", &"x".repeat(100_000));
    assert_eq!(server.send(&request).await.status, 431);
}

#[tokio::test]
async fn contradictory_lengths_are_refused() {
    let server = TestServer::start().await;
    let request = server.signer(LEASE).sign("GET", &object("a.parquet"));
    let both = request.header("content-length", "0").header("transfer-encoding", "chunked");
    assert_eq!(server.send(&both.raw_body(b"0\r\n\r\n")).await.status, 400);
}

#[tokio::test]
async fn a_refused_body_is_drained_so_that_the_client_sees_the_reason() {
    let server = TestServer::start().await;
    let put = server.signer(LEASE).sign("PUT", &object("a.parquet")).body(&vec![0; 7 << 20]);
    let mut stream = server.connect().await;
    stream.write_all(&put.bytes()).await.expect("the connection was closed before all was sent");
    assert_eq!(read_answer(&mut stream).await.status, 403);
}

#[tokio::test]
async fn a_refused_body_is_drained_up_to_a_limit() {
    let server = TestServer::start().await;
    let put = server.signer(LEASE).sign("PUT", &object("a.parquet")).header("content-length", &(256 << 20).to_string());
    let mut stream = server.connect().await;
    stream.write_all(&put.bytes()).await.unwrap();
    let mut n_taken = 0;
    while n_taken < 256 && stream.write_all(&vec![0; 1 << 20]).await.is_ok() {
        n_taken += 1;
    }
    assert!(n_taken < 64, "{n_taken} MiB were taken");
}

#[tokio::test]
async fn a_refused_body_that_never_arrives_times_out() {
    let limits = Limits { request_timeout: Duration::from_millis(50), ..Limits::default() };
    let server = TestServer::with_limits(limits).await;
    let put = server.signer(LEASE).sign("PUT", &object("a.parquet")).header("content-length", "10");
    assert_eq!(server.send(&put).await.status, 403);
    let get = server.signer(LEASE).sign("GET", &object("a.parquet")).header("transfer-encoding", "chunked");
    assert_eq!(server.send(&get).await.status, 400);
}

#[tokio::test]
async fn shutdown_waits_for_responses_in_progress() {
    let mut server = TestServer::start().await;
    let mut stream = server.connect().await;
    stream.write_all(&server.signer(LEASE).sign("GET", &object("huge.bin")).bytes()).await.unwrap();
    read_head(&mut stream).await;
    server.shutdown.cancel();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(u64::try_from(rest.len()).unwrap(), HUGE_BYTES);
    server.serving.take().unwrap().await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn an_unread_response_does_not_block_shutdown() {
    let limits = Limits { shutdown_timeout: Duration::from_millis(50), ..Limits::default() };
    let mut server = TestServer::with_limits(limits).await;
    let mut stream = server.connect().await;
    stream.write_all(&server.signer(LEASE).sign("GET", &object("huge.bin")).bytes()).await.unwrap();
    read_head(&mut stream).await;
    server.shutdown.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(10), server.serving.take().unwrap()).await;
    ended.expect("the gateway does not end").unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let server = TestServer::start().await;
    let mut stream = server.connect().await;
    let request = server.signer(LEASE).sign("GET", &object("nested/b.parquet")).bytes();
    let text = String::from_utf8(request).unwrap();
    let kept = text.replace("connection: close\r\n", "");
    for _ in 0..3 {
        stream.write_all(kept.as_bytes()).await.unwrap();
        read_head(&mut stream).await;
        assert_eq!(stream.read_u8().await.unwrap(), b'b');
    }
}
