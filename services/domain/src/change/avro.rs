//! Avro schemas, and what is different between two of them for a reader of the new over data written under the old.
//!
//! The rules are those of "Schema Resolution" in the Avro specification as the Java implementation's
//! `SchemaCompatibility` applies them, which is what the Confluent Schema Registry asks:
//!
//! - Named types match by their unqualified names, or by an alias of the reader's; namespaces alone break no reader.
//! - Logical types decide nothing, as in Java. The specification asks for decimals of one precision and scale; a
//!   difference there is reported and marked compatible.
//! - A schema reads what it wrote, whatever its aliases say: a field's own name goes before its aliases, as in Python and
//!   Ruby. Java refuses to look when both are there. Of several aliases that match none is taken.
//! - Java remembers what it concluded while an outer question was open, and so can take a recursive schema for readable
//!   that is not. Here a pair of types is readable if and only if nothing in the whole says otherwise.
//!
//! `docs/avro-disagreements.md` lists all in which Java decides otherwise.
//!
//! [`Schema`] is text-free: `documents` reads it. Begin at [`compare`].

mod compare;
mod difference;

use serde_json::Value;

pub use self::compare::{compare, compare_within};
use crate::closed_set;

closed_set! {
    /// The types without parts.
    Primitive {
        /// No value.
        Null = "null",
        /// A binary value.
        Boolean = "boolean",
        /// 32-bit signed.
        Int = "int",
        /// 64-bit signed.
        Long = "long",
        /// IEEE 754 single precision.
        Float = "float",
        /// IEEE 754 double precision.
        Double = "double",
        /// 8-bit unsigned bytes.
        Bytes = "bytes",
        /// Unicode characters.
        String = "string",
    }
}

closed_set! {
    /// How a field counts when records are sorted.
    Order {
        /// Smaller values first.
        Ascending = "ascending",
        /// Greater values first.
        Descending = "descending",
        /// Not at all.
        Ignore = "ignore",
    }
}

/// A type within one schema: its index there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub usize);

/// A schema: its types, which may name each other in circles, and the one that data begins with.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    types: Vec<Type>,
    root: TypeId,
}

/// A part of a schema names a type that is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the schema has no type {}", .0.0)]
pub struct Dangling(pub TypeId);

/// A type. Every place where an unnamed type is written is a type of its own, so that each has its differences; a named
/// type is one wherever it is used.
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    /// What it is on the wire.
    pub shape: Shape,
    /// What it means beyond that.
    pub logical: Option<LogicalType>,
}

/// What a type is on the wire.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// One value without parts.
    Primitive(Primitive),
    /// Fields, each with a name.
    Record(Record),
    /// One of some symbols.
    Enum(Enum),
    /// So many bytes.
    Fixed(Fixed),
    /// Items of one type.
    Array(TypeId),
    /// Values of one type by text keys.
    Map(TypeId),
    /// A value of one of the branches.
    Union(Vec<TypeId>),
}

/// The annotation `logicalType`, known or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogicalType {
    /// `date`, `decimal`, `timestamp-millis`.
    pub name: String,
    /// For `decimal`, its digits in all and those after the point.
    pub decimal: Option<(u64, u64)>,
}

/// What a named type is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    /// The full name: the namespace, if there is one, a dot, and the name.
    pub full: String,
    /// Full names under which a reader also accepts it.
    pub aliases: Vec<String>,
}

/// A record.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its names.
    pub naming: Naming,
    /// Its fields, in the order of the wire.
    pub fields: Vec<Field>,
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Names of a writer's fields that this one takes, if the writer has none of its own name.
    pub aliases: Vec<String>,
    /// The type of its values.
    pub type_id: TypeId,
    /// What a reader takes where the writer has no such field, as the schema writes it.
    pub default: Option<Value>,
    /// How it sorts.
    pub order: Order,
}

/// An enumeration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enum {
    /// Its names.
    pub naming: Naming,
    /// Its symbols.
    pub symbols: Vec<String>,
    /// What a reader takes for a symbol that it does not have.
    pub default: Option<String>,
}

/// A fixed number of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// Its names.
    pub naming: Naming,
    /// How many bytes a value has.
    pub size_bytes: u64,
}

impl Schema {
    /// A schema of these types, beginning with `root`.
    ///
    /// # Errors
    /// [`Dangling`] if one of them, or `root`, is not among them.
    pub fn new(types: Vec<Type>, root: TypeId) -> Result<Self, Dangling> {
        let parts = types.iter().flat_map(|part| part.shape.parts());
        match parts.chain([root]).find(|id| id.0 >= types.len()) {
            Some(id) => Err(Dangling(id)),
            None => Ok(Self { types, root }),
        }
    }

    /// The type that data begins with.
    pub fn root(&self) -> TypeId {
        self.root
    }

    /// One of the types. The id must be of this schema.
    pub fn get(&self, id: TypeId) -> &Type {
        &self.types[id.0]
    }
}

impl Shape {
    /// The types inside this one.
    pub fn parts(&self) -> Vec<TypeId> {
        match self {
            Self::Primitive(_) | Self::Enum(_) | Self::Fixed(_) => Vec::new(),
            Self::Record(record) => record.fields.iter().map(|field| field.type_id).collect(),
            Self::Array(part) | Self::Map(part) => vec![*part],
            Self::Union(branches) => branches.clone(),
        }
    }

    /// The word for it in a schema's `type`; `union` for a union, which has none.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Primitive(primitive) => primitive.as_str(),
            Self::Record(_) => "record",
            Self::Enum(_) => "enum",
            Self::Fixed(_) => "fixed",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Union(_) => "union",
        }
    }

    /// What it is called, if it has a name.
    pub fn naming(&self) -> Option<&Naming> {
        match self {
            Self::Record(record) => Some(&record.naming),
            Self::Enum(symbols) => Some(&symbols.naming),
            Self::Fixed(fixed) => Some(&fixed.naming),
            Self::Primitive(_) | Self::Array(_) | Self::Map(_) | Self::Union(_) => None,
        }
    }

    /// Whether `other` is a type of the same kind, by name if it has one. No valid union has two such branches.
    fn is_same_branch(&self, other: &Self) -> bool {
        self.word() == other.word()
            && self.naming().map(|naming| &naming.full) == other.naming().map(|naming| &naming.full)
    }
}

impl Naming {
    /// The name without its namespace.
    pub fn unqualified(&self) -> &str {
        self.full.rsplit('.').next().unwrap_or(&self.full)
    }

    /// Whether a reader of this name takes what was written under the other.
    fn reads(&self, writer: &Self) -> bool {
        self.unqualified() == writer.unqualified() || self.aliases.contains(&writer.full)
    }
}

impl Primitive {
    /// Whether a reader of this type takes values of the other, which is not the same.
    fn is_promoted_from(self, writer: Self) -> bool {
        match self {
            Self::Long => matches!(writer, Self::Int),
            Self::Float => matches!(writer, Self::Int | Self::Long),
            Self::Double => matches!(writer, Self::Int | Self::Long | Self::Float),
            Self::Bytes => matches!(writer, Self::String),
            Self::String => matches!(writer, Self::Bytes),
            Self::Null | Self::Boolean | Self::Int => false,
        }
    }
}
