//! What is registered in the domains of a set: what its documents name, so that a large domain costs a small set nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::contract::{self, Contract, State};
use domain::grant::PortMajor;
use domain::id::{ContractId, ProductId};
use domain::name::{DomainPath, Name};
use domain::org::Domain;
use domain::overrides::Override;
use domain::product::{Port, Product};
use policy::{Action, Resource};
use store::{Seek, Tx};

use super::model::{ChangeKind, DocumentChange, DocumentKind, DocumentSet, Report};
use super::set::{Entry, Set};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::overrides::standing;
use crate::paging::MAX_PAGE;

/// The domains of a set as they are before it.
#[derive(Debug)]
pub(super) struct PublishState {
    pub(super) domains: BTreeMap<DomainPath, DomainState>,
}

/// One domain as it is before the set. Of its products there are those that the set can touch or collide with: by id, by
/// name, as what a contract's `dataProduct` means, or as the owner of a contract of that id; all of them where the set is
/// pruned. Of these everything is there.
#[derive(Debug)]
pub(super) struct DomainState {
    pub(super) domain: Domain,
    pub(super) products: BTreeMap<ProductId, Product>,
    /// Those that the caller may not know of, and must not learn who has their names.
    pub(super) hidden: HashSet<ProductId>,
    contracts: BTreeMap<(ProductId, String), Contract>,
    owners: HashMap<String, Vec<ProductId>>,
    product_ids: HashMap<String, ProductId>,
    names: HashMap<Name, ProductId>,
    /// The contracts' versions, the oldest first.
    versions: HashMap<ContractId, Vec<contract::Version>>,
    pub(super) ports: HashMap<PortMajor, Port>,
    /// The contracts' overrides that stand, and that another person signed than publishes.
    pub(super) overrides: Vec<Override>,
    /// Those that are valid but were signed by the publisher: they count for others only.
    pub(super) own_overrides: Vec<Override>,
}

impl PublishState {
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
            domains.insert(path.clone(), DomainState::load(ctx, tx, domain, set, command.prune).await?);
        }
        Ok(Self { domains })
    }

    pub(super) fn domain(&self, domain: &DomainPath) -> Result<&DomainState, Error> {
        self.domains.get(domain).ok_or_else(|| Error::internal("a document's domain was not loaded"))
    }

    /// The answer to a set that was applied before: the present state of each of its documents.
    pub(super) fn replayed(&self, set: Set) -> Report {
        let mut changes = Vec::new();
        for entry in &set.products {
            let product =
                self.domains.get(&entry.domain).and_then(|domain| domain.find_product(&entry.model.document_id));
            let (name, state) = (entry.model.slug.to_string(), product.map(|product| product.state.as_str()));
            changes.push((entry.place, unchanged(DocumentKind::Product, entry, name, state)));
        }
        for entry in &set.contracts {
            let contract = &entry.model.contract;
            let found = self.domains.get(&entry.domain).and_then(|domain| {
                let owners = domain.owners_of(&contract.document_id).iter();
                let named = owners.filter_map(|owner| domain.find_contract(*owner, &contract.document_id));
                let mut versions = named.flat_map(|found| domain.versions_of(found.id));
                versions.find(|found| found.version == contract.version)
            });
            let (name, state) = (contract.document_id.clone(), found.map(|found| found.state.as_str()));
            let mut change = unchanged(DocumentKind::Contract, entry, name, state);
            change.version = Some(contract.version);
            if let Some(State::Draft { reasons, .. }) = found.map(|found| &found.state) {
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
        breaking: None,
        bump: None,
        reasons: Vec::new(),
    }
}

impl DomainState {
    async fn load(ctx: &Ctx, tx: &mut Tx, domain: Domain, set: &Set, prune: bool) -> Result<Self, Error> {
        let products: BTreeMap<ProductId, Product> = match prune {
            true => products_of(tx, &domain).await?,
            false => products_named(tx, &domain, set).await?,
        };
        let hidden = products.values().filter(|product| !ctx.may_view(&resource(product, &domain.path)));
        let hidden = hidden.map(|product| product.id).collect();
        let ids: Vec<ProductId> = products.keys().copied().collect();
        let mut contracts = BTreeMap::new();
        let mut owners: HashMap<String, Vec<ProductId>> = HashMap::new();
        for contract in store::contract::list_of_products(tx, &ids).await? {
            owners.entry(contract.document_id.clone()).or_default().push(contract.product_id);
            contracts.insert((contract.product_id, contract.document_id.clone()), contract);
        }
        let contract_ids: Vec<ContractId> = contracts.values().map(|contract| contract.id).collect();
        let mut versions: HashMap<ContractId, Vec<contract::Version>> = HashMap::new();
        for version in store::contract::list_versions_of_contracts(tx, &contract_ids).await? {
            versions.entry(version.contract_id).or_default().push(version);
        }
        for versions in versions.values_mut() {
            versions.sort_by_key(|version| version.version);
        }
        let ports = store::product::list_ports_of_products(tx, &ids).await?;
        let mut overrides = standing::list_verified(&ctx.app, tx, &contract_ids).await?;
        overrides.retain(|signed| signed.stands(ctx.now()));
        let (overrides, own_overrides) = standing::split_by_signer(tx, ctx.actor.principal.id, overrides).await?;
        Ok(Self {
            product_ids: products.values().map(|product| (product.document_id.clone(), product.id)).collect(),
            names: products.values().map(|product| (product.name.clone(), product.id)).collect(),
            ports: ports.into_iter().map(|port| (port.port_major.clone(), port)).collect(),
            domain,
            products,
            hidden,
            contracts,
            owners,
            versions,
            overrides,
            own_overrides,
        })
    }

    pub(super) fn find_product(&self, document_id: &str) -> Option<&Product> {
        self.products.get(self.product_ids.get(document_id)?)
    }

    pub(super) fn find_product_by_name(&self, name: &Name) -> Option<&Product> {
        self.products.get(self.names.get(name)?)
    }

    pub(super) fn find_contract(&self, product_id: ProductId, document_id: &str) -> Option<&Contract> {
        self.contracts.get(&(product_id, document_id.to_owned()))
    }

    /// The products that have a contract of this document id.
    pub(super) fn owners_of(&self, document_id: &str) -> &[ProductId] {
        self.owners.get(document_id).map_or(&[], Vec::as_slice)
    }

    /// The contracts of all products that were loaded.
    pub(super) fn contracts(&self) -> impl Iterator<Item = &Contract> {
        self.contracts.values()
    }

    /// A product's contracts.
    pub(super) fn contracts_of(&self, id: ProductId) -> impl Iterator<Item = &Contract> {
        let of_product = self.contracts.range((id, String::new())..);
        of_product.map(|(_, contract)| contract).take_while(move |contract| contract.product_id == id)
    }

    /// A contract's versions, the oldest first.
    pub(super) fn versions_of(&self, id: ContractId) -> &[contract::Version] {
        self.versions.get(&id).map_or(&[], Vec::as_slice)
    }
}

/// Whether a contract's `dataProduct` means this product: by its name in addresses, its document's id or its title.
/// `slug` is the name that the word would be in addresses.
pub(super) fn is_called(product: &Product, word: &str, slug: Option<&Name>) -> bool {
    product.document_id == word || product.title.as_deref() == Some(word) || slug == Some(&product.name)
}

/// A product as the policy sees it.
pub(super) fn resource<'a>(product: &Product, domain: &'a DomainPath) -> policy::Product<'a> {
    policy::Product { id: product.id, domain, classification: product.classification }
}

