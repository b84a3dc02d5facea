//! Subjects that belong to a product: what a registered schema does to the contract of its topic, who may register, and
//! that the subjects of a hidden product are answered as those that there are not.

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request, StatusCode};
use domain::identity::DomainRole;
use serde_json::{Value, json};

use crate::support::Api;

pub(crate) const ORDER: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"},{"name":"note","type":["null","string"],"default":null}]}"#;
/// With one more optional field: a MINOR version.
pub(crate) const GROWN: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"},{"name":"note","type":["null","string"],"default":null},{"name":"city","type":["null","string"],"default":null}]}"#;
/// Without a field: new readers read old data (BACKWARD), and the contract's readers miss a column.
const SHRUNK: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}"#;

const KEY: &str = r#"{"type":"record","name":"OrderKey","fields":[{"name":"id","type":"long"}]}"#;

fn product(name: &str, classification: &str) -> String {
    json!({
        "apiVersion": "v1.0.0", "kind": "DataProduct", "id": name, "name": name, "status": "active",
        "customProperties": [{ "property": "classification", "value": classification }],
        "outputPorts": [{ "name": "stream", "version": "1.0.0", "contractId": name }],
    })
    .to_string()
}

/// A contract whose topic has a key and a value, with promises that no schema can say.
fn contract(name: &str, settings: &[(&str, &str)]) -> String {
    let settings: Vec<Value> =
        settings.iter().map(|(property, value)| json!({ "property": property, "value": value })).collect();
    json!({
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": name, "version": "1.0.0", "status": "active",
        "customProperties": settings,
        "servers": [{ "server": "bus", "type": "kafka", "host": "kafka.example:9092" }],
        "schema": [
            { "name": name, "physicalType": "topic", "physicalName": name, "properties": [
                { "id": "the-id", "name": "id", "logicalType": "integer", "required": true,
                  "classification": "internal" },
                { "id": "the-note", "name": "note", "logicalType": "string",
                  "quality": [{ "metric": "nullValues", "mustBeLessThan": 10, "unit": "rows" }] },
            ] },
            { "name": format!("{name}_key"), "physicalType": "topic", "physicalName": format!("{name}-key"),
              "properties": [{ "name": "id", "logicalType": "integer", "required": true }] },
        ],
    })
    .to_string()
}

/// The registry door over the domain `shop` with its owner, a `publisher`, a `consumer`, and a `stranger`.
pub(crate) struct Topics {
    pub(crate) api: Api,
}

/// What was answered: the status and the body as it was sent.
pub(crate) type Answered = (StatusCode, String);

impl Topics {
    pub(crate) async fn open(api: Api) -> Self {
        api.test.domain("shop").await;
        for (subject, role) in [("publisher", DomainRole::Publisher), ("consumer", DomainRole::Consumer)] {
            api.test.member(subject, &[("shop", role)]).await;
        }
        api.test.principal("stranger").await;
        Self { api }
    }

    pub(crate) async fn publish(&self, name: &str, classification: &str, settings: &[(&str, &str)]) {
        let owner = self.api.test.ctx("owner-shop").await;
        self.api.test.publish(&owner, "shop", &[&product(name, classification), &contract(name, settings)]).await;
    }

    pub(crate) async fn call(&self, subject: &str, method: Method, path: &str, body: Option<&Value>) -> Answered {
        let token = self.api.test.token(subject).await;
        let request = Request::builder()
            .method(method)
            .uri(format!("/registry{path}"))
            .header(CONTENT_TYPE, "application/vnd.schemaregistry.v1+json")
            .header(AUTHORIZATION, format!("Bearer {token}"));
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let reply = self.api.send(request.body(body).unwrap()).await;
        (reply.status, String::from_utf8(reply.bytes).unwrap())
    }

    /// Registers a schema as somebody; gives its id, or the error's code and message.
    async fn register(&self, caller: &str, subject: &str, body: Value) -> Result<u64, (u64, String)> {
        let (_, answer) = self.call(caller, Method::POST, &format!("/subjects/{subject}/versions"), Some(&body)).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        match answer["id"].as_u64() {
            Some(id) => Ok(id),
            None => Err((answer["error_code"].as_u64().unwrap(), answer["message"].as_str().unwrap().to_owned())),
        }
    }

