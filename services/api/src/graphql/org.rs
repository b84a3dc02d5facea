//! Domains.

use app::org::{self, CreateDomain, Created, SetEnforcement};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Union};

use super::error::Result;
use super::id::encode;
use super::input::{idempotency_key, path};
use super::page::{Connection, Page, cost};
use super::product::list_of_domain;
use super::scalar::DateTime;
use super::session::SessionExt;
use super::types::{Domain, NameTaken, Product, RoleAssignment};
use super::words::Enforcement;

#[Object]
impl Domain {
    pub(crate) async fn id(&self) -> ID {
        encode(self.0.id)
    }

    /// Its path: names joined with `/`.
    async fn path(&self) -> &str {
        self.0.path.as_str()
    }

    /// Its current enforcement.
    async fn enforcement(&self, ctx: &Context<'_>) -> Result<Enforcement> {
        Ok(self.0.enforcement_at(ctx.ctx()?.now()).into())
    }

    /// The date from which enforcement is `ON`.
    async fn switch_at(&self) -> Option<DateTime> {
        self.0.switch_at.map(DateTime)
    }

    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// Its own products, by name.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(super::page::DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Product>> {
        list_of_domain(ctx.ctx()?, &self.0.path, first, after.as_deref()).await
    }

    /// Its role assignments; null for callers without a role in the domain or on the platform.
    #[graphql(complexity = "super::page::SHORT_LIST * child_complexity + 1")]
    async fn roles(&self, ctx: &Context<'_>) -> Result<Option<Vec<RoleAssignment>>> {
        let roles = app::identity::list_domain_roles(ctx.ctx()?, &self.0).await?;
        Ok(roles.map(|roles| roles.into_iter().map(RoleAssignment).collect()))
    }
}

#[derive(Default)]
pub(crate) struct OrgQuery;

#[Object]
impl OrgQuery {
    /// All domains, by path.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn domains(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(super::page::DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Domain>> {
        let ctx = ctx.ctx()?;
        let page = Page::new(ctx, "domains", first, after.as_deref())?;
        let found = org::list_domains(ctx, &page.seek()).await?;
        Ok(page.connection(found, |domain| domain.path.clone(), Domain))
    }

    /// A domain by its path.
    async fn domain(&self, ctx: &Context<'_>, path: String) -> Result<Option<Domain>> {
        let found = org::find_domain(ctx.ctx()?, &self::path(&path, "path")?).await?;
        Ok(found.map(Domain))
    }
}

#[derive(InputObject)]
pub(crate) struct CreateDomainInput {
    /// The path; the parent domain must exist.
    path: String,
    idempotency_key: Option<String>,
}

#[derive(SimpleObject)]
pub(crate) struct CreateDomainPayload {
    domain: Domain,
}

#[derive(Union)]
pub(crate) enum CreateDomainResult {
    Made(CreateDomainPayload),
    NameTaken(NameTaken),
}

#[derive(InputObject)]
pub(crate) struct SetEnforcementInput {
    /// The domain's path.
    domain: String,
    enforcement: Enforcement,
    /// The date from which enforcement is `ON`.
    switch_at: Option<DateTime>,
    idempotency_key: Option<String>,
}

#[derive(SimpleObject)]
pub(crate) struct SetEnforcementPayload {
    domain: Domain,
}

#[derive(Default)]
pub(crate) struct OrgMutation;

#[Object]
impl OrgMutation {
    /// Creates a domain: admins and stewards.
    async fn create_domain(&self, ctx: &Context<'_>, input: CreateDomainInput) -> Result<CreateDomainResult> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("createDomain", &input, input.idempotency_key.as_ref())?;
        let command = CreateDomain { path: path(&input.path, "path")?, key };
        Ok(match org::create_domain(ctx, command).await? {
            Created::Made(domain) => CreateDomainResult::Made(CreateDomainPayload { domain: Domain(domain) }),
            Created::NameTaken => CreateDomainResult::NameTaken(NameTaken::of("the path is in use")),
        })
    }

    /// Sets a domain's enforcement: stewards.
    async fn set_enforcement(&self, ctx: &Context<'_>, input: SetEnforcementInput) -> Result<SetEnforcementPayload> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("setEnforcement", &input, input.idempotency_key.as_ref())?;
        let command = SetEnforcement {
            path: path(&input.domain, "domain")?,
            enforcement: input.enforcement.into(),
            switch_at: input.switch_at.map(|at| at.0),
            key,
        };
        let domain = org::set_enforcement(ctx, command).await?;
        Ok(SetEnforcementPayload { domain: Domain(domain) })
    }
}
