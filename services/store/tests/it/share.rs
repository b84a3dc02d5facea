//! The rights of the products that are bound to one table, on both databases.

use domain::binding::Binding;
use domain::contract::{Contract, State};
use domain::grant::PortMajor;
use domain::id::*;
use domain::identity::{DomainRole, Principal, Role, RoleAssignment};
use domain::lease::LeaseState;
use domain::product::Product;
use domain::share::{Share, ShareRight};
use store::{ListScope, Seek, Tx};

use crate::world::{Catalog, NOW, World, document, domain, id, product, user, version};

crate::suite! {
    rights_are_kept_and_replaced,
    a_table_that_was_shared_is_forgotten_with_its_rights,
    owners_of_a_shared_tables_products_reach_what_is_about_it,
    what_was_shared_before_belongs_to_the_first_and_hangs_on_its_publisher,
}

/// Another product in a domain of its own, bound to the catalog's table, and an owner of that domain.
struct Other {
    owner: Principal,
    product: Product,
    contract: Contract,
    binding: Binding,
}

impl Other {
    async fn insert(tx: &mut Tx, catalog: &Catalog) -> Self {
        let (owner, domain) = (user("other"), domain("finance"));
        let product = product(&domain, "copy");
        let contract =
            Contract { id: id(ContractId::new), product_id: product.id, document_id: "copy".into(), created_at: NOW };
        let binding = Binding { id: id(BindingId::new), contract_id: contract.id, ..catalog.binding.clone() };
        let role = RoleAssignment {
            id: id(RoleId::new),
            principal_id: owner.id,
            role: Role::Domain(domain.id, DomainRole::Owner),
            assigned_by: owner.id,
            assigned_at: NOW,
        };
        store::org::insert(tx, &domain).await.unwrap();
        store::identity::insert_principal(tx, &owner).await.unwrap();
        store::identity::insert_role(tx, &role).await.unwrap();
        store::product::insert(tx, &product).await.unwrap();
        store::contract::insert(tx, &contract).await.unwrap();
        store::binding::insert(tx, &binding).await.unwrap();
        Self { owner, product, contract, binding }
    }

    fn shares(&self, catalog: &Catalog) -> Vec<Share> {
        let share = |product_id, right| Share { table_id: catalog.table.id, product_id, right };
        let consent = ShareRight::Consent { by: self.owner.id, at: NOW };
        let mut shares = vec![share(catalog.product.id, ShareRight::Owner), share(self.product.id, consent)];
        shares.sort_by_key(|share| share.product_id);
        shares
    }
}

async fn rights_are_kept_and_replaced(world: World) {
    let catalog = world.catalog().await;
    let mut tx = world.facts().await;
    let other = Other::insert(&mut tx, &catalog).await;
    let mut shares = other.shares(&catalog);
    store::share::replace(&mut tx, catalog.table.id, &shares).await.unwrap();
    assert_eq!(store::share::list_of_table(&mut tx, catalog.table.id).await.unwrap(), shares);
    assert!(store::table::get(&mut tx, catalog.table.id).await.unwrap().shared);
    for share in &shares {
        assert_eq!(store::share::list_of_products(&mut tx, &[share.product_id]).await.unwrap(), [*share]);
    }
    for share in &mut shares {
        if share.right != ShareRight::Owner {
            share.right = ShareRight::Ended;
        }
    }
    store::share::replace(&mut tx, catalog.table.id, &shares).await.unwrap();
    assert_eq!(store::share::list_of_table(&mut tx, catalog.table.id).await.unwrap(), shares);
    store::share::replace(&mut tx, catalog.table.id, &[]).await.unwrap();
    assert_eq!(store::share::list_of_table(&mut tx, catalog.table.id).await.unwrap(), []);
    assert!(!store::table::get(&mut tx, catalog.table.id).await.unwrap().shared);
    let tables = [catalog.table.id];
    assert_eq!(store::binding::list_of_tables(&mut tx, &tables).await.unwrap(), [catalog.binding, other.binding]);
}

