//! Foreign keys: arity, and whether the referenced columns exist.

use std::sync::Arc;

use domain::contract::{Property, Relationship, SchemaObject};

use crate::reader::{At, Reader};

/// The field `relationships`.
pub(super) fn list(at: &At<'_>) -> Vec<Relationship> {
    at.list("relationships").iter().map(relationship).collect()
}

fn relationship(at: &At<'_>) -> Relationship {
    let (documentary, mut other) = at.rest(&["id", "from", "to"], &[]);
    // The only type there is, and the default.
    if other.get("type").and_then(|kind| kind.as_str()) == Some("foreignKey") {
        other.remove("type");
    }
    Relationship { from: at.texts_of("from"), to: at.texts_of("to"), documentary, other }
}

/// Checks every relationship of the contract. A table that the contract does not have may be another contract's: that
/// is a warning. A column that one of its own tables does not have is a problem.
pub(super) fn resolve(root: &At<'_>, objects: &[SchemaObject], reader: &mut Reader) {
    for (at, object) in root.list("schema").iter().zip(objects) {
        for relationship in at.list("relationships") {
            let (from, to) = (relationship.texts_of("from"), relationship.texts_of("to"));
            if from.len() != to.len() {
                let message = "a relationship names as many columns in `from` as in `to`";
                reader.problem(&relationship, format!("{message}, and here {} and {}", from.len(), to.len()));
            }
            for side in ["from", "to"] {
                references(&relationship, side, objects, reader);
            }
        }
        below(at, &object.properties, objects, reader);
    }
}

fn below(at: &At<'_>, properties: &[Arc<Property>], objects: &[SchemaObject], reader: &mut Reader) {
    for (at, property) in at.list("properties").iter().zip(properties) {
        for relationship in at.list("relationships") {
            if relationship.texts_of("to").len() != 1 {
                reader.problem(&relationship, "a relationship of one property names one column in `to`");
            }
            references(&relationship, "to", objects, reader);
        }
        below(at, &property.members, objects, reader);
    }
}

fn references(relationship: &At<'_>, side: &str, objects: &[SchemaObject], reader: &mut Reader) {
    let Some(field) = relationship.get(side) else { return };
    let each = if field.text().is_some() { vec![field] } else { field.items() };
    for at in each {
        let Some(text) = at.text() else { continue };
        match look_up(text, objects) {
            Target::Here | Target::Elsewhere => {}
            Target::NoTable(table) => {
                reader.warning(&at, format!("`{text}`: this contract has no `{table}`, so nothing was compared"));
            }
            Target::NoColumn => reader.problem(&at, format!("`{text}` names an unknown column")),
        }
    }
}

enum Target<'a> {
    Here,
    Elsewhere,
    NoTable(&'a str),
    NoColumn,
}

/// Looks a reference up: `table.column[.member]`, or `[file#]/schema/<id>/properties/<id>`.
fn look_up<'a>(reference: &'a str, objects: &[SchemaObject]) -> Target<'a> {
    if reference.contains('#') {
        return Target::Elsewhere;
    }
    let is_path = reference.contains('/');
    let mut steps: Vec<_> = if is_path {
        reference.trim_start_matches('/').split('/').skip(1).step_by(2).collect()
    } else {
        reference.split('.').collect()
    };
    if steps.is_empty() {
        return Target::NoTable(reference);
    }
    let table = steps.remove(0);
    let named =
        |id: &Option<String>, name: &str, wanted: &str| (is_path && id.as_deref() == Some(wanted)) || name == wanted;
    let Some(object) = objects.iter().find(|object| named(&object.id, &object.name, table)) else {
        return Target::NoTable(table);
    };
    let mut properties = &object.properties;
    for step in steps {
        match properties.iter().find(|property| named(&property.id, &property.name, step)) {
            Some(property) => properties = &property.members,
            None => return Target::NoColumn,
        }
    }
    Target::Here
}
