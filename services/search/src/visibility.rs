//! What a caller may see: decided by the policy, intersected by the searcher before anything is looked at.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::field::Access;

/// What a caller may see and do: the visible classes, and single products beyond them. What is in neither does not exist
/// for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visibility {
    classes: BTreeMap<String, Access>,
    products: BTreeMap<String, Access>,
    digest: u64,
}

impl Visibility {
    /// The visible classes by their keys, and single products by their ids (for instance those of the caller's grants).
    /// A product that is in both has the higher access.
    pub fn new(classes: BTreeMap<String, Access>, products: BTreeMap<String, Access>) -> Self {
        let mut hasher = DefaultHasher::new();
        classes.hash(&mut hasher);
        products.hash(&mut hasher);
        Self { classes, products, digest: hasher.finish() }
    }

    pub(crate) fn class(&self, key: &str) -> Option<Access> {
        self.classes.get(key).copied()
    }

    pub(crate) fn products(&self) -> &BTreeMap<String, Access> {
        &self.products
    }

    /// To find an equal one quickly.
    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }
}

/// What a caller may do with each document of one segment; `HIDDEN` for documents that are hidden, deleted or replaced.
pub(crate) type Levels = Vec<u8>;

pub(crate) const HIDDEN: u8 = 0;

pub(crate) fn level(access: Access) -> u8 {
    access as u8 + 1
}

pub(crate) fn access(level: u8) -> Option<Access> {
    Access::ALL.get(usize::from(level.checked_sub(1)?)).copied()
}

/// The documents of a snapshot that one caller may see.
pub(crate) struct View {
    pub(crate) segments: Vec<Levels>,
    /// How many there are.
    pub(crate) n: u64,
}
