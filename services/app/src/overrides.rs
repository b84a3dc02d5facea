//! Overrides: stewards accept, for a while, that a version is published whose number is too small for what it changes.
//!
//! A steward reviews the document itself. They sign exactly the findings that the server showed them
//! ([`review_refusal`]): signing names the digest of these ([`create_override`]), and the findings stay with the override
//! and in its record. Publishers do not sign: neither in a domain in which they publish, nor for a version that they then
//! publish themselves. A person and their service accounts count as one.

pub(crate) mod standing;

use domain::change::{FindingRecord, finding_records};
use domain::clock::Timestamp;
use domain::contract::State;
use domain::grant::{Decided, sentence_of};
use domain::id::{ContractId, OverrideId};
use domain::name::{DomainPath, Name};
use domain::overrides::{FindingsDigest, Override};
use itertools::Itertools as _;
use policy::{Action, Resource};
use store::overrides::Stored;
use store::{Lock, Tx};

use crate::audit::{self, Author, Event, ResourceKind};
use crate::change::{Change, announce};
use crate::ctx::{App, Ctx};
use crate::error::{Conflict, Error, Noun};
use crate::idempotency::{self, Key};
use crate::product;
use crate::product_in_domain::{self, ProductInDomain};
use crate::publish::review::Candidate;
use crate::publish::{DocumentText, Problem, VersionRefusal};
use crate::table::address;

/// A document that was refused, as a steward was given it.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The domain of its product.
    pub domain: DomainPath,
    /// The product of its contract.
    pub product: Name,
    /// The document: one, of a contract.
    pub document: DocumentText,
}

/// What a steward is shown.
#[derive(Debug)]
pub enum Review {
    /// Why the document is refused.
    Refused(Box<VersionRefusal>),
    /// The document cannot be used.
    Invalid(Vec<Problem>),
}

/// Tells why a document is refused, from the versions that are promised, and passing over what the caller has accepted
/// already: a document that breaks two versions is accepted twice. For those who may accept it.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::Conflict`] for a document that is not refused, or that no override
/// can let in.
pub async fn review_refusal(ctx: &Ctx, refused: &Refused) -> Result<Review, Error> {
    let candidate = match Candidate::read(ctx, &refused.domain, &refused.document).await? {
        Ok(candidate) => candidate,
        Err(problems) => return Ok(Review::Invalid(problems)),
    };
    let mut tx = ctx.app.db.read().await?;
    let known = named_product(ctx, &mut tx, refused).await?;
    authorize(ctx, &mut tx, &known).await?;
    let (_, refusal, _) = refusal_of(ctx, &mut tx, &known, &candidate).await?;
    Ok(Review::Refused(Box::new(refusal)))
}

/// Accepts a version that was refused.
#[derive(Debug)]
pub struct CreateOverride {
    /// What was refused.
    pub refused: Refused,
    /// The digest of the findings that were shown.
    pub findings: FindingsDigest,
    /// Why it is accepted.
    pub reason: String,
    /// Until when; at most 30 days from now.
    pub expires_at: Timestamp,
    /// See [`Key`].
    pub key: Option<Key>,
}

/// What became of [`CreateOverride`].
#[derive(Debug)]
pub enum Created {
    /// It stands.
    Done(Override),
    /// The document is refused for other findings than were shown: these.
    OtherFindings(Box<VersionRefusal>),
    /// The document cannot be used.
    Invalid(Vec<Problem>),
}

