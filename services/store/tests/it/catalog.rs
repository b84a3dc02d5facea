//! Domains, principals, roles, products and contracts, on both databases.

use std::time::Duration;

use domain::clock::Timestamp;
use domain::contract::{Contract, State};
use domain::id::{ContractId, DomainId, RoleId};
use domain::identity::{Disabled, DomainRole, PlatformRole, Principal, PrincipalKind, Role, RoleAssignment};
use domain::name::DomainPath;
use domain::org::{Domain, Enforcement};
use domain::product::{self, Product};
use store::{Constraint, Error, Seek};

use crate::world::{NOW, World, document, domain, id, user, version};

crate::suite! {
    domains_page_in_the_order_of_their_bytes,
    enforcement_is_set,
    loaders_find_what_exists_in_lists_of_every_length,
    principals_are_kept_whole,
    a_role_is_held_once,
    products_are_kept_whole,
    a_domains_products_are_found_by_what_a_document_names,
    an_update_names_what_it_saw,
    documents_are_kept_byte_for_byte,
    ports_are_tied_once,
    contract_versions_are_kept_in_every_state,
    one_version_of_a_major_is_active,
    a_major_ends_with_the_last_sunset_of_its_versions,
    the_current_version_is_the_one_in_force,
    the_next_lower_version_is_found,
    a_transition_names_the_state_it_saw,
}

async fn insert_domains(world: &World, paths: &[&str]) -> Vec<Domain> {
    let domains: Vec<Domain> = paths.iter().map(|path| domain(path)).collect();
    let mut tx = world.facts().await;
    for domain in &domains {
        store::org::insert(&mut tx, domain).await.unwrap();
    }
    tx.commit().await.unwrap();
    domains
}

async fn domains_page_in_the_order_of_their_bytes(world: World) {
    // A language's order would put `a_b`, `a-b` and `a/b` elsewhere.
    insert_domains(&world, &["b", "a_b", "ab", "a/b", "a-b", "a", "a0"]).await;
    let mut reader = world.read().await;
    let (mut seen, mut seek) = (Vec::<String>::new(), Seek::<DomainPath>::first(3));
    let mut n_pages = 0;
    loop {
        let page = store::org::list(&mut reader, &seek).await.unwrap();
        seek.after = page.items.last().map(|domain| domain.path.clone());
        seen.extend(page.items.iter().map(|domain| domain.path.to_string()));
        n_pages += 1;
        if !page.has_more {
            break;
        }
    }
    assert_eq!(seen, ["a", "a-b", "a/b", "a0", "a_b", "ab", "b"]);
    assert_eq!(n_pages, 3);
}

async fn enforcement_is_set(world: World) {
    let sales = insert_domains(&world, &["sales"]).await.remove(0);
    let mut tx = world.facts().await;
    store::org::set_enforcement(&mut tx, sales.id, Enforcement::Off, Some(Timestamp(5))).await.unwrap();
    let none = store::org::set_enforcement(&mut tx, id(DomainId::new), Enforcement::Off, None).await;
    assert!(matches!(none, Err(Error::NotFound("domain"))));
    tx.commit().await.unwrap();
    let found = store::org::find_by_path(&mut world.read().await, &sales.path).await.unwrap().unwrap();
    assert_eq!(found, Domain { enforcement: Enforcement::Off, switch_at: Some(Timestamp(5)), ..sales });
}

async fn loaders_find_what_exists_in_lists_of_every_length(world: World) {
    let domains = insert_domains(&world, &["a", "b", "c"]).await;
    let mut reader = world.read().await;
    for n_missing in [0, 1, 2, 509, 510, 1_200] {
        let mut ids: Vec<DomainId> = (0..n_missing).map(|_| id(DomainId::new)).collect();
        ids.extend(domains.iter().map(|domain| domain.id));
        let mut found = store::org::list_by_ids(&mut reader, &ids).await.unwrap();
        found.sort_by_key(|domain| domain.id);
        assert_eq!(found, domains, "{n_missing}");
    }
    assert_eq!(store::org::list_by_ids(&mut reader, &[]).await.unwrap(), []);
}

