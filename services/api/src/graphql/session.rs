//! The session of a request: its caller, with the loaders that load and authorise in batches.

use std::sync::Arc;

use app::identity::SignedIn;
use app::{App, Ctx};
use async_graphql::{Context, Request};
use domain::id::TokenId;

use super::error::{Failure, Result};
use super::loader::Loaders;

/// The data that a request brings to the schema.
pub(crate) struct Session {
    pub(super) app: Arc<App>,
    pub(super) request_id: Arc<str>,
    pub(super) caller: Caller,
}

/// Who sends a request.
pub(super) enum Caller {
    /// The bearer of this one-time token.
    Bootstrap(TokenId),
    /// A signed-in principal.
    Actor(Box<SignedInCaller>),
}

/// A signed-in caller.
pub(super) struct SignedInCaller {
    pub(super) ctx: Ctx,
    loaders: Loaders,
}

impl Session {
    /// The session of a signed-in caller.
    pub(crate) fn new(app: &Arc<App>, signed_in: SignedIn, request_id: Arc<str>) -> Self {
        let caller = match signed_in {
            SignedIn::Bootstrap(token_id) => Caller::Bootstrap(token_id),
            SignedIn::Actor(actor) => {
                let ctx = Ctx { app: Arc::clone(app), actor, request_id: Arc::clone(&request_id) };
                Caller::Actor(Box::new(SignedInCaller { loaders: Loaders::new(&ctx), ctx }))
            }
        };
        Self { app: Arc::clone(app), request_id, caller }
    }

    fn signed_in(&self) -> Result<&SignedInCaller> {
        match &self.caller {
            Caller::Actor(caller) => Ok(caller),
            Caller::Bootstrap(_) => Err(Failure::bootstrap()),
        }
    }

    /// Whether large documents of the caller are read.
    pub(crate) fn may_send_documents(&self) -> bool {
        self.signed_in().is_ok_and(|caller| app::publish::may_send_documents(&caller.ctx))
    }

    /// The request with the session in it.
    pub(crate) fn put(self, request: Request) -> Request {
        request.data(self)
    }
}

/// Access of resolvers to their session.
pub(super) trait SessionExt {
    /// The session.
    fn session(&self) -> Result<&Session>;

    /// The context of use cases. There is no other way to one, so the bearer of the one-time token reaches nothing but
    /// `createToken`, which reads the session itself.
    fn ctx(&self) -> Result<&Ctx>;

    /// The loaders.
    fn loaders(&self) -> Result<&Loaders>;
}

impl SessionExt for Context<'_> {
    fn session(&self) -> Result<&Session> {
        self.data::<Session>().map_err(|_| Failure::internal())
    }

    fn ctx(&self) -> Result<&Ctx> {
        Ok(&self.session()?.signed_in()?.ctx)
    }

    fn loaders(&self) -> Result<&Loaders> {
        Ok(&self.session()?.signed_in()?.loaders)
    }
}
