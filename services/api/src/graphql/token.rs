//! Tokens and sessions of the web page as they are registered, revoking them, and the sign-in codes that sessions begin
//! with. Creating a token is in [`identity`](super::identity).

use app::{token, web_session};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::error::Result;
use super::id::{decode, encode};
use super::input::{idempotency_key, lifetime};
use super::page::{Connection, Page, cost};
use super::relation;
use super::scalar::DateTime;
use super::session::SessionExt;
use super::types::{Principal, Token};
use super::words::{PurposeCode, TokenKind};

#[Object]
impl Token {
    pub(crate) async fn id(&self) -> ID {
        encode(self.0.id)
    }

    async fn kind(&self) -> TokenKind {
        match self.0.session {
            Some(_) => TokenKind::Session,
            None => TokenKind::Bearer,
        }
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

    /// The last use of a session, to the minute; null for a bearer token.
    async fn last_used_at(&self) -> Option<DateTime> {
        self.0.session.map(|session| session.last_used_at.into())
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
    /// The tokens and sessions of a principal, newest first; default: the caller. Ended tokens stay listed for seven days.
    /// Admins, stewards and auditors may name any principal, users also their service accounts.
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

/// The sign-in code to create, for the caller.
#[derive(InputObject)]
pub(crate) struct CreateSignInCodeInput {
    /// The lifetime of the session; default: the maximum, until the caller's token ends, and 12 hours at most.
    lifetime_seconds: Option<i32>,
}

#[derive(SimpleObject)]
pub(crate) struct CreateSignInCodePayload {
    /// The code. It is not stored and not shown again.
    code: String,
    expires_at: DateTime,
    /// The latest end of the session.
    session_ends_at: DateTime,
}

#[derive(Default)]
pub(crate) struct TokenMutation;

#[Object]
impl TokenMutation {
    /// Creates a code that signs the caller in to the web page, once. It replaces the one created before.
    async fn create_sign_in_code(
        &self,
        ctx: &Context<'_>,
        input: CreateSignInCodeInput,
    ) -> Result<CreateSignInCodePayload> {
        let made = web_session::create_code(ctx.ctx()?, lifetime(input.lifetime_seconds)?).await?;
        Ok(CreateSignInCodePayload {
            code: made.code.expose().to_owned(),
            expires_at: made.expires_at.into(),
            session_ends_at: made.session_ends_at.into(),
        })
    }

    /// Revokes a token or session, the sessions created with it, and the leases requested with them. For its holder, the
    /// owner of a service account, and admins.
    async fn revoke_token(&self, ctx: &Context<'_>, input: RevokeTokenInput) -> Result<RevokeTokenPayload> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("revokeToken", &input, input.idempotency_key.as_ref())?;
        let revoked = token::revoke_token(ctx, decode(&input.token, "token")?, key).await?;
        Ok(RevokeTokenPayload { token: Token(revoked) })
    }
}
