//! JSON to [`Schema`].

use std::collections::{HashMap, HashSet};

use domain::change::avro::{Enum, Field, Fixed, Naming, Order, Primitive, Record, Schema, Shape, Type, TypeId};
use domain::change::message::Budget;
use serde_json::{Map, Value};

use super::{Error, MAX_NAME_BYTES, MAX_SYMBOLS, default, full_name, in_reference, invalid, logical, namespace_of};
use crate::node::shortened;

/// How strictly a text is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Rules {
    /// As the specification says.
    New,
    /// Overlooking what makes no difference to readers.
    #[default]
    Stored,
}

/// Collects the types of a schema and its references.
#[derive(Default)]
pub(super) struct Reader<'a> {
    types: Vec<Type>,
    named: HashMap<String, TypeId>,
    /// Uses of names that were not defined yet.
    wanted: Vec<Wanted<'a>>,
    /// Unions by their paths, to look for equal branches once all names are known.
    unions: Vec<(TypeId, String, Option<&'a str>)>,
    /// Records by their paths, to look at the defaults of their fields in the end.
    records: Vec<(TypeId, String)>,
    /// The reference that is being read.
    origin: Option<&'a str>,
    rules: Rules,
}

/// The placeholder of a type that is not known yet.
struct Wanted<'a> {
    stand_in: TypeId,
    name: String,
    namespace: String,
    path: String,
    origin: Option<&'a str>,
}

type Attributes = Map<String, Value>;

impl<'a> Reader<'a> {
    /// Reads the references, which may use each other in any order, and nothing else.
    pub(super) fn references(&mut self, references: &[(&'a str, Value)]) -> Result<(), Error> {
        for (name, value) in references {
            self.origin = Some(name);
            self.type_of(value, "", "").map_err(|source| in_reference(name, source))?;
        }
        self.origin = None;
        self.settle()
    }

    /// Reads the schema itself.
    pub(super) fn schema(mut self, value: &Value, rules: Rules) -> Result<Schema, Error> {
        self.rules = rules;
        self.records.clear();
        let root = self.type_of(value, "", "")?;
        self.settle()?;
        let schema = Schema::new(self.types, root).map_err(|error| invalid("", error.to_string()))?;
        if self.rules == Rules::New {
            check_defaults(&schema, &self.records)?;
        }
        Ok(schema)
    }

    fn add(&mut self, shape: Shape) -> TypeId {
        self.types.push(Type { shape, logical: None });
        TypeId(self.types.len() - 1)
    }

    /// Reads a type within a namespace.
    fn type_of(&mut self, value: &Value, namespace: &str, path: &str) -> Result<TypeId, Error> {
        let attributes = match value {
            Value::String(name) => return self.by_name(name, namespace, path),
            Value::Array(branches) => return self.union(branches, namespace, path),
            Value::Object(attributes) => attributes,
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                return Err(invalid(path, "a type must be a name, an object or an array (a union)"));
            }
        };
        let word = match attributes.get("type") {
            Some(Value::String(word)) => word.as_str(),
            Some(inner @ (Value::Object(_) | Value::Array(_))) if self.rules == Rules::Stored => {
                return self.type_of(inner, namespace, &format!("{path}/type"));
            }
            Some(_) => return Err(invalid(path, "the `type` of a type must be a name")),
            None => return Err(invalid(path, "the type has no `type`")),
        };
        let id = match word {
            "record" | "error" => self.record(attributes, namespace, path)?,
            "enum" => self.symbols(attributes, namespace, path)?,
            "fixed" => self.fixed(attributes, namespace, path)?,
            "array" => {
                let items = self.part(attributes, "items", namespace, path)?;
                self.add(Shape::Array(items))
            }
            "map" => {
                let values = self.part(attributes, "values", namespace, path)?;
                self.add(Shape::Map(values))
            }
            word => match word.parse::<Primitive>() {
                Ok(primitive) => self.add(Shape::Primitive(primitive)),
                Err(_) => return self.by_name(word, namespace, path),
            },
        };
        let Type { shape, logical } = &mut self.types[id.0];
        *logical = logical::logical_type(attributes, shape);
        Ok(id)
    }

    fn part(&mut self, attributes: &Attributes, key: &str, namespace: &str, path: &str) -> Result<TypeId, Error> {
        let part = attributes.get(key).ok_or_else(|| invalid(path, format!("the type has no `{key}`")))?;
        self.type_of(part, namespace, &format!("{path}/{key}"))
    }

    /// A type by its name: a primitive, or one that is defined before or after.
    fn by_name(&mut self, name: &str, namespace: &str, path: &str) -> Result<TypeId, Error> {
        if let Ok(primitive) = name.parse::<Primitive>() {
            return Ok(self.add(Shape::Primitive(primitive)));
        }
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(invalid(path, format!("`{}` is not a valid type name", shortened(name))));
        }
        if let Some(id) = self.find(name, namespace) {
            return Ok(id);
        }
        let stand_in = self.add(Shape::Primitive(Primitive::Null));
        self.wanted.push(Wanted {
            stand_in,
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            path: path.to_owned(),
            origin: self.origin,
        });
        Ok(stand_in)
    }

