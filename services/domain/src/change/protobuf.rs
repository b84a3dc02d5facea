//! Two versions of a Protobuf file, by the rules of the Confluent Schema Registry and of the Protocol Buffers language
//! guide ("Updating A Message Type").
//!
//! Messages and enums are matched by name, fields and constants by number. Types of the file itself are compared where
//! they are declared; a type of an import is compared where a field uses it, once for each pair of types however many
//! fields do, and what breaks it breaks each of those fields.
//!
//! Begin at [`compare`]. To add a difference: a variant of [`Change`] with its word, its side in
//! [`Change::is_compatible`], and the place that finds it.

mod compare;

pub use self::compare::{Change, compare, compare_within};
use crate::closed_set;

/// A Protobuf file with what it imports.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    /// The file itself.
    pub file: File,
    /// All that it imports, directly or not, each file once.
    pub imports: Vec<File>,
}

/// The types of one file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    /// Its package; empty if it names none.
    pub package: String,
    /// Its outermost messages, in order: a message's place is part of the wire format of registries.
    pub messages: Vec<Message>,
    /// Its outermost enums.
    pub enums: Vec<Enum>,
}

/// A message. The entries that stand for maps are not among the nested messages, see [`Type::Map`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// Its name, without those of what it is nested in.
    pub name: String,
    /// Its fields, in the order of their numbers.
    pub fields: Vec<Field>,
    /// The names of its oneofs, without those that stand for `optional` in proto3.
    pub oneofs: Vec<String>,
    /// Whether it is the body of a group, which comes and goes with its field.
    pub is_group: bool,
    /// The messages nested in it, in order.
    pub messages: Vec<Message>,
    /// The enums nested in it.
    pub enums: Vec<Enum>,
}

/// An enum.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Enum {
    /// Its name, without those of what it is nested in.
    pub name: String,
    /// Its constants: number and name. With `allow_alias` a number may be there twice; the last name counts.
    pub constants: Vec<(i32, String)>,
}

/// A field of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its number on the wire.
    pub number: i32,
    /// Its name.
    pub name: String,
    /// Its label.
    pub label: Label,
    /// Its type.
    pub field_type: Type,
    /// The oneof that it is a member of.
    pub oneof: Option<String>,
}

/// How often a field may be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// Nothing is said: a field of proto3 without a label, a member of a oneof, a map.
    Implicit,
    /// `optional` is said.
    Optional,
    /// `required`, in proto2.
    Required,
    /// `repeated`.
    Repeated,
}

/// The type of a field. Names are full names without a leading dot.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// A scalar.
    Scalar(Scalar),
    /// The enum of this name.
    Enum(String),
    /// The message of this name.
    Message(String),
    /// The group of this name.
    Group(String),
    /// A map, with the types of its keys and its values.
    Map(Box<Type>, Box<Type>),
    /// A name that nothing is known of, as it is written.
    Unresolved(String),
}

closed_set! {
    /// The scalar types.
    Scalar {
        /// 64-bit floating point.
        Double = "double",
        /// 32-bit floating point.
        Float = "float",
        /// Variable length, 32 bits.
        Int32 = "int32",
        /// Variable length, 64 bits.
        Int64 = "int64",
        /// Variable length, unsigned, 32 bits.
        Uint32 = "uint32",
        /// Variable length, unsigned, 64 bits.
        Uint64 = "uint64",
        /// Variable length in zigzag, 32 bits.
        Sint32 = "sint32",
        /// Variable length in zigzag, 64 bits.
        Sint64 = "sint64",
        /// Four bytes, unsigned.
        Fixed32 = "fixed32",
        /// Eight bytes, unsigned.
        Fixed64 = "fixed64",
        /// Four bytes.
        Sfixed32 = "sfixed32",
        /// Eight bytes.
        Sfixed64 = "sfixed64",
        /// A truth value, as a varint.
        Bool = "bool",
        /// UTF-8 text.
        String = "string",
        /// Bytes.
        Bytes = "bytes",
    }
}
