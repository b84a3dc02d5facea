//! The launcher of `charter-worker`: it sends one job and receives one report, or kills the worker.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::sync::Once;
use std::time::Duration;

use std::os::unix::process::ExitStatusExt;

use domain::inspection::{Inspection, InspectionError, InspectionJob, Inspector, Sandbox};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use crate::wire;

/// The part of a worker's standard error that is logged.
const MAX_STDERR_BYTES: usize = 64 * 1024;

/// Runs each inspection in its own `charter-worker` process.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// The program.
    pub worker: PathBuf,
    /// The deadline of an inspection, after which it is killed. One `sql` rule may take a quarter of it.
    pub deadline: Duration,
    /// The address space of a worker. A debug build needs about 1 GiB before it reads anything.
    pub memory_bytes: u64,
    /// The processor time of a worker.
    pub cpu_seconds: u64,
    /// Whether tables are inspected only if the kernel enforces the worker's whole sandbox.
    pub sandbox_required: bool,
}

impl Inspector for Launcher {
    fn inspect(
        &self,
        job: InspectionJob,
    ) -> Pin<Box<dyn Future<Output = Result<Inspection, InspectionError>> + Send + '_>> {
        Box::pin(self.run(job))
    }
}

impl Launcher {
    async fn run(&self, job: InspectionJob) -> Result<Inspection, InspectionError> {
        let input = wire::Job::from_domain(&job, self.limits())
            .and_then(|job| job.to_json())
            .map_err(|error| InspectionError::NotStarted(error.to_string()))?;
        let mut child = self.start().map_err(|error| InspectionError::NotStarted(error.to_string()))?;
        let _group = Group::of(&child);
        match tokio::time::timeout(self.deadline, converse(&mut child, &input)).await {
            Ok(output) => self.evaluate(&job, output?),
            Err(_) => Err(InspectionError::Deadline(self.deadline)),
        }
    }

    fn limits(&self) -> wire::Limits {
        let query_seconds = (self.deadline / 4).as_secs().max(1);
        wire::Limits {
            memory_bytes: self.memory_bytes,
            cpu_seconds: self.cpu_seconds,
            query_seconds,
            server: std::process::id(),
            sandbox_required: self.sandbox_required,
        }
    }

    fn evaluate(&self, job: &InspectionJob, output: Output) -> Result<Inspection, InspectionError> {
        if !output.status.success() {
            return Err(InspectionError::Died(exit_reason(output.status)));
        }
        let nonsense = |error: wire::Malformed| InspectionError::Nonsense(error.to_string());
        let wire::Report { sandbox, outcome } = output.report.map_err(nonsense)?;
        let sandbox = sandbox.into_domain();
        warn_of(sandbox);
        // The worker itself refuses before it opens anything, but must not be relied upon.
        if self.sandbox_required && sandbox != Sandbox::Full {
            return Err(InspectionError::NoSandbox(sandbox));
        }
        match outcome {
            wire::Outcome::Inspected(inspected) => inspected.into_domain(job).map_err(nonsense),
            wire::Outcome::Unreadable { reason } => Err(InspectionError::Unreadable(wire::bounded(reason))),
            wire::Outcome::NoSandbox => Err(InspectionError::NoSandbox(sandbox)),
        }
    }

    /// The worker inherits nothing of the server: no environment, no working directory, no open file but the three
    /// pipes.
    fn start(&self) -> io::Result<Child> {
        Command::new(&self.worker)
            .arg("inspect")
            .env_clear()
            .current_dir("/")
            .process_group(0)
            .kill_on_drop(true)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    }
}

/// The process group of a worker. It is killed when dropped: at the deadline, when the inspection is cancelled, and
/// after the worker has exited, for processes that it may have left behind.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // Usually there is no such group any more.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// The output of a worker that has exited.
struct Output {
    status: ExitStatus,
    report: Result<wire::Report, wire::Malformed>,
}

/// Sends the job, reads the output and waits for the worker to exit. The three pipes are served concurrently, so that
/// neither side can block the other.
async fn converse(child: &mut Child, job: &[u8]) -> Result<Output, InspectionError> {
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(InspectionError::NotStarted("its pipes are missing".to_owned()));
    };
    let send = async move {
        // A worker that exits early closes the pipe; its status tells the reason.
        let _ = stdin.write_all(job).await;
        Ok::<(), InspectionError>(())
    };
    let receive = read_report(stdout);
    let log = async { Ok(first_bytes(stderr, MAX_STDERR_BYTES).await) };
    let ((), report, stderr) = tokio::try_join!(send, receive, log)?;
    let status = child.wait().await.map_err(|error| InspectionError::Died(error.to_string()))?;
    if !stderr.is_empty() {
        let stderr = String::from_utf8_lossy(&stderr);
        let stderr = stderr.trim_end();
        tracing::warn!(worker.status = %status, worker.stderr = %stderr, "the worker wrote to standard error");
    }
    Ok(Output { status, report })
}

/// Reads the report. What is not one is an error at once, so that nothing waits for its end, unless the output ends there:
/// then the worker's status tells the reason.
async fn read_report(stdout: impl AsyncRead + Unpin) -> Result<Result<wire::Report, wire::Malformed>, InspectionError> {
    let mut stdout = BufReader::new(stdout);
    let (mut reader, mut line) = (wire::ReportReader::default(), Vec::new());
    loop {
        line.clear();
        let limit = u64::try_from(reader.max_line_bytes()).unwrap_or(u64::MAX).saturating_add(1);
        let read = (&mut stdout).take(limit).read_until(b'\n', &mut line).await;
        if read.map_err(|error| InspectionError::Died(error.to_string()))? == 0 {
            return Ok(reader.end());
        }
        if let Err(error) = reader.line(&line) {
            let goes_on = line.ends_with(b"\n") || !stdout.fill_buf().await.is_ok_and(<[u8]>::is_empty);
            return if goes_on { Err(InspectionError::Nonsense(error.to_string())) } else { Ok(Err(error)) };
        }
    }
}

/// The first `limit` bytes; the rest is read and discarded, so that the writer never blocks.
async fn first_bytes(mut source: impl AsyncRead + Unpin, limit: usize) -> Vec<u8> {
    let (mut kept, mut chunk) = (Vec::new(), [0; 4096]);
    while let Ok(n_bytes @ 1..) = source.read(&mut chunk).await {
        let room = limit.saturating_sub(kept.len());
        kept.extend_from_slice(&chunk[..n_bytes.min(room)]);
    }
    kept
}

/// Logs a warning once, since the kernel is the same for every worker of this process.
fn warn_of(sandbox: Sandbox) {
    static WARNED: Once = Once::new();
    if sandbox != Sandbox::Full {
        WARNED.call_once(|| {
            tracing::warn!(
                %sandbox,
                "the kernel does not enforce the full sandbox of workers: it needs seccomp and Landlock ABI 6 (Linux 6.12)"
            );
        });
    }
}

fn exit_reason(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) if signal == Signal::XCPU.as_raw() => "it exceeded its processor time".to_owned(),
        (Some(signal), _) if signal == Signal::ABORT.as_raw() => "it aborted, probably out of memory".to_owned(),
        (Some(signal), _) => format!("killed by signal {signal}"),
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => "for an unknown reason".to_owned(),
    }
}
