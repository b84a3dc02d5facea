//! The audit log: records are added and never changed.
//!
//! A record is its canonical bytes and their MAC; the other columns only serve to find it. Reading a record verifies
//! the MAC and compares the columns, so a modified row is detected. Every row can be read, whatever is in it, so that a
//! modified one spoils no list. `leaf_index` stays NULL until the log has a tree.

use domain::audit::{Action, Fault, Key, Record, ResourceKind};
use domain::clock::Timestamp;
use domain::id::RecordId;

use crate::db::Tx;
use crate::error::Error;
use crate::insertion::Insertion;
use crate::page::{Page, Seek};
use crate::row::{Lossy, Text, entity_row, find, insert_together, insertion, page_by_time};

entity_row! {
    RecordRow from "records" {
        id: Lossy,
        at: i64,
        actor: Lossy,
        action: Lossy,
        resource_kind: Lossy,
        resource_id: Lossy,
        outcome: Lossy,
        bytes: Vec<u8>,
        mac: Vec<u8>,
    }
}

/// The most characters of a row's id in a key: more than an id has.
const MAX_KEY_CHARS: usize = 64;

/// A record as it is stored. All but the bytes and the MAC is what the row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The id.
    pub id: String,
    /// The time.
    pub at: Timestamp,
    /// The actor.
    pub actor: String,
    /// The action.
    pub action: String,
    /// The kind of the resource.
    pub resource_kind: String,
    /// The id of the resource.
    pub resource_id: String,
    /// The outcome.
    pub outcome: String,
    /// The canonical bytes.
    pub bytes: Vec<u8>,
    /// The MAC over them.
    pub mac: Vec<u8>,
}

impl Stored {
    /// The record, if the row is as it was written.
    ///
    /// # Errors
    /// If any part of the row was modified, or the record has a word of a newer program.
    pub fn verify(&self, key: &Key) -> Result<Record, Fault> {
        let record = key.verify(&self.bytes, &self.mac)?;
        if self.is_row_of(&record) { Ok(record) } else { Err(Fault::RowDiffers) }
    }

    /// The key of the row in a list. An id that was made long is cut, so that it makes no cursor too long.
    pub fn key(&self) -> (Timestamp, String) {
        (self.at, self.id.chars().take(MAX_KEY_CHARS).collect())
    }

    fn is_row_of(&self, record: &Record) -> bool {
        self.id == record.id.to_string()
            && self.at == record.at
            && self.actor == record.actor
            && self.action == record.action.as_str()
            && self.resource_kind == record.resource.kind.as_str()
            && self.resource_id == record.resource.id
            && self.outcome == record.outcome.as_str()
    }
}

impl TryFrom<RecordRow> for Stored {
    type Error = Error;

    fn try_from(row: RecordRow) -> Result<Self, Error> {
        Ok(Self {
            id: row.id.0,
            at: Timestamp(row.at),
            actor: row.actor.0,
            action: row.action.0,
            resource_kind: row.resource_kind.0,
            resource_id: row.resource_id.0,
            outcome: row.outcome.0,
            bytes: row.bytes,
            mac: row.mac,
        })
    }
}

/// A filter of records. A field that is `None` matches all. It looks at what the rows say: a modified row is found by
/// what it says now.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter<'a> {
    /// The id of the actor.
    pub actor: Option<&'a str>,
    /// The action.
    pub action: Option<Action>,
    /// The kind of the resource.
    pub resource_kind: Option<ResourceKind>,
    /// The id of the resource.
    pub resource_id: Option<&'a str>,
}

/// Adds a record, in the transaction of the change that it describes.
pub async fn append(tx: &mut Tx, record: &Record, key: &Key) -> Result<(), Error> {
    insert_together(tx, vec![insertion(record, key)]).await
}

pub(crate) fn insertion(record: &Record, key: &Key) -> Insertion {
    let bytes = record.canonical();
    let mac = key.mac(&bytes);
    insertion!("records" {
        id: Text(record.id),
        at: record.at.0,
        actor: record.actor.as_str(),
        action: record.action.as_str(),
        resource_kind: record.resource.kind.as_str(),
        resource_id: record.resource.id.as_str(),
        outcome: Text(record.outcome),
        bytes: bytes,
        mac: mac.to_vec(),
    })
}

/// A record by its id.
pub async fn find(tx: &mut Tx, id: RecordId) -> Result<Option<Stored>, Error> {
    find!(tx, RecordRow, "WHERE id = $1", Text(id))
}

/// Records, the newest first. The key of the seek is the time and id of the row.
pub async fn list(tx: &mut Tx, filter: Filter<'_>, seek: &Seek<(Timestamp, String)>) -> Result<Page<Stored>, Error> {
    page_by_time!(
        tx,
        seek,
        RecordRow by "at",
        "($4 IS NULL OR actor = $4)
         AND ($5 IS NULL OR action = $5)
         AND ($6 IS NULL OR resource_kind = $6)
         AND ($7 IS NULL OR resource_id = $7)",
        filter.actor,
        filter.action.map(Action::as_str),
        filter.resource_kind.map(ResourceKind::as_str),
        filter.resource_id
    )
}
