//! Two versions of a data contract (rows 31, 32, 35, 37, 40 and 42 of the table), whole.
//!
//! The version and the status are not differences: they are what differences are judged by, and the author's wish.

use std::collections::HashMap;

use super::serving::{Serving, custom};
use super::{Context, Finding, Findings, Options, Rule, property, quality, service};
use crate::contract::{self, Fields, MIGRATION_NOTE, SchemaObject};

/// Custom properties that say what a value means, so that changing them changes every value.
const MEANINGS: [&str; 8] =
    ["unit", "currency", "timezone", "encoding", "codeList", "codeListVersion", "initialDefault", "initial-default"];
/// Custom properties that hide values from readers.
const MASKS: [&str; 4] = ["masking", "mask", "encryption", "tokenization"];
/// Custom properties that say where rows lie.
const LAYOUTS: [&str; 6] = ["clustering", "clusteredBy", "clusterBy", "partitionBy", "partitionSpec", "sortOrder"];
/// Custom properties that say which value new rows get, or readers take for a missing one.
pub(super) const DEFAULTS: [&str; 4] = ["default", "writeDefault", "write-default", "enumDefault"];

/// All differences of two versions of a contract, in the order of the new one, under the strictest options: nothing is
/// proven, and nothing allowed but what the old version allows itself. A contract has none with itself.
pub fn compare(old: &contract::Document, new: &contract::Document) -> Vec<Finding> {
    compare_with(old, new, &Options::default())
}

/// All differences of two versions of a contract, in the order of the new one.
pub fn compare_with(old: &contract::Document, new: &contract::Document, options: &Options) -> Vec<Finding> {
    let context = Context {
        options,
        allow_widening: old.settings.allow_widening,
        enums_open: old.settings.enums_open,
        serving: Serving::of(old, new),
    };
    let mut findings = Findings::new(context);
    objects(&old.objects, &new.objects, &mut findings);
    service::servers(&old.servers, &new.servers, &mut findings);
    service::levels(&old.sla, &new.sla, &mut findings);
    service::roles(&old.roles, &new.roles, &mut findings);
    findings.below("settings", |findings| service::settings(&old.settings, &new.settings, findings));
    findings.below("contract", |findings| {
        if old.domain != new.domain {
            findings.add(Rule::Undetermined, "the domain changed");
        }
        let own = |contract: &contract::Document| {
            let contract::Document { document_id, api_version, name, data_product, .. } = contract;
            (document_id.clone(), api_version.clone(), name.clone(), data_product.clone())
        };
        if own(old) != own(new) {
            findings.add(Rule::Documentation, "the document's own name or standard changed");
        }
        documentation(&old.documentary, &new.documentary, "", findings);
        others(&old.other, &new.other, findings);
    });
    findings.found
}

fn objects(old: &[SchemaObject], new: &[SchemaObject], findings: &mut Findings<'_>) {
    let mut counterparts = vec![None; new.len()];
    let mut is_kept = vec![false; old.len()];
    let keys: [fn(&SchemaObject) -> Option<&str>; 2] = [|object| object.id.as_deref(), |object| Some(&object.name)];
    for key in keys {
        let entries = old.iter().enumerate().filter_map(|(at, object)| Some((key(object)?, at)));
        let index: HashMap<_, _> = entries.collect();
        for (object, counterpart) in new.iter().zip(&mut counterparts) {
            let found = key(object).and_then(|key| index.get(key).copied());
            if let Some(at) = found.filter(|at| counterpart.is_none() && !is_kept[*at]) {
                *counterpart = Some(at);
                is_kept[at] = true;
            }
        }
    }
    for (object, counterpart) in new.iter().zip(counterparts) {
        match counterpart {
            Some(at) => self::object(&old[at], object, findings),
            None => findings.below(&object.name, |findings| findings.add(Rule::ObjectAdded, "the object was added")),
        }
    }
    for (object, _) in old.iter().zip(is_kept).filter(|(_, is_kept)| !is_kept) {
        findings.below(&object.name, |findings| findings.add(Rule::ObjectRemoved, "the object was removed"));
    }
}

