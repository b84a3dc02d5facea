//! Signing in to the web page with a code, asking with the cookie, signing out; and what other pages try with it.

use std::net::IpAddr;
use std::time::Duration;

use api::{Limits, Web};
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, ORIGIN, RETRY_AFTER, SET_COOKIE};
use axum::http::request::Builder;
use axum::http::{Method, Request, StatusCode};
use http_base::connections::peer::Peer;
use http_base::site::Site;
use serde_json::{Value, json};
use testkit::app::TestApp;

use crate::hidden::documents;
use crate::page::web;
use crate::support::{Api, Reply, code};

const VIEWER: &str = r#"{"documentId":"viewer"}"#;

async fn start() -> Api {
    with(&Limits::default()).await
}

async fn with(limits: &Limits) -> Api {
    let api = Api::serving(TestApp::start().await, limits, web());
    api.test.principal("reader").await;
    api
}

/// A request as the page's own script makes it.
fn from_page(method: Method, path: &str) -> Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, "charter.test:7070")
        .header(ORIGIN, "http://charter.test:7070")
        .header("sec-fetch-site", "same-origin")
        .header("x-charter", "page")
}

fn posts(path: &str) -> Builder {
    from_page(Method::POST, path).header(CONTENT_TYPE, "application/json")
}

async fn send(api: &Api, request: Builder, body: impl Into<Body>) -> Reply {
    api.send(request.body(body.into()).expect("a request")).await
}

/// A new code of a subject.
async fn code_of(api: &Api, subject: &str) -> String {
    let mutation = "mutation { createSignInCode(input: {}) { code } }";
    let data = api.data(subject, mutation, Value::Null).await;
    data["createSignInCode"]["code"].as_str().expect("a code").to_owned()
}

async fn redeem(api: &Api, code: &str) -> Reply {
    send(api, posts("/session"), json!({ "code": code }).to_string()).await
}

/// The pair that a browser sends after the answer.
fn cookie(reply: &Reply) -> String {
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "{reply:?}");
    let set = reply.headers[SET_COOKIE].to_str().expect("text");
    set.split(';').next().expect("a pair").to_owned()
}

async fn signed_in(api: &Api, subject: &str) -> String {
    cookie(&redeem(api, &code_of(api, subject).await).await)
}

async fn ask(api: &Api, cookie: &str, body: &str) -> Reply {
    send(api, posts("/graphql").header(COOKIE, cookie), body.to_owned()).await
}

#[track_caller]
fn assert_problem(reply: &Reply, status: u16, problem: &str) {
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (status, problem), "{reply:?}");
}

