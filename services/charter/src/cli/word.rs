//! The spelling of closed sets: `GRANT_MISSING` in the API, `grant.missing` in the domain and on the command line.

use domain::closed_set::ClosedSet;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

/// The API's name of a value.
pub(crate) fn name<T: ClosedSet>(value: T) -> String {
    api::graphql::enum_name(value.as_str())
}

/// Deserializes the API's name.
pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: ClosedSet>(deserializer: D) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    let found = T::ALL.iter().copied().find(|value| name(*value) == text);
    found.ok_or_else(|| D::Error::custom(format!("`{text}` is unknown to this version of `charter`")))
}

/// Serializes the domain's word.
pub(crate) fn serialize<T: ClosedSet, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.as_str())
}
