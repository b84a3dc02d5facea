//! Small catalogs for tests.

use std::collections::BTreeMap;
use std::sync::Arc;

use search::{Access, Answer, Change, Column, Document, Index, Port, Request, Table, Visibility};
use tempfile::TempDir;

/// The class of products that the caller of [`Catalog::search`] sees.
pub(crate) const OPEN: &str = "open";
/// The class of products that they do not see.
pub(crate) const SECRET: &str = "secret";

/// An index in a folder of its own.
pub(crate) struct Catalog {
    pub(crate) index: Index,
    pub(crate) folder: TempDir,
}

impl Catalog {
    pub(crate) fn of(documents: impl IntoIterator<Item = Document>) -> Self {
        let folder = scratch();
        let builder = Index::build(folder.path()).unwrap();
        documents.into_iter().for_each(|document| builder.add(&document).unwrap());
        Self { index: builder.finish(1).unwrap(), folder }
    }

    /// As one who can read what is open.
    pub(crate) fn search(&self, text: &str) -> Answer {
        self.ask(&Request::page(text, 20))
    }

    pub(crate) fn ask(&self, request: &Request) -> Answer {
        self.index.search(&open(), request).unwrap()
    }

    /// The ids of the hits.
    pub(crate) fn ids(&self, text: &str) -> Vec<String> {
        self.search(text).hits.into_iter().map(|hit| hit.id).collect()
    }

    pub(crate) fn put(&self, document: Document) {
        self.index.apply([Change::Put(Box::new(document))], self.index.position() + 1).unwrap();
    }
}

/// A folder in memory where there is one: tests commit thousands of times, and each commit waits for its files.
pub(crate) fn scratch() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// What one sees who can read what is open.
pub(crate) fn open() -> Arc<Visibility> {
    visibility(&[(OPEN, Access::Read)], &[])
}

pub(crate) fn visibility(classes: &[(&str, Access)], products: &[(&str, Access)]) -> Arc<Visibility> {
    let map = |list: &[(&str, Access)]| -> BTreeMap<String, Access> {
        list.iter().map(|(key, access)| ((*key).to_owned(), *access)).collect()
    };
    Arc::new(Visibility::new(map(classes), map(products)))
}

/// An open product of a domain. Its id is its address.
pub(crate) fn product(domain: &str, name: &str) -> Document {
    Document {
        id: format!("{domain}.{name}"),
        revision: 1,
        address: format!("{domain}.{name}"),
        name: name.to_owned(),
        title: name.replace('_', " "),
        domain: domain.to_owned(),
        state: "active".to_owned(),
        class: OPEN.to_owned(),
        ..Document::default()
    }
}

pub(crate) trait With {
    fn described(self, text: &str) -> Self;
    fn with_columns(self, names: &[&str]) -> Self;
    fn with_port(self, format: &str) -> Self;
    fn secret(self) -> Self;
}

impl With for Document {
    fn described(mut self, text: &str) -> Self {
        self.description = text.to_owned();
        self
    }

    fn with_columns(mut self, names: &[&str]) -> Self {
        let columns = names.iter().map(|name| Column { name: (*name).to_owned(), ..Column::default() }).collect();
        self.tables.push(Table {
            name: self.name.clone(),
            address: Some(format!("lake.{}", self.name)),
            columns,
            ..Table::default()
        });
        self
    }

    fn with_port(mut self, format: &str) -> Self {
        self.ports.push(Port { name: "out".to_owned(), format: Some(format.to_owned()), addresses: Vec::new() });
        self
    }

    fn secret(mut self) -> Self {
        self.class = SECRET.to_owned();
        self
    }
}
