//! Tables by their addresses, and noticing their newest snapshots.

pub(crate) mod address;
pub(crate) mod head;
pub(crate) mod sharing;

use std::collections::{HashMap, HashSet};

use domain::binding::BindingVerdict;
use domain::contract::{Classification, SERVING_ENVIRONMENT};
use domain::id::{BindingId, ProductId, SnapshotId};
use domain::job::Job;
use domain::name::Address;
use domain::share::BindingRight;
use domain::table::Snapshot;
use itertools::Itertools as _;
use policy::{Action, Resource};
use store::{Lock, Page, Seek};

use self::address::{Chosen, leads, resolve, targets};
use self::sharing::Sharing;
use crate::audit::{self, Event, ResourceKind};
use crate::ctx::Ctx;
use crate::error::{Conflict, Error, Noun};
use crate::idempotency::{self, Key};
use crate::jobs::queue;
use crate::target::Target;

/// The table that an address names.
///
/// # Errors
/// Those of any use case.
pub async fn find_table(ctx: &Ctx, address: &Address) -> Result<Option<Target>, Error> {
    let mut tx = ctx.app.db.read().await?;
    resolve(&ctx.app, &mut tx, &ctx.actor, address).await
}

/// The tables of these bindings that the caller may know of, each through its oldest port.
///
/// # Errors
/// Those of any use case.
pub async fn load_tables(ctx: &Ctx, ids: &[BindingId]) -> Result<Vec<Target>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let bindings = store::binding::list_by_ids(&mut tx, ids).await?;
    let contract_ids = bindings.iter().map(|binding| binding.contract_id).unique().collect_vec();
    let contracts = store::contract::list_by_ids(&mut tx, &contract_ids).await?;
    let owner = |id: &BindingId| {
        let binding = bindings.iter().find(|binding| binding.id == *id)?;
        contracts.iter().find(|contract| contract.id == binding.contract_id).map(|contract| contract.product_id)
    };
    let visible = crate::product::visible_owners(ctx, &mut tx, ids.iter().map(owner).collect()).await?;
    let ports = store::product::list_ports_of_contracts(&mut tx, &contract_ids).await?;
    let chosen = bindings.into_iter().filter_map(|binding| {
        let contract = contracts.iter().find(|contract| contract.id == binding.contract_id)?;
        let known = visible.get(&contract.product_id)?.clone();
        let leading = ports.iter().filter(|port| leads(port, &binding));
        let oldest = leading.min_by_key(|port| port.port_major.major)?;
        Some(Chosen { known, port_major: oldest.port_major.clone(), binding })
    });
    targets(&mut tx, chosen.collect(), &ports).await
}

/// The tables of these products in the serving environment, in the order of ports, as far as the caller may know of
/// them.
///
/// # Errors
/// Those of any use case.
pub async fn list_tables(ctx: &Ctx, product_ids: &[ProductId]) -> Result<Vec<Target>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let visible = crate::product::visible(ctx, &mut tx, product_ids).await?;
    let ids: Vec<ProductId> = visible.keys().copied().collect();
    let ports = store::product::list_ports_of_products(&mut tx, &ids).await?;
    let contract_ids = ports.iter().map(|port| port.contract_id).unique().collect_vec();
    let bindings = store::binding::list_of_contracts(&mut tx, &contract_ids).await?;
    let mut seen = HashSet::new();
    let mut chosen = Vec::new();
    for port in &ports {
        let Some(known) = visible.get(&port.port_major.product_id) else { continue };
        let reached = bindings.iter().filter(|binding| leads(port, binding));
        for binding in reached.filter(|binding| binding.environment == SERVING_ENVIRONMENT) {
            if seen.insert((known.product.id, binding.id)) {
                let (known, port_major) = (known.clone(), port.port_major.clone());
                chosen.push(Chosen { known, port_major, binding: binding.clone() });
            }
        }
    }
    targets(&mut tx, chosen, &ports).await
}

/// Whether the caller may see values, paths and policy ids of a product.
pub fn may_view_detail(ctx: &Ctx, target: &Target) -> bool {
    ctx.may(Action::ViewDetail, &Resource::Product(target.known.policy()))
}

