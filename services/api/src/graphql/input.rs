//! Reading inputs: names, addresses, lifetimes and idempotency keys.

use std::time::Duration;

use app::idempotency::Key;
use async_graphql::{InputType, Value};
use domain::name::{Address, DomainPath, Name};

use super::error::{Failure, Result};

/// A domain's path.
///
/// # Errors
/// `INVALID`.
pub(super) fn path(text: &str, field: &'static str) -> Result<DomainPath> {
    text.parse().map_err(|error| Failure::invalid(field, error))
}

/// A name.
///
/// # Errors
/// `INVALID`.
pub(super) fn name(text: &str, field: &'static str) -> Result<Name> {
    text.parse().map_err(|error| Failure::invalid(field, error))
}

/// The address of a product, `domain.product`.
///
/// # Errors
/// `INVALID`.
pub(super) fn product_address(text: &str) -> Result<(DomainPath, Name)> {
    let wrong = || Failure::invalid("product", "use `domain.product`");
    let (domain, product) = text.split_once('.').ok_or_else(wrong)?;
    Ok((path(domain, "product")?, name(product, "product")?))
}

/// The address of a table.
///
/// # Errors
/// `INVALID`.
pub(super) fn address(text: &str) -> Result<Address> {
    text.parse().map_err(|error| Failure::invalid("address", error))
}

/// A lifetime in seconds.
///
/// # Errors
/// `INVALID` for less than one second.
pub(super) fn lifetime(seconds: Option<i32>) -> Result<Option<Duration>> {
    let duration = |seconds: i32| u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs);
    let wrong = || Failure::invalid("lifetimeSeconds", "a lifetime is at least one second");
    seconds.map(|seconds| duration(seconds).ok_or_else(wrong)).transpose()
}

/// The idempotency key of an input, bound to the operation and to everything else in the input.
///
/// # Errors
/// `INVALID` for a key that is not 1 to 128 printable ASCII characters.
pub(super) fn idempotency_key(
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
