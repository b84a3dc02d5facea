//! The outbox: what happened, in order, for the jobs that follow it.
//!
//! Positions are drawn under the fact lock, so the order of positions is the order of commits, and a reader that asks
//! for what came after the last one it saw misses nothing.

use domain::clock::Timestamp;

use crate::db::Tx;
use crate::error::Error;
use crate::row::{affected, on_both, row};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What, such as `contract.published`.
    pub kind: String,
    /// The id of what it happened to.
    pub subject: String,
    /// More about it, as JSON.
    pub payload: String,
    /// When.
    pub at: Timestamp,
}

/// An event and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Positioned {
    /// Its place, from 1, without holes.
    pub position: i64,
    /// The event.
    pub event: Event,
}

row! { PositionRow from "outbox" { position: i64, } }
row! { EventRow from "outbox" { position: i64, kind: String, subject: String, payload: String, at: i64, } }

/// Adds an event; it is there when the transaction commits. Gives its position.
///
/// # Errors
/// [`Error::LockNeeded`] without the fact lock.
pub async fn push(tx: &mut Tx, event: &Event) -> Result<i64, Error> {
    tx.require_facts()?;
    let row = on_both!(tx, |c| sqlx::query_as::<_, PositionRow>(
        "INSERT INTO outbox (position, kind, subject, payload, at)
             VALUES ((SELECT COALESCE(MAX(position), 0) + 1 FROM outbox), $1, $2, $3, $4)
             RETURNING position"
    )
    .bind(event.kind.as_str())
    .bind(event.subject.as_str())
    .bind(event.payload.as_str())
    .bind(event.at.0)
    .fetch_one(c))?;
    Ok(row.position)
}

/// Forgets events of before a moment; the newest stays, since the next position is counted from it. A reader that is
/// further behind begins anew with what is there.
///
/// # Errors
/// Those of any query.
pub async fn delete_before(tx: &mut Tx, at: Timestamp) -> Result<u64, Error> {
    affected!(
        tx,
        sqlx::query("DELETE FROM outbox WHERE at < $1 AND position < (SELECT MAX(position) FROM outbox)").bind(at.0)
    )
}

/// The events after a position, in order.
///
/// # Errors
/// Those of any query.
pub async fn list_after(tx: &mut Tx, position: i64, limit: u32) -> Result<Vec<Positioned>, Error> {
    let rows = on_both!(tx, |c| sqlx::query_as::<_, EventRow>(
        "SELECT
                 position,
                 kind,
                 subject,
                 payload,
                 at
             FROM outbox
             WHERE position > $1
             ORDER BY position
             LIMIT $2"
    )
    .bind(position)
    .bind(i64::from(limit))
    .fetch_all(c))?;
    let positioned = |row: EventRow| Positioned {
        position: row.position,
        event: Event { kind: row.kind, subject: row.subject, payload: row.payload, at: Timestamp(row.at) },
    };
    Ok(rows.into_iter().map(positioned).collect())
}