/// Whether the caller may know of a column of this classification.
pub fn may_view_column(ctx: &Ctx, target: &Target, classification: Classification) -> bool {
    ctx.may_view_column(&target.known.policy(), classification)
}

/// Whether the caller may know of a table's snapshots through this binding: of a shared table, only while the binding
/// stands, and only those who may know of data of the table's classification. The caller may know of the target.
///
/// # Errors
/// Those of any use case.
pub async fn may_view_snapshots(ctx: &Ctx, target: &Target) -> Result<bool, Error> {
    if !target.table.shared {
        return Ok(true);
    }
    let mut tx = ctx.app.db.read().await?;
    let Some(sharing) = Sharing::load(&ctx.app, &mut tx, &target.table).await? else { return Ok(true) };
    let classification = sharing.classification(target.product());
    let stands = sharing.right_of(target.product().id) == BindingRight::Stands;
    Ok(stands && may_view_column(ctx, target, classification))
}

/// A table's snapshots, the newest first, as far as [`may_view_snapshots`] allows. The caller may know of the target.
///
/// # Errors
/// Those of any use case.
pub async fn list_snapshots(ctx: &Ctx, target: &Target, seek: &Seek<i64>) -> Result<Page<Snapshot>, Error> {
    if !may_view_snapshots(ctx, target).await? {
        return Ok(Page { items: Vec::new(), has_more: false });
    }
    let mut tx = ctx.app.db.read().await?;
    Ok(store::table::list_snapshots(&mut tx, target.table.id, seek).await?)
}

/// Snapshots by their ids. The caller may know of them.
///
/// # Errors
/// Those of any use case.
pub async fn load_snapshots(ctx: &Ctx, ids: &[SnapshotId]) -> Result<Vec<Snapshot>, Error> {
    let mut tx = ctx.app.db.read().await?;
    Ok(store::table::list_snapshots_by_ids(&mut tx, ids).await?)
}

/// The newest verdict on each of these snapshots for each binding. The caller may know of their tables.
///
/// # Errors
/// Those of any use case.
pub async fn load_verdicts(
    ctx: &Ctx,
    snapshot_ids: &[SnapshotId],
) -> Result<HashMap<(SnapshotId, BindingId), BindingVerdict>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let mut verdicts = store::binding::list_verdicts_of_snapshots(&mut tx, snapshot_ids).await?;
    verdicts.sort_by_key(|verdict| (verdict.at, verdict.id));
    Ok(verdicts.into_iter().map(|verdict| ((verdict.snapshot_id, verdict.binding_id), verdict)).collect())
}

/// Looks for a new snapshot now and has the newest inspected, again if it could not be inspected before.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::Conflict`] where there is no folder or table yet.
pub async fn inspect_table(ctx: &Ctx, address: &Address, key: Option<Key>) -> Result<Target, Error> {
    let target = find_table(ctx, address).await?.ok_or(Error::NotFound(Noun::Table))?;
    ctx.authorize(Action::InspectTable, &target.resource(), "request an inspection of this table")?;
    if let Err(error) = head::look(&ctx.app, &target.table).await? {
        let problem = match may_view_detail(ctx, &target) {
            true => error.to_string(),
            false => "the table's folder contains no table yet".to_owned(),
        };
        return Err(Conflict::TableUnreadable(problem).into());
    }
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    ctx.authorize(Action::InspectTable, &target.resource(), "request an inspection of this table")?;
    if idempotency::find::<BindingId>(ctx, &mut tx, key.as_ref()).await?.is_none() {
        let errored = match head::head(&mut tx, target.table.id).await? {
            Some(head) => store::table::set_pending(&mut tx, head.id).await?,
            None => false,
        };
        let job = if errored { Job::Reinspect(target.table.id) } else { Job::Inspect(target.table.id) };
        queue::push(&ctx.app, &mut tx, job).await?;
        let event = Event::done(audit::Action::TableInspect, ResourceKind::Table, target.table.id, &target.address());
        audit::append(ctx, &mut tx, event).await?;
        idempotency::record(ctx, &mut tx, key.as_ref(), target.binding.id).await?;
        tx.commit().await?;
    } else {
        drop(tx);
    }
    ctx.app.work.notify_waiters();
    find_table(ctx, address).await?.ok_or(Error::NotFound(Noun::Table))
}
