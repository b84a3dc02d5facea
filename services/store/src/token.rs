//! Tokens of the local issuer, and sessions of the web page, which are tokens of another form. The text of neither is
//! stored.

use domain::clock::Timestamp;
use domain::id::{PrincipalId, TokenId};
use domain::identity::PurposeCode;
use domain::token::{Revoked, Token};
use domain::web_session::{Voucher, WebSession};

use crate::db::Tx;
use crate::error::Error;
use crate::page::{Page, Seek};
use crate::row::{Text, affected, entity_row, find, insert, list, on_both, page_by_time, row};

entity_row! {
    #[expect(dead_code, reason = "the digest is searched for, and never read")]
    TokenRow from "tokens" {
        id: Text<TokenId>,
        principal_id: Text<PrincipalId>,
        purpose: Option<Text<PurposeCode>>,
        issued_at: i64,
        expires_at: i64,
        chain_ends_at: i64,
        issued_by: Option<Text<PrincipalId>>,
        revoked_at: Option<i64>,
        revoked_by: Option<Text<PrincipalId>>,
        session_digest: Option<String>,
        session_vouched_by: Option<Text<Voucher>>,
        session_made_with: Option<Text<TokenId>>,
        last_used_at: Option<i64>,
    }
}

impl TryFrom<TokenRow> for Token {
    type Error = Error;

    fn try_from(row: TokenRow) -> Result<Self, Error> {
        let by = row.revoked_by.map(|id| id.0);
        let made_with = row.session_made_with.map(|id| id.0);
        let session = row.session_vouched_by.zip(row.last_used_at).map(|(vouched_by, at)| WebSession {
            vouched_by: vouched_by.0,
            made_with,
            last_used_at: Timestamp(at),
        });
        Ok(Self {
            id: row.id.0,
            principal_id: row.principal_id.0,
            purpose: row.purpose.map(|purpose| purpose.0),
            issued_at: Timestamp(row.issued_at),
            expires_at: Timestamp(row.expires_at),
            chain_ends_at: Timestamp(row.chain_ends_at),
            issued_by: row.issued_by.map(|id| id.0),
            revoked: row.revoked_at.map(|at| Revoked { at: Timestamp(at), by }),
            session,
        })
    }
}

/// Registers a token.
///
/// # Errors
/// [`Error::LockNeeded`] unless the transaction holds the fact lock, shared or exclusively: its principal must not be
/// disabled before the token is stored.
pub async fn insert(tx: &mut Tx, token: &Token) -> Result<(), Error> {
    insert_with(tx, token, None).await
}

/// Registers a session of the web page, by the digest of its secret.
///
/// # Errors
/// As [`insert`].
pub async fn insert_session(tx: &mut Tx, token: &Token, digest: &str) -> Result<(), Error> {
    insert_with(tx, token, Some(digest)).await
}

async fn insert_with(tx: &mut Tx, token: &Token, session_digest: Option<&str>) -> Result<(), Error> {
    tx.require_facts_shared()?;
    insert!(
        tx,
        TokenRow {
            id: Text(token.id),
            principal_id: Text(token.principal_id),
            purpose: token.purpose.map(Text),
            issued_at: token.issued_at.0,
            expires_at: token.expires_at.0,
            chain_ends_at: token.chain_ends_at.0,
            issued_by: token.issued_by.map(Text),
            revoked_at: token.revoked.map(|revoked| revoked.at.0),
            revoked_by: token.revoked.and_then(|revoked| revoked.by).map(Text),
            session_digest: session_digest,
            session_vouched_by: token.session.map(|session| Text(session.vouched_by)),
            session_made_with: token.session.and_then(|session| session.made_with).map(Text),
            last_used_at: token.session.map(|session| session.last_used_at.0),
        }
    )?;
    Ok(())
}

/// A token by its id.
pub async fn find(tx: &mut Tx, id: TokenId) -> Result<Option<Token>, Error> {
    find!(tx, TokenRow, "WHERE id = $1", Text(id))
}

/// A session of the web page, by the digest of its secret.
pub async fn find_session(tx: &mut Tx, digest: &str) -> Result<Option<Token>, Error> {
    find!(tx, TokenRow, "WHERE session_digest = $1", digest)
}

/// The sessions of a principal that were made with a token and are not revoked, in the order of their ids. There are few.
pub async fn list_sessions_made_with(
    tx: &mut Tx,
    principal_id: PrincipalId,
    made_with: TokenId,
) -> Result<Vec<Token>, Error> {
    list!(
        tx,
        TokenRow,
        "WHERE principal_id = $1 AND session_made_with = $2 AND revoked_at IS NULL ORDER BY id",
        Text(principal_id),
        Text(made_with)
    )
}

