//! Workers that die, are late or take too much, and tables that change under them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use domain::inspection::{InspectionError, InspectionJob, Kept, Sandbox};
use domain::quality::{Check, Measured, Rule};
use domain::table::{Format, SnapshotKey};
use inspect::Launcher;
use inspect::wire::{Job, Limits, Outcome, Report, ReportReader};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::TempDir;

use crate::shared::skipped;
use crate::support::{
    Found, HandTable, add, column, delta, launcher, metadata, nulls, protocol, rule, run, sql, value,
};

/// `n` from 0 to 9,999 and a text of 100 KB in its first row.
fn table() -> HandTable {
    let n: ArrayRef = Arc::new(Int64Array::from_iter_values(0..10_000));
    let text = (0..10_000).map(|row| if row == 0 { "x".repeat(100_000) } else { "x".repeat(40) });
    let text: ArrayRef = Arc::new(StringArray::from_iter_values(text));
    let batch = RecordBatch::try_from_iter_with_nullable([("n", n, true), ("text", text, true)]).unwrap();
    let table = HandTable::new();
    let size = table.data("a.parquet", &batch);
    let schema = metadata(&[("n", json!("long")), ("text", json!("string"))], &[], json!({}));
    table.entry(0, &[protocol(1), schema, add("a.parquet", size)]);
    table
}

/// A hundred million slow comparisons, which need no memory.
const ENDLESS: &str = "SELECT count(*) FROM ${table} a, ${table} b \
                       WHERE levenshtein(CAST(a.n AS VARCHAR), CAST(b.n AS VARCHAR)) > 3";

fn inspect(launcher: &Launcher, root: &Path, rules: Vec<Rule>) -> Result<Found, InspectionError> {
    let snapshot = Some(SnapshotKey::DeltaVersion(0));
    run(launcher, |scratch| InspectionJob {
        format: Format::Delta,
        root: root.to_owned(),
        snapshot,
        rules,
        digests: false,
        kept: Kept::default(),
        scratch,
    })
}

/// A worker that tells its process id in `pid` before it begins.
fn telling(folder: &Path) -> Launcher {
    let script = folder.join("worker");
    let worker = env!("CARGO_BIN_EXE_charter-worker");
    let text =
        format!("#!/bin/sh\necho $$ > {0}/pid.new; mv {0}/pid.new {0}/pid; exec {worker} \"$@\"\n", folder.display());
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    Launcher { worker: script, ..launcher() }
}

/// Waits until it gives something, without sleeping.
fn wait_for<T>(what: impl Fn() -> Option<T>) -> T {
    let patience = Instant::now() + Duration::from_secs(300);
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(Instant::now() < patience, "it did not happen");
        std::thread::yield_now();
    }
}

fn pid_in(folder: &Path) -> Pid {
    wait_for(|| fs::read_to_string(folder.join("pid")).ok()?.trim().parse().ok().and_then(Pid::from_raw))
}

#[test]
fn a_worker_that_is_killed_died() {
    let (table, folder) = (table(), TempDir::new().unwrap());
    let launcher = telling(folder.path());
    let root = table.path().to_owned();
    let inspection = std::thread::spawn(move || inspect(&launcher, &root, vec![sql(ENDLESS)]).map(|_| ()));
    kill_process(pid_in(folder.path()), Signal::KILL).unwrap();
    assert_eq!(inspection.join().unwrap(), Err(InspectionError::Died("killed by signal 9".to_owned())));
}

