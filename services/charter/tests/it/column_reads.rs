//! Random columns of a table are read by the real clients through a gateway: none of them is missed.
//!
//! The worker inspects the tables; the gateway and the recorder run in this process, so that each query has a lease and
//! readings of its own. `CHARTER_QUERIES` sets the number of queries.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test helpers may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use app::lease::Leases;
use domain::clock::Random;
use domain::column_reads::{DAY, ReadColumn, day_of};
use domain::inspection::{InspectionJob, Inspector, Kept};
use domain::lease::Credentials;
use domain::table::{Format, SnapshotKey};
use gateway::Gateway;
use http_base::connections::Limits;
use serde_json::{Value, json};
use store::Lock;
use tempfile::TempDir;
use testkit::actor::TestActor;
use testkit::app::TestApp;
use testkit::clients::clients;
use testkit::inspector::Scene;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::test_server::repository;

/// Each way to read a table.
const CLIENTS: [&str; 6] =
    ["pyarrow", "polars_delta", "polars_parquet", "deltalake", "deltalake_dataset", "duckdb_pyarrow"];
/// Columns of numbers below and above the bound of a filter.
const FILTERS: [&str; 6] = ["id", "amount", "share", "count", "ratio", "last"];
/// How many queries there are without `CHARTER_QUERIES`.
const N_QUERIES: u64 = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_column_that_a_client_reads_is_missed() {
    let Some(clients) = clients() else { return };
    let n_queries = testkit::number("CHARTER_QUERIES").unwrap_or(N_QUERIES);
    let world = World::start(&clients.join("bin/python")).await;
    let mut reader = Reader::start(&clients.join("bin/python"));
    let mut figures: BTreeMap<(&str, &str), Figures> = BTreeMap::new();
    for number in 0..n_queries {
        let client = CLIENTS[usize::try_from(number).unwrap() % CLIENTS.len()];
        let table = if world.below(2) == 0 { "large" } else { "small" };
        let columns = &world.columns[table];
        let mut select: BTreeSet<&String> =
            (0..=world.below(5)).map(|_| &columns[world.below(columns.len())]).collect();
        // Only the metadata of a Delta table has its partition columns.
        let reads_files = matches!(client, "pyarrow" | "polars_parquet" | "duckdb_pyarrow");
        select.retain(|name| !(reads_files && *name == "day"));
        if select.is_empty() {
            select.insert(&columns[0]);
        }
        let filter = (world.below(2) == 0).then(|| FILTERS[world.below(FILTERS.len())]);
        let rows = reader.read(json!({
            "client": client, "select": select, "filter": filter, "partitioned": table == "small",
            "uri": world.uri(table).await, "options": world.credentials(table).await,
        }));
        assert!(rows > 0, "{client} read nothing");
        let (read, everything) = world.take_readings(table).await;
        let used: BTreeSet<String> = select.into_iter().cloned().chain(filter.map(str::to_owned)).collect();
        let missed: Vec<_> = used.difference(&read).collect();
        assert!(
            everything || missed.is_empty(),
            "{client} read {used:?} of {table}, and {missed:?} were missed: {read:?}"
        );
        let extra = if everything { columns.len() - used.len() } else { read.difference(&used).count() };
        let figures = figures.entry((table, client)).or_default();
        figures.n_queries += 1;
        figures.n_exact += usize::from(extra == 0);
        figures.n_everything += usize::from(everything);
        figures.n_extra += extra;
    }
    println!("table  client             queries  exact  everything  columns too many");
    for ((table, client), Figures { n_queries, n_exact, n_everything, n_extra }) in figures {
        let of = |n: usize| n as f64 / n_queries as f64;
        println!(
            "{table}  {client:17}  {n_queries:7}  {:4.0}%  {:9.0}%  {:16.2}",
            of(n_exact) * 100.0,
            of(n_everything) * 100.0,
            of(n_extra)
        );
    }
}

#[derive(Default)]
struct Figures {
    n_queries: usize,
    n_exact: usize,
    n_everything: usize,
    n_extra: usize,
}

/// Two inspected tables behind a gateway.
struct World {
    test: TestApp,
    owner: TestActor,
    /// Of each table.
    columns: BTreeMap<String, Vec<String>>,
    endpoint: String,
    stop: CancellationToken,
}

impl World {
    async fn start(python: &Path) -> Self {
        let test = TestApp::start().await;
        let owner = test.domain("nyc").await;
        let made = Command::new(python).arg(script()).arg("make").arg(test.table_folder("nyc")).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let columns: BTreeMap<String, Vec<String>> = serde_json::from_slice(&made.stdout).unwrap();
        for table in columns.keys() {
            let folder = test.table_folder(&format!("nyc/{table}"));
            let scene = inspected(&folder).await;
            test.inspector.set(folder, scene);
        }
        test.publish(&owner, "nyc", &documents()).await;
        test.settle().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let gateway = Gateway {
            leases: Arc::clone(&test.app) as Arc<dyn Leases>,
            clock: Arc::clone(&test.app.clock),
            random: Arc::clone(&test.app.random),
            region: test.app.settings.region.clone(),
            limits: Limits::default(),
        };
        tokio::spawn(gateway.serve(listener, stop.clone()));
        Self { test, owner, columns, endpoint, stop }
    }

