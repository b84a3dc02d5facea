//! The journey of the flights tables: real data with a bad batch, committed version by version, and read by the real
//! clients with vended credentials. They see what `expected.json` lists, and never the data of a failed version.

#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testkit::clients::clients;

use crate::test_server::{Credentials, TestServer, make_demo, repository, shared};

const BLOCK: &str = "nyc.flights.flights";
const LAST_GOOD: &str = "nyc.flights-last-good.flights";
const WARN: &str = "nyc.flights-warn.flights";
const ALL: [&str; 3] = [BLOCK, LAST_GOOD, WARN];

#[test]
fn a_bad_batch_never_reaches_a_reader_who_did_not_ask_for_it() {
    let (Some(shared), Some(_)) = (shared(), clients()) else { return };
    let history = History::of(&shared.join("data/flights"), "flights");
    let server = TestServer::start("[inspect]\npoll = 3600\n").with_people();
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    for table in ["airlines", "airports", "planes", "weather"] {
        copy(&shared.join("data/flights/delta").join(table), &server.lake().join("nyc").join(table));
    }
    let table = server.lake().join("nyc/flights");

    // The contracts become active once version 0 is inspected and passes.
    history.lay(0, &table);
    let applied = ann.applies(&[
        "tests/flights/flights.product.yaml",
        "tests/flights/flights.contract.yaml",
        "tests/flights/flights-last-good.product.yaml",
        "tests/flights/flights-last-good.contract.yaml",
        "tests/flights/flights-warn.product.yaml",
        "tests/flights/flights-warn.contract.yaml",
        "tests/flights/reference.product.yaml",
        "tests/flights/reference.contract.yaml",
    ]);
    applied.ok();
    for table in ALL {
        ann.inspects(table).ok();
    }
    for table in ["airlines", "airports", "planes", "weather"] {
        ann.inspects(&format!("nyc.reference.{table}")).ok();
    }

    // No access without a grant.
    let refused = bob.vends(BLOCK);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("grant") || refused.stdout.contains("grant"), "{refused:?}");
    let grants: Vec<String> = ALL.iter().map(|table| ann.grants(&bob, table)).collect();
    ann.grants(&bob, "nyc.reference.weather");

    reads(&bob.credentials(BLOCK), &history, 0);
    let weather = bob.credentials("nyc.reference.weather").read("deltalake", &[]);
    assert_eq!(weather["rows"], 26_115, "{weather}");

    history.lay(1, &table);
    ann.inspects(BLOCK).ok();
    reads(&bob.credentials(BLOCK), &history, 1);

    // Version 2 adds a column that the contract does not name: a warning, not a refusal.
    history.lay(2, &table);
    ann.inspects(BLOCK).ok();
    let taken_at_2 = bob.credentials(BLOCK);
    reads(&taken_at_2, &history, 2);

    // Version 3 is the bad batch.
    history.lay(3, &table);
    let inspected = ann.inspects(BLOCK);
    assert_eq!(inspected.code, 2, "a failed inspection is reported: {inspected:?}");
    let refused = bob.vends(BLOCK);
    assert_eq!(refused.code, 2, "{refused:?}");
    let why = bob.run(&["why", BLOCK, "--json"]);
    assert_eq!(why.code, 2);
    assert!(why.stdout.contains("quality.failed"), "{why:?}");
    reads(&bob.credentials(LAST_GOOD), &history, 2);
    let warned = bob.credentials(WARN);
    reads(&warned, &history, 3);
    assert!(bob.ok(&["why", WARN]).stdout.contains("distance"), "the findings are shown");
    nothing_of_the_bad_batch(&taken_at_2, &history, 2);
    nothing_of_the_bad_batch(&bob.credentials(LAST_GOOD), &history, 2);

    // Version 4 removes it, version 5 completes the year.
    for version in [4, 5] {
        history.lay(version, &table);
        ann.inspects(BLOCK).ok();
    }
    let taken_at_5 = bob.credentials(BLOCK);
    reads(&taken_at_5, &history, 5);
    nothing_of_the_bad_batch(&taken_at_5, &history, 5);
    nothing_of_the_bad_batch(&taken_at_2, &history, 2);

    // A failed version without files of its own: a mistaken DELETE, then RESTORE.
    python(&format!("import deltalake; deltalake.DeltaTable({table:?}).delete('month <= 9')"));
    assert_eq!(ann.inspects(BLOCK).code, 2, "100,000 rows are promised");
    assert_eq!(bob.vends(BLOCK).code, 2);
    reads(&bob.credentials(LAST_GOOD), &history, 5);
    python(&format!("import deltalake; deltalake.DeltaTable({table:?}).restore(5)"));
    ann.inspects(BLOCK).ok();
    let taken_at_7 = bob.credentials(BLOCK);
    let restored = taken_at_7.read("deltalake", &["--column", "distance"]);
    assert_eq!((&restored["version"], &restored["rows"]), (&7.into(), &history.expected(5)["rows"]));
    for client in ["deltalake", "polars"] {
        let failed = taken_at_7.read(client, &["--version", "6"]);
        assert!(failed["error"].is_string(), "{client} opened the failed version: {failed}");
    }

    // A breaking contract is refused, a compatible one is not.
    let broken = ann.applies(&["tests/flights/next/flights.contract.1.2.0-breaking.yaml"]);
    assert_eq!(broken.code, 2, "{broken:?}");
    assert!(
        format!("{}{}", broken.stdout, broken.stderr).contains("2.0.0"),
        "the required version is shown: {broken:?}"
    );
    ann.applies(&["tests/flights/next/flights.contract.1.1.0.yaml"]).ok();

    // After a revocation, every lease of the grant is refused at its next request.
    ann.revokes(&grants[0]).ok();
    for lease in [&taken_at_2, &taken_at_5, &taken_at_7] {
        for client in ["deltalake", "polars", "pyarrow"] {
            let refused = lease.read(client, &[]);
            let message = refused["message"].as_str().unwrap_or_default().to_lowercase();
            let forbidden = message.contains("403") || message.contains("denied") || message.contains("forbidden");
            assert!(forbidden, "{client}: {refused}");
        }
    }
    reads(&bob.credentials(LAST_GOOD), &history, 5);
}

