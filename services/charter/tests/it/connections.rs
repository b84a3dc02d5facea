//! Idle and slow clients cannot block others by holding connections.

#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::test_server::TestServer;

const CONFIG: &str = "[http]\nconnections = 8\nheader_timeout = 1\n
[gateway]\nconnections = 8\nheader_timeout = 1\n
[inspect]\npoll = 3600\n";
/// Long enough for all idle connections to time out, eight at a time.
const DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn idle_and_slow_clients_do_not_block_others() {
    let server = TestServer::start(CONFIG);
    for (address, path) in [(&server.address, "/health"), (&server.gateway, "/lake")] {
        let address = address.strip_prefix("http://").unwrap();
        let idle: Vec<TcpStream> = (0..24).map(|_| TcpStream::connect(address).unwrap()).collect();
        let slow: Vec<_> = (0..8).map(|_| send_slowly(TcpStream::connect(address).unwrap())).collect();

        let mut client = TcpStream::connect(address).unwrap();
        client.set_read_timeout(Some(DEADLINE)).unwrap();
        write!(client, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        let expected = if path == "/health" { "HTTP/1.1 200" } else { "HTTP/1.1 403" };
        assert!(answer.starts_with(expected), "{address}{path}: {answer}");

        for client in slow {
            assert!(client.join().unwrap(), "{address}: a request head without an end did not time out");
        }
        drop(idle);
    }
}

/// Sends a request head byte by byte without an end; returns whether the server closes the connection in time.
fn send_slowly(mut stream: TcpStream) -> std::thread::JoinHandle<bool> {
    std::thread::spawn(move || {
        let began = Instant::now();
        stream.write_all(b"GET /health HTTP/1.1\r\nx-slow: ").unwrap();
        while began.elapsed() < DEADLINE {
            if stream.write_all(b"a").is_err() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    })
}
