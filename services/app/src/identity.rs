//! Who acts: signing in, principals, roles. Tokens are in [`crate::token`].

mod taken;

use std::sync::Arc;

use domain::error::Kind;
use domain::id::{PrincipalId, RoleId, TokenId};
use domain::identity::{
    Disabled, DomainRole, LOCAL_ISSUER, MAX_SUBJECT_BYTES, PlatformRole, Principal, PrincipalKind, Role,
    RoleAssignment, VerifiedToken, Verifier, VerifyError,
};
use domain::name::DomainPath;
use domain::token::{Bearer, MAX_CHAIN, Revoked};
use policy::{Action, Party, Resource};
use store::revision::Revision;
use store::{Lock, Page, Seek, Tx};

use self::taken::Taken;
use crate::actor::Actor;
use crate::audit::{self, Author, Event, ResourceKind};
use crate::cache::signed_in;
use crate::change::{Change, announce};
use crate::ctx::{App, Ctx};
use crate::error::{Conflict, Error, Noun, Unavailable};
use crate::idempotency::{self, Key};
use crate::issuer::BOOTSTRAP_SUBJECT;
use crate::missing::Missing;
use crate::org::Created;

/// The first admin's subject.
pub const FIRST_ADMIN: &str = "admin";

/// Who a token belongs to.
#[derive(Clone)]
pub enum SignedIn {
    /// A known principal.
    Actor(Arc<Actor>),
    /// The bearer of the one-time token of the first start, which is valid for
    /// [`redeem_bootstrap`](crate::token::redeem_bootstrap) only.
    Bootstrap(TokenId),
}

/// Whether a caller has signed in with this token lately. It may have ended since.
pub fn has_signed_in(app: &App, token: &str) -> bool {
    app.caches.signed_in.contains(&signed_in::digest(token))
}

/// Tells who a bearer token belongs to.
///
/// # Errors
/// [`Error::Unauthenticated`] for a bad token, an unknown or a disabled principal; the answer does not say which.
/// [`Error::Unavailable`] if the token cannot be checked now.
pub async fn sign_in(app: &Arc<App>, token: &str) -> Result<SignedIn, Error> {
    let digest = signed_in::digest(token);
    let access = app.revision(Revision::Access).await?;
    if let Some(actor) = app.caches.signed_in.find(&digest, access, app.now()) {
        return Ok(SignedIn::Actor(actor));
    }
    let (issuer, verified) = verify(app, token).await?;
    if issuer == LOCAL_ISSUER && verified.subject == BOOTSTRAP_SUBJECT {
        let valid = store::token::find_bootstrap(&mut app.db.read().await?).await?;
        let id = verified.id.filter(|id| valid == Some(*id)).ok_or(Error::Unauthenticated)?;
        return Ok(SignedIn::Bootstrap(id));
    }
    let known = app.known_principal(issuer, &verified.subject).await?;
    let (principal, standing) = known.ok_or(Error::Unauthenticated)?;
    if !standing.enabled || principal.kind == PrincipalKind::Inspector {
        return Err(Error::Unauthenticated);
    }
    // The token is looked up after the standing, under whose revision the caller is cached: a revoke in between moves
    // the revision, and one before is seen here.
    let mut tx = app.db.read().await?;
    let bearer = match verified.id {
        Some(id) => {
            let registered = store::token::find(&mut tx, id).await?.ok_or_else(refused)?;
            Bearer::from(&registered)
        }
        None => Bearer {
            token_id: None,
            issued_at: verified.issued_at,
            expires_at: verified.valid_until,
            chain_ends_at: verified.issued_at.plus(MAX_CHAIN),
        },
    };
    let actor = Arc::new(Actor { principal, standing, purpose: verified.purpose, bearer });
    if !actor.token_is_valid(&mut tx).await? {
        return Err(refused());
    }
    app.caches.signed_in.put(digest, verified, &actor);
    Ok(SignedIn::Actor(actor))
}

/// A token with a valid signature that is not registered, or was revoked.
fn refused() -> Error {
    tracing::info!(reason = %VerifyError::Revoked, "token refused");
    Error::Unauthenticated
}

