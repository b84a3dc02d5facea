//! Everything that a lease does not open, one request each. A case asserts the message of its guard, so that it fails
//! without that guard even where another one still refuses the request. See `docs/gateway-guards.md`.

use std::time::Duration;

use domain::clock::{Clock, SystemClock};

use crate::support::{
    LEASE, ODD_KEY, Request, Signer, TABLE, TestServer, UNKNOWN_LEASE, encoded, object, own_checkpoint,
};

const SIGNATURE: &str = "SignatureDoesNotMatch";
const TOKEN: &str = "exactly one session token, that of the lease, is required";
const NO_FILE: &str = "this lease has no such file";

#[tokio::test]
async fn only_read_methods_are_allowed_and_refusals_are_not_retried() {
    let server = TestServer::start().await;
    for method in ["PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"] {
        let target = if method == "CONNECT" { "server:80".to_owned() } else { object("a.parquet") };
        let request = server.signer(LEASE).sign(method, &target);
        check(&server, method, &request, 403, "this lease is read-only").await;
    }
    let put = server.signer(LEASE).sign("PUT", &object("new.parquet")).body(b"new");
    check(&server, "PUT with a body", &put, 403, "this lease is read-only").await;
    let form = Request::new("POST", "/lake").header("content-type", "multipart/form-data; boundary=x");
    check(&server, "a form", &form.body(b"--x--"), 403, "this lease is read-only").await;
    let upload = server.signer(LEASE).sign("POST", &format!("{}?uploads", object("a.parquet")));
    check(&server, "a multipart upload", &upload, 403, "this lease is read-only").await;
    let disguised = server.signer(LEASE).sign("GET", &object("a.parquet")).header("x-http-method-override", "DELETE");
    assert_eq!(server.send(&disguised).await.status, 200, "a method in a header is ignored");
    assert!(server.root().join("a.parquet").exists());
    assert!(!server.root().join("new.parquet").exists());
}

#[tokio::test]
async fn exactly_one_version_4_signature_in_the_headers_is_required() {
    let server = TestServer::start().await;
    let right = server.signer(LEASE).sign("GET", &object("a.parquet"));
    check(&server, "control", &right, 200, "0123456789").await;

    let anonymous = Request::new("GET", &object("a.parquet"));
    check(&server, "anonymous", &anonymous, 403, "exactly one `Authorization`").await;
    let twice = right.clone().header("authorization", "AWS4-HMAC-SHA256 Credential=x");
    check(&server, "two `Authorization`", &twice, 403, "exactly one `Authorization`").await;
    let version_2 = anonymous.clone().header("authorization", &format!("AWS {LEASE}:c2lnbmF0dXJl"));
    check(&server, "version 2", &version_2, 403, "only `AWS4-HMAC-SHA256`").await;
    let bearer = anonymous.clone().header("authorization", "Bearer AWS4-HMAC-SHA256");
    check(&server, "bearer", &bearer, 403, "only `AWS4-HMAC-SHA256`").await;
    let asymmetric = anonymous.header("authorization", "AWS4-ECDSA-P256-SHA256 Credential=x");
    check(&server, "version 4a", &asymmetric, 403, "only `AWS4-HMAC-SHA256`").await;
}

#[tokio::test]
async fn signatures_in_the_url_are_refused() {
    let server = TestServer::start().await;
    let signer = server.signer(LEASE);
    let message = "credentials in the URL";
    let presigned = signer.presign("GET", &object("a.parquet"));
    let beside = "AWS4-HMAC-SHA256 Credential=x/20130524/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x";
    check(&server, "beside a header", &presigned.clone().header("authorization", beside), 403, message).await;
    check(&server, "alone", &presigned, 403, message).await;
    for query in [
        format!("AWSAccessKeyId={LEASE}&Expires=99999999999&Signature=x"),
        "Signature=x".to_owned(),
        "x-amz-security-token=x".to_owned(),
        "X-Amz-%53ignature=x".to_owned(),
        "%58-Amz-Signature=x".to_owned(),
        "x+=1&X-AMZ-CREDENTIAL=x".to_owned(),
    ] {
        let request = signer.sign("GET", &format!("{}?{query}", object("a.parquet")));
        check(&server, &query, &request, 403, message).await;
    }
}

#[tokio::test]
async fn a_signature_for_another_service_is_refused() {
    let server = TestServer::start().await;
    for service in ["sts", "s3express", "S3", ""] {
        let signer = Signer { service, ..server.signer(LEASE) };
        let message = "not for the service `s3`";
        check(&server, service, &signer.sign("GET", &object("a.parquet")), 403, message).await;
    }
}

#[tokio::test]
async fn payloads_signed_in_chunks_are_refused() {
    let server = TestServer::start().await;
    for payload_hash in [
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
    ] {
        let signer = Signer { payload_hash, ..server.signer(LEASE) };
        let request = signer.sign("GET", &object("a.parquet")).header("x-amz-decoded-content-length", "0");
        check(&server, payload_hash, &request, 403, "payloads signed in chunks").await;
    }
}

