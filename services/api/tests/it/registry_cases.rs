//! What clients and tools of the Confluent Schema Registry found different in the door: each with the answer of the
//! original.

use axum::http::{Method, StatusCode};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::registry::{Client, USER_1, USER_2, USER_BROKEN};

impl Client {
    async fn message(&self, method: Method, path: &str, body: Option<Value>) -> String {
        let reply = self.call(method, path, body).await;
        assert!(!reply.status.is_success(), "{path}");
        reply.json()["message"].as_str().unwrap().to_owned()
    }

    async fn put_as_admin(&self, path: &str, body: Value) -> Value {
        let reply = self.call_as(&self.admin().await, Method::PUT, path, Some(body)).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", String::from_utf8_lossy(&reply.bytes));
        reply.json()
    }
}

#[tokio::test]
async fn registrations_in_one_subject_are_all_taken_one_after_the_other() {
    const N_CLIENTS: usize = 32;
    let client = Client::start().await;
    client.ok(Method::PUT, "/config/orders-value", Some(json!({ "compatibility": "NONE" }))).await;
    let register = |n: usize| {
        let schema =
            json!({ "type": "record", "name": "Order", "fields": [{ "name": format!("f{n}"), "type": "int" }] });
        let body = json!({ "schema": schema.to_string() });
        client.call(Method::POST, "/subjects/orders-value/versions", Some(body))
    };
    let replies = join_all((0..N_CLIENTS * 2).map(register)).await;
    let refused: Vec<_> =
        replies.iter().filter(|reply| reply.status != StatusCode::OK).map(|reply| reply.json()).collect();
    assert_eq!(refused, Vec::<Value>::new());
    let versions = client.ok(Method::GET, "/subjects/orders-value/versions", None).await;
    assert_eq!(versions.as_array().unwrap().len(), N_CLIENTS * 2);
}

