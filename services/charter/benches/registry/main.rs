//! The budgets of contracts and schemas, measured on the built program: `make bench`.
//!
//! Each figure is printed with its input and its budget. Absolute times say as much about the machine as about the
//! program: compare within one run. Where a ratio is the budget, both sides run in turns.

#![expect(clippy::unwrap_used, reason = "a benchmark ends where it fails")]

mod engine;
mod hostile;
#[path = "../measure/mod.rs"]
mod measure;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use app::Settings;
use axum::Router;
use axum::routing::get;
use domain::clock::{Clock, SystemClock};
use serde_json::json;
use store::Options;
use tempfile::TempDir;
use testkit::app::TestApp;

use self::measure::{Connection, Load, Server, fdatasync, on_threads};

/// How many clients ask at once.
const N_CLIENTS: usize = 16;
/// How long each load lasts.
const DURATION: Duration = Duration::from_secs(5);
/// How many schemas the registry holds that is started and asked.
const N_SCHEMAS: u32 = 100_000;
/// How many of them are looked up again and again.
const N_ASKED: usize = 1_000;
/// How an answer begins.
const ANSWERED: &str = "HTTP/1.1 200 ";
/// The argument with which this program is the server that the registry is compared with.
const HELLO: &str = "--hello";

fn main() {
    if std::env::args().any(|arg| arg == HELLO) {
        return hello();
    }
    // `cargo bench` says `--bench`; `cargo test` asks for nothing of this.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if wanted("engine") {
        engine::judge();
    }
    if wanted("hostile") {
        hostile::refuse();
    }
    if wanted("register") {
        register(&runtime);
    }
    if wanted("lookup") {
        lookup(&runtime);
    }
}

/// First registrations over loopback HTTP, each durable: another subject and another schema with every request.
fn register(runtime: &tokio::runtime::Runtime) {
    let (data, token) = runtime.block_on(registry(0));
    let disk = fdatasync(data.path());
    let mut server = Server::start(data.path());
    runtime.block_on(server.ready());
    let end = Instant::now() + DURATION;
    let figures = on_threads(N_CLIENTS, |lane| {
        let mut connection = Connection::open(&server.address);
        let mut times = Vec::new();
        for turn in 0.. {
            let subject = format!("topic-{lane}-{turn}-value");
            let request = registration(&token, &subject, &text(&format!("r{lane}_{turn}")));
            let began = Instant::now();
            if began >= end {
                break;
            }
            is_answered(connection.ask(&request));
            times.push(began.elapsed());
        }
        times
    });
    let per_second = figures.per_second(DURATION);
    println!("first registration over HTTP, synchronous=FULL, {N_CLIENTS} clients: {per_second} /s, {figures}");
    println!("  budget: over 1,500 /s");
    println!("fdatasync of 4 KiB on the same disk before the load: {disk}; after it: {}", fdatasync(data.path()));
    register_in_one_subject(&server, &token);
    server.stop();
}

/// The same, all in one subject: each schema is another one and a compatible successor of any before it, and none may be
/// refused.
fn register_in_one_subject(server: &Server, token: &str) {
    const N_CLIENTS: usize = 32;
    const N_EACH: usize = 100;
    let began = Instant::now();
    let figures = on_threads(N_CLIENTS, |lane| {
        let mut connection = Connection::open(&server.address);
        let times = (0..N_EACH).map(|turn| {
            let field = json!({ "name": format!("f{lane}_{turn}"), "type": "int", "default": 0 });
            let schema = json!({ "type": "record", "name": "Shared", "fields": [field] }).to_string();
            let began = Instant::now();
            is_answered(connection.ask(&registration(token, "shared-value", &schema)));
            began.elapsed()
        });
        times.collect()
    });
    let mut connection = Connection::open(&server.address);
    let list = "GET /registry/subjects/shared-value/versions HTTP/1.1\r\nHost: charter\r\n";
    let answer = connection.ask(format!("{list}Authorization: Bearer {token}\r\n\r\n").as_bytes());
    is_answered(answer);
    let list = answer.iter().skip_while(|byte| **byte != b'[');
    let n_versions = list.filter(|byte| **byte == b',').count() + 1;
    println!(
        "registration in one subject, {N_CLIENTS} clients with {N_EACH} schemas each: {n_versions} versions, \
         {} /s, {figures}",
        figures.per_second(began.elapsed())
    );
    println!("  budget: {} versions, none refused", N_CLIENTS * N_EACH);
}

