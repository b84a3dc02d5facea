//! The web page: its files, negotiated and cached, and the page itself at every path that is no door's.

use std::collections::HashMap;

use api::{Limits, Web};
use axum::body::Body;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_base::site::Site;
use page::{File, Page};
use serde_json::json;
use testkit::app::TestApp;

use crate::support::{Api, Reply};

const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

fn file(path: &'static str, media_type: &'static str, plain: &'static [u8]) -> File {
    File { path, media_type, plain, brotli: None, gzip: None }
}

/// A page with a script in three variants, and two documents.
pub(crate) fn web() -> Web {
    let files = [
        file("/index.html", "text/html; charset=utf-8", b"<!doctype html><title>page</title>"),
        File {
            brotli: Some(b"brotli"),
            gzip: Some(b"gzip"),
            ..file("/assets/main.js", "text/javascript; charset=utf-8", b"plain script")
        },
        file("/favicon.svg", "image/svg+xml", b"<svg/>"),
        file("/health/page.html", "text/html; charset=utf-8", b"never served: the path is a door's"),
    ];
    let documents = [
        ("viewer", "{ viewer { principal { subject } } }"),
        ("create", "mutation($path: String!) { createDomain(input: { path: $path }) { __typename } }"),
        ("product", "query($name: String!) { product(domain: \"shop\", name: $name) { name } }"),
    ];
    let documents: HashMap<String, String> =
        documents.into_iter().map(|(digest, text)| (digest.to_owned(), text.to_owned())).collect();
    Web { site: Site::default(), page: Page::new(&files, documents) }
}

async fn served() -> Api {
    Api::serving(TestApp::start().await, &Limits::default(), web())
}

async fn get(api: &Api, path: &str, headers: &[(&str, &str)]) -> Reply {
    ask(api, Method::GET, path, headers).await
}

async fn ask(api: &Api, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    api.send(request.body(Body::empty()).expect("a request")).await
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().expect("text"))
}

#[tokio::test]
async fn a_browser_gets_the_page_at_every_path_of_its_own() {
    let api = served().await;
    for path in ["/", "/search?q=a/../b", "/sign-in", "/products/shop.orders", "/products/a%20b", "/index.htm"] {
        let reply = get(&api, path, &[("accept", HTML)]).await;
        assert_eq!((reply.status, reply.bytes.starts_with(b"<!doctype")), (StatusCode::OK, true), "{path}");
        for (name, value) in [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CACHE_CONTROL, "no-cache"),
            (CONTENT_SECURITY_POLICY, POLICY),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
            (VARY, "accept, accept-encoding"),
        ] {
            assert_eq!(header(&reply.headers, name.as_str()), Some(value), "{path}");
            assert_eq!(reply.headers.get_all(&name).iter().count(), 1, "{path}: {name}");
        }
        assert_eq!(header(&reply.headers, "cross-origin-opener-policy"), Some("same-origin"));
    }
}

#[tokio::test]
async fn whoever_asks_for_no_html_gets_the_answer_of_before() {
    let api = served().await;
    for accept in
        [None, Some("*/*"), Some("application/json"), Some("text/html;q=0"), Some("text/html;q=x"), Some("text/*")]
    {
        let headers: Vec<(&str, &str)> = accept.iter().map(|accept| ("accept", *accept)).collect();
        for path in ["/", "/search"] {
            let reply = get(&api, path, &headers).await;
            assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::NOT_FOUND, "not-found"), "{accept:?}");
            assert_eq!(header(&reply.headers, "cache-control"), Some("no-store"));
            assert_ne!(header(&reply.headers, "content-security-policy"), Some(POLICY));
        }
    }
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        let reply = ask(&api, method.clone(), "/search", &[("accept", HTML)]).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{method}");
    }
}

