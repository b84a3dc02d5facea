//! A gateway with one table and its leases, and a client that sends requests byte for byte.

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::lease::file_list::{Checkpoint, FileList, checkpoint_key};
use app::lease::{Denied, LeaseCredentials, LeaseSecrets, Leases, OpenLease, Scope, StoredTable};
use domain::clock::{Clock, Random, SystemClock, Timestamp};
use domain::id::{LeaseId, TableId};
use domain::s3::Region;
use domain::table::{FileDigest, PinnedFile};
use futures::future::BoxFuture;
use gateway::Gateway;
use hmac::{Hmac, KeyInit, Mac};
use http_base::connections::Limits;
use sha2::{Digest, Sha256};
use storage::LocalLake;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The table that every lease of the tests opens.
pub(crate) const TABLE: TableId = TableId(Uuid::from_u128(0x7ab1e));
/// The pinned lease.
pub(crate) const LEASE: LeaseId = LeaseId(Uuid::from_u128(0x001e_a5e1));
/// A lease of the same table's unpinned folder.
pub(crate) const FOLDER_LEASE: LeaseId = LeaseId(Uuid::from_u128(0x001e_a5e2));
/// A lease that does not exist.
pub(crate) const UNKNOWN_LEASE: LeaseId = LeaseId(Uuid::from_u128(0x001e_a5ef));
/// The expiry of the leases, by the test's clock, which starts at 0.
pub(crate) const LEASE_END: Timestamp = Timestamp(3_600_000_000);
/// A key that needs every kind of encoding.
pub(crate) const ODD_KEY: &str = "place=a b+c%2Fd/ü'x.parquet";
/// The size of `big.bin`: several chunks, and a piece.
pub(crate) const BIG_BYTES: usize = (3 << 20) + 5;
/// More than the sockets buffer, so that a response of this size is in progress until its client reads on.
pub(crate) const HUGE_BYTES: u64 = 64 << 20;

