//! Sign-in by the headers of a request.

use std::net::IpAddr;
use std::sync::Arc;

use app::App;
use app::identity::{self, SignedIn};
use app::rate::Rate;
use app::web_session;
use domain::error::Kind;
use headers::HeaderMapExt;
use headers::authorization::{Authorization, Basic, Bearer};
use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};

use crate::problem::Problem;
use crate::site::Site;

/// How the callers of a path sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// They do not: no token is read.
    Anonymous,
    /// With a bearer token (RFC 6750). The one-time token of the first start is accepted.
    Native,
    /// The same, or with the cookie of a session, from our own page.
    NativeOrSession,
    /// With the cookie of a session, from our own page.
    Session,
    /// With a sign-in code in the body, which the handler reads; from our own page.
    Code,
    /// With a bearer token, or with the token as the password of `Basic` (RFC 7617) and any user name, which is how the
    /// clients of other protocols are configured. The one-time token of the first start is refused.
    Door,
}

/// What a caller signed in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A token in a header, which a client sends on purpose.
    Token,
    /// The cookie of a session, which a browser sends by itself.
    Cookie,
}

/// The headers and the address that a request came with.
pub struct Sender<'a> {
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// The address of the client, if it is known.
    pub address: Option<IpAddr>,
}

impl SignIn {
    /// Identifies the caller; `None` where callers are anonymous. Invalid tokens and sessions count for the address that they
    /// come from, if that is known.
    ///
    /// # Errors
    /// [`Problem::Unauthenticated`] for a missing or an invalid token or session, without the reason;
    /// [`Problem::ForeignOrigin`] for a cookie that another page sends; [`Problem::TooMany`] for a new token or session from
    /// an address that has sent too many invalid ones; [`Problem::Unavailable`] and [`Problem::Internal`] if it cannot be
    /// checked.
    pub async fn sign_in(
        self,
        app: &Arc<App>,
        site: &Site,
        failures: &Rate<IpAddr>,
        sender: &Sender<'_>,
    ) -> Result<Option<(SignedIn, Credential)>, Problem> {
        let Sender { headers, address } = *sender;
        let token = match self {
            Self::Anonymous => return Ok(None),
            Self::Code => {
                site.require_own_page(headers)?;
                return Ok(None);
            }
            Self::Session => return session(app, site, failures, sender).await.map(Some),
            // A token in a header is sent on purpose: where there is one, no cookie counts.
            Self::NativeOrSession if !headers.contains_key(AUTHORIZATION) && headers.contains_key(COOKIE) => {
                return session(app, site, failures, sender).await.map(Some);
            }
            Self::Native | Self::NativeOrSession => bearer_token(headers),
            Self::Door => bearer_token(headers).or_else(|| basic_password(headers)),
        };
        let token = token.ok_or(Problem::Unauthenticated)?;
        let is_known = identity::has_signed_in(app, &token);
        let signed_in = counted(app, failures, address, is_known, identity::sign_in(app, &token)).await?;
        match (self, signed_in) {
            (Self::Door, SignedIn::Bootstrap(_)) => Err(Problem::Unauthenticated),
            (_, signed_in) => Ok(Some((signed_in, Credential::Token))),
        }
    }
}

/// Signs a caller in with the cookie of a session, which no other page may have sent.
async fn session(
    app: &Arc<App>,
    site: &Site,
    failures: &Rate<IpAddr>,
    sender: &Sender<'_>,
) -> Result<(SignedIn, Credential), Problem> {
    let secret = site.session_secret(sender.headers).ok_or(Problem::Unauthenticated)?;
    site.require_own_page(sender.headers)?;
    let is_known = web_session::has_signed_in(app, &secret);
    let actor = counted(app, failures, sender.address, is_known, web_session::sign_in(app, &secret)).await?;
    Ok((SignedIn::Actor(actor), Credential::Cookie))
}

/// Tries to sign in from an address that may fail so often. A caller who has signed in before (`is_known`) is not affected by
/// the failures of others at the same address.
///
/// # Errors
/// [`Problem::TooMany`] for an address that has failed too often, else those of the attempt.
pub async fn counted<T>(
    app: &App,
    failures: &Rate<IpAddr>,
    address: Option<IpAddr>,
    is_known: bool,
    attempt: impl Future<Output = Result<T, app::Error>>,
) -> Result<T, Problem> {
    if let Some(address) = address.filter(|_| !is_known) {
        failures.peek(&address, app.now()).map_err(Problem::too_many)?;
    }
    let checked = attempt.await.map_err(problem);
    if let (Err(Problem::Unauthenticated), Some(address)) = (&checked, address) {
        // Beyond the limit it is not counted, so that the address has to wait no longer for what others do meanwhile.
        let _ = failures.take(address, app.now());
    }
    checked
}

/// The problem of a sign-in that failed, without the reason.
pub fn problem(error: app::Error) -> Problem {
    match error.kind() {
        Kind::Unauthenticated => Problem::Unauthenticated,
        Kind::Unavailable => Problem::Unavailable,
        // Of a principal with as many tokens and sessions as there may be.
        Kind::Conflict => Problem::Forbidden(error.to_string()),
        Kind::Invalid
        | Kind::Forbidden
        | Kind::NotFound
        | Kind::Stale
        | Kind::Refused
        | Kind::TooMany
        | Kind::Internal => {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot check a token");
            Problem::Internal
        }
    }
}

/// The token of the only `Authorization` header, if its scheme is `Bearer`.
pub fn bearer_token(headers: &HeaderMap) -> Option<String> {
    let Authorization(bearer) = single(headers)?.typed_get::<Authorization<Bearer>>()?;
    Some(bearer.token().trim().to_owned()).filter(|token| !token.is_empty())
}

/// The password of the only `Authorization` header, if its scheme is `Basic`.
pub fn basic_password(headers: &HeaderMap) -> Option<String> {
    let Authorization(basic) = single(headers)?.typed_get::<Authorization<Basic>>()?;
    Some(basic.password().to_owned()).filter(|password| !password.is_empty())
}

/// The headers, if exactly one is `Authorization`: of two, a proxy may have checked the one that is not used here.
fn single(headers: &HeaderMap) -> Option<&HeaderMap> {
    (headers.get_all(AUTHORIZATION).iter().count() == 1).then_some(headers)
}
