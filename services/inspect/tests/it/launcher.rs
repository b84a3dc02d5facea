//! Scripts in the worker's place: each wrong answer has its own error, and nothing is left running.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::inspection::{Inspection, InspectionError, InspectionJob, Inspector, Kept, Sandbox};
use domain::table::Format;
use inspect::Launcher;
use tempfile::TempDir;

const DEADLINE: Duration = Duration::from_secs(20);

/// Starts `script` as the worker of a server that takes what sandbox there is.
fn run(script: &str, deadline: Duration) -> (Result<Inspection, InspectionError>, TempDir) {
    run_as(script, |worker| launcher(worker, deadline))
}

fn run_as(script: &str, launcher: impl FnOnce(PathBuf) -> Launcher) -> (Result<Inspection, InspectionError>, TempDir) {
    let folder = TempDir::new().unwrap();
    let worker = folder.path().join("worker");
    fs::write(&worker, format!("#!/bin/sh\n{}\n", script.replace("$FOLDER", folder.path().to_str().unwrap()))).unwrap();
    fs::set_permissions(&worker, fs::Permissions::from_mode(0o755)).unwrap();
    (inspect(&launcher(worker), folder.path()), folder)
}

fn launcher(worker: PathBuf, deadline: Duration) -> Launcher {
    Launcher { worker, deadline, memory_bytes: 1 << 30, cpu_seconds: 60, sandbox_required: false }
}

fn inspect(launcher: &Launcher, folder: &Path) -> Result<Inspection, InspectionError> {
    let job = InspectionJob {
        format: Format::Parquet,
        root: folder.to_owned(),
        snapshot: None,
        rules: Vec::new(),
        digests: false,
        kept: Kept::default(),
        scratch: folder.to_owned(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(launcher.inspect(job))
}

#[test]
fn a_worker_that_says_the_table_is_unreadable_is_believed() {
    let (found, _folder) =
        run(r#"cat > /dev/null; echo '{"sandbox":"full","outcome":{"unreadable":{"reason":"torn"}}}'"#, DEADLINE);
    assert_eq!(found, Err(InspectionError::Unreadable("torn".to_owned())));
}

#[test]
fn anything_but_a_report_is_nonsense() {
    for script in
        ["echo hello", "cat", "true", "echo '{}'", "printf '\\377\\376'", "head -c 70000000 /dev/zero; sleep 100"]
    {
        let (found, _folder) = run(script, DEADLINE);
        assert!(matches!(found, Err(InspectionError::Nonsense(_))), "{script}: {found:?}");
    }
}

#[test]
fn a_worker_that_ends_badly_died_whatever_it_said() {
    let report = r#"echo '{"sandbox":"full","outcome":{"unreadable":{"reason":"torn"}}}'"#;
    for (end, told) in [
        ("exit 3", "exit code 3"),
        ("kill -KILL $$", "killed by signal 9"),
        ("kill -XCPU $$", "it exceeded its processor time"),
        ("kill -ABRT $$", "it aborted, probably out of memory"),
    ] {
        let (found, _folder) = run(&format!("ulimit -c 0; {report}; {end}"), DEADLINE);
        assert_eq!(found, Err(InspectionError::Died(told.to_owned())), "{end}");
    }
}

#[test]
fn a_late_worker_is_killed_with_all_that_it_started() {
    let deadline = Duration::from_millis(300);
    let (found, folder) = run("sleep 1000 & echo $! > $FOLDER/child; wait", deadline);
    assert_eq!(found, Err(InspectionError::Deadline(deadline)));
    let child = fs::read_to_string(folder.path().join("child")).unwrap();
    // Killed, it goes away or waits to be reaped by whoever inherits it. A signal takes a moment.
    let patience = Instant::now() + DEADLINE;
    let is_running = || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.trim()));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    };
    while is_running() {
        assert!(Instant::now() < patience, "the worker's child {child} is still running");
        std::thread::yield_now();
    }
}

#[test]
fn a_worker_sees_no_environment_and_complains_without_end_or_harm() {
    let (found, folder) = run(
        "/usr/bin/env > $FOLDER/environment; pwd >> $FOLDER/environment; head -c 3000000 /dev/zero >&2; \
         echo '{\"sandbox\":\"full\",\"outcome\":{\"unreadable\":{\"reason\":\"torn\"}}}'",
        DEADLINE,
    );
    assert_eq!(found, Err(InspectionError::Unreadable("torn".to_owned())));
    let seen = fs::read_to_string(folder.path().join("environment")).unwrap();
    // What the shell itself adds, and the folder that it stands in.
    let seen: Vec<&str> = seen.lines().filter(|line| !line.starts_with("_=")).collect();
    assert_eq!(seen, ["PWD=/", "/"]);
}

#[test]
fn a_worker_that_is_not_there_is_not_started() {
    let folder = TempDir::new().unwrap();
    let found = inspect(&launcher(folder.path().join("absent"), DEADLINE), folder.path());
    assert!(matches!(found, Err(InspectionError::NotStarted(_))), "{found:?}");
}

#[test]
fn a_server_that_demands_a_full_sandbox_takes_no_report_from_less() {
    let said = |sandbox: &str, outcome: &str, sandbox_required| {
        let script = format!(r#"cat > /dev/null; echo '{{"sandbox":"{sandbox}","outcome":{outcome}}}'"#);
        run_as(&script, |worker| Launcher { sandbox_required, ..launcher(worker, DEADLINE) }).0
    };
    let torn = r#"{"unreadable":{"reason":"torn"}}"#;
    let unreadable = Err(InspectionError::Unreadable("torn".to_owned()));
    assert_eq!(said("full", torn, true), unreadable);
    for (word, sandbox) in [("partial", Sandbox::Partial), ("absent", Sandbox::Absent)] {
        assert_eq!(said(word, torn, false), unreadable);
        // Whether the worker refused by itself or not.
        for outcome in [torn, r#""no_sandbox""#] {
            assert_eq!(said(word, outcome, true), Err(InspectionError::NoSandbox(sandbox)));
        }
    }
}
