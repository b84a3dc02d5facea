//! Accounting of an export: every field of the document that the target does not hold is reported as lost.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use serde_json::{Map, Value};

use super::json::pointer;
use super::types::Note;
use crate::node::shortened;

/// The account of one export.
pub(super) struct Ledger<'a> {
    document: &'a Value,
    held: RefCell<HashSet<String>>,
    /// What is written now is written again elsewhere, where it will be found.
    is_suspended: Cell<bool>,
    changed: RefCell<Vec<Note>>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(document: &'a Value) -> Self {
        let ledger =
            Self { document, held: RefCell::default(), is_suspended: Cell::new(false), changed: RefCell::default() };
        // Which standard a document follows is said of the document, not of the data.
        ledger.hold("/apiVersion");
        ledger.hold("/kind");
        ledger
    }

    /// The value at a pointer.
    pub(super) fn get(&self, path: &str) -> Option<&'a Value> {
        self.document.pointer(path).filter(|value| !value.is_null())
    }

    /// The value below a pointer.
    pub(super) fn field(&self, path: &str, name: &str) -> Option<&'a Value> {
        self.get(&pointer(path, name))
    }

    /// The text of a field, which then is held.
    pub(super) fn take_text(&self, path: &str, name: &str) -> Option<&'a str> {
        let text = self.field(path, name)?.as_str()?;
        self.hold(&pointer(path, name));
        Some(text)
    }

    /// The target holds what is at the pointer, with all that is below it.
    pub(super) fn hold(&self, path: &str) {
        if !self.is_suspended.get() {
            self.held.borrow_mut().insert(path.to_owned());
        }
    }

    /// Does something that holds nothing: who reads the target back would not find it there.
    pub(super) fn without_holding<T>(&self, act: impl FnOnce() -> T) -> T {
        let before = self.is_suspended.replace(true);
        let result = act();
        self.is_suspended.set(before);
        result
    }

    /// The target holds these fields.
    pub(super) fn hold_fields(&self, path: &str, names: &[&str]) {
        names.iter().for_each(|name| self.hold(&pointer(path, name)));
    }

    /// Flags that say what their absence says as well.
    pub(super) fn hold_defaults(&self, path: &str) {
        for name in ["required", "unique", "primaryKey", "partitioned", "criticalDataElement", "deprecated"] {
            if self.field(path, name) == Some(&Value::Bool(false)) {
                self.hold(&pointer(path, name));
            }
        }
        for name in ["primaryKeyPosition", "partitionKeyPosition"] {
            if self.field(path, name).and_then(Value::as_i64) == Some(-1) {
                self.hold(&pointer(path, name));
            }
        }
    }

    /// Holds every value that one who reads the target back finds there.
    pub(super) fn hold_equal(&self, path: &str, read_back: &Map<String, Value>) {
        for (name, value) in read_back {
            let below = pointer(path, name);
            match (value, self.get(&below)) {
                (Value::Object(inner), Some(Value::Object(_))) => self.hold_equal(&below, inner),
                (value, Some(own)) if same(value, own) => self.hold(&below),
                _ => {}
            }
        }
    }

    /// A custom property that the target has a place for, which then is held.
    pub(super) fn take_custom(&self, path: &str, name: &str) -> Option<&'a Value> {
        let (at, entry) = self.find_custom(path, name)?;
        // A custom property says more than its value with a description, a vendor or an id.
        self.hold_fields(&at, &["property", "value"]);
        entry.get("value")
    }

    /// A custom property's value, held or not.
    pub(super) fn custom(&self, path: &str, name: &str) -> Option<&'a Value> {
        self.find_custom(path, name)?.1.get("value")
    }

    fn find_custom(&self, path: &str, name: &str) -> Option<(String, &'a Value)> {
        let list = pointer(path, "customProperties");
        let entries = self.get(&list)?.as_array()?.iter().enumerate();
        let mut named = entries.filter(|(_, entry)| entry.get("property").and_then(Value::as_str) == Some(name));
        let (index, entry) = named.next()?;
        Some((pointer(&list, index), entry))
    }

    /// The values of an enumeration. One with labels is held by who keeps those as well.
    pub(super) fn hold_bare_values(&self, path: &str) {
        let is_bare = |entry: &Value| entry.as_object().is_some_and(|entry| entry.len() == 1);
        if self.get(path).and_then(Value::as_array).is_some_and(|entries| entries.iter().all(is_bare)) {
            self.hold(path);
        }
    }

    /// What below the pointer is not held.
    pub(super) fn rest(&self, path: &str) -> Option<Value> {
        self.prune(path, self.get(path)?)
    }

    /// What below the pointer is not held; from now on it is.
    pub(super) fn take_rest(&self, path: &str) -> Option<Value> {
        let rest = self.rest(path);
        self.hold(path);
        rest
    }

    /// Something is said in another way than the document says it.
    pub(super) fn changed(&self, path: &str, what: impl Into<String>) {
        self.changed.borrow_mut().push(Note { path: path.to_owned(), line: None, what: what.into() });
    }

    /// What was changed, and what is lost.
    pub(super) fn close(self) -> (Vec<Note>, Vec<Note>) {
        let mut lost = Vec::new();
        self.unheld("", self.document, &mut lost);
        (self.changed.into_inner(), lost)
    }

    fn prune(&self, path: &str, value: &Value) -> Option<Value> {
        if self.held.borrow().contains(path) {
            return None;
        }
        match value {
            Value::Null => None,
            Value::Object(map) => {
                let left =
                    map.iter().filter_map(|(key, value)| Some((key.clone(), self.prune(&pointer(path, key), value)?)));
                let left: Map<_, _> = left.collect();
                (!left.is_empty()).then_some(Value::Object(left))
            }
            Value::Array(items) => {
                let left: Vec<_> = items
                    .iter()
                    .enumerate()
                    .filter_map(|(index, item)| match item {
                        // In a list null has its place.
                        Value::Null => Some(Value::Null),
                        item => self.prune(&pointer(path, index), item),
                    })
                    .collect();
                let says_something = left.iter().any(|item| !item.is_null());
                says_something.then_some(Value::Array(left))
            }
            leaf => Some(leaf.clone()),
        }
    }

    /// Tells the highest places of which nothing is held.
    fn unheld(&self, path: &str, value: &Value, lost: &mut Vec<Note>) {
        let Some(rest) = self.prune(path, value) else { return };
        let whole = !path.is_empty() && rest == without_nothing(value);
        match value {
            Value::Object(map) if !whole => {
                map.iter().for_each(|(key, value)| self.unheld(&pointer(path, key), value, lost));
            }
            Value::Array(items) if !whole => {
                let items = items.iter().enumerate();
                items.for_each(|(index, item)| self.unheld(&pointer(path, index), item, lost));
            }
            _ => lost.push(Note { path: path.to_owned(), line: None, what: shortened(&rest.to_string()) }),
        }
    }
}

/// A value without its nulls and empty collections, which say nothing.
fn without_nothing(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| (key.clone(), without_nothing(value)));
            Value::Object(entries.filter(|(_, value)| !is_nothing(value)).collect())
        }
        Value::Array(items) => {
            Value::Array(items.iter().map(without_nothing).filter(|item| !is_nothing(item)).collect())
        }
        leaf => leaf.clone(),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn same(a: &Value, b: &Value) -> bool {
    a == b || matches!((a.as_f64(), b.as_f64()), (Some(a), Some(b)) if a == b)
}