async fn products_of(tx: &mut Tx, domain: &Domain) -> Result<BTreeMap<ProductId, Product>, Error> {
    let mut products = BTreeMap::new();
    let mut seek = Seek::first(MAX_PAGE);
    loop {
        let page = store::product::list_of_domain(tx, domain.id, &seek).await?;
        seek.after = page.items.last().map(|product| product.name.clone());
        products.extend(page.items.into_iter().map(|product| (product.id, product)));
        if !page.has_more {
            return Ok(products);
        }
    }
}

/// The domain's products that the set names, and those that have one of its contracts.
async fn products_named(tx: &mut Tx, domain: &Domain, set: &Set) -> Result<BTreeMap<ProductId, Product>, Error> {
    let (mut document_ids, mut names) = (BTreeSet::new(), BTreeSet::new());
    let (mut titles, mut contract_ids) = (BTreeSet::new(), BTreeSet::new());
    for entry in set.products.iter().filter(|entry| entry.domain == domain.path) {
        document_ids.insert(entry.model.document_id.as_str());
        names.insert(entry.model.slug.clone());
    }
    for entry in set.contracts.iter().filter(|entry| entry.domain == domain.path) {
        contract_ids.insert(entry.model.contract.document_id.as_str());
        if let Some(word) = entry.model.contract.data_product.as_deref() {
            document_ids.insert(word);
            titles.insert(word);
            names.extend(Name::slug(word).ok());
        }
    }
    let document_ids: Vec<&str> = document_ids.into_iter().collect();
    let names: Vec<&str> = names.iter().map(Name::as_str).collect();
    let titles: Vec<&str> = titles.into_iter().collect();
    let contract_ids: Vec<&str> = contract_ids.into_iter().collect();
    let mut products = store::product::list_by_document_ids(tx, domain.id, &document_ids).await?;
    products.extend(store::product::list_by_names(tx, domain.id, &names).await?);
    products.extend(store::product::list_by_titles(tx, domain.id, &titles).await?);
    products.extend(store::product::list_with_contracts(tx, domain.id, &contract_ids).await?);
    Ok(products.into_iter().map(|product| (product.id, product)).collect())
}