    /// A type that is defined: in the namespace, else without one.
    fn find(&self, name: &str, namespace: &str) -> Option<TypeId> {
        self.named.get(&full_name(name, namespace)).or_else(|| self.named.get(name)).copied()
    }

    fn union(&mut self, branches: &[Value], namespace: &str, path: &str) -> Result<TypeId, Error> {
        let mut parts = Vec::with_capacity(branches.len());
        for (index, branch) in branches.iter().enumerate() {
            let path = format!("{path}/{index}");
            let part = self.type_of(branch, namespace, &path)?;
            if matches!(self.types[part.0].shape, Shape::Union(_)) {
                return Err(invalid(&path, "a union must not be a branch of a union"));
            }
            parts.push(part);
        }
        let id = self.add(Shape::Union(parts));
        self.unions.push((id, path.to_owned(), self.origin));
        Ok(id)
    }

    fn record(&mut self, attributes: &Attributes, namespace: &str, path: &str) -> Result<TypeId, Error> {
        let naming = naming(attributes, namespace, path, self.rules)?;
        let namespace = namespace_of(&naming.full).to_owned();
        // The record is known before its fields are, which may be of its own type.
        let id = self.define(Shape::Record(Record { naming: naming.clone(), fields: Vec::new() }), path)?;
        let Some(Value::Array(list)) = attributes.get("fields") else {
            return Err(invalid(path, "the record needs an array `fields`"));
        };
        let mut fields = Vec::with_capacity(list.len());
        let mut names = HashSet::new();
        for (index, field) in list.iter().enumerate() {
            let path = format!("{path}/fields/{index}");
            let Value::Object(attributes) = field else { return Err(invalid(&path, "a field must be an object")) };
            let field = self.field(attributes, &namespace, &path)?;
            if !names.insert(field.name.clone()) {
                return Err(invalid(&path, format!("duplicate field `{}`", shortened(&field.name))));
            }
            fields.push(field);
        }
        self.types[id.0].shape = Shape::Record(Record { naming, fields });
        self.records.push((id, path.to_owned()));
        Ok(id)
    }

    fn field(&mut self, attributes: &Attributes, namespace: &str, path: &str) -> Result<Field, Error> {
        let name = name_at(attributes, path)?;
        if self.rules == Rules::New && !is_name(name) {
            return Err(invalid(path, not_a_name(name)));
        }
        if let Some(word @ ("array" | "map" | "record" | "enum" | "fixed")) =
            attributes.get("type").and_then(Value::as_str)
        {
            let message = format!("the `type` of the field must be an object that defines the `{word}`");
            return Err(invalid(path, message));
        }
        let type_id = self.part(attributes, "type", namespace, path)?;
        let order = match attributes.get("order") {
            None => Order::Ascending,
            Some(order) => match order.as_str().and_then(|word| word.to_lowercase().parse().ok()) {
                Some(order) => order,
                None if self.rules == Rules::Stored => Order::Ascending,
                None => {
                    return Err(invalid(path, "the `order` must be `ascending`, `descending` or `ignore`"));
                }
            },
        };
        let aliases = aliases(attributes, path, self.rules, is_name)?;
        let default = attributes.get("default").cloned();
        Ok(Field { name: name.to_owned(), aliases, type_id, default, order })
    }

