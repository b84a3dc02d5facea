//! Custom scalars, and counts as GraphQL integers.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use domain::clock::Timestamp;

/// A point in time, RFC 3339; in UTC in answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DateTime(pub(crate) Timestamp);

#[Scalar]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        // A date alone, or a time without offset, is ambiguous.
        match Timestamp::parse_rfc3339(text) {
            Some(moment) => Ok(Self(moment)),
            None => Err(InputValueError::custom("not RFC 3339, such as `2026-12-31T18:00:00Z`")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl From<Timestamp> for DateTime {
    fn from(moment: Timestamp) -> Self {
        Self(moment)
    }
}

/// An integer that may exceed 32 bits, as a string of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Long(pub(crate) u64);

#[Scalar]
impl ScalarType for Long {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        text.parse().map(Self).map_err(|_| InputValueError::custom("not a string of digits"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A small number, such as a major version.
pub(crate) fn int(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
