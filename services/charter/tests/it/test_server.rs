//! The built programs as users run them: a server on free ports with a temporary data directory, users with tokens, and
//! the real clients.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test helpers may panic")]

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::clients::clients;
use testkit::shared::{self, found};

/// Timeout for background work of the server.
const BACKGROUND_TIMEOUT: Duration = Duration::from_secs(120);

/// A running server process.
pub(crate) struct TestServer {
    data: TempDir,
    process: Mutex<Child>,
    pub(crate) address: String,
    pub(crate) gateway: String,
    bootstrap: Option<String>,
    tokens: Mutex<BTreeMap<String, String>>,
    database_url: Option<String>,
}

impl TestServer {
    /// Starts a server on SQLite; `toml` is its `charter.toml`.
    pub(crate) fn start(toml: &str) -> Self {
        Self::start_on(None, toml)
    }

    /// Starts a server on a database of its own.
    pub(crate) fn start_on(database_url: Option<String>, toml: &str) -> Self {
        Self::start_in(database_url, toml, Program::Charter, None)
    }

    /// Starts a server whose standard error is not the file that [`Self::log`] reads.
    pub(crate) fn start_logging_to(stderr: Stdio, toml: &str) -> Self {
        Self::start_in(None, toml, Program::Charter, Some(stderr))
    }

    /// Starts a server with another worker program.
    pub(crate) fn start_with_worker(toml: &str, worker: &Path) -> Self {
        Self::start_in(None, toml, Program::WithWorker(worker), None)
    }

    fn start_in(database_url: Option<String>, toml: &str, program: Program<'_>, stderr: Option<Stdio>) -> Self {
        let data = TempDir::new().unwrap();
        // As `mkdir` makes it: the first start closes it to others.
        std::fs::set_permissions(data.path(), Permissions::from_mode(0o755)).unwrap();
        std::fs::write(data.path().join("charter.toml"), toml).unwrap();
        let (process, startup) = serve(data.path(), database_url.as_deref(), program, stderr);
        let server = Self {
            data,
            process: Mutex::new(process),
            address: startup.address,
            gateway: startup.gateway,
            bootstrap: startup.bootstrap,
            tokens: Mutex::default(),
            database_url,
        };
        let bootstrap = server.bootstrap.clone().unwrap();
        let created = server.run_with(&bootstrap, &["token", "create"]);
        assert_eq!(created.code, 0, "{}", created.stderr);
        server.tokens.lock().unwrap().insert("admin".to_owned(), created.stdout.trim().to_owned());
        server
    }

    /// Creates the domain `nyc` with its owner `ann`, and `bob` and `eve` without roles.
    pub(crate) fn with_people(self) -> Self {
        let admin = self.user("admin");
        admin.ok(&["domain", "create", "nyc"]);
        for subject in ["ann", "bob", "eve"] {
            self.add_person(subject);
        }
        admin.ok(&["role", "assign", "ann", "owner", "--domain", "nyc"]);
        self
    }

    /// Creates a principal without roles, with a token.
    pub(crate) fn add_person(&self, subject: &str) {
        let admin = self.user("admin");
        admin.ok(&["principal", "create", subject]);
        let token = admin.ok(&["token", "create", subject]).stdout.trim().to_owned();
        self.tokens.lock().unwrap().insert(subject.to_owned(), token);
    }

