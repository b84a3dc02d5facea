//! Contracts and their versions.

use std::collections::HashMap;

use domain::clock::Timestamp;
use domain::contract::{self, Contract, State};
use domain::document::{Format, StoredDocument};
use domain::id::{ContractId, ContractVersionId, PrincipalId, ProductId, TableId};
use domain::version::Version;

use crate::db::Tx;
use crate::error::Error;
use crate::json;
use crate::page::{Page, Seek};
use crate::row::{Text, affected, entity_row, find, insert, integer, list_in, natural, row, rows_in, select, version};

entity_row! {
    ContractRow from "contracts" {
        id: Text<ContractId>,
        product_id: Text<ProductId>,
        document_id: String,
        created_at: i64,
    }
}

impl TryFrom<ContractRow> for Contract {
    type Error = Error;

    fn try_from(row: ContractRow) -> Result<Self, Error> {
        Ok(Self {
            id: row.id.0,
            product_id: row.product_id.0,
            document_id: row.document_id,
            created_at: Timestamp(row.created_at),
        })
    }
}

/// Adds a contract without versions.
///
/// # Errors
/// [`crate::Constraint::ContractDocument`]; [`Error::LockNeeded`].
pub async fn insert(tx: &mut Tx, contract: &Contract) -> Result<(), Error> {
    tx.require_facts()?;
    insert!(
        tx,
        ContractRow {
            id: Text(contract.id),
            product_id: Text(contract.product_id),
            document_id: contract.document_id.as_str(),
            created_at: contract.created_at.0,
        }
    )?;
    Ok(())
}

/// A contract by its id.
pub async fn find(tx: &mut Tx, id: ContractId) -> Result<Option<Contract>, Error> {
    find!(tx, ContractRow, "WHERE id = $1", Text(id))
}

/// A contract by its id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(tx: &mut Tx, id: ContractId) -> Result<Contract, Error> {
    find(tx, id).await?.ok_or(Error::NotFound("contract"))
}

/// A contract by its documents' `id` in a product.
pub async fn find_by_document_id(
    tx: &mut Tx,
    product_id: ProductId,
    document_id: &str,
) -> Result<Option<Contract>, Error> {
    find!(tx, ContractRow, "WHERE product_id = $1 AND document_id = $2", Text(product_id), document_id)
}

/// The contracts of these ids that exist.
pub async fn list_by_ids(tx: &mut Tx, ids: &[ContractId]) -> Result<Vec<Contract>, Error> {
    list_in!(tx, ContractRow, "WHERE id IN ({list})", ids)
}

/// The contracts of these products.
pub async fn list_of_products(tx: &mut Tx, product_ids: &[ProductId]) -> Result<Vec<Contract>, Error> {
    list_in!(tx, ContractRow, "WHERE product_id IN ({list}) ORDER BY product_id, document_id", product_ids)
}

row! { OwnerRow from "contracts" { product_id: Text<ProductId>, } }

/// The products of these contracts, whether or not the rest of their rows can be read.
pub async fn list_products(tx: &mut Tx, ids: &[ContractId]) -> Result<Vec<ProductId>, Error> {
    let rows = rows_in!(tx, OwnerRow, "SELECT product_id FROM contracts WHERE id IN ({list})", ids);
    Ok(rows.into_iter().map(|row| row.product_id.0).collect())
}

/// The products of these versions, whether or not the rest of their rows can be read.
pub async fn list_products_of_versions(tx: &mut Tx, ids: &[ContractVersionId]) -> Result<Vec<ProductId>, Error> {
    let rows = rows_in!(
        tx,
        OwnerRow,
        "SELECT contracts.product_id AS product_id
         FROM contract_versions
         JOIN contracts ON contracts.id = contract_versions.contract_id
         WHERE contract_versions.id IN ({list})",
        ids
    );
    Ok(rows.into_iter().map(|row| row.product_id.0).collect())
}

