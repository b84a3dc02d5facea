//! Leases. No secret of one is ever stored.

use domain::clock::Timestamp;
use domain::gate::Action;
use domain::id::{
    BindingId, ContractId, DecisionId, GrantId, LeaseId, PrincipalId, ProductId, SnapshotId, TableId, TokenId,
};
use domain::identity::PurposeCode;
use domain::lease::{GATEWAY_MAX_LIFETIME, Hold, Lease, LeaseState, Usage};

use crate::db::Tx;
use crate::error::Error;
use crate::insertion::Insertion;
use crate::page::{Page, Seek};
use crate::row::{
    Text, affected, entity_row, find, insert_together, insertion, list, list_in, natural, on_both, row, rows_in,
};
use crate::scope::{ListScope, in_reach_by_binding, page_in_scope};

entity_row! {
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
        token_id: Option<Text<TokenId>>,
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
            token_id: row.token_id.map(|id| id.0),
            state: row.state.0,
            issued_at: Timestamp(row.issued_at),
            expires_at: Timestamp(row.expires_at),
        })
    }
}

/// Adds a lease alone, for tests: a program stores it with its decision and record ([`crate::gate::insert_outcome`]).
///
/// # Errors
/// [`Error::LockNeeded`] unless the transaction holds the fact lock, shared or exclusively: the facts that a lease
/// depends on must not change before it is stored.
pub async fn insert(tx: &mut Tx, lease: &Lease) -> Result<(), Error> {
    tx.require_facts_shared()?;
    insert_together(tx, vec![insertion(lease)]).await
}

pub(crate) fn insertion(lease: &Lease) -> Insertion {
    insertion!("leases" {
        id: Text(lease.id),
        principal_id: Text(lease.principal_id),
        action: Text(lease.action),
        binding_id: Text(lease.binding_id),
        table_id: Text(lease.table_id),
        snapshot_id: lease.snapshot_id.map(Text),
        grant_id: lease.grant_id.map(Text),
        purpose: Text(lease.purpose),
        decision_id: Text(lease.decision_id),
        token_id: lease.token_id.map(Text),
        state: Text(lease.state),
        issued_at: lease.issued_at.0,
        expires_at: lease.expires_at.0,
    })
}

/// Sets an intended lease to issued. False if it was revoked in between: then the credentials must be discarded.
pub async fn issue(tx: &mut Tx, id: LeaseId) -> Result<bool, Error> {
    let n_rows = affected!(tx, "UPDATE leases SET state = 'issued' WHERE id = $1 AND state = 'intended'", Text(id))?;
    Ok(n_rows == 1)
}

/// The leases that were intended before a time and still are: a crash left them behind.
pub async fn list_intended(tx: &mut Tx, before: Timestamp) -> Result<Vec<Lease>, Error> {
    list!(
        tx,
        LeaseRow,
        "WHERE state = 'intended' AND issued_at < $1
         ORDER BY issued_at, id",
        before.0
    )
}

/// Ends an intended lease whose credentials are not made. False if it is no longer intended: one that was issued
/// meanwhile stays open.
pub async fn abandon(tx: &mut Tx, id: LeaseId) -> Result<bool, Error> {
    let n_rows = affected!(tx, "UPDATE leases SET state = 'ended' WHERE id = $1 AND state = 'intended'", Text(id))?;
    Ok(n_rows == 1)
}

/// Ends a lease that was returned or never issued. False if it has ended already.
pub async fn end(tx: &mut Tx, id: LeaseId) -> Result<bool, Error> {
    let n_rows =
        affected!(tx, "UPDATE leases SET state = 'ended' WHERE id = $1 AND state IN ('intended', 'issued')", Text(id))?;
    Ok(n_rows == 1)
}

/// Revokes every open lease of a grant and returns their number.
pub(crate) async fn revoke_of_grant(tx: &mut Tx, grant_id: GrantId) -> Result<u64, Error> {
    affected!(
        tx,
        "UPDATE leases SET state = 'revoked' WHERE grant_id = $1 AND state IN ('intended', 'issued')",
        Text(grant_id)
    )
}

/// The leases that a change can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Those of a principal and of the service accounts that it answers for.
    Principal(PrincipalId),
    /// Those on the shared tables for which a principal, or a service account that it answers for, has consented.
    ConsentsOf(PrincipalId),
    /// Those on the tables of a product, also through other products.
    Product(ProductId),
    /// Those on the tables of a contract, also through other contracts.
    Contract(ContractId),
    /// Those on a table.
    Table(TableId),
}

/// Revokes every open lease that a principal requested with a token, and returns their number.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn revoke_of_token(tx: &mut Tx, principal_id: PrincipalId, token_id: TokenId) -> Result<u64, Error> {
    tx.require_facts()?;
    affected!(
        tx,
        "UPDATE leases SET state = 'revoked'
         WHERE principal_id = $1 AND token_id = $2 AND state IN ('intended', 'issued')",
        Text(principal_id),
        Text(token_id)
    )
}

