//! Storing a set: products, contracts, versions, ports, bindings, what is pruned, and what becomes active by it.

mod bind;
mod prune;

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};

use domain::contract::{Classification, State};
use domain::event;
use domain::grant::PortMajor;
use domain::id::{ContractId, ContractVersionId, ProductId, TableId};
use domain::job::Job;
use domain::product::{self, Port, Product};
use domain::version::Version;
use policy::{Action, Resource};
use store::Tx;
use store::outbox;
use store::revision::{self, Revision};

use super::resolve::ProductDocument;
use super::scene::{Scene, resource};
use super::versions::{Judged, JudgedContract, JudgedVersion, Step};
use super::{ChangeKind, DocumentChange, DocumentKind, DocumentSet, Problem};
use crate::audit::{self, Event, ResourceKind};
use crate::contract::{self, Author, parsed, parsed_product};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::jobs;
use crate::notice;

/// What was written.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) changes: Vec<DocumentChange>,
    pub(super) warnings: Vec<Problem>,
}

/// Writes the set. The inner error is all that only storage could tell: the transaction is not to be committed then.
pub(super) async fn write(
    ctx: &Ctx,
    tx: &mut Tx,
    command: &DocumentSet,
    scene: &Scene,
    judged: Judged,
    action: Action,
) -> Result<Result<Written, Vec<Problem>>, Error> {
    let mut writing = Writing {
        ctx,
        tx,
        scene,
        action,
        author: Author::from(ctx),
        problems: Vec::new(),
        warnings: Vec::new(),
        changes: Vec::new(),
        removed: Vec::new(),
        drafts: Vec::new(),
        tied: Vec::new(),
        tables: BTreeSet::new(),
        access: false,
        visibility: false,
    };
    let classifications = writing.classifications(&judged).await?;
    writing.products(&judged, &classifications).await?;
    for contract in &judged.contracts {
        writing.contract(contract, &classifications).await?;
    }
    writing.ports(&judged).await?;
    if command.prune {
        writing.prune(command, &judged).await?;
    }
    if !writing.problems.is_empty() {
        return Ok(Err(writing.problems));
    }
    writing.activate().await?;
    writing.announce().await?;
    let Writing { mut changes, removed, warnings, .. } = writing;
    changes.sort_by_key(|(place, _)| *place);
    let changes = changes.into_iter().map(|(_, change)| change).chain(removed).collect();
    Ok(Ok(Written { changes, warnings }))
}

struct Writing<'a> {
    ctx: &'a Ctx,
    tx: &'a mut Tx,
    scene: &'a Scene,
    action: Action,
    author: Author,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    /// What each document changes, with its place in the set.
    changes: Vec<(usize, DocumentChange)>,
    removed: Vec<DocumentChange>,
    /// Drafts of the set, with the place of their change.
    drafts: Vec<(ContractVersionId, usize)>,
    /// Majors of contracts that ports of the set were tied to.
    tied: Vec<(ContractId, u64)>,
    /// Tables to be inspected.
    tables: BTreeSet<TableId>,
    /// Whether facts changed that [`Revision::Access`] stands for, and those of [`Revision::Visibility`].
    access: bool,
    visibility: bool,
}