/// Verifies a token with the verifier of its issuer: the one that accepts it. The local issuer comes first.
///
/// # Errors
/// [`Error::Unavailable`] if none accepts it and one of them cannot check tokens now, else [`Error::Unauthenticated`].
async fn verify<'a>(app: &'a App, token: &str) -> Result<(&'a str, VerifiedToken), Error> {
    let local: &dyn Verifier = &app.issuer;
    let mut refusals = Vec::new();
    for verifier in std::iter::once(local).chain(app.verifiers.iter().map(Arc::as_ref)) {
        match verifier.verify(token, app.now()).await {
            Ok(verified) => return Ok((verifier.issuer(), verified)),
            Err(error) => refusals.push((verifier.issuer(), error)),
        }
    }
    let mut is_checked = true;
    for (issuer, reason) in refusals {
        tracing::info!(issuer, %reason, "token refused");
        is_checked &= reason.kind() != Kind::Unavailable;
    }
    match is_checked {
        true => Err(Error::Unauthenticated),
        // The token may be a good one of that issuer.
        false => Err(Error::Unavailable(Unavailable::IssuerKeys)),
    }
}

/// Makes a user or service account.
#[derive(Debug)]
pub struct CreatePrincipal {
    /// Its name; see [`subject`].
    pub subject: String,
    /// What it is. A service account without an owner belongs to the caller.
    pub kind: NewKind,
    /// See [`Key`].
    pub key: Option<Key>,
}

/// What a new principal is.
#[derive(Clone, Copy, Debug)]
pub enum NewKind {
    /// A person.
    User,
    /// A program, and the person who answers for it: the caller where none is named.
    Service(Option<PrincipalId>),
}

/// Makes a user or service account.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::Invalid`] for a bad subject; [`Error::NotFound`] for an unknown owner.
pub async fn create_principal(ctx: &Ctx, command: CreatePrincipal) -> Result<Created<Principal>, Error> {
    let subject = subject(&command.subject)?;
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    ctx.authorize(Action::CreatePrincipal, &Resource::Platform, "create principals")?;
    if let Some(id) = idempotency::find(ctx, &mut tx, command.key.as_ref()).await? {
        return Ok(Created::Made(get(&mut tx, id).await?));
    }
    let kind = match command.kind {
        NewKind::User => PrincipalKind::User,
        NewKind::Service(owner) => {
            let owner = get(&mut tx, owner.unwrap_or(ctx.actor.principal.id)).await?;
            if owner.kind != PrincipalKind::User {
                return Err(Error::invalid("owner", "a service account must be owned by a user"));
            }
            PrincipalKind::Service { owner: owner.id }
        }
    };
    if find_local(&mut tx, subject).await?.is_some() {
        return Ok(Created::NameTaken);
    }

    let principal = new_principal(&ctx.app, subject, kind);
    store::identity::insert_principal(&mut tx, &principal).await?;
    announce(&ctx.app, &mut tx, &[Change::PrincipalCreated], &Author::from(ctx)).await?;
    audit::conclude(
        ctx,
        tx,
        Event::done(audit::Action::PrincipalCreate, ResourceKind::Principal, principal.id, subject),
        command.key.as_ref(),
        principal.id,
    )
    .await?;
    Ok(Created::Made(principal))
}

