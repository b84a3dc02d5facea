//! What an address means to a caller: product, port major, binding and table.

use std::collections::HashMap;

use domain::binding::Binding;
use domain::contract::{self, SERVING_ENVIRONMENT, State};
use domain::grant::PortMajor;
use domain::id::{BindingId, TableId};
use domain::name::{Address, DomainPath, Name};
use domain::product::Port;
use domain::table::Table;
use itertools::Itertools as _;
use policy::{Action, Resource};
use store::Tx;

use crate::actor::Actor;
use crate::ctx::{App, Ctx};
use crate::error::{Error, Noun};
use crate::missing::Missing;
use crate::product_in_domain::{self, ProductInDomain};
use crate::target::{PortTarget, Target};

/// Finds what an address means to a caller: the newest major that its grants cover, and without a grant the oldest
/// active one (docs/design.md, Terms). `None` for what does not exist and for what the caller may not know of.
pub(crate) async fn resolve(app: &App, tx: &mut Tx, actor: &Actor, address: &Address) -> Result<Option<Target>, Error> {
    let Some(known) = visible_product(app, tx, actor, &address.domain, &address.product).await? else {
        return Ok(None);
    };
    let mut found = Vec::new();
    let ports = store::product::list_ports_of_products(tx, &[known.product.id]).await?;
    let contract_ids = ports.iter().map(|port| port.contract_id).unique().collect_vec();
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

pub(crate) async fn resolve_port(
    ctx: &Ctx,
    tx: &mut Tx,
    target: &PortTarget,
) -> Result<(ProductInDomain, PortMajor), Error> {
    match target {
        PortTarget::Table(address) => {
            let target = resolve(&ctx.app, tx, &ctx.actor, address).await?.ok_or(Error::NotFound(Noun::Table))?;
            Ok((target.known, target.port_major))
        }
        PortTarget::Port { domain, product, port, major } => {
            let known = visible_product(&ctx.app, tx, &ctx.actor, domain, product).await?;
            let known = known.ok_or(Error::NotFound(Noun::Product))?;
            let ports = store::product::list_ports_of_products(tx, &[known.product.id]).await?;
            let named = ports.into_iter().filter(|found| found.port_major.port == *port);
            let fitting = named.filter(|found| major.is_none_or(|major| major == found.port_major.major));
            let newest = fitting.max_by_key(|found| found.port_major.major).ok_or(Error::NotFound(Noun::Port))?;
            Ok((known, newest.port_major))
        }
    }
}

pub(crate) async fn visible_product(
    app: &App,
    tx: &mut Tx,
    actor: &Actor,
    domain: &DomainPath,
    product: &Name,
) -> Result<Option<ProductInDomain>, Error> {
    let Some(domain) = store::org::find_by_path(tx, domain).await? else { return Ok(None) };
    let Some(product) = store::product::find_by_name(tx, domain.id, product).await? else {
        app.judge_missing(actor, Action::ViewProduct, Missing::Product, 1);
        return Ok(None);
    };
    let known = ProductInDomain { product, domain };
    let may = app.allows(actor, Action::ViewProduct, &Resource::Product(known.policy()));
    Ok(may.then_some(known))
}

/// What a binding means, whoever asks: through the oldest port that leads to it. `None` if it is gone, or no port leads to
/// it.
pub(crate) async fn of_binding(tx: &mut Tx, id: BindingId) -> Result<Option<Target>, Error> {
    let Some(binding) = store::binding::find(tx, id).await? else { return Ok(None) };
    let contract = store::contract::get(tx, binding.contract_id).await?;
    let ports = store::product::list_ports_of_contracts(tx, &[contract.id]).await?;
    let leading = ports.iter().filter(|port| leads(port, &binding));
    let Some(oldest) = leading.min_by_key(|port| port.port_major.major) else { return Ok(None) };
    let known = product_in_domain::get(tx, contract.product_id).await?;
    target(tx, known, &ports, oldest.port_major.clone(), binding).await.map(Some)
}

/// The targets of bindings, with one query for all that each kind of part needs.
pub(super) async fn targets(tx: &mut Tx, chosen: Vec<Chosen>, ports: &[Port]) -> Result<Vec<Target>, Error> {
    let table_ids = chosen.iter().map(|chosen| chosen.binding.table_id).unique().collect_vec();
    let tables: HashMap<TableId, Table> =
        store::table::list_by_ids(tx, &table_ids).await?.into_iter().map(|table| (table.id, table)).collect();
    let contract_ids = chosen.iter().map(|chosen| chosen.binding.contract_id).unique().collect_vec();
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

async fn target(
    tx: &mut Tx,
    known: ProductInDomain,
    ports: &[Port],
    port_major: PortMajor,
    binding: Binding,
) -> Result<Target, Error> {
    let table = store::table::get(tx, binding.table_id).await?;
    let version = store::contract::find_current(tx, binding.contract_id, binding.major).await?;
    Ok(assembled(Chosen { known, port_major, binding }, ports, table, version))
}

/// A binding, and the port major that it is reached through.
pub(super) struct Chosen {
    pub(super) known: ProductInDomain,
    pub(super) port_major: PortMajor,
    pub(super) binding: Binding,
}

fn assembled(chosen: Chosen, ports: &[Port], table: Table, version: Option<contract::Version>) -> Target {
    let Chosen { known, port_major, binding } = chosen;
    let leading = ports.iter().filter(|port| leads(port, &binding));
    let port_majors = leading.map(|port| port.port_major.clone()).collect();
    Target { known, binding, table, port_major, port_majors, version }
}

/// Whether a port leads to a binding.
pub(super) fn leads(port: &Port, binding: &Binding) -> bool {
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
