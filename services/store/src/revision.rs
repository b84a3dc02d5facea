//! Revisions: numbers that move with the facts, so that a decision can tell whether what it read still stands, and
//! caches can be keyed. Each table has one of its own, see [`crate::binding`].

use std::sync::atomic::{AtomicI64, Ordering};

use domain::id::TableId;
use sqlx::sqlite::SqliteConnection;

use crate::db::Tx;
use crate::error::Error;
use crate::row::{Text, on_both, row};

/// The platform's revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Revision {
    /// Principals, roles, grants, policies, contract states.
    Access,
    /// Who may know of which product.
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

/// What the one writer of a SQLite database knows of its revisions. They are noted when the commit that moved them is
/// durable and before anybody is told, so whoever saw a change acknowledged finds its revision here.
pub(crate) struct Known([AtomicI64; 2]);

/// The revisions that a turn moved, by [`Revision`]; 0 for those that it did not.
pub(crate) type Moved = [i64; 2];

/// Stands for a revision that has to be read from the database.
const UNKNOWN: i64 = i64::MIN;

impl Known {
    pub(crate) fn new(platform: Platform) -> Self {
        Self([AtomicI64::new(platform.access), AtomicI64::new(platform.visibility)])
    }

    pub(crate) fn get(&self, revision: Revision) -> Option<i64> {
        Some(self.0[revision as usize].load(Ordering::Acquire)).filter(|value| *value != UNKNOWN)
    }

    pub(crate) fn raise(&self, moved: Moved) {
        for (known, moved) in self.0.iter().zip(moved).filter(|(_, moved)| *moved > 0) {
            known.fetch_max(moved, Ordering::AcqRel);
        }
    }

    /// A commit failed, and may be there all the same: until the next change the database is asked.
    pub(crate) fn forget(&self) {
        self.0.iter().for_each(|known| known.store(UNKNOWN, Ordering::Release));
    }
}

row! { RevisionRow from "revisions" { value: i64, } }

/// The revision's number; 0 before the first change.
///
/// # Errors
/// Those of any query.
pub async fn get(tx: &mut Tx, revision: Revision) -> Result<i64, Error> {
    let row = on_both!(tx, |c| sqlx::query_as::<_, RevisionRow>("SELECT value FROM revisions WHERE name = $1")
        .bind(revision.name())
        .fetch_optional(c))?;
    Ok(row.map_or(0, |row| row.value))
}

/// Moves the revision. Every change of its facts does, in the same transaction.
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
///
/// # Errors
/// Those of any query.
pub async fn platform(tx: &mut Tx) -> Result<Platform, Error> {
    Ok(on_both!(tx, |c| sqlx::query_as::<_, PlatformRow>(SELECT_PLATFORM).fetch_one(c))?.into())
}

/// The platform's revisions as a connection finds them, before there is a writer.
pub(crate) async fn stored(connection: &mut SqliteConnection) -> sqlx::Result<Platform> {
    Ok(sqlx::query_as::<_, PlatformRow>(SELECT_PLATFORM).fetch_one(connection).await?.into())
}

/// The revisions that a decision about a table rests on, read in one statement. Two equal stamps mean that nothing it
/// rests on has moved.
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
///
/// # Errors
/// Those of any query.
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
