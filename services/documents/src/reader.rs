//! Shared by the readers of both standards: a place in the tree, and the problems found so far.

use std::fmt::Write;
use std::rc::Rc;

use domain::contract::Fields;
use domain::decimal::Decimal;
use domain::name::DomainPath;
use domain::quality::Scalar;
use serde_json::{Map, Value};

use crate::code::Code;
use crate::node::{Data, Node, Place};
use crate::problem::Problem;

/// Fields that only people read, at any level of either standard (row 32 of the change table, and what is like it: who
/// made, who pays and who answers for the data, and where it came from). A service level names its element itself.
const DOCUMENTARY: &[&str] = &[
    "authoritativeDefinitions",
    "businessImpact",
    "businessName",
    "context",
    "contractCreatedTs",
    "dataGranularityDescription",
    "description",
    "dimension",
    "examples",
    "firstLevelApprovers",
    "managementPorts",
    "method",
    "price",
    "productCreatedTs",
    "secondLevelApprovers",
    "slaDefaultElement",
    "support",
    "synonyms",
    "tags",
    "team",
    "tenant",
    "transformDescription",
    "transformSourceObjects",
];

/// Something wrong, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    pub(crate) problem: Problem,
    pub(crate) code: Code,
}

/// Collects what is wrong.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) problems: Vec<Found>,
    pub(crate) warnings: Vec<Found>,
    /// What is being read.
    code: Code,
}

impl Default for Reader {
    fn default() -> Self {
        Self { problems: Vec::new(), warnings: Vec::new(), code: Code::Syntax }
    }
}

impl Reader {
    pub(crate) fn problem(&mut self, at: &At<'_>, message: impl Into<String>) {
        self.problems.push(Found { problem: at.found(message.into()), code: self.code });
    }

    pub(crate) fn warning(&mut self, at: &At<'_>, message: impl Into<String>) {
        self.warnings.push(Found { problem: at.found(message.into()), code: self.code });
    }

    /// Reads a part of a document: what is wrong with it has this code.
    pub(crate) fn about<T>(&mut self, code: Code, read: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.code, code);
        let value = read(self);
        self.code = outer;
        value
    }

    /// Keeps what the standard's schema says.
    pub(crate) fn faults(&mut self, faults: Vec<Problem>) {
        let code = self.code;
        self.problems.extend(faults.into_iter().map(|problem| Found { problem, code }));
    }

    /// Keeps what could be read; what could not is a problem.
    pub(crate) fn keep<T, E: std::fmt::Display>(&mut self, at: &At<'_>, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.problem(at, error.to_string())).ok()
    }

    /// No text may hold U+0000: databases and paths end there.
    pub(crate) fn check_text(&mut self, root: &Node) {
        self.check_text_below(&At::root(root));
    }

    fn check_text_below(&mut self, at: &At<'_>) {
        match &at.node.data {
            Data::Text(text) if text.contains('\0') => self.problem(at, "the text contains the character U+0000"),
            Data::List(_) => at.items().iter().for_each(|item| self.check_text_below(item)),
            Data::Map(entries) => {
                for (key, value) in entries {
                    let below = at.below(value, Step::Key(&key.text));
                    if key.text.contains('\0') {
                        self.problem(&below, "the key contains the character U+0000");
                    }
                    self.check_text_below(&below);
                }
            }
            Data::Text(_) | Data::Null | Data::Boolean(_) | Data::Number(_) => {}
        }
    }

    /// The field `domain`.
    pub(crate) fn domain(&mut self, at: &At<'_>) -> Option<DomainPath> {
        let domain = at.get("domain")?;
        let text = domain.text()?;
        self.about(Code::Domain, |reader| reader.keep(&domain, text.parse()))
    }
}

/// The most bytes of a pointer.
pub(crate) const MAX_POINTER_BYTES: usize = 1_000;

/// A value, where it is in the text, and the way to it. The way is not a text, because one key may have megabytes, and
/// thousands of values below it.
#[derive(Clone, Debug)]
pub(crate) struct At<'a> {
    pub(crate) node: &'a Node,
    way: Way<'a>,
    place: Place,
}

type Way<'a> = Option<Rc<Stretch<'a>>>;

