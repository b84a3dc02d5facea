//! Handing out credentials, and what the gateway asks about them.
//!
//! The path of a reader: facts by the question's stamp, [`domain::gate::decide`], and in the same transaction the
//! decision, the lease and the record. If the stamp has moved since the facts were read, they are read again inside that
//! transaction, which holds the fact lock shared: no lease becomes issued after a revoke was acknowledged.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use domain::clock::Timestamp;
use domain::gate::{self, Action, Decision, Explained, Request};
use domain::id::{BindingId, DecisionId, LeaseId, PrincipalId, ProductId};
use domain::identity::PurposeCode;
use domain::lease::{Lease, LeaseState};
use domain::name::Address;
use futures::future::BoxFuture;
use policy::{Party, Resource};
use store::revision::Revision;
use store::{Lock, Page, Seek, Tx};

use crate::audit::{self, Event, ResourceKind};
use crate::ctx::{App, Ctx, lock};
use crate::error::{Error, Noun};
use crate::facts::{self, Asked, Loaded};
use crate::failpoint;
use crate::grant::Subject;
use crate::lease::{Denied, FileList, LeaseCredentials, LeaseSecrets, Leases, OpenLease, Scope};
use crate::paging::Filling;
use crate::table;

/// Asks for credentials.
#[derive(Clone, Debug)]
pub struct Vend {
    /// For which table.
    pub address: Address,
    /// To do what: `read` or `repair`.
    pub action: Action,
    /// For which purpose, where the token does not say.
    pub purpose: Option<PurposeCode>,
    /// For how long.
    pub lifetime: Option<Duration>,
}

/// What became of [`Vend`].
#[derive(Debug)]
pub enum Vended {
    /// The gate was open.
    Issued(Box<Issued>),
    /// The gate was shut.
    Refused(Explained),
}

/// Credentials, and the decision behind them.
#[derive(Debug)]
pub struct Issued {
    /// The lease.
    pub lease: Lease,
    /// The decision.
    pub decision: Explained,
    /// What to sign with.
    pub credentials: LeaseCredentials,
    /// Where the gateway is.
    pub endpoint: String,
    /// The region to name.
    pub region: String,
    /// Where the table is: `s3://lake/<table id>`.
    pub table_uri: String,
}

/// Asks the gate, and hands out credentials if it is open.
///
/// # Errors
/// [`Error::NotFound`] for what the caller may not know of; [`Error::Invalid`] for an action or purpose that cannot be.
pub async fn vend(ctx: &Ctx, command: Vend) -> Result<Vended, Error> {
    if !matches!(command.action, Action::Read | Action::Repair) {
        return Err(Error::invalid("action", "the gateway reads only: ask for `read` or `repair`"));
    }
    let asked = asked(ctx, &command.address, command.action, command.purpose)?;
    // What was kept is judged by its stamp below; the caller's own revision tells soon enough that it is worth that.
    let kept = ctx.app.facts.find(&asked).filter(|kept| kept.stamp.access == ctx.actor.standing.revision);
    let loaded = match kept {
        Some(kept) => Some(kept),
        None => kept_or_loaded(ctx, &asked).await?,
    };
    let Some(loaded) = loaded else { return not_found(ctx, &asked).await };
    table::probe(&ctx.app, &loaded.target.table, loaded.head.as_ref()).await?;

    let mut tx = ctx.app.db.write(Lock::FactsShared).await?;
    let stamp = store::revision::stamp(&mut tx, loaded.target.table.id).await?;
    let loaded = if loaded.stands(stamp, ctx.now()) {
        loaded
    } else {
        ctx.app.facts.drop(&asked);
        match facts::load(&ctx.app, &mut tx, &ctx.actor, &asked).await? {
            Some(loaded) => Arc::new(loaded),
            None => {
                drop(tx);
                return not_found(ctx, &asked).await;
            }
        }
    };

    let decision = decide(ctx, &asked, &loaded, command.lifetime);
    let explained = decision.explained();
    store::gate::insert_decision(&mut tx, &explained).await?;
    let permit = match decision.into_permit() {
        Ok(permit) => permit,
        Err(_) => {
            let event = event(&loaded, &explained).refused(failing(&explained));
            audit::append(ctx, &mut tx, event).await?;
            tx.commit().await?;
            return Ok(Vended::Refused(explained));
        }
    };
    let lease = Lease::issue(LeaseId::random(ctx.app.random.as_ref()), permit, ctx.now());
    store::lease::insert(&mut tx, &lease).await?;
    let detail = serde_json::json!({
        "address": loaded.target.address(),
        "action": lease.action.as_str(),
        "lease": lease.id.to_string(),
        "purpose": lease.purpose.as_str(),
        "until": lease.expires_at.to_string(),
    });
    audit::append(ctx, &mut tx, event(&loaded, &explained).with(detail)).await?;
    failpoint::pass("vend.written");
    tx.commit().await?;
    failpoint::pass("vend.committed");

    let credentials = ctx.app.secrets.credentials(lease.id);
    Ok(Vended::Issued(Box::new(Issued {
        credentials,
        endpoint: ctx.app.settings.gateway_endpoint.clone(),
        region: ctx.app.settings.region.to_string(),
        table_uri: domain::s3::table_uri(lease.table_id),
        lease,
        decision: explained,
    })))
}

