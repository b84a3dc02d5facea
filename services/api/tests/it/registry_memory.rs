//! What the registry's door remembers of its callers and its answers: after each change of what an answer rests on, the
//! very next one is right.

use std::time::Duration;

use app::registry::release_subject;
use app::token::CreateToken;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request};
use domain::identity::DomainRole;
use serde_json::{Value, json};

use crate::support::Api;

const SCHEMA: &str = r#"{"type":"record","name":"users","fields":[{"name":"id","type":"long"}]}"#;
const PRODUCT: &str = "apiVersion: v1.0.0\nkind: DataProduct\nid: users\nname: users\nstatus: active\noutputPorts:\n  - name: \
                       stream\n    version: 1.0.0\n    contractId: users\n";
const CONTRACT: &str = "apiVersion: v3.1.0\nkind: DataContract\nid: users\nversion: 1.0.0\nstatus: active\nservers:\n  - \
                        server: kafka\n    type: kafka\n    host: kafka.example:9092\nschema:\n  - name: users\n    \
                        logicalType: object\n    physicalType: topic\n    properties:\n      - name: id\n        \
                        logicalType: integer\n        required: true\n";

/// A registry with the schema 1 in the subject `users-value`, which no product owns yet, and a reader of it.
struct World {
    api: Api,
    token: String,
}

impl World {
    async fn start() -> Self {
        let api = Api::with_quarantine().await;
        api.test.domain("shop").await;
        api.test.principal("reader").await;
        let token = api.test.token("reader").await;
        let world = Self { api, token };
        world.register("users-value").await;
        // Asked twice, so that the second answer is the remembered one.
        assert_eq!((world.look().await, world.look().await), (200, 200));
        world
    }

