//! Tokens of the local issuer: the one-time token of a first start, recovery, and creating, listing and revoking tokens.
//! Sessions of the web page are listed and revoked here too; they begin in [`crate::web_session`].
//!
//! Every token is registered when it is issued, and a token that is not registered, or was revoked, is refused. A revoke
//! moves the access revision, so that no cached caller outlives it. What a token may make is
//! [`Bearer::latest_end`](domain::token::Bearer::latest_end)'s rule and the policy's.

use std::sync::Arc;
use std::time::Duration;

use domain::clock::Timestamp;
use domain::id::{PrincipalId, RoleId, TokenId};
use domain::identity::{LOCAL_ISSUER, PlatformRole, Principal, PrincipalKind, PurposeCode, Role, RoleAssignment};
pub use domain::token::Token;
use domain::token::{MAX_CHAIN, MAX_VALID, Revoked};
use policy::{Action, Party, Resource};
use store::{Lock, Page, Seek, Tx};

use crate::actor::Actor;
use crate::audit::{self, Author, Event, ResourceKind};
use crate::change::{Change, announce};
use crate::ctx::{App, Ctx};
use crate::error::{Conflict, Error, Forbidden, Noun};
use crate::idempotency::{self, Key};
use crate::identity::{FIRST_ADMIN, find_local, get, new_principal, visible_for};
use crate::issuer::{self, Claims, TokenKind};

/// A token that was just issued.
#[derive(Debug)]
pub struct MadeToken {
    /// The token. It is not kept.
    pub token: issuer::Token,
    /// What is registered about it.
    pub registered: Token,
    /// Whose it is.
    pub principal: Principal,
}

/// Creates the one-time token of a first start, as long as no principal has a platform role. It is the only valid one:
/// those of earlier starts end.
///
/// # Errors
/// Those of any use case.
pub async fn bootstrap_token(app: &App) -> Result<Option<issuer::Token>, Error> {
    let mut tx = app.db.write(Lock::Facts).await?;
    if store::identity::has_platform_role(&mut tx, PlatformRole::Admin).await? {
        return Ok(None);
    }
    let id = TokenId::new(app.clock.as_ref(), app.random.as_ref());
    let token = app.issuer.issue(&Claims::bootstrap(id, app.now())).map_err(Error::internal)?;
    store::token::put_bootstrap(&mut tx, id, app.now()).await?;
    tx.commit().await?;
    Ok(Some(token))
}

/// Spends the one-time token: makes the first admin and gives it a normal token.
///
/// # Errors
/// [`Error::Unauthenticated`] if it was spent before, or a later start has made another one.
pub async fn redeem_bootstrap(app: &Arc<App>, id: TokenId, request_id: &str) -> Result<MadeToken, Error> {
    let mut tx = app.db.write(Lock::Facts).await?;
    if store::identity::has_platform_role(&mut tx, PlatformRole::Admin).await?
        || store::token::find_bootstrap(&mut tx).await? != Some(id)
    {
        return Err(Error::Unauthenticated);
    }
    store::token::delete_bootstrap(&mut tx).await?;
    let now = app.now();
    let principal = match find_local(&mut tx, FIRST_ADMIN).await? {
        Some(principal) => principal,
        None => {
            let principal = new_principal(app, FIRST_ADMIN, PrincipalKind::User);
            store::identity::insert_principal(&mut tx, &principal).await?;
            principal
        }
    };
    let assignment = RoleAssignment {
        id: RoleId::new(app.clock.as_ref(), app.random.as_ref()),
        principal_id: principal.id,
        role: Role::Platform(PlatformRole::Admin),
        assigned_by: principal.id,
        assigned_at: now,
    };
    store::identity::insert_role(&mut tx, &assignment).await?;
    let author = Author { actor: principal.id.to_string(), request_id: request_id.to_owned() };
    announce(app, &mut tx, &[Change::RoleAssigned(principal.id)], &author).await?;
    let made = issue(app, &mut tx, principal, Maker::Operator, None, None).await?;
    let event = event(audit::Action::BootstrapRedeem, &made, "the first admin was created");
    audit::append_as(app, &mut tx, made.principal.id.to_string(), request_id, event).await?;
    tx.commit().await?;
    Ok(made)
}

