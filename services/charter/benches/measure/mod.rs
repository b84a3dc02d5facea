//! What the benchmarks share: the built program, a client that costs next to nothing, and figures.

#![allow(dead_code, reason = "no benchmark uses all of it")]

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Runs clients on threads of their own; each gives the times that its requests took.
pub(crate) fn on_threads(n_threads: usize, client: impl Fn(usize) -> Vec<Duration> + Sync) -> Figures {
    let client = &client;
    Figures::of(std::thread::scope(|scope| {
        let threads: Vec<_> = (0..n_threads).map(|lane| scope.spawn(move || client(lane))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    }))
}

/// A kept connection.
pub(crate) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    /// To an address such as `http://127.0.0.1:7070`.
    pub(crate) fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address.trim_start_matches("http://")).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, answer: Vec::new() }
    }

    /// Sends a request and reads the whole answer, head and body.
    pub(crate) fn ask(&mut self, request: &[u8]) -> &[u8] {
        self.stream.write_all(request).unwrap();
        self.answer.clear();
        let mut end = None;
        while end.is_none_or(|end| self.answer.len() < end) {
            let mut part = [0; 4_096];
            let n_bytes = self.stream.read(&mut part).unwrap();
            assert!(n_bytes > 0, "the server hung up");
            self.answer.extend_from_slice(&part[..n_bytes]);
            end = end.or_else(|| end_of_answer(&self.answer));
        }
        &self.answer
    }
}

/// How long an answer is, once its head is there. The servers write the names of their headers in lower case.
fn end_of_answer(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&answer[..head]).unwrap();
    let (_, length) = text.split_once("content-length: ").unwrap();
    Some(head + length.split_once("\r\n").unwrap().0.parse::<usize>().unwrap())
}

/// Load: plain HTTP/1.1 on kept connections, a thread for each and the requests made beforehand, so that the processors
/// are the server's as far as can be.
pub(crate) struct Load {
    address: String,
    requests: Vec<Vec<u8>>,
    /// What each answer has.
    expected: &'static str,
}

impl Load {
    pub(crate) fn new(address: &str, requests: Vec<Vec<u8>>, expected: &'static str) -> Self {
        Self { address: address.to_owned(), requests, expected }
    }

    /// Sends each request once, one after the other.
    pub(crate) fn each_once(&self) {
        let mut connection = Connection::open(&self.address);
        (0..self.requests.len()).for_each(|turn| self.ask(&mut connection, turn));
    }

    fn ask(&self, connection: &mut Connection, turn: usize) {
        let answer = String::from_utf8_lossy(connection.ask(&self.requests[turn % self.requests.len()]));
        assert!(answer.contains(self.expected), "{answer}");
    }

    /// Each client sends when it has its answer.
    pub(crate) fn closed_loop(&self, n_clients: usize, duration: Duration) -> Figures {
        let end = Instant::now() + duration;
        let client = |lane: usize| {
            let mut connection = Connection::open(&self.address);
            let mut times = Vec::new();
            for turn in 0.. {
                let began = Instant::now();
                if began >= end {
                    break;
                }
                self.ask(&mut connection, lane + turn * n_clients);
                times.push(began.elapsed());
            }
            times
        };
        on_threads(n_clients, client)
    }

    /// Sends at a fixed rate whatever comes back; a time counts from when the request was due.
    pub(crate) fn open_loop(&self, per_second: u32, duration: Duration) -> Figures {
        // Many more than are ever under way while the budget holds.
        const N_CONNECTIONS: usize = 64;
        let n_requests = per_second as usize * duration.as_secs() as usize;
        let period = Duration::from_secs(1) / per_second;
        let turns = AtomicUsize::new(0);
        // All are connected before the first is due.
        let begin = Instant::now() + Duration::from_millis(100);
        let client = |_| {
            let mut connection = Connection::open(&self.address);
            let mut times = Vec::new();
            loop {
                let turn = turns.fetch_add(1, Ordering::Relaxed);
                if turn >= n_requests {
                    return times;
                }
                let due = begin + period * turn as u32;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                self.ask(&mut connection, turn);
                times.push(due.elapsed());
            }
        };
        on_threads(N_CONNECTIONS, client)
    }
}

/// The built program.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
    /// Held open for as long as the server runs.
    _stdout: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Server {
    pub(crate) fn start(data: &Path) -> Self {
        let program = env!("CARGO_BIN_EXE_charter");
        let mut command = Command::new(program);
        // Nothing is inspected here, so any program stands for the worker.
        command.args(["serve", "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0", "--worker", program]);
        command.arg("--data").arg(data).env("CHARTER_LOG", "warn").stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().unwrap().unwrap();
            if let Some(address) = line.strip_prefix("charter listens on ") {
                break address.to_owned();
            }
        };
        Self { child, address, _stdout: lines }
    }

    pub(crate) async fn ready(&mut self) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/ready", self.address);
        while !client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {}
    }

    pub(crate) fn resident_kb(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    pub(crate) fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// What the disk takes to make 4 KiB durable.
pub(crate) fn fdatasync(folder: &Path) -> Figures {
    let path = folder.join("fdatasync");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(&path).unwrap();
    let mut times = Vec::new();
    for _ in 0..500 {
        let began = Instant::now();
        file.write_all(&[7; 4_096]).unwrap();
        file.sync_data().unwrap();
        times.push(began.elapsed());
    }
    fs::remove_file(path).unwrap();
    Figures::of(times)
}

/// Percentiles of times.
pub(crate) struct Figures {
    n: usize,
    p50: Duration,
    pub(crate) p99: Duration,
    p999: Duration,
    max: Duration,
}

impl Figures {
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        let at = |permille: usize| times[(times.len() - 1) * permille / 1_000];
        Self { n: times.len(), p50: at(500), p99: at(990), p999: at(999), max: at(1_000) }
    }

    pub(crate) fn per_second(&self, duration: Duration) -> u64 {
        self.n as u64 / duration.as_secs()
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { n, p50, p99, p999, max } = self;
        let [p50, p99, p999, max] = [p50, p99, p999, max].map(Duration::as_micros);
        write!(f, "p50 {p50} us, p99 {p99} us, p99.9 {p999} us, max {max} us (n = {n})")
    }
}