/// Accepts a version that was refused for its number: while the override stands, it may be published with just these
/// findings. The policy forbids it in a domain in which the steward publishes, directly or through a service account.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::Conflict`] for a document that is not refused, or that no override
/// can let in; [`Error::Invalid`] without a reason or with an end that is too late.
pub async fn create_override(ctx: &Ctx, command: CreateOverride) -> Result<Created, Error> {
    let CreateOverride { refused, findings, reason, expires_at, key } = command;
    let candidate = match Candidate::read(ctx, &refused.domain, &refused.document).await? {
        Ok(candidate) => candidate,
        Err(problems) => return Ok(Created::Invalid(problems)),
    };
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let known = named_product(ctx, &mut tx, &refused).await?;
    authorize(ctx, &mut tx, &known).await?;
    if let Some(id) = idempotency::find::<OverrideId>(ctx, &mut tx, key.as_ref()).await? {
        return Ok(Created::Done(get(&ctx.app, &mut tx, id).await?));
    }
    let (contract_id, refusal, digest) = refusal_of(ctx, &mut tx, &known, &candidate).await?;
    if digest != findings {
        return Ok(Created::OtherFindings(Box::new(refusal)));
    }
    let accepted = Override {
        id: OverrideId::new(ctx.app.clock.as_ref(), ctx.app.random.as_ref()),
        contract_id,
        version: refusal.version,
        since: refusal.compared_with,
        findings: finding_records(&refusal.findings),
        reason,
        steward: ctx.actor.principal.id,
        created_at: ctx.now(),
        expires_at,
        revoked: None,
    };
    let accepted = accepted.checked()?;
    store::overrides::insert(&mut tx, &accepted, &ctx.app.record_key).await?;
    announce(&ctx.app, &mut tx, &[Change::OverrideSigned], &Author::from(ctx)).await?;
    let event = Event::done(audit::Action::OverrideCreate, ResourceKind::Override, accepted.id, "")
        .because(Some(&accepted.reason));
    let detail = serde_json::json!({
        "what": format!("{} {} until {}", known.address(), accepted.version, accepted.expires_at),
        "contract": accepted.contract_id.to_string(),
        "version": accepted.version.to_string(),
        "since": accepted.since.to_string(),
        "findings": accepted.findings.iter().map(describe).collect::<Vec<_>>(),
        "digest": digest.to_string(),
    });
    audit::conclude(ctx, tx, event.with(detail), key.as_ref(), accepted.id).await?;
    Ok(Created::Done(accepted))
}

/// A finding for the record, in a sentence.
fn describe(finding: &FindingRecord) -> String {
    let FindingRecord { path, rule, history_safe, consumer_safe, bump, message, before: _, after: _, proof: _ } =
        finding;
    let safe = |is_safe: &bool| if *is_safe { "safe" } else { "not safe" };
    let (history, consumers) = (safe(history_safe), safe(consumer_safe));
    format!("{path}: {message} ({rule}, {bump}; {history} for history, {consumers} for consumers)")
}

/// Why a document is refused, with its contract and the digest of its findings.
async fn refusal_of(
    ctx: &Ctx,
    tx: &mut Tx,
    known: &ProductInDomain,
    candidate: &Candidate,
) -> Result<(ContractId, VersionRefusal, FindingsDigest), Error> {
    let document = candidate.contract();
    let contract = store::contract::find_by_document_id(tx, known.product.id, &document.document_id).await?;
    let contract = contract.ok_or(Error::NotFound(Noun::Contract))?;
    let mut versions = store::contract::list_versions_of_contracts(tx, &[contract.id]).await?;
    versions.sort_by_key(|version| version.version);
    let name = format!("version {} of `{}`", document.version, document.document_id);
    let published = versions.iter().find(|version| version.version == document.version);
    if let Some(published) = published.filter(|version| !matches!(version.state, State::Draft { .. })) {
        let state = published.state.name();
        return Err(Conflict::VersionPublished { version: name, state }.into());
    }
    let mut overrides = standing::list_verified(&ctx.app, tx, &[contract.id]).await?;
    overrides.retain(|accepted| accepted.stands(ctx.now()) && accepted.version == document.version);
    // What another has accepted may not count for whoever publishes, so that this one sees it too.
    let (_, own) = standing::split_by_signer(tx, ctx.actor.principal.id, overrides).await?;
    let Some(refusal) = candidate.refusal(&ctx.app, &versions, &own)? else {
        let accepted = !own.is_empty();
        return Err(if accepted { Conflict::VersionAccepted(name) } else { Conflict::VersionAllowed(name) }.into());
    };
    match refusal.digest.clone() {
        Some(digest) => Ok((contract.id, refusal, digest)),
        None => Err(Conflict::NoOverride(refusal.message).into()),
    }
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
    let found = store::overrides::list_by_ids(&mut tx, &[id]).await?;
    let shown = visible(ctx, &mut tx, found.clone(), 1).await?.pop().ok_or(Error::NotFound(Noun::Override))?;
    let accepted = shown.accepted;
    if !shown.is_intact {
        standing::verified(&ctx.app, found)?;
    }
    let contract = store::contract::get(&mut tx, accepted.contract_id).await?;
    let known = product_in_domain::get(&mut tx, contract.product_id).await?;
    authorize(ctx, &mut tx, &known).await?;
    if idempotency::find::<OverrideId>(ctx, &mut tx, key.as_ref()).await?.is_some() {
        return Ok(Revoked::Done(accepted));
    }
    let decided = Decided { by: ctx.actor.principal.id, at: ctx.now(), reason: Some(reason.clone()) };
    let Ok(accepted) = accepted.clone().revoke(decided) else { return Ok(Revoked::NotStanding(accepted)) };
    store::overrides::revoke(&mut tx, &accepted, &ctx.app.record_key).await?;
    announce(&ctx.app, &mut tx, &[Change::OverrideSigned], &Author::from(ctx)).await?;
    let what = format!("{} {}", known.address(), accepted.version);
    audit::conclude(
        ctx,
        tx,
        Event::done(audit::Action::OverrideRevoke, ResourceKind::Override, id, &what).because(Some(&reason)),
        key.as_ref(),
        id,
    )
    .await?;
    Ok(Revoked::Done(accepted))
}

