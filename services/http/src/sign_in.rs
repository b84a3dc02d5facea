//! Sign-in by the headers of a request.

use std::net::IpAddr;
use std::sync::Arc;

use app::App;
use app::identity::{self, SignedIn};
use app::rate::Rate;
use domain::error::Kind;
use headers::HeaderMapExt;
use headers::authorization::{Authorization, Basic, Bearer};
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::problem::Problem;

/// How the callers of a path sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// They do not: no token is read.
    Anonymous,
    /// With a bearer token (RFC 6750). The one-time token of the first start is accepted.
    Native,
    /// With a bearer token, or with the token as the password of `Basic` (RFC 7617) and any user name, which is how the
    /// clients of other protocols are configured. The one-time token of the first start is refused.
    Door,
}

impl SignIn {
    /// Identifies the caller; `None` where callers are anonymous. Invalid tokens count for the `address` that they come from,
    /// if that is known.
    ///
    /// # Errors
    /// [`Problem::Unauthenticated`] for a missing or an invalid token, without the reason; [`Problem::TooMany`] for a new token
    /// from an address that has sent too many invalid ones; [`Problem::Unavailable`] and [`Problem::Internal`] if the token
    /// cannot be checked.
    pub async fn sign_in(
        self,
        app: &Arc<App>,
        headers: &HeaderMap,
        failures: &Rate<IpAddr>,
        address: Option<IpAddr>,
    ) -> Result<Option<SignedIn>, Problem> {
        let token = match self {
            Self::Anonymous => return Ok(None),
            Self::Native => bearer_token(headers),
            Self::Door => bearer_token(headers).or_else(|| basic_password(headers)),
        };
        let token = token.ok_or(Problem::Unauthenticated)?;
        let signed_in = match address {
            Some(address) => check_from(app, &token, failures, address).await?,
            None => identity::sign_in(app, &token).await.map_err(problem)?,
        };
        match (self, signed_in) {
            (Self::Door, SignedIn::Bootstrap(_)) => Err(Problem::Unauthenticated),
            (_, signed_in) => Ok(Some(signed_in)),
        }
    }
}

/// A caller who has signed in before is not affected by the failures of others at the same address.
async fn check_from(
    app: &Arc<App>,
    token: &str,
    failures: &Rate<IpAddr>,
    address: IpAddr,
) -> Result<SignedIn, Problem> {
    if !identity::has_signed_in(app, token) {
        failures.peek(&address, app.now()).map_err(Problem::too_many)?;
    }
    let checked = identity::sign_in(app, token).await.map_err(problem);
    if let Err(Problem::Unauthenticated) = checked {
        // Beyond the limit it is not counted, so that the address has to wait no longer for what others do meanwhile.
        let _ = failures.take(address, app.now());
    }
    checked
}

fn problem(error: app::Error) -> Problem {
    match error.kind() {
        Kind::Unauthenticated => Problem::Unauthenticated,
        Kind::Unavailable => Problem::Unavailable,
        Kind::Invalid
        | Kind::Forbidden
        | Kind::NotFound
        | Kind::Conflict
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
