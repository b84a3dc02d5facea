//! The web page of a running server: `charter login`, the session that it begins, and what a browser opens.

#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::test_server::TestServer;

/// Sends a request as the page's script does and returns the whole answer.
fn ask(server: &TestServer, first_line: &str, headers: &str, body: &str) -> String {
    let host = server.address.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(
        stream,
        "{first_line} HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\nx-charter: page\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[track_caller]
fn assert_status(answer: &str, status: u16) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
}

#[test]
fn a_browser_signs_in_with_the_link_and_out_again_on_sqlite() {
    sign_in_and_out(&TestServer::start(""));
}

#[test]
fn a_browser_signs_in_with_the_link_and_out_again_on_postgres() {
    let Some(postgres) = testkit::postgres::Server::shared() else { return };
    sign_in_and_out(&TestServer::start_on(Some(postgres.database()), ""));
}

fn sign_in_and_out(server: &TestServer) {
    let admin = server.user("admin");
    let run = admin.ok(&["login"]);
    let (page, code) = run.stdout.trim().split_once("#code=").unwrap();
    assert_eq!(page, format!("{}/sign-in", server.address));
    let opened = ask(server, "GET /sign-in", "accept: text/html\r\n", "");
    assert_status(&opened, 200);
    assert!(opened.contains("<!doctype html>") && opened.contains("frame-ancestors 'none'"), "{opened}");
    assert_status(&ask(server, "HEAD /sign-in", "accept: text/html\r\n", ""), 200);

    let body = json!({ "code": code }).to_string();
    let begun = ask(server, "POST /session", "", &body);
    assert_status(&begun, 204);
    let (_, cookie) = begun.split_once("set-cookie: ").unwrap();
    let (secret, attributes) = cookie.lines().next().unwrap().split_once("; ").unwrap();
    assert!(attributes.starts_with("HttpOnly; SameSite=Strict; Path=/; Max-Age="), "{attributes}");
    assert_status(&ask(server, "POST /session", "", &body), 401);

    let cookie = format!("cookie: {secret}\r\n");
    let viewer = json!({ "query": "{ viewer { version } }" }).to_string();
    assert_status(&ask(server, "POST /graphql", &cookie, &viewer), 400);
    assert_status(&ask(server, "POST /graphql", "", &viewer), 401);
    let tokens: Value = serde_json::from_str(&admin.ok(&["token", "list", "--json"]).stdout).unwrap();
    let kinds = tokens["nodes"].as_array().unwrap().iter().filter(|token| token["kind"] == "SESSION").count();
    assert_eq!(kinds, 1, "{tokens}");
    let ended = ask(server, "DELETE /session", &cookie, "");
    assert_status(&ended, 204);
    assert!(ended.contains("Max-Age=0"), "{ended}");
    assert_status(&ask(server, "POST /graphql", &cookie, &viewer), 401);

    let log = server.log();
    let (_, secret) = secret.split_once('=').unwrap();
    assert!(!log.contains(code) && !log.contains(secret), "a secret is in the log");
}

#[test]
fn a_public_address_with_a_path_is_refused() {
    let data = tempfile::tempdir().unwrap();
    for address in ["ftp://example.org", "https://example.org/charter", "https://user@example.org", "nonsense"] {
        std::fs::write(data.path().join("charter.toml"), format!("[http]\naddress = {address:?}\n")).unwrap();
        let run = crate::test_server::refused_start(data.path(), &[], &[]);
        assert!(run.stderr.contains("address"), "{address}: {run:?}");
    }
}
