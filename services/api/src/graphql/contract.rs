//! Contracts, their versions, and what changed between them.

use std::sync::Arc;

use app::contract::{self, Activate, Activated, VersionAddress, VersionView};
use app::paging::{Page as Rows, Seek};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Union};
use domain::contract::State;

use super::error::{Failure, Result};
use super::id::{decode, encode};
use super::input::{idempotency_key, name, path};
use super::loader::{NewestOf, OverridesOf, VersionsOf};
use super::page::{Connection, Page, SHORT_LIST, cost};
use super::scalar::DateTime;
use super::session::SessionExt;
use super::types::{Contract, ContractOverride, ContractVersion, Document, Finding};
use super::words::{ContractState, GateMode};

/// What comparing two versions costs, in fields.
const COMPARISON: usize = 20;

#[Object]
impl Contract {
    pub(crate) async fn id(&self) -> ID {
        encode(self.0.id)
    }

    /// The `id` in its documents, unique within the product.
    async fn document_id(&self) -> &str {
        &self.0.document_id
    }

    /// Its display name, from the newest version.
    async fn name(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let newest = ctx.loaders()?.find(NewestOf(self.0.id)).await?;
        Ok(newest.and_then(|newest| newest.document.name.clone()))
    }

    /// Its versions, newest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn versions(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(super::page::DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<ContractVersion>> {
        let page = Page::new(ctx.ctx()?, "versions", first, after.as_deref())?;
        let Seek { after, limit } = page.seek();
        let found = ctx.loaders()?.find(VersionsOf { contract_id: self.0.id, after, limit }).await?;
        // Nothing where the caller may not know of the contract any more.
        let found = found.unwrap_or_else(|| Rows { items: Vec::new(), has_more: false });
        Ok(page.connection(found, |view| view.version.version, ContractVersion))
    }

    /// What changed from one of its versions to another; null if one of them does not exist.
    #[graphql(complexity = "COMPARISON + child_complexity")]
    async fn changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "`MAJOR.MINOR.PATCH`.")] from: String,
        #[graphql(desc = "`MAJOR.MINOR.PATCH`.")] to: String,
    ) -> Result<Option<Vec<Finding>>> {
        let from = from.parse().map_err(|error| Failure::invalid("from", error))?;
        let to = to.parse().map_err(|error| Failure::invalid("to", error))?;
        let found = contract::list_changes(ctx.ctx()?, self.0.id, from, to).await?;
        Ok(found.map(|findings| findings.iter().map(Finding::from).collect()))
    }

    /// Its overrides, newest first, including expired and revoked ones.
    #[graphql(complexity = "SHORT_LIST * child_complexity + 1")]
    async fn overrides(&self, ctx: &Context<'_>) -> Result<Vec<ContractOverride>> {
        let overrides = ctx.loaders()?.find(OverridesOf(self.0.id)).await?.unwrap_or_default();
        Ok(overrides.into_iter().map(ContractOverride).collect())
    }
}

#[Object]
impl ContractVersion {
    pub(crate) async fn id(&self) -> ID {
        encode(self.0.version.id)
    }

    /// `MAJOR.MINOR.PATCH`.
    async fn version(&self) -> String {
        self.0.version.version.to_string()
    }

    async fn state(&self) -> ContractState {
        (&self.0.version.state).into()
    }

    /// The reasons why a draft is not active yet.
    async fn reasons(&self) -> Vec<String> {
        reasons(&self.0)
    }

    /// The end of service of a deprecated version.
    async fn sunset(&self) -> Option<DateTime> {
        self.0.version.state.sunset().map(DateTime)
    }

    async fn published_at(&self) -> DateTime {
        self.0.version.document.published_at.into()
    }

    /// Its document, as it was published.
    async fn document(&self) -> Document {
        let document = &self.0.version.document;
        Document::new(&document.digest, document.format.as_str(), &document.bytes)
    }

    /// Its changes compared with the next lower version of its contract.
    #[graphql(complexity = "COMPARISON + child_complexity")]
    async fn findings(&self, ctx: &Context<'_>) -> Result<Vec<Finding>> {
        let findings = contract::list_findings(ctx.ctx()?, self.0.version.id).await?;
        Ok(findings.iter().map(Finding::from).collect())
    }

    /// The snapshot to serve if the newest is not good.
    async fn gate_mode(&self) -> GateMode {
        self.0.document.settings.gate_mode.into()
    }
}

#[derive(Default)]
pub(crate) struct ContractQuery;

#[Object]
impl ContractQuery {
    /// A version by its address, with the contract's document id. Null if the caller may not see it.
    async fn contract_version(
        &self,
        ctx: &Context<'_>,
        domain: String,
        product: String,
        contract: String,
        version: String,
    ) -> Result<Option<ContractVersion>> {
        let address = VersionAddress {
            domain: path(&domain, "domain")?,
            product: name(&product, "product")?,
            contract,
            version: version.parse().map_err(|error| Failure::invalid("version", error))?,
        };
        let found = contract::find_version(ctx.ctx()?, &address).await?;
        Ok(found.map(|view| ContractVersion(Arc::new(view))))
    }
}

#[derive(InputObject)]
pub(crate) struct ActivateVersionInput {
    version: ID,
    idempotency_key: Option<String>,
}

#[derive(SimpleObject)]
pub(crate) struct ActivateVersionPayload {
    version: ContractVersion,
}

/// The version stays a draft.
#[derive(SimpleObject)]
pub(crate) struct VersionWaits {
    version: ContractVersion,
    /// The reasons.
    reasons: Vec<String>,
}

#[derive(Union)]
pub(crate) enum ActivateVersionResult {
    Done(ActivateVersionPayload),
    Waits(VersionWaits),
}

#[derive(Default)]
pub(crate) struct ContractMutation;

#[Object]
impl ContractMutation {
    /// Activates a draft if it is ready.
    async fn activate_version(&self, ctx: &Context<'_>, input: ActivateVersionInput) -> Result<ActivateVersionResult> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("activateVersion", &input, input.idempotency_key.as_ref())?;
        let command = Activate { id: decode(&input.version, "version")?, key };
        Ok(match contract::activate_version(ctx, command).await? {
            Activated::Done(view) => {
                ActivateVersionResult::Done(ActivateVersionPayload { version: ContractVersion(Arc::new(view)) })
            }
            Activated::Waits(view) => {
                let reasons = reasons(&view);
                ActivateVersionResult::Waits(VersionWaits { version: ContractVersion(Arc::new(view)), reasons })
            }
        })
    }
}

fn reasons(view: &VersionView) -> Vec<String> {
    match &view.version.state {
        State::Draft { reasons, .. } => reasons.clone(),
        State::Active { .. } | State::Superseded { .. } | State::Deprecated { .. } | State::Retired { .. } => {
            Vec::new()
        }
    }
}
