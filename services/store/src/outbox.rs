//! The outbox: events in the order of their commits, and how far each consumer has read them.
//!
//! Positions are drawn under the fact lock, so the order of positions is the order of commits: a consumer that reads what
//! comes after its cursor misses nothing. A consumer calls [`read`], handles the events, and calls [`advance`]. It sees
//! an event again if it stops in between, unless both happen in the transaction of [`advance`].
//!
//! Events are forgotten by their age, read or not, so that a consumer that has stopped for good does not fill the
//! database. Positions have no holes, so [`read`] finds out that unread events are gone and answers [`Unread::Rebuild`].

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

/// Deletes the events from before a time, read or not; the newest stays, since the next position is counted from it.
/// Returns their number. A consumer that has not read them is told to rebuild by [`read`].
///
/// # Errors
/// Those of any query.
pub async fn delete_before(tx: &mut Tx, at: Timestamp) -> Result<u64, Error> {
    affected!(tx, "DELETE FROM outbox WHERE at < $1 AND position < (SELECT MAX(position) FROM outbox)", at.0)
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

/// The name of a consumer: one part of the program that follows the outbox, such as an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consumer(pub &'static str);

/// What a consumer has to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// Handle these events, then [`advance`].
    Events {
        /// The cursor: the position of the last event that was handled.
        cursor: i64,
        /// The events after it, in order, without holes. None if all were handled.
        events: Vec<Positioned>,
    },
    /// Build anew from what this transaction reads, then [`restart`]: the consumer is new, or events that it has not
    /// read are forgotten.
    Rebuild {
        /// The position of the newest event that the transaction sees; 0 if there is none.
        newest: i64,
    },
}

row! { CursorRow from "outbox_cursors" { position: i64, } }
row! { NewestRow from "outbox" { newest: i64, } }

/// What a consumer has to do next; at most `limit` events of it.
///
/// # Errors
/// Those of any query.
pub async fn read(tx: &mut Tx, consumer: Consumer, limit: u32) -> Result<Unread, Error> {
    let row =
        on_both!(tx, |c| sqlx::query_as::<_, CursorRow>("SELECT position FROM outbox_cursors WHERE consumer = $1")
            .bind(consumer.0)
            .fetch_optional(c))?;
    if let Some(CursorRow { position: cursor }) = row {
        let events = list_after(tx, cursor, limit).await?;
        // The newest event is never deleted, so none after the cursor means that all were read.
        if events.first().is_none_or(|event| event.position == cursor + 1) {
            return Ok(Unread::Events { cursor, events });
        }
    }
    let row =
        on_both!(tx, |c| sqlx::query_as::<_, NewestRow>("SELECT COALESCE(MAX(position), 0) AS newest FROM outbox")
            .fetch_one(c))?;
    Ok(Unread::Rebuild { newest: row.newest })
}

/// Moves a consumer's cursor from `seen`, as [`read`] gave it, to the position of the last event that it handled.
///
/// # Errors
/// [`Error::Stale`] if the cursor is not at `seen`: another worker of the same consumer handled the events too.
pub async fn advance(tx: &mut Tx, consumer: Consumer, seen: i64, position: i64) -> Result<(), Error> {
    let n_rows = affected!(
        tx,
        "UPDATE outbox_cursors SET position = $1 WHERE consumer = $2 AND position = $3",
        position,
        consumer.0,
        seen
    )?;
    if n_rows == 1 { Ok(()) } else { Err(Error::Stale("cursor")) }
}

/// Puts a consumer's cursor at a position, after it was built from what was there at that position.
///
/// # Errors
/// Those of any query.
pub async fn restart(tx: &mut Tx, consumer: Consumer, position: i64) -> Result<(), Error> {
    affected!(
        tx,
        "INSERT INTO outbox_cursors (consumer, position)
         VALUES ($1, $2)
         ON CONFLICT (consumer) DO UPDATE SET position = excluded.position",
        consumer.0,
        position
    )?;
    Ok(())
}
