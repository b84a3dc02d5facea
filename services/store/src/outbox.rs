//! The outbox: events in the order of their commits, and how far each consumer has read them.
//!
//! Positions are drawn under the fact lock, so the order of positions is the order of commits: a consumer that reads
//! what comes after its cursor misses nothing. A consumer calls [`read`], handles the events, and calls [`advance`]. It
//! sees an event again if it stops in between, unless both happen in the transaction of [`advance`].
//!
//! Events are forgotten by their age, read or not, so that a consumer that has stopped for good does not fill the
//! database. Positions have no gaps, so [`read`] finds out that unread events are gone and answers [`Unread::Rebuild`].
//!
//! An event is stored as its kind, the id of its subject, and the rest as JSON. No other module knows that form, and
//! what was written must stay readable.

use std::str::FromStr;

use domain::clock::Timestamp;
use domain::event::{Event, Kind, NamedProduct, Succession};
use domain::notice::Side;
use serde::{Deserialize, Serialize};

use crate::db::Tx;
use crate::error::Error;
use crate::row::{affected, on_both, row};

/// An event with its position and time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Positioned {
    /// Its position, from 1, without gaps.
    pub position: i64,
    /// The event.
    pub event: Event,
    /// When it happened.
    pub at: Timestamp,
}

row! { PositionRow from "outbox" { position: i64, } }
row! { EventRow from "outbox" { position: i64, kind: String, subject: String, payload: String, at: i64, } }

impl TryFrom<EventRow> for Positioned {
    type Error = Error;

    fn try_from(row: EventRow) -> Result<Self, Error> {
        let event = event_from_text(&row.kind, &row.subject, &row.payload)
            .map_err(|problem| Error::inconsistent("outbox", row.position, problem))?;
        Ok(Self { position: row.position, event, at: Timestamp(row.at) })
    }
}

/// Adds an event and returns its position.
///
/// # Errors
/// [`Error::LockNeeded`] without the fact lock.
pub async fn push(tx: &mut Tx, event: &Event, at: Timestamp) -> Result<i64, Error> {
    tx.require_facts()?;
    let (subject, payload) = event_to_text(event)?;
    let row = on_both!(tx, |c| sqlx::query_as::<_, PositionRow>(
        "INSERT INTO outbox (position, kind, subject, payload, at)
         VALUES ((SELECT COALESCE(MAX(position), 0) + 1 FROM outbox), $1, $2, $3, $4)
         RETURNING position"
    )
    .bind(event.kind().as_str())
    .bind(subject.as_str())
    .bind(payload.as_str())
    .bind(at.0)
    .fetch_one(c))?;
    Ok(row.position)
}

/// Deletes the oldest events up to the first from after a time, read or not; the newest stays, since the next position is
/// counted from it. Only a prefix is deleted: clocks step back and differ between servers, and a gap in the middle would
/// hide events from a consumer. Returns their number. [`read`] tells a consumer that has not read them to rebuild.
pub async fn delete_before(tx: &mut Tx, at: Timestamp) -> Result<u64, Error> {
    affected!(
        tx,
        "DELETE FROM outbox
         WHERE position < (
             SELECT COALESCE(MIN(CASE WHEN at >= $1 THEN position END), MAX(position)) FROM outbox
         )",
        at.0
    )
}

/// The events after a position, in order.
///
/// # Errors
/// [`Error::Inconsistent`] for an event that this program does not know.
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
    rows.into_iter().map(Positioned::try_from).collect()
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
        /// The events after it, in order, without gaps. None if all were handled.
        events: Vec<Positioned>,
    },
    /// Build anew from what this transaction reads, then [`restart`]: the consumer is new, or events that it has not
    /// read are deleted.
    Rebuild {
        /// The position of the newest event that the transaction sees; 0 if there is none.
        newest: i64,
    },
}

row! { CursorRow from "outbox_cursors" { position: i64, } }
row! { NewestRow from "outbox" { newest: i64, } }

/// What a consumer has to do next; at most `limit` events of it. On SQLite a write transaction sees events that are not
/// durable yet: effects outside of the database come after the commit, or after a read transaction.
///
/// # Errors
/// [`Error::Inconsistent`] for an event that this program does not know, until it is deleted.
pub async fn read(tx: &mut Tx, consumer: Consumer, limit: u32) -> Result<Unread, Error> {
    let row =
        on_both!(tx, |c| sqlx::query_as::<_, CursorRow>("SELECT position FROM outbox_cursors WHERE consumer = $1")
            .bind(consumer.0)
            .fetch_optional(c))?;
    match row {
        Some(CursorRow { position: cursor }) => read_after(tx, cursor, limit).await,
        None => Ok(Unread::Rebuild { newest: newest(tx).await? }),
    }
}

/// The same, for a consumer that keeps its cursor beside what it makes of the events.
///
/// # Errors
/// As [`read`].
pub async fn read_after(tx: &mut Tx, cursor: i64, limit: u32) -> Result<Unread, Error> {
    let events = list_after(tx, cursor, limit).await?;
    let newest = match events.last() {
        Some(last) => last.position,
        None => newest(tx).await?,
    };
    // The newest event is never deleted, so none after the cursor means that all were read. A cursor beyond it is that of
    // another database.
    if cursor <= newest && events.iter().zip(cursor + 1..).all(|(event, position)| event.position == position) {
        return Ok(Unread::Events { cursor, events });
    }
    Ok(Unread::Rebuild { newest: self::newest(tx).await? })
}