#[tokio::test]
async fn a_read_request_must_not_have_a_body() {
    let server = TestServer::start().await;
    let right = server.signer(LEASE).sign("GET", &object("a.parquet"));
    let message = "a read request must not have a body";
    check(&server, "body", &right.clone().body(b"body"), 400, message).await;
    let chunked = right.clone().header("transfer-encoding", "chunked");
    check(&server, "empty chunked body", &chunked.raw_body(b"0\r\n\r\n"), 400, message).await;
    check(&server, "length 0", &right.header("content-length", "0"), 200, "0123456789").await;
}

#[tokio::test]
async fn response_headers_cannot_be_overridden() {
    let server = TestServer::start().await;
    for query in ["response-content-type=text/html", "response-expires=0", "%72esponse-cache-control=public"] {
        let request = server.signer(LEASE).sign("GET", &format!("{}?{query}", object("a.parquet")));
        check(&server, query, &request, 403, "response headers cannot be overridden").await;
    }
}

#[tokio::test]
async fn exactly_one_session_token_is_required() {
    let server = TestServer::start().await;
    let signer = server.signer(LEASE);
    let token = signer.tokens[0].clone();
    let foreign = server.signer(UNKNOWN_LEASE).tokens[0].clone();
    for (case, tokens) in [
        ("missing", vec![]),
        ("empty", vec![String::new()]),
        ("wrong", vec![token.replace(|c: char| c.is_ascii_digit(), "a")]),
        ("shortened", vec![token[..63].to_owned()]),
        ("with more after it", vec![format!("{token}0")]),
        ("in capitals", vec![token.to_uppercase()]),
        ("another lease's", vec![foreign.clone()]),
        ("the secret", vec![signer.secret.clone()]),
        ("twice", vec![token.clone(), token.clone()]),
        ("and a foreign one", vec![token.clone(), foreign.clone()]),
        ("after a foreign one", vec![foreign, token.clone()]),
    ] {
        let signer = Signer { tokens, ..signer.clone() };
        check(&server, case, &signer.sign("GET", &object("a.parquet")), 403, TOKEN).await;
    }
}

#[tokio::test]
async fn the_signature_must_use_the_secret_of_the_lease() {
    let server = TestServer::start().await;
    let right = server.signer(LEASE);
    let target = object("a.parquet");
    for (case, secret) in [("wrong", "x".to_owned()), ("another lease's", server.signer(UNKNOWN_LEASE).secret)] {
        let request = Signer { secret, ..right.clone() }.sign("GET", &target);
        check(&server, case, &request, 403, SIGNATURE).await;
    }
    let other_method = right.sign("GET", &target).method("HEAD");
    assert_eq!(server.send(&other_method).await.status, 403, "a signature covers the method");
    for (case, access_key) in [
        ("not an id", "AKIAIOSFODNN7EXAMPLE".to_owned()),
        ("id in capitals", LEASE.to_string().to_uppercase()),
        ("id without hyphens", LEASE.to_string().replace('-', "")),
        ("id with braces", format!("{{{LEASE}}}")),
    ] {
        let request = Signer { access_key, ..right.clone() }.sign("GET", &target);
        check(&server, case, &request, 403, "not a lease id").await;
    }
    let slash = Signer { access_key: format!("{LEASE}/x"), ..right.clone() }.sign("GET", &target);
    check(&server, "id with a slash", &slash, 403, "not for the service `s3`").await;
}

#[tokio::test]
async fn a_signature_is_valid_for_fifteen_minutes() {
    let server = TestServer::start().await;
    let now = SystemClock.now();
    for (case, at, status) in [
        ("14 minutes ago", now.minus(minutes(14)), 200),
        ("in 14 minutes", now.plus(minutes(14)), 200),
        ("16 minutes ago", now.minus(minutes(16)), 403),
        ("in 16 minutes", now.plus(minutes(16)), 403),
    ] {
        let request = Signer { at, ..server.signer(LEASE) }.sign("GET", &object("a.parquet"));
        assert_eq!(server.send(&request).await.status, status, "{case}");
    }
}

