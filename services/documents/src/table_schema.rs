//! Table schemas in JSON to [`Schema`]: those of Iceberg, of Delta and Spark, and typed trees.
//!
//! - Iceberg (specification, Appendix C): `{"type": "struct", "fields": [{"id", "name", "required", "type"}]}`, and table
//!   metadata, of which the current schema and the format version are taken.
//! - Delta and Spark: `{"type": "struct", "fields": [{"name", "type", "nullable", "metadata"}]}`; a `protocol` action
//!   (`minReaderVersion`, `readerFeatures`) may stand beside `fields`.
//! - Typed trees: `{"type": "struct", "nullable", "fields": [{"name", "type": {"type", "nullable", ...}, "default"?}]}`,
//!   with `element` in lists and multisets and `key` and `value` in maps.
//!
//! They are distinguished by where they say whether a field may be null. What is written in one of them and not understood
//! is refused; a type whose name is not known is kept as one that is the same as itself alone.

use std::collections::BTreeSet;

use domain::change::table::{Element, Field, Map, Primitive, Protocol, Schema, Slot, Type};
use domain::error::Kind;
use domain::table::ReaderProtocol;
use serde_json::{Map as Object, Value};

use crate::node::shortened;

/// How deep types may nest.
const MAX_DEPTH: usize = 64;
/// The most fields and types of one schema.
const MAX_NODES: usize = 50_000;

/// A table schema that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSchemaError {
    /// The JSON pointer (RFC 6901) of what is wrong; `/` for the whole.
    pub path: String,
    /// What is wrong, for people.
    pub message: String,
}

impl std::fmt::Display for TableSchemaError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl std::error::Error for TableSchemaError {}

impl TableSchemaError {
    /// What a caller can conclude.
    pub fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// Reads a table schema.
///
/// # Errors
/// [`TableSchemaError`] for the first thing that is wrong.
pub fn parse(schema: &Value) -> Result<Schema, TableSchemaError> {
    let mut reader = Reader { dialect: Dialect::Tree, n_nodes: 0, path: Vec::new() };
    let whole = reader.object(schema)?;
    let (root, format_version) = match whole.get("format-version") {
        Some(version) => (reader.current_schema(whole)?, Some(reader.whole_number(version)?)),
        None => (whole, None),
    };
    let protocol = match (whole.get("protocol"), format_version) {
        (_, Some(version)) => Some(Protocol::Iceberg(version)),
        (Some(protocol), None) => Some(Protocol::Delta(reader.protocol(protocol)?)),
        (None, None) => None,
    };
    if root.get("type").and_then(Value::as_str) != Some("struct") {
        return Err(reader.wrong("a table's schema must be a `struct`"));
    }
    reader.dialect = Dialect::of(root);
    let fields = reader.fields(root, MAX_DEPTH)?;
    Ok(Schema { fields, protocol })
}

/// Whose JSON it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Iceberg,
    Delta,
    Tree,
}

impl Dialect {
    fn of(root: &Object<String, Value>) -> Self {
        let first = root.get("fields").and_then(|fields| fields.get(0)).and_then(Value::as_object);
        let has = |key: &str| first.is_some_and(|field| field.contains_key(key));
        if has("required") {
            Self::Iceberg
        } else if has("nullable") || has("metadata") {
            Self::Delta
        } else {
            Self::Tree
        }
    }
}

struct Reader {
    dialect: Dialect,
    n_nodes: usize,
    path: Vec<String>,
}

type Result<T, E = TableSchemaError> = std::result::Result<T, E>;

impl Reader {
    fn wrong(&self, message: impl Into<String>) -> TableSchemaError {
        TableSchemaError { path: format!("/{}", self.path.join("/")), message: message.into() }
    }

    fn below<T>(&mut self, step: impl Into<String>, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.path.push(step.into());
        let answer = read(self)?;
        self.path.pop();
        Ok(answer)
    }

