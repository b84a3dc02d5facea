//! Executing a [`Plan`]: every change with its record and its event, then the revisions, the leases that end, and the jobs
//! that follow.

use domain::job::Job;
use domain::product::Product;
use domain::{contract, event};
use store::{Tx, outbox};

use super::plan::{Change, Plan, Transition};
use crate::audit::{self, Action, Author, Event, ResourceKind};
use crate::change::{self, announce};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::jobs::queue;
use crate::notice;

/// Executes a plan in the transaction that it was made in.
pub(super) async fn write(ctx: &Ctx, tx: &mut Tx, plan: &Plan) -> Result<(), Error> {
    let mut writer = Writer { ctx, tx, caller: Author::from(ctx), changes: Vec::new() };
    for change in &plan.changes {
        writer.change(change).await?;
    }
    let Writer { caller, changes, .. } = writer;
    announce(&ctx.app, tx, &changes, &caller).await?;
    for table_id in &plan.inspect {
        queue::push(&ctx.app, tx, Job::Inspect(*table_id)).await?;
    }
    Ok(())
}

struct Writer<'a> {
    ctx: &'a Ctx,
    tx: &'a mut Tx,
    caller: Author,
    /// What is to be announced once all of it is written.
    changes: Vec<change::Change>,
}

impl Writer<'_> {
    async fn change(&mut self, change: &Change) -> Result<(), Error> {
        match change {
            Change::AddProduct(product, document) => {
                store::product::insert(self.tx, product).await?;
                store::product::put_document(self.tx, product.id, document).await?;
                self.changes.push(change::Change::ProductAdded);
                self.product_published(product).await
            }
            Change::ReplaceProduct { product, document, seen } => {
                store::product::put_document(self.tx, product.id, document).await?;
                store::product::update(self.tx, product, *seen).await?;
                self.changes.push(change::Change::ProductPublished(product.id));
                self.product_published(product).await
            }
            Change::UpdateProduct { product, seen } => Ok(store::product::update(self.tx, product, *seen).await?),
            Change::Reclassify(product) => {
                self.changes.push(change::Change::ProductClassified(product.id));
                let what = format!("{} is {}", product.name, product.classification);
                let event = Event::done(Action::ProductClassify, ResourceKind::Product, product.id, &what);
                audit::append(self.ctx, self.tx, event).await
            }
            Change::RetireProduct { product, seen } => {
                store::product::update(self.tx, product, *seen).await?;
                self.changes.push(change::Change::ProductPublished(product.id));
                let name = product.name.as_str();
                let record = Event::done(Action::ProductRetire, ResourceKind::Product, product.id, name);
                self.published(record, event::Event::ProductRetired(named(product))).await
            }
            Change::AddContract(contract) => Ok(store::contract::insert(self.tx, contract).await?),
            Change::AddVersion(version, what) => {
                store::contract::insert_version(self.tx, version).await?;
                self.changes.push(change::Change::VersionPublished);
                self.version_published(version, what).await
            }
            Change::ReplaceDraft { version, seen, what } => {
                store::contract::replace_draft(self.tx, version.id, seen, &version.document).await?;
                self.changes.push(change::Change::VersionPublished);
                self.version_published(version, what).await
            }
            Change::Transition { version, state, kind } => self.transition(version, state, *kind).await,
            Change::Wait { version, state } => {
                Ok(store::contract::set_state(self.tx, version.id, &version.state, state).await?)
            }
            Change::AddTable(table) => Ok(store::table::insert(self.tx, table).await?),
            Change::Unbind(binding_id, table_id) => {
                store::binding::unbind(self.tx, *binding_id).await?;
                store::table::delete_unbound(self.tx, *table_id).await?;
                self.changes.push(change::Change::Unbound(*table_id));
                Ok(())
            }
            Change::Share { table_id, shares, what } => {
                store::share::replace(self.tx, *table_id, shares).await?;
                self.changes.push(change::Change::Shared(*table_id));
                let event = Event::done(Action::TableShare, ResourceKind::Table, *table_id, what);
                audit::append(self.ctx, self.tx, event).await
            }
            Change::Bind(binding) => {
                self.changes.push(change::Change::Bound(binding.table_id));
                Ok(store::binding::insert(self.tx, binding).await?)
            }
            Change::TakeTopicOver(subject, by) => {
                self.changes.push(change::Change::TopicBound);
                store::binding::unbind_topic(self.tx, subject, *by).await?;
                Ok(store::topic::end_release(self.tx, subject).await?)
            }
            Change::BindTopic(binding) => {
                self.changes.push(change::Change::TopicBound);
                Ok(store::binding::insert_topic(self.tx, binding).await?)
            }
            Change::TiePort(port) => {
                self.changes.push(change::Change::PortTied);
                Ok(store::product::insert_port(self.tx, port).await?)
            }
            Change::OpenNotices(contract_id, major) => {
                notice::open_about(&self.ctx.app, self.tx, *contract_id, *major, &self.caller).await
            }
        }
    }

    async fn transition(
        &mut self,
        version: &contract::Version,
        state: &contract::State,
        kind: Transition,
    ) -> Result<(), Error> {
        let (app, server) = (&self.ctx.app, Author::server());
        let (action, author) = match kind {
            Transition::Deprecate => (Action::ContractDeprecate, &self.caller),
            Transition::Retire => (Action::ContractRetire, &self.caller),
            Transition::Supersede => (Action::ContractSupersede, &server),
            Transition::Activate => (Action::ContractActivate, &server),
        };
        let change = crate::contract::set_state(app, self.tx, version, state.clone(), action, author).await?;
        self.changes.push(change);
        if kind == Transition::Retire {
            let ended_at = version.state.sunset().map_or(app.now(), |sunset| sunset.min(app.now()));
            let (contract_id, major) = (version.contract_id, version.version.major);
            notice::close_ended(app, self.tx, contract_id, major, ended_at, author).await?;
        }
        Ok(())
    }

    async fn product_published(&mut self, product: &Product) -> Result<(), Error> {
        let name = product.name.as_str();
        let record = Event::done(Action::ProductPublish, ResourceKind::Product, product.id, name);
        self.published(record, event::Event::ProductPublished(named(product))).await
    }

    async fn version_published(&mut self, version: &contract::Version, what: &str) -> Result<(), Error> {
        let record = Event::done(Action::ContractPublish, ResourceKind::ContractVersion, version.id, what);
        let event = event::Event::ContractPublished { version_id: version.id, summary: what.to_owned() };
        self.published(record, event).await
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
