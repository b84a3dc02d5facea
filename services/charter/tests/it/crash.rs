//! Crashes: the server aborts at every failpoint. Afterwards, the change is there as a whole or not at all.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test helpers may panic")]

use std::fs;
use std::path::PathBuf;

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::postgres::Server;

use crate::test_server::{Program, TestServer, User, failing_program, make_demo, repository, text};

const TABLE: &str = "nyc.flights.flights";
const DOCUMENTS: [&str; 2] = ["tests/demo/flights.product.yaml", "tests/demo/flights.contract.yaml"];
const CONTRACT: &str = "demo-flights-contract";
/// A version that is a draft until it is activated.
const DRAFT: &str = "1.0.1";
/// On PostgreSQL, a job that a crash left behind is retried after the deadline.
const CONFIG: &str = "[inspect]\npoll = 3600\ndeadline = 20\n";
/// A product with a topic, whose contract follows the schemas of the subject `orders-value`.
const PRODUCT: &str = r#"{ "apiVersion": "v1.0.0", "kind": "DataProduct", "id": "orders", "name": "orders",
    "status": "active", "outputPorts": [{ "name": "stream", "version": "1.0.0", "contractId": "orders" }] }"#;
const TOPIC: &str = r#"{ "apiVersion": "v3.1.0", "kind": "DataContract", "id": "orders", "version": "1.0.0",
    "status": "active", "servers": [{ "server": "bus", "type": "kafka", "host": "kafka.example:9092" }],
    "schema": [{ "name": "orders", "physicalType": "topic", "properties": [
        { "name": "id", "logicalType": "integer", "required": true }] }] }"#;
const SUBJECT: &str = "/registry/subjects/orders-value";
/// The subject's first schema, and one that requires a new contract version.
const SCHEMA: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}"#;
const GROWN: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"},{"name":"note","type":["null","string"],"default":null}]}"#;
/// A worker that never finishes.
const ENDLESS_WORKER: &str = "#!/bin/sh\nsleep 600\n";

#[test]
fn a_crash_at_any_point_leaves_all_or_nothing_on_sqlite() {
    crash_at_every_point(None);
}

#[test]
fn a_crash_at_any_point_leaves_all_or_nothing_on_postgres() {
    let Some(server) = Server::shared() else { return };
    crash_at_every_point(Some(server.database()));
}

fn crash_at_every_point(database: Option<String>) {
    if failing_program().is_none() {
        return;
    }
    let mut fixture = Fixture::start(database);
    for point in app::failpoint::ALL {
        let (name, moment) = point.split_once('.').unwrap();
        let operation = OPERATIONS.iter().find(|operation| operation.name == name);
        let operation = operation.unwrap_or_else(|| panic!("no operation for the failpoint `{point}`"));
        let id = (operation.prepare)(&fixture, moment);
        let before = operation.state(&fixture, &id);

        fixture.server.kill_and_restart(Program::Failing(point));
        assert!(!(operation.run)(&fixture, moment, &id), "{point} was not reached");
        assert!(fixture.server.has_ended(), "{point} was not reached");

        // A restarted inspection must not end before its state is checked.
        let endless = fixture.endless_worker();
        let restarted = if name == "inspect" { Program::WithWorker(&endless) } else { Program::Charter };
        fixture.server.kill_and_restart(restarted);
        let after = operation.state(&fixture, &id);
        match moment {
            "committed" => {
                let expected = State { effect: (operation.expected)(&before.effect), n_records: before.n_records + 1 };
                assert_eq!(after, expected, "{point}: the change is incomplete");
            }
            _ => assert_eq!(after, before, "{point}: a part of the change is stored"),
        }
        (operation.clean_up)(&mut fixture, moment, &id);
    }
}

/// A server with the demo table, and the input files of the operations.
struct Fixture {
    server: TestServer,
    files: TempDir,
}

impl Fixture {
    fn start(database: Option<String>) -> Self {
        let fixture =
            Self { server: TestServer::start_on(database, CONFIG).with_people(), files: TempDir::new().unwrap() };
        make_demo(&fixture.table(), 0);
        let contract = fs::read_to_string(repository().join(DOCUMENTS[1])).unwrap();
        let draft = contract.replace("version: 1.0.0\nstatus: active", &format!("version: {DRAFT}\nstatus: draft"));
        for (name, text) in [
            ("draft.contract.yaml", draft.as_str()),
            ("orders.product.json", PRODUCT),
            ("orders.contract.json", TOPIC),
            ("worker", ENDLESS_WORKER),
        ] {
            fs::write(fixture.files.path().join(name), text).unwrap();
        }
        fs::set_permissions(fixture.endless_worker(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        fixture
    }

    fn table(&self) -> PathBuf {
        self.server.lake().join("nyc/flights")
    }

    fn file(&self, name: &str) -> String {
        self.files.path().join(name).to_str().unwrap().to_owned()
    }

    fn endless_worker(&self) -> PathBuf {
        self.files.path().join("worker")
    }

    fn ann(&self) -> User<'_> {
        self.server.user("ann")
    }

    fn bob(&self) -> User<'_> {
        self.server.user("bob")
    }

