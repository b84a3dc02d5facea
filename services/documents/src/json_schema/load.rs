//! The meaning of keywords in each draft.
//!
//! A schema object is taken apart into families of keywords: `enum`, each combination, `not`, `const`, the types it
//! names with the keywords about them, keywords about types that it does not name, conditions, and references. One
//! family is the place itself; several are "all of" them. This is how the Confluent Schema Registry sees a schema, with
//! these exceptions, where it overlooks something: `exclusiveMaximum: true` of draft 4 is a bound, references to
//! references are followed to the end, and alternatives stay what they are in every draft.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::change::json_schema::{
    Additional, Annotations, Array, Builder, Conditional, Criterion, Node, NodeId, Number, Object, ReferenceId, Schema,
    Shape, Text,
};
use domain::decimal::Decimal;
use serde_json::{Map, Value};

use super::index::{Index, Scope};
use super::{Draft, Error};

/// Makes the model of a schema and of all that it refers to.
pub(super) fn load<'a>(index: &Index<'a>, root: &'a Value) -> Result<Schema, Error> {
    let mut loader = Loader {
        index,
        builder: Builder::default(),
        targets: HashMap::new(),
        references: Vec::new(),
        pending: Vec::new(),
    };
    let start = loader.target(root, index.root_scope(), "#");
    // What references lead to is loaded one after the other, so that chains of references need no stack.
    while let Some((target, value, scope)) = loader.pending.pop() {
        let node = loader.schema(value, &scope)?;
        loader.builder.set_target(target, node);
    }
    let Loader { mut builder, references, .. } = loader;
    let root = builder.node(Shape::Reference(start));
    builder.finish(root).map_err(|target| {
        let written = references.into_iter().find(|(reference, _)| *reference == target);
        Error::Circular { reference: written.map(|(_, written)| written).unwrap_or_default() }
    })
}

struct Loader<'i, 'a> {
    index: &'i Index<'a>,
    builder: Builder,
    /// The target made for each value that something refers to, by its address.
    targets: HashMap<*const Value, ReferenceId>,
    /// How each target was first referred to.
    references: Vec<(ReferenceId, String)>,
    pending: Vec<(ReferenceId, &'a Value, Scope)>,
}

/// The families of keywords about a type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Array,
    Object,
    Number,
    Text,
}

impl Family {
    const ALL: [Self; 4] = [Self::Array, Self::Object, Self::Number, Self::Text];

    /// The keywords, in the draft.
    fn keywords(self, draft: Draft) -> &'static [&'static str] {
        match self {
            Self::Array if draft == Draft::Draft4 => {
                &["items", "additionalItems", "minItems", "maxItems", "uniqueItems"]
            }
            Self::Array if draft < Draft::Draft201909 => {
                &["items", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains"]
            }
            Self::Array if draft == Draft::Draft201909 => {
                &["items", "minItems", "maxItems", "uniqueItems", "contains", "unevaluatedItems"]
            }
            Self::Array => {
                &["prefixItems", "items", "minItems", "maxItems", "uniqueItems", "contains", "unevaluatedItems"]
            }
            Self::Object if draft < Draft::Draft201909 => &[
                "properties",
                "required",
                "minProperties",
                "maxProperties",
                "dependencies",
                "patternProperties",
                "additionalProperties",
                "propertyNames",
            ],
            Self::Object => &[
                "properties",
                "required",
                "minProperties",
                "maxProperties",
                "dependentRequired",
                "dependentSchemas",
                "patternProperties",
                "additionalProperties",
                "propertyNames",
                "unevaluatedProperties",
            ],
            Self::Number => &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
            Self::Text => &["minLength", "maxLength", "pattern"],
        }
    }
}

type Members = Map<String, Value>;

