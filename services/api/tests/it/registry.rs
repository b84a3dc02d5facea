//! The schema registry door, as clients of the Confluent Schema Registry use it: statuses, error codes, bodies.

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request, StatusCode};
use base64::Engine;
use serde_json::{Value, json};

use crate::support::{Api, Reply};

pub(crate) const USER_1: &str = r#"{"type":"record","name":"User","fields":[{"name":"id","type":"long"}]}"#;
pub(crate) const USER_2: &str = r#"{"type":"record","name":"User","fields":[{"name":"id","type":"long"},{"name":"name","type":["null","string"],"default":null}]}"#;
pub(crate) const USER_BROKEN: &str = r#"{"type":"record","name":"User","fields":[{"name":"id","type":"string"}]}"#;

/// A client of the registry.
pub(crate) struct Client {
    pub(crate) api: Api,
    pub(crate) token: String,
}

impl Client {
    pub(crate) async fn start() -> Self {
        Self::of(Api::with_quarantine().await).await
    }

    /// Of a registry that keeps the schemas of no product in `strays`.
    pub(crate) async fn of(api: Api) -> Self {
        let token = api.test.token("owner-strays").await;
        Self { api, token }
    }

    pub(crate) async fn call_as(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri(format!("/registry{path}"))
            .header(CONTENT_TYPE, "application/vnd.schemaregistry.v1+json")
            .header(AUTHORIZATION, format!("Bearer {token}"));
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.api.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        self.call_as(&self.token, method, path, body).await
    }

    /// What must be answered with 200.
    pub(crate) async fn ok(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let reply = self.call(method, path, body).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", String::from_utf8_lossy(&reply.bytes));
        assert_eq!(reply.headers[CONTENT_TYPE], "application/vnd.schemaregistry.v1+json");
        reply.json()
    }

    /// What must be refused: its error code, whose beginning is the status.
    pub(crate) async fn code(&self, method: Method, path: &str, body: Option<Value>) -> u64 {
        refused(&self.call(method, path, body).await)
    }

    pub(crate) async fn register(&self, subject: &str, schema: &str) -> Value {
        self.ok(Method::POST, &format!("/subjects/{subject}/versions"), Some(json!({ "schema": schema }))).await
    }

    /// Whoever configures the registry.
    pub(crate) async fn admin(&self) -> String {
        self.api.test.token("admin").await
    }

    /// Sets a mode, as whoever configures the registry.
    pub(crate) async fn mode(&self, path: &str, mode: &str) -> Reply {
        self.call_as(&self.admin().await, Method::PUT, path, Some(json!({ "mode": mode }))).await
    }
}

pub(crate) fn refused(reply: &Reply) -> u64 {
    let body = reply.json();
    let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["error_code", "message"], "an error has no other fields: {body}");
    let code = body["error_code"].as_u64().unwrap();
    let status = if code >= 10_000 { code / 100 } else { code };
    assert_eq!(u64::from(reply.status.as_u16()), status, "{body}");
    code
}