row! {
    HoldRow from "leases" {
        principal_id: Text<PrincipalId>,
        action: Text<Action>,
        binding_id: Text<BindingId>,
        table_id: Text<TableId>,
        grant_id: Option<Text<GrantId>>,
        purpose: Text<PurposeCode>,
    }
}

impl From<HoldRow> for Hold {
    fn from(row: HoldRow) -> Self {
        Self {
            principal_id: row.principal_id.0,
            action: row.action.0,
            binding_id: row.binding_id.0,
            table_id: row.table_id.0,
            grant_id: row.grant_id.map(|id| id.0),
            purpose: row.purpose.0,
        }
    }
}

row! {
    UsageRow from "leases" {
        product_id: Text<ProductId>,
        n_readers: i64,
        n_leases: i64,
        last_at: i64,
    }
}

/// How much these products were read since a moment: the leases to read that were issued for their tables. A product
/// without one is left out.
pub async fn list_usage(
    tx: &mut Tx,
    product_ids: &[ProductId],
    since: Timestamp,
) -> Result<Vec<(ProductId, Usage)>, Error> {
    let since = since.0;
    let rows = rows_in!(
        tx,
        UsageRow,
        "SELECT
             contracts.product_id AS product_id,
             COUNT(DISTINCT leases.principal_id) AS n_readers,
             COUNT(*) AS n_leases,
             MAX(leases.issued_at) AS last_at
         FROM contracts
         JOIN bindings ON bindings.contract_id = contracts.id
         JOIN leases ON leases.table_id = bindings.table_id AND leases.binding_id = bindings.id
         WHERE leases.action = 'read' AND leases.issued_at >= $1 AND contracts.product_id IN ({list})
         GROUP BY contracts.product_id",
        product_ids,
        since
    );
    let usage = |row: UsageRow| {
        let UsageRow { product_id, n_readers, n_leases, last_at } = row;
        let misfit = |problem: &str| Error::inconsistent("leases", product_id.0, problem);
        let n_readers = natural(n_readers).map_err(misfit)?;
        let n_leases = natural(n_leases).map_err(misfit)?;
        Ok((product_id.0, Usage { n_readers, n_leases, last_at: Some(Timestamp(last_at)) }))
    };
    rows.into_iter().map(usage).collect()
}

/// Fetches what the open leases hang on for which a condition holds, with `$1`; `$2` is the present.
macro_rules! holds {
    ($tx:expr, $condition:literal, $id:expr, $now:expr $(, $more:expr)?) => {
        on_both!($tx, |c| sqlx::query_as::<_, HoldRow>(concat!(
            "SELECT DISTINCT
                 principal_id,
                 action,
                 binding_id,
                 table_id,
                 grant_id,
                 purpose
             FROM leases
             WHERE state IN ('intended', 'issued') AND action <> 'inspect' AND expires_at > $2 AND ",
            $condition,
            " ORDER BY principal_id, action, binding_id, table_id, grant_id, purpose"
        ))
        .bind(Text($id))
        .bind($now.0)
        $(.bind($more))?
        .fetch_all(c))
    };
}

/// What the leases within a reach hang on that are open at a moment or intended, each combination once. Those of
/// inspections are left out: they end with their inspections.
pub async fn list_holds(tx: &mut Tx, reach: Reach, now: Timestamp) -> Result<Vec<Hold>, Error> {
    let rows = match reach {
        Reach::Principal(id) => holds!(
            tx,
            "(principal_id = $1 OR principal_id IN (SELECT id FROM principals WHERE owner_id = $1)) AND issued_at > $3",
            id,
            now,
            // No lease is open that is older: so the number of past leases does not slow it down.
            now.minus(GATEWAY_MAX_LIFETIME).0
        ),
        Reach::ConsentsOf(id) => holds!(
            tx,
            "table_id IN (
                 SELECT table_shares.table_id FROM table_shares
                 WHERE consented_by = $1 OR consented_by IN (SELECT id FROM principals WHERE owner_id = $1)
             )",
            id,
            now
        ),
        Reach::Product(id) => holds!(
            tx,
            "table_id IN (
                 SELECT bindings.table_id FROM bindings
                 JOIN contracts ON contracts.id = bindings.contract_id
                 WHERE contracts.product_id = $1
                 UNION
                 SELECT table_shares.table_id FROM table_shares WHERE table_shares.product_id = $1
             )",
            id,
            now
        ),
        Reach::Contract(id) => {
            holds!(tx, "table_id IN (SELECT bindings.table_id FROM bindings WHERE contract_id = $1)", id, now)
        }
        Reach::Table(id) => holds!(tx, "table_id = $1", id, now),
    }?;
    Ok(rows.into_iter().map(Hold::from).collect())
}

