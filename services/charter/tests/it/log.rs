//! A log or a disk that cannot be written does not stop the server, and `/ready` says what does not work.

#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

use std::fs::{self, File, OpenOptions};
use std::io::{PipeReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};

use crate::test_server::{TestServer, make_demo};

const TABLE: &str = "nyc.demo.flights";
const CONFIG: &str = "[inspect]\npoll = 3600\n";
const TIMEOUT: Duration = Duration::from_secs(20);

#[test]
fn a_log_on_a_full_disk_does_not_stop_the_server() {
    assert_works_without_its_log(full().into());
}

#[test]
fn a_log_on_a_closed_pipe_does_not_stop_the_server() {
    assert_works_without_its_log(closed_pipe());
}

#[test]
fn a_log_that_stalls_does_not_stop_the_server() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let server = TestServer::start_logging_to(writer.into(), CONFIG);
    // A pipe holds 64 KiB, and each request is a line of more than 200 bytes.
    for _ in 0..500 {
        assert_eq!(get(&server.address, "/health").0, 200);
    }
    until(|| not_ready(&server).is_some_and(|detail| detail.contains("the log")), "the stalled log is not reported");
    assert_eq!(get(&server.gateway, "/lake").0, 403);

    let lines = std::thread::spawn(move || read_until_closed(&mut reader));
    until(|| not_ready(&server).is_none(), "the log is read again, and the server is not ready");
    drop(server);
    let lines = lines.join().unwrap();
    assert!(lines.matches("request answered").count() > 500, "{lines}");
}

#[test]
fn a_full_disk_is_reported_and_the_server_continues_when_it_has_room_again() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    let reading = std::thread::spawn(move || read_until_closed(&mut reader));
    let server = TestServer::start_logging_to(writer.into(), CONFIG).with_people();
    assert_eq!(not_ready(&server), None);
    let create = |path: &str| {
        let query = "mutation($path: String!) { createDomain(input: { path: $path }) { __typename } }";
        server.graphql("admin", &json!({ "query": query, "variables": { "path": path } }))
    };

    limit_files(server.pid(), Some(0));
    assert!(create("full")["errors"].is_array());
    let named = |detail: String| detail.contains("the database") && detail.contains("the data directory");
    until(|| not_ready(&server).is_some_and(named), "the full disk is not reported");
    assert_eq!(get(&server.address, "/health").0, 200);

    limit_files(server.pid(), None);
    until(|| not_ready(&server).is_none(), "the disk has room, and the server is not ready");
    let answer = create("full");
    assert_eq!(answer["data"]["createDomain"]["__typename"], "CreateDomainPayload", "{answer}");
    drop(server);
    assert!(reading.join().unwrap().contains("a group commit failed"));
}

#[test]
fn the_server_starts_without_a_standard_output() {
    for stdout in [full().into(), closed_pipe()] {
        let data = tempfile::TempDir::new().unwrap();
        let [listen, gateway] = [(); 2].map(|()| free_address());
        let mut command = Command::new(env!("CARGO_BIN_EXE_charter"));
        command.args(["serve", "--listen", &listen, "--gateway-listen", &gateway, "--data"]).arg(data.path());
        let mut child = command.stdout(stdout).stderr(Stdio::null()).spawn().unwrap();
        until(|| TcpStream::connect(&listen).is_ok(), "the server did not start");
        assert_eq!(get(&listen, "/ready").0, 200);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

/// Runs the main job against a server whose log goes nowhere.
#[track_caller]
fn assert_works_without_its_log(stderr: Stdio) {
    let server = TestServer::start_logging_to(stderr, CONFIG).with_people();
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let table = server.lake().join("nyc/demo");
    make_demo(&table, 0);
    let documents = tempfile::TempDir::new().unwrap();
    write_documents(documents.path());
    ann.applies(&[documents.path().to_str().unwrap()]).ok();
    ann.inspects(TABLE).ok();
    ann.grants(&bob, TABLE);
    bob.ok(&["credentials", TABLE]);
    assert_eq!(get(&server.gateway, "/lake").0, 403);

    // The job that inspects this commit and the worker that cannot read it log warnings.
    fs::write(table.join("_delta_log/00000000000000000001.json"), "{").unwrap();
    assert_eq!(ann.inspects(TABLE).code, 1);
    // The writer logs a commit that fails.
    limit_files(server.pid(), Some(0));
    assert_eq!(ann.run(&["inspect", TABLE]).code, 1);
    limit_files(server.pid(), None);
    until(|| ann.run(&["inspect", TABLE]).code == 0, "the writer did not recover");

    until(|| not_ready(&server).is_some_and(|detail| detail == "the log cannot be written"), "the log is not reported");
    assert_eq!(get(&server.address, "/health").0, 200);
}

/// What does not work, as `/ready` reports it.
fn not_ready(server: &TestServer) -> Option<String> {
    let (status, body) = get(&server.address, "/ready");
    if status == 200 {
        return None;
    }
    assert_eq!(status, 503, "{body}");
    let problem: Value = serde_json::from_str(&body).unwrap();
    Some(problem["detail"].as_str().unwrap().to_owned())
}

/// Sends a request without a token; returns the status and the body.
fn get(address: &str, path: &str) -> (u16, String) {
    let address = address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

#[track_caller]
fn until(holds: impl Fn() -> bool, otherwise: &str) {
    let deadline = Instant::now() + TIMEOUT;
    while !holds() {
        assert!(Instant::now() < deadline, "{otherwise}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The device that takes no byte, as a full disk does.
fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

fn closed_pipe() -> Stdio {
    let (_, writer) = std::io::pipe().unwrap();
    writer.into()
}

fn read_until_closed(reader: &mut PipeReader) -> String {
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    text
}

fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Limits the size of every file that a process writes: with 0, as if the disk were full.
fn limit_files(pid: u32, n_bytes: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap());
    prlimit(pid, Resource::Fsize, Rlimit { current: n_bytes, maximum: None }).unwrap();
}

fn write_documents(folder: &std::path::Path) {
    let product = "apiVersion: v1.0.0\nkind: DataProduct\nid: demo-product\nname: demo\nstatus: active\noutputPorts:\n  \
                   - name: flights\n    version: 1.0.0\n    contractId: demo-contract\n";
    let contract = "apiVersion: v3.1.0\nkind: DataContract\nid: demo-contract\nversion: 1.0.0\nstatus: active\nservers:\n  \
                    - server: lake\n    type: local\n    path: nyc/demo\n    format: delta\nschema:\n  - name: flights\n    \
                    logicalType: object\n    properties:\n      - name: carrier\n        logicalType: string\n";
    fs::write(folder.join("demo.product.yaml"), product).unwrap();
    fs::write(folder.join("demo.contract.yaml"), contract).unwrap();
}
