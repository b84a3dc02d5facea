//! References between documents: products, contracts, ports, domains, names.

use std::time::Duration;

use app::product::{find_product, list_products, load_ports};
use app::publish::{DocumentSet, Outcome, apply};
use store::Seek;
use testkit::app::{TestApp, set};

use super::{CONTRACT, PRODUCT, done, invalid, open_shop, shop, trace, version, with};

#[tokio::test]
async fn broken_references_are_reported_together() {
    let (_test, owner) = shop().await;
    let orphan = with(CONTRACT, "orders-contract", "nobodys-contract");
    let problems = invalid(&owner, &[PRODUCT, &orphan]).await;
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["/id", "/outputPorts/0/contractId"], "{problems:?}");
}

#[tokio::test]
async fn a_contract_belongs_to_the_product_it_names() {
    let (_test, owner) = shop().await;
    let portless = with(PRODUCT, "    contractId: orders-contract\n", "");
    let named = with(CONTRACT, "status: active", "status: active\ndataProduct: orders-product");
    let Outcome::Done(report) = owner.publishes("shop", &[&portless, &named]).await.unwrap() else {
        panic!("not taken");
    };
    assert_eq!(report.warnings.len(), 1, "a port without a contract is for nobody");
}

#[tokio::test]
async fn two_products_that_name_a_contract_make_it_say_which() {
    let (_test, owner) = shop().await;
    let second = with(&with(PRODUCT, "orders-product", "second-product"), "name: Orders", "name: Second");
    let problems = invalid(&owner, &[PRODUCT, &second, CONTRACT]).await;
    assert!(problems.iter().any(|problem| problem.message.contains("dataProduct")), "{problems:?}");
}

#[tokio::test]
async fn a_document_belongs_to_one_domain() {
    let (test, owner) = shop().await;
    test.domain("other").await;
    let elsewhere = with(PRODUCT, "status: active", "status: active\ndomain: other");
    let problems = invalid(&owner, &[&elsewhere, CONTRACT]).await;
    assert_eq!(problems[0].path, "/domain");

    let nowhere = DocumentSet { domain: None, ..set("shop", &[PRODUCT, CONTRACT]) };
    let Outcome::Invalid(problems) = apply(&owner, nowhere).await.unwrap() else { panic!("taken") };
    assert_eq!(problems.len(), 2, "neither names a domain: {problems:?}");

    let own = with(PRODUCT, "status: active", "status: active\ndomain: shop");
    let own = DocumentSet { domain: None, ..set("shop", &[&own, CONTRACT]) };
    assert!(matches!(apply(&owner, own).await.unwrap(), Outcome::Done(_)), "the product says it for its contract");
}

#[tokio::test]
async fn a_name_belongs_to_one_product() {
    let (test, owner) = open_shop().await;
    let before = trace(&test).await;
    let clash = with(&with(PRODUCT, "orders-product", "new-product"), "    contractId: orders-contract\n", "");
    let problems = invalid(&owner, &[&clash]).await;
    assert_eq!(problems[0].path, "/name");
    let twin = with(&clash, "name: Orders", "name: Twin");
    assert!(invalid(&owner, &[&twin, &twin]).await[0].message.contains("twice"));
    let renamed = with(PRODUCT, "name: Orders", "name: Sales");
    assert!(invalid(&owner, &[&renamed]).await[0].message.contains("cannot be renamed"));
    assert_eq!(trace(&test).await, before);
    let kept =
        with(&renamed, "status: active", "status: active\ncustomProperties:\n  - property: slug\n    value: orders");
    done(&owner, &[&kept]).await;
}

#[tokio::test]
async fn a_port_stays_tied_to_its_contracts_major() {
    let (_test, owner) = open_shop().await;
    let ports = async || {
        let known = find_product(&owner, &"shop".parse().unwrap(), &"orders".parse().unwrap()).await.unwrap().unwrap();
        let ports = load_ports(&owner, &[known.product.id]).await.unwrap();
        ports.iter().map(|port| (port.port_major.major, port.contract_major)).collect::<Vec<_>>()
    };
    // Port 2 is tied while the contract has one major; port 3 when it has two.
    let second = "  - name: orders\n    version: 2.0.0\n    contractId: orders-contract\n";
    let third = "  - name: orders\n    version: 3.0.0\n    contractId: orders-contract\n";
    done(&owner, &[&format!("{PRODUCT}{second}")]).await;
    assert_eq!(ports().await, [(1, 1), (2, 1)]);
    done(&owner, &[&format!("{PRODUCT}{second}{third}"), &version("2.0.0")]).await;
    assert_eq!(ports().await, [(1, 1), (2, 1), (3, 2)]);

    let other = with(CONTRACT, "orders-contract", "other-contract");
    let other = with(&other, "path: shop/{model}", "path: other/{model}");
    let retied = with(PRODUCT, "contractId: orders-contract", "contractId: other-contract");
    let problems = invalid(&owner, &[&retied, &other]).await;
    assert!(problems[0].message.contains("tied to another contract"), "{problems:?}");
}

