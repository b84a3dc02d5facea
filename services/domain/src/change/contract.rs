//! Two versions of a data contract (rows 30, 32, 37 to 39 and 43 of the table, and the gate's settings).
//!
//! The version and the status are not differences: they are what differences are judged by, and the author's wish.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Finding, Findings, Rule, property, quality};
use crate::contract::{
    Contract, Fields, GateMode, Late, Role, SchemaObject, Server, ServerKind, Settings, SlaProperty, sla,
};
use crate::table::ReaderProtocol;

/// Custom properties that say what a value means, so that changing them changes every value.
const MEANINGS: [&str; 6] = ["unit", "currency", "timezone", "encoding", "codeList", "codeListVersion"];

/// All differences of two versions of a contract, in the order of the new one. A contract has none with itself.
pub fn compare(old: &Contract, new: &Contract) -> Vec<Finding> {
    let mut findings = Findings::default();
    objects(&old.objects, &new.objects, &mut findings);
    servers(&old.servers, &new.servers, &mut findings);
    service_levels(&old.sla, &new.sla, &mut findings);
    roles(&old.roles, &new.roles, &mut findings);
    findings.below("settings", |findings| settings(&old.settings, &new.settings, findings));
    findings.below("contract", |findings| {
        if old.domain != new.domain {
            findings.add(Rule::Undetermined, "the domain changed");
        }
        if old.name != new.name || old.data_product != new.data_product || old.api_version != new.api_version {
            findings.add(Rule::Documentation, "the document's own name or standard changed");
        }
        documentation(&old.documentary, &new.documentary, "", findings);
        others(&old.other, &new.other, findings);
    });
    findings.found
}

fn objects(old: &[SchemaObject], new: &[SchemaObject], findings: &mut Findings) {
    let same_id = |a: &SchemaObject, b: &SchemaObject| a.id.is_some() && a.id == b.id;
    let mut unmatched: Vec<&SchemaObject> = old.iter().collect();
    let mut added = Vec::new();
    let mut by_name = Vec::new();
    for object in new {
        match unmatched.iter().position(|before| same_id(before, object)) {
            Some(at) => self::object(unmatched.remove(at), object, findings),
            None => by_name.push(object),
        }
    }
    for object in by_name {
        match unmatched.iter().position(|before| before.name == object.name) {
            Some(at) => self::object(unmatched.remove(at), object, findings),
            None => added.push(object),
        }
    }
    for object in added {
        findings.below(&object.name, |findings| findings.add(Rule::ObjectAdded, "the object was added"));
    }
    for object in unmatched {
        findings.below(&object.name, |findings| findings.add(Rule::ObjectRemoved, "the object was removed"));
    }
}

fn object(old: &SchemaObject, new: &SchemaObject, findings: &mut Findings) {
    if old == new {
        return;
    }
    findings.below(&new.name, |findings| {
        if old.name != new.name {
            findings.add(Rule::ColumnRenamed, format!("the object was called `{}`", old.name));
        } else if old.physical_name.as_ref().unwrap_or(&old.name) != new.physical_name.as_ref().unwrap_or(&new.name) {
            findings.add(Rule::PhysicalNameChanged, "the object's name at the source changed");
        } else if old.physical_name != new.physical_name {
            findings.add(Rule::Documentation, "the name at the source is written otherwise and is the same");
        }
        if old.id != new.id {
            findings.add(Rule::Documentation, "the stable id changed");
        }
        if old.physical_type != new.physical_type {
            findings.add(Rule::Undetermined, "what the object is at the source changed");
        }
        property::members(&old.properties, &new.properties, findings);
        property::primary_keys(old, new, findings);
        property::relationships(&old.relationships, &new.relationships, findings);
        quality::lists(&old.quality, &new.quality, findings);
        documentation(&old.documentary, &new.documentary, "", findings);
        others(&old.other, &new.other, findings);
    });
}

