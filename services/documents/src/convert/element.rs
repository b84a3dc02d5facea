//! The parts of a contract that exporters work on.

use std::sync::Arc;

use domain::contract::{self, Property, SchemaObject};

use super::ledger::Ledger;

/// What an exporter works on.
pub(super) struct Export<'a> {
    pub(super) contract: &'a contract::Document,
    pub(super) objects: Vec<Element<'a, SchemaObject>>,
    pub(super) ledger: Ledger<'a>,
}

/// A part of the contract and its JSON pointer.
#[derive(Clone, Debug)]
pub(super) struct Element<'a, T> {
    pub(super) it: &'a T,
    pub(super) path: String,
}

impl<'a> Element<'a, SchemaObject> {
    /// The properties that tables and messages hold: measures are computed by who reads.
    pub(super) fn properties(&self) -> Vec<Element<'a, Property>> {
        elements(&self.it.properties, &self.path).collect()
    }
}

impl<'a> Element<'a, Property> {
    pub(super) fn members(&self) -> Vec<Self> {
        elements(&self.it.members, &self.path).collect()
    }

    pub(super) fn items(&self) -> Option<Self> {
        Some(Element { it: self.it.items.as_deref()?, path: format!("{}/items", self.path) })
    }

    /// Key and value of a map.
    pub(super) fn entry(&self) -> Option<(Self, Self)> {
        let map = self.it.map.as_deref()?;
        let key = Element { it: &map.key, path: format!("{}/map/key", self.path) };
        let value = Element { it: &map.value, path: format!("{}/map/value", self.path) };
        Some((key, value))
    }
}

fn elements<'a>(properties: &'a [Arc<Property>], path: &str) -> impl Iterator<Item = Element<'a, Property>> {
    let path = path.to_owned();
    let elements = properties.iter().map(Arc::as_ref).enumerate();
    elements.filter(|(_, property)| property.is_stored()).map(move |(index, property)| {
        let path = format!("{path}/properties/{index}");
        Element { it: property, path }
    })
}

/// What says which contract a schema was made of, for a target with a place for it.
pub(super) fn fundamentals(ledger: &Ledger<'_>) -> serde_json::Map<String, serde_json::Value> {
    let names = ["id", "name", "version", "status", "tenant", "domain", "dataProduct"];
    let field = |name: &&str| Some(((*name).to_owned(), ledger.take_text("", name)?.into()));
    names.iter().filter_map(field).collect()
}