/// The last step of a way, and the steps before it.
#[derive(Debug)]
struct Stretch<'a> {
    before: Way<'a>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> At<'a> {
    pub(crate) fn root(node: &'a Node) -> Self {
        Self { node, way: None, place: node.place }
    }

    fn below(&self, node: &'a Node, step: Step<'a>) -> Self {
        Self { node, way: Some(Rc::new(Stretch { before: self.way.clone(), step })), place: node.place }
    }

    /// The JSON pointer of the value; of the innermost one around it whose pointer is no longer than a pointer may be.
    pub(crate) fn pointer(&self) -> String {
        let mut steps = Vec::new();
        let mut way = &self.way;
        while let Some(stretch) = way {
            steps.push(stretch.step);
            way = &stretch.before;
        }
        let mut pointer = String::new();
        for step in steps.into_iter().rev() {
            let n_bytes = pointer.len();
            match step {
                Step::Key(key) if key.len() > MAX_POINTER_BYTES => break,
                Step::Key(key) => {
                    let _ = write!(pointer, "/{}", key.replace('~', "~0").replace('/', "~1"));
                }
                Step::Index(index) => {
                    let _ = write!(pointer, "/{index}");
                }
            }
            if pointer.len() > MAX_POINTER_BYTES {
                pointer.truncate(n_bytes);
                break;
            }
        }
        pointer
    }

    pub(crate) fn found(&self, message: String) -> Problem {
        Problem { line: self.place.line, column: self.place.column, path: self.pointer(), message }
    }

    /// The value of a field; one that is null counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<Self> {
        let (key, node) = self.node.get(name)?;
        if matches!(node.data, Data::Null) {
            return None;
        }
        Some(self.below(node, Step::Key(&key.text)))
    }

    /// The items of this list; none if it is not one.
    pub(crate) fn items(&self) -> Vec<Self> {
        let Data::List(items) = &self.node.data else { return Vec::new() };
        items.iter().enumerate().map(|(index, node)| self.below(node, Step::Index(index))).collect()
    }

    /// The items of a field that is a list; none if it is absent.
    pub(crate) fn list(&self, name: &str) -> Vec<Self> {
        self.get(name).map(|list| list.items()).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> Option<&'a str> {
        self.node.as_text()
    }

    pub(crate) fn text_of(&self, name: &str) -> Option<String> {
        Some(self.get(name)?.text()?.to_owned())
    }

    pub(crate) fn flag_of(&self, name: &str) -> Option<bool> {
        if let Data::Boolean(boolean) = self.get(name)?.node.data { Some(boolean) } else { None }
    }

    /// The text of a field that is one text, or the texts of one that is a list of them.
    pub(crate) fn texts_of(&self, name: &str) -> Vec<String> {
        let Some(field) = self.get(name) else { return Vec::new() };
        match field.text() {
            Some(text) => vec![text.to_owned()],
            None => field.items().iter().filter_map(At::text).map(str::to_owned).collect(),
        }
    }

    pub(crate) fn count_of(&self, name: &str) -> Option<u64> {
        let number = self.get(name)?.number()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates, and the sign is checked"
        )]
        let count = (number >= 0.0 && number.fract() == 0.0).then_some(number as u64);
        count
    }

    pub(crate) fn number(&self) -> Option<f64> {
        if let Data::Number(number) = &self.node.data { number.as_f64() } else { None }
    }

    /// The value as one that a column can be compared with; null and collections are none.
    pub(crate) fn scalar(&self) -> Option<Scalar> {
        match &self.node.data {
            Data::Text(text) => Some(Scalar::Text(text.clone())),
            Data::Boolean(boolean) => Some(Scalar::Boolean(*boolean)),
            Data::Number(number) => match (&self.node.digits, number.as_i64(), number.as_u64()) {
                (Some(digits), _, _) => Some(Scalar::from(digits.clone())),
                (None, Some(integer), _) => Some(Scalar::Integer(integer)),
                (None, None, Some(integer)) => Some(Scalar::from(Decimal::from(integer))),
                (None, None, None) => number.as_f64().map(Scalar::Number),
            },
            Data::Null | Data::List(_) | Data::Map(_) => None,
        }
    }

    /// The custom properties here: name, and where the value is.
    pub(crate) fn custom_properties(&self) -> Vec<(String, Option<Self>)> {
        let entries = self.list("customProperties").into_iter();
        entries.filter_map(|entry| Some((entry.text_of("property")?, entry.get("value")))).collect()
    }

    /// The fields that are not in `modelled`: those for people, and the others. Custom properties become a map, so that
    /// their order means nothing; `settings` are those that are modelled.
    pub(crate) fn rest(&self, modelled: &[&str], settings: &[&str]) -> (Fields, Fields) {
        let (mut documentary, mut other) = (Map::new(), Map::new());
        let Data::Map(entries) = &self.node.data else { return (documentary, other) };
        for (key, value) in entries {
            let name = key.text.as_str();
            if name == "customProperties" {
                let custom = self.custom_map(settings);
                if !custom.is_empty() {
                    other.insert(name.to_owned(), Value::Object(custom));
                }
            } else if DOCUMENTARY.contains(&name) {
                documentary.insert(name.to_owned(), value.to_json());
            } else if !modelled.contains(&name) && !matches!(value.data, Data::Null) {
                other.insert(name.to_owned(), value.to_json());
            }
        }
        (documentary, other)
    }

    fn custom_map(&self, settings: &[&str]) -> Fields {
        let mut custom = Map::new();
        for (index, entry) in self.list("customProperties").into_iter().enumerate() {
            let name = entry.text_of("property").unwrap_or_default();
            if !settings.contains(&name.as_str()) {
                let value = entry.node.get("value").map_or(Value::Null, |(_, value)| value.to_json());
                // The standard allows a name twice; both are kept.
                let name = if custom.contains_key(&name) { format!("{name}#{index}") } else { name };
                custom.insert(name, value);
            }
        }
        custom
    }
}