/// The position of the newest event that the transaction sees; 0 if there is none.
pub async fn newest(tx: &mut Tx) -> Result<i64, Error> {
    let row =
        on_both!(tx, |c| sqlx::query_as::<_, NewestRow>("SELECT COALESCE(MAX(position), 0) AS newest FROM outbox")
            .fetch_one(c))?;
    Ok(row.newest)
}

/// Moves a consumer's cursor from `seen`, as [`read`] gave it, to the position of the last event that it handled.
///
/// # Errors
/// [`Error::Stale`] if the cursor is not at `seen`: another worker of the same consumer handled the events too; also for
/// a position before `seen`, since a cursor only moves forward.
pub async fn advance(tx: &mut Tx, consumer: Consumer, seen: i64, position: i64) -> Result<(), Error> {
    if position < seen {
        return Err(Error::Stale("cursor"));
    }
    let n_rows = affected!(
        tx,
        "UPDATE outbox_cursors SET position = $1 WHERE consumer = $2 AND position = $3",
        position,
        consumer.0,
        seen
    )?;
    if n_rows == 1 { Ok(()) } else { Err(Error::Stale("cursor")) }
}

/// Sets a consumer's cursor, after a rebuild from the state at that position.
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

#[derive(Serialize, Deserialize)]
struct WhatPayload {
    what: String,
}

#[derive(Serialize, Deserialize)]
struct StatePayload {
    contract: String,
    version: String,
    state: String,
}

#[derive(Serialize, Deserialize)]
struct SidePayload {
    contract: String,
    version: String,
}

#[derive(Serialize, Deserialize)]
struct NoticePayload {
    product: String,
    from: SidePayload,
    to: SidePayload,
    deadline: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SchemaPayload {
    version: u32,
    schema_id: u32,
    format: String,
}

/// The subject and the payload of an event.
fn event_to_text(event: &Event) -> Result<(String, String), Error> {
    let (subject, payload) = match event {
        Event::ProductPublished(product) | Event::ProductRetired(product) => {
            let what = product.name.to_string();
            (product.product_id.to_string(), serde_json::to_string(&WhatPayload { what }))
        }
        Event::ContractPublished { version_id, summary } => {
            (version_id.to_string(), serde_json::to_string(&WhatPayload { what: summary.clone() }))
        }
        Event::ContractStateChanged { version_id, contract_id, version, state } => {
            let payload = StatePayload {
                contract: contract_id.to_string(),
                version: version.to_string(),
                state: state.to_string(),
            };
            (version_id.to_string(), serde_json::to_string(&payload))
        }
        Event::NoticeOpened(notice) | Event::NoticeUpdated(notice) | Event::NoticeClosed(notice) => {
            let side =
                |side: &Side| SidePayload { contract: side.contract_id.to_string(), version: side.version.to_string() };
            let payload = NoticePayload {
                product: notice.product_id.to_string(),
                from: side(&notice.from),
                to: side(&notice.to),
                deadline: notice.deadline.to_string(),
            };
            (notice.notice_id.to_string(), serde_json::to_string(&payload))
        }
        Event::SchemaRegistered { subject, version, schema_id, format } => {
            let payload = SchemaPayload { version: *version, schema_id: *schema_id, format: format.to_string() };
            (subject.to_string(), serde_json::to_string(&payload))
        }
        Event::TableInspected { table_id } => (table_id.to_string(), Ok("{}".to_owned())),
    };
    Ok((subject, payload.map_err(|problem| Error::inconsistent("outbox", "new", problem.to_string()))?))
}

fn event_from_text(kind: &str, subject: &str, payload: &str) -> Result<Event, String> {
    let product = || {
        let WhatPayload { what } = json(payload)?;
        Ok::<_, String>(NamedProduct { product_id: parsed(subject)?, name: parsed(&what)? })
    };
    let notice = || {
        let NoticePayload { product, from, to, deadline } = json(payload)?;
        let side = |side: SidePayload| {
            Ok::<_, String>(Side { contract_id: parsed(&side.contract)?, version: parsed(&side.version)? })
        };
        Ok::<_, String>(Succession {
            notice_id: parsed(subject)?,
            product_id: parsed(&product)?,
            from: side(from)?,
            to: side(to)?,
            deadline: Timestamp::parse_rfc3339(&deadline).ok_or_else(|| format!("`{deadline}` is not a time"))?,
        })
    };
    Ok(match parsed::<Kind>(kind)? {
        Kind::ProductPublished => Event::ProductPublished(product()?),
        Kind::ProductRetired => Event::ProductRetired(product()?),
        Kind::ContractPublished => {
            let WhatPayload { what } = json(payload)?;
            Event::ContractPublished { version_id: parsed(subject)?, summary: what }
        }
        Kind::ContractStateChanged => {
            let StatePayload { contract, version, state } = json(payload)?;
            Event::ContractStateChanged {
                version_id: parsed(subject)?,
                contract_id: parsed(&contract)?,
                version: parsed(&version)?,
                state: parsed(&state)?,
            }
        }
        Kind::NoticeOpened => Event::NoticeOpened(notice()?),
        Kind::NoticeUpdated => Event::NoticeUpdated(notice()?),
        Kind::NoticeClosed => Event::NoticeClosed(notice()?),
        Kind::SchemaRegistered => {
            let SchemaPayload { version, schema_id, format } = json(payload)?;
            Event::SchemaRegistered { subject: parsed(subject)?, version, schema_id, format: parsed(&format)? }
        }
        Kind::TableInspected => Event::TableInspected { table_id: parsed(subject)? },
    })
}

fn json<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|problem| problem.to_string())
}

fn parsed<T: FromStr<Err: ToString>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|problem: T::Err| problem.to_string())
}
