//! What it costs the gateway to record which columns are read: ranges of a table read with and without recording, in
//! turns on one server: `make bench`.

#![expect(clippy::unwrap_used, reason = "a benchmark ends where it fails")]

#[expect(dead_code, reason = "the benchmark needs only the signatures")]
#[path = "../tests/it/support.rs"]
mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use app::App;
use app::lease::{Denied, LeaseSecrets, Leases, OpenLease};
use domain::clock::{Clock, SystemClock};
use domain::column_reads::{Chunk, FileChunks};
use domain::id::LeaseId;
use domain::s3::Region;
use futures::future::BoxFuture;
use gateway::Gateway;
use http_base::connections::Limits;
use testkit::actor::access_to;
use testkit::app::TestApp;
use testkit::inspector::Scene;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::support::{Signer, pinned};

const N_COLUMNS: u32 = 20;
const N_ROW_GROUPS: u64 = 8;
/// The size of a column in a row group: what a request reads.
const CHUNK_BYTES: u64 = 64 << 10;
const N_CLIENTS: usize = 2;
/// How often it is measured each way, and for how long each time.
const N_ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_secs(1);
const FILE: &str = "part.parquet";
const TABLE: &str = "nyc.trips.rows";

fn main() {
    // `cargo bench` says `--bench`; `cargo test` asks for nothing of this.
    let mut args = std::env::args().skip(1);
    let (bench, others): (Vec<String>, Vec<String>) = args.by_ref().partition(|arg| arg == "--bench");
    let only = others.iter().find(|arg| !arg.starts_with('-'));
    if bench.is_empty() || only.is_some_and(|only| only != "reads") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, requests) = runtime.block_on(start());
    let mut rates = [Vec::new(), Vec::new()];
    // The first pair of rounds fills the caches.
    for round in 0..=N_ROUNDS {
        // Neither way is always the first.
        for records in [round % 2 == 0, round % 2 == 1] {
            server.leases.records.store(records, Ordering::Relaxed);
            let rate = server.round(&requests);
            if round > 0 {
                rates[usize::from(records)].push(rate);
            }
        }
    }
    let ratios = rates[1].iter().zip(&rates[0]).map(|(with, without)| with / without);
    let overheads = ratios.map(|ratio| 100.0 * (1.0 - ratio)).collect();
    let [without, with] = rates.map(median);
    println!(
        "gateway, ranges of {} KiB of a file of {N_COLUMNS} columns and {N_ROW_GROUPS} row groups, {N_CLIENTS} clients, \
         {N_ROUNDS} pairs of rounds of {ROUND:?}: {with:.0} /s with the recording of columns, {without:.0} /s without; \
         median overhead of a pair {:.1} %",
        CHUNK_BYTES >> 10,
        median(overheads)
    );
    println!("  budget: under 3 %");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

struct Server {
    address: SocketAddr,
    leases: Arc<Switched>,
    _test: TestApp,
}

/// The leases of an application, which hears of reads only while it records them.
struct Switched {
    app: Arc<App>,
    records: AtomicBool,
}

impl Leases for Switched {
    fn open(&self, id: LeaseId) -> BoxFuture<'_, Result<Arc<OpenLease>, Denied>> {
        self.app.open(id)
    }

    fn still_open(&self, id: LeaseId) -> BoxFuture<'_, bool> {
        self.app.still_open(id)
    }

    fn sends(&self, lease: &OpenLease, key: &str, size_bytes: u64, bytes: &Range<u64>) {
        if self.records.load(Ordering::Relaxed) {
            self.app.sends(lease, key, size_bytes, bytes);
        }
    }

    fn secrets(&self) -> &LeaseSecrets {
        self.app.secrets()
    }
}

