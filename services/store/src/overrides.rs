//! Stewards' overrides of refused version numbers. Reading one goes through its MAC, so a changed row is not believed.

use domain::audit::Key;
use domain::clock::Timestamp;
use domain::id::{ContractId, OverrideId, PrincipalId};
use domain::overrides::Override;

use crate::db::Tx;
use crate::error::Error;
use crate::grant::decided;
use crate::json;
use crate::page::all;
use crate::row::{Text, affected, integer, list_in, on_both, row, version};

/// An override as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    says: Override,
    mac: Vec<u8>,
}

impl Stored {
    /// The override, if it is what was signed.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] if anything of it was changed.
    pub fn verify(self, key: &Key) -> Result<Override, Error> {
        match self.says.is_signed(key, &self.mac) {
            true => Ok(self.says),
            false => {
                let problem = "the override was changed, or signed with another key";
                Err(Error::inconsistent("overrides", self.says.id, problem))
            }
        }
    }
}

row! {
    OverrideRow from "overrides" {
        id: Text<OverrideId>,
        contract_id: Text<ContractId>,
        major: i64,
        minor: i64,
        patch: i64,
        since_major: i64,
        since_minor: i64,
        since_patch: i64,
        findings: String,
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
        let says = Override {
            id,
            contract_id: row.contract_id.0,
            version: version([row.major, row.minor, row.patch]).map_err(misfit)?,
            since: version([row.since_major, row.since_minor, row.since_patch]).map_err(misfit)?,
            findings: json::findings_from_text(&row.findings).map_err(|problem| misfit(&problem))?,
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
                 since_major,
                 since_minor,
                 since_patch,
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

/// Adds an override that nobody has ended, signed with the key.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn insert(tx: &mut Tx, says: &Override, key: &Key) -> Result<(), Error> {
    tx.require_facts()?;
    affected!(
        tx,
        sqlx::query(
            "INSERT INTO overrides (
                 id,
                 contract_id,
                 major,
                 minor,
                 patch,
                 since_major,
                 since_minor,
                 since_patch,
                 findings,
                 reason,
                 steward_id,
                 created_at,
                 expires_at,
                 mac
             ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        )
        .bind(Text(says.id))
        .bind(Text(says.contract_id))
        .bind(integer(says.version.major))
        .bind(integer(says.version.minor))
        .bind(integer(says.version.patch))
        .bind(integer(says.since.major))
        .bind(integer(says.since.minor))
        .bind(integer(says.since.patch))
        .bind(json::findings_to_text(&says.findings))
        .bind(says.reason.as_str())
        .bind(Text(says.steward))
        .bind(says.created_at.0)
        .bind(says.expires_at.0)
        .bind(says.sign(key).as_slice())
    )?;
    Ok(())
}

/// Writes the early end of an override, signed anew with the key. Takes the override as [`Override::revoke`] returned it.
///
/// # Errors
/// [`Error::Stale`] if it was ended before; [`Error::LockNeeded`].
pub async fn revoke(tx: &mut Tx, says: &Override, key: &Key) -> Result<(), Error> {
    tx.require_facts()?;
    let revoked = says.revoked.as_ref();
    let n_rows = affected!(
        tx,
        sqlx::query(
            "UPDATE overrides
             SET revoked_by = $1, revoked_at = $2, revoke_reason = $3, mac = $4
             WHERE id = $5 AND revoked_at IS NULL"
        )
        .bind(revoked.map(|revoked| Text(revoked.by)))
        .bind(revoked.map(|revoked| revoked.at.0))
        .bind(revoked.and_then(|revoked| revoked.reason.as_deref()))
        .bind(says.sign(key).as_slice())
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
