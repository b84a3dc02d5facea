//! A server in this process with two domains, and the program run against it by several principals.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;

use domain::identity::{DomainRole, PlatformRole};
use serde_json::Value;
use tempfile::TempDir;
use testkit::app::TestApp;
use testkit::inspector::Scene;
use tokio::runtime::Runtime;
use tokio_util::task::TaskTracker;

use super::{Run, command, run};

/// The principals with a token.
pub(crate) const SUBJECTS: [&str; 6] = ["admin", "steward", "owner-shop", "owner-other", "reader", "stranger"];

/// The domain `shop` has the internal product `orders`, for which `reader` has a grant and a pending request. The domain
/// `other` has the confidential product `vault`, which only its owner `owner-other` may read. The other principals are
/// `admin`, `steward`, and `stranger`, who has no roles.
pub(crate) struct World {
    pub(crate) test: TestApp,
    /// Input files of commands.
    pub(crate) files: TempDir,
    pub(crate) runtime: Runtime,
    address: String,
    tokens: BTreeMap<&'static str, String>,
}

/// The ids of things that belong to a product.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ids {
    /// A pending request.
    pub(crate) request: String,
    pub(crate) grant: String,
    /// The notice of its breaking successor.
    pub(crate) notice: String,
    /// An override for one of its contracts.
    pub(crate) r#override: String,
}

impl World {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (test, address) = runtime.block_on(async {
            let test = TestApp::start().await;
            let web = api::Web { site: Default::default(), page: page::Page::new(&[], Default::default()) };
            let router = api::router(test.app.clone(), &api::Limits::default(), &TaskTracker::new(), None, web);
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(axum::serve(listener, router).into_future());
            for domain in ["shop", "other"] {
                test.domain(domain).await;
            }
            for subject in ["reader", "stranger"] {
                test.principal(subject).await;
            }
            test.officer("steward", PlatformRole::Steward).await;
            test.member("consumer", &[("shop", DomainRole::Consumer)]).await;
            (test, address)
        });
        let mut world = Self { test, files: TempDir::new().unwrap(), runtime, address, tokens: BTreeMap::new() };
        world.sign_in();
        world.publish("shop", "orders", "internal");
        world
    }

    /// Creates a new token for each subject.
    pub(crate) fn sign_in(&mut self) {
        for subject in SUBJECTS {
            let token = self.runtime.block_on(self.test.token(subject));
            self.tokens.insert(subject, token);
        }
    }

    /// Publishes a product with one table, whose inspection passes.
    pub(crate) fn publish(&self, domain: &str, name: &str, classification: &str) {
        let documents = documents(domain, name, classification);
        self.runtime.block_on(async {
            let owner = self.test.ctx(&format!("owner-{domain}")).await;
            self.test.publish(&owner, domain, &[&documents[0], &documents[1]]).await;
            self.test.lay(&format!("{domain}/{name}"), 0, Scene::of("order_id:integer amount:number")).await;
        });
    }

    /// Requests access to the product twice, and approves the first request.
    pub(crate) fn request_access(&self, subject: &str, domain: &str, name: &str, approver: &str) -> Ids {
        let address = format!("{domain}.{name}.{name}");
        let request = || {
            let args = ["access", "request", &address, "--purpose", "analytics", "--sentence", "to count"];
            text(&self.json(subject, &args), "/request/id")
        };
        let first = request();
        let grant = text(&self.json(approver, &["access", "approve", &first]), "/grant/id");
        Ids { request: request(), grant, ..Ids::default() }
    }

    /// Publishes the product's next major version, which opens a notice, and creates an override for another version.
    pub(crate) fn succeed(&self, domain: &str, name: &str, classification: &str, ids: &mut Ids) {
        let documents = successors(domain, name, classification);
        let owner = format!("owner-{domain}");
        self.runtime.block_on(async {
            self.test.publish(&self.test.ctx(&owner).await, domain, &[&documents[0], &documents[1]]).await;
        });
        let product = format!("{domain}.{name}");
        let owner = SUBJECTS.iter().find(|subject| **subject == owner).copied().unwrap_or("admin");
        let notices = self.json(owner, &["notice", "list"]);
        let own = notices["nodes"].as_array().unwrap().iter().find(|notice| notice["product"]["name"] == name);
        ids.notice = text(own.unwrap(), "/id");
        let file = format!("{name}-override.yaml");
        self.write(&file, refused(domain, name, "1.8.0"));
        let args = ["override", "create", &product, &file, "--reason", "a trial", "--until", "2026-10-01", "--yes"];
        ids.r#override = text(&self.json("steward", &args), "/override/id");
    }

    /// Runs a command that must succeed; returns its JSON output.
    #[track_caller]
    pub(crate) fn json(&self, subject: &str, args: &[&str]) -> Value {
        let run = self.run(subject, &[args, &["--json"]].concat(), "");
        assert_eq!(run.code, 0, "{args:?}: {run:?}");
        serde_json::from_str(&run.stdout).unwrap()
    }

    /// Runs the program as a subject. It is killed after a minute.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, subject: &str, args: &[S], stdin: &str) -> Run {
        self.run_with(&self.tokens[subject], args, stdin)
    }

    /// Runs the program with a token; an empty one means none.
    pub(crate) fn run_with<S: AsRef<OsStr>>(&self, token: &str, args: &[S], stdin: &str) -> Run {
        let program = command(&[]);
        let mut command = std::process::Command::new("timeout");
        command.args(["--signal=KILL", "60"]).arg(program.get_program()).args(args).env_clear();
        command.env("CHARTER_SERVER", &self.address).env("CHARTER_TOKEN", token);
        command.current_dir(self.files.path());
        run(command, stdin)
    }

    /// All state that a refused command must not change.
    pub(crate) fn dump(&self) -> String {
        self.runtime.block_on(self.test.dump())
    }

    /// Writes an input file for a command.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.files.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// The documents of a product with one table: the product's and its contract's.
