//! The schema registry door with unchanged clients: what Confluent's Python clients see of the built program.

use std::process::Command;

use serde_json::{Value, json};

use crate::house::{House, clients, repository};

#[test]
fn the_clients_of_the_confluent_registry_work_unchanged() {
    let Some(clients) = clients() else { return };
    let house = House::start("[registry]\nquarantine = \"nyc\"\nversions = 100\nsubjects = 1000\n").with_people();
    let mut command = Command::new(clients.join("bin/python"));
    command.arg(repository().join("tests/clients/registry.py")).arg(format!("{}/registry", house.address));
    // Ann owns the domain that keeps the schemas of no product.
    let output = command.env("CHARTER_TOKEN", house.token("ann")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();

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
