//! Sessions of the web page: a principal makes a sign-in code with a token, the page exchanges it for a session.
//!
//! Both secrets are stored as digests, are new each time, and are valid once (the code) or until the session ends: by its
//! time, without use, by signing out, by a revoke of the session or of the token that the code was made with, or with the
//! principal. A session is a registered token: [`crate::token`] lists and revokes it.
//!
//! A session is no right of its own: it ends when the token would have ended, and has its purpose. So no policy is asked.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::clock::Timestamp;
use domain::id::TokenId;
use domain::identity::{Principal, PrincipalKind, PurposeCode, VerifiedToken, VerifyError};
use domain::token::{Bearer, Token};
use domain::web_session::{CODE_VALID, IssuedCode, MAX_SESSION, SignInCode, USE_PRECISION, Voucher, WebSession};
use store::Lock;
use store::revision::Revision;

use crate::actor::{Actor, Standing};
use crate::audit::{self, Event, ResourceKind};
use crate::cache::signed_in;
use crate::ctx::{App, Ctx};
use crate::error::{Error, Noun};
use crate::identity::get;
use crate::token;

/// A sign-in code that was just made.
#[derive(Debug)]
pub struct MadeCode {
    /// The code. It is not kept.
    pub code: SignInCode,
    /// Until when it can be used.
    pub expires_at: Timestamp,
    /// The latest end of the session that it begins.
    pub session_ends_at: Timestamp,
}

/// Makes a sign-in code for the caller, which ends the one that was made before.
///
/// # Errors
/// [`Error::Invalid`] for a session longer than the caller's token lives; [`Error::Conflict`] for a principal with too many
/// tokens and sessions.
pub async fn create_code(ctx: &Ctx, lifetime: Option<Duration>) -> Result<MadeCode, Error> {
    let mut tx = ctx.app.db.write(Lock::FactsShared).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let Actor { principal, purpose, bearer, .. } = &*ctx.actor;
    let now = ctx.now();
    token::require_room(&mut tx, principal.id, now).await?;
    let latest = now.plus(MAX_SESSION).min(bearer.expires_at).min(bearer.chain_ends_at);
    let session_ends_at = match lifetime {
        None => latest,
        Some(lifetime) => Some(now.plus(lifetime)).filter(|end| *end <= latest).ok_or_else(|| {
            let longest = latest.since(now).as_secs();
            let message = format!(
                "a session can last 1 to {longest} seconds: it cannot outlive the token that its code is created with"
            );
            Error::invalid("lifetimeSeconds", message)
        })?,
    };
    let code = SignInCode::new(ctx.app.random.as_ref());
    let issued = IssuedCode {
        principal_id: principal.id,
        made_with: Bearer { expires_at: session_ends_at, ..*bearer },
        purpose: *purpose,
        expires_at: now.plus(CODE_VALID).min(session_ends_at),
    };
    store::web_session::put_code(&mut tx, &issued, &digest(code.expose())).await?;
    let event = event(audit::Action::SignInCodeCreate, principal, None, *purpose, issued.expires_at);
    audit::append(ctx, &mut tx, event).await?;
    tx.commit().await?;
    Ok(MadeCode { code, expires_at: issued.expires_at, session_ends_at })
}

/// What a browser sends with each request of a session. `Debug` shows nothing of it, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionSecret(String);

impl SessionSecret {
    /// The text for the cookie, once.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionSecret([redacted])")
    }
}

/// A session that just began.
#[derive(Debug)]
pub struct Begun {
    /// Its secret. It is not kept.
    pub secret: SessionSecret,
    /// What is registered about it.
    pub registered: Token,
    /// Its principal.
    pub principal: Principal,
}

/// Spends a sign-in code: begins a session of its principal, under a new secret.
///
/// # Errors
/// [`Error::Unauthenticated`] for a code that is wrong, was used or replaced, or has ended, also because its principal was
/// disabled or the token that it was made with was revoked; the answer does not say which. [`Error::Conflict`] for a
/// principal with too many tokens and sessions.
pub async fn begin(app: &Arc<App>, code: &str, request_id: &str) -> Result<Begun, Error> {
    let code = SignInCode::parse(code).ok_or_else(|| refused(VerifyError::Malformed))?;
    let digest = digest(code.expose());
    // Looked up first: whoever guesses takes no turn of the writer.
    if store::web_session::find_code(&mut app.db.read().await?, &digest).await?.is_none() {
        return Err(refused(VerifyError::Revoked));
    }
    let mut tx = app.db.write(Lock::FactsShared).await?;
    let found = store::web_session::find_code(&mut tx, &digest).await?;
    let issued = found.ok_or_else(|| refused(VerifyError::Revoked))?;
    if !store::web_session::delete_code(&mut tx, &digest).await? {
        return Err(refused(VerifyError::Revoked));
    }
    let now = app.now();
    if now >= issued.expires_at {
        return Err(refused(VerifyError::Expired));
    }
    let principal = get(&mut tx, issued.principal_id).await?;
    let standing = Arc::new(Standing::load(&mut tx, &principal, now).await?);
    let maker = Actor { principal, standing, purpose: issued.purpose, bearer: issued.made_with };
    if !maker.standing.enabled || !maker.token_is_valid(&mut tx).await? {
        return Err(refused(VerifyError::Revoked));
    }
    let begun = start(app, &mut tx, maker).await?;
    let Token { id, purpose, expires_at, .. } = begun.registered;
    let event = event(audit::Action::SessionCreate, &begun.principal, Some(id), purpose, expires_at);
    audit::append_as(app, &mut tx, begun.principal.id.to_string(), request_id, event).await?;
    tx.commit().await?;
    Ok(begun)
}

