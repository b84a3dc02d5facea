//! Tables to which several products are bound: by what right each of them is, and how sensitive the data is.

use std::collections::HashMap;

use domain::contract::Classification;
use domain::grant::PortMajor;
use domain::id::{BindingId, PrincipalId, ProductId};
use domain::name::DomainPath;
use domain::product::{self, Product};
use domain::share::{self, BindingRight, Member, ShareRight};
use domain::table::Table;
use itertools::Itertools as _;
use policy::{Action, Resource};
use store::Tx;

use crate::actor::{Actor, Standing};
use crate::ctx::App;
use crate::error::Error;
use crate::product_in_domain::{self, ProductInDomain};

/// The products that are bound to one table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sharing {
    pub(crate) known: HashMap<ProductId, ProductInDomain>,
    pub(crate) members: Vec<Member>,
}

impl Sharing {
    /// Loads the products of a shared table. `None` for a table of one product, which costs no query.
    pub(crate) async fn load(app: &App, tx: &mut Tx, table: &Table) -> Result<Option<Self>, Error> {
        if !table.shared {
            return Ok(None);
        }
        let shares = store::share::list_of_table(tx, table.id).await?;
        let known = product_in_domain::load(tx, &shares.iter().map(|share| share.product_id).collect_vec()).await?;
        let owner = shares.iter().find(|share| share.right == ShareRight::Owner);
        let owner = owner.and_then(|owner| known.get(&owner.product_id));
        let mut members = Vec::with_capacity(shares.len());
        for share in &shares {
            let Some(ProductInDomain { product, .. }) = known.get(&share.product_id) else { continue };
            let consenter_may = match (share.right, owner) {
                (ShareRight::Consent { by, .. }, Some(owner)) => may_share(app, tx, by, owner).await?,
                (ShareRight::Owner | ShareRight::Consent { .. } | ShareRight::Ended, _) => false,
            };
            members.push(member(product, share.right, consenter_may));
        }
        Ok(Some(Self { known, members }))
    }

    /// The one product that is bound to a table which is not shared.
    pub(crate) fn of_one(known: ProductInDomain) -> Self {
        let members = vec![member(&known.product, ShareRight::Owner, false)];
        Self { known: HashMap::from([(known.product.id, known)]), members }
    }

    /// By what right the bindings of a product stand.
    pub(crate) fn right_of(&self, product_id: ProductId) -> BindingRight {
        share::right_of(&self.members, product_id)
    }

    /// The other products whose right to the table is valid.
    fn others(&self, product_id: ProductId) -> impl Iterator<Item = &ProductInDomain> {
        let others = self.members.iter().map(|member| member.product_id).filter(move |id| *id != product_id);
        others.filter(|id| self.right_of(*id) == BindingRight::Stands).filter_map(|id| self.known.get(&id))
    }

    /// How sensitive the table's data is, seen through a product: the highest of its live bindings, and never less than
    /// the product itself.
    pub(crate) fn classification(&self, product: &Product) -> Classification {
        share::classification(&self.members).into_iter().fold(product.classification, Classification::max)
    }
}

fn member(product: &Product, right: ShareRight, consenter_may: bool) -> Member {
    Member {
        product_id: product.id,
        right,
        consenter_may,
        is_retired: matches!(product.state, product::State::Retired { .. }),
        classification: product.classification,
    }
}

/// Whether a principal may share the tables of a product now.
async fn may_share(app: &App, tx: &mut Tx, id: PrincipalId, owner: &ProductInDomain) -> Result<bool, Error> {
    let Some(principal) = store::identity::find_principal(tx, id).await? else { return Ok(false) };
    let standing = Standing::load(tx, &principal, app.now()).await?;
    let enabled = standing.enabled;
    let actor = Actor::without_token(principal, standing.into(), app.now());
    Ok(enabled && app.allows(&actor, Action::ShareTable, &Resource::Product(owner.policy())))
}

