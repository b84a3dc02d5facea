//! Data products and their output ports.

use std::sync::Arc;
use std::time::Duration;

use app::Ctx;
use app::product;
use app::target::Target;
use async_graphql::{Context, ID, Object, SimpleObject};
use domain::clock::Timestamp;
use domain::name::DomainPath;

use super::closed_set::ProductAccess;
use super::error::{Failure, Result};
use super::id::encode;
use super::input::{name, path};
use super::loader::{ContractsOf, DocumentOf, PortsOf, TablesOf, UsageOf};
use super::notice;
use super::page::{Connection, Page, SHORT_LIST, cost};
use super::relation;
use super::scalar::{DateTime, int};
use super::session::SessionExt;
use super::types::{ChangeNotice, Contract, Document, Domain, Port, Product, Table};
use super::words::{Classification, ProductState};

/// The most days that usage is counted for.
const MAX_DAYS: u32 = 400;
/// The most products that are similar to one.
const MAX_SIMILAR: usize = 20;
/// What a search for similar products costs, in fields.
const SIMILAR: usize = 20;

/// How much a product was read. Readers by name are in `leases`, for those who may see them.
#[derive(SimpleObject)]
struct ProductUsage {
    /// Principals to whom a lease to read was issued.
    readers: i32,
    /// Leases to read.
    leases: i32,
    /// When the last of them was issued; null if there was none.
    last_at: Option<DateTime>,
}

#[Object]
impl Product {
    pub(crate) async fn id(&self) -> ID {
        encode(self.0.product.id)
    }

    /// Its name in addresses.
    async fn name(&self) -> &str {
        self.0.product.name.as_str()
    }

    /// Its display name.
    async fn title(&self) -> Option<&str> {
        self.0.product.title.as_deref()
    }

    async fn state(&self) -> ProductState {
        (&self.0.product.state).into()
    }

    /// The highest of the product and its columns; it decides visibility.
    async fn classification(&self) -> Classification {
        self.0.product.classification.into()
    }

    /// Its layer: `bronze`, `silver` or `gold`.
    async fn medallion(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let document = ctx.loaders()?.find(DocumentOf(self.0.product.id)).await?;
        Ok(document.and_then(|document| document.product.medallion).map(|layer| layer.to_string()))
    }

    async fn domain(&self) -> Domain {
        Domain(self.0.domain.clone())
    }

    /// Its output ports, by name and major.
    #[graphql(complexity = "SHORT_LIST * child_complexity + 1")]
    async fn ports(&self, ctx: &Context<'_>) -> Result<Vec<Port>> {
        let ports = ctx.loaders()?.find(PortsOf(self.0.product.id)).await?.unwrap_or_default();
        Ok(ports.into_iter().map(Port).collect())
    }

    #[graphql(complexity = "SHORT_LIST * child_complexity + 1")]
    async fn contracts(&self, ctx: &Context<'_>) -> Result<Vec<Contract>> {
        let contracts = ctx.loaders()?.find(ContractsOf(self.0.product.id)).await?.unwrap_or_default();
        Ok(contracts.into_iter().map(Contract).collect())
    }

    /// Its tables in the serving environment.
    #[graphql(complexity = "SHORT_LIST * child_complexity + 1")]
    async fn tables(&self, ctx: &Context<'_>) -> Result<Vec<Table>> {
        let tables: Vec<Arc<Target>> = ctx.loaders()?.find(TablesOf(self.0.product.id)).await?.unwrap_or_default();
        Ok(tables.into_iter().map(Table).collect())
    }

    /// Its document, as it was published.
    async fn document(&self, ctx: &Context<'_>) -> Result<Option<Document>> {
        let document = ctx.loaders()?.find(DocumentOf(self.0.product.id)).await?;
        Ok(document
            .map(|found| Document::new(&found.document.digest, found.document.format.as_str(), &found.document.bytes)))
    }

