//! Records trace events of the thread that a test runs on: all tasks of `#[tokio::test]` run there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// An event: its target and its fields as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traced {
    pub(crate) target: &'static str,
    pub(crate) fields: BTreeMap<&'static str, String>,
}

/// A subscriber that records the events of some targets.
#[derive(Clone)]
pub(crate) struct Trace {
    targets: &'static [&'static str],
    events: Arc<Mutex<Vec<Traced>>>,
}

impl Trace {
    pub(crate) fn new(targets: &'static [&'static str]) -> Self {
        Self { targets, events: Arc::default() }
    }

    /// Takes the events since the last call.
    pub(crate) fn take(&self) -> Vec<Traced> {
        std::mem::take(&mut self.events.lock().unwrap())
    }
}

impl Subscriber for Trace {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.targets.contains(&metadata.target())
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut traced = Traced { target: event.metadata().target(), ..Traced::default() };
        event.record(&mut traced);
        self.events.lock().unwrap().push(traced);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Visit for Traced {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }
}
