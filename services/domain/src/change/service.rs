//! Servers, roles, service levels and gate settings (rows 30, 38, 39 and 43 of the table).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::fields::{documentation, others};
use super::finding::Findings;
use super::rule::Rule;
use super::serving;
use super::values::{Values, but_for_equal};
use crate::clock::Timestamp;
use crate::contract::{Fields, GateMode, Late, Pinning, Role, Server, ServerKind, Settings, SlaProperty};
use crate::table::ReaderProtocol;

pub(super) fn servers(old: &[Server], new: &[Server], findings: &mut Findings<'_>) {
    let key = |server: &Server| format!("servers.{}", server.name);
    each(old, new, key, findings, |old, new, findings| match (old, new) {
        (None, new) => findings.change(Rule::ServerAdded, "a server was added", Values::of(&None, &new)),
        (old, None) => findings.change(Rule::ServerRemoved, "the server was removed", Values::of(&old, &None)),
        (Some(old), Some(new)) => server(old, new, findings),
    });
}

fn server(old: &Server, new: &Server, findings: &mut Findings<'_>) {
    match (&old.kind, &new.kind) {
        (ServerKind::Local(before), ServerKind::Local(after)) => {
            if before.format != after.format {
                findings.change(Rule::ServerChanged, "the tables are in another format", Values::of(old, new));
            } else if before.path != after.path {
                let message = "the folder moved; readers get the new location with their next credentials";
                findings.change(Rule::ServerMoved, message, Values::of(old, new));
            }
        }
        (ServerKind::Local(_) | ServerKind::Other(_), after) if old.kind != *after => {
            findings.change(Rule::ServerChanged, "the server is of another type", Values::of(old, new));
        }
        (ServerKind::Local(_) | ServerKind::Other(_), _) => {}
    }
    let version = |server: &Server| serving::format_version(server);
    match (version(old), version(new)) {
        (Some(before), Some(after)) if before < after => {
            let message = format!("the format version changed from {before} to {after}");
            findings.change(Rule::ReaderCeilingRaised, message, Values::of(&before, &after));
        }
        (Some(before), Some(after)) if before > after => {
            let message = format!("the format version changed from {before} to {after}");
            findings.change(Rule::ReaderCeilingLowered, message, Values::of(&before, &after));
        }
        _ => {}
    }
    if old.environment != new.environment {
        let values = Values::of(&old.environment, &new.environment);
        findings.change(Rule::ServerChanged, "the server serves another environment", values);
    }
    let (before, after) = (but_for_version(old, new), but_for_version(new, old));
    if before != after {
        let values = Values::of(&but_for_equal(&before, &after), &but_for_equal(&after, &before));
        findings.change(Rule::ServerChanged, "the server's location or settings changed", values);
    }
    if old.id != new.id {
        findings.change(Rule::Documentation, "the stable id changed", Values::of(&old.id, &new.id));
    }
    documentation(&old.documentary, &new.documentary, "", findings);
}

/// A server's fields without its format version, if the other says one as well: that is a finding of its own.
fn but_for_version(server: &Server, other: &Server) -> Fields {
    let mut fields = server.other.clone();
    if serving::format_version(other).is_some()
        && serving::format_version(server).is_some()
        && let Some(custom) = fields.get_mut("customProperties").and_then(|custom| custom.as_object_mut())
    {
        serving::FORMAT_VERSION.iter().for_each(|name| drop(custom.remove(*name)));
    }
    fields
}

pub(super) fn levels(old: &[SlaProperty], new: &[SlaProperty], findings: &mut Findings<'_>) {
    let key = |sla: &SlaProperty| match &sla.element {
        Some(element) => format!("sla.{}({element})", sla.property),
        None => format!("sla.{}", sla.property),
    };
    each(old, new, key, findings, |old, new, findings| match (old, new) {
        (None, new) => findings.change(Rule::SlaImproved, "a service level was added", Values::of(&None, &new)),
        (old, None) => {
            findings.change(Rule::SlaWorsened, "the service level was removed", Values::of(&old, &None));
        }
        (Some(old), Some(new)) => service_level(old, new, findings),
    });
}