/// Stores that a session was used.
pub async fn put_last_use(tx: &mut Tx, id: TokenId, at: Timestamp) -> Result<(), Error> {
    affected!(tx, "UPDATE tokens SET last_used_at = $1 WHERE id = $2 AND last_used_at < $1", at.0, Text(id))?;
    Ok(())
}

/// The tokens of a principal, the newest first.
pub async fn list_of_principal(
    tx: &mut Tx,
    principal_id: PrincipalId,
    seek: &Seek<(Timestamp, TokenId)>,
) -> Result<Page<Token>, Error> {
    page_by_time!(tx, seek, TokenRow by "issued_at", "principal_id = $4", Text(principal_id))
}

/// The valid tokens of a principal, in the order of their ids. There are few.
pub async fn list_valid(tx: &mut Tx, principal_id: PrincipalId, now: Timestamp) -> Result<Vec<Token>, Error> {
    list!(
        tx,
        TokenRow,
        "WHERE principal_id = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY id",
        Text(principal_id),
        now.0
    )
}

row! { CountRow from "tokens" { value: i64, } }

/// The number of a principal's tokens that are valid at a moment.
pub async fn count_valid(tx: &mut Tx, principal_id: PrincipalId, now: Timestamp) -> Result<i64, Error> {
    let row = on_both!(tx, |c| sqlx::query_as::<_, CountRow>(
        "SELECT COUNT(*) AS value FROM tokens WHERE principal_id = $1 AND revoked_at IS NULL AND expires_at > $2"
    )
    .bind(Text(principal_id))
    .bind(now.0)
    .fetch_one(c))?;
    Ok(row.value)
}

/// Revokes a token. False if it was revoked before.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn revoke(tx: &mut Tx, id: TokenId, revoked: Revoked) -> Result<bool, Error> {
    tx.require_facts()?;
    let n_rows = affected!(
        tx,
        "UPDATE tokens SET revoked_at = $1, revoked_by = $2 WHERE id = $3 AND revoked_at IS NULL",
        revoked.at.0,
        revoked.by.map(Text),
        Text(id)
    )?;
    Ok(n_rows == 1)
}

/// Revokes every valid token of a principal and of the service accounts that it owns, and returns their number.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn revoke_of_person(tx: &mut Tx, principal_id: PrincipalId, revoked: Revoked) -> Result<u64, Error> {
    tx.require_facts()?;
    affected!(
        tx,
        "UPDATE tokens SET revoked_at = $1, revoked_by = $2
         WHERE revoked_at IS NULL AND expires_at > $1
             AND (principal_id = $3 OR principal_id IN (SELECT principals.id FROM principals WHERE owner_id = $3))",
        revoked.at.0,
        revoked.by.map(Text),
        Text(principal_id)
    )
}

/// Deletes the tokens that ended before a moment, and returns their number.
pub async fn delete_expired(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    affected!(tx, "DELETE FROM tokens WHERE expires_at < $1", before.0)
}

/// The name of a first start's token.
const BOOTSTRAP: &str = "bootstrap";

row! { OneTimeRow from "one_time_tokens" { token_id: Text<TokenId>, } }

/// Makes a token the only valid one of a first start.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn put_bootstrap(tx: &mut Tx, id: TokenId, at: Timestamp) -> Result<(), Error> {
    tx.require_facts()?;
    affected!(
        tx,
        "INSERT INTO one_time_tokens (name, token_id, issued_at) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET token_id = excluded.token_id, issued_at = excluded.issued_at",
        BOOTSTRAP,
        Text(id),
        at.0
    )?;
    Ok(())
}

/// The only valid token of a first start, if there is one.
pub async fn find_bootstrap(tx: &mut Tx) -> Result<Option<TokenId>, Error> {
    let row =
        on_both!(tx, |c| sqlx::query_as::<_, OneTimeRow>("SELECT token_id FROM one_time_tokens WHERE name = $1")
            .bind(BOOTSTRAP)
            .fetch_optional(c))?;
    Ok(row.map(|row| row.token_id.0))
}

/// Spends the token of a first start: no such token is valid afterwards.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn delete_bootstrap(tx: &mut Tx) -> Result<(), Error> {
    tx.require_facts()?;
    affected!(tx, "DELETE FROM one_time_tokens WHERE name = $1", BOOTSTRAP)?;
    Ok(())
}
