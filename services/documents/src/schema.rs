//! Our JSON Schemas of the standards, and readable messages for their errors.
//!
//! A document is validated against the schema of its own version. The standards' own examples use fields of the next
//! version (ODCS 3.0 documents of 3.1, ODPS 0.9 documents of 1.0), so such a document may satisfy either.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

use crate::node::{Data, Node, shortened};
use crate::problem::Problem;
use crate::reader::{At, MAX_POINTER_BYTES, Reader};

/// What a document is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// ODCS.
    Contract,
    /// ODPS.
    Product,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Contract => "DataContract",
            Self::Product => "DataProduct",
        }
    }
}

/// A version of a standard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standard(&'static Entry);

#[derive(Debug)]
struct Entry {
    kind: Kind,
    api_version: &'static str,
    /// The version whose schema will do as well.
    also: Option<&'static str>,
    text: &'static str,
    compiled: OnceLock<Result<Compiled, String>>,
}

#[derive(Debug)]
struct Compiled {
    validator: Validator,
    /// Every field name of the standard, wherever it belongs.
    fields: BTreeSet<String>,
}

macro_rules! entry {
    ($kind:ident, $version:literal, $also:expr, $file:literal) => {
        Entry {
            kind: Kind::$kind,
            api_version: $version,
            also: $also,
            text: include_str!(concat!("../../../schemas/", $file, ".json")),
            compiled: OnceLock::new(),
        }
    };
}

static STANDARDS: [Entry; 8] = [
    entry!(Contract, "v3.0.0", Some("v3.1.0"), "odcs-v3.0.0"),
    entry!(Contract, "v3.0.1", Some("v3.1.0"), "odcs-v3.0.1"),
    entry!(Contract, "v3.0.2", Some("v3.1.0"), "odcs-v3.0.2"),
    entry!(Contract, "v3.1.0", None, "odcs-v3.1.0"),
    entry!(Contract, "v3.2.0", None, "odcs-v3.2.0"),
    entry!(Product, "v0.9.0", Some("v1.0.0"), "odps-v0.9.0"),
    entry!(Product, "v1.0.0", None, "odps-v1.0.0"),
    entry!(Product, "v1.1.0", None, "odps-v1.1.0"),
];

impl Standard {
    pub(crate) fn kind(self) -> Kind {
        self.0.kind
    }

    fn find(kind: Kind, api_version: &str) -> Option<Self> {
        STANDARDS.iter().find(|entry| entry.kind == kind && entry.api_version == api_version).map(Self)
    }

    fn compiled(self) -> Result<&'static Compiled, &'static str> {
        let compile = || {
            let schema: Value = serde_json::from_str(self.0.text).map_err(|error| error.to_string())?;
            let mut fields = BTreeSet::new();
            field_names(&schema, &mut fields);
            // Only the linear-time engine, and nothing is ever fetched: the crate's fetchers are not compiled in.
            let options = jsonschema::options().with_pattern_options(PatternOptions::regex());
            let validator = options.build(&schema).map_err(|error| error.to_string())?;
            Ok(Compiled { validator, fields })
        };
        self.0.compiled.get_or_init(compile).as_ref().map_err(String::as_str)
    }
}

/// The version of the standard that a document says it follows; `None` if it says none, which is a problem then.
pub(crate) fn standard_of(root: &Node, reader: &mut Reader) -> Option<Standard> {
    let at = At::root(root);
    if !matches!(root.data, Data::Map(_)) {
        reader.problem(&at, "a document must be a mapping of fields");
        return None;
    }
    let Some(kind_at) = at.get("kind") else {
        reader.problem(&at, "`kind` is missing: `DataContract` (ODCS) or `DataProduct` (ODPS)");
        return None;
    };
    let kind = [Kind::Contract, Kind::Product].into_iter().find(|kind| kind_at.text() == Some(kind.word()));
    let Some(kind) = kind else {
        reader.problem(&kind_at, "`kind` must be `DataContract` (ODCS) or `DataProduct` (ODPS)");
        return None;
    };
    let standard = at.get("apiVersion").and_then(|version| Standard::find(kind, version.text()?));
    if standard.is_none() {
        let known: Vec<_> =
            STANDARDS.iter().filter(|entry| entry.kind == kind).map(|entry| entry.api_version).collect();
        let at = at.get("apiVersion").unwrap_or(at);
        reader.problem(&at, format!("`apiVersion` must be one of {}", known.join(", ")));
    }
    standard
}

