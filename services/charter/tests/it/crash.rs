//! Crashes: the server ends itself at every named point, and is killed at random under load. What was acknowledged is
//! there afterwards, and nothing is half there. `CHARTER_KILLS` sets how many random kills there are on each database.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests ends the test")]

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use testkit::postgres::Server;

use crate::house::{House, Program, failing_program, make_demo, repository, text};

const TABLE: &str = "nyc.flights.flights";
const DOCUMENTS: [&str; 2] = ["tests/demo/flights.product.yaml", "tests/demo/flights.contract.yaml"];
const CONTRACT: &str = "demo-flights-contract";
/// The version that its document holds back until somebody activates it.
const HELD: &str = "1.0.1";
const REQUEST: [&str; 7] = ["access", "request", TABLE, "--purpose", "analytics", "--sentence", "to learn"];
/// What a job that a crash left behind waits for on PostgreSQL hangs on the deadline.
const CONFIG: &str = "[inspect]\npoll = 3600\ndeadline = 20\n";
/// A product with a topic, whose contract follows the schemas of the subject `orders-value`.
const PRODUCT: &str = r#"{ "apiVersion": "v1.0.0", "kind": "DataProduct", "id": "orders", "name": "orders",
    "status": "active", "outputPorts": [{ "name": "stream", "version": "1.0.0", "contractId": "orders" }] }"#;
const TOPIC: &str = r#"{ "apiVersion": "v3.1.0", "kind": "DataContract", "id": "orders", "version": "1.0.0",
    "status": "active", "servers": [{ "server": "bus", "type": "kafka", "host": "kafka.example:9092" }],
    "schema": [{ "name": "orders", "physicalType": "topic", "properties": [
        { "name": "id", "logicalType": "integer", "required": true }] }] }"#;
const SUBJECT: &str = "/registry/subjects/orders-value";
/// The subject's first schema, and one that the contract needs a new version for.
const SCHEMA: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"}]}"#;
const GROWN: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"},{"name":"note","type":["null","string"],"default":null}]}"#;
/// A worker that is never done.
const ENDLESS: &str = "#!/bin/sh\nsleep 600\n";

#[test]
fn a_crash_at_any_point_leaves_all_or_nothing_on_sqlite() {
    crash_at_every_point(None);
}

#[test]
fn a_crash_at_any_point_leaves_all_or_nothing_on_postgres() {
    let Some(server) = Server::shared() else { return };
    crash_at_every_point(Some(server.database()));
}

#[test]
fn random_kills_lose_nothing_that_was_acknowledged_on_sqlite() {
    kill_at_random(None);
}

#[test]
fn random_kills_lose_nothing_that_was_acknowledged_on_postgres() {
    let Some(server) = Server::shared() else { return };
    kill_at_random(Some(server.database()));
}

