//! Doors: every path that the server answers, in one table.
//!
//! [`doors`] drives routing, sign-in, permits and the names of paths in the log, so no route can exist outside of it.
//! `tests/it/doors.rs` holds every route against a list of who may use it. A door parses its protocol, calls one use case of
//! `app`, and renders the answer; it holds no rule.
//!
//! To add a door: a module here with the protocol's errors and a function `door` like that of [`registry`], an entry in
//! [`doors`], and the lines that the test asks for.

pub(crate) mod registry;

use std::sync::Arc;

use app::Ctx;
use app::identity::SignedIn;
use axum::Router;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use http_base::budget::{Client, Held};
use http_base::connections::peer::Peer;
use http_base::permit::Permit;
use http_base::problem::Problem;
use http_base::request::RequestInfo;
use http_base::sign_in::SignIn;
use tower::Layer;
use tower::util::MapRequestLayer;

use crate::{Server, body, endpoint, health};

/// The table: every door of the server.
fn doors() -> [Door; 4] {
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
            sign_in: SignIn::Native,
            precondition: body::require_json,
            routes: vec![Route::post("", endpoint::answer)],
            protocol: None,
        },
        anonymous("/health", vec![Route::get("", health::live)]),
        anonymous("/ready", vec![Route::get("", health::ready)]),
        registry::door(),
    ]
}

/// An entry of the table.
struct Door {
    /// The path of the only route, or, for a door with a [`Protocol`], the prefix of all its routes.
    path: &'static str,
    /// The name of its requests' paths in the log.
    log_name: &'static str,
    /// Whether a request needs one of the permits of [`crate::Limits::n_requests`].
    takes_permit: bool,
    sign_in: SignIn,
    /// A check of the headers before sign-in.
    precondition: fn(&HeaderMap) -> Result<(), Problem>,
    routes: Vec<Route>,
    /// Set for a door that speaks another protocol below its path.
    protocol: Option<Protocol>,
}

/// A route below the path of its door.
struct Route {
    method: Method,
    path: &'static str,
    handler: MethodRouter<Arc<Server>>,
}

/// What differs between protocols around their routes. Every request below the door's path is signed in, also where no
/// route matches.
struct Protocol {
    /// Rewrites a request before it is routed.
    rewrite: fn(Request) -> Request,
    /// Renders a problem as the protocol's own error, if it has one.
    error: fn(Problem) -> Response,
    /// Layers that run after sign-in.
    layers: fn(Router<Arc<Server>>) -> Router<Arc<Server>>,
}

impl Route {
    fn new<H, T>(method: Method, filter: MethodFilter, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Server>>,
        T: 'static,
    {
        Self { method, path, handler: on(filter, handler) }
    }

    fn get<H: Handler<T, Arc<Server>>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::GET, MethodFilter::GET, path, handler)
    }

    fn post<H: Handler<T, Arc<Server>>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::POST, MethodFilter::POST, path, handler)
    }

    fn put<H: Handler<T, Arc<Server>>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::PUT, MethodFilter::PUT, path, handler)
    }

    fn delete<H: Handler<T, Arc<Server>>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::DELETE, MethodFilter::DELETE, path, handler)
    }
}

/// The router of all doors.
pub(crate) fn router(server: &Arc<Server>) -> Router<Arc<Server>> {
    doors().into_iter().fold(Router::new(), |router, door| door.mount(router, server))
}

