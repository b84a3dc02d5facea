//! Releasing a subject to another domain, whose contract may then bind its topic.

use domain::clock::Timestamp;
use domain::id::DomainId;
use domain::name::DomainPath;
use domain::org::Domain;
use domain::registry::Subject;
use domain::topic::RELEASE_LIFETIME;
use itertools::Itertools as _;
use policy::{Action, Resource};
use store::{Lock, Tx};

use crate::audit::{self, Event, ResourceKind};
use crate::ctx::Ctx;
use crate::error::{Error, Forbidden};
use crate::idempotency::{self, Key};
use crate::product_in_domain;

/// A subject that its owner has released to a domain.
#[derive(Debug)]
pub struct Released {
    /// The subject.
    pub subject: Subject,
    /// The domain that may bind its topic.
    pub domain: Domain,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Releases a subject to a domain: the next contract of that domain, or of one below it, that names its topic takes the
/// topic over, with the subject's schemas. An earlier release ends.
///
/// # Errors
/// [`Error::Forbidden`], with the same words for what belongs to others, what is hidden and what does not exist;
/// [`Error::NotFound`] for an unknown domain.
pub async fn release_subject(
    ctx: &Ctx,
    subject: Subject,
    to: &DomainPath,
    key: Option<Key>,
) -> Result<Released, Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    if !may_release(ctx, &mut tx, &subject).await? {
        return Err(Error::Forbidden(Forbidden::Policy(format!("release the subject `{subject}`"))));
    }
    let domain = crate::org::get(&mut tx, to).await?;
    let expires_at = ctx.now().plus(RELEASE_LIFETIME);
    if idempotency::find::<DomainId>(ctx, &mut tx, key.as_ref()).await?.is_some() {
        let released = store::topic::find_release(&mut tx, &subject, ctx.now()).await?;
        let expires_at = released.map_or(expires_at, |(_, expires_at)| expires_at);
        return Ok(Released { subject, domain, expires_at });
    }
    store::topic::release(&mut tx, &subject, domain.id, ctx.actor.principal.id, expires_at).await?;
    let event = Event::done(audit::Action::SubjectRelease, ResourceKind::Subject, &subject, &format!("to {to}"));
    audit::conclude(ctx, tx, event, key.as_ref(), domain.id).await?;
    Ok(Released { subject, domain, expires_at })
}

/// Whether the caller may let another domain have a subject: an owner of every domain that it belongs to; for a free
/// subject, the principals who configure the registry.
pub(crate) async fn may_release(ctx: &Ctx, tx: &mut Tx, subject: &Subject) -> Result<bool, Error> {
    let owners = owners(ctx, tx, subject).await?;
    if owners.is_empty() {
        return Ok(ctx.may(Action::ConfigureSchemas, &Resource::Platform));
    }
    Ok(owners.iter().all(|domain| ctx.may(Action::ReleaseSubject, &Resource::Domain(domain))))
}

/// The domains that a subject belongs to: those of the products that are bound to it, else the one whose prefix its
/// topic has, else the one that keeps its schemas. None for a free one.
async fn owners(ctx: &Ctx, tx: &mut Tx, subject: &Subject) -> Result<Vec<DomainPath>, Error> {
    let bindings = store::binding::list_topics_of_subject(tx, subject).await?;
    if !bindings.is_empty() {
        let contract_ids = bindings.iter().map(|binding| binding.contract_id).unique().collect_vec();
        let contracts = store::contract::list_by_ids(tx, &contract_ids).await?;
        let product_ids = contracts.iter().map(|contract| contract.product_id).unique().collect_vec();
        let known = product_in_domain::load(tx, &product_ids).await?;
        return Ok(known.into_values().map(|known| known.domain.path).collect());
    }
    if let Some(domain) = ctx.app.settings.topic_prefixes.owner(subject) {
        return Ok(vec![domain.clone()]);
    }
    Ok(kept_by(ctx, tx, subject).await?.into_iter().collect())
}

/// The domain that keeps the schemas of a subject that no product owns.
pub(crate) async fn kept_by(ctx: &Ctx, tx: &mut Tx, subject: &Subject) -> Result<Option<DomainPath>, Error> {
    match &ctx.app.settings.quarantine {
        Some(domain) if !store::registry::list_versions(tx, subject).await?.is_empty() => Ok(Some(domain.clone())),
        _ => Ok(None),
    }
}