    fn object<'a>(&self, value: &'a Value) -> Result<&'a Object<String, Value>> {
        value.as_object().ok_or_else(|| self.wrong("an object is expected"))
    }

    fn member<'a>(&self, object: &'a Object<String, Value>, name: &str) -> Result<&'a Value> {
        object.get(name).ok_or_else(|| self.wrong(format!("`{name}` is missing")))
    }

    fn text<'a>(&self, object: &'a Object<String, Value>, name: &str) -> Result<&'a str> {
        self.member(object, name)?.as_str().ok_or_else(|| self.wrong(format!("`{name}` must be a string")))
    }

    fn flag(&self, object: &Object<String, Value>, name: &str) -> Result<bool> {
        self.member(object, name)?.as_bool().ok_or_else(|| self.wrong(format!("`{name}` must be `true` or `false`")))
    }

    fn whole_number<N: TryFrom<i64>>(&self, value: &Value) -> Result<N> {
        let number = value.as_i64().and_then(|number| N::try_from(number).ok());
        number.ok_or_else(|| self.wrong("a whole number in its range is expected"))
    }

    /// A number that may be absent.
    fn number<N: TryFrom<i64>>(&self, object: &Object<String, Value>, name: &str) -> Result<Option<N>> {
        object.get(name).filter(|value| !value.is_null()).map(|value| self.whole_number(value)).transpose()
    }

    /// The current schema of Iceberg table metadata.
    fn current_schema<'a>(&self, metadata: &'a Object<String, Value>) -> Result<&'a Object<String, Value>> {
        let schemas = metadata.get("schemas").and_then(Value::as_array);
        let current = metadata.get("current-schema-id");
        let found = schemas.and_then(|all| all.iter().find(|schema| schema.get("schema-id") == current));
        let found =
            found.or_else(|| metadata.get("schema")).or(metadata.contains_key("fields").then_some(&Value::Null));
        match found {
            Some(Value::Null) => Ok(metadata),
            Some(schema) => self.object(schema),
            None => Err(self.wrong("the metadata has no current schema")),
        }
    }

    fn protocol(&mut self, value: &Value) -> Result<ReaderProtocol> {
        self.below("protocol", |reader| {
            let protocol = reader.object(value)?;
            let version = reader.whole_number(reader.member(protocol, "minReaderVersion")?)?;
            let features: Option<BTreeSet<String>> = match protocol.get("readerFeatures") {
                None | Some(Value::Null) => Some(BTreeSet::new()),
                Some(features) => features
                    .as_array()
                    .and_then(|features| features.iter().map(|feature| feature.as_str().map(str::to_owned)).collect()),
            };
            let features = features.ok_or_else(|| reader.wrong("`readerFeatures` must be a list of strings"))?;
            Ok(ReaderProtocol { version, features })
        })
    }

    fn fields(&mut self, object: &Object<String, Value>, depth: usize) -> Result<Vec<Field>> {
        let fields = self.member(object, "fields")?;
        let fields = fields.as_array().ok_or_else(|| self.wrong("`fields` must be a list"))?;
        let mut names = BTreeSet::new();
        let mut ids = BTreeSet::new();
        let read = |(at, field)| {
            self.below(format!("fields/{at}"), |reader| {
                let field = reader.field(field, depth)?;
                if !names.insert(field.name.clone()) {
                    let name = shortened(&field.name);
                    return Err(reader.wrong(format!("the name `{name}` is already used by another field")));
                }
                if field.id.is_some_and(|id| !ids.insert(id)) {
                    return Err(reader.wrong("the id is already used by another field"));
                }
                Ok(field)
            })
        };
        fields.iter().enumerate().map(read).collect()
    }

    fn field(&mut self, value: &Value, depth: usize) -> Result<Field> {
        let field = self.object(value)?;
        let nothing = Object::new();
        let metadata = field.get("metadata").and_then(Value::as_object).unwrap_or(&nothing);
        let id = match self.dialect {
            Dialect::Iceberg => Some(self.whole_number(self.member(field, "id")?)?),
            Dialect::Delta => self.number(metadata, "delta.columnMapping.id")?,
            Dialect::Tree => self.number(field, "id")?,
        };
        let (default, write_default) = match self.dialect {
            Dialect::Iceberg => (field.get("initial-default"), field.get("write-default")),
            Dialect::Delta => (None, metadata.get("CURRENT_DEFAULT")),
            Dialect::Tree => (field.get("default"), field.get("writeDefault")),
        };
        let name = self.text(field, "name")?.to_owned();
        let written = self.member(field, "type")?;
        // Delta writes `char` and `varchar` as `string`, and keeps what they are beside it.
        let bounded = metadata.get("__CHAR_VARCHAR_TYPE_STRING").and_then(Value::as_str);
        let data_type = match bounded.filter(|_| written == "string") {
            Some(bounded) => Type::Primitive(named(bounded, self.dialect)),
            None => self.below("type", |reader| reader.data_type(written, depth))?,
        };
        let nullable = match self.dialect {
            Dialect::Iceberg => !self.flag(field, "required")?,
            Dialect::Delta => self.flag(field, "nullable")?,
            Dialect::Tree => self.own_nullable(written)?,
        };
        let slot = Slot { data_type, nullable };
        Ok(Field { id, name, slot, default: default.cloned(), write_default: write_default.cloned() })
    }

    /// Whether a type of a typed tree may be null; it may where it does not say.
    fn own_nullable(&self, written: &Value) -> Result<bool> {
        match written.as_object() {
            Some(object) if object.contains_key("nullable") => self.flag(object, "nullable"),
            _ => Ok(true),
        }
    }

    fn data_type(&mut self, value: &Value, depth: usize) -> Result<Type> {
        self.n_nodes += 1;
        if self.n_nodes > MAX_NODES {
            return Err(self.wrong(format!("the schema has more than {MAX_NODES} fields and types")));
        }
        let Some(depth) = depth.checked_sub(1) else {
            return Err(self.wrong(format!("types are nested more than {MAX_DEPTH} deep")));
        };
        if let Some(name) = value.as_str() {
            return Ok(Type::Primitive(named(name, self.dialect)));
        }
        let object = self.object(value)?;
        match self.text(object, "type")? {
            "struct" => Ok(Type::Struct(self.fields(object, depth)?)),
            "list" => {
                let nullable = (self.dialect == Dialect::Iceberg).then(|| self.flag(object, "element-required"));
                let nullable = nullable.transpose()?.map(|required| !required);
                Ok(Type::List(Box::new(self.element(object, "element", "element-id", nullable, depth)?)))
            }
            "array" => {
                let nullable = Some(self.flag(object, "containsNull")?);
                Ok(Type::List(Box::new(self.element(object, "elementType", "", nullable, depth)?)))
            }
            "multiset" if self.dialect == Dialect::Tree => {
                Ok(Type::Multiset(Box::new(self.element(object, "element", "", None, depth)?)))
            }
            "map" => Ok(Type::Map(Box::new(self.map(object, depth)?))),
            name => self.parameterised(name, object).map(Type::Primitive),
        }
    }

    fn map(&mut self, object: &Object<String, Value>, depth: usize) -> Result<Map> {
        Ok(match self.dialect {
            Dialect::Iceberg => {
                let nullable = !self.flag(object, "value-required")?;
                Map {
                    key: self.element(object, "key", "key-id", Some(false), depth)?,
                    value: self.element(object, "value", "value-id", Some(nullable), depth)?,
                }
            }
            Dialect::Delta => {
                let nullable = self.flag(object, "valueContainsNull")?;
                Map {
                    key: self.element(object, "keyType", "", Some(false), depth)?,
                    value: self.element(object, "valueType", "", Some(nullable), depth)?,
                }
            }
            Dialect::Tree => Map {
                key: self.element(object, "key", "", None, depth)?,
                value: self.element(object, "value", "", None, depth)?,
            },
        })
    }

    /// What a list or map holds. `nullable` is `None` where the type below says so itself.
    fn element(
        &mut self,
        object: &Object<String, Value>,
        name: &str,
        id_name: &str,
        nullable: Option<bool>,
        depth: usize,
    ) -> Result<Element> {
        let written = self.member(object, name)?;
        let id = self.number(object, id_name)?;
        let nullable = match nullable {
            Some(nullable) => nullable,
            None => self.own_nullable(written)?,
        };
        let data_type = self.below(name, |reader| reader.data_type(written, depth))?;
        Ok(Element { id, slot: Slot { data_type, nullable } })
    }

    /// A type of a typed tree, with its parameters beside its name.
    fn parameterised(&self, name: &str, object: &Object<String, Value>) -> Result<Primitive> {
        let precision = |default: u8| self.number(object, "precision").map(|precision| precision.unwrap_or(default));
        // A length that is not positive is none.
        let length = || {
            let length: Option<i64> = self.number(object, "length")?;
            let length = length.filter(|length| *length > 0).map(u32::try_from).transpose();
            length.map_err(|_| self.wrong("the length is too large"))
        };
        let fixed = || {
            let length: Option<u32> = self.number(object, "length")?;
            length.ok_or_else(|| self.wrong("`length` is missing"))
        };
        Ok(match name {
            "decimal" => Primitive::Decimal {
                precision: self.whole_number(self.member(object, "precision")?)?,
                scale: self.number(object, "scale")?.unwrap_or(0),
            },
            "varchar" | "string" => Primitive::String { length: length()? },
            "varbinary" | "binary" | "bytes" => Primitive::Binary { length: length()? },
            "char" => Primitive::Char { length: fixed()? },
            "fixed" => Primitive::Fixed { length: fixed()? },
            "time" => Primitive::Time { precision: precision(6)? },
            "timestamp" | "timestamp_ntz" => Primitive::Timestamp { precision: precision(6)?, zoned: false },
            "timestamptz" | "timestamp_ltz" => Primitive::Timestamp { precision: precision(6)?, zoned: true },
            "enum" => {
                let symbols = object.get("symbols").and_then(Value::as_array);
                let symbols = symbols.and_then(|all| all.iter().map(|it| it.as_str().map(str::to_owned)).collect());
                Primitive::Enum { symbols: symbols.ok_or_else(|| self.wrong("`symbols` must be a list of strings"))? }
            }
            name => {
                let known = named(name, self.dialect);
                // The whole value, since it is unknown which part matters.
                if matches!(known, Primitive::Other(_)) { Primitive::Other(without_nullable(object)) } else { known }
            }
        })
    }
}