/// Re-enables the first admin, revokes all its tokens with their leases, and creates one for it: recovery for the
/// operator of the data directory, when every admin has lost their token.
///
/// # Errors
/// [`Error::NotFound`] while there was no first admin yet.
pub async fn recover_admin(app: &Arc<App>) -> Result<MadeToken, Error> {
    let mut tx = app.db.write(Lock::Facts).await?;
    let found = find_local(&mut tx, FIRST_ADMIN).await?;
    let principal = Principal { enabled: true, ..found.ok_or(Error::NotFound(Noun::FirstAdmin))? };
    store::identity::enable(&mut tx, principal.id).await?;
    let held = store::token::list_valid(&mut tx, principal.id, app.now()).await?;
    for token in held {
        store::token::revoke(&mut tx, token.id, Revoked { at: app.now(), by: None }).await?;
        store::lease::revoke_of_token(&mut tx, principal.id, token.id).await?;
    }
    let role = Role::Platform(PlatformRole::Admin);
    let held = store::identity::list_roles(&mut tx, principal.id).await?;
    if !held.iter().any(|assignment| assignment.role == role) {
        let id = RoleId::new(app.clock.as_ref(), app.random.as_ref());
        let (principal_id, assigned_at) = (principal.id, app.now());
        let assignment = RoleAssignment { id, principal_id, role, assigned_by: principal_id, assigned_at };
        store::identity::insert_role(&mut tx, &assignment).await?;
    }
    let changes = [Change::PrincipalEnabled, Change::RoleAssigned(principal.id)];
    announce(app, &mut tx, &changes, &Author::server()).await?;
    let made = issue(app, &mut tx, principal, Maker::Operator, None, None).await?;
    let event = event(audit::Action::AdminRecover, &made, "by the operator, at the start of the server");
    audit::append_as(app, &mut tx, audit::SERVER.to_owned(), "", event).await?;
    tx.commit().await?;
    Ok(made)
}

/// Makes a token.
#[derive(Debug)]
pub struct CreateToken {
    /// For whom; the caller where none is named.
    pub subject: Option<String>,
    /// For how long; as long as possible where none is named.
    pub lifetime: Option<Duration>,
    /// For which purpose; that of the caller's token where none is named.
    pub purpose: Option<PurposeCode>,
}

/// Makes a token, which is neither wider nor longer than the caller's.
///
/// # Errors
/// [`Error::Forbidden`], [`Error::NotFound`]; [`Error::Invalid`] for a lifetime that is too long, or a purpose other than
/// that of the caller's token; [`Error::Conflict`] for a disabled principal, or one with too many tokens.
pub async fn create_token(ctx: &Ctx, command: CreateToken) -> Result<MadeToken, Error> {
    let mut tx = ctx.app.db.write(Lock::FactsShared).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let principal = match &command.subject {
        None => get(&mut tx, ctx.actor.principal.id).await?,
        Some(subject) => {
            let found = find_local(&mut tx, subject).await?;
            visible_for(ctx, Action::ViewPrincipal, found).ok_or(Error::NotFound(Noun::Principal))?
        }
    };
    let resource = Resource::Principal(Party::from(&principal));
    ctx.authorize(Action::CreateToken, &resource, "create a token for this principal")?;
    if !principal.enabled {
        return Err(Conflict::PrincipalDisabled.into());
    }
    let purpose = match (ctx.actor.purpose, command.purpose) {
        (Some(own), Some(wanted)) if own != wanted => {
            let message =
                format!("your token is limited to the purpose `{own}`: it can create tokens for this purpose only");
            return Err(Error::invalid("purpose", message));
        }
        (own, wanted) => own.or(wanted),
    };
    let made = issue(&ctx.app, &mut tx, principal, Maker::Caller(&ctx.actor), command.lifetime, purpose).await?;
    audit::append(ctx, &mut tx, event(audit::Action::TokenCreate, &made, &made.principal.subject)).await?;
    tx.commit().await?;
    Ok(made)
}

