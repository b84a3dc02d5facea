//! Tokens as they are registered, and revoking them. Creating one is in [`identity`](super::identity).

use app::token;
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::error::Result;
use super::id::{decode, encode};
use super::input::idempotency_key;
use super::page::{Connection, Page, cost};
use super::relation;
use super::scalar::DateTime;
use super::session::SessionExt;
use super::types::{Principal, Token};
use super::words::PurposeCode;

#[Object]
impl Token {
    pub(crate) async fn id(&self) -> ID {
        encode(self.0.id)
    }

    /// The principal that it belongs to.
    async fn principal(&self, ctx: &Context<'_>) -> Result<Principal> {
        relation::principal(ctx, self.0.principal_id).await
    }

    /// The only purpose that it can be used for.
    async fn purpose(&self) -> Option<PurposeCode> {
        self.0.purpose.map(Into::into)
    }

    async fn issued_at(&self) -> DateTime {
        self.0.issued_at.into()
    }

    async fn expires_at(&self) -> DateTime {
        self.0.expires_at.into()
    }

    /// The principal that created it; null if the operator created it at the server.
    async fn issued_by(&self, ctx: &Context<'_>) -> Result<Option<Principal>> {
        match self.0.issued_by {
            Some(id) => relation::find_principal(ctx, id).await,
            None => Ok(None),
        }
    }

    /// When it was revoked; null if it is not revoked.
    async fn revoked_at(&self) -> Option<DateTime> {
        self.0.revoked.map(|revoked| revoked.at.into())
    }

    /// The principal that revoked it; null if it is not revoked, or the operator revoked it at the server.
    async fn revoked_by(&self, ctx: &Context<'_>) -> Result<Option<Principal>> {
        match self.0.revoked.and_then(|revoked| revoked.by) {
            Some(id) => relation::find_principal(ctx, id).await,
            None => Ok(None),
        }
    }
}

#[derive(Default)]
pub(crate) struct TokenQuery;

#[Object]
impl TokenQuery {
    /// The tokens of a principal, newest first; default: the caller. Ended tokens stay listed for seven days. Admins,
    /// stewards and auditors may name any principal, users also their service accounts.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn tokens(
        &self,
        ctx: &Context<'_>,
        subject: Option<String>,
        #[graphql(default_with = "Some(super::page::DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Token>> {
        let ctx = ctx.ctx()?;
        let page = Page::new(ctx, "tokens", first, after.as_deref())?;
        let found = token::list_tokens(ctx, subject.as_deref(), &page.seek()).await?;
        Ok(page.connection(found, |token| (token.issued_at, token.id), Token))
    }
}

#[derive(InputObject)]
pub(crate) struct RevokeTokenInput {
    token: ID,
    idempotency_key: Option<String>,
}

#[derive(SimpleObject)]
pub(crate) struct RevokeTokenPayload {
    token: Token,
}

#[derive(Default)]
pub(crate) struct TokenMutation;

#[Object]
impl TokenMutation {
    /// Revokes a token and the leases requested with it. For its holder, the owner of a service account, and admins.
    async fn revoke_token(&self, ctx: &Context<'_>, input: RevokeTokenInput) -> Result<RevokeTokenPayload> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("revokeToken", &input, input.idempotency_key.as_ref())?;
        let revoked = token::revoke_token(ctx, decode(&input.token, "token")?, key).await?;
        Ok(RevokeTokenPayload { token: Token(revoked) })
    }
}
