//! Domains: making them, and how far their contracts bind.

use domain::clock::Timestamp;
use domain::id::DomainId;
use domain::name::DomainPath;
use domain::org::{Domain, Enforcement};
use policy::{Action, Resource};
use store::{Lock, Page, Seek, Tx};

use crate::audit::{self, Author, Event, ResourceKind};
use crate::change::{Change, announce};
use crate::ctx::Ctx;
use crate::error::{Error, Noun};
use crate::idempotency::{self, Key};

/// Makes a domain.
#[derive(Debug)]
pub struct CreateDomain {
    /// Its path; the domain above it must exist.
    pub path: DomainPath,
    /// See [`Key`].
    pub key: Option<Key>,
}

/// What became of [`CreateDomain`].
#[derive(Debug)]
pub enum Created<T> {
    /// It is there.
    Made(T),
    /// The name is in use.
    NameTaken,
}

/// Makes a domain.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::NotFound`] if the domain above does not exist.
pub async fn create_domain(ctx: &Ctx, command: CreateDomain) -> Result<Created<Domain>, Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    ctx.authorize(Action::CreateDomain, &Resource::Platform, "create domains")?;
    if let Some(id) = idempotency::find(ctx, &mut tx, command.key.as_ref()).await? {
        return Ok(Created::Made(get_by_id(&mut tx, id).await?));
    }
    if store::org::find_by_path(&mut tx, &command.path).await?.is_some() {
        return Ok(Created::NameTaken);
    }
    if let Some(parent) = command.path.parent() {
        get(&mut tx, &parent).await?;
    }

    let domain = Domain {
        id: DomainId::new(ctx.app.clock.as_ref(), ctx.app.random.as_ref()),
        path: command.path,
        enforcement: Enforcement::On,
        switch_at: None,
        created_at: ctx.now(),
    };
    store::org::insert(&mut tx, &domain).await?;
    announce(&ctx.app, &mut tx, &[Change::DomainCreated], &Author::from(ctx)).await?;
    let event = Event::done(audit::Action::DomainCreate, ResourceKind::Domain, domain.id, domain.path.as_str());
    audit::conclude(ctx, tx, event, command.key.as_ref(), domain.id).await?;
    Ok(Created::Made(domain))
}

/// Sets how far a domain's contracts bind.
#[derive(Debug)]
pub struct SetEnforcement {
    /// The domain.
    pub path: DomainPath,
    /// The enforcement from now on.
    pub enforcement: Enforcement,
    /// The day from which it is `on`.
    pub switch_at: Option<Timestamp>,
    /// See [`Key`].
    pub key: Option<Key>,
}

/// Sets how far a domain's contracts bind.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`].
pub async fn set_enforcement(ctx: &Ctx, command: SetEnforcement) -> Result<Domain, Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    ctx.authorize(Action::SetEnforcement, &Resource::Domain(&command.path), "set a domain's enforcement")?;
    let domain = get(&mut tx, &command.path).await?;
    if idempotency::find::<DomainId>(ctx, &mut tx, command.key.as_ref()).await?.is_some() {
        return Ok(domain);
    }
    store::org::set_enforcement(&mut tx, domain.id, command.enforcement, command.switch_at).await?;
    announce(&ctx.app, &mut tx, &[Change::EnforcementSet], &Author::from(ctx)).await?;
    let detail = match command.switch_at {
        Some(at) => format!("{}, on from {at}", command.enforcement),
        None => command.enforcement.to_string(),
    };
    audit::conclude(
        ctx,
        tx,
        Event::done(audit::Action::DomainSetEnforcement, ResourceKind::Domain, domain.id, &detail),
        command.key.as_ref(),
        domain.id,
    )
    .await?;
    Ok(Domain { enforcement: command.enforcement, switch_at: command.switch_at, ..domain })
}

/// Domains in the order of their paths. Every signed-in principal may know of them.
///
/// # Errors
/// Those of any use case.
pub async fn list_domains(ctx: &Ctx, seek: &Seek<DomainPath>) -> Result<Page<Domain>, Error> {
    let mut tx = ctx.app.db.read().await?;
    Ok(store::org::list(&mut tx, seek).await?)
}

/// A domain by its path.
///
/// # Errors
/// Those of any use case.
pub async fn find_domain(ctx: &Ctx, path: &DomainPath) -> Result<Option<Domain>, Error> {
    let mut tx = ctx.app.db.read().await?;
    Ok(store::org::find_by_path(&mut tx, path).await?)
}

/// The domains of these ids.
///
/// # Errors
/// Those of any use case.
pub async fn load_domains(ctx: &Ctx, ids: &[DomainId]) -> Result<Vec<Domain>, Error> {
    let mut tx = ctx.app.db.read().await?;
    Ok(store::org::list_by_ids(&mut tx, ids).await?)
}

pub(crate) async fn get(tx: &mut Tx, path: &DomainPath) -> Result<Domain, Error> {
    store::org::find_by_path(tx, path).await?.ok_or(Error::NotFound(Noun::Domain))
}

pub(crate) async fn get_by_id(tx: &mut Tx, id: DomainId) -> Result<Domain, Error> {
    store::org::find(tx, id).await?.ok_or(Error::NotFound(Noun::Domain))
}
