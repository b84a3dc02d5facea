//! How the gateway gets a lease: [`Leases`] of the program.

use crate::column_reads::writing;
use crate::ctx::App;
use crate::lease::file_list::FileList;
use crate::lease::review::Judge;
use crate::lease::{Denied, LeaseSecrets, Leases, OpenLease, Scope, StoredTable};
use domain::clock::Timestamp;
use domain::column_reads::{ChunkMap, Reader};
use domain::gate::Action;
use domain::id::LeaseId;
use domain::lease::{Lease, LeaseState};
use futures::future::BoxFuture;
use std::ops::Range;
use std::sync::Arc;
use store::Tx;
use store::revision::Revision;

impl Leases for App {
    fn open(&self, id: LeaseId) -> BoxFuture<'_, Result<Arc<OpenLease>, Denied>> {
        Box::pin(async move {
            let unavailable = |error| unavailable(id, error);
            let mut once = self.db.read_once().await.map_err(unavailable)?;
            let revision = store::revision::get(&mut once, Revision::Access).await.map_err(unavailable)?;
            drop(once);
            if let Some(open) = self.caches.leases.find(id, revision) {
                open.at(self.now())?;
                return Ok(open);
            }
            // Read after the revision that it is kept under, so at worst newer than that.
            let open = open_lease(self, self.db.read().await.map_err(unavailable)?, id).await?;
            self.caches.leases.put(id, revision, Arc::clone(&open));
            Ok(open)
        })
    }

    fn still_open(&self, id: LeaseId) -> BoxFuture<'_, bool> {
        Box::pin(async move { self.open(id).await.is_ok() })
    }

    fn sends(&self, lease: &OpenLease, key: &str, size_bytes: u64, bytes: &Range<u64>) {
        writing::add(self, lease, key, size_bytes, bytes);
    }

    fn secrets(&self) -> &LeaseSecrets {
        &self.secrets
    }
}

fn unavailable(id: LeaseId, error: store::Error) -> Denied {
    tracing::error!(error = &error as &dyn std::error::Error, lease.id = %id, "lease lookup failed");
    Denied::Unavailable
}

async fn open_lease(app: &App, mut tx: Tx, id: LeaseId) -> Result<Arc<OpenLease>, Denied> {
    let unavailable = |error| unavailable(id, error);
    let now = app.now();
    let lease = store::lease::find(&mut tx, id).await.map_err(unavailable)?.ok_or(Denied::Unknown)?;
    match lease.state {
        LeaseState::Issued => {}
        LeaseState::Intended => return Err(Denied::Unknown),
        LeaseState::Ended => return Err(Denied::Ended),
        LeaseState::Revoked => return Err(Denied::Revoked),
    }
    if now >= lease.expires_at {
        return Err(Denied::Expired);
    }
    let expires_at = judged(app, &mut tx, &lease, now).await?;
    let table = store::table::get(&mut tx, lease.table_id).await.map_err(unavailable)?;
    let table = StoredTable { lake: Arc::clone(&app.lake), location: table.location };
    let scope = match (lease.action, lease.snapshot_id) {
        (Action::Read, Some(snapshot_id)) => {
            let snapshot = store::table::get_snapshot(&mut tx, snapshot_id).await.map_err(unavailable)?;
            drop(tx);
            let digest = snapshot.found.and_then(|found| found.file_list).ok_or(Denied::Unavailable)?;
            let (files, chunks) = file_list(app, digest).await?;
            Scope::Pinned { table, files, chunks }
        }
        (Action::Repair | Action::Inspect, None) => Scope::Folder { table },
        (Action::Read | Action::Write | Action::Repair | Action::Inspect, _) => return Err(Denied::Unknown),
    };
    let reader = match lease.action {
        Action::Read | Action::Write | Action::Repair => {
            Some(Reader { principal_id: lease.principal_id, binding_id: lease.binding_id })
        }
        Action::Inspect => None,
    };
    Ok(Arc::new(OpenLease { id, table_id: lease.table_id, reader, expires_at, scope }))
}

/// The end of a lease that the gate would give still. One that a change has ended is not asked about here: this judges
/// what no change has touched, such as a sunset that has passed or policies that are in force since the last start.
async fn judged(app: &App, tx: &mut Tx, lease: &Lease, now: Timestamp) -> Result<Timestamp, Denied> {
    if lease.action == Action::Inspect {
        // It ends with its inspection; its holder lives no longer.
        return Ok(lease.expires_at);
    }
    match Judge::default().judge(app, tx, &lease.hold(), now).await {
        Ok(Ok(latest)) => Ok(latest.map_or(lease.expires_at, |latest| latest.min(lease.expires_at))),
        Ok(Err(codes)) => {
            tracing::info!(lease.id = %lease.id, ?codes, "lease refused: the gate is shut");
            Err(Denied::Revoked)
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, lease.id = %lease.id, "lease lookup failed");
            Err(Denied::Unavailable)
        }
    }
}

/// The list of a digest, and where the columns lie in its files.
async fn file_list(app: &App, digest: String) -> Result<(Arc<FileList>, Option<Arc<ChunkMap>>), Denied> {
    if let Some(found) = app.caches.file_lists.find(&digest) {
        return Ok(found);
    }
    let (folder, named) = (app.folder.clone(), digest.clone());
    let read = tokio::task::spawn_blocking(move || folder.list(&named).map(|list| (list, folder.chunks(&named)))).await;
    match read {
        Ok(Ok((list, chunks))) => {
            let (list, chunks) = (Arc::new(list), chunks.map(Arc::new));
            app.caches.file_lists.put(digest, &list, chunks.as_ref());
            Ok((list, chunks))
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "file list could not be read");
            Err(Denied::Unavailable)
        }
        Err(_) => Err(Denied::Unavailable),
    }
}
