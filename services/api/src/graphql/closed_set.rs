//! Closed sets of the domain as enums of the schema, generated from the set: a new value of the domain is in the schema
//! too, with its meaning as the description.
//!
//! The enums of [`super::words`] are written out, because the schema has its own names or descriptions for them.

use std::sync::LazyLock;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaEnumValue, MetaType, MetaTypeId, Registry};
use async_graphql::resolver_utils::{EnumItem, EnumType, enum_value, parse_enum};
use async_graphql::{ContextSelectionSet, InputType, InputValueResult, OutputType, Positioned, ServerResult, Value};
use domain::closed_set::ClosedSet;

/// The schema's name for a word: `grant.missing` is `GRANT_MISSING`.
pub fn enum_name(word: &str) -> String {
    word.replace(['.', '-'], "_").to_uppercase()
}

/// The values of a set with their names, which are leaked once.
fn items<S: ClosedSet, T>(wrap: fn(S) -> T) -> Vec<EnumItem<T>> {
    let item = |value: &S| EnumItem { name: &*enum_name(value.as_str()).leak(), value: wrap(*value) };
    S::ALL.iter().map(item).collect()
}

fn meta_values<S: ClosedSet>() -> IndexMap<String, MetaEnumValue> {
    let value = |value: &S| {
        let name = enum_name(value.as_str());
        let meta = MetaEnumValue {
            name: name.clone(),
            description: Some(value.meaning().to_owned()),
            deprecation: async_graphql::registry::Deprecation::NoDeprecated,
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            directive_invocations: Vec::new(),
        };
        (name, meta)
    };
    S::ALL.iter().map(value).collect()
}

/// Declares an enum of the schema over a closed set.
macro_rules! enums {
    ($($(#[doc = $doc:literal])+ $name:ident($set:ty);)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) $set);

        impl EnumType for $name {
            fn items() -> &'static [EnumItem<Self>] {
                static ITEMS: LazyLock<Vec<EnumItem<$name>>> = LazyLock::new(|| items($name));
                &ITEMS
            }
        }

        impl $name {
            fn create(registry: &mut Registry) -> String {
                registry.create_input_type::<Self, _>(MetaTypeId::Enum, |_| MetaType::Enum {
                    name: stringify!($name).to_owned(),
                    description: Some(concat!($($doc),+).trim_start().to_owned()),
                    enum_values: meta_values::<$set>(),
                    visible: None,
                    inaccessible: false,
                    tags: Vec::new(),
                    rust_typename: Some(std::any::type_name::<Self>()),
                    directive_invocations: Vec::new(),
                    requires_scopes: Vec::new(),
                })
            }
        }

        impl InputType for $name {
            type RawValueType = Self;

            fn type_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                Self::create(registry)
            }

            fn parse(value: Option<Value>) -> InputValueResult<Self> {
                parse_enum(value.unwrap_or_default())
            }

            fn to_value(&self) -> Value {
                enum_value(*self)
            }

            fn as_raw_value(&self) -> Option<&Self::RawValueType> {
                Some(self)
            }
        }

        impl OutputType for $name {
            fn type_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                Self::create(registry)
            }

            async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
                Ok(enum_value(*self))
            }
        }
    )+};
}

enums! {
    /// The recorded action.
    AuditAction(domain::audit::Action);
    /// The outcome of an action.
    AuditOutcome(domain::audit::Outcome);
    /// Why an entry of the audit log is not shown as a record.
    RecordFault(domain::audit::Fault);
    /// An action that the gate decides on.
    GateAction(domain::gate::Action);
    /// A check of the gate.
    GateCheck(domain::gate::Check);
    /// The reason for the outcome of a check.
    ReasonCode(domain::gate::Code);
    /// What search counts hits by, and filters them by.
    SearchFacet(search::Facet);
    /// A kind of neglect.
    RotKind(domain::rot::Kind);
    /// How good the best match of a hit is. A later stage never comes before an earlier one.
    SearchStage(search::Stage);
    /// What the text of a match is.
    MatchField(search::MatchField);
    /// What the caller may do with a product that they may see.
    ProductAccess(search::Access);
    /// How an edge of lineage is known.
    LineageKind(lineage::edge::Kind);
    /// What an edge of lineage rests on.
    LineageBasis(lineage::edge::Basis);
    /// Whether who says so speaks for what is made.
    LineageStanding(lineage::edge::Standing);
    /// Which way edges of lineage are followed.
    LineageDirection(lineage::graph::Direction);
    /// Why an answer about lineage is not complete.
    LineageCut(lineage::graph::Cut);
}
