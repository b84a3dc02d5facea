//! What each document of a set is a document of: references inside the set and to what is registered.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::contract::{Contract, Wish};
use domain::grant::PortMajor;
use domain::id::{ContractId, ProductId};
use domain::name::{DomainPath, Name};
use domain::product::{self, State};

use super::model::Problem;
use super::set::{ContractEntry, Entry, Set};
use super::state::{DomainState, PublishState, is_called};
use crate::ctx::Ctx;

/// A set whose documents all have their place.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) products: Vec<ProductDocument>,
    /// One for each contract, in the order of their first documents.
    pub(super) contracts: Vec<ContractDocuments>,
}

/// A product's document, and the product as it will be. Its classification is that of its document alone so far.
#[derive(Debug)]
pub(super) struct ProductDocument {
    pub(super) entry: Entry<product::Document>,
    pub(super) old: Option<product::Product>,
    pub(super) new: product::Product,
}

/// A contract and its documents in the set, the oldest version first.
#[derive(Debug)]
pub(super) struct ContractDocuments {
    pub(super) contract: Contract,
    pub(super) is_new: bool,
    pub(super) domain: DomainPath,
    pub(super) entries: Vec<Entry<ContractEntry>>,
}

/// Assigns every document of the set to its product or contract, or reports every problem at once.
pub(super) fn resolve(ctx: &Ctx, state: &PublishState, set: Set) -> Result<Resolved, Vec<Problem>> {
    let mut resolving = Resolving { ctx, state, problems: Vec::new() };
    let products = resolving.products(set.products);
    let contracts = resolving.contracts(set.contracts, &products);
    resolving.ports(&products, &contracts);
    if resolving.problems.is_empty() { Ok(Resolved { products, contracts }) } else { Err(resolving.problems) }
}

struct Resolving<'a> {
    ctx: &'a Ctx,
    state: &'a PublishState,
    problems: Vec<Problem>,
}