    fn symbols(&mut self, attributes: &Attributes, namespace: &str, path: &str) -> Result<TypeId, Error> {
        let naming = naming(attributes, namespace, path, self.rules)?;
        let Some(Value::Array(list)) = attributes.get("symbols") else {
            return Err(invalid(path, "the enum needs an array `symbols`"));
        };
        if list.len() > MAX_SYMBOLS {
            return Err(Error::TooLarge(format!("{path}: the enum has more than {MAX_SYMBOLS} symbols")));
        }
        let mut symbols = Vec::with_capacity(list.len());
        let mut known = HashSet::new();
        for (index, symbol) in list.iter().enumerate() {
            let path = format!("{path}/symbols/{index}");
            let Value::String(symbol) = symbol else { return Err(invalid(&path, "a symbol must be a string")) };
            if symbol.len() > MAX_NAME_BYTES || self.rules == Rules::New && !is_name(symbol) {
                return Err(invalid(&path, not_a_name(symbol)));
            }
            if !known.insert(symbol) {
                return Err(invalid(&path, format!("duplicate symbol `{}`", shortened(symbol))));
            }
            symbols.push(symbol.clone());
        }
        let default = attributes.get("default");
        let fits = default.is_none_or(|default| {
            default.as_str().is_some_and(|default| symbols.iter().any(|symbol| symbol == default))
        });
        if self.rules == Rules::New && !fits {
            return Err(invalid(&format!("{path}/default"), "the default of the enum is not one of its symbols"));
        }
        let default = default.and_then(Value::as_str).map(str::to_owned);
        self.define(Shape::Enum(Enum { naming, symbols, default }), path)
    }

    fn fixed(&mut self, attributes: &Attributes, namespace: &str, path: &str) -> Result<TypeId, Error> {
        let naming = naming(attributes, namespace, path, self.rules)?;
        let size = attributes.get("size").and_then(Value::as_u64).filter(|size| i32::try_from(*size).is_ok());
        let size_bytes =
            size.ok_or_else(|| invalid(path, format!("the `size` must be an integer from 0 to {}", i32::MAX)))?;
        self.define(Shape::Fixed(Fixed { naming, size_bytes }), path)
    }

    /// Adds a type with a name.
    fn define(&mut self, shape: Shape, path: &str) -> Result<TypeId, Error> {
        let full = shape.naming().map(|naming| naming.full.clone()).unwrap_or_default();
        let id = self.add(shape);
        match self.named.insert(full.clone(), id) {
            None => Ok(id),
            Some(_) => Err(invalid(path, format!("the type `{}` is defined twice", shortened(&full)))),
        }
    }

    /// Puts the types in the places of those that stand for them, and looks at the unions once all names are known.
    fn settle(&mut self) -> Result<(), Error> {
        let wrapped = |origin: Option<&str>, error| match origin {
            Some(name) => in_reference(name, error),
            None => error,
        };
        let mut meant = HashMap::new();
        for wanted in std::mem::take(&mut self.wanted) {
            let Wanted { stand_in, name, namespace, path, origin } = wanted;
            let told = shortened(&name);
            match self.find(&name, &namespace) {
                Some(id) if self.rules == Rules::Stored => {
                    meant.insert(stand_in, id);
                }
                Some(_) => {
                    let message = format!("the type `{told}` is used before it is defined");
                    return Err(wrapped(origin, invalid(&path, message)));
                }
                None => return Err(wrapped(origin, invalid(&path, format!("the type `{told}` is not defined")))),
            }
        }
        let replace = |part: &mut TypeId| *part = meant.get(part).copied().unwrap_or(*part);
        for part in &mut self.types {
            match &mut part.shape {
                Shape::Record(record) => record.fields.iter_mut().for_each(|field| replace(&mut field.type_id)),
                Shape::Array(part) | Shape::Map(part) => replace(part),
                Shape::Union(branches) => branches.iter_mut().for_each(replace),
                Shape::Primitive(_) | Shape::Enum(_) | Shape::Fixed(_) => {}
            }
        }
        for (id, path, origin) in std::mem::take(&mut self.unions) {
            let mut known = HashSet::new();
            for part in self.types[id.0].shape.parts() {
                let shape = &self.types[part.0].shape;
                let name = shape.naming().map_or(shape.word(), |naming| &naming.full);
                if !known.insert(name) {
                    let message = format!("duplicate branch `{}` of the union", shortened(name));
                    return Err(wrapped(origin, invalid(&path, message)));
                }
            }
        }
        Ok(())
    }
}