/// Disables a principal, or enables it again. A disabled one is refused at its next request, its leases end, and its
/// tokens and those of its service accounts stay invalid for good. The principal who disabled it may enable it; others
/// need [`Action::EnablePrincipal`].
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`]; [`Error::Conflict`] for oneself.
pub async fn set_enabled(ctx: &Ctx, id: PrincipalId, enabled: bool, key: Option<Key>) -> Result<Principal, Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let principal = store::identity::find_principal(&mut tx, id).await?;
    let principal = visible(ctx, principal).ok_or(Error::NotFound(Noun::Principal))?;
    let caller = ctx.actor.principal.id;
    let resource = Resource::Principal(Party::from(&principal));
    let is_own = principal.disabled.is_some_and(|disabled| disabled.by == caller);
    match (principal.enabled, enabled) {
        (false, true) if !is_own => {
            ctx.authorize(Action::EnablePrincipal, &resource, "enable a principal that another one has disabled")?;
        }
        _ => ctx.authorize(Action::DisablePrincipal, &resource, "disable principals")?,
    }
    if id == ctx.actor.principal.id {
        return Err(Conflict::OwnPrincipal.into());
    }
    // A caller with `EnablePrincipal` takes over an earlier disabling, so that its author cannot undo it.
    let takes_over = !enabled && !principal.enabled && !is_own && ctx.may(Action::EnablePrincipal, &resource);
    if idempotency::find::<PrincipalId>(ctx, &mut tx, key.as_ref()).await?.is_some()
        || principal.enabled == enabled && !takes_over
    {
        return Ok(principal);
    }
    let mut disabled = principal.disabled;
    if enabled {
        store::identity::enable(&mut tx, id).await?;
    } else {
        let now = ctx.now();
        disabled = Some(Disabled { at: now, by: caller });
        store::identity::disable(&mut tx, id, Disabled { at: now, by: caller }).await?;
        store::token::revoke_of_person(&mut tx, id, Revoked { at: now, by: Some(caller) }).await?;
    }
    let change = if enabled { Change::PrincipalEnabled } else { Change::PrincipalDisabled(id) };
    announce(&ctx.app, &mut tx, &[change], &Author::from(ctx)).await?;
    let action = if enabled { audit::Action::PrincipalEnable } else { audit::Action::PrincipalDisable };
    audit::conclude(ctx, tx, Event::done(action, ResourceKind::Principal, id, &principal.subject), key.as_ref(), id)
        .await?;
    Ok(Principal { enabled, disabled, ..principal })
}

/// Assigns a role.
#[derive(Debug)]
pub struct AssignRole {
    /// To whom.
    pub subject: String,
    /// What.
    pub role: NewRole,
    /// See [`Key`].
    pub key: Option<Key>,
}

/// A role and where it is to hold.
#[derive(Clone, Debug)]
pub enum NewRole {
    /// In a domain and below it.
    Domain(DomainPath, DomainRole),
    /// On the platform.
    Platform(PlatformRole),
}

/// Assigns a role. Assigning it again changes nothing.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::NotFound`] for an unknown principal or domain.
pub async fn assign_role(ctx: &Ctx, command: AssignRole) -> Result<RoleAssignment, Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let role = match &command.role {
        NewRole::Platform(role) => {
            ctx.authorize(Action::AssignPlatformRole, &Resource::Platform, "assign roles on the platform")?;
            Role::Platform(*role)
        }
        NewRole::Domain(path, role) => {
            ctx.authorize(Action::AssignRole, &Resource::Domain(path), "assign roles in this domain")?;
            Role::Domain(crate::org::get(&mut tx, path).await?.id, *role)
        }
    };
    if let Some(id) = idempotency::find(ctx, &mut tx, command.key.as_ref()).await? {
        return store::identity::find_role(&mut tx, id).await?.ok_or(Error::NotFound(Noun::Role));
    }
    // Whoever may assign roles must be able to name anybody; that a name is in use is no secret to them.
    let principal = find_local(&mut tx, &command.subject).await?.ok_or(Error::NotFound(Noun::Principal))?;
    let held = store::identity::list_roles(&mut tx, principal.id).await?;
    if let Some(assignment) = held.into_iter().find(|assignment| assignment.role == role) {
        return Ok(assignment);
    }

    let assignment = RoleAssignment {
        id: RoleId::new(ctx.app.clock.as_ref(), ctx.app.random.as_ref()),
        principal_id: principal.id,
        role,
        assigned_by: ctx.actor.principal.id,
        assigned_at: ctx.now(),
    };
    store::identity::insert_role(&mut tx, &assignment).await?;
    announce(&ctx.app, &mut tx, &[Change::RoleAssigned(principal.id)], &Author::from(ctx)).await?;
    let what = format!("{} to {}", role_words(&command.role), principal.subject);
    audit::conclude(
        ctx,
        tx,
        Event::done(audit::Action::RoleAssign, ResourceKind::Role, assignment.id, &what),
        command.key.as_ref(),
        assignment.id,
    )
    .await?;
    Ok(assignment)
}

