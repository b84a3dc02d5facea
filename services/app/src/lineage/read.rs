//! What the catalog says, from the database and the documents.

use std::collections::HashMap;

use domain::contract::{Property, SERVING_ENVIRONMENT, State};
use domain::id::ProductId;
use domain::storage::WorkerRoot;
use domain::version::Version;
use itertools::Itertools as _;
use lineage::name::Dataset;
use lineage::resolve::Directory;
use store::binding::Bound;
use store::{Page, Seek};

use super::catalog::Catalog;
use super::declared::{Declared, DeclaredColumn, Input, each_column};
use crate::contract::{parsed, parsed_product};
use crate::ctx::App;
use crate::error::Error;
use crate::paging::MAX_PAGE;
use crate::{product_in_domain, readable};

/// The catalog, and what of it cannot be read.
pub(super) struct Known {
    pub(super) catalog: Catalog,
    /// Products.
    pub(super) products: Vec<(ProductId, Error)>,
    /// Bindings and ports.
    pub(super) rows: Vec<store::Error>,
}

/// All products and bound tables.
pub(super) async fn catalog(app: &App) -> Result<Known, Error> {
    let (mut products, mut unreadable) = (HashMap::new(), Vec::new());
    let mut seek = Seek::first(MAX_PAGE);
    loop {
        let Page { items: ids, has_more } = store::product::list_ids(&mut app.db.read().await?, &seek).await?;
        let load = |ids: Vec<ProductId>| async move { product_in_domain::load(&mut app.db.read().await?, &ids).await };
        let page = readable::load(&ids, load).await?;
        page.loaded.into_iter().for_each(|loaded| products.extend(loaded));
        unreadable.extend(page.unreadable);
        match ids.last() {
            Some(last) if has_more => seek.after = Some(*last),
            _ => break,
        }
    }
    let mut tx = app.db.read().await?;
    let bound = store::binding::list_bound(&mut tx, SERVING_ENVIRONMENT).await?;
    let ports = store::product::list_ports(&mut tx).await?;
    drop(tx);
    let mut directory = Directory::default();
    for bound in &bound.items {
        names(app, bound).for_each(|name| directory.insert(name, bound.table_id));
    }
    Ok(Known {
        catalog: Catalog::new(products, bound.items, ports.items, directory),
        products: unreadable,
        rows: bound.unreadable.into_iter().chain(ports.unreadable).collect(),
    })
}

/// What producers call a table: its folder on this machine, and its address at the gateway.
fn names(app: &App, bound: &Bound) -> impl Iterator<Item = Dataset> {
    let WorkerRoot::Folder(folder) = app.lake.worker_root(&bound.location);
    let folder = folder.to_str().and_then(|folder| Dataset::new("file", folder).ok());
    let at_gateway = Dataset::at(&domain::s3::table_uri(bound.table_id)).ok();
    folder.into_iter().chain(at_gateway)
}

/// What the documents of these products declare; nothing for a product that does not exist or is not offered.
pub(super) async fn declared(app: &App, ids: Vec<ProductId>) -> Result<HashMap<ProductId, Declared>, Error> {
    let tx = &mut app.db.read().await?;
    let offered = store::product::list_by_ids(tx, &ids).await?.into_iter().filter(|product| product.state.serves());
    let ids = offered.map(|product| product.id).collect_vec();
    let mut declared: HashMap<ProductId, Declared> = HashMap::with_capacity(ids.len());
    for (id, document) in store::product::list_current_documents(tx, &ids).await? {
        // A document that cannot be read declares nothing, and disturbs no other.
        let Ok(document) = parsed_product(app, &document) else { continue };
        let own = declared.entry(id).or_default();
        let of_ports = document.input_ports.iter().filter_map(|port| {
            let major = port.version.as_deref().and_then(major);
            Some(Input { contract: port.contract_id.clone()?, major })
        });
        own.inputs = of_ports.collect();
        own.ports = document
            .output_ports
            .iter()
            .filter(|port| !port.input_contracts.is_empty())
            .map(|port| {
                let inputs = port.input_contracts.iter();
                let inputs = inputs.map(|input| Input { contract: input.id.clone(), major: major(&input.version) });
                (port.name.clone(), port.version.major, inputs.collect())
            })
            .collect();
    }
    let contracts = store::contract::list_of_products(tx, &ids).await?;
    let product_of: HashMap<_, _> = contracts.iter().map(|contract| (contract.id, contract.product_id)).collect();
    let contract_ids = contracts.iter().map(|contract| contract.id).collect_vec();
    for version in store::contract::list_current(tx, &contract_ids).await? {
        let is_over = matches!(version.state, State::Retired { .. });
        let Some(product) = product_of.get(&version.contract_id).filter(|_| !is_over) else { continue };
        let Ok(document) = parsed(app, &version.document) else { continue };
        let own = declared.entry(*product).or_default();
        for object in &document.objects {
            let Ok(name) = object.table_name() else { continue };
            let mut add = |column: String, property: &Property| {
                let sources = property.transform_sources().map(str::to_owned).collect_vec();
                if !sources.is_empty() {
                    let (contract_id, major) = (version.contract_id, version.version.major);
                    own.columns.push(DeclaredColumn { contract_id, major, object: name.clone(), column, sources });
                }
            };
            each_column(object, &mut add);
        }
    }
    Ok(declared)
}

fn major(version: &str) -> Option<u64> {
    let version = version.strip_prefix('v').unwrap_or(version);
    version.parse::<Version>().map(|version| version.major).ok().or_else(|| version.parse().ok())
}
