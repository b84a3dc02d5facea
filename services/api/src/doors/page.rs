//! The web page: its files, and the page itself at every other path that a browser opens.
//!
//! All of it is static bytes, the same for every caller. A file is found by its exact path. Files in `/assets` have their
//! digest in their name and are cached for ever; everything else is asked for again each time.

use std::sync::Arc;

use ::page::File;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use axum::response::Response;
use futures::future::BoxFuture;
use http_base::problem::Problem;
use http_base::request::PageFile;

use crate::server::Server;

/// What the page may load and do: nothing that is not of this server, no script or style in the text, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const EACH_TIME: &str = "no-cache";
/// The longest path of a page.
const MAX_PATH_BYTES: usize = 2_048;
const NOT_FOUND: Problem = Problem::NotFound("the GraphQL API is at `/graphql`");

/// Answers `GET /assets/...`.
pub(crate) async fn asset(
    State(server): State<Arc<Server>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let file = server.web.page.file(uri.path()).ok_or(NOT_FOUND)?;
    Ok(answer(file, &method, &headers, FOR_EVER))
}

/// Answers where no route does: with a file, or with the page for a browser at a path that is no door's.
pub(crate) fn fallback(
    claimed: Vec<&'static str>,
) -> impl Fn(State<Arc<Server>>, Method, Uri, HeaderMap) -> BoxFuture<'static, Result<Response, Problem>> + Clone {
    let claimed: Arc<[&str]> = claimed.into();
    move |State(server), method, uri, headers| {
        let claimed = Arc::clone(&claimed);
        Box::pin(async move {
            if method != Method::GET && method != Method::HEAD {
                return Err(NOT_FOUND);
            }
            let page = &server.web.page;
            let is_of_door = uri.path().split('/').nth(1).is_some_and(|first| claimed.contains(&first));
            match page.file(uri.path()) {
                Some(file) if !is_of_door => Ok(answer(file, &method, &headers, EACH_TIME)),
                Some(_) | None if is_of_door || !is_plain(uri.path()) || !accepts_html(&headers) => Err(NOT_FOUND),
                Some(_) | None => Ok(answer(page.index(), &method, &headers, EACH_TIME)),
            }
        })
    }
}

/// Whether a path is one that the page makes: nothing in it can be read in two ways.
fn is_plain(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let is_ambiguous = |segment: &str| {
        matches!(segment, "" | "." | "..")
            || ["%2e", "%2f", "%5c", "%00", "\\", ";"].iter().any(|part| segment.contains(part))
    };
    path.len() <= MAX_PATH_BYTES && (path == "/" || lower.split('/').skip(1).all(|segment| !is_ambiguous(segment)))
}

/// Whether a request asks for HTML in so many words, as a browser does that opens a page.
fn accepts_html(headers: &HeaderMap) -> bool {
    weights(headers, &ACCEPT).any(|(name, weight)| name == "text/html" && weight > 0.0)
}

/// The names in a header with their weights (RFC 9110, section 12.4.2), in lower case. One whose weight cannot be read is not
/// wanted.
fn weights<'a>(headers: &'a HeaderMap, header: &HeaderName) -> impl Iterator<Item = (String, f32)> + 'a {
    let values = headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|text| text.split(',')).map(|choice| {
        let mut parts = choice.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        (name, weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)))
    })
}

/// The smallest variant of a file that a client takes, with the name of its encoding.
fn variant(file: &File, headers: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
    let accepted: Vec<_> = weights(headers, &ACCEPT_ENCODING).collect();
    let takes = |encoding: &str| {
        let named = accepted
            .iter()
            .find(|(name, _)| name == encoding)
            .or_else(|| accepted.iter().find(|(name, _)| name == "*"));
        named.is_some_and(|(_, weight)| *weight > 0.0)
    };
    let compressed = [("br", file.brotli), ("gzip", file.gzip)];
    let chosen =
        compressed.into_iter().find_map(|(encoding, bytes)| Some((encoding, bytes.filter(|_| takes(encoding))?)));
    chosen.map_or((None, file.plain), |(encoding, bytes)| (Some(encoding), bytes))
}

fn answer(file: &File, method: &Method, headers: &HeaderMap, caching: &'static str) -> Response {
    let (encoding, bytes) = variant(file, headers);
    let body = if method == Method::HEAD { Body::empty() } else { Body::from(Bytes::from_static(bytes)) };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.media_type));
    headers.insert(VARY, HeaderValue::from_static("accept, accept-encoding"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response.extensions_mut().insert(PageFile { caching, policy: POLICY });
    response
}