    /// A random number below another one.
    fn below(&self, n: usize) -> usize {
        let mut bytes = [0; 4];
        self.test.random.fill(&mut bytes);
        usize::try_from(u32::from_le_bytes(bytes)).unwrap() % n
    }

    /// A new lease, as the clients take it.
    async fn credentials(&self, table: &str) -> Value {
        let Credentials::Gateway(lease) = self.owner.leases(&format!("nyc.{table}.rows")).await.credentials;
        json!({
            "AWS_ACCESS_KEY_ID": lease.access_key_id, "AWS_SECRET_ACCESS_KEY": lease.secret_access_key.expose(),
            "AWS_SESSION_TOKEN": lease.session_token.expose(), "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": lease.region, "AWS_ALLOW_HTTP": "true",
        })
    }

    async fn uri(&self, table: &str) -> String {
        domain::s3::table_uri(self.table_id(table).await)
    }

    async fn table_id(&self, table: &str) -> domain::id::TableId {
        let address = format!("nyc.{table}.rows").parse().unwrap();
        app::table::find_table(&self.owner, &address).await.unwrap().unwrap().table.id
    }

    /// The columns that were read of a table, and whether it may be any; forgotten afterwards.
    async fn take_readings(&self, table: &str) -> (BTreeSet<String>, bool) {
        app::column_reads::write(&self.test.app).await.unwrap();
        let today = day_of(self.owner.now());
        let mut tx = self.test.app.db.write(Lock::Free).await.unwrap();
        let found =
            store::column_reads::list_of_table(&mut tx, self.table_id(table).await, today, 1_000).await.unwrap();
        store::column_reads::delete_before(&mut tx, self.owner.now().plus(DAY)).await.unwrap();
        tx.commit().await.unwrap();
        let (mut read, mut everything) = (BTreeSet::new(), false);
        for (reading, _) in found {
            match reading.column {
                ReadColumn::Everything => everything = true,
                ReadColumn::Named(name) => drop(read.insert(name)),
            }
        }
        (read, everything)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What the worker finds in a table.
async fn inspected(root: &Path) -> Scene {
    let scratch = TempDir::new().unwrap();
    let launcher = inspect::Launcher {
        worker: PathBuf::from(env!("CARGO_BIN_EXE_charter")).with_file_name("charter-worker"),
        deadline: Duration::from_secs(300),
        memory_bytes: 4 << 30,
        cpu_seconds: 120,
        sandbox_required: false,
    };
    let job = InspectionJob {
        format: Format::Delta,
        root: root.to_owned(),
        snapshot: Some(SnapshotKey::DeltaVersion(0)),
        rules: Vec::new(),
        digests: false,
        kept: Kept::default(),
        scratch: scratch.path().to_owned(),
    };
    let found = launcher.inspect(job).await.unwrap();
    let files = found.files.into_iter().zip(found.chunks.unwrap()).collect();
    let checkpoint = Some(std::fs::read(found.checkpoint.unwrap()).unwrap());
    Scene { columns: found.schema.columns, checkpoint, ..Scene::of("").with_files(files) }
}

/// A product with one table each.
fn documents() -> Vec<String> {
    let document = |table: &str| {
        [
            format!(
                "apiVersion: v3.1.0\nkind: DataContract\nid: {table}-contract\nversion: 1.0.0\nstatus: active\nservers:\n  \
                 - server: lake\n    type: local\n    path: nyc/{table}\n    format: delta\nschema:\n  - name: rows\n    \
                 properties:\n      - name: id\n        logicalType: integer\n"
            ),
            format!(
                "apiVersion: v1.0.0\nkind: DataProduct\nid: {table}-product\nname: {table}\nstatus: active\n\
                 outputPorts:\n  - name: rows\n    version: 1.0.0\n    contractId: {table}-contract\n"
            ),
        ]
    };
    ["large", "small"].into_iter().flat_map(document).collect()
}

fn script() -> PathBuf {
    repository().join("tests/clients/columns.py")
}

/// The clients, in a process of their own.
struct Reader {
    process: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Reader {
    fn start(python: &Path) -> Self {
        let mut command = Command::new(python);
        command.arg(script()).arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { process, answers }
    }

    /// How many rows a query has.
    fn read(&mut self, query: Value) -> u64 {
        let stdin = self.process.stdin.as_mut().unwrap();
        writeln!(stdin, "{query}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        answer["rows"].as_u64().unwrap_or_else(|| panic!("{query}: {answer}"))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
