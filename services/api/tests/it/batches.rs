//! Relations are loaded in one batch for each level of a query, however long its lists are.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use testkit::inspector::Scene;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::support::{Api, COLUMNS, CONTRACT, PRODUCT};

/// Counts the batches that loaders load.
#[derive(Clone, Default)]
struct Batches(Arc<Mutex<Vec<(String, u64)>>>);

impl Subscriber for Batches {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "charter::loader"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut batch = Batch::default();
        event.record(&mut batch);
        self.0.lock().unwrap().push((batch.what, batch.n_keys));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Batch {
    what: String,
    n_keys: u64,
}

impl Visit for Batch {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "what" {
            self.what = value.rsplit("::").next().unwrap_or(value).to_owned();
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "n_keys" {
            self.n_keys = value;
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

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
    let batches = Batches::default();
    let guard = tracing::subscriber::set_default(batches.clone());
    let query = "{ products { nodes { medallion ports { contract { id name } } contracts { versions(first: 5) { nodes { id } } }
        tables { contractVersion { id } product { id } } } } }";
    let data = api.data("owner-shop", query, Value::Null).await;
    drop(guard);
    assert_eq!(data["products"]["nodes"].as_array().map(Vec::len), Some(6));

    let mut loaded = batches.0.lock().unwrap().clone();
    loaded.sort();
    let expected = [
        ("ContractId", 6),
        ("ContractVersionId", 6),
        ("ContractsOf", 6),
        ("DocumentOf", 6),
        ("NewestOf", 6),
        ("PortsOf", 6),
        ("ProductId", 6),
        ("TablesOf", 6),
        ("VersionsOf", 6),
    ];
    assert_eq!(loaded, expected.map(|(what, n_keys)| (what.to_owned(), n_keys)));
}