#[tokio::test]
async fn a_schema_is_registered_found_and_deleted() {
    let client = Client::start().await;
    assert_eq!(client.register("users-value", USER_1).await, json!({ "id": 1 }));
    assert_eq!(client.register("users-value", USER_1).await, json!({ "id": 1 }), "the same schema has the same id");
    let spaced = USER_1.replace(':', " : ");
    assert_eq!(client.register("users-value", &spaced).await, json!({ "id": 1 }), "spaces do not matter");
    assert_eq!(client.register("users-value", USER_2).await, json!({ "id": 2 }));
    assert_eq!(client.register("other-value", USER_2).await, json!({ "id": 2 }), "an id is the schema's");

    assert_eq!(client.ok(Method::GET, "/subjects", None).await, json!(["other-value", "users-value"]));
    assert_eq!(client.ok(Method::GET, "/subjects/users-value/versions", None).await, json!([1, 2]));
    assert_eq!(client.ok(Method::GET, "/schemas/ids/1", None).await, json!({ "schema": USER_1 }));
    assert_eq!(client.ok(Method::GET, "/schemas/ids/1/schema", None).await.to_string(), USER_1);
    let first = json!({ "subject": "users-value", "version": 1, "id": 1, "schema": USER_1 });
    assert_eq!(client.ok(Method::GET, "/subjects/users-value/versions/1", None).await, first);
    assert_eq!(client.ok(Method::POST, "/subjects/users-value", Some(json!({ "schema": USER_1 }))).await, first);
    for latest in ["latest", "-1", "2"] {
        let found = client.ok(Method::GET, &format!("/subjects/users-value/versions/{latest}"), None).await;
        assert_eq!((&found["version"], &found["id"]), (&json!(2), &json!(2)), "{latest}");
    }
    assert_eq!(client.ok(Method::GET, "/schemas/ids/2/subjects", None).await, json!(["other-value", "users-value"]));
    assert_eq!(
        client.ok(Method::GET, "/schemas/ids/2/versions?offset=0&limit=-1", None).await,
        json!([{ "subject": "other-value", "version": 1 }, { "subject": "users-value", "version": 2 }])
    );

    assert_eq!(client.code(Method::DELETE, "/subjects/users-value/versions/1?permanent=true", None).await, 40_407);
    assert_eq!(client.ok(Method::DELETE, "/subjects/users-value/versions/1", None).await, json!(1));
    assert_eq!(client.code(Method::DELETE, "/subjects/users-value/versions/1", None).await, 40_406);
    assert_eq!(client.ok(Method::GET, "/subjects/users-value/versions", None).await, json!([2]));
    assert_eq!(client.ok(Method::GET, "/subjects/users-value/versions?deleted=true", None).await, json!([1, 2]));
    assert_eq!(client.ok(Method::GET, "/schemas/ids/1", None).await, json!({ "schema": USER_1 }), "messages need it");
    assert_eq!(client.code(Method::DELETE, "/subjects/users-value?permanent=true", None).await, 40_405);
    assert_eq!(client.ok(Method::DELETE, "/subjects/users-value", None).await, json!([2]));
    assert_eq!(client.code(Method::DELETE, "/subjects/users-value", None).await, 40_404);
    assert_eq!(client.ok(Method::GET, "/subjects", None).await, json!(["other-value"]));
    assert_eq!(client.ok(Method::GET, "/subjects?deleted=True", None).await, json!(["other-value", "users-value"]));
    assert_eq!(client.ok(Method::DELETE, "/subjects/users-value?permanent=true", None).await, json!([1, 2]));
    assert_eq!(client.code(Method::GET, "/schemas/ids/1", None).await, 40_403);
    assert_eq!(client.register("users-value", USER_1).await, json!({ "id": 3 }), "an id is never given twice");
}

#[tokio::test]
async fn missing_objects_have_their_own_codes() {
    let client = Client::start().await;
    client.register("users-value", USER_1).await;
    let lookup = Some(json!({ "schema": USER_2 }));
    for (method, path, body, code) in [
        (Method::GET, "/subjects/none/versions", None, 40_401),
        (Method::GET, "/subjects/none/versions/latest", None, 40_401),
        (Method::GET, "/subjects/users-value/versions/9", None, 40_402),
        (Method::GET, "/subjects/users-value/versions/0", None, 42_202),
        (Method::GET, "/subjects/users-value/versions/x", None, 42_202),
        (Method::GET, "/schemas/ids/99", None, 40_403),
        (Method::GET, "/schemas/ids/-1", None, 40_403),
        (Method::GET, "/schemas/ids/x", None, 404),
        (Method::POST, "/subjects/none", lookup.clone(), 40_401),
        (Method::POST, "/subjects/users-value", lookup, 40_403),
        (Method::DELETE, "/subjects/none", None, 40_401),
        (Method::DELETE, "/subjects/users-value/versions/9", None, 40_402),
        (Method::GET, "/config/users-value", None, 40_408),
        (Method::DELETE, "/config/users-value", None, 40_401),
        (Method::DELETE, "/mode/users-value", None, 40_401),
        (Method::GET, "/mode/users-value", None, 40_409),
        (Method::GET, "/associations/resources/-/users?resourceType=topic", None, 40_410),
        (Method::GET, "/nothing", None, 404),
        (Method::PATCH, "/subjects", None, 405),
        (Method::POST, "/subjects/users-value/versions", Some(json!({ "schema": "{" })), 42_201),
        (Method::POST, "/subjects/users-value/versions", Some(json!({ "schema": "" })), 42_201),
        (Method::POST, "/subjects/users-value/versions", Some(json!({})), 42_201),
        (
            Method::POST,
            "/subjects/users-value/versions",
            Some(json!({ "schema": USER_2, "schemaType": "XML" })),
            42_201,
        ),
        (Method::POST, "/subjects/users-value/versions", Some(json!([])), 400),
        (Method::PUT, "/config", Some(json!({ "compatibility": "SOMETIMES" })), 42_203),
        (Method::PUT, "/mode", Some(json!({ "mode": "SOMETIMES" })), 42_204),
        (Method::GET, "/subjects/%00/versions", None, 42_208),
    ] {
        assert_eq!(client.code(method.clone(), path, body).await, code, "{method} {path}");
    }
}

