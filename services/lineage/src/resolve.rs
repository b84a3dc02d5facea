//! Which of our tables a dataset's name means.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::id::TableId;

use crate::name::Dataset;

/// The names of our tables: their places in stores, and their names in catalogs.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// A name that several tables have means none of them.
    tables: HashMap<Dataset, Option<TableId>>,
}

impl Directory {
    /// Adds a name of a table.
    pub fn insert(&mut self, name: Dataset, table: TableId) {
        self.tables
            .entry(name)
            .and_modify(|known| *known = known.filter(|known| *known == table))
            .or_insert(Some(table));
    }

    /// The table that a name means by itself: the name is one of the table's, or a place inside of the table's place.
    pub fn find(&self, name: &Dataset) -> Option<TableId> {
        let found = self.tables.get(name).copied();
        found.or_else(|| name.folders().find_map(|folder| self.tables.get(&folder).copied())).flatten()
    }

    /// The table that a dataset means: by its own name, else by the other names that the same speaker gives it, if all
    /// of those that mean a table mean the same one.
    pub fn resolve(&self, name: &Dataset, aliases: &Aliases) -> Option<TableId> {
        if let Some(table) = self.find(name) {
            return Some(table);
        }
        let by_alias: BTreeSet<TableId> =
            aliases.0.get(name).into_iter().flatten().filter_map(|other| self.find(other)).collect();
        match by_alias.len() {
            1 => by_alias.first().copied(),
            _ => None,
        }
    }
}

/// The other names of datasets, by one speaker: nothing that a speaker says moves another speaker's claims.
#[derive(Clone, Debug, Default)]
pub struct Aliases(BTreeMap<Dataset, BTreeSet<Dataset>>);

impl Aliases {
    /// Adds another name of a dataset.
    pub fn insert(&mut self, dataset: Dataset, other: Dataset) {
        self.0.entry(dataset).or_default().insert(other);
    }
}
