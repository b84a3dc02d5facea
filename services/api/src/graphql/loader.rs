//! Loaders of relations: one batch for each level of a query, loaded and authorised together. They cache nothing, so that
//! a mutation sees the changes of the mutation before it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use app::Ctx;
use app::contract::VersionView;
use app::notice::NoticeView;
use app::overrides::Shown;
use app::paging::{Page, Seek};
use app::product::ProductDocument;
use app::product_in_domain::ProductInDomain;
use app::target::Target;
use async_graphql::dataloader::{DataLoader, Loader, NoCache};
use domain::binding::BindingVerdict;
use domain::clock::Timestamp;
use domain::contract::Contract;
use domain::gate::Explained;
use domain::grant::{AccessRequest, Grant};
use domain::id::{
    AccessRequestId, BindingId, ContractId, ContractVersionId, DecisionId, DomainId, GrantId, LeaseId, NoticeId,
    OverrideId, PrincipalId, ProductId, SnapshotId,
};
use domain::identity::Principal;
use domain::lease::{Lease, Usage};
use domain::org::Domain;
use domain::product::Port;
use domain::table::Snapshot;
use domain::version::Version;

use super::error::Result;
use super::id::SnapshotOfTable;

/// The loaders of one request.
pub(crate) struct Loaders(DataLoader<Batches, NoCache>);

impl Loaders {
    /// The loaders of a caller.
    pub(crate) fn new(ctx: &Ctx) -> Self {
        // A batch is loaded once all ready tasks have run: no delay by the clock.
        let spawn = |batch: futures::future::BoxFuture<'static, ()>| {
            tokio::spawn(async move {
                tokio::task::yield_now().await;
                batch.await;
            })
        };
        Self(DataLoader::new(Batches(ctx.clone()), spawn).delay(Duration::ZERO))
    }

    /// The value of a key; `None` if it does not exist or is hidden from the caller.
    pub(crate) async fn find<K>(&self, key: K) -> Result<Option<<Batches as Loader<K>>::Value>>
    where
        K: Send + Sync + Hash + Eq + Clone + 'static,
        Batches: Loader<K, Error = Arc<app::Error>>,
    {
        Ok(self.0.load_one(key).await?)
    }
}

/// Loads in batches, by the type of the key.
pub(crate) struct Batches(Ctx);

impl Batches {
    /// The caller of a batch. It traces the batch.
    fn batch<K>(&self, keys: &[K]) -> &Ctx {
        let what = std::any::type_name::<K>();
        tracing::trace!(target: "charter::loader", what, n_keys = keys.len(), "batch loaded");
        &self.0
    }
}

/// The key of a product's contracts.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ContractsOf(pub(crate) ProductId);

/// The key of a page of a contract's versions, the newest first.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct VersionsOf {
    pub(crate) contract_id: ContractId,
    /// As in [`Seek`].
    pub(crate) after: Option<Version>,
    /// As in [`Seek`].
    pub(crate) limit: u32,
}

/// The key of a contract's newest version.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct NewestOf(pub(crate) ContractId);

/// The key of a contract's overrides, the newest first.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct OverridesOf(pub(crate) ContractId);

/// The key of a product's output ports.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PortsOf(pub(crate) ProductId);

/// The key of a product's tables.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TablesOf(pub(crate) ProductId);

/// The key of how much a product was read since a moment.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct UsageOf {
    pub(crate) product_id: ProductId,
    pub(crate) since: Timestamp,
}

/// The key of a product's document.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct DocumentOf(pub(crate) ProductId);

/// The key of the grant of an access request.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct GrantOf(pub(crate) AccessRequestId);

/// The key of the newest verdict on a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct VerdictOf(pub(crate) SnapshotOfTable);

type Loaded<K, V> = std::result::Result<HashMap<K, V>, Arc<app::Error>>;

