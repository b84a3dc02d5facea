//! JSON parsing with limits, for foreign schemas.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::Problem;
use crate::node::shortened;

/// The deepest nesting of a source in JSON.
const MAX_DEPTH: usize = 96;
/// The most values of a source in JSON.
const MAX_VALUES: usize = 1_000_000;

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
    let left = Cell::new(MAX_VALUES);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Limited { left: &left, depth: 0, wanted }.deserialize(&mut deserializer);
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

struct Limited<'a> {
    left: &'a Cell<usize>,
    depth: usize,
    wanted: Option<&'a [&'a str]>,
}

impl Limited<'_> {
    fn inner(&self) -> Self {
        Self { left: self.left, depth: self.depth + 1, wanted: None }
    }
}

impl<'de> DeserializeSeed<'de> for Limited<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self.left.get();
        if left == 0 {
            return Err(D::Error::custom(format!("the source has more than {MAX_VALUES} values")));
        }
        self.left.set(left - 1);
        if self.depth > MAX_DEPTH {
            return Err(D::Error::custom(format!("values are nested more than {MAX_DEPTH} deep")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Limited<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, boolean: bool) -> Result<Value, E> {
        Ok(Value::Bool(boolean))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("the number is not finite"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self.inner())? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if self.wanted.is_some_and(|wanted| !wanted.contains(&key.as_str())) {
                entries.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = entries.next_value_seed(self.inner())?;
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{}` is given twice", shortened(&key))));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
