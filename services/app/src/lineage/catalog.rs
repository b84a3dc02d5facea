//! The tables of the catalog as lineage knows them: their products, contracts and names.

use std::collections::{HashMap, HashSet};

use domain::id::{ContractId, ProductId, TableId};
use domain::name::Address;
use domain::product::Port;
use itertools::Itertools as _;
use lineage::resolve::Directory;
use store::binding::Bound;

use crate::product_in_domain::ProductInDomain;

/// All products and bound tables at one moment.
pub(crate) struct Catalog {
    pub(super) products: HashMap<ProductId, ProductInDomain>,
    bound: Vec<Bound>,
    of_table: HashMap<TableId, Vec<usize>>,
    of_contract: HashMap<ContractId, Vec<usize>>,
    /// By the `id` in documents.
    of_document: HashMap<String, Vec<usize>>,
    of_product: HashMap<ProductId, Vec<usize>>,
    pub(super) ports: HashMap<ProductId, Vec<Port>>,
    pub(super) directory: Directory,
}

impl Catalog {
    /// Of these products, tables, ports and names of tables.
    pub(super) fn new(
        products: HashMap<ProductId, ProductInDomain>,
        bound: Vec<Bound>,
        ports: Vec<Port>,
        directory: Directory,
    ) -> Self {
        let places = || bound.iter().enumerate();
        Self {
            of_table: places().map(|(place, bound)| (bound.table_id, place)).into_group_map(),
            of_contract: places().map(|(place, bound)| (bound.contract_id, place)).into_group_map(),
            of_document: places().map(|(place, bound)| (bound.document_id.clone(), place)).into_group_map(),
            of_product: places().map(|(place, bound)| (bound.product_id, place)).into_group_map(),
            ports: ports.into_iter().into_group_map_by(|port| port.port_major.product_id),
            products,
            bound,
            directory,
        }
    }

    /// Whether the names of tables mean the same.
    pub(super) fn has_same_names(&self, other: &Self) -> bool {
        let names =
            |catalog: &Self| catalog.bound.iter().map(|bound| (bound.table_id, bound.location.clone())).collect();
        let (own, others): (HashSet<_>, HashSet<_>) = (names(self), names(other));
        own == others
    }

    /// The tables that contracts of this document id are bound to, in one of their majors or all.
    pub(super) fn tables_of_document(&self, id: &str, major: Option<u64>) -> impl Iterator<Item = &Bound> {
        self.at(self.of_document.get(id)).filter(move |bound| major.is_none_or(|major| major == bound.major))
    }

    pub(super) fn tables_of_contract(&self, id: ContractId, major: u64) -> impl Iterator<Item = &Bound> {
        self.at(self.of_contract.get(&id)).filter(move |bound| bound.major == major)
    }

    pub(super) fn tables_of_product(&self, id: ProductId) -> impl Iterator<Item = &Bound> {
        self.at(self.of_product.get(&id))
    }

    /// What a table is bound to.
    pub(super) fn bindings_of(&self, table: TableId) -> impl Iterator<Item = &Bound> {
        self.at(self.of_table.get(&table))
    }

    /// The tables that an address means, of whatever major if it names none.
    pub(super) fn tables_at(&self, address: &Address) -> impl Iterator<Item = &Bound> {
        let product = self
            .products
            .values()
            .find(move |known| known.product.name == address.product && known.domain.path == address.domain);
        let of_product = product.into_iter().flat_map(|known| self.tables_of_product(known.product.id));
        of_product.filter(move |bound| {
            bound.object == address.table && address.major.is_none_or(|major| self.is_port_major(bound, major))
        })
    }

    fn is_port_major(&self, bound: &Bound, major: u64) -> bool {
        self.ports_to(bound).any(|port| port.port_major.major == major)
    }

    /// The ports of its product that lead to a table.
    pub(super) fn ports_to<'a>(&'a self, bound: &'a Bound) -> impl Iterator<Item = &'a Port> {
        let ports = self.ports.get(&bound.product_id).into_iter().flatten();
        ports.filter(|port| (port.contract_id, port.contract_major) == (bound.contract_id, bound.major))
    }

    fn at<'a>(&'a self, places: Option<&'a Vec<usize>>) -> impl Iterator<Item = &'a Bound> {
        places.into_iter().flatten().filter_map(|place| self.bound.get(*place))
    }
}
