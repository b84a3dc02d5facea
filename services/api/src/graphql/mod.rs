//! The native API: one GraphQL schema over the use cases of `app`, a module for each context.
//!
//! The schema is built once; a request brings its [`Session`]: who asks, and loaders that load and authorise in one
//! batch. Relations go through the loaders, lists through `page`, ids through `id`.

mod audit;
mod closed_set;
pub(crate) mod complete;
mod contract;
pub(crate) mod error;
mod gate;
mod grant;
mod id;
mod identity;
mod key;
mod lease;
mod loader;
mod node;
mod notice;
mod org;
mod overrides;
mod page;
mod product;
mod publish;
mod scalar;
mod table;
mod words;

use std::sync::Arc;

use app::error::Noun;
use app::identity::SignedIn;
use app::{App, Ctx};
use async_graphql::{Context, EmptySubscription, MergedObject, Request};

pub use self::closed_set::enum_name;
use self::error::{Failure, Result};
use self::loader::Loaders;
use crate::limits::Limits;

/// The schema. Cheap to clone; all clones are one.
pub type Schema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

/// All queries.
#[derive(MergedObject, Default)]
pub struct Query(
    identity::IdentityQuery,
    node::NodeQuery,
    org::OrgQuery,
    product::ProductQuery,
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

/// All changes. Each mutation takes one input; outcomes that a client branches on are members of the result's union,
/// everything else is an error with `extensions.code`.
#[derive(MergedObject, Default)]
pub struct Mutation(
    org::OrgMutation,
    identity::IdentityMutation,
    publish::PublishMutation,
    contract::ContractMutation,
    table::TableMutation,
    grant::GrantMutation,
    notice::NoticeMutation,
    overrides::OverrideMutation,
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

/// The schema in the definition language, as it is kept in `schemas/charterhouse.graphql`.
pub fn sdl() -> String {
    let options = async_graphql::SDLExportOptions::new().prefer_single_line_descriptions();
    schema(&Limits::default()).sdl_with_options(options)
}

/// What a request brings to the schema.
pub(crate) struct Session {
    app: Arc<App>,
    request_id: Arc<str>,
    /// `None` for the bearer of the one-time token.
    caller: Option<Caller>,
}

struct Caller {
    ctx: Ctx,
    loaders: Loaders,
}

impl Session {
    /// The session of a signed-in caller.
    pub(crate) fn new(app: &Arc<App>, signed_in: SignedIn, request_id: Arc<str>) -> Self {
        let caller = match signed_in {
            SignedIn::Bootstrap => None,
            SignedIn::Actor(actor) => {
                let ctx = Ctx { app: Arc::clone(app), actor, request_id: Arc::clone(&request_id) };
                Some(Caller { loaders: Loaders::new(&ctx), ctx })
            }
        };
        Self { app: Arc::clone(app), request_id, caller }
    }

    /// Whether large documents of the caller are read.
    pub(crate) fn may_send_documents(&self) -> bool {
        self.caller.as_ref().is_some_and(|caller| app::publish::may_send_documents(&caller.ctx))
    }

    /// The request with the session in it.
    pub(crate) fn put(self, request: Request) -> Request {
        request.data(self)
    }
}

/// What resolvers ask of their session.
trait SessionExt {
    /// The session.
    fn session(&self) -> Result<&Session>;

    /// What use cases take first. There is no other way to one, so the bearer of the one-time token reaches nothing
    /// but `createToken`, which looks at the session itself.
    fn ctx(&self) -> Result<&Ctx>;

    /// The loaders.
    fn loaders(&self) -> Result<&Loaders>;
}

impl SessionExt for Context<'_> {
    fn session(&self) -> Result<&Session> {
        self.data::<Session>().map_err(|_| Failure::internal())
    }

    fn ctx(&self) -> Result<&Ctx> {
        self.session()?.caller.as_ref().map(|caller| &caller.ctx).ok_or_else(Failure::bootstrap)
    }

    fn loaders(&self) -> Result<&Loaders> {
        self.session()?.caller.as_ref().map(|caller| &caller.loaders).ok_or_else(Failure::bootstrap)
    }
}

/// What a relation leads to where it cannot be hidden from whoever sees its start. It may have changed meanwhile.
fn required<T>(found: Option<T>, what: Noun) -> Result<T> {
    found.ok_or_else(|| Failure::not_found(what))
}
