//! Table schemas: may a table's schema become another one, by the rules of its format (Apache Iceberg's table
//! specification, "Schema Evolution"; Delta's protocol, "Type Widening" and "Column Mapping"; rows 8, 14 to 18 and 39
//! of the normative table).
//!
//! Where both versions give their columns ids (Iceberg field ids, Delta column mapping), columns are the same by id, so
//! that renaming, dropping and moving them is told apart. Where they do not, columns are the same by name, and in
//! formats that find columns by id what cannot be told apart breaks.
//!
//! The names of differences are those of the Confluent Schema Registry's table rules where it has them. [`types`] is
//! how single values may change; `documents::table_schema` reads schemas.

mod types;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::message::{Budget, Difference, TooComplex};
use crate::table::ReaderProtocol;

/// The schema of a table, and what reading it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// The columns.
    pub fields: Vec<Field>,
    /// What a reader must know, where the schema's source says.
    pub protocol: Option<Protocol>,
}

/// What a table asks of its readers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Delta: the least reader version and the features.
    Delta(ReaderProtocol),
    /// Iceberg: the format version.
    Iceberg(u32),
}

/// A column or a member of a structure.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its id, which survives renames.
    pub id: Option<i32>,
    /// Its name.
    pub name: String,
    /// What it holds.
    pub slot: Slot,
    /// The value of rows that were written before it was added (Iceberg `initial-default`); `null` is none.
    pub default: Option<Value>,
    /// The value of rows that do not name it (Iceberg `write-default`, Delta `CURRENT_DEFAULT`).
    pub write_default: Option<Value>,
}

/// A place for values: a type, and whether a value may be missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// The type.
    pub data_type: Type,
    /// Whether it may be null.
    pub nullable: bool,
}

/// What a list holds, or one side of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// Its id.
    pub id: Option<i32>,
    /// What it holds.
    pub slot: Slot,
}

/// A type of Iceberg, Delta or Flink.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Named members.
    Struct(Vec<Field>),
    /// Elements of one type.
    List(Box<Element>),
    /// Elements of one type, each with how often it is there (Flink SQL `MULTISET`).
    Multiset(Box<Element>),
    /// Keys to values.
    Map(Box<Map>),
    /// One value.
    Primitive(Primitive),
}

/// The two sides of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// Its keys.
    pub key: Element,
    /// Its values.
    pub value: Element,
}

/// A type of single values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Primitive {
    /// True or false.
    Boolean,
    /// A whole number with a sign.
    Integer {
        /// 8, 16, 32 or 64.
        bits: u8,
    },
    /// A binary floating-point number.
    Float {
        /// 32 or 64.
        bits: u8,
    },
    /// An exact decimal number.
    Decimal {
        /// Digits in all.
        precision: u32,
        /// Digits after the point.
        scale: i32,
    },
    /// Text.
    String {
        /// The greatest number of characters; `None` is unbounded.
        length: Option<u32>,
    },
    /// Text of one length, padded.
    Char {
        /// The number of characters.
        length: u32,
    },
    /// Bytes.
    Binary {
        /// The greatest number of bytes; `None` is unbounded.
        length: Option<u32>,
    },
    /// Bytes of one length.
    Fixed {
        /// The number of bytes.
        length: u32,
    },
    /// A text out of a list.
    Enum {
        /// The list.
        symbols: Vec<String>,
    },
    /// A calendar date.
    Date,
    /// A time of day.
    Time {
        /// Digits of a second's fraction.
        precision: u8,
    },
    /// A wall-clock reading, or with `zoned` a moment.
    Timestamp {
        /// Digits of a second's fraction.
        precision: u8,
        /// Whether it is a moment in UTC.
        zoned: bool,
    },
    /// A UUID.
    Uuid,
    /// A value that brings its own type.
    Variant,
    /// Nothing but null (Iceberg v3 `unknown`).
    Unknown,
    /// A type that nothing is known of, in its own words; it is the same as itself.
    Other(String),
}

/// Whose rules decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Iceberg, format version 2 (and 1).
    IcebergV2,
    /// Iceberg, format version 3.
    IcebergV3,
    /// Flink SQL: what makes a stored value be read as another one, or be made up, breaks.
    FlinkSql,
    /// Delta Lake.
    Delta(Delta),
}