impl Door {
    fn mount(self, router: Router<Arc<Server>>, server: &Arc<Server>) -> Router<Arc<Server>> {
        let entrance = Entrance {
            server: Arc::clone(server),
            takes_permit: self.takes_permit,
            sign_in: self.sign_in,
            precondition: self.precondition,
            error: self.protocol.as_ref().map_or(Problem::into_response, |protocol| protocol.error),
            logs_route_of: self.protocol.as_ref().map(|_| self.path),
        };
        let Some(protocol) = self.protocol else {
            // Only its methods are layered: the answer to another method needs no token.
            let mount = |router: Router<_>, route: Route| {
                let handler = route.handler.route_layer(from_fn_with_state(entrance.clone(), enter));
                router.route(&format!("{}{}", self.path, route.path), handler)
            };
            return self.routes.into_iter().fold(router, mount);
        };
        let Protocol { rewrite, error, layers } = protocol;
        let routes =
            self.routes.into_iter().fold(Router::new(), |router, route| router.route(route.path, route.handler));
        let routes = routes
            .fallback(move || async move { error(Problem::NotFound) })
            .method_not_allowed_fallback(move || async move { error(Problem::MethodNotAllowed) });
        let routes = layers(routes).layer(from_fn_with_state(entrance, enter)).with_state(Arc::clone(server));
        // Around the router and not within it: a path is rewritten before it is routed.
        router.nest_service(self.path, MapRequestLayer::new(rewrite).layer(routes))
    }
}

/// The state of [`enter`].
#[derive(Clone)]
struct Entrance {
    server: Arc<Server>,
    takes_permit: bool,
    sign_in: SignIn,
    precondition: fn(&HeaderMap) -> Result<(), Problem>,
    error: fn(Problem) -> Response,
    /// The prefix of the routes that the log names as operations.
    logs_route_of: Option<&'static str>,
}

/// Lets a request through a door: permit, precondition, sign-in, share.
async fn enter(State(entrance): State<Entrance>, mut request: Request, next: Next) -> Response {
    match check(&entrance, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(problem) => (entrance.error)(problem),
    }
}

async fn check(entrance: &Entrance, request: &mut Request) -> Result<(), Problem> {
    let server = &entrance.server;
    let permit = if entrance.takes_permit { Some(server.requests.try_acquire()?) } else { None };
    let info = request.extensions().get::<RequestInfo>().cloned().ok_or(Problem::Internal)?;
    if let (Some(prefix), Some(route)) = (entrance.logs_route_of, request.extensions().get::<MatchedPath>()) {
        let _ = info.notes.operation.set(route.as_str().trim_start_matches(prefix).to_owned());
    }
    (entrance.precondition)(request.headers())?;
    let peer = request.extensions().get::<Peer>().copied();
    let address = peer.and_then(|peer| server.limits.proxies.of_request(peer.0, request.headers()));
    let signed_in = entrance.sign_in.sign_in(&server.app, request.headers(), &server.sign_in_failures, address).await?;
    let mut clients: Vec<Client> = address.map(Client::Address).into_iter().collect();
    if let Some(signed_in) = signed_in {
        let requester = match &signed_in {
            SignedIn::Actor(actor) => {
                clients.push(Client::Principal(actor.principal.id));
                actor.principal.id.to_string()
            }
            SignedIn::Bootstrap => "bootstrap".to_owned(),
        };
        let _ = info.notes.requester.set(requester);
        request.extensions_mut().insert(signed_in);
    }
    let mut share = server.request_shares.hold(&clients);
    share.add(1)?;
    request.extensions_mut().insert(Entered { clients: clients.into(), _held: Arc::new((permit, share)) });
    Ok(())
}

/// The clients of a request, and what it holds of the limits on requests: until its last clone is dropped.
#[derive(Clone)]
pub(crate) struct Entered {
    pub(crate) clients: Arc<[Client]>,
    _held: Arc<(Option<Permit>, Held)>,
}

/// The caller that the door signed in, as the context of use cases.
pub(crate) struct Caller(pub(crate) Ctx);

impl FromRequestParts<Arc<Server>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Problem> {
        match (parts.extensions.get(), parts.extensions.get::<RequestInfo>()) {
            (Some(SignedIn::Actor(actor)), Some(info)) => {
                let (app, actor, request_id) = (Arc::clone(&server.app), Arc::clone(actor), Arc::clone(&info.id));
                Ok(Self(Ctx { app, actor, request_id }))
            }
            _ => Err(Problem::Internal),
        }
    }
}

/// The name of a path in the log. A path without a door is the client's text and stays out of it.
pub(crate) fn log_names() -> impl Fn(&str) -> &'static str + Send + Sync {
    let doors = doors().map(|door| (door.path, door.protocol.is_some(), door.log_name));
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
