//! Who breaks by a planned change.

#![expect(clippy::panic, reason = "a helper of tests ends the test")]

use app::lease::Leases;
use app::lineage::{Consumer, Reads, readers_of};
use app::publish::{Breaking, DocumentSet, DocumentText, Outcome};
use domain::column_reads::{Chunk, FileChunks};
use domain::identity::DomainRole;
use domain::table::PinnedFile;
use testkit::actor::{TestActor, access_to};
use testkit::inspector::Scene;

use super::{documents, event, on_both, place, send, world};

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
        let pinned = PinnedFile {
            path: "a.parquet".to_owned(),
            size_bytes: 2_048,
            mtime_ns: 1,
            inode: 1,
            ctime_ns: Some(1),
            digest: None,
        };
        let chunk = |column: u32| Chunk {
            start: 4 + u64::from(column) * 1_000,
            end: 1_004 + u64::from(column) * 1_000,
            column: Some(column),
        };
        let chunks = FileChunks::new(vec![chunk(0), chunk(1)]);
        let scene = Scene::of("id:integer amount:number").with_files(vec![(pinned, chunks)]);
        test.lay("shop/orders", 1, scene).await;
        app::column_reads::begin(&test.app).await.unwrap();

        let read = async |reader: &TestActor, table: &str, column: u32| {
            let open = test.app.open(reader.leases(table).await.lease.id).await.unwrap();
            let Chunk { start, end, .. } = chunk(column);
            test.app.sends(&open, "a.parquet", 2_048, &(start..end));
        };
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
