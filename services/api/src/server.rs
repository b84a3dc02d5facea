//! The state that all requests share.

use std::sync::Arc;

use app::App;
use http_base::log::Log;
use http_base::permit::Permits;
use tokio_util::task::TaskTracker;

use crate::graphql::complete::FieldTypes;
use crate::graphql::{self, Schema};
use crate::limits::Limits;

/// The state that all requests share.
pub(crate) struct Server {
    pub(crate) app: Arc<App>,
    pub(crate) limits: Limits,
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
}

impl Server {
    pub(crate) fn new(app: Arc<App>, limits: &Limits, tasks: &TaskTracker, log: Option<Log>) -> Self {
        Self {
            app,
            limits: limits.clone(),
            schema: graphql::schema(limits),
            field_types: FieldTypes::new(&graphql::sdl()),
            tasks: tasks.clone(),
            log,
            requests: Permits::new(limits.n_requests),
            large_bodies: Permits::new(limits.n_large_bodies),
        }
    }
}
