//! The budgets of docs/design.md (Budgets) that this release has, measured on the built program: `make bench`.
//!
//! Each figure is printed with its input and its budget; the disk's own `fdatasync` in the same run stands beside what
//! waits for it. Absolute times say as much about the machine as about the program: compare within one run.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark ends where it fails")]

mod measure;

use std::fs;
use std::time::{Duration, Instant};

use app::Settings;
use domain::clock::{Clock, SystemClock, Timestamp};
use domain::contract::{Classification, State};
use domain::gate::served::{JudgedSnapshot, Snapshots};
use domain::gate::{self, Action, ContractFacts, Facts, Request, Visibility};
use domain::grant::{Grant, PortMajor, Purpose, Window};
use domain::id::{AccessRequestId, BindingId, DecisionId, GrantId, PrincipalId, ProductId, SnapshotId, TableId};
use domain::identity::{PrincipalKind, PurposeCode};
use domain::org::Enforcement;
use domain::quality::Verdict;
use domain::share::BindingRight;
use policy::{Caller, Party, Policy, Question, Resource};
use serde_json::json;
use store::Options;
use tempfile::TempDir;
use testkit::actor::access_to;
use testkit::app::TestApp;
use testkit::inspector::Scene;
use uuid::Uuid;

use self::measure::{Figures, Load, Server, fdatasync};

/// How many products have a table that can be read.
const N_TABLES: usize = 200;

fn main() {
    // `cargo bench` says `--bench`; `cargo test` asks for nothing of this.
    if !std::env::args().any(|arg| arg == "--bench") {
        return;
    }
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if wanted("decision") {
        decision();
    }
    if wanted("start") {
        start(&runtime);
    }
    if wanted("vend") {
        vend(&runtime);
    }
}

/// A decision with all facts loaded, Cedar included: visibility and action asked of the policies, then the gate.
fn decision() {
    const N_GRANTS: u128 = 10_000;
    const N_DECISIONS: usize = 20_000;
    let policy = Policy::embedded().unwrap();
    let path = "nyc/flights".parse().unwrap();
    let principal = PrincipalId(Uuid::from_u128(1));
    let port_major =
        |id: u128| PortMajor { product_id: ProductId(Uuid::from_u128(id)), port: "tables".parse().unwrap(), major: 1 };
    let grants: Vec<PortMajor> = (0..N_GRANTS).map(port_major).collect();
    let caller = Caller {
        principal: Party { id: principal, kind: PrincipalKind::User },
        platform_roles: &[],
        domain_roles: &[],
        limited: false,
        grants: &grants,
    };
    let now = Timestamp::from_seconds(1_790_000_000);
    let day = Duration::from_secs(86_400);
    let mut times = Vec::with_capacity(N_DECISIONS);
    for round in 0..N_DECISIONS {
        let granted = port_major(round as u128 % N_GRANTS);
        let product =
            policy::Product { id: granted.product_id, domain: &path, classification: Classification::Confidential };
        let port_majors = [granted.clone()];
        let binding_id = BindingId(Uuid::from_u128(3));
        let began = Instant::now();
        let visible = policy.allows(&caller, policy::Action::ViewProduct, &Resource::Product(product));
        let resource = Resource::Binding { id: binding_id, product, port_majors: &port_majors };
        let question = Question { caller: &caller, action: policy::Action::Read, resource: &resource, purpose: None };
        let answer = policy.decide(&question);
        let role_grants = policy.reads_by_role(&question, &answer);
        let facts = Facts {
            principal_enabled: true,
            visibility: if visible { Visibility::Established } else { Visibility::Hidden },
            policy: answer,
            product_served: true,
            contract: ContractFacts {
                version: "1.0.0".parse().unwrap(),
                state: State::Active { since: now },
                settings: domain::contract::Settings::default(),
                freshness: None,
            },
            enforcement: Enforcement::On,
            role_grants,
            grants: vec![Grant {
                id: GrantId(Uuid::from_u128(5)),
                request_id: AccessRequestId(Uuid::from_u128(6)),
                principal_id: principal,
                port_major: granted,
                purpose: Purpose { code: PurposeCode::Analytics, sentence: "to measure".to_owned() },
                window: Window { from: now.minus(day), until: now.plus(day) },
                granted_by: principal,
                granted_at: now,
                revoked: None,
            }],
            snapshots: Snapshots {
                judged: vec![JudgedSnapshot {
                    snapshot_id: SnapshotId(Uuid::from_u128(7)),
                    committed_at: now,
                    verdict: Verdict::Pass,
                    conforms: true,
                    readable: true,
                    conformance: Vec::new(),
                    findings: Vec::new(),
                }],
                ..Snapshots::default()
            },
            binding: BindingRight::Stands,
            location_is_its_own: true,
        };
        let request = Request {
            decision_id: DecisionId(Uuid::from_u128(round as u128)),
            principal_id: principal,
            action: Action::Read,
            binding_id,
            table_id: TableId(Uuid::from_u128(4)),
            purpose: None,
            lifetime: None,
            now,
        };
        let decision = gate::decide(&request, &facts);
        times.push(began.elapsed());
        assert!(decision.allows());
    }
    let figures = Figures::of(times);
    println!("decision, Cedar included, the caller holds {N_GRANTS} grants, n = {N_DECISIONS}: {figures}");
    println!("  budget: p99 under 100 us");
}

