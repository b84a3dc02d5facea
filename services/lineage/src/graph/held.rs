//! A graph as it is held: compressed, with the fresh edges beside it.

use std::sync::Arc;

use domain::id::DomainId;

use crate::edge::{Holder, Kind, Kinds, Node};
use crate::graph::base::{Base, NO_DOMAIN};
use crate::graph::overlay::Overlay;

/// The most edges beside the compressed graph. More than these are left out, and answers say so, until it is rebuilt.
pub const MAX_FRESH_EDGES: usize = 20_000;

/// Nodes and edges at one moment. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Graph {
    base: Arc<Base>,
    overlay: Arc<Overlay>,
    is_behind: bool,
}

/// An edge that came after the graph was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// Where data comes from, and the domain that owns it.
    pub from: (Node, Option<DomainId>),
    /// Where it goes, and the domain that owns it.
    pub to: (Node, Option<DomainId>),
    /// How it is known.
    pub kind: Kind,
}

/// An edge between two of several holders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The place of the source in the list that was given.
    pub from: usize,
    /// The place of the target.
    pub to: usize,
    /// How it is known.
    pub kinds: Kinds,
}

impl Graph {
    pub(super) fn of(base: Arc<Base>) -> Self {
        Self { base, overlay: Arc::default(), is_behind: false }
    }

    /// This graph and more edges.
    #[must_use]
    pub fn with_fresh(&self, edges: &[Fresh]) -> Self {
        let mut overlay = (*self.overlay).clone();
        let mut is_behind = self.is_behind;
        for Fresh { from, to, kind } in edges {
            if overlay.n_edges() >= MAX_FRESH_EDGES {
                is_behind = true;
                break;
            }
            let kinds = Kinds::of(&[*kind]).0;
            let ends = [from, to].map(|(node, domain)| {
                let id = overlay.node(&self.base, node, *domain);
                let of_holder = overlay.node(&self.base, &Node::whole(node.holder.clone()), *domain);
                (id, of_holder)
            });
            let [(from, from_holder), (to, to_holder)] = ends;
            overlay.edge(from, to, kinds);
            if (from, to) != (from_holder, to_holder) {
                overlay.edge(from_holder, to_holder, kinds);
            }
        }
        overlay.sort(&self.base);
        Self { base: self.base.clone(), overlay: Arc::new(overlay), is_behind }
    }

    /// This graph, known to lack edges: its answers are never complete.
    #[must_use]
    pub fn behind(mut self) -> Self {
        self.is_behind = true;
        self
    }

    /// Whether edges are known to be missing.
    pub fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// How many nodes it has, columns and holders.
    pub fn n_nodes(&self) -> usize {
        self.base.n_nodes() + self.overlay.n_nodes()
    }

    /// How many edges the compressed part has, and how many are beside it; those between holders that stand for edges
    /// between columns included.
    pub fn n_edges(&self) -> (usize, usize) {
        (self.base.forward.targets.len(), self.overlay.n_edges())
    }

    /// The memory of the compressed part.
    pub fn size_bytes(&self) -> usize {
        self.base.bytes()
    }

    /// The edges between some holders, for drawing them. Pass holders that the caller was shown.
    pub fn links(&self, holders: &[Holder], kinds: Kinds) -> Vec<Link> {
        let ids: std::collections::HashMap<u32, usize> =
            holders.iter().enumerate().filter_map(|(place, holder)| Some((self.find(&holder.key())?, place))).collect();
        let mut links = Vec::new();
        for (id, from) in &ids {
            self.each_forward(*id, &mut |to, of_edge| {
                if let (Some(to), true) = (ids.get(&to), of_edge & kinds.0 != 0) {
                    links.push(Link { from: *from, to: *to, kinds: Kinds(of_edge & kinds.0) });
                }
            });
        }
        links.sort_unstable();
        // An edge may be in both parts.
        links.dedup_by(|later, kept| {
            let is_same = (later.from, later.to) == (kept.from, kept.to);
            if is_same {
                kept.kinds.0 |= later.kinds.0;
            }
            is_same
        });
        links
    }

    pub(super) fn generation(&self) -> u64 {
        self.base.generation
    }

    pub(super) fn find(&self, key: &[u8]) -> Option<u32> {
        self.base.find(key).or_else(|| self.overlay.find(key))
    }

    pub(super) fn key(&self, id: u32) -> &[u8] {
        match self.place(id) {
            Some(place) => self.overlay.key(place),
            None => self.base.key(id),
        }
    }

    pub(super) fn node(&self, id: u32) -> Option<Node> {
        Node::from_key(self.key(id))
    }

    pub(super) fn holder(&self, id: u32) -> u32 {
        match self.place(id) {
            Some(place) => self.overlay.holder(place),
            None if !self.base.columns.contains(id) => id,
            None => self.base.holders[id as usize],
        }
    }

    /// The index of the domain that owns a holder; one past the last, if none does.
    pub(super) fn domain_index(&self, holder: u32) -> usize {
        let index = match self.place(holder) {
            Some(place) => self.overlay.domain(place),
            None => self.base.domains[holder as usize],
        };
        if index == NO_DOMAIN { self.n_domains() } else { index as usize }
    }

    pub(super) fn n_domains(&self) -> usize {
        self.base.domain_ids.len() + self.overlay.domain_ids().len()
    }

    pub(super) fn domain_id(&self, index: usize) -> Option<DomainId> {
        self.base.domain_ids.iter().chain(self.overlay.domain_ids()).nth(index).copied()
    }

    /// A number in the order of nodes.
    pub(super) fn rank(&self, id: u32) -> u64 {
        match self.place(id) {
            Some(place) => self.overlay.rank(place),
            None => u64::from(id) << 32 | u64::from(u32::MAX),
        }
    }

    /// The smallest number of the nodes after a key.
    pub(super) fn rank_after(&self, key: &[u8]) -> u64 {
        match self.find(key) {
            Some(id) => self.rank(id) + 1,
            None => self.overlay.first_rank(&self.base, key),
        }
    }

    pub(super) fn each_forward(&self, id: u32, visit: &mut impl FnMut(u32, u8)) {
        if self.place(id).is_none() {
            self.base.forward.of(id).for_each(|(to, kinds)| visit(to, kinds));
        }
        if self.overlay.n_edges() > 0 {
            self.overlay.forward(id).iter().for_each(|(to, kinds)| visit(*to, *kinds));
        }
    }

    pub(super) fn each_backward(&self, id: u32, visit: &mut impl FnMut(u32, u8)) {
        if self.place(id).is_none() {
            self.base.backward.of(id).for_each(|(to, kinds)| visit(to, kinds));
        }
        if self.overlay.n_edges() > 0 {
            self.overlay.backward(id).iter().for_each(|(to, kinds)| visit(*to, *kinds));
        }
    }

    pub(super) fn columns(&self, holder: u32) -> impl Iterator<Item = u32> + '_ {
        let in_base = self.place(holder).is_none().then(|| self.base.columns_of(holder));
        in_base.into_iter().flatten().chain(self.overlay.columns(holder).iter().copied())
    }

    /// The place in the overlay, of a node that is there.
    fn place(&self, id: u32) -> Option<usize> {
        (id as usize).checked_sub(self.base.n_nodes())
    }
}
