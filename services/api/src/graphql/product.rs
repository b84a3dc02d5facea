//! Data products and their output ports.

use std::sync::Arc;

use app::Ctx;
use app::product;
use app::target::Target;
use async_graphql::{Context, ID, Object};
use domain::name::DomainPath;

use super::error::Result;
use super::id::encode;
use super::input::{name, path};
use super::loader::{ContractsOf, DocumentOf, PortsOf, TablesOf};
use super::notice;
use super::page::{Connection, Page, SHORT_LIST, cost};
use super::relation;
use super::scalar::{DateTime, int};
use super::session::SessionExt;
use super::types::{ChangeNotice, Contract, Document, Domain, Port, Product, Table};
use super::words::{Classification, ProductState};

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
