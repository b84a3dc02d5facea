//! The built programs as their users run them: a server on free ports in a temporary data folder, people with tokens,
//! and the real clients.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests ends the test")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::shared::{self, found};

/// How long something is waited for that nobody was asked for.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running server.
pub(crate) struct House {
    data: TempDir,
    server: Mutex<Child>,
    pub(crate) address: String,
    pub(crate) gateway: String,
    bootstrap: Option<String>,
    tokens: Mutex<BTreeMap<String, String>>,
    database_url: Option<String>,
}

impl House {
    /// Starts a server on SQLite; `toml` is its `charter.toml`.
    pub(crate) fn start(toml: &str) -> Self {
        Self::start_on(None, toml)
    }

    /// Starts a server on a database of its own.
    pub(crate) fn start_on(database_url: Option<String>, toml: &str) -> Self {
        Self::start_in(database_url, toml, Program::Charter)
    }

    /// Starts a server that inspects with a program of the test's.
    pub(crate) fn start_with_worker(toml: &str, worker: &Path) -> Self {
        Self::start_in(None, toml, Program::WithWorker(worker))
    }

    fn start_in(database_url: Option<String>, toml: &str, program: Program<'_>) -> Self {
        let data = TempDir::new().unwrap();
        std::fs::write(data.path().join("charter.toml"), toml).unwrap();
        let (server, started) = serve(data.path(), database_url.as_deref(), program);
        let house = Self {
            data,
            server: Mutex::new(server),
            address: started.address,
            gateway: started.gateway,
            bootstrap: started.bootstrap,
            tokens: Mutex::default(),
            database_url,
        };
        let bootstrap = house.bootstrap.clone().unwrap();
        let made = house.run_with(&bootstrap, &["token", "create"]);
        assert_eq!(made.code, 0, "{}", made.stderr);
        house.tokens.lock().unwrap().insert("admin".to_owned(), made.stdout.trim().to_owned());
        house
    }

    /// Makes the domain `nyc` with its owner `ann`, and `bob` and `eve` who belong to nothing.
    pub(crate) fn with_people(self) -> Self {
        let admin = self.person("admin");
        admin.ok(&["domain", "create", "nyc"]);
        for subject in ["ann", "bob", "eve"] {
            admin.ok(&["principal", "create", subject]);
            let token = admin.ok(&["token", "create", subject]).stdout.trim().to_owned();
            self.tokens.lock().unwrap().insert(subject.to_owned(), token);
        }
        admin.ok(&["role", "assign", "ann", "owner", "--domain", "nyc"]);
        self
    }

    /// Somebody with a token.
    pub(crate) fn person(&self, subject: &str) -> Person<'_> {
        Person { house: self, token: self.token(subject) }
    }

    /// What the server has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("server.log")).unwrap()
    }

    /// The folder that tables lie in.
    pub(crate) fn lake(&self) -> PathBuf {
        self.data.path().join("lake")
    }

    /// Kills the server as a crash would (SIGKILL), unless it has ended by itself, and starts it again on the same data.
    pub(crate) fn kill_and_restart(&mut self, program: Program<'_>) {
        let mut server = self.server.lock().unwrap();
        let _ = server.kill();
        server.wait().unwrap();
        let (child, started) = serve(self.data.path(), self.database_url.as_deref(), program);
        *server = child;
        self.address = started.address;
        self.gateway = started.gateway;
    }

    /// Whether the server has ended, or does within ten seconds: its connections close before the process is gone.
    pub(crate) fn has_ended(&self) -> bool {
        (0..1_000).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            self.server.lock().unwrap().try_wait().unwrap().is_some()
        })
    }

    /// Asks GraphQL as somebody; gives the whole answer.
    #[track_caller]
    pub(crate) fn ask(&self, subject: &str, body: &Value) -> Value {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let request = client.post(format!("{}/graphql", self.address)).bearer_auth(self.token(subject));
            request.json(body).send().await.unwrap().json().await.unwrap()
        })
    }

    /// Sends a request as somebody; gives the answer's JSON, or nothing if the server ended over it.
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

    /// Waits until a table's head is this snapshot and inspected, without asking for anything but the table: nothing
    /// else is to notice it.
    #[track_caller]
    pub(crate) fn until_inspected(&self, subject: &str, address: &str, key: &str) {
        let query = "query($address: String!) { table(address: $address) { head { key state } } }";
        let body = json!({ "query": query, "variables": { "address": address } });
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.ask(subject, &body);
            let head = &answer["data"]["table"]["head"];
            if head["key"] == key && head["state"] == "INSPECTED" {
                return;
            }
            assert!(Instant::now() < deadline, "`{key}` was not inspected in {PATIENCE:?}: {answer}");
        }
    }

    /// Somebody's token.
    pub(crate) fn token(&self, subject: &str) -> String {
        self.tokens.lock().unwrap().get(subject).unwrap().clone()
    }

    fn run_with(&self, token: &str, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_charter"));
        command.args(args).env("CHARTER_SERVER", &self.address).env("CHARTER_TOKEN", token);
        command.current_dir(repository());
        Ran::of(command.output().unwrap())
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let server = self.server.get_mut().unwrap();
        let _ = server.kill();
        let _ = server.wait();
    }
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }
}

