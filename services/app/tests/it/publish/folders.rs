//! Where tables may lie.

use app::publish::Outcome;
use testkit::inspector::Scene;

use super::{COLUMNS, CONTRACT, PRODUCT, done, invalid, open_shop, outcome, shop, state, with};

fn at(path: &str) -> String {
    with(CONTRACT, "path: shop/{model}", &format!("path: '{path}'"))
}

/// A second product with a contract of its own, whose table lies at `path`.
fn second(path: &str) -> (String, String) {
    let product = with(&with(PRODUCT, "orders-product", "second-product"), "name: Orders", "name: Second");
    (with(&product, "orders-contract", "second-contract"), with(&at(path), "orders-contract", "second-contract"))
}

#[tokio::test]
async fn hostile_folders_are_refused() {
    let (test, owner) = shop().await;
    for path in [
        "/etc",
        "../shop",
        "shop/../../etc",
        "shop/./orders",
        "shop//orders",
        "shop/orders/",
        ".",
        "..",
        "shop\\orders",
        "shop/%2e%2e/orders",
        "shop/*",
        "shop/{other}",
        "shop/$HOME",
        "shop/?",
    ] {
        let problems = invalid(&owner, &[PRODUCT, &at(path)]).await;
        assert!(problems.iter().all(|problem| problem.path == "/servers/0/path"), "`{path}`: {problems:?}");
    }
    for name in ["../orders", "a/b", "..", "%2e%2e"] {
        let named = with(CONTRACT, "  - name: orders", &format!("  - name: orders\n    physicalName: '{name}'"));
        let problems = invalid(&owner, &[PRODUCT, &named]).await;
        assert_eq!(problems[0].path, "/servers/0/path", "`{name}`");
    }
    assert_eq!(state(&owner, "1.0.0").await, "missing");
    drop(test);
}

#[tokio::test]
async fn a_link_on_the_way_is_refused() {
    let (test, owner) = shop().await;
    let target = test.table_folder("elsewhere");
    std::fs::create_dir_all(target.join("orders")).unwrap();
    std::os::unix::fs::symlink(&target, test.table_folder("shop")).unwrap();
    let problems = invalid(&owner, &[PRODUCT, CONTRACT]).await;
    assert_eq!(problems[0].message, "the path to `shop/orders` contains a symbolic link");
}

#[tokio::test]
async fn a_domain_registers_tables_in_its_own_folder_only() {
    let (test, owner) = shop().await;
    test.domain("rival").await;
    std::fs::create_dir_all(test.table_folder("rival/filled")).unwrap();
    std::fs::write(test.table_folder("rival/file"), b"").unwrap();
    std::os::unix::fs::symlink("/etc", test.table_folder("rival/link")).unwrap();
    let mut told = std::collections::BTreeSet::new();
    for path in ["rival/filled", "rival/file/inner", "rival/link/inner", "rival/missing", "shop-eu/orders", "orders"] {
        let problems = invalid(&owner, &[PRODUCT, &at(path)]).await;
        assert_eq!(problems.len(), 1, "`{path}`: {problems:?}");
        told.insert(problems[0].message.replace(path, "F"));
    }
    assert_eq!(told.len(), 1, "what lies in others' folders is not told: {told:?}");
}

#[tokio::test]
async fn tables_do_not_overlap() {
    let (_test, owner) = open_shop().await;
    for path in ["shop", "shop/orders/inner"] {
        let (product, contract) = second(path);
        let problems = invalid(&owner, &[&product, &contract]).await;
        assert_eq!(problems.len(), 1, "`{path}`: {problems:?}");
        assert!(problems[0].message.contains("not available"), "{problems:?}");
    }
    let (product, contract) = second("shop/orders_eu");
    assert!(matches!(outcome(&owner, &[&product, &contract]).await, Outcome::Done(_)), "siblings do not overlap");
}

#[tokio::test]
async fn tables_of_one_set_do_not_overlap() {
    let (_test, owner) = shop().await;
    let (product, contract) = second("shop/orders/inner");
    let problems = invalid(&owner, &[PRODUCT, CONTRACT, &product, &contract]).await;
    assert_eq!(problems.len(), 1, "{problems:?}");
}

#[tokio::test]
async fn two_objects_of_a_contract_are_two_tables() {
    let (_test, owner) = shop().await;
    let two = with(
        &at("shop/all"),
        "schema:\n",
        "schema:\n  - name: lines\n    properties:\n      - name: n\n        logicalType: integer\n",
    );
    let problems = invalid(&owner, &[PRODUCT, &two]).await;
    assert!(problems[0].message.contains("{model}"), "{problems:?}");
}

#[tokio::test]
async fn a_table_is_shared_only_by_who_may_bind_it_for_all() {
    let (test, owner) = open_shop().await;
    let (product, contract) = second("shop/orders");
    assert!(matches!(outcome(&owner, &[&product, &contract]).await, Outcome::Done(_)), "both products are his");

    let stranger = test.domain("rival").await;
    let answer = |path: &str| {
        let (product, contract) = second(path);
        let stranger = stranger.clone();
        async move { stranger.publishes("rival", &[&product, &contract]).await.unwrap() }
    };
    let Outcome::Invalid(same) = answer("shop/orders").await else { panic!("taken") };
    let Outcome::Invalid(inside) = answer("shop/orders/inner").await else { panic!("taken") };
    let shown = same[0].message.replace("shop/orders", "F");
    assert_eq!(shown, inside[0].message.replace("shop/orders/inner", "F"), "neither tells whose table it is");
}

#[tokio::test]
async fn an_object_moves_only_before_it_was_promised() {
    let (test, owner) = shop().await;
    done(&owner, &[PRODUCT, &at("shop")]).await;
    done(&owner, &[&at("shop/deep")]).await;
    test.lay("shop/deep", 0, Scene::of(COLUMNS)).await;
    assert_eq!(state(&owner, "1.0.0").await, "active", "the folder that was given up is free again");

    let moved = with(&at("shop/moved"), "version: 1.0.0", "version: 1.1.0");
    let Outcome::Done(report) = outcome(&owner, &[&moved]).await else { panic!("not taken") };
    assert!(report.warnings[0].message.contains("cannot move to another location"), "{:?}", report.warnings);
    assert_eq!(report.changes[0].state, "active");
}

#[tokio::test]
async fn a_domain_takes_no_folder_of_a_domain_below_it() {
    let (test, owner) = shop().await;
    let below = test.domain("shop/emea").await;
    for path in ["shop/emea", "shop/emea/orders", "shop/emea/deep/orders"] {
        let problems = invalid(&owner, &[PRODUCT, &at(path)]).await;
        assert!(problems[0].message.contains("that of a domain below it"), "{path}: {problems:?}");
    }
    done(&owner, &[PRODUCT, &at("shop/emea_orders")]).await;
    let (product, contract) = second("shop/emea/orders");
    assert!(matches!(below.publishes("shop/emea", &[&product, &contract]).await.unwrap(), Outcome::Done(_)));
}

#[tokio::test]
async fn a_folder_with_blanks_around_its_name_is_refused() {
    let (_test, owner) = shop().await;
    for path in
        ["shop/orders ", " shop/orders", "shop/ orders", "shop /orders", "shop/\u{a0}orders", "shop/orders\u{2003}"]
    {
        let problems = invalid(&owner, &[PRODUCT, &at(path)]).await;
        assert!(problems[0].message.contains("must not begin or end with a blank"), "`{path}`: {problems:?}");
    }
    done(&owner, &[PRODUCT, &at("shop/two words")]).await;
}