/// From exec to the first 200 of `/ready`, and the resident memory 30 s later, on a data directory with 1,000 products.
fn start(runtime: &tokio::runtime::Runtime) {
    const N_STARTS: usize = 20;
    let (data, _) = runtime.block_on(catalog(1_000));
    let mut times = Vec::new();
    for _ in 0..N_STARTS {
        let began = Instant::now();
        let mut server = Server::start(data.path());
        runtime.block_on(server.ready());
        times.push(began.elapsed());
        server.stop();
    }
    times.sort();
    println!(
        "exec to first 200 of /ready, 1,000 products, {N_STARTS} starts: median {} ms, slowest {} ms",
        times[N_STARTS / 2].as_millis(),
        times[N_STARTS - 1].as_millis()
    );
    println!("  budget: median under 100 ms");
    let mut server = Server::start(data.path());
    runtime.block_on(server.ready());
    std::thread::sleep(Duration::from_secs(30));
    println!("resident memory 30 s after the start: {:.1} MB", server.resident_kb() as f64 / 1_000.0);
    println!("  budget: under 60 MB");
    server.stop();
}

/// Vend over loopback HTTP: token check, policy, gate, and a durable decision, lease and record for each.
fn vend(runtime: &tokio::runtime::Runtime) {
    const DURATION: Duration = Duration::from_secs(10);
    let n_products = std::env::var("CHARTER_BENCH_PRODUCTS").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let began = Instant::now();
    let (data, token) = runtime.block_on(catalog(n_products));
    println!(
        "{n_products} products published and {N_TABLES} tables bound, granted and seen in {:.1?}",
        began.elapsed()
    );
    let disk = fdatasync(data.path());
    // The load is that of many principals.
    fs::write(data.path().join("charter.toml"), "[limits]\nvends = 0\n").unwrap();
    let mut server = Server::start(data.path());
    runtime.block_on(server.ready());
    let host = server.address.strip_prefix("http://").unwrap();
    let requests = (0..N_TABLES).map(|table| request(host, &token, table)).collect();
    let load = Load::new(&server.address, requests, "\"__typename\":\"VendCredentialsPayload\"");
    load.each_once();

    let what = format!("vend over HTTP, {n_products} products");
    let one = load.closed_loop(1, DURATION);
    println!("{what}, closed loop, 1 client: {} /s, {one}", one.per_second(DURATION));
    println!("  budget: p99 under 5 ms");
    let eight = load.closed_loop(8, DURATION);
    println!("{what}, closed loop, 8 clients: {} /s, {eight}", eight.per_second(DURATION));
    println!("  budget: over 2,000 /s");
    let open = load.open_loop(1_000, DURATION);
    println!("{what}, open loop at 1,000 /s: {open}");
    println!("  budget: p99 under 10 ms");
    println!("fdatasync of 4 KiB on the same disk before the load: {disk}; after it: {}", fdatasync(data.path()));
    server.stop();
}

fn request(host: &str, token: &str, table: usize) -> Vec<u8> {
    let query = "mutation($input: VendCredentialsInput!) { vendCredentials(input: $input) { __typename \
                 ... on VendCredentialsPayload { credentials { ... on GatewayCredentials { accessKeyId secretAccessKey sessionToken } } } } }";
    let body = json!({ "query": query, "variables": { "input": { "address": address(table) } } }).to_string();
    format!(
        "POST /graphql HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A data directory with products, tables of which the first [`N_TABLES`] can be read, and a reader's token.
async fn catalog(n_products: usize) -> (TempDir, String) {
    const N_IN_A_SET: usize = 500;
    let test = TestApp::start_with(None, Options::for_testing(), Settings::for_testing()).await;
    test.clock.set(SystemClock.now());
    let owner = test.domain("bench").await;
    test.principal("reader").await;
    for first in (0..n_products).step_by(N_IN_A_SET) {
        let documents: Vec<String> =
            (first..(first + N_IN_A_SET).min(n_products)).flat_map(|index| [product(index), contract(index)]).collect();
        match owner.publishes("bench", &documents).await.unwrap() {
            app::publish::Outcome::Done(_) => {}
            other => panic!("not taken: {other:?}"),
        }
    }
    for index in 0..N_TABLES.min(n_products) {
        let folder = test.table_folder(&format!("bench/t{index}"));
        fs::create_dir_all(folder.join("_delta_log")).unwrap();
        fs::write(folder.join("_delta_log/00000000000000000000.json"), b"{}").unwrap();
        test.inspector.set(folder, Scene::of("id:integer name:string"));
    }
    test.settle().await;
    let reader = test.ctx("reader").await;
    for index in 0..N_TABLES.min(n_products) {
        owner.grants(&reader, access_to(&address(index))).await.unwrap();
    }
    let token = test.token("reader").await;
    (test.into_data().await, token)
}

fn address(index: usize) -> String {
    format!("bench.p{index}.rows")
}

fn product(index: usize) -> String {
    format!(
        "apiVersion: v1.0.0\nkind: DataProduct\nid: p{index}\nname: p{index}\nstatus: active\noutputPorts:\n  \
         - name: tables\n    version: 1.0.0\n    contractId: c{index}\n"
    )
}

fn contract(index: usize) -> String {
    // Only the tables that are read have a folder; the other contracts wait as drafts.
    let servers = match index < N_TABLES {
        true => format!("servers:\n  - server: lake\n    type: local\n    path: bench/t{index}\n    format: delta\n"),
        false => String::new(),
    };
    format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: c{index}\nversion: 1.0.0\nstatus: active\n{servers}schema:\n  - name: rows\n    \
         logicalType: object\n    properties:\n      - name: id\n        logicalType: integer\n        required: true\n      \
         - name: name\n        logicalType: string\n"
    )
}
