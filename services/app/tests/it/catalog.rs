//! Products for tests of what is made from all of them: search, lineage, neglected parts.

use testkit::app::TestApp;

/// A product and its contract, with one table of these columns. `more` goes into the product's document.
pub(crate) fn documents(domain: &str, name: &str, classification: &str, more: &str, columns: &[&str]) -> [String; 2] {
    let product = format!(
        "apiVersion: v1.0.0
kind: DataProduct
id: {name}-product
name: {name}
status: active
{more}customProperties:
  - {{property: classification, value: {classification}}}
outputPorts:
  - {{name: {name}, version: 1.0.0, contractId: {name}-contract}}
"
    );
    let columns: String = columns.iter().map(|column| format!("      - {{{column}}}\n")).collect();
    let contract = format!(
        "apiVersion: v3.1.0
kind: DataContract
id: {name}-contract
version: 1.0.0
status: active
servers:
  - {{server: lake, type: local, path: '{domain}/{{model}}', format: delta}}
schema:
  - name: {name}
    properties:
{columns}"
    );
    [product, contract]
}

/// Runs a check on each of the databases.
pub(crate) async fn on_both(check: impl AsyncFn(TestApp)) {
    check(TestApp::start().await).await;
    if let Some(server) = testkit::postgres::Server::shared() {
        check(TestApp::start_on(Some(server.database())).await).await;
    }
}