#[tokio::test]
async fn paths_of_doors_and_paths_with_two_readings_are_not_the_page() {
    let api = served().await;
    let paths = [
        "/graphql/",
        "/graphql/x",
        "/health/x",
        "/health/page.html",
        "/ready/",
        "/api",
        "/api/v2",
        "/session/x",
        "/assets",
        "/assets/",
        "/assets/other.js",
        "/assets/main.js/",
        "/assets//main.js",
        "/assets/../index.html",
        "/assets/%2e%2e/index.html",
        "/assets/..%2findex.html",
        "/assets/main%2ejs",
        "/assets/MAIN.JS",
        "/../etc/passwd",
        "/./search",
        "/a/../search",
        "/%2e%2e/search",
        "/a/%2E%2e/b",
        "/a%2fb",
        "/a%5cb",
        "/a%00",
        "//search",
        "/search//",
        "/search/",
        "/a;b",
        "//",
    ];
    for path in paths {
        let reply = get(&api, path, &[("accept", HTML)]).await;
        assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::NOT_FOUND, "not-found"), "{path}");
    }
    for (path, status) in [("/graphql", 405), ("/session", 405), ("/registry", 401), ("/registry/x", 401)] {
        assert_eq!(get(&api, path, &[("accept", HTML)]).await.status, status, "{path}");
    }
    let long = format!("/{}", "a".repeat(2_048));
    assert_eq!(get(&api, &long, &[("accept", HTML)]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&api, &long[..2_048], &[("accept", HTML)]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn files_are_served_in_the_variant_that_the_client_takes() {
    let api = served().await;
    for (accepted, encoding, bytes) in [
        (None, None, "plain script"),
        (Some("gzip, deflate, br, zstd"), Some("br"), "brotli"),
        (Some("gzip, deflate"), Some("gzip"), "gzip"),
        (Some("br;q=0, gzip;q=0.1"), Some("gzip"), "gzip"),
        (Some("BR"), Some("br"), "brotli"),
        (Some("*"), Some("br"), "brotli"),
        (Some("*, br;q=0"), Some("gzip"), "gzip"),
        (Some("*;q=0"), None, "plain script"),
        (Some("identity"), None, "plain script"),
        (Some("br;q=nonsense"), None, "plain script"),
        (Some("brotli"), None, "plain script"),
    ] {
        let headers: Vec<(&str, &str)> = accepted.iter().map(|value| (ACCEPT_ENCODING.as_str(), *value)).collect();
        for method in [Method::GET, Method::HEAD] {
            let reply = ask(&api, method.clone(), "/assets/main.js", &headers).await;
            assert_eq!(reply.status, StatusCode::OK);
            let expected = if method == Method::GET { bytes } else { "" };
            assert_eq!(String::from_utf8_lossy(&reply.bytes), expected, "{method} {accepted:?}");
            assert_eq!(header(&reply.headers, CONTENT_ENCODING.as_str()), encoding, "{accepted:?}");
            assert_eq!(header(&reply.headers, CONTENT_LENGTH.as_str()), Some(&*bytes.len().to_string()), "{method}");
            assert_eq!(header(&reply.headers, CACHE_CONTROL.as_str()), Some("public, max-age=31536000, immutable"));
            assert_eq!(header(&reply.headers, CONTENT_TYPE.as_str()), Some("text/javascript; charset=utf-8"));
            assert_eq!(header(&reply.headers, X_CONTENT_TYPE_OPTIONS.as_str()), Some("nosniff"));
            assert_eq!(header(&reply.headers, VARY.as_str()), Some("accept, accept-encoding"));
        }
    }
    let icon = get(&api, "/favicon.svg", &[]).await;
    assert_eq!((icon.status, header(&icon.headers, "cache-control")), (StatusCode::OK, Some("no-cache")));
    let page = ask(&api, Method::HEAD, "/search", &[(ACCEPT.as_str(), HTML)]).await;
    assert_eq!((page.status, page.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(ask(&api, Method::POST, "/assets/main.js", &[]).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_server_without_the_page_says_how_to_build_it() {
    let api = Api::start().await;
    let reply = get(&api, "/", &[("accept", HTML)]).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(String::from_utf8_lossy(&reply.bytes).contains("make page build"));
    assert_eq!(header(&reply.headers, "content-security-policy"), Some(POLICY));
}

/// The page that is built into the program asks only what the server understands and is willing to run.
#[tokio::test]
async fn every_document_of_the_page_is_within_the_limits_and_fits_the_schema() {
    let page = Page::embedded().expect("the page");
    let web = Web { site: Site::default(), page: page.clone() };
    let api = Api::serving(TestApp::start().await, &Limits::default(), web);
    let token = api.test.token("admin").await;
    for (digest, text) in page.documents() {
        let reply = api.post(&token, json!({ "documentId": digest, "variables": {} }).to_string()).await;
        assert_eq!(reply.status, StatusCode::OK, "{text}");
        // Without its variables it may go no further.
        for error in reply.json()["errors"].as_array().unwrap_or(&Vec::new()) {
            let message = error["message"].as_str().expect("a message");
            let is_wrong = ["Unknown", "too complex", "too deep", "at most", "Cannot query", "expected"];
            assert!(!is_wrong.iter().any(|wrong| message.contains(wrong)), "{message}: {text}");
        }
    }
}
