//! The body of a GraphQL request: read within its limit, and parsed so that no key counts twice.

use std::fmt;

use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Value, Variables};
use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use futures::StreamExt;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::problem::Problem;

/// A GraphQL request (GraphQL over HTTP, `application/json`); `extensions` are for others and not looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sent {
    pub(crate) query: String,
    #[serde(default)]
    pub(crate) operation_name: Option<String>,
    #[serde(default)]
    variables: Option<Once>,
}

impl Sent {
    /// Parses a body.
    ///
    /// # Errors
    /// [`Problem::InvalidRequest`] for what is not one request: other JSON, a batch, bad UTF-8, a key that is there
    /// twice, NUL in a text.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        // A derived struct would read an array, too: as its fields in order.
        if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            let detail = "send one JSON object with `query`; batches are not taken";
            return Err(Problem::InvalidRequest(detail.to_owned()));
        }
        serde_json::from_slice(bytes).map_err(|error| Problem::InvalidRequest(error.to_string()))
    }

    /// Takes the variables out.
    ///
    /// # Errors
    /// [`Problem::InvalidRequest`] if they are not an object.
    pub(crate) fn take_variables(&mut self) -> Result<Variables, Problem> {
        match self.variables.take().map(|once| once.0) {
            None | Some(Value::Null) => Ok(Variables::default()),
            Some(object @ Value::Object(_)) => Ok(Variables::from_value(object)),
            Some(_) => Err(Problem::InvalidRequest("`variables` must be an object".to_owned())),
        }
    }
}

/// Goes on only if the body is plain JSON. A form, which a foreign page can send, never is.
///
/// # Errors
/// [`Problem::UnsupportedMediaType`].
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(media_type), None) = (types.next(), types.next()) else { return Err(Problem::UnsupportedMediaType) };
    let media_type = media_type.to_str().map_err(|_| Problem::UnsupportedMediaType)?.to_ascii_lowercase();
    let mut parts = media_type.split(';').map(str::trim);
    let is_json = parts.next() == Some("application/json")
        && parts.all(|parameter| matches!(parameter, "charset=utf-8" | "charset=\"utf-8\""));
    if is_json && !headers.contains_key(CONTENT_ENCODING) { Ok(()) } else { Err(Problem::UnsupportedMediaType) }
}

/// Reads on from what was read before, until the end or more than `limit_bytes`; `true` at the end.
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
            Some(Err(_)) => return Err(Problem::InvalidRequest("the body broke off".to_owned())),
        }
    }
    Ok(false)
}

/// The stream of a body.
pub(crate) fn stream(body: Body) -> axum::body::BodyDataStream {
    body.into_data_stream()
}

/// A JSON value without a key that is there twice and without NUL, which PostgreSQL cannot keep.
struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OnceVisitor).map(Self)
    }
}

struct OnceVisitor;

impl<'de> Visitor<'de> for OnceVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        let number = serde_json::Number::from_f64(value).ok_or_else(|| E::custom("a number is not finite"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Value, E> {
        if text.contains('\0') { Err(E::custom("a text holds the character NUL")) } else { Ok(Value::String(text)) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Once(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = IndexMap::new();
        while let Some(key) = entries.next_key::<String>()? {
            let Once(value) = entries.next_value()?;
            if object.insert(Name::new(&key), value).is_some() {
                let key: String = key.chars().filter(|c| !c.is_control()).take(80).collect();
                return Err(de::Error::custom(format_args!("the key `{key}` is there twice")));
            }
        }
        Ok(Value::Object(object))
    }
}
