//! Access requests and grants.

use domain::clock::Timestamp;
use domain::grant::{AccessRequest, Decided, Grant, PortMajor, Purpose, RequestState, Window};
use domain::id::{AccessRequestId, GrantId, PrincipalId, ProductId};
use domain::identity::PurposeCode;
use domain::name::Name;

use crate::db::Tx;
use crate::error::Error;
use crate::page::{Page, Seek};
use crate::row::{Text, affected, entity_row, find, insert, integer, list, list_in, natural, page_by_time};
use crate::scope::{ListScope, in_reach_by_product, in_reach_by_shared_product, page_in_scope};

entity_row! {
    RequestRow from "access_requests" {
        id: Text<AccessRequestId>,
        requester_id: Text<PrincipalId>,
        product_id: Text<ProductId>,
        port: Text<Name>,
        major: i64,
        purpose: Text<PurposeCode>,
        sentence: String,
        from_at: i64,
        until_at: i64,
        state: Text<RequestState>,
        decided_by: Option<Text<PrincipalId>>,
        decided_at: Option<i64>,
        reason: Option<String>,
        created_at: i64,
    }
}

impl TryFrom<RequestRow> for AccessRequest {
    type Error = Error;

    fn try_from(row: RequestRow) -> Result<Self, Error> {
        let id = row.id.0;
        let misfit = |problem: &str| Error::inconsistent("access_requests", id, problem);
        let decided = decided(row.decided_by, row.decided_at, row.reason).map_err(misfit)?;
        if (row.state.0 == RequestState::Pending) != decided.is_none() {
            return Err(misfit("the state and the decision do not fit"));
        }
        Ok(Self {
            id,
            requester: row.requester_id.0,
            port_major: PortMajor {
                product_id: row.product_id.0,
                port: row.port.0,
                major: natural(row.major).map_err(misfit)?,
            },
            purpose: Purpose { code: row.purpose.0, sentence: row.sentence },
            window: Window { from: Timestamp(row.from_at), until: Timestamp(row.until_at) },
            state: row.state.0,
            decided,
            created_at: Timestamp(row.created_at),
        })
    }
}

/// A person's answer from its three columns.
pub(crate) fn decided(
    by: Option<Text<PrincipalId>>,
    at: Option<i64>,
    reason: Option<String>,
) -> Result<Option<Decided>, &'static str> {
    match (by, at) {
        (Some(by), Some(at)) => Ok(Some(Decided { by: by.0, at: Timestamp(at), reason })),
        (None, None) if reason.is_none() => Ok(None),
        _ => Err("half of an answer"),
    }
}

/// The three columns of a person's answer.
pub(crate) struct DecidedColumns<'a> {
    pub(crate) by: Option<Text<PrincipalId>>,
    pub(crate) at: Option<i64>,
    pub(crate) reason: Option<&'a str>,
}

impl<'a> From<&'a Option<Decided>> for DecidedColumns<'a> {
    fn from(decided: &'a Option<Decided>) -> Self {
        let decided = decided.as_ref();
        Self {
            by: decided.map(|decided| Text(decided.by)),
            at: decided.map(|decided| decided.at.0),
            reason: decided.and_then(|decided| decided.reason.as_deref()),
        }
    }
}

/// Adds an access request.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn insert_request(tx: &mut Tx, request: &AccessRequest) -> Result<(), Error> {
    tx.require_facts()?;
    let decided = DecidedColumns::from(&request.decided);
    insert!(
        tx,
        RequestRow {
            id: Text(request.id),
            requester_id: Text(request.requester),
            product_id: Text(request.port_major.product_id),
            port: request.port_major.port.as_str(),
            major: integer(request.port_major.major),
            purpose: Text(request.purpose.code),
            sentence: request.purpose.sentence.as_str(),
            from_at: request.window.from.0,
            until_at: request.window.until.0,
            state: Text(request.state),
            decided_by: decided.by,
            decided_at: decided.at,
            reason: decided.reason,
            created_at: request.created_at.0,
        }
    )?;
    Ok(())
}

/// Stores the answer to a pending request.
///
/// # Errors
/// [`Error::Stale`] if it is no longer pending; [`Error::LockNeeded`].
pub async fn decide_request(tx: &mut Tx, request: &AccessRequest) -> Result<(), Error> {
    tx.require_facts()?;
    let decided = DecidedColumns::from(&request.decided);
    let n_rows = affected!(
        tx,
        "UPDATE access_requests
         SET state = $1, decided_by = $2, decided_at = $3, reason = $4
         WHERE id = $5 AND state = 'pending'",
        Text(request.state),
        decided.by,
        decided.at,
        decided.reason,
        Text(request.id)
    )?;
    if n_rows == 1 { Ok(()) } else { Err(Error::Stale("access request")) }
}

