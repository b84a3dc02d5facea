//! Contracts and their versions, as those who may know of their product see them.

use std::collections::HashMap;
use std::sync::Arc;

use domain::change::{self, Finding};
use domain::contract::{self, Contract};
use domain::id::{ContractId, ContractVersionId, ProductId};
use domain::name::{DomainPath, Name};
use domain::version::Version;
use itertools::Itertools as _;
use store::{Page, Seek, Tx};

use super::documents::parsed;
use crate::ctx::Ctx;
use crate::error::{Error, Noun};
use crate::product;
use crate::product_in_domain::ProductInDomain;

/// A version of a contract, with what it belongs to and what it says.
#[derive(Clone, Debug)]
pub struct VersionView {
    /// The version.
    pub version: contract::Version,
    /// Its contract.
    pub contract: Contract,
    /// Its product.
    pub known: ProductInDomain,
    /// What its document says.
    pub document: Arc<contract::Document>,
}

impl VersionView {
    /// A version that the caller may know of.
    pub(crate) async fn get(ctx: &Ctx, tx: &mut Tx, id: ContractVersionId) -> Result<Self, Error> {
        let versions = store::contract::list_versions_by_ids(tx, &[id]).await?;
        views(ctx, tx, versions, 1).await?.pop().ok_or(Error::NotFound(Noun::ContractVersion))
    }
}

/// The contracts of these products, in the order of products and document ids, as far as the caller may know of them.
///
/// # Errors
/// Those of any use case.
pub async fn list_contracts(ctx: &Ctx, product_ids: &[ProductId]) -> Result<Vec<Contract>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let ids: Vec<ProductId> = product::visible(ctx, &mut tx, product_ids).await?.into_keys().collect();
    let mut contracts = store::contract::list_of_products(&mut tx, &ids).await?;
    contracts.sort_by(|a, b| (a.product_id, &a.document_id).cmp(&(b.product_id, &b.document_id)));
    Ok(contracts)
}

/// The contracts of these ids that the caller may know of.
///
/// # Errors
/// Those of any use case.
pub async fn load_contracts(ctx: &Ctx, ids: &[ContractId]) -> Result<Vec<Contract>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let mut contracts = store::contract::list_by_ids(&mut tx, ids).await?;
    let owner =
        |id: &ContractId| contracts.iter().find(|contract| contract.id == *id).map(|contract| contract.product_id);
    let visible = product::visible_owners(ctx, &mut tx, ids.iter().map(owner).collect()).await?;
    contracts.retain(|contract| visible.contains_key(&contract.product_id));
    Ok(contracts)
}

/// A page of the versions of each of these contracts, the newest first, as far as the caller may know of them.
///
/// # Errors
/// Those of any use case.
pub async fn list_versions(
    ctx: &Ctx,
    contract_ids: &[ContractId],
    seek: &Seek<Version>,
) -> Result<HashMap<ContractId, Page<VersionView>>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let pages = store::contract::list_version_pages(&mut tx, contract_ids, seek).await?;
    let has_more: HashMap<ContractId, bool> = pages.iter().map(|(id, page)| (*id, page.has_more)).collect();
    let versions = pages.into_values().flat_map(|page| page.items).collect_vec();
    let n_requested = versions.len();
    let mut visible: HashMap<ContractId, Page<VersionView>> = HashMap::new();
    for view in views(ctx, &mut tx, versions, n_requested).await? {
        let id = view.contract.id;
        let has_more = has_more.get(&id).copied().unwrap_or_default();
        visible.entry(id).or_insert_with(|| Page { items: Vec::new(), has_more }).items.push(view);
    }
    Ok(visible)
}

/// The versions of these ids that the caller may know of.
///
/// # Errors
/// Those of any use case.
pub async fn load_versions(ctx: &Ctx, ids: &[ContractVersionId]) -> Result<Vec<VersionView>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let versions = store::contract::list_versions_by_ids(&mut tx, ids).await?;
    views(ctx, &mut tx, versions, ids.len()).await
}