/// Holds a document against the schema of its version, or of the one that will do as well.
pub(crate) fn validate(root: &Node, standard: Standard, reader: &mut Reader) {
    let value = root.to_json();
    let found = match faults(root, &value, standard) {
        Ok(found) => found,
        Err(reason) => return reader.problem(&At::root(root), format!("the schema cannot be used: {reason}")),
    };
    if found.is_empty() {
        return;
    }
    let also = standard.0.also.and_then(|version| Standard::find(standard.kind(), version));
    let also = also.and_then(|also| Some((also, faults(root, &value, also).ok()?)));
    match also {
        Some((also, faults)) if faults.is_empty() => {
            let (own, used) = (standard.0.api_version, also.0.api_version);
            reader.warning(
                &At::root(root),
                format!("the document declares `{own}` but uses fields that only {used} has"),
            );
        }
        // The version that it comes closer to is the one its author had in mind.
        Some((_, faults)) if faults.len() < found.len() => reader.faults(faults),
        _ => reader.faults(found),
    }
}

/// What a schema says against a document.
fn faults(root: &Node, value: &Value, standard: Standard) -> Result<Vec<Problem>, &'static str> {
    let compiled = standard.compiled()?;
    // Most documents are valid, and to find that out is cheaper than to collect errors.
    if compiled.validator.is_valid(value) {
        return Ok(Vec::new());
    }
    let errors: Vec<_> = compiled.validator.iter_errors(value).collect();
    let mut told = Teller { root, compiled, version: standard.0.api_version, problems: Vec::new() };
    errors.iter().for_each(|error| told.tell(error));
    if told.problems.is_empty()
        && let Some(error) = errors.first()
    {
        told.put(&error.instance_path().to_string(), None, "the standard does not allow this value".to_owned());
    }
    Ok(told.problems)
}

/// Makes problems with places of a validator's errors.
struct Teller<'a> {
    root: &'a Node,
    compiled: &'static Compiled,
    version: &'static str,
    problems: Vec<Problem>,
}

