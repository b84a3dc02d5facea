//! Stewards' overrides of refused version numbers. Reading gives the MAC along; who uses one checks it.

use domain::clock::Timestamp;
use domain::id::{ContractId, OverrideId, PrincipalId};
use domain::overrides::{FindingsDigest, Override};
use domain::version::Version;

use crate::db::Tx;
use crate::error::Error;
use crate::grant::decided;
use crate::page::all;
use crate::row::{Text, affected, integer, list_in, natural, on_both, row};

/// An override as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// What it says.
    pub says: Override,
    /// The MAC over [`Override::canonical`].
    pub mac: Vec<u8>,
}

row! {
    OverrideRow from "overrides" {
        id: Text<OverrideId>,
        contract_id: Text<ContractId>,
        major: i64,
        minor: i64,
        patch: i64,
        findings: Text<FindingsDigest>,
        reason: String,
        steward_id: Text<PrincipalId>,
        created_at: i64,
        expires_at: i64,
        mac: Vec<u8>,
        revoked_by: Option<Text<PrincipalId>>,
        revoked_at: Option<i64>,
        revoke_reason: Option<String>,
    }
}

impl TryFrom<OverrideRow> for Stored {
    type Error = Error;

    fn try_from(row: OverrideRow) -> Result<Self, Error> {
        let id = row.id.0;
        let misfit = |problem: &str| Error::inconsistent("overrides", id, problem);
        let number = |number: i64| natural(number).map_err(misfit);
        let version = Version { major: number(row.major)?, minor: number(row.minor)?, patch: number(row.patch)? };
        let says = Override {
            id,
            contract_id: row.contract_id.0,
            version,
            findings: row.findings.0,
            reason: row.reason,
            steward: row.steward_id.0,
            created_at: Timestamp(row.created_at),
            expires_at: Timestamp(row.expires_at),
            revoked: decided(row.revoked_by, row.revoked_at, row.revoke_reason).map_err(misfit)?,
        };
        Ok(Self { says, mac: row.mac })
    }
}

macro_rules! select_overrides {
    ($rest:literal) => {
        concat!(
            "SELECT
                 id,
                 contract_id,
                 major,
                 minor,
                 patch,
                 findings,
                 reason,
                 steward_id,
                 created_at,
                 expires_at,
                 mac,
                 revoked_by,
                 revoked_at,
                 revoke_reason
             FROM overrides ",
            $rest
        )
    };
}

/// Adds an override that nobody has ended.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn insert(tx: &mut Tx, stored: &Stored) -> Result<(), Error> {
    tx.require_facts()?;
    let Stored { says, mac } = stored;
    affected!(
        tx,
        sqlx::query(
            "INSERT INTO overrides (
                 id,
                 contract_id,
                 major,
                 minor,
                 patch,
                 findings,
                 reason,
                 steward_id,
                 created_at,
                 expires_at,
                 mac
             ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        )
        .bind(Text(says.id))
        .bind(Text(says.contract_id))
        .bind(integer(says.version.major))
        .bind(integer(says.version.minor))
        .bind(integer(says.version.patch))
        .bind(says.findings.to_string())
        .bind(says.reason.as_str())
        .bind(Text(says.steward))
        .bind(says.created_at.0)
        .bind(says.expires_at.0)
        .bind(mac.as_slice())
    )?;
    Ok(())
}

/// Writes the early end of an override.
///
/// # Errors
/// [`Error::Stale`] if it was ended before; [`Error::LockNeeded`].
pub async fn revoke(tx: &mut Tx, says: &Override) -> Result<(), Error> {
    tx.require_facts()?;
    let revoked = says.revoked.as_ref();
    let n_rows = affected!(
        tx,
        sqlx::query(
            "UPDATE overrides
             SET revoked_by = $1, revoked_at = $2, revoke_reason = $3
             WHERE id = $4 AND revoked_at IS NULL"
        )
        .bind(revoked.map(|revoked| Text(revoked.by)))
        .bind(revoked.map(|revoked| revoked.at.0))
        .bind(revoked.and_then(|revoked| revoked.reason.as_deref()))
        .bind(Text(says.id))
    )?;
    if n_rows == 1 { Ok(()) } else { Err(Error::Stale("override")) }
}

/// The overrides of these ids that exist.
///
/// # Errors
/// Those of any query.
pub async fn list_by_ids(tx: &mut Tx, ids: &[OverrideId]) -> Result<Vec<Stored>, Error> {
    all(list_in!(tx, OverrideRow, select_overrides!("WHERE id IN ({list})"), ids))
}

/// All overrides of these contracts, those that have ended too, the newest first within up to 512 contracts.
///
/// # Errors
/// Those of any query.
pub async fn list_of_contracts(tx: &mut Tx, contract_ids: &[ContractId]) -> Result<Vec<Stored>, Error> {
    all(list_in!(
        tx,
        OverrideRow,
        select_overrides!("WHERE contract_id IN ({list}) ORDER BY created_at DESC, id DESC"),
        contract_ids
    ))
}
