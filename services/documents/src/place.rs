//! The places in a text that findings of the change engine and problems of publishing refer to.

use crate::node::{Data, Node, Place};
use crate::split::split;

/// The contracts of a text, with the place of everything in them.
#[derive(Debug)]
pub struct Places(Vec<(Node, u64)>);

impl Places {
    /// Reads a text that holds one or several documents; of one that cannot be read no place is known.
    pub fn of(text: &str) -> Self {
        let documents = split(text).into_iter();
        Self(documents.filter_map(|(text, first_line)| Some((Node::parse(text).ok()?, first_line))).collect())
    }

    /// The line and the column, each from 1, of what a JSON pointer leads to in a document of the text, by its number
    /// from 0: of the innermost value that is there. `None` if the text has no such document.
    pub fn at(&self, n_document: usize, pointer: &str) -> Option<(u64, u64)> {
        let (root, first_line) = self.0.get(n_document)?;
        let mut node = root;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            let Some(below) = node.at([step.as_str()]) else { break };
            node = below;
        }
        let Place { line, column } = node.place;
        Some((line + first_line - 1, column))
    }

    /// The line and the column, each from 1, of what a [path](domain::change::Finding::path) leads to in a version of a
    /// contract: of what it is in where it is not there itself, as after a removal. `None` if the text has no such
    /// version.
    pub fn find(&self, contract: &str, version: &str, path: &str) -> Option<(u64, u64)> {
        let has = |node: &Node, key: &str, value: &str| text_of(node, key) == Some(value);
        let is_it = |node: &Node| has(node, "id", contract) && has(node, "version", version);
        let (root, first_line) = self.0.iter().find(|(node, _)| is_it(node))?;
        let Place { line, column } = nearest(root, path).place;
        Some((line + first_line - 1, column))
    }
}

/// The innermost value that a path leads to.
fn nearest<'a>(root: &'a Node, path: &str) -> &'a Node {
    const LISTS: [(&str, &str, &[&str]); 3] = [
        ("servers.", "servers", &["server"]),
        ("roles.", "roles", &["role"]),
        ("sla.", "slaProperties", &["id", "property"]),
    ];
    if let Some((object, rest)) = named(root, "schema", &["name"], path) {
        return below(object, rest);
    }
    let listed = LISTS.iter().find_map(|(prefix, list, names)| {
        let (found, _) = named(root, list, names, path.strip_prefix(prefix)?)?;
        Some(found)
    });
    let own = || Some(&root.get(path.strip_prefix("contract.")?)?.1);
    let settings = || path.starts_with("settings").then(|| Some(&root.get("customProperties")?.1)).flatten();
    listed.or_else(own).or_else(settings).unwrap_or(root)
}

/// The innermost value that a path leads to below an object or a property.
fn below<'a>(node: &'a Node, path: &str) -> &'a Node {
    let inner = |inner: &[&str], rest: &str| Some(below(node.at(inner.iter().copied())?, rest));
    let found = if let Some(rest) = path.strip_prefix("[]") {
        inner(&["items"], rest)
    } else if let Some(rest) = path.strip_prefix("{key}") {
        inner(&["map", "key"], rest)
    } else if let Some(rest) = path.strip_prefix("{value}") {
        inner(&["map", "value"], rest)
    } else if let Some(rest) = path.strip_prefix('.') {
        named(node, "properties", &["name"], rest).map(|(member, rest)| below(member, rest))
    } else if let Some(rest) = path.strip_prefix('#') {
        named(node, "quality", &["id", "name", "metric", "type"], rest).map(|(rule, _)| rule)
    } else {
        None
    };
    found.unwrap_or(node)
}

/// The entry of a list whose name a path begins with, and the rest of the path. A name may hold what separates names,
/// so the longest counts.
fn named<'a, 'p>(node: &'a Node, list: &str, names: &[&str], path: &'p str) -> Option<(&'a Node, &'p str)> {
    let (_, list) = node.get(list)?;
    let Data::List(entries) = &list.data else { return None };
    let matching = entries.iter().filter_map(|entry| {
        let name = names.iter().find_map(|name| text_of(entry, name))?;
        let rest = path.strip_prefix(name)?;
        (rest.is_empty() || rest.starts_with(['.', '[', '{', '#'])).then_some((entry, rest))
    });
    matching.min_by_key(|(_, rest)| rest.len())
}

fn text_of<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key)?.1.as_text()
}
