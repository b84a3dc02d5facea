//! Binding schema objects to the folders that a contract's local servers name, and to the topics of its Kafka servers.

use std::ops::Bound;

use domain::binding::{Binding, TopicBinding};
use domain::contract::State;
use domain::id::{BindingId, ContractId, ProductId, TableId};
use domain::table::{Location, Table};
use domain::topic::Standing;
use policy::{Action, Resource};

use super::{Change, Planner};
use crate::error::Error;
use crate::publish::set::Folder;
use crate::publish::versions::{JudgedContract, JudgedVersion};
use crate::table::sharing::Sharing;

impl Planner<'_> {
    /// Binds the objects of a new version. An object that is bound stays where it is, unless no version of the major
    /// was ever active.
    pub(super) fn bind(&mut self, judged: &JudgedContract, version: &JudgedVersion) -> Result<(), Error> {
        let folders = &version.entry.model.folders;
        if folders.is_empty() {
            return Ok(());
        }
        let contract = &judged.contract;
        let classification = self.classifications.get(&contract.product_id).copied().unwrap_or_default();
        let product = policy::Product { id: contract.product_id, domain: &judged.domain, classification };
        self.ctx.authorize(Action::BindTable, &Resource::Product(product), "bind tables to this data product")?;

        let major = version.entry.model.contract.version.major;
        let versions = self.state.domain(&judged.domain)?.versions_of(contract.id);
        let mut of_major = versions.iter().filter(|version| version.version.major == major);
        let was_promised = of_major.any(|version| !matches!(version.state, State::Draft { .. }));
        for folder in folders {
            let bound = self.bindings.get(&contract.id).into_iter().flatten().find(|binding| {
                binding.major == major && binding.object == folder.object && binding.environment == folder.environment
            });
            let Some(binding) = bound.cloned() else {
                if let Some(table_id) = self.table(judged, version, folder)? {
                    self.add_binding(Binding {
                        id: BindingId::new(self.ctx.app.clock.as_ref(), self.ctx.app.random.as_ref()),
                        contract_id: contract.id,
                        major,
                        object: folder.object.clone(),
                        environment: folder.environment.clone(),
                        table_id,
                    });
                }
                continue;
            };
            let table = self.planned_table(binding.table_id)?;
            if table.location == folder.location && table.format == folder.format {
                self.plan.inspect.insert(table.id);
            } else if was_promised {
                let message =
                    format!("`{}` cannot move to another location: readers use the present one", folder.object);
                self.warnings.push(version.entry.problem(pointer(folder), message));
                self.plan.inspect.insert(table.id);
            } else {
                // Unbound first: the new folder may lie inside the old one.
                self.unbind(&binding, contract.product_id);
                if let Some(table_id) = self.table(judged, version, folder)? {
                    self.add_binding(Binding { table_id, ..binding });
                }
            }
        }
        Ok(())
    }

    fn planned_table(&self, id: TableId) -> Result<Table, Error> {
        let known = self.holdings.tables.get(&id);
        let planned = || self.new_tables.values().find(|table| table.id == id);
        known.or_else(planned).cloned().ok_or_else(|| Error::internal("a bound table was not loaded"))
    }

    fn add_binding(&mut self, binding: Binding) {
        self.plan.inspect.insert(binding.table_id);
        self.bindings.entry(binding.contract_id).or_default().push(binding.clone());
        self.plan.changes.push(Change::Bind(binding));
    }

    fn unbind(&mut self, binding: &Binding, product_id: ProductId) {
        let table_id = binding.table_id;
        self.plan.changes.push(Change::Unbind(binding.id, table_id));
        self.unbound.insert(binding.id);
        if let Some(bindings) = self.bindings.get_mut(&binding.contract_id) {
            bindings.retain(|other| other.id != binding.id);
        }
        let stored = self.holdings.sharers.get(&table_id).into_iter().flatten();
        let mut left = stored.filter(|other| !self.unbound.contains(&other.id));
        let is_planned = self.bindings.values().flatten().any(|other| other.table_id == table_id);
        if left.next().is_none() && !is_planned {
            self.ended_tables.insert(table_id);
            self.new_tables.retain(|_, table| table.id != table_id);
            self.plan.inspect.remove(&table_id);
        } else {
            self.leave(table_id, product_id);
        }
    }

    /// Binds the topics of a new version. A topic belongs to one contract: else the schemas of one would be judged by
    /// another. It belongs to a domain by its name, or by its owner's release. The message is the same whatever stands in
    /// the way: that may be hidden.
    pub(super) fn bind_topics(&mut self, judged: &JudgedContract, version: &JudgedVersion) {
        let contract_id = judged.contract.id;
        let major = version.entry.model.contract.version.major;
        for topic in &version.entry.model.topics {
            let planned = self.subjects.get(&topic.subject).copied();
            let Some(held) = self.holdings.subjects.get(&topic.subject) else { continue };
            let is_other = |holder: &ContractId| *holder != contract_id;
            let is_taken_over = held.contracts.iter().any(is_other);
            let prefixes = &self.ctx.app.settings.topic_prefixes;
            let standing = Standing {
                is_bound: is_taken_over,
                kept_by: held.kept_by.as_ref(),
                is_released: held.is_released_to(&judged.domain),
            };
            let is_available = planned.is_none_or(|planned| planned == contract_id)
                && (held.contracts.contains(&contract_id) && !is_taken_over
                    || prefixes.may_bind(&judged.domain, &topic.subject, &standing));
            if !is_available {
                let pointer = format!("/schema/{}/physicalName", topic.n_object);
                let message = format!(
                    "the subject `{}` is not available to the domain `{}`: another contract is bound to it, or its \
                     topic is not one of the domain's; its owner can release it (`charter registry release`)",
                    topic.subject, judged.domain
                );
                self.problems.push(version.entry.problem(pointer, message));
                continue;
            }
            let bound = self.topics.get(&contract_id).into_iter().flatten().find(|binding| {
                binding.major == major && binding.object == topic.object && binding.environment == topic.environment
            });
            match bound {
                Some(binding) if binding.subject != topic.subject => {
                    let message = format!(
                        "`{}` cannot be bound to another subject: readers use `{}`",
                        topic.object, binding.subject
                    );
                    let pointer = format!("/schema/{}/physicalName", topic.n_object);
                    self.warnings.push(version.entry.problem(pointer, message));
                }
                Some(_) => {}
                None => {
                    let binding = TopicBinding {
                        id: BindingId::new(self.ctx.app.clock.as_ref(), self.ctx.app.random.as_ref()),
                        contract_id,
                        major,
                        object: topic.object.clone(),
                        environment: topic.environment.clone(),
                        subject: topic.subject.clone(),
                    };
                    self.subjects.insert(topic.subject.clone(), contract_id);
                    self.topics.entry(contract_id).or_default().push(binding.clone());
                    if is_taken_over || held.released_to.is_some() {
                        self.plan.changes.push(Change::TakeTopicOver(topic.subject.clone(), contract_id));
                    }
                    self.plan.changes.push(Change::BindTopic(binding));
                }
            }
        }
    }

    /// The table at a folder, registered if there is none; `None` if it cannot be had. The message does not name what
    /// stands in the way: it may belong to a product that the caller may not know of.
    ///
    /// A domain registers tables in its own folder only: otherwise every publisher could claim any folder that is not
    /// registered yet.
    fn table(
        &mut self,
        judged: &JudgedContract,
        version: &JudgedVersion,
        folder: &Folder,
    ) -> Result<Option<TableId>, Error> {
        let (domain, location) = (&judged.domain, &folder.location);
        let not_available = || {
            let message = format!(
                "the folder `{location}` is not available: it contains another table or lies inside one, or is not below the \
                 domain's own folder `{domain}`, or is that of a domain below it"
            );
            version.entry.problem(pointer(folder), message)
        };
        let at_location = self.overlapping(location).find(|table| table.location == *location);
        let Some(table) = at_location.cloned() else {
            let is_own = location.lies_in(domain) && !self.holdings.below.contains(location);
            if !is_own || self.overlapping(location).next().is_some() {
                self.problems.push(not_available());
                return Ok(None);
            }
            let table = Table {
                id: TableId::new(self.ctx.app.clock.as_ref(), self.ctx.app.random.as_ref()),
                format: folder.format,
                location: location.clone(),
                revision: 0,
                head: None,
                shared: false,
                created_at: self.ctx.now(),
            };
            let id = table.id;
            self.new_tables.insert(location.clone(), table.clone());
            self.plan.changes.push(Change::AddTable(table));
            self.sharing.insert(id, Sharing::of_one(self.planned_product(judged)?));
            return Ok(Some(id));
        };
        if !self.may_bind(judged, table.id) {
            self.problems.push(not_available());
            return Ok(None);
        }
        if table.format != folder.format {
            let message = format!("the folder `{location}` contains a {} table", table.format);
            self.problems.push(version.entry.problem(pointer(folder), message));
            return Ok(None);
        }
        self.share(judged, table.id)?;
        Ok(Some(table.id))
    }

    /// The tables at a location, above it and below it, as planned so far.
    fn overlapping(&self, location: &Location) -> impl Iterator<Item = &Table> {
        let stored = self.holdings.overlapping.get(location).into_iter().flatten();
        let stored = stored.filter_map(|id| self.holdings.tables.get(id));
        let stored = stored.filter(|table| !self.ended_tables.contains(&table.id));
        let above: Vec<Location> = location.ancestors().collect();
        let at_or_above = above.into_iter().filter_map(|location| self.new_tables.get(&location));
        // What lies below a location follows it in the order of locations.
        let below = self.new_tables.range((Bound::Excluded(location), Bound::Unbounded));
        let below = below.map(|(_, table)| table).take_while(|table| table.location.overlaps(location));
        stored.chain(at_or_above).chain(below)
    }
}

fn pointer(folder: &Folder) -> String {
    format!("/servers/{}/path", folder.n_server)
}
