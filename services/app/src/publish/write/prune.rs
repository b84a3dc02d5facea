//! Retiring what a pruned set does not hold any more.

use std::collections::{HashMap, HashSet};

use domain::contract::{Contract, State, Wish};
use domain::event;
use domain::product::Product;
use policy::{Action, Resource};

use super::{Writing, named};
use crate::audit::{self, Event, ResourceKind};
use crate::contract;
use crate::error::Error;
use crate::publish::scene::{DomainScene, resource};
use crate::publish::set::names;
use crate::publish::versions::Judged;
use crate::publish::{ChangeKind, DocumentChange, DocumentKind, DocumentSet};

impl Writing<'_> {
    /// Retires the domain's products that the set does not hold, with their contracts, and those contracts of the others
    /// that it does not hold and none of its ports names. Older versions of a contract in the set stay.
    pub(super) async fn prune(&mut self, command: &DocumentSet, judged: &Judged) -> Result<(), Error> {
        let Some(path) = &command.domain else { return Ok(()) };
        let scene = self.scene.of(path)?;
        let products: HashMap<_, _> = judged.products.iter().map(|document| (document.new.id, document)).collect();
        let owners: HashSet<_> = judged.contracts.iter().map(|judged| judged.contract.product_id).collect();
        let contracts: HashSet<_> = judged.contracts.iter().map(|judged| judged.contract.id).collect();
        for product in scene.products.values().filter(|product| !scene.hidden.contains(&product.id)) {
            let document = products.get(&product.id);
            if document.is_none() && !owners.contains(&product.id) {
                self.prune_product(scene, product).await?;
            }
            for contract in scene.contracts_of(product.id) {
                let is_named = document.is_some_and(|document| names(&document.entry.model, &contract.document_id));
                if !contracts.contains(&contract.id) && !is_named {
                    self.prune_contract(scene, contract).await?;
                }
            }
        }
        Ok(())
    }

    async fn prune_product(&mut self, scene: &DomainScene, old: &Product) -> Result<(), Error> {
        let now = self.ctx.now();
        let state = match old.state.clone().follow(&Wish::Retire, now) {
            Ok(state) if state != old.state => state,
            Ok(_) | Err(_) => return Ok(()),
        };
        let retire = Resource::Product(resource(old, &scene.domain.path));
        self.ctx.authorize(Action::Retire, &retire, &format!("retire the data product `{}`", old.name))?;
        let new = Product { state, updated_at: now, ..old.clone() };
        store::product::update(self.tx, &new, old.updated_at).await?;
        let record = Event::done(audit::Action::ProductRetire, ResourceKind::Product, new.id, new.name.as_str());
        self.published(record, event::Event::ProductRetired(named(&new))).await?;
        self.access = true;
        self.removed.push(removed(DocumentKind::Product, old.name.to_string()));
        Ok(())
    }

    async fn prune_contract(&mut self, scene: &DomainScene, contract: &Contract) -> Result<(), Error> {
        for version in scene.versions_of(contract.id) {
            if matches!(version.state, State::Retired { .. }) {
                continue;
            }
            let document = contract::parsed(&self.ctx.app, &version.document)?;
            let resource = Resource::Contract {
                id: version.id,
                domain: &scene.domain.path,
                classification: document.classification(),
                settings: &document.settings,
            };
            let what = format!("retire `{}` {}", contract.document_id, version.version);
            self.ctx.authorize(Action::Retire, &resource, &what)?;
            // Every state but `retired` can end.
            if contract::retire(&self.ctx.app, self.tx, version, &self.author).await?.is_ok() {
                let mut change = removed(DocumentKind::Contract, contract.document_id.clone());
                change.version = Some(version.version);
                self.removed.push(change);
                self.access = true;
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
        bump: None,
        reasons: Vec::new(),
    }
}
