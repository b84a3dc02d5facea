//! The server is killed (SIGKILL) under load. Afterwards, every acknowledged change is there, every change has its audit
//! record, and a revoked grant has no open lease. `CHARTER_KILLS` sets the number of kills on each database, and
//! `CHARTER_KILL_EVERY` the seconds of load before each; by default the server is killed at a random time within 300 ms.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test helpers may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use testkit::number;
use testkit::postgres::Server;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::test_server::{Program, TestServer, make_demo, text};

const TABLE: &str = "nyc.flights.flights";
const DOCUMENTS: [&str; 2] = ["tests/demo/flights.product.yaml", "tests/demo/flights.contract.yaml"];
const CONFIG: &str = "[inspect]\npoll = 3600\n";
/// Clients that create domains.
const N_WRITERS: usize = 4;
/// Clients that request access, get it approved, vend, and have it revoked.
const READERS: [&str; 4] = ["kim", "lee", "max", "zoe"];
/// Vends under one grant.
const N_VENDS: usize = 3;
/// Nodes in a page of a list.
const PAGE: usize = 200;

#[test]
fn random_kills_lose_nothing_that_was_acknowledged_on_sqlite() {
    kill_under_load(None);
}

#[test]
fn random_kills_lose_nothing_that_was_acknowledged_on_postgres() {
    let Some(server) = Server::shared() else { return };
    kill_under_load(Some(server.database()));
}

fn kill_under_load(database: Option<String>) {
    let n_kills = number("CHARTER_KILLS").unwrap_or(10);
    let pause = number("CHARTER_KILL_EVERY").map(Duration::from_secs);
    let mut server = server_with_table(database);
    let runtime = Runtime::new().unwrap();
    let mut acknowledged = Acknowledged::default();
    // A fixed seed, advanced by Knuth's linear congruential generator: the delays are the same in every run.
    let mut seed: u64 = 42;
    for kill in 0..n_kills {
        let stop = Arc::new(AtomicBool::new(false));
        let (begun, mut first) = mpsc::channel::<()>(1);
        let client = |token: &str| Client {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            address: server.address.clone(),
            token: server.token(token),
            owner: server.token("ann"),
            stop: Arc::clone(&stop),
            begun: begun.clone(),
        };
        let writers = (0..N_WRITERS).map(|writer| runtime.spawn(client("admin").create_domains(kill, writer)));
        let readers = READERS.iter().map(|reader| runtime.spawn(client(reader).take_leases()));
        let clients: Vec<_> = writers.chain(readers).collect();
        // The delay counts from the first lease, so that the server is killed under load on a slow machine too.
        drop(begun);
        runtime.block_on(first.recv());
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(pause.unwrap_or(Duration::from_millis((seed >> 33) % 300)));
        server.kill_and_restart(Program::Charter);
        stop.store(true, Ordering::SeqCst);
        for client in clients {
            acknowledged.extend(runtime.block_on(client).unwrap());
        }
    }
    check(&server, &runtime, &acknowledged, n_kills);
}

/// A server with the inspected demo table.
fn server_with_table(database: Option<String>) -> TestServer {
    let server = TestServer::start_on(database, CONFIG).with_people();
    for reader in READERS {
        server.add_person(reader);
    }
    make_demo(&server.lake().join("nyc/flights"), 0);
    let ann = server.user("ann");
    ann.applies(&DOCUMENTS).ok();
    ann.inspects(TABLE).ok();
    server
}

/// Changes that the server acknowledged.
#[derive(Default)]
struct Acknowledged {
    domains: BTreeSet<String>,
    leases: BTreeSet<String>,
    revoked_grants: BTreeSet<String>,
}

impl Acknowledged {
    fn extend(&mut self, other: Self) {
        self.domains.extend(other.domains);
        self.leases.extend(other.leases);
        self.revoked_grants.extend(other.revoked_grants);
    }

    fn len(&self) -> usize {
        self.domains.len() + self.leases.len() + self.revoked_grants.len()
    }
}

/// A client that sends one request after the other until the server is gone.
struct Client {
    http: reqwest::Client,
    address: String,
    token: String,
    owner: String,
    stop: Arc<AtomicBool>,
    begun: mpsc::Sender<()>,
}

impl Client {
    async fn create_domains(self, kill: u64, writer: usize) -> Acknowledged {
        let query = "mutation($path: String!) { createDomain(input: { path: $path }) { __typename } }";
        let mut acknowledged = Acknowledged::default();
        for index in 0.. {
            let path = format!("k{kill}-{writer}-{index}");
            let answer = self.send(&self.token, query, &json!({ "path": path }), "/data/createDomain/__typename").await;
            if answer.as_deref() != Some("CreateDomainPayload") {
                break;
            }
            acknowledged.domains.insert(path);
        }
        acknowledged
    }

    async fn take_leases(self) -> Acknowledged {
        let mut acknowledged = Acknowledged::default();
        while self.take_leases_of_one_grant(&mut acknowledged).await.is_some() {}
        acknowledged
    }