async fn get(app: &App, tx: &mut Tx, id: OverrideId) -> Result<Override, Error> {
    let found = standing::verified(app, store::overrides::list_by_ids(tx, &[id]).await?)?;
    found.into_iter().next().ok_or(Error::NotFound(Noun::Override))
}

async fn authorize(ctx: &Ctx, tx: &mut Tx, known: &ProductInDomain) -> Result<(), Error> {
    let product = Resource::Product(known.policy());
    let person = ctx.as_person(tx).await?;
    person.authorize(Action::OverrideRefusal, &product, "override refusals in this domain")
}

/// The product of a document, if the caller may know of it.
async fn named_product(ctx: &Ctx, tx: &mut Tx, refused: &Refused) -> Result<ProductInDomain, Error> {
    let known = address::visible_product(&ctx.app, tx, &ctx.actor, &refused.domain, &refused.product).await?;
    known.ok_or(Error::NotFound(Noun::Product))
}

/// An override as it is shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What its row says.
    pub accepted: Override,
    /// Whether that is what was signed. One that is not counts for nothing.
    pub is_intact: bool,
}

impl Shown {
    /// Whether it is valid at a time.
    pub fn stands(&self, at: Timestamp) -> bool {
        self.is_intact && self.accepted.stands(at)
    }
}

/// One that was signed or verified just now.
impl From<Override> for Shown {
    fn from(accepted: Override) -> Self {
        Self { accepted, is_intact: true }
    }
}

/// The overrides of these contracts, those that have ended too, the newest first, as far as the caller may know of their
/// products. One that was modified is among them, and hides no other.
///
/// # Errors
/// Those of any use case.
pub async fn list_overrides(ctx: &Ctx, contract_ids: &[ContractId]) -> Result<Vec<Shown>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let found = store::overrides::list_of_contracts(&mut tx, contract_ids).await?;
    let n_requested = found.len();
    visible(ctx, &mut tx, found, n_requested).await
}

/// The overrides of these ids, as far as the caller may know of their products.
///
/// # Errors
/// Those of any use case.
pub async fn load_overrides(ctx: &Ctx, ids: &[OverrideId]) -> Result<Vec<Shown>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let found = store::overrides::list_by_ids(&mut tx, ids).await?;
    visible(ctx, &mut tx, found, ids.len()).await
}

/// The visible ones of the overrides, which were found for `n_requested` ids.
async fn visible(ctx: &Ctx, tx: &mut Tx, stored: Vec<Stored>, n_requested: usize) -> Result<Vec<Shown>, Error> {
    let shown = |stored: Stored| Shown { is_intact: stored.is_intact(&ctx.app.record_key), accepted: stored.content };
    let mut overrides = stored.into_iter().map(shown).collect_vec();
    for broken in overrides.iter().filter(|shown| !shown.is_intact) {
        tracing::error!(override.id = %broken.accepted.id, "broken override");
    }
    let contracts = overrides.iter().map(|shown| shown.accepted.contract_id).unique().collect_vec();
    let mut contracts = store::contract::list_by_ids(tx, &contracts).await?;
    let owner = |shown: &Shown| {
        contracts.iter().find(|contract| contract.id == shown.accepted.contract_id).map(|contract| contract.product_id)
    };
    let missing = std::iter::repeat_n(None, n_requested.saturating_sub(overrides.len()));
    let products = product::visible_owners(ctx, tx, overrides.iter().map(owner).chain(missing).collect()).await?;
    contracts.retain(|contract| products.contains_key(&contract.product_id));
    overrides.retain(|shown| contracts.iter().any(|contract| contract.id == shown.accepted.contract_id));
    Ok(overrides)
}
