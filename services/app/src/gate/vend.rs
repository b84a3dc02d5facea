//! Vending: asking the gate for credentials.
//!
//! The path of a reader: facts by the question's stamp, [`domain::gate::decide`], and in the same transaction the
//! decision, the lease and the record. If the stamp has moved since the facts were read, they are read again inside that
//! transaction, which holds the fact lock shared: no lease becomes issued after a revoke was acknowledged.

use crate::audit::{self, Event, ResourceKind};
use crate::cache::facts::{GateQuestion, LoadedFacts};
use crate::ctx::Ctx;
use crate::error::{Error, Noun, Unavailable};
use crate::failpoint;
use crate::gate::facts;
use crate::lease::intent;
use crate::table::head;
use domain::gate::{self, Action, Decision, Explained, Request};
use domain::id::{DecisionId, LeaseId};
use domain::identity::PurposeCode;
use domain::lease::{Credentials, Lease, Order, Provision};
use domain::name::Address;
use std::sync::Arc;
use std::time::Duration;
use store::{Lock, Tx};

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
    /// What opens the table.
    pub credentials: Credentials,
}

/// Asks the gate, and hands out credentials if it is open.
///
/// # Errors
/// [`Error::NotFound`] for what the caller may not know of; [`Error::Invalid`] for an action or purpose that cannot be.
pub async fn vend(ctx: &Ctx, command: Vend) -> Result<Vended, Error> {
    if !matches!(command.action, Action::Read | Action::Repair) {
        return Err(Error::invalid("action", "the gateway is read-only: request `read` or `repair`"));
    }
    let question = question(ctx, &command.address, command.action, command.purpose)?;
    // A cached entry is validated against its stamp below; skip it early if the caller's access revision differs.
    let kept = ctx.app.caches.facts.find(&question).filter(|kept| kept.stamp.access == ctx.actor.standing.revision);
    let loaded = match kept {
        Some(kept) => Some(kept),
        None => cached_or_loaded(ctx, &question).await?,
    };
    let Some(loaded) = loaded else { return not_found(ctx, &question).await };
    head::probe(&ctx.app, &loaded.target.table, loaded.head.as_ref()).await?;

    let mut tx = ctx.app.db.write(Lock::FactsShared).await?;
    let stamp = store::revision::stamp(&mut tx, loaded.target.table.id).await?;
    let loaded = if loaded.stands(stamp, ctx.now()) {
        loaded
    } else {
        ctx.app.caches.facts.remove(&question);
        match facts::load(&ctx.app, &mut tx, &ctx.actor, &question).await? {
            Some(loaded) => Arc::new(loaded),
            None => {
                drop(tx);
                return not_found(ctx, &question).await;
            }
        }
    };

    let decision = decide(ctx, &question, &loaded, command.lifetime);
    let explained = decision.explained();
    let permit = match decision.into_permit() {
        Ok(permit) => permit,
        Err(_) => {
            let event = event(&loaded, &explained).refused(failing(&explained));
            store_outcome(ctx, &mut tx, &explained, None, event).await?;
            tx.commit().await?;
            return Ok(Vended::Refused(explained));
        }
    };
    let id = LeaseId::random(ctx.app.random.as_ref());
    let token_id = ctx.actor.bearer.token_id;
    let (event, location) = (event(&loaded, &explained), &loaded.target.table.location);
    match ctx.app.vendor.provision() {
        Provision::Local => {
            let lease = Lease::issue(id, permit, ctx.now()).requested_with(token_id);
            store_outcome(ctx, &mut tx, &explained, Some(&lease), event.with(detail(&loaded, &lease))).await?;
            failpoint::pass("vend.written");
            tx.commit().await?;
            failpoint::pass("vend.committed");
            let credentials = ctx.app.vendor.vend(Order { lease: &lease, location }).await.map_err(Error::internal)?;
            Ok(Vended::Issued(Box::new(Issued { lease, decision: explained, credentials })))
        }
        Provision::Provider { deadline } => {
            let intent = Lease::intend(id, permit, ctx.now()).requested_with(token_id);
            let event = event.with(detail(&loaded, intent.lease()));
            store_outcome(ctx, &mut tx, &explained, Some(intent.lease()), event.clone().intended()).await?;
            tx.commit().await?;
            match intent::fulfil(ctx, intent, location, deadline, event).await? {
                Some((lease, credentials)) => {
                    Ok(Vended::Issued(Box::new(Issued { lease, decision: explained, credentials })))
                }
                None => refuse_revoked(ctx, &question, command.lifetime).await,
            }
        }
    }
}

