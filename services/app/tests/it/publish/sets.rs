//! A set as a whole: all or nothing, in any order, planned, applied twice, pruned.

use app::idempotency::Key;
use app::publish::{ChangeKind, DocumentSet, Outcome, apply, plan};
use domain::error::Kind;
use testkit::app::set;

use super::{CONTRACT, PRODUCT, done, invalid, kinds, open_shop, outcome, shop, state, trace, version, with};

#[tokio::test]
async fn a_set_makes_a_product_with_its_contract() {
    let (_test, owner) = shop().await;
    let changes = done(&owner, &[PRODUCT, CONTRACT]).await;
    assert_eq!(kinds(&changes), [ChangeKind::Added, ChangeKind::Added]);
    assert_eq!((changes[0].name.as_str(), changes[0].state.as_str()), ("orders", "active"));
    assert_eq!((changes[1].name.as_str(), changes[1].state.as_str()), ("orders-contract", "draft"));
    assert_eq!(changes[1].reasons, ["the table of `orders` has not been inspected yet"]);

    let name = "orders".parse().unwrap();
    let known = app::product::find_product(&owner, &"shop".parse().unwrap(), &name).await.unwrap().unwrap();
    let ports = app::product::load_ports(&owner, &[known.product.id]).await.unwrap();
    assert_eq!(ports.len(), 1);
    assert_eq!((ports[0].port_major.major, ports[0].contract_major), (1, 1));
    let document =
        app::product::load_documents(&owner, &[known.product.id]).await.unwrap().remove(&known.product.id).unwrap();
    assert_eq!(document.document.bytes, PRODUCT.as_bytes());
}

#[tokio::test]
async fn the_order_of_a_set_means_nothing() {
    let (_test, owner) = shop().await;
    let changes = done(&owner, &[CONTRACT, PRODUCT]).await;
    assert_eq!(kinds(&changes), [ChangeKind::Added, ChangeKind::Added]);
    assert_eq!(changes[0].name, "orders-contract", "changes come in the order of the set");
}

#[tokio::test]
async fn one_text_may_hold_the_whole_set() {
    let (_test, owner) = shop().await;
    let text = format!("{PRODUCT}---\n{CONTRACT}");
    assert_eq!(done(&owner, &[&text]).await.len(), 2);
}

#[tokio::test]
async fn applying_a_set_again_changes_nothing() {
    let (test, owner) = open_shop().await;
    let before = trace(&test).await;
    let changes = done(&owner, &[PRODUCT, CONTRACT]).await;
    assert_eq!(kinds(&changes), [ChangeKind::Unchanged, ChangeKind::Unchanged]);
    assert_eq!(changes[1].state, "active");
    assert_eq!(trace(&test).await, before);
}

#[tokio::test]
async fn one_bad_document_keeps_the_whole_set_out() {
    let (test, owner) = shop().await;
    let before = trace(&test).await;
    let bad = with(CONTRACT, "logicalType: number", "logicalType: numbr");
    let worse = with(&with(PRODUCT, "orders-product", "other"), "status: active", "version: [");
    let problems = invalid(&owner, &[PRODUCT, &bad, &worse]).await;
    let documents: Vec<&str> = problems.iter().map(|problem| problem.document.as_str()).collect();
    assert!(documents.contains(&"document-1.yaml") && documents.contains(&"document-2.yaml"), "{problems:?}");
    assert!(problems.iter().all(|problem| problem.line.is_some()));
    assert_eq!(trace(&test).await, before);
    assert_eq!(state(&owner, "1.0.0").await, "missing");
}

#[tokio::test]
async fn problems_have_the_places_of_the_sent_texts() {
    let (_test, owner) = shop().await;
    let text = "\
# The products of the shop.
---
apiVersion: v1.0.0
kind: DataProduct
id: one
name: One
status: active
outputPorts:
- name: open
  version: 1.0.0
---
apiVersion: v1.0.0
kind: DataProduct
id: one
name: Two
status: active
---
{apiVersion: v1.0.0, kind: DataProduct, name: Three, id: three, status: active,
 outputPorts: [{name: a, version: 1.0.0, contractId: nothing}]}
---
apiVersion: v3.1.0
kind: DataContract
id: lost
version: 1.0.0
status: active
";
    let elsewhere = with(CONTRACT, "path: shop/{model}", "path: fin/{model}");
    let places = |problems: &[app::publish::Problem]| {
        let place =
            |it: &app::publish::Problem| (it.document.clone(), it.path.clone(), it.line.unwrap(), it.column.unwrap());
        problems.iter().map(place).collect::<Vec<_>>()
    };
    let first = "document-0.yaml".to_owned();
    assert_eq!(
        places(&invalid(&owner, &[text]).await),
        [
            (first.clone(), "/id".to_owned(), 14, 5),
            (first.clone(), "/id".to_owned(), 23, 5),
            (first.clone(), "/outputPorts/0/contractId".to_owned(), 19, 54),
        ]
    );
    // Found when the set is planned.
    let line = 1 + CONTRACT.lines().position(|line| line.contains("path: shop")).unwrap() as u64;
    let problems = places(&invalid(&owner, &[PRODUCT, &elsewhere]).await);
    assert_eq!(problems[0].0, "document-1.yaml");
    assert_eq!((problems[0].1.as_str(), problems[0].2), ("/servers/0/path", line));
    // Found when the texts are read: the innermost value that is there.
    let foreign = with(PRODUCT, "status: active", "status: active\ndomain: fin");
    let problems = places(&invalid(&owner, &[&foreign]).await);
    assert_eq!(problems[0].1, "/domain");
    assert!(problems[0].3 > 1, "{problems:?}");
    let nowhere = DocumentSet { domain: None, ..set("shop", &[PRODUCT]) };
    let Outcome::Invalid(problems) = plan(&owner, nowhere).await.unwrap() else { panic!("taken") };
    assert_eq!(places(&problems)[0].1, "/domain");
    // Warnings have places too.
    let alone = text.split("---\n").nth(1).unwrap();
    let Outcome::Done(report) = plan(&owner, set("shop", &[alone])).await.unwrap() else { panic!("not taken") };
    assert_eq!(places(&report.warnings), [(first, "/outputPorts/0".to_owned(), 7, 3)]);
}