fn registration(token: &str, subject: &str, schema: &str) -> Vec<u8> {
    let body = json!({ "schema": schema }).to_string();
    let request = format!(
        "POST /registry/subjects/{subject}/versions HTTP/1.1\r\nHost: charter\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/vnd.schemaregistry.v1+json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    request.into_bytes()
}

/// A start on many schemas, and then look-ups by id against a bare `hello` of the same server library.
fn lookup(runtime: &tokio::runtime::Runtime) {
    let (data, token) = runtime.block_on(registry(N_SCHEMAS));
    // As far apart as they can be.
    let step = N_SCHEMAS as usize / N_ASKED;
    let ask = |index: usize| {
        let id = 1 + index % N_ASKED * step;
        format!("GET /registry/schemas/ids/{id} HTTP/1.1\r\nHost: charter\r\nAuthorization: Bearer {token}\r\n\r\n")
            .into_bytes()
    };
    let asked: Vec<Vec<u8>> = (0..N_ASKED).map(ask).collect();

    let began = Instant::now();
    let mut server = Server::start(data.path());
    runtime.block_on(server.ready());
    let ready = began.elapsed();
    let mut connection = Connection::open(&server.address);
    asked.iter().for_each(|request| is_answered(connection.ask(request)));
    println!(
        "start with {N_SCHEMAS} schemas: first 200 of /ready after {} ms, {N_ASKED} first look-ups, one after the other, \
         done after {} ms; resident memory {:.1} MB",
        ready.as_millis(),
        began.elapsed().as_millis(),
        server.resident_kb() as f64 / 1_000.0
    );
    println!("  budget: under 5 s");

    let (mut hello_server, bare_address) = start_hello();
    let hello = vec![b"GET / HTTP/1.1\r\nHost: charter\r\n\r\n".to_vec()];
    let bare = Load::new(&bare_address, hello, ANSWERED);
    let ours = Load::new(&server.address, asked, ANSWERED);
    for round in 1..=3 {
        let [bare, ours] = [&bare, &ours].map(|load| load.closed_loop(N_CLIENTS, DURATION));
        let (bare_rate, our_rate) = (bare.per_second(DURATION), ours.per_second(DURATION));
        println!("round {round}, {N_CLIENTS} clients: bare hello {bare_rate} /s, {bare}");
        println!(
            "round {round}, {N_CLIENTS} clients: look-up by id {our_rate} /s, {ours}; ratio {:.2}",
            our_rate as f64 / bare_rate as f64
        );
    }
    println!("  budget: at least half of the bare hello (aim: 20,000 /s), p99 under 5 ms");
    hello_server.kill().unwrap();
    hello_server.wait().unwrap();
    server.stop();
}

fn is_answered(answer: &[u8]) {
    assert!(answer.starts_with(ANSWERED.as_bytes()), "{}", String::from_utf8_lossy(answer));
}

/// The server that the registry is compared with, on a runtime as `charter` has it.
fn hello() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("http://{}", listener.local_addr().unwrap());
        axum::serve(listener, Router::new().route("/", get(|| async { "hello" }))).await.unwrap();
    });
}

fn start_hello() -> (Child, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let mut child = command.arg(HELLO).stdout(Stdio::piped()).spawn().unwrap();
    let mut address = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
    (child, address.trim().to_owned())
}

/// A data directory whose registry takes the schemas of all subjects and holds some, and a token that may register.
async fn registry(n_schemas: u32) -> (TempDir, String) {
    const N_IN_A_COMMIT: u32 = 5_000;
    let test = TestApp::start_with(None, Options::for_testing(), Settings::for_testing()).await;
    test.clock.set(SystemClock.now());
    let owner = test.domain("strays").await;
    for first in (1..=n_schemas).step_by(N_IN_A_COMMIT as usize) {
        let ids = first..(first + N_IN_A_COMMIT).min(n_schemas + 1);
        let schemas = ids.map(|id| (format!("topic-{id}-value").parse().unwrap(), 1, text(&format!("r{id}"))));
        test.lay_schemas(&owner, schemas).await;
    }
    let token = test.token("owner-strays").await;
    let data = test.into_data().await;
    std::fs::write(data.path().join("charter.toml"), "[registry]\nquarantine = \"strays\"\n").unwrap();
    (data, token)
}

/// An Avro record of five fields.
fn text(name: &str) -> String {
    format!(
        "{{\"type\":\"record\",\"name\":\"{name}\",\"namespace\":\"bench\",\"fields\":[{{\"name\":\"id\",\"type\":\"long\"}},\
         {{\"name\":\"at\",\"type\":{{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}}}},\
         {{\"name\":\"name\",\"type\":[\"null\",\"string\"],\"default\":null}},\
         {{\"name\":\"amount\",\"type\":\"double\"}},{{\"name\":\"tags\",\"type\":{{\"type\":\"array\",\"items\":\"string\"}}}}]}}"
    )
}
