//! A broken table or a failed inspection closes the gate in `block` and `warn` mode, `last_good` keeps serving the last
//! good snapshot, and the server stays responsive.

#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::test_server::{TestServer, User, make_demo};

const BLOCK: &str = "nyc.demo-block.flights";
const LAST_GOOD: &str = "nyc.demo-last-good.flights";
const WARN: &str = "nyc.demo-warn.flights";

/// The worker that the server starts: the real one, unless the file `fault` selects a failure.
const WORKER: &str = r#"#!/bin/sh
fault=$(cat FOLDER/fault 2>/dev/null)
case "$fault" in
    killed) kill -9 $$ ;;
    nonsense) echo '{"snapshot": "I am fine"}' ;;
    silent) exit 0 ;;
    slow) sleep 60 ;;
    *) exec REAL "$@" ;;
esac
"#;

#[test]
fn a_failed_inspection_is_a_verdict_and_never_opens_the_gate() {
    let folder = tempfile::TempDir::new().unwrap();
    let real = Path::new(env!("CARGO_BIN_EXE_charter")).with_file_name("charter-worker");
    let worker = folder.path().join("worker");
    let script = WORKER.replace("FOLDER", folder.path().to_str().unwrap()).replace("REAL", real.to_str().unwrap());
    fs::write(&worker, script).unwrap();
    fs::set_permissions(&worker, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();

    let server = TestServer::start_with_worker("[inspect]\npoll = 3600\ndeadline = 2\n", &worker).with_people();
    let health = Health::watch(&server.address);
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let table = server.lake().join("nyc/demo");
    make_demo(&table, 0);
    let documents = tempfile::TempDir::new().unwrap();
    for (name, mode) in [("demo-block", "block"), ("demo-last-good", "last_good"), ("demo-warn", "warn")] {
        write_documents(documents.path(), name, mode, "");
    }
    ann.applies(&[documents.path().to_str().unwrap()]).ok();
    ann.inspects(BLOCK).ok();
    for table in [BLOCK, LAST_GOOD, WARN] {
        ann.grants(&bob, table);
        bob.ok(&["credentials", table]);
    }

    // The inspection itself fails, and succeeds on retry.
    let mut version = 0;
    for fault in ["killed", "nonsense", "silent", "slow"] {
        fs::write(folder.path().join("fault"), fault).unwrap();
        version += 1;
        make_demo(&table, version);
        assert_gate_closed(&ann, &bob, fault);
        fs::remove_file(folder.path().join("fault")).unwrap();
        // Version 2 of the demo table is the bad batch; all others pass when inspected again.
        if version != 2 {
            ann.inspects(BLOCK).ok();
            bob.ok(&["credentials", BLOCK]);
        }
    }

    // The table is broken; once the broken log entry is removed, the previous state is served again.
    let next = table.join(format!("_delta_log/{:020}.json", version + 1));
    let add = |path: &str| {
        format!(
            r#"{{"add":{{"path":"{path}","partitionValues":{{}},"size":1,"modificationTime":0,"dataChange":true}}}}"#
        )
    };
    let columns: Vec<String> = (0..1_000_000)
        .map(|index| format!(r#"{{\"name\":\"c{index}\",\"type\":\"string\",\"nullable\":true,\"metadata\":{{}}}}"#))
        .collect();
    let wide = format!(
        r#"{{"metaData":{{"id":"x","format":{{"provider":"parquet","options":{{}}}},"schemaString":"{{\"type\":\"struct\",\"fields\":[{}]}}","partitionColumns":[],"configuration":{{}}}}}}"#,
        columns.join(",")
    );
    fs::write(table.join("broken.parquet"), b"PAR1 this is no footer PAR1").unwrap();
    let entries = [
        ("a truncated entry", r#"{"commitInfo":{"timest"#.to_owned()),
        ("a path out of the table", add("../other/file.parquet")),
        ("an encoded path out of the table", add("%2e%2e/other/file.parquet")),
        ("an absolute path", add("/etc/passwd")),
        ("a file without a footer", add("broken.parquet")),
        ("a million columns", wide),
    ];
    for (fault, entry) in entries {
        fs::write(&next, entry).unwrap();
        assert_gate_closed(&ann, &bob, fault);
        fs::remove_file(&next).unwrap();
        ann.inspects(BLOCK).ok();
        bob.ok(&["credentials", BLOCK]);
    }
    // A version is missing: only the one after it exists.
    let hole = table.join(format!("_delta_log/{:020}.json", version + 2));
    fs::write(&hole, "{}").unwrap();
    assert_gate_closed(&ann, &bob, "a gap in the log");

    health.assert_responsive();
}

#[test]
fn a_worker_out_of_memory_is_a_verdict_and_the_server_continues() {
    // A hundred million characters for each row with a negative distance, of which only the bad batch has some.
    let grown = "CASE WHEN distance < 0 THEN 'xxxxxxxxxx' ELSE 'x' END".to_owned();
    let grown = (0..3).fold(grown, |text, _| format!("replace({text}, 'x', {text})"));
    let rules = format!(
        "    quality:\n      - id: greedy\n        type: sql\n        query: >-\n          \
         SELECT max(character_length({grown})) FROM ${{table}}\n        mustBeGreaterThan: 0\n"
    );
    let server = TestServer::start("[inspect]\npoll = 3600\nmemory_mib = 1536\n").with_people();
    let health = Health::watch(&server.address);
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let table = server.lake().join("nyc/demo");
    make_demo(&table, 0);
    let documents = tempfile::TempDir::new().unwrap();
    for (name, mode) in [("demo-block", "block"), ("demo-last-good", "last_good"), ("demo-warn", "warn")] {
        // One greedy rule is enough, because the three products share the inspection.
        write_documents(documents.path(), name, mode, if mode == "block" { &rules } else { "" });
    }
    ann.applies(&[documents.path().to_str().unwrap()]).ok();
    ann.inspects(BLOCK).ok();
    for table in [BLOCK, LAST_GOOD, WARN] {
        ann.grants(&bob, table);
        bob.ok(&["credentials", table]);
    }

    make_demo(&table, 2);
    assert_gate_closed(&ann, &bob, "out of memory");
    let records = server.user("admin").ok(&["audit", "list", "--action", "table.inspect", "--json"]);
    assert!(records.stdout.contains("it aborted, probably out of memory"), "{records:?}");
    make_demo(&table, 3);
    ann.inspects(BLOCK).ok();
    bob.ok(&["credentials", BLOCK]);
    health.assert_responsive();
}

#[test]
fn the_poll_detects_a_new_snapshot() {
    let server = TestServer::start("[inspect]\npoll = 1\nprobe = 3600\n").with_people();
    let table = server.lake().join("nyc/demo");
    make_demo(&table, 0);
    let documents = tempfile::TempDir::new().unwrap();
    write_documents(documents.path(), "demo-block", "block", "");
    server.user("ann").applies(&[documents.path().to_str().unwrap()]).ok();
    for version in [0, 1] {
        make_demo(&table, version);
        server.until_inspected("ann", BLOCK, &format!("delta:{version}"));
    }
}

/// The newest snapshot cannot be inspected: the verdict is `error`, access in `block` and `warn` mode is denied, and in
/// `last_good` mode it is allowed.
#[track_caller]
fn assert_gate_closed(ann: &User<'_>, bob: &User<'_>, fault: &str) {
    let inspected = ann.run(&["inspect", BLOCK, "--wait", "--json"]);
    assert_eq!(inspected.code, 1, "{fault}: {inspected:?}");
    assert!(inspected.stdout.contains("\"ERROR\""), "{fault}: {inspected:?}");
    for table in [BLOCK, WARN] {
        let refused = bob.run(&["credentials", table, "--json"]);
        assert_eq!(refused.code, 2, "{fault}: {table} is open: {refused:?}");
        assert!(refused.stdout.contains("quality.error"), "{fault}: {refused:?}");
    }
    bob.ok(&["credentials", LAST_GOOD]);
}

/// Writes the documents of a product for the demo table; `rules` is the `quality` section of the schema object.
fn write_documents(folder: &Path, name: &str, mode: &str, rules: &str) {
    let product = format!(
        "apiVersion: v1.0.0\nkind: DataProduct\nid: {name}-product\nname: {name}\nstatus: active\noutputPorts:\n  \
         - name: flights\n    version: 1.0.0\n    contractId: {name}-contract\n"
    );
    let contract = format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: {name}-contract\nversion: 1.0.0\nstatus: active\nservers:\n  \
         - server: lake\n    type: local\n    path: nyc/demo\n    format: delta\ncustomProperties:\n  - property: \
         gateMode\n    value: {mode}\nschema:\n  - name: flights\n    logicalType: object\n    properties:\n      - name: \
         carrier\n        logicalType: string\n      - name: distance\n        logicalType: integer\n{rules}"
    );
    fs::write(folder.join(format!("{name}.product.yaml")), product).unwrap();
    fs::write(folder.join(format!("{name}.contract.yaml")), contract).unwrap();
}

/// Polls `/health` in the background.
struct Health {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Vec<Duration>>,
}

impl Health {
    fn watch(address: &str) -> Self {
        let (stop, url) = (Arc::new(AtomicBool::new(false)), format!("{address}/health"));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let client = reqwest::Client::builder().no_proxy().build().unwrap();
                let mut times = Vec::new();
                while !stopped.load(Ordering::SeqCst) {
                    let began = Instant::now();
                    assert!(client.get(&url).send().await.unwrap().status().is_success());
                    times.push(began.elapsed());
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                times.sort();
                times
            })
        });
        Self { stop, thread }
    }

    /// Asserts that every poll was answered quickly.
    fn assert_responsive(self) {
        self.stop.store(true, Ordering::SeqCst);
        let times = self.thread.join().unwrap();
        let (p99, slowest) = (times[times.len() * 99 / 100], times[times.len() - 1]);
        println!("{} times /health: p99 {p99:?}, slowest {slowest:?}", times.len());
        // The machine also runs other tests and the inspections: one response in a hundred may wait for a core.
        assert!(p99 < Duration::from_millis(100), "/health took {p99:?} at p99");
    }
}
