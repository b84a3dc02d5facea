//! Revisions: numbers that increase with every change of facts. A decision compares them to find out whether the facts
//! it read are still current, and caches are keyed by them. Each table has a revision of its own, see [`crate::table`].

use std::sync::atomic::{AtomicI64, Ordering};

use domain::id::TableId;
use sqlx::sqlite::SqliteConnection;

use crate::db::Tx;
use crate::error::Error;
use crate::row::{Text, on_both, row};

/// A revision of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Revision {
    /// Principals, roles, grants, policies, contract states.
    Access,
    /// The visibility of products.
    Visibility,
}

impl Revision {
    fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Visibility => "visibility",
        }
    }
}

/// The revisions of a SQLite database, kept in memory by its one writer. They are updated when the commit that moved
/// them is durable and before its waiters are notified, so an acknowledged change is always reflected here.
pub(crate) struct DurableRevisions([AtomicI64; 2]);

/// The new values of the revisions that a turn moved, by [`Revision`]; 0 for the others.
pub(crate) type Moved = [i64; 2];

/// A revision that must be read from the database.
const UNKNOWN: i64 = i64::MIN;

impl DurableRevisions {
    pub(crate) fn new(platform: Platform) -> Self {
        Self([AtomicI64::new(platform.access), AtomicI64::new(platform.visibility)])
    }

    pub(crate) fn get(&self, revision: Revision) -> Option<i64> {
        Some(self.0[revision as usize].load(Ordering::Acquire)).filter(|value| *value != UNKNOWN)
    }

    pub(crate) fn raise(&self, moved: Moved) {
        for (durable, moved) in self.0.iter().zip(moved).filter(|(_, moved)| *moved > 0) {
            durable.fetch_max(moved, Ordering::AcqRel);
        }
    }

    /// Falls back to asking the database until the next change: a commit failed, and may have been written all the
    /// same.
    pub(crate) fn forget(&self) {
        self.0.iter().for_each(|durable| durable.store(UNKNOWN, Ordering::Release));
    }
}

row! { RevisionRow from "revisions" { value: i64, } }

/// The revision's number; 0 before the first change.
pub async fn get(tx: &mut Tx, revision: Revision) -> Result<i64, Error> {
    let row = on_both!(tx, |c| sqlx::query_as::<_, RevisionRow>("SELECT value FROM revisions WHERE name = $1")
        .bind(revision.name())
        .fetch_optional(c))?;
    Ok(row.map_or(0, |row| row.value))
}

/// Increases the revision. Every change of its facts does so in its own transaction.
///
/// # Errors
/// [`Error::LockNeeded`] without the fact lock.
pub async fn bump(tx: &mut Tx, revision: Revision) -> Result<(), Error> {
    tx.require_facts()?;
    let row = on_both!(tx, |c| sqlx::query_as::<_, RevisionRow>(
        "INSERT INTO revisions (name, value) VALUES ($1, 1)
         ON CONFLICT (name) DO UPDATE SET value = revisions.value + 1
         RETURNING value"
    )
    .bind(revision.name())
    .fetch_one(c))?;
    tx.note_moved(revision, row.value);
    Ok(())
}

/// The platform's revisions, read in one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Platform {
    /// [`Revision::Access`].
    pub access: i64,
    /// [`Revision::Visibility`].
    pub visibility: i64,
}

row! { PlatformRow from "revisions" { access: Option<i64>, visibility: Option<i64>, } }

impl From<PlatformRow> for Platform {
    fn from(row: PlatformRow) -> Self {
        Self { access: row.access.unwrap_or(0), visibility: row.visibility.unwrap_or(0) }
    }
}

const SELECT_PLATFORM: &str = "SELECT
                               (SELECT value FROM revisions WHERE name = 'access') AS access,
                               (SELECT value FROM revisions WHERE name = 'visibility') AS visibility";

/// The platform's revisions.
pub async fn platform(tx: &mut Tx) -> Result<Platform, Error> {
    Ok(on_both!(tx, |c| sqlx::query_as::<_, PlatformRow>(SELECT_PLATFORM).fetch_one(c))?.into())
}

/// The platform's revisions as stored, for use before the writer starts.
pub(crate) async fn stored(connection: &mut SqliteConnection) -> sqlx::Result<Platform> {
    Ok(sqlx::query_as::<_, PlatformRow>(SELECT_PLATFORM).fetch_one(connection).await?.into())
}

/// The revisions that a decision about a table depends on, read in one statement. Equal stamps mean that none of its
/// facts have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// [`Revision::Access`].
    pub access: i64,
    /// [`Revision::Visibility`].
    pub visibility: i64,
    /// The table's own.
    pub table: i64,
}

row! { StampRow from "revisions" { access: Option<i64>, visibility: Option<i64>, in_table: Option<i64>, } }

/// The stamp of a table.
pub async fn stamp(tx: &mut Tx, table_id: TableId) -> Result<Stamp, Error> {
    let row = on_both!(tx, |c| sqlx::query_as::<_, StampRow>(
        "SELECT
         (SELECT value FROM revisions WHERE name = 'access') AS access,
         (SELECT value FROM revisions WHERE name = 'visibility') AS visibility,
         (SELECT revision FROM tables WHERE id = $1) AS in_table"
    )
    .bind(Text(table_id))
    .fetch_one(c))?;
    Ok(Stamp {
        access: row.access.unwrap_or(0),
        visibility: row.visibility.unwrap_or(0),
        table: row.in_table.unwrap_or(0),
    })
}
