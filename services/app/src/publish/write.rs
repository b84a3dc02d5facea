//! Executing a [`Plan`]: every change with its record and its event, then the revisions and the jobs that follow.

use domain::job::Job;
use domain::product::Product;
use domain::{contract, event};
use store::revision::{self, Revision};
use store::{Tx, outbox};

use super::plan::{Change, Plan, Transition};
use crate::audit::{self, Action, Event, ResourceKind};
use crate::contract::Author;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::jobs::queue;
use crate::notice;

/// Executes a plan in the transaction that it was made in.
pub(super) async fn write(ctx: &Ctx, tx: &mut Tx, plan: &Plan) -> Result<(), Error> {
    let mut writer = Writer { ctx, tx, caller: Author::from(ctx) };
    for change in &plan.changes {
        writer.change(change).await?;
    }
    if plan.access {
        revision::bump(tx, Revision::Access).await?;
    }
    if plan.visibility {
        revision::bump(tx, Revision::Visibility).await?;
    }
    for table_id in &plan.inspect {
        queue::push(&ctx.app, tx, Job::Inspect(*table_id)).await?;
    }
    Ok(())
}

struct Writer<'a> {
    ctx: &'a Ctx,
    tx: &'a mut Tx,
    caller: Author,
}

impl Writer<'_> {
    async fn change(&mut self, change: &Change) -> Result<(), Error> {
        match change {
            Change::AddProduct(product, document) => {
                store::product::insert(self.tx, product).await?;
                store::product::put_document(self.tx, product.id, document).await?;
                self.product_published(product).await
            }
            Change::ReplaceProduct { product, document, seen } => {
                store::product::put_document(self.tx, product.id, document).await?;
                store::product::update(self.tx, product, *seen).await?;
                self.product_published(product).await
            }
            Change::UpdateProduct { product, seen } => Ok(store::product::update(self.tx, product, *seen).await?),
            Change::Reclassify(product) => {
                let what = format!("{} is {}", product.name, product.classification);
                let event = Event::done(Action::ProductClassify, ResourceKind::Product, product.id, &what);
                audit::append(self.ctx, self.tx, event).await
            }
            Change::RetireProduct { product, seen } => {
                store::product::update(self.tx, product, *seen).await?;
                let name = product.name.as_str();
                let record = Event::done(Action::ProductRetire, ResourceKind::Product, product.id, name);
                self.published(record, event::Event::ProductRetired(named(product))).await
            }
            Change::AddContract(contract) => Ok(store::contract::insert(self.tx, contract).await?),
            Change::AddVersion(version, what) => {
                store::contract::insert_version(self.tx, version).await?;
                self.version_published(version, what).await
            }
            Change::ReplaceDraft { version, seen, what } => {
                store::contract::replace_draft(self.tx, version.id, seen, &version.document).await?;
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
                Ok(())
            }
            Change::Share { table_id, shares, what } => {
                store::share::replace(self.tx, *table_id, shares).await?;
                let event = Event::done(Action::TableShare, ResourceKind::Table, *table_id, what);
                audit::append(self.ctx, self.tx, event).await
            }
            Change::Bind(binding) => Ok(store::binding::insert(self.tx, binding).await?),
            Change::BindTopic(binding) => Ok(store::binding::insert_topic(self.tx, binding).await?),
            Change::TiePort(port) => Ok(store::product::insert_port(self.tx, port).await?),
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
        crate::contract::change(app, self.tx, version, state.clone(), action, author).await?;
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
