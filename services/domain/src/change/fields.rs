//! Fields without a place of their own in the model: documentation, deprecation, and custom properties (rows 27, 31,
//! 32, 35, 40 and 42 of the table).

use super::finding::Findings;
use super::rule::Rule;
use super::serving::custom;
use crate::contract::{Fields, MIGRATION_NOTE};

/// Custom properties that say what a value means, so that changing them changes every value.
const MEANINGS: [&str; 8] =
    ["unit", "currency", "timezone", "encoding", "codeList", "codeListVersion", "initialDefault", "initial-default"];
/// Custom properties that hide values from readers.
const MASKS: [&str; 4] = ["masking", "mask", "encryption", "tokenization"];
/// Custom properties that say where rows lie.
const LAYOUTS: [&str; 6] = ["clustering", "clusteredBy", "clusterBy", "partitionBy", "partitionSpec", "sortOrder"];
/// Custom properties that say which value new rows get, or readers take for a missing one.
pub(super) const DEFAULTS: [&str; 4] = ["default", "writeDefault", "write-default", "enumDefault"];
/// The custom property of a column whose enumeration readers expect to grow.
pub(super) const OPEN_ENUM: &str = "openEnum";

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
            findings.add(Rule::Undetermined, format!("`{name}` changed, and the effect on readers is unknown"));
        }
    }
}

/// A mark of deprecation that was set or taken back.
pub(super) fn deprecation(is_deprecated: bool, findings: &mut Findings<'_>) {
    match is_deprecated {
        true => findings.add(Rule::Deprecated, "it is marked as deprecated, so its removal may follow"),
        false => findings.add(Rule::DeprecationWithdrawn, "it is no longer deprecated"),
    }
}

fn custom_properties(old: &Fields, new: &Fields, findings: &mut Findings<'_>) {
    for name in differing(old, new) {
        let is_one_of = |names: &[&str]| names.contains(&name.as_str());
        if name == MIGRATION_NOTE {
            findings.add(Rule::Documentation, "the migration note changed");
        } else if is_one_of(&MEANINGS) {
            findings.add(Rule::MeaningChanged, format!("`{name}` changed, so the same value means something else"));
        } else if is_one_of(&MASKS) {
            findings.add(Rule::EncryptionChanged, format!("`{name}` changed, so values are shown differently"));
        } else if is_one_of(&LAYOUTS) {
            partitioning(&format!("`{name}` changed"), findings);
        } else if is_one_of(&DEFAULTS) {
            match findings.context.serving.reads_defaults {
                true => {
                    findings.add(Rule::ReaderDefaultChanged, "the default that readers use for a missing value changed")
                }
                false => findings.add(Rule::DefaultChanged, "the default for new rows changed"),
            }
        } else if name == OPEN_ENUM {
            match new.get(&name).and_then(|open| open.as_bool()) == Some(true) {
                true => findings.add(Rule::EnumLoosened, "the enumeration may now grow without notice"),
                false => findings.add(Rule::EnumTightened, "the enumeration may no longer grow without notice"),
            }
        } else {
            let message = "changed, and the effect on readers is unknown";
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

/// What a change of where rows lie means depends on how they are read.
pub(super) fn partitioning(what: &str, findings: &mut Findings<'_>) {
    let serving = findings.context.serving;
    if serving.by_path {
        findings.add(Rule::PartitionPaths, format!("{what}, and readers depend on file paths"));
    } else if serving.partitioning_promised {
        findings.add(Rule::PartitionPromised, format!("{what}, which was promised: queries may cost more"));
    } else {
        findings.add(Rule::PartitionChanged, format!("{what}; queries may cost more or less"));
    }
}
