//! Search: what the index follows, and that what is hidden is missing in every part of an answer.

#![expect(clippy::unwrap_used, reason = "a helper of tests ends the test")]

use app::search::{Found, search};
use domain::identity::{DomainRole, PlatformRole};
use policy::Policy;
use search::{Access, Facet, Filter, Request};
use testkit::actor::{TestActor, access_to};
use testkit::app::TestApp;
use testkit::inspector::Scene;

use crate::catalog::on_both;

/// A product and its contract, with one table of two columns.
pub(crate) fn documents(domain: &str, name: &str, classification: &str, more: &str) -> [String; 2] {
    let more = format!("description: {{purpose: All about {name}}}\ntags: [golden]\n{more}");
    let columns = [
        "name: customerId, logicalType: integer, businessName: Client number",
        "name: amount, logicalType: number, description: What was paid",
    ];
    crate::catalog::documents(domain, name, classification, &more, &columns)
}

/// Three products of `shop`, one of which only its domain may know of; and one of `fin`.
pub(crate) async fn world(test: &TestApp) -> TestActor {
    let owner = test.domain("shop").await;
    for (name, classification) in [("orders", "internal"), ("returns", "public"), ("margins", "restricted")] {
        test.publish(&owner, "shop", &documents("shop", name, classification, "")).await;
        test.lay(&format!("shop/{name}"), 0, Scene::of("customerId:integer amount:number")).await;
    }
    let fin = test.domain("fin").await;
    let inputs = "inputPorts:\n  - {name: orders, version: 1.0.0, contractId: orders-contract}\n";
    test.publish(&fin, "fin", &documents("fin", "revenue", "internal", inputs)).await;
    owner
}

pub(crate) async fn find(actor: &TestActor, text: &str) -> Found {
    found(actor, Request::page(text, 20)).await
}

async fn found(actor: &TestActor, request: Request) -> Found {
    let found = search(actor, request).await.unwrap();
    assert!(!found.is_partial);
    found
}

fn addresses(found: &Found) -> Vec<String> {
    found.hits.iter().map(|hit| hit.product.address()).collect()
}

pub(crate) fn sorted(found: &Found) -> Vec<String> {
    let mut addresses = addresses(found);
    addresses.sort();
    addresses
}

#[tokio::test]
async fn products_are_found_by_what_their_documents_say() {
    on_both(async |test| {
        world(&test).await;
        let reader = test.principal("reader").await;
        assert_eq!(addresses(&find(&reader, "shop.orders").await)[0], "shop.orders");
        for text in ["client number", "customer id", "golden", "what was paid", "about orders"] {
            assert!(addresses(&find(&reader, text).await).contains(&"shop.orders".to_owned()), "{text}");
        }
        assert_eq!(addresses(&find(&reader, "ordres").await)[0], "shop.orders", "a typing error");
        let all = find(&reader, "").await;
        assert_eq!((sorted(&all), all.total), (names(&["fin.revenue", "shop.orders", "shop.returns"]), Some(3)));
        let filters = vec![Filter { facet: Facet::Verdict, values: vec!["pass".to_owned()] }];
        let passed = found(&reader, Request { filters, ..Request::page("", 20) }).await;
        assert_eq!(sorted(&passed), names(&["shop.orders", "shop.returns"]));
    })
    .await;
}

#[tokio::test]
async fn what_is_hidden_is_missing_in_every_part_of_an_answer() {
    on_both(async |test| {
        let owner = world(&test).await;
        let reader = test.principal("reader").await;
        for text in ["margins", "", "golden", "about margins"] {
            let found = find(&reader, text).await;
            assert!(!addresses(&found).contains(&"shop.margins".to_owned()), "{text}");
            let counted = found.facets.iter().find(|counts| counts.facet == Facet::Classification);
            let words: Vec<_> =
                counted.iter().flat_map(|counts| &counts.values).map(|(word, _)| word.as_str()).collect();
            assert!(!words.contains(&"restricted"), "{text}: {words:?}");
            assert_eq!(found.total, Some(found.hits.len() as u64), "{text}");
        }
        assert!(find(&reader, "margins").await.corrections.iter().all(|it| !it.found.contains(&"margins".to_owned())));
        assert_eq!(addresses(&find(&owner, "margins").await)[0], "shop.margins");
        assert_eq!(find(&owner, "").await.total, Some(4));
        let steward = test.officer("stella", PlatformRole::Steward).await;
        assert_eq!(find(&steward, "").await.total, Some(4));
    })
    .await;
}