impl Writing<'_> {
    /// How sensitive each product of the set is from now on: the highest of its document and of its contracts'
    /// versions. A superseded version does not count, its successor says what the data is now; a draft does.
    async fn classifications(&mut self, judged: &Judged) -> Result<HashMap<ProductId, Classification>, Error> {
        let mut classifications = HashMap::new();
        for product in &judged.products {
            classifications.insert(product.new.id, product.entry.model.classification);
        }
        let mut replaced = HashSet::new();
        for contract in &judged.contracts {
            let steps = contract.versions.iter().map(|judged| &judged.step);
            replaced.extend(steps.filter_map(|step| match step {
                Step::Replace(version, _) => Some(version.id),
                _ => None,
            }));
            let scene = self.scene.of(&contract.domain)?;
            if let Some(product) = scene.products.get(&contract.contract.product_id)
                && let Entry::Vacant(vacant) = classifications.entry(product.id)
            {
                let document = store::product::find_document(self.tx, product.id, &product.digest).await?;
                let document = document.ok_or_else(|| Error::internal("a product has no document"))?;
                vacant.insert(parsed_product(&self.ctx.app, &document)?.classification);
            }
        }
        for scene in self.scene.domains.values() {
            for product_id in scene.products.keys() {
                let Some(highest) = classifications.get_mut(product_id) else { continue };
                let versions = scene.contracts_of(*product_id).flat_map(|contract| scene.versions_of(contract.id));
                for version in versions {
                    let counts = !matches!(version.state, State::Superseded { .. }) && !replaced.contains(&version.id);
                    if counts {
                        *highest = (*highest).max(parsed(&self.ctx.app, &version.document)?.classification());
                    }
                }
            }
        }
        for contract in &judged.contracts {
            let Some(highest) = classifications.get_mut(&contract.contract.product_id) else { continue };
            for version in &contract.versions {
                if let Step::Add(_) | Step::Replace(..) = version.step {
                    *highest = (*highest).max(version.entry.model.contract.classification());
                }
            }
        }
        Ok(classifications)
    }

    async fn products(
        &mut self,
        judged: &Judged,
        classifications: &HashMap<ProductId, Classification>,
    ) -> Result<(), Error> {
        for document in &judged.products {
            let classification = classifications.get(&document.new.id).copied();
            let classification = classification.unwrap_or(document.new.classification);
            let new = Product { classification, ..document.new.clone() };
            let change = self.product(document, &new).await?;
            self.changes.push((
                document.entry.place,
                DocumentChange {
                    kind: DocumentKind::Product,
                    document: document.entry.path.clone(),
                    name: new.name.to_string(),
                    version: None,
                    change,
                    state: new.state.as_str().to_owned(),
                    findings: Vec::new(),
                    bump: None,
                    reasons: Vec::new(),
                },
            ));
        }
        // Products of contracts in the set whose own documents are not in it.
        let in_set: HashSet<ProductId> = judged.products.iter().map(|document| document.new.id).collect();
        for scene in self.scene.domains.values() {
            for old in scene.products.values().filter(|old| !in_set.contains(&old.id)) {
                if let Some(classification) = classifications.get(&old.id)
                    && *classification != old.classification
                {
                    let new = Product { classification: *classification, updated_at: self.ctx.now(), ..old.clone() };
                    store::product::update(self.tx, &new, old.updated_at).await?;
                    self.reclassified(&new).await?;
                }
            }
        }
        Ok(())
    }

    async fn product(&mut self, document: &ProductDocument, new: &Product) -> Result<ChangeKind, Error> {
        let domain = &document.entry.domain;
        let what = format!("publish the data product `{}`", new.name);
        let Some(old) = &document.old else {
            self.ctx.authorize(self.action, &Resource::Product(resource(new, domain)), &what)?;
            store::product::insert(self.tx, new).await?;
            store::product::put_document(self.tx, new.id, &document.entry.document).await?;
            (self.access, self.visibility) = (true, true);
            self.product_published(new).await?;
            return Ok(ChangeKind::Added);
        };
        let same_bytes = old.digest == new.digest;
        if same_bytes && old.classification == new.classification {
            return Ok(ChangeKind::Unchanged);
        }
        if same_bytes {
            let new = Product { updated_at: new.updated_at, classification: new.classification, ..old.clone() };
            store::product::update(self.tx, &new, old.updated_at).await?;
            self.reclassified(&new).await?;
            return Ok(ChangeKind::Unchanged);
        }
        self.ctx.authorize(self.action, &Resource::Product(resource(old, domain)), &what)?;
        if old.state.as_str() != new.state.as_str() {
            self.authorize_state(old, new, document)?;
        }
        let says = store::product::find_document(self.tx, old.id, &old.digest).await?;
        let only_status = match &says {
            Some(says) => {
                let says = parsed_product(&self.ctx.app, says)?;
                document.only_status_changed(&says)
            }
            None => false,
        };
        store::product::put_document(self.tx, new.id, &document.entry.document).await?;
        store::product::update(self.tx, new, old.updated_at).await?;
        if old.classification != new.classification {
            self.reclassified(new).await?;
        }
        self.access = true;
        self.product_published(new).await?;
        Ok(if only_status { ChangeKind::Transition } else { ChangeKind::Changed })
    }

    async fn product_published(&mut self, product: &Product) -> Result<(), Error> {
        let name = product.name.as_str();
        let record = Event::done(audit::Action::ProductPublish, ResourceKind::Product, product.id, name);
        self.published(record, event::Event::ProductPublished(named(product))).await
    }

    /// A promise begins by publishing; it ends, or comes back, by its owner.
    fn authorize_state(&self, old: &Product, new: &Product, document: &ProductDocument) -> Result<(), Error> {
        let (action, verb) = match (&old.state, &new.state) {
            (_, product::State::Deprecated { .. }) => (Action::Deprecate, "deprecate"),
            (_, product::State::Retired { .. }) => (Action::Retire, "retire"),
            (product::State::Deprecated { .. }, product::State::Active { .. }) => (Action::Activate, "activate"),
            _ => return Ok(()),
        };
        let resource = Resource::Product(resource(old, &document.entry.domain));
        self.ctx.authorize(action, &resource, &format!("{verb} the data product `{}`", old.name))
    }

    /// Who may know of the product changed, and with it what an undeclared column is worth: its tables are judged anew.
    async fn reclassified(&mut self, product: &Product) -> Result<(), Error> {
        (self.access, self.visibility) = (true, true);
        let contracts = store::contract::list_of_products(self.tx, &[product.id]).await?;
        let contract_ids: Vec<_> = contracts.iter().map(|contract| contract.id).collect();
        let bindings = store::binding::list_of_contracts(self.tx, &contract_ids).await?;
        self.tables.extend(bindings.iter().map(|binding| binding.table_id));
        let what = format!("{} is {}", product.name, product.classification);
        audit::append(
            self.ctx,
            self.tx,
            Event::done(audit::Action::ProductClassify, ResourceKind::Product, product.id, &what),
        )
        .await
    }

    async fn contract(
        &mut self,
        judged: &JudgedContract,
        classifications: &HashMap<ProductId, Classification>,
    ) -> Result<(), Error> {
        if judged.is_new {
            store::contract::insert(self.tx, &judged.contract).await?;
        }
        for version in &judged.versions {
            let (change, state) = self.version(version).await?;
            if let Step::Add(_) | Step::Replace(_, false) = version.step {
                let classification = classifications.get(&judged.contract.product_id).copied().unwrap_or_default();
                self.bind(judged, version, classification).await?;
                self.bind_topics(judged, version).await?;
            }
            let contract = &version.entry.model.contract;
            if let State::Draft { .. } = state {
                self.drafts.push((version.step.version().id, self.changes.len()));
            }
            self.changes.push((
                version.entry.place,
                DocumentChange {
                    kind: DocumentKind::Contract,
                    document: version.entry.path.clone(),
                    name: contract.document_id.clone(),
                    version: Some(contract.version),
                    change,
                    state: state.as_str().to_owned(),
                    findings: version.findings.clone(),
                    bump: version.bump,
                    reasons: Vec::new(),
                },
            ));
        }
        Ok(())
    }

    /// Writes one version. Gives what happened to it and its state.
    async fn version(&mut self, judged: &JudgedVersion) -> Result<(ChangeKind, State), Error> {
        let document = &judged.entry.document;
        let changed = match &judged.step {
            Step::Add(version) => {
                store::contract::insert_version(self.tx, version).await?;
                self.version_published(version, judged).await?;
                (ChangeKind::Added, version.state.clone())
            }
            Step::Replace(version, only_status) => {
                store::contract::replace_draft(self.tx, version.id, &version.document.digest, document).await?;
                self.version_published(version, judged).await?;
                let change = if *only_status { ChangeKind::Transition } else { ChangeKind::Changed };
                (change, version.state.clone())
            }
            Step::Deprecate(version) => {
                let contract = &judged.entry.model.contract;
                let state = contract::deprecate(&self.ctx.app, self.tx, version, contract, &self.author).await?;
                (ChangeKind::Transition, self.or_problem(judged, version, state))
            }
            Step::Retire(version) => {
                let state = contract::retire(&self.ctx.app, self.tx, version, &self.author).await?;
                (ChangeKind::Transition, self.or_problem(judged, version, state))
            }
            Step::Keep(version) => return Ok((ChangeKind::Unchanged, version.state.clone())),
        };
        self.access = true;
        Ok(changed)
    }

    fn or_problem(
        &mut self,
        judged: &JudgedVersion,
        version: &domain::contract::Version,
        state: Result<State, domain::contract::WrongState>,
    ) -> State {
        state.unwrap_or_else(|wrong| {
            self.problems.push(judged.entry.problem("/status", wrong.to_string()));
            version.state.clone()
        })
    }

    async fn version_published(
        &mut self,
        version: &domain::contract::Version,
        judged: &JudgedVersion,
    ) -> Result<(), Error> {
        let mut what = format!("{} {}", judged.entry.model.contract.document_id, version.version);
        for id in &judged.overrides {
            what = format!("{what}, its number accepted by the override {id}");
        }
        let record = Event::done(audit::Action::ContractPublish, ResourceKind::ContractVersion, version.id, &what);
        self.published(record, event::Event::ContractPublished { version_id: version.id, summary: what }).await
    }

    /// Ties the ports of the set's products (SPEC section 4). A tie that was made stays.
    async fn ports(&mut self, judged: &Judged) -> Result<(), Error> {
        let in_set: HashMap<(ProductId, &str), &JudgedContract> = judged
            .contracts
            .iter()
            .map(|judged| ((judged.contract.product_id, judged.contract.document_id.as_str()), judged))
            .collect();
        for document in &judged.products {
            let scene = self.scene.of(&document.entry.domain)?;
            for (n_port, port) in document.entry.model.output_ports.iter().enumerate() {
                let port_major =
                    PortMajor { product_id: document.new.id, port: port.name.clone(), major: port.version.major };
                let Some(document_id) = &port.contract_id else {
                    let message = format!("port `{}` names no contract, so nothing can be read through it", port.name);
                    self.warnings.push(document.entry.problem(format!("/outputPorts/{n_port}"), message));
                    continue;
                };
                if scene.ports.contains_key(&port_major) {
                    continue;
                }
                let in_set = in_set.get(&(document.new.id, document_id.as_str())).copied();
                let contract = in_set.map(|judged| &judged.contract);
                let contract = contract.or_else(|| scene.find_contract(document.new.id, document_id));
                let contract = contract.ok_or_else(|| Error::internal("a port's contract was not resolved"))?;
                let stored = scene.versions_of(contract.id).iter().map(|version| version.version);
                let added = in_set.into_iter().flat_map(|judged| &judged.versions);
                let added = added.map(|judged| judged.step.version().version);
                let versions: Vec<Version> = stored.chain(added).collect();
                let Some(contract_major) = tied_major(&versions, port_major.major) else { continue };
                let port = Port { port_major, contract_id: contract.id, contract_major };
                store::product::insert_port(self.tx, &port).await?;
                self.tied.push((contract.id, contract_major));
                self.access = true;
            }
        }
        Ok(())
    }

    /// Tries every draft of the set, now that everything is bound. A port that was tied to what is active already has
    /// readers of its former majors to be told.
    async fn activate(&mut self) -> Result<(), Error> {
        for (id, place) in std::mem::take(&mut self.drafts) {
            contract::try_activate(&self.ctx.app, self.tx, id).await?;
            let version = store::contract::get_version(self.tx, id).await?;
            let (_, change) = &mut self.changes[place];
            version.state.as_str().clone_into(&mut change.state);
            if let State::Draft { reasons, .. } = version.state {
                change.reasons = reasons;
            }
        }
        for (contract_id, major) in std::mem::take(&mut self.tied) {
            notice::open_about(&self.ctx.app, self.tx, contract_id, major, &self.author).await?;
        }
        Ok(())
    }

    /// Moves the revisions, and has the tables inspected.
    async fn announce(&mut self) -> Result<(), Error> {
        if self.access {
            revision::bump(self.tx, Revision::Access).await?;
        }
        if self.visibility {
            revision::bump(self.tx, Revision::Visibility).await?;
        }
        for table_id in std::mem::take(&mut self.tables) {
            jobs::push(&self.ctx.app, self.tx, Job::Inspect(table_id)).await?;
        }
        Ok(())
    }

    /// A record and an event about something that was published.
    async fn published(&mut self, record: Event, event: event::Event) -> Result<(), Error> {
        audit::append(self.ctx, self.tx, record).await?;
        outbox::push(self.tx, &event, self.ctx.now()).await?;
        Ok(())
    }
}

fn named(product: &Product) -> event::NamedProduct {
    event::NamedProduct { product_id: product.id, name: product.name.clone() }
}

/// The contract's major that a port's major is tied to: the one of the same number if it has one, else its newest.
fn tied_major(versions: &[Version], port_major: u64) -> Option<u64> {
    let majors = versions.iter().map(|version| version.major);
    let same = majors.clone().find(|major| *major == port_major);
    same.or_else(|| majors.max())
}
