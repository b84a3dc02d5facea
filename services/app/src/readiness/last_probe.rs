//! The outcome of the last test writes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::closed_set;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// How long the outcome of a test write is reused: `/ready` needs no token, and each test write costs a commit.
const PROBE_EVERY: Duration = Duration::from_secs(5);

closed_set! {
    /// What does not work.
    Fault {
        /// The database does not answer.
        Database = "the database does not answer",
        /// The database answers, and no change can be committed.
        DatabaseWrites = "the database cannot be written",
        /// No file can be written in the data directory.
        Folder = "the data directory cannot be written",
    }
}

/// The outcome of the last test writes, locked while others are made: there is one probe at a time.
#[derive(Debug, Default)]
pub(crate) struct LastProbe(Arc<Mutex<Outcome>>);

#[derive(Debug, Default)]
pub(super) struct Outcome(Option<(Instant, Vec<Fault>)>);

impl LastProbe {
    pub(super) async fn lock(&self) -> OwnedMutexGuard<Outcome> {
        Arc::clone(&self.0).lock_owned().await
    }
}

impl Outcome {
    /// The faults that were found, unless that was too long ago.
    pub(super) fn recent(&self) -> Option<Vec<Fault>> {
        self.0.as_ref().filter(|(at, _)| at.elapsed() < PROBE_EVERY).map(|(_, faults)| faults.clone())
    }

    pub(super) fn set(&mut self, faults: Vec<Fault>) {
        self.0 = Some((Instant::now(), faults));
    }
}