fn service_level(old: &SlaProperty, new: &SlaProperty, findings: &mut Findings<'_>) {
    use Ordering::{Equal, Greater, Less};
    if (&old.value, &old.unit) != (&new.value, &new.unit) {
        // Which way is better; what we do not know cannot be compared.
        let better = match new.property.as_str() {
            "latency"
            | "frequency"
            | "errorRate"
            | "timeToDetect"
            | "timeToNotify"
            | "timeToRepair"
            | "generalAvailability" => Some(Less),
            "retention" | "availability" | "throughput" | "endOfSupport" | "endOfLife" => Some(Greater),
            _ => None,
        };
        let (rule, message) = match (level(new).zip(level(old)).and_then(|(new, old)| new.partial_cmp(&old)), better) {
            (Some(Equal), _) => (Rule::SlaRespelled, "the service level is written differently and is the same"),
            (Some(change), Some(better)) if change == better => (Rule::SlaImproved, "the service level is better"),
            (Some(_), Some(_)) => (Rule::SlaWorsened, "the service level is worse"),
            _ => (Rule::SlaChanged, "the service level cannot be compared with the old one"),
        };
        findings.change(rule, message, Values::of(old, new));
    }
    if old.value_ext != new.value_ext {
        let values = Values::of(&old.value_ext, &new.value_ext);
        findings.change(Rule::SlaChanged, "the service level's extended value changed", values);
    }
    if old.id != new.id {
        findings.change(Rule::Documentation, "the stable id changed", Values::of(&old.id, &new.id));
    }
    documentation(&old.documentary, &new.documentary, "", findings);
    others(&old.other, &new.other, findings);
}

/// A service level as something that has an order.
#[derive(PartialEq)]
enum Level {
    Duration(Duration),
    Moment(Timestamp),
    /// A number and its unit.
    Number(String, f64),
}

/// Levels of different kinds, and numbers of different units, have no order.
impl PartialOrd for Level {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Duration(a), Self::Duration(b)) => a.partial_cmp(b),
            (Self::Moment(a), Self::Moment(b)) => a.partial_cmp(b),
            (Self::Number(unit, a), Self::Number(other_unit, b)) if unit == other_unit => a.partial_cmp(b),
            (Self::Duration(_) | Self::Moment(_) | Self::Number(..), _) => None,
        }
    }
}

fn level(sla: &SlaProperty) -> Option<Level> {
    if let Some(duration) = sla.duration() {
        return Some(Level::Duration(duration));
    }
    if let Some(moment) = sla.value.as_str().and_then(Timestamp::parse_date_time) {
        return Some(Level::Moment(moment));
    }
    let number = match &sla.value {
        serde_json::Value::Number(number) => number.as_f64()?,
        serde_json::Value::String(text) => text.trim().trim_end_matches('%').trim().parse().ok()?,
        _ => return None,
    };
    let is_percent = matches!(&sla.value, serde_json::Value::String(text) if text.trim().ends_with('%'));
    let unit = sla.unit.as_deref().unwrap_or_default().trim().to_lowercase();
    let unit = if matches!(unit.as_str(), "%" | "pct") || (is_percent && unit.is_empty()) { "percent" } else { &unit };
    Some(Level::Number(unit.to_owned(), number))
}

pub(super) fn roles(old: &[Role], new: &[Role], findings: &mut Findings<'_>) {
    let key = |role: &Role| format!("roles.{}", role.role);
    each(old, new, key, findings, |old, new, findings| match (old, new) {
        (None, new) => {
            let access = new.and_then(|role| role.access.as_ref());
            findings.change(Rule::RoleAdded, "a role was added", Values::of(&None, &access));
        }
        (Some(old), None) => {
            findings.change(Rule::RoleChanged, "the role was removed", Values::of(&old.access, &None));
        }
        (Some(old), Some(new)) => {
            if old.access != new.access {
                let (before, after) = (privileges(old), privileges(new));
                let (rule, message) = match before.is_subset(&after) && !before.is_empty() {
                    true if before == after => (Rule::Documentation, "the access is written differently"),
                    true => (Rule::RoleAdded, "the role allows more"),
                    false => (Rule::RoleChanged, "the access of the role changed"),
                };
                findings.change(rule, message, Values::of(&old.access, &new.access));
            }
            if old.id != new.id {
                findings.change(Rule::Documentation, "the stable id changed", Values::of(&old.id, &new.id));
            }
            documentation(&old.documentary, &new.documentary, "", findings);
            others(&old.other, &new.other, findings);
        }
    });
}

/// The words of a role's free text, without those that only join them.
fn privileges(role: &Role) -> BTreeSet<String> {
    let text = role.access.as_deref().unwrap_or_default().to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| !matches!(*word, "" | "and" | "or")).map(str::to_owned).collect()
}

