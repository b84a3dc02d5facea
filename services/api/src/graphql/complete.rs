//! Completes an answer as the specification requires (GraphQL, October 2021, 6.4): the executor returns fields in the order
//! of resolution and omits failed ones. Here fields get the order of the document, a failed field is null, and null
//! propagates to the next nullable field.
//!
//! It also removes timing from answers: the same query has the same bytes.

use std::collections::HashMap;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, ExecutableDocument, FragmentDefinition, OperationDefinition, OperationType, Selection, SelectionSet,
    Type, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Name, PathSegment, Positioned, Response, ServerError, Value};

/// The types of all fields of a schema.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldTypes(HashMap<String, HashMap<String, Type>>);

impl FieldTypes {
    /// From a schema in the definition language. Without a valid one, no type is known and every field is nullable.
    pub(crate) fn new(sdl: &str) -> Self {
        let Ok(document) = parse_schema(sdl) else { return Self::default() };
        let types = document.definitions.into_iter().filter_map(|definition| {
            let TypeSystemDefinition::Type(definition) = definition else { return None };
            let fields = match definition.node.kind {
                TypeKind::Object(object) => object.fields,
                TypeKind::Interface(interface) => interface.fields,
                _ => return None,
            };
            let fields = fields.into_iter().map(|field| (field.node.name.node.to_string(), field.node.ty.node));
            Some((definition.node.name.node.to_string(), fields.collect()))
        });
        Self(types.collect())
    }

    fn find(&self, parent: Option<&str>, field: &str) -> Option<&Type> {
        self.0.get(parent?)?.get(field)
    }
}

/// The selection of an operation, fragments spread, in the order of the document.
#[derive(Debug, Default)]
pub(crate) struct Plan(IndexMap<Name, Selected>);

#[derive(Debug)]
struct Selected {
    /// `None` for fields of introspection, which cannot fail.
    ty: Option<Type>,
    below: Plan,
}

impl Plan {
    /// The plan of an operation whose document is within its limits.
    pub(crate) fn new(types: &FieldTypes, document: &ExecutableDocument, operation: &OperationDefinition) -> Self {
        let root = match operation.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        let mut plan = Self::default();
        let mut spread = Vec::new();
        plan.add(
            &Scope { types, fragments: &document.fragments },
            &operation.selection_set.node,
            Some(root),
            &mut spread,
        );
        plan
    }

    fn add<'a>(&mut self, scope: &Scope<'a>, set: &'a SelectionSet, parent: Option<&str>, spread: &mut Vec<&'a Name>) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let key = field.alias.as_ref().unwrap_or(&field.name).node.clone();
                    let ty = scope.types.find(parent, &field.name.node);
                    let named = ty.map(|ty| named(ty).to_owned());
                    let selected =
                        self.0.entry(key).or_insert_with(|| Selected { ty: ty.cloned(), below: Self::default() });
                    selected.below.add(scope, &field.selection_set.node, named.as_deref(), spread);
                }
                Selection::InlineFragment(fragment) => {
                    let condition =
                        fragment.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                    self.add(scope, &fragment.node.selection_set.node, condition.or(parent), spread);
                }
                Selection::FragmentSpread(named) => {
                    let name = &named.node.fragment_name.node;
                    // A cycle is refused by validation, later.
                    if let Some(fragment) = scope.fragments.get(name).filter(|_| !spread.contains(&name)) {
                        spread.push(name);
                        let condition = fragment.node.type_condition.node.on.node.as_str();
                        self.add(scope, &fragment.node.selection_set.node, Some(condition), spread);
                        spread.pop();
                    }
                }
            }
        }
    }

    /// Completes an answer.
    pub(crate) fn complete(&self, answer: &mut Response) {
        let mut failures = Failures::default();
        answer.errors.sort_by_cached_key(|error| {
            (error.locations.clone().into_iter().map(place).collect::<Vec<_>>(), path(error))
        });
        for error in &answer.errors {
            failures.add(&error.path);
        }
        answer.data = self.object(std::mem::take(&mut answer.data), Some(&failures));
    }

    fn object(&self, value: Value, failures: Option<&Failures>) -> Value {
        let mut fields = match value {
            Value::Object(fields) => fields,
            // Either all of its fields failed, or the object itself is null.
            Value::Null => IndexMap::new(),
            other => return other,
        };
        if fields.is_empty() && failures.is_none_or(|failures| failures.0.is_empty()) {
            return Value::Null;
        }
        let mut ordered = IndexMap::with_capacity(fields.len());
        for (key, selected) in &self.0 {
            let below = failures.and_then(|failures| failures.0.get(key.as_str()));
            let value = match fields.swap_remove(key) {
                Some(value) => selected.below.value(value, selected.ty.as_ref(), below),
                None if below.is_some() => Value::Null,
                None => continue,
            };
            if value == Value::Null && selected.ty.as_ref().is_some_and(|ty| !ty.nullable) {
                return Value::Null;
            }
            ordered.insert(key.clone(), value);
        }
        Value::Object(ordered)
    }

    fn value(&self, value: Value, ty: Option<&Type>, failures: Option<&Failures>) -> Value {
        match value {
            Value::List(items) => {
                let element = ty.and_then(|ty| match &ty.base {
                    BaseType::List(element) => Some(&**element),
                    BaseType::Named(_) => None,
                });
                let completed = items.into_iter().enumerate().map(|(index, item)| {
                    let below = failures.and_then(|failures| failures.0.get(&index.to_string()));
                    self.value(item, element, below)
                });
                let completed: Vec<Value> = completed.collect();
                let may_be_null = element.is_none_or(|element| element.nullable);
                if !may_be_null && completed.contains(&Value::Null) { Value::Null } else { Value::List(completed) }
            }
            value if self.0.is_empty() => value,
            value => self.object(value, failures),
        }
    }
}

struct Scope<'a> {
    types: &'a FieldTypes,
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
}

fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(element) => named(element),
    }
}

/// The failed fields: a tree by keys and indexes.
#[derive(Default)]
struct Failures(HashMap<String, Failures>);

impl Failures {
    fn add(&mut self, path: &[PathSegment]) {
        path.iter().fold(self, |at, segment| at.0.entry(segment_text(segment)).or_default());
    }
}

fn path(error: &ServerError) -> Vec<String> {
    error.path.iter().map(segment_text).collect()
}

fn segment_text(segment: &PathSegment) -> String {
    match segment {
        PathSegment::Field(name) => name.clone(),
        PathSegment::Index(index) => index.to_string(),
    }
}

fn place(position: async_graphql::Pos) -> (usize, usize) {
    (position.line, position.column)
}