/// A request by its id.
pub async fn find_request(tx: &mut Tx, id: AccessRequestId) -> Result<Option<AccessRequest>, Error> {
    find!(tx, RequestRow, "WHERE id = $1", Text(id))
}

/// A request by its id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get_request(tx: &mut Tx, id: AccessRequestId) -> Result<AccessRequest, Error> {
    find_request(tx, id).await?.ok_or(Error::NotFound("access request"))
}

/// The requests of these ids that exist.
pub async fn list_requests_by_ids(tx: &mut Tx, ids: &[AccessRequestId]) -> Result<Vec<AccessRequest>, Error> {
    list_in!(tx, RequestRow, "WHERE id IN ({list})", ids)
}

/// Requests, the newest first, optionally only those in one state.
pub async fn list_requests(
    tx: &mut Tx,
    scope: ListScope,
    state: Option<RequestState>,
    seek: &Seek<(Timestamp, AccessRequestId)>,
) -> Result<Page<AccessRequest>, Error> {
    page_in_scope!(
        tx,
        scope,
        seek,
        RequestRow by "created_at",
        "requester_id",
        in_reach_by_product!("requester_id"),
        "($5 = '' OR state = $5)",
        state.map_or("", RequestState::as_str)
    )
}

entity_row! {
    GrantRow from "grants" {
        id: Text<GrantId>,
        request_id: Text<AccessRequestId>,
        principal_id: Text<PrincipalId>,
        product_id: Text<ProductId>,
        port: Text<Name>,
        major: i64,
        purpose: Text<PurposeCode>,
        sentence: String,
        from_at: i64,
        until_at: i64,
        granted_by: Text<PrincipalId>,
        granted_at: i64,
        revoked_by: Option<Text<PrincipalId>>,
        revoked_at: Option<i64>,
        revoke_reason: Option<String>,
    }
}

impl TryFrom<GrantRow> for Grant {
    type Error = Error;

    fn try_from(row: GrantRow) -> Result<Self, Error> {
        let id = row.id.0;
        let misfit = |problem: &str| Error::inconsistent("grants", id, problem);
        Ok(Self {
            id,
            request_id: row.request_id.0,
            principal_id: row.principal_id.0,
            port_major: PortMajor {
                product_id: row.product_id.0,
                port: row.port.0,
                major: natural(row.major).map_err(misfit)?,
            },
            purpose: Purpose { code: row.purpose.0, sentence: row.sentence },
            window: Window { from: Timestamp(row.from_at), until: Timestamp(row.until_at) },
            granted_by: row.granted_by.0,
            granted_at: Timestamp(row.granted_at),
            revoked: decided(row.revoked_by, row.revoked_at, row.revoke_reason).map_err(misfit)?,
        })
    }
}

/// Adds a grant.
///
/// # Errors
/// [`crate::Constraint::GrantRequest`] if the request has one; [`Error::LockNeeded`].
pub async fn insert(tx: &mut Tx, grant: &Grant) -> Result<(), Error> {
    tx.require_facts()?;
    let revoked = DecidedColumns::from(&grant.revoked);
    insert!(
        tx,
        GrantRow {
            id: Text(grant.id),
            request_id: Text(grant.request_id),
            principal_id: Text(grant.principal_id),
            product_id: Text(grant.port_major.product_id),
            port: grant.port_major.port.as_str(),
            major: integer(grant.port_major.major),
            purpose: Text(grant.purpose.code),
            sentence: grant.purpose.sentence.as_str(),
            from_at: grant.window.from.0,
            until_at: grant.window.until.0,
            granted_by: Text(grant.granted_by),
            granted_at: grant.granted_at.0,
            revoked_by: revoked.by,
            revoked_at: revoked.at,
            revoke_reason: revoked.reason,
        }
    )?;
    Ok(())
}

