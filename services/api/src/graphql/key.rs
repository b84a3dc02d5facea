//! Idempotency keys of inputs.

use app::idempotency::Key;
use async_graphql::{InputType, Value};

use super::error::{Failure, Result};

/// The key that an input carries, bound to the operation and to everything else in the input.
///
/// # Errors
/// `INVALID` for a key that is not 1 to 128 printable ASCII characters.
pub(crate) fn idempotency_key(
    operation: &'static str,
    input: &impl InputType,
    key: Option<&String>,
) -> Result<Option<Key>> {
    let Some(key) = key else { return Ok(None) };
    let mut value = input.to_value();
    if let Value::Object(fields) = &mut value {
        fields.shift_remove("idempotencyKey");
    }
    let bytes = serde_json::to_vec(&value).map_err(|_| Failure::internal())?;
    Ok(Some(Key::new(key.clone(), operation, &bytes)?))
}
