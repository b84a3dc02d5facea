//! Sessions of the web page, at `/session`: `POST` with a sign-in code begins one and sets its cookie, `DELETE` ends it.
//!
//! Both are for our own page only ([`Site`](http_base::site::Site)). A session always begins under a new secret: a cookie that
//! is there before is neither read nor kept. Another way to sign in, such as OpenID Connect, has a route of its own here, and
//! ends in the same cookie.

use std::sync::Arc;

use app::web_session;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use http_base::problem::Problem;
use http_base::request::RequestInfo;
use http_base::sign_in::{SignIn, counted};
use serde::Deserialize;

use super::door::{Caller, Door, Entered, Route};
use crate::body::{self, Arriving, Room};
use crate::server::Server;

/// The maximum size of a body.
const MAX_BODY_BYTES: usize = 1_024;

/// The way in.
pub(super) fn begin_door() -> Door {
    Door {
        path: "/session",
        log_name: "/session",
        takes_permit: true,
        sign_in: SignIn::Code,
        precondition: body::require_json,
        routes: vec![Route::post("", begin)],
        protocol: None,
    }
}

/// The way out.
pub(super) fn end_door() -> Door {
    Door { sign_in: SignIn::Session, precondition: |_| Ok(()), routes: vec![Route::delete("", end)], ..begin_door() }
}

/// The body of `POST /session`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    code: String,
}

async fn begin(
    State(server): State<Arc<Server>>,
    Extension(info): Extension<RequestInfo>,
    Extension(entered): Extension<Entered>,
    body: Body,
) -> Result<Response, Problem> {
    let mut arriving = Arriving::new(body, &server, &entered.clients);
    if !arriving.read(MAX_BODY_BYTES, Room::Free).await? {
        return Err(Problem::TooLarge { limit_bytes: MAX_BODY_BYTES });
    }
    let (bytes, _held) = arriving.whole();
    // The error of the parser would repeat the code.
    let sent = body::is_object(&bytes).then(|| serde_json::from_slice::<Sent>(&bytes).ok()).flatten();
    let sent = sent.ok_or_else(|| Problem::InvalidRequest("send one JSON object with `code`".to_owned()))?;

    let app = &server.app;
    let begin = web_session::begin(app, &sent.code, &info.id);
    let begun = counted(app, &server.sign_in_failures, entered.address(), false, begin).await?;
    let _ = info.notes.requester.set(begun.principal.id.to_string());
    let ends_at = begun.registered.expires_at;
    let cookie = server.web.site.session_cookie(begun.secret.expose(), ends_at, app.clock.as_ref());
    let cookie = cookie.map_err(|_| Problem::Internal)?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

async fn end(State(server): State<Arc<Server>>, Caller(ctx): Caller) -> Result<Response, Problem> {
    web_session::end(&ctx).await.map_err(http_base::sign_in::problem)?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, server.web.site.ended_cookie())]).into_response())
}
