//! Whether the program can do its work: what `/ready` reports.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::closed_set;
use domain::id::PrincipalId;
use store::Lock;
use store::revision::Revision;

use crate::ctx::App;
use crate::error::Error;

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
    fn get(&self) -> Option<Vec<Fault>> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(at, _)| at.elapsed() < PROBE_EVERY).map(|(_, faults)| faults.clone())
    }

    fn set(&self, faults: Vec<Fault>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), faults));
    }
}

impl App {
    /// What does not work now; nothing if the program is ready. Reads from the database, and every few seconds writes to it
    /// and to the data directory.
    pub async fn faults(self: &Arc<Self>) -> Vec<Fault> {
        if let Err(error) = self.answers().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "not ready: the database does not answer");
            return vec![Fault::Database];
        }
        if let Some(faults) = self.last_probe.get() {
            return faults;
        }
        let mut faults = Vec::new();
        if let Err(error) = self.write_database().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "not ready: the database cannot be written");
            faults.push(Fault::DatabaseWrites);
        }
        let folder = self.folder.clone();
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || folder.probe()).await {
            tracing::warn!(%error, "not ready: the data directory cannot be written");
            faults.push(Fault::Folder);
        }
        self.last_probe.set(faults.clone());
        faults
    }

    async fn answers(&self) -> Result<(), Error> {
        let mut tx = self.db.read().await?;
        store::revision::get(&mut tx, Revision::Access).await?;
        Ok(())
    }

    async fn write_database(&self) -> Result<(), Error> {
        let mut tx = self.db.write(Lock::Free).await?;
        let id = PrincipalId::new(self.clock.as_ref(), self.random.as_ref());
        store::probe::write(&mut tx, id, self.now()).await?;
        Ok(tx.commit().await?)
    }
}
