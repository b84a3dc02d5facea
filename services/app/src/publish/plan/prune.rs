//! Retiring what a pruned set does not hold any more.

use std::collections::{HashMap, HashSet};

use domain::contract::{Contract, State, Wish};
use domain::product::Product;
use policy::{Action, Resource};

use super::{Change, Planner, Transition};
use crate::contract;
use crate::error::Error;
use crate::publish::model::{ChangeKind, DocumentChange, DocumentKind, DocumentSet};
use crate::publish::set::names;
use crate::publish::state::{DomainState, resource};
use crate::publish::versions::JudgedSet;

impl<'a> Planner<'a> {
    /// Retires the domain's products that the set does not hold, with their contracts, and those contracts of the others
    /// that it does not hold and none of its ports names. Older versions of a contract in the set stay.
    pub(super) fn prune(&mut self, command: &DocumentSet, set: &JudgedSet) -> Result<(), Error> {
        let Some(path) = &command.domain else { return Ok(()) };
        let domain = self.state.domain(path)?;
        let products: HashMap<_, _> = set.products.iter().map(|document| (document.new.id, document)).collect();
        let owners: HashSet<_> = set.contracts.iter().map(|judged| judged.contract.product_id).collect();
        let contracts: HashSet<_> = set.contracts.iter().map(|judged| judged.contract.id).collect();
        for product in domain.products.values().filter(|product| !domain.hidden.contains(&product.id)) {
            let document = products.get(&product.id);
            if document.is_none() && !owners.contains(&product.id) {
                self.prune_product(domain, product)?;
            }
            for contract in domain.contracts_of(product.id) {
                let is_named = document.is_some_and(|document| names(&document.entry.model, &contract.document_id));
                if !contracts.contains(&contract.id) && !is_named {
                    self.prune_contract(domain, contract)?;
                }
            }
        }
        Ok(())
    }

    fn prune_product(&mut self, domain: &DomainState, old: &Product) -> Result<(), Error> {
        let now = self.ctx.now();
        let state = match old.state.clone().follow(&Wish::Retire, now) {
            Ok(state) if state != old.state => state,
            Ok(_) | Err(_) => return Ok(()),
        };
        let retire = Resource::Product(resource(old, &domain.domain.path));
        self.ctx.authorize(Action::Retire, &retire, &format!("retire the data product `{}`", old.name))?;
        let new = Product { state, updated_at: now, ..old.clone() };
        self.plan.changes.push(Change::RetireProduct { product: new, seen: old.updated_at });
        self.removed.push(removed(DocumentKind::Product, old.name.to_string()));
        Ok(())
    }

    fn prune_contract(&mut self, domain: &DomainState, contract: &Contract) -> Result<(), Error> {
        for version in domain.versions_of(contract.id) {
            if matches!(version.state, State::Retired { .. }) {
                continue;
            }
            let document = contract::parsed(&self.ctx.app, &version.document)?;
            let resource = Resource::Contract {
                id: version.id,
                domain: &domain.domain.path,
                classification: document.classification(),
                settings: &document.settings,
            };
            let what = format!("retire `{}` {}", contract.document_id, version.version);
            self.ctx.authorize(Action::Retire, &resource, &what)?;
            // Every state but `retired` can end.
            if let Ok(state) = version.state.clone().retire(self.ctx.now()) {
                self.transition(version.clone(), state, Transition::Retire);
                let mut change = removed(DocumentKind::Contract, contract.document_id.clone());
                change.version = Some(version.version);
                self.removed.push(change);
            }
        }
        Ok(())
    }
}

fn removed(kind: DocumentKind, name: String) -> DocumentChange {
    DocumentChange {
        kind,
        document: String::new(),
        name,
        version: None,
        change: ChangeKind::Removed,
        state: "retired".to_owned(),
        findings: Vec::new(),
        breaking: None,
        bump: None,
        reasons: Vec::new(),
    }
}
