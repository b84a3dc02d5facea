//! The path of a request: with the context that the client's base URL names, and with or without a slash at its end.

use axum::extract::{Query, Request};
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// The context that a request's path began with, as `.staging`: what its query names is in it.
#[derive(Clone, Debug)]
pub(super) struct Within(pub(super) String);

/// Reads `/contexts/.staging/subjects/orders/versions/` as `/subjects/:.staging:orders/versions`.
pub(super) async fn read(mut request: Request) -> Request {
    let path = request.uri().path();
    // Most are as they should be.
    if !path.starts_with("/contexts/") && !path.starts_with("//") && !path.ends_with('/') {
        return request;
    }
    let mut steps: Vec<String> = request.uri().path().trim_matches('/').split('/').map(str::to_owned).collect();
    if let [first, context, _, ..] = steps.as_slice()
        && first == "contexts"
    {
        let context = format!(".{}", decoded(context).trim_matches(':').trim_start_matches('.'));
        steps.drain(..2);
        qualify(&mut steps, &encoded(&context));
        request.extensions_mut().insert(Within(context));
    }
    if let Some(uri) = with_path(request.uri(), &format!("/{}", steps.join("/"))) {
        *request.uri_mut() = uri;
    }
    request
}

/// Puts a context before the subject in a path, unless that names one itself.
fn qualify(steps: &mut Vec<String>, context: &str) {
    let is_settings = matches!(steps[0].as_str(), "config" | "mode");
    let subject = if is_settings { Some(1) } else { steps.iter().position(|step| step == "subjects").map(|at| at + 1) };
    match subject {
        Some(at) if at < steps.len() => {
            let subject = decoded(&steps[at]);
            if !subject.starts_with(":.") && !subject.starts_with(":*:") {
                steps[at] = format!(":{context}:{}", steps[at]);
            }
        }
        Some(_) if is_settings => steps.push(format!(":{context}:")),
        _ => {}
    }
}

/// A step of a path without `%XX`: as the value of a query, in which two more characters mean something.
fn decoded(step: &str) -> String {
    let as_value = format!("/?step={}", step.replace('+', "%2B").replace('&', "%26"));
    let read = as_value.parse().ok().and_then(|uri| Query::<Vec<(String, String)>>::try_from_uri(&uri).ok());
    read.and_then(|Query(values)| values.into_iter().next()).map_or_else(|| step.to_owned(), |(_, value)| value)
}

/// A text as a step of a path.
fn encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
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
