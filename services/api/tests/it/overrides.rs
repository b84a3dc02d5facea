//! An override, from what a steward is shown to what everybody can read of it.

use serde_json::{Value, json};

use crate::access::without_tokens;
use crate::support::{Api, CONTRACT, code, refused};

const REVIEW: &str = "query($product: String!, $document: DocumentInput!) {
    answer: reviewRefusal(product: $product, document: $document) { __typename
        ... on VersionRefusal { version comparedWith needed findingsDigest findings { ...Finding } }
        ... on InvalidDocuments { problems { document message } } } }
    fragment Finding on Finding { path rule historySafe consumerSafe bump message }";

const CREATE: &str = "mutation($input: CreateOverrideInput!) { answer: createOverride(input: $input) { __typename
        ... on CreateOverridePayload { override { id findingsDigest } }
        ... on OtherFindings { message refusal { findingsDigest } }
        ... on InvalidDocuments { problems { message } } } }";

#[tokio::test]
async fn the_findings_shown_to_a_steward_are_those_that_readers_see() {
    let api = Api::shop().await;
    let document = json!({ "path": "orders.yaml", "text": refused(CONTRACT) });
    let review = json!({ "product": "shop.orders", "document": document });
    let shown = api.data("steward", REVIEW, review).await["answer"].clone();
    assert_eq!(
        (&shown["version"], &shown["comparedWith"], &shown["needed"]),
        (&json!("1.8.0"), &json!("1.0.0"), &json!("MAJOR"))
    );
    let finding = &shown["findings"][0];
    assert_eq!((&finding["path"], &finding["bump"]), (&json!("orders.amount"), &json!("MAJOR")));
    assert!(finding["message"].as_str().is_some_and(|message| message.contains("unit")), "{finding}");

    let input = api.override_input("shop.orders", &refused(CONTRACT)).await;
    assert_eq!(input["findingsDigest"], shown["findingsDigest"]);
    let created = api.data("steward", CREATE, json!({ "input": input })).await["answer"]["override"].clone();
    assert_eq!(created["findingsDigest"], shown["findingsDigest"]);
    let read =
        "query($id: ID!) { node(id: $id) { ... on ContractOverride { comparedWith stands findings { ...Finding } } } }
        fragment Finding on Finding { path rule historySafe consumerSafe bump message }";
    let read = api.data("reader", read, json!({ "id": created["id"] })).await["node"].clone();
    assert_eq!((&read["findings"], &read["stands"]), (&shown["findings"], &json!(true)));
    let record = "{ records(first: 1, action: OVERRIDE_CREATE) { nodes { ... on Record { detail } } } }";
    let record = api.data("steward", record, Value::Null).await["records"]["nodes"][0]["detail"].clone();
    let record = record.as_str().expect("detail");
    for told in ["path", "message", "rule"] {
        assert!(record.contains(finding[told].as_str().expect("a text")), "{told}: {record}");
    }
}

#[tokio::test]
async fn other_findings_and_unreadable_documents_are_not_accepted() {
    let api = Api::shop().await;
    let before = without_tokens(&api.test.dump().await);
    let input = api.override_input("shop.orders", &refused(CONTRACT)).await;
    let with = |text: &str| {
        let mut input = input.clone();
        input["document"]["text"] = json!(text);
        json!({ "input": input })
    };
    let more = refused(CONTRACT).replace("logicalType: integer", "logicalType: string");
    let other = api.data("steward", CREATE, with(&more)).await["answer"].clone();
    assert_eq!(other["__typename"], "OtherFindings");
    assert_ne!(other["refusal"]["findingsDigest"], input["findingsDigest"]);
    let invalid = api.data("steward", CREATE, with("- [")).await["answer"].clone();
    assert_eq!(invalid["__typename"], "InvalidDocuments");
    let answer = api.ask("steward", CREATE, with(CONTRACT)).await;
    assert_eq!(code(&answer).as_deref(), Some("CONFLICT"), "{answer}");
    assert!(without_tokens(&api.test.dump().await) == before, "something changed");
}