/// Changes the leases that hang on something and are open at a moment or intended.
macro_rules! change_of_hold {
    ($tx:expr, $change:literal, $hold:expr, $now:expr $(, $more:expr)?) => {
        affected!(
            $tx,
            concat!(
                "UPDATE leases SET ",
                $change,
                " WHERE table_id = $1 AND principal_id = $2 AND action = $3 AND binding_id = $4
                     AND COALESCE(grant_id, '') = $5 AND purpose = $6
                     AND state IN ('intended', 'issued') AND expires_at > $7"
            ),
            Text($hold.table_id),
            Text($hold.principal_id),
            Text($hold.action),
            Text($hold.binding_id),
            $hold.grant_id.map(|id| id.to_string()).unwrap_or_default(),
            Text($hold.purpose),
            $now.0
            $(, $more)?
        )
    };
}

/// Revokes the leases that hang on something and are open or intended, and returns their number.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn revoke_of_hold(tx: &mut Tx, hold: &Hold, now: Timestamp) -> Result<u64, Error> {
    tx.require_facts()?;
    change_of_hold!(tx, "state = 'revoked'", hold, now)
}

/// Lets the leases that hang on something and are open or intended end at the latest at a moment.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn end_by(tx: &mut Tx, hold: &Hold, latest: Timestamp, now: Timestamp) -> Result<(), Error> {
    tx.require_facts()?;
    change_of_hold!(tx, "expires_at = CASE WHEN expires_at > $8 THEN $8 ELSE expires_at END", hold, now, latest.0)?;
    Ok(())
}

/// A lease by its id.
pub async fn find(tx: &mut Tx, id: LeaseId) -> Result<Option<Lease>, Error> {
    find!(tx, LeaseRow, "WHERE id = $1", Text(id))
}

/// A lease by its id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(tx: &mut Tx, id: LeaseId) -> Result<Lease, Error> {
    find(tx, id).await?.ok_or(Error::NotFound("lease"))
}

/// The leases of these ids that exist.
pub async fn list_by_ids(tx: &mut Tx, ids: &[LeaseId]) -> Result<Vec<Lease>, Error> {
    list_in!(tx, LeaseRow, "WHERE id IN ({list})", ids)
}

/// The leases of a grant that are open at a time and that a revocation ends.
pub async fn list_open_of_grant(tx: &mut Tx, grant_id: GrantId, now: Timestamp) -> Result<Vec<Lease>, Error> {
    list!(
        tx,
        LeaseRow,
        "WHERE grant_id = $1 AND state = 'issued' AND expires_at > $2
         ORDER BY issued_at, id",
        Text(grant_id),
        now.0
    )
}

/// The leases of a grant that were revoked, the oldest first.
pub async fn list_revoked_of_grant(tx: &mut Tx, grant_id: GrantId) -> Result<Vec<Lease>, Error> {
    list!(
        tx,
        LeaseRow,
        "WHERE grant_id = $1 AND state = 'revoked'
         ORDER BY issued_at, id",
        Text(grant_id)
    )
}

/// Leases, the newest first.
pub async fn list(tx: &mut Tx, scope: ListScope, seek: &Seek<(Timestamp, LeaseId)>) -> Result<Page<Lease>, Error> {
    page_in_scope!(tx, scope, seek, LeaseRow by "issued_at", "principal_id", in_reach_by_binding!())
}

row! { ReadProductRow from "leases" { product_id: Text<ProductId>, } }

impl TryFrom<ReadProductRow> for ProductId {
    type Error = Error;

    fn try_from(row: ReadProductRow) -> Result<Self, Error> {
        Ok(row.product_id.0)
    }
}

/// The products for whose tables a lease to read was issued since a moment, in the order of their ids.
pub async fn list_read_products(
    tx: &mut Tx,
    since: Timestamp,
    seek: &Seek<ProductId>,
) -> Result<Page<ProductId>, Error> {
    // Every id is greater than the empty text.
    let after = seek.after.map_or(String::new(), |id| id.to_string());
    let rows = on_both!(tx, |c| sqlx::query_as::<_, ReadProductRow>(
        "SELECT DISTINCT contracts.product_id AS product_id
         FROM leases
         JOIN bindings ON bindings.id = leases.binding_id
         JOIN contracts ON contracts.id = bindings.contract_id
         WHERE leases.action = 'read' AND leases.issued_at >= $1 AND contracts.product_id > $2
         ORDER BY contracts.product_id
         LIMIT $3"
    )
    .bind(since.0)
    .bind(after.as_str())
    .bind(seek.n_fetched())
    .fetch_all(c))?;
    Page::from_rows(rows, seek.limit)
}
