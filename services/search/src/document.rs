//! What is searched: one document for each product, with everything by which people find it.

use domain::clock::Timestamp;
use domain::product::Medallion;
use domain::quality::Verdict;

/// A product as search knows it. Whoever fills the index makes it from the database; search decides nothing from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// The product's id: the key of the document, and the last criterion of every order.
    pub id: String,
    /// The state of the product that this document was made from.
    pub revision: u64,
    /// `domain.name`, as people write and paste it.
    pub address: String,
    /// The product's name within its domain.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// What it is.
    pub description: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Other names of the product.
    pub synonyms: Vec<String>,
    /// Names of its owners.
    pub owners: Vec<String>,
    /// How it is read.
    pub ports: Vec<Port>,
    /// What its contracts describe.
    pub tables: Vec<Table>,
    /// The path of its domain.
    pub domain: String,
    /// The highest classification of its contracts.
    pub classification: Option<String>,
    /// The word of its state.
    pub state: String,
    /// Whether the product is deprecated or retired: it ranks below what is offered.
    pub deprecated: bool,
    /// The address of the product that replaces it.
    pub successor: Option<String>,
    /// Its layer.
    pub layer: Option<Medallion>,
    /// What the newest inspection found.
    pub verdict: Option<Verdict>,
    /// Distinct readers of the last 30 days.
    pub readers: u32,
    /// From when on it is late, as its data is now; `None` if no age is promised.
    pub late_from: Option<Timestamp>,
    /// The key of its visibility class. Products of one class are visible to the same principals, grants aside.
    pub class: String,
    /// The ids of the contracts that it offers.
    pub contracts: Vec<String>,
    /// The ids of the contracts that it is made from, of products that there may be later only.
    pub upstream: Vec<String>,
}

/// An output port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// The format of what is read through it: `delta`, `parquet`, `avro`, ...
    pub format: Option<String>,
    /// The physical addresses behind it that people may know.
    pub addresses: Vec<String>,
}

/// A table, view or topic of a contract.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Its name in the contract.
    pub name: String,
    /// Its physical name, if people may know it.
    pub address: Option<String>,
    /// What it is.
    pub description: String,
    /// Other names of it.
    pub synonyms: Vec<String>,
    /// Its columns; nested ones have dotted names.
    pub columns: Vec<Column>,
}

/// A column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// Its path.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Other names of it.
    pub synonyms: Vec<String>,
}