/// The features of a Delta table that let its schema change further.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Delta {
    /// `columnMapping`: columns may be renamed and dropped.
    pub column_mapping: bool,
    /// `typeWidening`: types may become wider.
    pub type_widening: bool,
}

/// A word that is no mode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a mode: use `iceberg-v2`, `iceberg-v3`, `flink-sql` or `delta`, to which `+column-mapping` and \
     `+type-widening` may be added"
)]
pub struct NotAMode(String);

/// `iceberg-v2`, `iceberg-v3`, `flink-sql`, `delta`, `delta+column-mapping+type-widening`.
impl std::str::FromStr for Mode {
    type Err = NotAMode;

    fn from_str(word: &str) -> Result<Self, NotAMode> {
        let wrong = || NotAMode(word.chars().filter(|c| !c.is_control()).take(80).collect());
        match word {
            "iceberg-v2" => return Ok(Self::IcebergV2),
            "iceberg-v3" => return Ok(Self::IcebergV3),
            "flink-sql" => return Ok(Self::FlinkSql),
            _ => {}
        }
        let mut features = word.split('+');
        if features.next() != Some("delta") {
            return Err(wrong());
        }
        let mut delta = Delta::default();
        for feature in features {
            match feature {
                "column-mapping" => delta.column_mapping = true,
                "type-widening" => delta.type_widening = true,
                _ => return Err(wrong()),
            }
        }
        Ok(Self::Delta(delta))
    }
}

impl Mode {
    fn is_iceberg(self) -> bool {
        matches!(self, Self::IcebergV2 | Self::IcebergV3)
    }

    /// With the features that the table's own protocol says it has.
    fn with(self, protocol: Option<&Protocol>) -> Self {
        match (self, protocol) {
            (Self::Delta(delta), Some(Protocol::Delta(protocol))) => Self::Delta(Delta {
                column_mapping: delta.column_mapping || knows(protocol, "columnMapping"),
                type_widening: delta.type_widening || knows(protocol, "typeWidening"),
            }),
            (Self::IcebergV2 | Self::IcebergV3 | Self::FlinkSql | Self::Delta(_), _) => self,
        }
    }
}

/// All differences of two schemas of one table, as far as a reader of `new` over data written under `old` can see them.
/// The other direction is the same question with the sides swapped.
///
/// # Errors
/// [`TooComplex`] if a schema is too large.
pub fn compare(old: &Schema, new: &Schema, mode: Mode) -> Result<Vec<Difference>, TooComplex> {
    let mode = mode.with(new.protocol.as_ref());
    let mut comparer =
        Comparer { mode, budget: Budget::COMPARISON, path: Vec::new(), found: Vec::new(), old_ids: HashSet::new() };
    each_id(&old.fields, &mut |id| _ = comparer.old_ids.insert(id));
    comparer.protocols(old.protocol.as_ref(), new.protocol.as_ref());
    comparer.fields(&old.fields, &new.fields)?;
    Ok(comparer.found)
}

struct Comparer {
    mode: Mode,
    budget: Budget,
    path: Vec<String>,
    found: Vec<Difference>,
    /// The ids of the old schema, at all depths.
    old_ids: HashSet<i32>,
}

impl Comparer {
    fn add(&mut self, name: &'static str, compatible: bool, message: impl Into<String>) {
        let path = self.path.concat();
        self.found.push(Difference { name, path, message: message.into(), compatible });
    }

    fn below<T>(&mut self, step: String, look: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let answer = look(self);
        self.path.pop();
        answer
    }

    fn below_field<T>(&mut self, name: &str, look: impl FnOnce(&mut Self) -> T) -> T {
        let step = if self.path.is_empty() { name.to_owned() } else { format!(".{name}") };
        self.below(step, look)
    }

    fn protocols(&mut self, old: Option<&Protocol>, new: Option<&Protocol>) {
        let (exceeds, raised) = match (old, new) {
            (None, _) | (_, None) => return,
            (Some(old), Some(new)) if old == new => return,
            (Some(Protocol::Iceberg(old)), Some(Protocol::Iceberg(new))) => (old > new, new > old),
            (Some(Protocol::Delta(old)), Some(Protocol::Delta(new))) => (!is_covered(old, new), !is_covered(new, old)),
            (Some(Protocol::Iceberg(_)), Some(Protocol::Delta(_)))
            | (Some(Protocol::Delta(_)), Some(Protocol::Iceberg(_))) => (true, true),
        };
        if exceeds {
            let message = "the data requires more reader features than the new schema declares";
            self.add("READER_PROTOCOL_EXCEEDED", false, message);
        }
        if raised {
            let message = "the new schema requires more reader features; readers of the old one may lack them";
            self.add("READER_PROTOCOL_RAISED", true, message);
        }
    }

