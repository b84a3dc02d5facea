//! Names that are valid in a target, and unique where it requires that.

use std::collections::{HashMap, HashSet};

/// A name as `[A-Za-z_][A-Za-z0-9_]*`, as Avro and Protobuf want them.
pub(super) fn identifier(name: &str) -> String {
    let mut identifier: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    if identifier.bytes().all(|byte| byte == b'_') {
        identifier.insert_str(0, "field");
    } else if identifier.starts_with(|first: char| first.is_ascii_digit()) {
        identifier.insert(0, '_');
    }
    identifier
}

/// `order_items` and `order items` as `OrderItems`.
pub(super) fn upper_camel(name: &str) -> String {
    let mut camel = String::new();
    let identifier = identifier(name);
    for part in identifier.split('_').filter(|part| !part.is_empty()) {
        let (first, rest) = part.split_at(1);
        camel.push_str(&first.to_ascii_uppercase());
        camel.push_str(rest);
    }
    if camel.starts_with(|first: char| first.is_ascii_digit()) {
        camel.insert(0, 'X');
    }
    camel
}

/// The names as the target allows them: `map` makes one of a name, and no two have the same `key`. Those that need no
/// change come first, so that a neighbour's change never takes their name.
pub(super) fn distinct(names: &[&str], map: impl Fn(&str) -> String, key: impl Fn(&str) -> String) -> Vec<String> {
    let mut scope = Scope::default();
    let unchanged =
        |name: &&str, scope: &mut Scope| Some(map(name)).filter(|it| it == name && scope.taken.insert(key(it)));
    let mut mapped: Vec<_> = names.iter().map(|name| unchanged(name, &mut scope)).collect();
    for (name, mapped) in names.iter().zip(&mut mapped) {
        if mapped.is_none() {
            *mapped = Some(scope.take_as(&map(name), '_', &key));
        }
    }
    mapped.into_iter().flatten().collect()
}

/// The names taken in one scope.
#[derive(Debug, Default)]
pub(super) struct Scope {
    taken: HashSet<String>,
    /// The number to try next for a name that was wanted before.
    next: HashMap<String, usize>,
}

impl Scope {
    /// The name, or the first of `name_2`, `name_3`, ... that is free.
    pub(super) fn take(&mut self, wanted: &str) -> String {
        self.take_as(wanted, '_', &str::to_owned)
    }

    /// As [`take`](Self::take), where names with the same `key` count as one.
    pub(super) fn take_as(&mut self, wanted: &str, separator: char, key: &impl Fn(&str) -> String) -> String {
        if self.taken.insert(key(wanted)) {
            return wanted.to_owned();
        }
        let next = self.next.entry(key(wanted)).or_insert(2);
        loop {
            let candidate = format!("{wanted}{separator}{next}");
            *next += 1;
            if self.taken.insert(key(&candidate)) {
                return candidate;
            }
        }
    }
}