async fn principals_are_kept_whole(world: World) {
    let ann = user("ann");
    let robot = Principal { kind: PrincipalKind::Service { owner: ann.id }, enabled: false, ..user("robot") };
    let inspector = Principal { kind: PrincipalKind::Inspector, ..user("inspector") };
    let mut tx = world.facts().await;
    for principal in [&ann, &robot, &inspector] {
        store::identity::insert_principal(&mut tx, principal).await.unwrap();
    }
    let disabled = Disabled { at: NOW, by: robot.id };
    store::identity::disable(&mut tx, ann.id, disabled).await.unwrap();
    tx.commit().await.unwrap();
    let ann = Principal { enabled: false, disabled: Some(disabled), ..ann };

    let mut reader = world.read().await;
    assert_eq!(store::identity::get_principal(&mut reader, robot.id).await.unwrap(), robot);
    let found = store::identity::find_by_subject(&mut reader, &ann.issuer, "ann").await.unwrap();
    assert_eq!(found.as_ref(), Some(&ann));
    assert_eq!(store::identity::find_by_subject(&mut reader, "elsewhere", "ann").await.unwrap(), None);
    let page = store::identity::list_principals(&mut reader, &Seek { after: Some(ann.id), limit: 1 }).await.unwrap();
    assert_eq!((page.items, page.has_more), (vec![robot], true));
}

async fn a_role_is_held_once(world: World) {
    let sales = insert_domains(&world, &["sales"]).await.remove(0);
    let ann = user("ann");
    let role = |role| RoleAssignment {
        id: id(RoleId::new),
        principal_id: ann.id,
        role,
        assigned_by: ann.id,
        assigned_at: NOW,
    };
    let owner = role(Role::Domain(sales.id, DomainRole::Owner));
    let admin = role(Role::Platform(PlatformRole::Admin));
    let mut tx = world.facts().await;
    assert!(!store::identity::has_platform_role(&mut tx, PlatformRole::Admin).await.unwrap());
    store::identity::insert_principal(&mut tx, &ann).await.unwrap();
    store::identity::insert_role(&mut tx, &owner).await.unwrap();
    store::identity::insert_role(&mut tx, &admin).await.unwrap();
    tx.commit().await.unwrap();

    let again = store::identity::insert_role(&mut world.facts().await, &role(owner.role)).await;
    assert_eq!(again.unwrap_err().violated(), Some(Constraint::DomainRole));
    let again = store::identity::insert_role(&mut world.facts().await, &role(admin.role)).await;
    assert_eq!(again.unwrap_err().violated(), Some(Constraint::PlatformRole));

    let mut tx = world.facts().await;
    assert!(store::identity::has_platform_role(&mut tx, PlatformRole::Admin).await.unwrap());
    assert_eq!(store::identity::list_roles(&mut tx, ann.id).await.unwrap(), [owner.clone(), admin.clone()]);
    assert_eq!(store::identity::list_roles_in_domain(&mut tx, sales.id).await.unwrap(), std::slice::from_ref(&owner));
    store::identity::delete_role(&mut tx, owner.id).await.unwrap();
    assert!(matches!(store::identity::delete_role(&mut tx, owner.id).await, Err(Error::NotFound("role"))));
    assert_eq!(store::identity::list_roles(&mut tx, ann.id).await.unwrap(), [admin]);
}

async fn products_are_kept_whole(world: World) {
    let sales = insert_domains(&world, &["sales"]).await.remove(0);
    let states = [
        product::State::Proposed,
        product::State::Draft,
        product::State::Active { since: NOW },
        product::State::Deprecated { since: NOW },
        product::State::Retired { since: NOW },
    ];
    let mut tx = world.facts().await;
    for (n, state) in states.into_iter().enumerate() {
        let product = Product { state, title: None, ..crate::world::product(&sales, &format!("p{n}")) };
        store::product::insert(&mut tx, &product).await.unwrap();
        assert_eq!(store::product::get(&mut tx, product.id).await.unwrap(), product);
        let found = store::product::find_by_name(&mut tx, sales.id, &product.name).await.unwrap();
        assert_eq!(found.as_ref(), Some(&product));
        let found = store::product::find_by_document_id(&mut tx, sales.id, &product.document_id).await.unwrap();
        assert_eq!(found.as_ref(), Some(&product));
    }
    let seek = Seek { after: Some("p1".parse().unwrap()), limit: 2 };
    let page = store::product::list_of_domain(&mut tx, sales.id, &seek).await.unwrap();
    assert_eq!(page.items.iter().map(|product| product.name.as_str()).collect::<Vec<_>>(), ["p2", "p3"]);
    assert!(page.has_more);
    assert_eq!(store::product::list(&mut tx, &Seek::first(10)).await.unwrap().items.len(), 5);
}

