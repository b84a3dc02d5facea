//! A door: its routes, and the steps before a handler runs.

use std::net::IpAddr;
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
use http_base::sign_in::{Sender, SignIn};
use tower::Layer;
use tower::util::MapRequestLayer;

use crate::server::Server;

/// An entry of the table.
pub(crate) struct Door {
    /// The path of the only route, or, for a door with a [`Protocol`], the prefix of all its routes.
    pub(crate) path: &'static str,
    /// The name of its requests' paths in the log.
    pub(crate) log_name: &'static str,
    /// Whether a request needs one of the permits of [`crate::Limits::n_requests`].
    pub(crate) takes_permit: bool,
    pub(crate) sign_in: SignIn,
    /// A check of the headers before sign-in.
    pub(crate) precondition: fn(&HeaderMap) -> Result<(), Problem>,
    pub(crate) routes: Vec<Route>,
    /// Set for a door that speaks another protocol below its path.
    pub(crate) protocol: Option<Protocol>,
}

/// A route below the path of its door.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) handler: MethodRouter<Arc<Server>>,
}

/// The parts of a protocol around its routes. Every request below the door's path is signed in, also where no route
/// matches.
pub(crate) struct Protocol {
    /// Rewrites a request before it is routed.
    pub(crate) rewrite: fn(Request) -> Request,
    /// Renders a problem as the protocol's own error, if it has one.
    pub(crate) error: fn(Problem) -> Response,
    /// Layers that run after sign-in.
    pub(crate) layers: fn(Router<Arc<Server>>) -> Router<Arc<Server>>,
}

impl Route {
    fn new<H, T>(method: Method, filter: MethodFilter, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Server>>,
        T: 'static,
    {
        Self { method, path, handler: on(filter, handler) }
    }

    pub(crate) fn get<H: Handler<T, Arc<Server>>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::GET, MethodFilter::GET, path, handler)
    }

    pub(crate) fn post<H: Handler<T, Arc<Server>>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::POST, MethodFilter::POST, path, handler)
    }

    pub(crate) fn put<H: Handler<T, Arc<Server>>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::PUT, MethodFilter::PUT, path, handler)
    }

    pub(crate) fn delete<H: Handler<T, Arc<Server>>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(Method::DELETE, MethodFilter::DELETE, path, handler)
    }
}

impl Door {
    /// Adds the routes of the door to the router.
    pub(crate) fn mount(self, router: Router<Arc<Server>>, server: &Arc<Server>) -> Router<Arc<Server>> {
        let entrance = Entrance {
            server: Arc::clone(server),
            takes_permit: self.takes_permit,
            sign_in: self.sign_in,
            precondition: self.precondition,
            error: self.protocol.as_ref().map_or(Problem::into_response, |protocol| protocol.error),
            logs_route_of: self.protocol.as_ref().map(|_| self.path),
        };
        let Some(protocol) = self.protocol else {
            // Only its methods are layered: other methods are answered without a token.
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
            .fallback(move || async move { error(Problem::NotFound("")) })
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

/// Admits a request: permit, precondition, sign-in, share.
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
        let route = route.as_str();
        let _ = info.notes.operation.set(route.strip_prefix(prefix).unwrap_or(route).to_owned());
    }
    (entrance.precondition)(request.headers())?;
    let peer = request.extensions().get::<Peer>().copied();
    let address = peer.and_then(|peer| server.limits.proxies.of_request(peer.0, request.headers()));
    let sender = Sender { headers: request.headers(), address };
    let sign_in = entrance.sign_in.sign_in(&server.app, &server.web.site, &server.sign_in_failures, &sender);
    let mut clients: Vec<Client> = address.map(Client::Address).into_iter().collect();
    if let Some((signed_in, credential)) = sign_in.await? {
        let requester = match &signed_in {
            SignedIn::Actor(actor) => {
                clients.push(Client::Principal(actor.principal.id));
                actor.principal.id.to_string()
            }
            SignedIn::Bootstrap(_) => "bootstrap".to_owned(),
        };
        let _ = info.notes.requester.set(requester);
        request.extensions_mut().insert(signed_in);
        request.extensions_mut().insert(credential);
    }
    let mut share = server.request_shares.hold(&clients);
    share.add(1)?;
    request.extensions_mut().insert(Entered { clients: clients.into(), _held: Arc::new((permit, share)) });
    Ok(())
}

impl Entered {
    /// The address that the request came from, if it is known.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.clients.iter().find_map(|client| match client {
            Client::Address(address) => Some(*address),
            Client::Principal(_) => None,
        })
    }
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