    fn request(&self) -> String {
        text(&self.bob().requests(TABLE).ok().json(), "/request/id")
    }

    fn grant(&self) -> String {
        self.ann().grants(&self.bob(), TABLE)
    }

    /// Sends a request to the registry; `None` if the server crashed.
    fn registry(&self, method: Method, path: &str, body: Option<&Value>) -> Option<Value> {
        self.server.send("ann", method, path, body)
    }

    /// Registers a schema; false if the server crashed.
    fn register(&self, schema: &str) -> bool {
        self.registry(Method::POST, &format!("{SUBJECT}/versions"), Some(&json!({ "schema": schema }))).is_some()
    }

    /// The value at a JSON pointer of a query's response.
    fn query(&self, subject: &str, query: &str, pointer: &str) -> Value {
        let response = self.server.graphql(subject, &json!({ "query": query }));
        response.pointer(pointer).unwrap_or_else(|| panic!("no `{pointer}` in {response}")).clone()
    }

    fn node_state(&self, kind: &str, id: &str) -> String {
        let query = format!("{{ node(id: \"{id}\") {{ ... on {kind} {{ state }} }} }}");
        self.query("ann", &query, "/data/node/state").as_str().unwrap().to_owned()
    }

    /// Whether the registry has a schema with this id.
    fn has_schema(&self, id: u32) -> &'static str {
        let schema = self.registry(Method::GET, &format!("/registry/schemas/ids/{id}"), None).unwrap();
        if schema.get("schema").is_some() { "present" } else { "missing" }
    }

    /// The number of audit records of an action on resources of a kind.
    fn n_records(&self, action: &str, kind: &str) -> usize {
        let listed = self.server.user("admin").ok(&["audit", "list", "--action", action, "--json"]).json();
        let records = listed["nodes"].as_array().unwrap();
        records.iter().filter(|record| text(record, "/resource").starts_with(kind)).count()
    }
}

/// The state that an operation changes: its effect as users see it, and the number of its audit records.
#[derive(Debug, PartialEq, Eq)]
struct State {
    effect: String,
    n_records: usize,
}

/// An operation with failpoints, which are named `{name}.{moment}`.
struct Operation {
    name: &'static str,
    /// The action in the audit log, and the kind of its resource.
    record: (&'static str, &'static str),
    /// Runs on a server that does not crash; returns the id that the operation needs, if any.
    prepare: fn(&Fixture, moment: &str) -> String,
    /// Runs the operation; returns whether it succeeded.
    run: fn(&Fixture, moment: &str, id: &str) -> bool,
    /// The effect, as users see it.
    effect: fn(&Fixture, id: &str) -> String,
    /// The effect after the operation was committed, given the one before.
    expected: fn(before: &str) -> String,
    /// Restores what the next failpoint needs.
    clean_up: fn(&mut Fixture, moment: &str, id: &str),
}

impl Operation {
    fn state(&self, fixture: &Fixture, id: &str) -> State {
        let (action, kind) = self.record;
        State { effect: (self.effect)(fixture, id), n_records: fixture.n_records(action, kind) }
    }
}