async fn a_domains_products_are_found_by_what_a_document_names(world: World) {
    let catalog = world.catalog().await;
    let elsewhere = insert_domains(&world, &["elsewhere"]).await.remove(0);
    let other = crate::world::product(&elsewhere, "orders");
    let contract = Contract {
        id: id(ContractId::new),
        product_id: other.id,
        document_id: catalog.contract.document_id.clone(),
        created_at: NOW,
    };
    let mut tx = world.facts().await;
    store::product::insert(&mut tx, &other).await.unwrap();
    store::contract::insert(&mut tx, &contract).await.unwrap();

    let (product, domain_id) = (&catalog.product, catalog.product.domain_id);
    let expected = std::slice::from_ref(product);
    // A list longer than its padding's first step, with one that is there.
    let ids = ["none", "no", product.document_id.as_str()];
    assert_eq!(store::product::list_by_document_ids(&mut tx, domain_id, &ids).await.unwrap(), expected);
    let names = ["none", "no", product.name.as_str()];
    assert_eq!(store::product::list_by_names(&mut tx, domain_id, &names).await.unwrap(), expected);
    let titles = ["none", "no", product.title.as_deref().unwrap()];
    assert_eq!(store::product::list_by_titles(&mut tx, domain_id, &titles).await.unwrap(), expected);
    let contracts = ["none", "no", contract.document_id.as_str()];
    assert_eq!(store::product::list_with_contracts(&mut tx, domain_id, &contracts).await.unwrap(), expected);
    assert_eq!(store::product::list_with_contracts(&mut tx, elsewhere.id, &contracts).await.unwrap(), [other]);
    assert_eq!(store::product::list_by_names(&mut tx, domain_id, &[]).await.unwrap(), []);
}

async fn an_update_names_what_it_saw(world: World) {
    let catalog = world.catalog().await;
    let changed = Product { title: None, updated_at: Timestamp(NOW.0 + 1), ..catalog.product.clone() };
    let mut tx = world.facts().await;
    store::product::update(&mut tx, &changed, NOW).await.unwrap();
    assert_eq!(store::product::get(&mut tx, changed.id).await.unwrap(), changed);
    assert!(matches!(store::product::update(&mut tx, &changed, NOW).await, Err(Error::Stale(_))));
}

async fn documents_are_kept_byte_for_byte(world: World) {
    let catalog = world.catalog().await;
    let document = document("1.0.0");
    let mut tx = world.facts().await;
    store::product::put_document(&mut tx, catalog.product.id, &document).await.unwrap();
    store::product::put_document(&mut tx, catalog.product.id, &document).await.unwrap();
    tx.commit().await.unwrap();
    let found = store::product::find_document(&mut world.read().await, catalog.product.id, &document.digest).await;
    assert_eq!(found.unwrap(), Some(document));
}

async fn ports_are_tied_once(world: World) {
    let catalog = world.catalog().await;
    let again = store::product::insert_port(&mut world.facts().await, &catalog.port).await;
    assert_eq!(again.unwrap_err().violated(), Some(Constraint::PortMajor));
    let mut reader = world.read().await;
    let ports = [catalog.port.clone()];
    assert_eq!(store::product::list_ports_of_products(&mut reader, &[catalog.product.id]).await.unwrap(), ports);
    assert_eq!(store::product::list_ports_of_contracts(&mut reader, &[catalog.contract.id]).await.unwrap(), ports);
    let found = store::product::find_port(&mut reader, &catalog.port.port_major).await.unwrap();
    assert_eq!(found, Some(catalog.port));
}

