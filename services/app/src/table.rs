//! Tables by their addresses, and noticing their newest snapshots.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::binding::{Binding, BindingVerdict};
use domain::clock::Timestamp;
use domain::contract::{self, Classification, SERVING_ENVIRONMENT, State};
use domain::grant::PortMajor;
use domain::id::{BindingId, JobId, ProductId, SnapshotId, TableId};
use domain::job::Job;
use domain::name::{Address, DomainPath, Name};
use domain::product::Port;
use domain::table::{Format, Snapshot, SnapshotKey, SnapshotState, Table};
use policy::{Action, Resource};
use store::{Lock, Page, Seek, Tx};

use crate::audit::{self, Event, ResourceKind};
use crate::ctx::{Actor, App, Ctx, lock};
use crate::error::{Conflict, Error, Noun};
use crate::grant::distinct;
use crate::idempotency::{self, Key};
use crate::jobs;
use crate::known::Known;
use crate::lake;

/// A port major, named by the address of one of its tables or by itself.
#[derive(Clone, Debug)]
pub enum PortTarget {
    /// `domain.product.table`, with or without a major.
    Table(Address),
    /// A port's name; the newest major where none is named.
    Port {
        /// The domain.
        domain: DomainPath,
        /// The product.
        product: Name,
        /// The port.
        port: Name,
        /// The major.
        major: Option<u64>,
    },
}

/// A port major as it was resolved.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedPort {
    pub(crate) name: Name,
    pub(crate) major: u64,
    pub(crate) contract_id: domain::id::ContractId,
    pub(crate) contract_major: u64,
}

impl From<Port> for ResolvedPort {
    fn from(port: Port) -> Self {
        Self {
            name: port.port_major.port,
            major: port.port_major.major,
            contract_id: port.contract_id,
            contract_major: port.contract_major,
        }
    }
}

/// A table as an address names it, for one caller.
#[derive(Clone, Debug)]
pub struct Target {
    pub(crate) known: Known,
    /// The binding.
    pub binding: Binding,
    /// The table.
    pub table: Table,
    /// The port major that the address was taken to mean.
    pub port_major: PortMajor,
    /// Every port major that leads to the binding.
    pub(crate) port_majors: Vec<PortMajor>,
    /// The contract version in question; `None` while the major has only drafts.
    pub version: Option<contract::Version>,
}

impl Target {
    /// Its full address.
    pub fn address(&self) -> String {
        format!("{}.{}__v{}", self.known.address(), self.binding.object, self.port_major.major)
    }

    /// The product it is read through.
    pub fn product(&self) -> &domain::product::Product {
        &self.known.product
    }

    pub(crate) fn resource(&self) -> Resource<'_> {
        Resource::Binding { id: self.binding.id, product: self.known.policy(), port_majors: &self.port_majors }
    }
}

/// Finds what an address means to a caller: the newest major that its grants cover, and without a grant the oldest
/// active one (docs/design.md, Terms). `None` for what does not exist and for what the caller may not know of.
pub(crate) async fn resolve(app: &App, tx: &mut Tx, actor: &Actor, address: &Address) -> Result<Option<Target>, Error> {
    let Some(known) = visible_product(app, tx, actor, &address.domain, &address.product).await? else {
        return Ok(None);
    };
    let mut found = Vec::new();
    let ports = store::product::list_ports_of_products(tx, &[known.product.id]).await?;
    let contract_ids = distinct(ports.iter().map(|port| port.contract_id));
    let bindings = store::binding::list_of_contracts(tx, &contract_ids).await?;
    for port in &ports {
        let binding = bindings.iter().find(|binding| {
            leads(port, binding) && binding.object == address.table && binding.environment == SERVING_ENVIRONMENT
        });
        if let Some(binding) = binding.filter(|_| address.major.is_none_or(|major| major == port.port_major.major)) {
            found.push((port, binding));
        }
    }
    found.sort_by_key(|(port, _)| port.port_major.major);
    let granted = |(port, _): &&(&Port, &Binding)| actor.standing.port_majors.contains(&port.port_major);
    let chosen = match found.iter().rev().find(granted) {
        Some(chosen) => Some(*chosen),
        None => oldest_active(tx, &found).await?,
    };
    let Some((port, binding)) = chosen else { return Ok(None) };
    target(tx, known.clone(), &ports, port.port_major.clone(), binding.clone()).await.map(Some)
}

async fn target(
    tx: &mut Tx,
    known: Known,
    ports: &[Port],
    port_major: PortMajor,
    binding: Binding,
) -> Result<Target, Error> {
    let table = store::table::get(tx, binding.table_id).await?;
    let version = store::contract::find_current(tx, binding.contract_id, binding.major).await?;
    Ok(assembled(Chosen { known, port_major, binding }, ports, table, version))
}

/// A binding, and the port major that it is reached through.
struct Chosen {
    known: Known,
    port_major: PortMajor,
    binding: Binding,
}

