//! The edges that came since the compressed graph was built.

use std::collections::HashMap;

use domain::id::DomainId;

use crate::edge::Node;
use crate::graph::base::{Base, NO_DOMAIN, holder_key};

/// Nodes and edges beside those of a [`Base`]. Ids go on where the base's end.
#[derive(Clone, Debug, Default)]
pub(super) struct Overlay {
    keys: Vec<Vec<u8>>,
    ids: HashMap<Vec<u8>, u32>,
    /// The places of `keys` in order.
    order: Vec<u32>,
    /// Each node's place among all nodes ([`Overlay::rank_in`]).
    ranks: Vec<u64>,
    holders: Vec<u32>,
    domains: Vec<u32>,
    /// Domains beside those of the base, their indexes go on too.
    domain_ids: Vec<DomainId>,
    forward: HashMap<u32, Vec<(u32, u8)>>,
    backward: HashMap<u32, Vec<(u32, u8)>>,
    columns: HashMap<u32, Vec<u32>>,
    n_edges: usize,
}

impl Overlay {
    pub(super) fn n_nodes(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn n_edges(&self) -> usize {
        self.n_edges
    }

    pub(super) fn key(&self, place: usize) -> &[u8] {
        &self.keys[place]
    }

    pub(super) fn holder(&self, place: usize) -> u32 {
        self.holders[place]
    }

    pub(super) fn domain(&self, place: usize) -> u32 {
        self.domains[place]
    }

    pub(super) fn domain_ids(&self) -> &[DomainId] {
        &self.domain_ids
    }

    pub(super) fn rank(&self, place: usize) -> u64 {
        self.ranks[place]
    }

    pub(super) fn find(&self, key: &[u8]) -> Option<u32> {
        self.ids.get(key).copied()
    }

    pub(super) fn forward(&self, node: u32) -> &[(u32, u8)] {
        self.forward.get(&node).map_or(&[], Vec::as_slice)
    }

    pub(super) fn backward(&self, node: u32) -> &[(u32, u8)] {
        self.backward.get(&node).map_or(&[], Vec::as_slice)
    }

    pub(super) fn columns(&self, holder: u32) -> &[u32] {
        self.columns.get(&holder).map_or(&[], Vec::as_slice)
    }

    /// A number in the order of keys, for a key that comes before the base's node `before`: that node's own number is
    /// greater, that of the node before it is smaller.
    fn rank_in(before: u32, place: usize) -> u64 {
        u64::from(before) << 32 | place as u64
    }

    /// The smallest number that a key not before this one can have.
    pub(super) fn first_rank(&self, base: &Base, key: &[u8]) -> u64 {
        let place = self.order.partition_point(|place| self.keys[*place as usize].as_slice() < key);
        Self::rank_in(base.lower_bound(key), place)
    }

    pub(super) fn node(&mut self, base: &Base, node: &Node, domain: Option<DomainId>) -> u32 {
        let key = node.key();
        if let Some(known) = base.find(&key).or_else(|| self.find(&key)) {
            return known;
        }
        let of_holder = holder_key(&key);
        let holder = (of_holder.len() < key.len()).then(|| self.node(base, &Node::whole(node.holder.clone()), domain));
        let id = (base.n_nodes() + self.keys.len()) as u32;
        let domain = domain.map_or(NO_DOMAIN, |domain| self.domain_index(base, domain));
        self.ids.insert(key.clone(), id);
        self.keys.push(key);
        self.holders.push(holder.unwrap_or(id));
        self.domains.push(domain);
        if let Some(holder) = holder {
            self.columns.entry(holder).or_default().push(id);
        }
        id
    }

    fn domain_index(&mut self, base: &Base, domain: DomainId) -> u32 {
        let known = base.domain_ids.iter().chain(&self.domain_ids).position(|known| *known == domain);
        known.unwrap_or_else(|| {
            self.domain_ids.push(domain);
            base.domain_ids.len() + self.domain_ids.len() - 1
        }) as u32
    }

    pub(super) fn edge(&mut self, from: u32, to: u32, kinds: u8) {
        if from == to {
            return;
        }
        let of_node = self.forward.entry(from).or_default();
        match of_node.iter_mut().find(|(target, _)| *target == to) {
            Some((_, known)) => *known |= kinds,
            None => {
                of_node.push((to, kinds));
                self.n_edges += 1;
            }
        }
        let of_node = self.backward.entry(to).or_default();
        match of_node.iter_mut().find(|(target, _)| *target == from) {
            Some((_, known)) => *known |= kinds,
            None => of_node.push((from, kinds)),
        }
    }

    /// Puts the nodes in order, after all were added.
    pub(super) fn sort(&mut self, base: &Base) {
        let mut order: Vec<u32> = (0..self.keys.len() as u32).collect();
        order.sort_unstable_by(|one, two| self.keys[*one as usize].cmp(&self.keys[*two as usize]));
        self.ranks = vec![0; self.keys.len()];
        for (place, node) in order.iter().enumerate() {
            self.ranks[*node as usize] = Self::rank_in(base.lower_bound(&self.keys[*node as usize]), place);
        }
        self.order = order;
    }
}
