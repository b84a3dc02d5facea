//! The log line of a request.

use std::sync::{Arc, Mutex};

use domain::clock::Random;
use http::Method;
use http_base::request::LogLine;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps the elapsed times of request lines, in milliseconds.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<f64>>>);

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "charter::request"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Elapsed(self));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Elapsed<'a>(&'a Lines);

impl Visit for Elapsed<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        assert_eq!(field.name(), "elapsed_ms");
        self.0.0.lock().unwrap().push(value);
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

struct Zeros;

impl Random for Zeros {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

/// Whatever the time of day does meanwhile.
#[test]
fn the_elapsed_time_is_that_of_a_steady_clock() {
    let lines = Lines::default();
    let guard = tracing::subscriber::set_default(lines.clone());
    drop(LogLine::begin(&Zeros, &Method::GET, "/"));
    drop(guard);
    let elapsed = lines.0.lock().unwrap().clone();
    assert!(matches!(elapsed[..], [elapsed_ms] if elapsed_ms > 0.0 && elapsed_ms < 60_000.0), "{elapsed:?}");
}