    /// A user with a token.
    pub(crate) fn user(&self, subject: &str) -> User<'_> {
        User { server: self, token: self.token(subject) }
    }

    /// The data directory.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.lock().unwrap().id()
    }

    /// Kills the server (SIGKILL).
    pub(crate) fn kill(&self) {
        let mut process = self.process.lock().unwrap();
        let _ = process.kill();
        process.wait().unwrap();
    }

    /// The server's log.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("server.log")).unwrap()
    }

    /// Waits until the log contains a text.
    #[track_caller]
    pub(crate) fn until_logged(&self, text: &str) {
        let deadline = Instant::now() + BACKGROUND_TIMEOUT;
        while !self.log().contains(text) {
            assert!(Instant::now() < deadline, "`{text}` is not in the log: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The directory of the tables.
    pub(crate) fn lake(&self) -> PathBuf {
        self.data.path().join("lake")
    }

    /// Kills the server (SIGKILL) if it is still running, and restarts it on the same data.
    pub(crate) fn kill_and_restart(&mut self, program: Program<'_>) {
        let mut process = self.process.lock().unwrap();
        let _ = process.kill();
        process.wait().unwrap();
        let (child, startup) = serve(self.data.path(), self.database_url.as_deref(), program, None);
        *process = child;
        self.address = startup.address;
        self.gateway = startup.gateway;
        self.bootstrap = startup.bootstrap;
    }

    /// The token that the server printed at its last start.
    pub(crate) fn printed_token(&self) -> Option<&str> {
        self.bootstrap.as_deref()
    }

    /// The resident memory of the server's process.
    pub(crate) fn resident_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Whether the server exits within ten seconds: its connections close before the process ends.
    pub(crate) fn has_ended(&self) -> bool {
        (0..1_000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            self.process.lock().unwrap().try_wait().unwrap().is_some()
        })
    }

    /// Sends a GraphQL request as a subject; returns the whole response.
    #[track_caller]
    pub(crate) fn graphql(&self, subject: &str, body: &Value) -> Value {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let request = client.post(format!("{}/graphql", self.address)).bearer_auth(self.token(subject));
            request.json(body).send().await.unwrap().json().await.unwrap()
        })
    }

    /// Sends an HTTP request as a subject; returns the JSON response, or `None` if the server crashed.
    #[track_caller]
    pub(crate) fn send(
        &self,
        subject: &str,
        method: reqwest::Method,
        path: &str,
        body: Option<&Value>,
    ) -> Option<Value> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let request = client.request(method, format!("{}{path}", self.address)).bearer_auth(self.token(subject));
            let request = if let Some(body) = body { request.json(body) } else { request };
            request.send().await.ok()?.json().await.ok()
        })
    }

    /// Waits until a table's head is this snapshot and is inspected. It only queries the table, so that the background
    /// poll is what notices the snapshot.
    #[track_caller]
    pub(crate) fn until_inspected(&self, subject: &str, address: &str, key: &str) {
        let query = "query($address: String!) { table(address: $address) { head { key state } } }";
        let body = json!({ "query": query, "variables": { "address": address } });
        let deadline = Instant::now() + BACKGROUND_TIMEOUT;
        loop {
            let answer = self.graphql(subject, &body);
            let head = &answer["data"]["table"]["head"];
            if head["key"] == key && head["state"] == "INSPECTED" {
                return;
            }
            assert!(Instant::now() < deadline, "`{key}` was not inspected in {BACKGROUND_TIMEOUT:?}: {answer}");
        }
    }

    /// The token of a subject.
    pub(crate) fn token(&self, subject: &str) -> String {
        self.tokens.lock().unwrap().get(subject).unwrap().clone()
    }

    pub(crate) fn run_with(&self, token: &str, args: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_charter"));
        command.args(args).env("CHARTER_SERVER", &self.address).env("CHARTER_TOKEN", token);
        command.current_dir(repository());
        command.output().unwrap().into()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let process = self.process.get_mut().unwrap();
        let _ = process.kill();
        let _ = process.wait();
    }
}

/// The result of a command.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Run {
    /// Expects success.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// The output of a command with `--json`.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

/// A user with a token.
pub(crate) struct User<'a> {
    server: &'a TestServer,
    token: String,
}

impl User<'_> {
    /// Runs `charter` with these arguments.
    #[must_use]
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.server.run_with(&self.token, args)
    }

    /// Runs `charter` and expects success.
    #[track_caller]
    pub(crate) fn ok(&self, args: &[&str]) -> Run {
        let run = self.run(args);
        assert_eq!(run.code, 0, "charter {}: {}{}", args.join(" "), run.stdout, run.stderr);
        run
    }

    /// Applies documents to the domain `nyc`.
    #[must_use]
    pub(crate) fn applies(&self, documents: &[&str]) -> Run {
        self.run(&[&["apply", "-d", "nyc"], documents].concat())
    }

    /// Inspects a table, and waits for the result.
    #[must_use]
    pub(crate) fn inspects(&self, table: &str) -> Run {
        self.run(&["inspect", table, "--wait"])
    }

    /// Requests access.
    #[must_use]
    pub(crate) fn requests(&self, table: &str) -> Run {
        self.run(&["access", "request", table, "--purpose", "analytics", "--sentence", "to learn", "--json"])
    }

    /// Approves a request.
    #[must_use]
    pub(crate) fn approves(&self, request: &str) -> Run {
        self.run(&["access", "approve", request, "--json"])
    }

    /// Approves what a reader requests; returns the grant's id.
    #[track_caller]
    pub(crate) fn grants(&self, reader: &User<'_>, table: &str) -> String {
        let request = text(&reader.requests(table).ok().json(), "/request/id");
        text(&self.approves(&request).ok().json(), "/grant/id")
    }

    /// Revokes a grant.
    #[must_use]
    pub(crate) fn revokes(&self, grant: &str) -> Run {
        self.run(&["access", "revoke", grant, "--reason", "the project ended"])
    }

    /// Requests credentials for a table.
    #[must_use]
    pub(crate) fn vends(&self, table: &str) -> Run {
        self.run(&["credentials", table])
    }

    /// Gets credentials for a table.
    #[track_caller]
    pub(crate) fn credentials(&self, table: &str) -> Credentials {
        let answer = self.ok(&["credentials", table, "--json"]).json();
        let credential = |name: &str| text(&answer, &format!("/credentials/{name}"));
        Credentials {
            env: vec![
                ("AWS_ACCESS_KEY_ID", credential("accessKeyId")),
                ("AWS_SECRET_ACCESS_KEY", credential("secretAccessKey")),
                ("AWS_SESSION_TOKEN", credential("sessionToken")),
                ("AWS_ENDPOINT_URL", credential("endpoint")),
                ("AWS_REGION", credential("region")),
                ("AWS_ALLOW_HTTP", "true".to_owned()),
                ("CHARTER_TABLE_URI", credential("tableUri")),
            ],
        }
    }
}