/// The decision without credentials: what [`vend`] would answer now. It opens nothing and is not recorded.
///
/// # Errors
/// [`Error::Invalid`] for a purpose that cannot be. `None` for what the caller may not know of.
pub async fn why(
    ctx: &Ctx,
    address: &Address,
    action: Action,
    purpose: Option<PurposeCode>,
) -> Result<Option<Explained>, Error> {
    if action == Action::Inspect {
        return Err(Error::invalid("action", "only the server itself inspects"));
    }
    let asked = asked(ctx, address, action, purpose)?;
    let Some(loaded) = kept_or_loaded(ctx, &asked).await? else { return Ok(None) };
    table::probe(&ctx.app, &loaded.target.table, loaded.head.as_ref()).await?;
    let Some(loaded) = kept_or_loaded(ctx, &asked).await? else { return Ok(None) };
    Ok(Some(decide(ctx, &asked, &loaded, None).explained()))
}

fn decide(ctx: &Ctx, asked: &Asked, loaded: &Loaded, lifetime: Option<Duration>) -> Decision {
    let request = Request {
        decision_id: DecisionId::new(ctx.app.clock.as_ref(), ctx.app.random.as_ref()),
        principal_id: asked.principal_id,
        action: asked.action,
        binding_id: loaded.target.binding.id,
        table_id: loaded.target.table.id,
        purpose: asked.purpose,
        lifetime,
        now: ctx.now(),
    };
    gate::decide(&request, &loaded.facts)
}

/// The token's purpose binds: another one cannot be asked for with it.
fn asked(ctx: &Ctx, address: &Address, action: Action, purpose: Option<PurposeCode>) -> Result<Asked, Error> {
    let purpose = match (ctx.actor.purpose, purpose) {
        (Some(token), Some(wanted)) if token != wanted => {
            let message = format!("the token was made for the purpose `{token}`");
            return Err(Error::invalid("purpose", message));
        }
        (Some(purpose), _) | (None, Some(purpose)) => Some(purpose),
        (None, None) => None,
    };
    Ok(Asked { principal_id: ctx.actor.principal.id, address: address.clone(), action, purpose })
}

async fn kept_or_loaded(ctx: &Ctx, asked: &Asked) -> Result<Option<Arc<Loaded>>, Error> {
    let now = ctx.now();
    let mut tx = ctx.app.db.read().await?;
    if let Some(kept) = ctx.app.facts.find(asked) {
        let stamp = store::revision::stamp(&mut tx, kept.target.table.id).await?;
        if kept.stands(stamp, now) {
            return Ok(Some(kept));
        }
    }
    let loaded = facts::load(&ctx.app, &mut tx, &ctx.actor, asked).await?.map(Arc::new);
    match &loaded {
        Some(loaded) => ctx.app.facts.put(asked.clone(), Arc::clone(loaded)),
        None => ctx.app.facts.drop(asked),
    }
    Ok(loaded)
}

/// The same record for what is hidden and for what does not exist.
async fn not_found(ctx: &Ctx, asked: &Asked) -> Result<Vended, Error> {
    let event =
        Event::done(audit::Action::CredentialVend, ResourceKind::Address, &asked.address, asked.action.as_str());
    let actor = ctx.actor.principal.id.to_string();
    audit::append_alone(&ctx.app, actor, &ctx.request_id, event.refused("not found".to_owned())).await?;
    Err(Error::NotFound(Noun::Table))
}

fn event(loaded: &Loaded, explained: &Explained) -> Event {
    let what = format!("{} {}", explained.action, loaded.target.address());
    Event::done(audit::Action::CredentialVend, ResourceKind::Decision, explained.id, &what)
}

fn failing(explained: &Explained) -> String {
    let failing = explained.lines.iter().filter(|line| line.outcome == gate::LineOutcome::Fails);
    failing.map(|line| line.code.as_str()).collect::<Vec<_>>().join(", ")
}