/// Takes a role away. Leases that hang on it end.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`]; [`Error::Conflict`] for the last admin.
pub async fn unassign_role(ctx: &Ctx, id: RoleId, key: Option<Key>) -> Result<RoleAssignment, Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let replayed = idempotency::find::<Taken>(ctx, &mut tx, key.as_ref()).await?;
    let is_replay = replayed.is_some();
    let found = match replayed {
        Some(Taken(assignment)) => Some(assignment),
        None => store::identity::find_role(&mut tx, id).await?,
    };
    // Both rights are asked of every assignment, as of a missing one.
    let on_platform = ctx.may(Action::AssignPlatformRole, &Resource::Platform);
    let in_domain = match domain_of(&mut tx, found.as_ref()).await? {
        Some(domain) => ctx.may(Action::AssignRole, &Resource::Domain(&domain.path)),
        None => {
            ctx.judge_missing(Action::AssignRole, Missing::Domain, 1);
            false
        }
    };
    let assignment = found.filter(|assignment| match assignment.role {
        Role::Platform(_) => on_platform,
        Role::Domain(..) => in_domain,
    });
    let assignment = assignment.ok_or(Error::NotFound(Noun::Role))?;
    if assignment.role == Role::Platform(PlatformRole::Admin)
        && !is_replay
        && !has_another_admin(&mut tx, assignment.principal_id).await?
    {
        return Err(Conflict::LastAdmin.into());
    }
    if is_replay {
        return Ok(assignment);
    }
    let holder = get(&mut tx, assignment.principal_id).await?;
    let what = match assignment.role {
        Role::Platform(role) => format!("{role} from {}", holder.subject),
        Role::Domain(domain_id, role) => {
            let domain = crate::org::get_by_id(&mut tx, domain_id).await?;
            format!("{role} of {} from {}", domain.path, holder.subject)
        }
    };
    store::identity::delete_role(&mut tx, id).await?;
    announce(&ctx.app, &mut tx, &[Change::RoleTaken(assignment.principal_id)], &Author::from(ctx)).await?;
    audit::conclude(
        ctx,
        tx,
        Event::done(audit::Action::RoleUnassign, ResourceKind::Role, id, &what),
        key.as_ref(),
        Taken(assignment.clone()),
    )
    .await?;
    Ok(assignment)
}

/// Principals in the order of their ids, for those who may see all of them; the caller alone for everybody else.
///
/// # Errors
/// Those of any use case.
pub async fn list_principals(ctx: &Ctx, seek: &Seek<PrincipalId>) -> Result<Page<Principal>, Error> {
    ctx.authorize(Action::ViewAudit, &Resource::Platform, "list principals")?;
    let mut tx = ctx.app.db.read().await?;
    Ok(store::identity::list_principals(&mut tx, seek).await?)
}

/// The roles that hold in a domain itself, for its people and those who may see everything; `None` for others.
///
/// # Errors
/// Those of any use case.
pub async fn list_domain_roles(ctx: &Ctx, domain: &domain::org::Domain) -> Result<Option<Vec<RoleAssignment>>, Error> {
    if !sees_roles(ctx, domain) {
        return Ok(None);
    }
    let mut tx = ctx.app.db.read().await?;
    Ok(Some(store::identity::list_roles_in_domain(&mut tx, domain.id).await?))
}

/// The principals of these ids, for relations that lead to them: whoever sees a grant knows who holds it. A principal by
/// itself is for those to whom it is [`visible`].
///
/// # Errors
/// Those of any use case.
pub async fn load_principals(ctx: &Ctx, ids: &[PrincipalId]) -> Result<Vec<Principal>, Error> {
    let mut tx = ctx.app.db.read().await?;
    Ok(store::identity::list_principals_by_ids(&mut tx, ids).await?)
}

/// A role by its id: for its holder, for the people of its domain, and for those who may see everything.
///
/// # Errors
/// Those of any use case.
pub async fn find_role(ctx: &Ctx, id: RoleId) -> Result<Option<RoleAssignment>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let found = store::identity::find_role(&mut tx, id).await?;
    let domain = domain_of(&mut tx, found.as_ref()).await?;
    Ok(found.filter(|assignment| {
        assignment.principal_id == ctx.actor.principal.id
            || !ctx.actor.standing.platform_roles.is_empty()
            || domain.is_some_and(|domain| belongs(ctx, &domain))
    }))
}

