//! Publishing sets of documents.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod activation;
mod folders;
mod guards;
mod proofs;
mod references;
mod sets;
mod topics;
mod versions;

use app::contract::VersionAddress;
use app::publish::{ChangeKind, DocumentChange, Outcome, Problem, VersionRefusal};
use domain::identity::DomainRole;
use store::revision::{self, Revision};
use testkit::actor::TestActor;
use testkit::app::TestApp;
use testkit::inspector::Scene;

/// A product with one port, and the contract behind it with one table at `shop/orders`.
pub(crate) const PRODUCT: &str = include_str!("documents/orders.product.yaml");
pub(crate) const CONTRACT: &str = include_str!("documents/orders.contract.yaml");
/// What the table of [`CONTRACT`] looks like.
pub(crate) const COLUMNS: &str = "order_id:integer amount:number";

/// An application with the domain `shop`, and its owner.
async fn shop() -> (TestApp, TestActor) {
    let test = TestApp::start().await;
    let owner = test.domain("shop").await;
    (test, owner)
}

/// The same, with [`PRODUCT`] and [`CONTRACT`] published and active.
async fn open_shop() -> (TestApp, TestActor) {
    let (test, owner) = shop().await;
    done(&owner, &[PRODUCT, CONTRACT]).await;
    test.lay("shop/orders", 0, Scene::of(COLUMNS)).await;
    assert_eq!(state(&owner, "1.0.0").await, "active");
    (test, owner)
}

/// A publisher of the domain `shop`.
async fn publisher(test: &TestApp) -> TestActor {
    test.member("pia", &[("shop", DomainRole::Publisher)]).await
}

/// A document with one part replaced; the part must be there.
fn with(document: &str, part: &str, replacement: &str) -> String {
    assert!(document.contains(part), "`{part}` is not in the document");
    document.replace(part, replacement)
}

/// [`CONTRACT`] in another version.
fn version(number: &str) -> String {
    with(CONTRACT, "version: 1.0.0", &format!("version: {number}"))
}

async fn outcome(ctx: &TestActor, documents: &[&str]) -> Outcome {
    let outcome = ctx.publishes("shop", documents).await.expect("an answer");
    let problems: &[Problem] = match &outcome {
        Outcome::Done(report) => &report.warnings,
        Outcome::Invalid(problems) => problems,
        Outcome::Refused(_) => &[],
    };
    let has_place = |problem: &Problem| problem.line.is_some() && problem.column.is_some();
    assert!(problems.iter().all(has_place), "{problems:?}");
    outcome
}

/// Applies documents that must be taken.
async fn done(ctx: &TestActor, documents: &[&str]) -> Vec<DocumentChange> {
    match outcome(ctx, documents).await {
        Outcome::Done(report) => report.changes,
        other => panic!("not taken: {other:?}"),
    }
}

/// Applies documents that must not be usable.
async fn invalid(ctx: &TestActor, documents: &[&str]) -> Vec<Problem> {
    match outcome(ctx, documents).await {
        Outcome::Invalid(problems) => problems,
        other => panic!("not invalid: {other:?}"),
    }
}

/// Applies documents of which one version must be refused.
async fn refused(ctx: &TestActor, documents: &[&str]) -> VersionRefusal {
    match outcome(ctx, documents).await {
        Outcome::Refused(mut refusals) if refusals.len() == 1 => refusals.remove(0),
        other => panic!("not one refusal: {other:?}"),
    }
}

fn kinds(changes: &[DocumentChange]) -> Vec<ChangeKind> {
    changes.iter().map(|change| change.change).collect()
}

fn address(version: &str) -> VersionAddress {
    VersionAddress {
        domain: "shop".parse().expect("a domain"),
        product: "orders".parse().expect("a name"),
        contract: "orders-contract".to_owned(),
        version: version.parse().expect("a version"),
    }
}

/// The state of a version of the contract, `missing` if there is none.
async fn state(ctx: &TestActor, version: &str) -> String {
    let found = app::contract::find_version(ctx, &address(version)).await.expect("an answer");
    found.map_or("missing".to_owned(), |found| found.version.state.as_str().to_owned())
}

/// What a draft waits for.
async fn reasons(ctx: &TestActor, version: &str) -> Vec<String> {
    let found = app::contract::find_version(ctx, &address(version)).await.expect("an answer");
    match found.map(|found| found.version.state) {
        Some(domain::contract::State::Draft { reasons, .. }) => reasons,
        other => panic!("not a draft: {other:?}"),
    }
}

/// What moves with every change: both revisions, and the number of records.
async fn trace(test: &TestApp) -> (i64, i64, usize) {
    let mut tx = test.app.db.read().await.expect("a transaction");
    let access = revision::get(&mut tx, Revision::Access).await.expect("a revision");
    let visibility = revision::get(&mut tx, Revision::Visibility).await.expect("a revision");
    let filter = store::audit::Filter::default();
    let records = store::audit::list(&mut tx, filter, &store::Seek::first(1_000)).await.expect("records");
    (access, visibility, records.items.len())
}
