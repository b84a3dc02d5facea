//! The demo's table: the versions come one by one or all at once, and are what the module says.

use std::path::Path;
use std::process::Command;

use domain::quality::{Bound, Check, Measured, Scalar};
use tempfile::TempDir;

use crate::support::{column, delta, nulls, rule, sql, value};

fn make(folder: &Path, more: &[&str]) -> bool {
    let mut worker = Command::new(env!("CARGO_BIN_EXE_charter-worker"));
    worker.arg("make-demo").arg(folder).args(more).status().unwrap().success()
}

fn measure(folder: &Path, version: u64) -> (u64, Vec<Measured>) {
    let rules = vec![
        sql("SELECT sum(distance) FROM ${table}"),
        nulls("carrier"),
        rule(Check::OutOfRange {
            column: column("distance"),
            minimum: Some(Bound { value: Scalar::Integer(0), exclusive: true }),
            maximum: None,
        }),
        rule(Check::DuplicateValues { columns: ["time_hour", "carrier", "flight", "origin"].map(column).to_vec() }),
    ];
    let found = delta(folder, version, rules).unwrap().inspection;
    (found.n_rows, found.measured)
}

#[test]
fn its_versions_are_as_documented() {
    let folder = TempDir::new().unwrap();
    assert!(make(folder.path(), &["--through", "0"]));
    assert_eq!(measure(folder.path(), 0), (400, vec![value(451_250), value(0), value(0), value(0)]));
    assert!(!folder.path().join("_delta_log/00000000000000000001.json").exists());
    assert!(make(folder.path(), &[]));
    assert!(make(folder.path(), &[]), "nothing is left to make");
    assert_eq!(measure(folder.path(), 1), (700, vec![value(789_143), value(0), value(0), value(0)]));
    assert_eq!(measure(folder.path(), 2), (740, vec![value(812_247), value(10), value(10), value(10)]));
    assert_eq!(measure(folder.path(), 3), (700, vec![value(789_143), value(0), value(0), value(0)]));
    assert_eq!(measure(folder.path(), 4), (1_000, vec![value(1_127_036), value(0), value(0), value(0)]));
    assert!(!make(folder.path(), &["--through", "5"]));
}

#[test]
fn a_wrong_command_line_has_its_own_exit_code() {
    for arguments in [&["--help-me"][..], &["make-demo"], &["make-demo", "x", "--through", "-1"], &[]] {
        let status = Command::new(env!("CARGO_BIN_EXE_charter-worker")).args(arguments).output().unwrap().status;
        assert_eq!(status.code(), Some(64), "{arguments:?}");
    }
    let version = Command::new(env!("CARGO_BIN_EXE_charter-worker")).arg("--version").output().unwrap();
    assert!(version.status.success() && version.stdout.starts_with(b"charter-worker "), "{version:?}");
}
