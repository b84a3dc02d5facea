//! The native API: one GraphQL schema over the use cases of `app`, a module for each context.
//!
//! The schema is built once; a request brings its [`Session`]: the caller, and loaders that load and authorise in one
//! batch. `types` holds the object types, and the module of each context their fields, its queries and its mutations.
//! Relations go through `relation` and the loaders, lists through `page`, ids through `id`, inputs through `input`.

mod audit;
mod closed_set;
mod column_reads;
pub(crate) mod complete;
mod contract;
pub(crate) mod error;
mod gate;
mod grant;
mod id;
mod identity;
mod input;
mod lease;
mod lineage;
mod loader;
mod node;
mod notice;
mod org;
mod overrides;
mod page;
mod product;
mod publish;
mod registry;
mod relation;
mod rot;
mod scalar;
mod search;
mod session;
mod table;
mod token;
mod types;
mod words;

use async_graphql::{EmptySubscription, MergedObject};

pub use self::closed_set::enum_name;
pub(crate) use self::session::Session;
use crate::limits::Limits;

/// The schema. Cheap to clone; all clones are one.
pub type Schema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

/// All queries.
#[derive(MergedObject, Default)]
pub struct Query(
    identity::IdentityQuery,
    token::TokenQuery,
    node::NodeQuery,
    org::OrgQuery,
    product::ProductQuery,
    search::SearchQuery,
    rot::RotQuery,
    self::lineage::LineageQuery,
    table::TableQuery,
    contract::ContractQuery,
    grant::GrantQuery,
    notice::NoticeQuery,
    overrides::OverrideQuery,
    lease::CredentialQuery,
    gate::GateQuery,
    audit::AuditQuery,
    publish::PublishQuery,
);

/// All mutations. Each takes one input; outcomes that a client branches on are members of the result's union, and every
/// other failure is an error with `extensions.code`.
#[derive(MergedObject, Default)]
pub struct Mutation(
    org::OrgMutation,
    identity::IdentityMutation,
    token::TokenMutation,
    publish::PublishMutation,
    contract::ContractMutation,
    table::TableMutation,
    grant::GrantMutation,
    notice::NoticeMutation,
    overrides::OverrideMutation,
    registry::RegistryMutation,
    lease::CredentialMutation,
);

/// Builds the schema, with its limits.
pub fn schema(limits: &Limits) -> Schema {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .limit_depth(limits.depth)
        .limit_complexity(limits.complexity)
        .limit_recursive_depth(limits.recursion)
        .finish()
}

/// The schema in the definition language, as stored in `schemas/charterhouse.graphql`.
pub fn sdl() -> String {
    let options = async_graphql::SDLExportOptions::new().prefer_single_line_descriptions();
    schema(&Limits::default()).sdl_with_options(options)
}
