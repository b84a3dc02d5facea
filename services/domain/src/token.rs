//! Tokens of the local issuer: what is registered about each, and what a token may make.
//!
//! A token is registered when it is issued, so that it can be listed and revoked by its id. Its text is not kept.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::id::{PrincipalId, TokenId};
use crate::identity::{PrincipalKind, PurposeCode};
use crate::web_session::WebSession;

/// How long tokens may descend from one sign-in by the operator or an identity provider. Afterwards there must be
/// another: no chain of tokens renews itself for ever.
pub const MAX_CHAIN: Duration = Duration::from_secs(180 * 24 * 3_600);
/// The most valid tokens of one principal.
pub const MAX_VALID: usize = 1_000;

/// A token that was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// Whose it is.
    pub principal_id: PrincipalId,
    /// The only purpose that it can be used for; `None` for no such limit.
    pub purpose: Option<PurposeCode>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Its end.
    pub expires_at: Timestamp,
    /// The end of everything that descends from it.
    pub chain_ends_at: Timestamp,
    /// Who made it; `None` for the server, on behalf of its operator.
    pub issued_by: Option<PrincipalId>,
    /// Its early end.
    pub revoked: Option<Revoked>,
    /// Set for a session of the web page; `None` for a token that is sent in a header.
    pub session: Option<WebSession>,
}

/// The early end of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// When.
    pub at: Timestamp,
    /// By whom; `None` for the server, on behalf of its operator.
    pub by: Option<PrincipalId>,
}

/// The token that a caller signed in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bearer {
    /// Its id, if it is the local issuer's.
    pub token_id: Option<TokenId>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Its end.
    pub expires_at: Timestamp,
    /// The end of everything that descends from it.
    pub chain_ends_at: Timestamp,
}

impl From<&Token> for Bearer {
    fn from(token: &Token) -> Self {
        let Token { id, issued_at, expires_at, chain_ends_at, .. } = *token;
        Self { token_id: Some(id), issued_at, expires_at, chain_ends_at }
    }
}

impl Bearer {
    /// The latest end of a token that a principal of one kind makes with this one for a principal of another kind,
    /// where the holder's tokens live for `longest` at most.
    ///
    /// No token makes one that lives longer than itself. The one exception is a person who makes a token for a service
    /// account; it ends with the chain.
    pub fn latest_end(
        &self,
        maker: PrincipalKind,
        holder: PrincipalKind,
        longest: Duration,
        now: Timestamp,
    ) -> Timestamp {
        let of_chain = match (maker, holder) {
            (PrincipalKind::User, PrincipalKind::Service { .. }) => self.chain_ends_at,
            (PrincipalKind::User | PrincipalKind::Service { .. } | PrincipalKind::Inspector, _) => {
                self.chain_ends_at.min(self.expires_at)
            }
        };
        of_chain.min(now.plus(longest))
    }
}