#[test]
fn a_worker_past_its_deadline_is_killed_soon() {
    let table = table();
    let deadline = Duration::from_millis(600);
    let started = Instant::now();
    let found = inspect(&Launcher { deadline, ..launcher() }, table.path(), vec![sql(ENDLESS)]);
    assert_eq!(found.map(|_| ()), Err(InspectionError::Deadline(deadline)));
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

#[test]
fn a_worker_that_uses_too_much_processor_time_died() {
    let table = table();
    let found = inspect(&Launcher { cpu_seconds: 1, ..launcher() }, table.path(), vec![sql(ENDLESS)]);
    assert_eq!(found.map(|_| ()), Err(InspectionError::Died("it exceeded its processor time".to_owned())));
}

#[test]
fn a_worker_that_needs_too_much_memory_died() {
    let table = table();
    // The first row alone would be 10 GB, which no pool sees.
    let greedy = "SELECT max(character_length(replace(text, 'x', text))) FROM ${table}";
    let found = inspect(&Launcher { memory_bytes: 1 << 30, ..launcher() }, table.path(), vec![sql(greedy)]);
    let told = "it aborted, probably out of memory";
    assert_eq!(found.map(|_| ()), Err(InspectionError::Died(told.to_owned())));
    for memory_bytes in [1, 64 << 20] {
        let found = inspect(&Launcher { memory_bytes, ..launcher() }, table.path(), vec![]).map(|_| ());
        assert!(matches!(found, Err(InspectionError::Died(_))), "{memory_bytes}: {found:?}");
    }
}

#[test]
fn a_query_that_exhausts_the_pool_fails_alone() {
    let table = table();
    let greedy = "SELECT count(DISTINCT concat(a.text, repeat_free.text, CAST(a.n * 1000 + b.n AS VARCHAR))) \
                  FROM ${table} a, (SELECT n FROM ${table} LIMIT 200) b, (SELECT text FROM ${table} LIMIT 1 OFFSET 1) repeat_free";
    let rules = vec![sql(greedy), nulls("n"), sql("SELECT max(n) FROM ${table}")];
    // Room for the program, which a debug build needs much of, beside the pool and the stack of the next query.
    let found = inspect(&Launcher { memory_bytes: 3 << 29, ..launcher() }, table.path(), rules).unwrap().inspection;
    assert_eq!(found.measured[0], Measured::Error("it needs more memory than it may use".to_owned()));
    assert_eq!(found.measured[1..], [value(0), value(9_999)]);
}

#[test]
fn a_key_that_exhausts_the_pool_fails_alone() {
    let table = HandTable::new();
    let schema = metadata(&[("n", json!("long")), ("key", json!("string"))], &[], json!({}));
    // Several files: besides the pool, a reader holds a whole column of one row group.
    let files = (0..10).map(|file| {
        let rows = file * 15_000..(file + 1) * 15_000;
        let n: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.clone()));
        let key: ArrayRef = Arc::new(StringArray::from_iter_values(rows.map(|row| format!("{row:01000}"))));
        let batch = RecordBatch::try_from_iter_with_nullable([("n", n, true), ("key", key, true)]).unwrap();
        let path = format!("{file}.parquet");
        let size = table.data(&path, &batch);
        add(&path, size)
    });
    let actions: Vec<_> = [protocol(1), schema].into_iter().chain(files).collect();
    table.entry(0, &actions);
    let unique = |path: &str| rule(Check::DuplicateValues { columns: vec![column(path)] });
    let rules = vec![nulls("n"), unique("n"), unique("key"), nulls("key")];
    // The pool is half of what a query's stack of 512 MiB leaves.
    let found = inspect(&Launcher { memory_bytes: 3 << 28, ..launcher() }, table.path(), rules).unwrap().inspection;
    let told = Measured::Error("it needs more memory than it may use".to_owned());
    assert_eq!(found.measured, [value(0), value(0), told, value(0)]);
}

#[test]
fn a_query_that_does_not_end_fails_alone() {
    let table = table();
    let rules = vec![nulls("n"), sql(ENDLESS), sql("SELECT max(n) FROM ${table}"), nulls("text")];
    let deadline = Duration::from_secs(24);
    let found = inspect(&Launcher { deadline, ..launcher() }, table.path(), rules).unwrap().inspection;
    let told = |text: &str| Measured::Error(text.to_owned());
    let expected = [value(0), told("the query took longer than 6 s"), told("an earlier query did not end"), value(0)];
    assert_eq!(found.measured, expected);
}