async fn a_table_that_was_shared_is_forgotten_with_its_rights(world: World) {
    let catalog = world.catalog().await;
    let mut tx = world.facts().await;
    let other = Other::insert(&mut tx, &catalog).await;
    store::share::replace(&mut tx, catalog.table.id, &other.shares(&catalog)).await.unwrap();
    for binding in [catalog.binding.id, other.binding.id] {
        store::binding::unbind(&mut tx, binding).await.unwrap();
    }
    assert!(store::table::delete_unbound(&mut tx, catalog.table.id).await.unwrap());
    assert_eq!(store::share::list_of_table(&mut tx, catalog.table.id).await.unwrap(), []);
}

async fn owners_of_a_shared_tables_products_reach_what_is_about_it(world: World) {
    let catalog = world.catalog().await;
    let mut tx = world.facts().await;
    let other = Other::insert(&mut tx, &catalog).await;
    let lease = catalog.lease(LeaseState::Issued);
    store::lease::insert(&mut tx, &lease).await.unwrap();
    let scope = ListScope::InReachOf(other.owner.id);
    for shares in [Vec::new(), other.shares(&catalog)] {
        store::share::replace(&mut tx, catalog.table.id, &shares).await.unwrap();
        let n_expected = usize::from(!shares.is_empty());
        assert_eq!(store::grant::list(&mut tx, scope, &Seek::first(9)).await.unwrap().items.len(), n_expected);
        assert_eq!(store::lease::list(&mut tx, scope, &Seek::first(9)).await.unwrap().items.len(), n_expected);
        let requests = store::grant::list_requests(&mut tx, scope, None, &Seek::first(9)).await.unwrap();
        assert_eq!(requests.items.len(), 0, "a request opens nothing");
    }
}

/// The statements of the migration that fill its table, on a database that holds what an earlier program left.
async fn what_was_shared_before_belongs_to_the_first_and_hangs_on_its_publisher(world: World) {
    let catalog = world.catalog().await;
    let mut tx = world.facts().await;
    let other = Other::insert(&mut tx, &catalog).await;
    let mut versions = ["1.0.0", "1.1.0"].map(|number| version(&other.contract, number, State::NEW));
    versions[1].document.published_at = domain::clock::Timestamp(NOW.0 + 1);
    for version in &versions {
        store::contract::insert_version(&mut tx, version).await.unwrap();
    }
    let port = domain::product::Port {
        port_major: PortMajor { product_id: other.product.id, port: "files".parse().unwrap(), major: 1 },
        contract_id: other.contract.id,
        contract_major: 1,
    };
    store::product::insert_port(&mut tx, &port).await.unwrap();
    store::table::insert(&mut tx, &crate::world::table("sales/alone")).await.unwrap();
    tx.commit().await.unwrap();

    const MIGRATION: &str = include_str!("../../migrations/0013_table_shares.sql");
    let (_, filling) = MIGRATION.split_once("ON table_shares (product_id);").unwrap();
    world.execute(filling).await;
    let mut tx = world.read().await;
    let expected: Vec<Share> = other
        .shares(&catalog)
        .into_iter()
        .map(|share| match share.right {
            ShareRight::Owner | ShareRight::Ended => share,
            ShareRight::Consent { .. } => {
                let by = versions[0].document.published_by;
                Share { right: ShareRight::Consent { by, at: document("1.0.0").published_at }, ..share }
            }
        })
        .collect();
    assert_eq!(store::share::list_of_table(&mut tx, catalog.table.id).await.unwrap(), expected);
    assert!(store::table::get(&mut tx, catalog.table.id).await.unwrap().shared);
    let alone = store::table::find_by_location(&mut tx, &"sales/alone".parse().unwrap()).await.unwrap();
    assert!(!alone.unwrap().shared);
}
