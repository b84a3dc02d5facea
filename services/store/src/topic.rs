//! Subjects that their owners have released to a domain. Bindings to topics are in [`crate::binding`].

use domain::clock::Timestamp;
use domain::id::{DomainId, PrincipalId};
use domain::registry::Subject;

use crate::db::Tx;
use crate::error::Error;
use crate::row::{Text, affected, on_both, row};

row! { ReleaseRow from "released_subjects" { domain_id: Text<DomainId>, expires_at: i64, } }

/// Releases a subject to a domain, in place of an earlier release.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn release(
    tx: &mut Tx,
    subject: &Subject,
    domain_id: DomainId,
    by: PrincipalId,
    expires_at: Timestamp,
) -> Result<(), Error> {
    tx.require_facts()?;
    affected!(
        tx,
        "INSERT INTO released_subjects (subject, domain_id, released_by, expires_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (subject) DO UPDATE
         SET domain_id = excluded.domain_id, released_by = excluded.released_by, expires_at = excluded.expires_at",
        subject.to_string(),
        Text(domain_id),
        Text(by),
        expires_at.0
    )?;
    Ok(())
}

/// The domain that a subject is released to at a moment, and the end of the release.
pub async fn find_release(
    tx: &mut Tx,
    subject: &Subject,
    now: Timestamp,
) -> Result<Option<(DomainId, Timestamp)>, Error> {
    let row = on_both!(tx, |c| sqlx::query_as::<_, ReleaseRow>(
        "SELECT domain_id, expires_at FROM released_subjects WHERE subject = $1 AND expires_at > $2"
    )
    .bind(subject.to_string())
    .bind(now.0)
    .fetch_optional(c))?;
    Ok(row.map(|row| (row.domain_id.0, Timestamp(row.expires_at))))
}

/// Ends the release of a subject: it was bound.
pub async fn end_release(tx: &mut Tx, subject: &Subject) -> Result<(), Error> {
    affected!(tx, "DELETE FROM released_subjects WHERE subject = $1", subject.to_string())?;
    Ok(())
}

/// Deletes the releases that ended before a moment, and returns their number.
pub async fn delete_expired(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    affected!(tx, "DELETE FROM released_subjects WHERE expires_at <= $1", now.0)
}