/// The text of a type that nothing is known of.
fn without_nullable(object: &Object<String, Value>) -> String {
    let mut fields: Vec<_> = object.iter().filter(|(name, _)| *name != "nullable").collect();
    fields.sort_by_key(|(name, _)| *name);
    let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    shortened(&fields.join(", "))
}

/// A type by its name alone: `long`, `decimal(10,2)`, `fixed[16]`.
fn named(name: &str, dialect: Dialect) -> Primitive {
    let arguments = |prefix: &str| {
        let rest = name.strip_prefix(prefix)?.trim().strip_prefix(['(', '['])?.strip_suffix([')', ']'])?;
        rest.split(',').map(|argument| argument.trim().parse::<u32>().ok()).collect::<Option<Vec<_>>>()
    };
    let timestamp = |precision, zoned| Primitive::Timestamp { precision, zoned };
    match name {
        "boolean" => Primitive::Boolean,
        "byte" | "tinyint" => Primitive::Integer { bits: 8 },
        "short" | "smallint" => Primitive::Integer { bits: 16 },
        "int" | "integer" => Primitive::Integer { bits: 32 },
        "long" | "bigint" => Primitive::Integer { bits: 64 },
        "float" => Primitive::Float { bits: 32 },
        "double" => Primitive::Float { bits: 64 },
        "string" => Primitive::String { length: None },
        "binary" | "bytes" => Primitive::Binary { length: None },
        "date" => Primitive::Date,
        "time" => Primitive::Time { precision: 6 },
        // Delta's `timestamp` is a moment, Iceberg's a reading of a clock.
        "timestamp" => timestamp(6, dialect == Dialect::Delta),
        "timestamp_ntz" => timestamp(6, false),
        "timestamptz" | "timestamp_ltz" => timestamp(6, true),
        "timestamp_ns" => timestamp(9, false),
        "timestamptz_ns" => timestamp(9, true),
        "uuid" => Primitive::Uuid,
        "variant" => Primitive::Variant,
        "unknown" | "void" | "null" => Primitive::Unknown,
        _ => {
            if let Some([precision, scale]) = arguments("decimal").as_deref() {
                // A scale is at most a precision, which has two digits.
                return Primitive::Decimal { precision: *precision, scale: i32::try_from(*scale).unwrap_or(i32::MAX) };
            }
            match (arguments("fixed").as_deref(), arguments("varchar").as_deref(), arguments("char").as_deref()) {
                (Some([length]), _, _) => Primitive::Fixed { length: *length },
                (_, Some([length]), _) => Primitive::String { length: Some(*length) },
                (_, _, Some([length])) => Primitive::Char { length: *length },
                _ => Primitive::Other(shortened(name)),
            }
        }
    }
}