#[tokio::test]
async fn no_spelling_of_a_key_escapes_the_file_list() {
    let server = TestServer::start().await;
    let table = format!("/lake/{TABLE}");
    check(&server, "control", &signed(&server, &object(ODD_KEY)), 200, "odd").await;
    for target in [
        format!("{table}/../table2/secret.parquet"),
        format!("{table}/nested/../a.parquet"),
        format!("{table}/./a.parquet"),
        format!("{table}/%2e%2e/table2/secret.parquet"),
        format!("{table}/%2e%2e%2ftable2%2fsecret.parquet"),
        format!("{table}/nested/%2e%2e/a.parquet"),
        format!("{table}/%252e%252e/table2/secret.parquet"),
        format!("{table}/nested//b.parquet"),
        format!("{table}//a.parquet"),
        format!("{table}/a.parquet/"),
        format!("{table}/a.parquet%00"),
        format!("{table}/%00"),
        format!("{table}/*"),
        format!("{table}/?.parquet").replace('?', "%3F"),
        format!("{table}/a.*"),
        format!("{table}/A.PARQUET"),
        format!("{table}/a.parque"),
        format!("{table}/nested"),
        format!("{table}/nested/"),
        format!("{table}/"),
        table.clone(),
        "/lake//etc/passwd".to_owned(),
        "/lake/etc/passwd".to_owned(),
        format!("{table}//etc/passwd"),
        format!("{table}/link.parquet"),
        format!("{table}/linked/secret.parquet"),
        format!("{table}/bad.parquet"),
        format!("/lake/{TABLE}2/secret.parquet"),
        "/lake/table/a.parquet".to_owned(),
        "/lake/table2/secret.parquet".to_owned(),
        format!("/lake/{}/a.parquet", TABLE.to_string().to_uppercase()),
        format!("/lake/{}/a.parquet", TABLE.to_string().replace('-', "")),
        format!("/lake/{}/a.parquet", UNKNOWN_LEASE),
    ] {
        check(&server, &target, &signed(&server, &target), 404, NO_FILE).await;
        let head = server.ask("HEAD", &target).await;
        assert_eq!((head.status, head.body.len()), (404, 0), "HEAD {target}");
    }
    for (target, code) in [
        (format!("{table}/{}", "k".repeat(1_100)), "KeyTooLongError"),
        (format!("//{TABLE}/a.parquet"), "InvalidBucketName"),
        (format!("/*/{TABLE}/a.parquet"), "InvalidBucketName"),
        (format!("/../{TABLE}/a.parquet"), "InvalidBucketName"),
        (format!("{table}/%ff"), "InvalidURI"),
    ] {
        check(&server, &target, &signed(&server, &target), 400, code).await;
    }
    let other_bucket = format!("/lakes/{TABLE}/a.parquet");
    check(&server, "another bucket", &signed(&server, &other_bucket), 404, "NoSuchBucket").await;
}

#[tokio::test]
async fn only_our_own_checkpoint_of_a_delta_log_is_served() {
    let server = TestServer::start().await;
    let own = server.ask("GET", &object(&own_checkpoint())).await;
    assert_eq!((own.status, own.text().as_str()), (200, "our own checkpoint"), "not the one in the table's folder");
    for name in [
        "00000000000000000002.json",
        "00000000000000000001.json",
        "00000000000000000002.crc",
        "00000000000000000001.checkpoint.parquet",
        "_last_checkpoint",
        "",
    ] {
        let target = object(&format!("_delta_log/{name}"));
        check(&server, name, &signed(&server, &target), 404, NO_FILE).await;
    }
}

#[tokio::test]
async fn listings_stay_within_the_lease() {
    let server = TestServer::start().await;
    for prefix in [
        "..",
        "../",
        "*",
        "table",
        "table2/",
        &format!("{TABLE}/../"),
        &format!("{TABLE}/*"),
        &format!("{TABLE}/bad"),
        &format!("{TABLE}/link"),
        &format!("{TABLE}2/"),
        &format!("{TABLE}/_delta_log/00000000000000000001"),
        &UNKNOWN_LEASE.to_string(),
        "\0",
    ] {
        let answer = server.ask("GET", &format!("/lake?list-type=2&prefix={}", encoded(prefix, false))).await;
        assert_eq!((answer.status, answer.elements("Key").len()), (200, 0), "{prefix}");
        assert_eq!(answer.elements("KeyCount"), ["0"], "{prefix}");
    }
    for (query, status) in [
        ("continuation-token=%2e%2e", 400),
        ("continuation-token=ff", 400),
        ("continuation-token=2E", 400),
        ("max-keys=-1", 400),
        ("max-keys=x", 400),
        ("encoding-type=gzip", 400),
    ] {
        assert_eq!(server.ask("GET", &format!("/lake?list-type=2&{query}")).await.status, status, "{query}");
    }
    assert_eq!(server.ask("GET", "/lakes?list-type=2").await.status, 404);
}

#[tokio::test]
async fn other_operations_are_not_implemented() {
    let server = TestServer::start().await;
    let file = object("a.parquet");
    for target in [
        "/".to_owned(),
        "/lake".to_owned(),
        "/lake?acl".to_owned(),
        "/lake?policy".to_owned(),
        "/lake?versioning".to_owned(),
        "/lake?versions".to_owned(),
        "/lake?uploads".to_owned(),
        format!("{file}?acl"),
        format!("{file}?tagging"),
        format!("{file}?torrent"),
        format!("{file}?retention"),
        format!("{file}?versionId=1"),
        format!("{file}?partNumber=1"),
    ] {
        assert_eq!(server.ask("GET", &target).await.status, 501, "{target}");
    }
}

async fn check(server: &TestServer, case: &str, request: &Request, status: u16, message: &str) {
    let answer = server.send(request).await;
    assert_eq!(answer.status, status, "{case}: {}", answer.text());
    assert!(answer.text().contains(message), "{case}: {}", answer.text());
}

fn signed(server: &TestServer, target: &str) -> Request {
    server.signer(LEASE).sign("GET", target)
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}