/// The demo's small table needs only the clients, not the shared test data.
#[test]
fn the_small_table_is_read_by_the_real_clients() {
    let Some(_) = clients() else { return };
    let server = TestServer::start("[inspect]\npoll = 3600\n").with_people();
    let (ann, bob) = (server.user("ann"), server.user("bob"));
    let table = server.lake().join("nyc/flights");
    make_demo(&table, 0);
    ann.applies(&["tests/demo/flights.product.yaml", "tests/demo/flights.contract.yaml"]).ok();
    ann.inspects(BLOCK).ok();
    let grant = ann.grants(&bob, BLOCK);
    // The versions that `charter-worker make-demo` writes.
    let lay = |version: u64, code: i32| {
        make_demo(&table, version);
        assert_eq!(ann.inspects(BLOCK).code, code, "version {version}");
    };
    all_see(&bob.credentials(BLOCK), 400, 451_250, 8);
    lay(1, 0);
    let taken_at_1 = bob.credentials(BLOCK);
    all_see(&taken_at_1, 700, 789_143, 9);
    lay(2, 2);
    assert_eq!(bob.vends(BLOCK).code, 2, "the bad batch closes the gate");
    all_see(&taken_at_1, 700, 789_143, 9);
    lay(4, 0);
    let taken_at_4 = bob.credentials(BLOCK);
    all_see(&taken_at_4, 1_000, 1_127_036, 9);
    for client in ["deltalake", "polars"] {
        let bad = taken_at_4.read(client, &["--version", "2"]);
        assert!(bad["error"].is_string(), "{client} opened the bad batch: {bad}");
    }
    ann.revokes(&grant).ok();
    assert!(taken_at_4.read("deltalake", &[])["error"].is_string(), "a revoked lease still reads");
}