/// Leases that the caller may see, the newest first.
///
/// # Errors
/// Those of any use case.
pub async fn list_leases(ctx: &Ctx, seek: Seek<(Timestamp, LeaseId)>) -> Result<Page<Lease>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let mut filling = Filling::new(seek);
    while let Some(next) = filling.next() {
        let page = store::lease::list(&mut tx, ctx.list_scope(), next).await?;
        let visible = visible(ctx, &mut tx, &page.items, lease_of).await?;
        filling.add(page, |lease| (lease.issued_at, lease.id), |lease| visible.contains(&lease.id));
    }
    Ok(filling.done())
}

/// The leases of these ids that the caller may see.
///
/// # Errors
/// Those of any use case.
pub async fn load_leases(ctx: &Ctx, ids: &[LeaseId]) -> Result<Vec<Lease>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let mut leases = store::lease::list_by_ids(&mut tx, ids).await?;
    let visible = visible(ctx, &mut tx, &leases, lease_of).await?;
    leases.retain(|lease| visible.contains(&lease.id));
    Ok(leases)
}

/// Decisions that the caller may see, the newest first.
///
/// # Errors
/// Those of any use case.
pub async fn list_decisions(ctx: &Ctx, seek: Seek<(Timestamp, DecisionId)>) -> Result<Page<Explained>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let mut filling = Filling::new(seek);
    while let Some(next) = filling.next() {
        let page = store::gate::list_decisions(&mut tx, ctx.list_scope(), next).await?;
        let visible = visible(ctx, &mut tx, &page.items, decision_of).await?;
        filling.add(page, |decision| (decision.at, decision.id), |decision| visible.contains(&decision.id));
    }
    Ok(filling.done())
}

/// The decisions of these ids that the caller may see.
///
/// # Errors
/// Those of any use case.
pub async fn load_decisions(ctx: &Ctx, ids: &[DecisionId]) -> Result<Vec<Explained>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let mut decisions = store::gate::list_decisions_by_ids(&mut tx, ids).await?;
    let visible = visible(ctx, &mut tx, &decisions, decision_of).await?;
    decisions.retain(|decision| visible.contains(&decision.id));
    Ok(decisions)
}

/// What of a lease or a decision says who may see it.
struct Trace<I> {
    id: I,
    binding_id: BindingId,
    principal_id: PrincipalId,
    action: policy::Action,
    resource: for<'a> fn(I, policy::Product<'a>, Party) -> Resource<'a>,
}

fn lease_of(lease: &Lease) -> Trace<LeaseId> {
    Trace {
        id: lease.id,
        binding_id: lease.binding_id,
        principal_id: lease.principal_id,
        action: policy::Action::ViewLease,
        resource: |id, product, principal| Resource::Lease { id, product, principal },
    }
}

fn decision_of(decision: &Explained) -> Trace<DecisionId> {
    Trace {
        id: decision.id,
        binding_id: decision.binding_id,
        principal_id: decision.principal_id,
        action: policy::Action::ViewDecision,
        resource: |id, product, principal| Resource::Decision { id, product, principal },
    }
}

/// Those of the leases or decisions that the caller may see.
async fn visible<T, I: Copy + Eq + Hash>(
    ctx: &Ctx,
    tx: &mut Tx,
    items: &[T],
    trace: fn(&T) -> Trace<I>,
) -> Result<HashSet<I>, Error> {
    let traces: Vec<Trace<I>> = items.iter().map(trace).collect();
    let products = products_of(tx, traces.iter().map(|trace| trace.binding_id)).await?;
    let pairs = traces.iter().filter_map(|trace| Some((*products.get(&trace.binding_id)?, trace.principal_id)));
    let subjects = Subject::load_all(tx, pairs.collect()).await?;
    let may = |trace: &&Trace<I>| {
        let subject = products.get(&trace.binding_id).and_then(|id| subjects.get(&(*id, trace.principal_id)));
        subject.is_some_and(|subject| {
            let principal = Party::from(&subject.principal);
            ctx.may(trace.action, &(trace.resource)(trace.id, subject.known.policy(), principal))
        })
    };
    Ok(traces.iter().filter(may).map(|trace| trace.id).collect())
}

async fn products_of(
    tx: &mut Tx,
    binding_ids: impl Iterator<Item = BindingId>,
) -> Result<HashMap<BindingId, ProductId>, Error> {
    let bindings = store::binding::list_by_ids(tx, &crate::grant::distinct(binding_ids)).await?;
    let contract_ids = crate::grant::distinct(bindings.iter().map(|binding| binding.contract_id));
    let contracts: HashMap<_, _> = store::contract::list_by_ids(tx, &contract_ids)
        .await?
        .into_iter()
        .map(|contract| (contract.id, contract.product_id))
        .collect();
    let pairs = bindings.into_iter().filter_map(|binding| Some((binding.id, *contracts.get(&binding.contract_id)?)));
    Ok(pairs.collect())
}