#[tokio::test]
async fn normalised_references_are_a_set() {
    let client = Client::start().await;
    client.register("a", r#"{"type":"record","name":"A","namespace":"o","fields":[]}"#).await;
    client.register("b", r#"{"type":"record","name":"B","namespace":"o","fields":[]}"#).await;
    let schema = r#"{"type":"record","name":"T","fields":[{"name":"a","type":"o.A"},{"name":"b","type":"o.B"}]}"#;
    let (a, b) = (
        json!({ "name": "o.A", "subject": "a", "version": 1 }),
        json!({ "name": "o.B", "subject": "b", "version": 1 }),
    );
    let body = |references: Value| Some(json!({ "schema": schema, "references": references }));
    let register = "/subjects/t-value/versions?normalize=true";
    let first = client.ok(Method::POST, register, body(json!([b, a]))).await;
    for references in [json!([a, b]), json!([b, a]), json!([a, a, b])] {
        assert_eq!(client.ok(Method::POST, register, body(references.clone())).await, first);
        let found = client.ok(Method::POST, "/subjects/t-value?normalize=true", body(references)).await;
        assert_eq!((&found["id"], &found["version"]), (&first["id"], &json!(1)));
    }
    assert_eq!(client.ok(Method::GET, "/subjects/t-value/versions", None).await, json!([1]));
}

#[tokio::test]
async fn an_import_restores_a_soft_deleted_version() {
    let client = Client::start().await;
    let id = client.register(":.im:s", USER_1).await["id"].clone();
    client.ok(Method::DELETE, "/subjects/:.im:s", None).await;
    client.mode("/mode/:.im:", "IMPORT").await;
    let import = |schema: &str, version: i64| Some(json!({ "schema": schema, "id": id, "version": version }));
    // Another schema is no restoration.
    let other = json!({ "schema": USER_2, "id": 77, "version": 1 });
    assert_eq!(client.code(Method::POST, "/subjects/:.im:s/versions", Some(other)).await, 42_205);
    let restored = client.ok(Method::POST, "/subjects/:.im:s/versions", import(USER_1, 1)).await;
    assert_eq!(restored, json!({ "id": id }));
    assert_eq!(client.ok(Method::GET, "/subjects/:.im:s/versions", None).await, json!([1]));
    client.ok(Method::DELETE, "/subjects/:.im:s", None).await;
    client.ok(Method::POST, "/subjects/:.im:s/versions", import(USER_1, 2)).await;
    assert_eq!(client.ok(Method::GET, "/subjects/:.im:s/versions?deleted=true", None).await, json!([2]));
}

#[tokio::test]
async fn an_imported_schema_stays_as_it_is() {
    let client = Client::start().await;
    client.mode("/mode/:.im:", "IMPORT").await;
    let text = r#"{"type":"object","properties":{"z":{"type":"string"},"a":{"type":"string"}}}"#;
    let body = json!({ "schemaType": "JSON", "schema": text, "id": 9, "version": 1 });
    client.ok(Method::POST, "/subjects/:.im:s/versions?normalize=true", Some(body)).await;
    let stored = client.ok(Method::GET, "/subjects/:.im:s/versions/1", None).await;
    assert_eq!(stored["schema"], text);
}

#[tokio::test]
async fn messages_are_those_that_clients_and_their_tests_look_at() {
    let client = Client::start().await;
    client.register("s-value", USER_1).await;
    let body = |schema: &str| Some(json!({ "schema": schema }));
    for (method, path, sent, message) in [
        (Method::GET, "/subjects/x/versions", None, "Subject 'x' not found."),
        (Method::GET, "/subjects/s-value/versions/3", None, "Version 3 not found."),
        (Method::GET, "/schemas/ids/99", None, "Schema 99 not found"),
        (Method::POST, "/subjects/s-value", body(USER_2), "Schema not found"),
        (Method::POST, "/subjects/s-value/versions", body("{\"type\":\"nothing\"}"), "Invalid schema"),
        (
            Method::POST,
            "/subjects/s-value/versions",
            body(USER_BROKEN),
            "Schema being registered is incompatible with an earlier schema for subject \"s-value\", details: [{",
        ),
        (
            Method::GET,
            "/subjects/s-value/versions/a",
            None,
            "The specified version 'a' is not a valid version id. Allowed values are between [1, 2^31-1] and the string \
             \"latest\"",
        ),
        (
            Method::PUT,
            "/config",
            Some(json!({ "compatibility": "ANY" })),
            "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, \
             forward_transitive, and full_transitive",
        ),
        (Method::PUT, "/mode", Some(json!({ "mode": "ANY" })), "Invalid mode. Valid values are READWRITE"),
        (
            Method::GET,
            "/config/s-value",
            None,
            "Subject 's-value' does not have subject-level compatibility configured",
        ),
        (Method::GET, "/mode/s-value", None, "Subject 's-value' does not have subject-level mode configured"),
        (
            Method::DELETE,
            "/subjects/s-value?permanent=true",
            None,
            "Subject 's-value' was not deleted first before being permanently deleted",
        ),
    ] {
        let found = client.message(method, path, sent).await;
        assert!(found.starts_with(message), "{path}: {found}");
    }
}

#[tokio::test]
async fn a_schema_asked_for_with_a_subject_has_its_place() {
    let client = Client::start().await;
    client.register("a-value", USER_1).await;
    client.register("b-value", USER_2).await;
    client.register("b-value", USER_1).await;
    let found = client.ok(Method::GET, "/schemas/ids/1?subject=b-value", None).await;
    assert_eq!(found, json!({ "schema": USER_1, "subject": "b-value", "version": 2 }));
    let found = client.ok(Method::GET, "/schemas/ids/1?subject=none", None).await;
    assert_eq!((&found["subject"], &found["version"]), (&json!("a-value"), &json!(1)));
    // A version in use comes before a deleted one.
    client.ok(Method::DELETE, "/subjects/a-value", None).await;
    let found = client.ok(Method::GET, "/schemas/ids/1?subject=none", None).await;
    assert_eq!((&found["subject"], &found["version"]), (&json!("b-value"), &json!(2)));
    assert_eq!(client.ok(Method::GET, "/schemas/ids/1", None).await, json!({ "schema": USER_1 }));
    assert_eq!(client.ok(Method::GET, "/v1/metadata/deployment", None).await, json!({}));
}

#[tokio::test]
async fn settings_that_are_put_are_answered_and_a_null_mode_clears() {
    let client = Client::start().await;
    let put = json!({ "compatibility": "FULL" });
    assert_eq!(client.put_as_admin("/config", json!({ "normalize": true })).await, json!({ "normalize": true }));
    assert_eq!(client.put_as_admin("/config", put.clone()).await, put);
    let seen = client.ok(Method::GET, "/config", None).await;
    assert_eq!(seen, json!({ "compatibilityLevel": "FULL", "normalize": true }));
    client.put_as_admin("/mode/:.c:", json!({ "mode": "READONLY" })).await;
    for _ in 0..2 {
        assert_eq!(client.put_as_admin("/mode/:.c:", json!({ "mode": null })).await, json!({ "mode": null }));
        assert_eq!(client.code(Method::GET, "/mode/:.c:", None).await, 40_409);
    }
}

#[tokio::test]
async fn an_option_that_nothing_declares_is_registered_with_its_text() {
    let client = Client::start().await;
    let text = "syntax = \"proto3\";\nmessage T {\n  option (some_ref) = \"x\";\n  string a = 1;\n}\n";
    let body = |text: &str| Some(json!({ "schemaType": "PROTOBUF", "schema": text }));
    let first = client.ok(Method::POST, "/subjects/t-value/versions", body(text)).await;
    let stored = client.ok(Method::GET, "/subjects/t-value/versions/1", None).await;
    let stored = stored["schema"].as_str().unwrap().to_owned();
    assert!(stored.contains("option (some_ref) = \"x\";"), "{stored}");
    for again in [stored.as_str(), text] {
        assert_eq!(client.ok(Method::POST, "/subjects/t-value/versions", body(again)).await, first);
    }
    let undefined = text.replace("string a", "Missing a");
    assert_eq!(client.code(Method::POST, "/subjects/t-value/versions", body(&undefined)).await, 42_201);
}

#[tokio::test]
async fn a_pattern_of_names_that_changes_is_incompatible_both_ways() {
    let client = Client::start().await;
    let schema = |kind: &str| {
        let schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#", "type": "object",
            "patternProperties": { "^S_": { "type": kind } },
        });
        json!({ "schemaType": "JSON", "schema": schema.to_string() })
    };
    for (old, new) in [("string", "integer"), ("integer", "string")] {
        let subject = format!("{old}-value");
        client.ok(Method::POST, &format!("/subjects/{subject}/versions"), Some(schema(old))).await;
        let path = format!("/compatibility/subjects/{subject}/versions/latest?verbose=true");
        let answer = client.ok(Method::POST, &path, Some(schema(new))).await;
        assert_eq!(answer["is_compatible"], json!(false));
        assert!(answer["messages"].to_string().contains("patternProperties"), "{answer}");
        assert_eq!(client.code(Method::POST, &format!("/subjects/{subject}/versions"), Some(schema(new))).await, 409);
    }
}

/// Java and all clients take these; what reads values as other numbers is for the topic's contract to refuse.
#[tokio::test]
async fn another_decimal_or_unit_of_time_is_compatible_at_the_door() {
    let client = Client::start().await;
    let decimal = |scale: u8| json!({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": scale});
    let time = |unit: &str| json!({"type": "long", "logicalType": unit});
    for (subject, old, new) in
        [("a", decimal(1), decimal(2)), ("b", time("timestamp-millis"), time("timestamp-micros"))]
    {
        for schema in [old, new] {
            let body = json!({ "schema": schema.to_string() });
            client.ok(Method::POST, &format!("/subjects/{subject}/versions"), Some(body)).await;
        }
    }
}
