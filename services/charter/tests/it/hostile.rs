//! Hostile connections: half-sent bodies, slow heads, large bodies and idle connections keep neither the memory nor the other
//! clients of the server. `CHARTER_HOSTILE` sets their number; with it, the times of a well-behaved client are checked, too.

#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::test_server::TestServer;

const CONFIG: &str = "[inspect]\npoll = 3600\n";
/// The size of a half-sent body, just below what the registry takes.
const HALF_BYTES: usize = 1_900_000;
const MAX_RESIDENT_KB: u64 = 200_000;
const N_REQUESTS: usize = 1_000;
/// How many kinds of hostile connections there are.
const N_KINDS: usize = 6;

#[test]
fn hostile_connections_take_neither_the_memory_nor_the_time_of_others() {
    let configured = testkit::number("CHARTER_HOSTILE").map(|n| n.try_into().unwrap());
    let n_connections = configured.unwrap_or(300);
    let server = TestServer::start(CONFIG).with_people();
    // The client does not wait for the attackers' turns, nor the server for their processor time: real attackers bring
    // their own.
    let mut attackers = tokio::runtime::Builder::new_multi_thread();
    let attackers = attackers.worker_threads(1).enable_all().on_thread_start(|| {
        rustix::process::nice(19).unwrap();
    });
    let attackers = attackers.build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (baseline, attacked, resident_kb, n_opened) = runtime.block_on(async {
        let client = Client::new(&server, "ann");
        client.times(100).await;
        let baseline = p99(client.times(N_REQUESTS).await);

        let attack = Attack::begin(&attackers, &server, n_connections);
        let mut resident_kb = 0;
        let mut times = Vec::new();
        let until = Instant::now() + Duration::from_secs(5);
        while times.len() < N_REQUESTS || Instant::now() < until {
            times.extend(client.times(20).await);
            resident_kb = resident_kb.max(server.resident_kb());
        }
        let n_opened = attack.end().await;
        (baseline, p99(times), resident_kb, n_opened)
    });
    println!(
        "{n_connections} hostile connections ({n_opened} opened): resident {:.0} MB; a request's p99 {attacked:?}, without \
         them {baseline:?}",
        resident_kb as f64 / 1e3
    );
    assert!(n_opened >= n_connections);
    assert!(resident_kb < MAX_RESIDENT_KB, "resident: {resident_kb} kB");
    if configured.is_some() {
        assert!(attacked < 2 * baseline, "p99 {attacked:?}, without the attack {baseline:?}");
    }
}

fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[(times.len() - 1) * 99 / 100]
}

/// A client that sends small requests one after the other.
struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    fn new(server: &TestServer, subject: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { http, url: format!("{}/graphql", server.address), token: server.token(subject) }
    }

    async fn times(&self, n_requests: usize) -> Vec<Duration> {
        let mut times = Vec::new();
        for _ in 0..n_requests {
            let began = Instant::now();
            let request = self.http.post(&self.url).bearer_auth(&self.token).header("content-type", "application/json");
            let answer = request.body(r#"{"query":"{ viewer { version } }"}"#).send().await.unwrap();
            assert!(answer.status().is_success(), "{answer:?}");
            answer.bytes().await.unwrap();
            times.push(began.elapsed());
        }
        times
    }
}

/// Connections that are opened again whenever the server closes them.
struct Attack {
    stop: CancellationToken,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    n_opened: Arc<AtomicUsize>,
}

impl Attack {
    fn begin(attackers: &Runtime, server: &TestServer, n_connections: usize) -> Self {
        let (stop, n_opened) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let address = server.address.trim_start_matches("http://").to_owned();
        let token = server.token("eve");
        let all_sent: Vec<Arc<[u8]>> = (0..N_KINDS).map(|kind| sent(kind, &token).into()).collect();
        let tasks = (0..n_connections).map(|index| {
            let (address, sent) = (address.clone(), Arc::clone(&all_sent[index % N_KINDS]));
            let n_opened = Arc::clone(&n_opened);
            let attack = async move {
                loop {
                    if let Ok(stream) = TcpStream::connect(&address).await {
                        n_opened.fetch_add(1, Ordering::Relaxed);
                        hold(stream, &sent).await;
                    }
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            };
            let stop = stop.clone();
            attackers.spawn(async move {
                let _ = stop.run_until_cancelled(attack).await;
            })
        });
        Self { tasks: tasks.collect(), stop, n_opened }
    }

    async fn end(self) -> usize {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
        self.n_opened.load(Ordering::Relaxed)
    }
}

/// Sends what there is to send, in pieces, then waits for the server to close the connection.
async fn hold(mut stream: TcpStream, sent: &[u8]) {
    for piece in sent.chunks(32 << 10) {
        if stream.write_all(piece).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
    let mut answer = [0; 512];
    while let Ok(1..) = stream.read(&mut answer).await {}
}

/// What a hostile connection of a kind sends.
fn sent(kind: usize, token: &str) -> Vec<u8> {
    let post = |path: &str, authorization: &str, n_bytes: usize| {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: h\r\n{authorization}content-type: application/json\r\n\
             content-length: 1999999\r\n\r\n{{\"query\":\""
        );
        let mut bytes = head.into_bytes();
        bytes.resize(bytes.len() + n_bytes, b'x');
        bytes
    };
    let signed = format!("authorization: Bearer {token}\r\n");
    match kind {
        0 => post("/registry/subjects/orders-value/versions", &signed, HALF_BYTES),
        1 => post("/registry/compatibility/subjects/orders-value/versions", &signed, HALF_BYTES),
        2 => post("/graphql", &signed, 900_000),
        3 => post("/graphql", "", HALF_BYTES),
        4 => b"GET /health HTTP/1.1\r\nx-slow: ".to_vec(),
        _ => Vec::new(),
    }
}