#[tokio::test]
async fn roles_and_grants_count_at_once() {
    on_both(async |test| {
        let owner = world(&test).await;
        let reader = test.principal("reader").await;
        let access =
            |found: &Found| found.hits.iter().find(|hit| hit.product.address() == "shop.orders").unwrap().access;
        assert_eq!(access(&find(&reader, "orders").await), Access::Request);
        let grant = owner.grants(&reader, access_to("shop.orders.orders")).await.unwrap();
        let reader = test.ctx("reader").await;
        assert_eq!(access(&find(&reader, "orders").await), Access::Read);
        let filters = vec![Filter { facet: Facet::Access, values: vec!["read".to_owned()] }];
        let readable = Request { filters, ..Request::page("", 20) };
        assert_eq!(addresses(&found(&reader, readable.clone()).await), ["shop.orders"]);
        owner.revokes(grant).await.unwrap();
        // The same signed-in caller: what they may see is asked for anew.
        assert_eq!(addresses(&found(&reader, readable).await), Vec::<String>::new());

        let member = test.assign("reader", "shop", DomainRole::Publisher).await;
        assert_eq!(addresses(&find(&member, "margins").await)[0], "shop.margins");
        owner.unassigns(&member, "shop").await.unwrap();
        assert_eq!(find(&member, "").await.total, Some(3));
    })
    .await;
}

#[tokio::test]
async fn changes_are_found_by_the_next_search() {
    let test = TestApp::start().await;
    let owner = world(&test).await;
    let reader = test.principal("reader").await;
    assert_eq!(find(&reader, "").await.total, Some(3));
    let [product, contract] = documents("shop", "parcels", "internal", "");
    test.publish(&owner, "shop", &[product.clone(), contract]).await;
    assert_eq!(addresses(&find(&reader, "parcels").await)[0], "shop.parcels");
    // Hidden from the moment on at which it is restricted.
    let restricted = product.replace("internal", "restricted");
    test.publish(&owner, "shop", &[restricted]).await;
    let found = find(&reader, "parcels").await;
    assert!(!addresses(&found).contains(&"shop.parcels".to_owned()));
    assert_eq!(find(&reader, "").await.total, Some(3));
}

#[tokio::test]
async fn a_product_that_a_policy_names_is_judged_by_itself() {
    let test = TestApp::start().await;
    world(&test).await;
    let reader = test.principal("reader").await;
    let id = find(&reader, "shop.orders").await.hits[0].product.product.id;
    let rule =
        format!("@id(\"hide\") forbid (principal, action == Action::\"viewProduct\", resource == Product::\"{id}\");");
    let test = test.restart_under(Policy::with_files(&[("hide.cedar", &rule)]).unwrap()).await;
    let reader = test.ctx("reader").await;
    let all = find(&reader, "").await;
    assert_eq!((sorted(&all), all.total), (names(&["fin.revenue", "shop.returns"]), Some(2)));
}

#[tokio::test]
async fn an_index_that_is_missing_or_damaged_is_built_anew() {
    let mut test = TestApp::start().await;
    world(&test).await;
    let expected = find(&test.principal("reader").await, "").await;
    for damage in [Damage::Remove, Damage::Truncate, Damage::Flip, Damage::None] {
        test = test.restart_after(|database| damage.inflict(&database.with_file_name("search"))).await;
        let reader = test.ctx("reader").await;
        let found = find(&reader, "").await;
        assert_eq!((sorted(&found), found.total), (sorted(&expected), expected.total), "{damage:?}");
    }
}

#[derive(Debug)]
enum Damage {
    Remove,
    Truncate,
    Flip,
    None,
}

impl Damage {
    /// Damages every file of the index.
    fn inflict(&self, folder: &std::path::Path) {
        for policies in std::fs::read_dir(folder).unwrap() {
            for file in std::fs::read_dir(policies.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                let mut bytes = std::fs::read(&path).unwrap();
                match self {
                    Self::Remove => {
                        std::fs::remove_file(&path).unwrap();
                        continue;
                    }
                    Self::Truncate => bytes.truncate(bytes.len() / 2),
                    Self::Flip => {
                        let middle = bytes.len() / 2;
                        if let Some(byte) = bytes.get_mut(middle) {
                            *byte ^= 1;
                        }
                    }
                    Self::None => continue,
                }
                std::fs::write(&path, bytes).unwrap();
            }
        }
    }
}

pub(crate) fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