#[test]
fn a_worker_limits_itself_and_has_no_environment() {
    let (table, folder) = (table(), TempDir::new().unwrap());
    let launcher = telling(folder.path());
    let root = table.path().to_owned();
    let inspection = std::thread::spawn(move || inspect(&launcher, &root, vec![sql(ENDLESS)]).map(|_| ()));
    let pid = pid_in(folder.path());
    let process = PathBuf::from(format!("/proc/{}", pid.as_raw_nonzero()));
    let read = |name: &str| fs::read_to_string(process.join(name)).unwrap_or_default();
    // The address space is the last limit that it sets.
    let limits = wait_for(|| Some(read("limits")).filter(|limits| limits.contains("4294967296")));
    let environment = read("environ");
    let status = read("status");
    kill_process(pid, Signal::KILL).unwrap();
    inspection.join().unwrap().unwrap_err();
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(limit("Max core file size"), ["0", "0"]);
    assert_eq!(limit("Max cpu time"), ["120", "121"]);
    assert_eq!(limit("Max open files"), ["256", "256"]);
    assert_eq!(limit("Max address space"), ["4294967296", "4294967296"]);
    assert_eq!(limit("Max file size"), ["1073741824", "1073741824"]);
    // What the wrapping shell adds is all there is.
    let environment: Vec<&str> = environment.split('\0').filter(|pair| !pair.is_empty()).collect();
    assert!(
        environment.iter().all(|pair| ["PWD=", "_=", "OLDPWD=", "SHLVL="].iter().any(|name| pair.starts_with(name))),
        "{environment:?}"
    );
    assert!(status.contains("NoNewPrivs:\t1"), "it has not confined itself: {status}");
}

fn has_strace() -> bool {
    let is_installed = Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success());
    assert!(is_installed || std::env::var_os("CI").is_none_or(|ci| ci != "true"), "`strace` must be installed in CI");
    if !is_installed {
        skipped(format_args!("`strace` is not installed"));
    }
    is_installed
}

/// A worker on a kernel without these system calls, played by `strace`; nothing where that is not installed.
fn without(calls: &str, folder: &Path) -> Option<PathBuf> {
    if !has_strace() {
        return None;
    }
    let script = folder.join("worker");
    let worker = env!("CARGO_BIN_EXE_charter-worker");
    // The tracer is not the worker's parent (`-D`): a worker ends with that.
    let inject = format!("-D --seccomp-bpf -f -e inject={calls}:error=ENOSYS");
    let text = format!("#!/bin/sh\nexec strace -o /dev/null {inject} {worker} \"$@\"\n");
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    Some(script)
}

#[test]
fn a_table_is_inspected_without_a_sandbox_unless_one_is_required() {
    let (table, folder) = (HandTable::of_three_rows(), TempDir::new().unwrap());
    let Some(worker) = without("landlock_create_ruleset,seccomp", folder.path()) else { return };
    let inspect = |sandbox_required| {
        let launcher = Launcher { worker: worker.clone(), sandbox_required, ..launcher() };
        inspect(&launcher, table.path(), vec![sql("SELECT max(n) FROM ${table}")])
            .map(|found| found.inspection.measured)
    };
    assert_eq!(inspect(false), Ok(vec![value(3)]));
    assert_eq!(inspect(true), Err(InspectionError::NoSandbox(Sandbox::Absent)));
    for calls in ["landlock_create_ruleset", "seccomp"] {
        let folder = TempDir::new().unwrap();
        let launcher =
            Launcher { worker: without(calls, folder.path()).unwrap(), sandbox_required: true, ..launcher() };
        let found = self::inspect(&launcher, table.path(), vec![]).map(|_| ());
        assert_eq!(found, Err(InspectionError::NoSandbox(Sandbox::Partial)), "{calls}");
    }

    // The worker refuses by itself: the launcher would only know afterwards.
    let job = InspectionJob {
        format: Format::Delta,
        root: table.path().to_owned(),
        snapshot: Some(SnapshotKey::DeltaVersion(0)),
        rules: Vec::new(),
        digests: false,
        kept: Kept::default(),
        scratch: folder.path().to_owned(),
    };
    let limits = Limits {
        memory_bytes: 4 << 30,
        cpu_seconds: 60,
        query_seconds: 15,
        server: std::process::id(),
        sandbox_required: true,
    };
    let input = folder.path().join("job");
    fs::write(&input, Job::from_domain(&job, limits).unwrap().to_json().unwrap()).unwrap();
    let said = Command::new(&worker).arg("inspect").stdin(fs::File::open(&input).unwrap()).output().unwrap();
    let mut reader = ReportReader::default();
    reader.line(&said.stdout).unwrap();
    let report = reader.end().unwrap();
    assert_eq!(report, Report { sandbox: inspect::wire::Sandbox::Absent, outcome: Outcome::NoSandbox });
}