/// The tokens of a principal, the newest first; the caller's own where no principal is named. Tokens stay listed for a
/// while after their end.
///
/// # Errors
/// [`Error::NotFound`] for a principal whose tokens the caller may not see, as for one that does not exist.
pub async fn list_tokens(
    ctx: &Ctx,
    subject: Option<&str>,
    seek: &Seek<(Timestamp, TokenId)>,
) -> Result<Page<Token>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let principal = match subject {
        None => Some(ctx.actor.principal.clone()),
        Some(subject) => find_local(&mut tx, subject).await?,
    };
    let principal = visible_for(ctx, Action::ViewToken, principal).ok_or(Error::NotFound(Noun::Principal))?;
    Ok(store::token::list_of_principal(&mut tx, principal.id, seek).await?)
}

/// A token by its id; `None` too for those who may not see it.
///
/// # Errors
/// Those of any use case.
pub async fn find_token(ctx: &Ctx, id: TokenId) -> Result<Option<Token>, Error> {
    let mut tx = ctx.app.db.read().await?;
    Ok(visible(ctx, &mut tx, id).await?.map(|(token, _)| token))
}

/// Revokes a token: it is refused at its next use, the leases that were requested with it end, and so do the sessions that
/// were made with it. Revoking it again changes nothing.
///
/// # Errors
/// [`Error::NotFound`] for a token that the caller may not see; [`Error::Forbidden`].
pub async fn revoke_token(ctx: &Ctx, id: TokenId, key: Option<Key>) -> Result<Token, Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let (token, holder) = visible(ctx, &mut tx, id).await?.ok_or(Error::NotFound(Noun::Token))?;
    if !may(ctx, Action::RevokeToken, &holder) {
        return Err(Error::Forbidden(Forbidden::Policy("revoke this token".to_owned())));
    }
    if idempotency::find::<TokenId>(ctx, &mut tx, key.as_ref()).await?.is_some() {
        return Ok(token);
    }
    end(ctx, tx, token, &holder, key.as_ref()).await
}

/// Revokes a token, the sessions that were made with it, and the leases that were requested with any of them. One that is
/// revoked stays as it is.
pub(crate) async fn end(
    ctx: &Ctx,
    mut tx: Tx,
    token: Token,
    holder: &Principal,
    key: Option<&Key>,
) -> Result<Token, Error> {
    let revoked = Revoked { at: ctx.now(), by: Some(ctx.actor.principal.id) };
    if !store::token::revoke(&mut tx, token.id, revoked).await? {
        return Ok(token);
    }
    let mut n_leases = store::lease::revoke_of_token(&mut tx, holder.id, token.id).await?;
    let mut n_sessions = 0;
    let mut ended = vec![token.id];
    while let Some(id) = ended.pop() {
        for session in store::token::list_sessions_made_with(&mut tx, holder.id, id).await? {
            store::token::revoke(&mut tx, session.id, revoked).await?;
            n_leases += store::lease::revoke_of_token(&mut tx, holder.id, session.id).await?;
            n_sessions += 1;
            ended.push(session.id);
        }
    }
    announce(&ctx.app, &mut tx, &[Change::TokenRevoked], &Author::from(ctx)).await?;
    let event = Event::done(audit::Action::TokenRevoke, ResourceKind::Token, token.id, &holder.subject);
    let event =
        event.with(serde_json::json!({ "what": holder.subject, "endedLeases": n_leases, "endedSessions": n_sessions }));
    audit::conclude(ctx, tx, event, key, token.id).await?;
    Ok(Token { revoked: Some(revoked), ..token })
}

