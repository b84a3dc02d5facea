//! Domains.

use domain::clock::Timestamp;
use domain::id::DomainId;
use domain::name::DomainPath;
use domain::org::{Domain, Enforcement};

use crate::db::Tx;
use crate::error::Error;
use crate::page::{Page, Seek, all};
use crate::row::{Text, affected, list_in, on_both, row};

row! {
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

macro_rules! select_domains {
    ($rest:literal) => {
        concat!(
            "SELECT
                 id,
                 path,
                 enforcement,
                 switch_at,
                 created_at
             FROM domains ",
            $rest
        )
    };
}

/// Adds a domain.
///
/// # Errors
/// [`crate::Constraint::DomainPath`] if the path is taken; [`Error::LockNeeded`].
pub async fn insert(tx: &mut Tx, domain: &Domain) -> Result<(), Error> {
    tx.require_facts()?;
    affected!(
        tx,
        sqlx::query(
            "INSERT INTO domains (id, path, enforcement, switch_at, created_at)
             VALUES ($1, $2, $3, $4, $5)"
        )
        .bind(Text(domain.id))
        .bind(domain.path.as_str())
        .bind(Text(domain.enforcement))
        .bind(domain.switch_at.map(|at| at.0))
        .bind(domain.created_at.0)
    )?;
    Ok(())
}

/// Sets a domain's enforcement.
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
        sqlx::query("UPDATE domains SET enforcement = $1, switch_at = $2 WHERE id = $3")
            .bind(Text(enforcement))
            .bind(switch_at.map(|at| at.0))
            .bind(Text(id))
    )?;
    if n_rows == 1 { Ok(()) } else { Err(Error::NotFound("domain")) }
}

/// A domain by its id.
///
/// # Errors
/// Those of any query.
pub async fn find(tx: &mut Tx, id: DomainId) -> Result<Option<Domain>, Error> {
    let row = on_both!(tx, |c| sqlx::query_as::<_, DomainRow>(select_domains!("WHERE id = $1"))
        .bind(Text(id))
        .fetch_optional(c))?;
    row.map(Domain::try_from).transpose()
}

/// A domain by its path.
///
/// # Errors
/// Those of any query.
pub async fn find_by_path(tx: &mut Tx, path: &DomainPath) -> Result<Option<Domain>, Error> {
    let row = on_both!(tx, |c| sqlx::query_as::<_, DomainRow>(select_domains!("WHERE path = $1"))
        .bind(path.as_str())
        .fetch_optional(c))?;
    row.map(Domain::try_from).transpose()
}

/// A domain by its id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(tx: &mut Tx, id: DomainId) -> Result<Domain, Error> {
    find(tx, id).await?.ok_or(Error::NotFound("domain"))
}

/// The domains of these ids that exist.
///
/// # Errors
/// Those of any query.
pub async fn list_by_ids(tx: &mut Tx, ids: &[DomainId]) -> Result<Vec<Domain>, Error> {
    all(list_in!(tx, DomainRow, select_domains!("WHERE id IN ({list})"), ids))
}

/// Domains in the order of their paths.
///
/// # Errors
/// Those of any query.
pub async fn list(tx: &mut Tx, seek: &Seek<DomainPath>) -> Result<Page<Domain>, Error> {
    // Every path is greater than the empty text.
    let after = seek.after.as_ref().map_or("", DomainPath::as_str);
    let rows =
        on_both!(tx, |c| sqlx::query_as::<_, DomainRow>(select_domains!("WHERE path > $1 ORDER BY path LIMIT $2"))
            .bind(after)
            .bind(seek.n_fetched())
            .fetch_all(c))?;
    Page::of(rows, seek.limit)
}
