//! The GraphQL API, typed. Operations, inputs, response types and enums of the command line are derived from
//! `schemas/charterhouse.graphql` by `cynic`: one that does not match the schema does not compile.
//!
//! Each command group declares its operations with [`operation`] and [`list`]. An operation is the struct of its
//! variables; sending it returns its `Answer`. A response type selects exactly its fields.

use clap::ValueEnum;
use cynic::{OperationBuilder, QueryFragment, QueryVariables};
use domain::clock::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::word;

/// The types of the schema, as markers for the derive macros.
#[expect(unreachable_pub, reason = "the module is generated")]
#[cynic::schema("charterhouse")]
pub(crate) mod schema {}

/// A query or mutation with its variables.
pub(crate) trait Operation: Sized {
    /// The type of the response's only field, `answer`.
    type Answer: DeserializeOwned;

    /// The body of the HTTP request.
    fn body(self) -> Value;
}

/// A query that returns one page of a list.
pub(crate) trait List: Operation<Answer = super::client::Connection<Self::Node>> + Clone {
    /// The type of the list's entries.
    type Node: DeserializeOwned;

    /// Selects the page.
    fn set_page(&mut self, first: i32, after: Option<String>);
}

/// Declares an operation: `operation!($ mutation "Mutation" Name { input: Input } "field" -> Answer)`. The `$` is what
/// the macro writes variables with.
macro_rules! operation {
    ($d:tt $kind:ident $root:tt $name:ident $arguments:tt $field:tt -> Option<$answer:ty>) => {
        super::api::operation!(@ $d $kind $root $name $arguments $field, $answer, Option<$answer>);
    };
    ($d:tt $kind:ident $root:tt $name:ident $arguments:tt $field:tt -> $answer:ty) => {
        super::api::operation!(@ $d $kind $root $name $arguments $field, $answer, $answer);
    };
    (@ $d:tt $kind:ident $root:tt $name:ident { $($argument:ident: $type:ty),* } $field:tt, $inner:ty, $answer:ty) => {
        #[derive(Clone, cynic::QueryVariables)]
        struct $name {
            $($argument: $type),*
        }

        const _: () = {
            // `cynic` accepts no type from a macro's arguments here, and takes an `Option` for any field.
            type Inner = $inner;

            #[derive(cynic::QueryFragment)]
            #[cynic(graphql_type = $root, variables = $name)]
            struct Root {
                #[arguments($($argument: $d $argument),*)]
                #[cynic(rename = $field, alias)]
                #[expect(dead_code, reason = "the response is decoded as `Answer`")]
                answer: Option<Inner>,
            }

            impl super::api::Operation for $name {
                type Answer = $answer;

                fn body(self) -> serde_json::Value {
                    let operation = cynic::OperationBuilder::<Root, Self>::$kind();
                    super::api::body(operation.with_operation_name(stringify!($name)), self)
                }
            }
        };
    };
}
pub(crate) use operation;

/// Declares the query of a list: `list!($ Name { filter: Type } "field" -> "Connection" of Node)`.
macro_rules! list {
    ($d:tt $name:ident { $($filter:ident: $type:ty),* } $field:tt -> $connection:tt of $node:ty) => {
        #[derive(Clone, Default, cynic::QueryVariables)]
        struct $name {
            $($filter: $type,)*
            first: i32,
            after: Option<String>,
        }

        const _: () = {
            type Node = $node;

            #[derive(cynic::QueryFragment)]
            #[cynic(graphql_type = $connection)]
            #[expect(dead_code, reason = "the response is decoded as `Connection`")]
            struct Page {
                nodes: Vec<Node>,
                page_info: super::client::PageInfo,
            }

            #[derive(cynic::QueryFragment)]
            #[cynic(graphql_type = "Query", variables = $name)]
            struct Root {
                #[arguments($($filter: $d $filter,)* first: $d first, after: $d after)]
                #[cynic(rename = $field, alias)]
                #[expect(dead_code, reason = "the response is decoded as `Connection`")]
                answer: Page,
            }

            impl super::api::Operation for $name {
                type Answer = super::client::Connection<$node>;

                fn body(self) -> serde_json::Value {
                    let operation = cynic::OperationBuilder::<Root, Self>::query();
                    super::api::body(operation.with_operation_name(stringify!($name)), self)
                }
            }

            impl super::api::List for $name {
                type Node = $node;

                fn set_page(&mut self, first: i32, after: Option<String>) {
                    self.first = first;
                    self.after = after;
                }
            }
        };
    };
}
pub(crate) use list;

