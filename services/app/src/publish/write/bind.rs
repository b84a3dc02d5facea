//! Binding schema objects to the folders that a contract's local servers name.

use domain::binding::{Binding, TopicBinding};
use domain::contract::{Classification, State};
use domain::id::{BindingId, TableId};
use domain::name::DomainPath;
use domain::table::Table;
use policy::{Action, Resource};

use super::Writing;
use crate::error::Error;
use crate::grant::distinct;
use crate::known;
use crate::publish::set::Folder;
use crate::publish::versions::{JudgedContract, JudgedVersion};

impl Writing<'_> {
    /// Binds the objects of a new version. An object that is bound stays where it is, unless no version of the major
    /// was ever active.
    pub(super) async fn bind(
        &mut self,
        judged: &JudgedContract,
        version: &JudgedVersion,
        classification: Classification,
    ) -> Result<(), Error> {
        let folders = &version.entry.model.folders;
        if folders.is_empty() {
            return Ok(());
        }
        let product = policy::Product { id: judged.contract.product_id, domain: &judged.domain, classification };
        self.ctx.authorize(Action::BindTable, &Resource::Product(product), "bind tables to this data product")?;

        let major = version.entry.model.contract.version.major;
        let bound = store::binding::list_of_major(self.tx, judged.contract.id, major).await?;
        let versions = self.scene.of(&judged.domain)?.versions_of(judged.contract.id);
        let mut of_major = versions.iter().filter(|version| version.version.major == major);
        let was_promised = of_major.any(|version| !matches!(version.state, State::Draft { .. }));
        for folder in folders {
            let binding = bound
                .iter()
                .find(|binding| binding.object == folder.object && binding.environment == folder.environment);
            let Some(binding) = binding else {
                if let Some(table_id) = self.table(&judged.domain, version, folder).await? {
                    let binding = Binding {
                        id: BindingId::new(self.ctx.app.clock.as_ref(), self.ctx.app.random.as_ref()),
                        contract_id: judged.contract.id,
                        major,
                        object: folder.object.clone(),
                        environment: folder.environment.clone(),
                        table_id,
                    };
                    store::binding::insert(self.tx, &binding).await?;
                    self.tables.insert(table_id);
                }
                continue;
            };
            let table = store::table::get(self.tx, binding.table_id).await?;
            if table.location == folder.location && table.format == folder.format {
                self.tables.insert(table.id);
            } else if was_promised {
                let message = format!("`{}` stays bound where it is: readers read it there", folder.object);
                self.warnings.push(version.entry.problem(pointer(folder), message));
                self.tables.insert(table.id);
            } else {
                // Unbound first: the new folder may lie inside the old one.
                store::binding::unbind(self.tx, binding.id).await?;
                store::table::delete_unbound(self.tx, table.id).await?;
                if let Some(table_id) = self.table(&judged.domain, version, folder).await? {
                    store::binding::insert(self.tx, &Binding { table_id, ..binding.clone() }).await?;
                    self.tables.insert(table_id);
                }
            }
        }
        Ok(())
    }

    /// Binds the topics of a new version. A topic belongs to one contract: else the schemas of one would be judged by
    /// another. Of whom it is that has it is not told.
    pub(super) async fn bind_topics(&mut self, judged: &JudgedContract, version: &JudgedVersion) -> Result<(), Error> {
        let major = version.entry.model.contract.version.major;
        let bound = store::binding::list_topics_of_contracts(self.tx, &[judged.contract.id]).await?;
        for topic in &version.entry.model.topics {
            let others = store::binding::list_topics_of_subject(self.tx, &topic.subject).await?;
            if others.iter().any(|other| other.contract_id != judged.contract.id) {
                let pointer = format!("/schema/{}/physicalName", topic.n_object);
                let message = format!("the subject `{}` is not available: it is another contract's", topic.subject);
                self.problems.push(version.entry.problem(pointer, message));
                continue;
            }
            let known = bound.iter().find(|binding| {
                binding.major == major && binding.object == topic.object && binding.environment == topic.environment
            });
            match known {
                Some(binding) if binding.subject != topic.subject => {
                    let message = format!("`{}` stays bound to `{}`", topic.object, binding.subject);
                    let pointer = format!("/schema/{}/physicalName", topic.n_object);
                    self.warnings.push(version.entry.problem(pointer, message));
                }
                Some(_) => {}
                None => {
                    let binding = TopicBinding {
                        id: BindingId::new(self.ctx.app.clock.as_ref(), self.ctx.app.random.as_ref()),
                        contract_id: judged.contract.id,
                        major,
                        object: topic.object.clone(),
                        environment: topic.environment.clone(),
                        subject: topic.subject.clone(),
                    };
                    store::binding::insert_topic(self.tx, &binding).await?;
                    self.visibility = true;
                }
            }
        }
        Ok(())
    }

    /// The table at a folder, registered if there is none; `None` if it cannot be had. What stands in the way is not
    /// named: it may belong to somebody the caller may not know of.
    ///
    /// A domain registers tables in its own folder only: otherwise whoever may publish anywhere could have any folder
    /// that nobody has registered yet.
    async fn table(
        &mut self,
        domain: &DomainPath,
        version: &JudgedVersion,
        folder: &Folder,
    ) -> Result<Option<TableId>, Error> {
        let not_available = || {
            let message = format!(
                "the folder `{}` is not available: it holds another table or lies in one, or is not below the domain's \
                 own folder `{domain}`",
                folder.location
            );
            version.entry.problem(pointer(folder), message)
        };
        let Some(table) = store::table::find_by_location(self.tx, &folder.location).await? else {
            let is_own = folder.location.lies_in(domain);
            if !is_own || store::table::find_overlapping(self.tx, &folder.location, None).await?.is_some() {
                self.problems.push(not_available());
                return Ok(None);
            }
            let table = Table {
                id: TableId::new(self.ctx.app.clock.as_ref(), self.ctx.app.random.as_ref()),
                format: folder.format,
                location: folder.location.clone(),
                revision: 0,
                head: None,
                created_at: self.ctx.now(),
            };
            store::table::insert(self.tx, &table).await?;
            return Ok(Some(table.id));
        };
        if !self.may_share(table.id).await? {
            self.problems.push(not_available());
            return Ok(None);
        }
        if table.format != folder.format {
            let message = format!("the folder `{}` holds a {} table", folder.location, table.format);
            self.problems.push(version.entry.problem(pointer(folder), message));
            return Ok(None);
        }
        Ok(Some(table.id))
    }

    /// Whether the caller may bind to a table that others are bound to: for each of their products.
    async fn may_share(&mut self, table_id: TableId) -> Result<bool, Error> {
        let bindings = store::binding::list_of_table(self.tx, table_id).await?;
        let contract_ids = distinct(bindings.iter().map(|binding| binding.contract_id));
        let contracts = store::contract::list_by_ids(self.tx, &contract_ids).await?;
        let product_ids = distinct(contracts.iter().map(|contract| contract.product_id));
        let known = known::load(self.tx, &product_ids).await?;
        Ok(known.values().all(|known| self.ctx.may(Action::BindTable, &Resource::Product(known.policy()))))
    }
}

fn pointer(folder: &Folder) -> String {
    format!("/servers/{}/path", folder.n_server)
}
