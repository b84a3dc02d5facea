//! ODCS 3.0 to 3.2 to [`contract::Document`], and the checks that a JSON Schema cannot express.
//!
//! What the standard's schema says is not checked again here: by now the document satisfies it.

mod property;
mod quality;
mod relationship;
mod server;
mod settings;
pub(crate) mod sql;

use std::collections::BTreeMap;

use domain::clock::Timestamp;
use domain::contract::{self, Classification, Role, SchemaObject, SlaProperty, Wish, rules, sla};
use domain::name::Name;
use serde_json::Value;

use crate::code::Code;
use crate::node::{Data, Node};
use crate::reader::{At, Reader};

/// The model of a contract; `None` if something it needs could not be read, which then is a problem.
pub(crate) fn contract(root: &Node, reader: &mut Reader) -> Option<contract::Document> {
    const MODELLED: &[&str] = &[
        "apiVersion",
        "dataProduct",
        "domain",
        "id",
        "kind",
        "name",
        "roles",
        "schema",
        "servers",
        "slaProperties",
        "status",
        "version",
    ];
    let at = At::root(root);
    reader.about(Code::Id, |reader| ids_are_unique(&at, reader));
    let version = reader.about(Code::Version, |reader| {
        at.get("version").and_then(|version| reader.keep(&version, version.text()?.parse()))
    });
    let domain = reader.domain(&at);
    let (settings, read) = reader.about(Code::Setting, |reader| settings::settings(&at, reader));
    let servers = reader.about(Code::Server, |reader| {
        at.list("servers").iter().filter_map(|server| server::server(server, reader)).collect()
    });
    let objects: Vec<_> = reader.about(Code::Schema, |reader| {
        let objects: Vec<_> = at.list("schema").iter().map(|object| schema_object(object, reader)).collect();
        table_names_are_unique(&at, &objects, reader);
        objects
    });
    reader.about(Code::Relationship, |reader| relationship::resolve(&at, &objects, reader));
    let sla = reader.about(Code::ServiceLevel, |reader| {
        at.list("slaProperties").iter().map(|sla| sla_property(sla, reader)).collect()
    });
    let (documentary, mut other) = at.rest(MODELLED, &read);
    if domain.is_none() {
        other.extend(at.text_of("domain").map(|text| ("domain".to_owned(), Value::String(text))));
    }
    Some(contract::Document {
        document_id: at.text_of("id")?,
        api_version: at.text_of("apiVersion")?,
        name: at.text_of("name"),
        version: version?,
        wish: Wish::of(at.text_of("status").as_deref()),
        domain,
        data_product: at.text_of("dataProduct"),
        objects,
        servers,
        sla,
        roles: at.list("roles").iter().map(role).collect(),
        settings,
        documentary,
        other,
    })
}

fn schema_object(at: &At<'_>, reader: &mut Reader) -> SchemaObject {
    const MODELLED: &[&str] =
        &["id", "name", "logicalType", "physicalName", "physicalType", "properties", "quality", "relationships"];
    let n_problems = reader.problems.len();
    let properties = property::properties(at, reader);
    primary_key_positions(at, reader);
    let (documentary, mut other) = at.rest(MODELLED, &[]);
    // `object` is the default; `blob` (ODCS 3.2) is no table.
    if let Some(logical) = at.text_of("logicalType").filter(|logical| logical != "object") {
        other.insert("logicalType".to_owned(), Value::String(logical));
    }
    let mut object = SchemaObject {
        id: at.text_of("id"),
        name: at.text_of("name").unwrap_or_default(),
        physical_name: at.text_of("physicalName"),
        physical_type: at.text_of("physicalType"),
        properties,
        quality: quality::list(at, quality::Level::Object, reader),
        relationships: relationship::list(at),
        documentary,
        other,
    };
    if reader.problems.len() == n_problems
        && let Err(error) = rules(&object)
    {
        reader.problem(at, error.to_string());
    }
    sql::resolve(at, &mut object, reader);
    object
}

