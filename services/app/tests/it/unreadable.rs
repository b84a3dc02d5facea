//! A row that cannot be read takes no other with it: search and lineage leave it out, say so, and try it again.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests ends the test")]

use std::path::PathBuf;
use std::time::Duration;

use app::lineage::explore;
use app::publish::Breaking;
use app::search::{Found, catch_up, search};
use lineage::edge::{Kind, Kinds};
use lineage::graph::Cut;
use search::Request;
use testkit::actor::TestActor;
use testkit::app::TestApp;

use crate::catalog::on_both;
use crate::lineage::{ask, event, found, impact, send};
use crate::search::{documents, names, sorted, world};

/// Everything that a caller finds, once what a search has noticed is done.
async fn find_all(actor: &TestActor) -> Found {
    for _ in 0..200 {
        let found = search(actor, Request::page("", 20)).await.unwrap();
        if found.total.is_some() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the index does not follow");
}

const DAMAGE: &str = "UPDATE products SET state_since = NULL WHERE name = 'orders'";
const REPAIR: &str = "UPDATE products SET state_since = created_at WHERE name = 'orders'";

#[tokio::test]
async fn search_leaves_out_a_product_that_cannot_be_read() {
    on_both(async |test| {
        let shop = world(&test).await;
        let reader = test.principal("reader").await;
        assert!(!find_all(&reader).await.is_partial);
        // It was found before: the hit that cannot be shown is noticed.
        test.execute(DAMAGE).await;
        let rest = names(&["fin.revenue", "shop.returns"]);
        let found = find_all(&reader).await;
        assert_eq!((sorted(&found), found.total, found.is_partial), (rest.clone(), Some(2), true));
        assert_eq!(test.app.omissions(), ["products that cannot be read and are missing in search: 1"]);
        // Others are followed.
        test.publish(&shop, "shop", &documents("shop", "parcels", "internal", "")).await;
        let with_parcels = names(&["fin.revenue", "shop.parcels", "shop.returns"]);
        assert_eq!(sorted(&find_all(&reader).await), with_parcels);

        // The same after a restart, and in an index that is built. Whoever signed in keeps the program, and so the index.
        drop((shop, reader));
        let test = test.restart().await;
        let found = find_all(&test.ctx("reader").await).await;
        assert_eq!((sorted(&found), found.is_partial), (with_parcels.clone(), true));
        let test =
            test.restart_after(|database| drop(std::fs::remove_dir_all(database.with_file_name("search")))).await;
        let found = find_all(&test.ctx("reader").await).await;
        assert_eq!((sorted(&found), found.is_partial), (with_parcels, true));
        assert_eq!(test.app.omissions().len(), 1);

        // It is tried again after a restart.
        test.execute(REPAIR).await;
        let test = test.restart().await;
        let found = find_all(&test.ctx("reader").await).await;
        let all = names(&["fin.revenue", "shop.orders", "shop.parcels", "shop.returns"]);
        assert_eq!((sorted(&found), found.is_partial, test.app.omissions()), (all, false, Vec::new()));
    })
    .await;
}

#[tokio::test]
async fn a_product_that_was_left_out_is_found_when_it_changes() {
    on_both(async |test| {
        let shop = world(&test).await;
        let reader = test.principal("reader").await;
        // A part of it is enough.
        let damage = "UPDATE contract_versions SET state_since = NULL WHERE contract_id IN
             (SELECT id FROM contracts WHERE document_id = 'orders-contract')";
        test.execute(damage).await;
        assert_eq!(sorted(&find_all(&reader).await), names(&["fin.revenue", "shop.returns"]));
        test.execute(&damage.replace("NULL", "published_at")).await;
        let [product, _] = documents("shop", "orders", "internal", "version: 2.0.0\n");
        test.publish(&shop, "shop", &[product]).await;
        let found = find_all(&reader).await;
        assert_eq!(sorted(&found), names(&["fin.revenue", "shop.orders", "shop.returns"]));
        assert!(!found.is_partial);
    })
    .await;
}

#[tokio::test]
async fn a_class_that_cannot_be_read_hides_no_other() {
    on_both(async |test| {
        world(&test).await;
        let reader = test.principal("reader").await;
        test.execute("UPDATE products SET classification = 'unheard' WHERE name = 'orders'").await;
        assert_eq!(sorted(&find_all(&reader).await), names(&["fin.revenue", "shop.returns"]));
    })
    .await;
}

#[tokio::test]
async fn an_event_that_cannot_be_read_has_the_index_built() {
    on_both(async |test| {
        let shop = world(&test).await;
        let reader = test.principal("reader").await;
        assert_eq!(find_all(&reader).await.total, Some(3));
        assert_eq!(impact(&reader, "shop.orders.orders", &[]).await.total, Some(1));
        let inputs = "inputPorts:\n  - {name: orders, version: 1.0.0, contractId: orders-contract}\n";
        test.publish(&shop, "shop", &documents("shop", "parcels", "internal", inputs)).await;
        test.execute("UPDATE outbox SET kind = 'unheard'").await;
        assert_eq!(find_all(&reader).await.total, Some(4));
        assert_eq!(impact(&reader, "shop.orders.orders", &[]).await.total, Some(2));
    })
    .await;
}

#[tokio::test]
async fn an_index_that_cannot_be_written_still_answers() {
    let test = TestApp::start().await;
    let shop = world(&test).await;
    let reader = test.principal("reader").await;
    assert_eq!(find_all(&reader).await.total, Some(3));
    let list = list_of_files(&test);
    let kept = std::fs::read(&list).unwrap();
    std::fs::remove_file(&list).unwrap();
    std::fs::create_dir(&list).unwrap();
    test.publish(&shop, "shop", &documents("shop", "parcels", "internal", "")).await;
    let refused = catch_up(&test.app).await.unwrap_err();
    assert_eq!(refused.to_string(), "internal error");
    let found = search(&reader, Request::page("", 20)).await.unwrap();
    assert_eq!((sorted(&found), found.is_partial), (names(&["fin.revenue", "shop.orders", "shop.returns"]), true));
    std::fs::remove_dir(&list).unwrap();
    std::fs::write(&list, kept).unwrap();
    assert_eq!(find_all(&reader).await.total, Some(4));
}

/// The index's list of its own files.
fn list_of_files(test: &TestApp) -> PathBuf {
    let lake = test.table_folder("");
    let folder = lake.ancestors().map(|folder| folder.join("search")).find(|folder| folder.is_dir()).unwrap();
    let of_policies = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    of_policies.join(".managed.json")
}

#[tokio::test]
async fn lineage_leaves_out_what_cannot_be_read_and_says_so() {
    on_both(async |test| {
        let [shop, _, _] = crate::lineage::world(&test).await;
        let other = test.member("other", &[("shop", domain::identity::DomainRole::Publisher)]).await;
        let reader = test.principal("reader").await;
        let (one, two) = (("db", "one"), ("db", "two"));
        let orders = test.table_folder("shop/orders").display().to_string();
        send(&shop, &[event(1, "a", ("file", &orders), one, &[])]).await;
        send(&other, &[event(2, "b", ("file", &orders), two, &[])]).await;
        let observed = app::lineage::Ask { kinds: Kinds::of(&[Kind::Observed]), ..ask("shop.orders.orders", &[]) };
        let answer = explore(&reader, observed.clone()).await.unwrap();
        assert_eq!((found(&answer).len(), answer.cut), (2, None));

        // A claim: only the speaker's own is missing, also for what comes afterwards.
        let of_other = format!("WHERE principal_id = '{}'", other.actor.principal.id);
        test.execute(&format!("UPDATE lineage_claims SET body = '?' || body {of_other}")).await;
        send(&other, &[event(3, "c", ("file", &orders), ("db", "three"), &[])]).await;
        let answer = explore(&reader, observed.clone()).await.unwrap();
        let mut rest = found(&answer);
        rest.sort();
        assert_eq!(
            (rest, answer.cut),
            (vec!["1 dataset db one *".into(), "1 dataset db three *".into()], Some(Cut::Behind))
        );
        let who_breaks_is_whole = async || {
            let orders = app::table::find_table(&shop, &"shop.orders.orders".parse().unwrap()).await.unwrap().unwrap();
            let columns = [("orders".to_owned(), None)].into();
            let breaking = Breaking { contract_id: orders.binding.contract_id, major: 1, columns };
            app::lineage::readers_of(&shop, &breaking).await.unwrap().is_complete
        };
        assert!(!who_breaks_is_whole().await);
        let n_left_out = |test: &TestApp| test.app.omissions();
        assert!(n_left_out(&test)[0].starts_with("rows that cannot be read and are missing in lineage: "));
        test.execute(&format!("UPDATE lineage_claims SET body = substr(body, 2) {of_other} AND body LIKE '?%'")).await;
        send(&other, &[event(4, "d", ("file", &orders), two, &[])]).await;
        let answer = explore(&reader, observed.clone()).await.unwrap();
        assert_eq!((found(&answer).len(), answer.cut, n_left_out(&test)), (3, None, Vec::new()));
        assert!(who_breaks_is_whole().await);

        // A product: what others declare is there.
        test.execute(&DAMAGE.replace("orders", "board")).await;
        test.publish(&shop, "shop", &documents("shop", "parcels", "internal", "")).await;
        let answer = impact(&reader, "shop.orders.orders", &[]).await;
        assert!(found(&answer).contains(&"1 fin.revenue.revenue__v1 *".to_owned()), "{:?}", found(&answer));
        assert_eq!((answer.cut, n_left_out(&test).len()), (Some(Cut::Behind), 1));
        test.execute(&REPAIR.replace("orders", "board")).await;
        test.publish(&shop, "shop", &documents("shop", "letters", "internal", "")).await;
        let answer = impact(&reader, "shop.orders.orders", &[]).await;
        assert!(found(&answer).contains(&"2 fin.board.board__v1 *".to_owned()), "{:?}", found(&answer));
        assert_eq!((answer.cut, n_left_out(&test)), (None, Vec::new()));
    })
    .await;
}
