//! Overrides: stewards accept, for a while, that a version is published whose number is too small for what it changes.

use domain::clock::Timestamp;
use domain::contract::State;
use domain::grant::{Decided, sentence_of};
use domain::id::{ContractId, OverrideId};
use domain::overrides::{FindingsDigest, Override};
use domain::version::Version;
use policy::{Action, Resource};
use store::overrides::Stored;
use store::revision::{self, Revision};
use store::{Lock, Tx};

use crate::audit::{self, Event};
use crate::ctx::{App, Ctx};
use crate::error::Error;
use crate::grant::distinct;
use crate::idempotency::{self, Key};
use crate::known::{self, Known};
use crate::product;

/// All overrides of these contracts, each found to be signed. One that is not is somebody's attempt: nothing goes on.
pub(crate) async fn of_contracts(app: &App, tx: &mut Tx, ids: &[ContractId]) -> Result<Vec<Override>, Error> {
    verified(app, store::overrides::list_of_contracts(tx, ids).await?)
}

fn verified(app: &App, stored: Vec<Stored>) -> Result<Vec<Override>, Error> {
    let check = |Stored { says, mac }: Stored| match says.is_signed(&app.record_key, &mac) {
        true => Ok(says),
        false => Err(Error::internal(format!("the override {} was changed, or signed with another key", says.id))),
    };
    stored.into_iter().map(check).collect()
}

/// Accepts a version that was refused.
#[derive(Debug)]
pub struct CreateOverride {
    /// The contract.
    pub contract_id: ContractId,
    /// The version.
    pub version: Version,
    /// What it was refused for, as the refusal names it.
    pub findings: FindingsDigest,
    /// Why it is accepted.
    pub reason: String,
    /// Until when; at most 30 days from now.
    pub expires_at: Timestamp,
    /// See [`Key`].
    pub key: Option<Key>,
}

/// Accepts a version that was refused for its number: while the override stands, it may be published with just these
/// findings. Nobody does it for a domain in which he publishes, which is the policy's matter.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::Conflict`] for a version that was active before;
/// [`Error::Invalid`] without a reason or with an end that is too late.
pub async fn create_override(ctx: &Ctx, command: CreateOverride) -> Result<Override, Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let known = contract_product(ctx, &mut tx, command.contract_id).await?;
    authorize(ctx, &known)?;
    if let Some(id) = idempotency::find::<OverrideId>(ctx, &mut tx, command.key.as_ref()).await? {
        let found = verified(&ctx.app, store::overrides::list_by_ids(&mut tx, &[id]).await?)?;
        return found.into_iter().next().ok_or(Error::NotFound("override"));
    }
    let published = store::contract::find_version_by_number(&mut tx, command.contract_id, command.version).await?;
    if let Some(published) = published.filter(|version| !matches!(version.state, State::Draft { .. })) {
        let state = published.state.as_str();
        return Err(Error::Conflict(format!("version {} is {state}: there is nothing to accept", command.version)));
    }
    let says = Override {
        id: OverrideId::new(ctx.app.clock.as_ref(), ctx.app.random.as_ref()),
        contract_id: command.contract_id,
        version: command.version,
        findings: command.findings,
        reason: command.reason,
        steward: ctx.actor.principal.id,
        created_at: ctx.now(),
        expires_at: command.expires_at,
        revoked: None,
    };
    let says = says.checked()?;
    let stored = Stored { mac: says.sign(&ctx.app.record_key).to_vec(), says };
    store::overrides::insert(&mut tx, &stored).await?;
    let says = stored.says;
    // What is compared beside the writers is compared under the overrides of this revision.
    revision::bump(&mut tx, Revision::Access).await?;
    let event = Event::done("override.create", "override", says.id, "").because(Some(&says.reason));
    let detail = serde_json::json!({
        "what": format!("{} {} until {}", known.address(), says.version, says.expires_at),
        "contract": says.contract_id.to_string(),
        "findings": says.findings.to_string(),
    });
    audit::append(ctx, &mut tx, event.with(detail)).await?;
    idempotency::record(ctx, &mut tx, command.key.as_ref(), says.id).await?;
    tx.commit().await?;
    Ok(says)
}

