//! A JSON Schema of any draft as a graph of places, each with a single assertion.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::decimal::Decimal;

/// A schema: its places and what its references lead to. Equal places are one place, so the graph is no larger than
/// what is said.
#[derive(Clone, Debug)]
pub struct Schema {
    nodes: Vec<Arc<Node>>,
    references: Vec<NodeId>,
    root: NodeId,
}

impl Schema {
    /// Where it begins.
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// The place itself; for a reference, the reference.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// The place that a place leads to through any number of references; itself, if it is not a reference.
    pub fn resolve(&self, id: NodeId) -> NodeId {
        if let Shape::Reference(reference) = self.node(id).shape { self.references[reference.index()] } else { id }
    }

    /// Whether a place admits every value.
    pub(super) fn is_any(&self, id: NodeId) -> bool {
        matches!(self.node(self.resolve(id)).shape, Shape::Any)
    }
}

/// A place of one [`Schema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// A target of references in one [`Schema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferenceId(u32);

impl ReferenceId {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// What one place of a schema says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// What it says about itself.
    pub annotations: Annotations,
    /// What it demands of a value.
    pub shape: Shape,
}

impl From<Shape> for Node {
    fn from(shape: Shape) -> Self {
        Self { annotations: Annotations::default(), shape }
    }
}

/// The keywords that demand nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Annotations {
    /// `$id`, in draft 4 `id`.
    pub id: Option<String>,
    /// `title`.
    pub title: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `default`, as canonical JSON.
    pub default: Option<String>,
    /// `connect.type` is `bytes`: Kafka Connect's decimals, which may change between a number and a string.
    pub connect_bytes: bool,
}

/// What a place demands of a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Nothing: `true`, `{}`.
    Any,
    /// No value will do: `false`.
    Never,
    /// The value is null.
    Null,
    /// The value is true or false.
    Boolean,
    /// About strings.
    Text(Text),
    /// About numbers.
    Number(Number),
    /// About objects.
    Object(Box<Object>),
    /// About arrays.
    Array(Box<Array>),
    /// The value is one of these, in canonical JSON.
    Enum(BTreeSet<String>),
    /// The value is this one, in canonical JSON.
    Const(String),
    /// The value satisfies several schemas.
    Combined {
        /// How many of them.
        criterion: Criterion,
        /// The schemas, those that combine further first. Each counts, also where two are one place.
        parts: Vec<NodeId>,
    },
    /// The value does not satisfy the schema.
    Not(NodeId),
    /// `if`, `then`, `else`.
    Conditional(Conditional),
    /// What another place says.
    Reference(ReferenceId),
}

/// How many of a combination's schemas a value must satisfy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Criterion {
    /// All: `allOf`, and before draft 2019-09 keywords of several families side by side.
    All,
    /// All: from draft 2019-09 keywords of several families side by side, which `anyOf` sees as one schema.
    Together,
    /// At least one: `anyOf`, and a list of types.
    Any,
    /// Exactly one: `oneOf`.
    One,
}

impl Criterion {
    /// Whether all schemas must be satisfied.
    pub fn is_all(self) -> bool {
        matches!(self, Self::All | Self::Together)
    }

    /// Its keyword.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All | Self::Together => "allOf",
            Self::Any => "anyOf",
            Self::One => "oneOf",
        }
    }
}

/// A demand that depends on another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Conditional {
    /// `if`.
    pub condition: Option<NodeId>,
    /// `then`.
    pub then: Option<NodeId>,
    /// `else`.
    pub otherwise: Option<NodeId>,
}

/// The keywords about strings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Text {
    /// Whether other values are refused: `type`.
    pub is_required: bool,
    /// `minLength`.
    pub min_length: Option<Decimal>,
    /// `maxLength`.
    pub max_length: Option<Decimal>,
    /// `pattern`.
    pub pattern: Option<String>,
    /// `format`.
    pub format: Option<String>,
    /// `contentEncoding`.
    pub content_encoding: Option<String>,
    /// `contentMediaType`.
    pub content_media_type: Option<String>,
}

/// The keywords about numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Number {
    /// Whether other values are refused: `type`.
    pub is_required: bool,
    /// Whether only whole numbers will do: `integer`.
    pub is_integer: bool,
    /// `minimum`.
    pub minimum: Option<Decimal>,
    /// `maximum`.
    pub maximum: Option<Decimal>,
    /// `exclusiveMinimum`; where draft 4 says `true`, the minimum.
    pub exclusive_minimum: Option<Decimal>,
    /// `exclusiveMaximum`; where draft 4 says `true`, the maximum.
    pub exclusive_maximum: Option<Decimal>,
    /// `multipleOf`.
    pub multiple_of: Option<Decimal>,
}