/// The targets of bindings, with one query for all that each kind of part needs.
async fn targets(tx: &mut Tx, chosen: Vec<Chosen>, ports: &[Port]) -> Result<Vec<Target>, Error> {
    let table_ids = distinct(chosen.iter().map(|chosen| chosen.binding.table_id));
    let tables: HashMap<TableId, Table> =
        store::table::list_by_ids(tx, &table_ids).await?.into_iter().map(|table| (table.id, table)).collect();
    let contract_ids = distinct(chosen.iter().map(|chosen| chosen.binding.contract_id));
    let current: HashMap<_, contract::Version> = store::contract::list_current(tx, &contract_ids)
        .await?
        .into_iter()
        .map(|version| ((version.contract_id, version.version.major), version))
        .collect();
    let targets = chosen.into_iter().map(|chosen| {
        let table = tables.get(&chosen.binding.table_id).cloned().ok_or(Error::NotFound(Noun::Table))?;
        let version = current.get(&(chosen.binding.contract_id, chosen.binding.major)).cloned();
        Ok(assembled(chosen, ports, table, version))
    });
    targets.collect()
}

fn assembled(chosen: Chosen, ports: &[Port], table: Table, version: Option<contract::Version>) -> Target {
    let Chosen { known, port_major, binding } = chosen;
    let leading = ports.iter().filter(|port| leads(port, &binding));
    let port_majors = leading.map(|port| port.port_major.clone()).collect();
    Target { known, binding, table, port_major, port_majors, version }
}

/// Whether a port leads to a binding.
fn leads(port: &Port, binding: &Binding) -> bool {
    (port.contract_id, port.contract_major) == (binding.contract_id, binding.major)
}

async fn oldest_active<'a>(
    tx: &mut Tx,
    found: &[(&'a Port, &'a Binding)],
) -> Result<Option<(&'a Port, &'a Binding)>, Error> {
    for (port, binding) in found {
        let version = store::contract::find_current(tx, port.contract_id, port.contract_major).await?;
        if version.is_some_and(|version| matches!(version.state, State::Active { .. })) {
            return Ok(Some((port, binding)));
        }
    }
    Ok(found.first().copied())
}

pub(crate) async fn visible_product(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    domain: &DomainPath,
    product: &Name,
) -> Result<Option<Known>, Error> {
    let Some(domain) = store::org::find_by_path(tx, domain).await? else { return Ok(None) };
    let Some(product) = store::product::find_by_name(tx, domain.id, product).await? else { return Ok(None) };
    let known = Known { product, domain };
    let may = app.allows(actor, Action::ViewProduct, &Resource::Product(known.policy()));
    Ok(may.then_some(known))
}

pub(crate) async fn resolve_port(ctx: &Ctx, tx: &mut Tx, target: &PortTarget) -> Result<(Known, ResolvedPort), Error> {
    match target {
        PortTarget::Table(address) => {
            let target = resolve(&ctx.app, tx, &ctx.actor, address).await?.ok_or(Error::NotFound(Noun::Table))?;
            let port = store::product::find_port(tx, &target.port_major).await?.ok_or(Error::NotFound(Noun::Port))?;
            Ok((target.known, port.into()))
        }
        PortTarget::Port { domain, product, port, major } => {
            let known = visible_product(&ctx.app, tx, &ctx.actor, domain, product).await?;
            let known = known.ok_or(Error::NotFound(Noun::Product))?;
            let ports = store::product::list_ports_of_products(tx, &[known.product.id]).await?;
            let named = ports.into_iter().filter(|found| found.port_major.port == *port);
            let fitting = named.filter(|found| major.is_none_or(|major| major == found.port_major.major));
            let newest = fitting.max_by_key(|found| found.port_major.major).ok_or(Error::NotFound(Noun::Port))?;
            Ok((known, newest.into()))
        }
    }
}

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
    let contract_ids = distinct(bindings.iter().map(|binding| binding.contract_id));
    let contracts = store::contract::list_by_ids(&mut tx, &contract_ids).await?;
    let product_ids = distinct(contracts.iter().map(|contract| contract.product_id));
    let visible = crate::product::visible(ctx, &mut tx, &product_ids).await?;
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
    let contract_ids = distinct(ports.iter().map(|port| port.contract_id));
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

/// A table's snapshots, the newest first. The caller may know of the target.
///
/// # Errors
/// Those of any use case.
pub async fn list_snapshots(ctx: &Ctx, table_id: TableId, seek: &Seek<i64>) -> Result<Page<Snapshot>, Error> {
    let mut tx = ctx.app.db.read().await?;
    Ok(store::table::list_snapshots(&mut tx, table_id, seek).await?)
}