pub(crate) fn documents(domain: &str, name: &str, classification: &str) -> [String; 2] {
    let product = format!(
        "apiVersion: v1.0.0\nkind: DataProduct\nid: {name}-product\nname: {name}\nstatus: active\ncustomProperties:\n  \
         - property: classification\n    value: {classification}\noutputPorts:\n  - name: {name}\n    version: 1.0.0\n    \
         contractId: {name}-contract\n"
    );
    let contract = format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: {name}-contract\nname: {name}\nversion: 1.0.0\nstatus: active\n\
         servers:\n  - server: lake\n    type: local\n    path: {domain}/{name}\n    format: delta\nschema:\n  \
         - name: {name}\n    properties:\n      - name: order_id\n        logicalType: integer\n        \
         primaryKey: true\n      - name: amount\n        logicalType: number\n"
    );
    [product, contract]
}

/// The documents of a product with the next major of its port, and of its contract's breaking successor.
pub(crate) fn successors(domain: &str, name: &str, classification: &str) -> [String; 2] {
    let [product, contract] = documents(domain, name, classification);
    let port = format!("  - name: {name}\n    version: 2.0.0\n    contractId: {name}-contract\n");
    let next = contract.replace("version: 1.0.0", "version: 2.0.0");
    let next = next.replace(
        "- name: amount\n",
        "- name: amount\n        customProperties:\n          - property: unit\n            value: cents\n",
    );
    [format!("{product}{port}"), next]
}

/// The contract of a product's breaking successor, with an under-bumped version.
pub(crate) fn refused(domain: &str, name: &str, version: &str) -> String {
    let [_, contract] = successors(domain, name, "internal");
    contract.replace("version: 2.0.0", &format!("version: {version}"))
}

/// The text at a JSON pointer.
#[track_caller]
pub(crate) fn text(answer: &Value, pointer: &str) -> String {
    answer.pointer(pointer).and_then(Value::as_str).expect(pointer).to_owned()
}
