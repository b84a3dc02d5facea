//! Fields without a place of their own in the model: documentation, deprecation, and custom properties (rows 27, 31,
//! 32, 35, 40 and 42 of the table).

use super::finding::Findings;
use super::rule::Rule;
use super::serving::custom;
use super::sql_text;
use super::values::Values;
use crate::contract::{Fields, MIGRATION_NOTE, Settings};

/// Custom properties that say what a value means, so that changing them changes every value.
const MEANINGS: [&str; 8] =
    ["unit", "currency", "timezone", "encoding", "codeList", "codeListVersion", "initialDefault", "initial-default"];
/// Custom properties that hide values from readers.
const MASKS: [&str; 4] = ["masking", "mask", "encryption", "tokenization"];
/// Custom properties that say where rows lie.
const LAYOUTS: [&str; 7] =
    ["clustering", "clusteredBy", "clusterBy", "partitionBy", "partitionSpec", "partitionTransform", "sortOrder"];
/// Custom properties that say which value new rows get, or readers take for a missing one.
pub(super) const DEFAULTS: [&str; 5] =
    ["default", "writeDefault", "write-default", "icebergWriteDefault", "enumDefault"];
/// Custom properties that say what reading takes, as an import of an Iceberg table writes them.
const READING: [&str; 1] = ["icebergFormatVersion"];
/// The custom property of a column whose enumeration readers expect to grow.
pub(super) const OPEN_ENUM: &str = "openEnum";

/// Compares what is for people: one finding for each field. `hint` ends the sentence about a description.
pub(super) fn documentation(old: &Fields, new: &Fields, hint: &str, findings: &mut Findings<'_>) {
    for name in differing(old, new) {
        let hint = if name == "description" { hint } else { "" };
        let values = Values::of(&old.get(&name), &new.get(&name));
        findings.change(Rule::Documentation, format!("`{name}` changed{hint}"), values);
    }
}

const CUSTOM: &str = "customProperties";

/// Compares what has no field of its own in the model: one finding for each field, and for each custom property.
pub(super) fn others(old: &Fields, new: &Fields, findings: &mut Findings<'_>) {
    let text = |fields: &Fields, name: &str| Some(sql_text::canonical(fields.get(name)?.as_str()?));
    for name in differing(old, new) {
        let values = Values::of(&old.get(&name), &new.get(&name));
        if name == CUSTOM {
            custom_properties(old, new, findings);
        } else if name == "transformLogic" && text(old, &name) == text(new, &name) {
            let message = format!("`{name}` is written differently and is the same");
            findings.change(Rule::Documentation, message, values);
        } else if name == "deprecated" {
            let is_deprecated = new.get(&name).is_some_and(|mark| mark.as_bool() == Some(true));
            deprecation(is_deprecated, findings);
        } else {
            let message = format!("`{name}` changed, and the effect on readers is unknown");
            findings.change(Rule::Undetermined, message, values);
        }
    }
}

/// A mark of deprecation that was set or taken back.
pub(super) fn deprecation(is_deprecated: bool, findings: &mut Findings<'_>) {
    let values = Values::of(&!is_deprecated, &is_deprecated);
    match is_deprecated {
        true => {
            findings.change(Rule::Deprecated, "it is marked as deprecated, so its removal may follow", values);
        }
        false => findings.change(Rule::DeprecationWithdrawn, "it is no longer deprecated", values),
    }
}

/// The fields but for the custom properties.
pub(super) fn but_for_custom(fields: &Fields) -> impl Iterator<Item = (&String, &serde_json::Value)> {
    fields.iter().filter(|(name, _)| *name != CUSTOM)
}

/// Compares the custom properties of something: one finding for each. The standard leaves them to everyone's own tools,
/// so one promises something to readers only if its meaning is known here, or if it is listed as a promise.
pub(super) fn custom_properties(old: &Fields, new: &Fields, findings: &mut Findings<'_>) {
    let none = Fields::new();
    let (old, new) = (custom(old).unwrap_or(&none), custom(new).unwrap_or(&none));
    for name in differing(old, new) {
        let word = said_once(&name);
        let is_one_of = |names: &[&str]| names.contains(&word);
        let values = Values::of(&old.get(&name), &new.get(&name));
        if word == MIGRATION_NOTE {
            findings.change(Rule::Documentation, "the migration note changed", values);
        } else if is_one_of(&MEANINGS) {
            let message = format!("`{name}` changed, so the same value means something else");
            findings.change(Rule::MeaningChanged, message, values);
        } else if is_one_of(&MASKS) {
            let message = format!("`{name}` changed, so values are shown differently");
            findings.change(Rule::EncryptionChanged, message, values);
        } else if is_one_of(&LAYOUTS) {
            partitioning(&format!("`{name}` changed"), values, findings);
        } else if is_one_of(&DEFAULTS) {
            match findings.context.serving.reads_defaults {
                true => {
                    let message = "the default that readers use for a missing value changed";
                    findings.change(Rule::ReaderDefaultChanged, message, values);
                }
                false => findings.change(Rule::DefaultChanged, "the default for new rows changed", values),
            }
        } else if word == OPEN_ENUM {
            match new.get(&name).and_then(|open| open.as_bool()) == Some(true) {
                true => findings.change(Rule::EnumLoosened, "the enumeration may now grow without notice", values),
                false => {
                    let message = "the enumeration may no longer grow without notice";
                    findings.change(Rule::EnumTightened, message, values);
                }
            }
        } else if is_one_of(&Settings::NAMES) || is_one_of(&READING) || findings.context.options.promises.contains(word)
        {
            let message = "changed, and the effect on readers is unknown";
            findings.change(Rule::Undetermined, format!("the custom property `{name}` {message}"), values);
        } else {
            findings.change(Rule::Documentation, format!("the custom property `{name}` changed"), values);
        }
    }
}

/// The name of a custom property without the number that tells it from others of the same name.
fn said_once(name: &str) -> &str {
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    name.rsplit_once('#').filter(|(_, digits)| is_number(digits)).map_or(name, |(name, _)| name)
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
pub(super) fn partitioning(what: &str, values: Values, findings: &mut Findings<'_>) {
    let serving = findings.context.serving;
    if serving.by_path {
        findings.change(Rule::PartitionPaths, format!("{what}, and readers depend on file paths"), values);
    } else if serving.partitioning_promised {
        findings.change(Rule::PartitionPromised, format!("{what}, which was promised: queries may cost more"), values);
    } else {
        findings.change(Rule::PartitionChanged, format!("{what}; queries may cost more or less"), values);
    }
}
