//! Starts `charter-worker`, hands it one job, and takes one report or kills it.

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{ExitStatus, Stdio};
use std::sync::Once;
use std::time::Duration;

use std::os::unix::process::ExitStatusExt;

use domain::inspection::{Inspection, InspectionError, InspectionJob, Inspector, Sandbox};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use crate::wire;

/// How much of a worker's standard error is kept for the operator's log.
const MAX_COMPLAINT_BYTES: usize = 64 * 1024;

/// Runs each inspection in a `charter-worker` of its own.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// The program.
    pub worker: PathBuf,
    /// How long one inspection may take before it is killed. One `sql` rule may take a quarter of it.
    pub deadline: Duration,
    /// The address space that one worker may use. A debug build needs about 1 GiB before it reads anything.
    pub memory_bytes: u64,
    /// The processor time that one worker may use.
    pub cpu_seconds: u64,
    /// Whether tables are inspected only where the kernel enforces the worker's whole sandbox.
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
            Ok(answer) => self.judge(&job, answer?),
            Err(_) => Err(InspectionError::Deadline(self.deadline)),
        }
    }

    fn limits(&self) -> wire::Limits {
        let query_seconds = (self.deadline / 4).as_secs().max(1);
        wire::Limits {
            memory_bytes: self.memory_bytes,
            cpu_seconds: self.cpu_seconds,
            query_seconds,
            sandbox_required: self.sandbox_required,
        }
    }

    fn judge(&self, job: &InspectionJob, answer: Answer) -> Result<Inspection, InspectionError> {
        if !answer.status.success() {
            return Err(InspectionError::Died(how_it_ended(answer.status)));
        }
        let nonsense = |error: wire::Malformed| InspectionError::Nonsense(error.to_string());
        let wire::Report { sandbox, outcome } = wire::Report::from_json(&answer.report).map_err(nonsense)?;
        let sandbox = sandbox.into_domain();
        warn_of(sandbox);
        // A worker is asked to refuse by itself, before it opens anything. Its word for it is not relied upon.
        if self.sandbox_required && sandbox != Sandbox::Full {
            return Err(InspectionError::NoSandbox(sandbox));
        }
        match outcome {
            wire::Outcome::Inspected(inspected) => inspected.into_domain(job).map_err(nonsense),
            wire::Outcome::Unreadable { reason } => Err(InspectionError::Unreadable(reason)),
            wire::Outcome::NoSandbox => Err(InspectionError::NoSandbox(sandbox)),
        }
    }

    /// Nothing of the server reaches the worker: no environment, no working folder, no open file but the three pipes.
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

/// The process group that a worker leads. Dropped, it is killed: at the deadline, when the inspection is cancelled, and
/// after a worker ended too, for whatever it may have left behind.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // No such group: the usual case, it ended by itself.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// What a worker left when it ended.
struct Answer {
    status: ExitStatus,
    report: Vec<u8>,
}

/// Gives the job, takes what comes, and waits for the end. The three pipes are served at once, so that neither side can
/// block the other.
async fn converse(child: &mut Child, job: &[u8]) -> Result<Answer, InspectionError> {
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(InspectionError::NotStarted("its pipes are missing".to_owned()));
    };
    let give = async move {
        // A worker that ends early closes the pipe; how it ended is told by its status.
        let _ = stdin.write_all(job).await;
        Ok::<(), InspectionError>(())
    };
    let take = async {
        let mut report = Vec::new();
        let limit = wire::MAX_REPORT_BYTES;
        let died = |error: io::Error| InspectionError::Died(error.to_string());
        stdout.take(limit as u64 + 1).read_to_end(&mut report).await.map_err(died)?;
        if report.len() > limit {
            return Err(InspectionError::Nonsense(format!("it is longer than {limit} bytes")));
        }
        Ok(report)
    };
    let complain = async { Ok(first_bytes(stderr, MAX_COMPLAINT_BYTES).await) };
    let ((), report, complaint) = tokio::try_join!(give, take, complain)?;
    let status = child.wait().await.map_err(|error| InspectionError::Died(error.to_string()))?;
    if !complaint.is_empty() {
        let complaint = String::from_utf8_lossy(&complaint);
        tracing::warn!(worker.status = %status, worker.stderr = %complaint.trim_end(), "the worker complained");
    }
    Ok(Answer { status, report })
}

/// The first `limit` bytes; the rest is read and dropped, so that the writer never waits.
async fn first_bytes(mut source: impl AsyncRead + Unpin, limit: usize) -> Vec<u8> {
    let (mut kept, mut chunk) = (Vec::new(), [0; 4096]);
    while let Ok(n_bytes @ 1..) = source.read(&mut chunk).await {
        let room = limit.saturating_sub(kept.len());
        kept.extend_from_slice(&chunk[..n_bytes.min(room)]);
    }
    kept
}

/// Tells the operator once: the kernel is the same for every worker of this process.
fn warn_of(sandbox: Sandbox) {
    static TOLD: Once = Once::new();
    if sandbox != Sandbox::Full {
        TOLD.call_once(|| {
            tracing::warn!(
                %sandbox,
                "this kernel does not enforce the whole sandbox of workers (Landlock ABI 6, Linux 6.12)"
            );
        });
    }
}

fn how_it_ended(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) if signal == Signal::XCPU.as_raw() => "it used more processor time than it may".to_owned(),
        (Some(signal), _) if signal == Signal::ABORT.as_raw() => "it aborted, most likely out of memory".to_owned(),
        (Some(signal), _) => format!("killed by signal {signal}"),
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => "for an unknown reason".to_owned(),
    }
}