/// What became of a revoke.
#[derive(Debug)]
pub enum Revoked {
    /// It has ended.
    Done(Override),
    /// It had ended before.
    NotStanding(Override),
}

/// Ends an override early. A version that was published under it and is active stays so; a draft waits.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::Invalid`] without a reason.
pub async fn revoke_override(ctx: &Ctx, id: OverrideId, reason: &str, key: Option<Key>) -> Result<Revoked, Error> {
    let reason = sentence_of(reason).map_err(|error| Error::invalid("reason", error))?;
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let found = verified(&ctx.app, store::overrides::list_by_ids(&mut tx, &[id]).await?)?;
    let says = found.into_iter().next().ok_or(Error::NotFound("override"))?;
    let known = contract_product(ctx, &mut tx, says.contract_id).await.map_err(|error| match error {
        Error::NotFound(_) => Error::NotFound("override"),
        other => other,
    })?;
    authorize(ctx, &known)?;
    if idempotency::find::<OverrideId>(ctx, &mut tx, key.as_ref()).await?.is_some() {
        return Ok(Revoked::Done(says));
    }
    let decided = Decided { by: ctx.actor.principal.id, at: ctx.now(), reason: Some(reason.clone()) };
    let Ok(says) = says.clone().revoke(decided) else { return Ok(Revoked::NotStanding(says)) };
    store::overrides::revoke(&mut tx, &says).await?;
    revision::bump(&mut tx, Revision::Access).await?;
    let what = format!("{} {}", known.address(), says.version);
    audit::append(ctx, &mut tx, Event::done("override.revoke", "override", id, &what).because(Some(&reason))).await?;
    idempotency::record(ctx, &mut tx, key.as_ref(), id).await?;
    tx.commit().await?;
    Ok(Revoked::Done(says))
}

fn authorize(ctx: &Ctx, known: &Known) -> Result<(), Error> {
    let product = Resource::Product(known.policy());
    ctx.authorize(Action::OverrideRefusal, &product, "accept refused versions in this domain")
}

/// The product of a contract that the caller may know of.
async fn contract_product(ctx: &Ctx, tx: &mut Tx, id: ContractId) -> Result<Known, Error> {
    let contract = store::contract::find(tx, id).await?.ok_or(Error::NotFound("contract"))?;
    let known = known::get(tx, contract.product_id).await?;
    if ctx.may_view(&known.policy()) { Ok(known) } else { Err(Error::NotFound("contract")) }
}

/// The overrides of these contracts, those that have ended too, the newest first, as far as the caller may know of their
/// products.
///
/// # Errors
/// Those of any use case.
pub async fn list_overrides(ctx: &Ctx, contract_ids: &[ContractId]) -> Result<Vec<Override>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let found = store::overrides::list_of_contracts(&mut tx, contract_ids).await?;
    visible(ctx, &mut tx, found).await
}

/// The overrides of these ids, as far as the caller may know of their products.
///
/// # Errors
/// Those of any use case.
pub async fn load_overrides(ctx: &Ctx, ids: &[OverrideId]) -> Result<Vec<Override>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let found = store::overrides::list_by_ids(&mut tx, ids).await?;
    visible(ctx, &mut tx, found).await
}

async fn visible(ctx: &Ctx, tx: &mut Tx, stored: Vec<Stored>) -> Result<Vec<Override>, Error> {
    let mut overrides = verified(&ctx.app, stored)?;
    let contracts = distinct(overrides.iter().map(|says| says.contract_id));
    let mut contracts = store::contract::list_by_ids(tx, &contracts).await?;
    let products = distinct(contracts.iter().map(|contract| contract.product_id));
    let products = product::visible(ctx, tx, &products).await?;
    contracts.retain(|contract| products.contains_key(&contract.product_id));
    overrides.retain(|says| contracts.iter().any(|contract| contract.id == says.contract_id));
    Ok(overrides)
}