impl<'a> Loader<'_, 'a> {
    fn schema(&mut self, value: &'a Value, around: &Scope) -> Result<NodeId, Error> {
        let members = match value {
            Value::Bool(true) => return Ok(self.builder.node(Shape::Any)),
            Value::Bool(false) => return Ok(self.builder.node(Shape::Never)),
            Value::Object(members) => members,
            _ => {
                let reason = "a schema must be an object, `true` or `false`".to_owned();
                return Err(Error::NotASchema { path: String::new(), reason });
            }
        };
        let scope = self.index.scope(value, around);
        let annotations = annotations(members, scope.draft);
        if let Some(reference) = text(members, "$ref").filter(|_| scope.draft < Draft::Draft201909) {
            let shape = self.reference(reference, &scope)?;
            return Ok(self.builder.node(Node { annotations, shape }));
        }
        let mut shapes = self.shapes(members, &scope)?;
        let shape = match shapes.len() {
            0 => Shape::Any,
            1 => shapes.remove(0),
            _ => {
                let parts = shapes.into_iter().map(|shape| self.builder.node(shape)).collect();
                let is_newer = scope.draft >= Draft::Draft201909;
                self.combined(if is_newer { Criterion::Together } else { Criterion::All }, parts)
            }
        };
        Ok(self.builder.node(Node { annotations, shape }))
    }

    /// What a schema object says, family by family.
    fn shapes(&mut self, members: &'a Members, scope: &Scope) -> Result<Vec<Shape>, Error> {
        let mut shapes = Vec::new();
        if let Some(Value::Array(values)) = members.get("enum") {
            shapes.push(Shape::Enum(values.iter().map(canonical).collect()));
        }
        for criterion in [Criterion::All, Criterion::Any, Criterion::One] {
            if let Some(Value::Array(schemas)) = members.get(criterion.as_str()) {
                let parts = self.parts(criterion, schemas, scope)?;
                shapes.push(self.combined(criterion, parts));
            }
        }
        if let Some(schema) = members.get("not") {
            shapes.push(Shape::Not(self.schema(schema, scope)?));
        }
        if let Some(value) = members.get("const").filter(|_| scope.draft > Draft::Draft4) {
            shapes.push(Shape::Const(canonical(value)));
        }
        let mut named = Vec::new();
        match members.get("type") {
            Some(Value::String(name)) => shapes.push(self.named_type(name, members, scope, &mut named)?),
            Some(Value::Array(names)) => {
                let mut parts = Vec::with_capacity(names.len());
                for name in names.iter().filter_map(Value::as_str) {
                    let shape = self.named_type(name, members, scope, &mut named)?;
                    parts.push(self.builder.node(shape));
                }
                shapes.push(self.combined(Criterion::Any, parts));
            }
            _ => {}
        }
        for family in Family::ALL {
            // A format alone is about strings where nothing else says so, and a mere note from draft 2019-09.
            let is_format = family == Family::Text && !members.contains_key("type") && scope.draft < Draft::Draft201909;
            let is_used = family.keywords(scope.draft).iter().any(|keyword| members.contains_key(*keyword))
                || (is_format && members.contains_key("format"));
            if is_used && !named.contains(&family) {
                shapes.push(self.family(family, members, scope, false)?);
            }
        }
        if scope.draft >= Draft::Draft7 && ["if", "then", "else"].iter().any(|keyword| members.contains_key(*keyword)) {
            let [condition, then, otherwise] = ["if", "then", "else"].map(|keyword| members.get(keyword));
            let condition = self.optional(condition, scope)?;
            let then = self.optional(then, scope)?.filter(|then| !self.is_any(*then));
            let otherwise = self.optional(otherwise, scope)?.filter(|otherwise| !self.is_any(*otherwise));
            shapes.push(Shape::Conditional(Conditional { condition, then, otherwise }));
        }
        let keywords: &[&str] = match scope.draft {
            Draft::Draft4 | Draft::Draft6 | Draft::Draft7 => &[],
            Draft::Draft201909 => &["$ref", "$recursiveRef"],
            Draft::Draft202012 => &["$ref", "$dynamicRef"],
        };
        for reference in keywords.iter().filter_map(|keyword| text(members, keyword)) {
            shapes.push(self.reference(reference, scope)?);
        }
        Ok(shapes)
    }

    /// The schemas of a combination. Those that are written alike are one; those that only mean the same are several.
    /// What one schema of `allOf` says side by side counts as several, from draft 2019-09.
    fn parts(&mut self, criterion: Criterion, schemas: &'a [Value], scope: &Scope) -> Result<Vec<NodeId>, Error> {
        let all = schemas.iter().map(|schema| self.schema(schema, scope)).collect::<Result<Vec<_>, _>>()?;
        let mut n_alike: HashMap<NodeId, usize> = HashMap::new();
        for part in &all {
            *n_alike.entry(*part).or_default() += 1;
        }
        let (mut seen, mut written) = (HashSet::new(), HashSet::new());
        let mut parts = Vec::with_capacity(all.len());
        for (schema, part) in schemas.iter().zip(all) {
            if let Shape::Combined { criterion: Criterion::Together, parts: several } = &self.builder.get(part).shape
                && criterion == Criterion::All
            {
                parts.extend(several.iter().copied().filter(|part| seen.insert(*part)));
            } else if n_alike[&part] == 1 {
                parts.extend(seen.insert(part).then_some(part));
            } else {
                parts.extend(written.insert(canonical(schema)).then_some(part));
            }
        }
        Ok(parts)
    }

    /// A combination, with the parts that combine further first.
    fn combined(&self, criterion: Criterion, mut parts: Vec<NodeId>) -> Shape {
        parts.sort_by_key(|part| !matches!(self.builder.get(*part).shape, Shape::Combined { .. }));
        Shape::Combined { criterion, parts }
    }

    fn reference(&mut self, reference: &str, scope: &Scope) -> Result<Shape, Error> {
        let (value, scope) = self
            .index
            .find(reference, scope)
            .filter(|(value, _)| value.is_object() || value.is_boolean())
            .ok_or_else(|| Error::Unresolved { reference: reference.to_owned() })?;
        Ok(Shape::Reference(self.target(value, scope, reference)))
    }

    /// The target for a value, which is loaded later if it is referred to for the first time.
    fn target(&mut self, value: &'a Value, scope: Scope, reference: &str) -> ReferenceId {
        *self.targets.entry(value).or_insert_with(|| {
            let target = self.builder.reference();
            self.references.push((target, reference.to_owned()));
            self.pending.push((target, value, scope));
            target
        })
    }

    /// A type by its name, with the keywords about it.
    fn named_type(
        &mut self,
        name: &str,
        members: &'a Members,
        scope: &Scope,
        named: &mut Vec<Family>,
    ) -> Result<Shape, Error> {
        let family = match name {
            "null" => return Ok(Shape::Null),
            "boolean" => return Ok(Shape::Boolean),
            "array" => Family::Array,
            "object" => Family::Object,
            "string" => Family::Text,
            _ => Family::Number,
        };
        named.push(family);
        let mut shape = self.family(family, members, scope, true)?;
        if let Shape::Number(number) = &mut shape {
            number.is_integer = name == "integer";
        }
        Ok(shape)
    }

    /// What a schema says about one type.
    fn family(
        &mut self,
        family: Family,
        members: &'a Members,
        scope: &Scope,
        is_required: bool,
    ) -> Result<Shape, Error> {
        Ok(match family {
            Family::Array => Shape::Array(Box::new(Array { is_required, ..self.array(members, scope)? })),
            Family::Object => Shape::Object(Box::new(Object { is_required, ..self.object(members, scope)? })),
            Family::Number => Shape::Number(Number { is_required, ..number(members, scope.draft) }),
            Family::Text => Shape::Text(Text {
                is_required,
                min_length: least(members, "minLength"),
                max_length: limit(members, "maxLength"),
                pattern: text(members, "pattern").map(str::to_owned),
                format: text(members, "format").map(str::to_owned),
                content_encoding: text(members, "contentEncoding").map(str::to_owned),
                content_media_type: text(members, "contentMediaType").map(str::to_owned),
            }),
        })
    }

    fn array(&mut self, members: &'a Members, scope: &Scope) -> Result<Array, Error> {
        let mut array = Array {
            min_items: least(members, "minItems"),
            max_items: limit(members, "maxItems"),
            unique_items: members.get("uniqueItems").and_then(Value::as_bool).unwrap_or(false),
            ..Array::default()
        };
        if scope.draft == Draft::Draft202012 {
            array.prefix = self.list(members.get("prefixItems"), scope)?;
            match members.get("items") {
                // Behind a prefix, and as `false`, `items` speaks of further items.
                items @ Some(Value::Bool(_)) => array.additional = self.additional(items, scope)?,
                items if array.prefix.is_empty() => array.items = self.optional(items, scope)?,
                items => array.additional = self.additional(items, scope)?,
            }
        } else {
            match members.get("items") {
                items @ Some(Value::Array(_)) => array.prefix = self.list(items, scope)?,
                items => array.items = self.optional(items, scope)?,
            }
            array.additional = match self.additional(members.get("additionalItems"), scope)? {
                // Beside one schema for all items there are no further ones to forbid.
                Additional::Forbidden if array.items.is_some() => Additional::Permitted,
                Additional::Permitted | Additional::Forbidden | Additional::Schema(_)
                    if scope.draft == Draft::Draft201909 && array.prefix.is_empty() =>
                {
                    Additional::Permitted
                }
                additional @ (Additional::Permitted | Additional::Forbidden | Additional::Schema(_)) => additional,
            };
        }
        if scope.draft > Draft::Draft4 {
            array.contains = self.optional(members.get("contains"), scope)?;
        }
        if scope.draft >= Draft::Draft201909 {
            array.unevaluated = self.optional(members.get("unevaluatedItems"), scope)?;
            if array.contains.is_some() {
                array.min_contains = limit(members, "minContains").or_else(|| Some(Decimal::from(1_u64)));
                array.max_contains = limit(members, "maxContains");
            }
        } else {
            // No older draft knows them; who writes them means them.
            array.min_contains = limit(members, "minContains");
            array.max_contains = limit(members, "maxContains");
        }
        if array.min_contains.as_ref().is_some_and(Decimal::is_zero) && array.max_contains.is_none() {
            (array.contains, array.min_contains) = (None, None);
        }
        Ok(array)
    }

    fn object(&mut self, members: &'a Members, scope: &Scope) -> Result<Object, Error> {
        let mut object = Object {
            properties: self.named(members.get("properties"), scope)?,
            pattern_properties: self.named(members.get("patternProperties"), scope)?,
            additional: self.additional(members.get("additionalProperties"), scope)?,
            required: names(members.get("required")),
            min_properties: least(members, "minProperties"),
            max_properties: limit(members, "maxProperties"),
            ..Object::default()
        };
        if scope.draft > Draft::Draft4 {
            let names = self.optional(members.get("propertyNames"), scope)?;
            object.property_names = names.filter(|names| self.narrows_names(*names));
        }
        if scope.draft < Draft::Draft201909 {
            for (property, demand) in members.get("dependencies").and_then(Value::as_object).into_iter().flatten() {
                if demand.is_array() {
                    demand_properties(&mut object, property, demand);
                } else {
                    object.dependent_schemas.insert(property.clone(), self.schema(demand, scope)?);
                }
            }
        } else {
            object.unevaluated = self.optional(members.get("unevaluatedProperties"), scope)?;
            object.dependent_schemas = self.named(members.get("dependentSchemas"), scope)?;
            let demands = members.get("dependentRequired").and_then(Value::as_object);
            for (property, demand) in demands.into_iter().flatten() {
                demand_properties(&mut object, property, demand);
            }
        }
        object.dependent_schemas.retain(|_, demand| !self.is_any(*demand));
        Ok(object)
    }

    fn additional(&mut self, value: Option<&'a Value>, scope: &Scope) -> Result<Additional, Error> {
        Ok(match value {
            None | Some(Value::Bool(true)) => Additional::Permitted,
            Some(Value::Bool(false)) => Additional::Forbidden,
            Some(schema) => Additional::Schema(self.schema(schema, scope)?),
        })
    }

    fn is_any(&self, schema: NodeId) -> bool {
        matches!(self.builder.get(schema).shape, Shape::Any)
    }

    /// Whether a schema demands more of a name than that it is a string.
    fn narrows_names(&self, schema: NodeId) -> bool {
        let is_plain = |text: &Text| *text == Text { is_required: text.is_required, ..Text::default() };
        !self.is_any(schema) && !matches!(&self.builder.get(schema).shape, Shape::Text(text) if is_plain(text))
    }

    fn optional(&mut self, value: Option<&'a Value>, scope: &Scope) -> Result<Option<NodeId>, Error> {
        value.map(|schema| self.schema(schema, scope)).transpose()
    }

    fn list(&mut self, value: Option<&'a Value>, scope: &Scope) -> Result<Vec<NodeId>, Error> {
        let schemas = value.and_then(Value::as_array).into_iter().flatten();
        schemas.map(|schema| self.schema(schema, scope)).collect()
    }

    fn named(&mut self, value: Option<&'a Value>, scope: &Scope) -> Result<BTreeMap<String, NodeId>, Error> {
        let schemas = value.and_then(Value::as_object).into_iter().flatten();
        schemas.map(|(name, schema)| Ok((name.clone(), self.schema(schema, scope)?))).collect()
    }
}

