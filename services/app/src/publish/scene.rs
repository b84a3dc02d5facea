//! What is registered in the domains of a set.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::contract::State;
use domain::id::{ContractId, ProductId};
use domain::name::{DomainPath, Name};
use domain::org::Domain;
use policy::{Action, Resource};
use store::contract::{Contract, ContractVersion};
use store::product::{Port, Product};
use store::{Seek, Tx};

use super::set::{Entry, Set};
use super::{ChangeKind, DocumentChange, DocumentKind, DocumentSet, Report};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::paging::MAX_PAGE;

/// The domains of a set as they are before it.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) domains: BTreeMap<DomainPath, DomainScene>,
}

/// One domain as it is before the set.
#[derive(Debug)]
pub(super) struct DomainScene {
    pub(super) domain: Domain,
    pub(super) products: Vec<Product>,
    /// Those that the caller may not know of: to him their names are taken by nobody he could name.
    pub(super) hidden: BTreeSet<ProductId>,
    pub(super) contracts: Vec<Contract>,
    /// The versions of the contracts that the set can touch, the oldest first.
    pub(super) versions: HashMap<ContractId, Vec<ContractVersion>>,
    /// The ports of the products that the set can touch.
    pub(super) ports: Vec<Port>,
}

impl Scene {
    /// Loads the domains of the set, each after the policy allowed to publish in it.
    pub(super) async fn load(
        ctx: &Ctx,
        tx: &mut Tx,
        command: &DocumentSet,
        set: &Set,
        action: Action,
    ) -> Result<Self, Error> {
        let named =
            set.products.iter().map(|entry| &entry.domain).chain(set.contracts.iter().map(|entry| &entry.domain));
        let paths: BTreeSet<&DomainPath> = named.chain(&command.domain).collect();
        let mut domains = BTreeMap::new();
        for path in paths {
            let domain = crate::org::get(tx, path).await?;
            ctx.authorize(action, &Resource::Domain(path), &format!("publish in domain `{path}`"))?;
            domains.insert(path.clone(), DomainScene::load(ctx, tx, domain, set, command.prune).await?);
        }
        Ok(Self { domains })
    }

    pub(super) fn of(&self, domain: &DomainPath) -> Result<&DomainScene, Error> {
        self.domains.get(domain).ok_or_else(|| Error::internal("a document's domain was not loaded"))
    }

    /// The answer to a set that was applied before: where each of its documents stands now.
    pub(super) fn replayed(&self, set: Set) -> Report {
        let mut changes = Vec::new();
        for entry in &set.products {
            let product =
                self.domains.get(&entry.domain).and_then(|scene| scene.find_product(&entry.model.document_id));
            let (name, state) = (entry.model.slug.to_string(), product.map(|product| product.state.as_str()));
            changes.push((entry.place, unchanged(DocumentKind::Product, entry, name, state)));
        }
        for entry in &set.contracts {
            let contract = &entry.model.contract;
            let found = self.domains.get(&entry.domain).and_then(|scene| {
                let named = scene.contracts.iter().filter(|found| found.document_id == contract.document_id);
                let mut versions = named.filter_map(|found| scene.versions.get(&found.id)).flatten();
                versions.find(|found| found.version == contract.version)
            });
            let (name, state) = (contract.document_id.clone(), found.map(|found| found.state.as_str()));
            let mut change = unchanged(DocumentKind::Contract, entry, name, state);
            change.version = Some(contract.version);
            if let Some(State::Draft { reasons }) = found.map(|found| &found.state) {
                change.reasons.clone_from(reasons);
            }
            changes.push((entry.place, change));
        }
        changes.sort_by_key(|(place, _)| *place);
        Report { changes: changes.into_iter().map(|(_, change)| change).collect(), warnings: set.warnings }
    }
}

fn unchanged<T>(kind: DocumentKind, entry: &Entry<T>, name: String, state: Option<&str>) -> DocumentChange {
    DocumentChange {
        kind,
        document: entry.path.clone(),
        name,
        version: None,
        change: ChangeKind::Unchanged,
        state: state.unwrap_or_default().to_owned(),
        findings: Vec::new(),
        bump: None,
        reasons: Vec::new(),
    }
}