/// The request body of an operation.
#[expect(clippy::expect_used, reason = "an operation with variables is complete, and its variables are plain JSON")]
pub(crate) fn body<Root, Variables>(operation: OperationBuilder<Root, Variables>, variables: Variables) -> Value
where
    Root: QueryFragment,
    Variables: QueryVariables + Serialize,
{
    let operation = operation.with_variables(variables).build().expect("the variables are set");
    serde_json::to_value(operation).expect("variables are serializable")
}

/// A timestamp in RFC 3339.
#[derive(Clone, Debug, cynic::Scalar)]
pub(crate) struct DateTime(String);

impl From<Timestamp> for DateTime {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp.to_string())
    }
}

impl std::fmt::Display for DateTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A 64-bit integer, as a string.
#[derive(Clone, Debug, cynic::Scalar)]
pub(crate) struct Long(String);

impl std::fmt::Display for Long {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Declares enums of the schema, which are arguments of commands and are shown in lower case.
macro_rules! enums {
    ($($(#[$meta:meta])* $name:ident { $($variant:ident),* $(,)? })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, cynic::Enum)]
        #[value(rename_all = "snake_case")]
        pub(crate) enum $name {
            $($variant),*
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.to_possible_value() {
                    Some(value) => f.write_str(value.get_name()),
                    None => Ok(()),
                }
            }
        }
    )*};
}

enums! {
    AccessRequestState { Pending, Approved, Rejected, Withdrawn }
    Action { Read, Repair, Write }
    Bump { None, Patch, Minor, Major }
    ChangeKind { Added, Changed, Transition, Unchanged, Removed }
    Classification { Public, Internal, Confidential, Restricted }
    ContractState { Draft, Active, Superseded, Deprecated, Retired }
    DocumentKind { Product, Contract }
    Enforcement { Off, Report, On }
    GateMode { Block, LastGood, Warn }
    GrantState { Upcoming, Active, Ended, Revoked }
    LeaseState { Intended, Issued, Ended, Revoked }
    LineOutcome { Holds, Warns, Fails, NotBinding, NotChecked }
    NewPrincipalKind { User, Service }
    NoticeReply { Acknowledged, NeedsTime, Objects }
    PrincipalKind { User, Service, Inspector }
    ProductState { Proposed, Draft, Active, Deprecated, Retired }
    PurposeCode { Analytics, Reporting, Operations, MachineLearning, Compliance, Support }
    QualityUnit { Rows, Percent }
    RoleWord { Owner, Publisher, Consumer, Admin, Steward, Auditor }
    RuleOutcome { Pass, Fail, Error, NotRun }
    SearchFacet { Domain, Classification, State, Format, Layer, Verdict, Access }
    Severity { Info, Warning, Error }
    SnapshotState { Pending, Inspected, Skipped, Error }
    TableFormat { Delta, Parquet }
    TokenKind { Bearer, Session }
    VerdictWord { Pass, Warn, Fail, Error }
}

/// Uses closed sets of the domain as enums of the schema. They are printed in the domain's spelling, see [`word`].
macro_rules! closed_sets {
    ($($name:ident($set:ty))*) => {$(
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) $set);

        impl $name {
            pub(crate) fn as_str(self) -> &'static str {
                self.0.as_str()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                word::deserialize(deserializer).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                word::serialize(&self.0, serializer)
            }
        }

        impl cynic::Enum for $name {
            type SchemaType = schema::$name;
        }
    )*};
}

/// Closed sets as arguments: in the API's spelling, not in the domain's.
macro_rules! arguments {
    ($($name:ident($set:ty) of $type:ident)*) => {$(
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) $set);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&word::name(self.0))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                word::deserialize(deserializer).map(Self)
            }
        }

        impl cynic::Enum for $name {
            type SchemaType = schema::$type;
        }

        cynic::impl_coercions!($name, schema::$type);

        impl schema::variable::Variable for $name {
            const TYPE: cynic::variables::VariableType = cynic::variables::VariableType::Named(stringify!($type));
        }
    )*};
}

closed_sets! {
    AuditAction(domain::audit::Action)
    AuditOutcome(domain::audit::Outcome)
    RecordFault(domain::audit::Fault)
    GateAction(domain::gate::Action)
    GateCheck(domain::gate::Check)
    ReasonCode(domain::gate::Code)
    RotKind(domain::rot::Kind)
    SearchStage(search::Stage)
    MatchField(search::MatchField)
    ProductAccess(search::Access)
    LineageKind(lineage::edge::Kind)
    LineageBasis(lineage::edge::Basis)
    LineageStanding(lineage::edge::Standing)
    LineageCut(lineage::graph::Cut)
}

arguments! {
    AuditActionArgument(domain::audit::Action) of AuditAction
    LineageKindArgument(lineage::edge::Kind) of LineageKind
    LineageDirectionArgument(lineage::graph::Direction) of LineageDirection
}