#[tokio::test]
async fn the_page_signs_in_asks_and_signs_out() {
    let api = start().await;
    let reply = redeem(&api, &code_of(&api, "reader").await).await;
    let set = reply.headers[SET_COOKIE].to_str().unwrap();
    let (pair, attributes) = set.split_once("; ").unwrap();
    assert_eq!(attributes, "HttpOnly; SameSite=Strict; Path=/; Max-Age=3600");
    let (name, secret) = pair.split_once('=').unwrap();
    assert_eq!((name, secret.len(), reply.bytes.len()), ("charter_session", 64, 0));
    assert_eq!(reply.headers.get_all(SET_COOKIE).iter().count(), 1);

    let cookie = cookie(&reply);
    let answer = ask(&api, &format!("other=1; {cookie}; more=2"), VIEWER).await;
    assert_eq!(
        (answer.status, &answer.json()["data"]["viewer"]["principal"]["subject"]),
        (StatusCode::OK, &json!("reader"))
    );
    assert!(!answer.headers.contains_key(SET_COOKIE));
    let denied = ask(&api, &cookie, r#"{"documentId":"create","variables":{"path":"new"}}"#).await;
    assert_eq!(code(&denied.json()).as_deref(), Some("FORBIDDEN"), "with the rights of its principal");

    let out = send(&api, from_page(Method::DELETE, "/session").header(COOKIE, &cookie), Body::empty()).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert_eq!(out.headers[SET_COOKIE], "charter_session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
    assert_problem(&ask(&api, &cookie, VIEWER).await, 401, "unauthenticated");
    let again = send(&api, from_page(Method::DELETE, "/session").header(COOKIE, &cookie), Body::empty()).await;
    assert_problem(&again, 401, "unauthenticated");
}

#[tokio::test]
async fn a_code_that_is_wrong_used_or_late_opens_nothing() {
    let api = start().await;
    let used = code_of(&api, "reader").await;
    cookie(&redeem(&api, &used).await);
    let late = code_of(&api, "reader").await;
    api.test.clock.advance(domain::web_session::CODE_VALID);
    let mut details = Vec::new();
    for wrong in [used, late, "0".repeat(16), String::new(), "' OR 1=1".to_owned()] {
        let reply = redeem(&api, &wrong).await;
        assert_problem(&reply, 401, "unauthenticated");
        assert!(!reply.headers.contains_key(SET_COOKIE));
        details.push(reply.json()["detail"].clone());
    }
    details.dedup();
    assert_eq!(details.len(), 1, "the answer does not say which: {details:?}");

    let code = code_of(&api, "reader").await;
    let text = json!({ "code": code }).to_string();
    for body in [
        String::new(),
        "null".into(),
        format!("[{text}]"),
        format!("[\"{code}\"]"),
        format!("\"{code}\""),
        "{}".into(),
        json!({ "code": [code] }).to_string(),
        json!({ "code": code, "more": 1 }).to_string(),
        format!("{text}x"),
        format!("{{\"code\":\"{code}\",\"code\":\"{code}\"}}"),
        json!({ "code": 5 }).to_string(),
    ] {
        let reply = send(&api, posts("/session"), body.clone()).await;
        assert_problem(&reply, 400, "invalid-request");
        assert!(!String::from_utf8_lossy(&reply.bytes).contains(&code), "the answer repeats the code");
    }
    let large = format!("{text}{}", " ".repeat(1_025 - text.len()));
    assert_problem(&send(&api, posts("/session"), large).await, 413, "too-large");
    let reply = send(&api, posts("/session"), format!("{text}{}", " ".repeat(1_024 - text.len()))).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT, "none of them spent it");
}

/// What another page can bring a browser to send, and what a request lacks that no page of ours made.
#[tokio::test]
async fn requests_that_another_page_makes_are_refused() {
    let api = start().await;
    let cookie = signed_in(&api, "admin").await;
    let code = json!({ "code": code_of(&api, "reader").await }).to_string();
    let create = r#"{"documentId":"create","variables":{"path":"new"}}"#.to_owned();
    let others = [
        ("x-charter", vec![]),
        ("x-charter", vec!["1"]),
        ("x-charter", vec!["page", "page"]),
        ("sec-fetch-site", vec!["cross-site"]),
        ("sec-fetch-site", vec!["same-site"]),
        ("sec-fetch-site", vec!["same-origin", "cross-site"]),
        ("origin", vec![]),
        ("origin", vec!["null"]),
        ("origin", vec!["http://evil.test"]),
        ("origin", vec!["http://charter.test"]),
        ("origin", vec!["http://charter.test:7071"]),
        ("origin", vec!["https://charter.test:7070"]),
        ("origin", vec!["http://charter.test:7070.evil.test"]),
        ("origin", vec!["http://evil.test", "http://charter.test:7070"]),
        ("host", vec![]),
        ("host", vec!["other.test:7070"]),
        ("host", vec!["charter.test:7070", "charter.test:7070"]),
    ];
    let before = api.test.dump().await;
    for (name, values) in &others {
        for (method, path, body) in [
            (Method::POST, "/session", code.clone()),
            (Method::POST, "/graphql", create.clone()),
            (Method::DELETE, "/session", String::new()),
        ] {
            let mut request =
                from_page(method.clone(), path).header(CONTENT_TYPE, "application/json").header(COOKIE, &cookie);
            let headers = request.headers_mut().expect("headers");
            headers.remove(*name);
            for value in values {
                headers.append(*name, value.parse().expect("a value"));
            }
            let reply = send(&api, request, body).await;
            assert_eq!(
                (reply.status.as_u16(), reply.problem().as_str()),
                (403, "foreign-origin"),
                "{method} {path} {name} {values:?}"
            );
            assert!(!reply.headers.contains_key(SET_COOKIE));
        }
    }
    // What a form of another page can send.
    for media_type in
        [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("multipart/form-data; boundary=x")]
    {
        for (path, body) in [("/session", &code), ("/graphql", &create)] {
            let mut request = from_page(Method::POST, path).header(COOKIE, &cookie);
            if let Some(media_type) = media_type {
                request = request.header(CONTENT_TYPE, media_type);
            }
            assert_problem(&send(&api, request, body.clone()).await, 415, "unsupported-media-type");
        }
    }
    assert_eq!(api.test.dump().await, before, "something changed");
    // A browser without `Sec-Fetch-Site`, and one that a person typed the address into.
    for value in [None, Some("none")] {
        let mut request = posts("/graphql").header(COOKIE, &cookie);
        let headers = request.headers_mut().expect("headers");
        headers.remove("sec-fetch-site");
        if let Some(value) = value {
            headers.insert("sec-fetch-site", value.parse().expect("a value"));
        }
        assert_eq!(send(&api, request, VIEWER).await.status, StatusCode::OK, "{value:?}");
    }
    assert_eq!(send(&api, posts("/session"), code).await.status, StatusCode::NO_CONTENT, "none of them spent the code");
}

#[tokio::test]
async fn no_answer_lets_another_page_read_it_or_frame_it() {
    let api = start().await;
    let cookie = signed_in(&api, "admin").await;
    let preflight = Request::options("/graphql")
        .header(ORIGIN, "http://evil.test")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "x-charter, content-type");
    for reply in [
        send(&api, preflight, Body::empty()).await,
        ask(&api, &cookie, VIEWER).await,
        send(&api, Request::get("/").header("accept", "text/html"), Body::empty()).await,
        send(&api, Request::get("/assets/main.js"), Body::empty()).await,
    ] {
        assert!(reply.headers.keys().all(|name| !name.as_str().starts_with("access-control-")), "{reply:?}");
        let policy = reply.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }
}

