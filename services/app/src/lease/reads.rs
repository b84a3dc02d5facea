//! Leases, as those who may see them read them.

use domain::clock::Timestamp;
use domain::id::LeaseId;
use domain::lease::Lease;
use policy::{Action, Resource};
use store::{Page, Seek};

use crate::ctx::Ctx;
use crate::error::Error;
use crate::missing::Missing;
use crate::paging::VisiblePage;
use crate::parties::{Kind, VisibilityKey, visible_ids};

/// Leases that the caller may see, the newest first.
///
/// # Errors
/// Those of any use case.
pub async fn list_leases(ctx: &Ctx, seek: Seek<(Timestamp, LeaseId)>) -> Result<Page<Lease>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let mut visible_page = VisiblePage::new(seek);
    while let Some(next) = visible_page.next() {
        let page = store::lease::list(&mut tx, ctx.list_scope(), next).await?;
        let visible = visible_ids(ctx, &mut tx, &page.items, page.items.len(), LEASES).await?;
        visible_page.add(page, |lease| (lease.issued_at, lease.id), |lease| visible.contains(&lease.id));
    }
    Ok(visible_page.finish())
}

/// The leases of these ids that the caller may see.
///
/// # Errors
/// Those of any use case.
pub async fn load_leases(ctx: &Ctx, ids: &[LeaseId]) -> Result<Vec<Lease>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let mut leases = store::lease::list_by_ids(&mut tx, ids).await?;
    let visible = visible_ids(ctx, &mut tx, &leases, ids.len(), LEASES).await?;
    leases.retain(|lease| visible.contains(&lease.id));
    Ok(leases)
}

const LEASES: Kind<Lease, LeaseId> = Kind { key_of: lease_of, action: Action::ViewLease, missing: Missing::Lease };

fn lease_of(lease: &Lease) -> VisibilityKey<LeaseId> {
    VisibilityKey {
        id: lease.id,
        binding_id: lease.binding_id,
        principal_id: lease.principal_id,
        resource: |id, product, principal, sharers| Resource::Lease { id, product, principal, sharers },
    }
}