/// The gate's settings. A setting is a promise to readers: taking back what it keeps from them is MAJOR, adding to it
/// MINOR. What keeps some readers out (`pinned`) takes back as well.
pub(super) fn settings(old: &Settings, new: &Settings, findings: &mut Findings<'_>) {
    let mut set = |name: &str, tightened: Option<bool>, values: Values| {
        let (rule, message) = match tightened {
            Some(true) => (Rule::SettingTightened, "the gate promises more"),
            Some(false) => (Rule::SettingLoosened, "the gate promises less"),
            None => (Rule::SettingChanged, "how long something may take changed"),
        };
        findings.below(format!(".{name}"), |findings| findings.change(rule, message, values));
    };
    if old.gate_mode != new.gate_mode {
        // Only `warn` serves data that failed.
        set("gateMode", Some(new.gate_mode != GateMode::Warn), Values::of(&old.gate_mode, &new.gate_mode));
    }
    if old.late != new.late {
        set("late", Some(new.late == Late::Block), Values::of(&old.late, &new.late));
    }
    if old.closed != new.closed {
        set("closed", Some(new.closed), Values::of(&old.closed, &new.closed));
    }
    if old.is_final != new.is_final {
        // Final data is never late, so the promise of freshness is gone.
        set("final", Some(!new.is_final), Values::of(&old.is_final, &new.is_final));
    }
    if old.pinned != new.pinned {
        // Digests promise more where nothing else changes; being pinned keeps doors out.
        set(
            "pinned",
            Some(match (old.pinned, new.pinned) {
                (Pinning::Any, _) | (Pinning::Digest, _) => false,
                (Pinning::Files, _) => true,
            }),
            Values::of(&old.pinned, &new.pinned),
        );
    }
    if old.compatibility != new.compatibility {
        // A level that asks for all that the old one did promises more.
        let (before, after) = (old.compatibility, new.compatibility);
        let keeps = (after.asks_backward() || !before.asks_backward())
            && (after.asks_forward() || !before.asks_forward())
            && (after.is_transitive() || !before.is_transitive());
        set("compatibility", Some(keeps), Values::of(&old.compatibility, &new.compatibility));
    }
    if old.allow_widening != new.allow_widening {
        set("allowWidening", Some(!new.allow_widening), Values::of(&old.allow_widening, &new.allow_widening));
    }
    if old.enums_open != new.enums_open {
        set("enumsOpen", Some(!new.enums_open), Values::of(&old.enums_open, &new.enums_open));
    }
    if old.ordered != new.ordered {
        set("ordered", Some(new.ordered), Values::of(&old.ordered, &new.ordered));
    }
    if old.path_readers != new.path_readers {
        set("pathReaders", Some(new.path_readers), Values::of(&old.path_readers, &new.path_readers));
    }
    if old.partitioning_promised != new.partitioning_promised {
        set(
            "partitioned",
            Some(new.partitioning_promised),
            Values::of(&old.partitioning_promised, &new.partitioning_promised),
        );
    }
    if old.grace != new.grace {
        set("grace", None, Values::of(&old.grace, &new.grace));
    }
    if old.evolve != new.evolve {
        set("evolve", None, Values::of(&old.evolve, &new.evolve));
    }
    if old.exposure != new.exposure {
        set("exposure", None, Values::of(&old.exposure, &new.exposure));
    }
    if old.reader_ceiling != new.reader_ceiling {
        let (rule, message) = match lets_in_no_more(old.reader_ceiling.as_ref(), new.reader_ceiling.as_ref()) {
            true => (Rule::ReaderCeilingLowered, "reading requires no more features than before"),
            false => (Rule::ReaderCeilingRaised, "reading may require more features than before"),
        };
        let values = Values::of(&old.reader_ceiling, &new.reader_ceiling);
        findings.below(".readerFeatures", |findings| findings.change(rule, message, values));
    }
}

/// Whether a ceiling allows nothing that the old one did not; no ceiling allows everything.
fn lets_in_no_more(old: Option<&ReaderProtocol>, new: Option<&ReaderProtocol>) -> bool {
    match (old, new) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(old), Some(new)) => new.version <= old.version && new.features.is_subset(&old.features),
    }
}

/// Looks at each thing that either list has, matched by key: those of the new list in its order, then those that are
/// gone. Of several with one key each is matched with one.
fn each<'a, T: PartialEq>(
    old: &'a [T],
    new: &'a [T],
    key: impl Fn(&T) -> String,
    findings: &mut Findings<'_>,
    look: impl Fn(Option<&'a T>, Option<&'a T>, &mut Findings<'_>),
) {
    if old == new {
        return;
    }
    let numbered = |things: &'a [T]| {
        let mut counts = BTreeMap::new();
        let number = |thing: &'a T| {
            let key = key(thing);
            let count = counts.entry(key.clone()).or_insert(0_usize);
            *count += 1;
            ((key, *count), thing)
        };
        things.iter().map(number).collect::<Vec<_>>()
    };
    let mut before: BTreeMap<_, _> = numbered(old).into_iter().collect();
    for ((key, number), thing) in numbered(new) {
        let counterpart = before.remove(&(key.clone(), number));
        if counterpart != Some(thing) {
            findings.below(key, |findings| look(counterpart, Some(thing), findings));
        }
    }
    for ((key, _), thing) in before {
        findings.below(key, |findings| look(Some(thing), None, findings));
    }
}