impl Teller<'_> {
    fn tell(&mut self, error: &ValidationError<'_>) {
        let path = error.instance_path().to_string();
        let mut say = |message: String| self.put(&path, None, message);
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                for name in unexpected {
                    self.unexpected(&path, name);
                }
            }
            ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                // A fault elsewhere in a value makes the validator forget which fields it knows.
                for name in unexpected.iter().filter(|name| !self.compiled.fields.contains(*name)) {
                    self.unexpected(&path, name);
                }
                let misplaced = unexpected.iter().filter(|name| self.compiled.fields.contains(*name));
                let faulty = self.problems.iter().any(|problem| problem.path.starts_with(&path));
                let misplaced: Vec<_> = misplaced.filter(|_| !faulty).cloned().collect();
                for name in misplaced {
                    self.unexpected(&path, &name);
                }
            }
            ValidationErrorKind::Required { property } => {
                say(format!("`{}` is missing", property.as_str().unwrap_or_default()));
            }
            ValidationErrorKind::Enum { options } => {
                let words: Vec<_> = options.as_array().into_iter().flatten().map(Value::to_string).collect();
                say(format!("{} is not one of {}", shown(error.instance()), words.join(", ").replace('"', "`")));
            }
            ValidationErrorKind::Type { kind } => {
                let wanted = match kind {
                    jsonschema::error::TypeKind::Single(one) => one.to_string(),
                    jsonschema::error::TypeKind::Multiple(several) => {
                        several.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or ")
                    }
                };
                let hint = match error.instance().as_ref() {
                    Value::Number(_) if wanted == "string" => "; put it in quotes",
                    _ => "",
                };
                say(format!("{} is not of type {wanted}{hint}", shown(error.instance())));
            }
            ValidationErrorKind::Pattern { pattern } => {
                say(format!("{} does not match `{pattern}`", shown(error.instance())));
            }
            ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
                self.tell_alternatives(&path, context);
            }
            ValidationErrorKind::OneOfMultipleValid { .. } => {
                say("only one of several alternatives is allowed here, but more than one is given".to_owned());
            }
            ValidationErrorKind::Not { schema } => {
                let names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
                let names: Vec<_> = names.filter_map(Value::as_str).map(|name| format!("`{name}`")).collect();
                say(format!("{} is not allowed here", names.join(", ")));
            }
            _ => say(lowered(&error.to_string())),
        }
    }

    /// Tells why no alternative fits: those that differ only in the field that each needs as one sentence, else the
    /// faults of the one that comes closest.
    fn tell_alternatives(&mut self, path: &str, context: &[Vec<ValidationError<'static>>]) {
        let missing = context.iter().map(|errors| match errors.as_slice() {
            [only] if only.instance_path().to_string() == path => match only.kind() {
                ValidationErrorKind::Required { property } => property.as_str(),
                _ => None,
            },
            _ => None,
        });
        if let Some(names) = missing.collect::<Option<Vec<_>>>().filter(|names| !names.is_empty()) {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            return self.put(path, None, format!("one of {} is needed", names.join(", ")));
        }
        let closeness = |errors: &&Vec<ValidationError<'static>>| {
            let wrong_kind = errors.iter().any(|error| {
                error.instance_path().to_string() == path && matches!(error.kind(), ValidationErrorKind::Type { .. })
            });
            let lacks = errors.iter().any(|error| matches!(error.kind(), ValidationErrorKind::Required { .. }));
            (wrong_kind, lacks, errors.len())
        };
        if let Some(errors) = context.iter().min_by_key(closeness) {
            errors.iter().for_each(|error| self.tell(error));
        }
    }

    fn unexpected(&mut self, path: &str, name: &str) {
        let short = shortened(name);
        let message = if self.compiled.fields.contains(name) {
            format!("`{short}` does not belong here in {}", self.version)
        } else {
            format!("`{short}` is not a field of {}; own fields go into `customProperties`", self.version)
        };
        self.put(path, Some(name), message);
    }

    /// Puts a problem at the value of a path, or at the key of a field in it.
    fn put(&mut self, path: &str, field: Option<&str>, message: String) {
        let steps: Vec<_> = path.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
        let node = self.root.at(steps.iter().map(String::as_str));
        let key = field.and_then(|field| node?.get(field)).map(|(key, _)| key.place);
        let place = key.or(node.map(|node| node.place)).unwrap_or(self.root.place);
        let path = match field {
            Some(field) if path.len() + 1 + 2 * field.len() <= MAX_POINTER_BYTES => {
                format!("{path}/{}", field.replace('~', "~0").replace('/', "~1"))
            }
            Some(_) | None => path.to_owned(),
        };
        self.problems.push(Problem { line: place.line, column: place.column, path, message });
    }
}

/// The names of all fields that a schema knows.
fn field_names(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(entries) => {
            for (key, value) in entries {
                if let (true, Value::Object(properties)) = (key == "properties", value) {
                    names.extend(properties.keys().cloned());
                }
                field_names(value, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| field_names(item, names)),
        _ => {}
    }
}

/// A value for people, shortened.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Array(_) => return "a list".to_owned(),
        Value::Object(_) => return "a map of fields".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let short: String = text.chars().take(60).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(60).is_some() { format!("`{short}…`") } else { format!("`{short}`") }
}

/// The validator's own words, in our style.
fn lowered(message: &str) -> String {
    let mut characters = message.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}
