//! Domains.

use domain::clock::Timestamp;
use domain::id::DomainId;
use domain::name::DomainPath;
use domain::org::{Domain, Enforcement};

use crate::db::Tx;
use crate::error::Error;
use crate::page::{Page, Seek};
use crate::row::{Text, affected, entity_row, find, insert, list_in, page};

entity_row! {
    DomainRow from "domains" {
        id: Text<DomainId>,
        path: Text<DomainPath>,
        enforcement: Text<Enforcement>,
        switch_at: Option<i64>,
        created_at: i64,
    }
}

impl TryFrom<DomainRow> for Domain {
    type Error = Error;

    fn try_from(row: DomainRow) -> Result<Self, Error> {
        Ok(Self {
            id: row.id.0,
            path: row.path.0,
            enforcement: row.enforcement.0,
            switch_at: row.switch_at.map(Timestamp),
            created_at: Timestamp(row.created_at),
        })
    }
}

/// Adds a domain.
///
/// # Errors
/// [`crate::Constraint::DomainPath`] if the path is taken; [`Error::LockNeeded`].
pub async fn insert(tx: &mut Tx, domain: &Domain) -> Result<(), Error> {
    tx.require_facts()?;
    insert!(
        tx,
        DomainRow {
            id: Text(domain.id),
            path: domain.path.as_str(),
            enforcement: Text(domain.enforcement),
            switch_at: domain.switch_at.map(|at| at.0),
            created_at: domain.created_at.0,
        }
    )?;
    Ok(())
}

/// Sets the enforcement of a domain.
///
/// # Errors
/// [`Error::NotFound`], [`Error::LockNeeded`].
pub async fn set_enforcement(
    tx: &mut Tx,
    id: DomainId,
    enforcement: Enforcement,
    switch_at: Option<Timestamp>,
) -> Result<(), Error> {
    tx.require_facts()?;
    let n_rows = affected!(
        tx,
        "UPDATE domains SET enforcement = $1, switch_at = $2 WHERE id = $3",
        Text(enforcement),
        switch_at.map(|at| at.0),
        Text(id)
    )?;
    if n_rows == 1 { Ok(()) } else { Err(Error::NotFound("domain")) }
}

/// A domain by its id.
pub async fn find(tx: &mut Tx, id: DomainId) -> Result<Option<Domain>, Error> {
    find!(tx, DomainRow, "WHERE id = $1", Text(id))
}

/// A domain by its path.
pub async fn find_by_path(tx: &mut Tx, path: &DomainPath) -> Result<Option<Domain>, Error> {
    find!(tx, DomainRow, "WHERE path = $1", path.as_str())
}

/// A domain by its id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(tx: &mut Tx, id: DomainId) -> Result<Domain, Error> {
    find(tx, id).await?.ok_or(Error::NotFound("domain"))
}

/// The domains of these ids that exist.
pub async fn list_by_ids(tx: &mut Tx, ids: &[DomainId]) -> Result<Vec<Domain>, Error> {
    list_in!(tx, DomainRow, "WHERE id IN ({list})", ids)
}

/// Domains in the order of their paths.
pub async fn list(tx: &mut Tx, seek: &Seek<DomainPath>) -> Result<Page<Domain>, Error> {
    // Every path is greater than the empty text.
    let after = seek.after.as_ref().map_or("", DomainPath::as_str);
    page!(tx, seek, DomainRow, "WHERE path > $1 ORDER BY path LIMIT $2", after)
}