async fn contract_versions_are_kept_in_every_state(world: World) {
    let catalog = world.catalog().await;
    let sunset = Timestamp(NOW.0 + 9);
    let states = [
        State::Draft { reasons: vec!["`orders` is not bound".into()], released_at: Some(NOW) },
        State::Active { since: NOW },
        State::Superseded { since: NOW },
        State::Deprecated { since: NOW, sunset },
        State::Retired { since: NOW },
    ];
    let mut tx = world.facts().await;
    for (n, state) in states.into_iter().enumerate() {
        let version = version(&catalog.contract, &format!("1.0.{n}"), state);
        store::contract::insert_version(&mut tx, &version).await.unwrap();
        assert_eq!(store::contract::get_version(&mut tx, version.id).await.unwrap(), version);
        let found = store::contract::find_version_by_number(&mut tx, catalog.contract.id, version.version).await;
        assert_eq!(found.unwrap(), Some(version));
    }
    let all = store::contract::list_versions_of_contracts(&mut tx, &[catalog.contract.id]).await.unwrap();
    let numbers: Vec<String> = all.iter().map(|version| version.version.to_string()).collect();
    assert_eq!(numbers, ["1.0.4", "1.0.3", "1.0.2", "1.0.1", "1.0.0"]);
    for (after, limit, expected, has_more) in [
        (None, 2, vec!["1.0.4", "1.0.3"], true),
        (Some("1.0.3"), 2, vec!["1.0.2", "1.0.1"], true),
        (Some("1.0.1"), 2, vec!["1.0.0"], false),
        (Some("1.0.2"), 2, vec!["1.0.1", "1.0.0"], false),
    ] {
        let seek = Seek { after: after.map(|number: &str| number.parse().unwrap()), limit };
        let pages = store::contract::list_version_pages(&mut tx, &[catalog.contract.id], &seek).await.unwrap();
        let page = &pages[&catalog.contract.id];
        let numbers: Vec<String> = page.items.iter().map(|version| version.version.to_string()).collect();
        assert_eq!((numbers, page.has_more), (expected.into_iter().map(str::to_owned).collect(), has_more));
    }
    let past_the_last = Seek { after: Some("1.0.0".parse().unwrap()), limit: 2 };
    let pages = store::contract::list_version_pages(&mut tx, &[catalog.contract.id], &past_the_last).await.unwrap();
    assert!(pages.is_empty());
    tx.commit().await.unwrap();
    let again = version(&catalog.contract, "1.0.0", State::NEW);
    let again = store::contract::insert_version(&mut world.facts().await, &again).await;
    assert_eq!(again.unwrap_err().violated(), Some(Constraint::ContractVersionNumber));
}

async fn one_version_of_a_major_is_active(world: World) {
    let contract = world.catalog().await.contract;
    let active = State::Active { since: NOW };
    let mut tx = world.facts().await;
    for number in ["1.0.0", "2.0.0"] {
        store::contract::insert_version(&mut tx, &version(&contract, number, active.clone())).await.unwrap();
    }
    let second = store::contract::insert_version(&mut tx, &version(&contract, "1.1.0", active)).await;
    assert_eq!(second.unwrap_err().violated(), Some(Constraint::ContractVersionActive));
}

async fn a_major_ends_with_the_last_sunset_of_its_versions(world: World) {
    let contract = world.catalog().await.contract;
    let (since, now) = (NOW, NOW.plus(Duration::from_secs(9)));
    let deprecated = |seconds| State::Deprecated { since, sunset: NOW.plus(Duration::from_secs(seconds)) };
    let steps = [
        ("1.0.0", State::Retired { since }, None),
        ("1.1.0", State::Superseded { since }, None),
        ("1.2.0", deprecated(8), Some(8)),
        ("1.3.0", deprecated(9), Some(9)),
        ("1.4.0", deprecated(10), None),
        ("2.0.0", deprecated(9), Some(9)),
        ("2.0.1", State::Active { since }, None),
    ];
    let mut tx = world.facts().await;
    for (number, state, expected) in steps {
        store::contract::insert_version(&mut tx, &version(&contract, number, state)).await.unwrap();
        let major = number[..1].parse::<u64>().unwrap();
        let ended = store::contract::list_ended(&mut tx, &[contract.id, id(ContractId::new)], now).await.unwrap();
        let ended = ended.into_iter().find(|(_, ended, _)| *ended == major);
        let expected = expected.map(|seconds| (contract.id, major, NOW.plus(Duration::from_secs(seconds))));
        assert_eq!(ended, expected, "after {number}");
    }
}

