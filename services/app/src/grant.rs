//! Asking for access, answering, and ending it.

use std::collections::HashSet;

use domain::clock::Timestamp;
use domain::contract;
use domain::grant::{AccessRequest, Closed, Decided, Grant, PortMajor, Purpose, RequestState, Window, sentence_of};
use domain::id::{AccessRequestId, GrantId};
use domain::lease::Lease;
use domain::product::Port;
use itertools::Itertools as _;
use policy::{Action, Resource};
use store::{Lock, Page, Seek, Tx};

use crate::audit::{self, Author, Event, ResourceKind};
use crate::change::{Change, announce};
use crate::ctx::Ctx;
use crate::error::{Conflict, Error, Noun};
use crate::failpoint;
use crate::idempotency::{self, Key};
use crate::missing::Missing;
use crate::paging::VisiblePage;
use crate::parties::Parties;
use crate::product_in_domain::ProductInDomain;
use crate::table::sharing::{self, Sharers};
use crate::target::PortTarget;

/// Asks for access.
#[derive(Debug)]
pub struct RequestAccess {
    /// To what.
    pub target: PortTarget,
    /// What for.
    pub purpose: Purpose,
    /// From when; now where it is not said.
    pub from: Option<Timestamp>,
    /// Until when; 90 days where it is not said.
    pub until: Option<Timestamp>,
    /// See [`Key`].
    pub key: Option<Key>,
}

/// Asks for access.
///
/// # Errors
/// [`Error::NotFound`] for what the caller may not know of; [`Error::Conflict`] for a product that is not active,
/// [`Error::PortClosed`] for a major that takes no requests.
pub async fn request_access(ctx: &Ctx, command: RequestAccess) -> Result<AccessRequest, Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    if let Some(id) = idempotency::find(ctx, &mut tx, command.key.as_ref()).await? {
        return Ok(store::grant::get_request(&mut tx, id).await?);
    }
    if let Some(purpose) = ctx.actor.purpose
        && purpose != command.purpose.code
    {
        let message =
            format!("your token is limited to the purpose `{purpose}`: it can request access for this purpose only");
        return Err(Error::invalid("purpose", message));
    }
    let (known, port_major) = crate::table::address::resolve_port(ctx, &mut tx, &command.target).await?;
    let classification = sharing::classification_behind(&ctx.app, &mut tx, &known, &port_major).await?;
    let product = policy::Product { classification, ..known.policy() };
    ctx.authorize(Action::RequestAccess, &Resource::Product(product), "request access to this product")?;
    if !known.product.state.serves() {
        return Err(Conflict::ProductInactive.into());
    }
    must_take_access(&mut tx, &port_major).await?;

    let now = ctx.now();
    let request = AccessRequest {
        id: AccessRequestId::new(ctx.app.clock.as_ref(), ctx.app.random.as_ref()),
        requester: ctx.actor.principal.id,
        port_major,
        purpose: command.purpose,
        window: Window::requested(command.from, command.until, now)?,
        state: RequestState::Pending,
        decided: None,
        created_at: now,
    };
    store::grant::insert_request(&mut tx, &request).await?;
    let what = format!(
        "{} {} v{} for {}",
        known.address(),
        request.port_major.port,
        request.port_major.major,
        request.purpose.code
    );
    let event = Event::done(audit::Action::AccessRequest, ResourceKind::AccessRequest, request.id, &what)
        .because(Some(&request.purpose.sentence));
    audit::append(ctx, &mut tx, event).await?;
    idempotency::record(ctx, &mut tx, command.key.as_ref(), request.id).await?;
    failpoint::pass("request.written");
    tx.commit().await?;
    failpoint::pass("request.committed");
    Ok(request)
}

/// Goes on only if the port major takes access requests, which [`Closed::check`] decides.
async fn must_take_access(tx: &mut Tx, port_major: &PortMajor) -> Result<(), Error> {
    let mut majors = store::product::list_ports_of_products(tx, &[port_major.product_id]).await?;
    majors.retain(|other| other.port_major.port == port_major.port);
    let contract_ids = majors.iter().map(|major| major.contract_id).unique().collect_vec();
    let current = store::contract::list_current(tx, &contract_ids).await?;
    let state_of = |major: &Port| {
        let is_current = |version: &&contract::Version| {
            (version.contract_id, version.version.major) == (major.contract_id, major.contract_major)
        };
        current.iter().find(is_current).map(|version| &version.state)
    };
    let states = majors.iter().map(|major| (major.port_major.major, state_of(major))).collect_vec();
    Ok(Closed::check(&port_major.port, port_major.major, &states)?)
}

