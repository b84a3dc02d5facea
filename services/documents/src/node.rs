//! YAML (and JSON, which is YAML) as a tree of values with their positions.
//!
//! Limits (`docs/rules.md`, "Interfaces and limits") are enforced while reading: a document that exceeds one is refused
//! in bounded time and memory.

use std::cell::{Cell, OnceCell};
use std::fmt;

use domain::decimal::Decimal;
use domain::name::shorten;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::{AliasLimits, DuplicateKeyPolicy, NonFiniteFloatPolicy};

use crate::problem::Problem;

/// The largest document or set of documents, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 10_000_000;

const MAX_NODES: usize = 50_000;
const MAX_ALIASES: usize = 100;
const MAX_DEPTH: usize = 32;
/// The most values that aliases repeat, in all.
const MAX_REPEATED_NODES: usize = 10_000;
/// The most values under anchors, each counted again where an anchor above repeats it.
const MAX_ANCHORED_NODES: usize = 5_000;
/// The most text, with what aliases repeat, in bytes.
const MAX_TEXT_BYTES: usize = 2 * MAX_DOCUMENT_BYTES;

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// From 1.
    pub(crate) line: u64,
    /// In characters, from 1.
    pub(crate) column: u64,
}

/// A value and where it is.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) data: Data,
    pub(crate) place: Place,
    /// The digits of a number that [`Data::Number`] would round.
    pub(crate) digits: Option<Decimal>,
}

#[derive(Clone, Debug)]
pub(crate) enum Data {
    Null,
    Boolean(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key and where it is.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) place: Place,
}

impl Node {
    /// Reads one document.
    ///
    /// # Errors
    /// The first fault of syntax or limits, with its place.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let budget = serde_saphyr::budget! {
            max_nodes: MAX_NODES,
            max_events: 4 * MAX_NODES,
            max_aliases: MAX_ALIASES,
            max_anchors: MAX_NODES,
            max_recorded_anchor_events: MAX_ANCHORED_NODES,
            max_recorded_anchor_bytes: MAX_TEXT_BYTES,
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_documents: 1,
            max_merge_keys: MAX_ALIASES,
            enforce_alias_anchor_ratio: false,
        };
        let mut options = serde_saphyr::options! {
            budget: budget,
            emit_comments: false,
            duplicate_keys: DuplicateKeyPolicy::Error,
            strict_booleans: true,
            reject_unsupported_tags: true,
            non_finite_float_policy: NonFiniteFloatPolicy::Reject,
            with_snippet: false,
        };
        options.alias_limits = AliasLimits::default();
        options.alias_limits.max_total_replayed_events = MAX_REPEATED_NODES;
        USED.set(Used::default());
        let node: Result<Self, _> = serde_saphyr::from_str_with_options(text, options);
        let mut node = node.map_err(|error| {
            let error = error.without_snippet();
            let place = error.location().map_or(Place { line: 1, column: 1 }, Place::of);
            Problem { line: place.line, column: place.column, path: String::new(), message: explained(error) }
        })?;
        node.keep_digits(&text.split('\n').map(Line::new).collect::<Vec<_>>());
        Ok(node)
    }

    /// Reads numbers again where binary floating point rounds them: the parser hands them over as such.
    fn keep_digits(&mut self, lines: &[Line<'_>]) {
        match &mut self.data {
            Data::Number(number) => self.digits = self.place.number(lines).filter(|digits| is_rounded(number, digits)),
            Data::List(items) => items.iter_mut().for_each(|item| item.keep_digits(lines)),
            Data::Map(entries) => entries.iter_mut().for_each(|(_, value)| value.keep_digits(lines)),
            Data::Null | Data::Boolean(_) | Data::Text(_) => {}
        }
    }

    /// The value as JSON, for the schema.
    pub(crate) fn to_json(&self) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::Boolean(boolean) => Value::Bool(*boolean),
            Data::Number(number) => Value::Number(number.clone()),
            Data::Text(text) => Value::String(text.clone()),
            Data::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Data::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| (key.text.clone(), value.to_json()));
                Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }

    /// The entry of a map.
    pub(crate) fn get(&self, name: &str) -> Option<&(Key, Self)> {
        let Data::Map(entries) = &self.data else { return None };
        entries.iter().find(|(key, _)| key.text == name)
    }

    /// The text, if it is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Data::Text(text) = &self.data { Some(text) } else { None }
    }

    /// The value at a path of keys and indexes.
    pub(crate) fn at<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Option<&Self> {
        path.into_iter().try_fold(self, |node, step| match &node.data {
            Data::Map(_) => node.get(step).map(|(_, value)| value),
            Data::List(items) => items.get(step.parse::<usize>().ok()?),
            Data::Null | Data::Boolean(_) | Data::Number(_) | Data::Text(_) => None,
        })
    }
}

