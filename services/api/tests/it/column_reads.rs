//! Who read which column of a table: the answer, and who gets it.

use app::lease::Leases;
use domain::column_reads::{Chunk, FileChunks};
use domain::table::PinnedFile;
use serde_json::{Value, json};
use testkit::inspector::Scene;

use crate::support::{Api, COLUMNS};

const READERS: &str = r#"query($days: Int! = 90) { table(address: "shop.orders.orders") { readers(days: $days) {
    from since losses complete unread
    everything { principal { subject } leases lastReadAt }
    columns { name readers { principal { subject } leases lastReadAt } } } } }"#;

fn pinned(path: &str) -> PinnedFile {
    PinnedFile { path: path.to_owned(), size_bytes: 1 << 20, mtime_ns: 1, inode: 1, ctime_ns: Some(1), digest: None }
}

#[tokio::test]
async fn owners_see_who_read_a_column_and_which_was_not_read() {
    let api = Api::shop().await;
    api.grant().await;
    let scene = Scene::of(COLUMNS);
    let names: Vec<String> = scene.columns.iter().map(|column| column.name.clone()).collect();
    let chunk = |column: u32| Chunk { start: 4 + u64::from(column), end: 5 + u64::from(column), column: Some(column) };
    let files = vec![(pinned("a.parquet"), FileChunks::new(vec![chunk(0), chunk(1)])), (pinned("b.parquet"), None)];
    api.test.lay("shop/orders", 1, scene.with_files(files)).await;
    app::column_reads::begin(&api.test.app).await.expect("a recording");
    let reader = api.test.ctx("reader").await;
    let lease = api.test.app.open(reader.leases("shop.orders.orders").await.lease.id).await.expect("a lease");
    api.test.app.sends(&lease, "a.parquet", 1 << 20, &(4..5));
    app::column_reads::write(&api.test.app).await.expect("readings");

    let now = reader.now().to_string();
    let by_reader = json!({ "principal": { "subject": "reader" }, "leases": "1", "lastReadAt": now });
    let mut shown = json!({
        "since": now, "losses": [], "complete": true, "unread": [names[1]], "everything": [],
        "columns": [{ "name": names[0], "readers": [by_reader] }, { "name": names[1], "readers": [] }],
    });
    shown["from"] = json!(reader.now().minus(domain::column_reads::DAY * 90).to_string());
    for subject in ["owner-shop", "steward", "auditor", "admin"] {
        let answer = api.data(subject, READERS, Value::Null).await;
        assert_eq!(answer["table"]["readers"], shown, "{subject}");
    }
    for subject in ["reader", "consumer", "publisher", "owner-other"] {
        let answer = api.data(subject, READERS, Value::Null).await;
        assert_eq!(answer, json!({ "table": { "readers": null } }), "{subject}");
    }

    // What may have been anything leaves no column unread.
    api.test.app.sends(&lease, "b.parquet", 1 << 20, &(4..5));
    app::column_reads::write(&api.test.app).await.expect("readings");
    let answer = api.data("owner-shop", READERS, Value::Null).await;
    let readers = &answer["table"]["readers"];
    assert_eq!((&readers["unread"], &readers["everything"]), (&json!([]), &json!([by_reader])));

    for days in [0, -1, 401] {
        assert_eq!(api.code("owner-shop", READERS, json!({ "days": days })).await, "INVALID", "{days}");
    }
    let longest = api.data("owner-shop", READERS, json!({ "days": 400 })).await;
    assert_eq!(longest["table"]["readers"]["columns"], shown["columns"]);
}