fn sla_property(at: &At<'_>, reader: &mut Reader) -> SlaProperty {
    const MODELLED: &[&str] = &["id", "property", "value", "valueExt", "unit", "element"];
    // Who measures it and why is for people.
    const DOCUMENTARY: &[&str] = &["driver", "schedule", "scheduler"];
    let (mut documentary, mut other) = at.rest(MODELLED, &[]);
    for &name in DOCUMENTARY {
        documentary.extend(other.remove_entry(name));
    }
    let value = |name: &str| at.get(name).map(|value| value.node.to_json());
    let sla = SlaProperty {
        id: at.text_of("id"),
        property: sla::canonical_property(&at.text_of("property").unwrap_or_default()),
        value: value("value").unwrap_or(Value::Null),
        value_ext: value("valueExt"),
        unit: at.text_of("unit"),
        element: at.text_of("element"),
        documentary,
        other,
    };
    match sla.property.as_str() {
        "latency" | "frequency" => match &sla.unit {
            None => reader.problem(at, format!("`{}` needs a unit: d, h, m or s", sla.property)),
            Some(unit) if sla::unit_seconds(unit).is_none() => {
                let at = at.get("unit").unwrap_or_else(|| at.clone());
                reader.problem(&at, format!("`{unit}` is not a unit of time: use d, h, m (minutes) or s"));
            }
            Some(_) if sla.duration().is_none() => {
                let at = at.get("value").unwrap_or_else(|| at.clone());
                reader.problem(&at, format!("`{}` needs a number that is not negative", sla.property));
            }
            Some(_) => {}
        },
        "endOfSupport" if sla.value.as_str().and_then(Timestamp::parse_date_time).is_none() => {
            let at = at.get("value").unwrap_or_else(|| at.clone());
            reader.problem(
                &at,
                "`endOfSupport` needs a date (`2027-01-31`) or a time in RFC 3339 (`2027-01-31T12:00:00Z`)",
            );
        }
        _ => {}
    }
    sla
}

fn role(at: &At<'_>) -> Role {
    let (documentary, other) = at.rest(&["id", "role", "access"], &[]);
    Role {
        id: at.text_of("id"),
        role: at.text_of("role").unwrap_or_default(),
        access: at.text_of("access"),
        documentary,
        other,
    }
}

/// The level that a `classification` means. An unknown word is treated as `confidential`.
pub(crate) fn classification(at: &At<'_>, reader: &mut Reader) -> Option<Classification> {
    let word = at.text()?;
    Some(Classification::from_word(word).unwrap_or_else(|| {
        let message = "is not `public`, `internal`, `confidential` or `restricted` and is treated as `confidential`";
        reader.about(Code::Classification, |reader| reader.warning(at, format!("`{word}` {message}")));
        Classification::Confidential
    }))
}

/// Names in one list of properties are unique.
pub(crate) fn names_are_unique(items: &[At<'_>], field: &str, reader: &mut Reader) {
    let mut seen = BTreeMap::new();
    for item in items {
        let Some(name) = item.get(field) else { continue };
        let Some(text) = name.text() else { continue };
        if let Some(first) = seen.insert(text, name.pointer()) {
            reader.problem(&name, format!("`{text}` is already used as {field} at {first}"));
        }
    }
}

/// A stable id is unique in its list.
fn ids_are_unique(at: &At<'_>, reader: &mut Reader) {
    match &at.node.data {
        Data::List(_) => {
            let items = at.items();
            names_are_unique(&items, "id", reader);
            items.iter().for_each(|item| ids_are_unique(item, reader));
        }
        Data::Map(entries) => {
            // Values of custom properties are opaque.
            for (key, _) in entries.iter().filter(|(key, _)| key.text != "value") {
                if let Some(value) = at.get(&key.text) {
                    ids_are_unique(&value, reader);
                }
            }
        }
        Data::Null | Data::Boolean(_) | Data::Number(_) | Data::Text(_) => {}
    }
}

/// The names that objects have in addresses differ, and none looks like the name of a major.
fn table_names_are_unique(root: &At<'_>, objects: &[SchemaObject], reader: &mut Reader) {
    let mut seen: BTreeMap<Name, &str> = BTreeMap::new();
    for (at, object) in root.list("schema").iter().zip(objects) {
        let at = at.get("name").unwrap_or_else(|| at.clone());
        let Some(name) = reader.keep(&at, object.table_name()) else { continue };
        let major = name.as_str().rsplit_once("__v").map(|(_, digits)| digits);
        if major.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())) {
            reader.problem(&at, format!("`{name}` would be read as the name of a major version"));
        }
        if let Some(first) = seen.insert(name.clone(), &object.name) {
            let message = format!("`{}` and `{first}` would both have the name `{name}` in addresses", object.name);
            reader.problem(&at, message);
        }
    }
}

/// Positions in a key are 1, 2, 3 without a gap, or not given at all.
fn primary_key_positions(object: &At<'_>, reader: &mut Reader) {
    for (flag, position, words) in
        [("primaryKey", "primaryKeyPosition", "primary key"), ("partitioned", "partitionKeyPosition", "partition")]
    {
        let mut positions = Vec::new();
        for property in object.list("properties") {
            let Some(at) = property.get(position) else { continue };
            // -1 is the standard's way to say "none".
            let Some(number) = at.number().filter(|number| *number >= 0.0) else { continue };
            if property.flag_of(flag) == Some(true) {
                positions.push((at, number));
            }
        }
        positions.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        let mut expected = 1.0;
        for (at, number) in positions {
            if number != expected {
                reader
                    .problem(&at, format!("positions in a {words} are 1, 2, 3, ..., and here {expected} is expected"));
                break;
            }
            expected += 1.0;
        }
    }
}
