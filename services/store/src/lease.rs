//! Leases. No secret of one is ever stored.

use domain::clock::Timestamp;
use domain::gate::Action;
use domain::id::{BindingId, DecisionId, GrantId, LeaseId, PrincipalId, SnapshotId, TableId};
use domain::identity::PurposeCode;
use domain::lease::{Lease, LeaseState};

use crate::db::Tx;
use crate::error::Error;
use crate::page::{Page, Seek, all};
use crate::row::{Text, affected, list_in, on_both, page_by_time, row};
use crate::whose::{Whose, in_reach_by_binding};

row! {
    LeaseRow from "leases" {
        id: Text<LeaseId>,
        principal_id: Text<PrincipalId>,
        action: Text<Action>,
        binding_id: Text<BindingId>,
        table_id: Text<TableId>,
        snapshot_id: Option<Text<SnapshotId>>,
        grant_id: Option<Text<GrantId>>,
        purpose: Text<PurposeCode>,
        decision_id: Text<DecisionId>,
        state: Text<LeaseState>,
        issued_at: i64,
        expires_at: i64,
    }
}

impl TryFrom<LeaseRow> for Lease {
    type Error = Error;

    fn try_from(row: LeaseRow) -> Result<Self, Error> {
        Ok(Self {
            id: row.id.0,
            principal_id: row.principal_id.0,
            action: row.action.0,
            binding_id: row.binding_id.0,
            table_id: row.table_id.0,
            snapshot_id: row.snapshot_id.map(|id| id.0),
            grant_id: row.grant_id.map(|id| id.0),
            purpose: row.purpose.0,
            decision_id: row.decision_id.0,
            state: row.state.0,
            issued_at: Timestamp(row.issued_at),
            expires_at: Timestamp(row.expires_at),
        })
    }
}

macro_rules! select_leases {
    ($rest:expr) => {
        concat!(
            "SELECT
                 id,
                 principal_id,
                 action,
                 binding_id,
                 table_id,
                 snapshot_id,
                 grant_id,
                 purpose,
                 decision_id,
                 state,
                 issued_at,
                 expires_at
             FROM leases ",
            $rest
        )
    };
}

/// Adds a lease: `intended` before a provider is asked, or `issued` where none is needed.
///
/// # Errors
/// [`Error::LockNeeded`] unless the transaction holds the fact lock, shared or alone: a lease rests on facts that must
/// not move before it is there.
pub async fn insert(tx: &mut Tx, lease: &Lease) -> Result<(), Error> {
    tx.require_facts_shared()?;
    affected!(
        tx,
        sqlx::query(
            "INSERT INTO leases (
                 id,
                 principal_id,
                 action,
                 binding_id,
                 table_id,
                 snapshot_id,
                 grant_id,
                 purpose,
                 decision_id,
                 state,
                 issued_at,
                 expires_at
             ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        )
        .bind(Text(lease.id))
        .bind(Text(lease.principal_id))
        .bind(Text(lease.action))
        .bind(Text(lease.binding_id))
        .bind(Text(lease.table_id))
        .bind(lease.snapshot_id.map(Text))
        .bind(lease.grant_id.map(Text))
        .bind(Text(lease.purpose))
        .bind(Text(lease.decision_id))
        .bind(Text(lease.state))
        .bind(lease.issued_at.0)
        .bind(lease.expires_at.0)
    )?;
    Ok(())
}

/// Makes an intended lease issued. False if it is not intended any more, because a revoke came between: then the
/// credentials must be dropped.
///
/// # Errors
/// Those of any query.
pub async fn issue(tx: &mut Tx, id: LeaseId) -> Result<bool, Error> {
    let n_rows = affected!(
        tx,
        sqlx::query("UPDATE leases SET state = 'issued' WHERE id = $1 AND state = 'intended'").bind(Text(id))
    )?;
    Ok(n_rows == 1)
}

/// Ends a lease that was given back or never made. False if it has ended already.
///
/// # Errors
/// Those of any query.
pub async fn end(tx: &mut Tx, id: LeaseId) -> Result<bool, Error> {
    let n_rows = affected!(
        tx,
        sqlx::query("UPDATE leases SET state = 'ended' WHERE id = $1 AND state IN ('intended', 'issued')")
            .bind(Text(id))
    )?;
    Ok(n_rows == 1)
}

