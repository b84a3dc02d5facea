//! A server that gives canned answers in order and keeps what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use super::{Run, command, run};

/// The server. Its thread ends with the test.
pub(crate) struct Server {
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// One request that came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) authorization: Option<String>,
    pub(crate) document: String,
    pub(crate) variables: Value,
}

/// What is done with one request.
enum Turn {
    Answer(u16, Value),
    Lose,
}

impl Server {
    /// Gives these answers in order, then loses every connection.
    pub(crate) fn answering(answers: impl IntoIterator<Item = Value>) -> Self {
        Self::taking(answers.into_iter().map(|answer| Turn::Answer(200, answer)).collect())
    }

    /// Gives one answer with an HTTP status.
    pub(crate) fn with_status(status: u16, answer: Value) -> Self {
        Self::taking(vec![Turn::Answer(status, answer)])
    }

    /// Closes the first connection when it has read the request, and answers the second.
    pub(crate) fn losing_the_first(answer: Value) -> Self {
        Self::taking(vec![Turn::Lose, Turn::Answer(200, answer)])
    }

    /// An address where nobody listens.
    pub(crate) fn nobody() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What came so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Runs the program against this server.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.run_with_stdin(args, "")
    }

    /// The same with something on standard input.
    pub(crate) fn run_with_stdin(&self, args: &[&str], stdin: &str) -> Run {
        let mut command = command(args);
        command.env("CHARTER_SERVER", &self.address);
        run(command, stdin)
    }

    fn taking(turns: Vec<Turn>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        thread::spawn(move || {
            let mut turns = turns.into_iter();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                if let Some(request) = read(&stream) {
                    kept.lock().unwrap().push(request);
                }
                if let Some(Turn::Answer(status, body)) = turns.next() {
                    answer(&mut stream, status, &body);
                }
            }
        });
        Self { address, asked }
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
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
    Some(Asked { authorization, document, variables: body["variables"].clone() })
}

fn answer(stream: &mut TcpStream, status: u16, body: &Value) {
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} canned\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    // The program may have gone away, which its test sees.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}
