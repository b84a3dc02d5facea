//! Records of the audit log.

use app::audit::{self, Entry, Filter};
use async_graphql::{Context, ID, Interface, Object};
use domain::id::{PrincipalId, RecordId};

use super::closed_set::{AuditAction, AuditOutcome, RecordFault};
use super::error::Result;
use super::id::{encode, encode_text};
use super::page::{Connection, Page, cost};
use super::relation;
use super::scalar::DateTime;
use super::session::SessionExt;
use super::types::{BrokenRecord, Principal, Record};

#[Object]
impl Record {
    pub(crate) async fn id(&self) -> ID {
        encode(self.record.id)
    }

    pub(crate) async fn at(&self) -> DateTime {
        self.record.at.into()
    }

    /// The actor; null for the server itself.
    async fn actor(&self, ctx: &Context<'_>) -> Result<Option<Principal>> {
        match self.record.actor.parse::<PrincipalId>() {
            Ok(id) => relation::find_principal(ctx, id).await,
            Err(_) => Ok(None),
        }
    }

    /// The recorded action.
    async fn action(&self) -> AuditAction {
        AuditAction(self.record.action)
    }

    /// The resource: its kind and id.
    pub(crate) async fn resource(&self) -> String {
        format!("{}:{}", self.record.resource.kind, self.record.resource.id)
    }

    /// How it ended.
    async fn outcome(&self) -> AuditOutcome {
        AuditOutcome(self.record.outcome)
    }

    /// The reason, given by the actor or the gate.
    async fn reason(&self) -> Option<&str> {
        self.record.reason.as_deref()
    }

    /// The id of the request; empty for actions of the server.
    async fn request_id(&self) -> &str {
        &self.record.request_id
    }

    /// Details, as JSON.
    async fn detail(&self) -> &str {
        &self.record.detail
    }

    /// HMAC-SHA-256 over the record's canonical bytes, in hex.
    async fn mac(&self) -> &str {
        &self.mac
    }
}

/// An entry of the audit log that was modified, or that a newer version of the server wrote. What its row says is shown,
/// but can be false.
#[Object]
impl BrokenRecord {
    pub(crate) async fn id(&self) -> ID {
        encode_text::<RecordId>(&self.stored.id)
    }

    pub(crate) async fn at(&self) -> DateTime {
        self.stored.at.into()
    }

    /// Why it is not shown as a record.
    async fn fault(&self) -> RecordFault {
        RecordFault(self.fault)
    }

    /// The action, as in the log: `credential.vend`.
    async fn action(&self) -> &str {
        &self.stored.action
    }

    /// The resource: its kind and id.
    pub(crate) async fn resource(&self) -> String {
        format!("{}:{}", self.stored.resource_kind, self.stored.resource_id)
    }
}

/// An entry of the audit log.
#[derive(Interface)]
#[graphql(
    field(name = "id", ty = "ID"),
    field(name = "at", ty = "DateTime"),
    field(name = "resource", ty = "String", desc = "The resource: its kind and id.")
)]
pub(crate) enum AuditEntry {
    Record(Record),
    BrokenRecord(BrokenRecord),
}

impl From<Entry> for AuditEntry {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::Record { record, mac } => Self::Record(Record { record, mac }),
            Entry::Broken { stored, fault } => Self::BrokenRecord(BrokenRecord { stored, fault }),
        }
    }
}

#[derive(Default)]
pub(crate) struct AuditQuery;

#[Object]
impl AuditQuery {
    /// The audit log, newest first: for admins, stewards and auditors. A broken record is in the list, and in that of an
    /// action if its row says so.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn records(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(super::page::DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
        action: Option<AuditAction>,
    ) -> Result<Connection<AuditEntry>> {
        let ctx = ctx.ctx()?;
        let page = Page::new(ctx, "records", first, after.as_deref())?;
        let filter = Filter { action: action.map(|action| action.0), ..Filter::default() };
        let found = audit::list_records(ctx, filter, &page.seek()).await?;
        Ok(page.connection(found, |(key, _)| key.clone(), |(_, entry)| AuditEntry::from(entry)))
    }
}