/// Goes on only if the principal has fewer valid tokens and sessions than there may be.
pub(crate) async fn require_room(tx: &mut Tx, id: PrincipalId, now: Timestamp) -> Result<(), Error> {
    let n_valid = store::token::count_valid(tx, id, now).await?;
    match usize::try_from(n_valid).unwrap_or(0) < MAX_VALID {
        true => Ok(()),
        false => Err(Conflict::TooManyTokens.into()),
    }
}

async fn visible(ctx: &Ctx, tx: &mut Tx, id: TokenId) -> Result<Option<(Token, Principal)>, Error> {
    let token = store::token::find(tx, id).await?;
    let holder_id = token.as_ref().map(|token| token.principal_id);
    let holder = store::identity::list_principals_by_ids(tx, holder_id.as_slice()).await?.pop();
    Ok(token.zip(visible_for(ctx, Action::ViewToken, holder)))
}

fn may(ctx: &Ctx, action: Action, holder: &Principal) -> bool {
    ctx.may(action, &Resource::Principal(Party::from(holder)))
}

/// On whose word a token is issued.
#[derive(Clone, Copy)]
enum Maker<'a> {
    /// The operator's, at the server: a new chain begins.
    Operator,
    /// A caller's, with the token that they signed in with.
    Caller(&'a Actor),
}

/// Issues a token and registers it.
async fn issue(
    app: &App,
    tx: &mut Tx,
    principal: Principal,
    maker: Maker<'_>,
    lifetime: Option<Duration>,
    purpose: Option<PurposeCode>,
) -> Result<MadeToken, Error> {
    if principal.issuer != LOCAL_ISSUER {
        // A token of ours with the subject alone would be the local principal's of the same name.
        return Err(Error::invalid(
            "subject",
            "tokens are created for local principals only; this one has its own issuer",
        ));
    }
    let kind = match principal.kind {
        PrincipalKind::User => TokenKind::User,
        PrincipalKind::Service { .. } => TokenKind::Service,
        PrincipalKind::Inspector => return Err(Error::Forbidden(Forbidden::Inspector)),
    };
    require_room(tx, principal.id, app.now()).await?;
    let id = TokenId::new(app.clock.as_ref(), app.random.as_ref());
    let mut claims = Claims::new(id, &principal.subject, kind, app.now());
    let (latest, chain_ends_at, issued_by) = match maker {
        Maker::Operator => (claims.expires_at, claims.issued_at.plus(MAX_CHAIN), None),
        Maker::Caller(Actor { principal: caller, bearer, .. }) => {
            let latest = bearer.latest_end(caller.kind, principal.kind, kind.lifetime(), claims.issued_at);
            (latest, bearer.chain_ends_at, Some(caller.id))
        }
    };
    let longest = u64::try_from(latest.seconds().saturating_sub(claims.issued_at.seconds())).unwrap_or(0);
    let lifetime = lifetime.unwrap_or(Duration::from_secs(longest));
    if lifetime.is_zero() || lifetime.as_secs() > longest || longest == 0 {
        let message = format!(
            "a token of this principal can be valid for 1 to {longest} seconds: it cannot outlive the token that creates it"
        );
        return Err(Error::invalid("lifetimeSeconds", message));
    }
    claims.expires_at = claims.issued_at.plus(lifetime);
    claims.purpose = purpose;
    let token = app.issuer.issue(&claims).map_err(Error::internal)?;
    let registered = Token {
        id,
        principal_id: principal.id,
        purpose,
        issued_at: app.now(),
        expires_at: claims.expires_at,
        chain_ends_at,
        issued_by,
        revoked: None,
        session: None,
    };
    store::token::insert(tx, &registered).await?;
    Ok(MadeToken { token, registered, principal })
}

/// The record of a token that was issued, with its id.
fn event(action: audit::Action, made: &MadeToken, what: &str) -> Event {
    let Token { id, purpose, expires_at, .. } = &made.registered;
    Event::done(action, ResourceKind::Principal, made.principal.id, what).with(serde_json::json!({
        "what": what,
        "token": id.to_string(),
        "purpose": purpose.map(PurposeCode::as_str),
        "until": expires_at.to_string(),
    }))
}
