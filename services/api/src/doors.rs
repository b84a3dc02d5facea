//! Doors: every path of the server, in one table.
//!
//! [`door`] is one entry of the table. [`doors`] drives routing, sign-in, permits and the names of paths in the log, so
//! no route can exist outside it but the page itself, which has any path that is no door's ([`page`]).
//! `tests/it/doors.rs` compares every route with an authorisation list. A door parses its protocol, calls one use case of
//! `app`, and renders the answer; it holds no rule.
//!
//! To add a door: a module here with the protocol's errors and a function `door` like that of [`registry`], an entry in
//! [`doors`], and its lines in the authorisation list.

mod door;
mod lineage;
pub(crate) mod page;
mod registry;
mod session;

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use http_base::sign_in::SignIn;

pub(crate) use self::door::Entered;
use self::door::{Door, Route};
use crate::server::Server;
use crate::{body, endpoint, health};

/// The table: every door of the server.
fn doors() -> [Door; 8] {
    let anonymous = |path, routes| Door {
        path,
        log_name: path,
        takes_permit: false,
        sign_in: SignIn::Anonymous,
        precondition: |_| Ok(()),
        routes,
        protocol: None,
    };
    [
        Door {
            path: "/graphql",
            log_name: "/graphql",
            takes_permit: true,
            sign_in: SignIn::NativeOrSession,
            precondition: body::require_json,
            routes: vec![Route::post("", endpoint::answer)],
            protocol: None,
        },
        anonymous("/health", vec![Route::get("", health::live)]),
        anonymous("/ready", vec![Route::get("", health::ready)]),
        anonymous("/assets", vec![Route::get("/{*file}", page::asset)]),
        session::begin_door(),
        session::end_door(),
        lineage::door(),
        registry::door(),
    ]
}

/// The router of all doors.
pub(crate) fn router(server: &Arc<Server>) -> Router<Arc<Server>> {
    doors().into_iter().fold(Router::new(), |router, door| door.mount(router, server))
}

/// The first segment of each door's paths: what is below it is the door's.
pub(crate) fn first_segments() -> Vec<&'static str> {
    doors().iter().filter_map(|door| door.path.split('/').nth(1)).collect()
}

/// The name of a path in the log. A path without a door is text of the client and is not logged.
pub(crate) fn log_names() -> impl Fn(&str) -> &'static str + Send + Sync {
    let doors = doors().map(|door| {
        let has_routes_below = door.protocol.is_some() || door.routes.iter().any(|route| !route.path.is_empty());
        (door.path, has_routes_below, door.log_name)
    });
    move |path| {
        let leads_to = |(door, has_routes_below, _): &&(&str, bool, &str)| match path.strip_prefix(door) {
            Some(rest) => rest.is_empty() || (*has_routes_below && rest.starts_with('/')),
            None => false,
        };
        doors.iter().find(leads_to).map_or("other", |(_, _, log_name)| log_name)
    }
}

/// A route of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its only method: a path with two methods is two endpoints.
    pub method: Method,
    /// The whole path, with its parameters in braces.
    pub path: String,
    /// How its callers sign in.
    pub sign_in: SignIn,
}

/// Every route of every door, from the table that the router is built from.
pub fn endpoints() -> Vec<Endpoint> {
    let of_door = |door: Door| {
        let endpoint = move |route: Route| Endpoint {
            method: route.method,
            path: format!("{}{}", door.path, route.path),
            sign_in: door.sign_in,
        };
        door.routes.into_iter().map(endpoint).collect::<Vec<_>>()
    };
    doors().into_iter().flat_map(of_door).collect()
}
