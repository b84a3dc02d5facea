//! The comparison of two versions of a data contract as a whole (row 37 of the table).
//!
//! The version and the status are not compared: differences are judged by the version, and the status is the author's
//! request.

use std::collections::HashMap;

use super::fields::{documentation, others};
use super::finding::{Context, Finding, Findings};
use super::proof::Options;
use super::rule::Rule;
use super::serving::Serving;
use super::values::{Values, differing};
use super::{property, quality, service};
use crate::contract::{self, SchemaObject};

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
            findings.change(Rule::Undetermined, "the domain changed", Values::of(&old.domain, &new.domain));
        }
        let own = |contract: &contract::Document| {
            let contract::Document { document_id, api_version, name, data_product, .. } = contract;
            (document_id.clone(), api_version.clone(), name.clone(), data_product.clone())
        };
        if own(old) != own(new) {
            let values = differing(&[
                ("id", Some(&old.document_id), Some(&new.document_id)),
                ("apiVersion", Some(&old.api_version), Some(&new.api_version)),
                ("name", old.name.as_deref(), new.name.as_deref()),
                ("dataProduct", old.data_product.as_deref(), new.data_product.as_deref()),
            ]);
            findings.change(Rule::Documentation, "the document's own name or standard changed", values);
        }
        documentation(&old.documentary, &new.documentary, "", findings);
        others(&old.other, &new.other, findings);
    });
    findings.found
}

/// For each new object the position of the old one that it continues: that of the same stable id, else of the same name.
pub(super) fn counterparts(old: &[SchemaObject], new: &[SchemaObject]) -> Vec<Option<usize>> {
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
    counterparts
}

fn objects(old: &[SchemaObject], new: &[SchemaObject], findings: &mut Findings<'_>) {
    let counterparts = counterparts(old, new);
    let mut is_kept = vec![false; old.len()];
    counterparts.iter().flatten().for_each(|at| is_kept[*at] = true);
    for (object, counterpart) in new.iter().zip(counterparts) {
        match counterpart {
            Some(at) => self::object(&old[at], object, findings),
            None => findings.below(&object.name, |findings| {
                findings.change(Rule::ObjectAdded, "the object was added", Values::added(object));
            }),
        }
    }
    for (object, _) in old.iter().zip(is_kept).filter(|(_, is_kept)| !is_kept) {
        findings.below(&object.name, |findings| {
            findings.change(Rule::ObjectRemoved, "the object was removed", Values::removed(object));
        });
    }
}

fn object(old: &SchemaObject, new: &SchemaObject, findings: &mut Findings<'_>) {
    findings.below_column(&new.name, &new.name, |findings| {
        let at_source = |object: &SchemaObject| object.physical_name.clone().unwrap_or_else(|| object.name.clone());
        let is_named = old.physical_name.is_some() || new.physical_name.is_some();
        if old.name != new.name {
            let message = format!("the object was renamed from `{}`", old.name);
            findings.change(Rule::ColumnRenamed, message, Values::of(&old.name, &new.name));
        }
        if at_source(old) != at_source(new) && is_named {
            let values = Values::of(&at_source(old), &at_source(new));
            match findings.context.serving.hides_names {
                true => {
                    let message = "the object's name at the source changed; readers do not see it";
                    findings.change(Rule::PhysicalNameHidden, message, values);
                }
                false => {
                    findings.change(Rule::PhysicalNameChanged, "the object's name at the source changed", values);
                }
            }
        } else if old.physical_name != new.physical_name {
            let values = Values::of(&old.physical_name, &new.physical_name);
            let message = "the name at the source is written differently and is the same";
            findings.change(Rule::Documentation, message, values);
        }
        if old.id != new.id {
            findings.change(Rule::Documentation, "the stable id changed", Values::of(&old.id, &new.id));
        }
        if old.physical_type != new.physical_type {
            kind(old, new, findings);
        }
        property::members(&old.properties, &new.properties, findings);
        property::primary_keys(old, new, findings);
        property::relationships(&old.relationships, &new.relationships, findings);
        quality::lists(&old.quality, &new.quality, findings);
        documentation(&old.documentary, &new.documentary, "", findings);
        others(&old.other, &new.other, findings);
    });
}

/// The kind of an object is a free word of the source (`table`, `view`, `BASE TABLE`): how the data is read is said by
/// the servers. Only a topic is something else to readers than a table.
fn kind(old: &SchemaObject, new: &SchemaObject, findings: &mut Findings<'_>) {
    let values = Values::of(&old.physical_type, &new.physical_type);
    let word = |object: &SchemaObject| object.physical_type.as_deref().map(|word| word.trim().to_lowercase());
    if old.is_topic() != new.is_topic() {
        findings.change(Rule::Undetermined, "only one of the versions is a topic", values);
    } else if word(old) == word(new) {
        findings.change(Rule::TypeRespelled, "the kind of the object is written differently", values);
    } else {
        findings.change(Rule::Documentation, "the kind of the object at the source changed", values);
    }
}