/// The products whose contracts are bound to these tables, whether or not the rest of their rows can be read.
pub async fn list_products_of_tables(tx: &mut Tx, ids: &[TableId]) -> Result<Vec<ProductId>, Error> {
    let rows = rows_in!(
        tx,
        OwnerRow,
        "SELECT contracts.product_id AS product_id
         FROM bindings
         JOIN contracts ON contracts.id = bindings.contract_id
         WHERE bindings.table_id IN ({list})",
        ids
    );
    Ok(rows.into_iter().map(|row| row.product_id.0).collect())
}

entity_row! {
    VersionRow from "contract_versions" {
        id: Text<ContractVersionId>,
        contract_id: Text<ContractId>,
        major: i64,
        minor: i64,
        patch: i64,
        digest: String,
        format: Text<Format>,
        bytes: Vec<u8>,
        state: String,
        state_since: Option<i64>,
        sunset: Option<i64>,
        reasons: String,
        published_by: Text<PrincipalId>,
        published_at: i64,
    }
}

impl TryFrom<VersionRow> for contract::Version {
    type Error = Error;

    fn try_from(row: VersionRow) -> Result<Self, Error> {
        let id = row.id.0;
        let misfit = |problem: &str| Error::inconsistent("contract_versions", id, problem);
        let reasons = json::strings_from_text(&row.reasons).map_err(|problem| misfit(&problem))?;
        let state = match (row.state.as_str(), row.state_since.map(Timestamp), row.sunset.map(Timestamp)) {
            ("draft", released_at, None) => State::Draft { reasons, released_at },
            ("active", Some(since), None) => State::Active { since },
            ("superseded", Some(since), None) => State::Superseded { since },
            ("deprecated", Some(since), Some(sunset)) => State::Deprecated { since, sunset },
            ("retired", Some(since), None) => State::Retired { since },
            _ => return Err(misfit("the state's columns fit none")),
        };
        Ok(Self {
            id,
            contract_id: row.contract_id.0,
            version: version([row.major, row.minor, row.patch]).map_err(misfit)?,
            state,
            document: StoredDocument {
                digest: row.digest,
                format: row.format.0,
                bytes: row.bytes,
                published_by: row.published_by.0,
                published_at: Timestamp(row.published_at),
            },
        })
    }
}

/// A state in its columns.
struct StateColumns {
    since: Option<i64>,
    sunset: Option<i64>,
    reasons: String,
}

impl From<&State> for StateColumns {
    fn from(state: &State) -> Self {
        let (since, sunset, reasons) = match state {
            State::Draft { reasons, released_at } => (released_at.map(|at| at.0), None, reasons.as_slice()),
            State::Active { since } | State::Superseded { since } | State::Retired { since } => {
                (Some(since.0), None, [].as_slice())
            }
            State::Deprecated { since, sunset } => (Some(since.0), Some(sunset.0), [].as_slice()),
        };
        Self { since, sunset, reasons: json::strings_to_text(reasons) }
    }
}

/// Adds a version.
///
/// # Errors
/// [`crate::Constraint::ContractVersionNumber`] if the number is taken, [`crate::Constraint::ContractVersionActive`] if
/// it is active and another of its major is; [`Error::LockNeeded`].
pub async fn insert_version(tx: &mut Tx, version: &contract::Version) -> Result<(), Error> {
    tx.require_facts()?;
    let state = StateColumns::from(&version.state);
    insert!(
        tx,
        VersionRow {
            id: Text(version.id),
            contract_id: Text(version.contract_id),
            major: integer(version.version.major),
            minor: integer(version.version.minor),
            patch: integer(version.version.patch),
            digest: version.document.digest.as_str(),
            format: Text(version.document.format),
            bytes: version.document.bytes.as_slice(),
            state: version.state.as_str(),
            state_since: state.since,
            sunset: state.sunset,
            reasons: state.reasons.as_str(),
            published_by: Text(version.document.published_by),
            published_at: version.document.published_at.0,
        }
    )?;
    Ok(())
}

