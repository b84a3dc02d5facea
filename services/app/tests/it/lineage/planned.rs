//! Who breaks by a planned change.

#![expect(clippy::panic, reason = "a helper of tests ends the test")]

use app::lineage::{Ask, Consumer, Reads, explore, readers_of, reads_of_holders};
use app::notice::{list_consumers, list_notices};
use app::publish::{Breaking, DocumentSet, DocumentText, Outcome};
use domain::identity::DomainRole;
use lineage::graph::Direction;
use store::Seek;
use testkit::actor::{TestActor, access_to};
use testkit::app::TestApp;
use testkit::inspector::Scene;
use testkit::reading::data_file;

use super::{ask, documents, event, on_both, place, send, world};

/// What a new version of `shop.orders` would break, as a plan says; `None` if nothing.
async fn planned(actor: &TestActor, change: impl Fn(&str) -> String) -> Option<Breaking> {
    let [_, contract] = documents("shop", "orders", "internal", "", "");
    let text = change(&contract.replace("version: 1.0.0", "version: 2.0.0"));
    assert!(text.contains("version: 2.0.0"));
    let documents = vec![DocumentText { path: "orders.yaml".to_owned(), text }];
    let set = DocumentSet { domain: Some("shop".parse().unwrap()), documents, prune: false, key: None };
    match app::publish::plan(actor, set).await.unwrap() {
        Outcome::Done(mut report) => report.changes.remove(0).breaking,
        refused @ (Outcome::Invalid(_) | Outcome::Refused(_)) => panic!("not planned: {refused:?}"),
    }
}

const AMOUNT: &str = "      - {name: amount, logicalType: number}\n";

/// The journey: of five who hold grants two really read the column, one reads another, one reads nothing at first, and one
/// says that they use another. The change is planned, and names the two.
#[tokio::test]
async fn a_planned_change_names_those_who_really_read_the_column() {
    on_both(async |test| {
        let [shop, ..] = world(&test).await;
        let scene = Scene::of("id:integer amount:number").with_files(vec![data_file(2)]);
        test.lay("shop/orders", 1, scene).await;
        app::column_reads::begin(&test.app).await.unwrap();

        let read = async |reader: &TestActor, table: &str, column| test.reads_column(reader, table, column).await;
        let mut readers = Vec::new();
        for number in 0..5_u32 {
            let subject = format!("reader-{number}");
            let reader = test.member(&subject, &[("fin", DomainRole::Consumer)]).await;
            shop.grants(&reader, access_to("shop.orders.orders")).await.unwrap();
            readers.push(test.ctx(&subject).await);
        }
        read(&readers[0], "shop.orders.orders", 1).await;
        read(&readers[1], "shop.orders.orders", 1).await;
        read(&readers[2], "shop.orders.orders", 0).await;
        let orders = place(&test, "shop/orders");
        let says = event(4, "job", ("file", &orders), ("db", "mart.t"), &[("id", "x")]);
        assert_eq!(send(&readers[4], &[says]).await.n_new, 1);
        app::column_reads::write(&test.app).await.unwrap();

        let owner = test.ctx("owner-shop").await;
        let removed = planned(&owner, |contract| contract.replace(AMOUNT, "")).await.unwrap();
        let found = readers_of(&owner, &removed).await.unwrap();
        let ids = |consumers: &[Consumer]| {
            let mut ids: Vec<_> = consumers.iter().map(|one| one.principal_id).collect();
            ids.sort();
            ids
        };
        let of = |numbers: &[usize]| {
            let mut ids: Vec<_> = numbers.iter().map(|number| readers[*number].id()).collect();
            ids.sort();
            ids
        };
        assert_eq!((ids(&found.consumers), found.is_complete), (of(&[0, 1]), true));
        for consumer in &found.consumers {
            let [(port_major, reads)] = &consumer.uses.iter().collect::<Vec<_>>()[..] else { panic!("{consumer:?}") };
            let port = (port_major.port.as_str(), port_major.major);
            assert_eq!((port, *reads), (("orders", 1), &Reads::Columns(["amount".to_owned()].into())));
        }
        // What is read at this moment is not in the database yet: it may be any column.
        read(&readers[3], "shop.orders.orders", 0).await;
        assert_eq!(ids(&readers_of(&owner, &removed).await.unwrap().consumers), of(&[0, 1, 3]));
        app::column_reads::write(&test.app).await.unwrap();
        assert_eq!(ids(&readers_of(&owner, &removed).await.unwrap().consumers), of(&[0, 1]));
        // A new column and a document that is there already break nothing.
        let other = planned(&owner, |contract| {
            contract.replace("name: id, logicalType: integer", "name: id, logicalType: string")
        });
        assert_eq!(ids(&readers_of(&owner, &other.await.unwrap()).await.unwrap().consumers), of(&[2, 3, 4]));
        let added =
            planned(&owner, |contract| format!("{contract}      - {{name: more, logicalType: number}}\n")).await;
        assert_eq!(added, None);
        assert_eq!(planned(&owner, str::to_owned).await, None);
        // A publisher may plan, and sees no grants of others.
        let publisher = test.member("publisher", &[("shop", DomainRole::Publisher)]).await;
        let removed = planned(&publisher, |contract| contract.replace(AMOUNT, "")).await.unwrap();
        assert_eq!(readers_of(&publisher, &removed).await.unwrap().consumers, []);
    })
    .await;
}

