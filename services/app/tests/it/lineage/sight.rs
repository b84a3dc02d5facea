//! What a caller may know of is as it is now: by class, by policies and grants that name a product, and by the graph of now.

use std::time::Duration;

use app::lineage::{explore, readers_of};
use app::publish::Breaking;
use lineage::graph::Cut;
use policy::Policy;
use store::lineage::{MAX_KEPT_EVENT, list_events};
use testkit::actor::access_to;
use testkit::app::TestApp;
use testkit::inspector::Scene;

use super::{ask, documents, event, found, impact, publish, reads, send, world};

#[tokio::test]
async fn a_product_that_a_policy_names_is_judged_by_itself() {
    let test = TestApp::start().await;
    let [_, fin, _] = world(&test).await;
    let all = ["1 fin.revenue.revenue__v1 *", "2 fin.board.board__v1 *"];
    assert_eq!(found(&impact(&test.principal("reader").await, "shop.orders.orders", &[]).await), all);
    let board = app::table::find_table(&fin, &"fin.board.board".parse().unwrap()).await.unwrap().unwrap();
    let id = board.port_major.product_id;
    let rule =
        format!("@id(\"hide\") forbid (principal, action == Action::\"viewProduct\", resource == Product::\"{id}\");");
    let test = test.restart_under(Policy::with_files(&[("hide.cedar", &rule)]).unwrap()).await;
    let answer = impact(&test.ctx("reader").await, "shop.orders.orders", &[]).await;
    assert_eq!((found(&answer), answer.total), (vec![all[0].to_owned()], Some(1)));
}

#[tokio::test]
async fn a_grant_shows_its_product_alone_and_as_long_as_it_lasts() {
    let test = TestApp::start().await;
    let [_, _, hr] = world(&test).await;
    publish(&test, &hr, "hr", "bonus", "confidential", &reads(&["orders"])).await;
    publish(&test, &hr, "hr", "cars", "confidential", &reads(&["orders"])).await;
    let seen = async |reader| {
        let answer = impact(reader, "shop.orders.orders", &[]).await;
        let mut seen = found(&answer);
        seen.retain(|found| found.contains("hr."));
        (seen, answer.total)
    };
    // While they belong to the domain they may ask for access.
    let reader = test.member("reader", &[("hr", domain::identity::DomainRole::Consumer)]).await;
    hr.grants(&reader, access_to("hr.bonus.bonus")).await.unwrap();
    hr.unassigns(&reader, "hr").await.unwrap();
    let reader = test.ctx("reader").await;
    assert_eq!(seen(&reader).await, (vec!["1 hr.bonus.bonus__v1 *".to_owned()], Some(3)));
    // The end of a grant moves no revision.
    test.clock.advance(Duration::from_secs(400 * 24 * 3_600));
    assert_eq!(seen(&test.ctx("reader").await).await, (Vec::new(), Some(2)));
}

#[tokio::test]
async fn who_breaks_is_not_complete_where_an_object_has_no_table() {
    let test = TestApp::start().await;
    let [shop, ..] = world(&test).await;
    let orders = app::table::find_table(&shop, &"shop.orders.orders".parse().unwrap()).await.unwrap().unwrap();
    let of = |object: &str| Breaking {
        contract_id: orders.binding.contract_id,
        major: 1,
        columns: [(object.to_owned(), None)].into(),
    };
    assert!(readers_of(&shop, &of("orders")).await.unwrap().is_complete);
    assert!(!readers_of(&shop, &of("none")).await.unwrap().is_complete);
}

#[tokio::test]
async fn a_long_event_is_kept_by_its_digest_alone() {
    let test = TestApp::start().await;
    let shop = test.domain("shop").await;
    let short = event(1, "load", ("db", "a"), ("db", "b"), &[]);
    let long = event(2, "load", ("db", "a"), ("db", "b"), &[])
        .replace("\"producer\":\"p\"", &format!("\"producer\":\"p\",\"x\":\"{}\"", "x".repeat(MAX_KEPT_EVENT)));
    assert_eq!(send(&shop, &[short, long]).await.n_new, 2);
    let kept = list_events(&mut test.app.db.read().await.unwrap(), shop.id(), 10).await.unwrap();
    assert_eq!(kept.iter().filter(|(_, json)| json.is_some()).count(), 1);
    assert_eq!(kept.len(), 2);
}

/// A product that declares more than it may is cut, and answers are not complete.
#[tokio::test]
async fn a_product_declares_a_bounded_number_of_edges() {
    let test = TestApp::start().await;
    let shop = test.domain("shop").await;
    let sources = (0..101).map(|number| format!("crm.t{number}")).collect::<Vec<_>>().join(", ");
    let columns = (0..200).map(|number| {
        format!("      - {{name: c{number}, logicalType: integer, transformSourceObjects: [{sources}]}}\n")
    });
    let [product, contract] = documents("shop", "wide", "internal", "", "");
    let start = contract.find("      - {name: id").unwrap();
    let contract = format!("{}{}", &contract[..start], columns.collect::<String>());
    test.publish(&shop, "shop", &[product, contract]).await;
    let scene = (0..200).map(|number| format!("c{number}:integer")).collect::<Vec<_>>().join(" ");
    test.lay("shop/wide", 0, Scene::of(&scene)).await;
    let up = app::lineage::Ask { direction: lineage::graph::Direction::Upstream, ..ask("shop.wide.wide", &["c199"]) };
    let answer = explore(&shop, up).await.unwrap();
    assert_eq!(answer.cut, Some(Cut::Behind));
    assert!(answer.total < Some(101), "{:?}", answer.total);
}