    async fn call(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> u64 {
        let request = Request::builder()
            .method(method)
            .uri(format!("/registry{path}"))
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {token}"));
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let reply = self.api.send(request.body(body).unwrap()).await;
        reply.json()["error_code"].as_u64().unwrap_or_else(|| u64::from(reply.status.as_u16()))
    }

    /// The reader's look at schema 1: 200, or the error's code.
    async fn look(&self) -> u64 {
        self.call(&self.token, Method::GET, "/schemas/ids/1", None).await
    }

    async fn register(&self, subject: &str) {
        let token = self.api.test.token("owner-strays").await;
        let body = Some(json!({ "schema": SCHEMA }));
        assert_eq!(self.call(&token, Method::POST, &format!("/subjects/{subject}/versions"), body).await, 200);
    }

    /// Takes a subject out of use and then away, as its owner.
    async fn delete(&self, subject: &str, permanent: bool) {
        let token = self.api.test.token("owner-strays").await;
        let path = format!("/subjects/{subject}{}", if permanent { "?permanent=true" } else { "" });
        assert_eq!(self.call(&token, Method::DELETE, &path, None).await, 200);
    }

    /// Publishes the product whose topic the subject is for.
    async fn publish(&self, classification: &str) {
        // The first time, the domain that keeps the subject lets the product have it.
        let keeper = self.api.test.ctx("owner-strays").await;
        let _ = release_subject(&keeper, "users-value".parse().unwrap(), &"shop".parse().unwrap(), None).await;
        let product =
            format!("{PRODUCT}customProperties:\n  - property: classification\n    value: {classification}\n");
        self.api.test.publish(&self.api.test.ctx("owner-shop").await, "shop", &[&product, CONTRACT]).await;
    }
}

#[tokio::test]
async fn a_disabled_principal_is_refused() {
    let world = World::start().await;
    let test = &world.api.test;
    let reader = test.ctx("reader").await.id();
    test.admin.disables(reader).await.unwrap();
    assert_eq!(world.look().await, 401);
    test.admin.enables(reader).await.unwrap();
    assert_eq!(world.look().await, 401, "enabling brings no earlier token back");
    let token = test.token("reader").await;
    assert_eq!(world.call(&token, Method::GET, "/schemas/ids/1", None).await, 200);
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let world = World::start().await;
    let test = &world.api.test;
    let lifetime = Some(Duration::from_secs(600));
    let command = CreateToken { subject: Some("reader".to_owned()), lifetime, purpose: None };
    let made = app::token::create_token(&test.admin, command).await.unwrap();
    let look = async || world.call(made.token.expose(), Method::GET, "/schemas/ids/1", None).await;
    assert_eq!((look().await, look().await), (200, 200));
    test.clock.advance(Duration::from_secs(3_600));
    assert_eq!(look().await, 401);
}

#[tokio::test]
async fn subjects_bound_by_a_hidden_product_become_hidden() {
    let world = World::start().await;
    world.publish("confidential").await;
    assert_eq!(world.look().await, 40_403, "the subject was bound");
    world.publish("public").await;
    assert_eq!((world.look().await, world.look().await), (200, 200));
    world.publish("confidential").await;
    assert_eq!(world.look().await, 40_403, "the product was classified anew");
}

#[tokio::test]
async fn a_hidden_subject_accepts_and_reveals_nothing() {
    let world = World::start().await;
    world.publish("confidential").await;
    let breaking = SCHEMA.replace("\"id\"", "\"other\"");
    for schema in [SCHEMA, breaking.as_str(), "{"] {
        let answer = async |subject: &str| {
            let body = Some(json!({ "schema": schema }));
            world.call(&world.token, Method::POST, &format!("/subjects/{subject}/versions"), body).await
        };
        assert_eq!((answer("users-value").await, answer("missing-value").await), (403, 403), "{schema}");
    }
}

#[tokio::test]
async fn an_ended_role_reveals_nothing() {
    let world = World::start().await;
    let test = &world.api.test;
    world.publish("confidential").await;
    let reader = test.assign("reader", "shop", DomainRole::Publisher).await;
    assert_eq!((world.look().await, world.look().await), (200, 200));
    test.admin.unassigns(&reader, "shop").await.unwrap();
    assert_eq!(world.look().await, 40_403);
}

#[tokio::test]
async fn permanently_deleted_schemas_are_missing() {
    let world = World::start().await;
    world.delete("users-value", false).await;
    assert_eq!(world.look().await, 200, "messages need what is out of use");
    world.delete("users-value", true).await;
    assert_eq!(world.look().await, 40_403);
}

#[tokio::test]
async fn a_schema_is_missing_once_its_visible_subject_is_gone() {
    let world = World::start().await;
    world.publish("confidential").await;
    assert_eq!(world.look().await, 40_403);
    world.register("stray-value").await;
    assert_eq!((world.look().await, world.look().await), (200, 200), "a place was added that everybody sees");
    world.delete("stray-value", false).await;
    world.delete("stray-value", true).await;
    assert_eq!(world.look().await, 40_403, "the schema is still there, for the product's own people");
}

#[tokio::test]
async fn a_schema_is_not_found_in_another_context() {
    let world = World::start().await;
    for (subject, code) in [("other-value", 200), (":.staging:users-value", 40_403)] {
        let path = format!("/schemas/ids/1?subject={subject}");
        assert_eq!(world.call(&world.token, Method::GET, &path, None).await, code, "{subject}");
    }
}

#[tokio::test]
async fn a_request_that_began_before_its_topic_was_bound_is_judged_by_the_binding() {
    let world = World::start().await;
    let test = &world.api.test;
    let product = format!("{PRODUCT}customProperties:\n  - property: classification\n    value: confidential\n");
    let owner = test.ctx("owner-shop").await;
    // The product is there, and its contract without the topic: only the binding is new afterwards.
    test.publish(&owner, "shop", &[&product, &CONTRACT.replace("    physicalType: topic\n", "")]).await;
    let reader = test.ctx("reader").await;
    for _ in 0..2 {
        app::registry::find_schema(&reader, 1, None).await.unwrap();
    }
    let keeper = test.ctx("owner-strays").await;
    let to = "shop".parse().unwrap();
    release_subject(&keeper, "users-value".parse().unwrap(), &to, None).await.unwrap();
    test.publish(&owner, "shop", &[&product, CONTRACT]).await;
    let seen = app::registry::find_schema(&reader, 1, None).await;
    assert!(matches!(seen, Err(app::registry::Error::SchemaNotFound(_))), "{seen:?}");
}
