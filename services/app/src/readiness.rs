//! Whether the program can do its work: what `/ready` reports.

mod last_probe;

use std::sync::Arc;

use domain::id::PrincipalId;
use store::Lock;
use store::revision::Revision;

pub use self::last_probe::Fault;
pub(crate) use self::last_probe::LastProbe;
use crate::ctx::App;
use crate::error::Error;

impl App {
    /// What does not work now; nothing if the program is ready. Reads from the database, and every few seconds writes to it
    /// and to the data directory.
    pub async fn faults(self: &Arc<Self>) -> Vec<Fault> {
        if let Err(error) = self.answers().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "not ready: the database does not answer");
            return vec![Fault::Database];
        }
        let mut outcome = self.last_probe.lock().await;
        if let Some(faults) = outcome.recent() {
            return faults;
        }
        // A task of its own: a caller who stops waiting leaves the outcome to the next one.
        let app = Arc::clone(self);
        let probe = tokio::spawn(async move {
            let faults = app.probe().await;
            outcome.set(faults.clone());
            faults
        });
        probe.await.unwrap_or_else(|_| vec![Fault::DatabaseWrites])
    }

    /// What search and lineage leave out since it cannot be read: the rest goes on. The log names it, this does not.
    pub fn omissions(&self) -> Vec<String> {
        let of_search = self.caches.search.get().map_or(0, |index| index.left_out().len());
        let of_lineage = self.caches.lineage.get().map_or(0, |held| held.left_out.n());
        [("products", "search", of_search), ("rows", "lineage", of_lineage)]
            .into_iter()
            .filter(|(_, _, n)| *n > 0)
            .map(|(what, of, n)| format!("{what} that cannot be read and are missing in {of}: {n}"))
            .collect()
    }

    /// What cannot be written.
    async fn probe(&self) -> Vec<Fault> {
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