#[tokio::test]
async fn a_schema_that_breaks_readers_is_refused_by_the_level() {
    let client = Client::start().await;
    client.register("users-value", USER_1).await;
    let broken = Some(json!({ "schema": USER_BROKEN, "unknownField": { "is": "ignored" } }));
    let good = Some(json!({ "schema": USER_2 }));
    let check = "/compatibility/subjects/users-value/versions/latest?normalize=False&verbose=False";
    assert_eq!(client.ok(Method::POST, check, good.clone()).await, json!({ "is_compatible": true }));
    assert_eq!(client.ok(Method::POST, check, broken.clone()).await, json!({ "is_compatible": false }));
    let verbose =
        client.ok(Method::POST, "/compatibility/subjects/users-value/versions?verbose=true", broken.clone()).await;
    let messages = verbose["messages"].to_string();
    assert!(messages.contains("TYPE_MISMATCH") && messages.contains("oldSchemaVersion: 1"), "{messages}");
    assert_eq!(client.code(Method::POST, "/subjects/users-value/versions", broken.clone()).await, 409);
    assert_eq!(client.ok(Method::GET, "/subjects/users-value/versions", None).await, json!([1]));
    let nothing_yet = "/compatibility/subjects/new-value/versions/latest";
    assert_eq!(client.ok(Method::POST, nothing_yet, good).await, json!({ "is_compatible": true }));

    let admin = client.admin().await;
    let level = Some(json!({ "compatibility": "NONE" }));
    assert_eq!(client.code(Method::PUT, "/config", level.clone()).await, 403, "an owner of one domain");
    let reply = client.call_as(&admin, Method::PUT, "/config", level.clone()).await;
    assert_eq!((reply.status, reply.json()), (StatusCode::OK, json!({ "compatibility": "NONE" })));
    assert_eq!(client.ok(Method::GET, "/config", None).await, json!({ "compatibilityLevel": "NONE" }));
    client.register("users-value", USER_BROKEN).await;
    let own = Some(json!({ "compatibility": "FULL_TRANSITIVE" }));
    assert_eq!(client.ok(Method::PUT, "/config/users-value", own).await, json!({ "compatibility": "FULL_TRANSITIVE" }));
    assert_eq!(
        client.ok(Method::GET, "/config/users-value", None).await,
        json!({ "compatibilityLevel": "FULL_TRANSITIVE" })
    );
    assert_eq!(
        client.ok(Method::GET, "/config/other-value?defaultToGlobal=true", None).await,
        json!({ "compatibilityLevel": "NONE" })
    );
    assert_eq!(
        client.ok(Method::DELETE, "/config/users-value", None).await,
        json!({ "compatibilityLevel": "FULL_TRANSITIVE" })
    );
}

#[tokio::test]
async fn modes_forbid_changes_and_admit_ids() {
    let client = Client::start().await;
    assert_eq!(client.ok(Method::GET, "/mode", None).await, json!({ "mode": "READWRITE" }));
    let mode = |mode: &str| Some(json!({ "mode": mode }));
    assert_eq!(client.ok(Method::PUT, "/mode/users-value", mode("READONLY")).await, json!({ "mode": "READONLY" }));
    let body = Some(json!({ "schema": USER_1 }));
    assert_eq!(client.code(Method::POST, "/subjects/users-value/versions", body.clone()).await, 42_205);
    let with_id = Some(json!({ "schema": USER_1, "id": 77, "version": 5 }));
    client.ok(Method::DELETE, "/mode/users-value", None).await;
    assert_eq!(client.code(Method::POST, "/subjects/users-value/versions", with_id.clone()).await, 42_205);
    assert_eq!(client.code(Method::PUT, "/mode/users-value", mode("IMPORT")).await, 403, "ids are the registry's");
    assert_eq!(client.mode("/mode/users-value", "IMPORT").await.status, StatusCode::OK);
    assert_eq!(client.ok(Method::POST, "/subjects/users-value/versions", with_id).await, json!({ "id": 77 }));
    assert_eq!(client.ok(Method::GET, "/subjects/users-value/versions", None).await, json!([5]));
    let refused = [
        (json!({ "schema": USER_2, "id": 77 }), 42_205),
        (json!({ "schema": USER_2, "id": 78, "version": 5 }), 42_205),
        (json!({ "schema": USER_2 }), 42_205),
        (json!({ "schema": USER_1, "id": 78 }), 42_207),
        (json!({ "schema": USER_2, "id": 2_147_483_648_u64 }), 42_202),
    ];
    for (body, code) in refused {
        assert_eq!(
            client.code(Method::POST, "/subjects/users-value/versions", Some(body.clone())).await,
            code,
            "{body}"
        );
    }
    client.ok(Method::PUT, "/mode/users-value", mode("READWRITE")).await;
    assert_eq!(client.register("users-value", USER_2).await, json!({ "id": 78 }), "beyond what came along");
    assert_eq!(client.mode("/mode/users-value", "IMPORT").await.json()["error_code"], 42_205, "it has schemas");
    assert_eq!(client.mode("/mode/users-value?force=true", "IMPORT").await.status, StatusCode::OK);
}

