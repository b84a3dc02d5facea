//! Records of the audit log.

use app::audit::{self, Filter};
use async_graphql::{Context, ID, Object};
use domain::id::PrincipalId;

use super::closed_set::{AuditAction, AuditOutcome};
use super::error::Result;
use super::id::encode;
use super::page::{Connection, Page, cost};
use super::relation;
use super::scalar::DateTime;
use super::session::SessionExt;
use super::types::{Principal, Record};

#[Object]
impl Record {
    pub(crate) async fn id(&self) -> ID {
        encode(self.0.record.id)
    }

    async fn at(&self) -> DateTime {
        self.0.record.at.into()
    }

    /// The actor; null for the server itself.
    async fn actor(&self, ctx: &Context<'_>) -> Result<Option<Principal>> {
        match self.0.record.actor.parse::<PrincipalId>() {
            Ok(id) => relation::find_principal(ctx, id).await,
            Err(_) => Ok(None),
        }
    }

    /// The recorded action.
    async fn action(&self) -> AuditAction {
        AuditAction(self.0.record.action)
    }

    /// The resource: its kind and id.
    async fn resource(&self) -> String {
        format!("{}:{}", self.0.record.resource.kind, self.0.record.resource.id)
    }

    /// How it ended.
    async fn outcome(&self) -> AuditOutcome {
        AuditOutcome(self.0.record.outcome)
    }

    /// The reason, given by the actor or the gate.
    async fn reason(&self) -> Option<&str> {
        self.0.record.reason.as_deref()
    }

    /// The id of the request; empty for actions of the server.
    async fn request_id(&self) -> &str {
        &self.0.record.request_id
    }

    /// Details, as JSON.
    async fn detail(&self) -> &str {
        &self.0.record.detail
    }

    /// HMAC-SHA-256 over the record's canonical bytes, in hex.
    async fn mac(&self) -> &str {
        &self.0.mac
    }
}

#[derive(Default)]
pub(crate) struct AuditQuery;

#[Object]
impl AuditQuery {
    /// Audit records, newest first: for admins, stewards and auditors.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn records(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(super::page::DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
        action: Option<AuditAction>,
    ) -> Result<Connection<Record>> {
        let ctx = ctx.ctx()?;
        let page = Page::new(ctx, "records", first, after.as_deref())?;
        let filter = Filter { action: action.map(|action| action.0), ..Filter::default() };
        let found = audit::list_records(ctx, filter, &page.seek()).await?;
        Ok(page.connection(found, |entry| (entry.record.at, entry.record.id), Record))
    }
}