/// The caller's own roles.
///
/// # Errors
/// Those of any use case.
pub async fn list_own_roles(ctx: &Ctx) -> Result<Vec<RoleAssignment>, Error> {
    let mut tx = ctx.app.db.read().await?;
    Ok(store::identity::list_roles(&mut tx, ctx.actor.principal.id).await?)
}

/// The principal of a look-up, if the caller may see its record.
pub fn visible(ctx: &Ctx, found: Option<Principal>) -> Option<Principal> {
    visible_for(ctx, Action::ViewPrincipal, found)
}

/// The principal of a look-up, if an action on it is the caller's; a missing one costs as much as one that is not.
pub(crate) fn visible_for(ctx: &Ctx, action: Action, found: Option<Principal>) -> Option<Principal> {
    match found {
        Some(principal) => {
            let may = ctx.may(action, &Resource::Principal(Party::from(&principal)));
            may.then_some(principal)
        }
        None => {
            ctx.judge_missing(action, Missing::Principal, 1);
            None
        }
    }
}

/// A subject as it is kept: letters, digits and `.`, `_`, `-`, `@`, `+`, in lower case, so that no two look alike.
///
/// # Errors
/// [`Error::Invalid`].
fn subject(text: &str) -> Result<&str, Error> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-' | '@' | '+');
    let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if starts_well && text != BOOTSTRAP_SUBJECT && text.len() <= MAX_SUBJECT_BYTES && text.chars().all(fits) {
        Ok(text)
    } else {
        let message =
            "a subject starts with a lower-case letter or digit and contains only those and `.`, `_`, `-`, `@`, `+`";
        Err(Error::invalid("subject", message))
    }
}

/// A principal of the local issuer. Commands name principals by their subjects, which are those of the local issuer.
pub(crate) async fn find_local(tx: &mut Tx, subject: &str) -> Result<Option<Principal>, Error> {
    Ok(store::identity::find_by_subject(tx, LOCAL_ISSUER, subject).await?)
}

pub(crate) fn new_principal(app: &App, subject: &str, kind: PrincipalKind) -> Principal {
    Principal {
        id: PrincipalId::new(app.clock.as_ref(), app.random.as_ref()),
        issuer: LOCAL_ISSUER.to_owned(),
        subject: subject.to_owned(),
        kind,
        enabled: true,
        disabled: None,
        created_at: app.now(),
    }
}

/// The domain of a role assignment. A platform role and a missing assignment have none, and are looked up all the same.
async fn domain_of(tx: &mut Tx, assignment: Option<&RoleAssignment>) -> Result<Option<domain::org::Domain>, Error> {
    let domain_id = assignment.and_then(|assignment| match assignment.role {
        Role::Domain(domain_id, _) => Some(domain_id),
        Role::Platform(_) => None,
    });
    Ok(store::org::list_by_ids(tx, domain_id.as_slice()).await?.pop())
}

/// Whether the caller is one of the people of the domain, or has a role on the platform.
pub(crate) fn sees_roles(ctx: &Ctx, domain: &domain::org::Domain) -> bool {
    belongs(ctx, domain) || !ctx.actor.standing.platform_roles.is_empty()
}

/// Whether the caller has a role in the domain or above it.
fn belongs(ctx: &Ctx, domain: &domain::org::Domain) -> bool {
    ctx.actor.standing.domain_roles.iter().any(|(path, _)| domain.path.lineage().any(|above| above == *path))
}

/// Whether another enabled principal is an admin.
async fn has_another_admin(tx: &mut Tx, but: PrincipalId) -> Result<bool, Error> {
    let admins = store::identity::list_platform_role(tx, PlatformRole::Admin).await?;
    let others: Vec<_> = admins.iter().map(|admin| admin.principal_id).filter(|id| *id != but).collect();
    let others = store::identity::list_principals_by_ids(tx, &others).await?;
    Ok(others.iter().any(|other| other.enabled && other.kind == PrincipalKind::User))
}

pub(crate) async fn get(tx: &mut Tx, id: PrincipalId) -> Result<Principal, Error> {
    store::identity::find_principal(tx, id).await?.ok_or(Error::NotFound(Noun::Principal))
}

fn role_words(role: &NewRole) -> String {
    match role {
        NewRole::Domain(path, role) => format!("{role} of {path}"),
        NewRole::Platform(role) => role.to_string(),
    }
}