#[tokio::test]
async fn referenced_schemas_cannot_be_deleted() {
    let client = Client::start().await;
    client.register("user-value", USER_1).await;
    let team = r#"{"type":"record","name":"Team","fields":[{"name":"lead","type":"User"}]}"#;
    let body = json!({
        "schema": team,
        "references": [{ "name": "User", "subject": "user-value", "version": 1 }],
    });
    assert_eq!(
        client.code(Method::POST, "/subjects/team-value/versions", Some(json!({ "schema": team }))).await,
        42_201
    );
    let id = client.ok(Method::POST, "/subjects/team-value/versions", Some(body.clone())).await["id"].clone();
    let found = client.ok(Method::GET, &format!("/schemas/ids/{id}"), None).await;
    assert_eq!(found["references"], body["references"]);
    assert_eq!(client.ok(Method::GET, "/subjects/user-value/versions/1/referencedby", None).await, json!([id]));
    assert_eq!(client.code(Method::DELETE, "/subjects/user-value/versions/1", None).await, 42_206);
    assert_eq!(client.code(Method::DELETE, "/subjects/user-value", None).await, 42_206);
    client.ok(Method::DELETE, "/subjects/team-value", None).await;
    client.ok(Method::DELETE, "/subjects/user-value", None).await;
    let missing = json!({
        "schema": team,
        "references": [{ "name": "User", "subject": "none-value", "version": 1 }],
    });
    assert_eq!(client.code(Method::POST, "/subjects/team-value/versions", Some(missing)).await, 42_201);
}

