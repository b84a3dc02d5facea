//! How much one may put into the registry, and ask of it at once.

use app::Settings;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::registry::{Client, USER_1, USER_2};
use crate::support::Api;

fn avro(name: &str) -> String {
    format!(r#"{{"type":"record","name":"{name}","fields":[]}}"#)
}

impl Client {
    async fn registered(&self, subject: &str, body: Value) -> u64 {
        let reply = self.call(Method::POST, &format!("/subjects/{subject}/versions"), Some(body)).await;
        reply.json()["error_code"].as_u64().unwrap_or_else(|| u64::from(reply.status.as_u16()))
    }

    async fn refused_with(&self, subject: &str, schema: &str) -> String {
        let path = format!("/subjects/{subject}/versions");
        let reply = self.call(Method::POST, &path, Some(json!({ "schema": schema }))).await;
        assert_eq!(reply.json()["error_code"], 42_205, "{reply:?}");
        reply.json()["message"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn the_number_of_versions_is_limited() {
    let settings = Settings { max_versions: 3, ..Settings::for_testing() };
    let client = Client::of(Api::with_quarantine_and(settings).await).await;
    let level = Some(json!({ "compatibility": "NONE" }));
    client.ok(Method::PUT, "/config/users-value", level).await;
    for name in ["a", "b", "c"] {
        client.register("users-value", &avro(name)).await;
    }
    let why = client.refused_with("users-value", &avro("d")).await;
    assert!(why.contains("`users-value`") && why.contains("`registry.versions`") && why.contains(" 3 "), "{why}");
    client.register("users-value", &avro("b")).await;
    client.register("others-value", &avro("d")).await;
    // What is out of use counts, unless it comes back.
    client.ok(Method::DELETE, "/subjects/users-value/versions/1", None).await;
    client.refused_with("users-value", &avro("d")).await;
    client.register("users-value", &avro("a")).await;
    client.ok(Method::DELETE, "/subjects/users-value/versions/2", None).await;
    client.ok(Method::DELETE, "/subjects/users-value/versions/2?permanent=true", None).await;
    client.register("users-value", &avro("d")).await;
}

#[tokio::test]
async fn the_number_of_subjects_without_a_product_is_limited() {
    const PRODUCT: &str = "apiVersion: v1.0.0\nkind: DataProduct\nid: p\nname: p\nstatus: active\n\
                           outputPorts:\n  - name: stream\n    version: 1.0.0\n    contractId: p\n";
    const CONTRACT: &str = "apiVersion: v3.1.0\nkind: DataContract\nid: p\nversion: 1.0.0\nstatus: active\n\
                            servers:\n  - server: kafka\n    type: kafka\n    host: kafka.example:9092\n\
                            schema:\n  - name: users\n    logicalType: object\n    physicalType: topic\n    \
                            properties:\n      - name: id\n        logicalType: integer\n        required: true\n";
    let settings = Settings { max_subjects: 2, ..Settings::for_testing() };
    let client = Client::of(Api::with_quarantine_and(settings).await).await;
    client.register("a", USER_1).await;
    client.register(":.staging:b", USER_1).await;
    let why = client.refused_with("c", USER_1).await;
    assert!(why.contains("`registry.subjects`") && why.contains(" 2 "), "{why}");
    client.register("a", USER_2).await;
    for (scope, code) in [("a", 0), ("b", 0), ("c", 42_205)] {
        let body = Some(json!({ "compatibility": "NONE" }));
        let reply = client.call(Method::PUT, &format!("/config/{scope}"), body).await;
        assert_eq!(reply.json()["error_code"].as_u64().unwrap_or(0), code, "{scope}");
    }
    // A product's are not kept out by strays.
    let test = &client.api.test;
    let owner = test.domain("shop").await;
    test.publish(&owner, "shop", &[PRODUCT, CONTRACT]).await;
    let token = test.token("owner-shop").await;
    let (path, body) = ("/subjects/users-value/versions", json!({ "schema": USER_1 }));
    let reply = client.call_as(&token, Method::POST, path, Some(body)).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    for path in ["/subjects/:.staging:b", "/subjects/:.staging:b?permanent=true"] {
        client.ok(Method::DELETE, path, None).await;
    }
    client.refused_with("c", USER_1).await;
    for path in ["/subjects/a", "/subjects/a?permanent=true"] {
        client.ok(Method::DELETE, path, None).await;
    }
    client.register("c", USER_1).await;
}

#[tokio::test]
async fn all_comparisons_of_a_schema_share_one_budget() {
    let client = Client::start().await;
    let owner = client.api.test.ctx("owner-strays").await;
    let level = Some(json!({ "compatibility": "BACKWARD_TRANSITIVE" }));
    client.ok(Method::PUT, "/config/users-value", level).await;
    let large = |n: u32| {
        let doc = format!("{n}{}", "x".repeat(990_000));
        format!(r#"{{"type":"record","name":"User","doc":"{doc}","fields":[{{"name":"id","type":"long"}}]}}"#)
    };
    let versions = async |numbers: std::ops::Range<u32>| {
        let schemas = numbers.map(|n| ("users-value".parse().unwrap(), n, large(n)));
        client.api.test.lay_schemas(&owner, schemas).await;
    };
    versions(1..11).await;
    let check = "/compatibility/subjects/users-value/versions";
    let body = Some(json!({ "schema": USER_1 }));
    assert_eq!(client.ok(Method::POST, check, body.clone()).await, json!({ "is_compatible": true }));
    versions(11..51).await;
    let reply = client.call(Method::POST, check, body.clone()).await;
    assert_eq!(reply.json()["error_code"], 42_201);
    let why = reply.json()["message"].to_string();
    assert!(why.contains("50 earlier versions") && why.contains("not transitive"), "{why}");
    let latest = "/compatibility/subjects/users-value/versions/latest";
    assert_eq!(client.ok(Method::POST, latest, body).await, json!({ "is_compatible": true }), "one is one");
}

#[tokio::test]
async fn references_are_bounded_in_number_depth_and_size() {
    let client = Client::start().await;
    client.register("part-value", &avro("part")).await;
    let to = |name: &str, subject: &str| json!({ "name": name, "subject": subject, "version": 1 });
    let referring = |references: Vec<Value>| json!({ "schema": avro("whole"), "references": references });
    for n_references in [100, 101, 10_000] {
        let code = if n_references > 100 { 42_201 } else { 200 };
        let references = (0..n_references).map(|_| to("part", "part-value")).collect();
        assert_eq!(client.registered("whole-value", referring(references)).await, code, "{n_references}");
    }
    for depth in 1..=17 {
        let below = if depth == 1 { "part-value".to_owned() } else { format!("d{}-value", depth - 1) };
        let body = json!({ "schema": avro(&format!("d{depth}")), "references": [to(&format!("n{depth}"), &below)] });
        let code = if depth > 16 { 42_201 } else { 200 };
        assert_eq!(client.registered(&format!("d{depth}-value"), body).await, code, "{depth}");
    }
    let owner = client.api.test.ctx("owner-strays").await;
    let large = |n: u32| {
        let doc = "x".repeat(400_000);
        (
            format!("large{n}").parse().unwrap(),
            1,
            format!(r#"{{"type":"enum","name":"E{n}","doc":"{doc}","symbols":[]}}"#),
        )
    };
    client.api.test.lay_schemas(&owner, (1..=3).map(large)).await;
    for n_references in [2, 3] {
        // Too large altogether, whatever the format makes of it.
        let references: Vec<Value> =
            (1..=n_references).map(|n| to(&format!("{n}.json"), &format!("large{n}"))).collect();
        let body = json!({ "schema": "{}", "schemaType": "JSON", "references": references });
        let code = client.registered("sum-value", body).await;
        assert_eq!(code == 42_209, n_references == 3, "{n_references}: {code}");
    }
}

#[tokio::test]
async fn bodies_and_texts_are_limited_in_size() {
    let client = Client::start().await;
    let doc = |n_bytes: usize| format!(r#"{{"type":"record","name":"a","fields":[],"doc":"{}"}}"#, "x".repeat(n_bytes));
    for (n_bytes, code) in [(999_000, 200), (1_000_000, 42_209), (2_000_000, 42_209)] {
        let body = json!({ "schema": doc(n_bytes) });
        assert_eq!(client.registered("users-value", body).await, code, "{n_bytes}");
    }
}