    /// What the caller may do with it, as far as roles and grants go: `why` says what the gate makes of a table.
    async fn access(&self, ctx: &Context<'_>) -> Result<ProductAccess> {
        Ok(ProductAccess(app::search::access(ctx.ctx()?, &self.0)))
    }

    /// How much it was read in the last days.
    async fn usage(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 30, desc = "How many days, 1 to 400.")] days: i32,
    ) -> Result<ProductUsage> {
        let n_days = u32::try_from(days).ok().filter(|days| (1..=MAX_DAYS).contains(days));
        let n_days = n_days.ok_or_else(|| Failure::invalid("days", format!("must be 1 to {MAX_DAYS}")))?;
        // From a whole minute on, so that all products of a query are counted together.
        let since = ctx.ctx()?.now().minus(Duration::from_secs(u64::from(n_days) * 86_400));
        let since = Timestamp(since.0 - since.0.rem_euclid(60_000_000));
        let usage = ctx.loaders()?.find(UsageOf { product_id: self.0.product.id, since }).await?.unwrap_or_default();
        Ok(ProductUsage {
            readers: int(usage.n_readers),
            leases: int(usage.n_leases),
            last_at: usage.last_at.map(DateTime),
        })
    }

    /// Products like it, the most similar first.
    #[graphql(complexity = "SIMILAR + usize::try_from(first).unwrap_or_default() * child_complexity")]
    async fn similar(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 5, desc = "How many, 1 to 20.")] first: i32,
    ) -> Result<Vec<Product>> {
        let limit = usize::try_from(first).ok().filter(|limit| (1..=MAX_SIMILAR).contains(limit));
        let limit = limit.ok_or_else(|| Failure::invalid("first", format!("must be 1 to {MAX_SIMILAR}")))?;
        let found = app::search::similar(ctx.ctx()?, &self.0, limit).await?;
        Ok(found.into_iter().map(Product).collect())
    }

    /// Notices of breaking successors that the caller may see, newest first.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn notices(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(super::page::DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<ChangeNotice>> {
        notice::list(ctx, "notices of product", Some(self.0.product.id), first, after.as_deref()).await
    }

    async fn created_at(&self) -> DateTime {
        self.0.product.created_at.into()
    }
}

#[Object]
impl Port {
    async fn name(&self) -> &str {
        self.0.port_major.port.as_str()
    }

    async fn major(&self) -> i32 {
        int(self.0.port_major.major)
    }

    /// The contract behind it.
    async fn contract(&self, ctx: &Context<'_>) -> Result<Option<Contract>> {
        relation::find_contract(ctx, self.0.contract_id).await
    }
}

#[derive(Default)]
pub(crate) struct ProductQuery;

#[Object]
impl ProductQuery {
    /// The products that the caller may see: of all domains, or of one domain, by name.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(super::page::DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
        domain: Option<String>,
    ) -> Result<Connection<Product>> {
        let ctx = ctx.ctx()?;
        if let Some(domain) = domain {
            return list_of_domain(ctx, &path(&domain, "domain")?, first, after.as_deref()).await;
        }
        let page = Page::new(ctx, "products", first, after.as_deref())?;
        let found = product::list_products(ctx, page.seek()).await?;
        Ok(page.connection(found, |known| known.product.id, Product))
    }

    /// A product by its address; null if the caller may not see it.
    async fn product(&self, ctx: &Context<'_>, domain: String, name: String) -> Result<Option<Product>> {
        let ctx = ctx.ctx()?;
        let found = product::find_product(ctx, &path(&domain, "domain")?, &self::name(&name, "name")?).await?;
        Ok(found.map(Product))
    }
}

/// A domain's own products, by name.
pub(super) async fn list_of_domain(
    ctx: &Ctx,
    domain: &DomainPath,
    first: Option<i32>,
    after: Option<&str>,
) -> Result<Connection<Product>> {
    let page = Page::new(ctx, "products of domain", first, after)?;
    let found = product::list_products_of_domain(ctx, domain, page.seek()).await?;
    Ok(page.connection(found, |known| known.product.name.clone(), Product))
}
