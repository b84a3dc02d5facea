//! Stewards' overrides of refused version numbers. Reading one verifies its MAC, so a modified row is detected.

use domain::audit::Key;
use domain::clock::Timestamp;
use domain::id::{ContractId, OverrideId, PrincipalId};
use domain::overrides::Override;
use domain::version::Version;

use crate::db::Tx;
use crate::error::Error;
use crate::grant::{DecidedColumns, decided};
use crate::json;

use crate::row::{Text, affected, entity_row, insert, integer, list_in, version};

/// An override as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// What the row says.
    pub content: Override,
    mac: Vec<u8>,
    /// Whether all of the row is in `content`.
    is_whole: bool,
}

impl Stored {
    /// The override, if it is as it was signed.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] if any part of it was modified.
    pub fn verify(self, key: &Key) -> Result<Override, Error> {
        if self.is_intact(key) {
            return Ok(self.content);
        }
        let problem = "the override was modified, or signed with another key";
        Err(Error::inconsistent("overrides", self.content.id, problem))
    }

    /// Whether it is as it was signed.
    pub fn is_intact(&self, key: &Key) -> bool {
        self.is_whole && self.content.is_signed(key, &self.mac)
    }
}

entity_row! {
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

    /// A part that cannot be read is left out, so that the row can be shown among the others, as one that is not intact.
    fn try_from(row: OverrideRow) -> Result<Self, Error> {
        const NONE: Version = Version { major: 0, minor: 0, patch: 0 };
        let own = version([row.major, row.minor, row.patch]);
        let since = version([row.since_major, row.since_minor, row.since_patch]);
        let findings = json::findings_from_text(&row.findings);
        let revoked = decided(row.revoked_by, row.revoked_at, row.revoke_reason);
        let is_whole = own.is_ok() && since.is_ok() && findings.is_ok() && revoked.is_ok();
        let content = Override {
            id: row.id.0,
            contract_id: row.contract_id.0,
            version: own.unwrap_or(NONE),
            since: since.unwrap_or(NONE),
            findings: findings.unwrap_or_default(),
            reason: row.reason,
            steward: row.steward_id.0,
            created_at: Timestamp(row.created_at),
            expires_at: Timestamp(row.expires_at),
            revoked: revoked.unwrap_or_default(),
        };
        Ok(Self { content, mac: row.mac, is_whole })
    }
}

/// Adds an override, signed with the key.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn insert(tx: &mut Tx, content: &Override, key: &Key) -> Result<(), Error> {
    tx.require_facts()?;
    let revoked = DecidedColumns::from(&content.revoked);
    insert!(
        tx,
        OverrideRow {
            id: Text(content.id),
            contract_id: Text(content.contract_id),
            major: integer(content.version.major),
            minor: integer(content.version.minor),
            patch: integer(content.version.patch),
            since_major: integer(content.since.major),
            since_minor: integer(content.since.minor),
            since_patch: integer(content.since.patch),
            findings: json::findings_to_text(&content.findings),
            reason: content.reason.as_str(),
            steward_id: Text(content.steward),
            created_at: content.created_at.0,
            expires_at: content.expires_at.0,
            mac: content.sign(key).as_slice(),
            revoked_by: revoked.by,
            revoked_at: revoked.at,
            revoke_reason: revoked.reason,
        }
    )?;
    Ok(())
}

/// Stores the revocation of an override, signed again with the key. Takes the override as returned by
/// [`Override::revoke`].
///
/// # Errors
/// [`Error::Stale`] if it was revoked before; [`Error::LockNeeded`].
pub async fn revoke(tx: &mut Tx, content: &Override, key: &Key) -> Result<(), Error> {
    tx.require_facts()?;
    let revoked = DecidedColumns::from(&content.revoked);
    let n_rows = affected!(
        tx,
        "UPDATE overrides
         SET revoked_by = $1, revoked_at = $2, revoke_reason = $3, mac = $4
         WHERE id = $5 AND revoked_at IS NULL",
        revoked.by,
        revoked.at,
        revoked.reason,
        content.sign(key).as_slice(),
        Text(content.id)
    )?;
    if n_rows == 1 { Ok(()) } else { Err(Error::Stale("override")) }
}

/// The overrides of these ids that exist.
pub async fn list_by_ids(tx: &mut Tx, ids: &[OverrideId]) -> Result<Vec<Stored>, Error> {
    list_in!(tx, OverrideRow, "WHERE id IN ({list})", ids)
}

/// All overrides of these contracts, including those that have ended, the newest first within up to 512 contracts.
pub async fn list_of_contracts(tx: &mut Tx, contract_ids: &[ContractId]) -> Result<Vec<Stored>, Error> {
    list_in!(tx, OverrideRow, "WHERE contract_id IN ({list}) ORDER BY created_at DESC, id DESC", contract_ids)
}
