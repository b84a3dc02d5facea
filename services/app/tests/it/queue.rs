//! The queue of inspections: whose turn it is, and who sees what of it.

#![expect(clippy::unwrap_used, reason = "a helper of tests ends the test")]

use std::time::Duration;

use app::Settings;
use app::inspection::list_queue;
use domain::identity::DomainRole;
use store::Seek;
use testkit::actor::TestActor;
use testkit::app::TestApp;

use crate::open_table::{CONTRACT, PRODUCT, good};

/// Publishes the table `<domain>/<name>`, which is not there yet.
async fn publish(test: &TestApp, owner: &TestActor, domain: &str, name: &str, classification: &str) {
    let rename = |text: &str| text.replace("race", name).replace("Race", name).replace("nyc", domain);
    let classified =
        format!("id: {name}-product\ncustomProperties:\n  - property: classification\n    value: {classification}\n");
    let product = rename(PRODUCT).replace(&format!("id: {name}-product\n"), &classified);
    test.publish(owner, domain, &[&product, &rename(CONTRACT)]).await;
}

/// Lays the first version of a table, and has it noticed.
async fn lay(test: &TestApp, location: &str) {
    let folder = test.table_folder(location);
    std::fs::create_dir_all(folder.join("_delta_log")).unwrap();
    std::fs::write(folder.join(format!("_delta_log/{:020}.json", 0)), b"{}").unwrap();
    test.inspector.set(folder, good());
    app::jobs::poll_once(&test.app).await.unwrap();
}

/// The addresses, and whether they run.
async fn queue(ctx: &TestActor) -> Vec<(String, bool)> {
    let page = list_queue(ctx, Seek::first(10)).await.unwrap();
    page.items.into_iter().map(|queued| (queued.target.address(), queued.running)).collect()
}

#[tokio::test]
async fn the_queue_shows_what_the_caller_may_know_of_and_nothing_else() {
    let test = TestApp::start().await;
    let (nyc, sales) = (test.domain("nyc").await, test.domain("sales").await);
    let stranger = test.principal("stranger").await;
    publish(&test, &nyc, "nyc", "open", "public").await;
    publish(&test, &sales, "sales", "hidden", "restricted").await;
    lay(&test, "nyc/open").await;
    lay(&test, "sales/hidden").await;
    let (open, hidden) = (("nyc.open.rows__v1".to_owned(), false), ("sales.hidden.rows__v1".to_owned(), false));
    for (ctx, expected) in [(&stranger, vec![open.clone()]), (&nyc, vec![open.clone()]), (&sales, vec![open, hidden])] {
        let mut seen = queue(ctx).await;
        seen.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(seen, expected);
        let first = list_queue(ctx, Seek::first(1)).await.unwrap();
        assert_eq!((first.items.len(), first.has_more), (1, expected.len() > 1), "hidden entries take no room");
    }
    app::jobs::run_due(&test.app).await.unwrap();
    assert_eq!(queue(&sales).await, []);
}

#[tokio::test]
async fn a_shared_table_takes_the_turn_of_the_domain_that_bound_it_first() {
    let test = TestApp::start().await;
    let nyc = test.domain("nyc").await;
    test.domain("sales").await;
    publish(&test, &nyc, "nyc", "first", "public").await;
    let both = test.member("both", &[("nyc", DomainRole::Owner), ("sales", DomainRole::Owner)]).await;
    // The order of ids is that of time.
    test.clock.advance(Duration::from_secs(1));
    let rename = |text: &str| text.replace("nyc/race", "nyc/first").replace("race", "second").replace("Race", "second");
    test.publish(&both, "sales", &[&rename(PRODUCT), &rename(CONTRACT)]).await;
    lay(&test, "nyc/first").await;
    let queued = list_queue(&nyc, Seek::first(10)).await.unwrap().items;
    let domain = app::org::find_domain(&nyc, &"nyc".parse().unwrap()).await.unwrap().unwrap();
    let mut tx = test.app.db.read().await.unwrap();
    let job = store::job::find(&mut tx, queued[0].id).await.unwrap().unwrap();
    assert_eq!((queued.len(), job.domain_id), (1, Some(domain.id)));
}

#[tokio::test]
async fn one_worker_is_left_for_other_domains_and_a_job_belongs_to_the_domain_of_its_table() {
    let test = TestApp::start_configured(Settings { n_inspections: 3, ..Settings::for_testing() }).await;
    let (nyc, sales) = (test.domain("nyc").await, test.domain("sales").await);
    for name in ["slow-a", "slow-b", "slow-c"] {
        publish(&test, &nyc, "nyc", name, "public").await;
    }
    publish(&test, &sales, "sales", "quick", "public").await;
    for name in ["slow-a", "slow-b", "slow-c"] {
        lay(&test, &format!("nyc/{name}")).await;
    }
    // Two inspections of one domain are held up; the third worker waits for another domain.
    let mut held = Vec::new();
    for _ in 0..2 {
        let hold = test.inspector.hold();
        let app = test.app.clone();
        let run = tokio::spawn(async move { app::jobs::run_due(&app).await.unwrap() });
        hold.reached().await;
        held.push((hold, run));
    }
    assert_eq!(app::jobs::run_due(&test.app).await.unwrap(), 0);
    lay(&test, "sales/quick").await;
    for queued in list_queue(&sales, Seek::first(10)).await.unwrap().items {
        let mut tx = test.app.db.read().await.unwrap();
        let job = store::job::find(&mut tx, queued.id).await.unwrap().unwrap();
        assert_eq!(job.domain_id, Some(queued.target.product().domain_id));
    }
    assert_eq!(app::jobs::run_due(&test.app).await.unwrap(), 1);
    let left = queue(&sales).await;
    assert_eq!(left.iter().filter(|(_, running)| *running).count(), 2);
    assert!(left.iter().all(|(address, _)| address.starts_with("nyc.")), "{left:?}");
    assert!(left.iter().any(|(address, running)| address.starts_with("nyc.slow-c") && !running), "{left:?}");
    for (hold, _) in &held {
        hold.release();
    }
    for (_, run) in held {
        run.await.unwrap();
    }
    assert_eq!(queue(&sales).await, []);
}