#[tokio::test]
async fn one_refused_version_keeps_the_whole_set_out() {
    let (test, owner) = open_shop().await;
    let before = trace(&test).await;
    let breaking = with(&version("1.0.1"), "      - name: amount\n        logicalType: number\n", "");
    let renamed = with(PRODUCT, "name: Orders", "name: Orders\nversion: 2.0.0");
    assert!(matches!(outcome(&owner, &[&renamed, &breaking]).await, Outcome::Refused(_)));
    assert_eq!(trace(&test).await, before);
}

#[tokio::test]
async fn a_plan_tells_what_apply_does_and_leaves_no_trace() {
    let (test, owner) = shop().await;
    let before = trace(&test).await;
    let planned = plan(&owner, set("shop", &[PRODUCT, CONTRACT])).await.unwrap();
    assert_eq!(trace(&test).await, before);
    assert_eq!(state(&owner, "1.0.0").await, "missing");
    let applied = owner.publishes("shop", &[PRODUCT, CONTRACT]).await.unwrap();
    assert_eq!(planned, applied);
}

#[tokio::test]
async fn a_key_is_answered_twice_and_used_once() {
    let (test, owner) = shop().await;
    let keyed = |input: &str, documents: &[&str]| DocumentSet {
        key: Some(Key::new("once".to_owned(), "applyDocuments", input.as_bytes()).unwrap()),
        ..set("shop", documents)
    };
    assert!(matches!(apply(&owner, keyed("a", &[PRODUCT, CONTRACT])).await.unwrap(), Outcome::Done(_)));
    let before = trace(&test).await;
    let Outcome::Done(replay) = apply(&owner, keyed("a", &[PRODUCT, CONTRACT])).await.unwrap() else {
        panic!("a replay is done");
    };
    assert_eq!(kinds(&replay.changes), [ChangeKind::Unchanged, ChangeKind::Unchanged]);
    assert_eq!(replay.changes[1].reasons.len(), 1, "it tells where things stand now");
    assert_eq!(trace(&test).await, before);
    let reused = apply(&owner, keyed("b", &[PRODUCT])).await.unwrap_err();
    assert_eq!(reused.kind(), Kind::Conflict);
}

#[tokio::test]
async fn only_a_pruned_set_retires_what_it_does_not_hold() {
    let (_test, owner) = open_shop().await;
    let other = with(&with(PRODUCT, "orders-product", "returns-product"), "name: Orders", "name: Returns");
    let other = with(&other, "    contractId: orders-contract\n", "");
    done(&owner, &[&other]).await;
    assert_eq!(state(&owner, "1.0.0").await, "active");

    let pruned = DocumentSet { prune: true, ..set("shop", &[&other]) };
    let Outcome::Done(report) = apply(&owner, pruned).await.unwrap() else { panic!("not taken") };
    assert_eq!(kinds(&report.changes), [ChangeKind::Unchanged, ChangeKind::Removed, ChangeKind::Removed]);
    assert_eq!(state(&owner, "1.0.0").await, "retired");
    let name = "orders".parse().unwrap();
    let product = app::product::find_product(&owner, &"shop".parse().unwrap(), &name).await.unwrap().unwrap();
    assert_eq!(product.product.state.as_str(), "retired");
}

#[tokio::test]
async fn a_contract_that_a_port_still_names_is_not_pruned() {
    let (_test, owner) = open_shop().await;
    let pruned = DocumentSet { prune: true, ..set("shop", &[PRODUCT]) };
    assert!(matches!(apply(&owner, pruned).await.unwrap(), Outcome::Done(report) if report.changes.len() == 1));
    assert_eq!(state(&owner, "1.0.0").await, "active");
}

#[tokio::test]
async fn sets_that_are_no_sets_are_refused() {
    let (_test, owner) = shop().await;
    let no_domain = DocumentSet { domain: None, prune: true, ..set("shop", &[PRODUCT]) };
    assert_eq!(apply(&owner, no_domain).await.unwrap_err().kind(), Kind::Invalid);
    assert_eq!(owner.publishes("shop", &[""; 0]).await.unwrap_err().kind(), Kind::Invalid);
    let many = vec![PRODUCT; 2_001];
    assert_eq!(owner.publishes("shop", &many).await.unwrap_err().kind(), Kind::Invalid);
    let large = format!("# {}\n{PRODUCT}", "x".repeat(7_000_000));
    assert_eq!(owner.publishes("shop", &[&large, &large, &large]).await.unwrap_err().kind(), Kind::Invalid);
    let unknown = DocumentSet { domain: None, ..set("shop", &[&with(PRODUCT, "status:", "domain: nowhere\nstatus:")]) };
    assert_eq!(apply(&owner, unknown).await.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn only_the_domains_own_people_publish() {
    let (test, _owner) = shop().await;
    let stranger = test.principal("sam").await;
    let before = trace(&test).await;
    assert_eq!(stranger.publishes("shop", &[PRODUCT]).await.unwrap_err().kind(), Kind::Forbidden);
    assert_eq!(plan(&stranger, set("shop", &[PRODUCT])).await.unwrap_err().kind(), Kind::Forbidden);
    assert_eq!(trace(&test).await, before);
}