fn object(old: &SchemaObject, new: &SchemaObject, findings: &mut Findings<'_>) {
    findings.below_column(&new.name, &new.name, |findings| {
        let at_source = |object: &SchemaObject| object.physical_name.clone().unwrap_or_else(|| object.name.clone());
        let is_named = old.physical_name.is_some() || new.physical_name.is_some();
        if old.name != new.name {
            findings.add(Rule::ColumnRenamed, format!("the object was called `{}`", old.name));
        }
        if at_source(old) != at_source(new) && is_named {
            match findings.context.serving.hides_names {
                true => findings.add(Rule::PhysicalNameHidden, "the object's name at the source changed; none sees it"),
                false => findings.add(Rule::PhysicalNameChanged, "the object's name at the source changed"),
            }
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

/// Compares what is for people: one finding for each field. `hint` ends the sentence about a description.
pub(super) fn documentation(old: &Fields, new: &Fields, hint: &str, findings: &mut Findings<'_>) {
    for name in differing(old, new) {
        let hint = if name == "description" { hint } else { "" };
        findings.add(Rule::Documentation, format!("`{name}` changed{hint}"));
    }
}

/// Compares what has no field of its own in the model: one finding for each field, and for each custom property.
pub(super) fn others(old: &Fields, new: &Fields, findings: &mut Findings<'_>) {
    const CUSTOM: &str = "customProperties";
    for name in differing(old, new) {
        if name == CUSTOM {
            let none = Fields::new();
            custom_properties(custom(old).unwrap_or(&none), custom(new).unwrap_or(&none), findings);
        } else if name == "deprecated" {
            let is_deprecated = new.get(&name).is_some_and(|mark| mark.as_bool() == Some(true));
            deprecation(is_deprecated, findings);
        } else {
            findings.add(Rule::Undetermined, format!("`{name}` changed, and what that means to readers is not known"));
        }
    }
}

/// A mark of deprecation that was set or taken back.
pub(super) fn deprecation(is_deprecated: bool, findings: &mut Findings<'_>) {
    match is_deprecated {
        true => findings.add(Rule::Deprecated, "it is marked as deprecated, so its removal may follow"),
        false => findings.add(Rule::DeprecationWithdrawn, "it is not deprecated any more"),
    }
}

fn custom_properties(old: &Fields, new: &Fields, findings: &mut Findings<'_>) {
    for name in differing(old, new) {
        let is_one_of = |names: &[&str]| names.contains(&name.as_str());
        if name == MIGRATION_NOTE {
            findings.add(Rule::Documentation, "the note for readers of the former major changed");
        } else if is_one_of(&MEANINGS) {
            findings.add(Rule::MeaningChanged, format!("`{name}` changed, so the same value means something else"));
        } else if is_one_of(&MASKS) {
            findings.add(Rule::EncryptionChanged, format!("`{name}` changed, so values are shown otherwise"));
        } else if is_one_of(&LAYOUTS) {
            property::partitioning(&format!("`{name}` changed"), findings);
        } else if is_one_of(&DEFAULTS) {
            match findings.context.serving.reads_defaults {
                true => findings.add(Rule::ReaderDefaultChanged, "what readers take for a missing value changed"),
                false => findings.add(Rule::DefaultChanged, "the value that new rows get by default changed"),
            }
        } else if name == property::OPEN_ENUM {
            match new.get(&name).and_then(|open| open.as_bool()) == Some(true) {
                true => findings.add(Rule::EnumLoosened, "the enumeration may grow now without notice"),
                false => findings.add(Rule::EnumTightened, "the enumeration does not grow without notice any more"),
            }
        } else {
            let message = "changed, and what that means to readers is not known";
            findings.add(Rule::Undetermined, format!("the custom property `{name}` {message}"));
        }
    }
}

/// The names of fields that differ, in order.
fn differing(old: &Fields, new: &Fields) -> Vec<String> {
    if old == new {
        return Vec::new();
    }
    let changed = new.iter().filter(|(name, value)| old.get(*name) != Some(value));
    let removed = old.iter().filter(|(name, _)| !new.contains_key(*name));
    let mut names: Vec<_> = changed.chain(removed).map(|(name, _)| name.clone()).collect();
    names.sort();
    names
}