fn annotations(members: &Members, draft: Draft) -> Annotations {
    let owned = |keyword| text(members, keyword).map(str::to_owned);
    Annotations {
        id: owned(draft.id_keyword()),
        title: owned("title"),
        description: owned("description"),
        default: members.get("default").map(canonical),
        connect_bytes: text(members, "connect.type") == Some("bytes"),
    }
}

fn number(members: &Members, draft: Draft) -> Number {
    let (minimum, maximum) = (limit(members, "minimum"), limit(members, "maximum"));
    let exclusive = |keyword, bound: &Option<Decimal>| match members.get(keyword) {
        Some(Value::Bool(true)) if draft == Draft::Draft4 => bound.clone(),
        _ => limit(members, keyword),
    };
    Number {
        is_required: false,
        is_integer: false,
        exclusive_minimum: exclusive("exclusiveMinimum", &minimum),
        exclusive_maximum: exclusive("exclusiveMaximum", &maximum),
        minimum,
        maximum,
        multiple_of: limit(members, "multipleOf"),
    }
}

fn limit(members: &Members, keyword: &str) -> Option<Decimal> {
    match members.get(keyword) {
        Some(Value::Number(number)) => Decimal::parse(&number.to_string()),
        _ => None,
    }
}

/// A least length or count; nought bounds nothing.
fn least(members: &Members, keyword: &str) -> Option<Decimal> {
    limit(members, keyword).filter(|limit| !limit.is_zero())
}

fn text<'a>(members: &'a Members, keyword: &str) -> Option<&'a str> {
    members.get(keyword).and_then(Value::as_str)
}

/// Notes what a property demands beside itself; to demand nothing is no demand.
fn demand_properties(object: &mut Object, property: &str, demand: &Value) {
    let names = names(Some(demand));
    if !names.is_empty() {
        object.dependent_required.insert(property.to_owned(), names);
    }
}

fn names(value: Option<&Value>) -> BTreeSet<String> {
    let names = value.and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A value as text, the same for equal values: members sorted, `1.0` as `1`.
fn canonical(value: &Value) -> String {
    match value {
        Value::Number(number) => {
            Decimal::parse(&number.to_string()).map_or_else(|| number.to_string(), |number| number.to_string())
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            let members =
                sorted.into_iter().map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        _ => value.to_string(),
    }
}
