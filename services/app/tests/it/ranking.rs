//! What moves a product up or down in a search beside its texts: its successor, its readers, its age.

#![expect(clippy::unwrap_used, reason = "a helper of tests ends the test")]

use std::time::Duration;

use app::publish::{Outcome, plan};
use app::search::{recount, search};
use domain::clock::Clock as _;
use search::Request;
use testkit::actor::{TestActor, access_to};
use testkit::app::{TestApp, set};
use testkit::inspector::Scene;

use crate::catalog::on_both;
use crate::search::documents;

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// The names of what is found.
async fn find(actor: &TestActor, text: &str) -> Vec<String> {
    let found = search(actor, Request::page(text, 20)).await.unwrap();
    assert!(!found.is_partial);
    found.hits.iter().map(|hit| hit.product.product.name.to_string()).collect()
}

fn deprecated(name: &str, successor: &str) -> [String; 2] {
    let [product, contract] = documents("shop", name, "internal", "");
    let setting = format!("customProperties:\n  - {{property: successor, value: {successor}}}\n");
    [product.replace("status: active", "status: deprecated").replace("customProperties:\n", &setting), contract]
}

/// A product whose texts say that it has the orders, in a domain.
fn about_orders(domain: &str, name: &str, classification: &str) -> [String; 2] {
    let [product, contract] = documents(domain, name, classification, "");
    [product.replace(&format!("All about {name}"), "All orders"), contract]
}

#[tokio::test]
async fn a_deprecated_product_comes_below_its_successor() {
    on_both(async |test| {
        let (shop, fin) = (test.domain("shop").await, test.domain("fin").await);
        let reader = test.principal("reader").await;
        test.publish(&shop, "shop", &deprecated("orders", "fin.purchases")).await;
        test.publish(&fin, "fin", &about_orders("fin", "accounts", "internal")).await;
        assert_eq!(find(&reader, "orders").await, ["orders", "accounts"]);
        // Also one that comes later; and only for those who may know of it.
        test.publish(&fin, "fin", &about_orders("fin", "purchases", "restricted")).await;
        assert_eq!(find(&reader, "orders").await, ["orders", "accounts"]);
        let for_owner = find(&fin, "orders").await;
        let place = |name: &str| for_owner.iter().position(|found| found == name).unwrap();
        assert!(place("purchases") < place("orders"), "{for_owner:?}");
        // What is offered comes below nothing.
        let [product, contract] = deprecated("orders", "fin.purchases");
        test.publish(&shop, "shop", &[product.replace("status: deprecated", "status: active"), contract]).await;
        assert_eq!(find(&fin, "orders").await[0], "orders");
    })
    .await;
}

#[tokio::test]
async fn a_successor_that_is_no_address_is_a_warning() {
    let test = TestApp::start().await;
    let shop = test.domain("shop").await;
    for (successor, is_wrong) in
        [("fin.purchases", false), ("purchases", true), ("fin.purchases.rows", true), ("Fin.x", true), ("7", true)]
    {
        let Outcome::Done(report) = plan(&shop, set("shop", &deprecated("orders", successor))).await.unwrap() else {
            panic!("not taken: {successor}");
        };
        let wrong = report.warnings.iter().filter(|warning| warning.message.contains("`successor`")).count();
        assert_eq!(wrong, usize::from(is_wrong), "{successor}: {:?}", report.warnings);
    }
    // It is taken, and has no effect.
    test.publish(&shop, "shop", &deprecated("orders", "7")).await;
    assert_eq!(find(&test.principal("reader").await, "orders").await, ["orders"]);
}

#[tokio::test]
async fn readers_of_the_last_30_days_count() {
    on_both(async |test| {
        let owner = test.domain("shop").await;
        let reader = test.principal("reader").await;
        for name in ["one", "two"] {
            test.publish(&owner, "shop", &about_orders("shop", name, "internal")).await;
            test.lay(&format!("shop/{name}"), 0, Scene::of("customerId:integer amount:number")).await;
        }
        let before = find(&reader, "orders").await;
        let last = before[1].clone();
        let address = format!("shop.{last}.{last}");
        let consumer = test.principal("consumer").await;
        owner.grants(&consumer, access_to(&address)).await.unwrap();
        drop(owner);
        test.ctx("consumer").await.leases(&address).await;
        // No event says so: it is counted in time.
        recount(&test.app).await.unwrap();
        assert_eq!(find(&reader, "orders").await[0], last);
        recount(&test.app).await.unwrap();
        assert_eq!(find(&reader, "orders").await[0], last);

        test.clock.advance(31 * DAY);
        recount(&test.app).await.unwrap();
        assert_eq!(find(&test.ctx("reader").await, "orders").await, before);
        // An index that is built counts them too. Whoever signed in keeps the program, and so the index.
        let shop = test.ctx("owner-shop").await;
        shop.grants(&consumer, access_to(&address)).await.unwrap();
        test.ctx("consumer").await.leases(&address).await;
        drop((shop, reader, consumer));
        let test =
            test.restart_after(|database| drop(std::fs::remove_dir_all(database.with_file_name("search")))).await;
        assert_eq!(find(&test.ctx("reader").await, "orders").await[0], last);
    })
    .await;
}

#[tokio::test]
async fn what_is_late_comes_after_what_promises_nothing() {
    on_both(async |test| {
        let shop = test.domain("shop").await;
        test.principal("reader").await;
        for (name, promise) in [("one", ""), ("two", "slaProperties:\n  - {property: latency, value: 1, unit: d}\n")] {
            let [product, contract] = about_orders("shop", name, "internal");
            // Another name than in addresses.
            let object = format!("schema:\n  - name: {name}\n");
            assert!(contract.contains(&object));
            let contract = contract.replace(&object, &format!("{promise}schema:\n  - name: Rows of {name}\n"));
            let contract = contract.replace("{model}", name);
            test.publish(&shop, "shop", &[product, contract]).await;
            let committed_at = test.clock.now();
            let scene = Scene { committed_at, ..Scene::of("customerId:integer amount:number") };
            test.lay(&format!("shop/{name}"), 0, scene).await;
        }
        assert_eq!(find(&test.ctx("reader").await, "orders").await, ["two", "one"]);
        // Nothing happens but time.
        test.clock.advance(2 * DAY);
        assert_eq!(find(&test.ctx("reader").await, "orders").await, ["one", "two"]);
        // New data is in time again.
        let committed_at = test.clock.now();
        test.lay("shop/two", 1, Scene { committed_at, ..Scene::of("customerId:integer amount:number") }).await;
        assert_eq!(find(&test.ctx("reader").await, "orders").await, ["two", "one"]);
    })
    .await;
}
