//! The body of a GraphQL request: read within its limit, and parsed without repeated keys.

use async_graphql::Variables;
use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use domain::json::{self, Limits};
use futures::StreamExt;
use http_base::problem::Problem;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A GraphQL request (GraphQL over HTTP, `application/json`); `extensions` are ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GraphQlRequest {
    pub(crate) query: String,
    #[serde(default)]
    pub(crate) operation_name: Option<String>,
    #[serde(default)]
    variables: Option<Strict>,
}

impl GraphQlRequest {
    /// Parses a body.
    ///
    /// # Errors
    /// [`Problem::InvalidRequest`] for anything but one request: other JSON, a batch, invalid UTF-8, a repeated key, NUL in
    /// a string.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        // A derived struct also accepts an array, as its fields in order.
        if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            let detail = "send one JSON object with `query`; batches are not supported";
            return Err(Problem::InvalidRequest(detail.to_owned()));
        }
        serde_json::from_slice(bytes).map_err(|error| Problem::InvalidRequest(error.to_string()))
    }

    /// Takes the variables out.
    ///
    /// # Errors
    /// [`Problem::InvalidRequest`] if they are not an object.
    pub(crate) fn take_variables(&mut self) -> Result<Variables, Problem> {
        match self.variables.take().map(|variables| variables.0) {
            None | Some(Value::Null) => Ok(Variables::default()),
            Some(object @ Value::Object(_)) => Ok(Variables::from_json(object)),
            Some(_) => Err(Problem::InvalidRequest("`variables` must be an object".to_owned())),
        }
    }
}

/// Requires a plain JSON body: a page of another origin can send a form, but not JSON.
///
/// # Errors
/// [`Problem::UnsupportedMediaType`].
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let wrong = Problem::UnsupportedMediaType("send `Content-Type: application/json`, in UTF-8 and not compressed");
    let (Some(media_type), None) = (types.next(), types.next()) else { return Err(wrong) };
    let Ok(media_type) = media_type.to_str().map(str::to_ascii_lowercase) else { return Err(wrong) };
    let mut parts = media_type.split(';').map(str::trim);
    let is_json = parts.next() == Some("application/json")
        && parts.all(|parameter| matches!(parameter, "charset=utf-8" | "charset=\"utf-8\""));
    if is_json && !headers.contains_key(CONTENT_ENCODING) { Ok(()) } else { Err(wrong) }
}

/// Appends to `read` until the end of the body or more than `limit_bytes`; `true` at the end.
///
/// # Errors
/// [`Problem::InvalidRequest`] if the connection breaks.
pub(crate) async fn read(
    body: &mut axum::body::BodyDataStream,
    read: &mut Vec<u8>,
    limit_bytes: usize,
) -> Result<bool, Problem> {
    while read.len() <= limit_bytes {
        match body.next().await {
            None => return Ok(true),
            Some(Ok(chunk)) => read.extend_from_slice(&chunk),
            Some(Err(_)) => return Err(Problem::InvalidRequest("the body is incomplete".to_owned())),
        }
    }
    Ok(false)
}

/// The stream of a body.
pub(crate) fn stream(body: Body) -> axum::body::BodyDataStream {
    body.into_data_stream()
}

/// Variables without a repeated key.
struct Strict(serde_json::Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // `serde_json` bounds the depth, and the size of the body the number of values.
        let limits = Limits { depth: usize::MAX, n_values: usize::MAX, allows_nul: false };
        json::read(deserializer, limits, None).map(Self)
    }
}