    pub(crate) async fn registers(&self, subject: &str, schema: &str) -> u64 {
        self.register("owner-shop", subject, json!({ "schema": schema })).await.unwrap()
    }

    /// The versions of a product's contract, the newest first: number, state and document.
    async fn versions(&self, product: &str) -> Vec<(String, String, String)> {
        let query = "query($name: String!) { product(domain: \"shop\", name: $name) { contracts { versions {
            nodes { version state document { text } } } } } }";
        let data = self.api.data("owner-shop", query, json!({ "name": product })).await;
        let text = |version: &Value, pointer: &str| version.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        let versions = data.pointer("/product/contracts/0/versions/nodes").unwrap().as_array().unwrap();
        let read = |version| (text(version, "/version"), text(version, "/state"), text(version, "/document/text"));
        versions.iter().map(read).collect()
    }

    /// The numbers and states alone.
    async fn states(&self, product: &str) -> Vec<(String, String)> {
        self.versions(product).await.into_iter().map(|(version, state, _)| (version, state)).collect()
    }

    async fn activate_newest(&self, product: &str) {
        let query = "query($name: String!) { product(domain: \"shop\", name: $name) { contracts { versions {
            nodes { id } } } } }";
        let data = self.api.data("owner-shop", query, json!({ "name": product })).await;
        let id = data.pointer("/product/contracts/0/versions/nodes/0/id").unwrap();
        let activate = "mutation($id: ID!) { activateVersion(input: { version: $id }) { __typename } }";
        self.api.data("owner-shop", activate, json!({ "id": id })).await;
    }
}

fn is(version: &str, state: &str) -> (String, String) {
    (version.to_owned(), state.to_owned())
}

#[tokio::test]
async fn a_compatible_schema_is_the_contracts_next_version() {
    let door = Topics::open(Api::start().await).await;
    door.publish("orders", "internal", &[]).await;
    door.registers("orders-value", ORDER).await;
    door.registers("orders-key", KEY).await;
    let before = door.states("orders").await;
    let id = door.registers("orders-value", GROWN).await;

    let versions = door.versions("orders").await;
    assert_eq!((versions.len(), &*versions[0].1), (before.len() + 1, "ACTIVE"), "{versions:?}");
    assert!(versions[0].0.starts_with("1.1."), "a new optional field is a MINOR version: {versions:?}");
    let document = &versions[0].2;
    for kept in ["the-id", "the-note", "classification: internal", "nullValues", "mustBeLessThan", "orders-key"] {
        assert!(document.contains(kept), "`{kept}` is gone: {document}");
    }
    assert!(document.contains("name: city"), "{document}");
    assert_eq!(door.registers("orders-value", GROWN).await, id, "the same again is no change");
    assert_eq!(door.versions("orders").await, versions);
}