/// The time limit of every step of a test.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A gateway over a temporary folder.
pub(crate) struct TestServer {
    folder: TempDir,
    pub(crate) address: SocketAddr,
    pub(crate) leases: Arc<TestLeases>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) serving: Option<JoinHandle<std::io::Result<()>>>,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::with_limits(Limits::default()).await
    }

    pub(crate) async fn with_limits(limits: Limits) -> Self {
        Self::with(limits, Region::default()).await
    }

    pub(crate) async fn in_region(region: &str) -> Self {
        Self::with(Limits::default(), region.parse().unwrap()).await
    }

    async fn with(limits: Limits, region: Region) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (root, data) = (folder.path().join("lake/table"), folder.path().join("data"));
        write_table(&root);
        fs::create_dir_all(&data).unwrap();
        fs::write(data.join("checkpoint"), "our own checkpoint").unwrap();
        fs::create_dir_all(folder.path().join("lake/table2")).unwrap();
        fs::write(folder.path().join("lake/table2/secret.parquet"), "secret").unwrap();
        std::os::unix::fs::symlink(folder.path().join("lake/table2/secret.parquet"), root.join("link.parquet"))
            .unwrap();
        std::os::unix::fs::symlink(folder.path().join("lake/table2"), root.join("linked")).unwrap();

        let leases = Arc::new(TestLeases::default());
        let clock = Arc::new(ManualClock::default());
        let shutdown = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let gateway =
            Gateway { leases: leases.clone(), clock: clock.clone(), random: Arc::new(Zeroes), region, limits };
        let serving = Some(tokio::spawn(gateway.serve(listener, shutdown.clone())));
        let server = Self { folder, address, leases, clock, shutdown, serving };
        server.pin(&[
            "a.parquet",
            "big.bin",
            "empty.bin",
            "huge.bin",
            "nested/b.parquet",
            "nested/deep/c.parquet",
            ODD_KEY,
        ]);
        server.leases.put(FOLDER_LEASE, Scope::Folder { table: server.table() });
        server
    }

    /// The table's folder, by a path without links.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("lake/table")
    }

    /// The table in its storage.
    fn table(&self) -> StoredTable {
        let lake = LocalLake::open(&self.folder.path().join("lake")).unwrap();
        StoredTable { lake: Arc::new(lake), location: "table".parse().unwrap() }
    }

    /// Our own checkpoint's file.
    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("data/checkpoint")
    }

    /// Pins these files in their current state, and a checkpoint of version 2, to the pinned lease.
    pub(crate) fn pin(&self, keys: &[&str]) {
        self.pin_files(keys.iter().map(|key| pinned(&self.root(), key)).collect());
    }

    /// Pins these files, and a checkpoint of version 2, to the pinned lease.
    pub(crate) fn pin_files(&self, files: Vec<PinnedFile>) {
        let own = pinned(Path::new("/"), self.checkpoint().to_str().unwrap().trim_start_matches('/'));
        let PinnedFile { size_bytes, mtime_ns, inode, .. } = own;
        let digest = digest_of(&self.checkpoint());
        let checkpoint = Checkpoint { path: self.checkpoint(), digest, size_bytes, mtime_ns, inode };
        let files = Arc::new(FileList::delta(2, files, checkpoint).unwrap());
        self.leases.put(LEASE, Scope::Pinned { table: self.table(), files, chunks: None });
    }

    /// A signer with the valid credentials of a lease.
    pub(crate) fn signer(&self, lease: LeaseId) -> Signer {
        Signer::new(self.leases.secrets().credentials(lease), self.address)
    }

    /// Sends a signed request under the pinned lease.
    pub(crate) async fn ask(&self, method: &str, target: &str) -> Answer {
        self.send(&self.signer(LEASE).sign(method, target)).await
    }

    /// Sends a signed GET with an additional header.
    pub(crate) async fn get_with(&self, key: &str, header: &str, value: &str) -> Answer {
        self.send(&self.signer(LEASE).sign("GET", &object(key)).header(header, value)).await
    }

    /// Sends a request on a new connection, and reads until it is closed.
    pub(crate) async fn send(&self, request: &Request) -> Answer {
        let mut stream = self.connect().await;
        // The gateway may answer and close before it has read all of a refused body.
        let _ = stream.write_all(&request.bytes()).await;
        read_answer(&mut stream).await
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

/// Reads a response until its connection is closed.
pub(crate) async fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(TIMEOUT, stream.read_to_end(&mut bytes)).await;
    // A connection that is cut short may end with a reset; the bytes before it count.
    let _ = read.expect("the gateway neither answers nor closes the connection");
    Answer::parse(&bytes)
}

/// Reads the head of a response, and none of its body.
pub(crate) async fn read_head(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = tokio::time::timeout(TIMEOUT, stream.read_u8()).await.expect("no answer").unwrap();
        head.push(byte);
    }
    head
}

/// The target of an object of the table, encoded as clients do.
pub(crate) fn object(key: &str) -> String {
    format!("/lake/{TABLE}/{}", encoded(key, true))
}

/// A file as an inspection would pin it.
pub(crate) fn pinned(root: &Path, key: &str) -> PinnedFile {
    let metadata = fs::symlink_metadata(root.join(key)).unwrap();
    PinnedFile {
        path: key.to_owned(),
        size_bytes: metadata.size(),
        mtime_ns: metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec(),
        inode: metadata.ino(),
        ctime_ns: Some(metadata.ctime() * 1_000_000_000 + metadata.ctime_nsec()),
        digest: None,
    }
}

/// The digest of a file's bytes.
pub(crate) fn digest_of(path: &Path) -> FileDigest {
    FileDigest(Sha256::digest(fs::read(path).unwrap()).into())
}

/// The key under which the checkpoint of the pinned lease is served.
pub(crate) fn own_checkpoint() -> String {
    checkpoint_key(2)
}

