//! The audit log: a record for every change and every refusal at the gate, in the transaction of its effect.

use domain::audit::Fault;
pub use domain::audit::{Action, ResourceKind};
use domain::audit::{Outcome, Record, Resource};
use domain::clock::Timestamp;
use domain::id::RecordId;
pub use store::audit::{Filter, Stored};
use store::{Db, Lock, Page, Seek, Tx};

use crate::ctx::{App, Ctx};
use crate::error::Error;
use crate::idempotency::{self, Key};

/// The actor of what the server does by itself.
pub(crate) const SERVER: &str = "server";

/// Who changes something, for the records.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    pub(crate) actor: String,
    pub(crate) request_id: String,
}

impl Author {
    /// The server by itself.
    pub(crate) fn server() -> Self {
        Self { actor: SERVER.to_owned(), request_id: String::new() }
    }
}

impl From<&Ctx> for Author {
    fn from(ctx: &Ctx) -> Self {
        Self { actor: ctx.actor.principal.id.to_string(), request_id: ctx.request_id.to_string() }
    }
}

/// What happened, without who and when.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    action: Action,
    resource: Resource,
    outcome: Outcome,
    reason: Option<String>,
    detail: serde_json::Value,
}

impl Event {
    /// Something was done to a resource; `detail` says what, in a word or sentence.
    pub(crate) fn done(action: Action, kind: ResourceKind, id: impl ToString, detail: &str) -> Self {
        let resource = Resource { kind, id: id.to_string() };
        let detail = serde_json::json!({ "what": detail });
        Self { action, resource, outcome: Outcome::Done, reason: None, detail }
    }

    /// The same, about to be done outside of the database.
    pub(crate) fn intended(self) -> Self {
        Self { outcome: Outcome::Intended, ..self }
    }

    /// The same, refused for a reason.
    pub(crate) fn refused(self, reason: String) -> Self {
        Self { outcome: Outcome::Refused, reason: Some(reason), ..self }
    }

    /// The same, failed for a reason.
    pub(crate) fn failed(self, reason: String) -> Self {
        Self { outcome: Outcome::Failed, reason: Some(reason), ..self }
    }

    /// The same, with the actor's reason.
    pub(crate) fn because(self, reason: Option<&str>) -> Self {
        Self { reason: reason.map(str::to_owned), ..self }
    }

    /// The same, with facts for programs.
    pub(crate) fn with(self, detail: serde_json::Value) -> Self {
        Self { detail, ..self }
    }
}

/// Ends a change: its record, the effect of the caller's key from now on, and the commit, all or none.
pub(crate) async fn conclude(
    ctx: &Ctx,
    mut tx: Tx,
    event: Event,
    key: Option<&Key>,
    subject: impl ToString,
) -> Result<(), Error> {
    append(ctx, &mut tx, event).await?;
    idempotency::record(ctx, &mut tx, key, subject).await?;
    Ok(tx.commit().await?)
}

/// Appends a record of what the caller did. It is there when the transaction commits.
pub(crate) async fn append(ctx: &Ctx, tx: &mut Tx, event: Event) -> Result<(), Error> {
    append_as(&ctx.app, tx, ctx.actor.principal.id.to_string(), &ctx.request_id, event).await
}

/// Appends a record of an act of a principal or of the server itself.
pub(crate) async fn append_as(
    app: &App,
    tx: &mut Tx,
    actor: String,
    request_id: &str,
    event: Event,
) -> Result<(), Error> {
    let record = record(app, actor, request_id, event);
    Ok(store::audit::append(tx, &record, &app.record_key).await?)
}

/// The record of an act, to be stored together with its effect.
pub(crate) fn record(app: &App, actor: String, request_id: &str, event: Event) -> Record {
    Record {
        id: RecordId::new(app.clock.as_ref(), app.random.as_ref()),
        at: app.now(),
        actor,
        action: event.action,
        resource: event.resource,
        outcome: event.outcome,
        reason: event.reason,
        request_id: request_id.to_owned(),
        detail: event.detail.to_string(),
    }
}

/// Records an act that was refused outside of any transaction, such as asking for what does not exist.
///
/// # Errors
/// If it cannot be written down.
pub(crate) async fn append_alone(app: &App, actor: String, request_id: &str, event: Event) -> Result<(), Error> {
    let mut tx = app.db.write(Lock::Free).await?;
    append_as(app, &mut tx, actor, request_id, event).await?;
    Ok(tx.commit().await?)
}

/// A row of the log.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A record that is as it was written.
    Record {
        /// The record.
        record: Record,
        /// Its MAC, in hex.
        mac: String,
    },
    /// A row that is not. What it says is not protected by a MAC.
    Broken {
        /// The row.
        stored: Stored,
        /// Why it is not shown as a record.
        fault: Fault,
    },
}

/// Whether the log has any record, for a start: records cannot be read without the key that they were made with.
///
/// # Errors
/// Those of any use case.
pub async fn has_records(db: &Db) -> Result<bool, Error> {
    let mut tx = db.read().await?;
    Ok(!store::audit::list(&mut tx, Filter::default(), &Seek::first(1)).await?.items.is_empty())
}

/// Records, the newest first, with their keys in the list. A broken one is listed where its row says, and does not hide
/// the others. Reading the log is not recorded: it changes nothing, and the request log has it.
///
/// # Errors
/// [`Error::Forbidden`] unless the caller may read the log.
pub async fn list_records(
    ctx: &Ctx,
    filter: Filter<'_>,
    seek: &Seek<(Timestamp, String)>,
) -> Result<Page<((Timestamp, String), Entry)>, Error> {
    ctx.authorize(policy::Action::ViewAudit, &policy::Resource::Platform, "read the audit log")?;
    let mut tx = ctx.app.db.read().await?;
    let page = store::audit::list(&mut tx, filter, seek).await?;
    let keyed = |stored: Stored| (stored.key(), entry(ctx, stored));
    Ok(Page { items: page.items.into_iter().map(keyed).collect(), has_more: page.has_more })
}

/// A record by its id; `None` too for those who may not read the log.
///
/// # Errors
/// Those of any use case.
pub async fn find_record(ctx: &Ctx, id: RecordId) -> Result<Option<Entry>, Error> {
    if !ctx.may(policy::Action::ViewAudit, &policy::Resource::Platform) {
        return Ok(None);
    }
    let mut tx = ctx.app.db.read().await?;
    Ok(store::audit::find(&mut tx, id).await?.map(|stored| entry(ctx, stored)))
}

fn entry(ctx: &Ctx, stored: Stored) -> Entry {
    match stored.verify(&ctx.app.record_key) {
        Ok(record) => Entry::Record { record, mac: hex::encode(stored.mac) },
        Err(fault) => {
            tracing::error!(record.id = ?stored.id, fault = %fault, "broken audit record");
            Entry::Broken { stored, fault }
        }
    }
}