/// Revokes every open lease of a grant; gives their number.
pub(crate) async fn revoke_of_grant(tx: &mut Tx, grant_id: GrantId) -> Result<u64, Error> {
    affected!(
        tx,
        sqlx::query("UPDATE leases SET state = 'revoked' WHERE grant_id = $1 AND state IN ('intended', 'issued')")
            .bind(Text(grant_id))
    )
}

/// Revokes every open lease of a principal, as when it is disabled; gives their number.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn revoke_of_principal(tx: &mut Tx, principal_id: PrincipalId) -> Result<u64, Error> {
    tx.require_facts()?;
    affected!(
        tx,
        sqlx::query("UPDATE leases SET state = 'revoked' WHERE principal_id = $1 AND state IN ('intended', 'issued')")
            .bind(Text(principal_id))
    )
}

/// Revokes every open lease that a principal holds by a role, not by a grant; gives their number.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn revoke_of_roles(tx: &mut Tx, principal_id: PrincipalId) -> Result<u64, Error> {
    tx.require_facts()?;
    affected!(
        tx,
        sqlx::query(
            "UPDATE leases SET state = 'revoked'
             WHERE principal_id = $1 AND grant_id IS NULL AND state IN ('intended', 'issued')"
        )
        .bind(Text(principal_id))
    )
}

/// A lease by its id.
///
/// # Errors
/// Those of any query.
pub async fn find(tx: &mut Tx, id: LeaseId) -> Result<Option<Lease>, Error> {
    let row = on_both!(tx, |c| sqlx::query_as::<_, LeaseRow>(select_leases!("WHERE id = $1"))
        .bind(Text(id))
        .fetch_optional(c))?;
    row.map(Lease::try_from).transpose()
}

/// A lease by its id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(tx: &mut Tx, id: LeaseId) -> Result<Lease, Error> {
    find(tx, id).await?.ok_or(Error::NotFound("lease"))
}

/// The leases of these ids that exist.
///
/// # Errors
/// Those of any query.
pub async fn list_by_ids(tx: &mut Tx, ids: &[LeaseId]) -> Result<Vec<Lease>, Error> {
    all(list_in!(tx, LeaseRow, select_leases!("WHERE id IN ({list})"), ids))
}

/// The leases of a grant that are open at a moment: what a revoke ends.
///
/// # Errors
/// Those of any query.
pub async fn list_open_of_grant(tx: &mut Tx, grant_id: GrantId, now: Timestamp) -> Result<Vec<Lease>, Error> {
    let rows = on_both!(tx, |c| sqlx::query_as::<_, LeaseRow>(select_leases!(
        "WHERE grant_id = $1 AND state = 'issued' AND expires_at > $2
             ORDER BY issued_at, id"
    ))
    .bind(Text(grant_id))
    .bind(now.0)
    .fetch_all(c))?;
    all(rows)
}

/// The leases of a grant that were revoked, the oldest first: what a revoke ended.
///
/// # Errors
/// Those of any query.
pub async fn list_revoked_of_grant(tx: &mut Tx, grant_id: GrantId) -> Result<Vec<Lease>, Error> {
    let rows = on_both!(tx, |c| sqlx::query_as::<_, LeaseRow>(select_leases!(
        "WHERE grant_id = $1 AND state = 'revoked'
             ORDER BY issued_at, id"
    ))
    .bind(Text(grant_id))
    .fetch_all(c))?;
    all(rows)
}

/// Leases, the newest first.
///
/// # Errors
/// Those of any query.
pub async fn list(tx: &mut Tx, whose: Whose, seek: &Seek<(Timestamp, LeaseId)>) -> Result<Page<Lease>, Error> {
    macro_rules! page {
        ($whose:expr, $principal:expr) => {
            page_by_time!(
                tx,
                seek,
                LeaseRow,
                select_leases!(concat!(
                    "WHERE (issued_at, id) < ($1, $2) AND ",
                    $whose,
                    " ORDER BY issued_at DESC, id DESC LIMIT $4"
                )),
                $principal
            )
        };
    }
    match whose {
        Whose::Everybodys => page!("$3 = ''", ""),
        Whose::Of(principal) => page!("principal_id = $3", Text(principal)),
        Whose::InReachOf(principal) => page!(in_reach_by_binding!(), Text(principal)),
    }
}