    fn fields(&mut self, old: &[Field], new: &[Field]) -> Result<(), TooComplex> {
        let n_fields = old.len().saturating_add(new.len());
        self.budget.take(u32::try_from(n_fields).unwrap_or(u32::MAX))?;
        let has_ids = |fields: &[Field]| fields.iter().all(|field| field.id.is_some());
        let by_id = has_ids(old) && has_ids(new) && self.has_field_ids();
        let pairs = pairs(old, new, by_id);
        let mut is_kept = vec![false; old.len()];
        pairs.iter().flatten().for_each(|before| is_kept[*before] = true);
        for (field, before) in new.iter().zip(&pairs) {
            self.below_field(&field.name, |comparer| match before {
                Some(before) => comparer.field(&old[*before], field),
                None => {
                    if by_id && comparer.is_regrouped(field) {
                        let message = "a field moved into or out of a structure; its older values are not found there";
                        comparer.add("FIELD_REGROUPED", false, message);
                    } else {
                        comparer.added(field);
                    }
                    Ok(())
                }
            })?;
        }
        for (field, _) in old.iter().zip(is_kept).filter(|(_, is_kept)| !is_kept) {
            // Without ids it may have another name, under which its older values are not found.
            let compatible = by_id || self.mode == Mode::FlinkSql;
            self.below_field(&field.name, |comparer| {
                comparer.add("FIELD_DELETED", compatible, "the field was deleted, or has another name");
            });
        }
        if !pairs.iter().flatten().is_sorted() {
            let compatible = by_id || !self.mode.is_iceberg();
            self.add("FIELD_REORDERED", compatible, "fields are in another order");
        }
        Ok(())
    }

    /// Whether the format finds columns by the ids that schemas may give.
    fn has_field_ids(&self) -> bool {
        match self.mode {
            Mode::IcebergV2 | Mode::IcebergV3 => true,
            Mode::Delta(delta) => delta.column_mapping,
            Mode::FlinkSql => false,
        }
    }

    /// Whether a field that was not here is, or holds, one that was elsewhere.
    fn is_regrouped(&self, field: &Field) -> bool {
        let mut is_known = false;
        each_id(std::slice::from_ref(field), &mut |id| is_known |= self.old_ids.contains(&id));
        is_known
    }

    fn added(&mut self, field: &Field) {
        if field.slot.nullable {
            self.add("FIELD_ADDED", true, "a field was added that may be null");
        } else if self.fills(field) {
            self.add(
                "REQUIRED_FIELD_WITH_DEFAULT_ADDED",
                true,
                "a field was added that older data gets the default of",
            );
        } else {
            self.add("REQUIRED_FIELD_ADDED", false, "a field was added that must not be null; older data has none");
        }
    }

    /// Whether rows that were written without the field have its default.
    fn fills(&self, field: &Field) -> bool {
        match self.mode {
            Mode::IcebergV2 => is_empty_collection(field),
            Mode::IcebergV3 => field.default.as_ref().is_some_and(|default| is_iceberg_default(default, field)),
            Mode::FlinkSql => present(field.default.as_ref()).is_some(),
            // A default of Delta is for rows that are written later.
            Mode::Delta(_) => false,
        }
    }

    fn field(&mut self, old: &Field, new: &Field) -> Result<(), TooComplex> {
        if old == new {
            return Ok(());
        }
        if old.name != new.name {
            self.add("FIELD_RENAMED", true, format!("the field was called `{}`", old.name));
        }
        // What an empty collection stands for is stored as one.
        let excused = self.mode.is_iceberg() && is_empty_collection(new);
        self.nullability(&old.slot, &new.slot, excused);
        match (present(old.default.as_ref()), present(new.default.as_ref())) {
            (before, after) if before == after => {}
            (Some(_), None) if self.mode == Mode::FlinkSql && !old.slot.nullable && !new.slot.nullable => {
                let message = "no longer has a default; older rows without the field have no value";
                self.add("NON_NULLABLE_DEFAULT_REMOVED", false, message);
            }
            _ => {
                // With an id it is Iceberg's `initial-default`, which is fixed when a field is added.
                let compatible = !(self.mode.is_iceberg() && old.id.is_some());
                self.add("DEFAULT_CHANGED", compatible, "the value of rows without the field changed");
            }
        }
        if old.write_default != new.write_default {
            self.add("WRITE_DEFAULT_CHANGED", true, "the default for new rows changed");
        }
        self.types(&old.slot.data_type, &new.slot.data_type)
    }

