//! Names of types that have parts: lists, maps and structs.

use super::rows::Parts;
use super::{Dialect, table};

fn parts(dialect: Dialect) -> Option<Parts> {
    table(dialect).map(|table| table.parts)
}

/// The name of a list of items of this type; `None` if no type says so.
pub(in super::super) fn list(dialect: Dialect, items: &str, items_are: Nesting) -> Option<String> {
    Some(match (parts(dialect)?, items_are) {
        (Parts::AngledWithoutMaps { .. }, Nesting::List | Nesting::Vector)
        | (Parts::Flat { .. }, Nesting::List | Nesting::Other) => return None,
        (Parts::Angled { .. } | Parts::AngledWithoutMaps { .. }, _) => format!("ARRAY<{items}>"),
        (Parts::Flat { .. } | Parts::Suffixed { .. }, _) => format!("{items}[]"),
        (Parts::Called { .. }, _) => format!("Array({items})"),
        (Parts::Bare { list, .. }, _) => list.to_owned(),
    })
}

/// What the items of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Nesting {
    /// Values without parts.
    Plain,
    Vector,
    List,
    /// Maps or structs.
    Other,
}

/// The name of a map; `None` if no type says so.
pub(in super::super) fn map(dialect: Dialect, key: &str, value: &str) -> Option<String> {
    match parts(dialect)? {
        Parts::Angled { .. } => Some(format!("MAP<{key}, {value}>")),
        Parts::Suffixed { .. } => Some(format!("MAP({key}, {value})")),
        Parts::Called { .. } => Some(format!("Map({key}, {value})")),
        Parts::Bare { map, .. } => Some(map.to_owned()),
        Parts::AngledWithoutMaps { .. } | Parts::Flat { .. } => None,
    }
}

/// The name of a struct of these names and types; `None` if no type says so.
pub(in super::super) fn structure(dialect: Dialect, members: &[(String, String)]) -> Option<String> {
    let joined = |quote: char, colon: &str| {
        let doubled = format!("{quote}{quote}");
        let member =
            |(name, kind): &(String, String)| format!("{quote}{}{quote}{colon} {kind}", name.replace(quote, &doubled));
        members.iter().map(member).collect::<Vec<_>>().join(", ")
    };
    match parts(dialect)? {
        Parts::Angled { quote, colon } => Some(format!("STRUCT<{}>", joined(quote, colon))),
        Parts::AngledWithoutMaps { .. } => Some(format!("STRUCT<{}>", joined('`', ""))),
        Parts::Suffixed { .. } => Some(format!("STRUCT({})", joined('"', ""))),
        Parts::Called { .. } => Some(format!("Tuple({})", joined('`', ""))),
        Parts::Bare { structure, .. } => Some(structure.to_owned()),
        Parts::Flat { .. } => None,
    }
}

/// The type of a value with parts that has no type of its own.
pub(in super::super) fn any(dialect: Dialect) -> Option<&'static str> {
    match parts(dialect)? {
        Parts::Angled { .. } => None,
        Parts::AngledWithoutMaps { any }
        | Parts::Flat { any }
        | Parts::Suffixed { any }
        | Parts::Called { any }
        | Parts::Bare { structure: any, .. } => Some(any),
    }
}