/// The text at a JSON pointer.
#[track_caller]
pub(crate) fn text(answer: &Value, pointer: &str) -> String {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no text at {pointer} of {answer}")).to_owned()
}

/// Vended credentials.
pub(crate) struct Credentials {
    env: Vec<(&'static str, String)>,
}

impl Credentials {
    /// Reads the table with a real client, see `tests/clients/read.py`. A refusal is an `error` in the answer.
    #[track_caller]
    pub(crate) fn read(&self, client: &str, args: &[&str]) -> Value {
        let mut command = Command::new(clients().unwrap().join("bin/python"));
        command.arg(repository().join("tests/clients/read.py")).arg(client).args(args);
        command.envs(self.env.iter().map(|(name, value)| (*name, value)));
        let output = command.output().unwrap();
        let line = String::from_utf8_lossy(&output.stdout).into_owned();
        serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{error}: {line}{}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// What a server prints at startup.
struct Startup {
    address: String,
    gateway: String,
    bootstrap: Option<String>,
}

/// The server program to start.
#[derive(Clone, Copy)]
pub(crate) enum Program<'a> {
    Charter,
    /// `charter` with another worker.
    WithWorker(&'a Path),
    /// `charter` with `--recover-admin`.
    Recovering,
    /// `charter-failpoints`, which aborts at the named failpoint.
    Failing(&'a str),
}

/// The program with failpoints, if it was built (`make test` builds it); required in CI.
pub(crate) fn failing_program() -> Option<PathBuf> {
    found("the program with failpoints", Path::new(env!("CARGO_BIN_EXE_charter")).with_file_name("charter-failpoints"))
}

fn serve(data: &Path, database_url: Option<&str>, program: Program<'_>, stderr: Option<Stdio>) -> (Child, Startup) {
    let mut command = match program {
        Program::Charter | Program::WithWorker(_) | Program::Recovering => Command::new(env!("CARGO_BIN_EXE_charter")),
        Program::Failing(point) => {
            let mut command = Command::new(failing_program().unwrap());
            command.env("CHARTER_FAILPOINT", point);
            command
        }
    };
    command.args(["serve", "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0"]);
    command.arg("--data").arg(data).stdout(Stdio::piped());
    let log = std::fs::OpenOptions::new().create(true).append(true).open(data.join("server.log")).unwrap();
    command.stderr(stderr.unwrap_or_else(|| log.into())).env("CHARTER_LOG", "info");
    if let Some(url) = database_url {
        command.args(["--database-url", url]);
    }
    if let Program::WithWorker(worker) = program {
        command.arg("--worker").arg(worker);
    }
    if let Program::Recovering = program {
        command.arg("--recover-admin");
    }
    let mut child = command.spawn().unwrap();
    let mut startup = Startup { address: String::new(), gateway: String::new(), bootstrap: None };
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while startup.gateway.is_empty() {
        let Some(Ok(line)) = lines.next() else {
            let log = std::fs::read_to_string(data.join("server.log")).unwrap_or_default();
            panic!("the server did not start: {log}");
        };
        if let Some(address) = line.strip_prefix("charter listens on ") {
            startup.address = address.to_owned();
        } else if let Some(gateway) = line.strip_prefix("gateway listens on ") {
            startup.gateway = gateway.to_owned();
        } else if !line.contains(' ') {
            startup.bootstrap = Some(line);
        }
    }
    (child, startup)
}

/// Starts a server that is expected to refuse to start; returns what it printed.
#[track_caller]
pub(crate) fn refused_start(data: &Path, args: &[&str], environment: &[(&str, &str)]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_charter"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0", "--data"]).arg(data);
    command.args(args).envs(environment.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("the server has started: {:?}", Run::from(child.wait_with_output().unwrap()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(run.code, 1, "{run:?}");
    run
}

/// Writes the versions of the demo table, up to the given one.
pub(crate) fn make_demo(folder: &Path, through: u64) {
    let worker = Path::new(env!("CARGO_BIN_EXE_charter")).with_file_name("charter-worker");
    let mut command = Command::new(worker);
    command.arg("make-demo").arg(folder).args(["--through", &through.to_string()]);
    assert!(command.status().unwrap().success());
}

/// The repository's root.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The shared test data.
pub(crate) fn shared() -> Option<PathBuf> {
    shared::shared("")
}

/// The registry client of the JVM; required in CI.
pub(crate) fn jvm_client() -> Option<PathBuf> {
    found("the registry client of the JVM", clients()?.join("jvm/pinot-confluent-avro-shaded.jar"))
}