/// Answers a vend whose lease was revoked or had ended before its credentials were issued: with the present decision.
async fn refuse_revoked(ctx: &Ctx, question: &GateQuestion, lifetime: Option<Duration>) -> Result<Vended, Error> {
    let mut tx = ctx.app.db.write(Lock::FactsShared).await?;
    let Some(loaded) = facts::load(&ctx.app, &mut tx, &ctx.actor, question).await? else {
        drop(tx);
        return not_found(ctx, question).await;
    };
    let explained = decide(ctx, question, &loaded, lifetime).explained();
    if explained.allowed {
        // Another grant or role still gives the right. This lease is over all the same; the next one rests on that.
        return Err(Error::Unavailable(Unavailable::LeaseOver));
    }
    store_outcome(ctx, &mut tx, &explained, None, event(&loaded, &explained).refused(failing(&explained))).await?;
    tx.commit().await?;
    Ok(Vended::Refused(explained))
}

/// Stores a decision with the lease that it allowed, if any, and its record.
async fn store_outcome(
    ctx: &Ctx,
    tx: &mut Tx,
    decision: &Explained,
    lease: Option<&Lease>,
    event: Event,
) -> Result<(), Error> {
    let record = audit::record(&ctx.app, ctx.actor.principal.id.to_string(), &ctx.request_id, event);
    Ok(store::gate::insert_outcome(tx, decision, lease, &record, &ctx.app.record_key).await?)
}

fn detail(loaded: &LoadedFacts, lease: &Lease) -> serde_json::Value {
    serde_json::json!({
        "address": loaded.target.address(),
        "action": lease.action.as_str(),
        "lease": lease.id.to_string(),
        "purpose": lease.purpose.as_str(),
        "until": lease.expires_at.to_string(),
    })
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
        return Err(Error::invalid("action", "only the server inspects tables"));
    }
    let question = question(ctx, address, action, purpose)?;
    let Some(loaded) = cached_or_loaded(ctx, &question).await? else { return Ok(None) };
    head::probe(&ctx.app, &loaded.target.table, loaded.head.as_ref()).await?;
    let Some(loaded) = cached_or_loaded(ctx, &question).await? else { return Ok(None) };
    Ok(Some(decide(ctx, &question, &loaded, None).explained()))
}

fn decide(ctx: &Ctx, question: &GateQuestion, loaded: &LoadedFacts, lifetime: Option<Duration>) -> Decision {
    let request = Request {
        decision_id: DecisionId::new(ctx.app.clock.as_ref(), ctx.app.random.as_ref()),
        principal_id: question.principal_id,
        action: question.action,
        binding_id: loaded.target.binding.id,
        table_id: loaded.target.table.id,
        purpose: question.purpose,
        lifetime,
        now: ctx.now(),
    };
    gate::decide(&request, &loaded.facts)
}

/// The token's purpose binds: no other purpose can be requested with it.
fn question(ctx: &Ctx, address: &Address, action: Action, purpose: Option<PurposeCode>) -> Result<GateQuestion, Error> {
    let purpose = match (ctx.actor.purpose, purpose) {
        (Some(token), Some(wanted)) if token != wanted => {
            let message = format!("the token is limited to the purpose `{token}`");
            return Err(Error::invalid("purpose", message));
        }
        (Some(purpose), _) | (None, Some(purpose)) => Some(purpose),
        (None, None) => None,
    };
    let (principal_id, bearer) = (ctx.actor.principal.id, ctx.actor.bearer);
    Ok(GateQuestion { principal_id, bearer, address: address.clone(), action, purpose })
}

async fn cached_or_loaded(ctx: &Ctx, question: &GateQuestion) -> Result<Option<Arc<LoadedFacts>>, Error> {
    let now = ctx.now();
    let mut tx = ctx.app.db.read().await?;
    if let Some(kept) = ctx.app.caches.facts.find(question) {
        let stamp = store::revision::stamp(&mut tx, kept.target.table.id).await?;
        if kept.stands(stamp, now) {
            return Ok(Some(kept));
        }
    }
    let loaded = facts::load(&ctx.app, &mut tx, &ctx.actor, question).await?.map(Arc::new);
    match &loaded {
        Some(loaded) => ctx.app.caches.facts.put(question.clone(), Arc::clone(loaded)),
        None => ctx.app.caches.facts.remove(question),
    }
    Ok(loaded)
}

/// The same record for what is hidden and for what does not exist.
async fn not_found(ctx: &Ctx, question: &GateQuestion) -> Result<Vended, Error> {
    let event =
        Event::done(audit::Action::CredentialVend, ResourceKind::Address, &question.address, question.action.as_str());
    let actor = ctx.actor.principal.id.to_string();
    audit::append_alone(&ctx.app, actor, &ctx.request_id, event.refused("not found".to_owned())).await?;
    Err(Error::NotFound(Noun::Table))
}

fn event(loaded: &LoadedFacts, explained: &Explained) -> Event {
    let what = format!("{} {}", explained.action, loaded.target.address());
    Event::done(audit::Action::CredentialVend, ResourceKind::Decision, explained.id, &what)
}

fn failing(explained: &Explained) -> String {
    let failing = explained.lines.iter().filter(|line| line.outcome == gate::LineOutcome::Fails);
    failing.map(|line| line.code.as_str()).collect::<Vec<_>>().join(", ")
}
