//! A write that changes nothing: whether the database can be written at all.

use domain::clock::Timestamp;
use domain::id::PrincipalId;

use crate::db::Tx;
use crate::error::Error;
use crate::row::{Text, affected};

/// Writes a row under an id that is used for nothing else, and deletes it again. The commit needs as much of the disk as
/// that of a small change.
pub async fn write(tx: &mut Tx, id: PrincipalId, now: Timestamp) -> Result<(), Error> {
    affected!(
        tx,
        "INSERT INTO idempotency_keys (principal_id, key, operation, digest, subject, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        Text(id),
        "probe",
        "probe",
        "",
        "",
        now.0
    )?;
    affected!(tx, "DELETE FROM idempotency_keys WHERE principal_id = $1", Text(id))?;
    Ok(())
}