/// Writes a version's state after a transition.
///
/// # Errors
/// [`Error::Stale`] unless it is in the state `seen`, since the same time;
/// [`crate::Constraint::ContractVersionActive`]; [`Error::LockNeeded`].
pub async fn set_state(tx: &mut Tx, id: ContractVersionId, seen: &State, state: &State) -> Result<(), Error> {
    tx.require_facts()?;
    let columns = StateColumns::from(state);
    let seen_since = StateColumns::from(seen).since;
    let n_rows = affected!(
        tx,
        "UPDATE contract_versions
         SET state = $1, state_since = $2, sunset = $3, reasons = $4
         WHERE id = $5 AND state = $6 AND COALESCE(state_since, 0) = COALESCE($7, 0)",
        state.as_str(),
        columns.since,
        columns.sunset,
        columns.reasons.as_str(),
        Text(id),
        seen.as_str(),
        seen_since
    )?;
    if n_rows == 1 { Ok(()) } else { Err(Error::Stale("contract version")) }
}

/// Replaces the document of a version that is still a draft, by which no data was read. The status of the new document
/// applies.
///
/// # Errors
/// [`Error::Stale`] if it is not a draft any more or has another document than the one seen; [`Error::LockNeeded`].
pub async fn replace_draft(
    tx: &mut Tx,
    id: ContractVersionId,
    seen_digest: &str,
    document: &StoredDocument,
) -> Result<(), Error> {
    tx.require_facts()?;
    let n_rows = affected!(
        tx,
        "UPDATE contract_versions
         SET digest = $1, format = $2, bytes = $3, published_by = $4, published_at = $5, state_since = NULL
         WHERE id = $6 AND state = 'draft' AND digest = $7",
        document.digest.as_str(),
        Text(document.format),
        document.bytes.as_slice(),
        Text(document.published_by),
        document.published_at.0,
        Text(id),
        seen_digest
    )?;
    if n_rows == 1 { Ok(()) } else { Err(Error::Stale("contract version")) }
}

/// A version by its id.
pub async fn find_version(tx: &mut Tx, id: ContractVersionId) -> Result<Option<contract::Version>, Error> {
    find!(tx, VersionRow, "WHERE id = $1", Text(id))
}

/// A version by its id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get_version(tx: &mut Tx, id: ContractVersionId) -> Result<contract::Version, Error> {
    find_version(tx, id).await?.ok_or(Error::NotFound("contract version"))
}

/// A version by its number.
pub async fn find_version_by_number(
    tx: &mut Tx,
    contract_id: ContractId,
    version: Version,
) -> Result<Option<contract::Version>, Error> {
    find!(
        tx,
        VersionRow,
        "WHERE contract_id = $1 AND major = $2 AND minor = $3 AND patch = $4",
        Text(contract_id),
        integer(version.major),
        integer(version.minor),
        integer(version.patch)
    )
}

// Of the released versions of a major, the current one comes first.
macro_rules! in_force_first {
    () => {
        "contract_id,
         major,
         CAST(CASE state WHEN 'active' THEN 0 WHEN 'deprecated' THEN 1 ELSE 2 END AS BIGINT),
         minor DESC,
         patch DESC,
         id"
    };
}

/// The version of a major that the gate evaluates: the active one, else the newest deprecated, else the newest retired.
/// `None` while there are only drafts.
pub async fn find_current(
    tx: &mut Tx,
    contract_id: ContractId,
    major: u64,
) -> Result<Option<contract::Version>, Error> {
    find!(
        tx,
        VersionRow,
        concat!(
            "WHERE contract_id = $1 AND major = $2 AND state IN ('active', 'deprecated', 'retired') ORDER BY ",
            in_force_first!(),
            " LIMIT 1"
        ),
        Text(contract_id),
        integer(major)
    )
}

/// The current version, as by [`find_current`], of every major of these contracts.
pub async fn list_current(tx: &mut Tx, contract_ids: &[ContractId]) -> Result<Vec<contract::Version>, Error> {
    let mut versions: Vec<contract::Version> = list_in!(
        tx,
        VersionRow,
        concat!(
            "WHERE contract_id IN ({list}) AND state IN ('active', 'deprecated', 'retired') ORDER BY ",
            in_force_first!()
        ),
        contract_ids
    )?;
    // The first of each major is its current one.
    versions.dedup_by_key(|version| (version.contract_id, version.version.major));
    Ok(versions)
}