/// By what right a binding stands.
pub(crate) async fn right_of_binding(
    app: &App,
    tx: &mut Tx,
    table: &Table,
    binding_id: BindingId,
) -> Result<BindingRight, Error> {
    let Some(sharing) = Sharing::load(app, tx, table).await? else { return Ok(BindingRight::Stands) };
    let Some(binding) = store::binding::find(tx, binding_id).await? else { return Ok(BindingRight::ConsentEnded) };
    let contract = store::contract::get(tx, binding.contract_id).await?;
    Ok(sharing.right_of(contract.product_id))
}

/// How sensitive the data behind a port major is: the highest of the product and of the tables that it leads to.
pub(crate) async fn classification_behind(
    app: &App,
    tx: &mut Tx,
    known: &ProductInDomain,
    port_major: &PortMajor,
) -> Result<Classification, Error> {
    let mut highest = known.product.classification;
    let Some(port) = store::product::find_port(tx, port_major).await? else { return Ok(highest) };
    let bindings = store::binding::list_of_major(tx, port.contract_id, port.contract_major).await?;
    let table_ids = bindings.iter().map(|binding| binding.table_id).unique().collect_vec();
    for table in store::table::list_by_ids(tx, &table_ids).await? {
        if let Some(sharing) = Sharing::load(app, tx, &table).await? {
            highest = highest.max(sharing.classification(&known.product));
        }
    }
    Ok(highest)
}

/// The domains of the other products with a valid right to the tables of grants, leases and decisions: their owners see
/// these and may revoke.
#[derive(Debug, Default)]
pub(crate) struct Sharers {
    by_binding: HashMap<BindingId, Vec<DomainPath>>,
    by_port: HashMap<PortMajor, Vec<DomainPath>>,
}

impl Sharers {
    /// Loads what concerns these products. Where none of them shares a table, it costs one query.
    pub(crate) async fn load(app: &App, tx: &mut Tx, product_ids: &[ProductId]) -> Result<Self, Error> {
        let shares = store::share::list_of_products(tx, product_ids).await?;
        if shares.is_empty() {
            return Ok(Self::default());
        }
        let table_ids = shares.iter().map(|share| share.table_id).unique().collect_vec();
        let mut sharing = HashMap::new();
        for table in store::table::list_by_ids(tx, &table_ids).await? {
            if let Some(of_table) = Sharing::load(app, tx, &table).await? {
                sharing.insert(table.id, of_table);
            }
        }
        let bindings = store::binding::list_of_tables(tx, &table_ids).await?;
        let contract_ids = bindings.iter().map(|binding| binding.contract_id).unique().collect_vec();
        let contracts = store::contract::list_by_ids(tx, &contract_ids).await?;
        let product_of: HashMap<_, _> =
            contracts.into_iter().map(|contract| (contract.id, contract.product_id)).collect();
        let ports = store::product::list_ports_of_contracts(tx, &contract_ids).await?;
        let mut sharers = Self::default();
        for binding in &bindings {
            let (Some(product_id), Some(sharing)) =
                (product_of.get(&binding.contract_id), sharing.get(&binding.table_id))
            else {
                continue;
            };
            let paths = sharing.others(*product_id).map(|other| other.domain.path.clone()).unique().collect_vec();
            for port in ports.iter().filter(|port| super::address::leads(port, binding)) {
                let of_port = sharers.by_port.entry(port.port_major.clone()).or_default();
                of_port.extend(paths.iter().cloned());
            }
            sharers.by_binding.insert(binding.id, paths);
        }
        Ok(sharers)
    }

    pub(crate) fn of_binding(&self, id: BindingId) -> &[DomainPath] {
        self.by_binding.get(&id).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn of_port(&self, port_major: &PortMajor) -> &[DomainPath] {
        self.by_port.get(port_major).map_or(&[], Vec::as_slice)
    }
}