    /// `None` once the server is gone.
    async fn take_leases_of_one_grant(&self, acknowledged: &mut Acknowledged) -> Option<()> {
        let query = "mutation($table: String!) { requestAccess(input:
            { address: $table, purpose: ANALYTICS, sentence: \"to learn\" }) { request { id } } }";
        let request =
            self.send(&self.token, query, &json!({ "table": TABLE }), "/data/requestAccess/request/id").await?;
        let query = "mutation($request: ID!) { approveRequest(input: { request: $request })
            { ... on ApproveRequestPayload { grant { id } } } }";
        let variables = json!({ "request": request });
        let grant = self.send(&self.owner, query, &variables, "/data/approveRequest/grant/id").await?;
        for _ in 0..N_VENDS {
            let query = "mutation($table: String!) { vendCredentials(input: { address: $table })
                { ... on VendCredentialsPayload { lease { id } } } }";
            let variables = json!({ "table": TABLE });
            let lease = self.send(&self.token, query, &variables, "/data/vendCredentials/lease/id").await?;
            acknowledged.leases.insert(lease);
            // A full channel was notified already.
            let _ = self.begun.try_send(());
        }
        let query = "mutation($grant: ID!) { revokeGrant(input: { grant: $grant, reason: \"a test\" })
            { ... on RevokeGrantPayload { grant { id } } } }";
        let revoked = self.send(&self.owner, query, &json!({ "grant": grant }), "/data/revokeGrant/grant/id").await?;
        acknowledged.revoked_grants.insert(revoked);
        Some(())
    }

    /// The text at a JSON pointer of the answer; `None` if the server is gone.
    async fn send(&self, token: &str, query: &str, variables: &Value, pointer: &str) -> Option<String> {
        if self.stop.load(Ordering::SeqCst) {
            return None;
        }
        let body = json!({ "query": query, "variables": variables });
        let sent = self.http.post(format!("{}/graphql", self.address)).bearer_auth(token).json(&body).send().await;
        let answer: Value = sent.ok()?.json().await.ok()?;
        let found = answer.pointer(pointer).and_then(Value::as_str);
        found.map(str::to_owned)
    }
}

/// Compares what was acknowledged with what is stored.
fn check(server: &TestServer, runtime: &Runtime, acknowledged: &Acknowledged, n_kills: u64) {
    let list = |subject: &str, field: &str, arguments: &str, selection: &str| {
        runtime.block_on(all_nodes(server, subject, field, arguments, selection))
    };
    let domains: BTreeSet<String> =
        list("admin", "domains", "", "path").iter().map(|domain| text(domain, "/path")).collect();
    let leases: BTreeMap<String, Value> = list("ann", "leases", "", "id state grant { id }")
        .into_iter()
        .map(|lease| (text(&lease, "/id"), lease))
        .collect();
    let revoked_grants: BTreeSet<String> = list("ann", "grants", "", "id state")
        .iter()
        .filter(|grant| grant["state"] == "REVOKED")
        .map(|grant| text(grant, "/id"))
        .collect();
    assert_contains("domains", &acknowledged.domains, &domains);
    assert_contains("leases", &acknowledged.leases, &leases.keys().cloned().collect());
    assert_contains("revoked grants", &acknowledged.revoked_grants, &revoked_grants);

    // A change and its audit record are there together or not at all.
    let n_domain_records = list("admin", "records", "action: DOMAIN_CREATE", "id").len();
    assert_eq!(n_domain_records, domains.len(), "domains and their records");
    let recorded: BTreeSet<String> =
        list("admin", "records", "action: CREDENTIAL_VEND", "... on Record { outcome detail }")
            .iter()
            .filter(|record| record["outcome"] == "DONE")
            .map(|record| serde_json::from_str::<Value>(&text(record, "/detail")).unwrap())
            .map(|detail| URL_SAFE_NO_PAD.encode(format!("lease:{}", text(&detail, "/lease"))))
            .collect();
    let stored: BTreeSet<String> = leases.keys().cloned().collect();
    assert_eq!(recorded, stored, "leases and their records");

    let open: Vec<&String> = leases
        .iter()
        .filter(|(_, lease)| matches!(lease["state"].as_str(), Some("ISSUED" | "INTENDED")))
        .filter(|(_, lease)| {
            lease.pointer("/grant/id").and_then(Value::as_str).is_some_and(|id| revoked_grants.contains(id))
        })
        .map(|(id, _)| id)
        .collect();
    assert!(open.is_empty(), "{} open leases of revoked grants: {open:?}", open.len());

    assert!(acknowledged.domains.len() as u64 >= n_kills, "only {} domains", acknowledged.domains.len());
    assert!(!acknowledged.leases.is_empty(), "no lease was acknowledged");
    println!(
        "{n_kills} kills; acknowledged: {} ({} domains, {} leases, {} revokes); lost: 0; {} leases in all, each with \
         its record, none open under the {} revoked grants",
        acknowledged.len(),
        acknowledged.domains.len(),
        acknowledged.leases.len(),
        acknowledged.revoked_grants.len(),
        leases.len(),
        revoked_grants.len()
    );
}

#[track_caller]
fn assert_contains(what: &str, acknowledged: &BTreeSet<String>, stored: &BTreeSet<String>) {
    let lost: Vec<&String> = acknowledged.difference(stored).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged {what} are lost: {lost:?}", lost.len(), acknowledged.len());
}

/// All nodes of a list.
async fn all_nodes(server: &TestServer, subject: &str, field: &str, arguments: &str, selection: &str) -> Vec<Value> {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut nodes = Vec::new();
    let mut after = Value::Null;
    loop {
        let query = format!(
            "query($after: String) {{ {field}(first: {PAGE}, after: $after, {arguments}) {{
                nodes {{ {selection} }} pageInfo {{ hasNextPage endCursor }} }} }}"
        );
        let body = json!({ "query": query, "variables": { "after": after } });
        let request = http.post(format!("{}/graphql", server.address)).bearer_auth(server.token(subject)).json(&body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let page = &answer["data"][field];
        nodes.extend(page["nodes"].as_array().unwrap_or_else(|| panic!("{answer}")).iter().cloned());
        if page["pageInfo"]["hasNextPage"] != true {
            return nodes;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}