row! { EndedRow from "contract_versions" { contract_id: Text<ContractId>, major: i64, sunset: i64, } }

/// The majors of these contracts whose sunset has passed, each with that sunset: no version of the major is active, and
/// the last sunset of the deprecated ones is before `now`. Retired versions do not count.
pub async fn list_ended(
    tx: &mut Tx,
    contract_ids: &[ContractId],
    now: Timestamp,
) -> Result<Vec<(ContractId, u64, Timestamp)>, Error> {
    let rows = rows_in!(
        tx,
        EndedRow,
        "SELECT
             contract_id,
             major,
             MAX(sunset) AS sunset
         FROM contract_versions
         WHERE contract_id IN ({list}) AND state IN ('active', 'deprecated')
         GROUP BY contract_id, major
         HAVING COUNT(*) = COUNT(sunset) AND MAX(sunset) <= $1",
        contract_ids,
        now.0
    );
    let ended = |row: EndedRow| {
        let major = natural(row.major);
        let major = major.map_err(|problem| Error::inconsistent("contract_versions", row.contract_id.0, problem))?;
        Ok((row.contract_id.0, major, Timestamp(row.sunset)))
    };
    rows.into_iter().map(ended).collect()
}

/// The next lower version of a contract, in any state.
pub async fn find_predecessor(
    tx: &mut Tx,
    contract_id: ContractId,
    version: Version,
) -> Result<Option<contract::Version>, Error> {
    find!(
        tx,
        VersionRow,
        "WHERE contract_id = $1 AND (major, minor, patch) < ($2, $3, $4)
         ORDER BY major DESC, minor DESC, patch DESC
         LIMIT 1",
        Text(contract_id),
        integer(version.major),
        integer(version.minor),
        integer(version.patch)
    )
}

/// Every version of these contracts, the newest of each first within up to 512 contracts.
pub async fn list_versions_of_contracts(
    tx: &mut Tx,
    contract_ids: &[ContractId],
) -> Result<Vec<contract::Version>, Error> {
    list_in!(
        tx,
        VersionRow,
        "WHERE contract_id IN ({list}) ORDER BY contract_id, major DESC, minor DESC, patch DESC",
        contract_ids
    )
}

/// A page of the versions of each of these contracts, the newest first, all starting after the same number. A contract
/// without versions there is left out.
pub async fn list_version_pages(
    tx: &mut Tx,
    contract_ids: &[ContractId],
    seek: &Seek<Version>,
) -> Result<HashMap<ContractId, Page<contract::Version>>, Error> {
    let (major, minor, patch) = match seek.after {
        Some(version) => (integer(version.major), integer(version.minor), integer(version.patch)),
        None => (i64::MAX, i64::MAX, i64::MAX),
    };
    let rows = rows_in!(
        tx,
        VersionRow,
        select!(
            VersionRow,
            "WHERE id IN (
                 SELECT id
                 FROM (
                     SELECT
                         id,
                         ROW_NUMBER() OVER (
                             PARTITION BY contract_id ORDER BY major DESC, minor DESC, patch DESC
                         ) AS place
                     FROM contract_versions
                     WHERE (major, minor, patch) < ($1, $2, $3) AND contract_id IN ({list})
                 ) AS placed
                 WHERE place <= $4
             )
             ORDER BY contract_id, major DESC, minor DESC, patch DESC"
        ),
        contract_ids,
        major,
        minor,
        patch,
        seek.n_fetched()
    );
    let mut of_contracts: HashMap<ContractId, Vec<VersionRow>> = HashMap::new();
    for row in rows {
        of_contracts.entry(row.contract_id.0).or_default().push(row);
    }
    of_contracts.into_iter().map(|(id, rows)| Ok((id, Page::from_rows(rows, seek.limit)?))).collect()
}

/// The versions of these ids that exist.
pub async fn list_versions_by_ids(tx: &mut Tx, ids: &[ContractVersionId]) -> Result<Vec<contract::Version>, Error> {
    list_in!(tx, VersionRow, "WHERE id IN ({list})", ids)
}
