//! Revisions: numbers that increase with every change of facts. A decision compares them to find out whether the facts
//! it read are still current, and caches are keyed by them. Each table has a revision of its own, see [`crate::table`].

use domain::id::TableId;

use crate::db::Tx;
use crate::durable::SELECT_PLATFORM;
pub use crate::durable::{Platform, Revision};
use crate::error::Error;
use crate::row::{Text, on_both, row};

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

row! { PlatformRow from "revisions" { access: Option<i64>, visibility: Option<i64>, } }

impl From<PlatformRow> for Platform {
    fn from(row: PlatformRow) -> Self {
        Self { access: row.access.unwrap_or(0), visibility: row.visibility.unwrap_or(0) }
    }
}

/// The platform's revisions.
pub async fn platform(tx: &mut Tx) -> Result<Platform, Error> {
    Ok(on_both!(tx, |c| sqlx::query_as::<_, PlatformRow>(SELECT_PLATFORM).fetch_one(c))?.into())
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
