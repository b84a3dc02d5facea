//! The audit log, with records that were modified.

use std::time::Duration;

use api::Limits;
use domain::audit::Action;
use domain::identity::PlatformRole;
use serde_json::{Value, json};
use testkit::app::TestApp;

use crate::support::Api;

const RECORDS: &str = "query($first: Int, $after: String, $action: AuditAction) {
    records(first: $first, after: $after, action: $action) {
        nodes { __typename id at resource
            ... on Record { detail mac }
            ... on BrokenRecord { fault word: action } }
        pageInfo { hasNextPage endCursor } } }";

#[tokio::test]
async fn a_broken_record_is_shown_among_the_others_on_sqlite() {
    a_broken_record_is_shown_among_the_others(TestApp::start().await).await;
}

#[tokio::test]
async fn a_broken_record_is_shown_among_the_others_on_postgres() {
    let Some(server) = testkit::postgres::Server::shared() else { return };
    a_broken_record_is_shown_among_the_others(TestApp::start_on(Some(server.database())).await).await;
}

async fn a_broken_record_is_shown_among_the_others(test: TestApp) {
    test.domain("before").await;
    test.clock.advance(Duration::from_secs(1));
    test.forge_record(Action::DomainCreate).await;
    test.clock.advance(Duration::from_secs(1));
    test.domain("after").await;
    test.principal("auditor").await;
    test.assign_platform("auditor", PlatformRole::Auditor).await;
    test.principal("stranger").await;
    let api = Api::around(test, &Limits::default());

    let types = |page: &Value| {
        let nodes = page["nodes"].as_array().unwrap();
        nodes.iter().map(|node| node["__typename"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let created = api.data("auditor", RECORDS, json!({ "action": "DOMAIN_CREATE" })).await["records"].clone();
    assert_eq!(types(&created), ["Record", "BrokenRecord", "Record"]);
    let broken = &created["nodes"][1];
    let shown = (&broken["fault"], &broken["word"], &broken["resource"]);
    assert_eq!(shown, (&json!("CHANGED"), &json!("domain.create"), &json!("domain:forged")));
    assert!(broken["at"].is_string() && created["nodes"][0]["mac"].is_string(), "{created}");

    let others = api.data("auditor", RECORDS, json!({ "action": "ROLE_ASSIGN" })).await["records"].clone();
    assert!(!types(&others).is_empty() && types(&others).iter().all(|name| name == "Record"), "{others}");

    // Signing in adds records, so these pages are those of one action.
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = api.data("auditor", RECORDS, json!({ "first": 1, "after": after, "action": "DOMAIN_CREATE" })).await
            ["records"]
            .clone();
        seen.extend(page["nodes"].as_array().unwrap().clone());
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(Value::from(seen), created["nodes"]);

    let node = "query($id: ID!) { node(id: $id) { __typename ... on BrokenRecord { id fault } } }";
    let found = api.data("auditor", node, json!({ "id": broken["id"] })).await["node"].clone();
    assert_eq!(found, json!({ "__typename": "BrokenRecord", "id": broken["id"], "fault": "CHANGED" }));
    assert_eq!(api.data("stranger", node, json!({ "id": broken["id"] })).await["node"], Value::Null);
    assert_eq!(api.code("stranger", RECORDS, json!({})).await, "FORBIDDEN");
}