impl<'a> Resolving<'a> {
    fn domain_of(&self, domain: &DomainPath) -> Option<&'a DomainState> {
        self.state.domains.get(domain)
    }

    fn products(&mut self, entries: Vec<Entry<product::Document>>) -> Vec<ProductDocument> {
        let mut ids: BTreeMap<(DomainPath, String), String> = BTreeMap::new();
        let mut slugs: BTreeMap<(DomainPath, String), String> = BTreeMap::new();
        let mut resolved = Vec::with_capacity(entries.len());
        for entry in entries {
            let Some(domain_state) = self.domain_of(&entry.domain) else { continue };
            let (id, slug) = (entry.model.document_id.clone(), entry.model.slug.to_string());
            if let Some(first) = ids.insert((entry.domain.clone(), id.clone()), entry.path.clone()) {
                let message = format!("the set contains product `{id}` twice: here and in `{first}`");
                self.problems.push(entry.problem("/id", message));
                continue;
            }
            if let Some(first) = slugs.insert((entry.domain.clone(), slug.clone()), entry.path.clone()) {
                let message = format!("the name `{slug}` is used by two products of the set: here and in `{first}`");
                self.problems.push(entry.problem("/name", message));
                continue;
            }
            resolved.extend(self.product(domain_state, entry));
        }
        resolved
    }

    fn product(&mut self, domain_state: &DomainState, entry: Entry<product::Document>) -> Option<ProductDocument> {
        let product::Document { document_id, slug, wish, .. } = &entry.model;
        let old = domain_state.find_product(document_id);
        // One message for a hidden and for a visible product: the caller must not learn which it is.
        if old.is_some_and(|old| domain_state.hidden.contains(&old.id)) {
            let message = format!("the id `{document_id}` is not available in domain `{}`", entry.domain);
            self.problems.push(entry.problem("/id", message));
            return None;
        }
        if domain_state.find_product_by_name(slug).is_some_and(|other| other.document_id != *document_id) {
            let message = format!(
                "the name `{slug}` is not available in domain `{}`: set the custom property `slug`",
                entry.domain
            );
            self.problems.push(entry.problem("/name", message));
            return None;
        }
        let now = self.ctx.now();
        let mut new = product::Product {
            id: ProductId::new(self.ctx.app.clock.as_ref(), self.ctx.app.random.as_ref()),
            domain_id: domain_state.domain.id,
            name: slug.clone(),
            document_id: document_id.clone(),
            title: entry.model.name.clone(),
            state: State::initial(wish, now),
            classification: entry.model.classification,
            digest: entry.document.digest.clone(),
            created_at: now,
            updated_at: now,
        };
        if let Some(old) = old {
            if old.name != *slug && !matches!(old.state, State::Proposed | State::Draft) {
                let message = format!(
                    "readers know the product as `{}`, so it cannot be renamed: \
                     set the custom property `slug` to that name",
                    old.name
                );
                self.problems.push(entry.problem("/name", message));
                return None;
            }
            new.state = match old.state.clone().follow(wish, now) {
                Ok(state) => state,
                Err(error) => {
                    self.problems.push(entry.problem("/status", error.to_string()));
                    return None;
                }
            };
            (new.id, new.created_at) = (old.id, old.created_at);
        }
        Some(ProductDocument { old: old.cloned(), new, entry })
    }

    fn contracts(
        &mut self,
        entries: Vec<Entry<ContractEntry>>,
        products: &[ProductDocument],
    ) -> Vec<ContractDocuments> {
        let in_set = ProductsOfSet::new(products);
        let mut places: HashMap<(ProductId, String), usize> = HashMap::new();
        let mut resolved: Vec<ContractDocuments> = Vec::new();
        for entry in entries {
            let Some(domain_state) = self.domain_of(&entry.domain) else { continue };
            let product_id = match in_set.owner(domain_state, &entry) {
                Ok(product_id) => product_id,
                Err(message) => {
                    self.problems.push(entry.problem("/id", message));
                    continue;
                }
            };
            let document_id = entry.model.contract.document_id.clone();
            let place = *places.entry((product_id, document_id.clone())).or_insert_with(|| {
                let old = domain_state.find_contract(product_id, &document_id);
                let new = || Contract {
                    id: ContractId::new(self.ctx.app.clock.as_ref(), self.ctx.app.random.as_ref()),
                    product_id,
                    document_id,
                    created_at: self.ctx.now(),
                };
                let (is_new, contract) = (old.is_none(), old.cloned().unwrap_or_else(new));
                resolved.push(ContractDocuments {
                    contract,
                    is_new,
                    domain: entry.domain.clone(),
                    entries: Vec::new(),
                });
                resolved.len() - 1
            });
            resolved[place].entries.push(entry);
        }
        for documents in &mut resolved {
            documents.entries.sort_by_key(|entry| entry.model.contract.version);
            for pair in documents.entries.windows(2) {
                let [first, second] = pair else { continue };
                let version = second.model.contract.version;
                if first.model.contract.version == version {
                    let message = format!("the set contains version {version} twice: here and in `{}`", first.path);
                    self.problems.push(second.problem("/version", message));
                }
            }
        }
        resolved
    }

    /// Every contract that an output port names is one of the product's, and a tie that was made stays.
    fn ports(&mut self, products: &[ProductDocument], contracts: &[ContractDocuments]) {
        let in_set: HashMap<(ProductId, &str), &Contract> = contracts
            .iter()
            .map(|documents| &documents.contract)
            .map(|contract| ((contract.product_id, contract.document_id.as_str()), contract))
            .collect();
        for product in products {
            let Some(domain_state) = self.domain_of(&product.entry.domain) else { continue };
            for (n_port, port) in product.entry.model.output_ports.iter().enumerate() {
                let Some(contract_id) = &port.contract_id else { continue };
                let pointer = format!("/outputPorts/{n_port}/contractId");
                let stored = domain_state.find_contract(product.new.id, contract_id);
                let Some(contract) = in_set.get(&(product.new.id, contract_id.as_str())).copied().or(stored) else {
                    let message = format!("the contract `{contract_id}` is neither in the set nor published");
                    self.problems.push(product.entry.problem(pointer, message));
                    continue;
                };
                let port_major =
                    PortMajor { product_id: product.new.id, port: port.name.clone(), major: port.version.major };
                if domain_state.ports.get(&port_major).is_some_and(|tied| tied.contract_id != contract.id) {
                    let message = format!(
                        "major {} of port `{}` is tied to another contract: give the port a new version",
                        port.version.major, port.name
                    );
                    self.problems.push(product.entry.problem(pointer, message));
                }
            }
        }
    }
}