const OPERATIONS: [Operation; 9] = [
    Operation {
        name: "publish",
        record: ("product.publish", ""),
        prepare: no_id,
        run: |fixture, _, _| fixture.ann().applies(&DOCUMENTS).code == 0,
        effect: |fixture, _| {
            let is_present = fixture.ann().run(&["product", "show", "nyc.flights"]).code == 0;
            if is_present { "present" } else { "missing" }.to_owned()
        },
        expected: |_| "present".to_owned(),
        clean_up: |fixture, moment, _| {
            if moment == "committed" {
                fixture.ann().inspects(TABLE).ok();
            }
        },
    },
    Operation {
        name: "inspect",
        record: ("table.inspect", "snapshot"),
        prepare: no_id,
        run: |fixture, moment, _| {
            // Written now, so that no poll detects it before. Version 2 is the demo's bad batch.
            make_demo(&fixture.table(), if moment == "written" { 1 } else { 3 });
            fixture.ann().inspects(TABLE).code == 0
        },
        effect: |fixture, _| {
            let query = format!("{{ table(address: \"{TABLE}\") {{ snapshots {{ nodes {{ verdict {{ at }} }} }} }} }}");
            let snapshots = fixture.query("ann", &query, "/data/table/snapshots/nodes");
            let has_verdict = |snapshot: &&Value| snapshot["verdict"].is_object();
            snapshots.as_array().unwrap().iter().filter(has_verdict).count().to_string()
        },
        expected: one_more,
        clean_up: |fixture, _, _| {
            fixture.server.kill_and_restart(Program::Charter);
            fixture.ann().inspects(TABLE).ok();
        },
    },
    Operation {
        name: "activate",
        record: ("contract.activate", ""),
        prepare: |fixture, _| {
            fixture.ann().applies(&[&fixture.file("draft.contract.yaml")]).ok();
            fixture.ann().inspects(TABLE).ok();
            String::new()
        },
        run: |fixture, _, _| fixture.ann().run(&["version", "activate", "nyc.flights", CONTRACT, DRAFT]).code == 0,
        effect: |fixture, _| {
            let address =
                format!("domain: \"nyc\", product: \"flights\", contract: \"{CONTRACT}\", version: \"{DRAFT}\"");
            let query = format!("{{ contractVersion({address}) {{ state }} }}");
            fixture.query("ann", &query, "/data/contractVersion/state").as_str().unwrap().to_owned()
        },
        expected: |_| "ACTIVE".to_owned(),
        clean_up: nothing,
    },
    Operation {
        name: "request",
        record: ("access.request", ""),
        prepare: no_id,
        run: |fixture, _, _| fixture.bob().requests(TABLE).code == 0,
        effect: |fixture, _| n_nodes(fixture, "accessRequests"),
        expected: one_more,
        clean_up: nothing,
    },
    Operation {
        name: "approve",
        record: ("access.approve", ""),
        prepare: |fixture, _| fixture.request(),
        run: |fixture, _, request| fixture.ann().approves(request).code == 0,
        effect: |fixture, request| fixture.node_state("AccessRequest", request),
        expected: |_| "APPROVED".to_owned(),
        clean_up: nothing,
    },
    Operation {
        name: "revoke",
        record: ("access.revoke", ""),
        prepare: |fixture, _| fixture.grant(),
        run: |fixture, _, grant| fixture.ann().revokes(grant).code == 0,
        effect: |fixture, grant| fixture.node_state("Grant", grant),
        expected: |_| "REVOKED".to_owned(),
        clean_up: |fixture, moment, grant| assert!(moment == "committed" || fixture.ann().revokes(grant).code == 0),
    },
    Operation {
        name: "vend",
        record: ("credential.vend", ""),
        prepare: |fixture, _| fixture.grant(),
        run: |fixture, _, _| fixture.bob().vends(TABLE).code == 0,
        effect: |fixture, _| n_nodes(fixture, "leases"),
        expected: one_more,
        clean_up: |fixture, _, grant| assert!(fixture.ann().revokes(grant).code == 0),
    },
    Operation {
        name: "register",
        record: ("schema.register", ""),
        prepare: |fixture, moment| {
            if moment == "followed" {
                let files = ["orders.product.json", "orders.contract.json"].map(|name| fixture.file(name));
                fixture.ann().applies(&[&files[0], &files[1]]).ok();
                assert!(fixture.register(SCHEMA));
            }
            String::new()
        },
        run: |fixture, _, _| fixture.register(GROWN),
        // The version of the subject and the one of the contract are created together.
        effect: |fixture, _| {
            let versions = fixture.registry(Method::GET, &format!("{SUBJECT}/versions"), None).unwrap();
            let query =
                "{ product(domain: \"nyc\", name: \"orders\") { contracts { versions { nodes { version } } } } }";
            let contract = fixture.query("ann", query, "/data/product/contracts/0/versions/nodes");
            format!("{versions} {} {}", fixture.has_schema(2), contract.as_array().unwrap().len())
        },
        expected: |before| {
            assert_eq!(before, "[1] missing 2");
            "[1,2] present 3".to_owned()
        },
        clean_up: nothing,
    },
    Operation {
        name: "erase",
        record: ("schema.delete", ""),
        prepare: |fixture, moment| {
            if moment == "removed" {
                assert!(fixture.registry(Method::DELETE, &format!("{SUBJECT}/versions/1"), None).is_some());
            }
            String::new()
        },
        run: |fixture, _, _| {
            fixture.registry(Method::DELETE, &format!("{SUBJECT}/versions/1?permanent=true"), None).is_some()
        },
        effect: |fixture, _| {
            let versions = fixture.registry(Method::GET, &format!("{SUBJECT}/versions?deleted=true"), None).unwrap();
            format!("{versions} {}", fixture.has_schema(1))
        },
        expected: |before| {
            assert_eq!(before, "[1,2] present");
            "[2] missing".to_owned()
        },
        clean_up: nothing,
    },
];

fn no_id(_: &Fixture, _: &str) -> String {
    String::new()
}

fn nothing(_: &mut Fixture, _: &str, _: &str) {}

fn one_more(before: &str) -> String {
    (before.parse::<usize>().unwrap() + 1).to_string()
}

/// The number of nodes that bob sees in a list.
fn n_nodes(fixture: &Fixture, list: &str) -> String {
    let nodes = fixture.query("bob", &format!("{{ {list} {{ nodes {{ id }} }} }}"), &format!("/data/{list}/nodes"));
    nodes.as_array().unwrap().len().to_string()
}