#[test]
fn a_worker_is_refused_everything_but_reading_its_table() {
    let table = HandTable::of_three_rows();
    let said =
        Command::new(env!("CARGO_BIN_EXE_charter-worker")).arg("try-sandbox").arg(table.path()).output().unwrap();
    let lines = String::from_utf8(said.stdout).unwrap();
    let mut lines = lines.lines();
    if lines.next() != Some("sandbox: full") {
        skipped(format_args!("this kernel does not enforce the whole sandbox"));
        return;
    }
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.len(), 19);
    assert!(lines.iter().all(|line| line.ends_with(": refused")), "{lines:#?}");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

/// Landlock alone would refuse the program that a new process is to run, and not the process.
#[test]
fn a_worker_starts_threads_and_no_process() {
    if !has_strace() {
        return;
    }
    let (table, folder) = (HandTable::of_three_rows(), TempDir::new().unwrap());
    let trace = folder.path().join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-z", "-e", "trace=clone,clone3,fork,vfork", "-o"]).arg(&trace);
    let said = command.arg(env!("CARGO_BIN_EXE_charter-worker")).arg("try-sandbox").arg(table.path()).output().unwrap();
    if !String::from_utf8_lossy(&said.stdout).starts_with("sandbox: full") {
        skipped(format_args!("this kernel does not enforce the whole sandbox"));
        return;
    }
    let trace = fs::read_to_string(trace).unwrap();
    let mut started = trace.lines().filter(|line| line.contains("clone") || line.contains("fork")).peekable();
    assert!(started.peek().is_some(), "it starts a thread: {trace}");
    assert!(started.all(|line| line.contains("CLONE_THREAD")), "{trace}");
}