fn servers(old: &[Server], new: &[Server], findings: &mut Findings) {
    let key = |server: &Server| format!("servers.{}", server.name);
    each(old, new, key, findings, |old, new, findings| match (old, new) {
        (None, _) => findings.add(Rule::ServerAdded, "a server was added"),
        (_, None) => findings.add(Rule::ServerRemoved, "the server was removed"),
        (Some(old), Some(new)) => server(old, new, findings),
    });
}

fn server(old: &Server, new: &Server, findings: &mut Findings) {
    match (&old.kind, &new.kind) {
        (ServerKind::Local(before), ServerKind::Local(after)) => {
            if before.format != after.format {
                findings.add(Rule::ServerChanged, "the tables are in another format");
            } else if before.path != after.path {
                findings.add(Rule::ServerMoved, "the folder moved; readers are given it at each vend");
            }
        }
        (before, after) if before != after => findings.add(Rule::ServerChanged, "the server is of another type"),
        _ => {}
    }
    if old.environment != new.environment {
        findings.add(Rule::ServerChanged, "the server serves another environment");
    }
    if old.other != new.other {
        findings.add(Rule::ServerChanged, "the server's location or settings changed");
    }
    if old.id != new.id {
        findings.add(Rule::Documentation, "the stable id changed");
    }
    documentation(&old.documentary, &new.documentary, "", findings);
}

fn service_levels(old: &[SlaProperty], new: &[SlaProperty], findings: &mut Findings) {
    let key = |sla: &SlaProperty| match &sla.element {
        Some(element) => format!("sla.{}({element})", sla.property),
        None => format!("sla.{}", sla.property),
    };
    each(old, new, key, findings, |old, new, findings| match (old, new) {
        (None, _) => findings.add(Rule::SlaImproved, "a service level was added"),
        (_, None) => findings.add(Rule::SlaWorsened, "the service level was removed"),
        (Some(old), Some(new)) => service_level(old, new, findings),
    });
}

fn service_level(old: &SlaProperty, new: &SlaProperty, findings: &mut Findings) {
    use std::cmp::Ordering::{Equal, Greater, Less};
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
            (Some(Equal), _) => (Rule::SlaRespelled, "the service level is written otherwise and is the same"),
            (Some(change), Some(better)) if change == better => (Rule::SlaImproved, "the service level is better"),
            (Some(_), Some(_)) => (Rule::SlaWorsened, "the service level is worse"),
            _ => (Rule::SlaChanged, "the service level cannot be compared with the old one"),
        };
        findings.add(rule, message);
    }
    if old.value_ext != new.value_ext {
        findings.add(Rule::SlaChanged, "the service level's extended value changed");
    }
    if old.id != new.id {
        findings.add(Rule::Documentation, "the stable id changed");
    }
    documentation(&old.documentary, &new.documentary, "", findings);
    others(&old.other, &new.other, findings);
}

/// A service level as something that has an order; levels of different kinds have none.
#[derive(PartialEq, PartialOrd)]
enum Level {
    Duration(Duration),
    Moment(i64),
    Number(String, f64),
}

fn level(sla: &SlaProperty) -> Option<Level> {
    if let Some(duration) = sla.duration() {
        return Some(Level::Duration(duration));
    }
    if let Some(moment) = sla.value.as_str().and_then(sla::parse_moment) {
        return Some(Level::Moment(moment.micros()));
    }
    let number = match &sla.value {
        serde_json::Value::Number(number) => number.as_f64()?,
        serde_json::Value::String(text) => text.trim().trim_end_matches('%').trim().parse().ok()?,
        _ => return None,
    };
    Some(Level::Number(sla.unit.clone().unwrap_or_default(), number))
}

fn roles(old: &[Role], new: &[Role], findings: &mut Findings) {
    let key = |role: &Role| format!("roles.{}", role.role);
    each(old, new, key, findings, |old, new, findings| match (old, new) {
        (None, _) => findings.add(Rule::RoleAdded, "a role was added"),
        (_, None) => findings.add(Rule::RoleChanged, "the role was removed"),
        (Some(old), Some(new)) => {
            if old.access != new.access {
                findings.add(Rule::RoleChanged, "what the role allows changed");
            }
            if old.id != new.id {
                findings.add(Rule::Documentation, "the stable id changed");
            }
            documentation(&old.documentary, &new.documentary, "", findings);
            others(&old.other, &new.other, findings);
        }
    });
}

