//! Relations are loaded in one batch for each level of a query, however long its lists are.

use serde_json::Value;
use testkit::inspector::Scene;

use crate::support::{Api, COLUMNS, CONTRACT, PRODUCT};
use crate::trace::Trace;

/// The statements of the query below, whatever the number of products.
const STATEMENTS: usize = 70;

#[tokio::test]
async fn relations_are_loaded_in_one_batch_for_each_level() {
    let api = Api::shop().await;
    let owner = api.test.ctx("owner-shop").await;
    for index in 1..6 {
        let product = PRODUCT
            .replace("id: orders", &format!("id: orders{index}"))
            .replace("name: Orders", &format!("name: Orders{index}"))
            .replace("contractId: orders", &format!("contractId: orders{index}"));
        let contract = CONTRACT
            .replace("id: orders", &format!("id: orders{index}"))
            .replace("shop/orders", &format!("shop/orders{index}"));
        api.test.publish(&owner, "shop", &[&product, &contract]).await;
        api.test.lay(&format!("shop/orders{index}"), 0, Scene::of(COLUMNS)).await;
    }
    let batches = Trace::new(&["charter::loader"]);
    let guard = tracing::subscriber::set_default(batches.clone());
    let query = "{ products(first: 20) { nodes { medallion ports { contract { id name } } contracts { versions(first: 5) { nodes { id } } }
        tables { contractVersion { id } product { id } freshness { late } head { verdict { verdict } } }
        access usage { readers } } } }";
    let data = api.data("owner-shop", query, Value::Null).await;
    drop(guard);
    assert_eq!(data["products"]["nodes"].as_array().map(Vec::len), Some(6));

    let batch = |mut fields: std::collections::BTreeMap<_, String>| {
        let key = fields.remove("what").expect("a key type");
        (key.rsplit("::").next().unwrap_or(&key).to_owned(), fields.remove("n_keys").expect("a number of keys"))
    };
    let mut loaded: Vec<_> = batches.take().into_iter().map(|traced| batch(traced.fields)).collect();
    loaded.sort();
    let expected = [
        ("ContractId", 6),
        ("ContractVersionId", 6),
        ("ContractsOf", 6),
        ("DocumentOf", 6),
        ("NewestOf", 6),
        ("PortsOf", 6),
        ("ProductId", 6),
        ("SnapshotId", 6),
        ("TablesOf", 6),
        ("UsageOf", 6),
        ("VerdictOf", 6),
        ("VersionsOf", 6),
    ];
    assert_eq!(loaded, expected.map(|(what, n_keys)| (what.to_owned(), n_keys.to_string())));

    // So a page of six products runs as many statements as a page of one.
    let statements = Trace::new(&["charter::sql"]);
    let guard = tracing::subscriber::set_default(statements.clone());
    let mut counts = Vec::new();
    for first in ["first: 1", "first: 6"] {
        api.data("owner-shop", &query.replace("first: 20", first), Value::Null).await;
        counts.push(statements.take().len());
    }
    drop(guard);
    assert_eq!(counts, [STATEMENTS, STATEMENTS]);
}