/// What members that no keyword names must satisfy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Additional {
    /// Nothing: the keyword is absent or `true`.
    #[default]
    Permitted,
    /// There may be none: `false`.
    Forbidden,
    /// A schema.
    Schema(NodeId),
}

/// The keywords about objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Object {
    /// Whether other values are refused: `type`.
    pub is_required: bool,
    /// `properties`.
    pub properties: BTreeMap<String, NodeId>,
    /// `patternProperties`, by pattern.
    pub pattern_properties: BTreeMap<String, NodeId>,
    /// `additionalProperties`.
    pub additional: Additional,
    /// `unevaluatedProperties`, from draft 2019-09.
    pub unevaluated: Option<NodeId>,
    /// `propertyNames`.
    pub property_names: Option<NodeId>,
    /// `required`.
    pub required: BTreeSet<String>,
    /// `minProperties`.
    pub min_properties: Option<Decimal>,
    /// `maxProperties`.
    pub max_properties: Option<Decimal>,
    /// `dependentRequired`, and the lists of `dependencies`.
    pub dependent_required: BTreeMap<String, BTreeSet<String>>,
    /// `dependentSchemas`, and the schemas of `dependencies`.
    pub dependent_schemas: BTreeMap<String, NodeId>,
}

/// The keywords about arrays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Array {
    /// Whether other values are refused: `type`.
    pub is_required: bool,
    /// One schema for all items: `items`.
    pub items: Option<NodeId>,
    /// Schemas by position: `prefixItems`, before draft 2020-12 a list as `items`.
    pub prefix: Vec<NodeId>,
    /// Items behind the prefix: `items`, before draft 2020-12 `additionalItems`.
    pub additional: Additional,
    /// `unevaluatedItems`, from draft 2019-09.
    pub unevaluated: Option<NodeId>,
    /// `contains`.
    pub contains: Option<NodeId>,
    /// `minContains`.
    pub min_contains: Option<Decimal>,
    /// `maxContains`.
    pub max_contains: Option<Decimal>,
    /// `minItems`.
    pub min_items: Option<Decimal>,
    /// `maxItems`.
    pub max_items: Option<Decimal>,
    /// `uniqueItems`.
    pub unique_items: bool,
}

/// Makes a [`Schema`], children first.
#[derive(Debug, Default)]
pub struct Builder {
    nodes: Vec<Arc<Node>>,
    known: HashMap<Arc<Node>, NodeId>,
    references: Vec<Option<NodeId>>,
}

impl Builder {
    /// The place that says this; the same one for the same words. The ids in it must be of this builder.
    pub fn node(&mut self, node: impl Into<Node>) -> NodeId {
        let node = Arc::new(node.into());
        if let Some(id) = self.known.get(&node) {
            return *id;
        }
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Arc::clone(&node));
        self.known.insert(node, id);
        id
    }

    /// What a place says that was made here.
    pub fn get(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// A target that references can be made to before it is known.
    pub fn reference(&mut self) -> ReferenceId {
        let id = ReferenceId(u32::try_from(self.references.len()).unwrap_or(u32::MAX));
        self.references.push(None);
        id
    }

    /// Says what a target is.
    pub fn set_target(&mut self, reference: ReferenceId, target: NodeId) {
        self.references[reference.index()] = Some(target);
    }

    /// The schema that begins at `root`.
    ///
    /// # Errors
    /// A target that is nothing but references to itself, or was never set.
    pub fn finish(self, root: NodeId) -> Result<Schema, ReferenceId> {
        let mut references = Vec::with_capacity(self.references.len());
        for index in 0..self.references.len() {
            let start = ReferenceId(u32::try_from(index).unwrap_or(u32::MAX));
            let mut target = self.references[index].ok_or(start)?;
            let mut n_steps = 0;
            while let Shape::Reference(next) = self.nodes[target.index()].shape {
                n_steps += 1;
                if n_steps > self.references.len() {
                    return Err(start);
                }
                target = self.references[next.index()].ok_or(next)?;
            }
            references.push(target);
        }
        Ok(Schema { nodes: self.nodes, references, root })
    }
}