async fn the_current_version_is_the_one_in_force(world: World) {
    let contract = world.catalog().await.contract;
    let (since, sunset) = (NOW, NOW);
    let steps = [
        ("1.9.0", State::NEW, None),
        ("1.0.0", State::Retired { since }, Some("1.0.0")),
        ("1.2.0", State::Retired { since }, Some("1.2.0")),
        ("1.3.0", State::Superseded { since }, Some("1.2.0")),
        ("1.1.0", State::Deprecated { since, sunset }, Some("1.1.0")),
        ("1.0.1", State::Active { since }, Some("1.0.1")),
        ("2.0.0", State::Active { since }, Some("1.0.1")),
    ];
    let mut tx = world.facts().await;
    for (number, state, expected) in steps {
        store::contract::insert_version(&mut tx, &version(&contract, number, state)).await.unwrap();
        let current = store::contract::find_current(&mut tx, contract.id, 1).await.unwrap();
        assert_eq!(current.map(|version| version.version.to_string()).as_deref(), expected, "after {number}");
        let listed = store::contract::list_current(&mut tx, &[contract.id]).await.unwrap();
        let listed = listed.iter().find(|version| version.version.major == 1);
        assert_eq!(listed.map(|version| version.version.to_string()).as_deref(), expected, "after {number}");
    }
}

async fn the_next_lower_version_is_found(world: World) {
    let contract = world.catalog().await.contract;
    let mut tx = world.facts().await;
    for number in ["1.2.0", "1.10.0", "2.0.0", "1.2.3"] {
        store::contract::insert_version(&mut tx, &version(&contract, number, State::NEW)).await.unwrap();
    }
    for (number, expected) in [
        ("1.2.0", None),
        ("1.2.3", Some("1.2.0")),
        ("1.10.0", Some("1.2.3")),
        ("2.0.0", Some("1.10.0")),
        ("9.0.0", Some("2.0.0")),
    ] {
        let found = store::contract::find_predecessor(&mut tx, contract.id, number.parse().unwrap()).await.unwrap();
        assert_eq!(found.map(|version| version.version.to_string()).as_deref(), expected, "{number}");
    }
}

async fn a_transition_names_the_state_it_saw(world: World) {
    let contract = world.catalog().await.contract;
    let draft = State::Draft { reasons: vec![], released_at: Some(NOW) };
    let active = State::Active { since: NOW };
    let version = version(&contract, "1.0.0", draft.clone());
    let mut tx = world.facts().await;
    store::contract::insert_version(&mut tx, &version).await.unwrap();
    store::contract::replace_draft(&mut tx, version.id, &version.document.digest, &document("b")).await.unwrap();
    assert_eq!(store::contract::get_version(&mut tx, version.id).await.unwrap().state, State::NEW);
    let stale = store::contract::set_state(&mut tx, version.id, &draft, &active).await;
    assert!(matches!(stale, Err(Error::Stale(_))), "its document is not the one that was released");
    store::contract::set_state(&mut tx, version.id, &State::NEW, &active).await.unwrap();
    assert_eq!(store::contract::get_version(&mut tx, version.id).await.unwrap().state, active);
    let stale = store::contract::set_state(&mut tx, version.id, &draft, &active).await;
    assert!(matches!(stale, Err(Error::Stale(_))));
    let earlier = State::Active { since: Timestamp(1) };
    let stale = store::contract::set_state(&mut tx, version.id, &earlier, &State::Retired { since: NOW }).await;
    assert!(matches!(stale, Err(Error::Stale(_))));
    let stale = store::contract::replace_draft(&mut tx, version.id, "digest of b", &document("c")).await;
    assert!(matches!(stale, Err(Error::Stale(_))));
}
