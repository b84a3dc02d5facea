//! The columns of the old version that differences are about: what its readers may have to do without.
//!
//! A path names what it is about by the new version, and what was removed by the old one. The pairs that the comparison
//! makes lead from the one to the other, through new names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::contract::counterparts;
use super::property::pairs;
use crate::contract::{Document, Property};

/// Columns under the dotted names that they have in the table, by object; `None` for any column.
pub type Touched = BTreeMap<String, Option<BTreeSet<String>>>;

/// What the first step of a path is if it is about the contract as a whole.
const OF_CONTRACT: [&str; 5] = ["servers", "sla", "roles", "settings", "contract"];
/// What may follow a name in a path.
const STEPS: [char; 4] = ['.', '[', '{', '#'];

/// What differences with these paths are about in the old version.
pub fn touched<'a>(old: &Document, new: &Document, paths: impl IntoIterator<Item = &'a str>) -> Touched {
    let places = Places::of(old, new);
    let mut touched = Touched::new();
    let mut touch = |object: &str, column: Option<&str>| {
        let columns = touched.entry(object.to_owned()).or_insert_with(|| Some(BTreeSet::new()));
        match (column, columns.as_mut()) {
            (Some(column), Some(columns)) => {
                columns.insert(column.to_owned());
            }
            (None, _) => *columns = None,
            (Some(_), None) => {}
        }
    };
    for path in paths {
        match places.find(path) {
            Some(found) => found.iter().for_each(|(object, column)| touch(object, column.as_deref())),
            None => old.objects.iter().for_each(|object| touch(&object.name, None)),
        }
    }
    touched
}

/// What paths are about: objects and columns of the old version. None for what is only in the new one.
#[derive(Default)]
struct Places(BTreeMap<String, BTreeSet<(String, Option<String>)>>);

impl Places {
    fn of(old: &Document, new: &Document) -> Self {
        let mut places = Self::default();
        let pairs = counterparts(&old.objects, &new.objects);
        for (object, before) in new.objects.iter().zip(&pairs) {
            let place = places.0.entry(object.name.clone()).or_default();
            if let Some(before) = before.map(|at| &old.objects[at]) {
                place.insert((before.name.clone(), None));
                places.members((&before.properties, &object.properties), &object.name, &before.name, "");
            }
        }
        for (at, object) in old.objects.iter().enumerate() {
            if !pairs.contains(&Some(at)) {
                places.0.entry(object.name.clone()).or_default().insert((object.name.clone(), None));
            }
        }
        places
    }

    /// The columns of an object, or the members of a column with the name `above` in the table.
    fn members(&mut self, (old, new): (&[Arc<Property>], &[Arc<Property>]), path: &str, object: &str, above: &str) {
        let pairs = pairs(old, new);
        let mut is_kept = vec![false; old.len()];
        for (property, before) in new.iter().zip(pairs) {
            let path = format!("{path}.{}", property.name);
            let place = self.0.entry(path.clone()).or_default();
            let Some(at) = before else { continue };
            is_kept[at] = true;
            let name = format!("{above}{}", old[at].column_name());
            place.insert((object.to_owned(), Some(name.clone())));
            self.inside(&old[at], property, &path, object, &format!("{name}."));
        }
        for (property, _) in old.iter().zip(is_kept).filter(|(_, is_kept)| !is_kept) {
            let place = self.0.entry(format!("{path}.{}", property.name)).or_default();
            place.insert((object.to_owned(), Some(format!("{above}{}", property.column_name()))));
        }
    }

    fn inside(&mut self, old: &Property, new: &Property, path: &str, object: &str, above: &str) {
        self.members((&old.members, &new.members), path, object, above);
        if let (Some(old), Some(new)) = (&old.items, &new.items) {
            self.inside(old, new, &format!("{path}[]"), object, above);
        }
    }

    /// What a path is about; `None` for the contract as a whole.
    fn find(&self, path: &str) -> Option<&BTreeSet<(String, Option<String>)>> {
        let ends = path.match_indices(STEPS).map(|(at, _)| at).chain([path.len()]);
        let is_of_contract = |head: &&str| OF_CONTRACT.contains(head);
        if path.split('.').next().filter(is_of_contract).is_some() {
            return None;
        }
        ends.collect::<Vec<_>>().into_iter().rev().find_map(|end| self.0.get(&path[..end]))
    }
}