/// A gateway over an application with one table, and a signed request for each chunk of it.
async fn start() -> (Server, Vec<Vec<u8>>) {
    let test = TestApp::start().await;
    test.clock.set(SystemClock.now());
    let owner = test.domain("nyc").await;
    test.publish(&owner, "nyc", &[PRODUCT, &contract()]).await;
    let folder = test.table_folder("nyc/trips");
    fs::create_dir_all(&folder).unwrap();
    let ranges: Vec<Range<u64>> = (0..u64::from(N_COLUMNS) * N_ROW_GROUPS)
        .map(|place| 4 + place * CHUNK_BYTES..4 + (place + 1) * CHUNK_BYTES)
        .collect();
    let chunk = |(place, bytes): (u32, &Range<u64>)| Chunk {
        start: bytes.start,
        end: bytes.end,
        column: Some(place % N_COLUMNS),
    };
    let chunks = FileChunks::new((0..).zip(&ranges).map(chunk).collect()).unwrap();
    let size_bytes = ranges.last().unwrap().end + 1_000;
    fs::write(folder.join(FILE), vec![7; usize::try_from(size_bytes).unwrap()]).unwrap();
    let columns: Vec<String> = (0..N_COLUMNS).map(|place| format!("c{place}:integer")).collect();
    let scene = Scene::of(&columns.join(" ")).with_files(vec![(pinned(&folder, FILE), Some(chunks))]);
    test.lay("nyc/trips", 0, scene).await;
    let reader = test.principal("reader").await;
    owner.grants(&reader, access_to(TABLE)).await.unwrap();
    let issued = reader.leases(TABLE).await;
    app::column_reads::begin(&test.app).await.unwrap();

    let leases = Arc::new(Switched { app: Arc::clone(&test.app), records: AtomicBool::new(true) });
    let gateway = Gateway {
        leases: leases.clone(),
        clock: test.clock.clone(),
        random: test.random.clone(),
        region: Region::default(),
        limits: Limits::default(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(gateway.serve(listener, CancellationToken::new()));
    let signer = Signer::new(leases.secrets().credentials(issued.lease.id), address);
    let target = format!("/lake/{}/{FILE}", issued.lease.table_id);
    let request = |range: &Range<u64>| {
        let request = signer.sign("GET", &target).kept_alive();
        request.header("range", &format!("bytes={}-{}", range.start, range.end - 1)).bytes()
    };
    let requests = ranges.iter().map(request).collect();
    (Server { address, leases, _test: test }, requests)
}

impl Server {
    /// How many requests a second the clients get answered.
    fn round(&self, requests: &[Vec<u8>]) -> f64 {
        let (began, n_answered) = (Instant::now(), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for client in 0..N_CLIENTS {
                let n_answered = &n_answered;
                scope.spawn(move || {
                    let mut stream = TcpStream::connect(self.address).unwrap();
                    stream.set_nodelay(true).unwrap();
                    let mut answer = vec![0; 2 * CHUNK_BYTES as usize];
                    for turn in (client..).step_by(N_CLIENTS) {
                        if began.elapsed() >= ROUND {
                            return;
                        }
                        ask(&mut stream, &requests[turn % requests.len()], &mut answer);
                        n_answered.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        n_answered.into_inner() as f64 / began.elapsed().as_secs_f64()
    }
}

/// Sends a request and reads its whole answer.
fn ask(stream: &mut TcpStream, request: &[u8], answer: &mut [u8]) {
    stream.write_all(request).unwrap();
    let (mut n_read, mut end) = (0, None);
    while end.is_none_or(|end| n_read < end) {
        let n_more = stream.read(&mut answer[n_read..]).unwrap();
        assert!(n_more > 0, "the gateway closed the connection");
        n_read += n_more;
        if end.is_none()
            && let Some(head) = answer[..n_read].windows(4).position(|window| window == b"\r\n\r\n")
        {
            let head_text = String::from_utf8_lossy(&answer[..head]);
            assert!(head_text.starts_with("HTTP/1.1 206"), "{head_text}");
            end = Some(head + 4 + CHUNK_BYTES as usize);
        }
    }
}

const PRODUCT: &str = "apiVersion: v1.0.0\nkind: DataProduct\nid: trips\nname: trips\nstatus: active\noutputPorts:\n  \
                       - name: tables\n    version: 1.0.0\n    contractId: trips\n";

fn contract() -> String {
    let columns = (0..N_COLUMNS).map(|place| format!("      - name: c{place}\n        logicalType: integer\n"));
    let head = "apiVersion: v3.1.0\nkind: DataContract\nid: trips\nversion: 1.0.0\nstatus: active\nservers:\n  \
                - server: lake\n    type: local\n    path: nyc/trips\n    format: delta\nschema:\n  - name: rows\n    \
                logicalType: object\n    properties:\n";
    head.to_owned() + &columns.collect::<String>()
}
