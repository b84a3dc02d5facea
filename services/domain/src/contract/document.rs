//! The model of an ODCS document: what one text promises, as `documents` reads it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::object::{Classification, Fields, SchemaObject};
use super::server::Server;
use super::settings::Settings;
use super::sla::SlaProperty;
use crate::clock::Timestamp;
use crate::name::{DomainPath, Name};
use crate::version::Version;

/// The custom property of a document that tells readers how to follow it. It promises nothing.
pub const MIGRATION_NOTE: &str = "migrationNote";

/// One ODCS document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The document's `id`; unique within its product only.
    pub document_id: String,
    /// The version of the standard, such as `v3.1.0`.
    pub api_version: String,
    /// The title for people.
    pub name: Option<String>,
    /// The contract's version.
    pub version: Version,
    /// The author's wish.
    pub wish: Wish,
    /// The domain it says it belongs to.
    pub domain: Option<DomainPath>,
    /// The data product it says it belongs to (deprecated since ODCS 3.1).
    pub data_product: Option<String>,
    /// What is promised, table by table.
    pub objects: Vec<SchemaObject>,
    /// Where the data is.
    pub servers: Vec<Server>,
    /// Service levels.
    pub sla: Vec<SlaProperty>,
    /// Roles at the source.
    pub roles: Vec<Role>,
    /// How the gate treats this contract.
    pub settings: Settings,
    /// For people.
    pub documentary: Fields,
    /// Everything else.
    pub other: Fields,
}

impl Document {
    /// What readers must do to follow a breaking version, in its author's words: the custom property `migrationNote`.
    pub fn migration_note(&self) -> Option<&str> {
        self.other.get("customProperties")?.get(MIGRATION_NOTE)?.as_str()
    }

    /// The schema object of this name in addresses.
    pub fn find_object(&self, name: &Name) -> Option<&SchemaObject> {
        self.objects.iter().find(|object| object.table_name().as_ref() == Ok(name))
    }

    /// The highest classification among all columns; `internal` if none says.
    pub fn classification(&self) -> Classification {
        self.objects.iter().map(SchemaObject::classification).max().unwrap_or_default()
    }

    /// Lets each column that is equal to one of another version be the same one in memory. Versions of a wide contract
    /// differ in few columns, so a history of them takes little more room than one, and comparing them little more time
    /// than looking at what differs. Says nothing new: what is equal stays equal.
    pub fn share_columns(&mut self, other: &Self) {
        for object in &mut self.objects {
            let Some(other) = other.objects.iter().find(|other| other.name == object.name) else { continue };
            let columns: HashMap<_, _> = other.properties.iter().map(|column| (column.name.as_str(), column)).collect();
            for column in &mut object.properties {
                if let Some(equal) = columns.get(column.name.as_str()).filter(|other| **other == column) {
                    *column = Arc::clone(equal);
                }
            }
        }
    }

    /// How old the newest commit may be before the data counts as late: the SLA property `latency`, else `frequency`;
    /// the least of those about this object. `None` means never late: neither is given, or the data is `final`.
    pub fn freshness(&self, object: &SchemaObject) -> Option<Duration> {
        if self.settings.is_final {
            return None;
        }
        let least = |name: &str| {
            let about = self.sla.iter().filter(|sla| sla.property == name && sla.concerns(object));
            about.filter_map(SlaProperty::duration).min()
        };
        least("latency").or_else(|| least("frequency"))
    }

    /// The SLA property `endOfSupport`: when a deprecated version stops serving.
    pub fn end_of_support(&self) -> Option<Timestamp> {
        let sla = &self.sla[self.end_of_support_index()?];
        Timestamp::parse_date_time(sla.value.as_str()?)
    }

    /// The place of `endOfSupport` in the list of SLA properties.
    pub fn end_of_support_index(&self) -> Option<usize> {
        self.sla.iter().position(|sla| sla.property == "endOfSupport")
    }
}

/// The wish that a document's `status` expresses. Unknown words hold a version back (`docs/rules.md`, "Names and
/// states").
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Wish {
    /// `draft`, `proposed`, an unknown word or none: wait for `activateVersion`.
    Hold(Option<String>),
    /// `active`.
    Activate,
    /// `deprecated`.
    Deprecate,
    /// `retired`.
    Retire,
}

impl Wish {
    /// Reads a document's `status`.
    pub fn of(status: Option<&str>) -> Self {
        match status {
            Some("active") => Self::Activate,
            Some("deprecated") => Self::Deprecate,
            Some("retired") => Self::Retire,
            other => Self::Hold(other.map(str::to_owned)),
        }
    }
}

/// One entry of ODCS `roles`.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    /// The stable id.
    pub id: Option<String>,
    /// The role's name.
    pub role: String,
    /// What it allows, in free words.
    pub access: Option<String>,
    /// For people.
    pub documentary: Fields,
    /// Everything else.
    pub other: Fields,
}
