//! Idempotency keys: a call that creates or changes something takes effect once, however often it is sent.
//!
//! The key is recorded in the transaction of the change. A replay finds it and derives its answer from the current
//! state.

use domain::clock::Timestamp;
use domain::id::PrincipalId;

use crate::db::Tx;
use crate::error::Error;
use crate::row::{Text, affected, on_both, row};

/// A call that was executed under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The name of the operation.
    pub operation: String,
    /// The digest of its input. The same key with another operation or digest is refused.
    pub digest: String,
    /// The id of what it created or changed.
    pub subject: String,
    /// The time at which the key expires.
    pub expires_at: Timestamp,
}

row! { DoneRow from "idempotency_keys" { operation: String, digest: String, subject: String, expires_at: i64, } }

/// The call that was executed under a principal's key, unless the key has expired.
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

/// Records the call that was executed under a key. False if the key is in use: [`find`] reports that first, unless
/// another call with the same key commits in between; the caller then rolls back and finds that call.
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

/// Deletes the expired keys and returns their number.
pub async fn delete_expired(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    affected!(tx, "DELETE FROM idempotency_keys WHERE expires_at <= $1", now.0)
}