impl DomainScene {
    async fn load(ctx: &Ctx, tx: &mut Tx, domain: Domain, set: &Set, prune: bool) -> Result<Self, Error> {
        let products = products_of(tx, &domain).await?;
        let ids: Vec<ProductId> = products.iter().map(|product| product.id).collect();
        let contracts = store::contract::list_of_products(tx, &ids).await?;
        let hidden = products.iter().filter(|product| !ctx.may_view(&resource(product, &domain.path)));
        let hidden = hidden.map(|product| product.id).collect();

        // Versions bring their documents along, so only those that the set can touch are loaded.
        let in_set = set.products.iter().filter(|entry| entry.domain == domain.path);
        let mut document_ids: BTreeSet<&str> =
            set.contracts.iter().map(|entry| entry.model.contract.document_id.as_str()).collect();
        let named: Vec<&str> =
            set.contracts.iter().filter_map(|entry| entry.model.contract.data_product.as_deref()).collect();
        let mut product_ids: BTreeSet<&str> = BTreeSet::new();
        for entry in in_set {
            product_ids.insert(&entry.model.document_id);
            document_ids.extend(entry.model.output_ports.iter().filter_map(|port| port.contract_id.as_deref()));
        }
        let owners: BTreeSet<ProductId> = contracts
            .iter()
            .filter(|contract| document_ids.contains(contract.document_id.as_str()))
            .map(|contract| contract.product_id)
            .chain(
                products
                    .iter()
                    .filter(|product| {
                        prune
                            || product_ids.contains(product.document_id.as_str())
                            || named.iter().any(|name| is_called(product, name))
                    })
                    .map(|product| product.id),
            )
            .collect();
        let touched: Vec<ContractId> = contracts
            .iter()
            .filter(|contract| owners.contains(&contract.product_id))
            .map(|contract| contract.id)
            .collect();
        let mut versions: HashMap<ContractId, Vec<ContractVersion>> = HashMap::new();
        for version in store::contract::list_versions_of_contracts(tx, &touched).await? {
            versions.entry(version.contract_id).or_default().push(version);
        }
        for versions in versions.values_mut() {
            versions.sort_by_key(|version| version.version);
        }
        let owners: Vec<ProductId> = owners.into_iter().collect();
        let ports = store::product::list_ports_of_products(tx, &owners).await?;
        Ok(Self { domain, products, hidden, contracts, versions, ports })
    }

    pub(super) fn find_product(&self, document_id: &str) -> Option<&Product> {
        self.products.iter().find(|product| product.document_id == document_id)
    }

    pub(super) fn find_contract(&self, product_id: ProductId, document_id: &str) -> Option<&Contract> {
        self.contracts.iter().find(|contract| contract.product_id == product_id && contract.document_id == document_id)
    }

    /// A contract's versions, the oldest first.
    pub(super) fn versions_of(&self, id: ContractId) -> &[ContractVersion] {
        self.versions.get(&id).map_or(&[], Vec::as_slice)
    }
}

/// Whether a contract's `dataProduct` means this product: by its name in addresses, its document's id or its title.
pub(super) fn is_called(product: &Product, name: &str) -> bool {
    product.document_id == name
        || product.title.as_deref() == Some(name)
        || Name::slug(name).is_ok_and(|name| name == product.name)
}

/// A product as the policy sees it.
pub(super) fn resource<'a>(product: &Product, domain: &'a DomainPath) -> policy::Product<'a> {
    policy::Product { id: product.id, domain, classification: product.classification }
}

async fn products_of(tx: &mut Tx, domain: &Domain) -> Result<Vec<Product>, Error> {
    let mut products = Vec::new();
    let mut seek = Seek::first(MAX_PAGE);
    loop {
        let page = store::product::list_of_domain(tx, domain.id, &seek).await?;
        seek.after = page.items.last().map(|product| product.name.clone());
        products.extend(page.items);
        if !page.has_more {
            return Ok(products);
        }
    }
}