#[tokio::test]
async fn a_schema_with_its_references_inlined_is_the_same_schema() {
    let client = Client::start().await;
    client
        .register("user-value", r#"{"type":"record","name":"User","fields":[{"name":"name","type":"string"}]}"#)
        .await;
    let team = r#"{"type":"record","name":"Team","fields":[{"name":"lead","type":"User"}]}"#;
    let references = json!([{ "name": "User", "subject": "user-value", "version": 1 }]);
    let body = json!({ "schema": team, "references": references });
    let id = client.ok(Method::POST, "/subjects/team-value/versions", Some(body)).await["id"].clone();

    let whole = r#"{"type":"record","name":"Team","fields":[{"name":"lead","type":{"type":"record","name":"User","fields":[{"name":"name","type":"string"}]}}]}"#;
    let spaced = Some(json!({ "schema": whole.replace(',', " , ") }));
    for path in ["/subjects/team-value", "/subjects/team-value?normalize=true"] {
        let found = client.ok(Method::POST, path, spaced.clone()).await;
        assert_eq!((&found["id"], &found["version"], &found["references"]), (&id, &json!(1), &references));
    }
    assert_eq!(client.ok(Method::POST, "/subjects/team-value/versions", spaced.clone()).await["id"], id);
    assert_eq!(client.ok(Method::GET, "/subjects/team-value/versions", None).await, json!([1]));
    for path in [format!("/schemas/ids/{id}?format=resolved"), "/subjects/team-value/versions/1?format=resolved".into()]
    {
        assert_eq!(client.ok(Method::GET, &path, None).await["schema"], whole);
    }
    assert_eq!(client.ok(Method::GET, &format!("/schemas/ids/{id}"), None).await["schema"], team);

    // Not another schema, and no version that is out of use.
    let other = whole.replace("string", "bytes");
    assert_eq!(client.code(Method::POST, "/subjects/team-value", Some(json!({ "schema": other }))).await, 40_403);
    client.ok(Method::DELETE, "/subjects/team-value", None).await;
    assert_eq!(client.code(Method::POST, "/subjects/team-value", spaced.clone()).await, 40_401);
    let found = client.ok(Method::POST, "/subjects/team-value?deleted=true", spaced).await;
    assert_eq!(found["id"], id);
}

#[tokio::test]
async fn a_reference_deleted_during_registration_is_missing() {
    let client = Client::start().await;
    client.register("user-value", USER_1).await;
    let team = r#"{"type":"record","name":"Team","fields":[{"name":"lead","type":"User"}]}"#;
    let references = json!([{ "name": "User", "subject": "user-value", "version": 1 }]);
    let team = Some(json!({ "schema": team, "references": references }));
    let (referring, deleted) = tokio::join!(
        client.call(Method::POST, "/subjects/team-value/versions", team),
        client.call(Method::DELETE, "/subjects/user-value", None),
    );
    let statuses = [referring.status, deleted.status].map(|status| status.as_u16());
    // Whichever comes first, the other is refused.
    assert!(matches!(statuses, [422, 200] | [200, 422]), "{statuses:?}");
}

#[tokio::test]
async fn contexts_are_apart() {
    let client = Client::start().await;
    let path = "/subjects/:.staging:users-value/versions";
    client.ok(Method::POST, path, Some(json!({ "schema": USER_1 }))).await;
    for (query, seen) in [
        ("", json!([":.staging:users-value"])),
        ("?subjectPrefix=", json!([])),
        ("?subjectPrefix=users", json!([])),
        ("?subjectPrefix=:*:", json!([":.staging:users-value"])),
        ("?subjectPrefix=:*:users", json!([":.staging:users-value"])),
        ("?subjectPrefix=:*:other", json!([])),
        ("?subjectPrefix=:.staging:", json!([":.staging:users-value"])),
        ("?subjectPrefix=:.stag:", json!([])),
    ] {
        assert_eq!(client.ok(Method::GET, &format!("/subjects{query}"), None).await, seen, "{query}");
    }
    assert_eq!(client.ok(Method::GET, "/contexts", None).await, json!([".", ".staging"]));
    assert_eq!(client.code(Method::GET, "/subjects/users-value/versions", None).await, 40_401);
}

#[tokio::test]
async fn requests_without_a_token_are_refused() {
    let client = Client::start().await;
    let send = |headers: Vec<(&'static str, String)>| {
        let mut request = Request::get("/registry/subjects");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        client.api.send(request.body(Body::empty()).unwrap())
    };
    for headers in [
        vec![],
        vec![("authorization", "Bearer None".to_owned())],
        vec![("authorization", "Basic Og==".to_owned())],
        vec![("authorization", "Basic !".to_owned())],
    ] {
        assert_eq!(refused(&send(headers).await), 401);
    }
    let basic = base64::prelude::BASE64_STANDARD.encode(format!("anybody:{}", client.token));
    assert_eq!(send(vec![("authorization", format!("Basic {basic}"))]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_stranger_registers_nothing() {
    let client = Client::start().await;
    client.register("users-value", USER_1).await;
    client.api.test.principal("stranger").await;
    let token = client.api.test.token("stranger").await;
    let body = Some(json!({ "schema": USER_2 }));
    for (method, path, body) in [
        (Method::POST, "/subjects/users-value/versions", body),
        (Method::DELETE, "/subjects/users-value", None),
        (Method::PUT, "/config/users-value", Some(json!({ "compatibility": "NONE" }))),
        (Method::PUT, "/mode", Some(json!({ "mode": "READONLY" }))),
    ] {
        let reply = client.call_as(&token, method, path, body).await;
        assert_eq!(refused(&reply), 403, "{path}");
    }
    let reply = client.call_as(&token, Method::GET, "/schemas/ids/1", None).await;
    assert_eq!(reply.status, StatusCode::OK, "what no product owns is everybody's to read");
}

#[tokio::test]
async fn without_a_quarantine_a_subject_needs_a_product() {
    let api = Api::shop().await;
    let token = api.test.token("owner-shop").await;
    let client = Client { api, token };
    let body = Some(json!({ "schema": USER_1 }));
    assert_eq!(client.code(Method::POST, "/subjects/users-value/versions", body).await, 42_205);
}
