//! Decisions of the gate, line by line.

use app::{gate, table};
use async_graphql::{Context, ID, InputObject, Object};
use domain::gate::{DetailRight, Line};
use domain::id::BindingId;

use super::closed_set::{GateAction, GateCheck, ReasonCode};
use super::error::Result;
use super::id::encode;
use super::input::address;
use super::page::{Connection, Page, cost};
use super::relation;
use super::scalar::DateTime;
use super::session::SessionExt;
use super::types::{Decision, Principal, Snapshot};
use super::words::{Action, LineOutcome, PurposeCode};

#[Object]
impl Decision {
    pub(crate) async fn id(&self) -> ID {
        encode(self.0.id)
    }

    /// The requested action.
    async fn action(&self) -> GateAction {
        GateAction(self.0.action)
    }

    async fn allowed(&self) -> bool {
        self.0.allowed
    }

    async fn at(&self) -> DateTime {
        self.0.at.into()
    }

    /// The caller.
    async fn principal(&self, ctx: &Context<'_>) -> Result<Principal> {
        relation::principal(ctx, self.0.principal_id).await
    }

    /// The table's address; null if the caller may no longer see it.
    async fn address(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let target = ctx.loaders()?.find(self.0.binding_id).await?;
        Ok(target.map(|target| target.address()))
    }

    /// One line per check.
    async fn lines(&self) -> Vec<DecisionLine> {
        let lines = self.0.lines.iter().cloned();
        lines.map(|line| DecisionLine { line, binding_id: self.0.binding_id }).collect()
    }

    /// The served snapshot.
    async fn served(&self, ctx: &Context<'_>) -> Result<Option<Snapshot>> {
        let (Some(served), Some(target)) = (self.0.served, ctx.loaders()?.find(self.0.binding_id).await?) else {
            return Ok(None);
        };
        relation::find_snapshot(ctx, served, &target).await
    }

    /// The earliest time at which a retry may succeed.
    async fn retry_at(&self) -> Option<DateTime> {
        self.0.retry_at.map(DateTime)
    }
}

/// The outcome of a check.
pub(crate) struct DecisionLine {
    line: Line,
    binding_id: BindingId,
}

#[Object]
impl DecisionLine {
    async fn check(&self) -> GateCheck {
        GateCheck(self.line.check)
    }

    async fn outcome(&self) -> LineOutcome {
        self.line.outcome.into()
    }

    /// The reason code.
    async fn code(&self) -> ReasonCode {
        ReasonCode(self.line.code)
    }

    /// The reason as text.
    async fn message(&self) -> &str {
        &self.line.message
    }

    /// Details, as far as the caller may see them.
    async fn details(&self, ctx: &Context<'_>) -> Result<Vec<&str>> {
        if self.line.details.is_empty() {
            return Ok(Vec::new());
        }
        let Some(target) = ctx.loaders()?.find(self.binding_id).await? else { return Ok(Vec::new()) };
        let ctx = ctx.ctx()?;
        let shown = self.line.details.iter().filter(|detail| match detail.right {
            DetailRight::Column(classification) => table::may_view_column(ctx, &target, classification),
            DetailRight::Quality => true,
            DetailRight::Owner => table::may_view_detail(ctx, &target),
        });
        Ok(shown.map(|detail| detail.text.as_str()).collect())
    }
}

#[derive(InputObject)]
pub(crate) struct WhyInput {
    address: String,
    #[graphql(default_with = "Some(Action::Read)")]
    action: Option<Action>,
    /// The purpose, unless the token or the caller's only grant determines it.
    purpose: Option<PurposeCode>,
}

#[derive(Default)]
pub(crate) struct GateQuery;

#[Object]
impl GateQuery {
    /// The gate's current decision, without issuing or recording anything. Null if the caller may not see the table.
    async fn why(&self, ctx: &Context<'_>, input: WhyInput) -> Result<Option<Decision>> {
        let action = input.action.unwrap_or(Action::Read).into();
        let purpose = input.purpose.map(Into::into);
        let decision = gate::why(ctx.ctx()?, &address(&input.address)?, action, purpose).await?;
        Ok(decision.map(Decision))
    }

    /// Decisions, newest first: the caller's own, those of their domains, and all for platform roles.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn decisions(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(super::page::DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Decision>> {
        let ctx = ctx.ctx()?;
        let page = Page::new(ctx, "decisions", first, after.as_deref())?;
        let found = gate::list_decisions(ctx, page.seek()).await?;
        Ok(page.connection(found, |decision| (decision.at, decision.id), Decision))
    }
}
