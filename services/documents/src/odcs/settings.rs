//! The contract's settings: custom properties that configure the gate.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::contract::{Evolve, GateMode, Late, Pinning, Settings, sla};
use domain::table::ReaderProtocol;

use crate::node::Data;
use crate::reader::{At, Reader};

/// The settings, and the names of those that were read: what is wrong with one stays a custom property.
pub(super) fn settings(at: &At<'_>, reader: &mut Reader) -> (Settings, Vec<&'static str>) {
    let mut settings = Settings::default();
    let (mut seen, mut read) = (BTreeSet::new(), Vec::new());
    for entry in at.list("customProperties") {
        let name = entry.text_of("property");
        let Some(name) = Settings::NAMES.into_iter().find(|known| name.as_deref() == Some(known)) else { continue };
        let n_problems = reader.problems.len();
        if !seen.insert(name) {
            reader.problem(&entry, format!("duplicate setting `{name}`"));
        }
        match entry.get("value") {
            Some(value) => set(&mut settings, name, &value, reader),
            None => reader.problem(&entry, format!("the setting `{name}` has no value")),
        }
        if reader.problems.len() == n_problems {
            read.push(name);
        }
    }
    (settings, read)
}

fn set(settings: &mut Settings, name: &str, at: &At<'_>, reader: &mut Reader) {
    match name {
        "gateMode" => match at.text().and_then(GateMode::from_word) {
            Some(mode) => settings.gate_mode = mode,
            None => reader.problem(at, "`gateMode` must be one of `block`, `last_good`, `warn`"),
        },
        "late" => match at.text().and_then(Late::from_word) {
            Some(late) => settings.late = late,
            None => reader.problem(at, "`late` must be one of `warn`, `block`"),
        },
        "compatibility" => match at.text().map(str::parse) {
            Some(Ok(level)) => settings.compatibility = level,
            _ => reader.problem(at, "`compatibility` must be a level, such as `FULL_TRANSITIVE`, `BACKWARD` or `NONE`"),
        },
        "evolve" => match at.text().and_then(Evolve::from_word) {
            Some(evolve) => settings.evolve = evolve,
            None => reader.problem(at, "`evolve` must be one of `auto`, `review`"),
        },
        "allowWidening" => flag(&mut settings.allow_widening, name, at, reader),
        "enumsOpen" => flag(&mut settings.enums_open, name, at, reader),
        "ordered" => flag(&mut settings.ordered, name, at, reader),
        "partitioned" => flag(&mut settings.partitioning_promised, name, at, reader),
        "pathReaders" => flag(&mut settings.path_readers, name, at, reader),
        "closed" => flag(&mut settings.closed, name, at, reader),
        "pinned" => match &at.node.data {
            Data::Boolean(false) => settings.pinned = Pinning::Any,
            Data::Boolean(true) => settings.pinned = Pinning::Files,
            _ if at.text() == Some("digest") => settings.pinned = Pinning::Digest,
            _ => reader.problem(at, "`pinned` must be `true`, `false` or `digest`"),
        },
        "final" => flag(&mut settings.is_final, name, at, reader),
        "grace" => duration(&mut settings.grace, name, at, reader),
        "exposure" => duration(&mut settings.exposure, name, at, reader),
        "readerVersion" => match at.number().filter(|number| (1.0..=1_000.0).contains(number) && number.fract() == 0.0)
        {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
            Some(number) => ceiling(settings).version = number as u32,
            None => reader.problem(at, "`readerVersion` must be a whole number of at least 1"),
        },
        _ => match &at.node.data {
            Data::List(items) if items.iter().all(|item| item.as_text().is_some()) => {
                let features = items.iter().filter_map(|item| item.as_text()).map(str::to_owned).collect();
                ceiling(settings).features = features;
            }
            Data::Null | Data::Boolean(_) | Data::Number(_) | Data::Text(_) | Data::List(_) | Data::Map(_) => {
                reader.problem(at, "`readerFeatures` must be a list of feature names");
            }
        },
    }
}

/// The ceiling, made where it is named first. Features without a version raise it to the one that has features.
fn ceiling(settings: &mut Settings) -> &mut ReaderProtocol {
    settings.reader_ceiling.get_or_insert_with(|| ReaderProtocol { version: 3, ..ReaderProtocol::default() })
}

fn flag(setting: &mut bool, name: &str, at: &At<'_>, reader: &mut Reader) {
    if let Data::Boolean(boolean) = at.node.data {
        *setting = boolean;
    } else {
        reader.problem(at, format!("`{name}` must be `true` or `false`"));
    }
}

fn duration(setting: &mut Duration, name: &str, at: &At<'_>, reader: &mut Reader) {
    match at.text().and_then(sla::parse_duration) {
        Some(duration) => *setting = duration,
        None => reader.problem(at, format!("`{name}` must be a number and a unit, such as `90m`, `1h` or `2d`")),
    }
}
