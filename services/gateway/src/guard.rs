//! Refusals before `s3s` sees a request.
//!
//! `s3s` supports all of S3: signatures in the query or of version 2, scopes of other services, payloads signed in chunks,
//! bodies, and headers overridden by the query. A lease needs none of it, so each is refused here, whatever `s3s` would do
//! with it (`docs/rules.md`, "Gateway"). Each guard has a test that fails without it; `docs/gateway-guards.md`
//! lists them.

use domain::id::LeaseId;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, Method};
use s3s::{S3Error, S3ErrorCode};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const PAYLOAD_HASH: &str = "x-amz-content-sha256";

/// Query parameters that carry credentials, besides those that begin with `x-amz-`; in lower case.
const QUERY_CREDENTIALS: [&str; 4] = ["awsaccesskeyid", "signature", "expires", "security-token"];

/// Lets a request through to `s3s`. `has_body` tells whether its head announces a body.
///
/// # Errors
/// The answer to give instead: 403, or 400 for a request that contradicts itself.
pub(crate) fn check(head: &Parts, has_body: bool) -> Result<(), S3Error> {
    read_only(&head.method)?;
    no_body(has_body)?;
    no_query_credentials(head.uri.query().unwrap_or_default())?;
    no_overrides(head.uri.query().unwrap_or_default())?;
    one_signature(&head.headers)?;
    whole_payload(&head.headers)
}

/// The lease that the request claims to act under, unverified, for the log.
pub(crate) fn claimed_lease(headers: &HeaderMap) -> Option<LeaseId> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    value.split_once("Credential=")?.1.split_once('/')?.0.parse().ok()
}

fn denied(message: &'static str) -> S3Error {
    S3Error::with_message(S3ErrorCode::AccessDenied, message)
}

/// Clients retry a 501 for seconds and never retry a 403.
fn read_only(method: &Method) -> Result<(), S3Error> {
    if matches!(*method, Method::GET | Method::HEAD) { Ok(()) } else { Err(denied("this lease is read-only")) }
}

fn no_body(has_body: bool) -> Result<(), S3Error> {
    if has_body {
        return Err(S3Error::with_message(S3ErrorCode::InvalidRequest, "a read request must not have a body"));
    }
    Ok(())
}

/// Presigned requests, of version 2 and 4. Names are decoded as `s3s` decodes them.
fn no_query_credentials(query: &str) -> Result<(), S3Error> {
    let carries = |name: &str| name.starts_with("x-amz-") || QUERY_CREDENTIALS.contains(&name);
    if names(query).any(|name| carries(&name)) {
        return Err(denied("credentials in the URL are not accepted: sign the headers"));
    }
    Ok(())
}

/// `response-content-type` and the like, which would let a URL decide how a browser interprets the answer.
fn no_overrides(query: &str) -> Result<(), S3Error> {
    if names(query).any(|name| name.starts_with("response-")) {
        return Err(denied("response headers cannot be overridden"));
    }
    Ok(())
}

fn names(query: &str) -> impl Iterator<Item = String> {
    url::form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name.to_ascii_lowercase())
}

/// Exactly one signature, of version 4, for S3: of two, the one that is checked may not be the one that a proxy has seen.
fn one_signature(headers: &HeaderMap) -> Result<(), S3Error> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(denied("exactly one `Authorization` header is required"));
    };
    let fields = value.to_str().ok().and_then(|value| value.strip_prefix(ALGORITHM)).filter(|f| f.starts_with(' '));
    let Some(fields) = fields else {
        return Err(denied("only `AWS4-HMAC-SHA256` signatures are accepted"));
    };
    if scope_service(fields) != Some("s3") {
        return Err(denied("the signature is not for the service `s3`"));
    }
    Ok(())
}

/// The service in a credential of the form `<id>/<date>/<region>/<service>/aws4_request`.
fn scope_service(fields: &str) -> Option<&str> {
    let credential = fields.trim_start().strip_prefix("Credential=")?.split(',').next()?;
    let parts: Vec<&str> = credential.trim_end().split('/').collect();
    match parts[..] {
        [_, _, _, service, "aws4_request"] => Some(service),
        _ => None,
    }
}

fn whole_payload(headers: &HeaderMap) -> Result<(), S3Error> {
    let streaming = |hash: &[u8]| hash.to_ascii_uppercase().starts_with(b"STREAMING-");
    if headers.get_all(PAYLOAD_HASH).iter().any(|hash| streaming(hash.as_bytes())) {
        return Err(denied("payloads signed in chunks are not accepted"));
    }
    Ok(())
}