/// Snapshots by their ids. The caller may know of their table.
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
    ctx.authorize(Action::InspectTable, &target.resource(), "have this table inspected")?;
    if let Err(error) = look(&ctx.app, &target.table).await? {
        let problem = match may_view_detail(ctx, &target) {
            true => error.to_string(),
            false => "the table's folder holds no table yet".to_owned(),
        };
        return Err(Conflict::TableUnreadable(problem).into());
    }
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    if idempotency::find::<BindingId>(ctx, &mut tx, key.as_ref()).await?.is_none() {
        let errored = match head(&mut tx, target.table.id).await? {
            Some(head) => store::table::set_pending(&mut tx, head.id).await?,
            None => false,
        };
        let job = if errored { Job::Reinspect(target.table.id) } else { Job::Inspect(target.table.id) };
        jobs::push(&ctx.app, &mut tx, job).await?;
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

/// Looks at the names in a table's folder and notices a new snapshot. The outer error is the database's.
pub(crate) async fn look(app: &Arc<App>, table: &Table) -> Result<Result<(), lake::Error>, Error> {
    let now = app.now();
    let (lake, location, format) = (app.lake.clone(), table.location.clone(), table.format);
    let newest = tokio::task::spawn_blocking(move || lake.newest(&location, format)).await.map_err(Error::internal)?;
    lock(&app.looks).insert(table.id, now);
    let newest = match newest {
        Ok(newest) => newest,
        Err(error) => return Ok(Err(error)),
    };
    notice(app, table.id, newest, now).await?;
    Ok(Ok(()))
}

/// Looks only if the last look is older than the setting `probe`: what a decision does before it decides.
pub(crate) async fn probe(app: &Arc<App>, table: &Table, head: Option<&SnapshotKey>) -> Result<(), Error> {
    let now = app.now();
    let fresh = lock(&app.looks).get(&table.id).is_some_and(|at| now.since(*at) <= app.settings.probe);
    if fresh {
        return Ok(());
    }
    if let (Format::Delta, Some(SnapshotKey::DeltaVersion(version))) = (table.format, head) {
        // One name tells whether there is a newer version; the poll finds what this does not.
        let (lake, location, next) = (app.lake.clone(), table.location.clone(), version.saturating_add(1));
        let grown = tokio::task::spawn_blocking(move || lake.has_delta_entry(&location, next)).await;
        if matches!(grown, Ok(Ok(false))) {
            lock(&app.looks).insert(table.id, now);
            return Ok(());
        }
    }
    // A folder that cannot be listed changes nothing here: what is served is pinned and was inspected.
    if let Err(error) = look(app, table).await? {
        tracing::warn!(table.id = %table.id, %error, "table not looked at");
    }
    Ok(())
}

async fn notice(app: &Arc<App>, table_id: TableId, newest: SnapshotKey, now: Timestamp) -> Result<(), Error> {
    {
        let mut tx = app.db.read().await?;
        let head = head(&mut tx, table_id).await?;
        if head.is_some_and(|head| head.key == newest && head.state != SnapshotState::Pending) {
            return Ok(());
        }
    }

    let mut tx = app.db.write(Lock::Facts).await?;
    let head = head(&mut tx, table_id).await?;
    match (&head, store::table::find_snapshot_by_key(&mut tx, table_id, &newest).await?) {
        // It waits still: its job may have been given up, and one that is in line already stands for this one.
        (Some(head), Some(known)) if head.id == known.id => {
            if head.state != SnapshotState::Pending {
                return Ok(());
            }
            jobs::push(app, &mut tx, Job::Inspect(table_id)).await?;
        }
        (Some(head), _) if is_older(&newest, &head.key) && head.state != SnapshotState::Error => {
            // The log lost entries. Looking at the head again tells whether it is still there; if it is not, the next
            // look goes back to what is.
            jobs::push(app, &mut tx, Job::Reinspect(table_id)).await?;
        }
        (_, Some(known)) => {
            store::table::set_head(&mut tx, table_id, known.id).await?;
            jobs::push(app, &mut tx, Job::Inspect(table_id)).await?;
            let event =
                Event::done(audit::Action::SnapshotReturn, ResourceKind::Table, table_id, &known.key.to_string());
            audit::append_as(app, &mut tx, jobs::SERVER.to_owned(), "", event).await?;
        }
        (_, None) => {
            let id = SnapshotId::new(app.clock.as_ref(), app.random.as_ref());
            let key = newest.to_string();
            store::table::notice(&mut tx, id, table_id, newest, now).await?;
            jobs::push(app, &mut tx, Job::Inspect(table_id)).await?;
            let event = Event::done(audit::Action::SnapshotNotice, ResourceKind::Table, table_id, &key);
            audit::append_as(app, &mut tx, jobs::SERVER.to_owned(), "", event).await?;
        }
    }
    tx.commit().await?;
    app.work.notify_waiters();
    Ok(())
}

fn is_older(newest: &SnapshotKey, head: &SnapshotKey) -> bool {
    match (newest, head) {
        (SnapshotKey::DeltaVersion(newest), SnapshotKey::DeltaVersion(head)) => newest < head,
        _ => false,
    }
}

pub(crate) async fn head(tx: &mut Tx, table_id: TableId) -> Result<Option<Snapshot>, Error> {
    match store::table::get(tx, table_id).await?.head {
        Some(head) => Ok(store::table::find_snapshot(tx, head).await?),
        None => Ok(None),
    }
}

/// A new id for a job.
pub(crate) fn job_id(app: &App) -> JobId {
    JobId::new(app.clock.as_ref(), app.random.as_ref())
}
