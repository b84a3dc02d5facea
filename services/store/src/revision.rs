//! Revisions: numbers that move with the facts, so that a decision can tell whether what it read still stands, and
//! caches can be keyed. Each table has one of its own, see [`crate::binding`].

use domain::id::TableId;

use crate::db::Tx;
use crate::error::Error;
use crate::row::{Text, affected, on_both, row};

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
    affected!(
        tx,
        sqlx::query(
            "INSERT INTO revisions (name, value) VALUES ($1, 1)
             ON CONFLICT (name) DO UPDATE SET value = revisions.value + 1"
        )
        .bind(revision.name())
    )?;
    Ok(())
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