#[test]
fn a_worker_ends_with_its_server() {
    let (table, folder) = (table(), TempDir::new().unwrap());
    let job = InspectionJob {
        format: Format::Delta,
        root: table.path().to_owned(),
        snapshot: Some(SnapshotKey::DeltaVersion(0)),
        rules: vec![sql(ENDLESS)],
        digests: false,
        kept: Kept::default(),
        scratch: folder.path().to_owned(),
    };
    let of_server = |server: u32| {
        let limits =
            Limits { memory_bytes: 4 << 30, cpu_seconds: 120, query_seconds: 120, server, sandbox_required: false };
        let job = Job::from_domain(&job, limits).unwrap().to_json().unwrap();
        String::from_utf8(job).unwrap()
    };
    // A shell in the server's place, which puts its own process id into the job.
    fs::write(folder.path().join("job"), of_server(4_294_967_295)).unwrap();
    let (worker, folder) = (env!("CARGO_BIN_EXE_charter-worker"), folder.path().display());
    let script = format!(
        "cd {folder}; sed s/4294967295/$$/ job > mine; {worker} inspect < mine > /dev/null & \
         echo $! > {folder}/pid.new; mv {folder}/pid.new {folder}/pid; wait"
    );
    let mut server = Command::new("/bin/sh").arg("-c").arg(script.replace("mine;", "mine &&")).spawn().unwrap();
    let pid = pid_in(&PathBuf::from(folder.to_string()));
    wait_for(|| (cpu_ticks(pid) > 20).then_some(()));
    server.kill().unwrap();
    server.wait().unwrap();
    let began = Instant::now();
    let stat = PathBuf::from(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    wait_for(|| fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z ")).then_some(()));
    assert!(began.elapsed() < Duration::from_secs(60), "it ended at the limit of its processor time");

    // One whose server has ended before it began.
    fs::write(format!("{folder}/orphan"), of_server(1)).unwrap();
    let orphan = fs::File::open(format!("{folder}/orphan")).unwrap();
    let said = Command::new(worker).arg("inspect").stdin(orphan).output().unwrap();
    assert!(!said.status.success());
    assert!(String::from_utf8_lossy(&said.stderr).contains("the server that asked has ended"));
}

#[test]
fn a_fully_enforced_sandbox_is_reported() {
    let table = HandTable::of_three_rows();
    let found = inspect(&Launcher { sandbox_required: true, ..launcher() }, table.path(), vec![]).map(|_| ());
    match found {
        Err(InspectionError::NoSandbox(sandbox)) => skipped(format_args!("the sandbox is {sandbox} by this kernel")),
        found => assert_eq!(found, Ok(())),
    }
}

/// The processor time that a process has used, in hundredths of a second.
fn cpu_ticks(pid: Pid) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}

#[test]
fn a_file_that_changes_meanwhile_is_refused() {
    let (table, folder) = (table(), TempDir::new().unwrap());
    let launcher = telling(folder.path());
    let root = table.path().to_owned();
    // Runs for seconds, long after its files were read.
    let long = "SELECT count(*) FROM ${table} a, (SELECT n FROM ${table} LIMIT 3000) b WHERE a.n <> b.n";
    let inspection = std::thread::spawn(move || inspect(&launcher, &root, vec![sql(long)]).map(|_| ()));
    let pid = pid_in(folder.path());
    wait_for(|| (cpu_ticks(pid) > 30).then_some(()));
    let file = table.path().join("a.parquet");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, bytes).unwrap();
    let found = inspection.join().unwrap();
    let told = "`a.parquet` changed while it was inspected";
    assert_eq!(found, Err(InspectionError::Unreadable(told.to_owned())));
}

#[test]
fn a_vector_that_deletes_rows_without_end_is_refused() {
    use buoyant_kernel::actions::deletion_vector_writer::{KernelDeletionVector, StreamingDeletionVectorWriter};
    let table = HandTable::of_three_rows();
    let mut bytes = Vec::new();
    let mut writer = StreamingDeletionVectorWriter::new(&mut bytes);
    let mut vector = KernelDeletionVector::new();
    vector.add_deleted_row_indexes([1_u64 << 40]);
    let written = writer.write_deletion_vector(vector).unwrap();
    writer.finalize().unwrap();
    fs::create_dir(table.path().join("ab")).unwrap();
    fs::write(table.path().join("ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"), bytes).unwrap();
    let size = fs::metadata(table.path().join("a.parquet")).unwrap().len();
    let mut file = add("a.parquet", size);
    file["add"]["deletionVector"] = json!({
        "storageType": "u", "pathOrInlineDv": "ab^-aqEH.-t@S}K{vb[*k^", "offset": written.offset,
        "sizeInBytes": written.size_in_bytes, "cardinality": written.cardinality
    });
    let schema = metadata(&[("n", json!("long"))], &[], json!({"delta.enableDeletionVectors": "true"}));
    table.entry(0, &[crate::support::protocol_of(&["deletionVectors"]), schema, file]);
    let reason = crate::support::unreadable(delta(table.path(), 0, vec![nulls("n")]));
    assert_eq!(reason, "its log deletes rows that the file `a.parquet` does not have");
}