/// Batches of values with their own key.
macro_rules! by_id {
    ($($key:ty => $value:ty: $load:path, $id:expr;)*) => {$(
        impl Loader<$key> for Batches {
            type Value = $value;
            type Error = Arc<app::Error>;

            async fn load(&self, keys: &[$key]) -> Loaded<$key, $value> {
                let found = $load(self.batch(keys), keys).await?;
                let id: fn(&$value) -> $key = $id;
                Ok(found.into_iter().map(|found| { let found = found.into(); (id(&found), found) }).collect())
            }
        }
    )*};
}

by_id! {
    PrincipalId => Principal: app::identity::load_principals, |found| found.id;
    DomainId => Domain: app::org::load_domains, |found| found.id;
    ContractId => Contract: app::contract::load_contracts, |found| found.id;
    ContractVersionId => Arc<VersionView>: app::contract::load_versions, |found| found.version.id;
    BindingId => Arc<Target>: app::table::load_tables, |found| found.binding.id;
    SnapshotId => Snapshot: app::table::load_snapshots, |found| found.id;
    AccessRequestId => AccessRequest: app::grant::load_requests, |found| found.id;
    GrantId => Grant: app::grant::load_grants, |found| found.id;
    NoticeId => Arc<NoticeView>: app::notice::load_notices, |found| found.notice.id;
    OverrideId => Shown: app::overrides::load_overrides, |found| found.accepted.id;
    LeaseId => Lease: app::lease::load_leases, |found| found.id;
    DecisionId => Explained: app::gate::load_decisions, |found| found.id;
}

impl Loader<ProductId> for Batches {
    type Value = ProductInDomain;
    type Error = Arc<app::Error>;

    async fn load(&self, keys: &[ProductId]) -> Loaded<ProductId, ProductInDomain> {
        Ok(app::product::load_products(self.batch(keys), keys).await?)
    }
}

impl Loader<ContractsOf> for Batches {
    type Value = Vec<Contract>;
    type Error = Arc<app::Error>;

    async fn load(&self, keys: &[ContractsOf]) -> Loaded<ContractsOf, Vec<Contract>> {
        let ids: Vec<ProductId> = keys.iter().map(|key| key.0).collect();
        let found = app::contract::list_contracts(self.batch(keys), &ids).await?.into_iter();
        Ok(grouped(found, |contract| ContractsOf(contract.product_id)))
    }
}

impl Loader<VersionsOf> for Batches {
    type Value = Page<Arc<VersionView>>;
    type Error = Arc<app::Error>;

    async fn load(&self, keys: &[VersionsOf]) -> Loaded<VersionsOf, Page<Arc<VersionView>>> {
        let ctx = self.batch(keys);
        let mut pages = HashMap::new();
        // One field of a query requests the same page of each contract.
        for ((after, limit), keys) in grouped(keys.iter(), |key| (key.after, key.limit)) {
            let ids: Vec<ContractId> = keys.iter().map(|key| key.contract_id).collect();
            for (contract_id, page) in app::contract::list_versions(ctx, &ids, &Seek { after, limit }).await? {
                let items = page.items.into_iter().map(Arc::new).collect();
                pages.insert(VersionsOf { contract_id, after, limit }, Page { items, has_more: page.has_more });
            }
        }
        Ok(pages)
    }
}

impl Loader<NewestOf> for Batches {
    type Value = Arc<VersionView>;
    type Error = Arc<app::Error>;

    async fn load(&self, keys: &[NewestOf]) -> Loaded<NewestOf, Arc<VersionView>> {
        let ids: Vec<ContractId> = keys.iter().map(|key| key.0).collect();
        let pages = app::contract::list_versions(self.batch(keys), &ids, &Seek::first(1)).await?;
        let newest = pages.into_iter().filter_map(|(id, page)| Some((NewestOf(id), page.items.into_iter().next()?)));
        Ok(newest.map(|(key, view)| (key, Arc::new(view))).collect())
    }
}

impl Loader<OverridesOf> for Batches {
    type Value = Vec<Shown>;
    type Error = Arc<app::Error>;