#[tokio::test]
async fn the_cookie_counts_at_graphql_and_session_alone() {
    let api = start().await;
    let cookie = signed_in(&api, "admin").await;
    for (method, path) in [
        (Method::GET, "/registry/subjects"),
        (Method::PUT, "/registry/config"),
        (Method::POST, "/api/v1/lineage"),
        (Method::POST, "/api/v1/lineage/batch"),
    ] {
        let request = from_page(method, path).header(CONTENT_TYPE, "application/json").header(COOKIE, &cookie);
        let reply = send(&api, request, "{}").await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    let (_, secret) = cookie.split_once('=').unwrap();
    for authorization in [format!("Bearer {secret}"), format!("Bearer {cookie}")] {
        let request = posts("/graphql").header(AUTHORIZATION, &authorization).header(COOKIE, &cookie);
        assert_problem(&send(&api, request, VIEWER).await, 401, "unauthenticated");
    }
    // A token in the cookie, and the session under another name.
    let token = api.test.token("admin").await;
    for cookie in
        [format!("charter_session={token}"), format!("__Host-charter_session={secret}"), "charter_session=".into()]
    {
        assert_problem(&ask(&api, &cookie, VIEWER).await, 401, "unauthenticated");
    }
    // A bearer is not asked where its page is from, also if a browser adds a cookie.
    let request = Request::post("/graphql").header(CONTENT_TYPE, "application/json").header(COOKIE, &cookie);
    let request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    assert_eq!(send(&api, request, r#"{"query":"{ viewer { version } }"}"#).await.status, StatusCode::OK);
    let request = from_page(Method::DELETE, "/session").header(AUTHORIZATION, format!("Bearer {token}"));
    assert_problem(&send(&api, request, Body::empty()).await, 401, "unauthenticated");
}

#[tokio::test]
async fn with_the_cookie_only_documents_of_the_page_are_run() {
    let api = start().await;
    let cookie = signed_in(&api, "admin").await;
    let text = "{ viewer { principal { subject } } }";
    for body in [
        json!({ "query": text }),
        json!({ "query": text, "documentId": "viewer" }),
        json!({ "query": "{ __schema { types { name } } }" }),
        json!({ "query": "mutation { createDomain(input: { path: \"new\" }) { __typename } }" }),
        json!({ "query": null, "documentId": null }),
        json!({}),
        json!({ "documentId": "unknown" }),
        json!({ "documentId": text }),
        json!({ "documentId": 5 }),
        json!([{ "documentId": "viewer" }]),
    ] {
        let reply = ask(&api, &cookie, &body.to_string()).await;
        assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (400, "invalid-request"), "{body}");
    }
    assert!(api.data("admin", "{ domain(path: \"new\") { id } }", Value::Null).await["domain"].is_null());
    // A token sends what it likes, and these documents too.
    let token = api.test.token("admin").await;
    assert_eq!(api.post(&token, VIEWER).await.json()["data"]["viewer"]["principal"]["subject"], "admin");
    let both = json!({ "query": text, "documentId": "viewer" }).to_string();
    assert_problem(&api.post(&token, both).await, 400, "invalid-request");
    let created = ask(&api, &cookie, r#"{"documentId":"create","variables":{"path":"new"}}"#).await;
    assert_eq!(created.json()["data"]["createDomain"]["__typename"], "CreateDomainPayload", "{created:?}");
}

#[tokio::test]
async fn the_limits_of_a_document_hold_with_the_cookie_too() {
    let api = with(&Limits { complexity: 1, ..Limits::default() }).await;
    let reader = api.test.ctx("reader").await;
    let made = app::web_session::create_code(&reader, None).await.unwrap();
    let cookie = cookie(&redeem(&api, made.code.expose()).await);
    let answer = ask(&api, &cookie, VIEWER).await.json();
    assert!(answer["errors"][0]["message"].as_str().is_some_and(|text| text.contains("complex")), "{answer}");
}

#[tokio::test]
async fn a_session_begins_under_a_new_secret_whatever_cookie_is_there() {
    let api = start().await;
    let planted = format!("charter_session={}", "a".repeat(64));
    let victim = signed_in(&api, "reader").await;
    for sent in [&planted, &victim] {
        let body = json!({ "code": code_of(&api, "admin").await }).to_string();
        let cookie = cookie(&send(&api, posts("/session").header(COOKIE, sent), body).await);
        assert_ne!(&cookie, sent);
        let answer = ask(&api, &cookie, VIEWER).await.json();
        assert_eq!(answer["data"]["viewer"]["principal"]["subject"], "admin");
    }
    assert_problem(&ask(&api, &planted, VIEWER).await, 401, "unauthenticated");
    let answer = ask(&api, &victim, VIEWER).await.json();
    assert_eq!(answer["data"]["viewer"]["principal"]["subject"], "reader", "another session is left alone");
    // Of two cookies with the name, one may be planted.
    assert_problem(&ask(&api, &format!("{planted}; {victim}"), VIEWER).await, 401, "unauthenticated");
    let request = posts("/graphql").header(COOKIE, &victim).header(COOKIE, &planted);
    assert_problem(&send(&api, request, VIEWER).await, 401, "unauthenticated");
}

#[tokio::test]
async fn with_tls_the_cookie_is_secure_and_of_this_host_alone() {
    let site = Site::at("https://charter.example.org".to_owned());
    let api = Api::serving(TestApp::start().await, &Limits::default(), Web { site, ..web() });
    let code = json!({ "code": code_of(&api, "admin").await }).to_string();
    let with_origin = |origin: &str| {
        let mut request = posts("/session");
        request.headers_mut().expect("headers").insert(ORIGIN, origin.parse().expect("an origin"));
        request
    };
    // The public address counts, whatever host the proxy passes on.
    for origin in [
        "http://charter.test:7070",
        "https://charter.test:7070",
        "http://charter.example.org",
        "https://charter.example.org.evil.test",
    ] {
        assert_problem(&send(&api, with_origin(origin), code.clone()).await, 403, "foreign-origin");
    }
    let reply = send(&api, with_origin("https://charter.example.org"), code).await;
    let set = reply.headers[SET_COOKIE].to_str().unwrap();
    assert!(set.starts_with("__Host-charter_session="), "{set}");
    assert!(set.ends_with("; HttpOnly; SameSite=Strict; Path=/; Max-Age=3600; Secure"), "{set}");
    let ask = async |cookie: String| {
        let mut request = posts("/graphql").header(COOKIE, cookie);
        request
            .headers_mut()
            .expect("headers")
            .insert(ORIGIN, "https://charter.example.org".parse().expect("an origin"));
        send(&api, request, VIEWER).await
    };
    let cookie = cookie(&reply);
    assert_eq!(ask(cookie.clone()).await.status, StatusCode::OK);
    let plain = cookie.strip_prefix("__Host-").unwrap().to_owned();
    assert_problem(&ask(plain).await, 401, "unauthenticated");

    // Behind a proxy without a public address, the scheme is known and the host is that of the request.
    let api = Api::serving(TestApp::start().await, &Limits::default(), Web { site: Site::of_host(true), ..web() });
    let code = json!({ "code": code_of(&api, "admin").await }).to_string();
    assert_problem(&send(&api, with_origin("http://charter.test:7070"), code.clone()).await, 403, "foreign-origin");
    let reply = send(&api, with_origin("https://charter.test:7070"), code).await;
    assert!(reply.headers[SET_COOKIE].to_str().unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn a_session_ends_at_its_next_request_however_it_is_ended() {
    let api = start().await;
    let revoked = signed_in(&api, "reader").await;
    api.test.clock.advance(Duration::from_secs(1));
    let disabled = signed_in(&api, "reader").await;
    for cookie in [&revoked, &disabled] {
        assert_eq!(ask(&api, cookie, VIEWER).await.status, StatusCode::OK);
    }
    let query = "{ tokens { nodes { id kind lastUsedAt } } }";
    let listed = api.data("reader", query, Value::Null).await;
    let sessions: Vec<&Value> =
        listed["tokens"]["nodes"].as_array().unwrap().iter().filter(|token| token["kind"] == "SESSION").collect();
    assert_eq!(sessions.len(), 2, "{listed}");
    assert!(sessions.iter().all(|session| session["lastUsedAt"].is_string()));
    let revoke = "mutation($token: ID!) { revokeToken(input: { token: $token }) { token { kind revokedAt } } }";
    // The newest first.
    let answer = api.data("reader", revoke, json!({ "token": sessions[1]["id"] })).await;
    assert_eq!(answer["revokeToken"]["token"]["kind"], "SESSION");
    assert_problem(&ask(&api, &revoked, VIEWER).await, 401, "unauthenticated");
    assert_eq!(ask(&api, &disabled, VIEWER).await.status, StatusCode::OK);
    let reader = api.test.ctx("reader").await;
    api.test.admin.disables(reader.id()).await.unwrap();
    assert_problem(&ask(&api, &disabled, VIEWER).await, 401, "unauthenticated");
}

#[tokio::test]
async fn an_address_may_try_a_limited_number_of_codes_and_sessions() {
    let api = with(&Limits { sign_in_failures_per_second: 1, ..Limits::default() }).await;
    let [good, known] = [code_of(&api, "reader").await, signed_in(&api, "admin").await];
    assert_eq!(ask(&api, &known, VIEWER).await.status, StatusCode::OK);
    let from = |address: &str, request: Builder| request.extension(Peer(address.parse::<IpAddr>().unwrap()));
    let tries = async |address: &str, code: &str| {
        send(&api, from(address, posts("/session")), json!({ "code": code }).to_string()).await
    };
    let asks = async |address: &str, cookie: &str| {
        send(&api, from(address, posts("/graphql").header(COOKIE, cookie)), VIEWER).await
    };
    for _ in 0..5 {
        assert_problem(&tries("203.0.113.1", "wrong").await, 401, "unauthenticated");
        assert_problem(&asks("203.0.113.1", "charter_session=wrong").await, 401, "unauthenticated");
    }
    for reply in [tries("203.0.113.1", &good).await, asks("203.0.113.1", "charter_session=wrong").await] {
        assert_problem(&reply, 429, "too-many");
        assert_eq!(reply.headers[RETRY_AFTER], "1");
    }
    // Whoever has signed in goes on, and other addresses do.
    assert_eq!(asks("203.0.113.1", &known).await.status, StatusCode::OK);
    assert_problem(&tries("203.0.113.2", "wrong").await, 401, "unauthenticated");
    api.test.clock.advance(Duration::from_secs(1));
    assert_eq!(tries("203.0.113.1", &good).await.status, StatusCode::NO_CONTENT);
}

/// The page shows what a token of the same principal would show, byte for byte, of hidden and of missing products.
#[tokio::test]
async fn hidden_equals_missing_for_the_page() {
    let api = start().await;
    let owner = api.test.domain("shop").await;
    let hidden = documents("shop", "payroll", "confidential");
    let asked = async |cookie: &str, name: &str| {
        let body = json!({ "documentId": "product", "variables": { "name": name } }).to_string();
        let reply = ask(&api, cookie, &body).await;
        (reply.status, reply.bytes)
    };
    let cookie = signed_in(&api, "reader").await;
    let before = asked(&cookie, "payroll").await;
    api.test.publish(&owner, "shop", &hidden).await;
    assert_eq!(asked(&cookie, "payroll").await, before);
    assert_eq!(asked(&cookie, "nothing").await, before);
    let owner = signed_in(&api, "owner-shop").await;
    assert_ne!(asked(&owner, "payroll").await, before, "it is there");
}
