//! The door against the Confluent Schema Registry, endpoint by endpoint and parameter by parameter: what its resource
//! classes do (`core/src/main/java/io/confluent/kafka/schemaregistry/rest/resources`, 8.x). What differs on purpose is
//! in `docs/registry.md`.

use axum::body::Body;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::registry::{Client, USER_1, USER_2, USER_BROKEN, refused};
use crate::support::Reply;

const TEAM: &str = r#"{"type":"record","name":"Team","fields":[{"name":"lead","type":"User"}]}"#;

fn team(version: i64) -> Value {
    json!({ "schema": TEAM, "references": [{ "name": "User", "subject": "user-value", "version": version }] })
}

impl Client {
    async fn get(&self, path: &str) -> Value {
        self.ok(Method::GET, path, None).await
    }

    async fn get_code(&self, path: &str) -> u64 {
        self.code(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.ok(Method::POST, path, Some(body)).await
    }

    async fn delete(&self, path: &str) -> Value {
        self.ok(Method::DELETE, path, None).await
    }

    async fn delete_code(&self, path: &str) -> u64 {
        self.code(Method::DELETE, path, None).await
    }

    /// Sends a body as it is, with these headers.
    async fn raw(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/registry{path}"))
            .header(AUTHORIZATION, format!("Bearer {}", self.token));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.api.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }
}

#[tokio::test]
async fn versions_are_parsed_as_in_java() {
    let client = Client::start().await;
    client.register("users-value", USER_1).await;
    client.register("users-value", USER_2).await;
    for latest in ["latest", "LATEST", "-1", "%20latest%20", "+2", "02"] {
        let found = client.get(&format!("/subjects/users-value/versions/{latest}")).await;
        assert_eq!(found["version"], 2, "{latest}");
    }
    for wrong in ["0", "-2", "2147483648", "99999999999999999999", "newest", "1.0", "%20"] {
        assert_eq!(client.get_code(&format!("/subjects/users-value/versions/{wrong}")).await, 42_202, "{wrong}");
    }
    assert_eq!(client.get_code("/subjects/users-value/versions/2147483647").await, 40_402);
}

#[tokio::test]
async fn the_latest_is_one_in_use() {
    let client = Client::start().await;
    client.register("users-value", USER_1).await;
    client.register("users-value", USER_2).await;
    client.delete("/subjects/users-value/versions/latest").await;
    assert_eq!(client.get("/subjects/users-value/versions/latest?deleted=true").await["version"], 1);
    assert_eq!(client.delete_code("/subjects/users-value/versions/latest?permanent=true").await, 40_407);
    client.delete("/subjects/users-value").await;
    assert_eq!(client.get_code("/subjects/users-value/versions/latest").await, 40_401);
    assert_eq!(client.get_code("/subjects/users-value/versions/latest?deleted=true").await, 40_402);
    assert_eq!(client.delete_code("/subjects/users-value/versions/latest").await, 40_402);
    assert_eq!(client.get("/subjects/users-value/versions?deleted=true").await, json!([1, 2]));
}

#[tokio::test]
async fn lists_are_paged_by_offset_and_limit() {
    let client = Client::start().await;
    for name in ["a", "b", "c", "d"] {
        client.register(name, USER_1).await;
    }
    client.register("a", USER_2).await;
    client.delete("/subjects/b").await;
    for (path, seen) in [
        ("/subjects?limit=2", json!(["a", "c"])),
        ("/subjects?limit=0", json!(["a", "c", "d"])),
        ("/subjects?limit=-1&offset=1", json!(["c", "d"])),
        ("/subjects?offset=-5", json!(["a", "c", "d"])),
        ("/subjects?offset=9", json!([])),
        ("/subjects?deleted=True", json!(["a", "b", "c", "d"])),
        ("/subjects?deletedOnly=true", json!(["b"])),
        ("/subjects?deletedOnly=true&deleted=true", json!(["b"])),
        ("/subjects?deleted=yes", json!(["a", "c", "d"])),
        ("/subjects?deleted=false&deleted=true", json!(["a", "c", "d"])),
        ("/subjects?subjectPrefix=c", json!(["c"])),
        ("/subjects?unknown=1", json!(["a", "c", "d"])),
        ("/subjects/a/versions?limit=1&offset=1", json!([2])),
        ("/subjects/a/versions?deletedOnly=true", json!([])),
        ("/subjects/b/versions?deletedOnly=true", json!([1])),
        ("/schemas/ids/1/subjects?limit=1", json!(["a"])),
        ("/schemas/ids/1/subjects?deleted=true&offset=1", json!(["b", "c", "d"])),
        ("/schemas/ids/1/versions?limit=1&offset=1", json!([{ "subject": "c", "version": 1 }])),
        ("/contexts?contextPrefix=.x", json!([])),
    ] {
        assert_eq!(client.get(path).await, seen, "{path}");
    }
    for path in ["/subjects?limit=many", "/subjects?offset=", "/schemas?limit=1.5", "/schemas?limit=2147483648"] {
        assert_eq!(client.get_code(path).await, 404, "{path}");
    }
    assert_eq!(client.get_code("/subjects/b/versions").await, 40_401);
}

#[tokio::test]
async fn schemas_are_filtered_by_prefix_and_newest_and_paged() {
    let client = Client::start().await;
    for (subject, schema) in [("a", USER_1), ("a", USER_2), ("ab", USER_1), (":.c:a", USER_1), ("b", USER_1)] {
        client.register(subject, schema).await;
    }
    client.delete("/subjects/ab").await;
    let seen = async |query: &str| {
        let list = client.get(&format!("/schemas{query}")).await;
        let name = |entry: &Value| format!("{}/{}", entry["subject"].as_str().unwrap(), entry["version"]);
        list.as_array().unwrap().iter().map(name).collect::<Vec<_>>().join(" ")
    };
    for (query, expected) in [
        ("", "a/1 a/2 b/1"),
        ("?subjectPrefix=", "a/1 a/2 b/1"),
        ("?subjectPrefix=a", "a/1 a/2"),
        ("?subjectPrefix=a&deleted=true", "a/1 a/2 ab/1"),
        ("?subjectPrefix=:*:", "a/1 a/2 b/1 :.c:a/1"),
        ("?subjectPrefix=:*:a", "a/1 a/2 :.c:a/1"),
        ("?subjectPrefix=:.c:", ":.c:a/1"),
        ("?latestOnly=true", "a/2 b/1"),
        ("?latestOnly=true&limit=1", "a/2"),
        ("?latestOnly=true&limit=1&offset=1", "b/1"),
        ("?limit=2", "a/1 a/2"),
        ("?limit=2&offset=2", "b/1"),
        ("?limit=0", "a/1 a/2 b/1"),
    ] {
        assert_eq!(seen(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn no_more_than_a_thousand_schemas_are_listed() {
    let client = Client::start().await;
    let owner = client.api.test.ctx("owner-strays").await;
    let schemas = (0..1_001).map(|n| (format!("s{n}").parse().unwrap(), 1, USER_1.to_owned()));
    client.api.test.lay_schemas(&owner, schemas).await;
    for query in ["", "?limit=-1", "?limit=5000", "?limit=0"] {
        let list = client.get(&format!("/schemas{query}")).await;
        assert_eq!(list.as_array().unwrap().len(), 1_000, "{query}");
    }
    assert_eq!(client.get("/schemas?offset=1000").await.as_array().unwrap().len(), 1);
    assert_eq!(client.get("/subjects").await.as_array().unwrap().len(), 1_001, "names are all listed");
}

#[tokio::test]
async fn an_id_that_is_not_a_number_is_an_unknown_path() {
    let client = Client::start().await;
    client.register("users-value", USER_1).await;
    for rest in ["", "/schema", "/subjects", "/versions"] {
        for (id, code) in [("x", 404), ("2147483648", 404), ("-1", 40_403), ("0", 40_403), ("2147483647", 40_403)] {
            assert_eq!(client.get_code(&format!("/schemas/ids/{id}{rest}")).await, code, "{id}{rest}");
        }
    }
    assert_eq!(client.get("/schemas/ids/1?fetchMaxId=true").await, json!({ "schema": USER_1, "maxId": 1 }));
    client.register("users-value", USER_2).await;
    assert_eq!(client.get("/schemas/ids/1?fetchMaxId=True&subject=").await, json!({ "schema": USER_1, "maxId": 2 }));
}

#[tokio::test]
async fn references_resolve_to_versions_in_use() {
    let client = Client::start().await;
    client.register("user-value", USER_1).await;
    client.register("user-value", USER_2).await;
    let id = client.post("/subjects/team-value/versions", team(-1)).await["id"].clone();
    let kept = client.get(&format!("/schemas/ids/{id}")).await;
    assert_eq!(kept["references"][0]["version"], 2, "the latest by its number");
    client.delete("/subjects/user-value/versions/1").await;
    assert_eq!(client.code(Method::POST, "/subjects/other-value/versions", Some(team(1))).await, 42_201);
    let check = "/compatibility/subjects/other-value/versions";
    assert_eq!(client.code(Method::POST, check, Some(team(1))).await, 42_201);
    assert_eq!(client.post(&format!("{check}?verbose=true"), team(1)).await["is_compatible"], false);
    for version in [0, 9] {
        assert_eq!(client.code(Method::POST, "/subjects/other-value/versions", Some(team(version))).await, 42_201);
    }
    let nameless = json!({ "schema": TEAM, "references": [{ "name": null, "subject": "user-value", "version": 1 }] });
    assert_eq!(client.code(Method::POST, "/subjects/other-value/versions", Some(nameless)).await, 42_201);
}

#[tokio::test]
async fn schemas_that_refer_to_a_deleted_version_are_found_and_read() {
    let client = Client::start().await;
    client.register("user-value", USER_1).await;
    let id = client.post("/subjects/team-value/versions", team(1)).await["id"].clone();
    client.delete("/subjects/team-value").await;
    client.delete("/subjects/user-value").await;
    assert_eq!(client.post("/subjects/team-value?deleted=true", team(1)).await["id"], id);
    // A message may carry the id of what is out of use, and to read it takes what it refers to.
    assert_eq!(client.delete_code("/subjects/user-value?permanent=true").await, 42_206);
    assert_eq!(client.delete_code("/subjects/user-value/versions/1?permanent=true").await, 42_206);
    let referrers = "/subjects/user-value/versions/1/referencedby";
    assert_eq!(client.get(referrers).await, json!([]));
    assert_eq!(client.get(&format!("{referrers}?deleted=true")).await, json!([id]));
    client.delete("/subjects/team-value?permanent=true").await;
    client.delete("/subjects/user-value?permanent=true").await;
}

#[tokio::test]
async fn the_versions_of_a_subject_are_deleted_together() {
    let client = Client::start().await;
    client.register("user-value", USER_1).await;
    let level = Some(json!({ "compatibility": "NONE" }));
    client.ok(Method::PUT, "/config/user-value", level).await;
    client.post("/subjects/user-value/versions", team(1)).await;
    assert_eq!(client.delete_code("/subjects/user-value/versions/1").await, 42_206);
    assert_eq!(client.delete("/subjects/user-value").await, json!([1, 2]));
    assert_eq!(client.get("/config/user-value").await, json!({ "compatibilityLevel": "NONE" }), "it may come back");
    assert_eq!(client.delete("/subjects/user-value?permanent=true").await, json!([1, 2]));
    assert_eq!(client.get_code("/config/user-value").await, 40_408, "another one of the name begins anew");
}

#[tokio::test]
async fn a_schema_registered_again_replaces_its_deleted_version() {
    let client = Client::start().await;
    client.register("user-value", USER_1).await;
    for version in 2..5 {
        client.delete("/subjects/user-value").await;
        assert_eq!(client.register("user-value", USER_1).await, json!({ "id": 1 }));
        assert_eq!(client.get("/subjects/user-value/versions?deleted=true").await, json!([version]));
    }
    // Another schema needs the one that was deleted.
    client.post("/subjects/team-value/versions", team(4)).await;
    client.delete("/subjects/team-value").await;
    client.delete("/subjects/user-value").await;
    client.register("user-value", USER_1).await;
    assert_eq!(client.get("/subjects/user-value/versions?deleted=true").await, json!([4, 5]));
}

#[tokio::test]
async fn clients_may_only_give_the_next_version_number() {
    let client = Client::start().await;
    let path = "/subjects/users-value/versions";
    let numbered = |version: i64| Some(json!({ "schema": USER_1, "version": version }));
    for version in [2, 2_147_483_647] {
        assert_eq!(client.code(Method::POST, path, numbered(version)).await, 42_201, "{version}");
    }
    client.ok(Method::POST, path, numbered(1)).await;
    assert_eq!(client.get(path).await, json!([1]));
}

#[tokio::test]
async fn checks_and_registrations_give_the_same_answer() {
    let client = Client::start().await;
    let at = |subject: &str, rest: &str| format!("/compatibility/subjects/{subject}/versions{rest}");
    let good = json!({ "schema": USER_1 });
    assert_eq!(client.post(&at("none-value", ""), good.clone()).await, json!({ "is_compatible": true }));
    assert_eq!(client.code(Method::POST, &at("none-value", "/1"), Some(good.clone())).await, 40_402);
    assert_eq!(client.code(Method::POST, &at("none-value", "/0"), Some(good.clone())).await, 42_202);
    client.register("users-value", USER_1).await;
    let invalid = json!({ "schema": "{" });
    assert_eq!(client.code(Method::POST, &at("users-value", "/latest"), Some(invalid.clone())).await, 42_201);
    let told = client.post(&at("users-value", "/latest?verbose=true"), invalid).await;
    assert_eq!((&told["is_compatible"], told["messages"].as_array().unwrap().len()), (&json!(false), 1), "{told}");
    let told = client.post(&at("users-value", "?verbose=true"), good).await;
    assert_eq!(told, json!({ "is_compatible": true, "messages": [] }));
    let refused = client.post(&at("users-value", "/1?verbose=TRUE"), json!({ "schema": USER_BROKEN })).await;
    let last = refused["messages"].as_array().unwrap().last().unwrap();
    assert_eq!(last, "{compatibility: 'BACKWARD'}");
}

#[tokio::test]
async fn settings_have_the_form_of_the_reference() {
    let client = Client::start().await;
    let admin = client.admin().await;
    let as_admin = async |method: Method, path: &str, body: Option<Value>| {
        let reply = client.call_as(&admin, method, path, body).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {reply:?}");
        reply.json()
    };
    assert_eq!(client.get("/config").await, json!({ "compatibilityLevel": "BACKWARD" }));
    assert_eq!(client.get("/config/:.:").await, json!({ "compatibilityLevel": "BACKWARD" }));
    assert_eq!(client.get("/config/:.__GLOBAL:").await, json!({ "compatibilityLevel": "BACKWARD" }));
    assert_eq!(client.get_code("/config/:.other:").await, 40_408);
    let put = as_admin(Method::PUT, "/config", Some(json!({ "compatibility": "full" }))).await;
    assert_eq!(put, json!({ "compatibility": "FULL" }));
    assert_eq!(client.get("/config/:.:").await, json!({ "compatibilityLevel": "FULL" }), "they are one");
    let of = async |scope: &str| {
        client.get(&format!("/config/{scope}?defaultToGlobal=true")).await["compatibilityLevel"].clone()
    };
    assert_eq!((of("a").await, of(":.other:a").await), (json!("FULL"), json!("BACKWARD")), "of the default context");
    as_admin(Method::PUT, "/config/:.__GLOBAL:", Some(json!({ "compatibility": "NONE" }))).await;
    assert_eq!((of("a").await, of(":.other:a").await), (json!("FULL"), json!("NONE")), "of all contexts");
    assert_eq!(as_admin(Method::DELETE, "/config", None).await, json!({ "compatibilityLevel": "FULL" }), "what it was");
    assert_eq!(client.get("/config").await, json!({ "compatibilityLevel": "BACKWARD" }));

    let said = client.ok(Method::PUT, "/config/users-value", Some(json!({ "normalize": true }))).await;
    assert_eq!(said, json!({ "normalize": true }));
    let said = client.get("/config/users-value").await;
    assert_eq!(said, json!({ "compatibilityLevel": "NONE", "normalize": true }), "clients count on a level");
    let said = client.ok(Method::PUT, "/config/users-value", Some(json!({ "compatibility": "FORWARD" }))).await;
    assert_eq!(said, json!({ "compatibility": "FORWARD" }), "what was put");
    let gone = client.delete("/config/users-value").await;
    assert_eq!(gone, json!({ "compatibilityLevel": "FORWARD", "normalize": true }));
    assert_eq!(client.get_code("/config/users-value").await, 40_408);

    assert_eq!(client.mode("/mode", "readonly").await.json(), json!({ "mode": "READONLY" }));
    assert_eq!(client.code(Method::PUT, "/config/users-value", Some(json!({ "compatibility": "NONE" }))).await, 42_205);
    assert_eq!(client.get_code("/mode/users-value").await, 40_409);
    assert_eq!(client.get("/mode/users-value?defaultToGlobal=true").await, json!({ "mode": "READONLY" }));
    let body = Some(json!({ "schema": USER_1 }));
    assert_eq!(client.code(Method::POST, "/subjects/users-value/versions", body.clone()).await, 42_205);
    client.ok(Method::POST, "/subjects/:.other:users-value/versions", body).await;
    client.ok(Method::PUT, "/mode/users-value", Some(json!({ "mode": "READWRITE" }))).await;
    client.register("users-value", USER_1).await;
    assert_eq!(as_admin(Method::DELETE, "/mode", None).await, json!({ "mode": "READONLY" }));
    assert_eq!(client.get("/mode").await, json!({ "mode": "READWRITE" }));
}

#[tokio::test]
async fn a_base_url_may_name_a_context() {
    let client = Client::start().await;
    let within = "/contexts/.staging";
    client.post(&format!("{within}/subjects/users-value/versions"), json!({ "schema": USER_1 })).await;
    client.post(&format!("{within}/subjects/:.other:users-value/versions"), json!({ "schema": USER_1 })).await;
    client.post("/contexts/:.staging:/subjects/users-value/versions", json!({ "schema": USER_2 })).await;
    client.register("users-value", USER_2).await;
    for (path, seen) in [
        ("/subjects", json!([":.staging:users-value"])),
        ("/subjects?subjectPrefix=users", json!([":.staging:users-value"])),
        ("/subjects?subjectPrefix=other", json!([])),
        ("/subjects?subjectPrefix=:.other:", json!([":.other:users-value"])),
        ("/subjects/users-value/versions", json!([1, 2])),
        ("/subjects/users-value/versions/", json!([1, 2])),
        ("/schemas/ids/1/versions", json!([{ "subject": ":.staging:users-value", "version": 1 }])),
        ("/schemas/types", json!(["JSON", "PROTOBUF", "AVRO"])),
    ] {
        assert_eq!(client.get(&format!("{within}{path}")).await, seen, "{path}");
    }
    assert_eq!(client.get(&format!("{within}/schemas/ids/1")).await, json!({ "schema": USER_1 }));
    assert_eq!(client.get_code(&format!("{within}/schemas/ids/2")).await, 40_403, "it is another context's");
    assert_eq!(client.get("/schemas/ids/1").await, json!({ "schema": USER_1 }), "an id is the whole registry's");
    let level = Some(json!({ "compatibility": "FULL" }));
    client.ok(Method::PUT, &format!("{within}/config/users-value"), level.clone()).await;
    assert_eq!(client.get("/config/:.staging:users-value").await, json!({ "compatibilityLevel": "FULL" }));
    let path = format!("{within}/config");
    assert_eq!(client.call_as(&client.admin().await, Method::PUT, &path, level).await.status, StatusCode::OK);
    assert_eq!(client.get("/config/:.staging:").await, json!({ "compatibilityLevel": "FULL" }));
    assert_eq!(client.get("/config").await, json!({ "compatibilityLevel": "BACKWARD" }));
    // As a client encodes it, and with what a query would read otherwise.
    client.post("/contexts/%3A.a%20b%2Bc%3A/subjects/x/versions", json!({ "schema": USER_1 })).await;
    assert_eq!(client.get("/contexts/.a%20b+c/subjects").await, json!([":.a b+c:x"]));
    let check = format!("{within}/compatibility/subjects/users-value/versions/latest");
    assert_eq!(client.post(&check, json!({ "schema": USER_BROKEN })).await, json!({ "is_compatible": false }));
}

#[tokio::test]
async fn subject_names_are_free_and_unique() {
    let client = Client::start().await;
    for (encoded, name) in [
        ("a%2Fb", "a/b"),
        ("a%20b%3Fc%23d", "a b?c#d"),
        ("%C3%BC%F0%9F%98%80", "\u{fc}\u{1f600}"),
        ("a%25b", "a%b"),
        (":.x:a%2Fb", ":.x:a/b"),
        ("%3A.x%3Ac", ":.x:c"),
        (":.:d", "d"),
        ("a:b", "a:b"),
    ] {
        client.register(encoded, USER_1).await;
        let found = client.get(&format!("/subjects/{encoded}/versions/1")).await;
        assert_eq!(found["subject"], name, "{encoded}");
    }
    // Each of these would be written as the name of a subject in another context, or of none.
    for encoded in
        [":.:%3A.x%3Aa", ":.y:%3A.x%3Aa", ":.x", ":.x:", ":*:a", ":.__GLOBAL:a", "__GLOBAL", "__EMPTY", "%0A"]
    {
        let body = Some(json!({ "schema": USER_1 }));
        let path = format!("/subjects/{encoded}/versions");
        assert_eq!(client.code(Method::POST, &path, body).await, 42_208, "{encoded}");
    }
}

#[tokio::test]
async fn bodies_are_accepted_under_the_media_types_of_clients() {
    let client = Client::start().await;
    let path = "/subjects/users-value/versions";
    let body = json!({ "schema": USER_1, "unknown": [1], "metadata": { "properties": { "a": "b" } } }).to_string();
    for name in [
        "application/vnd.schemaregistry.v1+json",
        "application/vnd.schemaregistry+json",
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/octet-stream",
    ] {
        assert_eq!(client.raw(Method::POST, path, &[("content-type", name)], &body).await.status, 200, "{name}");
    }
    assert_eq!(client.raw(Method::POST, path, &[], &body).await.status, 200, "without a name");
    for name in ["application/x-www-form-urlencoded", "text/plain", "application/xml", ""] {
        assert_eq!(refused(&client.raw(Method::POST, path, &[("content-type", name)], &body).await), 415, "{name}");
    }
    let json = [("content-type", "application/json")];
    for (body, code) in
        [("", 422), ("  ", 422), ("null", 422), ("[]", 400), ("\"text\"", 400), ("{", 400), (r#"{"schema": 1}"#, 400)]
    {
        for path in [path, "/subjects/users-value", "/compatibility/subjects/users-value/versions"] {
            assert_eq!(refused(&client.raw(Method::POST, path, &json, body).await), code, "{path} {body}");
        }
        if body != r#"{"schema": 1}"# {
            assert_eq!(refused(&client.raw(Method::PUT, "/config/users-value", &json, body).await), code, "{body}");
        }
    }
}

#[tokio::test]
async fn answers_have_the_media_type_of_the_accept_header() {
    const FIRST: &str = "application/vnd.schemaregistry.v1+json";
    let client = Client::start().await;
    for (accept, name) in [
        ("*/*", FIRST),
        ("application/*", FIRST),
        (FIRST, FIRST),
        ("application/json", "application/json"),
        ("application/vnd.schemaregistry+json, application/json", "application/vnd.schemaregistry+json"),
        ("application/vnd.schemaregistry.v1+json;q=0.5, application/json", "application/json"),
        ("text/html, application/json;q=0.9, */*;q=0.8", "application/json"),
        ("application/json;q=0, */*", FIRST),
    ] {
        for (path, status) in [("/subjects", 200), ("/subjects/none/versions", 404), ("/nothing", 404)] {
            let reply = client.raw(Method::GET, path, &[("accept", accept)], "").await;
            assert_eq!(
                (reply.status.as_u16(), &reply.headers[CONTENT_TYPE]),
                (status, &name.parse().unwrap()),
                "{accept}"
            );
        }
    }
    for accept in ["text/html", "application/xml, text/plain", "application/json;q=0"] {
        let reply = client.raw(Method::GET, "/subjects", &[(ACCEPT.as_str(), accept)], "").await;
        assert_eq!(refused(&reply), 406, "{accept}");
    }
}

#[tokio::test]
async fn addresses_are_as_in_java() {
    let client = Client::start().await;
    client.register("users-value", USER_1).await;
    for path in
        ["", "/", "/subjects/", "//subjects", "/subjects/users-value/versions/1/", "/config/", "/schemas/types/"]
    {
        assert_eq!(client.call(Method::GET, path, None).await.status, StatusCode::OK, "{path}");
    }
    let head = client.call(Method::HEAD, "/subjects", None).await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    for (method, path, code) in [
        (Method::GET, "/schema", 404),
        // No subject is not the subject `versions`.
        (Method::DELETE, "/subjects//versions", 405),
        (Method::GET, "/subjects//versions", 42_208),
        (Method::GET, "/subjects/users-value/versions/1/other", 404),
        (Method::POST, "/subjects", 405),
        (Method::PUT, "/subjects/users-value", 405),
        (Method::DELETE, "/schemas/ids/1", 405),
        (Method::GET, "/compatibility/subjects/users-value/versions", 405),
        (Method::GET, "/subjects/users-value/metadata?key=a&value=b", 40_403),
        (Method::GET, "/subjects/none/metadata", 40_401),
        (Method::GET, "/schemas/guids/11111111-1111-1111-1111-111111111111", 404),
    ] {
        assert_eq!(client.code(method.clone(), path, None).await, code, "{method} {path}");
    }
    assert_eq!(client.get("/schemas/ids/1/schema").await.to_string(), USER_1);
    assert_eq!(client.get("/subjects/users-value/versions/latest/schema").await.to_string(), USER_1);
    assert_eq!(
        client.get("/schemas/ids/1?format=resolved&referenceFormat=qualified&findTags=x").await["schema"],
        USER_1
    );
}

#[tokio::test]
async fn protobuf_schemas_are_served_as_descriptors_on_every_route() {
    use base64::Engine;
    let client = Client::start().await;
    let text = "syntax = \"proto3\"; message User { int64 id = 1; }";
    let body = json!({ "schema": text, "schemaType": "PROTOBUF" });
    client.post("/subjects/users-value/versions", body.clone()).await;
    let is_descriptor = |text: &Value| base64::prelude::BASE64_STANDARD.decode(text.as_str().unwrap()).is_ok();
    for path in ["/schemas/ids/1", "/subjects/users-value/versions/1"] {
        let plain = client.get(path).await;
        assert!(!is_descriptor(&plain["schema"]) && plain["schemaType"] == "PROTOBUF", "{plain}");
        assert!(is_descriptor(&client.get(&format!("{path}?format=serialized")).await["schema"]), "{path}");
    }
    assert!(is_descriptor(&client.post("/subjects/users-value?format=serialized", body).await["schema"]));
}
