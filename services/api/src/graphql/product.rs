//! Data products and their output ports.

use std::sync::Arc;

use app::Ctx;
use app::product;
use app::product_in_domain::ProductInDomain;
use app::target::Target;
use async_graphql::{Context, ID, Object, SimpleObject};
use domain::grant::PortMajor;
use domain::id::{ContractId, ProductId};
use domain::name::{DomainPath, Name};

use super::SessionExt;
use super::contract::Contract;
use super::error::{Failure, Result};
use super::id::encode;
use super::loader::{ContractsOf, DocumentOf, PortsOf, TablesOf};
use super::notice::{self, ChangeNotice};
use super::org::{Domain, path};
use super::page::{Connection, Page, SHORT_LIST, cost};
use super::scalar::{DateTime, int};
use super::table::Table;
use super::words::{Classification, ProductState};

/// What a domain offers.
pub(crate) struct Product(pub(crate) ProductInDomain);

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
        Ok(ctx.loaders()?.find(PortsOf(self.0.product.id)).await?.unwrap_or_default())
    }

    #[graphql(complexity = "SHORT_LIST * child_complexity + 1")]
    async fn contracts(&self, ctx: &Context<'_>) -> Result<Vec<Contract>> {
        Ok(ctx.loaders()?.find(ContractsOf(self.0.product.id)).await?.unwrap_or_default())
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

/// The product that a relation leads to.
pub(super) async fn find(ctx: &Context<'_>, id: ProductId) -> Result<Option<Product>> {
    Ok(ctx.loaders()?.find(id).await?.map(Product))
}

/// One major of an output port.
#[derive(Clone)]
pub(crate) struct Port {
    pub(crate) port_major: PortMajor,
    pub(crate) contract_id: ContractId,
}

#[Object]
impl Port {
    async fn name(&self) -> &str {
        self.port_major.port.as_str()
    }

    async fn major(&self) -> i32 {
        int(self.port_major.major)
    }

    /// The contract behind it.
    async fn contract(&self, ctx: &Context<'_>) -> Result<Option<Contract>> {
        ctx.loaders()?.find(self.contract_id).await
    }
}

/// A document, byte for byte.
#[derive(SimpleObject)]
pub(crate) struct Document {
    /// SHA-256 over the bytes, in hex.
    digest: String,
    /// `application/yaml` or `application/json`.
    media_type: String,
    text: String,
}

impl Document {
    /// From the parts that are kept.
    pub(super) fn new(digest: &str, format: &str, bytes: &[u8]) -> Self {
        Self {
            digest: digest.to_owned(),
            media_type: format!("application/{format}"),
            text: String::from_utf8_lossy(bytes).into_owned(),
        }
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

/// Reads a name.
///
/// # Errors
/// `INVALID`.
pub(super) fn name(text: &str, field: &'static str) -> Result<Name> {
    text.parse().map_err(|error| Failure::invalid(field, error))
}

/// A product's address, `domain.product`.
///
/// # Errors
/// `INVALID`.
pub(super) fn product_address(text: &str) -> Result<(DomainPath, Name)> {
    let wrong = || Failure::invalid("product", "use `domain.product`");
    let (domain, product) = text.split_once('.').ok_or_else(wrong)?;
    Ok((path(domain, "product")?, name(product, "product")?))
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