/// A fault of syntax or limits, for people.
fn explained(error: &serde_saphyr::Error) -> String {
    match error {
        serde_saphyr::Error::Budget { breach, .. } => match breach {
            BudgetBreach::Depth { .. } => format!("values are nested more than {MAX_DEPTH} deep"),
            BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. } => {
                format!("the document has more than {MAX_NODES} values")
            }
            BudgetBreach::Aliases { .. } | BudgetBreach::MergeKeys { .. } => {
                format!("the document has more than {MAX_ALIASES} aliases")
            }
            BudgetBreach::RecordedAnchorEvents { .. } | BudgetBreach::RecordedAnchorBytes { .. } => {
                "the document's anchors repeat too much".to_owned()
            }
            BudgetBreach::Documents { .. } => "another document begins here without a `---` line".to_owned(),
            other => format!("the document is too large: {other:?}"),
        },
        serde_saphyr::Error::AliasError { error, .. } => explained(error),
        serde_saphyr::Error::AliasReplayLimitExceeded { .. } => "the document's aliases repeat too much".to_owned(),
        serde_saphyr::Error::DuplicateMappingKey { key, .. } => match key {
            Some(key) => format!("duplicate key `{}`", shortened(key)),
            None => "duplicate key".to_owned(),
        },
        serde_saphyr::Error::RecursiveReferencesRequireWeakTypes { .. } => {
            "an alias refers to a value that contains it".to_owned()
        }
        other => {
            // The first line is the fault, then its place, which we have.
            let text = other.to_string();
            let line = text.lines().next().unwrap_or_default();
            let line = line.split(" at line ").next().unwrap_or_default();
            shortened(line.strip_prefix("error: ").unwrap_or(line))
        }
    }
}

/// Whether a number is the nearest to these digits and has others itself. (The place of a number can be that of an
/// alias or a tag, where no number is, or none that is near.)
fn is_rounded(number: &Number, digits: &Decimal) -> bool {
    let is_near = number.as_f64() == digits.to_string().parse().ok();
    is_near && number.to_string().parse().as_ref() != Ok(digits)
}

/// At most 200 characters of a foreign text, without control characters.
pub(crate) fn shortened(text: &str) -> String {
    shorten(text, 200)
}

impl Place {
    fn of(location: serde_saphyr::Location) -> Self {
        Self { line: location.line().max(1), column: location.column().max(1) }
    }

    /// The number that is written here.
    fn number(self, lines: &[Line<'_>]) -> Option<Decimal> {
        let line = lines.get(usize::try_from(self.line).ok()?.checked_sub(1)?)?;
        let rest = line.from(usize::try_from(self.column).ok()?.checked_sub(1)?)?;
        let text: String = rest.chars().take_while(|c| c.is_ascii_digit() || "+-.eE".contains(*c)).collect();
        Decimal::parse(text.strip_prefix('+').unwrap_or(&text))
    }
}

/// A line whose characters can be found by their numbers without counting from its start: all of a document can be in
/// one line.
struct Line<'a> {
    text: &'a str,
    /// The offset of each [`Self::STRIDE`]th character in bytes.
    marks: OnceCell<Vec<usize>>,
}

impl<'a> Line<'a> {
    const STRIDE: usize = 256;

    fn new(text: &'a str) -> Self {
        Self { text, marks: OnceCell::new() }
    }

    /// The line from a character on, by its number from 0.
    fn from(&self, n_character: usize) -> Option<&'a str> {
        let offsets = || self.text.char_indices().map(|(offset, _)| offset).step_by(Self::STRIDE).collect();
        let mark = self.marks.get_or_init(offsets).get(n_character / Self::STRIDE)?;
        let rest = &self.text[*mark..];
        let (offset, _) = rest.char_indices().nth(n_character % Self::STRIDE)?;
        Some(&rest[offset..])
    }
}

/// What the document being read has used up, with what aliases repeat.
#[derive(Clone, Copy, Default)]
struct Used {
    n_nodes: usize,
    text_bytes: usize,
}

thread_local! {
    /// Serde hands nothing of ours through `Spanned`, so the account lies beside it.
    static USED: Cell<Used> = const { Cell::new(Used { n_nodes: 0, text_bytes: 0 }) };
}

/// Takes from what the document may use.
fn take<E: serde::de::Error>(n_nodes: usize, text_bytes: usize) -> Result<(), E> {
    let used = USED.get();
    let used = Used { n_nodes: used.n_nodes + n_nodes, text_bytes: used.text_bytes + text_bytes };
    if used.n_nodes > MAX_NODES {
        return Err(E::custom(format!("the document has more than {MAX_NODES} values")));
    }
    if used.text_bytes > MAX_TEXT_BYTES {
        return Err(E::custom(format!("the document's aliases make more than {MAX_TEXT_BYTES} bytes of text")));
    }
    USED.set(used);
    Ok(())
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        take(1, 0)?;
        let Spanned { value, referenced, .. } = Spanned::<Data>::deserialize(deserializer)?;
        Ok(Self { data: value, place: Place::of(referenced), digits: None })
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, .. } = Spanned::<String>::deserialize(deserializer)?;
        Ok(Self { text: value, place: Place::of(referenced) })
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DataVisitor)
    }
}

struct DataVisitor;

impl<'de> Visitor<'de> for DataVisitor {
    type Value = Data;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_none<E>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_bool<E>(self, boolean: bool) -> Result<Data, E> {
        Ok(Data::Boolean(boolean))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Data, E> {
        Ok(Data::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Data, E> {
        Ok(Data::Number(number.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Data, E> {
        Number::from_f64(number).map(Data::Number).ok_or_else(|| E::custom("the number is not finite"))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Data, E> {
        take(0, text.len())?;
        Ok(Data::Text(text.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Data, E> {
        take(0, text.len())?;
        Ok(Data::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Data, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Data::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Data, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Data::Map(entries))
    }
}
