//! The outcome of the last test writes.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::closed_set;

/// How long the outcome of a test write holds: `/ready` needs no token, and each test write costs a commit.
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

/// The outcome of the last test writes.
#[derive(Debug, Default)]
pub(crate) struct LastProbe(Mutex<Option<(Instant, Vec<Fault>)>>);

impl LastProbe {
    pub(super) fn get(&self) -> Option<Vec<Fault>> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(at, _)| at.elapsed() < PROBE_EVERY).map(|(_, faults)| faults.clone())
    }

    pub(super) fn set(&self, faults: Vec<Fault>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), faults));
    }
}