/// The content of `big.bin`.
pub(crate) fn big() -> Vec<u8> {
    (0..BIG_BYTES).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

fn write_table(root: &Path) {
    fs::create_dir_all(root.join("nested/deep")).unwrap();
    fs::create_dir_all(root.join("_delta_log")).unwrap();
    fs::create_dir_all(root.join(ODD_KEY).parent().unwrap()).unwrap();
    fs::write(root.join("a.parquet"), "0123456789").unwrap();
    fs::write(root.join("big.bin"), big()).unwrap();
    fs::write(root.join("empty.bin"), "").unwrap();
    fs::File::create(root.join("huge.bin")).unwrap().set_len(HUGE_BYTES).unwrap();
    fs::write(root.join("nested/b.parquet"), "b").unwrap();
    fs::write(root.join("nested/deep/c.parquet"), "c").unwrap();
    fs::write(root.join(ODD_KEY), "odd").unwrap();
    fs::write(root.join("bad.parquet"), "rows of a failed version").unwrap();
    for name in ["00000000000000000002.json", "00000000000000000002.checkpoint.parquet", "_last_checkpoint"] {
        fs::write(root.join("_delta_log").join(name), "the real log").unwrap();
    }
}

/// Leases kept in memory.
pub(crate) struct TestLeases {
    /// What was sent of which file.
    pub(crate) sent: Mutex<Vec<(String, Range<u64>)>>,
    leases: Mutex<HashMap<LeaseId, Result<Arc<OpenLease>, Denied>>>,
    secrets: LeaseSecrets,
}

impl Default for TestLeases {
    fn default() -> Self {
        Self { sent: Mutex::default(), leases: Mutex::default(), secrets: LeaseSecrets::new([7; 32]) }
    }
}

impl TestLeases {
    pub(crate) fn put(&self, id: LeaseId, scope: Scope) {
        let lease = OpenLease { id, table_id: TABLE, reader: None, expires_at: LEASE_END, scope };
        self.leases.lock().unwrap().insert(id, Ok(Arc::new(lease)));
    }

    pub(crate) fn deny(&self, id: LeaseId, denied: Denied) {
        self.leases.lock().unwrap().insert(id, Err(denied));
    }

    fn find(&self, id: LeaseId) -> Result<Arc<OpenLease>, Denied> {
        self.leases.lock().unwrap().get(&id).cloned().unwrap_or(Err(Denied::Unknown))
    }
}

impl Leases for TestLeases {
    fn open(&self, id: LeaseId) -> BoxFuture<'_, Result<Arc<OpenLease>, Denied>> {
        Box::pin(async move { self.find(id) })
    }

    fn still_open(&self, id: LeaseId) -> BoxFuture<'_, bool> {
        Box::pin(async move { self.find(id).is_ok() })
    }

    fn sends(&self, _: &OpenLease, key: &str, _: u64, bytes: &Range<u64>) {
        self.sent.lock().unwrap().push((key.to_owned(), bytes.clone()));
    }

    fn secrets(&self) -> &LeaseSecrets {
        &self.secrets
    }
}

/// A clock that stands still until it is set.
#[derive(Default)]
pub(crate) struct ManualClock(AtomicI64);

