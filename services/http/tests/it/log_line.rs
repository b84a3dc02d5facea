//! The log line of a request.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use domain::clock::Random;
use http::Method;
use http_base::request::LogLine;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps the fields of request lines.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<Line>>>);

pub(crate) type Line = BTreeMap<&'static str, String>;

impl Lines {
    pub(crate) fn taken(&self) -> Vec<Line> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

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
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Fields(Line);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
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
    let lines = lines.taken();
    let elapsed: Vec<f64> = lines.iter().map(|line| line["elapsed_ms"].parse().unwrap()).collect();
    assert!(matches!(elapsed[..], [elapsed_ms] if elapsed_ms > 0.0 && elapsed_ms < 60_000.0), "{elapsed:?}");
}