    fn nullability(&mut self, old: &Slot, new: &Slot, excused: bool) {
        match (old.nullable, new.nullable) {
            (true, false) => {
                self.add("NULLABLE_TO_NON_NULLABLE", excused, "is required now; older data may contain nulls");
            }
            (false, true) => self.add("NON_NULLABLE_TO_NULLABLE", true, "may be null now"),
            (true, true) | (false, false) => {}
        }
    }

    fn types(&mut self, old: &Type, new: &Type) -> Result<(), TooComplex> {
        if old == new {
            return Ok(());
        }
        match (old, new) {
            (Type::Struct(old), Type::Struct(new)) => self.fields(old, new),
            // Nothing but null was written, which is null in any type.
            (Type::Primitive(Primitive::Unknown), _) if matches!(self.mode, Mode::IcebergV3 | Mode::Delta(_)) => {
                self.add("TYPE_WIDENED", true, "all values were null before");
                Ok(())
            }
            (Type::Multiset(_), _) | (_, Type::Multiset(_)) if self.mode != Mode::FlinkSql => {
                self.types(&without_multiset(old), &without_multiset(new))
            }
            (Type::List(old), Type::List(new)) | (Type::Multiset(old), Type::Multiset(new)) => {
                self.below("[]".to_owned(), |comparer| comparer.element(old, new))
            }
            (Type::Map(old), Type::Map(new)) => {
                self.below("{key}".to_owned(), |comparer| comparer.key(&old.key, &new.key))?;
                self.below("{value}".to_owned(), |comparer| comparer.element(&old.value, &new.value))
            }
            (Type::Primitive(old), Type::Primitive(new)) => {
                self.primitives(old, new);
                Ok(())
            }
            (Type::Struct(_) | Type::List(_) | Type::Multiset(_) | Type::Map(_) | Type::Primitive(_), _) => {
                self.add("TYPE_MISMATCH", false, "a primitive, a struct, a list and a map cannot replace one another");
                Ok(())
            }
        }
    }

    fn primitives(&mut self, old: &Primitive, new: &Primitive) {
        if old == new || types::are_same(old, new, self.mode) {
            return;
        }
        if types::widens(old, new, self.mode) {
            self.add("TYPE_WIDENED", true, format!("the type was widened from {old} to {new}"));
        } else {
            self.add("UNSUPPORTED_TYPE_CHANGE", false, format!("the type changed from {old} to {new}"));
        }
    }

    fn element(&mut self, old: &Element, new: &Element) -> Result<(), TooComplex> {
        self.nullability(&old.slot, &new.slot, false);
        self.inside(old, new)
    }

    /// What a list or map holds, whether or not it may be null.
    fn inside(&mut self, old: &Element, new: &Element) -> Result<(), TooComplex> {
        self.budget.take(1)?;
        let are_others = old.id.zip(new.id).is_some_and(|(old, new)| old != new);
        if are_others && self.has_field_ids() {
            self.add("FIELD_DELETED", false, "what is inside has another id, so it is not the same field");
        }
        self.types(&old.slot.data_type, &new.slot.data_type)
    }

    /// Keys may only change in ways that leave equal keys equal. Flink's alone may be null.
    fn key(&mut self, old: &Element, new: &Element) -> Result<(), TooComplex> {
        let n_found = self.found.len();
        let may_change = match self.mode {
            Mode::FlinkSql => return self.element(old, new),
            Mode::Delta(delta) => delta.type_widening && !matches!(new.slot.data_type, Type::Struct(_)),
            Mode::IcebergV2 | Mode::IcebergV3 => false,
        };
        self.inside(old, new)?;
        if !may_change && self.found.len() > n_found {
            self.found.truncate(n_found);
            self.add("MAP_KEY_TYPE_MISMATCH", false, "the keys of a map do not change");
        }
        Ok(())
    }
}

