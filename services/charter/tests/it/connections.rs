//! Clients that hold connections and say nothing, or next to nothing, keep nobody else waiting for long.

#![expect(clippy::unwrap_used, reason = "a helper of tests ends the test")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::house::House;

const CONFIG: &str = "[http]\nconnections = 8\nheader_timeout = 1\n
[gateway]\nconnections = 8\nheader_timeout = 1\n
[inspect]\npoll = 3600\n";
/// Long enough for the connections that are in line to be given up, eight at a time.
const DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn silent_and_dribbling_clients_do_not_shut_others_out() {
    let house = House::start(CONFIG);
    for (address, path) in [(&house.address, "/health"), (&house.gateway, "/lake")] {
        let address = address.strip_prefix("http://").unwrap();
        let silent: Vec<TcpStream> = (0..24).map(|_| TcpStream::connect(address).unwrap()).collect();
        let dribbling: Vec<_> = (0..8).map(|_| dribble(TcpStream::connect(address).unwrap())).collect();

        let mut client = TcpStream::connect(address).unwrap();
        client.set_read_timeout(Some(DEADLINE)).unwrap();
        write!(client, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        let expected = if path == "/health" { "HTTP/1.1 200" } else { "HTTP/1.1 403" };
        assert!(answer.starts_with(expected), "{address}{path}: {answer}");

        for client in dribbling {
            assert!(client.join().unwrap(), "{address}: a head that never ended was waited for");
        }
        drop(silent);
    }
}

/// Sends a head byte by byte without an end; whether the connection is closed on it in time.
fn dribble(mut stream: TcpStream) -> std::thread::JoinHandle<bool> {
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
