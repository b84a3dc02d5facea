//! JSON parsing with limits, for foreign schemas.

use std::fmt;

use domain::json::Limits;
use serde_json::Value;

use crate::node::shortened;
use crate::problem::Problem;

/// The limits of a source in JSON.
const LIMITS: Limits = Limits { depth: 96, n_values: 1_000_000, allows_nul: true };

/// Reads one JSON value. A key that is given twice is refused.
///
/// # Errors
/// The first fault of syntax or limits, with its place.
pub(super) fn read(text: &str) -> Result<Value, Problem> {
    read_fields(text, None)
}

/// Reads one JSON value; of an object only these fields, if any are named.
///
/// # Errors
/// As [`read`].
pub(super) fn read_fields(text: &str, wanted: Option<&[&str]>) -> Result<Value, Problem> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = domain::json::read(&mut deserializer, LIMITS, wanted);
    value.and_then(|value| deserializer.end().map(|()| value)).map_err(|error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        let place = |number: usize| u64::try_from(number.max(1)).unwrap_or(u64::MAX);
        let (line, column) = (place(error.line()), place(error.column()));
        Problem { line, column, path: String::new(), message: shortened(message) }
    })
}

/// A step of a JSON pointer (RFC 6901) added to it.
pub(super) fn pointer(path: &str, step: impl fmt::Display) -> String {
    let step = step.to_string();
    format!("{path}/{}", step.replace('~', "~0").replace('/', "~1"))
}
