//! The path of a request: the context in a client's base URL, and a trailing slash.

use std::borrow::Cow;

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode};

/// The context at the beginning of a request's path, such as `.staging`: it also applies to names in the query.
#[derive(Clone, Debug)]
pub(super) struct PathContext(pub(super) String);

/// Rewrites `/contexts/.staging/subjects/orders/versions/` to `/subjects/:.staging:orders/versions`.
pub(super) fn rewrite(mut request: Request) -> Request {
    let path = request.uri().path();
    // Most paths need no change.
    if !path.starts_with("/contexts/") && !path.starts_with("//") && !path.ends_with('/') {
        return request;
    }
    let mut segments: Vec<String> = request.uri().path().trim_matches('/').split('/').map(str::to_owned).collect();
    if let [first, context, _, ..] = segments.as_slice()
        && first == "contexts"
    {
        let context = format!(".{}", decode(context).trim_matches(':').trim_start_matches('.'));
        segments.drain(..2);
        qualify(&mut segments, &encode(&context).to_string());
        request.extensions_mut().insert(PathContext(context));
    }
    if let Some(uri) = with_path(request.uri(), &format!("/{}", segments.join("/"))) {
        *request.uri_mut() = uri;
    }
    request
}

/// Prefixes the subject in a path with a context, unless the subject names one itself.
fn qualify(segments: &mut Vec<String>, context: &str) {
    let is_settings = matches!(segments[0].as_str(), "config" | "mode");
    let subject =
        if is_settings { Some(1) } else { segments.iter().position(|segment| segment == "subjects").map(|at| at + 1) };
    match subject {
        Some(at) if at < segments.len() => {
            let names_context = |subject: &str| subject.starts_with(":.") || subject.starts_with(":*:");
            if !names_context(&decode(&segments[at])) {
                segments[at] = format!(":{context}:{}", segments[at]);
            }
        }
        Some(_) if is_settings => segments.push(format!(":{context}:")),
        _ => {}
    }
}

/// A path segment without percent-encoding.
fn decode(segment: &str) -> Cow<'_, str> {
    percent_decode_str(segment).decode_utf8_lossy()
}

/// The characters of a path segment that need no encoding: the unreserved ones, and the colon of qualified subjects.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~').remove(b':');

fn encode(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, SEGMENT)
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let path_and_query = match uri.query() {
        Some(query) => PathAndQuery::try_from(format!("{path}?{query}")),
        None => PathAndQuery::try_from(path),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query.ok()?);
    Uri::from_parts(parts).ok()
}
