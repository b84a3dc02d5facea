//! Data products of a set: their documents, their states, and how sensitive they are.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use domain::clock::Timestamp;
use domain::contract::{Classification, State};
use domain::id::ProductId;
use domain::name::DomainPath;
use domain::product::{self, Product};
use policy::{Action, Resource};

use super::{Change, Planner};
use crate::contract::parsed;
use crate::error::Error;
use crate::publish::model::{ChangeKind, DocumentChange, DocumentKind};
use crate::publish::resolve::ProductDocument;
use crate::publish::state::resource;
use crate::publish::versions::{JudgedSet, Step};

impl Planner<'_> {
    /// How sensitive each product of the set is from now on: the highest of its document and of its contracts'
    /// versions. A superseded version does not count, its successor says what the data is now; a draft does.
    pub(super) fn classify(&self, set: &JudgedSet) -> Result<HashMap<ProductId, Classification>, Error> {
        let mut classifications = HashMap::new();
        for product in &set.products {
            classifications.insert(product.new.id, product.entry.model.classification);
        }
        let mut replaced = HashSet::new();
        for contract in &set.contracts {
            let steps = contract.versions.iter().map(|judged| &judged.step);
            replaced.extend(steps.filter_map(|step| match step {
                Step::Replace(version, _) => Some(version.id),
                Step::Add(_) | Step::Deprecate(_) | Step::Retire(_) | Step::Keep(_) => None,
            }));
            let domain = self.state.domain(&contract.domain)?;
            if let Some(product) = domain.products.get(&contract.contract.product_id)
                && let Entry::Vacant(vacant) = classifications.entry(product.id)
            {
                let document = self.holdings.documents.get(&product.id);
                let document = document.ok_or_else(|| Error::internal("a product has no document"))?;
                vacant.insert(document.classification);
            }
        }
        for domain in self.state.domains.values() {
            for product_id in domain.products.keys() {
                let Some(highest) = classifications.get_mut(product_id) else { continue };
                let versions = domain.contracts_of(*product_id).flat_map(|contract| domain.versions_of(contract.id));
                for version in versions {
                    let counts = !matches!(version.state, State::Superseded { .. }) && !replaced.contains(&version.id);
                    if counts {
                        *highest = (*highest).max(parsed(&self.ctx.app, &version.document)?.classification());
                    }
                }
            }
        }
        for contract in &set.contracts {
            let Some(highest) = classifications.get_mut(&contract.contract.product_id) else { continue };
            for version in &contract.versions {
                if let Step::Add(_) | Step::Replace(..) = version.step {
                    *highest = (*highest).max(version.entry.model.contract.classification());
                }
            }
        }
        Ok(classifications)
    }

    pub(super) fn products(&mut self, set: &JudgedSet) -> Result<(), Error> {
        for document in &set.products {
            let classification = self.classifications.get(&document.new.id).copied();
            let mut classification = classification.unwrap_or(document.new.classification);
            if let Some(old) = &document.old
                && self.keeps_classification(old, &document.entry.domain, classification)
            {
                let message = format!(
                    "the data product stays `{}`: only its owners can lower the classification",
                    old.classification
                );
                self.warnings.push(document.entry.problem("/customProperties", message));
                classification = old.classification;
                self.classifications.insert(old.id, classification);
            }
            if let Err(wrong) = document.entry.model.successor() {
                self.warnings.push(document.entry.problem("/customProperties", wrong.to_string()));
            }
            let new = Product { classification, ..document.new.clone() };
            let change = self.product(document, &new)?;
            self.planned_products.insert(new.id, new.clone());
            self.reported.push((
                document.entry.place,
                DocumentChange {
                    kind: DocumentKind::Product,
                    document: document.entry.path.clone(),
                    name: new.name.to_string(),
                    version: None,
                    change,
                    state: new.state.as_str().to_owned(),
                    findings: Vec::new(),
                    breaking: None,
                    bump: None,
                    reasons: Vec::new(),
                },
            ));
        }
        // Products of contracts in the set whose own documents are not in it.
        let in_set: HashSet<ProductId> = set.products.iter().map(|document| document.new.id).collect();
        for domain in self.state.domains.values() {
            for old in domain.products.values().filter(|old| !in_set.contains(&old.id)) {
                if let Some(classification) = self.classifications.get(&old.id)
                    && *classification != old.classification
                    && !self.keeps_classification(old, &domain.domain.path, *classification)
                {
                    let new = Product { classification: *classification, updated_at: self.ctx.now(), ..old.clone() };
                    self.reclassify(new, old.updated_at);
                }
            }
        }
        Ok(())
    }

    fn product(&mut self, document: &ProductDocument, new: &Product) -> Result<ChangeKind, Error> {
        let domain = &document.entry.domain;
        let what = format!("publish the data product `{}`", new.name);
        let text = &document.entry.document;
        let Some(old) = &document.old else {
            self.ctx.authorize(self.action, &Resource::Product(resource(new, domain)), &what)?;
            self.plan.changes.push(Change::AddProduct(new.clone(), text.clone()));
            return Ok(ChangeKind::Added);
        };
        if old.digest == new.digest {
            if old.classification != new.classification {
                let new = Product { updated_at: new.updated_at, classification: new.classification, ..old.clone() };
                self.reclassify(new, old.updated_at);
            }
            return Ok(ChangeKind::Unchanged);
        }
        self.ctx.authorize(self.action, &Resource::Product(resource(old, domain)), &what)?;
        if old.state.as_str() != new.state.as_str() {
            self.authorize_state(old, new, document)?;
        }
        let current = self.holdings.documents.get(&old.id);
        let only_status = current.is_some_and(|current| document.only_status_changed(current));
        self.plan.changes.push(Change::ReplaceProduct {
            product: new.clone(),
            document: text.clone(),
            seen: old.updated_at,
        });
        if old.classification != new.classification {
            self.reclassified(new);
        }
        Ok(if only_status { ChangeKind::Transition } else { ChangeKind::Changed })
    }

    /// A promise begins by publishing; its owner ends it, or brings it back.
    fn authorize_state(&self, old: &Product, new: &Product, document: &ProductDocument) -> Result<(), Error> {
        let (action, verb) = match (&old.state, &new.state) {
            (_, product::State::Deprecated { .. }) => (Action::Deprecate, "deprecate"),
            (_, product::State::Retired { .. }) => (Action::Retire, "retire"),
            (product::State::Deprecated { .. }, product::State::Active { .. }) => (Action::Activate, "activate"),
            (_, product::State::Proposed | product::State::Draft | product::State::Active { .. }) => return Ok(()),
        };
        let resource = Resource::Product(resource(old, &document.entry.domain));
        self.ctx.authorize(action, &resource, &format!("{verb} the data product `{}`", old.name))
    }

    /// Whether a product keeps its classification, since the caller may not lower it.
    fn keeps_classification(&self, old: &Product, domain: &DomainPath, new: Classification) -> bool {
        let resource = Resource::Product(resource(old, domain));
        new < old.classification && !self.ctx.may(Action::LowerClassification, &resource)
    }

    fn reclassify(&mut self, new: Product, seen: Timestamp) {
        self.plan.changes.push(Change::UpdateProduct { product: new.clone(), seen });
        self.reclassified(&new);
    }

    /// Who may know of the product changes, and with it what an undeclared column is worth: its tables are inspected.
    fn reclassified(&mut self, product: &Product) {
        let contracts = self.state.domains.values().flat_map(|domain| domain.contracts_of(product.id));
        let bindings = contracts.flat_map(|contract| self.holdings.bindings.get(&contract.id)).flatten();
        self.plan.inspect.extend(bindings.map(|binding| binding.table_id));
        self.plan.changes.push(Change::Reclassify(product.clone()));
    }
}