#[tokio::test]
async fn a_sensitive_column_hides_the_product() {
    let (test, owner) = open_shop().await;
    let stranger = test.principal("sam").await;
    let seen = async || list_products(&stranger, Seek::first(10)).await.unwrap().items.len();
    assert_eq!(seen().await, 1);
    let sensitive =
        with(&version("2.0.0"), "logicalType: number", "logicalType: number\n        classification: restricted");
    done(&owner, &[&sensitive]).await;
    assert_eq!(seen().await, 0);
    assert_eq!(list_products(&owner, Seek::first(10)).await.unwrap().items.len(), 1);
    assert_eq!(super::state(&stranger, "1.0.0").await, "missing");
}

#[tokio::test]
async fn a_page_of_products_is_filled_past_hidden_ones() {
    let (test, owner) = shop().await;
    let stranger = test.principal("sam").await;
    for number in 0..6 {
        let classification = if number % 2 == 0 { "restricted" } else { "public" };
        let product = with(PRODUCT, "orders-product", &format!("product-{number}"));
        let product = with(&product, "name: Orders", &format!("name: P{number}"));
        let custom =
            format!("status: active\ncustomProperties:\n  - property: classification\n    value: {classification}");
        let product = with(&with(&product, "    contractId: orders-contract\n", ""), "status: active", &custom);
        done(&owner, &[&product]).await;
        // Ids are in the order of their times.
        test.clock.advance(Duration::from_millis(1));
    }
    let names = |items: &[app::product_in_domain::ProductInDomain]| {
        items.iter().map(|known| known.product.name.to_string()).collect::<Vec<_>>()
    };
    let page = list_products(&stranger, Seek::first(2)).await.unwrap();
    assert_eq!((names(&page.items), page.has_more), (vec!["p1".to_owned(), "p3".to_owned()], true));
    let after = page.items.last().map(|known| known.product.id);
    let page = list_products(&stranger, Seek { after, limit: 2 }).await.unwrap();
    assert_eq!((names(&page.items), page.has_more), (vec!["p5".to_owned()], false));
}

#[tokio::test]
async fn a_hidden_product_looks_like_a_taken_name() {
    const FORBID: &str = r#"@id("restricted-is-for-admins")
        forbid (principal is Principal, action == Action::"viewProduct", resource is Product)
        when { resource.classification == Classification::"restricted" }
        unless { principal in PlatformRole::"admin" };"#;
    let policy = policy::Policy::with_files(&[("restricted.cedar", FORBID)]).unwrap();
    let test = TestApp::start_under(policy).await;
    let owner = test.domain("shop").await;
    let restricted = "status: active\ncustomProperties:\n  - property: classification\n    value: restricted";
    done(&owner, &[&with(PRODUCT, "status: active", restricted), CONTRACT]).await;
    assert!(list_products(&owner, Seek::first(10)).await.unwrap().items.is_empty(), "hidden even from its publisher");

    let portless = with(PRODUCT, "    contractId: orders-contract\n", "");
    let open = with(&with(&portless, "orders-product", "open-product"), "name: Orders", "name: Open");
    done(&owner, &[&open]).await;
    let clash =
        |name: &str| with(&with(&portless, "orders-product", "new-product"), "name: Orders", &format!("name: {name}"));
    let hidden = invalid(&owner, &[&clash("Orders")]).await;
    let known = invalid(&owner, &[&clash("Open")]).await;
    assert_eq!(hidden[0].message.replace("orders", "N"), known[0].message.replace("open", "N"));

    let same_id = invalid(&owner, &[&portless]).await;
    assert_eq!(same_id[0].message, "the id `orders-product` is not available in domain `shop`");
    let contract = invalid(&owner, &[&version("1.0.1")]).await;
    assert!(contract[0].message.starts_with("no product of domain `shop` has the contract"), "{contract:?}");
}
