//! Pages of an impact: one holder an item, nearest first.

use domain::id::DomainId;

use crate::edge::Holder;
use crate::graph::walk::Impact;

/// The most columns that one item names.
const MAX_COLUMNS: usize = 100;

/// Where a page ends. It names the last item by what it is, so it holds for a rebuilt graph too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The last item's distance.
    pub distance: u32,
    /// The last item.
    pub holder: Holder,
}

/// What is reached of a holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// It as a whole: which columns are affected is not known, or all are.
    Whole,
    /// These columns, in order of name.
    Columns {
        /// The first of them.
        names: Vec<String>,
        /// How many more there are.
        n_more: usize,
    },
}

/// A holder that is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Edges from the nearest start.
    pub distance: u32,
    /// What it is.
    pub holder: Holder,
    /// The domain that owns it.
    pub domain: Option<DomainId>,
    /// What of it is reached.
    pub part: Part,
}

/// Some items of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The items, by distance, then in the order of nodes.
    pub items: Vec<Item>,
    /// Where the next page begins; `None` after the last item.
    pub next: Option<Cursor>,
}

impl Impact<'_> {
    /// The first items after a cursor, at least one and at most `first`.
    pub fn page(&self, after: Option<&Cursor>, first: usize) -> Page {
        let first = first.max(1);
        let mut items = Vec::new();
        let mut has_more = false;
        for (level, holders) in self.levels.iter().enumerate() {
            let distance = level as u32 + 1;
            let from_rank = match after {
                Some(cursor) if cursor.distance > distance => continue,
                Some(cursor) if cursor.distance == distance => self.graph.rank_after(&cursor.holder.key()),
                Some(_) | None => 0,
            };
            let ranked = holders.iter().map(|holder| (self.graph.rank(*holder), *holder));
            let mut ranked: Vec<(u64, u32)> = ranked.filter(|(rank, _)| *rank >= from_rank).collect();
            let n_left = first - items.len();
            if ranked.len() > n_left {
                has_more = true;
                ranked.select_nth_unstable(n_left);
                ranked.truncate(n_left);
            }
            ranked.sort_unstable();
            items.extend(ranked.into_iter().filter_map(|(_, holder)| self.item(distance, holder)));
            if has_more {
                break;
            }
        }
        let last = items.last().filter(|_| has_more);
        let next = last.map(|item| Cursor { distance: item.distance, holder: item.holder.clone() });
        Page { items, next }
    }

    fn item(&self, distance: u32, holder: u32) -> Option<Item> {
        let part = if self.reached.contains(holder) {
            Part::Whole
        } else {
            let columns = self.graph.columns(holder).filter(|column| self.reached.contains(*column));
            let mut names: Vec<String> =
                columns.filter_map(|column| self.graph.node(column).and_then(|node| node.column)).collect();
            names.sort_unstable();
            let n_more = names.len().saturating_sub(MAX_COLUMNS);
            names.truncate(MAX_COLUMNS);
            Part::Columns { names, n_more }
        };
        let domain = self.graph.domain_id(self.graph.domain_index(holder));
        Some(Item { distance, holder: self.graph.node(holder)?.holder, domain, part })
    }
}