/// The gate's settings. A setting is a promise to readers: taking back what it keeps from them is MAJOR, adding to it
/// MINOR. What keeps some readers out (`pinned`) takes back as well.
fn settings(old: &Settings, new: &Settings, findings: &mut Findings) {
    let mut set = |name: &str, tightened: Option<bool>| {
        let (rule, message) = match tightened {
            Some(true) => (Rule::SettingTightened, "the gate promises more"),
            Some(false) => (Rule::SettingLoosened, "the gate promises less"),
            None => (Rule::SettingChanged, "how long something may take changed"),
        };
        findings.below(format!(".{name}"), |findings| findings.add(rule, message));
    };
    if old.gate_mode != new.gate_mode {
        // Only `warn` serves data that failed.
        set("gateMode", Some(new.gate_mode != GateMode::Warn));
    }
    if old.late != new.late {
        set("late", Some(new.late == Late::Block));
    }
    if old.closed != new.closed {
        set("closed", Some(new.closed));
    }
    if old.is_final != new.is_final {
        // Final data is never late, so the promise of freshness is gone.
        set("final", Some(!new.is_final));
    }
    if old.pinned != new.pinned {
        set("pinned", Some(!new.pinned));
    }
    if old.grace != new.grace {
        set("grace", None);
    }
    if old.exposure != new.exposure {
        set("exposure", None);
    }
    if old.reader_ceiling != new.reader_ceiling {
        let (rule, message) = match lets_in_no_more(old.reader_ceiling.as_ref(), new.reader_ceiling.as_ref()) {
            true => (Rule::ReaderCeilingLowered, "reading asks for no more than before"),
            false => (Rule::ReaderCeilingRaised, "reading may ask for more than before"),
        };
        findings.below(".readerFeatures", |findings| findings.add(rule, message));
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
    findings: &mut Findings,
    look: impl Fn(Option<&'a T>, Option<&'a T>, &mut Findings),
) {
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

/// Compares what is for people: one finding for each field. `hint` ends the sentence about a description.
pub(super) fn documentation(old: &Fields, new: &Fields, hint: &str, findings: &mut Findings) {
    for name in differing(old, new) {
        let hint = if name == "description" { hint } else { "" };
        findings.add(Rule::Documentation, format!("`{name}` changed{hint}"));
    }
}

/// Compares what no rule knows: one finding for each field, and for each custom property.
pub(super) fn others(old: &Fields, new: &Fields, findings: &mut Findings) {
    const CUSTOM: &str = "customProperties";
    for name in differing(old, new) {
        if name != CUSTOM {
            findings.add(Rule::Undetermined, format!("`{name}` changed, and what that means to readers is not known"));
            continue;
        }
        let none = Fields::new();
        let custom = |fields: &'_ Fields| fields.get(CUSTOM).and_then(|custom| custom.as_object()).cloned();
        let (before, after) = (custom(old), custom(new));
        for name in differing(before.as_ref().unwrap_or(&none), after.as_ref().unwrap_or(&none)) {
            if MEANINGS.contains(&name.as_str()) {
                findings.add(Rule::MeaningChanged, format!("`{name}` changed, so the same value means something else"));
            } else {
                let message = "changed, and what that means to readers is not known";
                findings.add(Rule::Undetermined, format!("the custom property `{name}` {message}"));
            }
        }
    }
}

/// The names of fields that differ, in order.
fn differing(old: &Fields, new: &Fields) -> Vec<String> {
    let changed = new.iter().filter(|(name, value)| old.get(*name) != Some(value));
    let removed = old.iter().filter(|(name, _)| !new.contains_key(*name));
    let mut names: Vec<_> = changed.chain(removed).map(|(name, _)| name.clone()).collect();
    names.sort();
    names
}