/// Registers a session for one who was vouched for.
async fn start(app: &App, tx: &mut store::Tx, maker: Actor) -> Result<Begun, Error> {
    let Actor { principal, purpose, bearer, .. } = maker;
    let now = app.now();
    token::require_room(tx, principal.id, now).await?;
    let mut bytes = [0; 32];
    app.random.fill(&mut bytes);
    let secret = SessionSecret(hex::encode(bytes));
    let registered = Token {
        id: TokenId::new(app.clock.as_ref(), app.random.as_ref()),
        principal_id: principal.id,
        purpose,
        issued_at: now,
        expires_at: bearer.expires_at,
        chain_ends_at: bearer.chain_ends_at,
        issued_by: Some(principal.id),
        revoked: None,
        session: Some(WebSession { vouched_by: Voucher::Token, made_with: bearer.token_id, last_used_at: now }),
    };
    store::token::insert_session(tx, &registered, &digest(secret.expose())).await?;
    Ok(Begun { secret, registered, principal })
}

/// Whether a caller has signed in with this secret lately. The session may have ended since.
pub fn has_signed_in(app: &App, secret: &str) -> bool {
    app.caches.web_sessions.contains(&signed_in::digest(secret))
}

/// Tells who the secret of a session belongs to, and stores that it was used.
///
/// # Errors
/// [`Error::Unauthenticated`] for an unknown secret, a session that has ended or was not used for too long, and a disabled
/// principal; the answer does not say which.
pub async fn sign_in(app: &Arc<App>, secret: &str) -> Result<Arc<Actor>, Error> {
    let key = signed_in::digest(secret);
    let access = app.revision(Revision::Access).await?;
    let now = app.now();
    if let Some(actor) = app.caches.web_sessions.find(&key, access, now) {
        return Ok(actor);
    }
    let mut tx = app.db.read().await?;
    let found = store::token::find_session(&mut tx, &hex::encode(key)).await?;
    let registered = found.ok_or_else(|| refused(VerifyError::Revoked))?;
    let session = registered.session.ok_or_else(|| refused(VerifyError::Claims))?;
    if now >= registered.expires_at || now >= session.idle_end() {
        return Err(refused(VerifyError::Expired));
    }
    let Principal { issuer, subject, .. } = get(&mut tx, registered.principal_id).await?;
    drop(tx);
    let known = app.known_principal(&issuer, &subject).await?;
    let (principal, standing) = known.ok_or(Error::Unauthenticated)?;
    if !standing.enabled || principal.kind == PrincipalKind::Inspector {
        return Err(refused(VerifyError::Revoked));
    }
    // The session is looked up again after the standing, under whose revision the caller is cached: a revoke in between
    // moves the revision, and one before is seen here.
    let (purpose, bearer) = (registered.purpose, Bearer::from(&registered));
    let actor = Arc::new(Actor { principal, standing, purpose, bearer });
    if !actor.token_is_valid(&mut app.db.read().await?).await? {
        return Err(refused(VerifyError::Revoked));
    }
    let mut last_used_at = session.last_used_at;
    if session.is_use_due(now) {
        match store_use(app, registered.id, now).await {
            Ok(()) => last_used_at = now,
            // The request goes on; the session ends the sooner for it.
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "cannot store the use of a session"),
        }
    }
    // Cached until its next use is due to be stored.
    let valid_until = last_used_at.plus(USE_PRECISION).min(registered.expires_at);
    let verified = VerifiedToken {
        id: Some(registered.id),
        issued_at: registered.issued_at,
        subject,
        purpose,
        valid_from: registered.issued_at,
        valid_until,
    };
    app.caches.web_sessions.put(key, verified, &actor);
    Ok(actor)
}

async fn store_use(app: &App, id: TokenId, now: Timestamp) -> Result<(), Error> {
    let mut tx = app.db.write(Lock::Free).await?;
    store::token::put_last_use(&mut tx, id, now).await?;
    Ok(tx.commit().await?)
}

/// Ends the caller's session: its secret is refused from now on, and the leases that were requested in it end.
///
/// # Errors
/// [`Error::Unauthenticated`] if it has ended meanwhile.
pub async fn end(ctx: &Ctx) -> Result<(), Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let id = ctx.actor.bearer.token_id.ok_or(Error::Unauthenticated)?;
    let session = store::token::find(&mut tx, id).await?.ok_or(Error::NotFound(Noun::Token))?;
    token::end(ctx, tx, session, &ctx.actor.principal, None).await?;
    Ok(())
}

/// As secrets are stored. They are random enough that no digest is turned back into one.
fn digest(secret: &str) -> String {
    hex::encode(signed_in::digest(secret))
}

/// The refusal of a code or a session; the log says why.
fn refused(reason: VerifyError) -> Error {
    tracing::info!(%reason, "sign-in of the web page refused");
    Error::Unauthenticated
}

/// The record of a code or a session that was made.
fn event(
    action: audit::Action,
    principal: &Principal,
    session: Option<TokenId>,
    purpose: Option<PurposeCode>,
    until: Timestamp,
) -> Event {
    Event::done(action, ResourceKind::Principal, principal.id, &principal.subject).with(serde_json::json!({
        "what": principal.subject,
        "token": session.map(|id| id.to_string()),
        "purpose": purpose.map(PurposeCode::as_str),
        "until": until.to_string(),
    }))
}
