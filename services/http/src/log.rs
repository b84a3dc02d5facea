//! The writer of the log: a bounded buffer, and a thread that writes it out.
//!
//! Logging must never stop the server. Code that logs only copies its line into the buffer: it does not fail, wait for the
//! sink or panic, also while it unwinds. A sink that is full, closed or stalled costs log lines; they are counted, and the
//! first line after the sink works again says how many. `/ready` reports a sink that fails ([`Log::is_failing`]).

use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The size of the buffer. Lines beyond it are lost.
const MAX_PENDING_BYTES: usize = 1 << 20;
/// The time after which a write that has not returned counts as a failure.
const STALLED_AFTER: Duration = Duration::from_secs(2);
/// The pause before another try on a sink that is not ready: another process made a shared terminal or pipe non-blocking.
const NOT_READY_PAUSE: Duration = Duration::from_millis(10);

/// A log. Clones write to the same sink. Each write is one line: `tracing_subscriber` formats a line first.
#[derive(Clone, Debug)]
pub struct Log(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Notified when there is something to write.
    pending: Condvar,
    /// Notified after each write.
    written: Condvar,
}

#[derive(Debug, Default)]
struct State {
    pending: Vec<u8>,
    /// The start of the write in progress.
    writing_since: Option<Instant>,
    /// Whether the last write failed.
    has_failed: bool,
    /// Lines that were lost since the last report of lost lines.
    n_lost: usize,
}

impl Log {
    /// Starts the thread that writes to a sink. The thread ends with the process.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn to(sink: impl Write + Send + 'static) -> io::Result<Self> {
        let log = Self(Arc::default());
        let shared = Arc::clone(&log.0);
        thread::Builder::new().name("log".to_owned()).spawn(move || shared.write_out(sink))?;
        Ok(log)
    }

    /// Whether the last write failed, or the present one does not return.
    pub fn is_failing(&self) -> bool {
        let state = self.0.lock();
        state.has_failed || state.writing_since.is_some_and(|since| since.elapsed() > STALLED_AFTER)
    }

    /// Waits until all lines are written, at most for this time: before the process ends.
    pub fn flush_within(&self, timeout: Duration) {
        let state = self.0.lock();
        let is_busy = |state: &mut State| !state.pending.is_empty() || state.writing_since.is_some();
        // Whatever is left then is lost.
        let _ = self.0.written.wait_timeout_while(state, timeout, is_busy);
    }
}

impl Write for Log {
    /// Takes the line, or counts it as lost. It never fails.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock();
        if state.pending.len() + line.len() > MAX_PENDING_BYTES {
            state.n_lost += 1;
        } else {
            state.pending.extend_from_slice(line);
            self.0.pending.notify_one();
        }
        Ok(line.len())
    }

    /// Does nothing: the thread writes as soon as it can.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    /// The state. A panic while it was locked leaves it whole: every change of it is one assignment.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_out(&self, mut sink: impl Write) {
        let mut batch = Vec::new();
        loop {
            let mut state = self.lock();
            while state.pending.is_empty() {
                state = self.pending.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            batch.clear();
            std::mem::swap(&mut batch, &mut state.pending);
            state.writing_since = Some(Instant::now());
            // The last line of a failed write may be there in part.
            let separator: &[u8] = if state.has_failed { b"\n" } else { b"" };
            drop(state);

            let written = write_all(&mut sink, separator).and_then(|()| write_all(&mut sink, &batch));

            let mut state = self.lock();
            state.writing_since = None;
            state.has_failed = written.is_err();
            let n_lost = match written {
                Ok(()) => std::mem::take(&mut state.n_lost),
                Err(_) => {
                    state.n_lost += batch.iter().filter(|byte| **byte == b'\n').count();
                    0
                }
            };
            self.written.notify_all();
            drop(state);
            if n_lost > 0 {
                tracing::warn!(n_lost, "log lines were lost: the log could not be written");
            }
        }
    }
}

fn write_all(sink: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match sink.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n_bytes) => bytes = bytes.get(n_bytes..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(NOT_READY_PAUSE),
            Err(error) => return Err(error),
        }
    }
    sink.flush()
}
