//! The schema registry endpoint of the built program, used by Confluent's unmodified clients for Python and the JVM.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test helpers may panic")]

use std::process::Command;

use serde_json::{Value, json};
use testkit::clients::clients;

use crate::test_server::{TestServer, jvm_client, repository};

#[test]
fn the_clients_of_the_confluent_registry_work_unchanged() {
    let Some(clients) = clients() else { return };
    let server = TestServer::start("[registry]\nquarantine = \"nyc\"\nversions = 100\nsubjects = 1000\n").with_people();
    let mut command = Command::new(clients.join("bin/python"));
    command.arg(repository().join("tests/clients/registry.py"));
    let seen = seen_by(command, &server);

    let expected = json!({
        "types": ["AVRO", "JSON", "PROTOBUF"], "again": true, "compatible": true, "incompatible": false,
        "incompatible_with_all": false, "refused": [409, 409], "newer": true, "versions": [1, 2],
        "latest": [2, true, true], "version_1": true, "lookup": 1, "normalized": true, "by_id": true,
        "subjects_of_id": ["events-value"], "versions_of_id": [["events-value", 1]], "invalid": [422, 42_201],
        "no_subject": [404, 40_401], "no_version": [404, 40_402], "no_schema": [404, 40_403], "no_id": [404, 40_403],
    });
    assert_eq!(seen["registrations"], expected);
    let expected = json!({
        "kept": [["shop.User", "user-value", 1]], "referenced_by": true, "in_use": [422, 42_206],
        "missing": [422, 42_201],
    });
    assert_eq!(seen["references"], expected);
    let expected = json!({
        "global": "BACKWARD", "none": [404, 40_408], "set": "FULL", "level": "FULL", "config": "NONE", "let_in": true,
        "read_only": ["READONLY", [422, 42_205]], "global_mode": "READWRITE", "contexts": ["."],
    });
    assert_eq!(seen["settings"], expected);
    let expected = json!({
        "too_early": [404, 40_407], "version": 3, "left": [1, 2], "subject": [1, 2], "twice": [404, 40_404],
        "listed": false, "listed_deleted": true, "permanently": [1, 2, 3], "gone": [404, 40_401],
    });
    assert_eq!(seen["deletions"], expected);

    let messages = &seen["messages"];
    assert_eq!(messages["avro"]["back"], json!({ "id": 7, "note": "seven" }));
    assert_eq!(messages["avro"]["older"], json!({ "id": 7 }));
    assert_eq!(messages["json"]["back"], json!({ "name": "Ada", "age": 36 }));
    let protobuf = &messages["protobuf"];
    assert_eq!((&protobuf["number"], &protobuf["street"]), (&json!(12), &json!("Main Street")));
    assert_eq!(protobuf["references"], json!([["shop/address.proto", "shop/address.proto", 1]]));
    assert_eq!((&seen["bearer"], &seen["no_token"]), (&json!(true), &json!([401, 401])));
    assert_eq!(seen["wrong_token"], json!([401, 401]));
}

#[test]
fn the_client_and_the_serializers_of_the_jvm_work_unchanged() {
    let Some(client) = jvm_client() else { return };
    let server = TestServer::start("[registry]\nquarantine = \"nyc\"\n").with_people();
    let ann = server.user("ann");
    ann.applies(&["tests/clients/orders.product.yaml", "tests/clients/orders.contract.yaml"]).ok();
    let mut command = Command::new("java");
    command.arg("-cp").arg(client).arg(repository().join("tests/clients/Registry.java"));
    let seen = seen_by(command, &server);

    let expected = json!({
        "types": ["AVRO", "JSON", "PROTOBUF"], "again": true, "compatible": true, "compatible_verbose": [],
        "incompatible": false, "told": ["TYPE_MISMATCH"], "refused": [409, 409], "newer": true, "versions": [1, 2],
        "latest": [2, true, "AVRO", true], "version_1": true, "by_version": true, "id": true, "version": 2,
        "normalized": true, "by_id": true, "by_subject_and_id": true, "only_the_schema": true,
        "subjects_of_id": ["jvm-events-value"], "versions_of_id": [["jvm-events-value", 1]], "schemas": true,
        "by_prefix": ["jvm-events-value"], "listed": true, "invalid": [422, 42_201], "no_subject": [404, 40_401],
        "no_version": [404, 40_402], "odd_version": [422, 42_202], "no_schema": [404, 40_403], "no_id": [404, 40_403],
        "server": true,
    });
    assert_eq!(seen["registrations"], expected);
    let expected = json!({
        "kept": [["shop.User", "jvm-user-value", 1]], "id": true, "referenced_by": true, "in_use": [422, 42_206],
        "missing": [422, 42_201], "message": [true, r#"{"lead": {"name": "Ada"}}"#], "whole": [true, true, true, 1],
    });
    assert_eq!(seen["references"], expected);
    let expected = json!({
        "global": "BACKWARD", "none": [404, 40_408], "set": "FULL", "level": "FULL", "odd_level": [422, 42_203],
        "config": "NONE", "let_in": true, "no_mode": [404, 40_409], "set_mode": "READONLY", "odd_mode": [422, 42_204],
        "read_only": ["READONLY", [422, 42_205]], "global_mode": "READWRITE", "contexts": ["."],
    });
    assert_eq!(seen["settings"], expected);
    let expected = json!({
        "too_early": [404, 40_407], "version": 3, "version_twice": [404, 40_406], "left": [1, 2],
        "left_deleted": [1, 2, 3], "subject_too_early": [404, 40_405], "subject": [1, 2], "twice": [404, 40_404],
        "listed": false, "listed_deleted": true, "permanently": [1, 2, 3], "gone": [404, 40_401],
    });
    assert_eq!(seen["deletions"], expected);
    let expected = json!({
        "key": [true, true], "value": [true, r#"{"id": 7, "note": "seven"}"#], "older": r#"{"id": 7}"#,
        "unchanged": true, "normalized": true, "incompatible": [409, 409], "unregistered": [404, 40_401],
        "against_the_contract": [409, 409],
    });
    assert_eq!(seen["messages"], expected);
    let expected = json!({ "bearer": true, "url": true, "no_token": [401, 401], "wrong_token": [401, 401] });
    assert_eq!(seen["sign_in"], expected);

    // The second schema of the topic added an optional field to the contract.
    let query = "{ product(domain: \"nyc\", name: \"orders\") { contracts { versions { nodes { version state } } } } }";
    let answer = server.graphql("ann", &json!({ "query": query }));
    let newest = &answer["data"]["product"]["contracts"][0]["versions"]["nodes"][0];
    assert_eq!(newest, &json!({ "version": "1.1.0", "state": "ACTIVE" }), "{answer}");

    // The log contains the requested paths, but no names from the client.
    let log = server.log();
    assert!(log.contains(r#"operation="/subjects/{subject}/versions/{version}" status=404"#), "{log}");
    assert!(!log.contains("jvm-"), "{log}");
}

/// Runs a client as ann, the owner of the quarantine domain; returns its observations.
#[track_caller]
fn seen_by(mut client: Command, server: &TestServer) -> Value {
    client.arg(format!("{}/registry", server.address)).env("CHARTER_TOKEN", server.token("ann"));
    let output = client.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {stderr}"))
}