/// Somebody with a token.
pub(crate) struct Person<'a> {
    house: &'a House,
    token: String,
}

impl Person<'_> {
    /// Runs `charter` with these arguments.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.house.run_with(&self.token, args)
    }

    /// Runs it and expects success.
    #[track_caller]
    pub(crate) fn ok(&self, args: &[&str]) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "charter {}: {}{}", args.join(" "), ran.stdout, ran.stderr);
        ran
    }

    /// Asks for access; gives the request's id.
    #[track_caller]
    pub(crate) fn request(&self, table: &str) -> String {
        let args = ["access", "request", table, "--purpose", "analytics", "--sentence", "to learn", "--json"];
        text(&self.ok(&args).json(), "/request/id")
    }

    /// Approves a request; gives the grant's id.
    #[track_caller]
    pub(crate) fn approve(&self, request: &str) -> String {
        text(&self.ok(&["access", "approve", request, "--json"]).json(), "/grant/id")
    }

    /// Takes credentials for a table.
    #[track_caller]
    pub(crate) fn credentials(&self, table: &str) -> Credentials {
        let answer = self.ok(&["credentials", table, "--json"]).json();
        let of = |name: &str| text(&answer, &format!("/credentials/{name}"));
        Credentials {
            env: vec![
                ("AWS_ACCESS_KEY_ID", of("accessKeyId")),
                ("AWS_SECRET_ACCESS_KEY", of("secretAccessKey")),
                ("AWS_SESSION_TOKEN", of("sessionToken")),
                ("AWS_ENDPOINT_URL", of("endpoint")),
                ("AWS_REGION", of("region")),
                ("AWS_ALLOW_HTTP", "true".to_owned()),
                ("CHARTER_TABLE_URI", of("tableUri")),
            ],
        }
    }
}

/// The text at a place of an answer.
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
    /// Reads the table with a real client, see `tests/clients/read.py`. An `error` in the answer is a refusal.
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

struct Started {
    address: String,
    gateway: String,
    bootstrap: Option<String>,
}

/// Which program is started as the server.
#[derive(Clone, Copy)]
pub(crate) enum Program<'a> {
    /// The one that users run.
    Charter,
    /// The same, with another worker.
    WithWorker(&'a Path),
    /// The one that ends itself at a named point.
    Failing(&'a str),
}

/// The program with the failpoints, if it was built (`make test` does); in CI it must be there.
pub(crate) fn failing_program() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_BIN_EXE_charter")).with_file_name("charter-failpoints");
    found("the program with failpoints", beside)
}

fn serve(data: &Path, database_url: Option<&str>, program: Program<'_>) -> (Child, Started) {
    let mut command = match program {
        Program::Charter | Program::WithWorker(_) => Command::new(env!("CARGO_BIN_EXE_charter")),
        Program::Failing(point) => {
            let mut command = Command::new(failing_program().unwrap());
            command.env("CHARTER_FAILPOINT", point);
            command
        }
    };
    command.args(["serve", "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0"]);
    command.arg("--data").arg(data).stdout(Stdio::piped());
    let log = std::fs::OpenOptions::new().create(true).append(true).open(data.join("server.log")).unwrap();
    command.stderr(log).env("CHARTER_LOG", "info");
    if let Some(url) = database_url {
        command.args(["--database-url", url]);
    }
    if let Program::WithWorker(worker) = program {
        command.arg("--worker").arg(worker);
    }
    let mut child = command.spawn().unwrap();
    let mut started = Started { address: String::new(), gateway: String::new(), bootstrap: None };
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while started.gateway.is_empty() {
        let Some(Ok(line)) = lines.next() else {
            let log = std::fs::read_to_string(data.join("server.log")).unwrap_or_default();
            panic!("the server did not start: {log}");
        };
        if let Some(address) = line.strip_prefix("charter listens on ") {
            started.address = address.to_owned();
        } else if let Some(gateway) = line.strip_prefix("gateway listens on ") {
            started.gateway = gateway.to_owned();
        } else if !line.contains(' ') {
            started.bootstrap = Some(line);
        }
    }
    (child, started)
}

/// Writes versions of the demo's table.
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

/// The Python environment with the real clients, under the same rule.
pub(crate) fn clients() -> Option<PathBuf> {
    let given = std::env::var_os("CHARTER_CLIENTS").map(PathBuf::from);
    found("the Python environment with the clients", given.unwrap_or_else(|| repository().join("target/clients")))
}

/// The JVM's registry client, under the same rule.
pub(crate) fn jvm_client() -> Option<PathBuf> {
    found("the registry client of the JVM", clients()?.join("jvm/pinot-confluent-avro-shaded.jar"))
}