/// Revokes a grant with all its leases; an intended lease then never becomes issued. Returns the number of leases that
/// were open. Takes the grant as returned by [`Grant::revoke`].
///
/// # Errors
/// [`Error::Stale`] if it is already revoked; [`Error::LockNeeded`].
pub async fn revoke(tx: &mut Tx, grant: &Grant) -> Result<u64, Error> {
    tx.require_facts()?;
    let revoked = DecidedColumns::from(&grant.revoked);
    let n_rows = affected!(
        tx,
        "UPDATE grants
         SET revoked_by = $1, revoked_at = $2, revoke_reason = $3
         WHERE id = $4 AND revoked_at IS NULL",
        revoked.by,
        revoked.at,
        revoked.reason,
        Text(grant.id)
    )?;
    if n_rows != 1 {
        return Err(Error::Stale("grant"));
    }
    crate::lease::revoke_of_grant(tx, grant.id).await
}

/// A grant by its id.
pub async fn find(tx: &mut Tx, id: GrantId) -> Result<Option<Grant>, Error> {
    find!(tx, GrantRow, "WHERE id = $1", Text(id))
}

/// A grant by its id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(tx: &mut Tx, id: GrantId) -> Result<Grant, Error> {
    find(tx, id).await?.ok_or(Error::NotFound("grant"))
}

/// The grants of these ids that exist.
pub async fn list_by_ids(tx: &mut Tx, ids: &[GrantId]) -> Result<Vec<Grant>, Error> {
    list_in!(tx, GrantRow, "WHERE id IN ({list})", ids)
}

/// The grants for these requests, at most one for each.
pub async fn list_of_requests(tx: &mut Tx, ids: &[AccessRequestId]) -> Result<Vec<Grant>, Error> {
    list_in!(tx, GrantRow, "WHERE request_id IN ({list})", ids)
}

/// Grants, including those that have ended, the newest first.
pub async fn list(tx: &mut Tx, scope: ListScope, seek: &Seek<(Timestamp, GrantId)>) -> Result<Page<Grant>, Error> {
    page_in_scope!(
        tx,
        scope,
        seek,
        GrantRow by "granted_at",
        "principal_id",
        in_reach_by_shared_product!("principal_id")
    )
}

/// The grants of a principal that are neither revoked nor expired, including future ones, in the order of their ids.
/// The number of past grants does not slow it down.
pub async fn list_standing(tx: &mut Tx, principal_id: PrincipalId, now: Timestamp) -> Result<Vec<Grant>, Error> {
    list!(
        tx,
        GrantRow,
        "WHERE principal_id = $1 AND revoked_at IS NULL AND until_at > $2
         ORDER BY id",
        Text(principal_id),
        now.0
    )
}

/// The grants of a person's service accounts that are neither revoked nor expired, in the order of their ids.
pub async fn list_standing_of_accounts(tx: &mut Tx, owner: PrincipalId, now: Timestamp) -> Result<Vec<Grant>, Error> {
    list!(
        tx,
        GrantRow,
        "WHERE principal_id IN (SELECT principals.id FROM principals WHERE principals.owner_id = $1)
         AND revoked_at IS NULL AND until_at > $2
         ORDER BY id",
        Text(owner),
        now.0
    )
}

/// The grants on any port of these products that are neither revoked nor expired.
pub async fn list_standing_of_products(
    tx: &mut Tx,
    product_ids: &[ProductId],
    now: Timestamp,
) -> Result<Vec<Grant>, Error> {
    list_in!(
        tx,
        GrantRow,
        "WHERE until_at > $1 AND revoked_at IS NULL AND product_id IN ({list}) ORDER BY id",
        product_ids,
        now.0
    )
}

/// The grants on one port major that are neither revoked nor expired, the newest first.
pub async fn list_standing_on_port(
    tx: &mut Tx,
    port_major: &PortMajor,
    now: Timestamp,
    seek: &Seek<(Timestamp, GrantId)>,
) -> Result<Page<Grant>, Error> {
    page_by_time!(
        tx,
        seek,
        GrantRow by "granted_at",
        "product_id = $4 AND port = $5 AND major = $6 AND revoked_at IS NULL AND until_at > $7",
        Text(port_major.product_id),
        port_major.port.as_str(),
        integer(port_major.major),
        now.0
    )
}

/// The newest grant of a principal on one port major, in any state.
pub async fn find_newest_for_port(
    tx: &mut Tx,
    principal_id: PrincipalId,
    port_major: &PortMajor,
) -> Result<Option<Grant>, Error> {
    find!(
        tx,
        GrantRow,
        "WHERE principal_id = $1 AND product_id = $2 AND port = $3 AND major = $4
         ORDER BY granted_at DESC, id DESC
         LIMIT 1",
        Text(principal_id),
        Text(port_major.product_id),
        port_major.port.as_str(),
        integer(port_major.major)
    )
}