/// What became of an answer to a request.
#[derive(Debug)]
pub enum Answer<T> {
    /// It counts.
    Done(T),
    /// The request was decided before.
    NotPending(AccessRequest),
}

/// Takes a request back.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`].
pub async fn withdraw_request(
    ctx: &Ctx,
    id: AccessRequestId,
    key: Option<Key>,
) -> Result<Answer<AccessRequest>, Error> {
    answer(ctx, id, key, Refusal::Withdrawn, None).await
}

/// Refuses a request, with a reason.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::Invalid`] without a reason.
pub async fn reject_request(
    ctx: &Ctx,
    id: AccessRequestId,
    reason: &str,
    key: Option<Key>,
) -> Result<Answer<AccessRequest>, Error> {
    let reason = sentence_of(reason).map_err(|error| Error::invalid("reason", error))?;
    answer(ctx, id, key, Refusal::Rejected, Some(reason)).await
}

/// How a request ends without a grant.
#[derive(Clone, Copy)]
enum Refusal {
    Withdrawn,
    Rejected,
}

async fn answer(
    ctx: &Ctx,
    id: AccessRequestId,
    key: Option<Key>,
    refusal: Refusal,
    reason: Option<String>,
) -> Result<Answer<AccessRequest>, Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let (state, action, what, record) = match refusal {
        Refusal::Withdrawn => {
            let what = "withdraw this request";
            (RequestState::Withdrawn, Action::WithdrawRequest, what, audit::Action::AccessWithdraw)
        }
        Refusal::Rejected => {
            (RequestState::Rejected, Action::RejectRequest, "reject this request", audit::Action::AccessReject)
        }
    };
    let (request, _) = get_request(ctx, &mut tx, id, action, what).await?;
    if idempotency::find::<AccessRequestId>(ctx, &mut tx, key.as_ref()).await?.is_some() {
        return Ok(Answer::Done(request));
    }
    let decided = Decided { by: ctx.actor.principal.id, at: ctx.now(), reason };
    let Ok(request) = request.clone().decide(state, decided) else { return Ok(Answer::NotPending(request)) };
    store::grant::decide_request(&mut tx, &request).await?;
    let reason = request.decided.as_ref().and_then(|decided| decided.reason.as_deref());
    let event = Event::done(record, ResourceKind::AccessRequest, id, state.as_str()).because(reason);
    audit::conclude(ctx, tx, event, key.as_ref(), id).await?;
    Ok(Answer::Done(request))
}

/// Approves a request.
#[derive(Debug)]
pub struct ApproveRequest {
    /// The request.
    pub id: AccessRequestId,
    /// An earlier end than was asked for.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
    /// See [`Key`].
    pub key: Option<Key>,
}

/// Approves a request: the grant is in force from its window's start. The policy forbids approving one's own request.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::Invalid`] for an end that is later than was asked for;
/// [`Error::PortClosed`] if the major was deprecated or retired meanwhile.
pub async fn approve_request(ctx: &Ctx, command: ApproveRequest) -> Result<Answer<(AccessRequest, Grant)>, Error> {
    let reason = command.reason.as_deref().map(sentence_of).transpose();
    let reason = reason.map_err(|error| Error::invalid("reason", error))?;
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let (request, known) =
        get_request(ctx, &mut tx, command.id, Action::ApproveRequest, "approve this request").await?;
    if let Some(grant_id) = idempotency::find::<GrantId>(ctx, &mut tx, command.key.as_ref()).await? {
        return Ok(Answer::Done((request, store::grant::get(&mut tx, grant_id).await?)));
    }
    let now = ctx.now();
    if request.state == RequestState::Pending
        && store::product::find_port(&mut tx, &request.port_major).await?.is_some()
    {
        must_take_access(&mut tx, &request.port_major).await?;
    }
    let until = command.until.unwrap_or(request.window.until);
    if until > request.window.until {
        return Err(Error::invalid("until", "a grant cannot outlast the requested window"));
    }
    let decided = Decided { by: ctx.actor.principal.id, at: now, reason };
    let Ok(request) = request.clone().decide(RequestState::Approved, decided.clone()) else {
        return Ok(Answer::NotPending(request));
    };
    let window = Window::requested(Some(request.window.from), Some(until), now)?;

    let grant = Grant {
        id: GrantId::new(ctx.app.clock.as_ref(), ctx.app.random.as_ref()),
        request_id: request.id,
        principal_id: request.requester,
        port_major: request.port_major.clone(),
        purpose: request.purpose.clone(),
        window,
        granted_by: decided.by,
        granted_at: now,
        revoked: None,
    };
    store::grant::decide_request(&mut tx, &request).await?;
    store::grant::insert(&mut tx, &grant).await?;
    announce(&ctx.app, &mut tx, &[Change::AccessGranted(grant.principal_id)], &Author::from(ctx)).await?;
    let what = format!("{} {} v{} until {until}", known.address(), grant.port_major.port, grant.port_major.major);
    let event = Event::done(audit::Action::AccessApprove, ResourceKind::Grant, grant.id, &what)
        .because(decided.reason.as_deref());
    audit::append(ctx, &mut tx, event).await?;
    idempotency::record(ctx, &mut tx, command.key.as_ref(), grant.id).await?;
    failpoint::pass("approve.written");
    tx.commit().await?;
    failpoint::pass("approve.committed");
    Ok(Answer::Done((request, grant)))
}