impl ManualClock {
    pub(crate) fn set(&self, now: Timestamp) {
        self.0.store(now.micros(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// No randomness: request ids need not differ here.
struct Zeroes;

impl Random for Zeroes {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

/// A request, byte for byte.
#[derive(Clone)]
pub(crate) struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// A request without a signature.
    pub(crate) fn new(method: &str, target: &str) -> Self {
        let headers = vec![("host".to_owned(), "server".to_owned()), ("connection".to_owned(), "close".to_owned())];
        Self { method: method.to_owned(), target: target.to_owned(), headers, body: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same request, for a connection that stays open.
    pub(crate) fn kept_alive(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "connection");
        self
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self.header("content-length", &body.len().to_string())
    }

    /// A body without a length.
    pub(crate) fn raw_body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    /// The same request on another method, with its signature as it was.
    pub(crate) fn method(mut self, method: &str) -> Self {
        self.method = method.to_owned();
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend(format!("{name}: {value}\r\n").bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        bytes
    }
}

/// Signs like a client (signature version 4). Tests set its fields wrong, one at a time.
#[derive(Clone)]
pub(crate) struct Signer {
    pub(crate) access_key: String,
    pub(crate) secret: String,
    /// The session tokens to send; one is valid.
    pub(crate) tokens: Vec<String>,
    pub(crate) service: &'static str,
    pub(crate) payload_hash: &'static str,
    /// The moment of the signature. `s3s` compares it with the machine's clock.
    pub(crate) at: Timestamp,
    pub(crate) host: String,
}

impl Signer {
    pub(crate) fn new(credentials: LeaseCredentials, address: SocketAddr) -> Self {
        Self {
            access_key: credentials.access_key_id,
            secret: credentials.secret_access_key.expose().to_owned(),
            tokens: vec![credentials.session_token.expose().to_owned()],
            service: "s3",
            payload_hash: "UNSIGNED-PAYLOAD",
            at: SystemClock.now(),
            host: address.to_string(),
        }
    }

    /// A request with the signature in its headers. Tokens are sent but not signed, so that the number of them does not
    /// matter to the signature.
    pub(crate) fn sign(&self, method: &str, target: &str) -> Request {
        let signed = [
            ("host", self.host.clone()),
            ("x-amz-content-sha256", self.payload_hash.to_owned()),
            ("x-amz-date", self.date_time()),
        ];
        let signature = self.signature(method, target, &signed, self.payload_hash);
        let names = signed.each_ref().map(|(name, _)| *name).join(";");
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={names}, Signature={signature}",
            self.access_key,
            self.scope()
        );
        let mut request = Request::new(method, target);
        request.headers.retain(|(name, _)| name != "host");
        for (name, value) in signed {
            request = request.header(name, &value);
        }
        for token in &self.tokens {
            request = request.header("x-amz-security-token", token);
        }
        request.header("authorization", &authorization)
    }

    /// A request with the signature in its query, and tokens in headers.
    pub(crate) fn presign(&self, method: &str, target: &str) -> Request {
        let credential = encoded(&format!("{}/{}", self.access_key, self.scope()), false);
        let target = format!(
            "{target}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date={}&X-Amz-Expires=600\
             &X-Amz-SignedHeaders=host",
            self.date_time()
        );
        let signature = self.signature(method, &target, &[("host", self.host.clone())], "UNSIGNED-PAYLOAD");
        let mut request = Request::new(method, &format!("{target}&X-Amz-Signature={signature}"));
        request.headers.retain(|(name, _)| name != "host");
        let request = request.header("host", &self.host);
        self.tokens.iter().fold(request, |request, token| request.header("x-amz-security-token", token))
    }

    fn signature(&self, method: &str, target: &str, signed: &[(&str, String)], payload_hash: &str) -> String {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut pairs: Vec<String> = url::form_urlencoded::parse(query.as_bytes())
            .map(|(name, value)| format!("{}={}", encoded(&name, false), encoded(&value, false)))
            .collect();
        pairs.sort();
        let headers: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
        let canonical = format!(
            "{method}\n{}\n{}\n{headers}\n{}\n{payload_hash}",
            encoded(&decoded(path), true),
            pairs.join("&"),
            names.join(";")
        );
        let (date_time, scope) = (self.date_time(), self.scope());
        let text = format!("AWS4-HMAC-SHA256\n{date_time}\n{scope}\n{}", hex::encode(Sha256::digest(canonical)));
        let key = [&date_time[..8], "us-east-1", self.service, "aws4_request"]
            .iter()
            .fold(format!("AWS4{}", self.secret).into_bytes(), |key, part| hmac(&key, part));
        hex::encode(hmac(&key, &text))
    }

    fn scope(&self) -> String {
        format!("{}/us-east-1/{}/aws4_request", &self.date_time()[..8], self.service)
    }

    fn date_time(&self) -> String {
        Timestamp::from_seconds(self.at.seconds()).to_string().replace(['-', ':'], "")
    }
}

/// A response, possibly incomplete.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer with a head");
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap()).map(|(n, v)| (n.to_lowercase(), v.to_owned()));
        Self { status, headers: headers.collect(), body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The content of each XML element of a name.
    pub(crate) fn elements(&self, name: &str) -> Vec<String> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let unescaped = |text: &str| text.replace("&apos;", "'").replace("&quot;", "\"").replace("&amp;", "&");
        let text = self.text();
        text.split(&open).skip(1).map(|rest| unescaped(rest.split(&close).next().unwrap())).collect()
    }
}

/// Percent-encodes a text as signatures require.
pub(crate) fn encoded(text: &str, keep_slash: bool) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || (keep_slash && byte == b'/');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn decoded(path: &str) -> String {
    let query = path.replace('+', "%2B");
    url::form_urlencoded::parse(format!("x={}", query.replace('&', "%26")).as_bytes()).next().unwrap().1.into_owned()
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
