//! Sign-in codes of the web page. Its sessions are in [`token`](crate::token).

use domain::clock::Timestamp;
use domain::id::{PrincipalId, TokenId};
use domain::identity::PurposeCode;
use domain::token::Bearer;
use domain::web_session::IssuedCode;

use crate::db::Tx;
use crate::error::Error;
use crate::row::{Text, affected, entity_row, find, insert};

entity_row! {
    #[expect(dead_code, reason = "the digest is searched for, and never read")]
    CodeRow from "sign_in_codes" {
        principal_id: Text<PrincipalId>,
        digest: String,
        purpose: Option<Text<PurposeCode>>,
        made_with: Option<Text<TokenId>>,
        made_with_issued_at: i64,
        session_ends_at: i64,
        chain_ends_at: i64,
        expires_at: i64,
    }
}

impl TryFrom<CodeRow> for IssuedCode {
    type Error = Error;

    fn try_from(row: CodeRow) -> Result<Self, Error> {
        Ok(Self {
            principal_id: row.principal_id.0,
            made_with: Bearer {
                token_id: row.made_with.map(|id| id.0),
                issued_at: Timestamp(row.made_with_issued_at),
                expires_at: Timestamp(row.session_ends_at),
                chain_ends_at: Timestamp(row.chain_ends_at),
            },
            purpose: row.purpose.map(|purpose| purpose.0),
            expires_at: Timestamp(row.expires_at),
        })
    }
}

/// Makes a code the only valid one of its principal.
///
/// # Errors
/// [`Error::LockNeeded`] unless the transaction holds the fact lock, shared or exclusively.
pub async fn put_code(tx: &mut Tx, code: &IssuedCode, digest: &str) -> Result<(), Error> {
    tx.require_facts_shared()?;
    insert!(
        tx,
        CodeRow {
            principal_id: Text(code.principal_id),
            digest: digest,
            purpose: code.purpose.map(Text),
            made_with: code.made_with.token_id.map(Text),
            made_with_issued_at: code.made_with.issued_at.0,
            session_ends_at: code.made_with.expires_at.0,
            chain_ends_at: code.made_with.chain_ends_at.0,
            expires_at: code.expires_at.0,
        },
        "ON CONFLICT (principal_id) DO UPDATE SET
             digest = excluded.digest, purpose = excluded.purpose, made_with = excluded.made_with,
             made_with_issued_at = excluded.made_with_issued_at, session_ends_at = excluded.session_ends_at,
             chain_ends_at = excluded.chain_ends_at, expires_at = excluded.expires_at"
    )?;
    Ok(())
}

/// A code by its digest.
pub async fn find_code(tx: &mut Tx, digest: &str) -> Result<Option<IssuedCode>, Error> {
    find!(tx, CodeRow, "WHERE digest = $1", digest)
}

/// Spends a code. False if it was spent before, or replaced by another one.
///
/// # Errors
/// [`Error::LockNeeded`] unless the transaction holds the fact lock, shared or exclusively.
pub async fn delete_code(tx: &mut Tx, digest: &str) -> Result<bool, Error> {
    tx.require_facts_shared()?;
    Ok(affected!(tx, "DELETE FROM sign_in_codes WHERE digest = $1", digest)? == 1)
}

/// Deletes the codes that have ended, and returns their number.
pub async fn delete_expired(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    affected!(tx, "DELETE FROM sign_in_codes WHERE expires_at <= $1", now.0)
}
