//! The audit log's arithmetic: what a record says, its canonical bytes, and the MAC over them.
//!
//! A record is written in the transaction of its effect. What is kept is its canonical bytes and their MAC; the bytes
//! are what later becomes a leaf of the log's tree (RFC 6962), so they must never change: same record, same bytes, for
//! ever. The form is [`LABEL`], then every field in order, each as its length (eight bytes, big-endian) and its bytes,
//! so that no two records share a form. A field that may be absent is two: `0` or `1`, and the value.

mod action;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

pub use self::action::{Action, ResourceKind};
use crate::clock::Timestamp;
use crate::closed_set;
use crate::closed_set::UnknownWord;
use crate::id::RecordId;

/// What the canonical bytes begin with: they can be taken for nothing else, and a change of the form gets a new one.
pub const LABEL: &[u8] = b"charterhouse audit record v1\0";

closed_set! {
    /// How an act ended.
    Outcome {
        /// It was about to be done outside the database. A record that stays so tells of an act whose end is unknown.
        Intended = "intended",
        /// It was done.
        Done = "done",
        /// It was refused.
        Refused = "refused",
        /// It failed.
        Failed = "failed",
    }
}

/// What was acted upon.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Resource {
    /// What it is.
    pub kind: ResourceKind,
    /// Its id.
    pub id: String,
}

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its id.
    pub id: RecordId,
    /// When.
    pub at: Timestamp,
    /// Who: a principal's id, or what is known of a caller who is none.
    pub actor: String,
    /// What was done.
    pub action: Action,
    /// To what.
    pub resource: Resource,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, in the actor's or the gate's words.
    pub reason: Option<String>,
    /// The request it was part of.
    pub request_id: String,
    /// More, as JSON. It holds no secret and no data of a table.
    pub detail: String,
}

/// A key of the log. Held by the server, beside the database and never in it.
#[derive(Clone)]
pub struct Key([u8; 32]);

/// A MAC over a record's canonical bytes: HMAC-SHA-256 (RFC 2104, FIPS 180-4).
pub type RecordMac = [u8; 32];

/// Why stored bytes are not a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// See [`Fault::Changed`].
    #[error("the record was changed, or was written with another key")]
    Changed,
    /// See [`Fault::NotARecord`].
    #[error("the bytes are not a record")]
    NotARecord,
    /// See [`Fault::UnknownWord`].
    #[error("the record has an unknown word: {0}")]
    UnknownWord(#[from] UnknownWord),
}

closed_set! {
    /// Why a row of the log is not shown as a record.
    Fault {
        /// The MAC does not fit the bytes: one of the two was changed, or the key is another.
        Changed = "changed",
        /// The bytes have their MAC, but are not the canonical form of a record.
        NotARecord = "not_a_record",
        /// The record has a word that this program does not know: a newer one wrote it.
        UnknownWord = "unknown_word",
        /// The record is intact, but its row has the id, time, actor, action, resource or outcome of another.
        RowDiffers = "row_differs",
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Changed => Self::Changed,
            Error::NotARecord => Self::NotARecord,
            Error::UnknownWord(_) => Self::UnknownWord,
        }
    }
}

impl Record {
    /// The one form of the record in bytes.
    pub fn canonical(&self) -> Vec<u8> {
        let mut bytes = LABEL.to_vec();
        put(&mut bytes, self.id.to_string().as_bytes());
        put(&mut bytes, &self.at.0.to_be_bytes());
        put(&mut bytes, self.actor.as_bytes());
        put(&mut bytes, self.action.as_str().as_bytes());
        put(&mut bytes, self.resource.kind.as_str().as_bytes());
        put(&mut bytes, self.resource.id.as_bytes());
        put(&mut bytes, self.outcome.as_str().as_bytes());
        put(&mut bytes, if self.reason.is_some() { b"1" } else { b"0" });
        put(&mut bytes, self.reason.as_deref().unwrap_or_default().as_bytes());
        put(&mut bytes, self.request_id.as_bytes());
        put(&mut bytes, self.detail.as_bytes());
        bytes
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// [`Error::NotARecord`] for every text that [`Record::canonical`] does not give.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, Error> {
        let mut rest = bytes.strip_prefix(LABEL).ok_or(Error::NotARecord)?;
        let record = Self {
            id: take_text(&mut rest)?.parse().map_err(|_| Error::NotARecord)?,
            at: Timestamp(i64::from_be_bytes(take(&mut rest)?.try_into().map_err(|_| Error::NotARecord)?)),
            actor: take_text(&mut rest)?,
            action: take_text(&mut rest)?.parse()?,
            resource: Resource { kind: take_text(&mut rest)?.parse()?, id: take_text(&mut rest)? },
            outcome: take_text(&mut rest)?.parse()?,
            reason: match (take(&mut rest)?, take_text(&mut rest)?) {
                (b"1", reason) => Some(reason),
                (b"0", reason) if reason.is_empty() => None,
                _ => return Err(Error::NotARecord),
            },
            request_id: take_text(&mut rest)?,
            detail: take_text(&mut rest)?,
        };
        if rest.is_empty() { Ok(record) } else { Err(Error::NotARecord) }
    }
}

impl Key {
    /// A key of 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The MAC over canonical bytes.
    pub fn mac(&self, canonical: &[u8]) -> RecordMac {
        self.hmac(canonical).finalize().into_bytes().into()
    }

    /// The record, if the MAC is its own. The comparison takes the same time for every wrong MAC.
    ///
    /// # Errors
    /// [`Error::Changed`], [`Error::NotARecord`].
    pub fn verify(&self, canonical: &[u8], mac: &[u8]) -> Result<Record, Error> {
        if self.is_mac(canonical, mac) { Record::from_canonical(canonical) } else { Err(Error::Changed) }
    }

    /// Whether a MAC is that of these bytes. The comparison takes the same time for every wrong one.
    pub fn is_mac(&self, canonical: &[u8], mac: &[u8]) -> bool {
        self.hmac(canonical).verify_slice(mac).is_ok()
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104)")]
    fn hmac(&self, canonical: &[u8]) -> Hmac<Sha256> {
        let mut hmac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of 32 bytes");
        hmac.update(canonical);
        hmac
    }
}

/// Shows that there is a key, and nothing of it.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Adds a field to canonical bytes: its length and its bytes.
pub(crate) fn put(bytes: &mut Vec<u8>, field: &[u8]) {
    bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
    bytes.extend_from_slice(field);
}

fn take<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Error> {
    let (length, after) = rest.split_first_chunk::<8>().ok_or(Error::NotARecord)?;
    let length = usize::try_from(u64::from_be_bytes(*length)).map_err(|_| Error::NotARecord)?;
    let (field, after) = after.split_at_checked(length).ok_or(Error::NotARecord)?;
    *rest = after;
    Ok(field)
}

fn take_text(rest: &mut &[u8]) -> Result<String, Error> {
    String::from_utf8(take(rest)?.to_vec()).map_err(|_| Error::NotARecord)
}
