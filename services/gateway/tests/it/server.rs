//! Connections: limits, and an orderly end.

use std::time::Duration;

use gateway::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{HUGE_BYTES, House, LEASE, object, read_answer, read_head};

#[tokio::test]
async fn half_a_head_is_not_waited_for() {
    let limits = Limits { request_timeout: Duration::from_millis(50), ..Limits::default() };
    let house = House::with_limits(limits).await;
    let mut stream = house.connect().await;
    stream.write_all(b"GET /lake HTTP/1.1\r\nhost: h").await.unwrap();
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
    assert!(closed.is_ok(), "the connection is still open");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait() {
    let house = House::with_limits(Limits { connections: 1, ..Limits::default() }).await;
    let request = house.signer(LEASE).sign("GET", &object("a.parquet")).bytes();
    let (first_half, second_half) = request.split_at(20);
    let mut first = house.connect().await;
    first.write_all(first_half).await.unwrap();
    let mut second = house.connect().await;
    second.write_all(&request).await.unwrap();
    let mut byte = [0];
    let early = tokio::time::timeout(Duration::from_millis(200), second.read(&mut byte)).await;
    assert!(early.is_err(), "answered beside the first connection");
    first.write_all(second_half).await.unwrap();
    assert_eq!(read_answer(&mut first).await.status, 200);
    assert_eq!(read_answer(&mut second).await.status, 200);
}

#[tokio::test]
async fn an_answer_nobody_reads_is_given_up() {
    let limits = Limits { connections: 1, read_timeout: Duration::from_millis(50), ..Limits::default() };
    let house = House::with_limits(limits).await;
    let mut stream = house.connect().await;
    stream.write_all(&house.signer(LEASE).sign("GET", &object("huge.bin")).bytes()).await.unwrap();
    read_head(&mut stream).await;
    assert_eq!(house.ask("GET", &object("a.parquet")).await.status, 200, "the only connection is free again");
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let house = House::open().await;
    let request = house.signer(LEASE).sign("GET", &object("a.parquet")).header("x-long", &"x".repeat(100_000));
    assert_eq!(house.send(&request).await.status, 431);
}

#[tokio::test]
async fn contradictory_lengths_are_refused() {
    let house = House::open().await;
    let request = house.signer(LEASE).sign("GET", &object("a.parquet"));
    let both = request.header("content-length", "0").header("transfer-encoding", "chunked");
    assert_eq!(house.send(&both.raw_body(b"0\r\n\r\n")).await.status, 400);
}

#[tokio::test]
async fn a_refused_body_is_read_so_that_its_client_sees_why() {
    let house = House::open().await;
    let put = house.signer(LEASE).sign("PUT", &object("a.parquet")).body(&vec![0; 7 << 20]);
    let mut stream = house.connect().await;
    stream.write_all(&put.bytes()).await.expect("the connection was closed before all was sent");
    assert_eq!(read_answer(&mut stream).await.status, 403);
}

#[tokio::test]
async fn a_refused_body_that_never_comes_is_not_waited_for() {
    let limits = Limits { request_timeout: Duration::from_millis(50), ..Limits::default() };
    let house = House::with_limits(limits).await;
    let put = house.signer(LEASE).sign("PUT", &object("a.parquet")).header("content-length", "10");
    assert_eq!(house.send(&put).await.status, 403);
    let get = house.signer(LEASE).sign("GET", &object("a.parquet")).header("transfer-encoding", "chunked");
    assert_eq!(house.send(&get).await.status, 400);
}

#[tokio::test]
async fn answers_under_way_end_before_the_gateway_does() {
    let mut house = House::open().await;
    let mut stream = house.connect().await;
    stream.write_all(&house.signer(LEASE).sign("GET", &object("huge.bin")).bytes()).await.unwrap();
    read_head(&mut stream).await;
    house.shutdown.cancel();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(u64::try_from(rest.len()).unwrap(), HUGE_BYTES);
    house.serving.take().unwrap().await.unwrap().unwrap();
    assert!(TcpStream::connect(house.address).await.is_err());
}

#[tokio::test]
async fn an_answer_nobody_reads_does_not_hold_the_gateway_up() {
    let limits = Limits { shutdown_timeout: Duration::from_millis(50), ..Limits::default() };
    let mut house = House::with_limits(limits).await;
    let mut stream = house.connect().await;
    stream.write_all(&house.signer(LEASE).sign("GET", &object("huge.bin")).bytes()).await.unwrap();
    read_head(&mut stream).await;
    house.shutdown.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(10), house.serving.take().unwrap()).await;
    ended.expect("the gateway does not end").unwrap().unwrap();
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let house = House::open().await;
    let mut stream = house.connect().await;
    let request = house.signer(LEASE).sign("GET", &object("nested/b.parquet")).bytes();
    let text = String::from_utf8(request).unwrap();
    let kept = text.replace("connection: close\r\n", "");
    for _ in 0..3 {
        stream.write_all(kept.as_bytes()).await.unwrap();
        read_head(&mut stream).await;
        assert_eq!(stream.read_u8().await.unwrap(), b'b');
    }
}