    async fn load(&self, keys: &[OverridesOf]) -> Loaded<OverridesOf, Vec<Shown>> {
        let ids: Vec<ContractId> = keys.iter().map(|key| key.0).collect();
        let found = app::overrides::list_overrides(self.batch(keys), &ids).await?.into_iter();
        Ok(grouped(found, |shown| OverridesOf(shown.accepted.contract_id)))
    }
}

impl Loader<PortsOf> for Batches {
    type Value = Vec<Port>;
    type Error = Arc<app::Error>;

    async fn load(&self, keys: &[PortsOf]) -> Loaded<PortsOf, Vec<Port>> {
        let ids: Vec<ProductId> = keys.iter().map(|key| key.0).collect();
        let found = app::product::load_ports(self.batch(keys), &ids).await?.into_iter();
        Ok(grouped(found, |port| PortsOf(port.port_major.product_id)))
    }
}

impl Loader<UsageOf> for Batches {
    type Value = Usage;
    type Error = Arc<app::Error>;

    async fn load(&self, keys: &[UsageOf]) -> Loaded<UsageOf, Usage> {
        let ctx = self.batch(keys);
        let mut found = HashMap::new();
        // One field of a query asks about the same time for each product.
        for (since, keys) in grouped(keys.iter(), |key| key.since) {
            let ids: Vec<ProductId> = keys.iter().map(|key| key.product_id).collect();
            let usage = app::product::load_usage(ctx, &ids, since).await?.into_iter();
            found.extend(usage.map(|(product_id, usage)| (UsageOf { product_id, since }, usage)));
        }
        Ok(found)
    }
}

impl Loader<TablesOf> for Batches {
    type Value = Vec<Arc<Target>>;
    type Error = Arc<app::Error>;

    async fn load(&self, keys: &[TablesOf]) -> Loaded<TablesOf, Vec<Arc<Target>>> {
        let ids: Vec<ProductId> = keys.iter().map(|key| key.0).collect();
        let found = app::table::list_tables(self.batch(keys), &ids).await?.into_iter().map(Arc::new);
        Ok(grouped(found, |target| TablesOf(target.port_major.product_id)))
    }
}

impl Loader<DocumentOf> for Batches {
    type Value = ProductDocument;
    type Error = Arc<app::Error>;

    async fn load(&self, keys: &[DocumentOf]) -> Loaded<DocumentOf, ProductDocument> {
        let ids: Vec<ProductId> = keys.iter().map(|key| key.0).collect();
        let found = app::product::load_documents(self.batch(keys), &ids).await?;
        Ok(found.into_iter().map(|(id, document)| (DocumentOf(id), document)).collect())
    }
}

impl Loader<GrantOf> for Batches {
    type Value = Grant;
    type Error = Arc<app::Error>;

    async fn load(&self, keys: &[GrantOf]) -> Loaded<GrantOf, Grant> {
        let ids: Vec<AccessRequestId> = keys.iter().map(|key| key.0).collect();
        let found = app::grant::load_grants_of_requests(self.batch(keys), &ids).await?;
        Ok(found.into_iter().map(|grant| (GrantOf(grant.request_id), grant)).collect())
    }
}

impl Loader<VerdictOf> for Batches {
    type Value = BindingVerdict;
    type Error = Arc<app::Error>;

    async fn load(&self, keys: &[VerdictOf]) -> Loaded<VerdictOf, BindingVerdict> {
        let ids: Vec<SnapshotId> = keys.iter().map(|key| key.0.snapshot_id).collect();
        let mut found = app::table::load_verdicts(self.batch(keys), &ids).await?;
        let wanted = keys.iter().filter_map(|key| {
            let SnapshotOfTable { snapshot_id, binding_id } = key.0;
            Some((*key, found.remove(&(snapshot_id, binding_id))?))
        });
        Ok(wanted.collect())
    }
}

fn grouped<K: Eq + Hash, V>(found: impl Iterator<Item = V>, key: impl Fn(&V) -> K) -> HashMap<K, Vec<V>> {
    let mut groups: HashMap<K, Vec<V>> = HashMap::new();
    for item in found {
        groups.entry(key(&item)).or_default().push(item);
    }
    groups
}