/// Open leases, kept for as long as the access revision stands: every revoke moves it.
#[derive(Default)]
pub(crate) struct LeaseCache(Mutex<HashMap<LeaseId, (i64, Arc<OpenLease>)>>);

/// How many open leases are kept.
const MAX_LEASES: usize = 10_000;

/// File lists in use, by digest: leases on one snapshot share one list, which is dropped with the last of them.
#[derive(Default)]
pub(crate) struct FileLists(Mutex<HashMap<String, Weak<FileList>>>);

impl Leases for App {
    fn open(&self, id: LeaseId) -> BoxFuture<'_, Result<Arc<OpenLease>, Denied>> {
        Box::pin(async move {
            let unavailable = |error| unavailable(id, error);
            let mut once = self.db.read_once().await.map_err(unavailable)?;
            let revision = store::revision::get(&mut once, Revision::Access).await.map_err(unavailable)?;
            drop(once);
            let kept =
                lock(&self.leases.0).get(&id).filter(|(at, _)| *at == revision).map(|(_, open)| Arc::clone(open));
            if let Some(open) = kept {
                open.at(self.now())?;
                return Ok(open);
            }
            // Read after the revision that it is kept under, so at worst newer than that.
            let open = open_lease(self, self.db.read().await.map_err(unavailable)?, id).await?;
            let (mut leases, now) = (lock(&self.leases.0), self.now());
            if leases.len() >= MAX_LEASES {
                leases.retain(|_, (at, open)| *at == revision && open.at(now).is_ok());
            }
            if leases.len() >= MAX_LEASES {
                leases.clear();
            }
            leases.insert(id, (revision, Arc::clone(&open)));
            Ok(open)
        })
    }

    fn still_open(&self, id: LeaseId) -> BoxFuture<'_, bool> {
        Box::pin(async move { self.open(id).await.is_ok() })
    }

    fn secrets(&self) -> &LeaseSecrets {
        &self.secrets
    }
}

fn unavailable(id: LeaseId, error: store::Error) -> Denied {
    tracing::error!(error = &error as &dyn std::error::Error, lease.id = %id, "lease not looked up");
    Denied::Unavailable
}

async fn open_lease(app: &App, mut tx: Tx, id: LeaseId) -> Result<Arc<OpenLease>, Denied> {
    let unavailable = |error| unavailable(id, error);
    let now = app.now();
    let lease = store::lease::find(&mut tx, id).await.map_err(unavailable)?.ok_or(Denied::Unknown)?;
    match lease.state {
        LeaseState::Issued => {}
        LeaseState::Intended => return Err(Denied::Unknown),
        LeaseState::Ended => return Err(Denied::Ended),
        LeaseState::Revoked => return Err(Denied::Revoked),
    }
    if now >= lease.expires_at {
        return Err(Denied::Expired);
    }
    if let Some(grant_id) = lease.grant_id {
        let grant = store::grant::find(&mut tx, grant_id).await.map_err(unavailable)?.ok_or(Denied::Revoked)?;
        if !grant.covers(now) {
            return Err(Denied::Revoked);
        }
    }
    let table = store::table::get(&mut tx, lease.table_id).await.map_err(unavailable)?;
    let root = app.lake.folder(&table.location);
    let scope = match (lease.action, lease.snapshot_id) {
        (Action::Read, Some(snapshot_id)) => {
            let snapshot = store::table::get_snapshot(&mut tx, snapshot_id).await.map_err(unavailable)?;
            drop(tx);
            let digest = snapshot.found.map(|found| found.file_list).ok_or(Denied::Unavailable)?;
            Scope::Pinned { root, files: file_list(app, digest).await? }
        }
        (Action::Repair | Action::Inspect, None) => Scope::Folder { root },
        (Action::Read | Action::Write | Action::Repair | Action::Inspect, _) => return Err(Denied::Unknown),
    };
    Ok(Arc::new(OpenLease { id, table_id: lease.table_id, expires_at: lease.expires_at, scope }))
}

async fn file_list(app: &App, digest: String) -> Result<Arc<FileList>, Denied> {
    if let Some(list) = lock(&app.file_lists.0).get(&digest).and_then(Weak::upgrade) {
        return Ok(list);
    }
    let (folder, named) = (app.folder.clone(), digest.clone());
    let read = tokio::task::spawn_blocking(move || folder.list(&named)).await;
    match read {
        Ok(Ok(list)) => {
            let list = Arc::new(list);
            let mut lists = lock(&app.file_lists.0);
            lists.retain(|_, list| list.strong_count() > 0);
            lists.insert(digest, Arc::downgrade(&list));
            Ok(list)
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "file list not read");
            Err(Denied::Unavailable)
        }
        Err(_) => Err(Denied::Unavailable),
    }
}
