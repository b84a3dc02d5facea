//! Binding several products to one table (`docs/rules.md`, "Shared tables").

use std::collections::HashSet;

use domain::id::{ProductId, TableId};
use domain::product::State;
use domain::share::{BindingRight, Member, Share, ShareRight};
use policy::{Action, Resource};

use super::{Change, Planner};
use crate::error::Error;
use crate::product_in_domain::ProductInDomain;
use crate::publish::model::DocumentSet;
use crate::publish::versions::{JudgedContract, JudgedSet};
use crate::table::sharing::Sharing;

impl Planner<'_> {
    /// The products that are retired after the set: by their documents, or since a pruned set does not hold them.
    pub(super) fn retiring(&self, command: &DocumentSet, set: &JudgedSet) -> Result<HashSet<ProductId>, Error> {
        let by_document = set.products.iter().filter(|document| matches!(document.new.state, State::Retired { .. }));
        let mut retiring: HashSet<ProductId> = by_document.map(|document| document.new.id).collect();
        if let Some(path) = command.domain.as_ref().filter(|_| command.prune) {
            let domain = self.state.domain(path)?;
            let kept: HashSet<ProductId> = set
                .products
                .iter()
                .map(|document| document.new.id)
                .chain(set.contracts.iter().map(|judged| judged.contract.product_id))
                .collect();
            let pruned = domain.products.keys().filter(|id| !kept.contains(id) && !domain.hidden.contains(id));
            retiring.extend(pruned);
        }
        Ok(retiring)
    }

    /// Whether the contract's product may be bound to a table that is registered: by its own right, or by consent of the
    /// caller.
    pub(super) fn may_bind(&self, judged: &JudgedContract, table_id: TableId) -> bool {
        let product_id = judged.contract.product_id;
        self.stands(table_id, product_id) || self.may_consent(table_id, product_id)
    }

    /// Gives the contract's product a right to a table, where it has none that stands. The caller may consent.
    pub(super) fn share(&mut self, judged: &JudgedContract, table_id: TableId) -> Result<(), Error> {
        let product_id = judged.contract.product_id;
        if self.stands(table_id, product_id) {
            return Ok(());
        }
        let product = self.planned_product(judged)?;
        let address = product.address();
        let owner_retired = self.owner(table_id).is_some_and(|owner| self.is_retired(owner));
        let consent = ShareRight::Consent { by: self.ctx.actor.principal.id, at: self.ctx.now() };
        let sharing = self.sharing.entry(table_id).or_default();
        sharing.known.insert(product_id, product.clone());
        if !sharing.members.iter().any(|member| member.product_id == product_id) {
            sharing.members.extend(Sharing::of_one(product).members);
        }
        for member in &mut sharing.members {
            // A retired owner's table gets a new owner, by whose owners every other consent is to be renewed.
            (member.right, member.consenter_may) = match (member.product_id == product_id, owner_retired) {
                (true, true) => (ShareRight::Owner, false),
                (true, false) => (consent, true),
                (false, true) => (ShareRight::Ended, false),
                (false, false) => (member.right, member.consenter_may),
            };
        }
        let what = match owner_retired {
            true => format!("it belongs to {address}"),
            false => format!("bound into {address}"),
        };
        self.plan_sharing(table_id, what);
        Ok(())
    }

    /// Renews the consents of a contract's bindings that have fallen, where the caller may; warns where they may not.
    pub(super) fn renew(&mut self, judged: &JudgedContract) -> Result<(), Error> {
        let product_id = judged.contract.product_id;
        let bindings = self.bindings.get(&judged.contract.id).cloned().unwrap_or_default();
        for binding in bindings {
            if !self.sharing.contains_key(&binding.table_id) || self.stands(binding.table_id, product_id) {
                continue;
            }
            if self.may_consent(binding.table_id, product_id) {
                self.share(judged, binding.table_id)?;
                self.plan.inspect.insert(binding.table_id);
            } else if let Some(version) = judged.versions.last() {
                let message = format!(
                    "`{}` is not served: its table is shared, and the consent has ended. An owner of every product \
                     bound to the table can renew it by applying this document",
                    binding.object
                );
                self.warnings.push(version.entry.problem("", message));
            }
        }
        Ok(())
    }

    /// Ends the right of a product to a table which others are bound to, if it has no other binding there.
    pub(super) fn leave(&mut self, table_id: TableId, product_id: ProductId) {
        let stored = self.holdings.sharers.get(&table_id).into_iter().flatten();
        let stored = stored.filter(|binding| !self.unbound.contains(&binding.id));
        let planned = self.bindings.values().flatten().filter(|binding| binding.table_id == table_id);
        let is_bound =
            stored.chain(planned).any(|binding| self.product_of.get(&binding.contract_id) == Some(&product_id));
        let Some(sharing) = self.sharing.get_mut(&table_id) else { return };
        let is_owner = |member: &Member| member.right == ShareRight::Owner;
        // The owner's consents go on counting.
        if is_bound || sharing.members.iter().any(|member| member.product_id == product_id && is_owner(member)) {
            return;
        }
        let n_before = sharing.members.len();
        sharing.members.retain(|member| member.product_id != product_id);
        if sharing.members.len() < n_before {
            let what = sharing.known.get(&product_id).map(ProductInDomain::address).unwrap_or_default();
            self.plan_sharing(table_id, format!("no longer bound into {what}"));
        }
    }

    /// Plans the rights to a table as they are by now. A table of one product needs none.
    fn plan_sharing(&mut self, table_id: TableId, what: String) {
        let members = self.sharing.get(&table_id).map_or(&[][..], |sharing| &sharing.members);
        let shares =
            members.iter().map(|member| Share { table_id, product_id: member.product_id, right: member.right });
        let shares = if members.len() > 1 { shares.collect() } else { Vec::new() };
        self.plan.changes.push(Change::Share { table_id, shares, what });
    }

    fn stands(&self, table_id: TableId, product_id: ProductId) -> bool {
        let Some(sharing) = self.sharing.get(&table_id) else { return false };
        let owner_retired = self.owner(table_id).is_some_and(|owner| self.is_retired(owner));
        let is_owner = self.owner(table_id).is_some_and(|owner| owner.product_id == product_id);
        sharing.right_of(product_id) == BindingRight::Stands && (is_owner || !owner_retired)
    }

    /// Whether the caller may bind another product to a table: as an owner of every product whose bindings are live, and
    /// of the product to which the table belongs.
    fn may_consent(&self, table_id: TableId, product_id: ProductId) -> bool {
        let Some(sharing) = self.sharing.get(&table_id) else { return false };
        let asked = sharing.members.iter().filter(|member| {
            let is_live = self.stands(table_id, member.product_id) && !self.is_retired(member);
            member.product_id != product_id && (member.right == ShareRight::Owner || is_live)
        });
        let known: Option<Vec<&ProductInDomain>> = asked.map(|member| sharing.known.get(&member.product_id)).collect();
        known.is_some_and(|known| {
            known.iter().all(|known| self.ctx.may(Action::ShareTable, &Resource::Product(known.policy())))
        })
    }

    fn owner(&self, table_id: TableId) -> Option<&Member> {
        let sharing = self.sharing.get(&table_id)?;
        sharing.members.iter().find(|member| member.right == ShareRight::Owner)
    }

    fn is_retired(&self, member: &Member) -> bool {
        member.is_retired || self.retiring.contains(&member.product_id)
    }

    /// The product of a contract as it is planned.
    pub(super) fn planned_product(&self, judged: &JudgedContract) -> Result<ProductInDomain, Error> {
        let product_id = judged.contract.product_id;
        let domain = self.state.domain(&judged.domain)?;
        let product = self.planned_products.get(&product_id).or_else(|| domain.products.get(&product_id));
        let product = product.ok_or_else(|| Error::internal("a contract's product is not known"))?.clone();
        Ok(ProductInDomain { product, domain: domain.domain.clone() })
    }
}
