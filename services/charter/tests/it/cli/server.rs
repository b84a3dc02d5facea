//! A server that returns canned answers in order and records the requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use super::{Run, command, run};

/// The server. Its thread ends with the test.
pub(crate) struct CannedServer {
    address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// A recorded request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) authorization: Option<String>,
    pub(crate) document: String,
    pub(crate) variables: Value,
}

/// The reaction to one request.
enum Reaction {
    Answer(u16, Value),
    CloseConnection,
}

impl CannedServer {
    /// Returns these answers in order, then closes every connection.
    pub(crate) fn answering(answers: impl IntoIterator<Item = Value>) -> Self {
        Self::start(answers.into_iter().map(|answer| Reaction::Answer(200, answer)).collect())
    }

    /// Returns one answer with an HTTP status.
    pub(crate) fn with_status(status: u16, answer: Value) -> Self {
        Self::start(vec![Reaction::Answer(status, answer)])
    }

    /// Closes the first connection after reading the request, and answers the second.
    pub(crate) fn losing_the_first(answer: Value) -> Self {
        Self::start(vec![Reaction::CloseConnection, Reaction::Answer(200, answer)])
    }

    /// An address without a listener.
    pub(crate) fn unused_address() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The requests received so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Runs the program against this server.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.run_with_stdin(args, "")
    }

    /// Runs the program against this server with standard input.
    pub(crate) fn run_with_stdin(&self, args: &[&str], stdin: &str) -> Run {
        let mut command = command(args);
        command.env("CHARTER_SERVER", &self.address);
        run(command, stdin)
    }

    fn start(reactions: Vec<Reaction>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&requests);
        thread::spawn(move || {
            let mut reactions = reactions.into_iter();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                if let Some(request) = read(&stream) {
                    recorded.lock().unwrap().push(request);
                }
                if let Some(Reaction::Answer(status, body)) = reactions.next() {
                    answer(&mut stream, status, &body);
                }
            }
        });
        Self { address, requests }
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    assert_eq!(line, "POST /graphql HTTP/1.1\r\n");
    let (mut authorization, mut n_bytes) = (None, 0);
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => authorization = Some(value.to_owned()),
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => n_bytes = value.parse().ok()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; n_bytes];
    reader.read_exact(&mut body).ok()?;
    let body: Value = serde_json::from_slice(&body).ok()?;
    let document = body["query"].as_str()?.to_owned();
    Some(Request { authorization, document, variables: body["variables"].clone() })
}

fn answer(stream: &mut TcpStream, status: u16, body: &Value) {
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} canned\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // The program may have closed the connection, which its test checks.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}