/// A schema object has any name; its table has one in addresses.
#[tokio::test]
async fn tables_are_found_by_their_names_in_addresses() {
    let test = TestApp::start().await;
    let shop = test.domain("shop").await;
    let named = |contract: &str| {
        contract
            .replace("  - name: orders\n", "  - name: Order Lines\n")
            .replace("{model}", "orders")
            .replace("logicalType: number}", "logicalType: number, transformSourceObjects: [crm.accounts]}")
    };
    let [product, contract] = documents("shop", "orders", "internal", "", "");
    test.publish(&shop, "shop", &[product, named(&contract)]).await;
    test.lay("shop/orders", 0, Scene::of("id:integer amount:number")).await;
    let reader = test.principal("reader").await;
    shop.grants(&reader, access_to("shop.orders.order-lines")).await.unwrap();

    let removed = planned(&shop, |contract| named(&contract.replace(AMOUNT, ""))).await.unwrap();
    let found = readers_of(&shop, &removed).await.unwrap();
    assert_eq!((found.consumers.len(), found.is_complete), (1, true));
    let up = Ask { direction: Direction::Upstream, ..ask("shop.orders.order-lines", &["amount"]) };
    assert_eq!(super::found(&explore(&shop, up).await.unwrap()), ["1 dataset  crm.accounts *"]);
    let unknown = explore(&shop, ask("shop.orders.order-lines", &["none"])).await.unwrap_err();
    assert!(unknown.to_string().contains("no such column"), "{unknown}");
}

/// A renamed column counts under the name that its readers know, in a plan and in the notice that follows.
#[tokio::test]
async fn a_renamed_column_is_named_as_its_readers_know_it() {
    on_both(async |test| {
        let shop = test.domain("shop").await;
        let [product, contract] = documents("shop", "orders", "internal", "", "");
        let with_id = |contract: &str| contract.replace("{name: amount,", "{id: the-amount, name: amount,");
        test.publish(&shop, "shop", &[&product, &with_id(&contract)]).await;
        let scene = Scene::of("id:integer amount:number").with_files(vec![data_file(2)]);
        test.lay("shop/orders", 0, scene).await;
        app::column_reads::begin(&test.app).await.unwrap();
        let mut readers = Vec::new();
        for (subject, column) in [("one", 1), ("two", 0)] {
            let reader = test.principal(subject).await;
            shop.grants(&reader, access_to("shop.orders.orders")).await.unwrap();
            let reader = test.ctx(subject).await;
            test.reads_column(&reader, "shop.orders.orders", column).await;
            readers.push(reader.id());
        }
        app::column_reads::write(&test.app).await.unwrap();

        let renamed = |contract: &str| {
            let contract = with_id(contract).replace("name: amount", "name: total");
            contract.replace("{model}", "renamed")
        };
        let amount = Reads::Columns(["amount".to_owned()].into());
        let breaking = planned(&shop, renamed).await.unwrap();
        let found = readers_of(&shop, &breaking).await.unwrap();
        let [consumer] = &found.consumers[..] else { panic!("{found:?}") };
        assert_eq!((consumer.principal_id, found.is_complete), (readers[0], true));
        assert_eq!(consumer.uses.values().collect::<Vec<_>>(), [&amount]);

        let port = "  - {name: orders, version: 2.0.0, contractId: orders-contract}\n";
        let second = renamed(&contract).replace("version: 1.0.0", "version: 2.0.0");
        test.publish(&shop, "shop", &[format!("{product}{port}"), second]).await;
        test.lay("shop/renamed", 0, Scene::of("id:integer total:number")).await;
        let notices = list_notices(&shop, None, Seek::first(10)).await.unwrap().items;
        let [notice] = &notices[..] else { panic!("{notices:?}") };
        let consumers = list_consumers(&shop, notice.notice.id, Seek::first(10)).await.unwrap().items;
        let grants: Vec<_> = consumers.iter().map(|consumer| &consumer.grant).collect();
        let reads = reads_of_holders(&shop, &notice.notice, &grants).await.unwrap();
        let of = |reader| grants.iter().zip(&reads).find(|(grant, _)| grant.principal_id == reader).unwrap().1;
        assert_eq!((of(readers[0]), of(readers[1])), (&amount, &Reads::Columns(Default::default())));
    })
    .await;
}