/// Looks at the defaults of the fields of these records.
fn check_defaults(schema: &Schema, records: &[(TypeId, String)]) -> Result<(), Error> {
    let mut budget = Budget::COMPARISON;
    for (id, path) in records {
        let Shape::Record(record) = &schema.get(*id).shape else { continue };
        for (index, field) in record.fields.iter().enumerate() {
            let Some(value) = &field.default else { continue };
            if default::is_no_number(schema, field.type_id, value) {
                continue;
            }
            match default::fits(schema, field.type_id, value, &mut budget) {
                Ok(true) => {}
                Ok(false) => {
                    let name = shortened(&field.name);
                    let message = format!("the default of the field `{name}` is not a value of its type");
                    return Err(invalid(&format!("{path}/fields/{index}/default"), message));
                }
                Err(error) => return Err(Error::TooLarge(error.to_string())),
            }
        }
    }
    Ok(())
}

/// What a named type is called, within the namespace around it.
fn naming(attributes: &Attributes, namespace: &str, path: &str, rules: Rules) -> Result<Naming, Error> {
    let name = name_at(attributes, path)?;
    let own = namespace_at(attributes);
    let namespace = own.unwrap_or(namespace);
    if namespace.len() > MAX_NAME_BYTES {
        return Err(invalid(path, "the namespace is too long"));
    }
    if rules == Rules::New {
        if !is_full_name(name) {
            return Err(invalid(path, not_a_name(name)));
        }
        if own.is_some_and(|own| !own.is_empty() && !is_full_name(own)) {
            return Err(invalid(path, not_a_name(namespace)));
        }
    }
    let full = full_name(name, namespace);
    let unqualified = full.rsplit('.').next().unwrap_or_default();
    if rules == Rules::New && unqualified.parse::<Primitive>().is_ok() {
        return Err(invalid(
            path,
            format!("`{unqualified}` is a primitive type and cannot be the name of another type"),
        ));
    }
    let mut aliases = aliases(attributes, path, rules, is_full_name)?;
    for alias in &mut aliases {
        *alias = full_name(alias, namespace_of(&full));
    }
    Ok(Naming { full, aliases })
}

/// The namespace that a type gives itself; empty for none.
pub(super) fn namespace_at(attributes: &Attributes) -> Option<&str> {
    attributes.get("namespace").and_then(Value::as_str)
}

pub(super) fn name_at<'v>(attributes: &'v Attributes, path: &str) -> Result<&'v str, Error> {
    match attributes.get("name") {
        Some(Value::String(name)) if !name.is_empty() && name.len() <= MAX_NAME_BYTES => Ok(name),
        Some(Value::String(name)) if name.is_empty() => Err(invalid(path, "the `name` is empty")),
        Some(Value::String(_)) => Err(invalid(path, format!("the `name` has more than {MAX_NAME_BYTES} bytes"))),
        Some(_) => Err(invalid(path, "the `name` must be a string")),
        None => Err(invalid(path, "the `name` is missing")),
    }
}

fn aliases(
    attributes: &Attributes,
    path: &str,
    rules: Rules,
    is_valid: fn(&str) -> bool,
) -> Result<Vec<String>, Error> {
    let list = match attributes.get("aliases") {
        Some(Value::Array(list)) => list.as_slice(),
        None => &[],
        Some(_) if rules == Rules::Stored => &[],
        Some(_) => return Err(invalid(path, "the `aliases` must be an array")),
    };
    let mut aliases = Vec::with_capacity(list.len());
    for alias in list {
        match alias {
            Value::String(alias) if rules == Rules::Stored || is_valid(alias) => aliases.push(alias.clone()),
            Value::String(alias) => return Err(invalid(path, not_a_name(alias))),
            _ if rules == Rules::Stored => {}
            _ => return Err(invalid(path, "an alias must be a string")),
        }
    }
    Ok(aliases)
}

fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME_BYTES
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}

fn is_full_name(name: &str) -> bool {
    name.len() <= MAX_NAME_BYTES && name.split('.').all(is_name)
}

fn not_a_name(name: &str) -> String {
    format!("`{}` is not a valid name: use a letter or `_`, then letters, digits and `_`", shortened(name))
}