/// All three clients see exactly one version.
#[track_caller]
fn reads(credentials: &Credentials, history: &History, version: u64) {
    let expected = history.expected(version);
    let number = |name: &str| expected[name].as_i64().unwrap();
    all_see(credentials, number("rows"), number("sum_distance"), expected["columns"].as_array().unwrap().len());
}

/// All three clients see this number of rows and columns, and this sum of the distances.
#[track_caller]
fn all_see(credentials: &Credentials, n_rows: i64, sum: i64, n_columns: usize) {
    for client in ["deltalake", "polars", "pyarrow"] {
        let seen = credentials.read(client, &["--column", "distance"]);
        assert_eq!(seen["rows"], n_rows, "{client}: {seen}");
        assert_eq!(seen["sum"], sum, "{client}: {seen}");
        assert_eq!(seen["columns"].as_array().unwrap().len(), n_columns, "{client}: {seen}");
    }
}

/// The bad batch is not visible by explicit version, with a filter that prunes its file, or in file statistics.
#[track_caller]
fn nothing_of_the_bad_batch(credentials: &Credentials, history: &History, version: u64) {
    for client in ["deltalake", "polars"] {
        for args in [&["--version", "3"][..], &["--version", "3", "--below", "month<12"][..]] {
            let answer = credentials.read(client, args);
            assert!(answer["error"].is_string(), "{client} {args:?} opened version 3: {answer}");
        }
    }
    let seen = credentials.read("deltalake", &[]);
    let expected = history.expected(version);
    assert_eq!(seen["rows"], expected["rows"]);
    let files = seen["files"].as_array().unwrap();
    assert_eq!(files.len() as u64, expected["files"].as_u64().unwrap(), "{files:?}");
    for file in files {
        assert!(file["min.distance"].as_i64().unwrap_or(1) > 0, "{file}");
        assert_ne!(file["max.dest"], "ZZZ", "{file}");
        assert_eq!(file["null_count.carrier"].as_i64().unwrap_or(0), 0, "{file}");
    }
    let listed = credentials.read("pyarrow", &[]);
    for key in listed["listed"].as_array().unwrap() {
        let key = key.as_str().unwrap();
        let log = key.contains("_delta_log/");
        assert!(!log || key.ends_with(".checkpoint.parquet"), "the log is served: {key}");
        assert!(!key.contains("_change_data"), "{key}");
    }
    assert_eq!(listed["rows"], expected["rows"]);
}

/// The versions of a Delta table, to be committed one after the other.
struct History {
    source: PathBuf,
    expected: Value,
}

impl History {
    fn of(flights: &Path, table: &str) -> Self {
        let expected: Value = serde_json::from_slice(&fs::read(flights.join("expected.json")).unwrap()).unwrap();
        Self { source: flights.join("delta").join(table), expected: expected["delta"][table]["versions"].clone() }
    }

    fn expected(&self, version: u64) -> &Value {
        &self.expected[version.to_string()]
    }

    /// Copies the files that a log entry adds, then the entry.
    fn lay(&self, version: u64, table: &Path) {
        let entry = format!("_delta_log/{version:020}.json");
        let text = fs::read_to_string(self.source.join(&entry)).unwrap();
        fs::create_dir_all(table.join("_delta_log")).unwrap();
        for line in text.lines() {
            let action: Value = serde_json::from_str(line).unwrap();
            for kind in ["add", "cdc"] {
                if let Some(path) = action[kind]["path"].as_str() {
                    fs::create_dir_all(table.join(path).parent().unwrap()).unwrap();
                    fs::copy(self.source.join(path), table.join(path)).unwrap();
                }
            }
        }
        fs::copy(self.source.join(&entry), table.join(&entry)).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn python(program: &str) {
    let mut command = Command::new(clients().unwrap().join("bin/python"));
    let status = command.args(["-c", program]).current_dir(repository()).status().unwrap();
    assert!(status.success(), "{program}");
}
