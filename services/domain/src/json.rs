//! JSON from outside, read within limits: a key that an object has twice is refused, since readers differ in which of the
//! two values they take.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The deepest nesting.
    pub depth: usize,
    /// The most values, counted with those inside of others.
    pub n_values: usize,
    /// Whether texts may contain the character NUL, which PostgreSQL cannot store.
    pub allows_nul: bool,
}

/// Reads one value; of an object at the top, only these fields if any are named.
///
/// # Errors
/// Errors of the deserializer, a repeated key, or a value outside of the limits.
pub fn read<'de, D: Deserializer<'de>>(
    deserializer: D,
    limits: Limits,
    fields: Option<&[&str]>,
) -> Result<Value, D::Error> {
    let n_left = Cell::new(limits.n_values);
    Reader { limits, n_left: &n_left, depth: 0, fields }.deserialize(deserializer)
}

struct Reader<'a> {
    limits: Limits,
    n_left: &'a Cell<usize>,
    depth: usize,
    fields: Option<&'a [&'a str]>,
}

impl Reader<'_> {
    fn inner(&self) -> Self {
        Self { limits: self.limits, n_left: self.n_left, depth: self.depth + 1, fields: None }
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let Limits { depth, n_values, .. } = self.limits;
        let n_left = self.n_left.get().checked_sub(1);
        let n_left = n_left.ok_or_else(|| D::Error::custom(format!("the source has more than {n_values} values")))?;
        self.n_left.set(n_left);
        if self.depth > depth {
            return Err(D::Error::custom(format!("values are nested more than {depth} deep")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
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

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        if !self.limits.allows_nul && text.contains('\0') {
            return Err(E::custom("a string contains the character NUL"));
        }
        Ok(Value::String(text))
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
            if self.fields.is_some_and(|fields| !fields.contains(&key.as_str())) {
                entries.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = entries.next_value_seed(self.inner())?;
            if map.contains_key(&key) {
                let key: String = key.chars().filter(|character| !character.is_control()).take(80).collect();
                return Err(A::Error::custom(format!("duplicate key `{key}`")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