/// Names a version.
#[derive(Clone, Debug)]
pub struct VersionAddress {
    /// The domain.
    pub domain: DomainPath,
    /// The product.
    pub product: Name,
    /// The contract's document id.
    pub contract: String,
    /// The version.
    pub version: Version,
}

/// A version by its address; `None` too where the caller may not know of its product.
///
/// # Errors
/// Those of any use case.
pub async fn find_version(ctx: &Ctx, address: &VersionAddress) -> Result<Option<VersionView>, Error> {
    let VersionAddress { domain, product, contract, version } = address;
    let mut tx = ctx.app.db.read().await?;
    let known = crate::table::address::visible_product(&ctx.app, &mut tx, &ctx.actor, domain, product).await?;
    let Some(known) = known else { return Ok(None) };
    let contract = store::contract::find_by_document_id(&mut tx, known.product.id, contract).await?;
    let Some(contract) = contract else { return Ok(None) };
    let version = store::contract::find_version_by_number(&mut tx, contract.id, *version).await?;
    let Some(version) = version else { return Ok(None) };
    let document = parsed(&ctx.app, &version.document)?;
    Ok(Some(VersionView { version, contract, known, document }))
}

/// What a version changed against its predecessor, the next lower version of its contract; empty for the first one and
/// where the caller may not know of it.
///
/// # Errors
/// Those of any use case.
pub async fn list_findings(ctx: &Ctx, id: ContractVersionId) -> Result<Vec<Finding>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let view = match VersionView::get(ctx, &mut tx, id).await {
        Err(Error::NotFound(_)) => return Ok(Vec::new()),
        view => view?,
    };
    let predecessor = store::contract::find_predecessor(&mut tx, view.contract.id, view.version.version).await?;
    drop(tx);
    let Some(predecessor) = predecessor else { return Ok(Vec::new()) };
    compare(ctx, parsed(&ctx.app, &predecessor.document)?, view.document).await
}

/// What changed from one version of a contract to another; `None` where one does not exist, or the caller may not know of
/// the contract.
///
/// # Errors
/// Those of any use case.
pub async fn list_changes(
    ctx: &Ctx,
    contract: ContractId,
    from: Version,
    to: Version,
) -> Result<Option<Vec<Finding>>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let mut versions = Vec::new();
    for number in [from, to] {
        versions.extend(store::contract::find_version_by_number(&mut tx, contract, number).await?);
    }
    let views = views(ctx, &mut tx, versions, 2).await?;
    drop(tx);
    let [old, new] = views.as_slice() else { return Ok(None) };
    compare(ctx, Arc::clone(&old.document), Arc::clone(&new.document)).await.map(Some)
}

async fn compare(ctx: &Ctx, old: Arc<contract::Document>, new: Arc<contract::Document>) -> Result<Vec<Finding>, Error> {
    let options = ctx.app.settings.comparison.clone();
    let findings = tokio::task::spawn_blocking(move || change::compare_with(&old, &new, &options));
    findings.await.map_err(Error::internal)
}

/// The visible ones of the versions, which were found for `n_requested` ids.
async fn views(
    ctx: &Ctx,
    tx: &mut Tx,
    versions: Vec<contract::Version>,
    n_requested: usize,
) -> Result<Vec<VersionView>, Error> {
    let contract_ids = versions.iter().map(|version| version.contract_id).unique().collect_vec();
    let contracts = store::contract::list_by_ids(tx, &contract_ids).await?;
    let owner = |version: &contract::Version| {
        contracts.iter().find(|contract| contract.id == version.contract_id).map(|contract| contract.product_id)
    };
    let missing = std::iter::repeat_n(None, n_requested.saturating_sub(versions.len()));
    let visible = product::visible_owners(ctx, tx, versions.iter().map(owner).chain(missing).collect()).await?;
    let mut views = Vec::with_capacity(versions.len());
    for version in versions {
        let contract = contracts.iter().find(|contract| contract.id == version.contract_id);
        let Some(contract) = contract else { continue };
        let Some(known) = visible.get(&contract.product_id) else { continue };
        let document = parsed(&ctx.app, &version.document)?;
        views.push(VersionView { version, contract: contract.clone(), known: known.clone(), document });
    }
    Ok(views)
}