fn crash_at_every_point(database: Option<String>) {
    if failing_program().is_none() {
        return;
    }
    let mut house = House::start_on(database, CONFIG).with_people();
    let table = house.lake().join("nyc/flights");
    make_demo(&table, 0);
    let folder = tempfile::TempDir::new().unwrap();
    let endless = folder.path().join("worker");
    fs::write(&endless, ENDLESS).unwrap();
    fs::set_permissions(&endless, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let held = folder.path().join("held.contract.yaml");
    let contract = fs::read_to_string(repository().join(DOCUMENTS[1])).unwrap();
    let contract = contract.replace("version: 1.0.0\nstatus: active", &format!("version: {HELD}\nstatus: draft"));
    fs::write(&held, contract).unwrap();
    for (name, text) in [("orders.product.json", PRODUCT), ("orders.contract.json", TOPIC)] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    for point in app::failpoint::ALL {
        let (what, moment) = point.split_once('.').unwrap();
        // What comes before, on a server that does not fail.
        let request = match what {
            "approve" => Some(house.person("bob").request(TABLE)),
            "revoke" | "vend" => {
                let request = house.person("bob").request(TABLE);
                Some(house.person("ann").approve(&request))
            }
            "activate" => {
                house.person("ann").ok(&["apply", "-d", "nyc", held.to_str().unwrap()]);
                house.person("ann").ok(&["inspect", TABLE, "--wait"]);
                None
            }
            "register" if moment == "followed" => {
                let files = ["orders.product.json", "orders.contract.json"].map(|name| folder.path().join(name));
                let files = files.each_ref().map(|file| file.to_str().unwrap());
                house.person("ann").ok(&["apply", "-d", "nyc", files[0], files[1]]);
                assert!(registers(&house, SCHEMA));
                None
            }
            "erase" if moment == "removed" => {
                assert!(house.send("ann", Method::DELETE, &format!("{SUBJECT}/versions/1"), None).is_some());
                None
            }
            _ => None,
        };
        let before = state(&house, what, request.as_deref());

        house.kill_and_restart(Program::Failing(point));
        let ann = || house.person("ann");
        let is_done = match what {
            "inspect" => {
                // Laid now, so that nothing notices it before. Version 2 is the demo's bad batch.
                make_demo(&table, if moment == "written" { 1 } else { 3 });
                ann().run(&["inspect", TABLE, "--wait"]).code == 0
            }
            "activate" => ann().run(&["version", "activate", "nyc.flights", CONTRACT, HELD]).code == 0,
            "request" => house.person("bob").run(&REQUEST).code == 0,
            "publish" => ann().run(&["apply", "-d", "nyc", DOCUMENTS[0], DOCUMENTS[1]]).code == 0,
            "approve" => ann().run(&["access", "approve", request.as_deref().unwrap()]).code == 0,
            "revoke" => ann().run(&["access", "revoke", request.as_deref().unwrap(), "--reason", "a crash"]).code == 0,
            "vend" => house.person("bob").run(&["credentials", TABLE]).code == 0,
            "register" => registers(&house, GROWN),
            "erase" => {
                house.send("ann", Method::DELETE, &format!("{SUBJECT}/versions/1?permanent=true"), None).is_some()
            }
            other => panic!("no case for the point `{other}`"),
        };
        assert!(!is_done, "{point} was not reached");
        assert!(house.has_ended(), "{point} was not reached");

        // The inspection that the crash cut off begins again at once, and is not to end before we have looked.
        let restarted = if what == "inspect" { Program::WithWorker(&endless) } else { Program::Charter };
        house.kill_and_restart(restarted);
        let after = state(&house, what, request.as_deref());
        match moment {
            "committed" => assert_eq!(after, changed(what, &before), "{point}: not all of it is there"),
            _ => assert_eq!(after, before, "{point}: something of it is there"),
        }
        // Each next point begins with what it needs.
        match (what, moment) {
            ("publish", "committed") => {
                house.person("ann").ok(&["inspect", TABLE, "--wait"]);
            }
            ("inspect", _) => {
                house.kill_and_restart(Program::Charter);
                house.person("ann").ok(&["inspect", TABLE, "--wait"]);
            }
            ("vend", _) => {
                house.person("ann").ok(&["access", "revoke", request.as_deref().unwrap(), "--reason", "next"]);
            }
            ("revoke", "written") => {
                house.person("ann").ok(&["access", "revoke", request.as_deref().unwrap(), "--reason", "next"]);
            }
            _ => {}
        }
    }
}

/// Registers a schema, unless the server ends over it.
fn registers(house: &House, schema: &str) -> bool {
    house.send("ann", Method::POST, &format!("{SUBJECT}/versions"), Some(&json!({ "schema": schema }))).is_some()
}

/// What a point's act changes, as its users see it: the thing itself, and its records.
fn state(house: &House, what: &str, id: Option<&str>) -> (String, usize) {
    let records_of = |action: &str, kind: &str| {
        let listed = house.person("admin").ok(&["audit", "list", "--action", action, "--json"]).json();
        let records = listed["nodes"].as_array().unwrap();
        records.iter().filter(|record| text(record, "/resource").starts_with(kind)).count()
    };
    let records = |action: &str| records_of(action, "");
    let node = |id: &str, kind: &str, field: &str| {
        let document = format!("query($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ {field} }} }} }}");
        let body = json!({ "query": document, "variables": { "id": id } });
        let answer = house.ask("ann", &body);
        text(&answer, &format!("/data/node/{field}"))
    };
    match what {
        "publish" => {
            let shown = house.person("ann").run(&["product", "show", "nyc.flights"]);
            (if shown.code == 0 { "there" } else { "missing" }.to_owned(), records("product.publish"))
        }
        "inspect" => {
            let query = format!("{{ table(address: \"{TABLE}\") {{ snapshots {{ nodes {{ verdict {{ at }} }} }} }} }}");
            let answer = house.ask("ann", &json!({ "query": query }));
            let snapshots = answer.pointer("/data/table/snapshots/nodes").and_then(Value::as_array).unwrap();
            let judged = snapshots.iter().filter(|snapshot| snapshot["verdict"].is_object()).count();
            (judged.to_string(), records_of("table.inspect", "snapshot"))
        }
        "activate" => {
            let query = format!(
                "{{ contractVersion(domain: \"nyc\", product: \"flights\", contract: \"{CONTRACT}\", \
                 version: \"{HELD}\") {{ state }} }}"
            );
            let answer = house.ask("ann", &json!({ "query": query }));
            (text(&answer, "/data/contractVersion/state"), records("contract.activate"))
        }
        "request" => {
            let body = json!({ "query": "{ accessRequests { nodes { id } } }" });
            let requests = house.ask("bob", &body);
            let n_requests = requests.pointer("/data/accessRequests/nodes").and_then(Value::as_array).unwrap().len();
            (n_requests.to_string(), records("access.request"))
        }
        "approve" => (node(id.unwrap(), "AccessRequest", "state"), records("access.approve")),
        "revoke" => (node(id.unwrap(), "Grant", "state"), records("access.revoke")),
        "register" => {
            // The version of the subject and that of the contract come together.
            let versions = house.send("ann", Method::GET, &format!("{SUBJECT}/versions"), None).unwrap();
            let schema = house.send("ann", Method::GET, "/registry/schemas/ids/2", None).unwrap();
            let is_there = if schema.get("schema").is_some() { "there" } else { "missing" };
            let query =
                "{ product(domain: \"nyc\", name: \"orders\") { contracts { versions { nodes { version } } } } }";
            let answer = house.ask("ann", &json!({ "query": query }));
            let contract = answer.pointer("/data/product/contracts/0/versions/nodes").unwrap();
            (format!("{versions} {is_there} {}", contract.as_array().unwrap().len()), records("schema.register"))
        }
        "erase" => {
            let versions = house.send("ann", Method::GET, &format!("{SUBJECT}/versions?deleted=true"), None).unwrap();
            let schema = house.send("ann", Method::GET, "/registry/schemas/ids/1", None).unwrap();
            let is_there = if schema.get("schema").is_some() { "there" } else { "missing" };
            (format!("{versions} {is_there}"), records("schema.delete"))
        }
        _ => {
            let body = json!({ "query": "{ leases { nodes { id } } }" });
            let leases = house.ask("bob", &body);
            let n_leases = leases.pointer("/data/leases/nodes").and_then(Value::as_array).unwrap().len();
            (n_leases.to_string(), records("credential.vend"))
        }
    }
}

fn changed(what: &str, before: &(String, usize)) -> (String, usize) {
    let state = match what {
        "publish" => "there".to_owned(),
        "approve" => "APPROVED".to_owned(),
        "revoke" => "REVOKED".to_owned(),
        "activate" => "ACTIVE".to_owned(),
        "register" => {
            assert_eq!(before.0, "[1] missing 2");
            "[1,2] there 3".to_owned()
        }
        "erase" => {
            assert_eq!(before.0, "[1,2] there");
            "[2] missing".to_owned()
        }
        _ => (before.0.parse::<usize>().unwrap() + 1).to_string(),
    };
    (state, before.1 + 1)
}

fn kill_at_random(database: Option<String>) {
    const N_WRITERS: usize = 8;
    let n_kills: u64 = std::env::var("CHARTER_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(10);
    let mut house = House::start_on(database, "[inspect]\npoll = 3600\n");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut acknowledged: BTreeSet<String> = BTreeSet::new();
    // A fixed seed (a step of Knuth's linear congruential generator each): the delays are the same in every run.
    let mut seed: u64 = 42;
    for kill in 0..n_kills {
        let stop = Arc::new(AtomicBool::new(false));
        let (begun, mut first) = tokio::sync::mpsc::channel::<()>(1);
        let mut writers = Vec::new();
        for writer in 0..N_WRITERS {
            let (address, token, stop) = (house.address.clone(), house.token("admin"), Arc::clone(&stop));
            let (client, begun) = (client.clone(), begun.clone());
            writers.push(runtime.spawn(async move {
                let mut made = Vec::new();
                for index in 0.. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let path = format!("k{kill}-{writer}-{index}");
                    let query = "mutation($path: String!) { createDomain(input: { path: $path }) { __typename } }";
                    let body = json!({ "query": query, "variables": { "path": path } });
                    let sent = client.post(format!("{address}/graphql")).bearer_auth(&token).json(&body).send().await;
                    let Ok(answer) = sent else { break };
                    let Ok(answer) = answer.json::<Value>().await else { break };
                    if answer.pointer("/data/createDomain/__typename") != Some(&json!("CreateDomainPayload")) {
                        break;
                    }
                    made.push(path);
                    // A full channel has told it already.
                    let _ = begun.try_send(());
                }
                made
            }));
        }
        // However slow the machine is, the server is killed under load: the delay counts from the first change.
        drop(begun);
        runtime.block_on(first.recv());
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_millis((seed >> 33) % 300));
        house.kill_and_restart(Program::Charter);
        stop.store(true, Ordering::SeqCst);
        for writer in writers {
            acknowledged.extend(runtime.block_on(writer).unwrap());
        }
    }
    let listed = house.person("admin").ok(&["domain", "list", "--json"]).json();
    let there: BTreeSet<String> =
        listed["nodes"].as_array().unwrap().iter().map(|domain| text(domain, "/path")).collect();
    let lost: Vec<&String> = acknowledged.difference(&there).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged changes are gone: {lost:?}", lost.len(), acknowledged.len());
    // Every domain has its record and every record its domain: nothing is half there.
    let records = house.person("admin").ok(&["audit", "list", "--action", "domain.create", "--json"]).json();
    assert_eq!(records["nodes"].as_array().unwrap().len(), there.len());
    assert!(acknowledged.len() as u64 >= n_kills, "only {} changes were acknowledged", acknowledged.len());
    println!("{n_kills} kills, {} acknowledged changes, none lost", acknowledged.len());
}