/// Looks at the ids of fields and of what they hold, at all depths.
fn each_id(fields: &[Field], look: &mut impl FnMut(i32)) {
    fn inside(data_type: &Type, look: &mut impl FnMut(i32)) {
        let mut held = |element: &Element| {
            element.id.into_iter().for_each(&mut *look);
            inside(&element.slot.data_type, look);
        };
        match data_type {
            Type::Struct(fields) => each_id(fields, look),
            Type::List(element) | Type::Multiset(element) => held(element),
            Type::Map(map) => {
                held(&map.key);
                held(&map.value);
            }
            Type::Primitive(_) => {}
        }
    }
    for field in fields {
        field.id.into_iter().for_each(&mut *look);
        inside(&field.slot.data_type, look);
    }
}

/// What stands for a multiset in formats that have none: a map from its elements to how often each is there.
fn without_multiset(data_type: &Type) -> Cow<'_, Type> {
    let Type::Multiset(element) = data_type else { return Cow::Borrowed(data_type) };
    let count = Slot { data_type: Type::Primitive(Primitive::Integer { bits: 32 }), nullable: false };
    Cow::Owned(Type::Map(Box::new(Map { key: Element::clone(element), value: Element { id: None, slot: count } })))
}

/// A default, of which `null` is none.
fn present(default: Option<&Value>) -> Option<&Value> {
    default.filter(|default| !default.is_null())
}

/// For each new field the position of the old one that it continues.
fn pairs(old: &[Field], new: &[Field], by_id: bool) -> Vec<Option<usize>> {
    let is_same = |a: &Field, b: &Field| if by_id { a.id == b.id } else { a.name == b.name };
    // Most fields stay where they are, and need no index.
    if new.len() == old.len() && old.iter().zip(new).all(|(a, b)| is_same(a, b)) {
        return (0..new.len()).map(Some).collect();
    }
    let mut pairs = Vec::with_capacity(new.len());
    if by_id {
        let mut index: HashMap<_, _> = old.iter().enumerate().map(|(at, field)| (field.id, at)).collect();
        pairs.extend(new.iter().map(|field| index.remove(&field.id)));
    } else {
        let mut index: HashMap<_, _> = old.iter().enumerate().map(|(at, field)| (field.name.as_str(), at)).collect();
        pairs.extend(new.iter().map(|field| index.remove(field.name.as_str())));
    }
    pairs
}

/// Whether a Delta protocol has a reader feature. Version 2 is column mapping.
fn knows(protocol: &ReaderProtocol, feature: &str) -> bool {
    protocol.features.contains(feature) || (protocol.version == 2 && feature == "columnMapping")
}

/// Whether a reader who knows `known` can read what asks for `asked`.
fn is_covered(required: &ReaderProtocol, known: &ReaderProtocol) -> bool {
    required.version <= known.version
        && required.features.iter().all(|feature| knows(known, feature))
        && (required.version != 2 || knows(known, "columnMapping"))
}

/// Whether a field is a list or map whose default is an empty one. Tables store "none" as that, in every version.
fn is_empty_collection(field: &Field) -> bool {
    let default = field.default.as_ref();
    match &field.slot.data_type {
        Type::List(_) => default.and_then(Value::as_array).is_some_and(Vec::is_empty),
        Type::Map(_) | Type::Multiset(_) => {
            default.and_then(Value::as_object).is_some_and(|entries| entries.is_empty())
        }
        Type::Struct(_) | Type::Primitive(_) => false,
    }
}

/// Whether Iceberg v3 gives this default to older rows: it is not null, and the type may have one of its kind.
fn is_iceberg_default(default: &Value, field: &Field) -> bool {
    match &field.slot.data_type {
        Type::Struct(_) | Type::Map(_) | Type::Multiset(_) => default.is_object(),
        Type::List(_) => default.is_array(),
        Type::Primitive(Primitive::Variant | Primitive::Unknown) => false,
        Type::Primitive(Primitive::Other(word)) if word.starts_with("geometry") || word.starts_with("geography") => {
            false
        }
        Type::Primitive(_) => !default.is_null() && !default.is_object() && !default.is_array(),
    }
}
