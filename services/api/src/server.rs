//! The state that all requests share.

use std::net::IpAddr;
use std::sync::Arc;

use app::App;
use app::rate::Rate;
use http_base::budget::{Bodies, Shares};
use http_base::log::Log;
use http_base::permit::Permits;
use tokio_util::task::TaskTracker;

use crate::graphql::complete::FieldTypes;
use crate::graphql::{self, Schema};
use crate::limits::Limits;
use crate::web::Web;

/// The state that all requests share.
pub(crate) struct Server {
    pub(crate) app: Arc<App>,
    pub(crate) limits: Limits,
    pub(crate) web: Web,
    pub(crate) schema: Schema,
    pub(crate) field_types: FieldTypes,
    /// Mutations: they complete even if their client disconnects.
    pub(crate) tasks: TaskTracker,
    /// One permit for each request in progress.
    pub(crate) requests: Permits,
    /// The server's log, if `/ready` reports on it.
    pub(crate) log: Option<Log>,
    /// One permit for each body over the usual size limit that is held in memory.
    pub(crate) large_bodies: Permits,
    /// One permit for each large schema.
    pub(crate) large_schemas: Permits,
    /// The memory of all bodies.
    pub(crate) bodies: Bodies,
    /// The requests in progress of each client.
    pub(crate) request_shares: Shares,
    /// The invalid tokens, sessions and sign-in codes of each address.
    pub(crate) sign_in_failures: Rate<IpAddr>,
}

impl Server {
    pub(crate) fn new(app: Arc<App>, limits: &Limits, tasks: &TaskTracker, log: Option<Log>, web: Web) -> Self {
        Self {
            app,
            web,
            limits: limits.clone(),
            schema: graphql::schema(limits),
            field_types: FieldTypes::new(&graphql::sdl()),
            tasks: tasks.clone(),
            log,
            requests: Permits::new(limits.n_requests),
            large_bodies: Permits::new(limits.n_large_bodies),
            large_schemas: Permits::new(limits.n_large_schemas),
            bodies: Bodies::new(limits.bodies_bytes, limits.bodies_bytes_per_client),
            request_shares: Shares::new(limits.n_requests_per_client),
            sign_in_failures: Rate::per_second(limits.sign_in_failures_per_second),
        }
    }
}