/// The set's products, to be found by what contracts say of them.
struct ProductsOfSet<'a> {
    by_id: HashMap<ProductId, &'a ProductDocument>,
    by_domain: HashMap<&'a DomainPath, Vec<&'a ProductDocument>>,
    /// Those whose output ports name a contract, by its document id.
    naming: HashMap<(&'a DomainPath, &'a str), Vec<&'a ProductDocument>>,
}

impl<'a> ProductsOfSet<'a> {
    fn new(products: &'a [ProductDocument]) -> Self {
        let (mut by_id, mut by_domain) = (HashMap::new(), HashMap::<_, Vec<_>>::new());
        let mut naming: HashMap<_, Vec<_>> = HashMap::new();
        for product in products {
            let domain = &product.entry.domain;
            by_id.insert(product.new.id, product);
            by_domain.entry(domain).or_default().push(product);
            let ports = product.entry.model.output_ports.iter();
            let named: BTreeSet<&str> = ports.filter_map(|port| port.contract_id.as_deref()).collect();
            for contract_id in named {
                naming.entry((domain, contract_id)).or_default().push(product);
            }
        }
        Self { by_id, by_domain, naming }
    }

    /// The product that a contract belongs to: the one whose output ports name it; where several or none do, the one
    /// that its `dataProduct` means; else the one that has it already.
    fn owner(&self, domain_state: &DomainState, entry: &Entry<ContractEntry>) -> Result<ProductId, String> {
        let contract = &entry.model.contract;
        let naming = self.naming.get(&(&entry.domain, contract.document_id.as_str())).into_iter().flatten();
        let owners =
            domain_state.owners_of(&contract.document_id).iter().filter_map(|id| domain_state.products.get(id));
        let (keeping, having): (Vec<_>, Vec<_>) = owners.partition(|owner| self.by_id.contains_key(&owner.id));
        let having = having.into_iter().filter(|product| !domain_state.hidden.contains(&product.id));
        let candidates: Vec<&product::Product> = naming.map(|product| &product.new).chain(having).collect();
        if let [only] = candidates.as_slice() {
            return Ok(only.id);
        }
        if let Some(word) = contract.data_product.as_deref() {
            let slug = Name::slug(word).ok();
            let is_called = |product: &&&product::Product| is_called(product, word, slug.as_ref());
            let called: Vec<_> = match candidates.is_empty() {
                true => {
                    self.all(domain_state, &entry.domain).iter().filter(is_called).map(|product| product.id).collect()
                }
                false => candidates.iter().filter(is_called).map(|product| product.id).collect(),
            };
            if let [only] = called.as_slice() {
                return Ok(*only);
            }
        }
        match (keeping.as_slice(), candidates.is_empty()) {
            ([only], true) => Ok(only.id),
            (_, true) => Err(format!(
                "no product of domain `{}` has the contract `{}`: name it as `contractId` of an output port",
                entry.domain, contract.document_id
            )),
            (_, false) => Err(format!(
                "several products of domain `{}` have the contract `{}`: choose one with `dataProduct`",
                entry.domain, contract.document_id
            )),
        }
    }

    /// The domain's products as they will be, less those that the caller may not know of.
    fn all<'b>(&'b self, domain_state: &'b DomainState, domain: &DomainPath) -> Vec<&'b product::Product> {
        let in_set = self.by_domain.get(domain).into_iter().flatten().map(|product| &product.new);
        let is_known = |id: &ProductId| !self.by_id.contains_key(id) && !domain_state.hidden.contains(id);
        in_set.chain(domain_state.products.values().filter(|product| is_known(&product.id))).collect()
    }
}

impl ProductDocument {
    /// Whether its document's only news is its status.
    pub(super) fn only_status_changed(&self, old: &product::Document) -> bool {
        product::Document { wish: Wish::Hold(None), ..old.clone() }
            == product::Document { wish: Wish::Hold(None), ..self.entry.model.clone() }
    }
}