#[tokio::test]
async fn schemas_that_break_the_contracts_readers_are_refused_at_every_level() {
    let door = Topics::open(Api::start().await).await;
    door.publish("orders", "internal", &[]).await;
    door.registers("orders-value", ORDER).await;
    let before = door.versions("orders").await;
    let check = "/compatibility/subjects/orders-value/versions/latest";
    let (_, answer) = door.call("owner-shop", Method::POST, check, Some(&json!({ "schema": SHRUNK }))).await;
    assert_eq!(answer, r#"{"is_compatible":true}"#, "for Avro it is");
    let refused = door.register("owner-shop", "orders-value", json!({ "schema": SHRUNK })).await.unwrap_err();
    assert_eq!(refused.0, 409);
    assert!(refused.1.contains("column.removed") && refused.1.contains("note"), "{refused:?}");
    assert_eq!(door.versions("orders").await, before);
    let (_, versions) = door.call("owner-shop", Method::GET, "/subjects/orders-value/versions", None).await;
    assert_eq!(versions, "[1]");
}

#[tokio::test]
async fn a_version_that_needs_review_waits_as_a_draft() {
    let door = Topics::open(Api::start().await).await;
    door.publish("orders", "internal", &[("evolve", "review")]).await;
    let body = json!({ "schema": GROWN });
    let waits = door.register("owner-shop", "orders-value", body.clone()).await.unwrap_err();
    assert_eq!(waits.0, 42_205);
    assert!(waits.1.contains("`shop.orders`") && waits.1.contains("1.1.0"), "{waits:?}");
    assert_eq!(door.states("orders").await, [is("1.1.0", "DRAFT"), is("1.0.0", "ACTIVE")]);
    let (_, versions) = door.call("owner-shop", Method::GET, "/subjects/orders-value/versions", None).await;
    assert!(versions.contains("40401"), "nothing is registered yet: {versions}");

    door.activate_newest("orders").await;
    door.api.test.settle().await;
    assert_eq!(door.states("orders").await[0], is("1.1.0", "ACTIVE"));
    door.register("owner-shop", "orders-value", body).await.unwrap();
    assert_eq!(door.states("orders").await.len(), 2, "the version that was reviewed is the schema's");
}

#[tokio::test]
async fn the_contract_and_the_schema_are_written_together_or_not_at_all() {
    let door = Topics::open(Api::start().await).await;
    door.publish("orders", "internal", &[]).await;
    door.registers("orders-value", ORDER).await;
    let before = door.versions("orders").await;
    let mode = json!({ "mode": "IMPORT" });
    let (status, answer) = door.call("admin", Method::PUT, "/mode/orders-value?force=true", Some(&mode)).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    // The contract follows before it is seen that the id is taken.
    let taken = json!({ "schema": GROWN, "id": 1, "version": 2 });
    assert_eq!(door.register("owner-shop", "orders-value", taken).await.unwrap_err().0, 42_205);
    assert_eq!(door.versions("orders").await, before);
    let free = json!({ "schema": GROWN, "id": 70, "version": 2 });
    assert_eq!(door.register("owner-shop", "orders-value", free).await, Ok(70));
    assert_eq!(door.versions("orders").await.len(), before.len() + 1);
}

#[tokio::test]
async fn publishers_register_and_consumers_read() {
    let door = Topics::open(Api::start().await).await;
    door.publish("orders", "internal", &[]).await;
    let body = json!({ "schema": ORDER });
    for caller in ["consumer", "stranger"] {
        let refused = door.register(caller, "orders-value", body.clone()).await.unwrap_err();
        assert_eq!(refused.0, 403, "{caller}: {refused:?}");
    }
    let id = door.register("publisher", "orders-value", body.clone()).await.unwrap();
    let (status, _) = door.call("consumer", Method::GET, &format!("/schemas/ids/{id}"), None).await;
    assert_eq!(status, StatusCode::OK);
    for (method, path) in
        [(Method::DELETE, "/subjects/orders-value"), (Method::DELETE, "/subjects/orders-value/versions/1")]
    {
        assert_eq!(door.call("consumer", method, path, None).await.0, StatusCode::FORBIDDEN, "{path}");
    }
    for path in ["/config/orders-value", "/mode/orders-value"] {
        let body = json!({ "compatibility": "NONE", "mode": "READONLY" });
        assert_eq!(door.call("consumer", Method::PUT, path, Some(&body)).await.0, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(door.call("consumer", Method::DELETE, path, None).await.0.as_u16() / 100, 4, "{path}");
    }
}

#[tokio::test]
async fn a_subject_belongs_to_one_contract() {
    let door = Topics::open(Api::start().await).await;
    door.publish("orders", "internal", &[]).await;
    let owner = door.api.test.ctx("owner-shop").await;
    let other = contract("orders", &[]).replacen(r#""id":"orders""#, r#""id":"other""#, 1);
    let documents = [&*product("other", "internal"), &*other];
    let outcome = owner.publishes("shop", &documents).await.unwrap();
    let app::publish::Outcome::Invalid(problems) = outcome else { panic!("{outcome:?}") };
    assert!(problems.iter().any(|problem| problem.message.contains("orders-value")), "{problems:?}");
}

#[tokio::test]
async fn contracts_follow_json_and_protobuf_schemas_too() {
    let door = Topics::open(Api::start().await).await;
    let json_schema = |more: &str| {
        let properties = format!(r#""id":{{"type":"integer"}},"note":{{"type":"string"}}{more}"#);
        let text = format!(
            r#"{{"type":"object","properties":{{{properties}}},"required":["id"],"additionalProperties":false}}"#
        );
        json!({ "schema": text, "schemaType": "JSON" })
    };
    let protobuf = |more: &str| {
        let text =
            format!("syntax = \"proto2\"; message Order {{ required int64 id = 1; optional string note = 2; {more} }}");
        json!({ "schema": text, "schemaType": "PROTOBUF" })
    };
    let cases = [
        ("events", json_schema(""), json_schema(r#","city":{"type":"string"}"#)),
        ("parcels", protobuf(""), protobuf("optional string city = 3;")),
    ];
    for (name, first, grown) in cases {
        door.publish(name, "internal", &[]).await;
        let subject = format!("{name}-value");
        door.register("owner-shop", &subject, first).await.unwrap();
        let before = door.versions(name).await.len();
        door.register("owner-shop", &subject, grown).await.unwrap();
        let versions = door.versions(name).await;
        assert_eq!((versions.len(), &*versions[0].1), (before + 1, "ACTIVE"), "{name}: {versions:?}");
        assert!(versions[0].2.contains("name: city") && versions[0].2.contains("the-note"), "{name}: {versions:?}");
    }
}

#[tokio::test]
async fn a_contract_follows_the_references_of_its_schema() {
    let refer = |name: &str, of: &str, version: u32| json!([{ "name": name, "subject": of, "version": version }]);
    let avro = |fields: &str| format!(r#"{{"type":"record","name":"Address","fields":[{fields}]}}"#);
    let avro = [
        json!({ "schema": avro(r#"{"name":"city","type":["null","string"],"default":null}"#) }),
        json!({ "schema": avro("") }),
    ];
    let json = |properties: &str| json!({ "schema": format!(r#"{{"type":"object","properties":{{{properties}}}}}"#), "schemaType": "JSON" });
    let json = [json(r#""city":{"type":"string"}"#), json("")];
    let proto = |fields: &str| json!({ "schema": format!("syntax = \"proto2\"; message Address {{ {fields} }}"), "schemaType": "PROTOBUF" });
    let proto = [proto("optional string city = 1;"), proto("")];
    let field = r#",{"name":"address","type":["null","Address"],"default":null}]}"#;
    let cases = [
        ("orders", "Address", avro, json!({ "schema": format!("{}{field}", ORDER.strip_suffix("]}").unwrap()) })),
        (
            "events",
            "address.json",
            json,
            json!({ "schemaType": "JSON", "schema": r#"{"type":"object","properties":{"id":{"type":"integer"},"note":{"type":"string"},"address":{"$ref":"address.json"}},"required":["id"],"additionalProperties":false}"# }),
        ),
        (
            "parcels",
            "address.proto",
            proto,
            json!({ "schemaType": "PROTOBUF", "schema": "syntax = \"proto2\"; import \"address.proto\"; message Order { required int64 id = 1; optional string note = 2; optional Address address = 3; }" }),
        ),
    ];
    for review in [false, true] {
        let door = Topics::open(Api::with_quarantine().await).await;
        for (name, reference, [address, smaller], order) in &cases {
            let (part, subject) = (format!("{name}-address"), format!("{name}-value"));
            for path in [&part, &subject] {
                let caller = if *path == part { "owner-strays" } else { "owner-shop" };
                if *path == subject {
                    door.publish(name, "internal", if review { &[("evolve", "review")] } else { &[] }).await;
                }
                let level = json!({ "compatibility": "NONE" });
                let (status, _) = door.call(caller, Method::PUT, &format!("/config/{path}"), Some(&level)).await;
                assert_eq!(status, StatusCode::OK);
            }
            for schema in [address, smaller] {
                door.register("owner-strays", &part, schema.clone()).await.unwrap();
            }
            let with = |version| {
                let mut order = order.clone();
                order["references"] = refer(reference, &part, version);
                order
            };
            let registered = door.register("owner-shop", &subject, with(1)).await;
            let newest = door.versions(name).await.swap_remove(0);
            let document = &newest.2;
            assert!(newest.0.starts_with("1.1."), "{name}: {newest:?} {registered:?}");
            assert!(document.contains("name: address") && document.contains("name: city"), "{name}: {document}");
            if review {
                assert_eq!((registered.unwrap_err().0, &*newest.1), (42_205, "DRAFT"), "{name}");
                door.activate_newest(name).await;
                door.api.test.settle().await;
                door.register("owner-shop", &subject, with(1)).await.unwrap();
            } else {
                assert_eq!((registered.is_ok(), &*newest.1), (true, "ACTIVE"), "{name}: {registered:?}");
            }
            // A member that goes is one that readers miss, though the schema itself stays as it is.
            let refused = door.register("owner-shop", &subject, with(2)).await.unwrap_err();
            assert!(refused.0 == 409 && refused.1.contains("city"), "{name}: {refused:?}");
        }
    }
}

#[tokio::test]
async fn contracts_follow_a_descriptor_like_its_text() {
    let door = Topics::open(Api::start().await).await;
    door.publish("parcels", "internal", &[]).await;
    let text = |more: &str| {
        format!("syntax = \"proto2\"; message Order {{ required int64 id = 1; optional string note = 2; {more} }}")
    };
    let body = |schema: String| json!({ "schema": schema, "schemaType": "PROTOBUF" });
    door.register("owner-shop", "parcels-value", body(text(""))).await.unwrap();
    let id = door.register("owner-shop", "parcels-value", body(text("optional string city = 3;"))).await.unwrap();
    let (_, answer) = door.call("owner-shop", Method::GET, &format!("/schemas/ids/{id}?format=serialized"), None).await;
    let descriptor = serde_json::from_str::<Value>(&answer).unwrap()["schema"].as_str().unwrap().to_owned();
    door.publish("crates", "internal", &[]).await;
    door.register("owner-shop", "crates-value", body(descriptor)).await.unwrap();
    let newest = door.versions("crates").await.swap_remove(0);
    assert!(newest.1 == "ACTIVE" && newest.2.contains("name: city"), "{newest:?}");
}

/// Every request of the door about `vault`, which may be hidden.
pub(crate) fn requests() -> Vec<(Method, String, Option<Value>)> {
    let mut requests = Vec::new();
    let mut get = |path: String| requests.push((Method::GET, path, None));
    for query in ["", "?deleted=true", "?subjectPrefix=:*:", "?subjectPrefix=vault", "?deletedOnly=true"] {
        get(format!("/subjects{query}"));
        get(format!("/schemas{query}"));
    }
    get("/schemas?latestOnly=true".to_owned());
    get("/contexts".to_owned());
    get("/subjects/orders-value/versions/1/referencedby".to_owned());
    for id in 1..=5 {
        for rest in ["", "/schema", "/subjects", "/versions", "?subject=vault-value", "?fetchMaxId=true"] {
            get(format!("/schemas/ids/{id}{rest}"));
        }
    }
    for subject in ["vault-value", "vault-key"] {
        for rest in ["", "?deleted=true", "/1", "/latest", "/9", "/1/schema", "/latest/schema", "/1/referencedby"] {
            get(format!("/subjects/{subject}/versions{rest}"));
        }
        for query in ["", "?defaultToGlobal=true"] {
            get(format!("/config/{subject}{query}"));
            get(format!("/mode/{subject}{query}"));
        }
        get(format!("/subjects/{subject}/metadata?key=a&value=b"));
        get(format!("/subjects/{subject}/versions/1/referencedby?deleted=true"));
        get(format!("/contexts/:.:/subjects/{subject}/versions/1"));
        get(format!("/contexts/:.:/config/{subject}"));
    }
    for subject in ["vault-value", "vault-key"] {
        for rest in ["", "?permanent=true", "/versions/1", "/versions/latest", "/versions/1?permanent=true"] {
            requests.push((Method::DELETE, format!("/subjects/{subject}{rest}"), None));
        }
        for path in ["/config/", "/mode/"] {
            let body = json!({ "compatibility": "NONE", "mode": "READONLY" });
            requests.push((Method::PUT, format!("{path}{subject}"), Some(body)));
            requests.push((Method::DELETE, format!("{path}{subject}"), None));
        }
        let incompatible = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"string"}]}"#;
        for schema in [ORDER, GROWN, SHRUNK, incompatible, "{"] {
            for path in ["", "?deleted=true", "/versions", "/versions?normalize=true"] {
                requests.push((Method::POST, format!("/subjects/{subject}{path}"), Some(json!({ "schema": schema }))));
            }
            for path in ["/latest?verbose=true", "/1", "?verbose=true"] {
                let path = format!("/compatibility/subjects/{subject}/versions{path}");
                requests.push((Method::POST, path, Some(json!({ "schema": schema }))));
            }
        }
        let imported = json!({ "schema": ORDER, "id": 2, "version": 1 });
        requests.push((Method::POST, format!("/subjects/{subject}/versions"), Some(imported)));
        // A schema that refers to it.
        let team = r#"{"type":"record","name":"Team","fields":[{"name":"first","type":"Order"}]}"#;
        for version in [1, 2, 9, -1] {
            let references = json!([{ "name": "Order", "subject": subject, "version": version }]);
            for path in ["/subjects/orders-value/versions", "/compatibility/subjects/orders-value/versions"] {
                let body = json!({ "schema": team, "references": references });
                requests.push((Method::POST, path.to_owned(), Some(body)));
            }
        }
        for query in ["", "?force=true"] {
            let body = json!({ "mode": "IMPORT" });
            requests.push((Method::PUT, format!("/mode/{subject}{query}"), Some(body)));
        }
    }
    requests
}

/// A door with the product `orders`, and, where `with_hidden`, the confidential product `vault`, whose schema refers to
/// one of `orders` and whose settings are its own.
pub(crate) async fn door_with(api: Api, with_hidden: bool) -> Topics {
    let door = Topics::open(api).await;
    door.publish("orders", "internal", &[]).await;
    door.registers("orders-value", ORDER).await;
    if with_hidden {
        door.publish("vault", "confidential", &[]).await;
        let keyed = r#"{"type":"record","name":"VaultKey","fields":[{"name":"id","type":"long"}]}"#;
        let references = json!([{ "name": "Order", "subject": "orders-value", "version": 1 }]);
        door.registers("vault-value", &ORDER.replace("Order", "Vault")).await;
        let body = json!({ "schema": keyed, "references": references });
        door.register("owner-shop", "vault-key", body).await.unwrap();
        door.registers("vault-value", &GROWN.replace("Order", "Vault")).await;
        let (status, _) = door
            .call("owner-shop", Method::PUT, "/config/vault-value", Some(&json!({ "compatibility": "FULL" })))
            .await;
        assert_eq!(status, StatusCode::OK);
    }
    door
}

#[tokio::test]
async fn subjects_of_a_hidden_product_are_answered_like_missing_ones() {
    for quarantine in [false, true] {
        let api = async || if quarantine { Api::with_quarantine().await } else { Api::start().await };
        let (with, without) = (door_with(api().await, true).await, door_with(api().await, false).await);
        let requests = requests();
        assert!(requests.len() > 150, "{}", requests.len());
        for (method, path, body) in &requests {
            let one = with.call("stranger", method.clone(), path, body.as_ref()).await;
            let other = without.call("stranger", method.clone(), path, body.as_ref()).await;
            assert_eq!(one, other, "{method} {path} {body:?}, quarantine: {quarantine}");
            let (_, answer) = &one;
            assert!(!answer.contains("\"vault-"), "{method} {path}: {answer}");
        }
        // The doors do differ: for the owner.
        let (_, subjects) = with.call("owner-shop", Method::GET, "/subjects", None).await;
        assert_eq!(subjects, r#"["orders-value","vault-key","vault-value"]"#);
    }
}
