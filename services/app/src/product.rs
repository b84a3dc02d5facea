//! Data products, as those who may know of them see them. They are made and changed by [`crate::publish`].

use std::collections::HashMap;

use domain::clock::Timestamp;
use domain::id::ProductId;
use domain::lease::Usage;
use domain::name::{DomainPath, Name};
use domain::product::Port;
use itertools::Itertools as _;
use policy::Action;
use store::{Page, Seek, Tx};

use crate::contract;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::missing::Missing;
use crate::paging::VisiblePage;
use crate::product_in_domain::{self, ProductInDomain};

/// The products that the caller may know of, in the order of their ids.
///
/// # Errors
/// Those of any use case.
pub async fn list_products(ctx: &Ctx, seek: Seek<ProductId>) -> Result<Page<ProductInDomain>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let mut visible_page = VisiblePage::new(seek);
    while let Some(next) = visible_page.next() {
        let Page { items, has_more } = store::product::list(&mut tx, next).await?;
        let ids: Vec<ProductId> = items.iter().map(|product| product.id).collect();
        let mut known = product_in_domain::load(&mut tx, &ids).await?;
        let items = ids.iter().filter_map(|id| known.remove(id)).collect();
        visible_page.add(Page { items, has_more }, |known| known.product.id, |known| ctx.may_view(&known.policy()));
    }
    Ok(visible_page.finish())
}

/// A domain's own products that the caller may know of, in the order of their names; none for a domain that does not
/// exist.
///
/// # Errors
/// Those of any use case.
pub async fn list_products_of_domain(
    ctx: &Ctx,
    path: &DomainPath,
    seek: Seek<Name>,
) -> Result<Page<ProductInDomain>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let Some(domain) = store::org::find_by_path(&mut tx, path).await? else {
        return Ok(Page { items: Vec::new(), has_more: false });
    };
    let mut visible_page = VisiblePage::new(seek);
    while let Some(next) = visible_page.next() {
        let Page { items, has_more } = store::product::list_of_domain(&mut tx, domain.id, next).await?;
        let items = items.into_iter().map(|product| ProductInDomain { product, domain: domain.clone() }).collect();
        visible_page.add(
            Page { items, has_more },
            |known| known.product.name.clone(),
            |known| ctx.may_view(&known.policy()),
        );
    }
    Ok(visible_page.finish())
}

/// A product by its address; `None` too where the caller may not know of it.
///
/// # Errors
/// Those of any use case.
pub async fn find_product(ctx: &Ctx, domain: &DomainPath, name: &Name) -> Result<Option<ProductInDomain>, Error> {
    let mut tx = ctx.app.db.read().await?;
    crate::table::address::visible_product(&ctx.app, &mut tx, &ctx.actor, domain, name).await
}

/// How much these products were read since a moment, as far as the caller may know of them.
///
/// # Errors
/// Those of any use case.
pub async fn load_usage(ctx: &Ctx, ids: &[ProductId], since: Timestamp) -> Result<HashMap<ProductId, Usage>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let visible = visible(ctx, &mut tx, ids).await?.into_keys().sorted().collect_vec();
    Ok(store::lease::list_usage(&mut tx, &visible, since).await?.into_iter().collect())
}

/// The products of these ids that the caller may know of.
///
/// # Errors
/// Those of any use case.
pub async fn load_products(ctx: &Ctx, ids: &[ProductId]) -> Result<HashMap<ProductId, ProductInDomain>, Error> {
    let mut tx = ctx.app.db.read().await?;
    visible(ctx, &mut tx, ids).await
}

/// The output ports of these products, in the order of products, names and majors, as far as the caller may know of
/// them.
///
/// # Errors
/// Those of any use case.
pub async fn load_ports(ctx: &Ctx, ids: &[ProductId]) -> Result<Vec<Port>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let known = visible(ctx, &mut tx, ids).await?;
    let ids: Vec<ProductId> = known.into_keys().collect();
    let mut ports = store::product::list_ports_of_products(&mut tx, &ids).await?;
    ports.sort_by(|a, b| a.port_major.cmp(&b.port_major));
    Ok(ports)
}

/// A product's current document, byte for byte and parsed.
#[derive(Clone, Debug)]
pub struct ProductDocument {
    /// The document.
    pub document: domain::document::StoredDocument,
    /// What it says.
    pub product: std::sync::Arc<domain::product::Document>,
}

/// The current documents of these products, as far as the caller may know of them.
///
/// # Errors
/// Those of any use case.
pub async fn load_documents(ctx: &Ctx, ids: &[ProductId]) -> Result<HashMap<ProductId, ProductDocument>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let ids: Vec<ProductId> = visible(ctx, &mut tx, ids).await?.into_keys().collect();
    let documents = store::product::list_current_documents(&mut tx, &ids).await?;
    drop(tx);
    let parsed = documents.into_iter().map(|(id, document)| {
        let product = contract::parsed_product(&ctx.app, &document)?;
        Ok((id, ProductDocument { document, product }))
    });
    parsed.collect()
}

/// These products, as far as the caller may know of them.
pub(crate) async fn visible(
    ctx: &Ctx,
    tx: &mut Tx,
    ids: &[ProductId],
) -> Result<HashMap<ProductId, ProductInDomain>, Error> {
    visible_owners(ctx, tx, ids.iter().map(|id| Some(*id)).collect()).await
}

/// The products of requested objects, as far as the caller may know of them. `owners` has the product of each requested
/// object, `None` for a missing object. The policies are evaluated once for each visible product and once for each object
/// that is not visible, hidden or missing.
pub(crate) async fn visible_owners(
    ctx: &Ctx,
    tx: &mut Tx,
    owners: Vec<Option<ProductId>>,
) -> Result<HashMap<ProductId, ProductInDomain>, Error> {
    let ids = owners.iter().flatten().copied().unique().collect_vec();
    let mut known = product_in_domain::load(tx, &ids).await?;
    let n_loaded = known.len();
    known.retain(|_, known| ctx.may_view(&known.policy()));
    let is_visible = |owner: &Option<ProductId>| owner.is_some_and(|id| known.contains_key(&id));
    let n_invisible = owners.iter().filter(|owner| !is_visible(owner)).count();
    let n_judged = n_loaded - known.len();
    ctx.judge_missing(Action::ViewProduct, Missing::Product, n_invisible.saturating_sub(n_judged));
    Ok(known)
}