/// What became of a revoke.
#[derive(Debug)]
pub enum Revoked {
    /// The grant has ended, and these leases with it.
    Done(Grant, Vec<Lease>),
    /// It had ended before.
    NotActive(Grant),
}

/// Ends a grant early. When this returns, no lease of it becomes issued, and the gateway refuses the next request of
/// those that were.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::Invalid`] without a reason.
pub async fn revoke_grant(ctx: &Ctx, id: GrantId, reason: &str, key: Option<Key>) -> Result<Revoked, Error> {
    let reason = sentence_of(reason).map_err(|error| Error::invalid("reason", error))?;
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let found = store::grant::list_by_ids(&mut tx, &[id]).await?;
    let grant = visible_grants(ctx, &mut tx, found, 1).await?.pop().ok_or(Error::NotFound(Noun::Grant))?;
    let parties = Parties::load(&mut tx, grant.port_major.product_id, grant.principal_id).await?;
    let sharers = Sharers::load(&ctx.app, &mut tx, &[grant.port_major.product_id]).await?;
    let resource = parties.grant(id, sharers.of_port(&grant.port_major));
    ctx.authorize(Action::RevokeGrant, &resource, "revoke this grant")?;
    let replayed = idempotency::find::<GrantId>(ctx, &mut tx, key.as_ref()).await?.is_some();
    let now = ctx.now();
    if replayed {
        let leases = store::lease::list_revoked_of_grant(&mut tx, id).await?;
        return Ok(Revoked::Done(grant, leases));
    }
    if now >= grant.window.until {
        return Ok(Revoked::NotActive(grant));
    }
    let decided = Decided { by: ctx.actor.principal.id, at: now, reason: Some(reason.clone()) };
    let Ok(grant) = grant.clone().revoke(decided) else { return Ok(Revoked::NotActive(grant)) };

    let leases = store::lease::list_open_of_grant(&mut tx, id, now).await?;
    store::grant::revoke(&mut tx, &grant).await?;
    announce(&ctx.app, &mut tx, &[Change::AccessRevoked(grant.principal_id)], &Author::from(ctx)).await?;
    let what = format!("{} leases ended", leases.len());
    audit::append(
        ctx,
        &mut tx,
        Event::done(audit::Action::AccessRevoke, ResourceKind::Grant, id, &what).because(Some(&reason)),
    )
    .await?;
    idempotency::record(ctx, &mut tx, key.as_ref(), id).await?;
    failpoint::pass("revoke.written");
    tx.commit().await?;
    failpoint::pass("revoke.committed");
    Ok(Revoked::Done(grant, leases))
}

/// Requests that the caller may see, the newest first.
///
/// # Errors
/// Those of any use case.
pub async fn list_requests(
    ctx: &Ctx,
    state: Option<RequestState>,
    seek: Seek<(Timestamp, AccessRequestId)>,
) -> Result<Page<AccessRequest>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let mut visible_page = VisiblePage::new(seek);
    while let Some(next) = visible_page.next() {
        let page = store::grant::list_requests(&mut tx, ctx.list_scope(), state, next).await?;
        let pairs = page.items.iter().map(|request| (request.port_major.product_id, request.requester));
        let parties_by_pair = Parties::load_all(&mut tx, pairs.collect()).await?;
        visible_page.add(
            page,
            |request| (request.created_at, request.id),
            |request| {
                let parties = parties_by_pair.get(&(request.port_major.product_id, request.requester));
                parties.is_some_and(|parties| ctx.may(Action::ViewRequest, &parties.request(request.id)))
            },
        );
    }
    Ok(visible_page.finish())
}

