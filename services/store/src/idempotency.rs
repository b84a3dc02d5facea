//! Idempotency keys: a call that creates or changes something happens once, however often it is sent.
//!
//! The key is recorded in the transaction of the change. A replay finds it and derives its answer anew.

use domain::clock::Timestamp;
use domain::id::PrincipalId;

use crate::db::Tx;
use crate::error::Error;
use crate::row::{Text, affected, on_both, row};

/// A call that was done under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// What was called.
    pub operation: String,
    /// The digest of its input. A key that comes with another operation or digest is refused.
    pub digest: String,
    /// The id of what it made or changed.
    pub subject: String,
    /// Until when the key is kept.
    pub expires_at: Timestamp,
}

row! { DoneRow from "idempotency_keys" { operation: String, digest: String, subject: String, expires_at: i64, } }

/// What was done under a principal's key, if it is kept still.
///
/// # Errors
/// Those of any query.
pub async fn find(tx: &mut Tx, principal_id: PrincipalId, key: &str, now: Timestamp) -> Result<Option<Done>, Error> {
    let row = on_both!(tx, |c| sqlx::query_as::<_, DoneRow>(
        "SELECT
             operation,
             digest,
             subject,
             expires_at
         FROM idempotency_keys
         WHERE principal_id = $1 AND key = $2 AND expires_at > $3"
    )
    .bind(Text(principal_id))
    .bind(key)
    .bind(now.0)
    .fetch_optional(c))?;
    Ok(row.map(|row| Done {
        operation: row.operation,
        digest: row.digest,
        subject: row.subject,
        expires_at: Timestamp(row.expires_at),
    }))
}

/// Records what was done under a key. False if the key is in use, which [`find`] in the same transaction tells first,
/// unless another call with it committed in between: the caller then gives up and finds it.
///
/// # Errors
/// Those of any query.
pub async fn record(
    tx: &mut Tx,
    principal_id: PrincipalId,
    key: &str,
    done: &Done,
    now: Timestamp,
) -> Result<bool, Error> {
    let n_rows = affected!(
        tx,
        "INSERT INTO idempotency_keys (principal_id, key, operation, digest, subject, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (principal_id, key) DO UPDATE SET
             operation = excluded.operation,
             digest = excluded.digest,
             subject = excluded.subject,
             expires_at = excluded.expires_at
         WHERE idempotency_keys.expires_at <= $7",
        Text(principal_id),
        key,
        done.operation.as_str(),
        done.digest.as_str(),
        done.subject.as_str(),
        done.expires_at.0,
        now.0
    )?;
    Ok(n_rows == 1)
}

/// Forgets the keys whose time is over. Gives their number.
///
/// # Errors
/// Those of any query.
pub async fn delete_expired(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    affected!(tx, "DELETE FROM idempotency_keys WHERE expires_at <= $1", now.0)
}
