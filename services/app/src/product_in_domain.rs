//! A product with its domain: what every question about it is judged by.

use std::collections::HashMap;

use domain::id::ProductId;
use domain::org::Domain;
use domain::product::Product;
use itertools::Itertools as _;
use store::Tx;

use crate::error::{Error, Noun};

/// A product and its domain.
#[derive(Clone, Debug)]
pub struct ProductInDomain {
    /// The product.
    pub product: Product,
    /// The domain that offers it.
    pub domain: Domain,
}

impl ProductInDomain {
    /// The product as the policy sees it.
    pub fn policy(&self) -> policy::Product<'_> {
        policy::Product { id: self.product.id, domain: &self.domain.path, classification: self.product.classification }
    }

    /// `domain.product`.
    pub fn address(&self) -> String {
        format!("{}.{}", self.domain.path, self.product.name)
    }
}

/// These products with their domains.
pub(crate) async fn load(tx: &mut Tx, ids: &[ProductId]) -> Result<HashMap<ProductId, ProductInDomain>, Error> {
    let products = store::product::list_by_ids(tx, &ids.iter().copied().unique().collect_vec()).await?;
    let domain_ids = products.iter().map(|product| product.domain_id).unique().collect_vec();
    let domains: HashMap<_, _> =
        store::org::list_by_ids(tx, &domain_ids).await?.into_iter().map(|domain| (domain.id, domain)).collect();
    let known = products.into_iter().filter_map(|product| {
        let domain = domains.get(&product.domain_id)?.clone();
        Some((product.id, ProductInDomain { product, domain }))
    });
    Ok(known.collect())
}

/// One product with its domain.
pub(crate) async fn get(tx: &mut Tx, id: ProductId) -> Result<ProductInDomain, Error> {
    load(tx, &[id]).await?.remove(&id).ok_or(Error::NotFound(Noun::Product))
}
