//! The log's writer on sinks that fail and stall.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http_base::log::Log;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const TIMEOUT: Duration = Duration::from_secs(20);

type Written = Arc<Mutex<Vec<u8>>>;

/// A sink whose next write waits for its outcome.
struct Sink {
    entered: Sender<()>,
    outcomes: Receiver<io::Result<()>>,
    written: Written,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A test that does not wait for it drops its end.
        let _ = self.entered.send(());
        // Once the test sends no more outcomes, all writes succeed.
        self.outcomes.recv().unwrap_or(Ok(()))?;
        self.written.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A log on such a sink, its outcomes, and what was written.
fn log() -> (Log, Sender<io::Result<()>>, Written) {
    let (log, outcome, written, _) = log_with_entries();
    (log, outcome, written)
}

/// The same, and a message for each write that begins.
fn log_with_entries() -> (Log, Sender<io::Result<()>>, Written, Receiver<()>) {
    let (outcome, outcomes) = channel();
    let (entered, entries) = channel();
    let written = Written::default();
    (Log::to(Sink { entered, outcomes, written: Arc::clone(&written) }).unwrap(), outcome, written, entries)
}

fn until(holds: impl Fn() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !holds() {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_sink_that_fails_is_reported_until_it_works_again() {
    let (mut log, outcome, written) = log();
    assert!(!log.is_failing());
    log.write_all(b"one\n").unwrap();
    outcome.send(Err(io::ErrorKind::StorageFull.into())).unwrap();
    until(|| log.is_failing());
    log.write_all(b"two\n").unwrap();
    drop(outcome);
    log.flush_within(TIMEOUT);
    assert!(!log.is_failing());
    assert_eq!(written.lock().unwrap().as_slice(), b"\ntwo\n");
}

/// As a full device may be.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Ok(0)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_sink_that_takes_nothing_fails() {
    let mut log = Log::to(Full).unwrap();
    log.write_all(b"one\n").unwrap();
    until(|| log.is_failing());
}

#[test]
fn a_sink_that_is_not_ready_or_interrupted_gets_the_line_again() {
    let (mut log, outcome, written) = log();
    for kind in [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted] {
        outcome.send(Err(kind.into())).unwrap();
    }
    drop(outcome);
    log.write_all(b"one\n").unwrap();
    log.flush_within(TIMEOUT);
    assert!(!log.is_failing());
    assert_eq!(written.lock().unwrap().as_slice(), b"one\n");
}

#[test]
fn a_sink_that_stalls_is_reported_and_holds_a_bounded_number_of_lines() {
    let (mut log, outcome, written, entries) = log_with_entries();
    let line = [[b'x'; 1_023].as_slice(), b"\n"].concat();
    // The first write is in progress for the whole loop.
    log.write_all(&line).unwrap();
    entries.recv_timeout(TIMEOUT).unwrap();
    for _ in 0..4_096 {
        log.write_all(&line).unwrap();
    }
    until(|| log.is_failing());
    drop(outcome);
    log.flush_within(TIMEOUT);
    assert!(!log.is_failing());
    let n_bytes = written.lock().unwrap().len();
    assert!((1 << 20..=(1 << 20) + 1_024).contains(&n_bytes), "{n_bytes} bytes were kept");
}

#[test]
fn a_flush_ends_in_time() {
    let (mut log, _outcome, _) = log();
    log.write_all(b"one\n").unwrap();
    let began = Instant::now();
    log.flush_within(Duration::from_millis(50));
    assert!(began.elapsed() < TIMEOUT);
}

/// Keeps the numbers of lost lines that all logs of the process report.
#[derive(Clone, Default)]
struct Losses(Arc<Mutex<Vec<u64>>>);

impl Subscriber for Losses {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut LostLines(self));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct LostLines<'a>(&'a Losses);

impl Visit for LostLines<'_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "n_lost" {
            self.0.0.lock().unwrap().push(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

#[test]
fn lost_lines_are_counted_and_reported_when_the_sink_works_again() {
    let losses = Losses::default();
    tracing::subscriber::set_global_default(losses.clone()).unwrap();
    let (mut log, outcome, _, entries) = log_with_entries();
    log.write_all(b"1\n2\n3\n4\n5\n6\n7\n").unwrap();
    entries.recv_timeout(TIMEOUT).unwrap();
    // More than the buffer holds.
    for _ in 0..5 {
        log.write_all(&vec![b'x'; 2 << 20]).unwrap();
    }
    outcome.send(Err(io::ErrorKind::StorageFull.into())).unwrap();
    until(|| log.is_failing());
    assert!(!losses.0.lock().unwrap().contains(&12));
    log.write_all(b"8\n").unwrap();
    drop(outcome);
    until(|| losses.0.lock().unwrap().contains(&12));
}
