//! The table `nyc.race.rows`, which most tests of the gate open: its documents, its owner, and a reader with a grant.

#![expect(clippy::unwrap_used, reason = "a helper of tests ends the test")]

use domain::id::GrantId;
use testkit::actor::{TestActor, access_to};
use testkit::app::TestApp;
use testkit::inspector::Scene;

pub(crate) const PRODUCT: &str = include_str!("documents/race.product.yaml");
pub(crate) const CONTRACT: &str = include_str!("documents/race.contract.yaml");
pub(crate) const FOLDER: &str = "nyc/race";
pub(crate) const ROWS: &str = "nyc.race.rows";

/// Publishes the product with this contract, and lays the table; gives the owner.
pub(crate) async fn publish(test: &TestApp, contract: &str) -> TestActor {
    let owner = test.domain("nyc").await;
    test.publish(&owner, "nyc", &[PRODUCT, contract]).await;
    test.lay(FOLDER, 0, good()).await;
    owner
}

/// An application with the open table, its owner, and a reader with a grant.
pub(crate) async fn open() -> (TestApp, TestActor, TestActor, GrantId) {
    open_on(TestApp::start().await).await
}

/// The same, on this application.
pub(crate) async fn open_on(test: TestApp) -> (TestApp, TestActor, TestActor, GrantId) {
    let owner = publish(&test, CONTRACT).await;
    let reader = test.principal("reader").await;
    let grant = owner.grants(&reader, access_to(ROWS)).await.unwrap();
    (test, owner, reader, grant)
}

/// Data that the contract is content with.
pub(crate) fn good() -> Scene {
    Scene::of("id:integer")
}
