//! The compressed graph: keys in one buffer, adjacency in both directions as flat lists.

use domain::id::DomainId;

use crate::edge::holder_bytes;

/// The index that stands for no domain.
pub(super) const NO_DOMAIN: u32 = u32::MAX;

/// A set of ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn new(n_ids: usize) -> Self {
        Self(vec![0; n_ids.div_ceil(64)])
    }

    pub(super) fn grow(&mut self, n_ids: usize) {
        self.0.resize(n_ids.div_ceil(64).max(self.0.len()), 0);
    }

    pub(super) fn contains(&self, id: u32) -> bool {
        self.0.get(id as usize / 64).is_some_and(|word| word >> (id % 64) & 1 == 1)
    }

    /// Adds an id below the size; gives whether it is new.
    pub(super) fn insert(&mut self, id: u32) -> bool {
        let Some(word) = self.0.get_mut(id as usize / 64) else { return false };
        let bit = 1 << (id % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// All ids below the size that are not in this set.
    pub(super) fn complement(&self) -> Self {
        Self(self.0.iter().map(|word| !word).collect())
    }

    /// The ids that are in both.
    pub(super) fn intersection(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(one, two)| one & two).collect())
    }

    /// Puts ids in order, each once. The set must be empty and has room for them; it is empty again.
    pub(super) fn sort(&mut self, ids: &mut Vec<u32>) {
        // Looking through the whole set costs more than sorting a few.
        if ids.len() < self.0.len() / 16 {
            ids.sort_unstable();
            return;
        }
        for id in ids.drain(..) {
            self.insert(id);
        }
        for (place, word) in self.0.iter_mut().enumerate() {
            while *word != 0 {
                ids.push(place as u32 * 64 + word.trailing_zeros());
                *word &= *word - 1;
            }
        }
    }
}

/// The edges of each node in one direction.
#[derive(Debug, Default)]
pub(super) struct Adjacency {
    pub(super) starts: Vec<u32>,
    pub(super) targets: Vec<u32>,
    /// The kinds of each edge, as bits.
    pub(super) kinds: Vec<u8>,
}

impl Adjacency {
    pub(super) fn of(&self, node: u32) -> impl Iterator<Item = (u32, u8)> + '_ {
        let (start, end) = (self.starts[node as usize] as usize, self.starts[node as usize + 1] as usize);
        self.targets[start..end].iter().copied().zip(self.kinds[start..end].iter().copied())
    }

    fn bytes(&self) -> usize {
        (self.starts.len() + self.targets.len()) * 4 + self.kinds.len()
    }
}

/// Nodes in the order of their keys, and their edges. The columns of a holder follow it.
#[derive(Debug)]
pub(super) struct Base {
    pub(super) key_starts: Vec<u32>,
    pub(super) keys: Vec<u8>,
    /// The holder of each node; itself, of a holder.
    pub(super) holders: Vec<u32>,
    /// The nodes that are columns: most searches ask only this of a node, and it stays in the processor's cache.
    pub(super) columns: Bits,
    /// The domain of each node, by index; that of a holder counts.
    pub(super) domains: Vec<u32>,
    pub(super) domain_ids: Vec<DomainId>,
    pub(super) forward: Adjacency,
    pub(super) backward: Adjacency,
    /// Tells graphs apart, so that what was computed for one is not used with another.
    pub(super) generation: u64,
}

impl Base {
    pub(super) fn n_nodes(&self) -> usize {
        self.holders.len()
    }

    pub(super) fn key(&self, node: u32) -> &[u8] {
        &self.keys[self.key_starts[node as usize] as usize..self.key_starts[node as usize + 1] as usize]
    }

    /// The first node whose key is not before this one.
    pub(super) fn lower_bound(&self, key: &[u8]) -> u32 {
        let (mut low, mut high) = (0, self.n_nodes());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.key(middle as u32) < key { low = middle + 1 } else { high = middle }
        }
        low as u32
    }

    pub(super) fn find(&self, key: &[u8]) -> Option<u32> {
        let node = self.lower_bound(key);
        ((node as usize) < self.n_nodes() && self.key(node) == key).then_some(node)
    }

    /// The columns of a holder.
    pub(super) fn columns_of(&self, holder: u32) -> impl Iterator<Item = u32> + '_ {
        (holder + 1..self.n_nodes() as u32).take_while(move |node| self.holders[*node as usize] == holder)
    }

    pub(super) fn bytes(&self) -> usize {
        let lists = (self.key_starts.len() + self.holders.len() + self.domains.len()) * 4;
        self.keys.len() + lists + self.domain_ids.len() * 16 + self.forward.bytes() + self.backward.bytes()
    }
}

/// The part of a node's key that is its holder's.
pub(super) fn holder_key(key: &[u8]) -> &[u8] {
    &key[..holder_bytes(key)]
}