/// Grants that the caller may see, the newest first.
///
/// # Errors
/// Those of any use case.
pub async fn list_grants(ctx: &Ctx, seek: Seek<(Timestamp, GrantId)>) -> Result<Page<Grant>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let mut visible_page = VisiblePage::new(seek);
    while let Some(next) = visible_page.next() {
        let page = store::grant::list(&mut tx, ctx.list_scope(), next).await?;
        let visible = visible_grant_ids(ctx, &mut tx, &page.items).await?;
        visible_page.add(page, |grant| (grant.granted_at, grant.id), |grant| visible.contains(&grant.id));
    }
    Ok(visible_page.finish())
}

/// The requests of these ids that the caller may see.
///
/// # Errors
/// Those of any use case.
pub async fn load_requests(ctx: &Ctx, ids: &[AccessRequestId]) -> Result<Vec<AccessRequest>, Error> {
    let mut tx = ctx.app.db.read().await?;
    Ok(visible_requests(ctx, &mut tx, ids).await?.into_iter().map(|(request, _)| request).collect())
}

async fn visible_requests(
    ctx: &Ctx,
    tx: &mut Tx,
    ids: &[AccessRequestId],
) -> Result<Vec<(AccessRequest, Parties)>, Error> {
    let requests = store::grant::list_requests_by_ids(tx, ids).await?;
    let pairs = requests.iter().map(|request| (request.port_major.product_id, request.requester)).collect();
    let parties_by_pair = Parties::load_all(tx, pairs).await?;
    ctx.judge_missing(Action::ViewRequest, Missing::Request, ids.len().saturating_sub(requests.len()));
    let visible = requests.into_iter().filter_map(|request| {
        let parties = parties_by_pair.get(&(request.port_major.product_id, request.requester))?;
        ctx.may(Action::ViewRequest, &parties.request(request.id)).then(|| (request, parties.clone()))
    });
    Ok(visible.collect())
}

/// The grants that answer these requests and that the caller may see.
///
/// # Errors
/// Those of any use case.
pub async fn load_grants_of_requests(ctx: &Ctx, ids: &[AccessRequestId]) -> Result<Vec<Grant>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let grants = store::grant::list_of_requests(&mut tx, ids).await?;
    visible_grants(ctx, &mut tx, grants, ids.len()).await
}

/// The grants of these ids that the caller may see.
///
/// # Errors
/// Those of any use case.
pub async fn load_grants(ctx: &Ctx, ids: &[GrantId]) -> Result<Vec<Grant>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let grants = store::grant::list_by_ids(&mut tx, ids).await?;
    visible_grants(ctx, &mut tx, grants, ids.len()).await
}

/// The visible ones of the grants, which were found for `n_requested` ids.
async fn visible_grants(
    ctx: &Ctx,
    tx: &mut Tx,
    mut grants: Vec<Grant>,
    n_requested: usize,
) -> Result<Vec<Grant>, Error> {
    ctx.judge_missing(Action::ViewGrant, Missing::Grant, n_requested.saturating_sub(grants.len()));
    let visible = visible_grant_ids(ctx, tx, &grants).await?;
    grants.retain(|grant| visible.contains(&grant.id));
    Ok(grants)
}

/// Those of the grants that the caller may see.
pub(crate) async fn visible_grant_ids(ctx: &Ctx, tx: &mut Tx, grants: &[Grant]) -> Result<HashSet<GrantId>, Error> {
    let pairs = grants.iter().map(|grant| (grant.port_major.product_id, grant.principal_id)).collect();
    let parties_by_pair = Parties::load_all(tx, pairs).await?;
    let product_ids = grants.iter().map(|grant| grant.port_major.product_id).unique().collect_vec();
    let sharers = Sharers::load(&ctx.app, tx, &product_ids).await?;
    let may = |grant: &&Grant| {
        let parties = parties_by_pair.get(&(grant.port_major.product_id, grant.principal_id));
        let sharers = sharers.of_port(&grant.port_major);
        parties.is_some_and(|parties| ctx.may(Action::ViewGrant, &parties.grant(grant.id, sharers)))
    };
    Ok(grants.iter().filter(may).map(|grant| grant.id).collect())
}

async fn get_request(
    ctx: &Ctx,
    tx: &mut Tx,
    id: AccessRequestId,
    action: Action,
    what: &str,
) -> Result<(AccessRequest, ProductInDomain), Error> {
    let found = visible_requests(ctx, tx, &[id]).await?.pop();
    let (request, parties) = found.ok_or(Error::NotFound(Noun::AccessRequest))?;
    ctx.authorize(action, &parties.request(id), what)?;
    Ok((request, parties.known))
}
